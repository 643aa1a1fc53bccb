"""The settings: one frozen object, read once at the edge.

A value comes from the environment (`NGC_<NAME>`), else from the configuration file, else from the
default below. The file is the one that `--config` or `$NGC_CONFIG` names, else `workbench.toml` in the
working directory, else `hub/demo.toml` of this checkout. An unknown key, or a value that would be
unsafe, stops the start: nothing falls back in silence.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ngc_workbench.errors import ConfigurationError

ROOT = Path(__file__).resolve().parent.parent
"""The checkout: where `hub/`, `images/` and `example_notebooks/` stand."""

Port = Annotated[int, Field(ge=1024, le=65535)]

_VAULT_ADDRESS = re.compile(r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?/?")
_THIS_MACHINE = ("127.0.0.1", "::1", "localhost")
_EMAIL = r"^[^@\s]+@[^@\s]+$"
_VAULT_PATH = r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$"


class Settings(BaseSettings):
    """All settings of one installation. Frozen; see the fields' descriptions."""

    model_config = SettingsConfigDict(env_prefix="NGC_", frozen=True, extra="forbid")

    instance: str = Field(
        "main",
        description="Short name of this installation, 1 to 4 lowercase letters. Part of the name of each "
        "container, network, bridge and firewall table, so that two installations on one machine stay apart.",
    )
    demo: bool = Field(
        False,
        description="Shows the DEMO banner and starts the identity provider with invented people. Never with real data.",
    )
    state_dir: Path = Field(
        description="Directory of all state: databases, keys, genome store, views, project folders. "
        "Holds pseudonym keys and genomes: mode 0700, on an encrypted disk in production.",
    )
    public_host: str = Field(
        "workbench.localhost",
        description="Host name of the workbench. Portal and sessions live on subdomains of it, "
        "so that no session shares a browser origin with the portal.",
    )
    public_port: Port = Field(8000, description="TCP port of the public address.")
    public_scheme: str = Field(
        "http", description="`https` in production, behind a TLS terminator; `http` on loopback alone."
    )
    hub_api_port: Port = Field(8081, description="Loopback TCP port of the hub's API.")
    proxy_api_port: Port = Field(8001, description="Loopback TCP port of the hub proxy's API.")
    portal_port: Port = Field(8010, description="Loopback TCP port of the portal.")
    gateway_port: Port = Field(8002, description="Loopback TCP port of the gateway's browser side.")
    gateway_session_port: Port = Field(
        8003,
        description="TCP port of the gateway's session side: the one port that a session can reach. "
        "The firewall closes it to everything but sessions.",
    )
    identity_port: Port = Field(8020, description="Loopback TCP port of the demo's identity provider.")
    database_url: str = Field("", description="SQLAlchemy address of the database; empty: SQLite inside `state_dir`.")
    session_subnets: str = Field(
        "10.213.0.0/16",
        description="Address range (IPv4) from which each session's own /29 network is cut. "
        "Must not be in use elsewhere in the data centre.",
    )
    session_image: str = Field(
        "",
        description="Image of sessions by digest (`sha256:…`); empty: the one that `make setup` built last.",
    )
    frontend_dir: Path | None = Field(
        None,
        description="Folder (absolute path) of the copies of JupyterLab's front end, one an image, from which the gateway serves it; "
        "default: `build/frontend` of the checkout, where `make setup` puts them. Whoever can write there writes scripts for "
        "every researcher's browser.",
    )
    copy_limit: int = Field(
        2000,
        ge=1,
        description="Most characters that a person copies, cuts or drags out of a session's page at once; more is stopped and recorded. "
        "It keeps honest people from doing it by mistake; whoever controls the browser gets round it.",
    )
    session_runtime: str = Field("runc", description="Docker runtime of sessions; a site may name gVisor's or Kata's.")
    session_memory_mb: int = Field(6144, ge=2048, description="Memory of a session, in MiB.")
    session_cpus: float = Field(2.0, gt=0, description="CPUs of a session.")
    session_pids: int = Field(512, ge=64, description="Most processes and threads of a session.")
    session_uid: int = Field(
        10001,
        ge=1000,
        description="User and group id inside a session; never an id of a person or service on the host.",
    )
    assurance_levels: tuple[str, ...] = Field(
        ("https://data.gov.dk/concept/core/nsis/loa/Substantial", "https://data.gov.dk/concept/core/nsis/loa/High"),
        description="Values of the `acr` claim that are good enough to start a session (NSIS levels).",
    )
    mfa_methods: tuple[str, ...] = Field(
        ("mfa", "otp", "hwk"),
        description="Values of the `amr` claim that prove a second factor; one of them must be present.",
    )
    oidc_issuer: str = Field("", description="Issuer of the OpenID Connect provider; empty in the demo.")
    oidc_client_id: str = Field("ngc-workbench", description="This workbench's client id at the provider.")
    oidc_client_secret: str = Field(
        "", description="Client secret; from the environment, never in a file in version control.", repr=False
    )
    export_max_file_mb: int = Field(50, ge=1, description="Largest file of an export request, in MiB.")
    export_max_files: int = Field(100, ge=1, description="Most files of one export request.")
    small_count: int = Field(
        5, ge=2, description="Counts below this (and above 0) may not leave: the disclosure threshold."
    )
    checkers_needed: int = Field(
        2, ge=2, description="Independent checkers that must approve before anything is released; never below 2."
    )
    view_replaced_grace_min: int = Field(
        60,
        ge=0,
        le=1440,
        description="Minutes for which a session may go on with a view that was replaced, for instance after an opt-out; "
        "its page says so. 0 stops it at once.",
    )
    meter_hour_mb: int = Field(
        200,
        ge=1,
        le=1_000_000,
        description="Megabytes (1,000,000 bytes) that a person may be shown in one project in a clock hour: about a hundred large figures. "
        "Above it the session is paused and the security officer is told. A project may have its own (`project limits`).",
    )
    meter_day_mb: int = Field(
        1000,
        ge=1,
        le=1_000_000,
        description="Likewise in the running hour and the 23 before it: a full day of notebooks with figures.",
    )
    meter_kind_hour_mb: dict[str, Annotated[int, Field(ge=1, le=1_000_000)]] = Field(
        {"terminal": 20},
        description="Likewise in a clock hour, for single kinds of traffic. A terminal shows text: an hour of `top` is less, much more is a file on its way out.",
    )
    notify_webhook: str = Field(
        "",
        description="Address to which each notice for the security officer is posted as signed JSON; https, or http on this machine alone. "
        "It names person, project and session, never a file, code or data. Empty: none.",
    )
    notify_webhook_secret: str = Field(
        "",
        repr=False,
        description="Key of the notices' HMAC-SHA-256, at least 16 characters; from the environment, never in a file in version control.",
    )
    notify_smtp_host: str = Field("", description="Mail server for notices to the security officer. Empty: no e-mail.")
    notify_smtp_port: int = Field(587, ge=1, le=65535, description="TCP port of the mail server.")
    notify_smtp_from: str = Field("", description="Sender of notices by e-mail.")
    notify_smtp_to: tuple[str, ...] = Field(
        (),
        description="Who gets notices by e-mail: the security officers. E-mail names project and session, no person.",
    )
    notify_smtp_starttls: bool = Field(
        True,
        description="Whether e-mail goes over TLS, with a server's certificate that this machine trusts. Without it only to a mail server on this machine.",
    )
    notify_smtp_user: str = Field("", description="Account at the mail server; empty: none is needed.")
    notify_smtp_password_file: Path | None = Field(
        None,
        description="File (absolute path, mode 0600) with the account's password. The password itself is no setting.",
    )
    worker_memory_mb: int = Field(4096, ge=2048, description="Memory of a custodian's Hail container, in MiB.")

    key_provider: Literal["file", "vault"] = Field(
        "file",
        description="Where the master keys of pseudonyms are: `file` (`custody/master.key`) or `vault` (KV secrets engine, "
        "version 2, of HashiCorp Vault or OpenBao). There is no falling back from one to the other.",
    )
    vault_address: str = Field(
        "", description="Address of the vault, without a path; https, or http on this machine alone."
    )
    vault_mount: str = Field(
        "secret", pattern=_VAULT_PATH, description="Path at which the vault's KV engine is mounted."
    )
    vault_path: str = Field(
        "ngc-workbench/master-keys", pattern=_VAULT_PATH, description="Path of the secret that holds the master keys."
    )
    vault_token_file: Path | None = Field(
        None,
        description="File (absolute path, mode 0600) with the vault's token, kept fresh by the vault's agent. The token itself "
        "is no setting: it stands in no configuration.",
    )
    vault_ca_file: Path | None = Field(
        None,
        description="Certificate (PEM, absolute path) of the CA that signed the vault's; default: those that the system trusts.",
    )
    publisher_name: str = Field(
        "The genome centre", min_length=1, description="Who publishes the datasets, as the catalogue names them."
    )
    publisher_email: str = Field(
        "data@example.org",
        pattern=_EMAIL,
        description="Where questions about the datasets go; stands in the catalogue.",
    )
    hdab_name: str = Field(
        "The health data access body",
        min_length=1,
        description="The health data access body that supports access to the datasets, as the catalogue names it.",
    )
    hdab_email: str = Field(
        "access@example.org", pattern=_EMAIL, description="Where the health data access body is written to."
    )
    genes_grch37: Path | None = Field(
        None, description="Annotation of genes on GRCh37 (GTF, GFF3 or BED), for cohorts that name genes."
    )
    genes_grch38: Path | None = Field(
        None, description="Annotation of genes on GRCh38 (GTF, GFF3 or BED), for cohorts that name genes."
    )

    @field_validator("instance")
    @classmethod
    def _short(cls, value: str) -> str:
        if not re.fullmatch(r"[a-z]{1,4}", value):
            raise ValueError("must be 1 to 4 lowercase letters")
        return value

    @field_validator("frontend_dir")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_absolute():
            raise ValueError("must be an absolute path")
        return value

    @field_validator("session_subnets")
    @classmethod
    def _network(cls, value: str) -> str:
        network = ipaddress.IPv4Network(value)
        if network.prefixlen > 24 or not network.is_private:
            raise ValueError("must be a private IPv4 range of at least a /24")
        return value

    @model_validator(mode="after")
    def _safe(self) -> Settings:
        ports = [
            self.public_port, self.hub_api_port, self.proxy_api_port, self.portal_port,
            self.gateway_port, self.gateway_session_port, self.identity_port,
        ]  # fmt: skip
        if len(set(ports)) != len(ports):
            raise ValueError("two services have the same port")
        if self.public_scheme not in ("http", "https"):
            raise ValueError("public_scheme must be http or https")
        loopback = self.public_host == "localhost" or self.public_host.endswith(".localhost")
        if self.public_scheme == "http" and not loopback:
            raise ValueError("public_scheme must be https when public_host is not below .localhost")
        if self.demo and not loopback:
            raise ValueError("the demo runs below .localhost only: its people are invented and its passwords public")
        if not self.demo and not (self.oidc_issuer and self.oidc_client_secret):
            raise ValueError("oidc_issuer and oidc_client_secret are needed outside the demo")
        return self

    @model_validator(mode="after")
    def _keys(self) -> Settings:
        files = (self.vault_token_file, self.vault_ca_file)
        if self.key_provider == "file":
            if self.vault_address or any(file is not None for file in files):
                raise ValueError("vault_address, vault_token_file and vault_ca_file go with key_provider vault")
            return self
        address = _VAULT_ADDRESS.fullmatch(self.vault_address)
        if address is None:
            raise ValueError("vault_address must be like https://vault.example:8200, without path or password")
        if address["scheme"] == "http" and address["host"] not in ("127.0.0.1", "[::1]", "localhost"):
            raise ValueError("vault_address must be https unless the vault is on this machine")
        if self.vault_token_file is None:
            raise ValueError("key_provider vault needs vault_token_file")
        if any(file is not None and not file.is_absolute() for file in files):
            raise ValueError("vault_token_file and vault_ca_file must be absolute paths")
        return self

    @model_validator(mode="after")
    def _notices(self) -> Settings:
        if self.notify_webhook:
            parts = urlsplit(self.notify_webhook)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
                raise ValueError("notify_webhook must be an http or https address without a password")
            if parts.scheme == "http" and parts.hostname not in _THIS_MACHINE:
                raise ValueError("notify_webhook must be https unless it is on this machine")
            if len(self.notify_webhook_secret) < 16:
                raise ValueError("notify_webhook needs notify_webhook_secret, of at least 16 characters")
        if not self.notify_smtp_host:
            return self
        addresses = (self.notify_smtp_from, *self.notify_smtp_to)
        if len(addresses) < 2 or not all(re.fullmatch(_EMAIL, address) for address in addresses):
            raise ValueError("notify_smtp_host needs notify_smtp_from and notify_smtp_to, all of them e-mail addresses")
        if not self.notify_smtp_starttls and self.notify_smtp_host not in _THIS_MACHINE:
            raise ValueError("notify_smtp_starttls can be left out for a mail server on this machine alone")
        if bool(self.notify_smtp_user) != (self.notify_smtp_password_file is not None):
            raise ValueError("notify_smtp_user and notify_smtp_password_file go together")
        if self.notify_smtp_password_file is not None and not self.notify_smtp_password_file.is_absolute():
            raise ValueError("notify_smtp_password_file must be an absolute path")
        return self

    # -- where things are -------------------------------------------------------------------------

    @property
    def control_dir(self) -> Path:
        """Databases, audit heads, service keys: the control plane's own state."""
        return self.state_dir / "control"

    @property
    def custody_dir(self) -> Path:
        """The custodian zone: master key, releases with internal ids. Never mounted in a session."""
        return self.state_dir / "custody"

    @property
    def views_dir(self) -> Path:
        """Pseudonymised views, one folder a project. On the custodian zone's file system (hard links)."""
        return self.state_dir / "views"

    @property
    def projects_dir(self) -> Path:
        """Working folders of projects and their people."""
        return self.state_dir / "projects"

    @property
    def airlock_dir(self) -> Path:
        """Content-addressed copies of what was submitted for review."""
        return self.state_dir / "airlock"

    @property
    def catalogue_dir(self) -> Path:
        """Catalogue records of published releases: rounded counts, no person, nothing of the custodian zone."""
        return self.state_dir / "catalogue"

    @property
    def run_dir(self) -> Path:
        """Process ids and logs of running services."""
        return self.state_dir / "run"

    @property
    def researcher_image(self) -> str:
        """Image of sessions and of the custodian's Hail containers: `session_image`, else the one that was built last.

        Raises ConfigurationError when there is none.
        """
        if self.session_image:
            return self.session_image
        try:
            image = json.loads((ROOT / "build" / "images.json").read_text(encoding="utf-8"))["researcher"]["id"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(
                "The image of sessions has not been built.", "Run `make setup`, or name one in session_image."
            ) from error
        return str(image)

    @property
    def frontend_copies(self) -> Path:
        """Folder of the copies of JupyterLab's front end, one an image."""
        return self.frontend_dir or ROOT / "build" / "frontend"

    @property
    def database(self) -> str:
        """SQLAlchemy address of the workbench's database."""
        return self.database_url or f"sqlite:///{self.control_dir / 'workbench.sqlite'}"

    @property
    def public_url(self) -> str:
        """Address that a person opens, without a slash at the end."""
        return f"{self.public_scheme}://{self.public_host}:{self.public_port}"

    def subdomain_url(self, name: str) -> str:
        """Origin of one person's sessions, or of a hub-managed service (`portal--service`)."""
        parts = urlsplit(self.public_url)
        return f"{parts.scheme}://{name}.{parts.netloc}"

    @property
    def portal_url(self) -> str:
        """Address of the portal, with a slash at the end."""
        return f"{self.subdomain_url('portal--service')}/services/portal/"

    @property
    def firewall_table(self) -> str:
        """Name of our own nftables table (family inet)."""
        return f"ngc_{self.instance}"

    @property
    def bridge_prefix(self) -> str:
        """Begin of the names of sessions' bridges; the firewall matches them by it."""
        return f"ngc-{self.instance}-"


def config_path(explicit: Path | None = None) -> Path:
    """The configuration file that counts: named one, else `workbench.toml` here, else the demo's.

    Raises ConfigurationError when a named file does not exist.
    """
    named = explicit or (Path(os.environ["NGC_CONFIG"]) if os.environ.get("NGC_CONFIG") else None)
    if named is not None:
        if not named.is_file():
            raise ConfigurationError(f"No configuration file at {named}.", "Check --config or NGC_CONFIG.")
        return named.resolve()
    here = Path("workbench.toml")
    return here.resolve() if here.is_file() else ROOT / "hub" / "demo.toml"


def load(path: Path | None = None) -> Settings:
    """Reads the settings. Relative paths in the file count from the file's checkout root or folder.

    Raises ConfigurationError with one line a fault.
    """
    source = config_path(path)
    try:
        values: dict[str, Any] = tomllib.loads(source.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{source.name} can't be read: {error}.", "Mend the file.") from error
    values = {key: value for key, value in values.items() if f"NGC_{key.upper()}" not in os.environ}
    try:
        settings = Settings(**values)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc']) or 'settings'}: {fault['msg']}" for fault in error.errors()
        )
        raise ConfigurationError(f"{source.name}: {faults}.", "docs/operations.md lists every setting.") from error
    if not settings.state_dir.is_absolute():
        base = ROOT if source.is_relative_to(ROOT) else source.parent
        settings = settings.model_copy(update={"state_dir": (base / settings.state_dir).resolve()})
    return settings
