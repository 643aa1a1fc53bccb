"""How exact a published count or figure may be, so that it tells nothing about one person.

Counts: below `small` they are not shown; from there on they are rounded to the nearest multiple of `small`, so that
two versions of a table, before and after one person left, mostly look the same. A table in which one cell alone is
hidden gives it away by its total: then the smallest shown cell is hidden too.

Figures of a measurement: extreme values are drawn in until at least `small` people share the outermost, then mean,
standard deviation and quantiles are put on a grid of at least a tenth of the standard deviation, and at least ten times
what one person can move a mean by. A quantile is given when at least `small` people lie beyond it. No minimum, no maximum.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev

SMALL = "small"
HIDDEN = "hidden"
"""What stands for a count: SMALL when it is below the threshold, HIDDEN when it would give away one that is."""

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


def rounded(count: int, small: int) -> int | None:
    """`count` to the nearest multiple of `small` (halves upwards); None below `small`."""
    return None if count < small else (count + small // 2) // small * small


def table(counts: Mapping[str, int], small: int) -> dict[str, int | str]:
    """The cells of a table that add up to a known total, as they may be shown: a rounded count, SMALL or HIDDEN."""
    shown: dict[str, int | str] = {}
    for name, count in counts.items():
        value = rounded(count, small)
        shown[name] = SMALL if value is None else value
    hidden = [name for name, value in shown.items() if value == SMALL]
    if len(hidden) == 1 and len(shown) > 1:
        shown[min((name for name in shown if name not in hidden), key=lambda name: (counts[name], name))] = HIDDEN
    return shown


@dataclass(frozen=True)
class Summary:
    """A measurement in figures, on a grid of width `step`. `quantiles` are pairs (probability, value)."""

    mean: float
    sd: float
    step: float
    quantiles: tuple[tuple[float, float], ...]


def summary(values: Sequence[float], small: int) -> Summary | None:
    """The figures of a measurement; None for fewer than 4·small finite values, or values that are (nearly) all alike."""
    ordered = sorted(value for value in map(float, values) if math.isfinite(value))
    if len(ordered) < 4 * small:
        return None
    low, high = ordered[small - 1], ordered[-small]
    drawn_in = [min(max(value, low), high) for value in ordered]
    sd = pstdev(drawn_in)
    if not sd > 0 or not math.isfinite(sd):
        return None
    # One person moves a mean by at most (high - low) / n: a tenth of a step.
    step = _step(max(sd / 10, 10 * (high - low) / len(drawn_in)))
    return Summary(
        mean=on_grid(fmean(drawn_in), step),
        sd=on_grid(sd, step),
        step=step,
        quantiles=tuple(
            (share, on_grid(drawn_in[min(len(drawn_in) - 1, int(share * len(drawn_in)))], step))
            for share in QUANTILES
            if len(drawn_in) * min(share, 1 - share) >= small - 1e-9
        ),
    )


def _step(least: float) -> float:
    """The smallest of 1, 2 or 5 in a decimal place that is at least `least`."""
    place = 10.0 ** math.floor(math.log10(least))
    return next(place * times for times in (1, 2, 5, 10) if place * times >= least * (1 - 1e-12))


def on_grid(value: float, step: float) -> float:
    """`value` to the nearest multiple of `step`, without the noise of binary fractions."""
    return round(round(value / step) * step, max(0, -math.floor(math.log10(step))) + 1)
