"""What a check found: places, texts and remedies, bounded however many defects a file has."""

from __future__ import annotations

from bisect import insort
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from ngc_workbench.errors import InputError
from ngc_workbench.genomes.preflight.kinds import KINDS
from ngc_workbench.pseudonyms import find_cpr

PLACES = 6
"""Places kept of a kind: the first, and up to five later ones."""
_MOST_GROUPS = 400
_MOST_TOLD = 60
_SHOWN = 30

Place = tuple[str, int]
"""("line", n) counted from 1, ("byte", n) counted from 0, or ("", 0) for the file as a whole."""
WHOLE: Place = ("", 0)


@dataclass(frozen=True)
class Finding:
    """A defect, or something worth knowing, of a file.

    `file` is its base name; `where` is "line 12", "byte 4711" or ""; `also` are up to five later places; `count` is how
    many such the file has; `severity` is "defect" or "note"; `accept` is the option that would make a note of it.
    """

    kind: str
    file: str
    where: str
    text: str
    remedy: str
    count: int
    severity: str
    accept: str | None
    also: tuple[str, ...] = ()

    def told(self) -> str:
        """One readable sentence and the remedy."""
        place = f", {self.where}" if self.where else ""
        more = ""
        if self.count > 1:
            later = ", also " + ", ".join(self.also) if self.also else ""
            more = f" ({self.count} such{later})"
        name = f"{self.file}{place}: " if self.file else ""
        return f"{name}{self.text}{more}. {self.remedy}"


class DefectsFound(InputError):
    """Files have defects. `findings` are all findings; `what` is the report, a line for each defect."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__(report(self.findings), _summary(self.findings))


def report(findings: Iterable[Finding]) -> str:
    """The defects, a line each, at most 60 of them."""
    told = [finding.told() for finding in findings if finding.severity == "defect"]
    if len(told) > _MOST_TOLD:
        told = [*told[:_MOST_TOLD], f"… and {len(told) - _MOST_TOLD} more kinds of defects."]
    return "\n".join(told)


def _summary(findings: Iterable[Finding]) -> str:
    options = sorted({one.accept for one in findings if one.severity == "defect" and one.accept})
    accepted = f" Some of it can be accepted: {', '.join(options)}." if options else ""
    return f"Mend the files and start again.{accepted}"


def shown(raw: bytes | str) -> str:
    """A name from a file, fit for a message: bounded, printable, and never a CPR number."""
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    if find_cpr(text[: 4 * _SHOWN]):
        return "(not shown: it looks like a CPR number)"
    cut = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return ascii(cut) if not cut.isprintable() else f"'{cut}'"


@dataclass
class _Group:
    """`places` are the first of the file, with their texts."""

    count: int = 0
    places: list[tuple[Place, str]] = field(default_factory=list)

    def add(self, place: Place, text: str) -> None:
        """Parts of a file tell in any order; the first places of the file are kept."""
        places = self.places
        if len(places) < PLACES or place < places[-1][0]:
            if any(known == place for known, _ in places):
                return
            insort(places, (place, text))
            del places[PLACES:]


class Findings:
    """Collects what one reader finds in one file. Bounded: a count and a few places for each kind and detail."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str], _Group] = {}

    def add(self, kind: str, place: Place, text: str, detail: str = "", times: int = 1) -> None:
        """Notes it. `detail` parts findings of one kind that need different mending, such as the name of a field."""
        group = self._groups.get((kind, detail))
        if group is None:
            if len(self._groups) >= _MOST_GROUPS:
                kind, detail, text = "more-not-counted", "", "there are more findings than are told"
                group = self._groups.get((kind, detail))
            if group is None:
                group = self._groups[kind, detail] = _Group()
        group.count += times
        group.add(place, text)

    def has(self, kind: str) -> bool:
        """Whether there is a finding of the kind."""
        return any(found == kind for found, _ in self._groups)

    def count(self, kind: str) -> int:
        """How many of the kind there are."""
        return sum(group.count for (found, _), group in self._groups.items() if found == kind)

    def merge(self, later: Findings, lines_before: int) -> None:
        """Takes over what a reader of a later part found, whose lines were counted from its own first."""
        for (kind, detail), group in later._groups.items():
            times = group.count
            for (word, at), text in group.places:
                self.add(kind, (word, at + lines_before if word == "line" else at), text, detail, times)
                times = 0

    def finish(self, file: str, accept: Collection[str], *, gvcf: bool) -> list[Finding]:
        """The findings of a file in the order of their places; those of gVCF alone only when it is one."""
        found = []
        for (kind, _), group in self._groups.items():
            known = KINDS[kind]
            if known.gvcf_only and not gvcf:
                continue
            severity = known.severity
            if known.accept in accept:
                severity = "note"
            elif kind == "other-field" and gvcf:
                severity = "defect"  # of a gVCF, all fields are stored
            first, text = group.places[0]
            where, *also = [_told(place) for place, _ in group.places]
            one = Finding(kind, file, where, text, known.remedy, group.count, severity, known.accept, tuple(also))
            found.append((first, one))
        return [one for _, one in sorted(found, key=lambda entry: entry[0])]


def _told(place: Place) -> str:
    word, at = place
    return f"{word} {at}" if word else ""


def across(kind: str, file: str, text: str, count: int = 1) -> Finding:
    """A finding about several files; `file` is the later one."""
    known = KINDS[kind]
    return Finding(kind, file, "", text, known.remedy, count, known.severity, known.accept)
