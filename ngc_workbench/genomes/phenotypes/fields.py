"""The types of a schema's columns: what a cell may hold, and what becomes of it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from ngc_workbench.genomes.phenotypes.codes import SYSTEMS, System
from ngc_workbench.genomes.phenotypes.dates import ISO, age_in_tenths, parse_date
from ngc_workbench.genomes.phenotypes.values import Column, Value

MOST_WHOLE = 10**18
_WHOLE = re.compile(r"(-?)([0-9]{1,18})(?:\.0*)?")
_DECIMAL = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?")
_YES, _NO = frozenset({"true", "yes", "ja", "1"}), frozenset({"false", "no", "nej", "0"})
_OLDEST = 130


class Misfit(Exception):
    """A cell that does not fit; the text says how, and never repeats the cell."""


@dataclass(frozen=True)
class Field:
    """A declared column. `required`: each row has a value; `optional`: the column itself may be missing."""

    name: str
    description: str = ""
    description_da: str = ""
    required: bool = False
    optional: bool = False

    def column(self) -> Column:
        """The column of the release that this becomes."""
        raise NotImplementedError

    def cell(self, text: str) -> Value:
        """The value of a cell that is not missing. Raises Misfit."""
        raise NotImplementedError

    def _column(self, kind: str, stored: str, **more: object) -> Column:
        return Column(
            self.name, stored, kind=kind, description=self.description, description_da=self.description_da,
            **more,  # type: ignore[arg-type]
        )  # fmt: skip


def _check_range(value: float, least: float | None, most: float | None) -> None:
    if least is not None and value < least:
        raise Misfit(f"less than {least}")
    if most is not None and value > most:
        raise Misfit(f"more than {most}")


@dataclass(frozen=True)
class IntegerField(Field):
    """Whole numbers; `54.0` is one too, as tables with gaps write them."""

    least: int | None = None
    most: int | None = None
    unit: str | None = None

    def column(self) -> Column:
        """Stored in 32 bits when the declared range fits, else in 64."""
        narrow = all(bound is not None and abs(bound) < 2**31 for bound in (self.least, self.most))
        return self._column("integer", "int32" if narrow else "int64", unit=self.unit)

    def cell(self, text: str) -> int:
        """Up to 18 digits."""
        found = _WHOLE.fullmatch(text)
        if found is None:
            raise Misfit("not a whole number")
        value = int(found[1] + found[2])
        _check_range(value, self.least, self.most)
        return value


@dataclass(frozen=True)
class DecimalField(Field):
    """Decimal numbers, with a point."""

    least: float | None = None
    most: float | None = None
    unit: str | None = None

    def column(self) -> Column:
        """Stored in double precision."""
        return self._column("decimal", "float64", unit=self.unit)

    def cell(self, text: str) -> float:
        """Finite."""
        if _DECIMAL.fullmatch(text) is None:
            raise Misfit("not a decimal number" + (" (a decimal comma?)" if "," in text else ""))
        value = float(text)
        if not math.isfinite(value):
            raise Misfit("too large for a decimal number")
        _check_range(value, self.least, self.most)
        return value


@dataclass(frozen=True)
class YesNoField(Field):
    """Yes or no; English, Danish, or 1 and 0."""

    def column(self) -> Column:
        """Stored as true and false."""
        return self._column("yes_no", "bool")

    def cell(self, text: str) -> bool:
        """In either case of letters."""
        lower = text.lower()
        if lower not in _YES | _NO:
            raise Misfit("neither yes nor no (yes, no, ja, nej, true, false, 1, 0)")
        return lower in _YES


@dataclass(frozen=True)
class CategoryField(Field):
    """One of the listed values."""

    values: tuple[str, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    role: str | None = None

    def column(self) -> Column:
        """With all values that may occur."""
        return self._column("category", "str", values=self.values, texts=tuple(self.texts.items()), role=self.role)

    def cell(self, text: str) -> str:
        """As listed, to the letter."""
        if text not in self.values:
            raise Misfit("not one of the listed values")
        return text


@dataclass(frozen=True)
class CodeField(Field):
    """A code of a system; one of `codes` (to meanings) when they are given, else any that is written as one."""

    system: System = SYSTEMS["ICD-10"]
    codes: Mapping[str, str] | None = None

    def column(self) -> Column:
        """With the listed codes, whose meanings may run to thousands: a custodian gives the list that the data needs."""
        listed = self.codes or {}
        texts = tuple((code, meaning) for code, meaning in listed.items() if meaning)
        return self._column("code", "str", system=self.system.name, values=tuple(listed), texts=texts)

    def cell(self, text: str) -> str:
        """As it is kept: without ICD-10's point."""
        code = self.system.normalise(text)
        if code is None:
            raise Misfit(f"not written as a code of {self.system.name} (such as {self.system.example})")
        if self.codes is not None and code not in self.codes:
            raise Misfit("not in the list of codes")
        return code


@dataclass(frozen=True)
class TextField(Field):
    """Free text, which only a schema can let in."""

    max_length: int = 0

    def column(self) -> Column:
        """Marked as text, so that nothing counts by it."""
        return self._column("text", "str")

    def cell(self, text: str) -> str:
        """Up to `max_length` characters."""
        if len(text) > self.max_length:
            raise Misfit(f"longer than {self.max_length} characters")
        return text


@dataclass(frozen=True)
class DateField(Field):
    """A date that each project sees shifted; the release holds the true one."""

    form: str = ISO
    earliest: date = date.min
    latest: date = date.max

    def column(self) -> Column:
        """Stored as ISO text."""
        return self._column("date", "date")

    def day(self, text: str) -> date:
        """The day that a cell gives. Raises Misfit."""
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ].*", text):
            raise Misfit("a date with a time of day")
        found = parse_date(text, self.form)
        if found is None:
            raise Misfit(f"not a date ({self.form})")
        if found < self.earliest:
            raise Misfit(f"before {self.earliest}")
        if found > self.latest:
            raise Misfit(f"after {self.latest}")
        return found

    def cell(self, text: str) -> Value:
        """In ISO, whatever the form."""
        return self.day(text).isoformat()


@dataclass(frozen=True)
class AgeField(DateField):
    """A date that becomes an age at once, and is not kept. `birth` names the column of birth dates; None: by CPR."""

    birth: str | None = None
    decimals: int = 0
    least: float = 0
    most: float = _OLDEST

    def column(self) -> Column:
        """Completed years, or tenths of years."""
        return self._column("age", "float64" if self.decimals else "int32", unit="years")

    def cell(self, text: str) -> Value:
        """Needs a date of birth: see `age`."""
        raise NotImplementedError

    def age(self, text: str, born: date) -> int | float:
        """The age on the day that a cell gives, in years, rounded down. Raises Misfit."""
        tenths = age_in_tenths(born, self.day(text))
        if tenths < 0:
            raise Misfit("a date before birth")
        age = tenths / 10 if self.decimals else tenths // 10
        _check_range(age, self.least, self.most)
        return age
