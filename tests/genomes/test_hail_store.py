"""The whole way of genomes with Hail in its container, on real data: ingest, release, views, opt-out.

Two projects have views of 2,504 people; then one person opts out and both are built anew.
"""

from __future__ import annotations

import json
import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from ngc_workbench import genomes
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database, upgrade
from ngc_workbench.genomes import store
from ngc_workbench.genomes.phenotypes import read_table
from ngc_workbench.genomes.preflight import read_lines
from ngc_workbench.genomes.simulate import simulate_trait
from ngc_workbench.genomes.worker import store_label
from ngc_workbench.model import Approval, Individual, Person, Project, View
from ngc_workbench.pseudonyms import Keyring, looks_like_pseudonym
from ngc_workbench.settings import Settings
from tests.conftest import FUTURE
from tests.genomes.cohorts import GATK, GATK_PHENO, KGP

pytestmark = pytest.mark.docker

UNPACK = Path(__file__).parent / "inside" / "unpack.py"
READ = Path(__file__).parent / "inside" / "read_view.py"
OPTED_OUT = "HG00097"


@dataclass
class Site:
    """An installation with staff and projects one and two, and what was made in it."""

    settings: Settings
    database: Database
    log: AuditLog

    def run(self, function, **words):
        """Calls a function of the room."""
        return function(self.settings, self.database, self.log, **words)

    def take_in(self, dataset, vcf, pheno=None):
        """Ingests and publishes release r1, and approves both projects for it."""
        release = self.run(genomes.ingest, dataset=dataset, release="r1", files=[vcf], pheno=pheno, actor="karen")
        self.run(genomes.publish, dataset=dataset, release="r1", actor="karen")
        with self.database.writing() as db:
            for project in ("one", "two"):
                db.add(Approval(project_name=project, release_id=release.id, approved_by="sofie", valid_until=FUTURE))
        return release

    def view(self, project, dataset):
        """Builds a project's view of release r1."""
        return self.run(genomes.build_view, project=project, dataset=dataset, release="r1", actor="sofie")

    def folder(self, view):
        """Where a view lies."""
        return genomes.view_folder(self.settings, view)

    def ids(self, view):
        """The pseudonyms in a view's table."""
        lines = (self.folder(view) / "phenotypes.tsv").read_text().splitlines()[1:]
        return [line.split("\t")[0] for line in lines]

    def pseudonyms(self, project, dataset):
        """Pseudonym by sample name."""
        keyring = Keyring.of(self.settings)
        of = keyring.pseudonymiser(project).of
        with self.database.reading() as db:
            people = db.scalars(select(Individual).where(Individual.dataset_name == dataset)).all()
        return {keyring.unseal(one.sealed)["sample"]: of(one.internal_id) for one in people}

    def inside(self, script, folder, request):
        """Runs a script in the image of sessions, with `folder` at /data; gives its JSON answer."""
        name = f"ngc-test-read-{secrets.token_hex(4)}"
        command = [
            "docker", "run", "--rm", "-i", "--name", name, "--label", "ngc-workbench=test", "--network", "none",
            "--user", "10001:10001", "--tmpfs", "/tmp:rw,exec", "--env", "HOME=/tmp", "--workdir", "/tmp",
            "--mount", f"type=bind,source={script},target=/script.py,readonly",
            "--mount", f"type=bind,source={folder},target=/data,readonly",
            "--entrypoint", "/opt/workbench/bin/python", self.settings.researcher_image, "/script.py",
        ]  # fmt: skip
        done = subprocess.run(command, input=json.dumps(request), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    settings = Settings(instance="test", demo=True, state_dir=tmp_path_factory.mktemp("site") / "state")
    database = Database(settings.database)
    upgrade(database)
    with database.writing() as db:
        for name, role in (("karen", "custodian"), ("sofie", "support_officer")):
            db.add(Person(name=name, full_name=name.title(), roles=[role]))
        for name in ("one", "two"):
            db.add(Project(name=name, title="t", purpose="p", ethics_approval="e", state="active"))
    yield Site(settings, database, AuditLog(settings.control_dir / "audit"))
    database.close()


@dataclass
class Story:
    """The cohort, and the views before and after the opt-out."""

    release: object
    cohort: object
    before: dict[str, View]
    after: dict[str, View]


@pytest.fixture(scope="module")
def story(site, tmp_path_factory):
    cohort = simulate_trait(KGP, tmp_path_factory.mktemp("trait"))
    release = site.take_in("kgp", KGP, cohort.pheno)
    before = {"one": site.view("one", "kgp")}
    seen = {"ids": site.ids(before["one"]), "inode": _entries(site.folder(before["one"]))}
    story = Story(release, cohort, before, {})
    story.seen = seen
    site.run(genomes.record_opt_out, actor="karen", dataset="kgp", sample=OPTED_OUT)
    story.after = {project: site.view(project, "kgp") for project in ("one", "two")}
    return story


def _entries(folder):
    return sorted(path.stat().st_ino for path in folder.glob("genotypes.mt/entries/rows/parts/part-*"))


def _needles(site, story):
    """All that belongs to the custodian zone: names, numbers, ids, paths, words of the VCF's header."""
    rows = read_table(story.cohort.pheno, ()).rows
    with site.database.reading() as db:
        internal = list(db.scalars(select(Individual.internal_id)))
    header = ["##contig", "##fileformat", "1000GenomesPhase3Pipeline", "hs37d5"]
    numbers = [number for row in rows for number in (row.cpr, f"{row.cpr[:6]}-{row.cpr[6:]}")]
    return [
        *(row.sample for row in rows),
        *numbers,
        *internal,
        *header,
        str(site.settings.state_dir),
        KGP.name,
        "custody",
        "ngci",
    ]


def test_counts_in_are_counts_out(story):
    """2,504 people and 4,296 records of the VCF are stored; the manifest says from what and by what."""
    manifest = story.release.manifest
    assert manifest["counts"] == {"samples": 2504, "variants": 4296, "with_phenotypes": 2504}
    assert manifest["genome"] == "GRCh37"
    assert manifest["sources"][0]["sha256"] == "c1d66e6dbbfeeee3781af8bce86d69f54cae47a4fafc52e0a8cf5090b3b2be26"
    assert manifest["tools"]["hail"].startswith("0.2.")
    assert "matrix.mt/_SUCCESS" in manifest["files"]


def test_a_view_of_everybody_shares_the_release_s_files(site, story):
    """Nobody was left out: the entries were the very files of the release."""
    assert story.before["one"].people == 2504
    release = store.release_folder(site.settings, "kgp", "r1")
    assert story.seen["inode"] == sorted(
        path.stat().st_ino for path in release.glob("matrix.mt/entries/rows/parts/part-*")
    )


def test_two_projects_share_the_cut_and_no_pseudonym(site, story):
    """Invariant 6: no identifier in common, though the genotypes are the same files, written once."""
    one, two = (site.ids(story.after[project]) for project in ("one", "two"))
    assert len({*one, *two}) == len(one) + len(two) == 2 * 2503
    assert all(looks_like_pseudonym(text) for text in (*one, *two))
    assert _entries(site.folder(story.after["one"])) == _entries(site.folder(story.after["two"]))
    assert len(list((site.settings.custody_dir / "cuts").iterdir())) == 1


def test_pseudonyms_last_over_views(site, story):
    """The others keep theirs when somebody leaves."""
    assert set(site.ids(story.after["one"])) < set(story.seen["ids"])


def test_who_opted_out_is_in_no_view(site, story):
    """Invariant 7: neither in a table nor among the columns that Hail reads; the old view's files are gone."""
    for project, view in story.after.items():
        pseudonym = site.pseudonyms(project, "kgp")[OPTED_OUT]
        assert view.people == 2503
        assert pseudonym not in (site.folder(view) / "phenotypes.tsv").read_text()
        found = site.inside(UNPACK, site.folder(view), {"needles": [pseudonym]})
        assert found["found"] == {}
    assert site.pseudonyms("one", "kgp")[OPTED_OUT] in story.seen["ids"]
    assert not site.folder(story.before["one"]).exists()
    with site.database.reading() as db:
        current = db.scalars(select(View).where(View.project_name == "one", View.retired.is_(None))).all()
    assert [view.id for view in current] == [story.after["one"].id]


def test_nothing_of_the_custodian_zone_stands_in_any_file_of_a_view(site, story):
    """Invariant 5: every file unpacked (gzip, and the blocks of Hail's own files) and searched, names of files too.

    The same search finds the internal ids in the release and the pseudonyms in the view: it can see.
    """
    needles = _needles(site, story)
    view = site.folder(story.after["one"])
    found = site.inside(UNPACK, view, {"needles": needles})
    assert found["found"] == {}
    assert found["blocks"] > 10
    own = site.pseudonyms("one", "kgp")
    other = site.pseudonyms("two", "kgp")
    assert site.inside(UNPACK, view, {"needles": list(other.values())})["found"] == {}
    seen = site.inside(UNPACK, view, {"needles": [own["HG00096"]]})["found"]
    assert any(path.startswith("genotypes.mt/cols/") for path in seen)
    release = store.release_folder(site.settings, "kgp", "r1") / "matrix.mt"
    assert any(path.startswith("cols/") for path in site.inside(UNPACK, release, {"needles": ["ngci"]})["found"])


def test_each_person_has_their_own_genotypes_and_phenotypes(site, story):
    """Read by Hail as a session would: for people all over the file, each call of the VCF stands under their pseudonym."""
    names, calls = _vcf_calls(KGP)
    view = site.folder(story.after["two"])
    pseudonyms = site.pseudonyms("two", "kgp")
    chosen = [name for name in (names[0], names[2], names[1252], names[-1]) if name != OPTED_OUT]
    read = site.inside(READ, view, {"ids": [pseudonyms[name] for name in chosen], "fields": ["GT"]})
    rows = {row.sample: row.values for row in read_table(story.cohort.pheno, ()).rows}
    positions = set(read["positions"])
    for name in chosen:
        at = names.index(name)
        assert read["entries"][pseudonyms[name]]["GT"] == [gts[at] for place, gts in calls if place in positions]
        assert list(read["pheno"][pseudonyms[name]].values()) == list(rows[name])


def test_a_site_that_only_the_opted_out_person_carried_is_gone(site, story):
    """Its mere presence would tell their genotype; every site that somebody else carries is there."""
    names, calls = _vcf_calls(KGP)
    at = names.index(OPTED_OUT)
    others = sum(any("1" in call for number, call in enumerate(gts) if number != at) for _, gts in calls)
    assert others < 4296
    assert story.after["one"].variants == others


def test_files_of_a_view_are_readable_and_not_writable(site, story):
    """A session's user reads them through the mount; nobody writes."""
    for path in site.folder(story.after["one"]).rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o444)
    assert site.settings.custody_dir.stat().st_mode & 0o777 == 0o700


def _vcf_calls(vcf):
    """Names of samples, and per record its position and calls, as text."""
    names, calls = [], []
    with vcf.open("rb") as file:
        for _, line in read_lines(file):
            fields = line.decode().split("\t")
            if line.startswith(b"#CHROM"):
                names = fields[9:]
            elif not line.startswith(b"#"):
                calls.append((int(fields[1]), [value.split(":")[0] for value in fields[9:]]))
    return names, calls


@pytest.fixture(scope="module")
def gatk(site):
    """GATK's fields, several alternatives a row, plain text, no contig lines: a release and project one's view."""
    release = site.take_in("gatk", GATK, GATK_PHENO)
    return release, site.view("one", "gatk")


def test_depths_qualities_and_several_alternatives_are_kept(site, gatk):
    """All 735 rows, AD, DP and GQ as in the VCF."""
    release, view = gatk
    assert release.manifest["counts"] == {"samples": 100, "variants": 735, "with_phenotypes": 100}
    pseudonym = site.pseudonyms("one", "gatk")["HG00099"]
    read = site.inside(READ, site.folder(view), {"ids": [pseudonym], "fields": ["AD", "DP", "GQ"]})
    with GATK.open("rb") as file:
        lines = [line.decode().split("\t") for _, line in read_lines(file) if not line.startswith(b"##")]
    at = lines[0].index("HG00099")
    expected = [dict(zip(fields[8].split(":"), fields[at].split(":"), strict=False)) for fields in lines[1:]]
    for field in ("DP", "GQ"):
        wanted = [None if one.get(field, ".") == "." else int(one[field]) for one in expected]
        assert read["entries"][pseudonym][field] == wanted
    depths = [None if one.get("AD", ".") == "." else [int(part) for part in one["AD"].split(",")] for one in expected]
    assert read["entries"][pseudonym]["AD"] == depths


def test_no_worker_is_left(site, story, gatk):
    """Neither container, nor scratch folder, nor log."""
    command = ["docker", "ps", "-aq", "--filter", f"label=ngc-workbench.store={store_label(site.settings)}"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == ""
    assert list((site.settings.custody_dir / "scratch").iterdir()) == []
