"""The terms of a filter: their truth for a person, and how they are written.

Truth has three values. A comparison with a missing value is neither true nor false but unknown (None), as is its
negation; `and` and `or` follow Kleene's strong logic, as SQL does. A person is in a cohort when the whole is true.

In this logic De Morgan's laws hold, and `not age < 40` is `age >= 40`. So negations are pushed down to the comparisons,
nested `and` and `or` are joined, and their terms sorted: two ways to write the same often become one, and share a cut.
"""

from __future__ import annotations

import math
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ngc_workbench.genomes.phenotypes.values import Value

Literal = int | float | str
Truth = bool | None

COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def write_literal(value: Literal) -> str:
    """A number or a text as the filter language writes it."""
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return repr(value)


class Condition(ABC):
    """A term of a filter."""

    @abstractmethod
    def truth(self, values: Sequence[Value]) -> Truth:
        """Whether it holds for a person's values (one for each column of the release); None when that is unknown."""

    @abstractmethod
    def negated(self) -> Condition:
        """The term that is true where this is false, false where it is true, unknown where it is unknown."""

    @abstractmethod
    def text(self) -> str:
        """How it is written."""

    @abstractmethod
    def columns(self) -> Iterator[str]:
        """The names of columns that it asks."""


@dataclass(frozen=True)
class _OfColumn(Condition):
    """A term about one column, which stands at `at`."""

    name: str
    at: int

    def columns(self) -> Iterator[str]:
        """Its own."""
        yield self.name

    def value(self, values: Sequence[Value]) -> Value:
        """The person's value; a number that is none (NaN) is missing too."""
        value = values[self.at]
        return None if isinstance(value, float) and math.isnan(value) else value


@dataclass(frozen=True)
class Comparison(_OfColumn):
    """`age >= 40`."""

    sign: str
    literal: Literal

    def truth(self, values: Sequence[Value]) -> Truth:
        """Unknown for a missing value."""
        value = self.value(values)
        return None if value is None else COMPARISONS[self.sign](value, self.literal)

    def negated(self) -> Condition:
        """With the opposite sign."""
        return Comparison(self.name, self.at, _OPPOSITE[self.sign], self.literal)

    def text(self) -> str:
        """Name, sign, literal."""
        return f"{self.name} {self.sign} {write_literal(self.literal)}"


@dataclass(frozen=True)
class OneOf(_OfColumn):
    """`diagnosis in ("DE10", "DE11")`, or `not in`; the literals sorted, each once, two or more."""

    literals: tuple[Literal, ...]
    inside: bool = True

    def truth(self, values: Sequence[Value]) -> Truth:
        """Unknown for a missing value."""
        value = self.value(values)
        return None if value is None else (value in self.literals) is self.inside

    def negated(self) -> Condition:
        """`not in`."""
        return OneOf(self.name, self.at, self.literals, not self.inside)

    def text(self) -> str:
        """With the list in brackets."""
        listed = ", ".join(write_literal(literal) for literal in self.literals)
        return f"{self.name} {'in' if self.inside else 'not in'} ({listed})"


@dataclass(frozen=True)
class StartsWith(_OfColumn):
    """`diagnosis startswith "DE1"`, or `not` that."""

    beginning: str
    positive: bool = True

    def truth(self, values: Sequence[Value]) -> Truth:
        """Unknown for a missing value."""
        value = self.value(values)
        return None if value is None else str(value).startswith(self.beginning) is self.positive

    def negated(self) -> Condition:
        """With `not`."""
        return StartsWith(self.name, self.at, self.beginning, not self.positive)

    def text(self) -> str:
        """The `not` stands before the name."""
        return f"{'' if self.positive else 'not '}{self.name} startswith {write_literal(self.beginning)}"


@dataclass(frozen=True)
class Holds(_OfColumn):
    """`case`, or `not case`: a column of yes/no values."""

    positive: bool = True

    def truth(self, values: Sequence[Value]) -> Truth:
        """Unknown for a missing value."""
        value = self.value(values)
        return None if value is None else value is self.positive

    def negated(self) -> Condition:
        """With `not`."""
        return Holds(self.name, self.at, not self.positive)

    def text(self) -> str:
        """The name alone."""
        return f"{'' if self.positive else 'not '}{self.name}"


@dataclass(frozen=True)
class IsMissing(_OfColumn):
    """`weight is missing`, or `is not missing`: never unknown."""

    missing: bool = True

    def truth(self, values: Sequence[Value]) -> Truth:
        """True or false."""
        return (self.value(values) is None) is self.missing

    def negated(self) -> Condition:
        """`is not missing`."""
        return IsMissing(self.name, self.at, not self.missing)

    def text(self) -> str:
        """With `is`."""
        return f"{self.name} is {'' if self.missing else 'not '}missing"


@dataclass(frozen=True)
class Junction(Condition):
    """Two or more terms, all of which (`and`) or one of which (`or`) must hold. Made by `join`."""

    word: str
    terms: tuple[Condition, ...]

    def truth(self, values: Sequence[Value]) -> Truth:
        """`and`: false beats unknown beats true; `or`: true beats unknown beats false."""
        decisive = self.word == "or"
        unknown = False
        for term in self.terms:
            truth = term.truth(values)
            if truth is decisive:
                return decisive
            unknown = unknown or truth is None
        return None if unknown else not decisive

    def negated(self) -> Condition:
        """By De Morgan."""
        return join("or" if self.word == "and" else "and", [term.negated() for term in self.terms])

    def text(self) -> str:
        """`or` inside `and` is bracketed; `and` binds closer."""
        bracketed = self.word == "and"
        return f" {self.word} ".join(
            f"({term.text()})" if bracketed and isinstance(term, Junction) else term.text() for term in self.terms
        )

    def columns(self) -> Iterator[str]:
        """Of all terms."""
        for term in self.terms:
            yield from term.columns()


def join(word: str, terms: Sequence[Condition]) -> Condition:
    """Terms joined by `and` or `or`: nested ones of the same word are opened, each stands once, sorted by text."""
    flat: dict[str, Condition] = {}
    for term in terms:
        opened = term.terms if isinstance(term, Junction) and term.word == word else (term,)
        flat.update((one.text(), one) for one in opened)
    ordered = tuple(flat[text] for text in sorted(flat))
    return ordered[0] if len(ordered) == 1 else Junction(word, ordered)
