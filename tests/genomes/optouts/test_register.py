"""Extracts of the tissue-use register."""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from ngc_workbench import genomes
from ngc_workbench.errors import InputError, Refused
from ngc_workbench.genomes import optouts
from ngc_workbench.genomes.optouts.birth import born
from ngc_workbench.genomes.optouts.register_file import UnusableExtract, read_extract
from ngc_workbench.model import OptOut, utcnow
from ngc_workbench.policy.optouts import day_begins, day_is_over
from ngc_workbench.pseudonyms import Keyring
from tests.genomes.optouts.conftest import ANNA, BERTA, CHILD

pytestmark = pytest.mark.usefixtures("staff")
TODAY = date(2026, 3, 1)


@pytest.fixture
def take(settings, database, log):
    """Imports an extract as the custodian."""

    def run(path, *, full=False, actor="karen", **words):
        return genomes.import_register(settings, database, log, path=path, full=full, actor=actor, **words)

    return run


@pytest.fixture
def entry(settings, database):
    """The entry of a person; None when there is none."""

    def read(cpr):
        with database.reading() as db:
            return db.get(OptOut, Keyring.of(settings).cpr_tag(cpr))

    return read


@pytest.mark.parametrize(
    ("cpr", "day"),
    [
        ("6101701234", date(1970, 1, 1)), ("6101703234", date(1970, 1, 1)), ("6101364234", date(2036, 1, 1)),
        ("6101374234", date(1937, 1, 1)), ("6101575234", date(2057, 1, 1)), ("6101588234", date(1858, 1, 1)),
        ("6101369234", date(2036, 1, 1)), ("6101379234", date(1937, 1, 1)), ("9112998238", date(1899, 12, 31)),
        ("9002701234", None), ("6113701234", None), (CHILD, date(2015, 1, 11)),
    ],
)  # fmt: skip
def test_a_number_tells_the_day_of_birth(cpr, day) -> None:
    """The seventh digit tells the century; substitute numbers have the day plus 60; no day is made up."""
    assert born(cpr) == day


@pytest.mark.parametrize(
    ("header", "line", "encoding"),
    [
        ("cpr,status,date,by", "610270-1234,opted-out,2026-01-10,self", "utf-8"),
        ("CPR;Status;Dato;Af", "6102701234;tilmeldt;10-01-2026;selv", "utf-8"),
        ("dato\tcpr-nummer\tby\tstatus", "10.01.2026\t610270-1234\tself\tOpted-out", "utf-8"),
        ("\ufeffcpr,status,date,by", '"610270-1234","opted-out","2026-01-10","self"', "utf-8"),
    ],
)
def test_tables_of_each_style_are_read(extract, header, line, encoding) -> None:
    """Comma, semicolon or tab; Danish words and dates; a byte order mark."""
    path = extract(line, header=header, encoding=encoding)
    found = read_extract(path, encoding=encoding, today=TODAY)
    assert list(found.statements) == [ANNA]
    (statement,) = found.statements[ANNA]
    assert (statement.opted_out, statement.day, statement.by) == (True, date(2026, 1, 10), "self")
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_letters_are_read_as_declared(extract) -> None:
    """Latin-1 is declared; undeclared it is refused by line, not guessed."""
    line = f"{CHILD},tilmeldt,2026-01-10,forældremyndighedsindehaver"
    path = extract(line, encoding="latin-1")
    assert read_extract(path, encoding="latin-1", today=TODAY).statements[CHILD][0].by == "guardian"
    with pytest.raises(InputError, match="Line 2 of the extract is not UTF-8"):
        read_extract(path, encoding="utf-8", today=TODAY)


FAULTS = {
    f"{ANNA[:9]},opted-out,2026-01-10,self": "no CPR number",
    "hello,opted-out,2026-01-10,self": "no CPR number",
    f"{BERTA},maybe,2026-01-10,self": "status",
    f"{BERTA},opted-out,2026-02-30,self": "date is none",
    f"{BERTA},opted-out,10/2026,self": "date is none",
    f"{BERTA},opted-out,2026-03-02,self": "future",
    f"{BERTA},opted-out,2026-01-10,": "by is neither",
    f"{BERTA},opted-out,2026-01-10,mother": "by is neither",
    f"{BERTA},opted-out,2026-01-10,guardian": "15 or older",
    f"{CHILD},withdrawn,2026-01-10,self": "younger than 15",
    f"{CHILD},opted-out,2015-01-10,guardian": "birth",
    f"{BERTA},opted-out,2026-01-10": "3 columns",
    f"{BERTA},opted-out,2026-01-10,self,x": "5 columns",
}


def test_every_bad_line_is_reported_without_the_person(extract) -> None:
    """All of them, by line number; no number of a person stands in the report."""
    good = f"{ANNA},opted-out,2026-01-10,self"
    path = extract(good, *FAULTS, "", good)
    with pytest.raises(UnusableExtract) as raised:
        read_extract(path, encoding="utf-8", today=TODAY)
    assert len(raised.value.faults) == len(FAULTS)
    for number, (said, word) in enumerate(zip(raised.value.faults, FAULTS.values(), strict=True), 3):
        assert said.startswith(f"line {number}: "), said
        assert word in said
    told = f"{raised.value} {raised.value.faults}"
    assert not any(number[:6] in told for number in (ANNA, BERTA, CHILD))


def test_both_on_one_day_is_a_fault(extract) -> None:
    """Nobody can tell which came last."""
    path = extract(f"{ANNA},withdrawn,2026-01-10,self", f"{ANNA},opted-out,2026-01-10,self")
    with pytest.raises(UnusableExtract, match=r"line 3: says the opposite of line 2"):
        read_extract(path, encoding="utf-8", today=TODAY)


@pytest.mark.parametrize(
    ("header", "lines", "word"),
    [
        ("", (), "column 'cpr'"),
        ("cpr,status,date", (), "column 'by'"),
        ("cpr,cpr,status,date,by", (), "column 'cpr'"),
        ("cpr,status,date,by,name", (), "other columns"),
        ("cpr,status,date,by", (f'"{ANNA},opted-out,2026-01-10,self',), "quotation mark"),
        ("cpr,status,date,by", (f"{ANNA}\x00,opted-out,2026-01-10,self",), "zero bytes"),
    ],
)
def test_a_file_that_is_no_such_table_is_one_clear_line(extract, header, lines, word) -> None:
    """Columns missing, doubled or unknown; quotation marks; binary files."""
    with pytest.raises(InputError, match=word):
        read_extract(extract(*lines, header=header), encoding="utf-8", today=TODAY)


def test_nothing_is_applied_when_a_line_is_bad(take, extract, database, bodies) -> None:
    """The refusal is recorded with the file's hash."""
    path = extract(f"{ANNA},opted-out,2026-01-10,self", f"{BERTA},x,2026-01-10,self")
    with pytest.raises(UnusableExtract):
        take(path)
    with database.reading() as db:
        assert db.scalars(select(OptOut)).all() == []
    (event,) = bodies()
    assert (event["kind"], event["decision"], event["reason"]) == ("optout.imported", "deny", "optout.faults")
    assert event["details"] == {"faults": 1, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def test_only_the_custodian_imports(take, extract, bodies) -> None:
    """The refusal is recorded; the file isn't looked at."""
    with pytest.raises(Refused):
        take(extract("nonsense"), actor="sofie")
    assert [(event["kind"], event["reason"]) for event in bodies()] == [("optout.imported", "role.missing")]


def test_an_import_counts_and_is_recorded(take, extract, release, view, bodies, entry) -> None:
    """One event for the import, and one for each person whose genome is in the store; no number in any of them."""
    row, _ = release()
    view(row)
    path = extract(f"{ANNA},opted-out,2026-01-10,self", f"{CHILD},opted-out,2026-01-11,guardian")
    done = take(path)
    assert (done.lines, done.opted_out, done.individuals, done.views, done.unchanged) == (2, 2, 1, 1, 0)
    assert entry(ANNA).recorded == day_begins(date(2026, 1, 10))
    assert (entry(CHILD).by, entry(CHILD).source) == ("guardian", "register")
    imported, recorded = bodies()
    assert (imported["kind"], recorded["kind"]) == ("optout.imported", "optout.recorded")
    assert imported["details"]["opted_out"] == 2
    assert imported["details"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    tags = sorted([entry(ANNA).tag, entry(CHILD).tag])
    assert imported["details"]["tags_sha256"] == hashlib.sha256(f"{tags[0]}\n{tags[1]}\n".encode()).hexdigest()
    assert (recorded["subject"], recorded["details"]["state"]) == (entry(ANNA).tag, "opted out")
    assert ANNA not in str(bodies())


def test_the_same_extract_twice_changes_nothing(take, extract, database, bodies) -> None:
    """Also one that tells a whole history, and a full one."""
    path = extract(
        f"{ANNA},opted-out,2025-01-10,self", f"{ANNA},withdrawn,2025-06-10,self", f"{BERTA},opted-out,2025-02-10,self",
        f"{CHILD},withdrawn,2025-03-01,guardian", f"{CHILD},opted-out,2025-02-01,guardian",
    )  # fmt: skip

    def rows():
        with database.reading() as db:
            return [tuple(row) for row in db.execute(select(OptOut.__table__).order_by(OptOut.tag))]

    for full in (False, True):
        take(path, full=full)
        first = rows()
        assert len(first) == 3
        done = take(path, full=full)
        assert rows() == first
        assert (done.opted_out, done.ended, done.unchanged) == (0, 0, 3)


def test_withdrawing_and_opting_out_again(take, extract, entry, release, database) -> None:
    """A withdrawal lets the person back into later releases; a new opt-out keeps them out of all."""
    before, ids = release(created=datetime(2026, 2, 10, 22, tzinfo=UTC))
    after, _ = release(name="r2", created=datetime(2026, 2, 10, 23, tzinfo=UTC))

    def out():
        with database.reading() as db:
            return [bool(optouts.left_out(db, row)) for row in (before, after)]

    take(extract(f"{ANNA},opted-out,2026-01-10,self"))
    assert out() == [True, True]
    done = take(extract(f"{ANNA},withdrawn,2026-02-10,self"))
    assert (done.ended, done.opted_out, done.absent) == (1, 0, 0)
    assert entry(ANNA).ended == day_is_over(date(2026, 2, 10))
    assert out() == [True, False]
    done = take(extract(f"{ANNA},opted-out,2026-02-20,self"))
    assert (done.opted_out, done.again) == (1, 1)
    assert entry(ANNA).ended is None
    assert out() == [True, True]
    assert ids


def test_an_entry_by_command_ends_by_the_persons_own_word_alone(settings, database, log, take, extract, entry) -> None:
    """Not because a full extract lacks it, nor by a withdrawal of an earlier day."""
    genomes.record_opt_out(settings, database, log, actor="karen", cpr=ANNA)
    done = take(extract(f"{BERTA},opted-out,2026-01-10,self"), full=True)
    assert (done.absent, done.kept_guardian) == (0, 0)
    assert take(extract(f"{ANNA},withdrawn,2025-01-10,self")).ended == 0
    assert entry(ANNA).ended is None
    today = utcnow().astimezone().date()
    assert take(extract(f"{ANNA},withdrawn,{today},self")).ended == 1


def test_who_is_in_the_register_and_tells_us_too_stays_out_without_it(settings, database, log, take, extract, entry):
    """What a person told the custodian does not end because the register lists them no more."""
    take(extract(f"{ANNA},opted-out,2026-01-10,self"), full=True)
    genomes.record_opt_out(settings, database, log, actor="karen", cpr=ANNA)
    take(extract(f"{BERTA},opted-out,2026-01-10,self"), full=True)
    assert (entry(ANNA).source, entry(ANNA).ended) == ("command", None)


def test_an_entry_by_sample_follows_the_number_once_it_is_known(
    settings, database, log, take, extract, entry, release
) -> None:
    """A withdrawal by number ends what was recorded by sample, and no entry by sample is left to contradict it."""
    release(people=(("ANNA1", None),))
    genomes.record_opt_out(settings, database, log, actor="karen", dataset="cohort", sample="ANNA1")
    release(name="r2", people=(("ANNA1", ANNA),))
    take(extract(f"{BERTA},opted-out,2026-01-10,self"))
    assert (entry(ANNA).source, entry(ANNA).ended) == ("command", None)
    with database.reading() as db:
        assert db.scalar(select(func.count()).select_from(OptOut)) == 2


def test_a_full_extract_ends_the_entries_that_it_lacks(take, extract, entry, bodies) -> None:
    """A few, at the moment of the import; the person is in the next release again."""
    lines = [f"{cpr},opted-out,2026-01-10,self" for cpr in (f"{day:02d}0270-1234" for day in range(61, 89))]
    take(extract(*lines), full=True)
    begun = utcnow()
    done = take(extract(*lines[1:]), full=True)
    assert (done.ended, done.absent) == (1, 1)
    ended = entry("610270-1234").ended
    assert begun <= ended <= utcnow()
    again = take(extract(*lines), full=True)
    assert (again.opted_out, again.again) == (1, 1)
    assert entry("610270-1234").ended is None
    assert [event["details"]["full"] for event in bodies("optout.imported")] == [True] * 3


def test_a_cut_off_full_extract_is_refused(take, extract, entry, bodies) -> None:
    """It would put people back: nothing of it is applied, not its new entries either, unless the custodian confirms."""
    take(extract(f"{ANNA},opted-out,2026-01-10,self", f"{BERTA},opted-out,2026-01-10,self"), full=True)
    short = extract(f"{ANNA},opted-out,2026-01-10,self", f"{CHILD},opted-out,2026-01-10,guardian")
    with pytest.raises(Refused, match="lacks 1 of the 2 people"):
        take(short, full=True)
    assert (entry(BERTA).ended, entry(CHILD)) == (None, None)
    last = bodies("optout.imported")[-1]
    assert (last["decision"], last["reason"], last["details"]["ending"]) == ("deny", "optout.many_end", 1)
    assert take(short, full=False).ended == 0
    done = take(short, full=True, confirmed=True)
    assert done.absent == 1
    assert entry(BERTA).ended is not None


def test_a_grown_childs_entry_outlives_its_absence(take, extract, entry, monkeypatch) -> None:
    """That the register lists it no more does not show that the person wishes it; their own withdrawal does."""
    line = f"{CHILD},opted-out,2026-01-10,guardian"
    take(extract(line), full=True)
    now = datetime(2030, 1, 12, 12, tzinfo=UTC)

    class Later(datetime):
        """The child's fifteenth birthday is over."""

        @classmethod
        def now(cls, tz=None):
            return now.astimezone(tz)

    monkeypatch.setattr("ngc_workbench.genomes.optouts.register.datetime", Later)
    done = take(extract(f"{ANNA},opted-out,2026-01-10,self"), full=True)
    assert (done.absent, done.kept_guardian) == (0, 1)
    assert entry(CHILD).ended is None
    assert take(extract(f"{CHILD},withdrawn,2030-01-11,self")).ended == 1


def test_a_childs_entry_ends_by_its_absence_while_it_is_a_child(take, extract, entry) -> None:
    """The guardian took it back."""
    take(extract(f"{CHILD},opted-out,2026-01-10,guardian"), full=True)
    done = take(extract(f"{ANNA},opted-out,2026-01-10,self"), full=True, confirmed=True)
    assert (done.absent, done.kept_guardian) == (1, 0)
    assert entry(CHILD).ended is not None


def test_a_hundred_thousand_lines_take_less_than_half_a_minute(take, extract, database) -> None:
    """With progress, in one transaction."""
    days = [date(1940, 1, 1) + timedelta(days=at) for at in range(20_000)]
    lines = [
        f"{day.day + 60:02d}{day:%m%y}{serial},opted-out,2026-01-10,self"
        for day in days for serial in ("0001", "0002", "0003", "1004", "2005")
    ]  # fmt: skip
    said: list[str] = []
    begun = time.monotonic()
    done = take(extract(*lines), full=True, progress=said.append)
    assert time.monotonic() - begun < 30
    assert (done.lines, done.opted_out) == (100_000, 100_000)
    assert len(said) > 20
    with database.reading() as db:
        assert db.scalar(select(func.count()).select_from(OptOut).where(OptOut.sealed.is_not(None))) == 100_000
