"""Whether a project's purpose fits a dataset's terms of use, both stated in DUO terms.

Each term gives one reason: allowed, conditional (a person must judge) or refused. The result is the worst of them, so
that a further restriction never opens anything. Several permissions on a dataset all have to hold. The one term that
widens is DUO:0000043, which admits care of patients beside what the permissions say. What is not known is never taken
for a yes: a fact that nobody stated makes a condition, a term that is not understood refuses.

No ontology of diseases is shipped. A disease is covered when it is the same code, or when the pair (narrower, wider)
is among those given; anything else is for a person to judge.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ngc_workbench.errors import InputError, Refused
from ngc_workbench.policy import duo
from ngc_workbench.policy.decision import Decision, allow, deny
from ngc_workbench.policy.purpose_rules import ORDER, RULES, Asked, Facts, Reason, Result, care, maybe, no
from ngc_workbench.policy.terms import CARE, dataset_terms, purpose_terms, ruled_out

__all__ = ["Facts", "Match", "Reason", "Result", "match"]


@dataclass(frozen=True)
class Match:
    """The result, and the reason of each term."""

    result: Result
    reasons: tuple[Reason, ...]

    @property
    def conditions(self) -> tuple[str, ...]:
        """What a person has to judge or see to."""
        return tuple(reason.text for reason in self.reasons if reason.result == "conditional")

    def decision(self, *, accepted: bool) -> Decision:
        """As a decision. `accepted`: a person has judged the conditions and takes responsibility for them."""
        worst = next(reason for reason in self.reasons if reason.result == self.result)
        if self.result == "refused":
            texts = " ".join(reason.text for reason in self.reasons if reason.result == "refused")
            return deny("purpose.refused", texts, worst.remedy)
        if self.result == "conditional" and not accepted:
            return deny(
                "purpose.conditional", f"A person must judge: {' '.join(self.conditions)}",
                "Say why it holds with --accept-conditions; it is recorded.",
            )  # fmt: skip
        return allow(f"purpose.{self.result}", "the purpose fits the dataset's terms")


def match(
    terms: Sequence[Mapping[str, Any]],
    purpose: Sequence[Mapping[str, Any]],
    facts: Facts,
    today: date,
    known: Iterable[tuple[str, str]] = (),
) -> Match:
    """Matches a project's `purpose` and `facts` against a dataset's `terms`; `known` are pairs (disease, wider disease).

    Never raises for what is stored: what can't be read refuses.
    """
    reasons: list[Reason] = []
    try:
        wanted = purpose_terms(purpose)
        given = dataset_terms(terms)
    except Refused as refused:
        return Match("refused", (Reason("", "refused", refused.reason, refused.what, refused.remedy),))
    except InputError as error:
        return Match("refused", (Reason("", "refused", "term.not_understood", error.what, error.remedy),))
    law = ruled_out(facts.text)
    if law is not None:
        reasons.append(
            maybe(
                "",
                "purpose.mentions",
                f"The purpose in words mentions {law}, for which no use is lawful: it must be the subject of research, not the aim.",
            )
        )
    if not given:
        reasons.append(maybe("", "terms.none", "The dataset states no terms of use."))
    elif not wanted:
        reasons.append(
            no(
                "",
                "purpose.none",
                "The project states no purpose in DUO terms.",
                "State it, for instance DUO:0000037 for biomedical research.",
            )
        )
    else:
        asked = Asked(wanted, facts, today, frozenset(known), frozenset(term.term for term in given))
        reasons += [RULES[term.term](term, asked) for term in given]
        if not any(duo.TERMS[term.term].kind == "permission" for term in given):
            reasons.append(maybe("", "permission.none", "The dataset's terms hold conditions, but no permission."))
        if CARE in asked.stated:
            reasons.append(care(asked))
    return Match(max((reason.result for reason in reasons), key=ORDER.index), tuple(reasons))
