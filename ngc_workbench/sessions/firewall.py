"""The firewall around sessions: one nftables table of our own.

Options were: (a) rules in Docker's chains, which Docker rewrites; (b) one set of rules a session, which has a moment between a
container's start and its rules; (c) a static table that names bridges by their prefix. (c) is taken: it stands before the first session
and covers each new bridge from its first packet. A `drop` in one table can't be undone by an `accept` in another, so no rule of
Docker's or of the site's opens what this closes.

A session's container has a default route that leads to this machine (its `--internal` network would give it none): what it tries
is then seen here, refused and recorded, in place of failing unseen inside. Refusals are answered (`reject`), so that a `pip install`
ends at once and doesn't hang.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from typing import Any

from ngc_workbench.errors import Unavailable
from ngc_workbench.sessions.privileged import privileged
from ngc_workbench.settings import Settings

_REMEDY = "`ngc-workbench up` puts it in place; docs/isolation.md says what it is for."
_SETS = {"refused_ports": 4, "refused_other": 3}


def rules(settings: Settings) -> str:
    """The table in nftables' own language. Pure.

    In `from_session`, in this order: a packet whose source address does not belong to its bridge is dropped (a session is known to
    the gateway by its address); answers to connections that this machine opened pass (`ct direction reply`, not every
    established connection, so that a connection made before the table stood does not live on); the gateway's port passes; all else is noted and
    refused. The sets are bounded, so that a session can fill them but not this machine's memory.
    """
    bridges = f'"{settings.bridge_prefix}*"'
    port = settings.gateway_session_port
    return f"""table inet {settings.firewall_table} {{
    set refused_ports {{
        type ipv4_addr . ipv4_addr . inet_proto . inet_service
        size 4096
        flags dynamic,timeout
        counter
        timeout 10m
    }}
    set refused_other {{
        type ipv4_addr . ipv4_addr . inet_proto
        size 4096
        flags dynamic,timeout
        counter
        timeout 10m
    }}
    chain note_and_refuse {{
        meta l4proto {{ tcp, udp }} update @refused_ports {{ ip saddr . ip daddr . meta l4proto . th dport }}
        meta l4proto != {{ tcp, udp }} update @refused_other {{ ip saddr . ip daddr . meta l4proto }}
        meta l4proto tcp reject with tcp reset
        reject with icmpx type admin-prohibited
    }}
    chain from_session {{
        fib saddr . iif oif missing drop
        ct state established ct direction reply accept
        tcp dport {port} accept
        jump note_and_refuse
        drop
    }}
    chain input {{
        type filter hook input priority -10; policy accept;
        iifname {bridges} jump from_session
        iifname != "lo" tcp dport {port} drop
    }}
    chain forward {{
        type filter hook forward priority -10; policy accept;
        iifname {bridges} fib saddr . iif oif missing drop
        iifname {bridges} jump note_and_refuse
        iifname {bridges} drop
        oifname {bridges} drop
    }}
}}
"""


def install(settings: Settings) -> None:
    """Puts the table in place, in one step: at no moment is there none. Raises Unavailable."""
    table = settings.firewall_table
    privileged(["nft", "-f", "-"], stdin=f"table inet {table} {{ }}\ndelete table inet {table}\n{rules(settings)}")
    check(settings)


def remove(settings: Settings) -> None:
    """Takes the table away; does nothing when there is none. Raises Unavailable."""
    table = settings.firewall_table
    privileged(["nft", "-f", "-"], stdin=f"table inet {table} {{ }}\ndelete table inet {table}\n")


def check(settings: Settings) -> None:
    """Raises Unavailable unless the table stands and holds exactly our rules (and is not dormant)."""
    found = privileged([*_LIST, settings.firewall_table], check=False)
    if found.returncode != 0:
        if "No such file" in found.stderr:
            raise Unavailable("The firewall around sessions is not installed.", _REMEDY)
        said = found.stderr.strip().splitlines() or ["no answer"]
        raise Unavailable(f"The firewall can't be read: {said[0][:200]}.", _REMEDY)
    if _normal(found.stdout) != _reference(settings.firewall_table, rules(settings)):
        raise Unavailable("The firewall around sessions was changed by somebody else.", _REMEDY)


# Terse (no contents of sets), stateless (no counters), numeric: the same text for the same rules.
_LIST = ("nft", "-t", "-s", "-n", "list", "table", "inet")


@functools.cache
def _reference(table: str, text: str) -> str:
    """Our rules as this machine's nft prints them: loaded into an empty network namespace that ends with the command.

    Comparing print with print keeps the check exact whatever the version of nft adds or rewrites.
    """
    script = f'nft -f - && {" ".join(_LIST)} "$0"'
    done = privileged(["unshare", "--net", "--", "sh", "-c", script, table], stdin=text)
    return _normal(done.stdout)


def _normal(text: str) -> str:
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


@dataclass(frozen=True)
class Refusal:
    """What a session tried and the firewall refused: addresses, protocol, port (None where there is none), packets."""

    source: str
    target: str
    protocol: str
    port: int | None
    packets: int

    @property
    def subject(self) -> str:
        """For people: `tcp 203.0.113.7:80`."""
        return f"{self.protocol} {self.target}" + ("" if self.port is None else f":{self.port}")


def refusals(settings: Settings) -> list[Refusal]:
    """What was refused and is not yet forgotten. Raises Unavailable when the table is missing."""
    found: list[Refusal] = []
    for name, width in _SETS.items():
        done = privileged(["nft", "-j", "list", "set", "inet", settings.firewall_table, name])
        found.extend(_read(json.loads(done.stdout), width))
    return found


def forget(settings: Settings, noted: list[Refusal]) -> None:
    """Takes refusals out of the sets, once they are recorded. One that has expired meanwhile is no error."""
    for refusal in noted:
        parts = [refusal.source, refusal.target, refusal.protocol]
        name = "refused_other" if refusal.port is None else "refused_ports"
        key = " . ".join(parts if refusal.port is None else [*parts, str(refusal.port)])
        privileged(["nft", "delete", "element", "inet", settings.firewall_table, name, f"{{ {key} }}"], check=False)


def _read(listing: dict[str, Any], width: int) -> list[Refusal]:
    """Elements of one set in nft's JSON: {"elem": {"val": {"concat": [...]}, "counter": {"packets": n}}}."""
    found = []
    for item in listing["nftables"]:
        for element in item.get("set", {}).get("elem", []):
            body = element.get("elem", element)
            value = body.get("val", body)["concat"]
            if len(value) != width:
                continue
            found.append(
                Refusal(
                    source=str(value[0]),
                    target=str(value[1]),
                    protocol=str(value[2]),
                    port=int(value[3]) if width == 4 else None,
                    packets=int(body.get("counter", {}).get("packets", 0)),
                )
            )
    return found
