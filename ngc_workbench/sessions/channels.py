"""The two ways out of the house for a notice: a signed webhook, and e-mail. Each says whether the other side took it."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx

from ngc_workbench.settings import Settings

TIMEOUT_S = 10.0
SIGNATURE = "X-NGC-Signature-256"
"""Header of a webhook: `sha256=` and the HMAC-SHA-256 of the body's bytes under `notify_webhook_secret`, in hexadecimal."""


@dataclass(frozen=True)
class Message:
    """A notice as it is sent. `body` is what `notices.write` stored: no file's name, no code, no data."""

    id: int
    kind: str
    created: datetime
    session: str
    body: dict[str, Any]


class NotTaken(Exception):
    """The other side did not take it. The text is for the security officer: it holds no secret and no address's password."""


def channels(settings: Settings) -> dict[str, Callable[[Message], None]]:
    """The channels that are set up."""
    found: dict[str, Callable[[Message], None]] = {}
    if settings.notify_webhook:
        found["webhook"] = lambda message: webhook(settings, message)
    if settings.notify_smtp_host:
        found["email"] = lambda message: email(settings, message)
    return found


def webhook(settings: Settings, message: Message) -> None:
    """Posts the notice as JSON; taken when the answer is 2xx. Follows no redirect. Raises NotTaken."""
    said = {
        "id": message.id, "kind": message.kind, "created": message.created.isoformat(timespec="seconds"), "instance": settings.instance,
        "session": message.session, **message.body, "portal": f"{settings.portal_url}watch",
    }  # fmt: skip
    raw = json.dumps(said, sort_keys=True).encode()
    signature = hmac.new(settings.notify_webhook_secret.encode(), raw, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", SIGNATURE: f"sha256={signature}"}
    try:
        with httpx.Client(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False) as client:
            answer = client.post(settings.notify_webhook, content=raw, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotTaken(f"no answer: {type(error).__name__}") from error
    if not 200 <= answer.status_code < 300:
        raise NotTaken(f"answered with status {answer.status_code}")


def email(settings: Settings, message: Message) -> None:
    """Sends the notice to all of `notify_smtp_to`; taken when the server took it for each. Raises NotTaken."""
    text = written(settings, message)
    try:
        connection = smtplib.SMTP(settings.notify_smtp_host, settings.notify_smtp_port, timeout=TIMEOUT_S)
        with contextlib.closing(connection) as server:
            if settings.notify_smtp_starttls:
                server.starttls(context=ssl.create_default_context())
            if settings.notify_smtp_user:
                server.login(settings.notify_smtp_user, _password(settings.notify_smtp_password_file))
            refused = server.send_message(text)
            # It is taken by now, however the server says goodbye.
            with contextlib.suppress(smtplib.SMTPException, OSError):
                server.quit()
    except (smtplib.SMTPException, OSError) as error:
        # Servers' answers may repeat what they were sent: the kind of failure and its code are enough.
        code = f" {error.smtp_code}" if isinstance(error, smtplib.SMTPResponseException) else ""
        raise NotTaken(f"the mail server: {type(error).__name__}{code}") from error
    if refused:
        raise NotTaken(f"the mail server refused {len(refused)} of {len(settings.notify_smtp_to)} addresses")


def written(settings: Settings, message: Message) -> EmailMessage:
    """The e-mail, in Danish and English. It names project and session, and no person."""
    body = message.body
    project = body.get("project", "")
    mail = EmailMessage()
    mail["Subject"] = f"NGC Workbench: session sat på pause / session paused ({project})"
    mail["From"] = settings.notify_smtp_from
    mail["To"] = ", ".join(settings.notify_smtp_to)
    mail["Date"] = format_datetime(message.created)
    # The same in each try, so that a mail program shows a notice that came twice once.
    mail["Message-ID"] = f"<notice-{message.id}-{message.session}.{settings.instance}@{settings.public_host}>"
    mail["Auto-Submitted"] = "auto-generated"
    numbers = ""
    if body.get("limit_bytes"):
        numbers = (
            f"{body.get('traffic') or 'total'}: {int(body['shown_bytes']):,} of {int(body['limit_bytes']):,} bytes\n"
        )
    mail.set_content(
        "Der er sat en session på pause. Den står stille, til en sikkerhedsmedarbejder frigiver eller stopper den:\n"
        "A session was paused. It stands still until a security officer releases or stops it:\n\n"
        f"    {settings.portal_url}watch\n\n"
        f"project: {project}\nsession: {message.session}\nreason: {body.get('reason', '')}\nsince: {body.get('since', '')}\n{numbers}"
    )
    return mail


def _password(path: Path | None) -> str:
    if path is None:
        return ""
    if path.stat().st_mode & 0o077:
        raise NotTaken("notify_smtp_password_file can be read by others: set its mode to 0600")
    return path.read_text(encoding="utf-8").strip()
