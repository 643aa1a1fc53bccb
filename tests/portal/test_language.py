"""Two languages, no word missing."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir

import ngc_workbench
from ngc_workbench.portal.i18n import Language, load, preferred

ROOT = Path(ngc_workbench.__file__).parent
DANISH = load()
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")


def page_texts() -> set[str]:
    """Every text that templates and code of the portal mark for translation."""
    found = set()
    for pattern, method in (("**.html", "jinja2"), ("**.py", "python")):
        for _, _, message, _, _ in extract_from_dir(
            ROOT / "portal", method_map=[(pattern, method)], keywords={"_": None, "marked": None, "text": None}
        ):
            found.add(message if isinstance(message, str) else message[0])
    return found


def rule_texts() -> set[str]:
    """Every fixed text of the rules that the portal shows: the words of `deny(reason, text, remedy)`."""
    found = set()
    for name in ("airlock", "meter", "sessions", "roles"):
        tree = ast.parse((ROOT / "policy" / f"{name}.py").read_text(encoding="utf-8"))
        constants = {
            target.id: node.value.value
            for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets if isinstance(target, ast.Name)
        }  # fmt: skip
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "deny":
                for argument in node.args[1:]:
                    if isinstance(argument, ast.Constant):
                        found.add(argument.value)
                    elif isinstance(argument, ast.Name) and argument.id in constants:
                        found.add(constants[argument.id])
    return found


def test_every_text_of_the_pages_has_a_danish_one() -> None:
    """Templates and code; a new text without a translation fails here."""
    texts = page_texts()
    assert len(texts) > 150
    assert sorted(texts - set(DANISH)) == []


def test_every_text_of_the_rules_has_a_danish_one() -> None:
    """Refusals speak Danish too."""
    texts = rule_texts()
    assert len(texts) > 20
    assert sorted(texts - set(DANISH)) == []


def test_translations_keep_their_placeholders() -> None:
    """What is filled in in English is filled in in Danish."""
    for english, danish in DANISH.items():
        assert sorted(_PLACEHOLDER.findall(english)) == sorted(_PLACEHOLDER.findall(danish)), english
        assert danish.strip()


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("da", "da"),
        ("da-DK,da;q=0.9,en;q=0.8", "da"),
        ("en-GB,da;q=0.5", "en"),
        ("nb-NO", "da"),
        ("de,fr;q=0.5", "en"),
        ("da;q=x,en", "en"),
        ("*", "en"),
    ],
)
def test_the_browsers_wish_is_read(header: str, language: str) -> None:
    """The best weighed of the two languages; Scandinavian neighbours get Danish; nonsense English."""
    assert preferred(header) == language


def test_numbers_sizes_and_times_follow_the_language() -> None:
    """Separators, months and Danish clocks."""
    moment = datetime(2026, 7, 1, 12, 5, tzinfo=UTC)
    danish, english = Language("da", DANISH), Language("en", {})
    assert (danish.count(2503), english.count(2503)) == ("2.503", "2,503")
    assert (danish.size(1_234_567), english.size(999)) == ("1,2 MB", "999 B")
    assert (danish.moment(moment), english.moment(moment)) == ("1 jul. 2026 14:05", "1 Jul 2026 14:05")
    assert danish.text("until %(day)s", day="x") == "til x"
