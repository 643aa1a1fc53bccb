"""Master keys in a vault: the KV secrets engine, version 2, of HashiCorp Vault or OpenBao, over HTTP.

The secret at `vault_path` holds all versions (`MasterKeys.to_json`). It is written with check-and-set on the version of
the secret that was read, so two writers can't overwrite each other. The vault is asked once a command; nothing of the
answer is kept on disk, and when the vault does not answer there are no keys: no file stands in for it.

Redirects are not followed: the token would go along to whoever is named. Proxies of the environment are not used.
API: https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2 and .../api-docs#http-status-codes
"""

from __future__ import annotations

import os
import ssl
import stat
from pathlib import Path
from typing import Any

import httpx

from ngc_workbench.errors import ConfigurationError, Conflict, Unavailable
from ngc_workbench.pseudonyms.keys import MasterKeys
from ngc_workbench.settings import Settings

_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_CAS_TEXT = "check-and-set parameter did not match"


class VaultProvider:
    """Keys in a vault, as the settings `vault_…` say."""

    def __init__(self, settings: Settings) -> None:
        self._address = settings.vault_address.rstrip("/")
        self._url = f"{self._address}/v1/{settings.vault_mount}/data/{settings.vault_path}"
        self._token_file = settings.vault_token_file
        self._ca_file = settings.vault_ca_file
        self.where = f"the vault ({settings.vault_mount}/{settings.vault_path})"

    def read(self) -> MasterKeys | None:
        """As `KeyProvider.read`. Raises Unavailable (no answer, sealed), ConfigurationError (anything else)."""
        return self._read()[0]

    def add(self, new: bytes, over: MasterKeys | None) -> MasterKeys:
        """As `KeyProvider.add`."""
        stored, version = self._read()
        if stored != over:
            raise Conflict("The master keys were changed meanwhile.", "Run the command again.")
        keys = MasterKeys.first(new) if over is None else over.followed_by(new)
        status, body = self._ask("POST", {"options": {"cas": version}, "data": keys.to_json()})
        if status == 400 and any(_CAS_TEXT in text for text in _errors(body)):
            raise Conflict("The master keys were changed meanwhile.", "Run the command again.")
        if status not in (200, 204):
            raise self._refusal(status)
        if self.read() != keys:
            raise ConfigurationError(
                f"What stands in {self.where} is not what was written to it.",
                "Ask the vault's operator what else writes there; the older versions stay in the secret's history.",
            )
        return keys

    def _read(self) -> tuple[MasterKeys | None, int]:
        """The keys, and the version of the secret that holds them (0: there is no secret)."""
        status, body = self._ask("GET")
        if status == 404:
            if isinstance(body, dict) and body.get("data"):
                raise ConfigurationError(
                    f"The master keys in {self.where} were deleted.", "Have the vault's operator undelete the secret."
                )
            if _errors(body):
                raise ConfigurationError(
                    f"The vault has no such path: {self.where}.",
                    "Check vault_mount: it is the path of a KV engine, version 2.",
                )
            return None, 0
        if status != 200:
            raise self._refusal(status)
        keys, version = None, None
        if isinstance(body, dict) and isinstance(data := body.get("data"), dict):
            keys = MasterKeys.from_json(data.get("data"))
            metadata = data.get("metadata")
            version = metadata.get("version") if isinstance(metadata, dict) else None
        if keys is None or not isinstance(version, int) or version < 1:
            raise ConfigurationError(
                f"What stands in {self.where} are no master keys.",
                "Check vault_mount (a KV engine, version 2) and vault_path.",
            )
        return keys, version

    def _ask(self, method: str, content: Any = None) -> tuple[int, Any]:
        """Status and JSON (None: none) of an answer. Raises Unavailable, ConfigurationError."""
        headers = {"X-Vault-Token": self._token(), "X-Vault-Request": "true"}
        trust: ssl.SSLContext | bool = True
        if self._ca_file is not None:
            try:
                trust = ssl.create_default_context(cafile=self._ca_file)
            except (OSError, ssl.SSLError) as error:
                raise ConfigurationError(
                    f"The file of vault_ca_file can't be used: {error.strerror or 'no certificate'}.",
                    "It holds the CA's certificate in PEM form.",
                ) from None
        try:
            with httpx.Client(timeout=_TIMEOUT, verify=trust, trust_env=False, follow_redirects=False) as client:
                answer = client.request(method, self._url, headers=headers, json=content)
        except httpx.HTTPError as error:
            # Not chained: the request that it carries holds the token, and what was to be written.
            kind = type(error).__name__
        else:
            return answer.status_code, _json(answer)
        raise Unavailable(
            f"The vault does not answer ({kind}); without it there are no keys.",
            "Check vault_address, vault_ca_file and the network, then run the command again.",
        )

    def _token(self) -> str:
        path = self._token_file
        if path is None:
            raise ConfigurationError("vault_token_file is not set.", "Name the file that holds the vault's token.")
        return _secret_line(path)

    def _refusal(self, status: int) -> ConfigurationError | Unavailable:
        if status in (401, 403):
            return ConfigurationError(
                f"The vault refuses {self.where}: the token is not valid (any more) or may not do this.",
                "Renew the token in vault_token_file; its policy needs read, create and update on this path's data.",
            )
        if status == 503:
            return Unavailable("The vault is sealed or being maintained.", "Have its operator unseal it.")
        if status == 501:
            return Unavailable("The vault has not been initialised.", "Have its operator do so.")
        if 300 <= status < 400:
            return ConfigurationError(
                "The vault answers with a redirect, which is not followed.", "Let vault_address name the active node."
            )
        if status in (412, 429, 472, 473) or status >= 500:
            return Unavailable(f"The vault can't answer now (HTTP {status}).", "Run the command again later.")
        return ConfigurationError(
            f"The vault does not take the request (HTTP {status}).", "Check vault_mount: a KV engine, version 2."
        )


def _secret_line(path: Path) -> str:
    """The token in a file that its owner alone may read. Raises ConfigurationError without saying what is in it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise ConfigurationError(
            f"The file of vault_token_file can't be read: {error.strerror}.", "The vault's agent writes it."
        ) from error
    with os.fdopen(descriptor, "rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & 0o077:
            raise ConfigurationError(
                f"Others than its owner may read the vault's token (mode {mode:04o}).",
                "Run `chmod 600` on the file of vault_token_file.",
            )
        token = file.read(4096).strip()
    if not token or not all(0x21 <= byte <= 0x7E for byte in token):
        raise ConfigurationError("The file of vault_token_file holds no token.", "It is one line of text.")
    return token.decode("ascii")


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    # What the parser raises holds the text that it read.
    except ValueError:
        return None


def _errors(body: Any) -> list[str]:
    found = body.get("errors") if isinstance(body, dict) else None
    return [text for text in found if isinstance(text, str)] if isinstance(found, list) else []
