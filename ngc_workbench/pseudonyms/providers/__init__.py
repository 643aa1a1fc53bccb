"""Where master keys can be kept: a file of the custodian zone, or a vault."""

from __future__ import annotations

from contextlib import suppress

from ngc_workbench.errors import ConfigurationError, Conflict
from ngc_workbench.pseudonyms.keys import KeyProvider, MasterKeys, new_key
from ngc_workbench.pseudonyms.providers.file import FileProvider
from ngc_workbench.pseudonyms.providers.vault import VaultProvider
from ngc_workbench.settings import Settings


def provider_of(settings: Settings) -> KeyProvider:
    """The provider that the settings name; there is never another one behind it."""
    return VaultProvider(settings) if settings.key_provider == "vault" else FileProvider(settings.custody_dir)


def read_or_create(provider: KeyProvider, *, in_use: bool) -> MasterKeys:
    """The master keys; the first is made where there is none and nothing hangs on one yet (`in_use`).

    Raises ConfigurationError when there is none although something does, and what the provider raises.
    """
    keys = provider.read()
    if keys is None:
        if in_use:
            raise ConfigurationError(
                f"The master key is missing from {provider.where}, but genomes or opt-outs are held under it: a new key "
                "would give everybody other pseudonyms.",
                "Restore it from its backup, or check key_provider and the vault's path.",
            )
        # Two commands may start at once: the one that comes second takes what the first one made.
        with suppress(Conflict):
            return provider.add(new_key(), None)
        keys = provider.read()
        if keys is None:
            raise ConfigurationError(f"The master key in {provider.where} went away while it was read.")
    return keys


__all__ = ["FileProvider", "VaultProvider", "provider_of", "read_or_create"]
