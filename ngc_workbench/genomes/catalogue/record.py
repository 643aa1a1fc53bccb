"""One release's catalogue record, in our own schema `ngc-catalogue/1`.

Counted are the people who are in the release now, without those who have opted out. Numbers of people are rounded
to multiples of the disclosure threshold, small ones hidden (`policy.disclosure`). Categories that no schema declared
are named only when enough people have them; the rest are one row, `other`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy.orm import Session

from ngc_workbench.genomes import store
from ngc_workbench.genomes.catalogue.fields import describe
from ngc_workbench.genomes.optouts.left_out import left_out
from ngc_workbench.genomes.phenotypes import Column, Value, columns_from, read_values
from ngc_workbench.model import Dataset, Release
from ngc_workbench.policy import disclosure, duo
from ngc_workbench.policy.terms import Terms, dataset_terms
from ngc_workbench.settings import Settings

SCHEMA = "ngc-catalogue/1"
OTHER, MISSING = "other", "missing"
_MOST_CATEGORIES = 100
_EXTREMES = ("min", "max", "lowest", "highest", "worst", "best")


def build(settings: Settings, db: Session, release: Release) -> dict[str, Any]:
    """The record of a stored release, as of now. Reads columns.tsv and phenotypes.tsv; never genotypes."""
    folder = store.release_folder(settings, release.dataset_name, release.name)
    out = left_out(db, release)
    people = [one for one in store.read_columns(folder) if one not in out]
    columns = columns_from(release.manifest["phenotypes"])
    held = set(people)
    rows = [values for one, values in read_values(folder / "phenotypes.tsv", columns) if one in held]
    return record(db.get_one(Dataset, release.dataset_name), release, len(people), rows, settings.small_count)


def record(
    dataset: Dataset, release: Release, people: int, rows: Sequence[Sequence[Value]], small: int
) -> dict[str, Any]:
    """The record: `people` is how many count, `rows` their phenotypes by the manifest's columns (people without: no row)."""
    manifest = release.manifest
    columns = columns_from(manifest["phenotypes"])
    return {
        "schema": SCHEMA,
        "dataset": dataset.name,
        "release": release.name,
        "title": dataset.title or dataset.name,
        "description": dataset.description,
        "published": release.published.date().isoformat() if release.published else None,
        "genome": manifest["genome"],
        "shapes": shapes(manifest),
        "threshold": small,
        "people": disclosure.rounded(people, small),
        "variants": manifest["counts"]["variants"],
        "fields": [_field(name) for name in (*manifest["row_fields"], *manifest["entry_fields"])],
        "phenotypes": [
            _phenotype(column, [row[at] for row in rows], people, small) for at, column in enumerate(columns)
        ],
        "quality": _quality(manifest.get("quality", {}), small),
        "terms": [_term(one) for one in dataset_terms(dataset.terms)],
    }


def shapes(manifest: Mapping[str, Any]) -> list[str]:
    """The shapes in which a release offers its genotypes."""
    if manifest.get("kind", "matrix") == "vds":
        return ["Hail VDS"]
    has_pgen = any(path.startswith("plink/") for path in manifest.get("files", ()))
    return ["Hail MatrixTable", *(["PLINK 2 PGEN"] if has_pgen else [])]


def _field(name: str) -> dict[str, str]:
    kind, english, danish = describe(name)
    return {"name": name, "type": kind, "description": english, "description_da": danish}


def _phenotype(column: Column, values: Sequence[Value], people: int, small: int) -> dict[str, Any]:
    present = [value for value in values if value is not None]
    found: dict[str, Any] = {"name": column.name, "type": column.type, "description": column.description}
    for key in ("kind", "description_da", "unit", "system", "role"):
        if getattr(column, key):
            found[key] = getattr(column, key)
    if column.type == "bool" or (column.type == "str" and column.kind != "text"):
        found["people"] = _categories(column, present, people, small)
        return found
    found["known"] = disclosure.rounded(len(present), small)
    if column.type in ("int32", "int64", "float64"):
        figures = disclosure.summary([float(value) for value in present if not isinstance(value, str)], small)
        if figures is not None:
            found["summary"] = asdict(figures) | {"quantiles": {str(share): at for share, at in figures.quantiles}}
    return found


def _categories(column: Column, present: Iterable[Value], people: int, small: int) -> list[dict[str, Any]]:
    """People by category, those without a value among them, so that the rows add up to all people."""
    counts = Counter(_text(value) for value in present)
    named = dict.fromkeys(column.values or (("false", "true") if column.type == "bool" else ()), 0)
    if not named:
        often = [(name, count) for name, count in counts.most_common(_MOST_CATEGORIES) if count >= small]
        named = dict.fromkeys(sorted(name for name, _ in often), 0)
    cells = {name: counts[name] for name in named}
    rest = sum(counts.values()) - sum(cells.values())
    # Keys that no category can have: a category may itself be called `other`.
    cells |= {f"\0{OTHER}": rest} if rest else {}
    cells[f"\0{MISSING}"] = people - sum(counts.values())
    texts = dict(column.texts)
    shown = disclosure.table(cells, small)
    return [
        {"category": name, "people": count, **({"text": texts[name]} if name in texts else {})}
        if not name.startswith("\0")
        else {"category": None, "text": name[1:], "people": count}
        for name, count in shown.items()
    ]


def _text(value: Value) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _quality(figures: Mapping[str, Any], small: int) -> dict[str, Any]:
    """Figures of the whole cohort: no extremes, which are one person's, no small counts, no texts, no lists."""
    kept: dict[str, Any] = {}
    for name, value in figures.items():
        if any(word in name.lower().split("_") for word in _EXTREMES) or isinstance(value, bool):
            continue
        if isinstance(value, Mapping):
            inner = _quality(value, small)
            kept |= {name: inner} if inner else {}
        elif isinstance(value, int):
            kept[name] = disclosure.SMALL if value < small else disclosure.rounded(value, small)
        elif isinstance(value, float):
            kept[name] = float(f"{value:.3g}")
    return kept


def _term(one: Terms) -> dict[str, Any]:
    """A term of use. Persons are not named in a catalogue."""
    term = duo.TERMS[one.term]
    stored = {key: value for key, value in one.stored().items() if key != "persons"}
    return {
        **stored, "shorthand": term.shorthand, "label": term.label, "iri": term.iri, "kind": term.kind,
        "description": term.en, "description_da": term.da,
    }  # fmt: skip
