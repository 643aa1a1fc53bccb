"""HTML of outputs, made harmless: tables and text stay; scripts, frames, forms, links and whatever loads something go.

A second layer behind the page's policy. What is left is an allow-list of tags and attributes (nh3, a binding of Rust's ammonia).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import nh3

_TAGS = frozenset(
    {
        "b", "br", "caption", "code", "col", "colgroup", "dd", "details", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5",
        "h6", "hr", "i", "li", "ol", "p", "pre", "small", "span", "strong", "sub", "summary", "sup", "table", "tbody", "td",
        "tfoot", "th", "thead", "tr", "u", "ul",
    }
)  # fmt: skip
_ATTRIBUTES = {
    "*": {"class", "title", "style"},
    "td": {"colspan", "rowspan", "align", "valign"},
    "th": {"colspan", "rowspan", "align", "valign", "scope"},
    "table": {"border"},
    "col": {"span"},
    "ol": {"start"},
}
# None of them takes a url().
_STYLES = frozenset(
    {
        "background-color", "border-collapse", "color", "font-style", "font-weight", "padding", "text-align", "vertical-align",
        "white-space", "width",
    }
)  # fmt: skip
_CLEANER = nh3.Cleaner(
    tags=set(_TAGS),
    clean_content_tags={"script", "style", "iframe", "object", "template", "noscript"},
    attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
    filter_style_properties=set(_STYLES),
    link_rel=None,
    url_schemes=set(),
)


_DRAW = (
    "Draw it with Bokeh, which is drawn from data (`from bokeh.plotting import figure`, then `ngc.show(plot)`; `ngc.manhattan` and `ngc.qq` "
    "give such figures), or with matplotlib, which gives a picture."
)
INSTEAD: dict[str, str] = {
    "application/vnd.plotly.": "Plotly's figures are drawn by a program of Plotly's, and a session's page runs only what the workbench itself "
    f"brings. {_DRAW} `fig.write_image` needs a browser in the session, which isn't there.",
    "application/vnd.vega": f"Vega and Altair draw with a program of their own, which a session's page doesn't run. {_DRAW}",
    "application/vnd.jupyter.widget-": "Widgets need a live connection between page and kernel, through which anything could pass, so a session "
    "has none. Put the values into the cell and run it again; to show progress, print it: `print(f'{done} of {all}', end='\\r')`.",
    "application/vnd.bokehjs_": "Bokeh's own scripts aren't run. Show the figure with `ngc.show(plot)`: it is then drawn from its data.",
    "application/javascript": f"Scripts of an output aren't run. {_DRAW}",
    "": "Outputs of this type aren't shown, as the gateway can't look into them. Show text, a table or a picture; a file leaves through "
    "/outbox and a review in the portal.",
}
"""Beginning of a media type that doesn't reach the browser → what is said in its place: why, and what to do."""

_EMPTIED = "This output is a page with scripts or with parts from elsewhere, which a session doesn't show. " + _DRAW
_TAG = re.compile(r"<[^>]*>")
_SEEN = re.compile(r"<(?:table|hr)\b")


def instead(kinds: Iterable[str]) -> str:
    """What is said in place of an output of these types; of none: of a page of which nothing was left."""
    kinds = tuple(kinds)
    for begin, text in INSTEAD.items():
        named = [kind for kind in kinds if kind.startswith(begin)]
        if named:
            return f"Not shown: {', '.join(named if begin else kinds)}. {text}"
    return _EMPTIED


def is_blank(html: str) -> bool:
    """Whether harmless HTML shows nothing."""
    return not _TAG.sub("", html).strip() and not _SEEN.search(html)


def harmless(html: str) -> str:
    """The HTML with nothing in it that runs, loads or leads anywhere. Cleaning twice changes nothing more."""
    return str(_CLEANER.clean(html))
