"""The gateway's copy of JupyterLab's front end: what is loaded, and what is refused."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ngc_workbench.errors import ConfigurationError
from ngc_workbench.gateway import frontend, service
from ngc_workbench.gateway.policy import Handling, find
from ngc_workbench.settings import Settings
from tests.gateway.conftest import IMAGE, OURS, write_copy


@pytest.fixture
def copy(settings: Settings) -> Path:
    """The folder of the copy that the settings name."""
    return settings.frontend_copies / ("ab" * 6)


def edit(copy: Path, **fields: object) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps({**manifest, **fields}))


def test_a_whole_copy_is_loaded_with_our_guard(settings: Settings) -> None:
    """Every file is there with type and hash, and beside them our own script."""
    front = frontend.load(settings)
    assert {name: file.body for name, file in front.files.items() if name != frontend.GUARD} == OURS
    assert all(file.digest == hashlib.sha256(file.body).hexdigest() for file in front.files.values())
    assert front.files["static/lab/main.efd3.js"].kind == "text/javascript; charset=utf-8"
    assert front.files["kernelspecs/python3/logo-64x64.png"].kind == "image/png"
    assert b"no enforcement" in front.files["-/guard.js"].body
    assert front.image == IMAGE


def test_every_file_has_a_row_that_serves_it(settings: Settings) -> None:
    """What is held is served as a file: no row sends one of these addresses to a container."""
    front = frontend.load(settings)
    assert {find(method, name).handling for name in front.files for method in ("GET", "HEAD")} == {Handling.STATIC}


def changed(copy: Path) -> None:
    (copy / "files/static/lab/main.efd3.js").write_bytes(b"/* our scripT */")


def missing(copy: Path) -> None:
    (copy / "files/favicon.ico").unlink()


def added(copy: Path) -> None:
    (copy / "files/static/lab/more.js").write_bytes(b"/* theirs */")


def page_changed(copy: Path) -> None:
    text = (copy / "page.json").read_text()
    (copy / "page.json").write_text(text.replace("main.efd3.js", "more.efd3.js"))


def linked(copy: Path) -> None:
    # The same content: it is the link that isn't followed.
    file = copy / "files/favicon.ico"
    file.rename(copy.parent / "elsewhere")
    file.symlink_to(copy.parent / "elsewhere")


def folder_linked(copy: Path) -> None:
    (copy / "files/static").rename(copy.parent / "elsewhere")
    (copy / "files/static").symlink_to(copy.parent / "elsewhere")


def all_linked(copy: Path) -> None:
    copy.rename(copy.parent / "elsewhere")
    copy.symlink_to(copy.parent / "elsewhere")


def pipe(copy: Path) -> None:
    os.mkfifo(copy / "files/static/lab/pipe.js")


def another_image(copy: Path) -> None:
    edit(copy, image="sha256:" + "ab" * 31 + "cd")


def another_form(copy: Path) -> None:
    edit(copy, format=2)


def no_manifest(copy: Path) -> None:
    (copy / "manifest.json").unlink()


def broken_manifest(copy: Path) -> None:
    (copy / "manifest.json").write_text('{"files": []}')


def nothing(copy: Path) -> None:
    copy.rename(copy.parent / "elsewhere")


@pytest.mark.parametrize(
    "harm",
    [changed, missing, added, page_changed, linked, folder_linked, all_linked, pipe, another_image, another_form, no_manifest,
     broken_manifest, nothing],
)  # fmt: skip
def test_a_copy_that_is_not_the_images_own_stops_the_start(
    copy: Path, settings: Settings, harm: Callable[[Path], None]
) -> None:
    """A byte, a file more or less, a link, another image: the gateway does not start, and says what to do."""
    frontend.load(settings)
    harm(copy)
    with pytest.raises(ConfigurationError, match="make setup"):
        frontend.load(settings)


async def test_the_gateway_opens_no_port_without_it(settings: Settings, database, log, copy: Path) -> None:
    """The copy is looked at before anything listens."""
    changed(copy)
    with pytest.raises(ConfigurationError):
        async with service.running(settings, database, log):
            pytest.fail("the gateway started")


def test_a_kind_of_file_that_is_not_served_stops_the_start(settings: Settings) -> None:
    """No type is guessed."""
    write_copy(settings.frontend_copies, {**OURS, "static/lab/page.html": b"<script>"})
    with pytest.raises(ConfigurationError, match="kind"):
        frontend.load(settings)


def test_a_copy_beyond_what_is_held_in_memory_stops_the_start(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is bounded whatever stands in the folder."""
    monkeypatch.setattr(frontend, "LIMIT", 100_000)
    with pytest.raises(ConfigurationError, match="larger"):
        frontend.load(settings)


def test_an_image_without_a_digest_has_no_copy(settings: Settings) -> None:
    """A tag can be moved to another image."""
    with pytest.raises(ConfigurationError, match="digest"):
        frontend.load(settings.model_copy(update={"session_image": "ngc-researcher:latest"}))


def test_a_reference_by_digest_is_understood(settings: Settings) -> None:
    """The manifest must name the image as the settings do."""
    with pytest.raises(ConfigurationError, match="another image"):
        frontend.load(settings.model_copy(update={"session_image": f"registry.example/x@{IMAGE}"}))
