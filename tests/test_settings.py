"""Settings: a wrong or unsafe one stops the start."""

from __future__ import annotations

import pytest

from ngc_workbench.errors import ConfigurationError
from ngc_workbench.settings import ROOT, load


def write(tmp_path, text):
    path = tmp_path / "workbench.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_demo_file_loads():
    """The demo's file is complete, and its state stands in the checkout."""
    settings = load(ROOT / "hub" / "demo.toml")
    assert settings.demo
    assert settings.state_dir == ROOT / "var" / "demo"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('state_dir = "x"\ndemo = true\ninstance = "Too-Long"', "instance"),
        ('state_dir = "x"\ndemo = true\nsmal_count = 3', "smal_count"),
        ('state_dir = "x"\ndemo = true\nsmall_count = 1', "small_count"),
        ('state_dir = "x"\ndemo = true\ncheckers_needed = 1', "checkers_needed"),
        ('state_dir = "x"\ndemo = true\npublic_host = "ngc.example"', "https"),
        ('state_dir = "x"\ndemo = true\npublic_scheme = "https"\npublic_host = "ngc.example"', "demo"),
        ('state_dir = "x"\npublic_scheme = "https"\npublic_host = "ngc.example"', "oidc_issuer"),
        ('state_dir = "x"\ndemo = true\nsession_subnets = "8.0.0.0/16"', "session_subnets"),
        ('state_dir = "x"\ndemo = true\ngateway_port = 8000', "same port"),
        ("demo = true", "state_dir"),
        ("demo = ", "workbench.toml"),
    ],
)
def test_a_wrong_setting_stops_the_start_and_is_named(tmp_path, text, named):
    """Unknown keys, unsafe values and missing ones are errors that name the setting."""
    with pytest.raises(ConfigurationError) as caught:
        load(write(tmp_path, text))
    assert named in str(caught.value)


def test_a_named_file_that_is_missing_is_an_error(tmp_path):
    """A named configuration file that does not exist is never replaced by another in silence."""
    with pytest.raises(ConfigurationError):
        load(tmp_path / "missing.toml")


def test_the_environment_wins_over_the_file(tmp_path, monkeypatch):
    """`NGC_<NAME>` overrides the file."""
    monkeypatch.setenv("NGC_SMALL_COUNT", "10")
    assert load(write(tmp_path, 'state_dir = "x"\ndemo = true\nsmall_count = 6')).small_count == 10


VAULT = 'state_dir = "x"\ndemo = true\nkey_provider = "vault"\nvault_address = "https://vault.example:8200"\n'


def test_a_vault_s_settings_load(tmp_path):
    """By https anywhere, by http on this machine."""
    token = 'vault_token_file = "/run/vault/token"\n'
    assert load(write(tmp_path, VAULT + token)).key_provider == "vault"
    for host in ("127.0.0.1", "[::1]", "localhost"):
        here = VAULT.replace("https://vault.example", f"http://{host}")
        assert load(write(tmp_path, here + token)).vault_address == f"http://{host}:8200"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("", ""), "vault_token_file"),
        (("vault_address", 'vault_token = "hvs.x"\nvault_address'), "vault_token"),
        (("https:", "http:"), "must be https"),
        (("https://vault.example:8200", "http://localhost.example"), "must be https"),
        (("https://vault.example:8200", ""), "vault_address"),
        (("https://vault.example:8200", "vault.example:8200"), "vault_address"),
        (("https://vault", "https://user:secret@vault"), "vault_address"),
        (("8200", "8200/v1/secret"), "vault_address"),
        (("8200", "8200?x=1"), "vault_address"),
        (("8200", "port"), "vault_address"),
        (('"vault"', '"vualt"'), "key_provider"),
        (('"vault"', '"file"'), "key_provider vault"),
        (('"https://vault.example:8200"', '"https://v"\nvault_token_file = "token"'), "absolute"),
        (('vault.example:8200"\n', 'v"\nvault_token_file = "/t"\nvault_ca_file = "ca.pem"\n'), "absolute"),
        (("vault_address", 'vault_mount = "a/../b"\nvault_address'), "vault_mount"),
        (("vault_address", 'vault_path = "/a"\nvault_address'), "vault_path"),
        (("vault_address", 'vault_path = "a?version=1"\nvault_address'), "vault_path"),
    ],
)
def test_a_wrong_setting_of_the_vault_stops_the_start(tmp_path, change, named):
    """No plain http over a network, no token or password in the file, no path that leads elsewhere, no half a choice."""
    with pytest.raises(ConfigurationError) as caught:
        load(write(tmp_path, VAULT.replace(*change)))
    assert named in str(caught.value)
    assert "hvs.x" not in str(caught.value)
    assert "secret@" not in str(caught.value)
