"""What has to be put right in a notebook's kernel as soon as certain packages are imported there.

`import ngc` does it. The session's image has it done in each kernel, as an extension of IPython, so that it holds
for people too who use Hail without `ngc`.

1. Hail waits for its coroutines by running an event loop inside the kernel's running one (`nest_asyncio`). The
   kernel's loop holds the cells that wait to be run, so the inner loop picks them up. On "Run All" some cells
   were never executed, without a word (ipykernel 7), or the kernel died at the end with "pop from an empty deque"
   (ipykernel 6): both seen here. So Hail's coroutines get a loop in a thread of their own.
2. Bokeh would send scripts into the page: see `page`.

Nothing is imported for it: Hail and Bokeh take seconds, and many kernels need neither.
"""

from __future__ import annotations

import asyncio
import functools
import importlib.abc
import importlib.machinery
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence
from types import ModuleType
from typing import Any, TypeVar

from . import page

_T = TypeVar("_T")


class _After(importlib.abc.MetaPathFinder):
    """Calls `do(module)` once the module `name` has been imported; changes nothing else about its import."""

    def __init__(self, name: str, do: Callable[[ModuleType], None]) -> None:
        self.name = name
        self.do = do

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Asked by Python for each import; answers for one module, with Python's own answer."""
        if fullname != self.name:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return None
        sys.meta_path.remove(self)
        execute = spec.loader.exec_module

        def and_then(module: ModuleType) -> None:
            execute(module)
            self.do(module)

        spec.loader.exec_module = and_then  # type: ignore[method-assign]
        return spec


def when_imported(name: str, do: Callable[[ModuleType], None]) -> None:
    """Has `do(module)` called as soon as the module is imported: now, when it already is."""
    if name in sys.modules:
        do(sys.modules[name])
    else:
        sys.meta_path.insert(0, _After(name, do))


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    """An event loop that runs in a thread of its own as long as the process does."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="hail-event-loop", daemon=True).start()
    return loop


def wait_elsewhere(awaitable: Awaitable[_T]) -> _T:
    """Waits for the awaitable in a loop in another thread; gives its result. An interrupted kernel cancels it."""

    async def wait() -> _T:
        return await awaitable

    found = asyncio.run_coroutine_threadsafe(wait(), _loop())
    try:
        return found.result()
    except BaseException:
        found.cancel()
        raise


def _own_loop(utils: ModuleType) -> None:
    """Puts `wait_elsewhere` in the place of Hail's function, also where a module has imported it by its name."""
    nesting = utils.async_to_blocking
    for name, module in list(sys.modules.items()):
        if name.startswith(("hail.", "hailtop.")) and getattr(module, "async_to_blocking", None) is nesting:
            module.async_to_blocking = wait_elsewhere  # type: ignore[attr-defined]


@functools.cache
def prepare() -> None:
    """Puts both right in this process, once; nothing happens before Hail or Bokeh is imported."""
    when_imported("hailtop.utils.utils", _own_loop)
    when_imported("bokeh.io", page.install)


def load_ipython_extension(_shell: Any) -> None:
    """IPython calls this when a kernel starts, if its configuration names this module as an extension."""
    prepare()
