"""The log's keys: one that signs heads (Ed25519), one that tags people (HMAC-SHA-256). Made once, mode 0600."""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ngc_workbench.errors import ConfigurationError, IntegrityError

SIGNING, TAGGING, PUBLIC, HEADS = "signing.key", "tagging.key", "public.key", "heads.jsonl"


@dataclass(frozen=True)
class Keys:
    """The keys in memory. `key_id` names the signing key in each head."""

    signing: Ed25519PrivateKey
    tagging: bytes

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        return self.signing.public_key().public_bytes_raw()

    @property
    def key_id(self) -> str:
        """SHA-256 of the public key, hexadecimal."""
        return hashlib.sha256(self.public).hexdigest()


def load_or_create(directory: Path) -> Keys:
    """The keys in `directory`; makes them on the first use of a log.

    Raises IntegrityError when heads were signed but a key is gone, ConfigurationError when others may read a key.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in (TAGGING, SIGNING):
        path = directory / name
        if not path.exists():
            if (directory / HEADS).exists():
                raise IntegrityError(
                    f"The audit log's {name} is gone, though heads were signed.",
                    "Bring it back from the backup; never start a new key beside old heads.",
                )
            _create_once(path, secrets.token_bytes(32), 0o600)
    keys = Keys(Ed25519PrivateKey.from_private_bytes(_read(directory / SIGNING)), _read(directory / TAGGING))
    public = directory / PUBLIC
    line = f"{keys.public.hex()}\n".encode()
    if not public.exists():
        _create_once(public, line, 0o644)
    if public.read_bytes() != line:
        raise IntegrityError("The audit log's public.key is not that of its signing.key.", "Call the security officer.")
    return keys


def _read(path: Path) -> bytes:
    if path.stat().st_mode & 0o077:
        raise ConfigurationError(f"{path.name} of the audit log can be read by others.", f"chmod 600 {path}")
    secret = path.read_bytes()
    if len(secret) != 32:
        raise IntegrityError(f"{path.name} of the audit log is damaged.", "Bring it back from the backup.")
    return secret


def _create_once(path: Path, content: bytes, mode: int) -> None:
    """Two services may start at once: a hard link lets one of them win, and no one sees half a key."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        os.write(handle, content)
        os.fsync(handle)
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        os.close(handle)
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
