"""docs/gateway-policy.md."""

from __future__ import annotations

from ngc_workbench.gateway import handbook
from ngc_workbench.gateway.policy import RULES


def test_the_page_is_what_the_tables_say() -> None:
    """The page is up to date: run `python -m ngc_workbench.gateway.handbook` after changing a table."""
    assert handbook.PAGE.read_text(encoding="utf-8") == handbook.render()


def test_every_rule_stands_on_the_page() -> None:
    """No rule is undocumented."""
    page = handbook.render()
    assert all(f"`{rule.name}`" in page for rule in RULES)
