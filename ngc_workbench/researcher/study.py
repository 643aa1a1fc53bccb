"""An association study: components of ancestry, and a regression for each variant.

Options for correcting for ancestry were: components of the variants at hand, always; never; or only where they
can mean ancestry. Components of one short region describe its few haplotypes, and with them as covariates the
regression loses the very signal it looks for (on 140 kb of 1000 Genomes with a simulated trait, ten of them
took a causal variant from p = 1e-34 to 1e-9). So the third is taken, and said.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from typing import Any

from .disclosure import LEAST_ALLELES
from .errors import NgcError
from .session import hail, say, start

SHORT_REGION = 20_000_000
"""Base pairs below which components describe haplotypes. Linkage reaches over some 10 Mb in places
(Price et al., Am J Hum Genet 83:132, 2008); a region should be well above that."""
COMMON = 0.05
"""Minor allele frequency from which a variant counts for the components."""
MOST_FOR_COMPONENTS = 10_000
"""Variants that are used for the components at most; they are spread evenly."""
LEAST_PEOPLE = 20
"""People below which no association is computed; of each kind for a yes/no trait."""
LEAST_DEGREES = 10
"""Least residual degrees of freedom, as the airlock wants them."""
MOST_CATEGORIES = 30
"""Categories that a text covariate may have."""
COLUMNS = (
    "chromosome",
    "base_pair_location",
    "effect_allele",
    "other_allele",
    "beta",
    "standard_error",
    "effect_allele_frequency",
    "p_value",
    "n",
    "minor_allele_count",
)
"""Columns of a result; the first nine as in GWAS-SSF (Hayhurst et al., bioRxiv 2022.07.15.500230)."""


def _field(mt: Any, name: str) -> Any:
    """The phenotype `name` of `mt`. Raises NgcError that offers the names that come near."""
    there = list(mt.pheno) if "pheno" in mt.col else []
    if name not in there:
        near = difflib.get_close_matches(name, there, n=1)
        raise NgcError(
            f"There is no phenotype {name!r}.",
            (f"Did you mean {near[0]!r}? " if near else "") + f"There are: {', '.join(there) or 'none'}.",
        )
    return mt.pheno[name]


def principal_components(mt: Any, k: int = 10) -> Any:
    """`mt` with `mt.pheno.PC1` … `PCk`: components of common variants, spread evenly over what `mt` covers.

    Raises NgcError when there are too few people or common variants for two components.
    """
    start()
    hl = hail()
    people = mt.count_cols()
    common = mt.filter_rows((hl.len(mt.alleles) == 2) & mt.locus.in_autosome())
    common = common.annotate_rows(ngc_called=hl.agg.call_stats(common.GT, 2))
    frequency = common.ngc_called.AF[1]
    enough = 1.9 * people < common.ngc_called.AN
    common = common.filter_rows(enough & (frequency > COMMON) & (frequency < 1 - COMMON))
    loci = common.aggregate_rows(hl.agg.collect(common.locus))
    spread, covered = _spread([(locus.contig, locus.position) for locus in loci])
    k = min(k, len(spread) // 2, people // 4)
    if k < 2:
        raise NgcError(
            f"{people} people and {len(spread)} common variants are too few for components of ancestry.",
            "Leave them out, or load more of the genome.",
        )
    # As text: comparing with a set of loci fails in Hail 0.2.139 with a NullPointerException on some matrices.
    kept = hl.literal({f"{contig}:{at}" for contig, at in spread})
    common = common.filter_rows(kept.contains(hl.str(common.locus))).select_entries("GT")
    eigenvalues, scores, _ = hl.hwe_normalized_pca(common.GT, k=k)
    scores = scores.checkpoint(hl.utils.new_temp_file("components", "ht"))
    found = scores[mt.col_key].scores
    mt = mt.annotate_cols(pheno=mt.pheno.annotate(**{f"PC{i + 1}": found[i] for i in range(k)}))
    local = covered < SHORT_REGION
    say(f"{k} components from {len(spread):,} common variants over {covered / 1e6:.1f} Mb.")
    if local:
        say(
            "That is a short region: its components describe haplotypes and not ancestry, "
            "and association() leaves them out unless you give n_pcs."
        )
    return mt.annotate_globals(components=hl.struct(k=k, local=local, eigenvalues=[float(e) for e in eigenvalues]))


def _spread(loci: Sequence[tuple[str, int]]) -> tuple[list[tuple[str, int]], int]:
    """At most MOST_FOR_COMPONENTS of sorted `loci`, evenly apart, and the base pairs that all of them span."""
    ends: dict[str, tuple[int, int]] = {}
    for contig, at in loci:
        first, last = ends.get(contig, (at, at))
        ends[contig] = (min(first, at), max(last, at))
    covered = sum(last - first for first, last in ends.values())
    apart = max(1000, covered // MOST_FOR_COMPONENTS)
    kept: list[tuple[str, int]] = []
    for contig, at in loci:
        if not kept or kept[-1][0] != contig or at - kept[-1][1] >= apart:
            kept.append((contig, at))
    return kept, covered


def _covariates(mt: Any, names: Sequence[str]) -> dict[str, Any]:
    """Hail expressions of numbers for the named phenotypes; a text becomes one 0/1 column less than it has values."""
    hl = hail()
    columns: dict[str, Any] = {}
    for name in names:
        value = _field(mt, name)
        if value.dtype != hl.tstr:
            columns[name] = hl.float64(value)
            continue
        values = sorted(v for v in mt.aggregate_cols(hl.agg.collect_as_set(value)) if v is not None)
        if len(values) > MOST_CATEGORIES:
            raise NgcError(f"{name!r} has {len(values)} different values, too many for a covariate.")
        for one in values[1:]:
            columns[f"{name}={one}"] = hl.float64(value == one)
    return columns


def _n_pcs(mt: Any, asked: int | None) -> int:
    """How many components go in: those asked for, else all that were computed, unless they are local."""
    known = hail().eval(mt.components) if "components" in mt.globals else None
    if asked is None:
        return 0 if known is None or known.local else int(known.k)
    if asked and (known is None or asked > known.k):
        raise NgcError(
            f"{asked} components are asked for; {known.k if known else 'none'} are there.",
            f"Compute them first: mt = ngc.principal_components(mt, k={asked}).",
        )
    return asked


def association(
    mt: Any,
    trait: str,
    covariates: Sequence[str] = (),
    n_pcs: int | None = None,
    *,
    min_maf: float = 0.01,
    min_mac: int = LEAST_ALLELES,
) -> Any:
    """Regresses `mt.pheno[trait]` on each variant's number of alternate alleles and the covariates.

    A number is regressed linearly, a yes/no trait logistically (Wald; beta is the log odds ratio). Variants
    with two alleles, a minor allele frequency of at least `min_maf` and at least `min_mac` minor alleles
    among the people analysed are tested. People with a missing trait or covariate are left out; a missing
    genotype counts as the variant's mean.

    Out: a Hail Table keyed by locus and alleles with the fields of COLUMNS; the effect allele is the
    alternate one, `n` the people with a genotype there.

    Raises NgcError for unknown phenotypes, a trait that is neither number nor yes/no, or too few people.
    """
    start()
    hl = hail()
    if isinstance(covariates, str):
        covariates = (covariates,)
    outcome = _field(mt, trait)
    binary = outcome.dtype == hl.tbool
    if outcome.dtype not in (hl.tint32, hl.tint64, hl.tfloat32, hl.tfloat64, hl.tbool):
        raise NgcError(
            f"{trait!r} is text; a trait is a number or yes/no.",
            f"For instance: mt = mt.annotate_cols(pheno=mt.pheno.annotate(case=mt.pheno.{trait} == 'CASE')).",
        )
    names = [*covariates, *(f"PC{i + 1}" for i in range(_n_pcs(mt, n_pcs)))]
    columns = {"trait": hl.float64(outcome), **_covariates(mt, names)}
    mt = mt.select_cols(ngc_x=hl.array(list(columns.values())))
    mt = mt.filter_cols(hl.all(hl.is_finite, mt.ngc_x))
    kept = _judge(mt.ngc_x.collect(), list(columns), trait, binary=binary)

    several = mt.filter_rows(hl.len(mt.alleles) != 2).count_rows()
    mt = mt.filter_rows(hl.len(mt.alleles) == 2)
    mt = mt.select_rows(ngc_calls=hl.agg.call_stats(mt.GT, 2), ngc_n=hl.agg.count_where(hl.is_defined(mt.GT)))
    rarer = hl.min(mt.ngc_calls.AC)
    mt = mt.filter_rows((rarer >= min_mac) & (rarer >= min_maf * mt.ngc_calls.AN))
    common = {
        "y": mt.ngc_x[0],
        "x": mt.GT.n_alt_alleles(),
        "covariates": [1.0, *(mt.ngc_x[i] for i in kept)],
        "pass_through": ["ngc_calls", "ngc_n"],
    }
    found = hl.logistic_regression_rows(test="wald", **common) if binary else hl.linear_regression_rows(**common)
    results = found.select(
        chromosome=found.locus.contig.replace("^chr", ""),
        base_pair_location=found.locus.position,
        effect_allele=found.alleles[1],
        other_allele=found.alleles[0],
        beta=found.beta,
        standard_error=found.standard_error,
        effect_allele_frequency=found.ngc_calls.AF[1],
        p_value=found.p_value,
        n=hl.int32(found.ngc_n),
        minor_allele_count=hl.min(found.ngc_calls.AC),
    )
    results = results.filter(hl.is_finite(results.p_value) & hl.is_finite(results.standard_error))
    used = [list(columns)[i] for i in kept]
    results = results.annotate_globals(
        study=hl.struct(
            trait=trait, regression="logistic" if binary else "linear", covariates=hl.literal(used, hl.tarray(hl.tstr))
        )
    )
    results = results.checkpoint(hl.utils.new_temp_file("association", "ht"))
    say(
        f"{' + '.join([f'{trait} ~ variant', *used])}: {'logistic' if binary else 'linear'} regression of "
        f"{mt.count_cols():,} people, {results.count():,} variants tested "
        f"(minor allele frequency ≥ {min_maf:g}, minor alleles ≥ {min_mac})."
    )
    if several:
        say(f"{several:,} variants with more than two alleles were left out (hl.split_multi_hts splits them).")
    return results


def _judge(rows: Sequence[Sequence[float]], names: Sequence[str], trait: str, *, binary: bool) -> list[int]:
    """Which columns of covariates (from 1) can go into the regression of column 0.

    A covariate that is constant, or that those before it already give, is left out with a word: the
    regression has no answer with it. Raises NgcError when the rest makes no study.
    """
    import numpy as np

    if len(rows) < LEAST_PEOPLE:
        raise NgcError(
            f"Only {len(rows)} people have {trait!r} and all covariates; {LEAST_PEOPLE} are needed.",
            "ngc.describe(mt) shows how many people have each of them.",
        )
    table = np.asarray(rows, dtype=float)
    if binary and min(table[:, 0].sum(), (1 - table[:, 0]).sum()) < LEAST_PEOPLE:
        raise NgcError(f"{trait!r} is a yes/no trait with fewer than {LEAST_PEOPLE} people of one kind.")
    if np.ptp(table[:, 0]) == 0:
        raise NgcError(f"{trait!r} is the same for all {len(rows)} people.")
    basis = np.ones((len(table), 1)) / math.sqrt(len(table))
    kept: list[int] = []
    for i in range(1, table.shape[1]):
        centred = table[:, i] - table[:, i].mean()
        rest = centred - basis @ (basis.T @ centred)
        if np.linalg.norm(rest) <= 1e-8 * max(np.linalg.norm(centred), abs(table[:, i].mean()), 1e-300):
            say(f"{names[i]} is left out: it is the same for all, or follows from the covariates before it.")
            continue
        basis = np.hstack([basis, (rest / np.linalg.norm(rest))[:, None]])
        kept.append(i)
    degrees = len(table) - len(kept) - 2
    if degrees < LEAST_DEGREES:
        raise NgcError(
            f"{len(table)} people and {len(kept)} covariates leave {degrees} degrees of freedom; {LEAST_DEGREES} are needed."
        )
    return kept


def top(results: Any, n: int = 10) -> Any:
    """The `n` variants with the smallest p-values, as a pandas DataFrame with the first nine of COLUMNS.

    Numbers are rounded to four significant digits, to be read; `results` keeps them whole.
    """
    import pandas as pd

    hl = hail()
    shown = COLUMNS[:9]
    rows = results.aggregate(hl.agg.take(results.row.select(*shown), n, ordering=results.p_value))
    return pd.DataFrame(
        [
            {name: float(f"{value:.4g}") if isinstance(value, float) else value for name, value in row.items()}
            for row in rows
        ],
        columns=list(shown),
    )
