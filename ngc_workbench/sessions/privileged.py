"""The one place from which a command is run with root's rights: nft, ip, nsenter, unshare."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from ngc_workbench.errors import Unavailable

# Where the system's programs are; an ordinary account's path often lacks the last two.
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def privileged(
    command: Sequence[str], *, stdin: str = "", check: bool = True, timeout_s: float = 20
) -> subprocess.CompletedProcess[str]:
    """Runs `command` as root: directly when this process is root's, else by `sudo -n` (which never asks).

    Output and errors are captured as text. Raises Unavailable when the program is missing, when sudo wants a password, when it
    takes longer than `timeout_s` seconds, and, with `check`, when it ends with another exit code than 0.
    """
    argv = list(command) if os.geteuid() == 0 else ["sudo", "-n", "--", *command]
    try:
        done = subprocess.run(
            argv, input=stdin, capture_output=True, text=True, check=False, timeout=timeout_s,
            env={"PATH": _PATH, "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
    except FileNotFoundError as error:
        raise Unavailable(
            f"The program {argv[0]} is not on this machine.", "Run `make setup`; without root, sudo is needed."
        ) from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(
            f"{command[0]} did not end within {timeout_s:.0f} seconds.", "Check the load of this machine, then repeat."
        ) from error
    if done.returncode != 0 and os.geteuid() != 0 and "password is required" in done.stderr:
        raise Unavailable(f"{command[0]} needs root.", "Run as root, or allow this account sudo without a password.")
    if check and done.returncode != 0:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise Unavailable(f"{command[0]} failed: {said[0][:200]}.", "docs/isolation.md says what it is for.")
    return done
