"""Releases laid out like real ones, without Hail: the columns are real, the genotypes are bytes that nobody reads."""

from __future__ import annotations

from pathlib import Path

from ngc_workbench.genomes import hail_files, store

HAIL = "0.2.139-5e5eedb87ff8"
PARTS = ("part-0-aa", "part-1-bb")
COUNTS = [3, 4]


def write_matrix(folder: Path, ids, entry: str = "GT:Call") -> None:
    """A matrix of seven rows in two parts."""
    for part in ("rows", "entries"):
        parts = folder / part / "rows" / "parts"
        parts.mkdir(parents=True)
        for name in PARTS:
            (parts / name).write_bytes(f"{part} {name} {entry}".encode())
        hail_files.write_metadata(
            folder / part / "rows", {"_partFiles": list(PARTS), "_indexSpec": {"_relPath": "../../index"}}
        )
        hail_files.write_metadata(folder / part, {"name": "TableSpec"})
        (folder / part / "_SUCCESS").touch()
        (folder / part / "README.txt").write_text("Created at")
    (folder / "index").mkdir()
    for name in PARTS:
        (folder / "index" / f"{name}.idx").write_bytes(f"index {name}".encode())
    (folder / "references").mkdir()
    (folder / "globals" / "rows" / "parts").mkdir(parents=True)
    (folder / "globals" / "rows" / "parts" / "part-0").write_bytes(b"globals")
    hail_files.write_metadata(folder / "globals", {"name": "TableSpec"})
    (folder / "globals" / "_SUCCESS").touch()
    hail_files.write_columns(folder / "cols", ids, None, [], HAIL)
    hail_files.write_metadata(
        folder,
        {
            "file_version": hail_files.FILE_VERSION,
            "hail_version": HAIL,
            "references_rel_path": "references",
            "matrix_type": "Matrix{global:Struct{},col_key:[s],col:Struct{s:String},row_key:[[locus,alleles]],"
            "row:Struct{locus:Locus(GRCh38),alleles:Array[String]},entry:Struct{" + entry + "}}",
            "components": {"partition_counts": {"name": "PartitionCountsComponentSpec", "counts": COUNTS}},
            "name": "MatrixTableSpec",
        },
    )
    (folder / ".metadata.json.gz.crc").write_bytes(b"crc")
    (folder / "README.txt").write_text("Created at")
    (folder / "_SUCCESS").touch()


def write_mother(folder: Path, ids, *, kind: str = "matrix", phenotypes=(), table: str = "id\n"):
    """A release's folder of that kind; gives its manifest."""
    folder.mkdir(parents=True)
    if kind == "matrix":
        write_matrix(folder / "matrix.mt", ids)
        (folder / "plink").mkdir()
        (folder / "plink" / "genotypes.pgen").write_bytes(b"pgen")
        (folder / "plink" / "genotypes.pvar").write_bytes(b"#CHROM\tPOS\tID\tREF\tALT\n")
    else:
        for half in ("variant_data", "reference_data"):
            write_matrix(
                folder / "genomes.vds" / half, ids, entry="LGT:Call" if half == "variant_data" else "LEN:Int32"
            )
        (folder / "genomes.vds" / "extra_reference_globals.json").write_text("{}")
    store.write_columns(folder, ids)
    (folder / "phenotypes.tsv").write_text(table, encoding="utf-8")
    manifest = {
        "format": 2,
        "kind": kind,
        "genome": "GRCh38",
        "counts": {"samples": len(ids), "variants": sum(COUNTS), "with_phenotypes": 0},
        "entry_fields": ["GT"],
        "phenotypes": list(phenotypes),
        "files": store.file_hashes(folder),
    }
    store.write_json(folder / "manifest.json", manifest)
    return manifest
