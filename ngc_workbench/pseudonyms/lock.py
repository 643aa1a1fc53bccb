"""Who works with the keys now: many readers, or one rotation.

A keyring knows under which version the rows are, from its making on; a rotation between two look-ups of one command
would leave rows under two versions, and an opt-out that is found under neither. So each keyring holds a shared lock as
long as it lives, and a rotation waits for all of them. The kernel drops a killed process's lock.
"""

from __future__ import annotations

import fcntl
import os
import time
import weakref
from pathlib import Path

from ngc_workbench.errors import Conflict

_PATIENCE_S = 30.0


class KeyLock:
    """A lock on the keys of a custodian zone, held until `release` or until nobody has this object.

    Raises Conflict when it is not had within `patience_s` seconds (default: 30).
    """

    def __init__(self, custody_dir: Path, *, exclusive: bool, patience_s: float | None = None) -> None:
        custody_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(custody_dir / ".keys.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._close = weakref.finalize(self, os.close, descriptor)
        until = time.monotonic() + (_PATIENCE_S if patience_s is None else patience_s)
        while True:
            try:
                fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    self.release()
                    raise Conflict(*_TEXTS[exclusive]) from None
                time.sleep(0.05)
            else:
                return

    def release(self) -> None:
        """Gives it back; a second time does nothing."""
        self._close()


_TEXTS = {
    True: ("A command that works with the keys is running.", "Wait until it ends, then run this again."),
    False: ("The master key is being rotated.", "Wait until that ends, then run the command again."),
}
