"""What our code records is in the vocabulary."""

from __future__ import annotations

import ast
from pathlib import Path

import ngc_workbench
from ngc_workbench.audit import KINDS, SERVICES
from ngc_workbench.audit.vocabulary import PERSON_SUBJECTS

SOURCES = sorted(Path(ngc_workbench.__file__).parent.rglob("*.py"))


def appends():
    """Each call of `append` that has a kind as its second argument: file, line, call."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "append"
                and len(node.args) == 2
            ):
                yield path.name, node.lineno, node


def test_every_kind_that_is_recorded_is_in_the_vocabulary() -> None:
    """No call of append names a kind that the vocabulary lacks (it would fail when the thing happens, not before)."""
    unknown = [
        (file, line, call.args[1].value)
        for file, line, call in appends()
        if isinstance(call.args[1], ast.Constant) and call.args[1].value not in KINDS
    ]
    assert unknown == []


def test_every_actor_in_clear_is_a_service() -> None:
    """Where code names the actor itself, it is a service: anything else would be taken for a person."""
    others = [
        (file, line, word.value.value)
        for file, line, call in appends()
        for word in call.keywords
        if word.arg == "actor" and isinstance(word.value, ast.Constant) and word.value.value not in SERVICES | {""}
    ]
    assert others == []


def test_each_kind_is_documented() -> None:
    """The vocabulary says of each kind what it means, and docs/audit.md lists each."""
    text = (Path(__file__).parents[2] / "docs" / "audit.md").read_text(encoding="utf-8")
    for kind, meaning in KINDS.items():
        assert meaning.endswith(".")
        assert f"| `{kind}` | {meaning} |" in text, kind
    assert set(KINDS) >= PERSON_SUBJECTS
