"""What an ingest reads: which files, what the check found in them, and how the container sees them."""

from __future__ import annotations

import glob
import gzip
import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ngc_workbench.errors import InputError
from ngc_workbench.genomes.bgzf import BgzfWriter, is_gzip
from ngc_workbench.genomes.worker import Mount

ENTRY_FIELDS = ("GT", "AD", "DP", "GQ")
"""Entry fields that a release may hold, in this order."""

_SINGLE_MOUNTS = 64
"""Up to this many files are mounted one by one; more, and the folders that hold them are: a command has bounds."""
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Source:
    """One sound file, as the check describes it. `contigs` are the kept records a contig (by the file's own names)."""

    samples: tuple[str, ...]
    kept: int
    genome: str
    genome_by: str
    recoding: dict[str, str]
    contigs: dict[str, int]
    entry_fields: tuple[str, ...]
    size: int
    sha256: str
    rewrite: bool


@dataclass(frozen=True)
class Sources:
    """All files of one ingest. `layout` is one, regions, samples or gvcf."""

    layout: str
    files: tuple[Source, ...]

    @property
    def samples(self) -> tuple[str, ...]:
        """Names in the order of the columns that will be stored."""
        if self.layout in ("one", "regions"):
            return self.files[0].samples
        return tuple(sample for file in self.files for sample in file.samples)

    @property
    def genome(self) -> str:
        """GRCh37 or GRCh38."""
        return self.files[0].genome

    @property
    def recoding(self) -> dict[str, str]:
        """Hail's contig_recoding for all files."""
        return {name: hail for file in self.files for name, hail in file.recoding.items()}

    @property
    def contigs(self) -> dict[str, int]:
        """Kept records by Hail's name of the contig, over all files."""
        counted: Counter[str] = Counter()
        for file in self.files:
            for name, count in file.contigs.items():
                counted[self.recoding.get(name, name)] += count
        return dict(counted)

    @property
    def entry_fields(self) -> tuple[str, ...]:
        """Those that every file declares."""
        return tuple(field for field in ENTRY_FIELDS if all(field in file.entry_fields for file in self.files))

    @property
    def kept(self) -> int:
        """Records that a release keeps, over all files."""
        return sum(file.kept for file in self.files)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    def to_json(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"layout": self.layout, "files": [asdict(file) for file in self.files]}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Sources:
        """From a checkpoint."""
        files = [
            Source(**{key: tuple(value) if isinstance(value, list) else value for key, value in file.items()})
            for file in content["files"]
        ]
        return cls(content["layout"], tuple(files))


def expand(files: Sequence[Path]) -> list[Path]:
    """The files, globs expanded and sorted, in the order given. Raises InputError for one that matches nothing."""
    found: list[Path] = []
    for file in files:
        if file.exists() or not glob.has_magic(str(file)):
            found.append(file)
            continue
        matches = sorted(Path(match) for match in glob.glob(str(file), recursive=True))  # noqa: PTH207  (absolute too)
        if not matches:
            raise InputError(f"No file matches {file.name}.", "Check the pattern; quote it, so that the shell leaves it.")
        found.extend(match for match in matches if match.is_file())
    if not found:
        raise InputError("No file was given.", "Name one or more VCF files.")
    places = [path.resolve() for path in found]
    if twice := [path.name for path, count in Counter(places).items() if count > 1]:
        raise InputError(f"{twice[0]} was given twice.", "Name each file once.")
    return found


def fingerprint(path: Path) -> list[Any]:
    """What tells at a glance whether a file is the one of an earlier run. Raises InputError when it can't be read."""
    try:
        found = path.stat()
    except OSError as error:
        raise InputError(
            f"{path.name} can't be read: {error.strerror}.", "Check the file's name and rights."
        ) from error
    return [hashlib.sha256(str(path.resolve()).encode()).hexdigest(), found.st_size, found.st_mtime_ns]


def digest(path: Path) -> str:
    """SHA-256 of a file. Raises InputError when it can't be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(
            f"{path.name} can't be read: {error.strerror}.", "Check the file's name and rights."
        ) from error


class Inside:
    """How the container sees the files: /in/<number>.vcf or .vcf.gz, or a copy below /work/in.

    `mounts` is what the container needs. A file that its user could not read is copied into `work` first: the container
    has no right to pass over a file's mode.
    """

    def __init__(self, paths: Sequence[Path], work: Path, progress: Callable[[str], None]) -> None:
        self._paths = [path.resolve() for path in paths]
        self._work = work
        self._names = [f"{number}.vcf.gz" if _gzip(path) else f"{number}.vcf" for number, path in enumerate(paths)]
        copied = {at for at, path in enumerate(self._paths) if not _readable(path)}
        for at in copied:
            progress("Copying a file into the custodian zone")
            copy = self._copy(at)
            shutil.copyfile(self._paths[at], copy)
            copy.chmod(0o400)
        self._copied = copied
        self.mounts = self._mounts([at for at in range(len(paths)) if at not in copied])

    def _copy(self, at: int) -> Path:
        folder = self._work / "in"
        folder.mkdir(exist_ok=True, mode=0o700)
        copy = folder / self._names[at]
        copy.unlink(missing_ok=True)
        return copy

    def _mounts(self, single: list[int]) -> list[Mount]:
        if len(single) <= _SINGLE_MOUNTS:
            return [Mount(self._paths[at], f"/in/{self._names[at]}") for at in single]
        folders = sorted({self._paths[at].parent for at in single})
        links = self._work / "links"
        shutil.rmtree(links, ignore_errors=True)
        links.mkdir(mode=0o700)
        for at in single:
            path = self._paths[at]
            (links / self._names[at]).symlink_to(f"/from/{folders.index(path.parent)}/{path.name}")
        return [Mount(links, "/in"), *(Mount(folder, f"/from/{number}") for number, folder in enumerate(folders))]

    def rewrite(self, at: int, progress: Callable[[str], None]) -> None:
        """Writes file number `at` again as clean BGZF: no CR, no empty lines, with an end marker."""
        progress("Writing a file again as clean BGZF")
        self._names[at] = f"{at}.vcf.gz"
        copy = self._copy(at)
        path = self._paths[at]
        opened = gzip.open(path, "rb") if _gzip(path) else path.open("rb")
        with opened as lines, BgzfWriter(copy) as out:
            for line in lines:
                if clean := line.rstrip(b"\r\n"):
                    out.write(clean + b"\n")
        copy.chmod(0o400)
        self._copied.add(at)

    @property
    def paths(self) -> list[str]:
        """Each file's place in the container, in order."""
        return [f"/work/in/{name}" if at in self._copied else f"/in/{name}" for at, name in enumerate(self._names)]


def _gzip(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return is_gzip(file.read(4))
    except OSError:
        return False  # the check says so, with the file's name


def _readable(path: Path) -> bool:
    try:
        mode = path.stat()
    except OSError:
        return True  # the check says so, with the file's name
    return bool(mode.st_mode & 0o004 or (mode.st_uid == os.geteuid() and mode.st_mode & 0o400))


def kinds(layout: str) -> str:
    """What a manifest calls the files of a layout."""
    return "gvcf" if layout == "gvcf" else "vcf"


def same(paths: Iterable[Path], sources: Sources) -> bool:
    """Whether the files have the content that the check saw."""
    return all(digest(path) == source.sha256 for path, source in zip(paths, sources.files, strict=True))
