"""Releases on disk and in the database, written without Hail: what they hold is columns, phenotypes and a manifest."""

from __future__ import annotations

from typing import Any

from ngc_workbench.database import Database
from ngc_workbench.genomes import store
from ngc_workbench.genomes.phenotypes import columns_from, write_values
from ngc_workbench.model import Dataset, Individual, Release
from ngc_workbench.settings import Settings


def internal_id(number: int) -> str:
    """An internal id of the form that the store gives."""
    return f"ngci{number:024x}"


def add_release(
    settings: Settings,
    database: Database,
    name: str = "r1",
    *,
    people: range = range(40),
    phenotypes: list[dict[str, Any]] | None = None,
    rows: dict[int, tuple] | None = None,
    state: str = "building",
    **manifest: Any,
) -> Release:
    """Release cohort/`name` of these people; `rows` are phenotypes by number of the person."""
    phenotypes = phenotypes or []
    folder = store.release_folder(settings, "cohort", name)
    (folder / "matrix.mt").mkdir(parents=True)
    (folder / "matrix.mt" / "part-0").write_bytes(name.encode())
    ids = [internal_id(number) for number in people]
    store.write_columns(folder, ids)
    write_values(
        folder / "phenotypes.tsv",
        columns_from(phenotypes),
        [(internal_id(at), row) for at, row in (rows or {}).items()],
    )
    content = {
        "format": 2, "kind": "matrix", "genome": "GRCh38", "counts": {"samples": len(ids), "variants": 12345, "with_phenotypes": len(rows or {})},
        "entry_fields": ["GT", "DP"], "row_fields": ["locus", "alleles"], "phenotypes": phenotypes, "accepted": [], "tools": {"hail": "0.2"},
        "sources": [{"kind": "vcf", "sha256": "a" * 64, "bytes": 1}], "files": store.file_hashes(folder), **manifest,
    }  # fmt: skip
    store.write_json(folder / "manifest.json", content)
    with database.writing() as db:
        if db.get(Dataset, "cohort") is None:
            db.add(Dataset(name="cohort"))
            db.flush()
        for number, one in zip(people, ids, strict=True):
            if db.get(Individual, one) is None:
                db.add(
                    Individual(
                        internal_id=one,
                        dataset_name="cohort",
                        sample_tag=f"s{number}",
                        cpr_tag=f"c{number}",
                        sealed=b"",
                    )
                )
        release = Release(dataset_name="cohort", name=name, manifest=content, state=state)
        db.add(release)
    return release
