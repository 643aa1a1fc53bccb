"""The image of an attacker who replaced the notebook server, made from that of sessions."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from ngc_workbench.settings import ROOT

TAG = "ngc-attacker"


def front_end(image: str, folder: Path) -> Path:
    """A folder of front ends with one for the attacker's image: that of sessions, since the gateway takes none from a container."""
    made = json.loads((ROOT / "build" / "images.json").read_text(encoding="utf-8"))["researcher"]
    own, target = (one.removeprefix("sha256:")[:12] for one in (made["id"], image))
    shutil.copytree(ROOT / "build" / "frontend" / own, folder / target)
    manifest = folder / target / "manifest.json"
    manifest.chmod(0o600)
    manifest.write_text(manifest.read_text(encoding="utf-8").replace(made["id"], image), encoding="utf-8")
    return folder


def build() -> str:
    """Builds it; gives its id."""
    made = json.loads((ROOT / "build" / "images.json").read_text(encoding="utf-8"))["researcher"]
    folder = Path(__file__).with_name("hostile")
    # An id that stands alone is taken for a name in a registry: the tag is not.
    command = ["docker", "build", "-q", "--build-arg", f"IMAGE={made['tag']}", "-t", TAG, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the attacker's image can't be built: {done.stderr[-1500:]}")
    return done.stdout.strip()
