"""The whole way of a result, from a VCF to a reviewed download, on real genotypes with real containers and clients."""

from __future__ import annotations

import pytest

from ngc_workbench.cli.demo.play import STEPS

pytestmark = [pytest.mark.journey, pytest.mark.docker]


@pytest.mark.parametrize("step", [name for name, _ in STEPS])
def test_each_step_shows_what_it_should(played, step):
    """The play reached this step, and saw what it expects."""
    assert played.steps.get(step, {}).get("ok"), played.output


def test_the_opted_out_person_is_gone_and_pseudonyms_differ_between_projects(played):
    """Of 2,504 people one opted out; the view holds the others (the step compares the two projects' pseudonyms)."""
    assert played.steps["b-provision"]["seen"]["people"] == 2503


def test_the_association_finds_a_causal_variant_of_the_simulated_trait(played):
    """The best variant lies near one that the simulation made causal."""
    seen = played.steps["c-notebook"]["seen"]
    assert seen["top"]["p_value"] < 5e-8
    assert seen["distance_to_causal"] <= 100_000


def test_what_was_downloaded_is_what_was_reviewed(played):
    """The hash at submission is the hash at download."""
    assert played.steps["e-download"]["seen"]["sha256"] == played.steps["e-request"]["seen"]["sha256"]


def test_the_changed_copy_of_the_log_is_named(played):
    """The verifier names the event in which one byte was changed."""
    seen = played.steps["f-audit"]["seen"]
    assert f"event {seen['changed_event']} " in seen["said"].lower()
