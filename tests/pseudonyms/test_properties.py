"""What pseudonyms promise, measured: no collisions, nothing shared by two projects, typing errors caught."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys

import numpy as np
import pytest

from ngc_workbench.errors import InputError
from ngc_workbench.pseudonyms import Keyring, MasterKeys, parse
from ngc_workbench.pseudonyms.rendering import ALPHABET, BITS
from ngc_workbench.settings import ROOT
from tests.pseudonyms import draws

KEYS = MasterKeys({1: bytes(range(32)), 2: bytes(range(32, 64))}, {1: None, 2: None})
MILLIONS = 10
PEOPLE = 20_000


def number_of(pseudonym):
    """The 70-bit number that a pseudonym writes down."""
    number = 0
    for character in pseudonym.replace("-", "")[:-1]:
        number = number * 32 + ALPHABET.index(character)
    return number


@pytest.fixture(scope="module")
def ten_million(tmp_path_factory):
    """The numbers of ten million ids of one project, drawn by two processes: (first 64 bits, last 6)."""
    folder = tmp_path_factory.mktemp("draws")
    key = Keyring(KEYS).pseudonymiser("heart", 1)._key.hex()
    total = MILLIONS * 1_000_000
    bounds = [(0, total // 2, folder / "0.npy"), (total // 2, total, folder / "1.npy")]
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.pseudonyms.draws", key, str(first), str(last), str(target)], cwd=ROOT
        )
        for first, last, target in bounds
    ]
    assert [one.wait() for one in running] == [0, 0]
    blocks = np.concatenate([np.load(target) for _, _, target in bounds])
    assert len(blocks) == total
    return draws.tops_and_rests(blocks)


def test_the_numbers_that_are_counted_are_those_of_the_pseudonyms(ten_million):
    """At the begin, the end and in between, the text that the program writes is the number that was drawn."""
    tops, rests = ten_million
    of = Keyring(KEYS).pseudonymiser("heart", 1).of
    for at in itertools.chain(range(1500), range(len(tops) - 1500, len(tops)), range(0, len(tops), 9973)):
        assert number_of(of(draws.internal_id(at).decode())) == (int(tops[at]) << 6) + int(rests[at])


def collisions(tops, rests):
    """How many share their number with another."""
    sorted_tops = np.sort(tops)
    # Those that share 64 of their 70 bits (3 in 10^6 that two do) may still differ in the last 6.
    shared = np.unique(sorted_tops[1:][sorted_tops[1:] == sorted_tops[:-1]])
    alike = [(int(tops[at]), int(rests[at])) for at in np.flatnonzero(np.isin(tops, shared))] if shared.size else []
    return len(alike) - len(set(alike))


def test_ten_million_people_have_ten_million_pseudonyms(ten_million):
    """Counted, not reckoned: all of them drawn, and no two alike. (Reckoned: 4 in 10^8 that two would be.)"""
    tops, rests = ten_million
    assert collisions(tops, rests) == 0
    assert len(tops) == MILLIONS * 1_000_000


def test_the_count_would_see_a_collision(ten_million):
    """One number written over another is found; one that differs in the last bits alone is none."""
    tops, rests = (part.copy() for part in ten_million)
    tops[123] = tops[9_876_543]
    rests[123] = rests[9_876_543]
    assert collisions(tops, rests) == 1
    rests[123] ^= 1
    assert collisions(tops, rests) == 0


def numbers(project, version, people=PEOPLE):
    of = Keyring(KEYS).pseudonymiser(project, version).of
    return [number_of(of(f"ngci{person:024x}")) for person in range(people)]


def bits(values):
    """A row of 70 bits a number."""
    return np.array([[(value >> place) & 1 for place in range(BITS)] for value in values], dtype=np.int8)


@pytest.mark.parametrize(
    "other", [("brain", 1), ("heart", 2), ("heart-2", 1)], ids=["another project", "another key", "a name alike"]
)
def test_two_projects_pseudonyms_of_the_same_people_agree_by_chance_alone(other):
    """Each of the 70 bits, any bit of one with any of the other, and the order: as for numbers that have nothing to do
    with each other. Bounds are 5.5 standard deviations at the 4,900 pairs of bits.
    """
    first, second = numbers("heart", 1), numbers(*other)
    assert not set(first) & set(second)
    one, two = bits(first) * 2 - 1, bits(second) * 2 - 1
    together = (one.astype(np.int32).T @ two.astype(np.int32)) / np.sqrt(PEOPLE)
    # Numbers whose remainder is 32 or more are drawn again, which moves no bit by more than 1 in 10^3.
    assert np.abs(together).max() < 5.5
    ranks = [np.argsort(np.argsort(np.array(values, dtype=object))) for values in (first, second)]
    assert abs(np.corrcoef(*ranks)[0, 1]) * np.sqrt(PEOPLE) < 4.5


def test_the_measure_of_agreement_would_see_a_link():
    """The same numbers with all but one bit drawn anew are told apart from chance."""
    first = numbers("heart", 1, 5000)
    drawn = random.Random(1)
    second = [(drawn.getrandbits(BITS) & ~1) | (value & 1) for value in first]
    together = ((bits(first) * 2 - 1).astype(np.int32).T @ (bits(second) * 2 - 1)) / np.sqrt(5000)
    assert np.abs(together).max() > 5.5


def test_pseudonyms_tell_nothing_of_the_order_of_ids():
    """Ids that count up have pseudonyms in any order, and each bit is set for half of them."""
    values = numbers("heart", 1)
    ranks = np.argsort(np.argsort(np.array(values, dtype=object)))
    assert abs(np.corrcoef(ranks, np.arange(PEOPLE))[0, 1]) * np.sqrt(PEOPLE) < 4.5
    assert np.abs((bits(values) * 2 - 1).sum(axis=0)).max() / np.sqrt(PEOPLE) < 4.5


def test_every_slip_of_one_character_or_two_neighbours_is_caught():
    """All of them, on 150 pseudonyms: each of 15 characters replaced by each of the 31 others; each pair swapped."""
    of = Keyring(KEYS).pseudonymiser("heart", 1).of
    tried = 0
    for person in range(150):
        plain = of(f"p{person}").replace("-", "")
        assert parse(plain).replace("-", "") == plain
        slips = [
            plain[:at] + other + plain[at + 1 :] for at in range(15) for other in ALPHABET if other != plain[at]
        ] + [plain[:at] + plain[at + 1] + plain[at] + plain[at + 2 :] for at in range(14) if plain[at] != plain[at + 1]]
        for slip in slips:
            with pytest.raises(InputError, match="typing error"):
                parse(slip)
        tried += len(slips)
    assert tried > 150 * (15 * 31 + 10)


def test_of_other_errors_the_check_character_catches_its_share():
    """Two characters replaced at random, or all of them: 36 of 37 are caught."""
    drawn = random.Random(2)
    of = Keyring(KEYS).pseudonymiser("heart", 1).of
    missed = {2: 0, 15: 0}
    tried = 20_000
    for person in range(tried):
        plain = of(str(person)).replace("-", "")
        for many in missed:
            typed = list(plain)
            for at in drawn.sample(range(15), many):
                typed[at] = drawn.choice([other for other in ALPHABET if other != typed[at]])
            try:
                parse("".join(typed))
            except InputError:
                continue
            missed[many] += 1
    assert all(0.022 < count / tried < 0.033 for count in missed.values()), missed
