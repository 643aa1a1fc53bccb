"""The copy of the front end beside the image that it was taken from."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from ngc_workbench.gateway import frontend, frontend_page
from ngc_workbench.gateway.routes import Route
from ngc_workbench.settings import ROOT, Settings
from tests.gateway.test_frontend_page import Read

pytestmark = pytest.mark.docker

OURS = ROOT / "images" / "researcher" / "frontend"
# The container puts the browser's own token into its page; ours holds none. (It also counts in `store_id` how often it served the page,
# from 0 on, as here. JupyterLab does not read it, and ours stays at 0.)
DIFFERS = {"token"}


@pytest.fixture
def built(settings: Settings) -> Settings:
    """Settings with the image and the copy that `make setup` left."""
    return settings.model_copy(update={"session_image": "", "frontend_dir": None})


def test_our_page_holds_what_the_containers_holds(built: Settings) -> None:
    """Configuration, scripts, icons and body are those of the server in the image, but for a token."""
    done = subprocess.run(
        ["docker", "run", "--rm", "-i", "--network", "none", "--read-only", "--tmpfs", "/tmp:mode=1777",
         "--tmpfs", "/home/researcher:uid=10001,gid=10001,mode=0700", "--entrypoint", "/opt/workbench/bin/python",
         built.researcher_image, "-", "--page", "alma", "heart-12", built.public_url],
        input=(OURS / "collect.py").read_bytes(), capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    theirs = Read(done.stdout.decode())
    route = Route("s", "alma", "heart-12", "/user/alma/heart-12/", "10.0.0.2", 8888, built.subdomain_url("alma"))
    front = frontend.load(built)
    ours = Read(frontend_page.page(front, route, built, "lab").decode())
    # The container's page has one more script in it, which the page's policy never let run.
    container = json.loads(theirs.text["script"].partition("/* Remove token")[0])
    assert set(ours.config) == set(container)
    assert {key for key in container if ours.config[key] != container[key]} == DIFFERS
    assert ours.config["token"] == ""
    mine = [script["src"] for script in ours.all("script") if "src" in script]
    assert mine == [
        "/user/alma/heart-12/-/guard.js",
        *(script["src"] for script in theirs.all("script") if "src" in script),
    ]
    assert [link["href"] for link in ours.all("link")] == [link["href"] for link in theirs.all("link")]
    assert ours.all("body") == theirs.all("body")
    assert "ngc-bokeh" in [one["name"] for one in ours.config["federated_extensions"]]


def copy(image: str, folder: Path) -> float:
    """Runs the set-up's step into a folder; seconds that it took."""
    began = time.monotonic()
    subprocess.run(
        [OURS / "copy.sh", image], env={**os.environ, "NGC_FRONTEND_DIR": str(folder)}, check=True, timeout=180
    )
    return time.monotonic() - began


def test_the_set_up_makes_mends_and_clears_copies(built: Settings, tmp_path: Path) -> None:
    """A copy is made once, mended when a byte of it differs, and leftovers of other images and of a crash are removed."""
    image = built.researcher_image
    mine = built.model_copy(update={"frontend_dir": tmp_path})
    for leftover in ("0123456789ab", ".new.Xa1b2c"):
        (tmp_path / leftover / "files").mkdir(parents=True)
    copy(image, tmp_path)
    front = frontend.load(mine)
    assert len(front.files) > 250
    folder = tmp_path / image.removeprefix("sha256:")[:12]
    assert {entry.name for entry in tmp_path.iterdir()} == {folder.name, ".lock"}

    made = folder.stat().st_ctime_ns
    copy(image, tmp_path)
    assert folder.stat().st_ctime_ns == made

    (folder / "files/favicon.ico").write_bytes(b"another")
    copy(image, tmp_path)
    assert frontend.load(mine).files == front.files
