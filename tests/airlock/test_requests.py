"""A request's way, and what can't happen on it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from ngc_workbench import airlock as rooms
from ngc_workbench.airlock import Wanted, requests
from ngc_workbench.errors import IntegrityError, NotFound, Refused, WorkbenchError
from ngc_workbench.model import ExportFile, ExportRequest, Person, Project
from ngc_workbench.policy.airlock import digest
from tests.airlock.conftest import Airlock


def seen(request: ExportRequest) -> str:
    return digest((file.name, file.sha256) for file in request.files)


def cast(
    airlock: Airlock,
    request: ExportRequest,
    checker: str,
    *,
    approve: bool = True,
    digest: str = "",
    reason: str = "looked at all of it",
) -> ExportRequest:
    return rooms.vote(
        airlock.database, airlock.log, airlock.settings, request_id=request.id, checker=checker, approve=approve,
        reason=reason, seen=digest or seen(request),
    )  # fmt: skip


def fetch(airlock: Airlock, request: ExportRequest, name: str, person: str = "alma") -> bytes:
    file = next(file for file in request.files if file.name == name)
    path, _ = rooms.download(
        airlock.database, airlock.log, airlock.settings, request_id=request.id, file_id=file.id, person=person
    )
    return path.read_bytes()


def test_a_result_goes_from_the_outbox_to_its_requester(airlock: Airlock) -> None:
    """Two approvals release the file without a blocking finding and withhold the other; each step is recorded."""
    request = airlock.in_review("table.csv", "people.csv")
    assert {file.name: file.verdict for file in request.files} == {"table.csv": "pass", "people.csv": "block"}
    assert cast(airlock, request, "oda").state == "in_review"
    decided = cast(airlock, request, "olav")
    assert decided.state == "released"
    assert fetch(airlock, decided, "table.csv") == (airlock.outbox / "table.csv").read_bytes()
    with pytest.raises(Refused, match="withheld"):
        fetch(airlock, decided, "people.csv")
    assert airlock.kinds() == [
        "export.submitted", "export.checked", "export.voted", "export.voted", "export.decided", "export.downloaded",
        "export.refused:download.withheld",
    ]  # fmt: skip


def test_what_was_submitted_is_what_is_reviewed(airlock: Airlock) -> None:
    """A file changed in the outbox after submission changes nothing: the copy is checked, and released."""
    request = airlock.submit("table.csv")
    original = (airlock.outbox / "table.csv").read_bytes()
    airlock.write(table_csv="id,cpr\n1,610190-1234\n")
    rooms.run_checks(airlock.database, airlock.log, airlock.settings, request.id)
    for checker in ("oda", "olav"):
        decided = cast(airlock, request, checker)
    assert fetch(airlock, decided, "table.csv") == original


@pytest.mark.parametrize(
    ("checker", "reason"),
    [
        ("alma", "role.missing"),
        ("odin", "review.own_project"),
        ("otto", "review.same_group"),
    ],
)
def test_nobody_near_the_project_votes(airlock: Airlock, checker: str, reason: str) -> None:
    """The requester, a former member and a colleague of the requester's group are refused, and it is recorded."""
    request = airlock.in_review("table.csv")
    with pytest.raises(Refused) as refusal:
        cast(airlock, request, checker)
    assert refusal.value.reason == reason
    assert airlock.kinds()[-1] == f"export.refused:{reason}"
    assert airlock.state(request.id) == "in_review"


def test_one_approval_releases_nothing_and_a_second_by_the_same_person_is_refused(airlock: Airlock) -> None:
    """Two people are needed, not two clicks."""
    request = airlock.in_review("table.csv")
    cast(airlock, request, "oda")
    with pytest.raises(Refused, match="already"):
        cast(airlock, request, "oda")
    with pytest.raises(Refused, match="nothing of it was released"):
        fetch(airlock, request, "table.csv")
    assert airlock.state(request.id) == "in_review"


def test_a_tie_waits_for_a_third_and_two_rejections_reject(airlock: Airlock) -> None:
    """One for and one against decide nothing; the third decides."""
    request = airlock.in_review("table.csv")
    cast(airlock, request, "oda")
    assert cast(airlock, request, "olav", approve=False).state == "in_review"
    assert cast(airlock, request, "ole", approve=False).state == "rejected"
    with pytest.raises(Refused):
        fetch(airlock, request, "table.csv")


def test_a_vote_on_other_files_than_were_shown_is_refused(airlock: Airlock) -> None:
    """The vote carries the digest of what the checker saw."""
    request = airlock.in_review("table.csv")
    with pytest.raises(Refused, match="not those that you were shown"):
        cast(airlock, request, "oda", digest="0" * 64)


def test_a_request_with_nothing_to_release_cannot_be_approved(airlock: Airlock) -> None:
    """When every file is blocked, a checker can only reject."""
    request = airlock.in_review("people.csv")
    with pytest.raises(Refused, match="nothing to approve"):
        cast(airlock, request, "oda")
    cast(airlock, request, "oda", approve=False)


def test_a_vote_needs_a_reason_and_a_request_in_review(airlock: Airlock) -> None:
    """No vote before the checks are done, none after the decision, none without a word why."""
    request = airlock.submit("table.csv")
    with pytest.raises(Refused, match="takes no votes"):
        cast(airlock, request, "oda")
    rooms.run_checks(airlock.database, airlock.log, airlock.settings, request.id)
    with pytest.raises(Refused, match="needs a reason"):
        cast(airlock, request, "oda", reason="  ")


def test_a_blocked_file_stays_even_when_the_database_says_released(airlock: Airlock) -> None:
    """Should a mistake mark a blocked file as released, the download still refuses it."""
    request = airlock.in_review("table.csv", "people.csv")
    for checker in ("oda", "olav"):
        decided = cast(airlock, request, checker)
    blocked = next(file for file in decided.files if file.name == "people.csv")
    with airlock.database.writing() as db:
        found = db.get(ExportFile, blocked.id)
        assert found is not None
        found.released = decided.decided
    with pytest.raises(Refused, match="blocking finding"):
        fetch(airlock, decided, "people.csv")


def test_nobody_else_downloads(airlock: Airlock) -> None:
    """Neither a fellow member nor a checker; a disabled requester neither."""
    request = airlock.in_review("table.csv")
    for checker in ("oda", "olav"):
        request = cast(airlock, request, checker)
    for person in ("bo", "oda", "nobody"):
        with pytest.raises(Refused):
            fetch(airlock, request, "table.csv", person)
    with airlock.database.writing() as db:
        alma = db.get(Person, "alma")
        assert alma is not None
        alma.disabled = True
    with pytest.raises(Refused, match="disabled"):
        fetch(airlock, request, "table.csv")


def test_a_copy_that_was_changed_is_not_handed_out(airlock: Airlock) -> None:
    """One byte changed in the store: IntegrityError, an event, and no download counted."""
    request = airlock.in_review("table.csv")
    for checker in ("oda", "olav"):
        request = cast(airlock, request, checker)
    sha256 = request.files[0].sha256
    copy = airlock.settings.airlock_dir / "objects" / sha256[:2] / sha256
    copy.chmod(0o600)
    content = bytearray(copy.read_bytes())
    content[-2] ^= 1
    copy.write_bytes(content)
    with pytest.raises(IntegrityError):
        fetch(airlock, request, "table.csv")
    assert airlock.kinds()[-1] == "export.refused:integrity.copy_differs"
    with airlock.database.reading() as db:
        file = db.get(ExportFile, request.files[0].id)
        assert file is not None
        assert file.downloads == 0


@pytest.mark.parametrize(
    ("person", "project", "reason"),
    [
        ("oda", "heart", "role.missing"),
        ("carl", "heart", "project.not_a_member"),
        ("alma", "lungs", "project.not_a_member"),
        ("alma", "nowhere", "project.not_a_member"),
    ],
)
def test_only_a_member_of_an_active_project_asks(
    airlock: Airlock, add_person: Callable[..., Person], person: str, project: str, reason: str
) -> None:
    """Others are refused before a byte is copied; a project that doesn't exist reads like one that isn't theirs."""
    add_person("carl", "researcher")
    with airlock.database.writing() as db:
        db.add(Project(name="lungs", title="Lungs", purpose="lungs", ethics_approval="H-2", state="active"))
    with pytest.raises(Refused) as refusal:
        airlock.submit("table.csv", person=person, project=project)
    assert refusal.value.reason == reason
    assert airlock.kinds() == [f"export.refused:{reason}"]
    assert not list(airlock.settings.airlock_dir.rglob("*.csv"))


def test_a_suspended_project_asks_for_nothing(airlock: Airlock) -> None:
    """Only an active project exports."""
    with airlock.database.writing() as db:
        project = db.get(Project, "heart")
        assert project is not None
        project.state = "suspended"
    with pytest.raises(Refused, match="suspended"):
        airlock.submit("table.csv")


def test_a_submission_that_fails_leaves_no_request_and_no_copy(airlock: Airlock) -> None:
    """One missing file among two: no request, no copy, nothing to clean up."""
    with pytest.raises(NotFound):
        airlock.submit("table.csv", "missing.csv")
    with airlock.database.reading() as db:
        assert db.query(ExportRequest).count() == 0
    assert [path for path in airlock.settings.airlock_dir.rglob("*") if path.is_file()] == []


def test_a_kill_before_the_commit_leaves_nothing_that_counts(airlock: Airlock, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the process ends between copying and committing there is no request; asking again works."""

    def killed(*_args: object, **_fields: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(airlock.log), "append", killed)
        with pytest.raises(KeyboardInterrupt):
            airlock.submit("table.csv")
    with airlock.database.reading() as db:
        assert db.query(ExportRequest).count() == 0
    assert airlock.in_review("table.csv").state == "in_review"


@pytest.mark.parametrize("left_in", ["submitted", "checking"])
def test_a_kill_while_checking_is_made_good(airlock: Airlock, monkeypatch: pytest.MonkeyPatch, left_in: str) -> None:
    """A request left in submitted or checking goes on at the next start, once, and loses nothing."""
    request = airlock.submit("table.csv", "people.csv")
    if left_in == "checking":

        def killed(*_args: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(requests, "check_file", killed)
            with pytest.raises(KeyboardInterrupt):
                rooms.run_checks(airlock.database, airlock.log, airlock.settings, request.id)
    assert airlock.state(request.id) == left_in
    assert rooms.resume(airlock.database, airlock.log, airlock.settings) == [request.id]
    assert airlock.state(request.id) == "in_review"
    assert rooms.resume(airlock.database, airlock.log, airlock.settings) == []
    assert airlock.kinds().count("export.checked") == 1


def test_one_damaged_request_does_not_stop_the_others(airlock: Airlock) -> None:
    """resume() records the damage, leaves that request in checking, and goes on."""
    airlock.write(other_csv="a,b\nx,100\n")
    bad, good = airlock.submit("table.csv"), airlock.submit("other.csv")
    sha256 = bad.files[0].sha256
    (airlock.settings.airlock_dir / "objects" / sha256[:2] / sha256).unlink()
    assert rooms.resume(airlock.database, airlock.log, airlock.settings) == [good.id]
    assert airlock.state(bad.id) == "checking"
    assert "export.refused:integrity.copy_differs" in airlock.kinds()


def test_two_checkers_who_vote_at_once_decide_once(airlock: Airlock) -> None:
    """Three approvals at the same moment: two count, one comes too late, and there is one decision."""
    request = airlock.in_review("table.csv")
    barrier = threading.Barrier(3)
    late: list[str] = []

    def voting(checker: str) -> None:
        barrier.wait()
        try:
            cast(airlock, request, checker)
        except WorkbenchError as error:
            late.append(str(error))

    threads = [threading.Thread(target=voting, args=(name,)) for name in ("oda", "olav", "ole")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(late) == 1
    assert airlock.kinds().count("export.decided") == 1
    assert airlock.state(request.id) == "released"


def test_the_outbox_is_listed_with_what_stands_in_the_way(airlock: Airlock) -> None:
    """Each entry of the outbox is listed; what can't be handed in says why."""
    (airlock.outbox / "view.mt").mkdir()
    listed = {entry.name: entry.problem for entry in rooms.outbox(airlock.settings, "heart", "alma")}
    assert listed["table.csv"] == ""
    assert "folder" in listed["view.mt"]


def test_a_purpose_is_needed(airlock: Airlock) -> None:
    """A request says what it is for."""
    with pytest.raises(WorkbenchError, match="purpose"):
        rooms.submit(
            airlock.database,
            airlock.log,
            airlock.settings,
            project="heart",
            person="alma",
            files=[Wanted("table.csv")],
            purpose=" ",
        )
