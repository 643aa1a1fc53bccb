"""How a pseudonym is written, read and recognised.

Crockford's base 32 leaves out I, L, O and U, and reads O as 0, I and L as 1, in either case: what is typed off a page
or read out on the telephone comes out right. 14 characters carry 70 bits (the chance that any two of ten million people
share one is 4 in 10^8), the 15th is Crockford's check: the number modulo 37. It catches each single wrong character and
each swap of two neighbours. Crockford writes check values from 32 on with `*~$=U`, which neither file formats nor
telephones like; a value that would need one is drawn again instead (see `render`), which costs 0.2 bit.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ngc_workbench.errors import InputError

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BITS = 70
_LENGTH = BITS // 5
_GROUP = 5
_MODULUS = 37

_READ = {character: value for value, character in enumerate(ALPHABET)}
_READ |= {"O": 0, "I": 1, "L": 1}

_ONE = f"[0-9A-TV-Za-tv-z]{{{_GROUP}}}"
pattern = re.compile(
    rf"(?<![0-9A-Za-z])(?:{_ONE}-{_ONE}-{_ONE}|{_ONE}_{_ONE}_{_ONE}|{_ONE} {_ONE} {_ONE}|{_ONE}{_ONE}{_ONE})(?![0-9A-Za-z])"
)
"""Where a pseudonym may stand in a text; `looks_like_pseudonym` then says whether its check character agrees."""


def render(draw: Callable[[int], bytes]) -> str:
    """Writes a pseudonym from `draw(n)`, the n-th block (at least 9 bytes) of a pseudo-random sequence.

    The first block whose check value has a plain character is taken: 32 of 37 do.
    """
    attempt = 0
    while True:
        number = int.from_bytes(draw(attempt)[:9], "big") >> (72 - BITS)
        if number % _MODULUS < len(ALPHABET):
            break
        attempt += 1
    characters = [ALPHABET[(number >> (5 * place)) & 31] for place in reversed(range(_LENGTH))]
    characters.append(ALPHABET[number % _MODULUS])
    text = "".join(characters)
    return "-".join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP))


def parse(text: str) -> str:
    """The pseudonym as it is written in files, from one as a person typed it (any case, O for 0, hyphens or not).

    Raises InputError when it is not a pseudonym or has a typing error.
    """
    plain = re.sub(r"[-_\s]", "", text).upper()
    if len(plain) != _LENGTH + 1 or any(character not in _READ for character in plain):
        raise InputError(
            "That is not a pseudonym.", "One reads like 7K3MQ-2PX9D-HT4VZ: 15 letters and digits in groups of five."
        )
    number = 0
    for character in plain[:-1]:
        number = number * 32 + _READ[character]
    if number % _MODULUS != _READ[plain[-1]]:
        raise InputError("The pseudonym has a typing error: its check character does not agree.", "Compare it again.")
    right = "".join(ALPHABET[_READ[character]] for character in plain)
    return "-".join(right[start : start + _GROUP] for start in range(0, len(right), _GROUP))


def looks_like_pseudonym(text: str) -> bool:
    """True when the whole of `text` is a pseudonym with a check character that agrees.

    Without separators it must hold a digit too, so that no long word passes for one.
    """
    if pattern.fullmatch(text) is None:
        return False
    if text.isalpha():
        return False
    try:
        parse(text)
    except InputError:
        return False
    return True


def find_pseudonyms(text: str) -> list[str]:
    """All that `looks_like_pseudonym` in a text, as they stand there, in order."""
    return [found.group() for found in pattern.finditer(text) if looks_like_pseudonym(found.group())]
