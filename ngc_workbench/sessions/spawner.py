"""The hub's spawner: a named server is a project's session.

Of DockerSpawner little more is used than its name and its state. Whatever configuration, user options or saved state say about images,
volumes or mounts is not read: each start is decided and put together by `lifecycle` from the database as it is now.
The hub is told the gateway's address in place of the container's, so the hub's proxy leads every request through the gateway.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable
from typing import Any, NoReturn, ParamSpec, TypeVar

import httpx
from docker.errors import NotFound as NoContainer
from dockerspawner import DockerSpawner
from jupyterhub.spawner import SpawnException
from traitlets import Instance, Unicode, default

from ngc_workbench.errors import Refused, Unavailable, WorkbenchError
from ngc_workbench.sessions import container, lifecycle
from ngc_workbench.sessions.runtime import Runtime, runtime

P = ParamSpec("P")
T = TypeVar("T")


class NgcSpawner(DockerSpawner):
    """Starts, watches and stops sessions for the hub."""

    runtime = Instance(Runtime, help="The installation; by default the one that the configuration names.")
    session = Unicode("", help="Id of the running session; persisted so that a hub that restarts finds it again.")

    @default("runtime")
    def _runtime(self) -> Runtime:
        return runtime()

    async def start(self) -> str:
        """Starts a session in the project that the server is named after; gives the gateway's address.

        Raises SpawnException, with words for the person, when policy refuses or something needed does not answer.
        """
        settings = self.runtime.settings
        self.remove = True
        self.ip, self.port = "0.0.0.0", container.PORT  # noqa: S104  (inside the container)
        prefix = str(self.server.base_url)
        try:
            begun = await self._thread(lifecycle.begin, self.runtime, self.user.name, self.name, prefix)
        except WorkbenchError as error:
            self._refuse(error)
        self.session = begun.session
        # The one address that the container reaches: the gateway's session side, on this session's own bridge.
        self.hub_connect_url = f"http://{begun.wanted.network.gateway}:{settings.gateway_session_port}"
        # Reads the hub's own database: on the hub's own thread.
        environment = {key: str(value) for key, value in self.get_env().items() if value is not None}
        environment.pop("JUPYTER_IMAGE_SPEC", None)
        url = f"http://127.0.0.1:{settings.gateway_port}"
        try:
            self.object_id = await self._thread(lifecycle.launch, self.runtime, begun, environment)
            self.object_name = begun.wanted.network.name
            await self._answers(f"{url}{prefix}api")
        except BaseException as error:
            # The hub's patience may have ended, or the warden may have stopped it: whatever it was, nothing is left.
            what = error.what if isinstance(error, WorkbenchError) else type(error).__name__
            await self._thread(lifecycle.abandon, self.runtime, begun, "start.failed", what)
            self._forget()
            if isinstance(error, WorkbenchError):
                self._refuse(error)
            raise
        return url

    async def stop(self, now: bool = False) -> None:
        """Ends the session: recorded first, then container and network are removed."""
        if self.session:
            await self._thread(lifecycle.finish, self.runtime, self.session, "stopped.by_hub", actor="hub")
            await self._thread(lifecycle.remove, self.runtime, self.session, grace_s=1 if now else 5)
        self._forget()
        self.clear_state()

    async def poll(self) -> int | None:
        """None while the session runs, else its exit code (0 when it is not known)."""
        if not self.session:
            return 0
        name = f"ngc-{self.runtime.settings.instance}-{self.session}"
        try:
            state = (await self._thread(self.runtime.docker.inspect_container, name))["State"]
        except NoContainer:
            return 0
        # A paused container is running, to Docker too.
        return None if state["Running"] else int(state.get("ExitCode") or 0)

    async def rename(self, old_name: str, new_name: str) -> NoReturn:  # noqa: ARG002  (JupyterHub's signature)
        """Refuses: the name is the project, and what is mounted hangs on it."""
        raise SpawnException(
            "A session can't be renamed: its name is its project's.", reason="session.rename", status_code=403
        )

    def load_state(self, state: dict[str, Any]) -> None:
        """Takes up which session runs; nothing else in saved state counts."""
        super().load_state(state)
        self.session = str(state.get("session", ""))

    def get_state(self) -> dict[str, Any]:
        """What a hub that restarts needs to know."""
        state = dict(super().get_state())
        if self.session:
            state["session"] = self.session
        return state

    def clear_state(self) -> None:
        """Forgets which session ran."""
        super().clear_state()
        self.session = ""

    async def _answers(self, url: str) -> None:
        """Waits until the notebook server answers through the gateway. Raises Unavailable when its container ends before.

        The hub asks the same afterwards, but with growing pauses: asked here every tenth of a second, a session is ready seconds sooner.
        """
        async with httpx.AsyncClient(timeout=5) as client:
            for tries in range(int(self.http_timeout * 10)):
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get(url)).status_code == 200:
                        return
                if tries % 10 == 9 and await self.poll() is not None:
                    said = await self._thread(lifecycle.last_words, self.runtime, self.session)
                    self.log.error("The container of session %s ended while starting; it said:\n%s", self.session, said)
                    raise Unavailable("The session ended while it was starting.", "Try again; then tell the operator.")
                await asyncio.sleep(0.1)
        # The hub asks once more itself, and says that it took too long.

    def _forget(self) -> None:
        self.session = ""
        self.object_id = ""

    def _refuse(self, error: WorkbenchError) -> NoReturn:
        refused = isinstance(error, Refused)
        reason = error.reason if isinstance(error, Refused) else "unavailable"
        raise SpawnException(str(error), reason=reason, status_code=403 if refused else 503) from None

    async def _thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Docker and the database wait in a thread of their own; the hub's loop goes on."""
        return await asyncio.to_thread(functools.partial(work, *args, **kwargs))
