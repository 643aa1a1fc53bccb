"""How pseudonyms are written, read and recognised."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngc_workbench.errors import InputError
from ngc_workbench.pseudonyms import find_pseudonyms, looks_like_pseudonym, parse, pattern
from ngc_workbench.pseudonyms.rendering import ALPHABET, BITS, render


def made_from(seed: bytes) -> str:
    return render(lambda attempt: hashlib.sha256(b"%d" % attempt + seed).digest())


pseudonyms = st.binary(max_size=8).map(made_from)


@given(pseudonyms)
def test_a_pseudonym_reads_as_itself(pseudonym):
    """What was rendered parses to itself, is recognised, and has three groups of five plain characters."""
    assert parse(pseudonym) == pseudonym
    assert looks_like_pseudonym(pseudonym)
    assert pattern.fullmatch(pseudonym)
    assert [len(group) for group in pseudonym.split("-")] == [5, 5, 5]
    assert set(pseudonym) <= {*ALPHABET, "-"}


def test_a_pseudonym_carries_at_least_64_bits():
    """70 bits: two of ten million people share one with a chance of 4 in 10^8."""
    assert BITS >= 64


@given(pseudonyms, st.data())
def test_any_single_wrong_character_is_caught(pseudonym, data):
    """Each replacement of one character by another is told as a typing error."""
    at = data.draw(st.sampled_from([place for place, character in enumerate(pseudonym) if character != "-"]))
    other = data.draw(st.sampled_from([character for character in ALPHABET if character != pseudonym[at]]))
    with pytest.raises(InputError, match="typing error"):
        parse(pseudonym[:at] + other + pseudonym[at + 1 :])


@given(pseudonyms, st.integers(0, 13))
def test_any_swap_of_neighbours_is_caught(pseudonym, at):
    """Two neighbours swapped, the check character among them, are told as a typing error."""
    plain = pseudonym.replace("-", "")
    swapped = plain[:at] + plain[at + 1] + plain[at] + plain[at + 2 :]
    if swapped == plain:
        return
    with pytest.raises(InputError, match="typing error"):
        parse(swapped)


@given(pseudonyms)
def test_it_may_be_typed_in_any_case_and_with_letters_for_digits(pseudonym):
    """Lower case, O for 0, I or L for 1, spaces or nothing between the groups: all read right."""
    for typed in (
        pseudonym.lower(),
        pseudonym.replace("-", ""),
        pseudonym.replace("-", " "),
        pseudonym.replace("0", "O").replace("1", "l"),
    ):
        assert parse(typed) == pseudonym


@pytest.mark.parametrize("text", ["", "7K3MQ", "7K3MQ-2PX9D-HT4V", "UUUUU-UUUUU-UUUUU", "7K3MQ-2PX9D-HT4V*"])
def test_what_is_no_pseudonym_is_refused(text):
    """Wrong length or letters."""
    with pytest.raises(InputError, match="not a pseudonym"):
        parse(text)
    assert not looks_like_pseudonym(text)


@given(pseudonyms, pseudonyms)
def test_pseudonyms_are_found_in_a_text(one, other):
    """Within a table, in either case, with other separators; not one with a wrong check character."""
    wrong = one[:-1] + ALPHABET[(ALPHABET.index(one[-1]) + 1) % 32]
    text = f"{one}\t3.2\n{other.lower().replace('-', '_')},4\nx {wrong} y"
    assert find_pseudonyms(text) == [one, other.lower().replace("-", "_")]


def test_long_words_are_not_taken_for_pseudonyms():
    """A word of 15 letters holds no digit."""
    assert find_pseudonyms("characteristics internationally approximations") == []
