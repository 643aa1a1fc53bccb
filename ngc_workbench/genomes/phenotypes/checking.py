"""A table held against its schema: every fault by row and column, and the values when there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from ngc_workbench.genomes.phenotypes import identifying
from ngc_workbench.genomes.phenotypes.dates import birth_date
from ngc_workbench.genomes.phenotypes.faults import Faults
from ngc_workbench.genomes.phenotypes.fields import (
    AgeField,
    CodeField,
    DateField,
    DecimalField,
    Field,
    IntegerField,
    Misfit,
    TextField,
)
from ngc_workbench.genomes.phenotypes.names import shown
from ngc_workbench.genomes.phenotypes.schema import Schema
from ngc_workbench.genomes.phenotypes.sources import Source
from ngc_workbench.genomes.phenotypes.values import MISSING, Column, Value


def check(
    source: Source,
    schema: Schema,
    ids: Mapping[str, int],
    cprs: Sequence[str | None],
    samples: frozenset[str],
    faults: Faults,
) -> tuple[list[Column], list[list[Value]]]:
    """The columns of the schema that the table has, and their values by column.

    `ids` says where the columns of ids stand, `cprs` are the rows' CPR numbers (None where there is none, or a
    malformed one). Faults are added to `faults`; a value with a fault is None.
    """
    places: dict[str, int] = {}
    declared = {field.name for field in schema.fields} | schema.births()
    for at, name in enumerate(source.header):
        if at in ids.values():
            continue
        if name in places:
            faults.add(0, at, shown(source.header, at), "it is there twice")
        elif name not in declared:
            faults.add(0, at, shown(source.header, at), "it is not declared in the schema")
        places.setdefault(name, at)
    last = len(source.header)
    needed = [field.name for field in schema.fields if not field.optional]
    needed += [
        field.birth for field in schema.fields if isinstance(field, AgeField) and field.birth and field.name in places
    ]
    for name in dict.fromkeys(needed):
        if name not in places:
            faults.add(0, last, name, "it is declared, but the table doesn't have it")
    checker = _Checker(source, cprs, samples, faults, places)
    present = [field for field in schema.fields if field.name in places]
    return [field.column() for field in present], [checker.values(field) for field in present]


class _Checker:
    """What the checks of all columns share."""

    def __init__(
        self,
        source: Source,
        cprs: Sequence[str | None],
        samples: frozenset[str],
        faults: Faults,
        places: Mapping[str, int],
    ) -> None:
        self._source, self._cprs, self._samples, self._faults, self._places = source, cprs, samples, faults, places
        self._names = identifying.Names(samples)

    def values(self, field: Field) -> list[Value]:
        """A column's values; its faults are added."""
        at = self._places[field.name]
        texts = self._source.columns[at]
        found: list[Value] = []
        for row, (number, text) in enumerate(zip(self._source.numbers, texts, strict=True)):
            try:
                found.append(self._value(field, row, text))
            except Misfit as error:
                self._faults.add(number, at, field.name, str(error))
                found.append(None)
        if isinstance(field, IntegerField | DecimalField):
            fault = identifying.numbers_fault([text for text in texts if text not in MISSING], self._samples)
            if fault is not None:
                self._faults.add(0, at, field.name, f"it {fault[0]}")
        return found

    def _value(self, field: Field, row: int, text: str) -> Value:
        if text in MISSING:
            if field.required:
                raise Misfit("missing, but required")
            return None
        fault = identifying.fault(text)
        if fault is not None:
            raise Misfit(f"it {fault[0]}")
        if isinstance(field, TextField):
            if self._names.within(text):
                raise Misfit("it names a sample")
            if identifying.names_pseudonym(text):
                raise Misfit("it holds a pseudonym")
        if isinstance(field, CodeField) and field.codes is None and text in self._samples:
            raise Misfit("it names a sample")
        if isinstance(field, AgeField):
            return field.age(text, self._born(field, row))
        return field.cell(text)

    def _born(self, field: AgeField, row: int) -> date:
        if field.birth is None:
            cpr = self._cprs[row]
            born = birth_date(cpr) if cpr is not None else None
            if born is None:
                raise Misfit("no age without a CPR number that tells the date of birth (or a column of it: `birth`)")
            return born
        at = self._places.get(field.birth)
        text = self._source.columns[at][row] if at is not None else ""
        if text in MISSING:
            raise Misfit("no age without a date of birth")
        try:
            return DateField(field.birth, form=field.form).day(text)
        except Misfit as error:
            raise Misfit(f"the date of birth beside it: {error}") from error
