"""A project's purpose against a dataset's terms: a table of cases, and what holds for all of them."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngc_workbench.errors import InputError, Refused
from ngc_workbench.policy import duo, purpose_handbook, purpose_rules
from ngc_workbench.policy.purpose import Facts, match
from ngc_workbench.policy.terms import CARE, CONDITIONS, PURPOSES, dataset_terms, from_text, purpose_terms

TODAY = date(2026, 11, 25)
KNOWN = (("MONDO:0005148", "MONDO:0005015"), ("MONDO:0005015", "MONDO:0005066"))
CASES = [
    line
    for line in (Path(__file__).parent / "purpose_cases.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
# The ids of DUO 2021-02-23: duo.csv, and the kinds of investigation of the ontology itself.
ALL = {f"DUO:{number:07d}" for number in (1, 4, 6, 7, 11, 12, *range(15, 23), *range(24, 47)) if number != 41}


def terms(text):
    return [from_text(part) for part in re.split(r",(?=DUO:|[A-Z]+\b(?!:))", text.strip()) if part.strip()]


def facts(text):
    found = {}
    for pair in filter(None, text.strip().split(",")):
        name, _, value = pair.partition("=")
        found[name] = {"yes": True, "no": False}.get(value, value)
        if name == "persons":
            found[name] = tuple(value.split("+"))
        if name == "until":
            found[name] = date.fromisoformat(value)
    return Facts(**found)


@pytest.mark.parametrize("line", CASES)
def test_each_case_has_its_result_and_its_reasons(line):
    """The table of cases says what each term does, alone and together."""
    first, stated, result, names = (part.strip() for part in line.split("|"))
    given_terms, _, wanted = first.partition(";")
    found = match(terms(given_terms), terms(wanted), facts(stated), TODAY, KNOWN)
    assert found.result == result
    assert [reason.name for reason in found.reasons if reason.result != "allowed"] == names.split()


def test_the_cases_show_each_term_allowed_and_each_restriction_not_allowed():
    """No term is missing from the table of cases."""
    seen = {True: set(), False: set()}
    for line in CASES:
        first, stated, _, _ = line.split("|")
        given_terms, _, wanted = first.partition(";")
        for reason in match(terms(given_terms), terms(wanted), facts(stated), TODAY, KNOWN).reasons:
            seen[reason.result == "allowed"].add(reason.term)
    assert seen[True] >= CONDITIONS
    assert seen[False] >= CONDITIONS - {"DUO:0000004", "DUO:0000042"}


def test_the_table_of_terms_is_complete():
    """Every term of DUO is there, with its parent and texts in two languages; every condition has a rule."""
    assert set(duo.TERMS) == ALL
    assert len(ALL) == 36
    assert set(purpose_rules.RULES) == CONDITIONS
    for term in duo.TERMS.values():
        assert term.label
        assert term.en != term.da
        assert (term.parent is None) == (term.kind == "root" or term.id == "DUO:0000030")
        assert term.parent is None or term.parent in duo.TERMS
    assert duo.VERSION == "2021-02-23"
    assert set(duo.OBSOLETE).isdisjoint(duo.TERMS)
    assert {term.kind for term in map(duo.TERMS.get, PURPOSES - {CARE})} == {"investigation"}


def test_shorthands_are_unique_and_found_in_any_case():
    """A shorthand means one term."""
    short = [term.shorthand for term in duo.TERMS.values() if term.shorthand]
    assert len(short) == len(set(short)) == 23
    assert all(duo.find(word.lower()).shorthand == word for word in short)


raw_terms = st.builds(
    lambda term, until, codes: {
        "term": term,
        **({"until": until} if term in ("DUO:0000024", "DUO:0000025") else {}),
        **({"diseases": codes} if term == "DUO:0000007" else {}),
    },
    st.sampled_from(sorted(CONDITIONS)),
    st.sampled_from(["2026-01-01", "2027-01-01"]),
    st.lists(st.sampled_from(["MONDO:0005148", "MONDO:0005015", "MONDO:0004975"]), min_size=1, max_size=2),
)
raw_purposes = st.builds(
    lambda term: {"term": term, **({"diseases": ["MONDO:0005148"]} if term == "DUO:0000040" else {})},
    st.sampled_from(sorted(PURPOSES)),
)
maybe = st.sampled_from([None, True, False])
raw_facts = st.builds(
    Facts, ethics_approval=st.sampled_from(["", "H-1"]), commercial=maybe, non_profit=maybe, publication=maybe, embargo=maybe,
    collaboration=maybe, return_of_results=maybe, genotypes=maybe, country=st.sampled_from(["", "DK", "US"]),
)  # fmt: skip


@given(st.lists(raw_terms, max_size=5), st.lists(raw_purposes, max_size=3), raw_facts, raw_terms)
def test_a_further_restriction_never_opens_what_was_refused(some, wanted, known, more):
    """Adding a term to a dataset leaves a refusal a refusal, but for the term that admits care of patients."""
    before = match(some, wanted, known, TODAY, KNOWN)
    if before.result == "refused" and more["term"] not in (CARE, "DUO:0000004"):
        assert match([*some, more], wanted, known, TODAY, KNOWN).result == "refused"


@given(st.lists(raw_terms, max_size=5), st.lists(raw_purposes, max_size=3), raw_facts)
def test_the_result_is_the_worst_of_the_reasons_in_any_order(some, wanted, known):
    """One refusal refuses, whatever else is allowed; the order of terms does not matter."""
    order = ["allowed", "conditional", "refused"]
    found = match(some, wanted, known, TODAY, KNOWN)
    assert found.result == max((reason.result for reason in found.reasons), key=order.index)
    assert match(some[::-1], wanted[::-1], known, TODAY, KNOWN).result == found.result


def test_conditions_need_a_person_and_a_refusal_stays_one():
    """Acceptance opens what is conditional, and nothing that is refused."""
    conditional = match([], [], Facts(), TODAY)
    assert conditional.decision(accepted=False).reason == "purpose.conditional"
    assert conditional.decision(accepted=True).reason == "purpose.conditional"
    assert conditional.decision(accepted=True).allowed
    assert not conditional.decision(accepted=False).allowed
    refused = match([{"term": "HMB"}], [{"term": "DUO:0000033"}], Facts(), TODAY)
    assert not refused.decision(accepted=True).allowed
    assert refused.decision(accepted=True).reason == "purpose.refused"
    allowed = match([{"term": "HMB"}], [{"term": "DUO:0000037"}], Facts(), TODAY)
    assert allowed.decision(accepted=False).reason == "purpose.allowed"


@pytest.mark.parametrize(
    "word",
    [
        "insurance",
        "Forsikringsselskab",
        "PENSION",
        "employment",
        "arbejdsgiver",
        "credit scoring",
        "DUO:0000037 pension",
        "reklame",
    ],
)
def test_a_use_that_the_law_rules_out_cannot_be_stated(word):
    """There is no term for it, and words for it are refused with the reason."""
    with pytest.raises(Refused) as refused:
        purpose_terms([from_text(word)])
    assert refused.value.reason == "purpose.ruled_out"


def test_terms_are_kept_as_they_were_given():
    """What is stored reads back as the same, with the id in place of the shorthand."""
    read = dataset_terms(
        [from_text("ts until=2027-01-01"), from_text("GS regions=DK,SE"), from_text("DS MONDO:0005148")]
    )
    assert [one.stored() for one in read] == [
        {"term": "DUO:0000025", "until": "2027-01-01"},
        {"term": "DUO:0000022", "regions": ["DK", "SE"]},
        {"term": "DUO:0000007", "diseases": ["MONDO:0005148"]},
    ]
    assert dataset_terms([one.stored() for one in read]) == read


@pytest.mark.parametrize(
    "text",
    ["", "DUO:0000007 diabetes", "GS regions=", "DS MONDO:1", "GRU MONDO:0005148", "nonsense", "RS research=HMB"],
)
def test_a_term_that_says_nothing_clear_is_refused_when_it_is_given(text):
    """A dataset's terms are checked when they are stated, not when somebody applies."""
    with pytest.raises(InputError):
        dataset_terms([from_text(text)])


def test_the_page_is_what_the_table_says():
    """docs/purpose.md is up to date: run `python -m ngc_workbench.policy.purpose_handbook` after a change."""
    assert purpose_handbook.PAGE.read_text(encoding="utf-8") == purpose_handbook.render()
    assert all(f"`{term}`" in purpose_handbook.render() for term in ALL)
