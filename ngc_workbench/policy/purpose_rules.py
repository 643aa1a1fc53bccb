"""The rule of each DUO term that a dataset can carry: what it says about a purpose. `policy.purpose` puts them together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from ngc_workbench.policy import duo
from ngc_workbench.policy.terms import CARE, Terms

Result = Literal["allowed", "conditional", "refused"]
ORDER: tuple[Result, ...] = ("allowed", "conditional", "refused")
"""From best to worst."""

_GENERAL, _METHODS, _POPULATION, _ANCESTRY = "DUO:0000030", "DUO:0000031", "DUO:0000032", "DUO:0000033"
_BIOMEDICAL, _GENETIC = "DUO:0000037", "DUO:0000038"
_ASPECTS = frozenset({_METHODS, _POPULATION, "DUO:0000034", "DUO:0000035", "DUO:0000036"})
"""Purposes that say how, or about whom, and not for what: they follow the aim that is stated beside them."""

EU = frozenset({
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL",
    "PT", "RO", "SE", "SI", "SK",
})  # fmt: skip
REGIONS: dict[str, frozenset[str]] = {
    "EU": EU,
    "EEA": EU | {"IS", "LI", "NO"},
    "NORDIC": frozenset({"DK", "FI", "IS", "NO", "SE"}),
}
"""Regions that a term may name besides countries (ISO 3166-1 alpha-2)."""


@dataclass(frozen=True)
class Facts:
    """What is known of a project besides its purpose. None and empty: nobody has said.

    `country` is ISO 3166-1 alpha-2; `until` the last day of the approval asked for; `embargo` whether it has promised to
    wait with publication; `genotypes` whether it uses them; `text` its purpose in words.
    """

    ethics_approval: str = ""
    commercial: bool | None = None
    non_profit: bool | None = None
    publication: bool | None = None
    embargo: bool | None = None
    collaboration: bool | None = None
    return_of_results: bool | None = None
    genotypes: bool | None = None
    institution: str = ""
    country: str = ""
    project: str = ""
    persons: tuple[str, ...] = ()
    until: date | None = None
    text: str = ""


@dataclass(frozen=True)
class Reason:
    """What one term says: `term` is its DUO id (empty: of no single term)."""

    term: str
    result: Result
    name: str
    text: str
    remedy: str = ""


@dataclass(frozen=True)
class Asked:
    """What is asked, as the rules see it."""

    purpose: tuple[Terms, ...]
    facts: Facts
    today: date
    known: frozenset[tuple[str, str]]
    terms: frozenset[str]

    @property
    def stated(self) -> frozenset[str]:
        """The ids of all that is stated."""
        return frozenset(term.term for term in self.purpose)

    @property
    def research(self) -> tuple[Terms, ...]:
        """The purpose without care of patients, of which a rule of its own decides."""
        return tuple(term for term in self.purpose if term.term != CARE)


def yes(term: str, name: str, text: str) -> Reason:
    """Allowed."""
    return Reason(term, "allowed", name, text)


def maybe(term: str, name: str, text: str, remedy: str = "") -> Reason:
    """Conditional."""
    return Reason(term, "conditional", name, text, remedy)


def no(term: str, name: str, text: str, remedy: str = "") -> Reason:
    """Refused."""
    return Reason(term, "refused", name, text, remedy)


# -- permissions ----------------------------------------------------------------------------------


def _none(term: Terms, _asked: Asked) -> Reason:
    return yes(term.term, "nres.any", "Any lawful purpose is allowed.")


def _general(term: Terms, _asked: Asked) -> Reason:
    # Care of patients has its own rule.
    return yes(term.term, "gru.research", "Any research is allowed.")


def _health(term: Terms, asked: Asked) -> Reason:
    stated = {one.term for one in asked.research}
    if _ANCESTRY in stated:
        return no(term.term, "hmb.ancestry", "Health research alone is allowed, not research into ancestry.")
    if _GENERAL in stated:
        return no(
            term.term,
            "hmb.too_wide",
            "Health research alone is allowed, and the project states research of any kind.",
            "State DUO:0000037 if it is health research.",
        )
    aims = {one for one in stated if duo.within(one, _BIOMEDICAL)}
    if _POPULATION in stated:
        return maybe(
            term.term,
            "hmb.population",
            "Research into a population group must be health research, and not about its origins.",
        )
    if stated and not aims:
        return maybe(
            term.term,
            "hmb.no_aim",
            "The purpose does not say that it serves health research.",
            "State DUO:0000037 beside it.",
        )
    return yes(term.term, "hmb.health", "Health research is allowed.")


def _disease(term: Terms, asked: Asked) -> Reason:
    stated = {one.term for one in asked.research}
    if stated & {_ANCESTRY, _GENERAL}:
        return no(
            term.term,
            "ds.other_aim",
            "Research into the named diseases alone is allowed.",
            "State DUO:0000040 with the disease.",
        )
    named = frozenset(disease for one in asked.research for disease in one.diseases)
    if not stated:
        return yes(term.term, "ds.no_research", "No research is stated.")
    if not named:
        if stated <= _ASPECTS:
            return maybe(
                term.term,
                "ds.no_aim",
                "The purpose names no disease: it must serve research into the dataset's diseases.",
                "State DUO:0000040 with the disease.",
            )
        return no(
            term.term,
            "ds.no_disease",
            "Research into the named diseases alone is allowed, and the purpose names none.",
            "State DUO:0000040 with the disease.",
        )
    if not term.diseases:
        return maybe(term.term, "ds.unnamed", "The dataset's terms do not name the disease.")
    covered = {disease for disease in named if _covered(disease, term.diseases, asked.known)}
    if covered == named:
        return yes(term.term, "ds.named", "Research into these diseases is allowed.")
    first = min(named - covered)
    return maybe(
        term.term, "ds.kind_of", f"A person must judge whether {first} is a kind of {' or '.join(term.diseases)}."
    )


def _covered(disease: str, wider: Sequence[str], known: frozenset[tuple[str, str]]) -> bool:
    """Whether a chain of known pairs leads from `disease` to one of `wider`."""
    seen: set[str] = set()
    open_ends = {disease}
    while open_ends:
        if open_ends & set(wider):
            return True
        seen |= open_ends
        open_ends = {parent for child, parent in known if child in open_ends} - seen
    return False


def _ancestry(term: Terms, asked: Asked) -> Reason:
    stated = {one.term for one in asked.research}
    if stated - _ASPECTS - {_ANCESTRY}:
        return no(term.term, "poa.other_aim", "Research into population origins or ancestry alone is allowed.")
    if stated and _ANCESTRY not in stated:
        return maybe(
            term.term,
            "poa.no_aim",
            "The purpose does not say that it serves research into origins or ancestry.",
            "State DUO:0000033 beside it.",
        )
    return yes(term.term, "poa.ancestry", "Research into origins or ancestry is allowed.")


def care(asked: Asked) -> Reason:
    """Whether care of patients, which the purpose states, is allowed."""
    if asked.terms & {CARE, "DUO:0000004"}:
        return yes(CARE, "care.allowed", "Care of patients is allowed.")
    if not any(duo.TERMS[term].kind == "permission" for term in asked.terms):
        return maybe(CARE, "care.unsaid", "The terms do not say whether care of patients is allowed.")
    return no(CARE, "care.not_allowed", "Research is allowed, not care of patients.")


# -- modifiers ------------------------------------------------------------------------------------


def _research(term: Terms, asked: Asked) -> Reason:
    if not term.research:
        return maybe(
            term.term, "rs.unnamed", "The dataset is restricted to certain kinds of research, which are not named."
        )
    fits = [any(duo.within(one.term, wider) for wider in term.research) for one in asked.research]
    if all(fits):
        return yes(term.term, "rs.fits", "The kind of research is among those allowed.")
    if any(fits):
        return maybe(term.term, "rs.partly", "A part of the purpose is not among the kinds of research allowed.")
    return no(term.term, "rs.other", "The kind of research is not among those allowed.")


def _methods(term: Terms, asked: Asked) -> Reason:
    if _METHODS in asked.stated:
        return no(term.term, "nmds.methods", "Development of methods is not allowed.")
    return yes(term.term, "nmds.none", "No development of methods is stated.")


def _genetic(term: Terms, asked: Asked) -> Reason:
    if asked.facts.genotypes is False:
        return no(term.term, "gso.phenotypes", "Only studies that use the genotypes are allowed.")
    if _GENETIC in asked.stated or asked.facts.genotypes:
        return yes(term.term, "gso.genetic", "The study uses genotypes.")
    return maybe(term.term, "gso.unsaid", "The study must use the genotypes.", "State DUO:0000038, genetic research.")


def _no_origins(term: Terms, asked: Asked) -> Reason:
    if asked.stated & {_POPULATION, _ANCESTRY}:
        return no(term.term, "npoa.origins", "Research into populations, their origins or ancestry is not allowed.")
    return yes(term.term, "npoa.none", "No research into origins or ancestry is stated.")


def _stated(term: str, name: str, fact: bool | None, good: str, must: str) -> Reason:
    """A reason from a fact that must be true."""
    if fact is None:
        return maybe(term, f"{name}.unsaid", must)
    return yes(term, f"{name}.so", good) if fact else no(term, f"{name}.not_so", must)


def _non_profit(term: Terms, asked: Asked) -> Reason:
    return _stated(
        term.term,
        "npu",
        asked.facts.non_profit,
        "The organisation has no profit.",
        "The organisation must be one without profit.",
    )


def _non_commercial(term: Terms, asked: Asked) -> Reason:
    fact = asked.facts.commercial
    return _stated(
        term.term,
        "ncu",
        None if fact is None else not fact,
        "The aim is not commercial.",
        "The aim must not be commercial.",
    )


def _neither(term: Terms, asked: Asked) -> Reason:
    both = (_non_profit(term, asked), _non_commercial(term, asked))
    return max(both, key=lambda reason: ORDER.index(reason.result))


def _publish(term: Terms, asked: Asked) -> Reason:
    return _stated(
        term.term,
        "pub",
        asked.facts.publication,
        "The project will publish.",
        "The project must promise to publish its results.",
    )


def _collaborate(term: Terms, asked: Asked) -> Reason:
    return _stated(
        term.term,
        "col",
        asked.facts.collaboration,
        "Collaboration is agreed.",
        "The project must agree to work together with those who collected the data.",
    )


def _give_back(term: Terms, asked: Asked) -> Reason:
    return _stated(
        term.term,
        "rtn",
        asked.facts.return_of_results,
        "Return of results is agreed.",
        "The project must agree to give back what it derives.",
    )


def _ethics(term: Terms, asked: Asked) -> Reason:
    if asked.facts.ethics_approval.strip():
        return yes(term.term, "irb.shown", "An ethics approval is shown.")
    return no(term.term, "irb.missing", "An ethics approval must be shown.", "Give its reference.")


def _moratorium(term: Terms, asked: Asked) -> Reason:
    if term.until is None:
        return maybe(term.term, "mor.no_date", "Publication must wait, and the terms do not say until when.")
    if asked.today >= term.until:
        return yes(term.term, "mor.over", "The wait before publication is over.")
    return _stated(
        term.term,
        "mor",
        asked.facts.embargo,
        f"The project waits with publication until {term.until}.",
        f"The project must promise to publish nothing before {term.until}.",
    )


def _time_limit(term: Terms, asked: Asked) -> Reason:
    if term.until is None:
        return maybe(term.term, "ts.no_date", "Use is limited in time, and the terms do not say until when.")
    if asked.today > term.until:
        return no(term.term, "ts.over", f"Use was allowed until {term.until}.")
    if asked.facts.until is None:
        return maybe(term.term, "ts.unsaid", f"The project must end by {term.until}.")
    if asked.facts.until > term.until:
        return no(term.term, "ts.too_long", f"Use is allowed until {term.until}.", "End the approval by that day.")
    return yes(term.term, "ts.within", "The project ends in time.")


def _region(term: Terms, asked: Asked) -> Reason:
    countries = frozenset(country for name in term.regions for country in REGIONS.get(name.upper(), {name.upper()}))
    if not countries or not asked.facts.country:
        return maybe(
            term.term, "gs.unsaid", f"Use is allowed only in {', '.join(term.regions) or 'a region that is not named'}."
        )
    if asked.facts.country.upper() in countries:
        return yes(term.term, "gs.within", "The project is in the region.")
    return no(term.term, "gs.outside", f"Use is allowed only in {', '.join(term.regions)}.")


def _listed(term: str, name: str, asked: Sequence[str], allowed: Sequence[str], what: str) -> Reason:
    """A reason from a list in which everything asked must stand."""
    if not allowed or not asked:
        return maybe(term, f"{name}.unsaid", f"Use is allowed only to {what}.")
    if {one.casefold() for one in asked} <= {one.casefold() for one in allowed}:
        return yes(term, f"{name}.listed", "They are among those allowed.")
    return no(term, f"{name}.not_listed", f"Use is allowed only to {what}.")


def _persons(term: Terms, asked: Asked) -> Reason:
    return _listed(term.term, "us", asked.facts.persons, term.persons, "the persons that the terms name")


def _projects(term: Terms, asked: Asked) -> Reason:
    return _listed(term.term, "ps", asked.facts.project.split(), term.projects, "the projects that the terms name")


def _institutions(term: Terms, asked: Asked) -> Reason:
    own = [asked.facts.institution.strip()] if asked.facts.institution.strip() else []
    return _listed(term.term, "is", own, term.institutions, "the institutions that the terms name")


def _care_too(term: Terms, _asked: Asked) -> Reason:
    return yes(term.term, "cc.too", "Care of patients is allowed too.")


RULES: dict[str, Callable[[Terms, Asked], Reason]] = {
    "DUO:0000004": _none, "DUO:0000006": _health, "DUO:0000007": _disease, "DUO:0000011": _ancestry, "DUO:0000042": _general,
    "DUO:0000012": _research, "DUO:0000015": _methods, "DUO:0000016": _genetic, "DUO:0000018": _neither,
    "DUO:0000019": _publish, "DUO:0000020": _collaborate, "DUO:0000021": _ethics, "DUO:0000022": _region,
    "DUO:0000024": _moratorium, "DUO:0000025": _time_limit, "DUO:0000026": _persons, "DUO:0000027": _projects,
    "DUO:0000028": _institutions, "DUO:0000029": _give_back, "DUO:0000043": _care_too, "DUO:0000044": _no_origins,
    "DUO:0000045": _non_profit, "DUO:0000046": _non_commercial,
}  # fmt: skip
"""The rule of each permission and modifier; a test compares it with the table of terms."""
