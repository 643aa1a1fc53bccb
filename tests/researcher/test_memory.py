"""How much memory Hail gets."""

from __future__ import annotations

import pytest

from ngc_workbench.researcher import memory
from ngc_workbench.researcher.errors import NgcError

MIB = 1024 * 1024


@pytest.fixture
def machine(tmp_path):
    """A machine with 8 GiB available and no control groups."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal: 16777216 kB\nMemAvailable:    8388608 kB\n")
    return tmp_path


def groups(root, names, limit, used, cached, field):
    folder = root / "sys/fs/cgroup" / names[0]
    folder.mkdir(parents=True)
    (folder / names[1]).write_text(limit)
    (folder / names[2]).write_text(f"{used * MIB}")
    (folder / "memory.stat").write_text(f"anon 1\n{field} {cached * MIB}\n")


def test_without_a_limit_the_machine_counts(machine):
    """What the machine has available is free."""
    assert memory.free(machine) == 8192


def test_the_newer_control_groups_count(machine):
    """Free is the limit less what is used; cached files don't count as used."""
    groups(machine, ("", "memory.max", "memory.current"), f"{6144 * MIB}", 3000, 1000, "inactive_file")
    assert memory.free(machine) == 4144


def test_the_older_control_groups_count(machine):
    """The first form of control groups gives the same."""
    names = ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes")
    groups(machine, names, f"{6144 * MIB}", 3000, 1000, "total_inactive_file")
    assert memory.free(machine) == 4144


def test_no_limit_is_no_number(machine):
    """A session without a limit has `max` there."""
    groups(machine, ("", "memory.max", "memory.current"), "max", 3000, 0, "inactive_file")
    assert memory.free(machine) == 8192


@pytest.mark.parametrize(
    ("asked", "free", "given"),
    [
        ("--driver-memory 3g pyspark-shell", 6000, 3072),
        ("--driver-memory 3g pyspark-shell", 3000, 3000 - memory.BESIDE),
        ("--driver-memory 1500m pyspark-shell", 6000, 1500),
        ("", 6000, memory.WANTED),
        ("--driver-memory 512m pyspark-shell", 1300, 512),
    ],
)
def test_hail_gets_what_is_asked_for_or_what_fits(asked, free, given):
    """The image's wish, less where less is free."""
    assert memory.heap(asked, free) == given


def test_too_little_memory_is_said_at_once():
    """Below the least, nothing is started, and the reader learns how to make room."""
    with pytest.raises(NgcError, match="Shut down other notebooks"):
        memory.heap("--driver-memory 3g pyspark-shell", 1500)


def test_other_arguments_are_kept():
    """What else the image gives Java stays."""
    before = "--conf a=b --driver-memory 3g pyspark-shell"
    assert memory.submit_args(before, 2000) == "--driver-memory 2000m --conf a=b pyspark-shell"
