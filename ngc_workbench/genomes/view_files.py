"""The files of a view: shared parts, columns of its own, texts; and the search for what must not be in them.

Which sharing: hard links. Read-only bind mounts of the mother's folders would need one mount a part and a session's
mounts to name the custodian zone; symbolic links would need that zone mounted. Hard links need one file system for
custody and views, and nothing of the mother is reachable through them. A view's own files are its columns, the top
metadata, the texts: what Hail keeps of ids, names, times and versions stands in those alone.
"""

from __future__ import annotations

import errno
import gzip
import os
import re
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ngc_workbench.errors import ConfigurationError, IntegrityError
from ngc_workbench.genomes import hail_files, psam, store
from ngc_workbench.genomes.cuts import PGEN, PLINK, Mother
from ngc_workbench.genomes.individuals import ID_PATTERN
from ngc_workbench.pseudonyms import find_cpr

SHARED = ("rows", "entries", "index", "globals", "references")
MATRIX, VDS = "genotypes.mt", "genotypes.vds"
VDS_FILES = ("extra_reference_globals.json",)
_README = "A Hail MatrixTable: hl.read_matrix_table, or ngc.load. See README.md in the folder above.\n"
_WORDS = re.compile(rb"[\w.+-]+")
_SHORTEST_NAME = 4
"""Sample names shorter than this, or of digits alone, are not searched for: any number in a table would be one."""


def _is_note(name: str) -> bool:
    """Hail's note of its version and the time of writing, and that note's checksum."""
    return name in ("README.txt", ".README.txt.crc")


def vds_files(mother: Mother) -> list[str]:
    """The files of a VDS that lie beside its halves; one that the combiner did not write itself has none."""
    if mother.kind != "vds":
        return []
    return [name for name in VDS_FILES if (mother.folder / "genomes.vds" / name).is_file()]


def in_view(view: Path, half: str) -> Path:
    """Where a view has one of its mother's matrices (`cuts.Mother.halves`)."""
    return view / half.replace("matrix.mt", MATRIX).replace("genomes.vds", VDS)


def assemble(
    view: Path,
    mother: Mother,
    *,
    ids: Sequence[str],
    fields: Sequence[hail_files.Field],
    values: Sequence[Sequence[Any]],
) -> None:
    """Makes the genotypes of a view from its mother's shared parts and columns of its own.

    `ids` stand in the mother's order, `values` are one list a person, one value a field. The half of a VDS that holds
    reference blocks gets ids alone. Raises ConfigurationError when views and custody are on different file systems.
    """
    for number, half in enumerate(mother.halves):
        source, matrix = mother.folder / half, in_view(view, half)
        matrix.mkdir(parents=True)
        for part in SHARED:
            if (source / part).is_dir():
                _link_tree(source / part, matrix / part)
        metadata = hail_files.read_metadata(source)
        chosen = fields if number == 0 else None
        hail_files.write_columns(matrix / "cols", ids, chosen, values, str(metadata["hail_version"]))
        # Without the mother's checksum file: Hail compares it and would refuse the new content.
        hail_files.write_metadata(matrix, hail_files.top_metadata(metadata, chosen))
        (matrix / "README.txt").write_text(_README, encoding="utf-8")
        (matrix / "_SUCCESS").touch()
    for name in vds_files(mother):
        _link(mother.folder / "genomes.vds" / name, view / VDS / name)
    if mother.plink:
        (view / PLINK).mkdir()
        for name in PGEN:
            _link(mother.folder / PLINK / name, view / PLINK / name)
        (view / PLINK / "genotypes.psam").write_text(psam.table(ids, fields, values), encoding="utf-8")


def _link_tree(source: Path, target: Path) -> None:
    # Texts and not Path objects here and below: a release has some six files a part, and a view touches each of them.
    for root, _, names in os.walk(source):
        folder = str(target) + root[len(str(source)) :]
        os.mkdir(folder)  # noqa: PTH102
        for name in names:
            if not _is_note(name):
                _link(f"{root}/{name}", f"{folder}/{name}")


def _link(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno == errno.EXDEV:
            raise ConfigurationError(
                "Views and the custodian zone are on different file systems, so they can't share files.",
                "Keep all of state_dir on one file system.",
            ) from error
        raise


def verify_shared(mother: Path, matrix: Path) -> None:
    """Proves that each shared file of a view's matrix is the mother's very file, and that none is missing or added.

    Raises IntegrityError.
    """
    for part in SHARED:
        ours, theirs = _identities(matrix / part), _identities(mother / part)
        if ours != theirs:
            raise IntegrityError(
                "A shared part of the view is not its mother's.", "Nothing was published; build it again."
            )


def _identities(folder: Path) -> dict[str, tuple[int, int]]:
    """Device and inode of each file, by relative path."""
    found = {}
    for root, _, names in os.walk(folder):
        for name in names:
            if not _is_note(name):
                status = os.stat(f"{root}/{name}")  # noqa: PTH116
                found[f"{root}/{name}"[len(str(folder)) :]] = (status.st_dev, status.st_ino)
    return found


def own_files(view: Path) -> list[Path]:
    """The files that the view does not share with its mother, sorted."""
    return [view / name for name in _files(view) if _mothers_name(name) is None]


def shared_files(view: Path) -> dict[str, str]:
    """The files that the view shares with its mother: path in the view, sorted, and path in the mother's folder."""
    named = ((name, _mothers_name(name)) for name in _files(view))
    return {name: mothers for name, mothers in named if mothers is not None}


def _files(view: Path) -> list[str]:
    """Paths of all files of a view, relative to it, sorted."""
    start = len(str(view)) + 1
    return sorted(f"{root}/{name}"[start:] for root, _, names in os.walk(view) for name in names)


def _mothers_name(name: str) -> str | None:
    """What a shared file of a view is called in its mother's folder; None for the view's own."""
    top, *inside = name.split("/")
    if top == PLINK:
        return name if inside[0] in PGEN else None
    if top == VDS and inside[0] in VDS_FILES:
        return f"genomes.vds/{inside[0]}"
    half = inside[:1] if top == VDS else []
    rest = inside[len(half) :]
    if top not in (MATRIX, VDS) or not rest or rest[0] not in SHARED:
        return None
    return "/".join(["matrix.mt" if top == MATRIX else "genomes.vds", *half, *rest])


def close(view: Path) -> None:
    """Gives the view's own files and all its folders the rights that a session's user needs (0444 and 0755)."""
    for root, _, _names in os.walk(view):
        Path(root).chmod(0o755)
    for path in own_files(view):
        path.chmod(0o444)


def digest(view: Path, mothers_hashes: Mapping[str, str]) -> str:
    """SHA-256 over the hashes of all files; those of shared files are the mother's, taken when it was written.

    Raises IntegrityError for a shared file that the mother's manifest does not know.
    """
    every = store.file_hashes_of(view, [path.relative_to(view).as_posix() for path in own_files(view)])
    for name, mothers in shared_files(view).items():
        if mothers not in mothers_hashes:
            raise IntegrityError("A view shares a file that its mother does not have.", "Call the security officer.")
        every[name] = mothers_hashes[mothers]
    return store.digest_of(every)


@dataclass(frozen=True)
class Forbidden:
    """What must not stand in any file of a view: names of samples, and other words (paths, host names)."""

    samples: frozenset[bytes]
    words: tuple[bytes, ...]

    @classmethod
    def of(cls, samples: Iterable[str], custody: Path) -> Forbidden:
        """For these sample names and this custodian zone; this machine's name is added."""
        searched = (name for name in samples if len(name) >= _SHORTEST_NAME and not name.replace(".", "").isdigit())
        return cls(
            frozenset(name.encode() for name in searched), (str(custody).encode(), socket.gethostname().encode())
        )


def search(view: Path, forbidden: Forbidden) -> list[str]:
    """What stands in the view though it must not: one line a file, saying what kind of thing, never the thing itself.

    Looks into the view's own files (unpacking gzip) and all metadata, and at every file's name. The binary parts hold no
    text but alleles, ids and categories: their schema and values are compared in Hail.
    """
    found = []
    named = (view / name for name in shared_files(view) if name.endswith(("metadata.json.gz", ".json")))
    searched = [*own_files(view), *named]
    for path in searched:
        content = path.read_bytes()
        if path.name.endswith(".gz"):
            content = gzip.decompress(content)
        found += [f"{path.relative_to(view)}: {what}" for what in things(content, forbidden, _kind(path))]
    names = {part for name in _files(view) for part in name.split("/")}
    for name in sorted(names):
        found += [f"the name of a file: {what}" for what in things(name.encode(), forbidden, "data")]
    return found


def _kind(path: Path) -> str:
    """`prose` (a table or a text: a host name may be an ordinary word there), `data` (JSON), or `packed` (Hail's parts)."""
    if path.suffix in (".tsv", ".md", ".txt"):
        return "prose"
    return "data" if path.suffix in (".gz", ".json", ".psam") else "packed"


def things(content: bytes, forbidden: Forbidden, kind: str) -> list[str]:
    """Kinds of forbidden things in some bytes. In `packed` ones a short word occurs by chance and means nothing."""
    found = []
    tokens = set(_WORDS.findall(content)) if kind != "packed" else set()
    path, host = forbidden.words
    if re.search(ID_PATTERN.encode(), content):
        found.append("an internal id")
    if forbidden.samples & tokens:
        found.append("the name of a sample")
    if find_cpr(content.decode("utf-8", "replace")):
        found.append("a CPR number")
    if path in content or (kind == "data" and len(host) >= _SHORTEST_NAME and host in tokens):
        found.append("a path or host name")
    return found
