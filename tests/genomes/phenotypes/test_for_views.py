"""What a view shows of a release's phenotypes."""

from __future__ import annotations

import pytest

from ngc_workbench.errors import InputError
from ngc_workbench.genomes.phenotypes import Column, for_view

COLUMNS = [Column("age", "int32"), Column("seen", "date", kind="date"), Column("sex", "str"), Column("died", "date")]
VALUES = (54, "2020-02-28", "male", None)


def shift(internal_id: str) -> int:
    return {"a": 2, "b": -59}[internal_id]


def test_dates_are_shifted_texts():
    """By the person's own offset; the rest is as it was."""
    shown = for_view(COLUMNS, None, shift)
    assert [(column.name, column.type) for column in shown.columns] == [
        ("age", "int32"), ("seen", "str"), ("sex", "str"), ("died", "str"),
    ]  # fmt: skip
    assert shown.columns[1].kind == "date"
    assert shown.values("a", VALUES) == (54, "2020-03-01", "male", None)
    assert shown.values("b", VALUES) == (54, "2019-12-31", "male", None)


@pytest.mark.parametrize("chosen", [["seen", "age"], ("age", "seen"), {"age", "seen"}])
def test_chosen_columns_stand_in_the_releases_order(chosen):
    """So that two ways to name the same are one."""
    shown = for_view(COLUMNS, chosen, shift)
    assert [column.name for column in shown.columns] == ["age", "seen"]
    assert shown.values("a", VALUES) == (54, "2020-03-01")


def test_none_chosen_and_no_dates_need_no_offset():
    """A project without dates has no key for them drawn."""
    assert for_view(COLUMNS, [], shift).values("unknown", VALUES) == ()
    assert for_view(COLUMNS, ["sex"], shift).values("unknown", VALUES) == ("male",)


def test_what_is_not_there_is_refused():
    """Columns that the release doesn't have, and values of another table."""
    with pytest.raises(InputError, match=r"no phenotype 'height'.*age, seen, sex, died"):
        for_view(COLUMNS, ["age", "height"], shift)
    with pytest.raises(ValueError, match="3 values for 4 columns"):
        for_view(COLUMNS, ["age"], shift).values("a", VALUES[:3])
