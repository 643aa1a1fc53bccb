"""The custodian's keys at work.

Every key is derived (HKDF, RFC 5869) from a version of the master key for one use, so that no key does two jobs and
none but the master is stored. A project's pseudonyms come from the version that it began with. Tags and sealed values
are made under one version, the same for all rows (`held`); a rotation moves all of them to the next.

Python can't wipe memory: what is held to is that keys live as long as the command that asked for them, and appear in
no `repr`, error, pickle, log or row.
"""

from __future__ import annotations

import hmac
import json
import secrets
from hashlib import sha256
from typing import Any, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ngc_workbench.database import Database
from ngc_workbench.errors import ConfigurationError, InputError, IntegrityError
from ngc_workbench.policy.names import slug
from ngc_workbench.pseudonyms.cpr import normalise_cpr
from ngc_workbench.pseudonyms.held import Held, held
from ngc_workbench.pseudonyms.keys import KEY_BYTES, MasterKeys
from ngc_workbench.pseudonyms.lock import KeyLock
from ngc_workbench.pseudonyms.providers import provider_of, read_or_create
from ngc_workbench.pseudonyms.rendering import render
from ngc_workbench.settings import Settings

_NONCE_BYTES = 12


class Pseudonymiser:
    """Gives one project's pseudonyms. Holds that project's key, and no other."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled")

    def of(self, internal_id: str) -> str:
        """The pseudonym of a person in this project."""
        if not internal_id:
            raise InputError("An empty id has no pseudonym.")
        message = internal_id.encode()
        # The counter stands before a separator that no number contains: no two (counter, id) pairs read alike.
        return render(lambda attempt: hmac.digest(self._key, b"%d\x00%s" % (attempt, message), "sha256"))


class Keyring:
    """All keys of the custodian zone. Tags and seals are made under version `under` (default: the newest)."""

    __slots__ = ("_derived", "_keys", "_lock", "_under")

    def __init__(self, keys: MasterKeys, under: int | None = None, lock: KeyLock | None = None) -> None:
        self._keys = keys
        self._under = keys.current if under is None else under
        self._lock = lock
        self._derived: dict[tuple[int, bytes], bytes] = {}

    @classmethod
    def of(cls, settings: Settings) -> Keyring:
        """The keyring of an installation; makes the first master key when nothing hangs on one yet.

        Call it outside a writing transaction. While it lives no rotation begins. Raises ConfigurationError and
        Unavailable as the provider does, Conflict during a rotation, IntegrityError when the keys are not those that
        the database's rows were sealed under.
        """
        lock = KeyLock(settings.custody_dir, exclusive=False)
        rows = _held(settings)
        keys = read_or_create(provider_of(settings), in_use=_in_use(settings, rows))
        keyring = cls(keys, rows.version(keys.current), lock)
        for sample in rows.samples:
            keyring.unseal(sample)
        return keyring

    def __repr__(self) -> str:
        return f"<Keyring: versions 1 to {self._keys.current}, rows under {self._under}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("keys are not pickled")

    @property
    def current(self) -> int:
        """The newest version of the master key: the one that new projects get."""
        return self._keys.current

    @property
    def under(self) -> int:
        """The version that tags and seals are made under."""
        return self._under

    def _derive(self, version: int, use: str, context: str = "") -> bytes:
        master = self._keys.versions.get(version)
        if master is None:
            raise ConfigurationError(
                f"Version {version} of the master key is needed, and is not among the keys.",
                "Restore the master keys from their backup: no version may be taken away.",
            )
        # `use` is a constant of this module and holds no zero byte; the context is everything behind it.
        info = b"ngc-workbench/1/" + use.encode() + b"\x00" + context.encode()
        key = self._derived.get((version, info))
        if key is None:
            # Kept: a register of a million people asks for the same key a million times.
            key = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(master)
            self._derived[version, info] = key
        return key

    def pseudonymiser(self, project: str, version: int = 1) -> Pseudonymiser:
        """The pseudonymiser of a project, whose `key_version` is `version`.

        Raises InputError when `project` can't be a project's name, ConfigurationError when the version is missing.
        """
        return Pseudonymiser(self._derive(version, "pseudonym", slug(project, "project")))

    def date_key(self, project: str, version: int = 1) -> bytes:
        """The key (32 bytes) from which a project's shifts of dates are derived. Raises as `pseudonymiser`."""
        return self._derive(version, "dates", slug(project, "project"))

    def cpr_tag(self, cpr: str) -> str:
        """A keyed hash of a CPR number (64 hex digits), the same for each way to write it. Raises InputError."""
        return hmac.new(self._derive(self._under, "cpr-tag"), normalise_cpr(cpr).encode(), sha256).hexdigest()

    def sample_tag(self, dataset: str, sample: str) -> str:
        """A keyed hash of a sample name within its dataset (64 hex digits)."""
        return hmac.new(self._derive(self._under, "sample-tag", dataset), sample.encode(), sha256).hexdigest()

    def seal(self, content: dict[str, Any]) -> bytes:
        """Authenticated encryption (AES-256-GCM, a fresh nonce each time) of a JSON object.

        Version of the master key (1 byte), nonce (12), then the encrypted text with its tag; the version is
        authenticated with the rest.
        """
        header, nonce = bytes([self._under]), secrets.token_bytes(_NONCE_BYTES)
        plain = json.dumps(content, ensure_ascii=False, sort_keys=True).encode()
        return header + nonce + AESGCM(self._derive(self._under, "seal")).encrypt(nonce, plain, header)

    def unseal(self, sealed: bytes) -> dict[str, Any]:
        """What `seal` sealed, under any version. Raises IntegrityError when it was changed or sealed under another key."""
        header, nonce, body = sealed[:1], sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        plain = None
        if header and header[0] in self._keys.versions:
            try:
                plain = AESGCM(self._derive(header[0], "seal")).decrypt(nonce, body, header)
            except (InvalidTag, ValueError):
                plain = None
        if plain is None:
            raise IntegrityError(
                "A sealed identity can't be opened: it was changed, or sealed under another master key.",
                "Stop, and compare the master key with its backup.",
            )
        content: dict[str, Any] = json.loads(plain)
        return content


def current_version(settings: Settings) -> int:
    """The newest version of the master key, for a project that begins now; makes the first key as `Keyring.of` does.

    Takes no lock, so it may be called in a transaction: whichever version a project begins with is there to stay.
    Raises ConfigurationError, Unavailable.
    """
    provider = provider_of(settings)
    keys = provider.read()
    if keys is None:
        keys = read_or_create(provider, in_use=_in_use(settings, _held(settings)))
    return keys.current


def _held(settings: Settings) -> Held:
    database = Database(settings.database)
    try:
        with database.reading() as db:
            return held(db)
    finally:
        database.close()


def _in_use(settings: Settings, rows: Held) -> bool:
    releases = settings.custody_dir / "releases"
    return rows.anything or (releases.is_dir() and any(releases.iterdir()))
