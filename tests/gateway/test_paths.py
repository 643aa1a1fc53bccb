"""One reading of a path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngc_workbench.errors import Refused
from ngc_workbench.gateway.paths import clean, query_pairs, written

UNCLEAR = [
    "", "api", "http://elsewhere/api", "//api", "/api//kernels", "/api/./kernels", "/api/../files/x", "/api/..",
    "/api/%2e%2e/files", "/api/%2E%2E/files", "/api/.%2e/files", "/api/%2ffiles", "/api%2Fkernels", "/api%5cfiles", "/api\\files",
    "/api/%252e%252e/files", "/api/%25%32%65", "/files%00.ipynb", "/api/%0d%0aX: y", "/api/%", "/api/%g0", "/api/%c0%ae%c0%ae/files",
    "/api/%ff", "/api/\u00e5", "/api kernels", "/api/x%7f", "/api#x", "/a" * 5000, "/api/%e2%80%a8",
]  # fmt: skip


@pytest.mark.parametrize("raw", UNCLEAR)
def test_an_unclear_path_is_refused(raw: str) -> None:
    """A path that two programs could read differently is refused, whatever it leads to."""
    with pytest.raises(Refused, match="unclear"):
        clean(raw)


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("/user/alma/heart/", "/user/alma/heart/"),
        ("/lab/tree/My%20notes%20%C3%A6%C3%B8%C3%A5.ipynb", "/lab/tree/My notes æøå.ipynb"),
        (
            "/lab/api/settings/@jupyterlab/apputils-extension:themes",
            "/lab/api/settings/@jupyterlab/apputils-extension:themes",
        ),
        ("/api/contents/50%25.txt", "/api/contents/50%.txt"),
    ],
)
def test_a_plain_path_is_decoded_once(raw: str, path: str) -> None:
    """What JupyterLab writes is understood, and forwarded in one spelling that reads the same."""
    assert clean(raw) == path
    assert clean(written(path)) == path


@given(st.text(max_size=60))
def test_what_passes_reads_the_same_again(raw: str) -> None:
    """Any text is refused or, written anew, decodes to the same path without dot or empty segments."""
    try:
        path = clean(f"/{raw}")
    except Refused:
        return
    assert clean(written(path)) == path
    assert not {".", ".."} & set(path.split("/"))
    assert "//" not in path


@given(st.binary(max_size=80))
def test_a_query_is_pairs_or_refused(raw: bytes) -> None:
    """Any query string gives pairs of text, or a refusal, and nothing else."""
    try:
        pairs = query_pairs(raw.decode("latin-1"))
    except Refused:
        return
    assert all(len(pair) == 2 for pair in pairs)
