"""Addresses and names of sessions' networks."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest

from ngc_workbench.errors import Unavailable
from ngc_workbench.sessions import network
from ngc_workbench.settings import Settings

POOL = IPv4Network("10.214.0.0/24")


def test_first_free_range_is_taken() -> None:
    """A range that overlaps another network of the machine is passed over."""
    taken = [IPv4Network("10.214.0.0/29"), IPv4Network("10.214.0.9/32"), IPv4Network("192.168.0.0/16")]
    assert network.allocate(POOL, taken) == IPv4Network("10.214.0.16/29")


def test_ranges_go_round() -> None:
    """A range that was just given back is not the next one given; behind the last comes the first."""
    assert network.allocate(POOL, [], IPv4Network("10.214.0.0/29")) == IPv4Network("10.214.0.8/29")
    assert network.allocate(POOL, [], IPv4Network("10.214.0.248/29")) == IPv4Network("10.214.0.0/29")


def test_a_range_of_another_pool_counts_for_nothing() -> None:
    """After session_subnets changed, the start is the new pool's."""
    assert network.allocate(POOL, [], IPv4Network("10.1.0.0/29")) == IPv4Network("10.214.0.0/29")


def test_a_full_pool_is_said() -> None:
    """No range free: one clear line, no overlap."""
    with pytest.raises(Unavailable, match="No address range is free"):
        network.allocate(POOL, [IPv4Network("10.0.0.0/8")])


def test_bridge_has_the_prefix_that_the_firewall_matches(settings: Settings) -> None:
    """The bridge's name fits Linux's 15 characters and begins as the firewall expects; the container's name is the network's."""
    plan = network.layout(settings, "0123456789ab", IPv4Network("10.214.0.8/29"))
    assert plan.bridge.startswith(settings.bridge_prefix)
    assert len(plan.bridge) <= 15
    assert (str(plan.gateway), str(plan.address), plan.name) == ("10.214.0.9", "10.214.0.10", "ngc-test-0123456789ab")
