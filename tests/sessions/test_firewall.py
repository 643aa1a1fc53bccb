"""The firewall table: what it says, and that a changed one is noticed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ngc_workbench.errors import Unavailable
from ngc_workbench.sessions import firewall
from ngc_workbench.sessions.privileged import privileged
from ngc_workbench.settings import Settings


def test_the_table_is_this_installation_own(settings: Settings) -> None:
    """Name, bridges and port come from the settings: two installations on one machine don't touch each other."""
    text = firewall.rules(settings)
    assert text.startswith("table inet ngc_test {")
    assert 'iifname "ngc-test-*"' in text
    assert "tcp dport 18003 accept" in text


def test_refusals_are_read_from_what_nft_prints() -> None:
    """Both shapes of an element: with a counter, and bare."""
    listing = {
        "nftables": [
            {"metainfo": {}},
            {
                "set": {
                    "elem": [
                        {
                            "elem": {
                                "val": {"concat": ["10.214.0.2", "203.0.113.7", "tcp", 80]},
                                "counter": {"packets": 3, "bytes": 180},
                            }
                        },
                        {"concat": ["10.214.0.2", "203.0.113.7", "udp", 53]},
                    ]
                }
            },
        ]
    }
    found = firewall._read(listing, 4)
    assert [(refusal.subject, refusal.packets) for refusal in found] == [
        ("tcp 203.0.113.7:80", 3),
        ("udp 203.0.113.7:53", 0),
    ]


@pytest.fixture
def installed(settings: Settings) -> Iterator[Settings]:
    """The table is in place."""
    firewall.install(settings)
    yield settings
    firewall.remove(settings)


@pytest.mark.docker
def test_no_table_no_session(settings: Settings) -> None:
    """Without the table the check says so; removing one that is not there is no error."""
    firewall.remove(settings)
    with pytest.raises(Unavailable, match="not installed"):
        firewall.check(settings)


@pytest.mark.docker
def test_our_table_passes_twice(installed: Settings) -> None:
    """Installing again changes nothing."""
    firewall.check(installed)
    firewall.install(installed)
    firewall.check(installed)


TAMPERING = {
    "a rule more": "add rule inet ngc_test from_session position {handle} accept",
    "a rule at the front": "insert rule inet ngc_test from_session tcp dport 22 accept",
    "an emptied chain": "flush chain inet ngc_test from_session",
    "a table that sleeps": "add table inet ngc_test {{ flags dormant; }}",
    "no rule for the way through": "flush chain inet ngc_test forward",
    "a chain more": "add chain inet ngc_test extra",
}


@pytest.mark.docker
@pytest.mark.parametrize("change", TAMPERING.values(), ids=TAMPERING.keys())
def test_any_change_is_noticed(installed: Settings, change: str) -> None:
    """A table of our name with other rules is as bad as none; installing mends it."""
    listing = privileged(["nft", "-a", "list", "chain", "inet", "ngc_test", "from_session"]).stdout
    handle = listing.rsplit("# handle ", 1)[1].split()[0]
    privileged(["nft", change.format(handle=handle)])
    with pytest.raises(Unavailable, match="changed by somebody"):
        firewall.check(installed)
    firewall.install(installed)


@pytest.mark.docker
def test_what_was_recorded_does_not_count_as_a_change(installed: Settings) -> None:
    """Contents of the sets and counters are no rules."""
    privileged(["nft", "add element inet ngc_test refused_ports { 10.214.0.2 . 203.0.113.7 . tcp . 80 }"])
    firewall.check(installed)
    found = firewall.refusals(installed)
    assert [refusal.subject for refusal in found] == ["tcp 203.0.113.7:80"]
    firewall.forget(installed, found)
    assert firewall.refusals(installed) == []
