"""The example notebook and the library in the session's image, confined as a session is, without any network."""

from __future__ import annotations

import json
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

from ngc_workbench.settings import ROOT, load

pytestmark = pytest.mark.docker

INSIDE = Path(__file__).parent / "inside"
NOTEBOOK = "/notebooks/01-association.ipynb"
MEDIA = "application/vnd.ngc.bokeh+json"
LIBRARY = "/opt/workbench/lib/python3.11/site-packages/ngc"

MORE = (
    "mt2 = ngc.load('cohort'); ngc.show(ngc.manhattan(results)); print(ngc.describe(mt2))",
    (
        "mt2 = mt2.annotate_cols(pheno=mt2.pheno.annotate(years=2 * mt2.pheno.age + 1))\n"
        "ngc.association(ngc.principal_components(mt2, k=3), 'trait', ['age', 'years', 'sex'])"
    ),
    (
        "mt3 = mt2.annotate_cols(pheno=mt2.pheno.annotate(case=mt2.pheno.trait > 0.7))\n"
        "top = ngc.top(ngc.association(mt3, 'case', ['age']), 1); print('CASE', top.chromosome[0], top.base_pair_location[0])"
    ),
    "import hail.plot; from bokeh.plotting import figure; from bokeh.io import show; f = figure(); f.line([1, 2], [1, 2]); show(f)",
    "ngc.association(mt2, 'trat')",
)


def docker(*arguments):
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=420, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def confined(folder, *command):
    """Runs a program in a container like a session's, with this checkout's library; gives what it printed."""
    return docker(
        "run", "--rm", "--label", "ngc-workbench=test", "--network", "none", "--read-only", "--cap-drop", "ALL",
        "--security-opt", "no-new-privileges", "--memory", "5g", "--cpus", "2", "--pids-limit", "512",
        "--tmpfs", "/tmp:rw,exec,nosuid,nodev,size=2048m,mode=1777", "--tmpfs", "/home/researcher:rw,exec,mode=1777",
        "--env", "PYSPARK_SUBMIT_ARGS=--driver-memory 1500m pyspark-shell",
        "--volume", f"{ROOT / 'ngc_workbench/researcher'}:{LIBRARY}:ro", "--volume", f"{INSIDE}:/inside:ro",
        "--volume", f"{ROOT / 'example_notebooks'}:/notebooks:ro",
        "--volume", f"{folder / 'data'}:/data:{'rw' if 'make_view.py' in command[0] else 'ro'}",
        "--volume", f"{folder / 'outbox'}:/outbox:rw",
        "--entrypoint", "/opt/workbench/bin/python", load().researcher_image, *command,
    )  # fmt: skip


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """What each cell gave, the causal variant's place, and the outbox."""
    folder = tmp_path_factory.mktemp("session")
    for name in ("data", "outbox"):
        (folder / name).mkdir(mode=0o777)
        (folder / name).chmod(0o777)
    causal = confined(folder, "/inside/make_view.py", "/data").split()[-1]
    found = json.loads(confined(folder, "/inside/run_all.py", NOTEBOOK, *MORE))
    yield found, causal, folder / "outbox"
    # Files of the container's user are left in there.
    confined(folder, "-c", "import shutil; shutil.rmtree('/outbox', ignore_errors=True)", "make_view.py")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def cells(ran):
    return ran[0]["cells"]


def figures(cells):
    return [output[MEDIA] for cell in cells for output in cell["outputs"] if MEDIA in output]


def test_no_cell_is_lost_when_all_are_sent_at_once(ran):
    """The kernel answers for each cell, in spite of Hail's nested event loops, and lives."""
    found = ran[0]
    assert found["alive"]
    states = [cell["state"] for cell in found["cells"]]
    assert states == ["ok"] * 15 + ["error"], [cell["error"] for cell in found["cells"]]


def test_figures_are_data_and_no_script(cells):
    """A figure is its document's JSON; no output holds a script or is large."""
    assert len(figures(cells)) == 5
    assert all(item["doc"]["roots"] for item in figures(cells))
    media = {kind for cell in cells for output in cell["outputs"] for kind in output}
    assert not {kind for kind in media if "javascript" in kind or "bokehjs" in kind}
    assert len(json.dumps(cells)) < 1_000_000


def test_the_causal_variant_comes_first(ran, cells):
    """The strongest association is the one that was put in, linear and logistic."""
    causal = ran[1].removeprefix("chr")
    table = next(output["text/html"] for output in cells[9]["outputs"])
    first = [text.split("</td>")[0] for text in table.split("<tbody>")[1].split("<td>")[1:3]]
    assert ":".join(first) == causal
    assert f"CASE {causal.replace(':', ' ')}" in cells[13]["text"]


def test_components_of_a_long_stretch_go_into_the_regression(cells):
    """Over 60 Mb components are ancestry and are used; a covariate that says the same as another is left out."""
    assert "PC1 + PC2 + PC3" in cells[12]["text"]
    assert "years is left out" in cells[12]["text"]


def test_a_summary_shows_no_small_group(cells):
    """Three people of a kind appear without their number, and nobody can subtract the others from all."""
    assert "hidden" in cells[11]["text"]
    assert "497" not in cells[11]["text"]


def test_the_published_table_is_coarse(ran):
    """Header as in GWAS-SSF, chromosomes without `chr`, people in fives, frequencies on the grid."""
    lines = (ran[2] / "trait_summary_statistics.tsv").read_text(encoding="utf-8").splitlines()
    assert lines[0].split("\t")[:4] == ["chromosome", "base_pair_location", "effect_allele", "other_allele"]
    rows = [dict(zip(lines[0].split("\t"), line.split("\t"), strict=True)) for line in lines[1:]]
    assert len(rows) > 200
    assert {row["chromosome"] for row in rows} == {"1", "2"}
    assert all(int(row["n"]) % 5 == 0 for row in rows)
    assert all(Decimal(row["effect_allele_frequency"]) % Decimal("0.01") == 0 for row in rows)
    assert [entry.name for entry in ran[2].iterdir()] == ["trait_summary_statistics.tsv"]


def test_a_mistake_is_explained_without_a_stack_trace(cells):
    """A misspelt phenotype names the one that was meant, in two lines."""
    text = cells[15]["text"]
    assert "Did you mean 'trait'?" in text
    assert "Traceback" not in text


def test_nothing_shows_a_row_per_person(cells):
    """No pseudonym stands in any output."""
    assert "NGC-0" not in json.dumps(cells)
