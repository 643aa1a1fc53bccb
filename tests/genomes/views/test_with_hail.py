"""Views and cuts of real genomes, read by Hail and by plink2 as a session would: each person has their own calls.

What a view must hold is worked out from the VCFs' text. Release `gatk` has several alternatives a row; `gvcfs` is a VDS.
"""

from __future__ import annotations

import gzip
import json
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from ngc_workbench import genomes
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database, upgrade
from ngc_workbench.errors import IntegrityError
from ngc_workbench.genomes import cuts, hail_files, store, view_files, views
from ngc_workbench.genomes.cohort import read_definition
from ngc_workbench.genomes.worker import Worker
from ngc_workbench.model import Approval, Individual, Person, Project, View
from ngc_workbench.pseudonyms import Keyring
from ngc_workbench.settings import Settings
from tests.conftest import FUTURE
from tests.genomes.cohorts import DATA, GATK, GATK_PHENO

pytestmark = pytest.mark.docker

INSIDE = Path(__file__).parents[1] / "inside"
GVCFS = sorted((DATA / "gvcf_hg38_chr22").glob("*.g.vcf.gz"))[:3]
SOME = ("HG00096", "HG00100", "HG00103", "HG00108", "HG00111", "HG00115")


@dataclass
class Site:
    """An installation with releases gatk/r1 and gvcfs/r1 and projects that get parts of them."""

    settings: Settings
    database: Database
    log: AuditLog

    def run(self, function, **words):
        """Calls a function of the room."""
        return function(self.settings, self.database, self.log, **words)

    def approve(self, project, dataset, definition="", folder=None, **files):
        """Makes a project with an approval for a cohort, and its view."""
        with self.database.writing() as db:
            release = genomes.find(db, dataset, "r1")
            record = {}
            if definition:
                for name, content in files.items():
                    (folder / name).write_text(content)
                (folder / "cohort.toml").write_text(definition)
                keyring = Keyring.of(self.settings)
                record = read_definition(self.settings, db, keyring, folder / "cohort.toml", release).record()
            db.add(Project(name=project, title="t", purpose="p", ethics_approval="e", state="active"))
            db.flush()
            db.add(
                Approval(
                    project_name=project, release_id=release.id, approved_by="sofie", valid_until=FUTURE, cohort=record
                )
            )
        return self.run(genomes.build_view, project=project, dataset=dataset, release="r1", actor="sofie")

    def folder(self, view):
        """Where a view lies."""
        return genomes.view_folder(self.settings, view)

    def pseudonyms(self, project, dataset):
        """Sample name by pseudonym."""
        keyring = Keyring.of(self.settings)
        of = keyring.pseudonymiser(project).of
        with self.database.reading() as db:
            people = db.scalars(select(Individual).where(Individual.dataset_name == dataset)).all()
        return {of(one.internal_id): keyring.unseal(one.sealed)["sample"] for one in people}

    def inside(self, script, folder, request, *, out=None):
        """Runs a script in the image of sessions, with `folder` at /data; gives its JSON answer."""
        command = [
            "docker", "run", "--rm", "-i", "--name", f"ngc-test-read-{secrets.token_hex(4)}", "--label", "ngc-workbench=test",
            "--network", "none", "--user", "10001:10001" if out is None else "0:0", "--tmpfs", "/tmp:rw,exec", "--env", "HOME=/tmp",
            "--workdir", "/tmp", "--mount", f"type=bind,source={INSIDE / script},target=/script.py,readonly",
            "--mount", f"type=bind,source={folder},target=/data,readonly",
            *(["--mount", f"type=bind,source={out},target=/out"] if out is not None else []),
            "--entrypoint", "/opt/workbench/bin/python", self.settings.researcher_image, "/script.py",
        ]  # fmt: skip
        done = subprocess.run(command, input=json.dumps(request), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout.splitlines()[-1])

    def calls(self, view, *, style="MT", vds=False):
        """A view as it is read, people by their sample names."""
        read = self.inside("read_calls.py", self.folder(view), {"vds": vds, "style": style})
        dataset = view.release.dataset_name
        names = self.pseudonyms(view.project_name, dataset)
        for key in ("hail", "plink", "pheno"):
            if read[key] is not None:
                read[key] = {names[one]: value for one, value in read[key].items()}
        read["order"] = [names[one] for one in read["order"]]
        return read


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    settings = Settings(instance="test", demo=True, state_dir=tmp_path_factory.mktemp("site") / "state")
    database = Database(settings.database)
    upgrade(database)
    with database.writing() as db:
        for name, role in (("karen", "custodian"), ("sofie", "support_officer")):
            db.add(Person(name=name, full_name=name.title(), roles=[role]))
    yield Site(settings, database, AuditLog(settings.control_dir / "audit"))
    database.close()


@pytest.fixture(scope="module")
def gatk(site):
    release = site.run(genomes.ingest, dataset="gatk", release="r1", files=[GATK], pheno=GATK_PHENO, actor="karen")
    site.run(genomes.publish, dataset="gatk", release="r1", actor="karen")
    return release


def carried(vcf, chosen, within=lambda _position: True):
    """Calls that differ from the reference by sample and place, as sorted alleles, from a VCF's text; and the sites' alleles."""
    found, sites = {name: {} for name in chosen}, {}
    with gzip.open(vcf, "rt") if vcf.name.endswith(".gz") else vcf.open() as lines:
        for line in lines:
            cells = line.rstrip("\n").split("\t")
            if line.startswith("#CHROM"):
                places = {name: cells.index(name) for name in chosen}
            if line.startswith("#") or not within(int(cells[1])):
                continue
            alleles = [cells[3], *cells[4].split(",")]
            alive = {0}
            for name, place in places.items():
                numbers = [int(part) for part in cells[place].split(":")[0].replace("|", "/").split("/") if part != "."]
                if any(numbers):
                    found[name][f"{cells[0]}:{cells[1]}"] = sorted(alleles[number] for number in numbers)
                    alive.update(numbers)
            if len(alive) > 1:
                sites[f"{cells[0]}:{cells[1]}"] = [alleles[number] for number in sorted(alive)]
    return found, sites


@pytest.fixture(scope="module")
def part(site, gatk, tmp_path_factory):
    """Some people, one region, two fields, one phenotype: as it is read."""
    definition = (
        'people_file = "people.txt"\nregions = ["22:16050000-16500000", "22:17000000-17300000"]\n'
        'entry_fields = ["GT", "AD"]\ncolumns = ["Status"]'
    )
    view = site.approve(
        "part", "gatk", definition, tmp_path_factory.mktemp("c"), **{"people.txt": "\n".join(SOME) + "\n"}
    )
    return view, site.calls(view)


def in_part(position):
    return 16050000 <= position <= 16500000 or 17000000 <= position <= 17300000


def test_a_part_holds_its_people_regions_fields_and_alleles_alone(gatk, part):
    """Each call as in the VCF, by Hail and by plink2; alleles and sites that nobody in it carries are gone."""
    view, read = part
    found, sites = carried(GATK, SOME, in_part)
    assert read["order"] == list(SOME)
    assert read["hail"] == found
    assert read["plink"] == found
    assert read["alleles"] == sites
    assert view.variants == len(sites) > 100
    assert any(len(alleles) > 2 for alleles in sites.values())
    assert read["fields"] == ["GT", "AD"]
    assert all(list(values) == ["Status"] for values in read["pheno"].values())
    assert view.cut


def test_depths_follow_the_alleles_that_are_left(site, gatk, part):
    """An AD value for each allele of the row, and for the right one."""
    view, _read = part
    names = site.pseudonyms("part", "gatk")
    of = {sample: one for one, sample in names.items()}[SOME[1]]
    read = site.inside("read_view.py", site.folder(view), {"ids": [of], "fields": ["AD"]})
    _, sites = carried(GATK, SOME, in_part)
    with GATK.open() as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines if not line.startswith("##")]
    at = rows[0].index(SOME[1])
    expected = []
    for cells in rows[1:]:
        kept = sites.get(f"{cells[0]}:{cells[1]}")
        if kept is None:
            continue
        depths = dict(zip(cells[8].split(":"), cells[at].split(":"), strict=False)).get("AD", ".")
        alleles = [cells[3], *cells[4].split(",")]
        parsed = None if depths == "." else [int(one) for one in depths.split(",")]
        expected.append(None if parsed is None else [parsed[alleles.index(allele)] for allele in kept])
    assert read["entries"][of]["AD"] == expected


def test_projects_that_ask_for_the_same_share_the_cut(site, gatk, part, tmp_path):
    """Written in another way, with other phenotypes: the same genotypes, and no container for it."""
    definition = (
        'people_file = "p"\nregions = ["22:17000000-17300000", "chr22:16050000-16500000"]\nentry_fields = ["AD", "GT"]'
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Worker, "__enter__", lambda _self: pytest.fail("a container was started"))
        view = site.approve("same", "gatk", definition, tmp_path, p="\n".join(reversed(SOME)))
    assert view.cut == part[0].cut
    ours, theirs = (site.folder(one) / "genotypes.mt" / "entries" for one in (view, part[0]))
    assert {path.stat().st_ino for path in ours.rglob("part-*")} == {
        path.stat().st_ino for path in theirs.rglob("part-*")
    }


def test_a_filter_over_phenotypes_makes_a_cohort(site, gatk, tmp_path):
    """Cases alone, all sites that they carry."""
    view = site.approve("cases", "gatk", "where = 'Status == \"CASE\"'", tmp_path)
    with GATK_PHENO.open() as lines:
        header, *rows = [line.rstrip("\n").split("\t") for line in lines]
    cases = {row[0] for row in rows if row[header.index("Status")] == "CASE"}
    read = site.calls(view)
    assert set(read["order"]) == cases
    found, sites = carried(GATK, read["order"])
    assert read["hail"] == read["plink"] == found
    assert view.variants == len(sites)


def test_columns_that_hail_sorted_are_noticed(site, gatk, part, tmp_path, monkeypatch):
    """The trap itself: Hail writes the columns keyed, reads the view without a word, and everybody has other genotypes."""
    view, _ = part
    site.inside("keyed_columns.py", site.folder(view), {}, out=tmp_path)
    made = tmp_path / "columns"
    ids = [row[0] for row in hail_files.read_columns(site.folder(view) / "genotypes.mt" / "cols")]
    assert [row[0] for row in hail_files.read_columns(made)] == sorted(ids) != ids
    monkeypatch.setattr(hail_files, "write_columns", lambda folder, *_rest: shutil.copytree(made, folder))
    with pytest.raises(IntegrityError, match="positions of their people"):
        site.run(genomes.build_view, project="part", dataset="gatk", release="r1", actor="sofie")
    with site.database.reading() as db:
        current = db.scalars(select(View.id).where(View.project_name == "part", View.retired.is_(None))).all()
    assert current == [view.id]


def swap(values):
    return [values[1], values[0], *values[2:]]


BREAKAGES = {
    "people in another order": lambda words: words | {"keep": swap(words["keep"])},
    "one person too few": lambda words: words | {"keep": words["keep"][1:]},
}


@pytest.mark.parametrize("breakage", BREAKAGES)
def test_a_cut_of_other_people_is_not_kept(site, gatk, tmp_path, monkeypatch, breakage):
    """It is noticed when it is read back, and nothing of it stays."""
    call = Worker.call

    def broken(self, verb, **words):
        return call(self, verb, **(BREAKAGES[breakage](words) if verb == "cut_matrix" else words))

    folder = site.settings.custody_dir / "cuts"
    before = sorted(folder.iterdir()) if folder.is_dir() else []
    monkeypatch.setattr(Worker, "call", broken)
    with pytest.raises(IntegrityError):
        site.approve(f"broken{list(BREAKAGES).index(breakage)}", "gatk", "where = 'qPhen > 15000'", tmp_path)
    assert (sorted(folder.iterdir()) if folder.is_dir() else []) == before


def test_a_cut_that_nobody_shares_any_more_is_removed(site, gatk, part, tmp_path):
    """With the last view, not before."""
    view = site.approve("brief", "gatk", "people_file = 'p'\nentry_fields = ['GT']", tmp_path, p="\n".join(SOME[:2]))
    cut = store.cut_folder(site.settings, view.cut)
    assert cut.is_dir()
    with site.database.writing() as db:
        approval = db.scalars(select(Approval).where(Approval.project_name == "brief")).one()
        approval.cohort = {}
    wider = site.run(genomes.build_view, project="brief", dataset="gatk", release="r1", actor="sofie")
    assert wider.cut == ""
    views.clean(site.settings, site.database)
    assert not cut.exists()
    assert store.cut_folder(site.settings, part[0].cut).is_dir()


@pytest.fixture(scope="module")
def gvcfs(site):
    site.run(genomes.ingest, dataset="gvcfs", release="r1", files=GVCFS, actor="karen")
    site.run(genomes.publish, dataset="gvcfs", release="r1", actor="karen")
    return site.approve("genomes", "gvcfs")


def variants_of(gvcf):
    """Calls of one gVCF that differ from the reference, as alleles by place."""
    with gzip.open(gvcf, "rt") as lines:
        header = next(line for line in lines if line.startswith("#CHROM"))
    name = header.rstrip("\n").split("\t")[9]
    return name, carried(gvcf, [name])[0][name]


def alternatives(gvcfs):
    """Alternative alleles that the gVCFs of these people name, by place: also those that they have reads of but no call."""
    found = {}
    for gvcf in gvcfs:
        with gzip.open(gvcf, "rt") as lines:
            for contig, position, _, _, alleles, *_ in (line.split("\t") for line in lines if not line.startswith("#")):
                found.setdefault(f"{contig}:{position}", set()).update(alleles.split(","))
    return found


def test_a_view_of_gvcfs_is_a_variant_dataset_under_pseudonyms(site, gvcfs):
    """Both halves valid together; each call as in its gVCF."""
    read = site.calls(gvcfs, vds=True)
    assert read["hail"] == dict(variants_of(path) for path in GVCFS)
    assert gvcfs.cut == ""
    assert read["plink"] is None


def test_a_cut_of_a_variant_dataset_leaves_the_others_out(site, gvcfs, tmp_path):
    """Two of three people, in a region: their calls alone, alleles of the first gone, reference blocks cut to fit."""
    names = [variants_of(path)[0] for path in GVCFS]
    definition = "people_file = 'p'\nregions = ['chr22:10510000-10700000']"
    view = site.approve("pair", "gvcfs", definition, tmp_path, p="\n".join((names[2], names[1])))
    read = site.calls(view, vds=True)
    expected = {
        name: {place: call for place, call in calls.items() if 10510000 <= int(place.split(":")[1]) <= 10700000}
        for name, calls in map(variants_of, GVCFS)
        if name in names[1:]
    }
    assert read["hail"] == expected
    theirs, others = alternatives(GVCFS[1:]), alternatives(GVCFS[:1])
    for place, alleles in read["alleles"].items():
        assert set(alleles[1:]) <= theirs[place], place
    assert any(others.get(place, set()) - theirs[place] for place in read["alleles"]), "nothing had to go"
    assert len(view_files.shared_files(site.folder(view))) > 20
    assert cuts.Mother(store.cut_folder(site.settings, view.cut), view.cut, {"kind": "vds"}).halves


def test_nothing_of_the_custodian_zone_stands_in_any_file_of_these_views(site, gatk, part, gvcfs):
    """Every file of every view unpacked and searched: ids, names, paths, words of the headers."""
    with site.database.reading() as db:
        internal = list(db.scalars(select(Individual.internal_id)))
        current = list(db.scalars(select(View).where(View.retired.is_(None)).options(joinedload(View.release))))
    names = [*site.pseudonyms("part", "gatk").values(), *site.pseudonyms("genomes", "gvcfs").values()]
    words = ["##contig", "##fileformat", "##FORMAT", "GATKCommandLine", "gs://", "HaplotypeCaller", "custody", "ngci"]
    needles = [*names, *internal, *words, str(site.settings.state_dir), GATK.name]
    assert len(current) >= 6
    for view in current:
        assert site.inside("unpack.py", site.folder(view), {"needles": needles})["found"] == {}, view.project_name
        own = [one for one, _ in site.pseudonyms(view.project_name, view.release.dataset_name).items()]
        assert site.inside("unpack.py", site.folder(view), {"needles": own})["found"]
