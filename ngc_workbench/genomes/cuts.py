"""Cuts: the genotypes that a view shares, when they are not the whole release.

A cut holds some people of a release (those of a cohort, without those who opted out), perhaps in some regions, with some
fields. It is written once, kept under a hash of its definition, and shared by every project that asks for the same: ten
projects with the whole of a release and the same opt-outs have one cut. A cut that no view shares files with any more
is removed: it may hold somebody who has opted out since.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ngc_workbench.errors import IntegrityError
from ngc_workbench.genomes import hail_files, store
from ngc_workbench.genomes.worker import Mount, Worker
from ngc_workbench.settings import Settings

MATRIX, VDS, PLINK = "matrix.mt", "genomes.vds", "plink"
PGEN = ("genotypes.pgen", "genotypes.pvar")


@dataclass(frozen=True)
class Definition:
    """What a cut is of: `people` are internal ids in stored order; `regions` empty: the whole genome."""

    release: str
    people: tuple[str, ...]
    regions: tuple[str, ...]
    entry_fields: tuple[str, ...]

    @property
    def key(self) -> str:
        """The cut's name: a hash of its definition."""
        return store.digest_of([self.release, sorted(self.people), list(self.regions), list(self.entry_fields)])[:32]


@dataclass(frozen=True)
class Mother:
    """A release or a cut, as a view shares its files. `key` is the cut's; empty for a release."""

    folder: Path
    key: str
    manifest: dict[str, Any]

    @property
    def kind(self) -> str:
        """`matrix` or `vds`."""
        return str(self.manifest["kind"])

    @property
    def halves(self) -> tuple[str, ...]:
        """The matrices in the folder: one, or the two of a VDS, that with the variants first."""
        if self.kind == "matrix":
            return (MATRIX,)
        return (f"{VDS}/variant_data", f"{VDS}/reference_data")

    @property
    def plink(self) -> bool:
        """Whether there is a PGEN."""
        return (self.folder / PLINK).is_dir()

    @property
    def variants(self) -> int:
        """Rows of the matrix, or of the VDS's variants."""
        return int(self.manifest["counts"]["variants"])


def ensure(
    settings: Settings,
    release: Path,
    manifest: dict[str, Any],
    definition: Definition,
    progress: Callable[[str], None],
) -> Mother:
    """The release itself when the definition is all of it; else its cut, written when it is not there. Lock held.

    Raises Unavailable (Docker, disk, memory), IntegrityError.
    """
    everybody = store.read_columns(release)
    if (
        list(definition.people) == everybody
        and not definition.regions
        and list(definition.entry_fields) == manifest["entry_fields"]
    ):
        return Mother(release, "", manifest)
    folder = store.cut_folder(settings, definition.key)
    if not folder.is_dir():
        with store.building(folder) as draft:
            _write(settings, release, manifest, definition, draft, progress)
    found = Mother(folder, definition.key, store.read_manifest(folder))
    if tuple(store.read_columns(folder)) != definition.people or found.manifest["release"] != definition.release:
        raise IntegrityError("A stored cut is not the one that its name says.", "Call the security officer.")
    return found


def _write(
    settings: Settings,
    release: Path,
    manifest: dict[str, Any],
    definition: Definition,
    draft: Path,
    progress: Callable[[str], None],
) -> None:
    mother = Mother(release, "", manifest)
    mounts = [
        Mount(release / (MATRIX if mother.kind == "matrix" else VDS), "/release"),
        Mount(draft, "/cut", writable=True),
    ]
    if mother.plink:
        mounts.append(Mount(release / PLINK, "/plink"))
    order: dict[str, Any] = {
        "keep": list(definition.people), "regions": list(definition.regions), "genome": manifest["genome"],
    }  # fmt: skip
    with Worker(settings, "cut", mounts, progress) as worker:
        if mother.kind == "matrix":
            done = worker.call("cut_matrix", fields=list(definition.entry_fields), plink=mother.plink, **order)
        else:
            done = worker.call("cut_vds", **order)
    # Asked of the files and not of the worker: what is kept under this name must be what the name says.
    for half in mother.halves:
        if [row[0] for row in hail_files.read_columns(draft / half / "cols")] != list(definition.people):
            raise IntegrityError("A cut holds other people than it was asked for.", "Nothing was kept; build it again.")
    progress("Hashing and syncing the cut")
    for part in (MATRIX, VDS, PLINK):
        if (draft / part).is_dir():
            store.readable_by_all(draft / part)
    store.write_columns(draft, definition.people)
    store.write_json(
        draft / "manifest.json",
        {
            "format": 2,
            "kind": mother.kind,
            "release": definition.release,
            "entry_fields": list(definition.entry_fields),
            "regions": list(definition.regions),
            "counts": {"samples": len(definition.people), "variants": done["rows"]},
            "files": store.file_hashes(draft),
        },
    )


def remove_unused(settings: Settings, keep: frozenset[str]) -> None:
    """Removes cuts that are not in `keep` and that no view shares files with any more. Lock held."""
    cuts = settings.custody_dir / "cuts"
    if not cuts.is_dir():
        return
    for cut in cuts.iterdir():
        if cut.name in keep or cut.name.startswith(store.BUILDING):
            continue
        if all(path.stat().st_nlink == 1 for path in cut.rglob("part-*")):
            store.remove_tree(cut)
