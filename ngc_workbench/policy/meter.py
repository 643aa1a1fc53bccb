"""How much a session may show to a browser, and what holds when it showed more.

What is counted is bytes that the gateway sent to a person's browser in one project, over all of their sessions there: who stops and
starts again has no new allowance. The *running hour* is a clock hour (UTC), a *day* the running hour and the 23 before it.

A pause is a **hold**: until a security officer releases it, the session stands still, and none starts in its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ngc_workbench.errors import InputError
from ngc_workbench.policy.decision import Decision, allow, deny

HOUR = "meter.hour"
DAY = "meter.day"
BY_HAND = "officer.paused"
MEGABYTE = 1_000_000
SHORTEST_REASON = 10
"""Characters that a reason has, at least."""
NEAR = 0.8
"""The share of a threshold from which a person is told how near it is."""
OTHER = "other"

_KIND = re.compile(r"[a-z][a-z0-9]*(?:[./+_-][a-z0-9]+)*")
_LONGEST_KIND = 40
_LARGEST_MB = 1_000_000
_ZONE = ZoneInfo("Europe/Copenhagen")


@dataclass(frozen=True)
class Thresholds:
    """Bytes that may be shown in the running hour and in a day; `kinds` bounds the hour by kind of traffic too."""

    hour: int = 200 * MEGABYTE
    day: int = 1000 * MEGABYTE
    kinds: Mapping[str, int] = field(default_factory=lambda: {"terminal": 20 * MEGABYTE})


@dataclass(frozen=True)
class Used:
    """Bytes that count: in a day, and in the running hour by kind."""

    day: int = 0
    kinds: Mapping[str, int] = field(default_factory=dict)

    @property
    def hour(self) -> int:
        """In the running hour, of any kind."""
        return sum(self.kinds.values())


@dataclass(frozen=True)
class Reading:
    """One threshold beside what was shown: `kind` is empty for all kinds together."""

    reason: str
    shown: int
    limit: int
    kind: str = ""

    @property
    def share(self) -> float:
        """Shown, as a share of the threshold; a threshold of nothing is passed by the first byte."""
        return self.shown / self.limit if self.limit else float(self.shown)


@dataclass(frozen=True)
class Pause:
    """What is known of a pause: the rule, since when, and for the meter's own what it read. `why` are an officer's words."""

    reason: str
    since: datetime
    kind: str = ""
    shown: int = 0
    limit: int = 0
    why: str = ""


def kind_of(text: str) -> str:
    """The kind under which bytes are counted: a short word or a media type as it is, anything else `other`."""
    return text if len(text) <= _LONGEST_KIND and _KIND.fullmatch(text) else OTHER


def thresholds(default: Thresholds, limits: Mapping[str, Any]) -> Thresholds:
    """The installation's thresholds with a project's own (`checked_limits`) in their place."""
    kinds = {**default.kinds, **{kind: mb * MEGABYTE for kind, mb in limits.get("meter_kind_hour_mb", {}).items()}}
    return Thresholds(
        hour=limits["meter_hour_mb"] * MEGABYTE if "meter_hour_mb" in limits else default.hour,
        day=limits["meter_day_mb"] * MEGABYTE if "meter_day_mb" in limits else default.day,
        kinds=kinds,
    )


def checked_limits(hour_mb: int | None, day_mb: int | None, kinds_mb: Mapping[str, int]) -> dict[str, Any]:
    """A project's own thresholds as they are stored, in MB. Raises InputError for what can't be one."""
    for mb in (hour_mb, day_mb, *kinds_mb.values()):
        if mb is not None and not 1 <= mb <= _LARGEST_MB:
            raise InputError(f"{mb} MB can't be a threshold.", f"Give a whole number from 1 to {_LARGEST_MB}.")
    for kind in kinds_mb:
        if kind_of(kind) != kind:
            raise InputError(f"{kind!r} is no kind of traffic.", "Name one that the session's table shows: terminal.")
    limits: dict[str, Any] = {}
    if hour_mb is not None:
        limits["meter_hour_mb"] = hour_mb
    if day_mb is not None:
        limits["meter_day_mb"] = day_mb
    if kinds_mb:
        limits["meter_kind_hour_mb"] = dict(kinds_mb)
    return limits


def readings(used: Used, allowed: Thresholds) -> list[Reading]:
    """Each threshold beside what was shown; the nearest to its end, or the furthest beyond it, first."""
    found = [Reading(HOUR, used.hour, allowed.hour), Reading(DAY, used.day, allowed.day)]
    found += [Reading(HOUR, used.kinds.get(kind, 0), limit, kind) for kind, limit in sorted(allowed.kinds.items())]
    return sorted(found, key=lambda reading: reading.share, reverse=True)


def near(used: Used, allowed: Thresholds) -> Reading | None:
    """The threshold that the person should be told of: the nearest, from four fifths of it on."""
    nearest = readings(used, allowed)[0]
    return nearest if nearest.share >= NEAR else None


def over(used: Used, allowed: Thresholds) -> Reading | None:
    """The threshold that was passed furthest; None when each holds. Exactly a threshold is not beyond it."""
    furthest = readings(used, allowed)[0]
    return furthest if furthest.shown > furthest.limit else None


def judge(used: Used, allowed: Thresholds) -> Decision:
    """Whether a session may go on showing."""
    found = over(used, allowed)
    if found is None:
        return allow("meter.within", "within the project's thresholds")
    return deny(found.reason, _passed(found.reason, found.kind, found.shown, found.limit), _NEXT)


def may_start(*, held: bool, used: Used, allowed: Thresholds) -> Decision:
    """Whether a session may start in a project in which the person was shown `used`; `held`: by a pause not yet released."""
    if held:
        return deny(
            "session.held",
            "Your session in this project was paused, and the pause has not been released.",
            "The project's page says why. The security officer was told, and decides.",
        )
    return judge(used, allowed)


def may_release(officer: str, person: str) -> Decision:
    """Whether an officer may release a pause of `person`'s; that the role allows it was asked before."""
    if officer == person:
        return deny(
            "session.own", "Nobody releases their own session.", "Another security officer looks at it and decides."
        )
    return allow("officer.released", "released by a security officer")


def reason_given(text: str) -> str:
    """A reason fit for the record. Raises InputError for one too short to say anything."""
    reason = " ".join(text.split())
    if len(reason) < SHORTEST_REASON:
        raise InputError("The reason is missing or too short.", f"Write at least {SHORTEST_REASON} characters.")
    return reason[:1000]


_NEXT = (
    "The security officer was told and decides whether it goes on. Until then it stands still, and nothing in it is lost; "
    "its page in the portal shows when it goes on."
)
_NEXT_DANISH = (
    "Sikkerhedsmedarbejderen har fået besked og afgør, om den fortsætter. Indtil da står den stille, og intet i den går tabt; "
    "dens side i portalen viser, når den kører videre."
)


def said(pause: Pause) -> tuple[str, str]:
    """What a request to a paused session is answered: what happened, and what happens next.

    An officer's own words stand in the portal alone: who asks at a session's address has not proved yet who they are.
    """
    what = _passed(pause.reason, pause.kind, pause.shown, pause.limit)
    return f"This session has been paused since {_clock(pause.since)}. {what}", _NEXT


def said_in_danish(pause: Pause) -> str:
    """The same in Danish."""
    kind = f" af slagsen {pause.kind}" if pause.kind else ""
    span = "i løbet af en time" if pause.reason == HOUR else "i løbet af et døgn"
    numbers = f"{_mb(pause.shown)} MB mod {_mb(pause.limit)} MB".replace(".", ",")
    what = (
        "En sikkerhedsmedarbejder satte den på pause."
        if pause.reason == BY_HAND
        else f"Browseren fik vist mere{kind} {span}, end projektets grænse tillader: {numbers}."
    )
    return f"Sessionen har været sat på pause siden {_clock(pause.since)}. {what} {_NEXT_DANISH}"


def _passed(reason: str, kind: str, shown: int, limit: int) -> str:
    if reason == BY_HAND:
        return "A security officer paused it."
    of_kind = f" of the kind {kind}" if kind else ""
    span = "in one hour" if reason == HOUR else "in one day"
    return f"More{of_kind} was shown to the browser {span} than the project's threshold: {_mb(shown)} MB of {_mb(limit)} MB."


def _mb(count: int) -> str:
    return f"{count / MEGABYTE:.1f}".removesuffix(".0")


def _clock(moment: datetime) -> str:
    """By Danish clocks, in figures that read alike in both languages."""
    return f"{moment.astimezone(_ZONE):%H:%M (%Y-%m-%d)}"


def known_kinds(kinds: Iterable[str]) -> list[str]:
    """Kinds in the order of a table: `other` last."""
    return sorted(set(kinds), key=lambda kind: (kind == OTHER, kind))
