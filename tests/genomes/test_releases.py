"""Publishing, withdrawing and comparing releases."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from ngc_workbench import genomes
from ngc_workbench.audit import AuditEvent
from ngc_workbench.errors import InputError, IntegrityError, NotFound, Refused
from ngc_workbench.genomes import store
from ngc_workbench.genomes.differences import tell
from ngc_workbench.model import OptOut
from tests.genomes.stored import add_release, internal_id


@pytest.fixture
def act(settings, database, log, staff):
    """Runs one of the room's functions as Karen, the custodian; `staff` are there."""

    def run(function, **words):
        return function(settings, database, log, **{"actor": "karen", "dataset": "cohort", "release": "r1", **words})

    return run


def state(database, name="r1"):
    with database.reading() as db:
        return genomes.find(db, "cohort", name)


def events(database, kind):
    with database.reading() as db:
        bodies = [json.loads(one.body) for one in db.scalars(select(AuditEvent).order_by(AuditEvent.seq))]
    return [body for body in bodies if body["kind"] == kind]


def snapshot(settings):
    folder = settings.custody_dir / "releases"
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


def test_publishing_compares_every_file_and_writes_the_catalogue(settings, database, act):
    """A byte that changed stops it; a whole release is published, with its records."""
    add_release(settings, database)
    part = store.release_folder(settings, "cohort", "r1") / "matrix.mt" / "part-0"
    part.write_bytes(b"r2")
    with pytest.raises(IntegrityError):
        act(genomes.publish)
    assert state(database).state == "building"
    assert not settings.catalogue_dir.exists()
    part.write_bytes(b"r1")
    act(genomes.publish)
    assert state(database).state == "published"
    assert {path.name for path in (settings.catalogue_dir / "cohort").iterdir()} == {"r1.json", "r1.jsonld"}


def test_a_withdrawn_release_is_gone_for_good(settings, database, act):
    """Withdrawal is recorded with its reason, takes the catalogue's records away, and has no way back."""
    add_release(settings, database)
    act(genomes.publish)
    act(genomes.withdraw, reason="wrong genome")
    row = state(database)
    assert row.state == "withdrawn"
    assert row.withdrawn is not None
    assert list((settings.catalogue_dir / "cohort").iterdir()) == []
    (event,) = events(database, "release.withdrawn")
    assert (event["decision"], event["subject"]) == ("allow", "cohort/r1")
    assert event["details"] == {"from": "published", "why": "wrong genome"}
    for again in (lambda: act(genomes.withdraw, reason="x"), lambda: act(genomes.publish)):
        with pytest.raises(Refused) as refused:
            again()
        assert refused.value.reason == "state.no_such_move"
    assert events(database, "release.withdrawn")[-1]["decision"] == "deny"


def test_a_release_that_was_never_published_can_be_withdrawn(settings, database, act):
    """One that turned out wrong before it was published."""
    add_release(settings, database)
    act(genomes.withdraw, reason="wrong samples")
    assert state(database).state == "withdrawn"


def test_withdrawing_takes_the_role_and_a_reason(settings, database, act):
    """Nobody else may, and nobody without saying why; a refusal is recorded."""
    add_release(settings, database)
    with pytest.raises(InputError):
        act(genomes.withdraw, reason=" ")
    with pytest.raises(Refused):
        act(genomes.withdraw, reason="x", actor="alma")
    assert [event["decision"] for event in events(database, "release.withdrawn")] == ["deny"]
    assert state(database).state == "building"
    with pytest.raises(NotFound):
        act(genomes.withdraw, reason="x", release="r9")


def test_nothing_that_can_be_done_to_a_published_release_changes_it(settings, database, log, act):
    """Files and manifest of a published release stay as they are, byte and time, whatever is done."""
    add_release(settings, database)
    add_release(settings, database, "r2")
    act(genomes.publish)
    before, manifest = snapshot(settings), state(database).manifest
    act(genomes.publish, release="r2")
    say = {"dataset": "cohort", "actor": "karen"}
    genomes.describe(settings, database, log, **say, title="T", terms=[{"term": "HMB"}])
    genomes.compare(settings, database, log, old=("cohort", "r1"), new=("cohort", "r2"), actor="karen")
    act(genomes.withdraw, reason="test")
    assert snapshot(settings) == before
    assert state(database).manifest == manifest


@pytest.fixture
def compare(settings, database, log, staff):
    """What `genomes.compare` gives for r1 and r2."""

    def run(**words):
        return genomes.compare(
            settings, database, log, **{"old": ("cohort", "r1"), "new": ("cohort", "r2"), "actor": "karen", **words}
        )

    return run


def test_differences_are_numbers_and_names_of_fields(settings, database, compare):
    """People who joined and left by number, fields and columns by name, files by number; no id anywhere."""
    age, sex = {"name": "age", "type": "int32"}, {"name": "sex", "type": "str"}
    add_release(settings, database, "r1", people=range(40), phenotypes=[age, sex])
    add_release(
        settings, database, "r2", people=range(10, 61), phenotypes=[{**age, "unit": "years"}, {"name": "bmi", "type": "float64"}],
        entry_fields=["GT", "GQ"], tools={"hail": "0.3"}, genome="GRCh37", accepted=["missing_end_marker"],
    )  # fmt: skip
    found = compare()
    assert found["people"] == {"old": 40, "new": 50, "joined": 20, "left": 10}
    assert found["entry_fields"] == {"added": ["GQ"], "removed": ["DP"]}
    assert found["phenotypes"] == {"added": ["bmi"], "removed": ["sex"], "changed": ["age"]}
    assert found["tools"]["changed"] == ["hail"]
    assert found["genome"] == {"old": "GRCh38", "new": "GRCh37"}
    assert found["accepted"]["added"] == ["missing_end_marker"]
    assert found["files"] == {"added": 0, "removed": 0, "changed": 3}
    text = "\n".join(tell(found))
    assert "joined 20, left 10" in text
    assert "added bmi; removed sex; changed age" in text
    for told in (text, json.dumps(found)):
        assert "ngci" not in told
        assert str(settings.state_dir) not in told


@pytest.mark.parametrize(
    ("people", "joined", "left"), [(range(1, 44), "<5", "<5"), (range(4, 45), 5, "<5"), (range(40), 0, 0)]
)
def test_few_people_are_not_counted_out(settings, database, compare, people, joined, left):
    """One to four are `<5`, and totals are rounded, so that their difference does not say it either."""
    add_release(settings, database, "r1", people=range(40))
    add_release(settings, database, "r2", people=people)
    found = compare()["people"]
    assert (found["joined"], found["left"]) == (joined, left)
    assert found["old"] % 5 == found["new"] % 5 == 0


def test_comparing_takes_the_role_and_stored_manifests(settings, database, compare):
    """A researcher is refused; a manifest that is not the recorded one is told."""
    add_release(settings, database, "r1")
    add_release(settings, database, "r2")
    with pytest.raises(Refused):
        compare(actor="alma")
    store.write_json(store.release_folder(settings, "cohort", "r2") / "manifest.json", {"genome": "x"})
    with pytest.raises(IntegrityError):
        compare()


def test_the_catalogue_follows_the_description_and_the_opt_outs(settings, database, log, act):
    """Describing a dataset renews the records of its published releases alone; people who opted out are not in them."""
    add_release(settings, database, "r1", people=range(40))
    add_release(settings, database, "r2", people=range(40))
    act(genomes.publish)
    with database.writing() as db:
        for number in range(8):
            db.add(OptOut(tag=f"c{number}"))
    written = genomes.describe(
        settings,
        database,
        log,
        dataset="cohort",
        actor="karen",
        title="Hearts",
        terms=[{"term": "hmb"}, {"term": "TS", "until": "2027-01-01"}],
    )
    assert written == 1
    record = json.loads((settings.catalogue_dir / "cohort" / "r1.json").read_text())
    assert record["title"] == "Hearts"
    assert record["people"] == 30
    assert [term["term"] for term in record["terms"]] == ["DUO:0000006", "DUO:0000025"]
    assert record["terms"][1]["until"] == "2027-01-01"
    assert not (settings.catalogue_dir / "cohort" / "r2.json").exists()
    (event,) = events(database, "dataset.described")
    assert event["details"]["terms"] == ["DUO:0000006", "DUO:0000025"]


def test_a_description_is_checked_and_what_is_not_given_stays(settings, database, log, staff):
    """A wrong term, a CPR number, a stranger: nothing changes, and the refusal is recorded."""
    add_release(settings, database)
    say = {"dataset": "cohort", "actor": "karen"}
    genomes.describe(settings, database, log, **say, title="Hearts", terms=[{"term": "GRU"}])
    genomes.describe(settings, database, log, **say, description="Of the heart")
    for wrong in ({"terms": [{"term": "DUO:0000037"}]}, {"title": "about 610270-1234"}, {"description": "610270-1234"}):
        with pytest.raises(InputError):
            genomes.describe(settings, database, log, **say, **wrong)
    with pytest.raises(Refused):
        genomes.describe(settings, database, log, dataset="cohort", actor="alma", title="x")
    with database.reading() as db:
        row = genomes.find_dataset(db, "cohort")
    assert (row.title, row.description, row.terms) == ("Hearts", "Of the heart", [{"term": "DUO:0000042"}])
    assert [event["decision"] for event in events(database, "dataset.described")] == ["allow", "allow", "deny"]
    with pytest.raises(NotFound):
        genomes.describe(settings, database, log, dataset="nothing", actor="karen", title="x")


def test_a_record_half_written_leaves_the_old_one(settings, database, log, act, monkeypatch):
    """A kill while a record is written leaves the old file, and nothing that the portal would read."""
    add_release(settings, database)
    act(genomes.publish)
    before = (settings.catalogue_dir / "cohort" / "r1.json").read_text()
    monkeypatch.setattr(
        "ngc_workbench.genomes.catalogue.files.os.fsync", lambda _fd: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(KeyboardInterrupt):
        genomes.describe(settings, database, log, dataset="cohort", actor="karen", title="new")
    assert (settings.catalogue_dir / "cohort" / "r1.json").read_text() == before
    assert {path.suffix for path in (settings.catalogue_dir / "cohort").iterdir()} == {".json", ".jsonld"}
    assert internal_id(0) not in before
