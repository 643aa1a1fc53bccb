"""What of the contents API passes."""

from __future__ import annotations

import base64
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngc_workbench.errors import Refused
from ngc_workbench.gateway.contents import TEXT_LIMIT, check_answer, check_error, check_write


def model(**fields: object) -> bytes:
    values = {
        "name": "x",
        "path": "x",
        "type": "file",
        "format": "text",
        "content": "hello\n",
        "mimetype": "text/plain",
        "size": 6,
    }
    return json.dumps({**values, **fields}).encode()


NOTEBOOK = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@pytest.mark.parametrize(
    "raw",
    [
        model(),
        model(type="notebook", format="json", content=NOTEBOOK, mimetype=None),
        model(content=None, format=None),
        model(
            type="directory",
            format="json",
            content=[{"name": "y", "path": "y", "type": "file", "content": None, "format": None, "mimetype": None}],
        ),
    ],
)
def test_notebooks_text_and_names_pass(raw: bytes) -> None:
    """What JupyterLab shows passes with its content unchanged."""
    assert json.loads(check_answer(raw))["content"] == json.loads(raw)["content"]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (model(format="base64", content="QUJD"), "contents.not_text"),
        (model(format=None, content="QUJD"), "contents.not_text"),
        (model(format="text", type="notebook", content="QUJD"), "contents.not_text"),
        (model(content="PK\x03\x04\x00"), "contents.not_text"),
        (model(content="x" * (TEXT_LIMIT + 1)), "contents.not_text_large"),
        (model(content="å" * (TEXT_LIMIT // 2 + 1)), "contents.not_text_large"),
        (model(content={"a": 1}), "contents.not_text"),
        (model(type="directory", format="json", content=[{"name": "y", "content": "QUJD"}]), "contents.shape"),
        (model(type="directory", format="json", content=["QUJD"]), "contents.shape"),
        (model(type="directory", format="json", content=[{"name": "y"}] * 10_001), "contents.too_many"),
        (model(path={"data": "QUJD"}), "contents.shape"),
        (model(path="x" * 5000), "contents.shape"),
        (b"\x1f\x8b\x08", "answer.malformed"),
        (b"[1]", "contents.shape"),
        (b"NaN", "answer.malformed"),
        (b"[" * 100_000, "answer.malformed"),
        (b'{"content": NaN}', "answer.malformed"),
    ],
)
def test_other_content_is_refused(raw: bytes, reason: str) -> None:
    """Binary content is refused whatever the container calls it."""
    with pytest.raises(Refused) as refused:
        check_answer(raw)
    assert refused.value.reason == reason


def test_unknown_fields_are_left_out() -> None:
    """A container can't add fields of its own."""
    assert "smuggled" not in json.loads(check_answer(model(smuggled="QUJD")))
    assert json.loads(check_answer(model(mimetype="<script>")))["mimetype"] == "text/plain"


def test_what_was_judged_is_what_passes() -> None:
    """A key given twice can't show the gateway one thing and the browser another."""
    raw = b'{"type": "file", "format": "base64", "content": "QUJD", "format": "text"}'
    assert check_answer(raw).count(b'"format"') == 1


def test_an_error_passes_as_words_alone() -> None:
    """Of a failed call only message and reason reach the browser, bounded."""
    kept = json.loads(
        check_error(json.dumps({"message": "no " * 9999, "traceback": "secret", "content": "QUJD"}).encode())
    )
    assert set(kept) == {"message"}
    assert len(kept["message"]) == 1000
    assert json.loads(check_error(b"\xff"))["message"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            {"type": "file", "format": "base64", "content": base64.b64encode(b"\x1f\x8b\x08\x00").decode()},
            "contents.upload_binary",
        ),
        ({"type": "file", "format": "base64", "content": "!!"}, "contents.upload_binary"),
        ({"type": "file", "format": "base64", "content": "QUJD", "chunk": 1}, "contents.upload_large"),
        ({"type": "file", "format": "base64", "content": "QUJD", "chunk": 2}, "contents.upload_large"),
        ({"type": "file", "format": "text", "content": "a\x00b"}, "contents.upload_binary"),
        ({"type": "file", "format": "text", "content": "x" * (TEXT_LIMIT + 1)}, "contents.upload_binary_large"),
        ({"type": "file", "format": "hex", "content": None}, "contents.upload_binary"),
        ({"type": "file", "format": "text", "content": [1, 2]}, "contents.upload_binary"),
        ([], "request.malformed"),
    ],
)
def test_binary_uploads_are_refused(body: object, reason: str) -> None:
    """Only text and notebooks come in from the browser."""
    with pytest.raises(Refused) as refused:
        check_write(json.dumps(body).encode())
    assert refused.value.reason == reason


def test_a_small_text_upload_passes_as_text() -> None:
    """JupyterLab uploads text as base64; it reaches the session as text."""
    raw = json.dumps(
        {"type": "file", "format": "base64", "content": base64.b64encode("rs1\tæ\n".encode()).decode(), "name": "x.tsv"}
    )
    assert json.loads(check_write(raw.encode())) == {
        "type": "file",
        "format": "text",
        "content": "rs1\tæ\n",
        "name": "x.tsv",
    }


def test_saving_and_renaming_pass() -> None:
    """What JupyterLab sends to save, make and rename passes unchanged."""
    for body in (
        {"type": "notebook", "format": "json", "content": NOTEBOOK},
        {"type": "notebook"},
        {"path": "new.ipynb"},
        {"copy_from": "a.ipynb"},
    ):
        assert json.loads(check_write(json.dumps(body).encode())) == body


@given(st.binary(max_size=200))
def test_any_bytes_pass_or_are_refused(raw: bytes) -> None:
    """Garbage from a container is a refusal, never an error of ours."""
    for check in (check_answer, check_write):
        with contextlib.suppress(Refused):
            check(raw)
    check_error(raw)
