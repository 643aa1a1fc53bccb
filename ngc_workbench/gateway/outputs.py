"""HTML of outputs, made harmless: tables and text stay; scripts, frames, forms, links and whatever loads something go.

A second layer behind the page's policy. What is left is an allow-list of tags and attributes (nh3, a binding of Rust's ammonia).
"""

from __future__ import annotations

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


def harmless(html: str) -> str:
    """The HTML with nothing in it that runs, loads or leads anywhere. Cleaning twice changes nothing more."""
    return str(_CLEANER.clean(html))
