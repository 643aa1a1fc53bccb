r"""The filter language for cohorts: `age >= 40 and sex == "female" and not case`.

    filter      any {"or" any}                  any   = each {"and" each}
    each        "not" each | "(" filter ")" | term
    term        NAME ("==" | "!=" | "<" | "<=" | ">" | ">=") literal
              | NAME ["not"] "in" "(" literal {"," literal} ")"
              | NAME "startswith" TEXT  |  NAME "is" ["not"] "missing"  |  NAME     (a yes/no column)
    literal     NUMBER | TEXT in double quotes (\" and \\ inside) | "true" | "false"

A parser of its own and no evaluation of code: what is not in this grammar can't be said. Names, types and codes are
checked against the release's columns, with the position of the fault. Of dates only `is missing` can be asked:
projects see them shifted, and cohorts cut at true dates would tell by how much.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, NoReturn

from ngc_workbench.errors import InputError
from ngc_workbench.genomes.phenotypes.codes import SYSTEMS
from ngc_workbench.genomes.phenotypes.conditions import (
    COMPARISONS,
    Comparison,
    Condition,
    Holds,
    IsMissing,
    Literal,
    OneOf,
    StartsWith,
    join,
)
from ngc_workbench.genomes.phenotypes.fields import MOST_WHOLE
from ngc_workbench.genomes.phenotypes.names import WORDS
from ngc_workbench.genomes.phenotypes.values import Column, Value
from ngc_workbench.pseudonyms import find_cpr

MOST_CHARACTERS = 10_000
MOST_DEPTH = 32
_NUMBERS = frozenset({"int32", "int64", "float64"})
_TOKEN = re.compile(
    r"""(?P<blank>[ \t\r\n]+)
    |(?P<number>-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?(?![A-Za-z0-9_.]))
    |(?P<text>"(?:[^"\\\x00-\x1f]|\\["\\])*")
    |(?P<name>[A-Za-z][A-Za-z0-9_]*)
    |(?P<sign>==|!=|<=|>=|<|>|\(|\)|,)""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Filter:
    """A filter over a release's phenotypes. Equal when the canonical texts, `str(filter)`, are."""

    text: str
    fields: frozenset[str] = field(compare=False)
    _root: Condition = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: str, columns: Sequence[Column]) -> Filter:
        """Reads a filter over `columns`. Raises InputError with the position of what is wrong, counted from 1."""
        if len(text) > MOST_CHARACTERS:
            raise InputError(f"The filter has more than {MOST_CHARACTERS} characters.", "Write it shorter.")
        if find_cpr(text):
            raise InputError(
                "The filter holds a CPR number.", "Filters describe groups; give a list of people instead."
            )
        root = _Parser(text, columns).whole()
        canonical = root.text()
        # De Morgan may lengthen a text, and what is written down must be readable again.
        if len(canonical) > MOST_CHARACTERS:
            raise InputError(f"The filter has more than {MOST_CHARACTERS} characters.", "Write it shorter.")
        _Parser(canonical, columns).whole()
        return cls(canonical, frozenset(root.columns()), root)

    def matches(self, values: Sequence[Value]) -> bool:
        """Whether a person with these values, one for each of the columns it was read with, is in the cohort."""
        return self._root.truth(values) is True

    def __str__(self) -> str:
        return self.text


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


class _Parser:
    """Reads one filter by recursive descent, depth bounded."""

    def __init__(self, text: str, columns: Sequence[Column]) -> None:
        self._text = text
        self._columns = {column.name: (at, column) for at, column in enumerate(columns)}
        self._tokens = self._split(text)
        self._next = 0
        self._depth = 0

    def whole(self) -> Condition:
        """The condition that the whole text is."""
        found = self._any()
        if self._token.kind != "end":
            self._fail("here `and`, `or` or the end was expected")
        return found

    def _split(self, text: str) -> list[_Token]:
        tokens, at = [], 0
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                self._fail("this can't be read", at, remedy=_hint(text[at]))
            if found.lastgroup != "blank":
                tokens.append(_Token(str(found.lastgroup), found.group(), at))
            at = found.end()
        return [*tokens, _Token("end", "", len(text))]

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _take(self, *texts: str) -> bool:
        """Passes over the next token when it is one of the words or signs."""
        if self._token.kind in ("name", "sign") and self._token.text in texts:
            self._next += 1
            return True
        return False

    def _need(self, text: str) -> None:
        if not self._take(text):
            self._fail(f"here `{text}` was expected")

    def _fail(self, what: str, at: int | None = None, remedy: str = "") -> NoReturn:
        at = self._token.at if at is None else at
        near = self._text[at : at + 20]
        place = f'position {at + 1} ("{near}")' if near else "its end"
        raise InputError(
            f"The filter can't be used, at {place}: {what}.",
            remedy or 'A filter reads like: age >= 40 and sex == "female" and not case.',
        )

    def _any(self) -> Condition:
        terms = [self._each()]
        while self._take("or"):
            terms.append(self._each())
        return join("or", terms)

    def _each(self) -> Condition:
        terms = [self._one()]
        while self._take("and"):
            terms.append(self._one())
        return join("and", terms)

    def _one(self) -> Condition:
        at = self._token.at
        if self._take("not"):
            self._deeper(at)
            found = self._one().negated()
        elif self._take("("):
            self._deeper(at)
            found = self._any()
            self._need(")")
        else:
            return self._term()
        self._depth -= 1
        return found

    def _deeper(self, at: int) -> None:
        self._depth += 1
        if self._depth > MOST_DEPTH:
            self._fail(f"brackets and `not` are nested deeper than {MOST_DEPTH}", at, "Write it flatter.")

    def _term(self) -> Condition:
        token = self._token
        if token.kind != "name" or token.text in WORDS:
            self._fail("here the name of a phenotype was expected")
        if token.text not in self._columns:
            self._fail("there is no such phenotype", remedy=f"There are: {', '.join(self._columns) or 'none'}.")
        at, column = self._columns[token.text]
        self._next += 1
        if self._take("is"):
            missing = not self._take("not")
            self._need("missing")
            return IsMissing(column.name, at, missing)
        if column.type == "date":
            self._fail(
                "of dates only `is missing` can be asked, as projects see them shifted", token.at,
                "Ask for an age, or let the schema make a category of the period.",
            )  # fmt: skip
        if self._token.kind == "sign" and self._token.text in COMPARISONS:
            return self._comparison(at, column)
        if self._take("startswith"):
            return StartsWith(column.name, at, self._beginning(column))
        inside = not self._take("not")
        if self._take("in"):
            return self._one_of(at, column, inside=inside)
        if not inside:
            self._fail("here `in` was expected")
        if column.type != "bool":
            self._fail("here a comparison was expected: only a yes/no phenotype can stand alone")
        return Holds(column.name, at)

    def _comparison(self, at: int, column: Column) -> Condition:
        sign = self._token
        if sign.text not in ("==", "!=") and column.type not in _NUMBERS:
            self._fail("only numbers are less or more", remedy="Use ==, !=, in or startswith.")
        self._next += 1
        literal = self._literal(column)
        if column.type == "bool":
            return Holds(column.name, at, (sign.text == "==") is bool(literal))
        return Comparison(column.name, at, sign.text, literal)

    def _one_of(self, at: int, column: Column, *, inside: bool) -> Condition:
        if column.type == "bool":
            self._fail("a yes/no phenotype has no list", remedy=f"Write {column.name}, or not {column.name}.")
        self._need("(")
        literals = [self._literal(column)]
        while self._take(","):
            literals.append(self._literal(column))
        self._need(")")
        # All are numbers, or all are texts: `_literal` sees to it.
        different = sorted(set(literals))
        if len(different) == 1:
            return Comparison(column.name, at, "==" if inside else "!=", different[0])
        return OneOf(column.name, at, tuple(different), inside)

    def _literal(self, column: Column) -> Literal:
        token = self._token
        if column.type in _NUMBERS:
            if token.kind != "number":
                self._fail(f"{column.name} is a number, and here is none")
            literal: Literal = self._number(token)
        elif column.type == "bool":
            if token.text not in ("true", "false") or token.kind != "name":
                self._fail(f"{column.name} is yes or no: true or false was expected")
            literal = token.text == "true"
        else:
            literal = self._known(column, self._quoted(column))
        self._next += 1
        return literal

    def _number(self, token: _Token) -> int | float:
        """Whole where it is whole, so that 40 and 40.0 are one."""
        whole = re.fullmatch(r"-?[0-9]+", token.text) is not None
        value = int(token.text) if whole and len(token.text) < 50 else float(token.text)
        if not math.isfinite(value) or (whole and abs(value) >= MOST_WHOLE):
            self._fail("the number is too large")
        return int(value) if value == int(value) and abs(value) < MOST_WHOLE else value

    def _quoted(self, column: Column) -> str:
        if self._token.kind != "text":
            self._fail(f'{column.name} is a text: one in "double quotes" was expected')
        return re.sub(r"\\(.)", r"\1", self._token.text[1:-1])

    def _known(self, column: Column, text: str) -> str:
        """The text as it is kept. What can't occur is refused: a misspelt value would make a cohort of nobody."""
        system = SYSTEMS.get(column.system or "")
        kept = system.normalise(text) if system else text
        if system and kept is None:
            self._fail(f"no code of {system.name} is written so", remedy=f"One reads like {system.example}.")
        if kept is None or (column.values and kept not in column.values):
            some = ", ".join(column.values[:10]) + (", …" if len(column.values) > 10 else "")
            self._fail(f"{column.name} has no such value", remedy=f"It has: {some}.")
        return kept

    def _beginning(self, column: Column) -> str:
        if column.type != "str":
            self._fail("only a text starts with something")
        text = self._quoted(column)
        system = SYSTEMS.get(column.system or "")
        kept = system.normalise_beginning(text) if system else text
        if not kept:
            what = f"no code of {system.name} begins so" if system else "the beginning is empty"
            self._fail(what)
        self._next += 1
        return kept


def _hint(character: str) -> str:
    return {
        "'": 'Texts stand in "double quotes".',
        '"': "The text is not closed, or has a backslash before something else than a quotation mark.",
        "=": "Write == for equal.",
        "&": "Write `and`.",
        "|": "Write `or`.",
        "!": "Write `not`, or != for unequal.",
    }.get(character, "")
