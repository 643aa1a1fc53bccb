"""A kernel over the WebSocket that JupyterLab uses, with every message that comes back."""

from __future__ import annotations

import asyncio
import json
import uuid
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp
from yarl import URL

from tests.attacks.grounds.person import Person


@dataclass
class Said:
    """What came for one cell: messages as they came, and their size in bytes."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    bytes: int = 0

    def kinds(self) -> set[str]:
        """Types of messages."""
        return {message["header"]["msg_type"] for message in self.messages}

    def media(self) -> dict[str, Any]:
        """Outputs by media type, the last of each."""
        found: dict[str, Any] = {}
        for message in self.messages:
            found.update(message["content"].get("data", {}) if isinstance(message["content"].get("data"), dict) else {})
        return found

    @property
    def text(self) -> str:
        """Everything, as text."""
        return json.dumps(self.messages)


class Kernel:
    """One kernel of a person's."""

    def __init__(self, person: Person, kernel: str, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.person = person
        self.id = kernel
        self.socket = socket
        self._session = uuid.uuid4().hex

    @classmethod
    async def start(cls, person: Person) -> Self:
        """Starts one. Raises RuntimeError."""
        answer = await person.ask("POST", "api/kernels", json={"name": "python3"})
        if answer.status != 201:
            raise RuntimeError(f"no kernel: {answer.status} {answer.body[:300]!r}")
        kernel = json.loads(answer.body)["id"]
        return cls(person, kernel, await connect(person, f"api/kernels/{kernel}/channels"))

    async def stands(self) -> bool:
        """Whether the connection is still there."""
        try:
            await self.socket.ping()
        except (ConnectionError, aiohttp.ClientError):
            return False
        return not self.socket.closed

    async def close(self) -> None:
        """Ends it."""
        await self.socket.close()
        await self.person.ask("DELETE", f"api/kernels/{self.id}")

    def message(self, kind: str, content: dict[str, Any], channel: str = "shell", **more: Any) -> dict[str, Any]:
        """A message as JupyterLab makes it."""
        header = {
            "msg_id": uuid.uuid4().hex, "msg_type": kind, "session": self._session, "username": self.person.name,
            "version": "5.3", "date": "2026-01-01T00:00:00Z",
        }  # fmt: skip
        return {
            "channel": channel, "header": header, "parent_header": {}, "metadata": {}, "content": content, "buffers": [],
            **more,
        }  # fmt: skip

    async def send(self, message: dict[str, Any]) -> str:
        """Sends; gives the message's id."""
        await self.socket.send_str(json.dumps(message))
        return str(message["header"]["msg_id"])

    async def run(self, code: str, patience_s: float) -> Said:
        """Runs a cell until the kernel is idle again."""
        content = {
            "code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False,
            "stop_on_error": False,
        }  # fmt: skip
        return await self.heard(await self.send(self.message("execute_request", content)), patience_s)

    async def heard(self, request: str, patience_s: float, reply: str = "") -> Said:
        """What comes until the kernel is idle after a request, or until a message of type `reply`; what came when time ran out."""
        said = Said()
        try:
            async with asyncio.timeout(patience_s):
                while True:
                    frame = await self.socket.receive()
                    if frame.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                        return said
                    said.bytes += len(frame.data)
                    if frame.type is aiohttp.WSMsgType.BINARY:
                        said.messages.append(
                            {"header": {"msg_type": "binary"}, "content": {"binary": frame.data.decode("latin-1")}}
                        )
                        continue
                    message = json.loads(frame.data)
                    said.messages.append(message)
                    mine = message.get("parent_header", {}).get("msg_id") == request
                    idle = message["content"].get("execution_state") == "idle"
                    if mine and (message["header"]["msg_type"] == reply if reply else idle):
                        return said
        except TimeoutError:
            return said


async def connect(person: Person, path: str, **words: Any) -> aiohttp.ClientWebSocketResponse:
    """A WebSocket below the person's session."""
    return await person.http.ws_connect(
        URL(person.base + path, encoded=True), origin=words.pop("origin", person.origin), max_msg_size=128 << 20,
        headers={"X-XSRFToken": person.xsrf()}, **words,
    )  # fmt: skip


async def terminal(person: Person, typed: str, patience_s: float = 15) -> str:
    """Types a line into a new terminal; what its screen got until the word `done` stands on a line of its own."""
    made = await person.ask("POST", "api/terminals", json={})
    if made.status not in (200, 201):
        raise RuntimeError(f"no terminal: {made.status} {made.body[:300]!r}")
    name = json.loads(made.body)["name"]
    socket = await connect(person, f"terminals/websocket/{name}")
    shown = ""
    try:
        await asyncio.sleep(1)  # the shell starts
        await socket.send_str(json.dumps(["stdin", f"{typed}\r"]))
        async with asyncio.timeout(patience_s):
            while "\ndone" not in shown[-200:] and "Gdone" not in shown[-200:]:
                frame = await socket.receive()
                if frame.type is not aiohttp.WSMsgType.TEXT:
                    break
                kind, *content = json.loads(frame.data)
                shown += content[0] if kind == "stdout" else ""
    except TimeoutError:
        pass
    finally:
        await socket.close()
        await person.ask("DELETE", f"api/terminals/{name}")
    return shown
