"""Finding CPR numbers. All numbers here have the day plus 60, or are no dates at all; or are made in the test."""

from __future__ import annotations

import pytest

from ngc_workbench.errors import InputError
from ngc_workbench.pseudonyms import find_cpr, normalise_cpr

ORDINARY = f"{1:02d}{2:02d}70-{1234}"


@pytest.mark.parametrize(
    "text", ["610270-1234", "6102701234", "910999-0000", "611200 1234", "750101\u20131234", ORDINARY]
)
def test_cpr_numbers_are_found_with_and_without_hyphen(text):
    """Ordinary numbers and those with the day plus 60; no check digit is asked for."""
    assert find_cpr(f"x{text}, y") == [text]
    assert find_cpr(text) == [text]
    assert normalise_cpr(f" {text} ") == "".join(character for character in text if character.isdigit())


@pytest.mark.parametrize(
    "text",
    [
        "601270-1234",
        "921270-1234",
        "611370-1234",
        "610070-1234",
        "16102701234",
        "61027012345",
        "0.6102701234",
        "610270-123",
        "6102701234.5",
    ],
)
def test_other_numbers_are_not(text):
    """No such day or month, longer runs of digits, the digits behind a decimal point."""
    assert find_cpr(text) == []


def test_a_number_beside_a_comma_counts():
    """A comma may part the columns of a table."""
    assert find_cpr("46,6102701234,3.5") == ["6102701234"]


def test_an_error_does_not_repeat_the_number():
    """A mistyped number is still somebody's."""
    with pytest.raises(InputError) as caught:
        normalise_cpr("610270-12345")
    assert "610270" not in str(caught.value)
