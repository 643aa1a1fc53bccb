"""Putting packages right as they are imported."""

from __future__ import annotations

import asyncio
import sys
import threading

import pytest

from ngc_workbench.researcher import kernel


@pytest.fixture
def module(tmp_path, monkeypatch):
    """The name of a module that can be imported and wasn't yet."""
    (tmp_path / "imported_later.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "imported_later"
    sys.modules.pop("imported_later", None)


def test_what_is_imported_later_is_put_right_then(module):
    """It happens once, after the module's own code; other imports don't trigger it."""
    seen = []
    kernel.when_imported(module, lambda found: seen.append(found.value))
    import wave  # noqa: F401

    assert seen == []
    import imported_later

    assert seen == [imported_later.value]
    assert not [finder for finder in sys.meta_path if isinstance(finder, kernel._After)]


def test_what_is_imported_already_is_put_right_now(module):
    """Order of imports doesn't matter."""
    __import__(module)
    seen = []
    kernel.when_imported(module, lambda found: seen.append(found.value))
    assert seen == [1]


async def test_waiting_leaves_the_running_loop_alone():
    """Inside a running loop a coroutine is waited for in another thread, and nothing queued in this one runs."""
    ran = []
    asyncio.get_running_loop().call_soon(lambda: ran.append("queued"))

    async def work():
        await asyncio.sleep(0.01)
        return threading.current_thread().name

    assert kernel.wait_elsewhere(work()) == "hail-event-loop"
    assert ran == []
    await asyncio.sleep(0)
    assert ran == ["queued"]


def test_errors_come_through():
    """What the coroutine raises is raised here."""

    async def fail():
        raise KeyError("x")

    with pytest.raises(KeyError, match="x"):
        kernel.wait_elsewhere(fail())
