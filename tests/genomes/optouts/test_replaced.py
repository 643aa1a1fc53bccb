"""Sessions that mount a replaced view are told; a view that is retired has no successor."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ngc_workbench.genomes import replaced
from ngc_workbench.model import Session, View, utcnow

pytestmark = pytest.mark.usefixtures("staff")
NOW = utcnow().replace(microsecond=0)
HOUR = timedelta(hours=1)


@pytest.fixture
def session(database):
    """Stores a session of a project that mounts views."""

    def make(name, *views, project="one", state="running", ends=None):
        mounts = [{"target": f"/data/{view}", "view": view} for view in views] + [{"target": "/home", "view": None}]
        with database.writing() as db:
            db.add(
                Session(
                    id=name, person_name="alma", project_name=project, state=state, prefix="/", network="n",
                    subnet="10.0.0.0/29", mounts=mounts, ends=ends,
                )
            )  # fmt: skip

    return make


def tell(database, log, *views, ends=NOW + HOUR):
    with database.writing() as db:
        return replaced.tell_sessions(db, log, [db.get_one(View, view) for view in views], ends=ends, actor="sofie")


def ends(database, name):
    with database.reading() as db:
        return db.get_one(Session, name).ends


def test_living_sessions_that_mount_the_view_are_told(database, log, release, view, session, bodies) -> None:
    """Each once, with an event; not those of other views, not those that ended."""
    row, _ = release()
    old, other = view(row).id, view(row, folder="x").id
    for name, views, state in (
        ("run", (other, old), "running"), ("paused", (old,), "paused"), ("begins", (old,), "starting"),
        ("ended", (old,), "stopped"), ("else", (other,), "running"),
    ):  # fmt: skip
        session(name, *views, state=state)
    assert tell(database, log, old) == 3
    told = {name: ends(database, name) for name in ("run", "paused", "begins", "ended", "else")}
    assert told == {**dict.fromkeys(("run", "paused", "begins"), NOW + HOUR), "ended": None, "else": None}
    recorded = bodies("session.told")
    assert sorted(event["session"] for event in recorded) == ["begins", "paused", "run"]
    assert {(event["reason"], event["project"], tuple(event["details"]["views"])) for event in recorded} == {
        ("view.replaced", "one", (str(old),))
    }
    assert tell(database, log) == 0


@pytest.mark.parametrize(("first", "second", "left"), [(1, 2, 1), (2, 1, 1), (1, 1, 1)])
def test_an_end_is_never_put_off(database, log, release, view, session, bodies, first, second, left) -> None:
    """A later one changes nothing and is not recorded; an earlier one counts."""
    row, _ = release()
    old = view(row).id
    session("run", old)
    tell(database, log, old, ends=NOW + first * HOUR)
    assert tell(database, log, old, ends=NOW + second * HOUR) == 1
    assert ends(database, "run") == NOW + left * HOUR
    assert len(bodies("session.told")) == (2 if second < first else 1)


def test_a_replaced_view_is_one_whose_place_a_newer_one_took(database, release, view) -> None:
    """For the same project and release, and in force; the retired view alone, or that of another project, is none."""
    row, _ = release()
    other, _ = release(name="r2")
    old, elsewhere = view(row), view(row, project="two")
    new, unlike = view(row, folder="new"), view(other)

    def found(*current):
        with database.reading() as db:
            return replaced.replaced_views(db, {old.id, elsewhere.id, new.id}, current)

    assert found(new) == frozenset()
    with database.writing() as db:
        for one in (old, elsewhere):
            db.get_one(View, one.id).retired = utcnow()
    assert found(new) == {old.id}
    assert found(unlike) == frozenset()
    assert found() == frozenset()


def test_a_view_is_retired_once(database, log, release, view, bodies) -> None:
    """With the reason; sessions are not told anything, because they end at once."""
    row, _ = release()
    old = view(row)
    for expected in (True, False):
        with database.writing() as db:
            done = replaced.retire(db, log, old, reason="approval.none", actor="karen", name="cohort/r1", what="why")
        assert done is expected
    (event,) = bodies()
    assert (event["kind"], event["reason"], event["details"]["what"]) == ("view.retired", "approval.none", "why")
    with database.reading() as db:
        assert db.get_one(View, old.id).retired is not None
