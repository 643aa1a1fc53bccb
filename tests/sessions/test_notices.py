"""The security officer is told: by a real web server and a real mail server, until they have taken it."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select

from ngc_workbench.errors import ConfigurationError
from ngc_workbench.model import Delivery, Notice, utcnow
from ngc_workbench.sessions import channels, notices, pause, warden
from ngc_workbench.sessions.channels import SIGNATURE, Message, NotTaken
from ngc_workbench.sessions.runtime import Runtime
from ngc_workbench.settings import Settings, load
from tests.sessions.test_pause import SMALL, act, run
from tests.sites import Site

SECRET = "a secret of the test's own"


class Web:
    """A receiver of webhooks: answers `status`, keeps what came."""

    def __init__(self) -> None:
        self.status = 204
        self.got: list[tuple[dict[str, str], bytes]] = []
        here = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                here.got.append((dict(self.headers), body))
                self.send_response(here.status)
                if here.status == 302:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)


class Dialogue(socketserver.StreamRequestHandler):
    """One connection to the mail server (RFC 5321, no more than is needed)."""

    def say(self, line: str) -> None:
        """Sends a line."""
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self) -> None:
        """Takes letters until the client goes; says no proper goodbye."""
        here, sender, to = self.server.mail, "", []
        self.say("220 test")
        # The reader changes when TLS begins.
        while raw := self.rfile.readline():
            line = raw.decode().strip()
            here.said.append(line)
            verb = line.upper().split(":")[0].split(" ")[0]
            address = line.partition("<")[2].partition(">")[0]
            if verb in here.refuses or address in here.refuses:
                self.say(here.refuses.get(verb, "550 no such person"))
                continue
            if verb == "STARTTLS":
                self.say("220 go on")
                try:
                    self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
                except OSError:  # the client didn't like what it saw
                    return
                self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
                continue
            if verb == "MAIL":
                sender = address
            elif verb == "RCPT":
                to.append(address)
            elif verb == "DATA":
                self.say("354 go on")
                here.got.append((sender, to, self.letter()))
            answers = {
                "EHLO": "\r\n".join(["250-test", *(f"250-{offer}" for offer in here.offers), "250 8BITMIME"]),
                "AUTH": "235 ok",
            }
            self.say(answers.get(verb, "250 ok"))

    def finish(self) -> None:
        """Closes the connection too when it is a TLS one, of which the server doesn't know."""
        with contextlib.suppress(OSError):
            super().finish()
        self.rfile.close()
        self.connection.close()

    def letter(self) -> bytes:
        """What comes after DATA."""
        lines = []
        while (piece := self.rfile.readline()) != b".\r\n":
            lines.append(piece.removeprefix(b".") if piece.startswith(b"..") else piece)
        return b"".join(lines)


class Mail:
    """A mail server: refuses the verbs and addresses of `refuses`, keeps what it took."""

    def __init__(self) -> None:
        self.refuses: dict[str, str] = {}
        self.offers: tuple[str, ...] = ()
        self.got: list[tuple[str, list[str], bytes]] = []
        self.said: list[str] = []
        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Dialogue)
        self.server.daemon_threads = True
        self.server.mail = self


@contextmanager
def served(server: socketserver.BaseServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@pytest.fixture
def web() -> Iterator[Web]:
    """A receiver on loopback."""
    here = Web()
    with served(here.server):
        yield here


@pytest.fixture
def mail() -> Iterator[Mail]:
    """A mail server on loopback."""
    here = Mail()
    with served(here.server):
        yield here


@pytest.fixture
def told(paper: Runtime, site: Site, web: Web, mail: Mail) -> Runtime:
    """An installation with both channels set up."""
    settings = paper.settings.model_copy(
        update={
            "notify_webhook": f"http://127.0.0.1:{web.server.server_address[1]}/ngc",
            "notify_webhook_secret": SECRET,
            "notify_smtp_host": "127.0.0.1",
            "notify_smtp_port": mail.server.server_address[1],
            "notify_smtp_from": "workbench@example.org",
            "notify_smtp_to": ("signe@example.org", "søren@example.org".replace("ø", "o")),
            "notify_smtp_starttls": False,
        }
    )
    return Runtime(settings, paper.database, paper.log, paper.docker)


def over(told: Runtime, person: str = "alma") -> str:
    """A session that showed too much."""
    session = run(told, person)
    with told.database.writing() as db:
        assert pause.count(db, told.log, SMALL, session, {"message": 1500})
    return session


def deliveries(runtime: Runtime) -> dict[str, Delivery]:
    with runtime.database.reading() as db:
        return {row.channel: row for row in db.scalars(select(Delivery))}


def due_now(runtime: Runtime) -> None:
    with runtime.database.writing() as db:
        for row in db.scalars(select(Delivery)):
            row.next_try = utcnow() - timedelta(seconds=1)


def test_a_pause_arrives_by_webhook_and_by_mail(told: Runtime, web: Web, mail: Mail) -> None:
    """Signed JSON with the numbers; an e-mail in two languages with the page's address, and without the person's name."""
    session = over(told)
    assert warden.tell(told) == 2
    [(headers, body)] = web.got
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert headers[SIGNATURE] == f"sha256={signature}"
    said = json.loads(body)
    assert set(said) == {
        "id", "kind", "created", "instance", "session", "project", "person", "reason", "since", "traffic", "shown_bytes", "limit_bytes", "portal",
    }  # fmt: skip
    assert (said["kind"], said["session"], said["project"], said["person"]) == (
        "session.paused",
        session,
        "heart",
        "alma",
    )
    assert (said["reason"], said["shown_bytes"], said["limit_bytes"]) == ("meter.hour", 1500, 1000)
    assert said["portal"] == f"{told.settings.portal_url}watch"
    [(sender, to, raw)] = mail.got
    assert (sender, to) == ("workbench@example.org", ["signe@example.org", "soren@example.org"])
    letter = message_from_bytes(raw, policy=policy.default)
    text = letter.get_body().get_content()
    assert "heart" in letter["Subject"]
    for part in (
        session,
        "sat en session på pause",
        "A session was paused",
        f"{told.settings.portal_url}watch",
        "1,500 of 1,000",
    ):
        assert part in text
    assert "alma" not in text + letter["Subject"]


def test_what_was_taken_is_not_sent_again(told: Runtime, web: Web, mail: Mail) -> None:
    """Nor is it spread over the channels again."""
    over(told)
    warden.tell(told)
    due_now(told)
    assert warden.tell(told) == 0
    assert (len(web.got), len(mail.got)) == (1, 1)
    assert all(row.sent is not None and row.tries == 1 for row in deliveries(told).values())


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_channel_that_fails_is_tried_again_with_growing_pauses_and_shown(
    told: Runtime, web: Web, mail: Mail, status: int
) -> None:
    """The other channel doesn't wait for it; nothing is given up; once taken, the failure is gone from the page."""
    session = over(told)
    web.status = status
    pauses = []
    for tries in range(1, 14):
        before = utcnow()
        assert warden.tell(told) == (1 if tries == 1 else 0)
        row = deliveries(told)["webhook"]
        assert (row.tries, row.sent, row.last_error) == (tries, None, f"answered with status {status}")
        pauses.append((row.next_try - before).total_seconds())
        assert warden.tell(told) == 0
        due_now(told)
    assert len(web.got) == 13
    assert [round(one) for one in pauses[:4]] == [5, 10, 20, 40]
    assert max(pauses) < 3601 == round(max(pauses)) + 1
    with told.database.reading() as db:
        [waiting] = notices.failing(db)
    assert (waiting.channel, waiting.session, waiting.tries) == ("webhook", session, 13)
    web.status = 200
    assert warden.tell(told) == 1
    with told.database.reading() as db:
        assert notices.failing(db) == []


def test_a_channel_that_is_down_is_asked_once_a_round(told: Runtime, web: Web, mail: Mail) -> None:
    """Two notices, one silence: the second notice waits, and is not counted as tried."""
    over(told)
    over(told, "bo")
    web.status = 500
    warden.tell(told)
    assert (len(web.got), len(mail.got)) == (1, 2)


class Killed(BaseException):
    """The warden is gone."""


@pytest.mark.parametrize("when", ["before", "after", "spreading"])
def test_a_kill_loses_no_notice(
    told: Runtime, web: Web, mail: Mail, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """Killed before, after, or between: the next warden delivers; what had arrived may come twice, under the same number."""
    over(told)

    def kill(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as broken:
        if when == "after":
            broken.setattr(notices, "_set", kill)
        elif when == "before":
            broken.setattr(channels, "webhook", kill)
        else:
            broken.setattr(notices, "Delivery", kill)
        with pytest.raises(Killed):
            warden.tell(told)
    warden.tell(told)
    assert {json.loads(body)["id"] for _, body in web.got} == {1}
    assert len(web.got) == (2 if when == "after" else 1)
    assert len(mail.got) == 1
    assert all(row.sent is not None for row in deliveries(told).values())


def test_without_channels_a_notice_waits_for_nobody(paper: Runtime, site: Site) -> None:
    """The portal shows the pause; a channel that is set up later is not flooded with what is past."""
    session = run(paper)
    act(paper, pause.pause, session)
    assert warden.tell(paper) == 0
    with paper.database.reading() as db:
        assert [notice.spread for notice in db.scalars(select(Notice))] == [True]
    assert deliveries(paper) == {}


@pytest.mark.parametrize(
    ("refuses", "said"),
    [
        ({"MAIL": "451 later"}, "SMTPSenderRefused 451"),
        ({"signe@example.org": "", "soren@example.org": ""}, "SMTPRecipientsRefused"),
        ({"soren@example.org": ""}, "refused 1 of 2 addresses"),
        ({"DATA": "554 the text of it, repeated"}, "SMTPDataError 554"),
    ],
)
def test_a_mail_server_that_refuses_is_tried_again(
    told: Runtime, mail: Mail, refuses: dict[str, str], said: str
) -> None:
    """One address of several refused is a failure too; the server's own words are not kept."""
    over(told)
    mail.refuses = refuses
    warden.tell(told)
    assert said in deliveries(told)["email"].last_error
    assert "repeated" not in deliveries(told)["email"].last_error
    mail.refuses = {}
    due_now(told)
    assert warden.tell(told) == 1


@pytest.mark.parametrize("user", ["", "ngc"])
def test_without_tls_nothing_goes_to_a_server_that_should_have_it(
    told: Runtime, mail: Mail, tmp_path: Path, user: str
) -> None:
    """Neither a password nor the letter: a server that offers no STARTTLS gets nothing."""
    mail.offers = ("AUTH PLAIN",)
    password = tmp_path / "password"
    password.write_text("hunter22\n")
    password.chmod(0o600)
    update = {
        "notify_smtp_starttls": True,
        "notify_smtp_user": user,
        "notify_smtp_password_file": password if user else None,
    }
    with pytest.raises(NotTaken, match="SMTPNotSupportedError"):
        channels.email(told.settings.model_copy(update=update), MESSAGE)
    assert mail.got == []
    assert not any(line.startswith(("AUTH", "MAIL")) for line in mail.said)


def certificate(folder: Path) -> Path:
    """A key and a certificate for 127.0.0.1 that signs itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(utcnow() - timedelta(days=1))
        .not_valid_after(utcnow() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "mail.pem"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(key.private_bytes(*form) + made.public_bytes(serialization.Encoding.PEM))
    return path


def test_over_tls_it_goes_to_a_server_that_is_known(
    told: Runtime, mail: Mail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate that nobody vouches for gets nothing; one that this machine trusts gets the letter."""
    pem = certificate(tmp_path)
    mail.offers = ("STARTTLS",)
    mail.server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    mail.server.tls.load_cert_chain(pem)
    settings = told.settings.model_copy(update={"notify_smtp_starttls": True})
    with pytest.raises(NotTaken, match="SSLCertVerificationError"):
        channels.email(settings, MESSAGE)
    assert mail.got == []
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    channels.email(settings, MESSAGE)
    assert len(mail.got) == 1


MESSAGE = Message(7, "session.paused", utcnow(), "s1", {"project": "heart", "reason": "meter.hour", "since": "x"})


def test_the_password_comes_from_a_file_that_is_the_services_own(told: Runtime, mail: Mail, tmp_path: Path) -> None:
    """One that others can read is refused before anything is said."""
    password = tmp_path / "password"
    password.write_text("hunter22\n")
    password.chmod(0o600)
    settings = told.settings.model_copy(update={"notify_smtp_user": "ngc", "notify_smtp_password_file": password})
    mail.offers = ("AUTH PLAIN",)
    channels.email(settings, MESSAGE)
    assert any(line.startswith("AUTH PLAIN ") for line in mail.said)
    password.chmod(0o640)
    with pytest.raises(NotTaken, match="0600"):
        channels.email(settings, MESSAGE)
    password.unlink()
    with pytest.raises(NotTaken, match="FileNotFoundError"):
        channels.email(settings, MESSAGE)


def test_a_server_that_is_not_there_is_a_failure(told: Runtime, web: Web, mail: Mail) -> None:
    """Of the channel, not of the warden."""
    closed = told.settings.model_copy(update={"notify_webhook": "http://127.0.0.1:1/", "notify_smtp_port": 1})
    for channel in channels.channels(closed).values():
        with pytest.raises(NotTaken):
            channel(MESSAGE)


@pytest.fixture
def configured(tmp_path: Path) -> Callable[[str], Settings]:
    """Settings with more lines."""

    def read(lines: str) -> Settings:
        path = tmp_path / "workbench.toml"
        path.write_text(f'state_dir = "{tmp_path}"\ndemo = true\n{lines}\n', encoding="utf-8")
        return load(path)

    return read


SMTP = 'notify_smtp_host = "mail.example.org"\nnotify_smtp_from = "a@example.org"\nnotify_smtp_to = ["b@example.org"]\n'


@pytest.mark.parametrize(
    "lines",
    [
        'notify_webhook = "http://example.org/x"\nnotify_webhook_secret = "0123456789abcdef"',
        'notify_webhook = "https://example.org/x"',
        'notify_webhook = "https://example.org/x"\nnotify_webhook_secret = "short"',
        'notify_webhook = "https://me:pw@example.org/x"\nnotify_webhook_secret = "0123456789abcdef"',
        'notify_webhook = "ftp://example.org/x"\nnotify_webhook_secret = "0123456789abcdef"',
        'notify_smtp_host = "mail.example.org"',
        'notify_smtp_host = "mail.example.org"\nnotify_smtp_from = "a@example.org"',
        SMTP.replace("b@example.org", "b@example.org\\nBcc: x@example.org"),
        SMTP + "notify_smtp_starttls = false",
        SMTP + 'notify_smtp_user = "me"',
        SMTP + 'notify_smtp_user = "me"\nnotify_smtp_password_file = "relative"',
        "meter_hour_mb = 0",
        "meter_kind_hour_mb = { terminal = 0 }",
    ],
)
def test_a_channel_that_would_be_unsafe_is_refused_at_the_start(
    configured: Callable[[str], Settings], lines: str
) -> None:
    """Open http, no signature, a password in an address or in the clear, a line break in an address."""
    with pytest.raises(ConfigurationError):
        configured(lines)


def test_channels_that_are_safe_are_taken(configured: Callable[[str], Settings]) -> None:
    """https, or http on this machine; TLS, or a mail server on this machine. The secret is not shown."""
    settings = configured(
        'notify_webhook = "http://localhost:1/x"\nnotify_webhook_secret = "0123456789abcdef"\n' + SMTP
    )
    assert set(channels.channels(settings)) == {"webhook", "email"}
    assert "0123456789abcdef" not in repr(settings)
    local = (
        SMTP.replace("mail.example.org", "localhost")
        + "notify_smtp_starttls = false\nmeter_kind_hour_mb = { terminal = 1 }"
    )
    assert set(channels.channels(configured(local))) == {"email"}
    assert channels.channels(configured("")) == {}
