"""When an entry of the tissue-use register keeps a person out of a release, and what an extract may change.

Doubt keeps a person out: an entry that ended lets them back into releases made afterwards alone, a guardian's entry
outlives the fifteenth birthday, and an extract that would end many entries at once is taken for a cut-off file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ngc_workbench.policy.decision import Decision, allow, deny

OWN_DECISION_AGE = 15
"""Years from which a patient decides alone (Danish Health Act, section 17); before that, a holder of custody does."""

MOST_ENDED_PERCENT = 5
"""An extract that would end more than this share of the register's entries is not applied unasked."""

_ZONE = ZoneInfo("Europe/Copenhagen")


@dataclass(frozen=True)
class Entry:
    """What is held of one person: since when they are out, by whom, and when that ended (None: it stands)."""

    recorded: datetime
    by: str
    source: str
    ended: datetime | None = None

    @property
    def stands(self) -> bool:
        """Whether the person is out of all releases, whenever made."""
        return self.ended is None or self.ended <= self.recorded


@dataclass(frozen=True)
class Statement:
    """One line of an extract: what a person (`self`) or a child's `guardian` said on a day."""

    opted_out: bool
    day: date
    by: str


def is_left_out(*, recorded: datetime, ended: datetime | None, release_created: datetime) -> bool:
    """Whether a person with such an entry is kept out of a release.

    An entry that stands keeps them out of every release. One that ended still keeps them out of those made before the
    end: they come back with the next release. An end before the entry itself is older news, and ends nothing.
    """
    return ended is None or ended <= recorded or release_created < ended


def day_begins(day: date) -> datetime:
    """The first moment of a day by Danish clocks: from then on an opt-out of that day counts."""
    return datetime.combine(day, time(), _ZONE)


def day_is_over(day: date) -> datetime:
    """The first moment after a day by Danish clocks: releases made from then on may hold somebody who withdrew that day."""
    return day_begins(day + timedelta(days=1))


def age(born: date, day: date) -> int:
    """Whole years on a day; somebody born on 29 February is a year older on 1 March."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def fault(statement: Statement, born: date | None, today: date) -> str:
    """What makes a statement impossible, in words for a report by line; empty when nothing does.

    `born` is None where the CPR number holds no date: nobody can then speak for a child.
    """
    if statement.day > today:
        return "the date lies in the future"
    if born is not None and statement.day < born:
        return "the date lies before the person's birth"
    if statement.by == "guardian":
        if born is None:
            return "the entry is a guardian's, but the CPR number holds no date of birth"
        if age(born, statement.day) >= OWN_DECISION_AGE:
            return f"the entry is a guardian's, but the person was {OWN_DECISION_AGE} or older on that day"
    elif not statement.opted_out and born is not None and age(born, statement.day) < OWN_DECISION_AGE:
        return f"the person withdrew alone, but was younger than {OWN_DECISION_AGE} on that day"
    return ""


def apply(entry: Entry | None, said: Statement) -> Entry:
    """The entry after a statement; statements about one person are applied by day.

    An opt-out always leaves an entry that stands. A withdrawal ends it, unless the person opted out on a later day. A
    withdrawal from an entry that we never had still keeps the person out of earlier releases.
    """
    begins, over = day_begins(said.day), day_is_over(said.day)
    if entry is None:
        return Entry(begins, said.by, "register", None if said.opted_out else over)
    if said.opted_out:
        if entry.stands:
            # Grown up, they say it themselves: from now on only they can take it back.
            return replace(entry, by="self") if said.by == "self" else entry
        return Entry(begins, said.by, "register")
    if entry.recorded >= over:
        return entry
    ended = over if entry.ended is None else max(entry.ended, over)
    return replace(entry, ended=ended)


def ends_by_absence(entry: Entry, born: date | None, today: date) -> bool:
    """Whether an entry ends because a full extract no longer lists the person.

    Only the register's own entries do. A guardian's entry for somebody who is old enough by now does not: that they are
    gone from the register does not show that they themselves wish it.
    """
    if entry.source != "register" or not entry.stands:
        return False
    return entry.by != "guardian" or (born is not None and age(born, today) < OWN_DECISION_AGE)


def may_end(*, standing: int, ending: int, confirmed: bool) -> Decision:
    """Whether a full extract may end `ending` of `standing` entries of the register because it does not list them."""
    if ending == 0 or ending * 100 <= standing * MOST_ENDED_PERCENT:
        return allow("optout.few_end", "few entries end")
    if confirmed:
        return allow("optout.end_confirmed", "the custodian confirmed that many entries end")
    return deny(
        "optout.many_end",
        f"The extract lacks {ending} of the {standing} people who are in the register so far: it may be cut off.",
        "Compare it with what the register sent. When it is whole, repeat with --confirm.",
    )
