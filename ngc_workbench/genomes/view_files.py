"""The files of a view: shared parts, columns of its own, texts; and the search for what must not be in them.

Which sharing: hard links. Read-only bind mounts of the mother's folders would need one mount a part and a session's
mounts to name the custodian zone; symbolic links would need that zone mounted. Hard links need one file system for
custody and views, and nothing of the mother is reachable through them. A view's own files are its columns, the top
metadata, the texts: what Hail keeps of ids, names, times and versions stands in those alone.
"""

from __future__ import annotations

import errno
import gzip
import json
import os
import re
import shutil
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ngc_workbench.errors import ConfigurationError, IntegrityError
from ngc_workbench.genomes.individuals import ID_PATTERN
from ngc_workbench.pseudonyms import find_cpr

SHARED = ("rows", "entries", "index", "globals", "references")
MATRIX = "genotypes.mt"
_README = "A Hail MatrixTable: hl.read_matrix_table, or ngc.load. See README.md in the folder above.\n"
_WORDS = re.compile(rb"[\w.+-]+")
_SHORTEST_NAME = 4
"""Sample names shorter than this, or of digits alone, are not searched for: any number in a table would be one."""


def _is_note(name: str) -> bool:
    """Hail's note of its version and the time of writing, and that note's checksum."""
    return name in ("README.txt", ".README.txt.crc")


def assemble(mother: Path, view: Path, metadata: dict[str, Any]) -> None:
    """Makes `view`/genotypes.mt from the mother's shared parts and the columns in `view`/columns.mt, which goes.

    Raises ConfigurationError when views and custody are on different file systems.
    """
    matrix = view / MATRIX
    matrix.mkdir()
    for part in SHARED:
        if (mother / part).is_dir():
            _link_tree(mother / part, matrix / part)
    columns = view / "columns.mt"
    (columns / "cols").rename(matrix / "cols")
    shutil.rmtree(columns)
    for note in [path for path in (matrix / "cols").rglob("*") if _is_note(path.name)]:
        note.unlink()
    # Without the mother's checksum file: Hail compares it and would refuse the new content.
    (matrix / "metadata.json.gz").write_bytes(
        gzip.compress(json.dumps(metadata, separators=(",", ":")).encode(), mtime=0)
    )
    (matrix / "README.txt").write_text(_README, encoding="utf-8")
    (matrix / "_SUCCESS").touch()


def _link_tree(source: Path, target: Path) -> None:
    for root, _, names in os.walk(source):
        folder = target / Path(root).relative_to(source)
        folder.mkdir()
        for name in names:
            if _is_note(name):
                continue
            try:
                os.link(Path(root, name), folder / name)
            except OSError as error:
                if error.errno == errno.EXDEV:
                    raise ConfigurationError(
                        "Views and the custodian zone are on different file systems, so they can't share files.",
                        "Keep all of state_dir on one file system.",
                    ) from error
                raise


def verify_shared(mother: Path, view: Path) -> None:
    """Proves that each shared file of the view is the mother's very file, and that none is missing or added.

    Raises IntegrityError.
    """
    for part in SHARED:
        ours, theirs = _identities(view / MATRIX / part), _identities(mother / part)
        if ours != theirs:
            raise IntegrityError(
                "A shared part of the view is not its mother's.", "Nothing was published; build it again."
            )


def _identities(folder: Path) -> dict[str, tuple[int, int]]:
    """Device and inode of each file, by relative path."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_dev, path.stat().st_ino)
        for path in folder.rglob("*")
        if path.is_file() and not _is_note(path.name)
    }


def own_files(view: Path) -> list[Path]:
    """The files that the view does not share with its mother, sorted."""
    shared = {view / MATRIX / part for part in SHARED}
    return sorted(path for path in view.rglob("*") if path.is_file() and not shared & set(path.parents))


def shared_files(view: Path) -> list[Path]:
    """The files that the view shares with its mother, sorted."""
    own = set(own_files(view))
    return sorted(path for path in view.rglob("*") if path.is_file() and path not in own)


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
    searched = [*own_files(view), *(path for path in shared_files(view) if path.name == "metadata.json.gz")]
    for path in searched:
        content = path.read_bytes()
        if path.name.endswith(".gz"):
            content = gzip.decompress(content)
        found += [f"{path.relative_to(view)}: {what}" for what in things(content, forbidden, _kind(path))]
    for path in view.rglob("*"):
        found += [f"the name of a file: {what}" for what in things(path.name.encode(), forbidden, "data")]
    return found


def _kind(path: Path) -> str:
    """`prose` (a table or a text: a host name may be an ordinary word there), `data` (JSON), or `packed` (Hail's parts)."""
    if path.suffix in (".tsv", ".md", ".txt"):
        return "prose"
    return "data" if path.suffix == ".gz" else "packed"


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


def describe(
    *,
    dataset: str,
    release: str,
    project: str,
    people: int,
    variants: int,
    genome: str,
    fields: Sequence[str],
    columns: Sequence[str],
) -> str:
    """The README.md of a view, in English and Danish."""
    named = ", ".join(f"`{column}`" for column in columns)
    return f"""# {dataset}, release {release}

What project *{project}* may see of this release: {people} people, {variants} variants, positions on {genome}.

- `genotypes.mt`: a Hail MatrixTable. Open it with `ngc.load("{dataset}")`, or `hl.read_matrix_table`. Columns are people
  (`s`, their pseudonym; `pheno`, their phenotypes), rows are variants (`locus`, `alleles`), entries hold {", ".join(fields)}.
  Variants with several alternative alleles stand in one row: `hl.split_multi_hts` parts them.
- `phenotypes.tsv`: the phenotypes as a table, `id` first{f" ({named})" if named else ""}; `NA` is missing.

The pseudonyms are this project's own: the same person has another one in every other project. They can be typed in
either case; the last character tells a mistyped one. The folder is read-only. People may withdraw: a later view can
hold fewer. Nothing here may leave the workbench except as a reviewed export.

# {dataset}, udgave {release}

Det, som projektet *{project}* må se af denne udgave: {people} personer, {variants} varianter, positioner på {genome}.

- `genotypes.mt`: en MatrixTable til Hail. Åbn den med `ngc.load("{dataset}")` eller `hl.read_matrix_table`. Kolonner er
  personer (`s`, deres pseudonym; `pheno`, deres fænotyper), rækker er varianter (`locus`, `alleles`), og felterne er
  {", ".join(fields)}. Varianter med flere alternative alleler står i én række: `hl.split_multi_hts` deler dem.
- `phenotypes.tsv`: fænotyperne som tabel med `id` først{f" ({named})" if named else ""}; `NA` betyder, at værdien mangler.

Pseudonymerne er projektets egne: samme person har et andet pseudonym i hvert andet projekt. De kan skrives med store
eller små bogstaver, og det sidste tegn afslører en tastefejl. Mappen kan kun læses. Personer kan trække deres samtykke
tilbage, så en senere udgave kan rumme færre. Intet herfra må forlade arbejdsbænken uden en godkendt udførsel.
"""
