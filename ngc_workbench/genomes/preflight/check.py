"""The check of all files, side by side in processes."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

from ngc_workbench.errors import InputError, Unavailable
from ngc_workbench.genomes.preflight.files import FileChecked, Opened, digest, jobs, merge, open_file
from ngc_workbench.genomes.preflight.kinds import need_known
from ngc_workbench.genomes.preflight.part import Job, Part, check_part, failed
from ngc_workbench.genomes.preflight.together import Checked, put_together

Progress = Callable[[str], None]

_ALONE = 32 << 20
"""Bytes up to which starting processes takes longer than the check."""

_ENOUGH = 1 << 20
"""Bytes from which a rate says something."""

_read_by_all: Synchronized[int] | None = None


def check_files(
    paths: Sequence[Path],
    *,
    accept: Collection[str] = (),
    progress: Progress,
    processes: int | None = None,
    beside: int = 0,
    part: int | None = None,
) -> Checked:
    """Reads and checks all files: every defect is a finding (`Checked.or_refuse` raises when there is one).

    `accept` are names from ACCEPTABLE; `processes` is how many read side by side (default: one a core, but for `beside` cores that others need meanwhile); `part` is the size
    in bytes of the parts of large files. Raises InputError: no files, or an unknown option; Unavailable: a process was
    ended from outside.
    """
    options = need_known(accept)
    if not paths:
        raise InputError("There are no files to check.", "Give one VCF or more.")
    opened = [open_file(path) for path in paths]
    work = [jobs(one, options, part) for one in opened]
    meter = _Meter(sum(one.size for one, some in zip(opened, work, strict=True) if some), len(paths), progress)
    count = processes or max(1, (os.cpu_count() or 1) - beside)
    units: list[tuple[int, Job | Path]] = []
    for at, some in enumerate(work):
        units += [(at, job) for job in some]
        if some:
            units.append((at, opened[at].path))
    if count == 1 or len(units) < 2 or (processes is None and meter.total <= _ALONE):
        done = [_unit(unit, meter.add) for _, unit in units]
    else:
        done = _side_by_side([unit for _, unit in units], min(count, len(units)), meter)
    return put_together([_merged(at, one, units, done, options) for at, one in enumerate(opened)])


def _merged(
    at: int, opened: Opened, units: list[tuple[int, Job | Path]], done: list[Part | str | None], options: frozenset[str]
) -> FileChecked:
    mine = [result for (owner, _), result in zip(units, done, strict=True) if owner == at]
    if any(result is None for result in mine):
        gone = failed("unreadable", "it can't be read: an error of the disk, or it was moved during the check")
        return FileChecked(tuple(gone.finish(opened.path.name, options, gvcf=False)), None)
    sha256 = next((result for result in mine if isinstance(result, str)), "")
    try:
        return merge(opened, [result for result in mine if isinstance(result, Part)], sha256, options)
    except OSError:
        gone = failed("unreadable", "it can't be read: an error of the disk, or it was moved during the check")
        return FileChecked(tuple(gone.finish(opened.path.name, options, gvcf=False)), None)


def _unit(unit: Job | Path, seen: Callable[[int], object]) -> Part | str | None:
    """A part's findings, or a file's digest; None when the file can't be read any more."""
    try:
        return digest(unit) if isinstance(unit, Path) else check_part(unit, seen)
    except OSError:
        return None


def _start(counter: Synchronized[int]) -> None:
    global _read_by_all  # noqa: PLW0603  (a process of the pool has this one counter)
    _read_by_all = counter


def _count(read: int) -> None:
    if _read_by_all is not None:
        with _read_by_all.get_lock():
            _read_by_all.value += read


def _in_process(unit: Job | Path) -> Part | str | None:
    return _unit(unit, _count)


def _side_by_side(units: list[Job | Path], processes: int, meter: _Meter) -> list[Part | str | None]:
    context = multiprocessing.get_context("spawn")
    counter: Any = context.Value("q", 0)
    try:
        with ProcessPoolExecutor(processes, context, _start, (counter,)) as pool:
            tasks: list[Future[Part | str | None]] = [pool.submit(_in_process, unit) for unit in units]
            waiting = set(tasks)
            try:
                while waiting:
                    _, waiting = wait(waiting, timeout=0.2)
                    meter.at(counter.value)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
            return [task.result() for task in tasks]
    except BrokenProcessPool as error:
        raise Unavailable(
            "A process of the check was ended from outside, perhaps because memory was short.",
            "Free memory, or give fewer processes, and start again.",
        ) from error


class _Meter:
    """Says every two seconds how far the reading of all files is, with rate and time left."""

    def __init__(self, total: int, files: int, progress: Progress) -> None:
        self.total = max(total, 1)
        self._files = files
        self._progress = progress
        self._told = time.monotonic()
        self._began: tuple[float, int] | None = None  # when the first bytes were there, and how many
        self._done = 0

    def add(self, count: int) -> None:
        """Counts raw bytes read."""
        self.at(self._done + count)

    def at(self, done: int) -> None:
        """Says how far it is, when it is time."""
        self._done = done
        now = time.monotonic()
        if done and self._began is None:
            self._began = now, done
        if now - self._told < 2:
            return
        self._told = now
        if self._began is None:
            self._progress("Checking: processes start")
            return
        files = "the file" if self._files == 1 else f"{self._files} files"
        self._progress(f"Checking {files}: {min(done * 100 // self.total, 100)} %{self._rate(now, done)}")

    def _rate(self, now: float, done: int) -> str:
        """Rate and time left, once there is a rate: not of the first bytes alone, nor of the processes' start."""
        since, first = self._began or (now, done)
        if done - first < _ENOUGH or now <= since:
            return ""
        rate = (done - first) / (now - since)
        return f", {rate / 1e6:.1f} MB/s, about {max(self.total - done, 0) / rate:.0f} s left"
