"""The commands for datasets, releases and the catalogue, as typed."""

from __future__ import annotations

import json

import pytest

from ngc_workbench.cli.main import main
from ngc_workbench.genomes.quality import summary
from ngc_workbench.genomes.quality.people import Person
from ngc_workbench.genomes.quality.thresholds import Thresholds
from tests.genomes.stored import add_release


@pytest.fixture
def command(settings, database, add_person, tmp_path, monkeypatch, capfd):
    """Runs `ngc-workbench` as somebody; gives exit code, standard output and error."""
    add_person("karen", "custodian")
    add_person("alma", "researcher")
    add_person("nobody")
    config = tmp_path / "workbench.toml"
    config.write_text(f'instance = "test"\nstate_dir = "{settings.state_dir}"\ndemo = true\n', encoding="utf-8")

    def run(who, *words):
        monkeypatch.setattr("sys.argv", ["ngc-workbench", "--config", str(config), "--as", who, *words])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        told = capfd.readouterr()
        return ended.value.code or 0, told.out, told.err

    return run


def test_a_dataset_is_described_shown_and_matched(settings, database, command):
    """Terms as typed are what is shown; a match explains itself, in text and as JSON."""
    add_release(settings, database)
    assert (
        command(
            "karen", "dataset", "describe", "cohort", "--title", "Hearts", "--term", "HMB", "--term", "GS regions=EU"
        )[0]
        == 0
    )
    assert "DUO:0000006 health or medical or biomedical research" in command("alma", "dataset", "show", "cohort")[1]
    shown = json.loads(command("alma", "dataset", "show", "cohort", "--json")[1])
    assert shown["terms"] == [{"term": "DUO:0000006"}, {"term": "DUO:0000022", "regions": ["EU"]}]
    asked = ("dataset", "match", "cohort", "--purpose", "DUO:0000040", "--disease", "MONDO:0005148")
    assert command("alma", *asked)[1].startswith("conditional\n")
    told = command("alma", *asked, "--fact", "country=DK")[1]
    assert told.splitlines()[0] == "allowed"
    found = json.loads(command("alma", *asked, "--fact", "country=US", "--json")[1])
    assert (found["result"], [reason["name"] for reason in found["reasons"]]) == (
        "refused",
        ["hmb.health", "gs.outside"],
    )


@pytest.mark.parametrize(
    ("who", "words", "code"),
    [
        ("alma", ("dataset", "describe", "cohort", "--title", "x"), 7),
        ("nobody", ("dataset", "show", "cohort"), 7),
        ("nobody", ("dataset", "match", "cohort", "--purpose", "DUO:0000037"), 7),
        ("alma", ("dataset", "match", "cohort", "--purpose", "pension"), 7),
        ("alma", ("dataset", "match", "cohort", "--purpose", "HMB"), 4),
        ("alma", ("dataset", "match", "cohort", "--purpose", "DUO:0000037", "--fact", "rich=yes"), 4),
        ("alma", ("dataset", "match", "other", "--purpose", "DUO:0000037"), 5),
        ("karen", ("dataset", "describe", "cohort", "--term", "HMB", "--term", "nonsense"), 4),
        ("alma", ("release", "withdraw", "cohort", "r1", "--reason", "x"), 7),
        ("alma", ("release", "diff", "cohort/r1", "cohort/r1"), 7),
        ("alma", ("release", "catalogue", "cohort", "r1"), 7),
        ("karen", ("release", "catalogue", "cohort", "r1", "--format", "xml"), 4),
        ("karen", ("release", "diff", "cohort", "cohort/r1"), 4),
    ],
)
def test_what_may_not_be_or_can_t_be_has_its_exit_code(settings, database, command, who, words, code):
    """One line on standard error, the code of its kind, nothing on standard output."""
    add_release(settings, database)
    ended, out, error = command(who, *words)
    assert (ended, out) == (code, "")
    assert len(error.strip().splitlines()) == 1
    assert "ngci" not in error


def test_a_release_is_shown_compared_printed_and_withdrawn(settings, database, command):
    """Show leaves out the hashes of files; the catalogue comes in both forms; --write mends its files."""
    people = [Person(str(number), {"call_rate": 0.99}) for number in range(40)]
    figures = summary.of(people, None, None, {}, Thresholds(), {})
    add_release(settings, database, "r1", quality=summary.shareable(figures, 5))
    add_release(settings, database, "r2", people=range(20))
    assert command("karen", "release", "publish", "cohort", "r1")[0] == 0
    code, text, _ = command("karen", "release", "show", "cohort", "r1")
    assert code == 0
    assert "published" in text
    assert [line.split()[-1] for line in text.splitlines() if line.startswith("call rate")] == ["0.99"]
    assert "source" not in text.partition("quality")[2], "thresholds are for --json"
    assert "columns.tsv" not in text
    shown = json.loads(command("karen", "release", "show", "cohort", "r1", "--json")[1])
    assert (shown["state"], shown["shapes"], shown["file_count"]) == ("published", ["Hail MatrixTable"], 3)
    assert "files" not in shown
    assert "left 20" in command("karen", "release", "diff", "cohort/r1", "cohort/r2")[1]
    assert (
        json.loads(command("karen", "release", "diff", "cohort/r1", "cohort/r2", "--json")[1])["people"]["left"] == 20
    )
    assert json.loads(command("karen", "release", "catalogue", "cohort", "r1")[1])["schema"] == "ngc-catalogue/1"
    path = settings.catalogue_dir / "cohort" / "r1.jsonld"
    path.unlink()
    printed = json.loads(command("karen", "release", "catalogue", "cohort", "r1", "--format", "dcat", "--write")[1])
    assert json.loads(path.read_text(encoding="utf-8")) == printed
    assert command("karen", "release", "withdraw", "cohort", "r1", "--reason", "wrong")[0] == 0
    assert not path.exists()
