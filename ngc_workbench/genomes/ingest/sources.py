"""What an ingest reads: which files, what the check found in them, and how the container sees them."""

from __future__ import annotations

import glob
import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ngc_workbench.errors import InputError
from ngc_workbench.genomes.bgzf import is_gzip
from ngc_workbench.genomes.preflight import KEPT_FIELDS, VcfFile, write_kept
from ngc_workbench.genomes.worker import Mount

_SINGLE_MOUNTS = 64
"""Up to this many files are mounted one by one; more, and the folders that hold them are: a command has bounds."""


@dataclass(frozen=True)
class Sources:
    """All files of one ingest, as checked. `layout` is one, regions, samples or gvcf."""

    layout: str
    files: tuple[VcfFile, ...]

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
        return tuple(field for field in KEPT_FIELDS if all(field in file.entry_fields for file in self.files))

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
        files = [asdict(file) | {"path": str(file.path)} for file in self.files]
        return {"layout": self.layout, "files": files}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Sources:
        """From a checkpoint."""
        files = tuple(
            VcfFile(
                **{
                    **file,
                    "path": Path(file["path"]),
                    "samples": tuple(file["samples"]),
                    "entry_fields": tuple(file["entry_fields"]),
                }
            )
            for file in content["files"]
        )
        return cls(content["layout"], files)


def expand(files: Sequence[Path]) -> list[Path]:
    """The files, globs expanded and sorted, in the order given. Raises InputError for one that matches nothing."""
    found: list[Path] = []
    for file in files:
        if file.exists() or not glob.has_magic(str(file)):
            found.append(file)
            continue
        matches = sorted(Path(match) for match in glob.glob(str(file), recursive=True))  # noqa: PTH207  (absolute too)
        if not matches:
            raise InputError(
                f"No file matches {file.name}.", "Check the pattern; quote it, so that the shell leaves it."
            )
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
    """How the container sees the files: /in/<number>.vcf or .vcf.gz, or a copy below /job/in.

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

    def rewrite(self, at: int, file: VcfFile, accept: Collection[str], progress: Callable[[str], None]) -> None:
        """Writes file number `at` again, as BGZF with the records to be kept."""
        progress("Writing a file again with the records to be kept")
        self._names[at] = f"{at}.vcf.gz"
        copy = self._copy(at)
        write_kept(file, copy, accept=accept)
        copy.chmod(0o400)
        self._copied.add(at)

    @property
    def paths(self) -> list[str]:
        """Each file's place in the container, in order."""
        return [f"/job/in/{name}" if at in self._copied else f"/in/{name}" for at, name in enumerate(self._names)]


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
