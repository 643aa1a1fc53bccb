"""A refresh with Hail in its container: views of three projects, killed on its way, finished, proved, and spoiled."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import stat
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy import update as sql_update

from ngc_workbench import genomes
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database, upgrade
from ngc_workbench.errors import IntegrityError, NotFound
from ngc_workbench.genomes import hail_files, optouts, proofs, store
from ngc_workbench.model import Approval, Dataset, Individual, Person, Project, Release, Session, View, utcnow
from ngc_workbench.pseudonyms import Keyring
from ngc_workbench.settings import Settings

pytestmark = pytest.mark.docker
MAKE = Path(__file__).parents[1] / "inside" / "make_release.py"
IDS = [f"ngci{number:024x}" for number in (9, 3, 7, 1, 5, 2)]
CPRS = [f"6{number}0170-1234" for number in range(1, 7)]
PROJECTS = ("one", "three", "two")
ROWS = 60
GONE = IDS[0]

KILLED = """
import os, signal, sys
from pathlib import Path
from ngc_workbench import genomes
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.genomes import proofs, views
from ngc_workbench.settings import Settings

where, state = sys.argv[1:]
settings = Settings(instance="test", demo=True, state_dir=Path(state))
die = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
progress = lambda text: die() if where in text else None
if where == "publish":
    views._publish = die
elif where == "proof":
    proofs.write = die
genomes.refresh_views(
    settings, Database(settings.database), AuditLog(settings.control_dir / "audit"), actor="karen", progress=progress
)
"""


@dataclass
class Place:
    """An installation with release d/r1 of six people, and projects one, two and three."""

    settings: Settings
    database: Database
    log: AuditLog

    def run(self, function: Any, **words: Any) -> Any:
        """Calls a function of the room."""
        return function(self.settings, self.database, self.log, **words)

    def build(self, project: str) -> View:
        """Builds a project's view."""
        return self.run(genomes.build_view, project=project, dataset="d", release="r1", actor="sofie")

    def refresh(self, **words: Any) -> genomes.Refreshed:
        """A refresh by the custodian."""
        return self.run(genomes.refresh_views, actor="karen", **words)

    def current(self) -> dict[str, View]:
        """Views in force, by project."""
        with self.database.reading() as db:
            return {view.project_name: view for view in db.scalars(select(View).where(View.retired.is_(None)))}

    def ids(self, view: View) -> list[str]:
        """Pseudonyms in the view's matrix, read without Hail."""
        matrix = genomes.view_folder(self.settings, view) / "genotypes.mt"
        return [row[0] for row in hail_files.read_columns(matrix / "cols")]

    def pseudonym(self, project: str, person: str) -> str:
        """Somebody's pseudonym in a project."""
        return Keyring.of(self.settings).pseudonymiser(project).of(person)

    def killed(self, where: str) -> None:
        """A refresh in a process that kills itself."""
        command = [sys.executable, "-c", KILLED, where, str(self.settings.state_dir)]
        root = Path(genomes.__file__).parents[2]
        done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr

    def events(self, kind: str) -> list[Any]:
        """Events of a kind, newest first."""
        with self.database.reading() as db:
            return self.log.read(db, kind=kind, limit=1000)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory):
    settings = Settings(instance="test", demo=True, state_dir=tmp_path_factory.mktemp("refresh") / "state")
    database = Database(settings.database)
    upgrade(database)
    keyring = Keyring.of(settings)
    first = store.release_folder(settings, "d", "r1")
    first.mkdir(parents=True)
    name = f"ngc-test-opt-{secrets.token_hex(4)}"
    subprocess.run(
        [
            "docker", "run", "--rm", "-i", "--name", name, "--label", "ngc-workbench=test", "--network", "none",
            "--user", f"{os.getuid()}:{os.getgid()}", "--tmpfs", "/tmp:rw,exec", "--env", "HOME=/tmp", "--workdir", "/tmp",
            "--mount", f"type=bind,source={MAKE},target=/script.py,readonly",
            "--mount", f"type=bind,source={first},target=/data",
            "--entrypoint", "/opt/workbench/bin/python", settings.researcher_image, "/script.py",
        ],
        input=json.dumps({"ids": IDS, "rows": ROWS}), text=True, check=True, capture_output=True,
    )  # fmt: skip
    store.write_columns(first, IDS)
    (first / "phenotypes.tsv").write_text("id\n")
    with database.writing() as db:
        for person, role in (("karen", "custodian"), ("sofie", "support_officer"), ("alma", "researcher")):
            db.add(Person(name=person, full_name=person, roles=[role]))
        db.add(Dataset(name="d"))
        for project in PROJECTS:
            db.add(Project(name=project, title="t", purpose="p", ethics_approval="e", state="active"))
        db.flush()
        for number, (person, cpr) in enumerate(zip(IDS, CPRS, strict=True)):
            db.add(
                Individual(
                    internal_id=person, dataset_name="d", cpr_tag=keyring.cpr_tag(cpr),
                    sample_tag=keyring.sample_tag("d", f"NAME-{number}"),
                    sealed=keyring.seal({"id": person, "sample": f"NAME-{number}", "cpr": cpr}),
                )
            )  # fmt: skip
        manifest = {
            "format": 2, "kind": "matrix", "genome": "GRCh38", "phenotypes": [], "entry_fields": ["GT", "DP"],
            "counts": {"samples": 6, "variants": ROWS, "with_phenotypes": 0}, "files": store.file_hashes(first),
        }  # fmt: skip
        store.write_json(first / "manifest.json", manifest)
        release = Release(dataset_name="d", name="r1", state="published", manifest=manifest)
        db.add(release)
        db.flush()
        for project in PROJECTS:
            db.add(
                Approval(project_name=project, release_id=release.id, approved_by="sofie", valid_until=date(2100, 1, 1))
            )
    yield Place(settings, database, AuditLog(settings.control_dir / "audit"))
    database.close()


@pytest.fixture(scope="module")
def story(place: Place) -> genomes.Refreshed:
    """Three views, a session, an opt-out, a refresh killed four times, and one that ends."""
    before = {project: place.build(project) for project in PROJECTS}
    with place.database.writing() as db:
        db.add(
            Session(
                id="busy", person_name="alma", project_name="one", state="running", prefix="/", network="n", subnet="s",
                mounts=[{"target": "/data/d/r1", "view": before["one"].id}],
            )
        )  # fmt: skip
    assert all(place.pseudonym(project, GONE) in place.ids(view) for project, view in before.items())
    place.run(genomes.record_opt_out, actor="karen", cpr=CPRS[0])
    for where in ("Writing the genotypes", "publish", "View 2 of", "proof"):
        place.killed(where)
        found = place.current()
        assert found.keys() == before.keys(), where
        for project, view in found.items():
            ids = place.ids(view)
            assert len(ids) == (6 if place.pseudonym(project, GONE) in ids else 5), where
    return place.refresh(deadline=timedelta(minutes=5))


def test_a_refresh_that_was_killed_is_finished_by_the_next(place: Place, story: genomes.Refreshed) -> None:
    """Nobody who opted out is in a view, by their list, by their own files and by Hail's count; no draft is left."""
    assert len(story.recounted) == 3
    for project, view in place.current().items():
        ids = place.ids(view)
        assert ids == [place.pseudonym(project, person) for person in IDS if person != GONE]
        psam = genomes.view_folder(place.settings, view) / "plink" / "genotypes.psam"
        assert place.pseudonym(project, GONE) not in psam.read_text()
    for one in story.recounted:
        assert (one.columns, one.least, one.most) == (5, 5, 5)
        assert one.read == one.rows == place.current()[one.project].variants > ROWS / 2
        assert (one.left_out, one.faults) == (1, ())
        assert 0 < one.called[0] <= one.called[1] < ROWS
    with place.database.reading() as db:
        assert optouts.holdings(place.settings, db) == []
    assert not [path for path in proofs.folder(place.settings).iterdir() if path.name.startswith(".")]


def test_somebody_with_the_same_genotypes_is_reported_and_kept(story: genomes.Refreshed) -> None:
    """The twin of the person who opted out stays, and each view says that one of its people is alike."""
    assert [one.alike for one in story.recounted] == [1, 1, 1]


def test_the_session_is_told_and_never_later_than_it_was(place: Place, story: genomes.Refreshed) -> None:
    """The first refresh, which was killed, told it of an hour; the last one of five minutes."""
    with place.database.reading() as db:
        ends = db.get_one(Session, "busy").ends
    assert ends is not None
    assert ends < utcnow() + timedelta(minutes=5)
    assert story.told == 1
    reasons = [event.details["ends"] for event in reversed(place.events("session.told"))]
    assert reasons == sorted(reasons, reverse=True)
    assert len(reasons) == 2


def test_the_proof_is_the_custodians_and_the_log_knows_it(place: Place, story: genomes.Refreshed) -> None:
    """Readable by its owner alone; its hash stands in the event; it names who was left out and what was counted."""
    path = proofs.folder(place.settings) / story.proof.name
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    event = next(event for event in place.events("views.refreshed") if event.details.get("proof") == story.proof.name)
    assert (event.decision, event.details["sha256"]) == ("allow", story.proof.sha256)
    content = json.loads(path.read_text())
    assert content["left_out"] == {"d/r1": [GONE]}
    assert content["holds"] is True
    assert {one["project"] for one in content["recounted"]} == place.current().keys()


def test_a_proof_can_be_held_against_the_views(place: Place, story: genomes.Refreshed) -> None:
    """They are as it says; an altered proof, or one that nobody recorded, is none."""
    found = place.run(genomes.reprove, actor="karen", name=story.proof.name)
    assert (found.same, found.gone, found.faults) == (3, 0, ())
    path = proofs.folder(place.settings) / story.proof.name
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b'"holds": true', b'"holds":  true'))
    with pytest.raises(IntegrityError, match="not the one that the audit log knows"):
        place.run(genomes.reprove, actor="karen", name=story.proof.name)
    path.write_bytes(raw)
    with pytest.raises(NotFound):
        place.run(genomes.reprove, actor="karen", name="20000101T000000Z-1.json")


def rewrite(place: Place, view: View, ids: list[str]) -> None:
    """Gives a published view's matrix other columns, as only somebody with the custodian's rights can."""
    matrix = genomes.view_folder(place.settings, view) / "genotypes.mt"
    matrix.chmod(0o755)
    shutil.rmtree(matrix / "cols")
    hail_files.write_columns(matrix / "cols", ids, [], [()] * len(ids), "0.2.139-5e5eedb87ff8")


def test_a_view_whose_count_is_wrong_is_retired_at_once(place: Place, story: genomes.Refreshed) -> None:
    """Two ids exchanged in one, a column too many in the next, a recorded number of people in the third: each is named."""
    views = place.current()
    swapped, longer, short = views["one"], views["three"], views["two"]
    ids = place.ids(swapped)
    rewrite(place, swapped, [ids[1], ids[0], *ids[2:]])
    ids = place.ids(longer)
    rewrite(place, longer, [*ids, place.pseudonym("three", GONE)])
    with place.database.writing() as db:
        db.execute(sql_update(View).where(View.id == short.id).values(people=4))
    with pytest.raises(IntegrityError, match="3 views are not what they must be and were retired"):
        place.refresh()
    assert place.current() == {}
    retired = {event.project: event for event in place.events("view.retired")[:3]}
    assert {project: event.reason for project, event in retired.items()} == dict.fromkeys(
        PROJECTS, "view.recount_failed"
    )
    event = place.events("views.refreshed")[0]
    assert (event.decision, event.reason, event.details["wrong"]) == ("deny", "proof.failed", 3)
    content = json.loads((proofs.folder(place.settings) / str(event.details["proof"])).read_text())
    faults = {one["project"]: " ".join(one["faults"]) for one in content["recounted"]}
    assert "genotypes do not stand at the ids" in faults["one"]
    assert "another number of entries than people" in faults["three"]
    assert "another number of people than recorded" in faults["two"]
    assert content["holds"] is False
