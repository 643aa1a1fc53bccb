"""A person at a browser, as far as HTTP goes: cookies, redirects, forms. It drives the running system from outside.

Names below `.localhost` are taken to loopback here as browsers do, since not every machine's resolver does so.
"""

from __future__ import annotations

import asyncio
import json
import socket
import time
from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from typing import Any, Self
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from ngc_workbench.errors import Unavailable
from ngc_workbench.settings import Settings


class LoopbackResolver(AbstractResolver):
    """Resolves names below `.localhost` to 127.0.0.1, and no other name at all."""

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002  (aiohttp passes it by name)
    ) -> list[ResolveResult]:
        """The one address. Raises OSError for a name that is not below `.localhost`."""
        if host != "localhost" and not host.endswith(".localhost"):
            raise OSError(f"{host} is not on this machine")
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        """Nothing to close."""


@dataclass
class Form:
    """A form of a page: where it goes, and its fields with their first values. Buttons keep all their values."""

    action: str = ""
    method: str = "get"
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _FormReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        if tag == "form":
            self._open = Form(values.get("action", ""), values.get("method", "get").lower())
            self.forms.append(self._open)
        elif self._open is not None and values.get("name"):
            if tag == "button" or values.get("type") == "submit":
                self._open.buttons.append((values["name"], values.get("value", "")))
            elif tag in ("input", "textarea", "select") and values.get("type") not in ("checkbox", "radio"):
                self._open.fields.setdefault(values["name"], values.get("value", ""))
            elif values.get("type") in ("checkbox", "radio"):
                self._open.buttons.append((values["name"], values.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None


def forms(html: str) -> list[Form]:
    """The forms of a page, in order."""
    reader = _FormReader()
    reader.feed(html)
    return reader.forms


@dataclass(frozen=True)
class Answer:
    """What came back: status, headers, body, and the address after redirects."""

    status: int
    headers: dict[str, str]
    body: bytes
    url: str

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON. Raises ValueError when it is none."""
        return json.loads(self.body)


class Browser:
    """One person's browser. Use as an async context manager."""

    def __init__(self, settings: Settings, name: str) -> None:
        self.settings = settings
        self.name = name
        self.portal = settings.portal_url
        self.origin = settings.subdomain_url(name)
        self.cookies = aiohttp.CookieJar(quote_cookie=False)
        self.http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=LoopbackResolver(), limit=20),
            cookie_jar=self.cookies,
            timeout=aiohttp.ClientTimeout(total=180),
            max_line_size=32768,
            max_field_size=32768,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.close()

    async def request(
        self,
        method: str,
        url: str,
        *,
        data: Any = None,
        json_body: Any = None,
        headers: dict[str, str] | None = None,
        follow: bool = True,
    ) -> Answer:
        """One request with this person's cookies. `url` may be relative to the portal. Raises Unavailable when nothing answers."""
        full = urljoin(self.portal, url)
        try:
            async with self.http.request(
                method, URL(full, encoded=True), data=data, json=json_body, headers=headers,
                allow_redirects=follow, max_redirects=30,
            ) as answer:  # fmt: skip
                body = await answer.read()
                return Answer(answer.status, dict(answer.headers), body, str(answer.url))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(
                f"{method} {full} did not answer: {type(error).__name__}.", "See the logs in the state directory."
            ) from error

    async def get(self, url: str, **more: Any) -> Answer:
        """A GET, redirects followed."""
        return await self.request("GET", url, **more)

    async def get_json(self, url: str) -> Any:
        """A GET that asks for JSON. Raises Unavailable when the answer is none."""
        answer = await self.get(url, headers={"Accept": "application/json"})
        if answer.status != 200:
            raise Unavailable(f"{url} answered {answer.status}: {answer.text[:300]}")
        return answer.json()

    async def submit(
        self, page: Answer, values: dict[str, Any], *, action: str | None = None, accept: str | None = None
    ) -> Answer:
        """Fills in and sends a form of `page`: the first one, or the one whose action ends with `action`."""
        found = [
            form
            for form in forms(page.text)
            if form.method == "post" and (action is None or form.action.split("?")[0].endswith(action))
        ]
        if not found:
            raise Unavailable(f"The page {page.url} has no form {action or ''}: {page.status} {page.text[:200]}")
        form = found[0]
        data: list[tuple[str, str]] = [(key, value) for key, value in form.fields.items() if key not in values]
        for key, value in values.items():
            data += [(key, str(item)) for item in (value if isinstance(value, list) else [value])]
        target = urljoin(page.url, form.action or page.url)
        parts = URL(page.url)
        headers = {"Origin": str(parts.origin()), "Referer": page.url}
        if accept:
            headers["Accept"] = accept
        return await self.request("POST", target, data=aiohttp.FormData(data), headers=headers)

    async def log_in(self) -> Answer:
        """From the portal through the hub and the identity provider, back to the portal."""
        page = await self.get("")
        for form in forms(page.text):
            for key, value in form.buttons:
                if value == self.name:
                    return await self.request(
                        "POST", urljoin(page.url, form.action or page.url),
                        data=aiohttp.FormData([*form.fields.items(), (key, value)]),
                    )  # fmt: skip
        raise Unavailable(
            f"The log-in page does not offer {self.name}: {page.status} {page.text[:300]}", "Is this the demo?"
        )

    def cookie(self, origin: str, name: str) -> str:
        """The value of a cookie that would be sent to `origin`; empty when there is none."""
        found = self.cookies.filter_cookies(URL(origin)).get(name)
        return found.value if found else ""

    # -- sessions -----------------------------------------------------------------------------------

    def session_url(self, project: str, path: str = "") -> str:
        """Address inside this person's session."""
        return f"{self.origin}/user/{self.name}/{project}/{path}"

    async def start_session(self, project: str, patience_s: float = 120) -> float:
        """Presses start on the portal and waits until JupyterLab answers; gives the seconds it took.

        Raises Unavailable with the portal's own words when the start is refused or fails.
        """
        home = await self.get("")
        began = time.monotonic()
        answer = await self.submit(home, {}, action=f"projects/{project}/session/start", accept="application/json")
        if answer.status >= 400:
            raise Unavailable(f"{answer.status}: {answer.text[:500]}")
        while time.monotonic() - began < patience_s:
            state = await self.get_json(f"projects/{project}/session/status")
            if state.get("state") == "running":
                lab = await self.get(self.session_url(project, "lab"), headers={"Sec-Fetch-Dest": "iframe"})
                if lab.status == 200:
                    return time.monotonic() - began
            if state.get("state") == "failed":
                raise Unavailable(str(state.get("message", "the session failed to start")))
            await asyncio.sleep(0.1)
        raise Unavailable(f"The session was not ready after {patience_s:.0f} s.")

    async def stop_session(self, project: str, patience_s: float = 60) -> None:
        """Presses stop and waits until the session is gone."""
        home = await self.get("")
        await self.submit(home, {}, action=f"projects/{project}/session/stop", accept="application/json")
        began = time.monotonic()
        while time.monotonic() - began < patience_s:
            state = await self.get_json(f"projects/{project}/session/status")
            if state.get("state") not in ("running", "stopping", "starting"):
                return
            await asyncio.sleep(0.2)
        raise Unavailable(f"The session did not stop within {patience_s:.0f} s.")

    async def session_api(self, project: str, method: str, path: str, json_body: Any = None) -> Answer:
        """A request to the session's server, with its cross-site token."""
        base = self.session_url(project)
        headers = {
            "X-XSRFToken": self.cookie(base, "_xsrf"),
            "Origin": self.origin,
            "Referer": self.session_url(project, "lab"),
        }
        return await self.request(method, self.session_url(project, path), json_body=json_body, headers=headers)
