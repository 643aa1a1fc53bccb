"""How much memory this session still has, and how much of it Hail may take.

Hail runs in Java, beside the notebook's own Python. When both together pass the session's limit, the kernel
ends the Java process and the notebook sees only a broken connection. So what is free is looked at first, and
Java gets less where less is left.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from .errors import NgcError

MIB = 1024 * 1024
WANTED = 3072
"""Memory in MiB that Hail gets when the session's image says nothing else."""
LEAST = 1024
"""MiB below which Hail can't do useful work."""
BESIDE = 640
"""MiB that stay for Python, and for what Java needs outside its heap."""

_HEAP = re.compile(r"--driver-memory[ =](\d+)([gGmM])")


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _stat(file: Path, name: str) -> int:
    try:
        text = file.read_text(encoding="ascii")
    except OSError:
        return 0
    found = re.search(rf"^{name} (\d+)$", text, re.MULTILINE)
    return int(found[1]) if found else 0


def free(root: Path = Path("/")) -> int:
    """Memory that can still be taken, in MiB: below the session's limit, and on the machine.

    Works with both forms of control groups; cached files count as free.
    """
    available = _stat_kib(root / "proc/meminfo")
    groups = root / "sys/fs/cgroup"
    for limit, used, stat, cached in (
        (groups / "memory.max", groups / "memory.current", groups / "memory.stat", "inactive_file"),
        (
            groups / "memory/memory.limit_in_bytes",
            groups / "memory/memory.usage_in_bytes",
            groups / "memory/memory.stat",
            "total_inactive_file",
        ),
    ):
        most, taken = _number(limit), _number(used)
        if most is not None and taken is not None:
            available = min(available, most - max(taken - _stat(stat, cached), 0))
    return available // MIB


def _stat_kib(meminfo: Path) -> int:
    text = meminfo.read_text(encoding="ascii")
    found = re.search(r"^MemAvailable:\s+(\d+) kB$", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def heap(submit_args: str, free_mib: int) -> int:
    """Memory in MiB for Hail's Java process, when `free_mib` are free and the image asks for `submit_args`.

    Raises NgcError when too little is left for Hail at all.
    """
    asked = _HEAP.search(submit_args)
    wanted = int(asked[1]) * (1024 if asked[2] in "gG" else 1) if asked else WANTED
    fitting = min(wanted, free_mib - BESIDE)
    if fitting < min(LEAST, wanted):
        raise NgcError(
            f"Only {free_mib / 1024:.1f} GiB of this session's memory is free; Hail needs {(LEAST + BESIDE) / 1024:.1f}.",
            "Shut down other notebooks (menu Kernel, Shut Down All Kernels) and start again, "
            "or ask your support centre for a larger session.",
        )
    return fitting


def submit_args(before: str, mib: int) -> str:
    """`PYSPARK_SUBMIT_ARGS` that gives Java `mib` of memory and keeps what else `before` asks for."""
    rest = _HEAP.sub("", before).replace("pyspark-shell", "").split()
    return " ".join([f"--driver-memory {mib}m", *rest, "pyspark-shell"])


def prepare() -> int:
    """Sets the environment for the Java process to come; gives its memory in MiB. Raises NgcError as `heap`."""
    before = os.environ.get("PYSPARK_SUBMIT_ARGS", "")
    mib = heap(before, free())
    os.environ["PYSPARK_SUBMIT_ARGS"] = submit_args(before, mib)
    return mib
