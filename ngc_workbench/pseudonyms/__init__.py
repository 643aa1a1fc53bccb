"""Keys, per-project identifiers, and the finding of CPR numbers.

A pseudonym is HMAC-SHA-256 of a person's internal id under a key derived (HKDF) for one project: stable within the
project, unrelated between two projects, and reversible by nobody but the holder of the master key. It reads like
`7K3MQ-2PX9D-HT4VZ`; the last character checks the others.

Master keys have versions (`keys`), come from a file or a vault (`providers`), and are rotated (`rotation`).
"""

from ngc_workbench.pseudonyms.cpr import find_cpr, normalise_cpr
from ngc_workbench.pseudonyms.keyring import Keyring, Pseudonymiser, current_version
from ngc_workbench.pseudonyms.keys import MasterKeys
from ngc_workbench.pseudonyms.rendering import find_pseudonyms, looks_like_pseudonym, parse, pattern
from ngc_workbench.pseudonyms.reversal import Identity, reverse
from ngc_workbench.pseudonyms.rotation import KeyVersion, Rotated, key_versions, rotate

__all__ = [
    "Identity",
    "KeyVersion",
    "Keyring",
    "MasterKeys",
    "Pseudonymiser",
    "Rotated",
    "current_version",
    "find_cpr",
    "find_pseudonyms",
    "key_versions",
    "looks_like_pseudonym",
    "normalise_cpr",
    "parse",
    "pattern",
    "reverse",
    "rotate",
]
