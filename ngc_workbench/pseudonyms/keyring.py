"""The custodian's keys.

One master key (32 random bytes) in a file that its owner alone may read; every other key is derived from it (HKDF,
RFC 5869) for one use, so that no key does two jobs and none but the master is stored. Losing the file loses every
pseudonym: it is never made anew where genomes are stored already.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import stat
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ngc_workbench.errors import ConfigurationError, InputError, IntegrityError
from ngc_workbench.policy.names import slug
from ngc_workbench.pseudonyms.cpr import normalise_cpr
from ngc_workbench.pseudonyms.rendering import render
from ngc_workbench.settings import Settings

KEY_BYTES = 32
_SEAL_VERSION = b"\x01"
_NONCE_BYTES = 12


class Pseudonymiser:
    """Gives one project's pseudonyms. Holds that project's key, and no other."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, internal_id: str) -> str:
        """The pseudonym of a person in this project."""
        if not internal_id:
            raise InputError("An empty id has no pseudonym.")
        message = internal_id.encode()
        # The counter stands before a separator that no number contains: no two (counter, id) pairs read alike.
        return render(lambda attempt: hmac.digest(self._key, b"%d\x00%s" % (attempt, message), "sha256"))


class Keyring:
    """All keys of the custodian zone, from the master key in `custody_dir`.

    Makes the master key at the first use. Raises ConfigurationError when others may read it, when it is damaged, or
    when it is missing although releases exist.
    """

    def __init__(self, custody_dir: Path) -> None:
        self._master = _read_or_create(custody_dir)

    @classmethod
    def of(cls, settings: Settings) -> Keyring:
        """The keyring of an installation."""
        return cls(settings.custody_dir)

    def _derive(self, use: str, context: str = "") -> bytes:
        # `use` is a constant of this module and holds no zero byte; the context is everything behind it.
        info = b"ngc-workbench/1/" + use.encode() + b"\x00" + context.encode()
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(self._master)

    def pseudonymiser(self, project: str, version: int = 1) -> Pseudonymiser:
        """The pseudonymiser of a project, whose `key_version` is `version`. Raises InputError when `project` can't be a project's name."""
        return Pseudonymiser(self._derive("pseudonym", slug(project, "project")))

    def date_key(self, project: str, version: int = 1) -> bytes:
        """The key from which a project's shifts of dates are derived. Raises InputError as `pseudonymiser`."""
        del version
        return self._derive("dates", slug(project, "project"))

    def cpr_tag(self, cpr: str) -> str:
        """A keyed hash of a CPR number (64 hex digits), the same for each way to write it. Raises InputError."""
        return hmac.new(self._derive("cpr-tag"), normalise_cpr(cpr).encode(), sha256).hexdigest()

    def sample_tag(self, dataset: str, sample: str) -> str:
        """A keyed hash of a sample name within its dataset (64 hex digits)."""
        return hmac.new(self._derive("sample-tag", dataset), sample.encode(), sha256).hexdigest()

    def seal(self, content: dict[str, Any]) -> bytes:
        """Authenticated encryption (AES-256-GCM, a fresh nonce each time) of a JSON object."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        plain = json.dumps(content, ensure_ascii=False, sort_keys=True).encode()
        return _SEAL_VERSION + nonce + AESGCM(self._derive("seal")).encrypt(nonce, plain, _SEAL_VERSION)

    def unseal(self, sealed: bytes) -> dict[str, Any]:
        """What `seal` sealed. Raises IntegrityError when it was changed or sealed under another key."""
        version, nonce, body = sealed[:1], sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            # The version is authenticated with the rest; another one than ours fails like a changed byte.
            plain = AESGCM(self._derive("seal")).decrypt(nonce, body, version)
        except (InvalidTag, ValueError) as error:
            raise IntegrityError(
                "A sealed identity can't be opened: it was changed, or sealed under another master key.",
                "Stop, and compare the master key with its backup.",
            ) from error
        content: dict[str, Any] = json.loads(plain)
        return content


def _read_or_create(custody_dir: Path) -> bytes:
    path = custody_dir / "master.key"
    if not path.exists():
        releases = custody_dir / "releases"
        if releases.is_dir() and any(releases.iterdir()):
            raise ConfigurationError(
                "The master key is missing, but releases exist: a new key would give everybody other pseudonyms.",
                "Restore custody/master.key from its backup.",
            )
        _create(path)
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise ConfigurationError(
            f"Others than its owner may read the master key (mode {mode:04o}).",
            "Run `chmod 600` on custody/master.key.",
        )
    try:
        master = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except ValueError:
        master = b""
    if len(master) != KEY_BYTES:
        raise ConfigurationError("The master key's file is damaged.", "Restore custody/master.key from its backup.")
    return master


def _create(path: Path) -> None:
    """Writes a new master key whole or not at all; keeps the one that another process made meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        draft.unlink(missing_ok=True)
