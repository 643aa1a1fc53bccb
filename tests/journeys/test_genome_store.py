"""The whole way of genomes by command, as custodian and support officer: the real VCF, three projects with different cuts,
an extract of the register, a refresh with its proof, and a search through every file of every view.

Nothing of the running workbench is needed for it: a custodian can prepare data before anything is up.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from ngc_workbench.database import Database, upgrade
from ngc_workbench.genomes import view_folder
from ngc_workbench.genomes.simulate import simulate_trait
from ngc_workbench.model import Individual, Person, View
from ngc_workbench.pseudonyms import Keyring
from ngc_workbench.settings import ROOT, load
from tests.conftest import FUTURE
from tests.genomes.cohorts import KGP

pytestmark = [pytest.mark.journey, pytest.mark.docker]

CONFIG = """
instance = "stor"
demo = true
state_dir = "{state}"
public_port = 17500
hub_api_port = 17581
proxy_api_port = 17501
portal_port = 17510
gateway_port = 17502
gateway_session_port = 17503
identity_port = 17520
session_subnets = "10.218.0.0/16"
genes_grch37 = "{genes}"
"""
UNPACK = ROOT / "tests" / "genomes" / "inside" / "unpack.py"
OPTED_OUT = ("HG00096", "NA18525")
"""One who is in every cohort, and one who is not in that of the list."""


class Store:
    """An installation with its command line, and what its commands said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        genes = folder / "genes.bed"
        genes.write_text("1\t11700000\t11750000\tINVENTED1\n1\t11790000\t11800000\tINVENTED2\n")
        self.config = folder / "workbench.toml"
        self.config.write_text(CONFIG.format(state=folder / "state", genes=genes), encoding="utf-8")
        self.settings = load(self.config)
        self.database = Database(self.settings.database)
        upgrade(self.database)
        with self.database.writing() as db:
            for name, role in (("karen", "custodian"), ("sofie", "support_officer"), ("alma", "researcher")):
                db.add(Person(name=name, full_name=name.title(), roles=[role], training_until=FUTURE))
        self.said: dict[str, str] = {}

    def command(self, person: str, *words: str, name: str = "") -> str:
        """Runs `ngc-workbench` in somebody's name; gives what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "ngc_workbench.cli", "--config", str(self.config), "--as", person, *words],
            check=False, capture_output=True, text=True, cwd=ROOT, timeout=900,
        )  # fmt: skip
        assert done.returncode == 0, f"{words[:3]}: {done.stderr[-3000:]}"
        self.said[name or " ".join(words[:2])] = done.stdout
        return done.stdout

    def views(self) -> dict[str, View]:
        """The views in force, by project."""
        with self.database.reading() as db:
            return {view.project_name: view for view in db.scalars(select(View).where(View.retired.is_(None)))}

    def names(self, project: str) -> dict[str, str]:
        """Pseudonym in a project by sample name."""
        keyring = Keyring.of(self.settings)
        of = keyring.pseudonymiser(project).of
        with self.database.reading() as db:
            people = db.scalars(select(Individual)).all()
        return {keyring.unseal(one.sealed)["sample"]: of(one.internal_id) for one in people}

    def table(self, view: View) -> list[list[str]]:
        """A view's phenotype table."""
        lines = (view_folder(self.settings, view) / "phenotypes.tsv").read_text(encoding="utf-8").splitlines()
        return [line.split("\t") for line in lines]

    def found(self, view: View, needles: list[str]) -> dict[str, list[int]]:
        """Files of a view in which one of the needles stands, every file unpacked."""
        done = subprocess.run(
            [
                "docker", "run", "--rm", "-i", "--name", f"ngc-stor-search-{secrets.token_hex(4)}", "--label", "ngc-workbench=stor",
                "--network", "none", "--mount", f"type=bind,source={UNPACK},target=/script.py,readonly",
                "--mount", f"type=bind,source={view_folder(self.settings, view)},target=/data,readonly",
                "--entrypoint", "/opt/workbench/bin/python", self.settings.researcher_image, "/script.py",
            ],
            input=json.dumps({"needles": needles}), capture_output=True, text=True, check=True,
        )  # fmt: skip
        answer: dict[str, list[int]] = json.loads(done.stdout)["found"]
        return answer


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The whole way, command by command; `before` are the views before the refresh."""
    if not KGP.is_file():
        pytest.fail(f"the public genotypes are not at {KGP.parent}: set NGC_TEST_DATA to their folder")
    folder = tmp_path_factory.mktemp("store")
    one = Store(folder)
    cohort = simulate_trait(KGP, folder / "trait")
    header, *rows = [line.split("\t") for line in cohort.pheno.read_text(encoding="utf-8").splitlines()]
    sample, cpr = header.index("sample"), header.index("cpr")
    one.cpr = {row[sample]: row[cpr] for row in rows}
    one.phenotypes = {row[sample]: dict(zip(header, row, strict=True)) for row in rows}
    listed = [row[sample] for row in rows][:400]
    (folder / "people.txt").write_text("".join(f"{name}\n" for name in listed if name != OPTED_OUT[1]))
    (folder / "list.toml").write_text('people_file = "people.txt"\ngenes = ["INVENTED1", "INVENTED2"]\n')
    (folder / "women.toml").write_text('where = \'sex == "female" and age >= 40\'\ncolumns = ["age"]\n')
    one.listed = listed

    one.command("karen", "ingest", "--dataset", "kgp", "--release", "r1", "--pheno", str(cohort.pheno), str(KGP))
    one.command("karen", "dataset", "describe", "kgp", "--title", "Public genomes", "--term", "DUO:0000042")
    one.command("karen", "release", "publish", "kgp", "r1")
    for project, cut in (("whole", ""), ("genes", "list.toml"), ("women", "women.toml")):
        words = ["--cohort", f"kgp/r1={folder / cut}"] if cut else []
        one.command(
            "sofie", "project", "provision", project, "--title", "A project", "--purpose", "Research", "--ethics", "EC-1",
            "--member", "alma", "--release", "kgp/r1", "--purpose-term", "DUO:0000038", *words, name=f"provision {project}",
        )  # fmt: skip
    one.before = one.views()
    one.ids_before = {project: [row[0] for row in one.table(view)[1:]] for project, view in one.before.items()}
    lines = "".join(f"{one.cpr[name]};tilmeldt;2026-01-02;selv\n" for name in OPTED_OUT)
    (folder / "register.csv").write_text(f"cpr;status;dato;af\n{lines}")
    one.command("karen", "optout", "import", "--changes", str(folder / "register.csv"))
    one.command("karen", "views", "refresh")
    one.after = one.views()
    yield one
    one.database.close()


def test_each_project_gets_its_own_cut(store):
    """Everything; a list of people at two genes; women of 40 and over with one phenotype."""
    before = store.before
    assert before["whole"].cut == ""
    assert (before["whole"].people, before["whole"].variants) == (2504, 4296)
    assert before["genes"].people == len(set(store.listed) - {OPTED_OUT[1]})
    assert 0 < before["genes"].variants < 4296
    women = [one for one in store.phenotypes.values() if one["sex"] == "female" and int(one["age"]) >= 40]
    assert before["women"].people == len(women)
    assert store.table(store.after["women"])[0] == ["id", "age"]


def test_a_refresh_changes_the_views_that_held_somebody_and_says_so(store):
    """With the people before and after, the count of every view, and the proof."""
    said = store.said["views refresh"]
    for project, view in store.before.items():
        names = set(store.ids_before[project])
        left = [name for name in OPTED_OUT if store.names(project)[name] in names]
        assert store.after[project].people == view.people - len(left)
        assert (f"{project}: kgp/r1: rebuilt, {view.people} people before" in said) == bool(left)
        assert f"{project}: kgp/r1: counted {store.after[project].people} people" in said
    assert "Proof " in said
    name = said.split("Proof ")[1].split(",")[0]
    assert "The proof holds: 3 views" in store.command("karen", "views", "proof", name)


def test_nobody_who_opted_out_is_left_and_the_others_keep_their_pseudonyms(store):
    """In no table, no .psam, no column; nobody else is missing."""
    for project, view in store.after.items():
        ids = [row[0] for row in store.table(view)[1:]]
        gone = {store.names(project)[name] for name in OPTED_OUT}
        assert set(store.ids_before[project]) - gone == set(ids)
        assert store.found(view, sorted(gone)) == {}
        psam = (view_folder(store.settings, view) / "plink" / "genotypes.psam").read_text(encoding="utf-8")
        assert sorted(line.split("\t")[0] for line in psam.splitlines()[1:]) == sorted(ids)


def test_nothing_of_the_custodian_zone_stands_in_any_file(store):
    """Every file of every view unpacked: names, numbers, internal ids, paths, words of the VCF's header."""
    with store.database.reading() as db:
        internal = list(db.scalars(select(Individual.internal_id)))
    numbers = [text for cpr in store.cpr.values() for text in (cpr, cpr.replace("-", ""))]
    words = ["##contig", "##fileformat", "1000GenomesPhase3Pipeline", "hs37d5", "custody", "ngci", KGP.name]
    for view in store.after.values():
        assert store.found(view, [*store.cpr, *numbers, *internal, *words, str(store.folder)]) == {}
        others = [
            one for project in store.after if project != view.project_name for one in store.names(project).values()
        ]
        assert store.found(view, others) == {}
        assert store.found(view, list(store.names(view.project_name).values()))


def test_the_audit_log_holds_it_all_and_is_whole(store):
    """Ingest, publication, approvals with their cohorts, views, opt-outs, refresh."""
    said = store.command("karen", "audit", "verify")
    assert "Nothing was altered, dropped, inserted or moved." in said


def test_the_catalogue_and_the_quality_are_there(store):
    """Counts are rounded; the record of the health data catalogue is JSON-LD; figures are shown."""
    record = json.loads(store.command("karen", "release", "catalogue", "kgp", "r1"))
    assert record["people"] % store.settings.small_count == 0
    dcat = json.loads(store.command("karen", "release", "catalogue", "kgp", "r1", "--format", "dcat"))
    assert "@context" in dcat
    assert "call rate" in store.command("karen", "release", "quality", "kgp", "r1").lower()
