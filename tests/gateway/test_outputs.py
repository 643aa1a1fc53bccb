"""HTML of outputs: what stays and what goes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngc_workbench.gateway.frames import Message
from ngc_workbench.gateway.messages import shown
from ngc_workbench.gateway.outputs import harmless

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
