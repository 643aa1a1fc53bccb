"""Plots as Bokeh figures: thinned to what an eye can see, drawn by `page.show`."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

from .disclosure import SMALL
from .errors import NgcError
from .session import hail, say

GENOME_WIDE = 5e-8
"""The usual threshold of genome-wide significance (Pe'er et al., Genet Epidemiol 32:381, 2008)."""
MINUS_LOG10_P = "\N{MINUS SIGN}log₁₀ p"
COLOURS = ("#0b4f6c", "#5aa9c4")
ACCENT = "#c8102e"
GRID = (900, 300)
"""Cells of a plot in which one point stands for all; about the pixels of a figure's markers."""
MOST_ROWS = 400_000
"""Results that are fetched from Hail for one plot; of the unremarkable ones a random part beyond that."""
_FIELDS = ("chromosome", "base_pair_location", "effect_allele", "other_allele", "beta", "p_value")


def _frame(results: Any) -> Any:
    """The results as a pandas DataFrame: all of the remarkable ones, and a random part of many others."""
    import pandas as pd

    if isinstance(results, pd.DataFrame):
        frame = results
    else:
        hl = hail()
        rows = results.count()
        if rows > MOST_ROWS:
            results = results.filter((results.p_value < 1e-3) | hl.rand_bool(MOST_ROWS / rows, seed=1))
        frame = results.key_by().select(*_FIELDS).to_pandas()
    frame = frame[frame["p_value"].notna()]
    if not len(frame):
        raise NgcError("There is no result to draw.", "Were all variants filtered away? ngc.top(results) shows some.")
    return frame


def _minus_log10(p: Any) -> Any:
    """-log10 of p-values; those too small for a float are drawn at the smallest there is."""
    import numpy as np

    return -np.log10(np.maximum(np.asarray(p, dtype=float), 1e-307))


def _thin(x: Any, y: Any) -> Any:
    """Indices of points that look the same as all: of each cell of GRID the one with the largest y."""
    import numpy as np

    order = np.argsort(-y, kind="stable")
    cells = [
        ((v - v.min()) / (float(np.ptp(v)) or 1.0) * (parts - 1)).astype(np.int64)
        for v, parts in zip((x, y), GRID, strict=True)
    ]
    _, first = np.unique((cells[0] * GRID[1] + cells[1])[order], return_index=True)
    return np.sort(order[first])


def _new_figure(title: str, x: str, y: str, **more: Any) -> Any:
    from bokeh.plotting import figure

    # No save tool: a picture leaves through the airlock.
    plot = figure(
        title=title, x_axis_label=x, y_axis_label=y, tools="pan,box_zoom,wheel_zoom,reset",
        active_drag="box_zoom", toolbar_location="right", background_fill_color="#fbfbfb", **more,
    )  # fmt: skip
    plot.toolbar.logo = None
    plot.grid.grid_line_color = "#e4e4e4"
    plot.outline_line_color = None
    plot.title.text_font_size = "15px"
    return plot


def _rank(chromosome: str) -> tuple[int, str]:
    """Sorts 2 before 10, and numbers before X, Y, MT."""
    name = chromosome.removeprefix("chr")
    return (int(name), "") if name.isdigit() else (1000, name)


def manhattan(results: Any, title: str = "") -> Any:
    """A Manhattan plot: each variant's position and -log10 of its p-value, as a Bokeh figure.

    `results` is what `association` gives, or a DataFrame with its columns. Chromosomes stand side by side;
    a single one is drawn by its position in Mb. Raises NgcError when there is no result.
    """
    import numpy as np
    from bokeh.models import ColumnDataSource, HoverTool, NumeralTickFormatter, Span

    frame = _frame(results)
    chromosome = frame["chromosome"].astype(str).to_numpy()
    at = frame["base_pair_location"].to_numpy(dtype=float) / 1e6
    y = _minus_log10(frame["p_value"])
    names = sorted(set(chromosome), key=_rank)
    single = len(names) == 1
    x = at.copy()
    starts: list[float] = []
    middles: dict[float, str] = {}
    begin = 0.0
    for name in names if not single else ():
        here = chromosome == name
        low, high = at[here].min(), at[here].max()
        # Chromosomes of which only a short piece is there still get a place of their own.
        width = max(high - low, 1.0)
        x[here] = at[here] - low + begin
        starts.append(begin)
        middles[begin + width / 2] = name
        begin += width * 1.02 + 0.2
    kept = _thin(x, y)
    rows = frame.iloc[kept]
    source = ColumnDataSource(
        {
            "x": x[kept],
            "y": y[kept],
            "colour": [COLOURS[names.index(name) % 2] for name in chromosome[kept]],
            "place": [f"{name}:{p:,}" for name, p in zip(chromosome[kept], rows["base_pair_location"], strict=True)],
            "alleles": [f"{o}→{e}"[:24] for o, e in zip(rows["other_allele"], rows["effect_allele"], strict=True)],
            "p": [f"{p:.2g}" for p in rows["p_value"]],
            "beta": [f"{b:.3g}" for b in rows["beta"]],
        }
    )
    plot = _new_figure(
        title or "Association by position",
        f"Position on chromosome {names[0].removeprefix('chr')} (Mb)" if single else "Chromosome",
        MINUS_LOG10_P,
        height=400,
        sizing_mode="stretch_width",
    )
    dots = plot.scatter(
        "x", "y", source=source, size=6 if len(kept) < 3000 else 4, color="colour", alpha=0.8, line_color=None
    )
    line = float(-np.log10(GENOME_WIDE))
    plot.add_layout(Span(location=line, dimension="width", line_color=ACCENT, line_dash="dashed", line_width=1.5))
    plot.y_range.start = 0
    plot.y_range.end = max(float(y.max()) * 1.07, line * 1.2)
    plot.add_tools(
        HoverTool(
            renderers=[dots],
            tooltips=[("", "@place @alleles"), ("p", "@p"), ("beta", "@beta")],
            point_policy="snap_to_data",
        )
    )
    if single:
        plot.xaxis.formatter = NumeralTickFormatter(format="0.[00]" if np.ptp(at) < 10 else "0")
    else:
        plot.xaxis.ticker = list(middles)
        plot.xaxis.major_label_overrides = {place: name.removeprefix("chr") for place, name in middles.items()}
        plot.xgrid.visible = False
    return plot


def qq(results: Any, title: str = "") -> Any:
    """Observed against expected -log10 p, with the genomic inflation factor λ, as a Bokeh figure.

    λ is the median of the observed χ² over that of χ² with one degree of freedom (Devlin and Roeder,
    Biometrics 55:997, 1999). Raises NgcError when there is no result.
    """
    import numpy as np
    import pandas as pd
    from bokeh.models import Range1d

    p = results["p_value"] if isinstance(results, pd.DataFrame) else results.p_value.collect()
    p = np.sort(np.asarray(p, dtype=float))
    p = p[np.isfinite(p)]
    if not len(p):
        raise NgcError("There is no result to draw.")
    normal = NormalDist()
    inflation = (normal.inv_cdf(max(float(np.median(p)), 1e-300) / 2) / normal.inv_cdf(0.25)) ** 2
    expected, observed = _minus_log10((np.arange(len(p)) + 0.5) / len(p)), _minus_log10(p)
    kept = _thin(expected, observed)
    plot = _new_figure(
        title or f"Observed and expected p-values: λ = {inflation:.2f}", f"Expected {MINUS_LOG10_P}", f"Observed {MINUS_LOG10_P}",
        height=400, width=460,
    )  # fmt: skip
    end = float(expected.max()) * 1.05
    plot.line([0, end], [0, end], line_color=ACCENT, line_dash="dashed", line_width=1.5)
    plot.scatter(expected[kept], observed[kept], size=5, color=COLOURS[0], alpha=0.8, line_color=None)
    plot.x_range = Range1d(0, end)
    plot.y_range = Range1d(0, max(float(observed.max()), end) * 1.05)
    return plot


def components(mt: Any, first: int = 1, second: int = 2) -> Any:
    """How people lie along two components of ancestry, as a Bokeh figure of counts and not of people.

    `mt` comes from `principal_components`. Cells with fewer than SMALL people stay empty.
    Raises NgcError when `mt` has no such components.
    """
    import numpy as np
    from bokeh.models import ColorBar, LinearColorMapper
    from bokeh.palettes import Blues256

    for number in (first, second):
        if "pheno" not in mt.col or f"PC{number}" not in mt.pheno:
            raise NgcError(f"There is no component {number}.", "Compute them: mt = ngc.principal_components(mt).")
    rows = hail().tuple([mt.pheno[f"PC{first}"], mt.pheno[f"PC{second}"]]).collect()
    points = np.asarray([row for row in rows if None not in row], dtype=float)
    bins = int(np.clip(np.sqrt(len(points)) / 2, 4, 40))
    counts, x, y = np.histogram2d(points[:, 0], points[:, 1], bins=bins)
    shown = counts >= SMALL
    i, j = np.nonzero(shown)
    mapper = LinearColorMapper(palette=Blues256[::-1][40:], low=0, high=max(float(counts.max()), 1.0))
    plot = _new_figure("People along the components", f"PC{first}", f"PC{second}", height=400, width=500)
    plot.quad(
        left="left", right="right", bottom="bottom", top="top", line_color=None,
        fill_color={"field": "people", "transform": mapper},
        source={"left": x[i], "right": x[i + 1], "bottom": y[j], "top": y[j + 1], "people": counts[i, j]},
    )  # fmt: skip
    plot.add_layout(ColorBar(color_mapper=mapper, title="people", width=10), "right")
    hidden = int(counts[~shown].sum())
    if hidden:
        say(f"{hidden} of {len(points):,} people lie in cells with fewer than {SMALL} people, which are not drawn.")
    return plot
