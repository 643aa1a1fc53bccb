"""What can be set or typed is documented, and links in the docs lead somewhere."""

from __future__ import annotations

import re

import pytest
import typer

from ngc_workbench.cli.main import app
from ngc_workbench.cli.operations import settings_reference
from ngc_workbench.genomes.ingest.stages import OPTIONS
from ngc_workbench.settings import ROOT, Settings

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def commands(group, words: tuple[str, ...] = ()):
    for name, command in sorted(group.commands.items()):
        # Typer brings a click of its own: its groups are no instances of the installed one's.
        if hasattr(command, "commands"):
            yield from commands(command, (*words, name))
        else:
            yield " ".join((*words, name)), command


COMMANDS = dict(commands(typer.main.get_command(app)))


def test_commands_of_groups_are_looked_at():
    """Otherwise a group's name in the page would do for all that is in it."""
    assert {"release publish", "views refresh", "optout import", "ingest"} <= set(COMMANDS)


def test_the_settings_page_is_up_to_date():
    """docs/settings.md is what `ngc-workbench settings` prints, and each setting is explained."""
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == settings_reference()
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_documented(name):
    """docs/operations.md names each command, and the command's own help says what it does."""
    assert f"`ngc-workbench {name}" in (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert COMMANDS[name].help


def test_the_custodian_finds_what_can_be_accepted():
    """Each option of an ingest stands in the guide with what it does."""
    guide = (ROOT / "docs" / "guides" / "custodian.md").read_text(encoding="utf-8")
    assert [f"| `{name}` | {what} |" for name, what in OPTIONS.items() if f"| `{name}` | {what} |" not in guide] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page):
    """A link to a file of this repository has a target."""
    for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
