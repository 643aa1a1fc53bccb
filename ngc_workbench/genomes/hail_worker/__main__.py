"""The loop: a request in, progress and a result out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from .faults import classify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


_KILLED = 137
"""What the host takes for a lack of memory."""
_JAVA_ENDED = 70


def _own_stdout() -> IO[str]:
    """The protocol's stream; whatever else prints (Spark does) goes to standard error from now on."""
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return stream


class _Meter:
    """Parts done of a stage, and from their rate the time left."""

    def __init__(self, words: str, records: int) -> None:
        self._words = words
        self._records = records
        self._total = 0
        self._since = 0.0
        self._began = time.monotonic()

    def text(self, done: int, total: int) -> str:
        """What to say when `done` of `total` parts are done."""
        now = time.monotonic()
        if total != self._total:  # another stage
            self._total, self._since = total, now
        if not total:
            # Hail compiles, or another program works: no parts to count.
            waited = int(now - self._began)
            return f"{self._words}, {waited} s so far" if waited else self._words
        said = f"{self._words}: {done} of {total} parts"
        seconds = now - self._since
        if not done or seconds <= 0:
            return said
        rate = f", {self._records * done / total / seconds:.0f} records/s" if self._records else ""
        return f"{said}{rate}, about {seconds * (total - done) / done:.0f} s left"


class _Watch(threading.Thread):
    """Ends the container when Java has ended: Hail would ask it again for ever.

    Of a container's processes the kernel kills the largest when memory is short, which is Java, and not the container.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__(daemon=True)
        self._process = process
        self.over = False

    def run(self) -> None:
        """Waits for the end of Java."""
        code = self._process.wait()
        if not self.over:
            print(f"Java ended with code {code}.", file=sys.stderr, flush=True)  # noqa: T201  (the custodian's log)
            os._exit(_KILLED if code == -signal.SIGKILL else _JAVA_ENDED)


class _Start(threading.Thread):
    """Starts Hail while the first request is read, and while its verb does what needs no Hail."""

    def __init__(self, start: Callable[[], str], java: Callable[[], subprocess.Popen[bytes]]) -> None:
        super().__init__(daemon=True)
        self._start = start
        self._java = java
        self.watch: _Watch | None = None
        self._version = ""
        self._error: BaseException | None = None
        self.ready = threading.Event()

    def run(self) -> None:
        """Starts it."""
        try:
            self._version = self._start()
            self.watch = _Watch(self._java())
            self.watch.start()
        except BaseException as error:  # noqa: BLE001  (raised where somebody waits)
            self._error = error
        self.ready.set()

    def wait(self) -> str:
        """Hail's version, once it runs. Raises what its start raised."""
        self.ready.wait()
        if self._error is not None:
            raise self._error
        return self._version


@contextmanager
def _progress(tell: Any, meter: _Meter, starting: _Start) -> Iterator[None]:
    """Tells what is done, then every two seconds how many parts of Spark's current stages are done."""
    import hail as hl

    tell({"progress": meter.text(0, 0)})
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(2):
            if not starting.ready.is_set():
                continue
            tracker = hl.spark_context().statusTracker()
            stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
            done = sum(stage.numCompletedTasks for stage in stages if stage is not None)
            total = sum(stage.numTasks for stage in stages if stage is not None)
            tell({"progress": meter.text(done, total)})

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(timeout=5)


def main() -> None:
    """Serves requests until standard input ends."""
    stream = _own_stdout()
    lock = threading.Lock()

    def tell(message: dict[str, Any]) -> None:
        with lock:
            stream.write(json.dumps(message) + "\n")
            stream.flush()

    try:
        from .verbs import EARLY, VERBS, java, start

        starting = _Start(start, java)
        starting.start()
        for line in sys.stdin:
            request = json.loads(line)
            if request["verb"] == "start":
                tell({"result": {"hail": starting.wait()}})
                continue
            words, verb = VERBS[request["verb"]]
            arguments = request["arguments"]
            if request["verb"] in EARLY:
                arguments["hail_ready"] = starting.wait
            else:
                starting.wait()
            with _progress(tell, _Meter(words, request.get("records", 0)), starting):
                result = verb(**arguments)
            tell({"result": result})
        if starting.watch is not None:
            starting.watch.over = True
    except Exception as error:  # noqa: BLE001  (the one place where everything becomes a fixed text)
        traceback.print_exc()  # to the custodian's own log
        code, text = classify(error)
        tell({"error": {"code": code, "text": text}})
        sys.exit(1)


main()
