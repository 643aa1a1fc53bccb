"""Work that a page doesn't wait for: the checks of a request, the views of a project. One thread, in order.

Everything it does can be done again: requests left in checking go on at the next start (`airlock.resume`), and a
view that was not built is offered on the support page.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

from ngc_workbench import airlock
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.errors import WorkbenchError
from ngc_workbench.settings import Settings

_log = logging.getLogger(__name__)
_IDLE_S = 20.0


class Worker:
    """The thread, and its queue. `failures` holds the last error of each named job, for the page that offers it again."""

    def __init__(self, settings: Settings, database: Database, log: AuditLog) -> None:
        self._settings, self._database, self._log = settings, database, log
        self._jobs: queue.Queue[tuple[str, Callable[[], object]] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="portal-worker", daemon=True)
        self._names: set[str] = set()
        self.failures: dict[str, str] = {}

    def start(self) -> None:
        """Begins, with what an earlier run left behind."""
        self.add("airlock.resume", lambda: airlock.resume(self._database, self._log, self._settings))
        self._thread.start()

    def stop(self) -> None:
        """Ends after the job at hand."""
        self._jobs.put(None)
        self._thread.join(timeout=10)

    def busy(self, name: str) -> bool:
        """Whether a job of that name waits or runs."""
        return name in self._names

    def add(self, name: str, job: Callable[[], object]) -> None:
        """Queues a job, unless one of that name is queued."""
        if name not in self._names:
            self._names.add(name)
            self.failures.pop(name, None)
            self._jobs.put((name, job))

    def check(self, request_id: str) -> None:
        """Queues the checks of a request."""
        self.add(
            f"check {request_id}", lambda: airlock.run_checks(self._database, self._log, self._settings, request_id)
        )

    def _run(self) -> None:
        while True:
            try:
                job = self._jobs.get(timeout=_IDLE_S)
            except queue.Empty:
                self._sign()
                continue
            if job is None:
                return
            name, work = job
            try:
                work()
            except WorkbenchError as error:
                _log.warning("%s: %s", name, error)
                self.failures[name] = str(error)
            except Exception:  # noqa: BLE001 - one job's fault must not end the thread
                _log.exception("%s failed", name)
                self.failures[name] = "It failed; the portal's log says why."
            finally:
                self._names.discard(name)
            self._sign()

    def _sign(self) -> None:
        """The portal records events, so it sees to it that they get a signed head."""
        try:
            self._log.sign_head_if_stale(self._database)
        except WorkbenchError:
            _log.exception("no head was signed")
