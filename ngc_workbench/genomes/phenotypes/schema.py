"""Schemas: which columns a phenotype table has, written by the custodian in TOML (docs/phenotypes.md).

One table `[columns.<name>]` for each column. Unknown keys and types are refused, so that a misspelt rule is not a rule
that silently does nothing.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from ngc_workbench.errors import InputError
from ngc_workbench.genomes.phenotypes import identifying
from ngc_workbench.genomes.phenotypes.codes import SYSTEMS, System, read_list
from ngc_workbench.genomes.phenotypes.dates import EARLIEST, FORMS, ISO, LATEST
from ngc_workbench.genomes.phenotypes.fields import (
    MOST_WHOLE,
    AgeField,
    CategoryField,
    CodeField,
    DateField,
    DecimalField,
    Field,
    IntegerField,
    TextField,
    YesNoField,
)
from ngc_workbench.genomes.phenotypes.names import is_column_name
from ngc_workbench.genomes.phenotypes.values import MISSING

_MOST_BYTES = 1_000_000
_MOST_VALUES = 1_000
_MOST_TEXT = 10_000
_COMMON = frozenset({"type", "description", "description_da", "required", "optional"})
KEYS: Mapping[str, frozenset[str]] = {
    "integer": _COMMON | {"min", "max", "unit"},
    "decimal": _COMMON | {"min", "max", "unit"},
    "yes_no": _COMMON,
    "category": _COMMON | {"values", "texts", "role"},
    "code": _COMMON | {"system", "codes", "codes_file"},
    "date": _COMMON | {"as", "format", "birth", "decimals", "min", "max", "earliest", "latest"},
    "text": _COMMON | {"max_length"},
}
"""The types of columns, and the keys that each may have."""


@dataclass(frozen=True)
class Schema:
    """The declared columns, in the order of the file."""

    fields: tuple[Field, ...]

    @classmethod
    def read(cls, path: Path) -> Schema:
        """Reads a schema. Raises InputError with the place and the remedy for whatever is not as it should be."""
        try:
            if path.stat().st_size > _MOST_BYTES:
                raise InputError(f"{path.name} is larger than 1 MB.", "Put long lists of codes into a `codes_file`.")
            content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"The schema {path.name} can't be read.", "Check its name; it is text in UTF-8."
            ) from error
        except tomllib.TOMLDecodeError as error:
            raise InputError(
                f"{path.name} is not TOML: {error}.", "docs/phenotypes.md has a complete example."
            ) from error
        except RecursionError as error:
            raise InputError(
                f"{path.name} is nested too deep.", "docs/phenotypes.md has a complete example."
            ) from error
        columns = content.pop("columns", None)
        if content:
            raise InputError(
                f"{path.name}: {_shown(next(iter(content)))} is no part of a schema.", "It has tables [columns.<name>]."
            )
        if not isinstance(columns, dict) or not columns:
            raise InputError(f"{path.name} declares no columns.", "Write a table [columns.<name>] for each column.")
        schema = cls(tuple(_Entry(path, name, entry).field() for name, entry in columns.items()))
        groups = [field.name for field in schema.fields if isinstance(field, CategoryField) and field.role]
        if len(groups) > 1:
            raise InputError(
                f"{path.name}: {groups[0]} and {groups[1]} both have the role `group`.", "Give it to one column."
            )
        return schema

    def births(self) -> frozenset[str]:
        """Names of the columns that are read for dates of birth alone."""
        return frozenset(field.birth for field in self.fields if isinstance(field, AgeField) and field.birth)


def _shown(text: str) -> str:
    return repr(text[:40])


class _Entry:
    """One table [columns.<name>], read key by key."""

    def __init__(self, path: Path, name: str, keys: Any) -> None:
        self._path, self._name = path, name
        if not is_column_name(name):
            raise InputError(
                f"{path.name}: {_shown(name)} can't be the name of a column.",
                "Use letters, digits and underscores, a letter first; ids and words of filters are taken.",
            )
        if not isinstance(keys, dict):
            raise self._wrong("is no table", f"Write [columns.{name}], then a line for each key.")
        self._keys: dict[str, Any] = keys

    def field(self) -> Field:
        """The field that the entry declares."""
        kind = self._keys.get("type")
        if not isinstance(kind, str) or kind not in KEYS:
            raise self._wrong("has no type" if kind is None else "has an unknown type", f"Types: {', '.join(KEYS)}.")
        unknown = next((key for key in self._keys if key not in KEYS[kind]), None)
        if unknown is not None:
            raise self._wrong(
                f"{_shown(unknown)} is no key of the type {kind}", f"Keys: {', '.join(sorted(KEYS[kind]))}."
            )
        common: dict[str, Any] = {
            "name": self._name,
            "description": self._text("description") or "",
            "description_da": self._text("description_da") or "",
            "required": self._flag("required"),
            "optional": self._flag("optional"),
        }
        makers: dict[str, Callable[..., Field]] = {
            "integer": self._integer, "decimal": self._decimal, "category": self._category, "code": self._code,
            "date": self._date, "text": self._free_text, "yes_no": YesNoField,
        }  # fmt: skip
        return makers[kind](**common)

    def _wrong(self, what: str, remedy: str) -> InputError:
        return InputError(f"{self._path.name}, column {self._name}: {what}.", remedy)

    def _text(self, key: str) -> str | None:
        value = self._keys.get(key)
        if value is None:
            return None
        if not isinstance(value, str) or len(value) > _MOST_TEXT:
            raise self._wrong(f"`{key}` is no text", f'Write {key} = "…".')
        self._check_harmless(key, value)
        return value

    def _check_harmless(self, key: str, value: str) -> None:
        """A schema's texts reach the catalogue: what may not stand in a cell may not stand there."""
        fault = identifying.fault(value)
        if fault is not None:
            raise self._wrong(f"`{key}` {fault[0]}", "A schema describes columns, not people.")

    def _flag(self, key: str) -> bool:
        value = self._keys.get(key, False)
        if not isinstance(value, bool):
            raise self._wrong(f"`{key}` is neither true nor false", f"Write {key} = true, or leave it out.")
        return value

    def _number(self, key: str, *, whole: bool) -> Any:
        value = self._keys.get(key)
        if value is None:
            return None
        right = isinstance(value, int) if whole else isinstance(value, int | float)
        if not right or isinstance(value, bool) or not abs(value) < MOST_WHOLE:
            raise self._wrong(f"`{key}` is no {'whole ' if whole else ''}number", f"Write {key} = 0, for example.")
        return value

    def _range(self, *, whole: bool) -> dict[str, Any]:
        least, most = self._number("min", whole=whole), self._number("max", whole=whole)
        if least is not None and most is not None and least > most:
            raise self._wrong("`min` is more than `max`", "Turn them round.")
        return {"least": least, "most": most}

    def _integer(self, **common: Any) -> Field:
        return IntegerField(**common, **self._range(whole=True), unit=self._text("unit"))

    def _decimal(self, **common: Any) -> Field:
        return DecimalField(**common, **self._range(whole=False), unit=self._text("unit"))

    def _free_text(self, **common: Any) -> Field:
        longest = self._number("max_length", whole=True)
        if longest is None or not 1 <= longest <= _MOST_TEXT:
            raise self._wrong("free text needs a `max_length`", f"Write max_length = 200 (at most {_MOST_TEXT}).")
        return TextField(**common, max_length=longest)

    def _list(self, key: str) -> tuple[str, ...]:
        values = self._keys.get(key)
        if not isinstance(values, list) or not values or not all(isinstance(value, str) for value in values):
            raise self._wrong(f"`{key}` is no list of texts", f'Write {key} = ["…", "…"].')
        if len(values) > _MOST_VALUES or len(set(values)) < len(values):
            raise self._wrong(f"`{key}` is too long, or has a value twice", f"At most {_MOST_VALUES}, each once.")
        for value in values:
            if value in MISSING or value != value.strip():
                raise self._wrong(f"`{key}` has a value that means missing, or blanks around one", "Leave them out.")
            self._check_harmless(key, value)
        return tuple(values)

    def _category(self, **common: Any) -> Field:
        values = self._list("values")
        texts = self._keys.get("texts", {})
        if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
            raise self._wrong("`texts` is no table of texts", 'Write texts = { value = "what it means" }.')
        if not set(texts) <= set(values):
            raise self._wrong("`texts` explains what is not among `values`", "Use the values as they are listed.")
        for text in texts.values():
            self._check_harmless("texts", text)
        role = self._text("role")
        if role not in (None, "group"):
            raise self._wrong("has an unknown role", 'The one role is "group": ancestry, for counts in the catalogue.')
        return CategoryField(**common, values=values, texts=texts, role=role)

    def _code(self, **common: Any) -> Field:
        system = SYSTEMS.get(self._text("system") or "")
        if system is None:
            raise self._wrong("has no known `system` of codes", f"Systems: {', '.join(SYSTEMS)}; else use a category.")
        if "codes" in self._keys and "codes_file" in self._keys:
            raise self._wrong("has both `codes` and `codes_file`", "Keep one of them.")
        return CodeField(**common, system=system, codes=self._codes(system))

    def _codes(self, system: System) -> Mapping[str, str] | None:
        if "codes" in self._keys:
            codes = {system.normalise(code): "" for code in self._list("codes")}
            if None in codes:
                raise self._wrong(f"`codes` has what is no {system.name} code", f"One reads like {system.example}.")
            return {code: "" for code in codes if code is not None}
        name = self._text("codes_file")
        if name is None:
            return None
        if PurePosixPath(name).name != name or name == "..":
            raise self._wrong("`codes_file` is no plain file name", "Put the list beside the schema.")
        return read_list(self._path.parent / name, system)

    def _day(self, key: str, fallback: date) -> date:
        value = self._keys.get(key, fallback)
        if not isinstance(value, date) or isinstance(value, datetime) or not EARLIEST <= value <= LATEST:
            raise self._wrong(f"`{key}` is no date from {EARLIEST} to {LATEST}", f"Write {key} = 1977-01-01.")
        return value

    def _date(self, **common: Any) -> Field:
        form = self._text("format") or ISO
        if form not in FORMS:
            raise self._wrong("has an unknown `format` of dates", f"Formats: {', '.join(FORMS)}.")
        days: dict[str, Any] = {
            "form": form,
            "earliest": self._day("earliest", EARLIEST),
            "latest": self._day("latest", LATEST),
        }
        if days["earliest"] > days["latest"]:
            raise self._wrong("`earliest` is after `latest`", "Turn them round.")
        becomes = self._text("as")
        if becomes == "shift":
            of_ages = next((key for key in ("birth", "decimals", "min", "max") if key in self._keys), None)
            if of_ages is not None:
                raise self._wrong(f'`{of_ages}` has no meaning with as = "shift"', 'It belongs to as = "age".')
            return DateField(**common, **days)
        if becomes != "age":
            raise self._wrong("a date needs `as`", 'Write as = "age", or as = "shift": true dates are given to nobody.')
        decimals = self._number("decimals", whole=True) or 0
        if decimals not in (0, 1):
            raise self._wrong("`decimals` is neither 0 nor 1", "A finer age would tell the day of birth.")
        birth = self._text("birth")
        if birth is not None and (not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,39}", birth) or birth == self._name):
            raise self._wrong(
                "`birth` is no other column", "Name the column of birth dates; without it CPR numbers tell."
            )
        given = {key: value for key, value in self._range(whole=False).items() if value is not None}
        return AgeField(**common, **days, birth=birth, decimals=decimals, **given)
