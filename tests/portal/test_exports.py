"""Exports through the portal: asking, reviewing blind, deciding, downloading."""

from __future__ import annotations

import hashlib
import re

from ngc_workbench.portal.preview import ROWS, preview
from tests.portal.conftest import SAFE, Office


def test_a_result_goes_the_whole_way_in_json(office: Office) -> None:
    """Outbox, submission, findings, two votes, download with the reviewed hash; the blocked file stays."""
    listed = {
        file["name"]: file["problem"] for file in office.get_json("alma", "projects/heart/exports/new").json()["files"]
    }
    assert set(listed) == {"table.csv", "people.csv", "view.mt"}
    assert listed["view.mt"]
    request = office.submitted("table.csv", "people.csv")
    verdicts = {file["name"]: file["verdict"] for file in request["files"]}
    assert verdicts == {"table.csv": "pass", "people.csv": "block"}
    assert office.vote("oda", request["id"]).json()["state"] == "in_review"
    assert office.vote("olav", request["id"]).json()["state"] == "released"
    found = office.get_json("alma", f"exports/{request['id']}").json()
    assert [file["name"] for file in found["files"] if file["released"]] == ["table.csv"]
    urls = {file["name"]: file["download"].removeprefix("/services/portal/") for file in found["files"]}
    got = office.get("alma", urls["table.csv"])
    assert got.status_code == 200
    assert got.text == SAFE
    assert hashlib.sha256(got.content).hexdigest() == next(
        file["sha256"] for file in request["files"] if file["name"] == "table.csv"
    )
    assert got.headers["content-disposition"] == 'attachment; filename="table.csv"'
    assert "sandbox" in got.headers["content-security-policy"]
    for person, url in [("alma", urls["people.csv"]), ("bo", urls["table.csv"]), ("oda", urls["table.csv"])]:
        assert office.get(person, url).status_code == 403
    assert len(office.events("export.downloaded")) == 1


def test_nothing_is_downloaded_before_the_decision(office: Office) -> None:
    """In review, and after one approval, the download is refused."""
    request = office.submitted("table.csv")
    url = request["files"][0]["download"].removeprefix("/services/portal/")
    assert office.get("alma", url).status_code == 403
    office.vote("oda", request["id"])
    assert office.get("alma", url).status_code == 403


def test_checkers_are_blind_until_both_have_voted(office: Office) -> None:
    """Neither the page nor the JSON tells the second checker how the first one voted, or why; the requester learns no names."""
    request = office.submitted("table.csv")
    office.vote("oda", request["id"], "reject", "a reason that only oda knows")
    assert "only oda knows" not in office.get("olav", f"review/{request['id']}").text
    assert office.get_json("olav", f"review/{request['id']}").json()["votes"] == []
    assert "only oda knows" in office.get("oda", f"review/{request['id']}").text
    assert "only oda knows" not in office.get("alma", f"exports/{request['id']}").text
    office.vote("olav", request["id"], "reject", "nor do I like it")
    assert "only oda knows" in office.get("olav", f"review/{request['id']}").text
    shown = office.get("alma", f"exports/{request['id']}").text
    assert "only oda knows" in shown
    assert "olav" not in shown
    assert "Rejected" in shown


def test_votes_that_do_not_count_are_told_why(office: Office) -> None:
    """A member's, a second one, one on other files, one without a choice or a reason."""
    request = office.submitted("table.csv")
    seen = office.seen("oda", request["id"])
    path = f"review/{request['id']}/vote"

    def cast(who: str, **fields: str) -> tuple[int, str]:
        answer = office.post_json(who, path, {"vote": "approve", "reason": "fine", "seen": seen, **fields})
        return answer.status_code, answer.json().get("error", "")

    assert cast("alma") == (403, "role.missing")
    assert cast("oda", seen="0" * 64) == (403, "vote.other_version")
    assert cast("oda", reason=" ") == (403, "vote.no_reason")
    assert cast("oda", vote="maybe") == (422, "inputerror")
    assert cast("oda") == (200, "")
    assert cast("oda") == (403, "vote.twice")


def test_the_queue_holds_what_waits_for_this_checker(office: Office) -> None:
    """Requests in review, those they have voted on marked; a checker's front page counts the open ones."""
    request = office.submitted("table.csv")
    assert [(entry["id"], entry["voted"]) for entry in office.get_json("oda", "review").json()] == [
        (request["id"], False)
    ]
    assert re.search(r'class="figure">1<', office.get("oda").text)
    office.vote("oda", request["id"])
    assert office.get_json("oda", "review").json()[0]["voted"] is True
    assert re.search(r'class="figure">0<', office.get("oda").text)
    office.vote("olav", request["id"])
    assert office.get_json("oda", "review").json() == []


def test_a_submission_that_can_not_be_is_told_why(office: Office) -> None:
    """No file, a missing one, a folder, a path, no purpose, somebody else's project: each a plain answer, and no request."""
    for data, status in [
        ({"purpose": "x"}, 422),
        ({"purpose": "x", "files": ["missing.csv"]}, 404),
        ({"purpose": "x", "files": ["view.mt"]}, 422),
        ({"purpose": "x", "files": ["../../../control/workbench.sqlite"]}, 422),
        ({"purpose": "x", "files": ["table.csv", "table.csv"]}, 422),
        ({"purpose": "", "files": ["table.csv"]}, 422),
    ]:
        answer = office.post_json("alma", "projects/heart/exports", data)
        assert answer.status_code == status, data
        assert answer.json()["message"]
    for project in ("lungs", "nowhere", "No-Slug!", "..%2Fheart"):
        assert office.post_json(
            "alma", f"projects/{project}/exports", {"purpose": "x", "files": ["table.csv"]}
        ).status_code in (403, 404), project
    assert office.get_json("alma").json()["requests"] == []


def test_content_names_and_words_of_the_researcher_are_shown_never_run(office: Office) -> None:
    """Markup in cells, in the purpose and in the reason is text on every page."""
    evil = "<script>alert(1)</script>"
    (office.outbox / "evil.csv").write_text(f'group,mean\n{evil},0.5\n"<img src=x onerror=alert(1)>",0.2\n')
    made = office.post_json(
        "alma", "projects/heart/exports", {"files": ["evil.csv"], "purpose": evil, "description": evil}
    ).json()
    for _ in range(200):
        if office.get_json("alma", f"exports/{made['id']}").json()["state"] == "in_review":
            break
    for person, path in [
        ("oda", f"review/{made['id']}"),
        ("alma", f"exports/{made['id']}"),
        ("alma", ""),
        ("oda", "review"),
    ]:
        text = office.get(person, path).text
        assert evil not in text
        assert "<img src=x" not in text
        assert "&lt;script&gt;" in text


def test_the_reviewer_sees_the_flagged_cells_marked(office: Office) -> None:
    """The cell with the small count carries the finding; the page with it is linked from the first one."""
    (office.outbox / "counts.csv").write_text(
        "group,n\n" + "".join(f"g{row},{3 if row == 250 else 50}\n" for row in range(400))
    )
    request = office.submitted("counts.csv")
    first = office.get("oda", f"review/{request['id']}").text
    assert "flag block" not in first
    file = request["files"][0]["id"]
    assert f"?file={file}&amp;start=200#file-{file}" in first
    third = office.get("oda", f"review/{request['id']}?file={file}&start=200").text
    assert re.search(r'<td class="flag block" title="A count of 1 to 4 people\."><mark>3</mark>', third)
    danish = office.get("oda", f"review/{request['id']}?file={file}&start=200", Cookie="language=da").text
    assert "Et antal på 1 til 4 personer." in danish


def test_an_image_is_looked_at_and_nothing_else_is_served(office: Office) -> None:
    """A PNG is shown to the checker as an image; a CSV is not served from there."""
    png = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x00IEND\xaeB`\x82"
    (office.outbox / "plot.png").write_bytes(png)
    request = office.submitted("plot.png", "table.csv")
    ids = {file["name"]: file["id"] for file in request["files"]}
    image = office.get("oda", f"review/{request['id']}/files/{ids['plot.png']}/image")
    assert (image.status_code, image.headers["content-type"], image.content) == (200, "image/png", png)
    assert office.get("oda", f"review/{request['id']}/files/{ids['table.csv']}/image").status_code == 404
    assert office.get("alma", f"review/{request['id']}/files/{ids['plot.png']}/image").status_code == 403


def test_a_damaged_copy_is_neither_shown_nor_sent(office: Office) -> None:
    """When the store differs from what was submitted, reviewer and requester get a plain error."""
    request = office.submitted("table.csv")
    for checker in ("oda", "olav"):
        office.vote(checker, request["id"])
    sha256 = request["files"][0]["sha256"]
    copy = office.settings.airlock_dir / "objects" / sha256[:2] / sha256
    copy.chmod(0o600)
    copy.write_text("something else")
    url = request["files"][0]["download"].removeprefix("/services/portal/")
    answer = office.get("alma", url)
    assert answer.status_code == 500
    assert "something else" not in answer.text
    assert office.get("oda", f"review/{request['id']}").status_code == 500


def test_a_preview_shows_a_file_page_by_page() -> None:
    """Rows with their line numbers, pages before and after; a text by lines; comments above a table stay visible; closed files not."""
    content = ("a,b\n" + "".join(f"x{row},0.5\n" for row in range(ROWS * 2 + 5))).encode()
    middle = preview("x", content, [], ROWS, "en")
    assert (middle.kind, middle.header, middle.total, middle.before, middle.after) == (
        "table",
        ("a", "b"),
        ROWS * 2 + 5,
        0,
        ROWS * 2,
    )
    assert (middle.rows[0].number, middle.rows[0].cells[0].text) == (ROWS + 2, f"x{ROWS}")
    last = preview("x", content, [], ROWS * 2, "en")
    assert (len(last.rows), last.after) == (5, None)
    note = preview("x", b"one.\ntwo of them.\n", [], 0, "en")
    assert [row.cells[0].text for row in note.rows] == ["one.", "two of them."]
    commented = preview("x", b"## hidden words\na,b\nx,0.5\n", [], 0, "en")
    assert commented.kind == "text"
    assert commented.rows[0].cells[0].text == "## hidden words"
    assert preview("x", b"PK\x03\x04", [], 0, "en").kind == "none"
