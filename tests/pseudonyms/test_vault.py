"""Master keys in a vault. The vault is a stand-in that speaks the KV engine's API: see `vault_server`."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import logging
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ngc_workbench.errors import ConfigurationError, Conflict, Unavailable
from ngc_workbench.pseudonyms import Keyring, MasterKeys
from ngc_workbench.pseudonyms.keys import new_key
from ngc_workbench.pseudonyms.providers import FileProvider, VaultProvider, provider_of
from ngc_workbench.settings import Settings
from tests.pseudonyms.vault_server import TOKEN, running

PATH = "ngc-workbench/master-keys"
URL = f"/v1/secret/data/{PATH}"


@pytest.fixture
def vault():
    with running() as server:
        yield server


@pytest.fixture
def vaulted(settings, tmp_path):
    """Settings for a vault at an address."""

    def make(address, **change):
        token = tmp_path / "token"
        if not token.exists():
            token.write_text(TOKEN + "\n")
            token.chmod(0o600)
        values = {"key_provider": "vault", "vault_address": address, "vault_token_file": token, **change}
        return Settings(**{**settings.model_dump(), **values})

    return make


@pytest.fixture
def provider(vault, vaulted):
    return VaultProvider(vaulted(vault.address))


def test_keys_are_made_once_and_read_back(vault, vaulted, database):
    """The first is written with check-and-set 0; another command gives the same pseudonyms; no file is made."""
    settings = vaulted(vault.address)
    first = Keyring.of(settings).pseudonymiser("one").of("a")
    assert Keyring.of(settings).pseudonymiser("one").of("a") == first
    (write,) = [seen for seen in vault.seen if seen[0] == "POST"]
    assert write[1] == URL
    assert write[3]["options"] == {"cas": 0}
    assert [path.name for path in settings.custody_dir.iterdir()] == [".keys.lock"]


def test_a_version_is_added_over_the_one_that_was_read(vault, provider):
    """Older versions of the key stay within; the secret's own version is what is compared."""
    first = provider.add(new_key(), None)
    second = provider.add(new_key(), first)
    assert provider.read() == second
    assert second.versions[1] == first.versions[1]
    assert [seen[3]["options"]["cas"] for seen in vault.seen if seen[0] == "POST"] == [0, 1]
    for over in (None, first):
        with pytest.raises(Conflict):
            provider.add(new_key(), over)
    assert provider.read() == second


def test_a_writer_between_reading_and_writing_is_noticed(vault, provider):
    """The vault compares again: what came between stays, and ours is a conflict."""
    first = provider.add(new_key(), None)
    theirs = first.followed_by(new_key())
    vault.before_write = lambda: vault.secrets[PATH].append(theirs.to_json())
    with pytest.raises(Conflict):
        provider.add(new_key(), first)
    assert provider.read() == theirs


def test_what_does_not_come_back_as_written_is_an_error(vault, provider):
    """A vault that takes a write and holds something else."""
    vault.after_write = lambda: vault.secrets[PATH].append(MasterKeys.first(bytes(range(32))).to_json())
    with pytest.raises(ConfigurationError, match="not what was written"):
        provider.add(new_key(), None)


def test_a_vault_that_lost_the_key_gets_no_new_one_and_no_file_stands_in(vault, vaulted, database, stored):
    """Rows exist: nothing is made, though a file with the right key lies there."""
    stored()
    settings = vaulted(vault.address)
    with pytest.raises(ConfigurationError, match="missing from the vault"):
        Keyring.of(settings)
    assert vault.secrets == {}
    assert isinstance(provider_of(settings), VaultProvider)


def test_keys_move_from_a_file_to_a_vault(vault, vaulted, database, stored, settings):
    """The file's JSON form is what the vault holds: put there, the same keyring comes out."""
    stored()
    before = Keyring.of(settings).pseudonymiser("one").of("i1")
    vault.secrets[PATH] = [json.loads((settings.custody_dir / "master.key").read_text())]
    assert Keyring.of(vaulted(vault.address)).pseudonymiser("one").of("i1") == before


def body(*errors):
    return json.dumps({"errors": errors}).encode()


@pytest.mark.parametrize(
    ("status", "content", "error", "told"),
    [
        (503, body("Vault is sealed"), Unavailable, "sealed"),
        (501, body(), Unavailable, "not been initialised"),
        (403, body("permission denied"), ConfigurationError, "refuses.*token"),
        (404, body("no handler for route"), ConfigurationError, "no such path"),
        (500, body("internal error"), Unavailable, "HTTP 500"),
        (429, body(), Unavailable, "HTTP 429"),
        (400, body("invalid"), ConfigurationError, "HTTP 400"),
        (307, b"", ConfigurationError, "redirect"),
        (204, b"", ConfigurationError, "HTTP 204"),
        (200, b"", ConfigurationError, "no master keys"),
        (200, b"<html>", ConfigurationError, "no master keys"),
        (200, b'{"data": {"foo": "bar"}}', ConfigurationError, "no master keys"),
        (200, b'{"data": {"data": {"foo": "bar"}, "metadata": {"version": 1}}}', ConfigurationError, "no master keys"),
        (200, b"[]", ConfigurationError, "no master keys"),
    ],
)  # fmt: skip
def test_each_fault_of_the_vault_is_told_apart(vault, provider, status, content, error, told):
    """Reading: one line that says what and what next. Nothing is written after it."""
    headers = {"Location": vault.address + "/elsewhere"} if status == 307 else {}
    vault.fault = (status, content, headers)
    with pytest.raises(error, match=told) as caught:
        provider.read()
    assert caught.value.remedy
    with pytest.raises(error):
        provider.add(new_key(), None)
    assert [seen[:2] for seen in vault.seen] == [("GET", URL)] * 2


def test_a_deleted_secret_is_not_an_empty_one(vault, provider):
    """It can be undeleted: no new key is made in its place."""
    provider.add(new_key(), None)
    vault.deleted.add(PATH)
    with pytest.raises(ConfigurationError, match="deleted"):
        provider.read()


def test_a_refused_write_is_told(vault, provider):
    """A policy that allows reading alone."""

    def forbid():
        vault.fault = (403, body("permission denied"), {})

    provider.read()
    vault.seen.clear()
    real = vault.RequestHandlerClass._write
    vault.RequestHandlerClass._write = lambda handler, *_: handler._errors(403, "permission denied")
    try:
        with pytest.raises(ConfigurationError, match="create and update"):
            provider.add(new_key(), None)
    finally:
        vault.RequestHandlerClass._write = real


def test_a_vault_that_is_not_there_is_unavailable(vaulted):
    """Nothing listens at the port."""
    with running() as server:
        address = server.address
    with pytest.raises(Unavailable, match="does not answer"):
        VaultProvider(vaulted(address)).read()


def test_proxies_of_the_environment_are_not_used(vault, provider, monkeypatch):
    """The token goes to the vault alone."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert provider.read() is None


@pytest.mark.parametrize(
    ("content", "mode", "told"),
    [(TOKEN, 0o640, "chmod 600"), ("", 0o600, "no token"), ("a b", 0o600, "no token"), ("a\nb", 0o600, "no token")],
)
def test_a_token_s_file_that_is_unfit_stops_the_start(vault, vaulted, tmp_path, content, mode, told):
    """Others may read it, or it holds no token; the error does not say what it holds."""
    settings = vaulted(vault.address)
    token = tmp_path / "token"
    token.write_text(content)
    token.chmod(mode)
    with pytest.raises(ConfigurationError, match=told) as caught:
        VaultProvider(settings).read()
    assert TOKEN not in str(caught.value)
    token.unlink()
    with pytest.raises(ConfigurationError, match="can't be read"):
        VaultProvider(settings).read()
    assert vault.seen == []


@pytest.fixture
def certificate(tmp_path):
    """A self-signed certificate for 127.0.0.1: (file, server's context)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stand-in")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file, secret = tmp_path / "ca.pem", tmp_path / "server.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + file.read_bytes()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(secret)
    return file, context


def test_the_vault_s_certificate_is_verified(vaulted, certificate, tmp_path):
    """With its CA it is talked to; without, or under another name, nothing is sent."""
    file, context = certificate
    with running(context) as server:
        address = server.address.replace("http:", "https:")
        assert VaultProvider(vaulted(address, vault_ca_file=file)).read() is None
        seen = len(server.seen)
        for settings in (vaulted(address), vaulted(address.replace("127.0.0.1", "localhost"), vault_ca_file=file)):
            with pytest.raises(Unavailable, match="does not answer"):
                VaultProvider(settings).read()
        assert len(server.seen) == seen
    for content in (None, "no certificate"):
        broken = tmp_path / "broken.pem"
        if content is not None:
            broken.write_text(content)
        with pytest.raises(ConfigurationError, match="vault_ca_file"):
            VaultProvider(vaulted(address, vault_ca_file=broken)).read()


def test_neither_key_nor_token_is_told(vault, vaulted, provider, caplog):
    """Not in logs at their finest, not in `repr`, not in what an error or those behind it hold."""
    caplog.set_level(logging.DEBUG)
    keys = provider.add(new_key(), None)
    provider.read()
    told = caplog.text + repr(provider) + repr(vars(provider)) + repr(keys)
    for change in (b"%s is no JSON", b'{"data": {"data": {"format": 1, "keys": {"2": {"key": "%s", "made": null}}}}}'):
        vault.fault = (200, change % keys.versions[1].hex().encode(), {})
        with pytest.raises(ConfigurationError) as caught:
            provider.add(new_key(), keys)
        told += chain(caught.value)
    gone = VaultProvider(vaulted("http://127.0.0.1:9"))
    with pytest.raises(Unavailable) as lost:
        gone.read()
    told += chain(lost.value)
    assert "ngc-workbench/master-keys" in told
    assert keys.versions[1].hex() not in told
    assert repr(keys.versions[1]) not in told
    assert TOKEN not in told


def chain(error):
    """All that an error and those behind it hold, as a debugger would show it."""
    told = ""
    while error is not None:
        told += repr(error) + repr(error.args) + repr(vars(error))
        if hasattr(error, "_request") and error._request is not None:
            told += repr(error._request.headers.raw)
        error = error.__cause__ or error.__context__
    return told


def test_a_file_of_the_custody_zone_is_not_looked_at(vault, vaulted, database):
    """With a vault, a key file beside it has no say."""
    settings = vaulted(vault.address)
    FileProvider(settings.custody_dir).add(bytes(range(32)), None)
    assert Keyring.of(settings)._keys.versions[1] != bytes(range(32))
