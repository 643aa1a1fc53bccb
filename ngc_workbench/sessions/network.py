"""One network a session: a Docker bridge of its own, `--internal`, an IPv4 /29, no IPv6.

The addresses are fixed before anything is made: the first is this machine's on the bridge, the second the container's. So the decision
to start, the container's definition and the gateway's route can be written down in one transaction.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from docker import APIClient
from docker.errors import APIError, NotFound
from docker.types import IPAMConfig, IPAMPool

from ngc_workbench.errors import Unavailable
from ngc_workbench.sessions.privileged import privileged
from ngc_workbench.settings import Settings

LABEL = "ngc-workbench"
SESSION_LABEL = "ngc-session"
_PREFIX_LENGTH = 29


@dataclass(frozen=True)
class Network:
    """A session's network. `gateway` is this machine's address on it, `address` the container's."""

    name: str
    bridge: str
    subnet: IPv4Network
    gateway: IPv4Address
    address: IPv4Address


def layout(settings: Settings, session: str, subnet: IPv4Network) -> Network:
    """Names and addresses for session `session` (hexadecimal id). Pure."""
    hosts = list(subnet.hosts())
    return Network(
        name=f"ngc-{settings.instance}-{session}",
        # Linux allows 15 characters.
        bridge=f"{settings.bridge_prefix}{session}"[:15],
        subnet=subnet,
        gateway=hosts[0],
        address=hosts[1],
    )


def allocate(pool: IPv4Network, taken: Iterable[IPv4Network], after: IPv4Network | None = None) -> IPv4Network:
    """The next free /29 of `pool` behind `after`, from the start again at the end. Pure.

    Going round, in place of taking the lowest, keeps an address from being another session's right after one ended.
    Raises Unavailable when none is free.
    """
    used = [network for network in taken if network.overlaps(pool)]
    count = 2 ** (_PREFIX_LENGTH - pool.prefixlen)
    base = int(pool.network_address)
    first = 0
    if after is not None and after.subnet_of(pool):
        first = ((int(after.network_address) - base) >> (32 - _PREFIX_LENGTH)) + 1
    for step in range(count):
        index = (first + step) % count
        candidate = IPv4Network((base + (index << (32 - _PREFIX_LENGTH)), _PREFIX_LENGTH))
        if not any(candidate.overlaps(network) for network in used):
            return candidate
    raise Unavailable("No address range is free for another session.", "Stop a session, or widen session_subnets.")


def taken(client: APIClient) -> list[IPv4Network]:
    """Ranges that this machine uses: Docker's networks and its own routes (default routes aside). Raises Unavailable."""
    ranges: list[str] = []
    for network in client.networks():
        ranges.extend(pool.get("Subnet", "") for pool in (network.get("IPAM") or {}).get("Config") or [])
    try:
        routes = subprocess.run(
            ["ip", "-j", "-4", "route", "show", "table", "all"], capture_output=True, check=True, timeout=10
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise Unavailable("The routes of this machine can't be read.", "Install iproute2 (`make setup`).") from error
    ranges.extend(str(route.get("dst", "")) for route in json.loads(routes or b"[]"))
    found = []
    for text in ranges:
        with contextlib.suppress(ValueError):  # IPv6, "default"
            network_range = ipaddress.IPv4Network(text, strict=False)
            # Local and broadcast addresses have routes of their own (/32) inside of ranges that are listed too.
            if network_range.prefixlen > 0:
                found.append(network_range)
    return found


def create(client: APIClient, settings: Settings, session: str, network: Network) -> None:
    """Makes the network. Raises docker's APIError."""
    client.create_network(
        network.name,
        driver="bridge",
        internal=True,
        attachable=False,
        enable_ipv6=False,
        check_duplicate=True,
        ipam=IPAMConfig(pool_configs=[IPAMPool(subnet=str(network.subnet), gateway=str(network.gateway))]),
        options={
            "com.docker.network.bridge.name": network.bridge,
            "com.docker.network.bridge.enable_icc": "false",
        },
        labels={LABEL: settings.instance, SESSION_LABEL: session},
    )


def lead_out(pid: int, network: Network) -> None:
    """Gives the container of process `pid` a default route to this machine, where the firewall refuses and records.

    Without it the attempt would fail inside the container, unseen. Raises Unavailable.
    """
    privileged(
        ["nsenter", "--target", str(pid), "--net", "ip", "route", "replace", "default", "via", str(network.gateway)]
    )


def remove(client: APIClient, name: str) -> None:
    """Takes the network away; one that is gone is no error. Raises docker's APIError."""
    try:
        client.remove_network(name)
    except NotFound:
        return
    except APIError as error:
        # Docker's endpoint of a container that was killed hard may linger; it is unhooked, and the network goes.
        if error.response is None or error.response.status_code != 403:
            raise
        for container in client.inspect_network(name).get("Containers") or {}:
            client.disconnect_container_from_network(container, name, force=True)
        client.remove_network(name)


def ours(client: APIClient, settings: Settings) -> list[dict[str, Any]]:
    """Networks of this installation's sessions, as Docker lists them."""
    return list(client.networks(filters={"label": [f"{LABEL}={settings.instance}", SESSION_LABEL]}))
