"""A session's container: the definition that goes to Docker, and the allow-list that it must pass. Pure.

The definition is the body of Docker's own "create" call, whole, so that nothing is added behind the check's back (DockerSpawner's
settings, volumes and user options take no part in it). `assert_definition` does not compare it with what `definition`
would make: it knows nothing of how it was made and asks of each key whether it may be there and may have that value. A key that it does
not know refuses the start.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ngc_workbench.errors import Refused
from ngc_workbench.sessions.network import LABEL, SESSION_LABEL, Network
from ngc_workbench.settings import Settings

PORT = 8888
"""The port on which the notebook server listens inside of the container."""

HOME = "/home/researcher"
FOLDERS = ("/project", HOME, "/outbox")
"""What a session can write to, besides its own /tmp."""

_DATA = re.compile(r"/data/[a-z0-9](?:[a-z0-9]|[._-](?=[a-z0-9])){0,62}/[a-z0-9](?:[a-z0-9]|[._-](?=[a-z0-9])){0,62}")
_IMAGE = re.compile(r"sha256:[0-9a-f]{64}")
_ENVIRONMENT = re.compile(r"(JUPYTERHUB_[A-Z_]+|JPY_API_TOKEN|MEM_LIMIT|CPU_LIMIT|PYSPARK_SUBMIT_ARGS|NGC_[A-Z_]+)=")
_SYSCTLS = {"net.ipv6.conf.all.disable_ipv6": "1", "net.ipv6.conf.default.disable_ipv6": "1"}
_DNS_OPTIONS = ["timeout:1", "attempts:1"]
_TMP = "/tmp"  # noqa: S108  (a path inside the container)
_TMP_MB = 2048


@dataclass(frozen=True)
class Mount:
    """One bind mount. `view` is the id of the view, None for the three folders."""

    source: Path
    target: str
    read_only: bool
    view: int | None = None

    def record(self) -> dict[str, Any]:
        """As it stands in the sessions' table and in the audit log."""
        return {"source": str(self.source), "target": self.target, "read_only": self.read_only, "view": self.view}


@dataclass(frozen=True)
class Wanted:
    """What the decision to start came to: the facts that a container must agree with."""

    session: str
    image: str
    network: Network
    mounts: tuple[Mount, ...]
    kernel_has_ipv6: bool = True


def driver_memory_mb(settings: Settings) -> int:
    """Heap of Spark's driver, in MiB: what the container's memory leaves beside Python, the notebook server and Java's own needs."""
    return max(1024, min(int(settings.session_memory_mb * 0.6), settings.session_memory_mb - 2048))


def definition(settings: Settings, wanted: Wanted, environment: Mapping[str, str]) -> dict[str, Any]:
    """The body of Docker's "create" call. No command: the image has one, owned by root."""
    user = f"{settings.session_uid}:{settings.session_uid}"
    added = {
        "PYSPARK_SUBMIT_ARGS": f"--driver-memory {driver_memory_mb(settings)}m pyspark-shell",
        "MEM_LIMIT": str(settings.session_memory_mb * 1024**2),
        "CPU_LIMIT": str(settings.session_cpus),
    }
    return {
        "Image": wanted.image,
        "Hostname": "session",
        "User": user,
        "Env": sorted(f"{key}={value}" for key, value in {**environment, **added}.items()),
        "Labels": {LABEL: settings.instance, SESSION_LABEL: wanted.session},
        "AttachStdin": False,
        "AttachStdout": False,
        "AttachStderr": False,
        "OpenStdin": False,
        "Tty": False,
        "StopTimeout": 5,
        "HostConfig": {
            "Mounts": [
                {
                    "Type": "bind",
                    "Source": str(mount.source),
                    "Target": mount.target,
                    "ReadOnly": mount.read_only,
                    "BindOptions": {"Propagation": "rprivate"},
                }
                for mount in wanted.mounts
            ],
            "ReadonlyRootfs": True,
            # Docker's default is noexec: Hail's zstd unpacks its library there, and without it each read hangs.
            "Tmpfs": {_TMP: f"rw,exec,nosuid,nodev,size={_TMP_MB}m,mode=1777"},
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges:true"],
            "Privileged": False,
            "Runtime": settings.session_runtime,
            "NetworkMode": wanted.network.name,
            # Docker's own resolver would pass questions on to this machine's; nobody answers on this address.
            "Dns": ["127.0.0.1"],
            # Somebody asks all the same (Java, at times): let them hear soon.
            "DnsOptions": list(_DNS_OPTIONS),
            # A kernel without IPv6 has no such switches, and needs none.
            "Sysctls": dict(_SYSCTLS) if wanted.kernel_has_ipv6 else {},
            "IpcMode": "private",
            "CgroupnsMode": "private",
            "Memory": settings.session_memory_mb * 1024**2,
            # The same as Memory: no swap.
            "MemorySwap": settings.session_memory_mb * 1024**2,
            "NanoCpus": int(settings.session_cpus * 1e9),
            "PidsLimit": settings.session_pids,
            "Ulimits": [{"Name": "core", "Soft": 0, "Hard": 0}],
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "5m", "max-file": "2"}},
            "RestartPolicy": {"Name": "no"},
            "AutoRemove": False,
        },
        "NetworkingConfig": {
            "EndpointsConfig": {wanted.network.name: {"IPAMConfig": {"IPv4Address": str(wanted.network.address)}}},
        },
    }


def assert_definition(body: Mapping[str, Any], settings: Settings, wanted: Wanted) -> None:
    """Raises Refused (reason `definition.<key>`) unless every key of `body` is known and has an allowed value.

    Keys that make the container safe must be there; for all others absence is Docker's default, which is as tight.
    """
    user = f"{settings.session_uid}:{settings.session_uid}"
    memory = settings.session_memory_mb * 1024**2
    never = (False, None)
    top: dict[str, Callable[[Any], bool]] = {
        "Image": lambda v: v == settings.researcher_image and _IMAGE.fullmatch(v) is not None,
        "Hostname": lambda v: v == "session",
        "User": lambda v: v == user and settings.session_uid >= 1000,
        "Env": lambda v: all(_ENVIRONMENT.match(line) for line in v),
        "Labels": lambda v: v == {LABEL: settings.instance, SESSION_LABEL: wanted.session},
        **dict.fromkeys(("AttachStdin", "AttachStdout", "AttachStderr", "OpenStdin", "Tty"), lambda v: v in never),
        "StopTimeout": lambda v: 0 < v <= 30,
        "HostConfig": lambda v: isinstance(v, dict),
        "NetworkingConfig": lambda v: _only_own_network(v, wanted.network),
    }
    host: dict[str, Callable[[Any], bool]] = {
        "Mounts": lambda v: _mounts_allowed(v, wanted.mounts),
        "ReadonlyRootfs": lambda v: v is True,
        "Tmpfs": _tmpfs_allowed,
        "CapDrop": lambda v: v == ["ALL"],
        "SecurityOpt": lambda v: v == ["no-new-privileges:true"],
        "Privileged": lambda v: v is False,
        "Runtime": lambda v: v == settings.session_runtime,
        "NetworkMode": lambda v: v == wanted.network.name,
        "Dns": lambda v: v == ["127.0.0.1"],
        "DnsOptions": lambda v: v == _DNS_OPTIONS,
        "Sysctls": lambda v: v == (_SYSCTLS if wanted.kernel_has_ipv6 else {}),
        "IpcMode": lambda v: v == "private",
        "CgroupnsMode": lambda v: v == "private",
        "Memory": lambda v: 0 < v <= memory,
        "MemorySwap": lambda v: 0 < v <= memory,
        "NanoCpus": lambda v: 0 < v <= settings.session_cpus * 1e9,
        "PidsLimit": lambda v: 0 < v <= settings.session_pids,
        "Ulimits": lambda v: v == [{"Name": "core", "Soft": 0, "Hard": 0}],
        "LogConfig": lambda v: v.get("Type") in ("json-file", "local") and "max-size" in v.get("Config", {}),
        "RestartPolicy": lambda v: v == {"Name": "no"},
        "AutoRemove": lambda v: v in never,
    }
    _judge(
        "",
        body,
        top,
        required=set(top) - {"StopTimeout", "AttachStdin", "AttachStdout", "AttachStderr", "OpenStdin", "Tty"},
    )
    _judge("HostConfig.", body["HostConfig"], host, required=set(host) - {"Ulimits", "AutoRemove", "RestartPolicy"})


def assert_created(inspected: Mapping[str, Any], wanted: Wanted) -> None:
    """Raises Refused when Docker made something else of the definition: a volume of the image, a device, a capability.

    `inspected` is Docker's answer to "inspect" for the container that was created and not yet started.
    """
    host = inspected.get("HostConfig", {})
    got = {
        (mount.get("Type"), mount.get("Source"), mount.get("Destination"), bool(mount.get("RW")))
        for mount in inspected.get("Mounts", [])
    }
    if got != {("bind", str(mount.source), mount.target, not mount.read_only) for mount in wanted.mounts}:
        raise _refuse("created.mounts")
    if inspected.get("Image") != wanted.image:
        raise _refuse("created.image")
    for key in (
        "Privileged",
        "Devices",
        "DeviceRequests",
        "DeviceCgroupRules",
        "CapAdd",
        "Binds",
        "VolumesFrom",
        "GroupAdd",
        "PortBindings",
        "Links",
        "PidMode",
        "UTSMode",
        "UsernsMode",
        "ExtraHosts",
    ):
        if host.get(key):
            raise _refuse(f"created.{key}")
    if host.get("CapDrop") != ["ALL"] or host.get("ReadonlyRootfs") is not True:
        raise _refuse("created.rights")


def _judge(
    where: str, body: Mapping[str, Any], table: Mapping[str, Callable[[Any], bool]], *, required: set[str]
) -> None:
    for key in required - set(body):
        raise _refuse(f"definition.{where}{key}")
    for key, value in body.items():
        test = table.get(key)
        try:
            passed = test is not None and test(value)
        except (AttributeError, KeyError, TypeError, ValueError):
            passed = False
        if not passed:
            raise _refuse(f"definition.{where}{key}")


def _mounts_allowed(mounts: Any, wanted: tuple[Mount, ...]) -> bool:
    """Each mount is one of the wanted, as wanted; views below /data and read-only, the three folders and no other writable."""
    got = set()
    for mount in mounts:
        if set(mount) != {"Type", "Source", "Target", "ReadOnly", "BindOptions"}:
            return False
        if mount["Type"] != "bind" or mount["BindOptions"] != {"Propagation": "rprivate"}:
            return False
        is_data = _DATA.fullmatch(mount["Target"]) is not None
        if mount["ReadOnly"] is not is_data or not (is_data or mount["Target"] in FOLDERS):
            return False
        got.add((mount["Source"], mount["Target"], mount["ReadOnly"]))
    expected = {(str(mount.source), mount.target, mount.read_only) for mount in wanted}
    data_views = all((mount.view is not None) == (_DATA.fullmatch(mount.target) is not None) for mount in wanted)
    return (
        got == expected
        and len(mounts) == len(expected)
        and data_views
        and set(FOLDERS) <= {mount.target for mount in wanted}
    )


def _tmpfs_allowed(tmpfs: Any) -> bool:
    """One, on /tmp, of bounded size."""
    options = set(tmpfs[_TMP].split(","))
    return set(tmpfs) == {_TMP} and {"nosuid", "nodev"} <= options and any(o.startswith("size=") for o in options)


def _only_own_network(config: Any, network: Network) -> bool:
    return bool(config == {"EndpointsConfig": {network.name: {"IPAMConfig": {"IPv4Address": str(network.address)}}}})


def _refuse(reason: str) -> Refused:
    return Refused(
        reason,
        "The session's container would not be as it must be.",
        "Tell the operator; the audit log names the part.",
    )
