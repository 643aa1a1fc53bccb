"""Channel: more rights inside the container: capabilities, set-uid programs, mounts, tracing, devices, kernel settings."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.sites import Hostile

pytestmark = pytest.mark.docker


def test_no_rights_are_held_or_can_be_had(enter: Callable[..., Hostile]) -> None:
    """Unprivileged user, no capability in any set, no new privileges, a seccomp filter in force."""
    code = "print(json.dumps(dict(line.split(':', 1) for line in open('/proc/self/status').read().splitlines() if ':' in line)))"
    hostile = enter()
    status = {key: value.strip() for key, value in hostile.run(code).items()}
    uid = str(hostile.runtime.settings.session_uid)
    assert set(status["Uid"].split()) == {uid}
    assert set(status["Gid"].split()) == {uid}
    assert {int(status[key], 16) for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


def test_no_set_uid_program(enter: Callable[..., Hostile]) -> None:
    """The image has none to begin with."""
    code = """
import stat
found = [os.path.join(base, name) for base, dirs, names in os.walk('/usr') for name in names
         if os.lstat(os.path.join(base, name)).st_mode & (stat.S_ISUID | stat.S_ISGID)]
print(json.dumps(found))
"""
    assert enter().run(code) == []


CALLS = {
    "mount": "libc.mount(b'none', b'/tmp', b'tmpfs', 0, None)",
    "a namespace of users": "libc.unshare(0x10000000)",
    "a namespace of networks": "libc.unshare(0x40000000)",
    "chroot": "libc.chroot(b'/tmp')",
    "a device": "libc.mknod(b'/tmp/x', 0o060666, 0x0800)",
    "root": "libc.setuid(0)",
    "the keyring": "libc.syscall(248, b'user', b'x', b'y', 1, -3)",
    "a BPF program": "libc.syscall(321, 0, 0, 0)",
    "the host's name": "libc.sethostname(b'x', 1)",
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_the_kernel_refuses(enter: Callable[..., Hostile], call: str) -> None:
    """A call that would need more rights fails."""
    code = f"import ctypes; libc = ctypes.CDLL(None, use_errno=True); r = {call}; print(json.dumps([r, errno.errorcode.get(ctypes.get_errno())]))"
    assert enter().run(code) in ([-1, "EPERM"], [-1, "ENOSYS"], [-1, "EACCES"])


def test_no_host_devices_or_sockets(enter: Callable[..., Hostile]) -> None:
    """No disk, no memory device, no Docker socket."""
    code = "print(json.dumps([sorted(os.listdir('/dev')), os.path.exists('/var/run/docker.sock'), os.path.exists('/run/docker.sock')]))"
    devices, *sockets = enter().run(code)
    assert sockets == [False, False]
    assert set(devices) <= {
        "core",
        "fd",
        "full",
        "mqueue",
        "null",
        "ptmx",
        "pts",
        "random",
        "shm",
        "stderr",
        "stdin",
        "stdout",
        "tty",
        "urandom",
        "zero",
        "console",
    }


def test_limits_are_in_force(enter: Callable[..., Hostile]) -> None:
    """Processes stop at the limit; the machine's own stay unhurt."""
    hostile = enter()
    code = """
import threading
import time
made = 0
def nap():
    time.sleep(5)
try:
    for _ in range(5000):
        threading.Thread(target=nap, daemon=True).start()
        made += 1
except RuntimeError:
    pass
print(json.dumps(made), flush=True)
os._exit(0)
"""
    assert hostile.run(code) < hostile.runtime.settings.session_pids
