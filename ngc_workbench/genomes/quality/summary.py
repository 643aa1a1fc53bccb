"""The figures of a release as a whole: for the custodian's summary.json, and as the manifest may hold them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import quantiles
from typing import Any

from ngc_workbench.genomes.quality.people import FIGURES, FLAGS, Person
from ngc_workbench.genomes.quality.thresholds import Thresholds

DEGREES = ("duplicate", "first", "second", "unclear")


def of(
    people: Sequence[Person],
    variants: Mapping[str, Any] | None,
    pairs: Sequence[str] | None,
    missing: Mapping[str, str],
    limits: Thresholds,
    used: Mapping[str, int],
) -> dict[str, Any]:
    """The summary with exact counts. `pairs` are degrees, `missing` why a figure could not be determined.

    `used` says over how many variants figures were measured that don't use all.
    """
    flags = Counter(reason for person in people for reason in person.flags)
    sexes = Counter(person.sex for person in people if person.sex)
    return {
        "people": len(people),
        "figures": {name: spread for name in FIGURES if (spread := _quartiles(people, name)) is not None},
        "flagged": {name: flags[name] for name in FLAGS if flags[name]},
        "sexes": dict(sorted(sexes.items())),
        "pairs": None if pairs is None else {one: Counter(pairs)[one] for one in DEGREES},
        "variants": dict(variants) if variants is not None else None,
        "not_determinable": dict(missing),
        "used": dict(used),
        "thresholds": limits.described(),
    }


def shareable(summary: Mapping[str, Any], small: int) -> dict[str, Any]:
    """The summary without counts of 1 to `small` - 1 about people: they become the text "<small"."""

    def hide(counts: Mapping[str, int]) -> dict[str, int | str]:
        return {name: f"<{small}" if 0 < count < small else count for name, count in counts.items()}

    pairs = summary["pairs"]
    return {
        **summary,
        "flagged": hide(summary["flagged"]),
        "sexes": hide(summary["sexes"]),
        "pairs": None if pairs is None else hide(pairs),
        "figures": summary["figures"] if summary["people"] >= 4 * small else {},
    }


def _quartiles(people: Sequence[Person], name: str) -> dict[str, float] | None:
    """Median and quartiles; None where nobody has the figure."""
    values = [value for person in people if (value := person.figures.get(name)) is not None]
    if not values:
        return None
    low, middle, high = quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    return {"q1": round(low, 6), "median": round(middle, 6), "q3": round(high, 6), "people": len(values)}
