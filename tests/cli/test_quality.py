"""`release quality` as typed."""

from __future__ import annotations

import json

import pytest

from ngc_workbench.cli.main import main
from ngc_workbench.genomes import store
from ngc_workbench.genomes.quality import summary
from ngc_workbench.genomes.quality.people import FIGURES, Person
from ngc_workbench.genomes.quality.thresholds import Thresholds
from ngc_workbench.model import Dataset, Release


@pytest.fixture
def command(settings, database, add_person, tmp_path, monkeypatch, capfd):
    """Runs `ngc-workbench` as somebody, on a release with the figures of 40 people; gives code, output and error."""
    add_person("karen", "custodian")
    add_person("alma", "researcher")
    people = [Person(f"ngci{number:02}", {"call_rate": 0.99, "ti_tv": 2.0 + number / 1000}) for number in range(40)]
    people[7].flags = ["low_call_rate"]
    figures = summary.of(people, {"rows": 9, "flagged": {"hwe": 2}}, None, {"mean_depth": "x"}, Thresholds(), {})
    folder = store.release_folder(settings, "cohort", "r1") / "quality"
    folder.mkdir(parents=True)
    rows = ["\t".join(["id", *FIGURES, "inferred_sex", "flags"])]
    for one in people:
        cells = [str(one.figures.get(name, "NA")) for name in FIGURES]
        rows.append("\t".join([one.internal_id, *cells, "NA", ",".join(one.flags)]))
    (folder / "samples.tsv").write_text("".join(f"{row}\n" for row in rows))
    manifest = {"counts": {"samples": 40}, "quality": summary.shareable(figures, 5)}
    with database.writing() as db:
        db.add(Dataset(name="cohort"))
        db.flush()
        db.add(Release(dataset_name="cohort", name="r1", manifest=manifest))
    config = tmp_path / "workbench.toml"
    config.write_text(f'instance = "test"\nstate_dir = "{settings.state_dir}"\ndemo = true\n', encoding="utf-8")

    def run(who, *words):
        typed = ["ngc-workbench", "--config", str(config), "--as", who, "release", "quality", "cohort", "r1", *words]
        monkeypatch.setattr("sys.argv", typed)
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        told = capfd.readouterr()
        return ended.value.code or 0, told.out, told.err

    return run


def test_a_custodian_reads_the_summary_and_who_on_request(command):
    """The summary names nobody and hides small counts; `--samples` begins with those who are unusual."""
    code, out, _ = command("karen")
    assert code == 0
    assert out.splitlines()[:2] == ["cohort/r1", "40 people"]
    assert "<5 have a call rate below 0.95" in out
    assert "ngci" not in out
    code, out, _ = command("karen", "--samples")
    rows = [line for line in out.splitlines() if line.startswith("ngci")]
    assert code == 0
    assert [len(rows), rows[0].split()[0]] == [40, "ngci07"]


def test_as_json_it_is_the_same(command):
    """Rows by person stand in it only when they were asked for."""
    plain = json.loads(command("karen", "--json")[1])
    assert plain["release"] == "cohort/r1"
    assert plain["summary"]["flagged"] == {"low_call_rate": "<5"}
    assert "samples" not in plain
    found = json.loads(command("karen", "--json", "--samples")[1])
    assert found["samples"][7]["flags"] == "low_call_rate"


@pytest.mark.parametrize("words", [(), ("--samples",), ("--json",)])
def test_a_researcher_is_turned_away(command, words):
    """With a reason, and without a figure."""
    code, out, error = command("alma", *words)
    assert (code, out) == (7, "")
    assert "0.99" not in error
