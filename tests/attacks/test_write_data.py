"""Channel: writing where only reading is allowed, as a way to pass data to another session or to spoil a release."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.sites import Hostile

pytestmark = pytest.mark.docker

WRITE = """
folder = '/data/cohort/r1'
print(json.dumps([
    attempt(lambda: open(folder + '/new', 'w')),
    attempt(lambda: open(folder + '/phenotypes.tsv', 'a')),
    attempt(lambda: os.remove(folder + '/phenotypes.tsv')),
    attempt(lambda: os.rename(folder + '/phenotypes.tsv', folder + '/x')),
    attempt(lambda: os.chmod(folder + '/phenotypes.tsv', 0o777)),
    attempt(lambda: os.link(folder + '/phenotypes.tsv', '/project/x')),
    attempt(lambda: os.utime(folder + '/phenotypes.tsv')),
]))
"""


def test_the_view_is_read_only(enter: Callable[..., Hostile]) -> None:
    """Create, append, delete, rename, change of mode and of time, hard link out: each is refused, and the file stays as it was."""
    hostile = enter()
    assert set(hostile.run(WRITE)) <= {"EROFS", "EXDEV"}
    view = hostile.begun.wanted.mounts[0].source
    assert [path.name for path in view.iterdir()] == ["phenotypes.tsv"]
    assert hostile.run("print(json.dumps(open('/data/cohort/r1/phenotypes.tsv').read()))") == "id\theight\n"


def test_the_system_is_read_only(enter: Callable[..., Hostile]) -> None:
    """Nothing outside of /project, home, /outbox and /tmp can be written, the image's programs and settings least of all."""
    code = """
paths = ['/etc/x', '/etc/jupyter/x', '/opt/workbench/bin/x', '/usr/bin/x', '/data/x', '/x', '/var/x', '/sys/x', '/proc/sys/kernel/core_pattern']
print(json.dumps({path: attempt(lambda: open(path, 'w')) for path in paths}))
"""
    assert set(enter().run(code).values()) <= {"EROFS", "EACCES", "EPERM", "ENOENT"}


def test_the_three_folders_can_be_written(enter: Callable[..., Hostile]) -> None:
    """A researcher can work."""
    code = "print(json.dumps([attempt(lambda: open(path + '/x', 'w')) for path in ('/project', '/home/researcher', '/outbox', '/tmp')]))"
    assert enter().run(code) == ["done"] * 4
