"""Sessions on the command line: what runs, what was shown, pause, release, stop; and a project's thresholds."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from ngc_workbench.audit import Event
from ngc_workbench.cli.main import app
from ngc_workbench.errors import Conflict, InputError, NotFound, Refused
from ngc_workbench.model import Project, Session, utcnow
from ngc_workbench.sessions import traffic

WHY = "the figures were agreed with us"


@pytest.fixture
def command(settings, database, add_person, tmp_path):
    """Runs `ngc-workbench` on an installation with a session of alma's; gives what it printed, or raises its error."""
    for name, role in (("signe", "security_officer"), ("sofie", "support_officer"), ("alma", "researcher")):
        add_person(name, role)
    with database.writing() as db:
        db.add(Project(name="heart", title="t", purpose="p", ethics_approval="e", state="active"))
        db.flush()
        db.add(
            Session(id="s1", person_name="alma", project_name="heart", state="running", prefix="/user/alma/heart/", network="n", subnet="s")
        )  # fmt: skip
        db.flush()
        traffic.add(db, "s1", {"terminal": 1_000_000, "message": 3_000_000}, utcnow())
    config = tmp_path / "workbench.toml"
    config.write_text(f'instance = "test"\nstate_dir = "{settings.state_dir}"\ndemo = true\n', encoding="utf-8")

    def run(*words, actor="signe"):
        done = run.last = CliRunner().invoke(app, ["--config", str(config), "--as", actor, *words])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


def recorded(database, log, kind) -> list[Event]:
    with database.reading() as db:
        return log.read(db, kind=kind)


def state(database) -> str:
    with database.reading() as db:
        return db.get_one(Session, "s1").state


def test_an_officer_sees_sessions_and_what_they_showed(command):
    """The list has each, `show` the thresholds and the rows by hour and kind."""
    assert command("session", "list").split() == ["s1", "running", "alma", "heart", "4.0", "MB"]
    said = command("session", "show", "s1")
    for part in ("alma in heart, running, 4.0 MB shown in all", "meter.hour terminal: 1.0 MB of 20.0 MB", "meter.day all: 4.0 MB of 1,000.0 MB", "3,000,000"):  # fmt: skip
        assert part in said
    with pytest.raises(NotFound):
        command("session", "show", "s2")


def test_pause_release_and_stop_by_hand(command, database, log):
    """Each is recorded with its reason; a stopped session that is held stays on the list until it is released."""
    command("session", "pause", "s1", "--reason", "odd traffic in the terminal")
    assert state(database) == "paused"
    assert "odd traffic in the terminal" in command("session", "show", "s1")
    command("session", "stop", "s1", "--reason", "nothing to be saved here")
    assert state(database) == "stopped"
    assert "stopped, held" in command("session", "list")
    command("session", "release", "s1", "--reason", WHY)
    assert command("session", "list") == ""
    assert "counts no more" in command("session", "show", "s1")
    with pytest.raises(Conflict):
        command("session", "release", "s1", "--reason", WHY)
    for kind, why in (("session.paused", "what"), ("session.stopped", "what"), ("session.released", "why")):
        [event] = recorded(database, log, kind)
        assert event.actor == "signe"
        assert event.details[why]


@pytest.mark.parametrize("deed", ["pause", "release", "stop"])
def test_others_and_short_reasons_change_nothing(command, database, log, deed):
    """The role decides, and is recorded."""
    with pytest.raises(Refused):
        command("session", deed, "s1", "--reason", WHY, actor="sofie")
    assert [event.reason for event in recorded(database, log, "command.refused")] == ["role.missing"]
    with pytest.raises(InputError):
        command("session", deed, "s1", "--reason", "because")
    assert state(database) == "running"
    for words in (("list",), ("show", "s1")):
        with pytest.raises(Refused):
            command("session", *words, actor="sofie")


def test_an_officer_who_releases_their_own_session_is_refused_and_recorded(command, database, log, add_person):
    """The refusal stays in the log although its own transaction was rolled back."""
    add_person("both", "researcher", "security_officer")
    with database.writing() as db:
        db.get_one(Session, "s1").person_name = "both"
    command("session", "pause", "s1", "--reason", WHY)
    with pytest.raises(Refused):
        command("session", "release", "s1", "--reason", WHY, actor="both")
    [event] = recorded(database, log, "command.refused")
    assert (event.reason, event.session, event.actor) == ("session.own", "s1", "both")
    assert state(database) == "paused"


@pytest.mark.parametrize("actor", ["sofie", "signe"])
def test_a_projects_thresholds_are_set_shown_and_given_up(command, database, log, actor):
    """By a support or a security officer, with a reason; what isn't given is the installation's."""
    assert "hour 200 MB, day 1000 MB" in command("project", "limits", "heart", actor=actor)
    said = command(
        "project", "limits", "heart", "--hour-mb", "7", "--kind-mb", "terminal=2", "--reason", WHY, actor=actor
    )
    assert said == "hour 7 MB, day 1000 MB\nhour 2 MB of the kind terminal\n"
    [event] = recorded(database, log, "project.changed")
    assert (event.actor, event.reason, event.details["why"]) == (actor, "limits.set", WHY)
    assert (event.details["from"], event.details["to"]) == (
        "the installation's",
        "meter_hour_mb=7, meter_kind_hour_mb={'terminal': 2}",
    )
    command("project", "limits", "heart", "--standard", "--reason", WHY, actor=actor)
    with database.reading() as db:
        assert db.get_one(Project, "heart").limits == {}


@pytest.mark.parametrize(
    "words",
    [
        ("--hour-mb", "7"), ("--hour-mb", "0", "--reason", WHY), ("--kind-mb", "terminal", "--reason", WHY),
        ("--kind-mb", "terminal=-1", "--reason", WHY), ("--kind-mb", "No Kind=1", "--reason", WHY),
        ("--standard", "--day-mb", "1", "--reason", WHY),
    ],
)  # fmt: skip
def test_thresholds_that_are_none_are_refused(command, database, words):
    """No reason, no number, no kind, or both ways at once."""
    with pytest.raises(InputError):
        command("project", "limits", "heart", *words)
    with database.reading() as db:
        assert db.get_one(Project, "heart").limits == {}


def test_thresholds_are_not_for_everybody(command, database, log):
    """A researcher is refused; a project that isn't there is not found."""
    with pytest.raises(Refused):
        command("project", "limits", "heart", "--hour-mb", "7", "--reason", WHY, actor="alma")
    assert [event.reason for event in recorded(database, log, "command.refused")] == ["role.missing"]
    for words in ((), ("--hour-mb", "7", "--reason", WHY)):
        with pytest.raises(NotFound):
            command("project", "limits", "nowhere", *words)
