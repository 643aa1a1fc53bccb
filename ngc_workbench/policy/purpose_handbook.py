"""docs/purpose.md, written from the table of terms: `python -m ngc_workbench.policy.purpose_handbook`."""

from __future__ import annotations

from pathlib import Path

from ngc_workbench.policy import duo
from ngc_workbench.policy.terms import CARE, PURPOSES, RULED_OUT

PAGE = Path(__file__).resolve().parents[2] / "docs" / "purpose.md"

_HEAD = """# Purposes: what data may be used for

Written from the tables in `ngc_workbench/policy` by `python -m ngc_workbench.policy.purpose_handbook`: change the tables, not this page.

A dataset carries terms of use, a project states its purpose, both in terms of the GA4GH Data Use Ontology. They are matched before
anybody is asked to approve: **allowed**, **conditional** (a person must judge, and says why it holds), or **refused**. Every answer
gives a reason for each term; the worst of them counts. A further restriction never opens anything.

```
ngc-workbench dataset describe cohort --term HMB --term "DS MONDO:0005148" --term "GS regions=EU" --term "TS until=2027-01-01"
ngc-workbench dataset match cohort --purpose "DUO:0000040 MONDO:0005148" --fact country=DK
```

- No terms on the dataset: conditional. Terms, but no purpose: refused. Conditions, but no permission: conditional.
- Several permissions on a dataset must all hold. A term that is not understood refuses. A fact that nobody stated makes a condition.
- Diseases are codes (MONDO, ICD10, ORPHA, DOID). No ontology of diseases is shipped: the same code is covered, whether another is a
  kind of it is for a person to judge, unless the pair is given.
- A purpose that only says how, or about whom (methods, controls, a population group, ages, genders), needs the aim beside it.
"""


def render() -> str:
    """The page's Markdown."""
    parts = [_HEAD]
    for title, kind in (
        ("Permissions of a dataset", "permission"),
        ("Modifiers of a dataset", "modifier"),
        ("Purposes of a project", ""),
    ):
        terms = [term for term in duo.TERMS.values() if (term.kind == kind if kind else term.id in PURPOSES)]
        parts.append(
            f"## {title}\n\n| term | shorthand | label in DUO | what it says | på dansk |\n| --- | --- | --- | --- | --- |"
        )
        parts.append(
            "\n".join(f"| `{term.id}` | {term.shorthand} | {term.label} | {term.en} | {term.da} |" for term in terms)
            + "\n"
        )
    roots = ", ".join(f"`{term.id}` ({term.label})" for term in duo.TERMS.values() if term.kind == "root")
    parts.append(
        f"`{CARE}` on a dataset admits care of patients; as a purpose it states it. {roots} are headings, and can't be used.\n"
    )
    gone = ", ".join(f"`{name}` ({instead or 'nothing in its place'})" for name, instead in duo.OBSOLETE.items())
    parts.append(f"Given up by DUO, refused here: {gone}.\n")
    uses = ", ".join(name for name, _ in RULED_OUT)
    parts.append(
        f"## What can't be stated\n\nThere is no term for {uses}. Whoever states such a use is refused as `purpose.ruled_out`; a purpose in\n"
        "words that mentions one is conditional, since it may be a study about it.\n"
    )
    parts.append(f"## Source\n\n{duo.SOURCE}. Version {duo.VERSION}. Descriptions are ours.")
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
