"""What a view shows of a release's phenotypes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from ngc_workbench.errors import InputError
from ngc_workbench.genomes.phenotypes.dates import shifted
from ngc_workbench.genomes.phenotypes.values import Column, Value


@dataclass(frozen=True)
class ViewColumns:
    """The columns of a view (a date is a text there), and how a person's values become the view's."""

    columns: tuple[Column, ...]
    _places: tuple[int, ...]
    _dates: frozenset[int]
    _width: int
    _shift: Callable[[str], int]

    def values(self, internal_id: str, values: Sequence[Value]) -> tuple[Value, ...]:
        """A person's values in the order of `columns`, from those of the release's columns; dates are shifted.

        Raises ValueError when there is not one value for each of the release's columns.
        """
        if len(values) != self._width:
            raise ValueError(f"{len(values)} values for {self._width} columns")
        days = self._shift(internal_id) if self._dates else 0
        return tuple(
            shifted(str(values[at]), days) if at in self._dates and values[at] is not None else values[at]
            for at in self._places
        )


def for_view(columns: Sequence[Column], chosen: Collection[str] | None, shift: Callable[[str], int]) -> ViewColumns:
    """The columns of a view: those named in `chosen` (None: all), in the release's order, whatever the order of names.

    `shift` gives the days by which a person's dates are moved in the project, by internal id (`dates.shift_days`).

    Raises InputError for a name that the release doesn't have.
    """
    names = [column.name for column in columns]
    unknown = sorted(set(chosen or ()) - set(names))
    if unknown:
        raise InputError(f"The release has no phenotype {unknown[0][:40]!r}.", f"It has: {', '.join(names) or 'none'}.")
    places = tuple(at for at, name in enumerate(names) if chosen is None or name in chosen)
    return ViewColumns(
        columns=tuple(replace(columns[at], type="str") if columns[at].type == "date" else columns[at] for at in places),
        _places=places,
        _dates=frozenset(at for at in places if columns[at].type == "date"),
        _width=len(columns),
        _shift=shift,
    )
