"""The loop: a request in, progress and a result out."""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from .faults import classify

if TYPE_CHECKING:
    from collections.abc import Iterator


def _own_stdout() -> IO[str]:
    """The protocol's stream; whatever else prints (Spark does) goes to standard error from now on."""
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return stream


@contextmanager
def _progress(tell: Any, words: str) -> Iterator[None]:
    """Tells every two seconds how many parts of Spark's current stages are done."""
    import hail as hl

    ended = threading.Event()

    def watch() -> None:
        tracker = hl.spark_context().statusTracker()
        while not ended.wait(2):
            stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
            done = sum(stage.numCompletedTasks for stage in stages if stage is not None)
            total = sum(stage.numTasks for stage in stages if stage is not None)
            tell({"progress": f"{words}: {done} of {total} parts" if total else words})

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
        from .verbs import VERBS, start

        tell({"result": {"hail": start()}})
        for line in sys.stdin:
            request = json.loads(line)
            words, verb = VERBS[request["verb"]]
            with _progress(tell, words):
                result = verb(**request["arguments"])
            tell({"result": result})
    except Exception as error:  # noqa: BLE001  (the one place where everything becomes a fixed text)
        traceback.print_exc()  # to the custodian's own log
        code, text = classify(error)
        tell({"error": {"code": code, "text": text}})
        sys.exit(1)


main()
