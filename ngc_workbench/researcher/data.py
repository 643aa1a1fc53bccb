"""What this session may read: the mounted views, their genotypes and their phenotypes."""

from __future__ import annotations

from typing import Any

from . import disclosure, places
from .errors import NgcError
from .session import hail, say, start


def data() -> Any:
    """The mounted views as a pandas DataFrame, a row a release: people, variants, genome, phenotype fields."""
    import pandas as pd

    views = places.mounted()
    if not views:
        say(f"Nothing is mounted under {places.data_dir()}: this project has no approved data yet.")
    return pd.DataFrame(
        [
            {
                "dataset": view.dataset,
                "release": view.release,
                "people": view.people,
                "variants": view.variants,
                "genome": view.genome,
                "phenotypes": ", ".join(view.fields),
                "about": _first_line(view.readme),
            }
            for view in views
        ],
        columns=["dataset", "release", "people", "variants", "genome", "phenotypes", "about"],
    )


def _first_line(text: str) -> str:
    return next((line.strip("# ").strip() for line in text.splitlines() if line.strip("# ").strip()), "")


class Formatted(str):
    """A text that a notebook shows formatted."""

    __slots__ = ()

    def _repr_markdown_(self) -> str:
        return str(self)


def about(dataset: str, release: str | None = None) -> Formatted:
    """The whole README of a release, shown as formatted text. Raises NgcError when it isn't mounted."""
    view = places.find(dataset, release)
    return Formatted(view.readme or f"{view.dataset}/{view.release} has no description.")


def load(dataset: str | None = None, release: str | None = None) -> Any:
    """The genotypes as a Hail MatrixTable: rows are variants, columns are people.

    A column's key `s` is the person's pseudonym in this project; its phenotypes stand in `mt.pheno`. Genomes that came
    as gVCFs are given as a VariantDataset (`hl.vds`), with the phenotypes in its `variant_data`.
    Without a name: the only dataset there is. Without a release: the latest that is mounted.
    Starts Hail when it isn't running. Raises NgcError when the dataset isn't mounted, or several are
    and none is named.
    """
    view = places.find(_named(dataset), release)
    start()
    hl = hail()
    path = str(view.genotypes)
    found = hl.vds.read_vds(path) if view.kind == "vds" else hl.read_matrix_table(path)
    say(f"{view.dataset}, release {view.release}: {view.people:,} people, {view.variants:,} variants, {view.genome}.")
    return found


def pfile(dataset: str | None = None, release: str | None = None) -> str:
    """What plink2's `--pfile` takes: the same genotypes as a PGEN, under the same pseudonyms, phenotypes in its .psam.

    `!plink2 --pfile {ngc.pfile()} --glm --pheno-name trait --out /tmp/gwas` in a cell. Raises NgcError when the dataset
    isn't mounted, or has no PGEN.
    """
    view = places.find(_named(dataset), release)
    if view.plink is None:
        raise NgcError(
            f"{view.dataset}/{view.release} has no PGEN.", "Genomes that came as gVCFs have none: use ngc.load."
        )
    return str(view.plink)


def _named(dataset: str | None) -> str:
    if dataset is not None:
        return dataset
    names = sorted({view.dataset for view in places.mounted()})
    if len(names) > 1:
        raise NgcError(f"{len(names)} datasets are mounted.", f"Name one of: {', '.join(names)}.")
    return names[0] if names else "A dataset"


def phenotypes(dataset: str, release: str | None = None) -> Any:
    """The phenotype table as a pandas DataFrame, a row a person, its index the pseudonym.

    Raises NgcError when the release isn't mounted or has no phenotypes.
    """
    import pandas as pd

    view = places.find(dataset, release)
    if not view.phenotypes.is_file():
        raise NgcError(f"{view.dataset}/{view.release} has no phenotype table.")
    table = pd.read_csv(view.phenotypes, sep="\t", dtype={0: "string"})
    return table.set_index(table.columns[0])


def describe(source: Any) -> Any:
    """A summary of phenotypes that shows no single person: a pandas DataFrame, a row a field or category.

    `source` is a MatrixTable with `pheno`, or a DataFrame as `phenotypes` gives it. Numbers get their mean
    and standard deviation (no extremes: those are one person's values); categories with fewer than
    `disclosure.SMALL` people are shown without a count, and so is a next one from which it could be worked out.
    """
    import pandas as pd

    table = source if isinstance(source, pd.DataFrame) else _columns(source)
    rows: list[dict[str, Any]] = []
    for name in table.columns:
        values = table[name].dropna()
        number = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
        if number and values.nunique() > 2:
            rows.append(
                {"field": name, "category": "", "people": len(values), "mean": values.mean(), "sd": values.std()}
            )
            continue
        counts = values.astype(str).value_counts().sort_index()
        if len(counts) > 20:
            rows.append({"field": name, "category": f"{len(counts)} different values", "people": len(values)})
            continue
        hidden = _hidden(dict(counts))
        rows += [
            {"field": name, "category": category, "people": None if category in hidden else count}
            for category, count in counts.items()
        ]
    shown = pd.DataFrame(rows, columns=["field", "category", "people", "mean", "sd"])
    shown["people"] = ["hidden" if pd.isna(people) else f"{people:,.0f}" for people in shown["people"]]
    return shown.set_index(["field", "category"]).round(3).fillna("")


def _hidden(counts: dict[str, int]) -> set[str]:
    """Categories whose counts are not shown: the small ones, and more while the hidden ones together are few."""
    by_size = sorted(counts, key=lambda category: counts[category])
    hidden = [category for category in by_size if counts[category] < disclosure.SMALL]
    for category in by_size[len(hidden) :] if hidden else ():
        if len(hidden) > 1 and sum(counts[one] for one in hidden) >= disclosure.SMALL:
            break
        hidden.append(category)
    return set(hidden)


def _columns(mt: Any) -> Any:
    cols = mt.cols().key_by()
    return cols.select(**{name: cols.pheno[name] for name in cols.pheno}).to_pandas()
