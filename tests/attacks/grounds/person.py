"""A person's browser without a screen: cookies, the cross-site token, requests to their own session and to the hub."""

from __future__ import annotations

import base64
import gzip
import zlib
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from ngc_workbench.cli.demo.client import LoopbackResolver


@dataclass(frozen=True)
class Answer:
    """What came back. `body` is cut at 64 MB; status 0: the connection was cut."""

    status: int
    headers: dict[str, str]
    body: bytes

    def holds(self, token: str) -> bool:
        """Whether the token is in it: plain, in base64 at any offset, compressed, reversed or in hexadecimal."""
        raw = token.encode()
        forms = [raw, raw[::-1], raw.hex().encode()]
        forms += [base64.b64encode(b"x" * pad + raw)[4 if pad else 0 : -4] for pad in range(3)]
        bodies = [self.body]
        for opened in (gzip.decompress, zlib.decompress):
            try:
                bodies.append(opened(self.body))
            except (OSError, zlib.error, EOFError):
                continue
        heads = "\n".join(f"{name}: {value}" for name, value in self.headers.items()).encode()
        return any(form in body for form in forms for body in (*bodies, heads))


class Person:
    """`base` is the address of the person's session, with a slash at its end; `hub` that of the hub."""

    def __init__(self, name: str, base: str, hub: str) -> None:
        self.name = name
        self.base = base
        self.hub = hub
        self.origin = str(URL(base).origin())
        self.http: aiohttp.ClientSession

    async def open(self, cookies: aiohttp.CookieJar | None = None) -> None:
        """Starts with no cookies, or those of another client."""
        self.http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=LoopbackResolver(), limit=20),
            cookie_jar=cookies or aiohttp.CookieJar(unsafe=True, quote_cookie=False),
            timeout=aiohttp.ClientTimeout(total=60), max_line_size=65536, max_field_size=65536,
        )  # fmt: skip

    async def close(self) -> None:
        """Forgets everything."""
        await self.http.close()

    def xsrf(self) -> str:
        """The cross-site token of the session's server."""
        found = self.http.cookie_jar.filter_cookies(URL(self.base)).get("_xsrf")
        return found.value if found else ""

    async def ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        json: Any = None,
        headers: dict[str, str] | None = None,
        follow: bool = False,
        whole: str = "",
    ) -> Answer:
        """A request; `whole` is an address that is not below the session."""
        url = URL(whole or self.base + path, encoded=True)
        sent = {"X-XSRFToken": self.xsrf(), "Origin": self.origin, "Referer": f"{self.base}lab", **(headers or {})}
        try:
            async with self.http.request(
                method, url, data=body, json=json, headers=sent, allow_redirects=follow
            ) as answer:
                got = b""
                try:
                    async for piece in answer.content.iter_chunked(1 << 16):
                        got += piece
                        if len(got) > 64 << 20:
                            break
                except aiohttp.ClientError:
                    pass  # cut on the way: what came counts
                return Answer(answer.status, dict(answer.headers), got)
        except aiohttp.ClientError:
            return Answer(0, {}, b"")

    async def hub_call(self, method: str, path: str, json: Any) -> Answer:
        """A call to the hub's API as its pages make it: with the person's cookies and the hub's own cross-site token."""
        await self.ask("GET", "", whole=f"{self.hub}token", follow=True)
        found = [one.value for one in self.http.cookie_jar if one.key == "_xsrf" and one["path"].startswith("/hub")]
        headers = {
            "X-XSRFToken": found[0] if found else "",
            "Origin": str(URL(self.hub).origin()),
            "Referer": f"{self.hub}token",
        }
        return await self.ask(method, "", whole=self.hub + path, json=json, headers=headers)


async def stranger(person: Person, path: str, headers: dict[str, str]) -> Answer:
    """A request by somebody without any cookie."""
    other = Person(person.name, person.base, person.hub)
    await other.open()
    try:
        return await other.ask("GET", path, headers={"X-XSRFToken": "", **headers})
    finally:
        await other.close()
