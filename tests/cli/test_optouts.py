"""Opt-outs on the command line: an extract, a refresh and its proof."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from ngc_workbench.cli.main import app
from ngc_workbench.errors import InputError, NotFound, Refused


@pytest.fixture
def command(settings, database, add_person, tmp_path):
    """Runs `ngc-workbench` on an installation with a custodian; gives what it printed, or raises its error."""
    add_person("karen", "custodian")
    add_person("sofie", "support_officer")
    config = tmp_path / "workbench.toml"
    config.write_text(f'instance = "test"\nstate_dir = "{settings.state_dir}"\ndemo = true\n', encoding="utf-8")

    def run(*words, actor="karen"):
        done = run.last = CliRunner().invoke(app, ["--config", str(config), "--as", actor, *words])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


def test_an_extract_is_taken_in_and_counted(command, tmp_path):
    """The lines, what they changed, and again nothing."""
    path = tmp_path / "register.csv"
    path.write_text("cpr;status;dato;af\n610270-1234;tilmeldt;10-01-2026;selv\n620270-1234;frameldt;11-01-2026;selv\n")
    said = command("optout", "import", str(path))
    assert "2 lines: 1 people are out from now on (0 of them again), 0 have opted in again" in said
    assert "0 people are out from now on" in command("optout", "import", "--full", str(path))


def test_every_bad_line_is_printed_without_the_number(command, tmp_path):
    """On standard error, before the one line that says it in short."""
    path = tmp_path / "register.csv"
    path.write_text("cpr,status,date,by\n610270-1234,x,2026-01-10,self\n620270-1234,opted-out,x,self\n")
    with pytest.raises(InputError, match="2 faults in the extract"):
        command("optout", "import", str(path))
    printed = [line for line in command.last.stderr.splitlines() if line.startswith("line ")]
    assert [line[:7] for line in printed] == ["line 2:", "line 3:"]
    assert "610270" not in command.last.output
    with pytest.raises(InputError, match="Check the file"):
        command("optout", "import", str(tmp_path / "nothing.csv"))


def test_a_refresh_without_views_says_so_and_leaves_a_proof(command):
    """Its name can be given to `views proof`."""
    said = command("views", "refresh", "--deadline", "5")
    assert "No view held anybody who must be left out." in said
    name = said.split("Proof ")[1].split(",")[0]
    assert "The proof holds: 0 views are as they were" in command("views", "proof", name)
    with pytest.raises(NotFound):
        command("views", "proof", "none.json")
    with pytest.raises(Refused):
        command("views", "refresh", actor="sofie")
    with pytest.raises(Refused):
        command("views", "proof", name, actor="sofie")
