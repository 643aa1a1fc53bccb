"""HTML of outputs: what stays and what goes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngc_workbench.gateway.frames import Message
from ngc_workbench.gateway.messages import MEDIA, shown
from ngc_workbench.gateway.outputs import INSTEAD, harmless, instead, is_blank

HOSTILE = [
    "<script>fetch('//x')</script>", "<img src=x onerror=alert(1)>", "<iframe srcdoc='<script>1</script>'></iframe>",
    "<a href='http://203.0.113.9/?d=1' ping='//x'>go</a>", "<a href='javascript:alert(1)'>go</a>", "<form action=//x><input name=a></form>",
    "<object data=//x></object>", "<embed src=//x>", "<link rel=preload href=//x as=image>", "<link rel=dns-prefetch href=//data.x>",
    "<meta http-equiv=refresh content='0;url=//x'>", "<base href=//x>", "<style>@import '//x'; td{background:url(//x)}</style>",
    "<td style='background:url(//x)'>1</td>", "<div style='background-image:url(//x)'>1</div>", "<svg><use href='//x#a'/></svg>",
    "<svg onload=alert(1)>", "<math><mi xlink:href='//x'>1</mi></math>", "<video src=//x poster=//x></video>", "<audio src=//x></audio>",
    "<table background=//x><tr><td>1</td></tr></table>", "<body onload=alert(1)>", "<template><script>1</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>", "<bokeh-figure onclick=alert(1)>", "<input autofocus onfocus=alert(1)>",
]  # fmt: skip
BAD = (
    "<script",
    "onerror",
    "onload",
    "onclick",
    "onfocus",
    "href",
    "src",
    "url(",
    "@import",
    "//x",
    "203.0.113.9",
    "<form",
    "<iframe",
    "<svg",
    "<meta",
)


def display(data):
    return Message(
        channel="iopub",
        header={"msg_type": "display_data"},
        parent={},
        metadata={},
        content={"data": data, "metadata": {}},
        buffers=(),
    )


@pytest.mark.parametrize("html", HOSTILE)
def test_nothing_is_left_that_runs_loads_or_leads_elsewhere(html):
    """Each trick loses its sting."""
    cleaned = harmless(html)
    assert not [bad for bad in BAD if bad in cleaned.lower()], cleaned


def test_a_pandas_table_keeps_its_shape():
    """Tables of results look as before."""
    table = '<table border="1" class="dataframe"><thead><tr style="text-align: right"><th></th><th>p</th></tr></thead><tbody><tr><th>0</th><td>1e-9</td></tr></tbody></table>'
    assert harmless(table).replace(";", "").replace("text-align:right", "text-align: right") == table


@given(st.text(alphabet="<>/='\"abscriptonerx :;&#\n", max_size=200))
def test_cleaning_twice_changes_nothing_more(html):
    """What was cleaned holds no second layer of tricks."""
    once = harmless(html)
    assert harmless(once) == once


def test_a_kernel_message_reaches_the_browser_with_harmless_html_and_without_scripts():
    """HTML is cleaned in the message itself, as text or as lines; JavaScript is taken out and named."""
    message, cut = shown(
        display({"text/html": ["<b>1</b>", "<script>2</script>"], "application/javascript": "fetch('//x')"})
    )
    assert message.body()["data"] == {"text/html": "<b>1</b>"}
    assert cut == ("application/javascript",)


PLOTLY_HTML = (
    '<div> <div id="a" class="plotly-graph-div" style="height:100%"></div> <script>Plotly.newPlot("a")</script> </div>'
)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"application/vnd.plotly.v1+json": {"data": []}, "text/html": PLOTLY_HTML}, ["Plotly", "ngc.show", "matplotlib", "write_image"]),
        ({"application/vnd.plotly.v1+json": {"data": []}, "text/plain": "Figure({})"}, ["Figure({})", "Plotly", "ngc.show"]),
        ({"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "IntSlider(value=0)"}, ["IntSlider(value=0)", "Widgets need", "to show progress, print it"]),
        ({"application/vnd.vegalite.v5+json": {}, "text/plain": "alt.Chart(...)"}, ["Altair", "ngc.show"]),
        ({"application/javascript": "fetch('//x')"}, ["Scripts of an output"]),
        ({"text/html": "<script>1</script>", "text/plain": "<IPython.core.display.HTML object>"}, ["with scripts", "matplotlib"]),
        ({"application/pdf": "JVBERi0="}, ["application/pdf", "/outbox"]),
    ],
)  # fmt: skip
def test_what_is_not_shown_says_why_and_what_to_do_instead(data, words):
    """In place of Plotly, widgets and scripts stands a text that helps, and nothing of what was taken out."""
    message, _ = shown(display(data))
    left = message.body()["data"]
    assert list(left) == ["text/plain"]
    assert not [word for word in words if word not in left["text/plain"]]
    assert "newPlot" not in left["text/plain"]


def test_a_picture_or_table_beside_a_closed_type_needs_no_words():
    """What a person sees anyway is not explained away; an empty page was empty before."""
    for data in (
        {"image/png": "QUJD", "application/vnd.plotly.v1+json": {}},
        {"text/html": "<table><tr><td></td></tr></table>"},
        {"text/html": " "},
    ):
        message, _ = shown(display({"text/plain": "x", **data}))
        assert message.body()["data"]["text/plain"] == "x"


def test_blank_is_what_shows_nothing():
    """Empty boxes are blank; text, tables and rules are not."""
    assert is_blank("<div> <span></span></div>")
    assert not is_blank("<div>1</div>")
    assert not is_blank("<table></table>")
    assert not is_blank("<hr>")


def test_each_hint_is_reached_and_no_listed_type_has_one():
    """The table of hints goes with the table of types."""
    for begin, text in INSTEAD.items():
        assert text in instead([f"{begin}x" if begin else "application/x"])
        assert not begin or not [kind for kind in MEDIA if kind.startswith(begin)]
