"""The tables of roles, states and names."""

from __future__ import annotations

import pytest

from ngc_workbench.errors import InputError, Refused
from ngc_workbench.policy import states
from ngc_workbench.policy.names import is_slug, slug
from ngc_workbench.policy.roles import ACTIONS, ROLES, may


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_each_action_is_open_to_its_roles_alone(action):
    """Every role outside an action's row is refused, each inside allowed."""
    assert ACTIONS[action] <= set(ROLES)
    for role in ROLES:
        assert may([role], action).allowed == (role in ACTIONS[action])


def test_an_unknown_action_is_refused_to_everybody():
    """What is not in the table nobody may do."""
    assert may(ROLES, "session.fly").reason == "action.unknown"


@pytest.mark.parametrize("machine", [states.PROJECT, states.EXPORT, states.SESSION, states.RELEASE])
def test_moves_lead_to_states_of_the_same_machine(machine):
    """No table names a state that it does not define, and a move out of the table is refused."""
    for current, targets in machine.items():
        assert targets <= set(machine)
        for target in machine:
            assert states.move(machine, current, target).allowed == (target in targets)


def test_a_released_export_can_only_be_revoked():
    """Nothing is released twice."""
    assert states.EXPORT["released"] == {"revoked"}
    with pytest.raises(Refused):
        states.move(states.EXPORT, "released", "released").or_refuse()


@pytest.mark.parametrize("name", ["a", "heart-1", "a1", "abc-def-ghi", "a" * 30])
def test_slugs(name):
    """Lowercase letters, digits and single hyphens, up to 30."""
    assert slug(name, "project") == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "A",
        "1a",
        "-a",
        "a-",
        "a--b",
        "a_b",
        "a.b",
        "../etc",
        "a/b",
        "a" * 31,
        "a\n",
        "å",
        "a b",
        "a%2e",
        "..",
        "a\x00",
    ],
)
def test_what_is_no_slug_is_refused(name):
    """Anything that could leave a folder, a URL segment or a DNS label is refused."""
    assert not is_slug(name)
    with pytest.raises(InputError):
        slug(name, "project")
