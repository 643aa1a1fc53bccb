"""The support officer's page."""

from __future__ import annotations

import sys
import threading
from typing import Any

import pytest

from ngc_workbench import genomes
from ngc_workbench.errors import Unavailable
from ngc_workbench.model import Project
from tests.portal.conftest import Office

FORM = {
    "name": "kidney", "title": "Kidneys", "purpose": "kidneys", "ethics_approval": "H-2026-9", "members": ["alma", "carl"], "lead": "carl",
    "releases": ["kgp/2026-1"], "valid_until": "2099-12-31",
    "accept_conditions": "judged by the steering group",
}  # fmt: skip


def test_a_project_is_provisioned_and_its_view_built(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """One form makes members, approval and folders; the view is built in the background in the officer's name."""
    asked: list[dict[str, Any]] = []
    built = threading.Event()

    def build(*_args: object, **fields: Any) -> None:
        asked.append(fields)
        built.set()

    monkeypatch.setattr(genomes, "build_view", build)
    monkeypatch.setattr(sys.modules["ngc_workbench.projects.provision"], "make_folders", lambda *_args: None)
    answer = office.post_json("sofie", "support/projects", FORM)
    assert answer.status_code == 201, answer.text
    assert built.wait(5)
    assert {key: asked[0][key] for key in ("project", "dataset", "release", "actor")} == {
        "project": "kidney",
        "dataset": "kgp",
        "release": "2026-1",
        "actor": "sofie",
    }
    found = {item["name"]: item for item in office.get_json("sofie", "support").json()["projects"]}
    assert found["kidney"]["members"] == ["alma", "carl"]
    assert found["kidney"]["ready"] is False
    assert "Build the view" in office.get("sofie", "support").text
    assert len(office.events("project.provisioned")) == 1


def test_a_view_that_was_not_built_is_offered_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page says what went wrong; pressing the button builds what is missing."""
    called = threading.Event()

    def broken(*_args: object, **_fields: object) -> None:
        called.set()
        raise Unavailable("Docker does not answer.", "Start it.")

    monkeypatch.setattr(genomes, "build_view", broken)
    monkeypatch.setattr(sys.modules["ngc_workbench.projects.provision"], "make_folders", lambda *_args: None)
    office.post("sofie", "support/projects", FORM)
    assert called.wait(5)
    for _ in range(100):
        if "Docker does not answer." in (page := office.get("sofie", "support").text):
            break
    assert "Docker does not answer." in page
    called.clear()
    assert office.post("sofie", "support/projects/kidney/views").status_code == 303
    assert called.wait(5)


FAULTS: list[tuple[dict[str, Any], int]] = [
    ({"name": "heart"}, 409),
    ({"name": "../evil"}, 422),
    ({"name": ""}, 422),
    ({"title": " "}, 422),
    ({"members": ["oda"], "lead": "oda"}, 422),
    ({"members": ["nobody"], "lead": "nobody"}, 404),
    ({"lead": "bo"}, 422),
    ({"releases": ["kgp/none"]}, 404),
    ({"releases": []}, 422),
    ({"valid_until": "soon"}, 422),
    ({"valid_until": "2001-01-01"}, 422),
]


def test_a_form_that_can_not_be_makes_nothing(office: Office) -> None:
    """Each fault has its own answer, and no project is made."""
    for change, status in FAULTS:
        answer = office.post_json("sofie", "support/projects", {**FORM, **change})
        assert answer.status_code == status, (change, answer.text)
    assert {item["name"] for item in office.get_json("sofie", "support").json()["projects"]} == {"heart", "lungs"}
    with office.database.reading() as db:
        assert db.get(Project, "kidney") is None
