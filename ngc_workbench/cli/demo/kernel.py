"""A kernel in a session, driven over the WebSocket that JupyterLab uses."""

from __future__ import annotations

import asyncio
import json
import uuid
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import aiohttp
from yarl import URL

from ngc_workbench.cli.demo.client import Browser
from ngc_workbench.errors import Unavailable


@dataclass
class CellResult:
    """What one executed cell gave: its outputs as Jupyter messages' contents, and the error if it raised."""

    outputs: list[dict[str, Any]] = field(default_factory=list)
    text: str = ""
    error: str = ""

    def media(self) -> set[str]:
        """Media types among the outputs."""
        return {kind for output in self.outputs for kind in output.get("data", {})}


class Kernel:
    """One running kernel. Use as an async context manager; it is shut down at the end."""

    def __init__(self, browser: Browser, project: str, path: str) -> None:
        self.browser = browser
        self.project = project
        self.path = path
        self.kernel_id = ""
        self._session = uuid.uuid4().hex
        self._socket: aiohttp.ClientWebSocketResponse | None = None

    async def __aenter__(self) -> Self:
        answer = await self.browser.session_api(
            self.project, "POST", "api/sessions",
            {"path": self.path, "name": self.path, "type": "notebook", "kernel": {"name": "python3"}},
        )  # fmt: skip
        if answer.status not in (200, 201):
            raise Unavailable(f"The kernel did not start: {answer.status} {answer.text[:300]}")
        self.kernel_id = answer.json()["kernel"]["id"]
        self.session_id = answer.json()["id"]
        url = self.browser.session_url(
            self.project, f"api/kernels/{self.kernel_id}/channels?session_id={self._session}"
        )
        self._socket = await self.browser.http.ws_connect(
            URL(url, encoded=True), origin=self.browser.origin, max_msg_size=64 << 20
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._socket is not None:
            await self._socket.close()
        await self.browser.session_api(self.project, "DELETE", f"api/sessions/{self.session_id}")

    async def run(self, code: str, patience_s: float = 300) -> CellResult:
        """Runs one cell to its end. Raises Unavailable when the kernel goes away or takes longer than `patience_s`."""
        if self._socket is None:
            raise Unavailable("The kernel is not connected.")
        message_id = uuid.uuid4().hex
        await self._socket.send_str(
            json.dumps(
                {
                    "channel": "shell",
                    "header": {
                        "msg_id": message_id, "msg_type": "execute_request", "session": self._session,
                        "username": self.browser.name, "version": "5.3",
                    },
                    "parent_header": {},
                    "metadata": {},
                    "content": {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False, "stop_on_error": True},
                    "buffers": [],
                }
            )
        )  # fmt: skip
        result = CellResult()
        replied = idle = False
        try:
            async with asyncio.timeout(patience_s):
                while not (replied and idle):
                    frame = await self._socket.receive()
                    if frame.type is not aiohttp.WSMsgType.TEXT:
                        raise Unavailable(f"The kernel's connection ended ({frame.type.name}).")
                    message = json.loads(frame.data)
                    if message.get("parent_header", {}).get("msg_id") != message_id:
                        continue
                    kind, content = message["header"]["msg_type"], message["content"]
                    replied = replied or kind == "execute_reply"
                    idle = idle or (kind == "status" and content["execution_state"] == "idle")
                    _collect(result, kind, content)
        except TimeoutError as error:
            raise Unavailable(f"The cell was not done after {patience_s:.0f} s.") from error
        return result


def _collect(result: CellResult, kind: str, content: dict[str, Any]) -> None:
    if kind == "stream":
        result.text += content["text"]
    elif kind in ("display_data", "execute_result"):
        result.outputs.append(content)
        result.text += content.get("data", {}).get("text/plain", "")
    elif kind == "error":
        result.error = f"{content['ename']}: {content['evalue']}"
