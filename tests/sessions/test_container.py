"""What may go to Docker: each key that is missing, added or loosened refuses the start."""

from __future__ import annotations

import copy
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from ngc_workbench.errors import Refused
from ngc_workbench.sessions import container, network
from ngc_workbench.sessions.container import Mount, Wanted
from ngc_workbench.settings import Settings

IMAGE = "sha256:" + "a" * 64


@pytest.fixture
def site(settings: Settings) -> Settings:
    """Settings that name an image."""
    return settings.model_copy(update={"session_image": IMAGE})


@pytest.fixture
def wanted(site: Settings) -> Wanted:
    """A start with one view."""
    return Wanted(
        session="0123456789ab",
        image=IMAGE,
        network=network.layout(site, "0123456789ab", IPv4Network("10.214.0.8/29")),
        mounts=(
            Mount(Path("/s/views/heart/cohort-r1"), "/data/cohort/r1", read_only=True, view=1),
            Mount(Path("/s/projects/heart/shared"), "/project", read_only=False),
            Mount(Path("/s/projects/heart/homes/alma"), "/home/researcher", read_only=False),
            Mount(Path("/s/projects/heart/outbox/alma"), "/outbox", read_only=False),
        ),
    )


@pytest.fixture
def body(site: Settings, wanted: Wanted) -> dict[str, Any]:
    """The definition as it is made."""
    return container.definition(site, wanted, {"JUPYTERHUB_API_TOKEN": "t"})


def test_our_own_definition_passes(site: Settings, wanted: Wanted, body: dict[str, Any]) -> None:
    """What `definition` makes is allowed."""
    container.assert_definition(body, site, wanted)


EXTRA_MOUNT = {
    "Type": "bind",
    "Source": "/s/custody",
    "Target": "/data/x/y",
    "ReadOnly": True,
    "BindOptions": {"Propagation": "rprivate"},
}
CHANGES: dict[str, tuple[tuple[str, ...], Any]] = {
    "another image": (("Image",), "sha256:" + "b" * 64),
    "an image by tag": (("Image",), "ngc-researcher:latest"),
    "root": (("User",), "0:0"),
    "a command of one's own": (("Cmd",), ["sh"]),
    "an entry point": (("Entrypoint",), ["sh"]),
    "an anonymous volume": (("Volumes",), {"/data/x": {}}),
    "a port to the outside": (("ExposedPorts",), {"22/tcp": {}}),
    "an environment that loads code": (("Env",), ["LD_PRELOAD=/project/x.so"]),
    "privileged": (("HostConfig", "Privileged"), True),
    "a device": (("HostConfig", "Devices"), [{"PathOnHost": "/dev/sda"}]),
    "a graphics card": (("HostConfig", "DeviceRequests"), [{"Count": -1}]),
    "a capability": (("HostConfig", "CapAdd"), ["SYS_ADMIN"]),
    "capabilities kept": (("HostConfig", "CapDrop"), ["NET_RAW"]),
    "no seccomp": (("HostConfig", "SecurityOpt"), ["no-new-privileges:true", "seccomp=unconfined"]),
    "new privileges": (("HostConfig", "SecurityOpt"), []),
    "a writable root": (("HostConfig", "ReadonlyRootfs"), False),
    "the host's network": (("HostConfig", "NetworkMode"), "host"),
    "another session's network": (("HostConfig", "NetworkMode"), "container:ngc-test-other"),
    "the host's processes": (("HostConfig", "PidMode"), "host"),
    "shared memory": (("HostConfig", "IpcMode"), "host"),
    "the host's users": (("HostConfig", "UsernsMode"), "host"),
    "the host's cgroups": (("HostConfig", "CgroupnsMode"), "host"),
    "a binding of the old kind": (("HostConfig", "Binds"), ["/:/host"]),
    "volumes of another": (("HostConfig", "VolumesFrom"), ["ngc-test-other"]),
    "unmasked /proc": (("HostConfig", "MaskedPaths"), []),
    "writable /proc/sys": (("HostConfig", "ReadonlyPaths"), []),
    "a name server": (("HostConfig", "Dns"), ["10.0.0.1"]),
    "a name for the host": (("HostConfig", "ExtraHosts"), ["host:host-gateway"]),
    "IPv6": (("HostConfig", "Sysctls"), {}),
    "more memory": (("HostConfig", "Memory"), 2**40),
    "swap": (("HostConfig", "MemorySwap"), -1),
    "more processors": (("HostConfig", "NanoCpus"), int(64e9)),
    "no limit of processes": (("HostConfig", "PidsLimit"), -1),
    "endless logs": (("HostConfig", "LogConfig"), {"Type": "json-file", "Config": {}}),
    "a log sent away": (("HostConfig", "LogConfig"), {"Type": "syslog", "Config": {"max-size": "1m"}}),
    "another runtime": (("HostConfig", "Runtime"), "other"),
    "a restart": (("HostConfig", "RestartPolicy"), {"Name": "always"}),
    "a key nobody knows": (("HostConfig", "Novelty"), True),
    "a tmpfs over the data": (("HostConfig", "Tmpfs"), {"/data": "size=1m,nosuid,nodev"}),
    "an endless tmpfs": (("HostConfig", "Tmpfs"), {"/tmp": "nosuid,nodev"}),
    "an address of another": (
        ("NetworkingConfig", "EndpointsConfig", "ngc-test-0123456789ab", "IPAMConfig", "IPv4Address"),
        "10.214.0.12",
    ),
    "a second network": (("NetworkingConfig", "EndpointsConfig", "bridge"), {}),
    "a writable view": (("HostConfig", "Mounts", 0, "ReadOnly"), False),
    "a view of another project": (("HostConfig", "Mounts", 0, "Source"), "/s/views/brain/cohort-r1"),
    "a view elsewhere": (("HostConfig", "Mounts", 0, "Target"), "/data/../etc/x"),
    "a mount that spreads": (("HostConfig", "Mounts", 0, "BindOptions"), {"Propagation": "rshared"}),
    "the Docker socket": (("HostConfig", "Mounts", 1, "Source"), "/var/run/docker.sock"),
    "one mount more": (("HostConfig", "Mounts", 4), EXTRA_MOUNT),
    "a volume driver": (("HostConfig", "Mounts", 1, "VolumeOptions"), {"DriverConfig": {}}),
}


@pytest.mark.parametrize(("path", "value"), CHANGES.values(), ids=CHANGES.keys())
def test_every_loosening_is_refused(
    site: Settings, wanted: Wanted, body: dict[str, Any], path: tuple[Any, ...], value: Any
) -> None:
    """One change to the definition, and the start is refused."""
    changed = copy.deepcopy(body)
    place: Any = changed
    for step in path[:-1]:
        place = place[step]
    if isinstance(place, list) and path[-1] == len(place):
        place.append(value)
    else:
        place[path[-1]] = value
    with pytest.raises(Refused, match="would not be as it must be"):
        container.assert_definition(changed, site, wanted)


@pytest.mark.parametrize(
    "key",
    ["ReadonlyRootfs", "CapDrop", "SecurityOpt", "Memory", "PidsLimit", "NetworkMode", "Dns", "Mounts", "Privileged"],
)
def test_what_makes_it_safe_can_not_be_left_out(site: Settings, wanted: Wanted, body: dict[str, Any], key: str) -> None:
    """Docker's default is looser than ours: the key must be there."""
    del body["HostConfig"][key]
    with pytest.raises(Refused):
        container.assert_definition(body, site, wanted)


def test_what_docker_made_is_looked_at_too(wanted: Wanted) -> None:
    """A volume that the image declares appears in Docker's answer, and refuses the start."""
    mounts = [
        {"Type": "bind", "Source": str(m.source), "Destination": m.target, "RW": not m.read_only} for m in wanted.mounts
    ]
    host = {"CapDrop": ["ALL"], "ReadonlyRootfs": True, "Privileged": False}
    container.assert_created({"Image": IMAGE, "Mounts": mounts, "HostConfig": host}, wanted)
    volume = {"Type": "volume", "Source": "/var/lib/docker/volumes/x", "Destination": "/x", "RW": True}
    with pytest.raises(Refused):
        container.assert_created({"Image": IMAGE, "Mounts": [*mounts, volume], "HostConfig": host}, wanted)


@pytest.mark.parametrize(("memory", "heap"), [(2048, 1024), (4096, 2048), (6144, 3686), (65536, 39321)])
def test_spark_leaves_room_for_the_rest(settings: Settings, memory: int, heap: int) -> None:
    """Java's heap is well below the container's memory: Python and the notebook server live there too."""
    assert container.driver_memory_mb(settings.model_copy(update={"session_memory_mb": memory})) == heap
