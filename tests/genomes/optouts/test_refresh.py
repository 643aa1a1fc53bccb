"""A refresh without Hail: what is built, what is retired, what is recorded, and what a killed or failed run leaves."""

from __future__ import annotations

import json
import stat
from datetime import timedelta

import pytest
from sqlalchemy import select

from ngc_workbench import genomes
from ngc_workbench.errors import Conflict, IntegrityError, NotFound, Refused, Unavailable
from ngc_workbench.genomes import optouts, proofs, recounting, refresh, replaced
from ngc_workbench.genomes.recounting import Recounted
from ngc_workbench.model import Project, Release, Session, View, utcnow
from ngc_workbench.pseudonyms import Keyring
from tests.genomes.optouts.conftest import ANNA

pytestmark = pytest.mark.usefixtures("staff")


def counted(view, release, left_out, faults=()):
    """A count as the worker would give it."""
    return Recounted(
        view=view.id, project=view.project_name, dataset=release.dataset_name, release=release.name, folder=view.folder,
        digest=view.digest, columns=1, rows=1, read=1, least=1, most=1, called=(1, 1), left_out=len(left_out), alike=0,
        ids="i" * 64, carried="c" * 64, faults=tuple(faults),
    )  # fmt: skip


class Builder:
    """Stands in for building and counting: both have tests of their own, with Hail."""

    def __init__(self, settings, database, log, monkeypatch):
        self.built, self.counted, self.graces = [], [], []
        self.fails, self.faults = {}, {}
        self.database, self.log = database, log
        monkeypatch.setattr(refresh.views, "build_view", self.build)
        monkeypatch.setattr(refresh, "recount_release", self.count)
        self.settings = settings

    def build(self, settings, database, log, *, project, dataset, release, actor, grace, **_):
        """As `views.build_view`, or the error that the test wants."""
        self.built.append(project)
        self.graces.append(grace)
        queue = self.fails.get(project, [])
        if queue:
            raise queue.pop(0)
        with database.writing() as db:
            row = db.scalars(select(Release).where(Release.dataset_name == dataset, Release.name == release)).one()
            old = db.scalars(
                select(View).where(View.project_name == project, View.release_id == row.id, View.retired.is_(None))
            ).all()
            cut = settings.custody_dir / "cuts" / f"{project}{len(self.built)}"
            cut.mkdir(parents=True)
            people = set(optouts.people_of(settings, old[0], row) or ()) - optouts.left_out(db, row)
            (cut / "columns.tsv").write_text("".join(f"{one}\n" for one in people))
            folder = f"new-{len(self.built)}"
            (settings.views_dir / project / folder).mkdir(parents=True)
            new = View(
                project_name=project, release_id=row.id, folder=folder, people=len(people), variants=1,
                digest=f"{len(self.built)}" * 64, cut=cut.name,
            )  # fmt: skip
            db.add(new)
            for one in old:
                one.retired = utcnow()
            replaced.tell_sessions(db, log, old, ends=utcnow() + grace, actor=actor)
        return new

    def count(self, _settings, release, views, left_out, _progress):
        """As `recount_release`, with the faults that the test wants."""
        self.counted += [view.id for view, _ in views]
        return [counted(view, release, left_out, self.faults.get(view.project_name, ())) for view, _ in views]


@pytest.fixture
def builder(settings, database, log, monkeypatch):
    return Builder(settings, database, log, monkeypatch)


@pytest.fixture
def run(settings, database, log):
    """A refresh by the custodian."""

    def go(actor="karen", **words):
        return genomes.refresh_views(settings, database, log, actor=actor, **words)

    return go


def current(database):
    with database.reading() as db:
        return {view.project_name: view for view in db.scalars(select(View).where(View.retired.is_(None)))}


@pytest.fixture
def held(settings, database, log, release, view):
    """Views of one release for projects one and two, and an opt-out of somebody in both."""
    row, ids = release()
    found = view(row, "one"), view(row, "two")
    genomes.record_opt_out(settings, database, log, actor="karen", cpr=ANNA)
    return row, ids, found


def test_views_that_hold_somebody_are_rebuilt_and_all_are_counted(builder, run, held, release, view, database, bodies):
    """Views of a release that nobody must be left out of are left alone, and are not counted."""
    other, _ = release(name="r9", dataset="other", people=(("Z9", None),))
    untouched = view(other, "one")
    said: list[str] = []
    done = run(progress=said.append)
    assert builder.built == ["one", "two"]
    assert [(one.project, one.held, one.people_before, one.people_after, one.reason) for one in done.changed] == [
        ("one", 1, 2, 1, ""), ("two", 1, 2, 1, ""),
    ]  # fmt: skip
    assert [one.digest_before for one in done.changed] == ["d" * 64] * 2
    assert untouched.id not in builder.counted
    assert len(builder.counted) == 2
    assert [line for line in said if line.startswith("View 1 of 2")]
    assert [line for line in said if line.startswith("View 2 of 2") and "left" in line]
    event = bodies("views.refreshed")[-1]
    assert (event["decision"], event["details"]["changed"]) == (
        "allow", ["one: cohort/r1 rebuilt", "two: cohort/r1 rebuilt"],
    )  # fmt: skip
    builder.built.clear()
    again = run()
    assert (again.changed, builder.built) == ((), [])
    assert len(again.recounted) == 2
    assert set(current(database)) == {"one", "two"}


def test_only_the_custodian_refreshes(builder, run, held, bodies):
    """Recorded; nothing is built."""
    with pytest.raises(Refused):
        run(actor="sofie")
    assert builder.built == []
    assert bodies("views.refreshed")[-1]["reason"] == "role.missing"


@pytest.mark.parametrize(("deadline", "minutes"), [(None, 60), (timedelta(0), 0), (timedelta(minutes=5), 5)])
def test_the_deadline_is_the_settings_unless_another_is_given(builder, run, held, deadline, minutes):
    """Also that at once."""
    run(deadline=deadline)
    assert builder.graces == [timedelta(minutes=minutes)] * 2


def test_a_deadline_counts_for_views_that_were_replaced_before_too(builder, run, held, database):
    """An earlier end for a session that an earlier refresh gave more time; never a later one."""
    old = current(database)["one"]
    with database.writing() as db:
        db.add(
            Session(
                id="busy", person_name="alma", project_name="one", state="running", prefix="/", network="n", subnet="s",
                mounts=[{"target": "/data/cohort/r1", "view": old.id}],
            )
        )  # fmt: skip
    ends = []
    for minutes in (60, 5, 30):
        assert run(deadline=timedelta(minutes=minutes)).told == 1
        with database.reading() as db:
            ends.append(db.get_one(Session, "busy").ends)
    assert builder.built == ["one", "two"]
    assert ends[0] > ends[1] + timedelta(minutes=50)
    assert ends[2] == ends[1]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Refused("approval.none", "No approval."), "approval.none"),
        (Conflict("Nobody is left."), "view.not_rebuilt"),
        (NotFound("There is no such thing."), "view.not_rebuilt"),
    ],
)
def test_a_view_that_can_not_be_rebuilt_is_retired(builder, run, held, database, bodies, error, reason):
    """With the reason; the others are rebuilt, and it is not counted."""
    builder.fails["one"] = [error] * 3
    done = run()
    assert [(one.project, one.people_after, one.reason) for one in done.changed] == [("one", 0, reason), ("two", 1, "")]
    assert set(current(database)) == {"two"}
    assert [(event["project"], event["reason"]) for event in bodies("view.retired")] == [("one", reason)]
    assert len(builder.counted) == 1


def test_an_opt_out_that_comes_in_meanwhile_is_built_again(builder, run, held, database):
    """A conflict passes; the view is not retired for it."""
    builder.fails["one"] = [Conflict("Somebody opted out while the view was built.")] * 2
    done = run()
    assert builder.built == ["one"] * 3 + ["two"]
    assert [one.reason for one in done.changed] == ["", ""]


@pytest.mark.parametrize("state", ["suspended", "closed", "archived"])
def test_views_of_projects_that_do_not_work_are_retired(builder, run, held, database, bodies, state):
    """Nobody mounts them, so nobody needs a new one."""
    with database.writing() as db:
        db.get_one(Project, "one").state = state
    done = run()
    assert builder.built == ["two"]
    assert [one.reason for one in done.changed] == ["project.not_active", ""]
    assert set(current(database)) == {"two"}


def test_a_view_of_a_withdrawn_release_is_retired(settings, database, log, held, monkeypatch, run, bodies):
    """By the rule that no view is built of it, asked for real."""
    monkeypatch.setattr(refresh, "recount_release", lambda *_: [])
    with database.writing() as db:
        db.scalars(select(Release)).one().state = "withdrawn"
    done = run()
    assert [one.reason for one in done.changed] == ["release.not_published"] * 2
    assert current(database) == {}


def test_a_failure_of_the_machine_leaves_the_old_views_for_the_next_run(builder, run, held, database, bodies):
    """What was done before it stays, and is not done again."""
    builder.fails["two"] = [Unavailable("Docker does not answer.")]
    with pytest.raises(Unavailable):
        run()
    assert {name: view.people for name, view in current(database).items()} == {"one": 1, "two": 2}
    event = bodies("views.refreshed")[-1]
    assert (event["reason"], event["details"]["changed"]) == ("refresh.unfinished", 1)
    assert builder.counted == []
    builder.built.clear()
    done = run()
    assert builder.built == ["two"]
    assert len(done.recounted) == 2


def test_a_damaged_release_retires_its_views_and_is_told_at_the_end(builder, run, held, database):
    """The rest is refreshed and proved first."""
    builder.fails["one"] = [IntegrityError("The stored manifest of a release is not the recorded one.")]
    with pytest.raises(IntegrityError, match="manifest"):
        run()
    assert {name: view.people for name, view in current(database).items()} == {"two": 1}


def test_a_wrong_count_retires_the_view_and_is_proved(settings, builder, run, held, database, bodies):
    """The proof is written all the same, and says so."""
    builder.faults["two"] = ["an id is nobody's"]
    with pytest.raises(IntegrityError, match="two, cohort/r1: an id is nobody's"):
        run()
    assert set(current(database)) == {"one"}
    assert bodies("view.retired")[-1]["reason"] == "view.recount_failed"
    event = bodies("views.refreshed")[-1]
    assert (event["decision"], event["reason"], event["details"]["wrong"]) == ("deny", "proof.failed", 1)
    (path,) = proofs.folder(settings).iterdir()
    content = json.loads(path.read_text())
    assert (content["holds"], content["recounted"][1]["faults"]) == (False, ["an id is nobody's"])


def test_a_view_whose_list_is_gone_is_rebuilt(settings, builder, run, held, database):
    """Nobody can tell whom it holds."""
    run()
    view = current(database)["one"]
    (settings.custody_dir / "cuts" / view.cut / "columns.tsv").unlink()
    assert [one.project for one in run().changed] == ["one"]


def test_proofs_are_written_whole_under_names_of_their_own(settings):
    """Two of one second have two names; nobody but the owner reads them; nothing half-written is left."""
    first, second = (proofs.write(settings, {"number": number}) for number in (1, 2))
    assert first.name != second.name
    assert first.sha256 != second.sha256
    for path in proofs.folder(settings).iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {path.name for path in proofs.folder(settings).iterdir()} == {first.name, second.name}


def test_a_proof_outside_its_folder_is_not_read(settings, database, tmp_path):
    """Its name counts, not the path; and one that no event knows is refused."""
    written = proofs.write(settings, {"number": 1})
    (tmp_path / "other.json").write_text("{}")
    with database.reading() as db:
        with pytest.raises(NotFound):
            proofs.read(settings, db, str(tmp_path / "other.json"))
        with pytest.raises(IntegrityError):
            proofs.read(settings, db, written.name)


# -- what a count must be -------------------------------------------------------------------------


@pytest.fixture
def judged(settings, held, database):
    """Judges a view of Berta alone; `said` is what the worker gives for a sound one, changed by the test."""
    row, ids, (view, _) = held
    berta, anna = ids["BERTA2"], ids["ANNA1"]
    with database.writing() as db:
        db.get_one(View, view.id).people = 1
        project = db.get_one(Project, "one")
    view.people = 1
    of = Keyring.of(settings).pseudonymiser("one").of
    sound = {
        "halves": [{"ids": [of(berta)], "rows": 1, "read": 1, "least": 1, "most": 1}],
        "carried": [[of(berta), 1, 77]],
        "release": [[anna, 1, 55], [berta, 1, 77]],
        "called": [1],
        "plink": [{"ids": [of(berta)], "people": 1}],
    }

    def judge(change=_leave, listed=(berta,), people=1):
        said = json.loads(json.dumps(sound))
        change(said, of, anna)
        expected = recounting._Expected(Keyring.of(settings), [anna, berta], frozenset({anna}))
        listed = None if listed is None else list(listed)
        return recounting._judged(_with(view, people), row, project, said, listed, expected)

    return judge


def _leave(_said, _of, _anna):
    """A change that changes nothing."""


def _with(view, people):
    view.people = people
    return view


def test_a_sound_count_has_no_fault(judged):
    """Nor has one of a view that holds a twin, which is reported."""
    assert (judged().faults, judged().alike, judged().left_out) == ((), 0, 1)

    def twin(said, _of, _anna):
        said["release"] = [[said["release"][0][0], 1, 77], said["release"][1]]

    assert (judged(twin).faults, judged(twin).alike) == ((), 1)

    def nothing(said, _of, _anna):
        said["release"] = [[one[0], 0, 0] for one in said["release"]]
        said["carried"][0][1:] = [0, 0]

    assert (judged(nothing).faults, judged(nothing).alike) == ((), 0)


def _add_gone(said, of, anna):
    for half in said["halves"]:
        half["ids"].append(of(anna))
        half["least"] = half["most"] = 2
    said["carried"].append([of(anna), 1, 55])
    said["plink"] = [{"ids": said["halves"][0]["ids"], "people": 2}]


def _stranger(said, _of, _anna):
    said["halves"][0]["ids"] = said["plink"][0]["ids"] = ["NOBODY"]
    said["carried"][0][0] = "NOBODY"


def _part(key, value):
    return lambda said, _of, _anna: said["halves"][0].update({key: value})


FAULTS = {
    "somebody who must be left out": _add_gone,
    "nobody's": _stranger,
    "another number of variants": _part("rows", 2),
    "another number of entries than people": _part("most", 2),
    "number of entries than people": _part("least", 0),
    "different people": lambda said, _of, _anna: said["plink"][0].update({"people": 2}),
    "parts have different people": lambda said, _of, _anna: said["plink"][0].update({"ids": ["X"]}),
    "its parts have": lambda said, _of, _anna: said["halves"].append({**said["halves"][0], "ids": []}),
    "genotypes do not stand": lambda said, _of, _anna: said["carried"][0].__setitem__(2, 55),
    "do not stand at the ids": lambda said, _of, _anna: said["carried"][0].__setitem__(1, 2),
    "stand at the ids of their people": lambda said, _of, _anna: said["carried"][0].__setitem__(0, "X"),
}


@pytest.mark.parametrize("word", FAULTS)
def test_each_fault_of_a_count_is_named(judged, word):
    """One word a rule."""
    assert any(word in fault for fault in judged(FAULTS[word]).faults)


def test_lists_and_records_are_compared(judged):
    """The list that a view was made from, and the number of people in its record; an id twice."""
    assert any("list that it was made from" in fault for fault in judged(listed=None).faults)
    assert any("list that it was made from" in fault for fault in judged(listed=()).faults)
    assert any("number of people than recorded" in fault for fault in judged(people=2).faults)

    def twice(said, _of, _anna):
        said["halves"][0]["ids"] *= 2

    assert any("twice" in fault for fault in judged(twice).faults)
