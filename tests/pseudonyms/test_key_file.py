"""Master keys in a file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from ngc_workbench.errors import ConfigurationError, Conflict
from ngc_workbench.pseudonyms import MasterKeys
from ngc_workbench.pseudonyms.keys import KEY_BYTES, new_key
from ngc_workbench.pseudonyms.providers import FileProvider, read_or_create

OLD = bytes(range(32))


def write(folder, content, mode=0o600):
    path = folder / "master.key"
    path.write_text(content)
    path.chmod(mode)
    return path


def test_the_one_line_of_the_first_form_is_version_1(tmp_path):
    """It goes on working, and is left as it is while nothing is added."""
    path = write(tmp_path, OLD.hex() + "\n")
    keys = FileProvider(tmp_path).read()
    assert (dict(keys.versions), keys.current, keys.made[1]) == ({1: OLD}, 1, None)
    assert path.read_text() == OLD.hex() + "\n"


def test_a_version_is_added_beside_the_old_ones(tmp_path):
    """The old form becomes the new one; what was there stays; nobody else may read it."""
    path = write(tmp_path, OLD.hex() + "\n")
    provider = FileProvider(tmp_path)
    keys = provider.read()
    for _ in range(2):
        keys = provider.add(new_key(), keys)
    assert keys.current == 3
    assert keys.versions[1] == OLD
    assert FileProvider(tmp_path).read() == keys
    assert keys.made[3] is not None
    assert path.stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob("*draft*"))


def test_a_version_is_added_over_what_was_read_alone(tmp_path):
    """Compare-and-set: over something else, or over nothing where there is something, is a conflict that changes nothing."""
    provider = FileProvider(tmp_path)
    first = provider.add(new_key(), None)
    second = provider.add(new_key(), first)
    for over in (None, first, MasterKeys.first(new_key())):
        with pytest.raises(Conflict):
            provider.add(new_key(), over)
    assert provider.read() == second


def test_of_many_writers_one_wins(tmp_path):
    """Eight at once over the same keys, each through a provider of its own: one version more."""
    first = FileProvider(tmp_path).add(new_key(), None)

    def attempt(_):
        try:
            return FileProvider(tmp_path).add(new_key(), first)
        except Conflict:
            return None

    with ThreadPoolExecutor(8) as pool:
        won = [keys for keys in pool.map(attempt, range(8)) if keys is not None]
    assert won == [FileProvider(tmp_path).read()]


def test_of_many_first_users_all_get_the_same_key(tmp_path):
    """The key is made once, whoever comes first."""
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: read_or_create(FileProvider(tmp_path / "new"), in_use=False), range(8)))
    assert all(keys == found[0] for keys in found)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_that_others_may_touch_stops_the_start(tmp_path, mode):
    """In either form."""
    for content in (OLD.hex(), json.dumps(MasterKeys.first(OLD).to_json())):
        write(tmp_path, content, mode)
        with pytest.raises(ConfigurationError, match="chmod 600"):
            FileProvider(tmp_path).read()


def form(**change):
    content = MasterKeys({1: OLD, 2: OLD[::-1]}, {1: None, 2: None}).to_json()
    keys = content["keys"]
    for name, value in change.items():
        keys[name.removeprefix("v")] = value
    return json.dumps({**content, "keys": {name: entry for name, entry in keys.items() if entry is not None}})


@pytest.mark.parametrize(
    "content",
    [
        "",
        "00",
        "not hex",
        "00" * 33,
        "{",
        "{}",
        '{"format": 2, "keys": {}}',
        '{"format": 1, "keys": {}}',
        '{"format": 1, "keys": []}',
        form(v1=None),
        form(v2=None, v3={"key": OLD[::-1].hex(), "made": None}),
        form(v2={"key": "00", "made": None}),
        form(v2={"key": OLD.hex(), "made": None}),
        form(v2={"key": "x" * 64, "made": None}),
        form(v2={"key": OLD[::-1].hex()}),
        form(v2={"key": OLD[::-1].hex(), "made": "yesterday"}),
        form(v02={"key": OLD[::-1].hex(), "made": None}),
        form(v0={"key": new_key().hex(), "made": None}),
        form(v3="x"),
    ],
)
def test_a_damaged_file_stops_the_start(tmp_path, content):
    """Neither form whole, or a version missing or twice: an error that says none of it, and the file stays for the expert."""
    path = write(tmp_path, content)
    with pytest.raises(ConfigurationError, match="damaged") as caught:
        FileProvider(tmp_path).read()
    with pytest.raises(ConfigurationError, match="damaged"):
        FileProvider(tmp_path).add(new_key(), MasterKeys.first(OLD))
    assert path.read_text() == content
    told = chain(caught.value)
    assert OLD.hex() not in told
    assert OLD[::-1].hex() not in told


def chain(error):
    """All that an error and those behind it hold, as a debugger would show it."""
    told = ""
    while error is not None:
        told += repr(error) + repr(error.args) + repr(vars(error))
        error = error.__cause__ or error.__context__
    return told


_KILLED = """
import os, signal, sys
from pathlib import Path
from ngc_workbench.pseudonyms.providers import FileProvider
from ngc_workbench.pseudonyms.keys import new_key
step, folder = sys.argv[1], Path(sys.argv[2])
def die(*_args, **_kwargs):
    os.kill(os.getpid(), signal.SIGKILL)
if step == "before":
    Path.replace = die
if step == "synced":
    real = os.fsync
    os.fsync = lambda handle: (real(handle), die())
if step == "after":
    real_replace = Path.replace
    Path.replace = lambda self, target: (real_replace(self, target), die())
provider = FileProvider(folder)
provider.add(new_key(), provider.read())
"""


@pytest.mark.parametrize(("step", "versions"), [("synced", 1), ("before", 1), ("after", 2)])
def test_a_kill_leaves_the_old_file_or_the_new_one(tmp_path, step, versions):
    """At any moment of adding; the next addition works, and takes away the draft that the killed one left."""
    write(tmp_path, OLD.hex())
    done = subprocess.run([sys.executable, "-c", _KILLED, step, str(tmp_path)], check=False, env=os.environ)
    assert done.returncode == -signal.SIGKILL
    provider = FileProvider(tmp_path)
    keys = provider.read()
    assert keys.current == versions
    assert keys.versions[1] == OLD
    assert provider.add(new_key(), keys).current == versions + 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [".master.key.lock", "master.key"]


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    """What can't be synced is not put in place."""
    path = write(tmp_path, OLD.hex())

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigurationError, match="No space left"):
        FileProvider(tmp_path).add(new_key(), MasterKeys({1: OLD}, {1: None}))
    assert path.read_text() == OLD.hex()
    assert not list(tmp_path.glob("*draft*"))


def test_keys_are_32_random_bytes():
    """No two alike."""
    assert {len(new_key()) for _ in range(100)} == {KEY_BYTES}
    assert len({new_key() for _ in range(100)}) == 100
