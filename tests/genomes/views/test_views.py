"""Views of a whole release: what is in them, what stops their publication, and what becomes of old ones."""

from __future__ import annotations

import gzip
import json
import shutil

import pytest
from sqlalchemy import select

from ngc_workbench import genomes
from ngc_workbench.errors import Conflict, IntegrityError, Refused
from ngc_workbench.genomes import hail_files, view_checks, view_files, views
from ngc_workbench.genomes.worker import Worker
from ngc_workbench.model import Approval, Individual, Project, Session, View
from tests.genomes.views.conftest import NAMES, PEOPLE
from tests.genomes.views.mothers import write_mother


@pytest.fixture(autouse=True)
def no_container(monkeypatch):
    """A view of a whole release takes no container: that is what makes it cost nothing."""

    def fail(*_args, **_words):
        raise AssertionError("a container was started")

    monkeypatch.setattr(Worker, "__enter__", fail)


@pytest.mark.parametrize("kind", ["matrix", "vds"], indirect=True)
def test_a_view_of_a_whole_release_shares_its_genotypes(site, kind):
    """Ids and phenotypes at the positions of their people, everything else the release's own files."""
    view = site.build()
    assert (view.people, view.variants, view.cut) == (6, 7, "")
    folder = site.view_folder(view)
    half = "matrix.mt" if kind == "matrix" else "genomes.vds/variant_data"
    rows = hail_files.read_columns(view_files.in_view(folder, half) / "cols")
    assert [row[0] for row in rows] == [site.pseudonym("one", person) for person in PEOPLE]
    assert [row[1][:2] for row in rows] == [
        *((30 + at, "female" if at % 2 else "male") for at in range(5)),
        (None, None),
    ]
    assert (folder / "plink").is_dir() == (kind == "matrix")


def test_dates_are_shifted_by_person_and_project(site):
    """What lies between the dates of two views is each person's own; none is the true one."""
    shown = {}
    for project in ("one", "two"):
        folder = site.view_folder(site.build(project))
        lines = [line.split("\t") for line in (folder / "phenotypes.tsv").read_text().splitlines()[1:]]
        dates = {line[0]: line[3] for line in lines}
        shown[project] = [dates[site.pseudonym(project, person)] for person in PEOPLE]
    assert shown["one"] != shown["two"]
    assert shown["one"][0] == shown["one"][5] == "NA"
    assert all(f"2020-01-1{at}" != shown["one"][at] for at in range(1, 5))


def test_the_same_person_has_unrelated_pseudonyms_in_two_projects(site):
    """Invariant 6, through the library and not the keys alone."""
    ids = [set((site.view_folder(site.build(name)) / "phenotypes.tsv").read_text().split()) for name in ("one", "two")]
    assert not {text for text in ids[0] & ids[1] if "-" in text and len(text) > 10}


def swapped(values):
    return [values[1], values[0], *values[2:]]


BREAKAGES = {
    "two columns swapped": lambda ids, values: (swapped(ids), values),
    "columns sorted, as Hail's key does": lambda ids, values: (sorted(ids), values),
    "phenotypes of two people swapped": lambda ids, values: (ids, swapped(values)),
    "one id twice": lambda ids, values: ([ids[0], ids[0], *ids[2:]], values),
    "the last column missing": lambda ids, values: (ids[:-1], values[:-1]),
}


@pytest.mark.parametrize("breakage", BREAKAGES)
@pytest.mark.parametrize("kind", ["matrix", "vds"], indirect=True)
def test_a_view_with_a_column_out_of_place_is_not_published(site, kind, monkeypatch, breakage):
    """The trap of shared entries: Hail takes each of these in silence. The old view counts on, nothing else stays."""
    old = site.build()
    write = hail_files.write_columns

    def broken(folder, ids, fields, values, version):
        if fields is not None:
            ids, values = BREAKAGES[breakage](list(ids), [list(row) for row in values])
        write(folder, ids, fields, values, version)

    monkeypatch.setattr(hail_files, "write_columns", broken)
    with pytest.raises(IntegrityError, match=r"positions of their people|complete|the same pseudonym|number"):
        site.build()
    assert [view.id for view in site.current()] == [old.id]
    assert [path.name for path in (site.settings.views_dir / "one").iterdir()] == [old.folder]


def test_a_vds_with_one_half_under_other_ids_is_not_published(site, monkeypatch):
    """Hail reads and densifies it without a word."""
    shutil.rmtree(site.folder)
    manifest = write_mother(site.folder, PEOPLE, kind="vds")
    with site.database.writing() as db:
        db.get_one(type(site.release), site.release.id).manifest = manifest
    write = hail_files.write_columns

    def broken(folder, ids, fields, values, version):
        write(folder, sorted(ids) if fields is None else ids, fields, values, version)

    monkeypatch.setattr(hail_files, "write_columns", broken)
    with pytest.raises(IntegrityError, match="positions"):
        site.build()
    assert site.current() == []


def psam_swapped(folder, _mother):
    path = folder / "plink" / "genotypes.psam"
    lines = path.read_text().splitlines()
    path.chmod(0o644)
    path.write_text("\n".join([lines[0], lines[2], lines[1], *lines[3:]]) + "\n")


def entries_copied(folder, _mother):
    path = folder / "genotypes.mt" / "entries" / "rows" / "parts" / "part-0-aa"
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)


def pgen_copied(folder, _mother):
    path = folder / "plink" / "genotypes.pgen"
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)


def part_missing_in_both(folder, mother):
    for base in (folder / "genotypes.mt", mother / "matrix.mt"):
        (base / "rows" / "rows" / "parts" / "part-1-bb").unlink()


def index_missing_in_both(folder, mother):
    for base in (folder / "genotypes.mt", mother / "matrix.mt"):
        (base / "index" / "part-1-bb.idx").unlink()


def mark_missing(folder, mother):
    for base in (folder / "genotypes.mt", mother / "matrix.mt"):
        (base / "entries" / "_SUCCESS").unlink()


def other_people_in_the_mother(_folder, mother):
    cols = mother / "matrix.mt" / "cols"
    shutil.rmtree(cols)
    hail_files.write_columns(cols, swapped(PEOPLE), None, [], "0.2.139-x")


def other_list_of_the_mother(_folder, mother):
    (mother / "columns.tsv").write_text("".join(f"{person}\n" for person in swapped(PEOPLE)))


def other_fields(folder, _mother):
    content = hail_files.read_metadata(folder / "genotypes.mt")
    content["matrix_type"] = content["matrix_type"].replace("entry:Struct{GT:Call}", "entry:Struct{GT:Call,DP:Int32}")
    (folder / "genotypes.mt" / "metadata.json.gz").unlink()
    hail_files.write_metadata(folder / "genotypes.mt", content)


def internal_id_in_a_text(folder, _mother):
    (folder / "README.md").chmod(0o644)
    (folder / "README.md").write_text(f"see {PEOPLE[0]}")


def name_in_metadata(folder, _mother):
    path = folder / "genotypes.mt" / "cols" / "metadata.json.gz"
    content = gzip.decompress(path.read_bytes())[:-1] + f',"x":"{NAMES[3]}"}}'.encode()
    path.unlink()
    path.write_bytes(gzip.compress(content))


DAMAGES = [
    psam_swapped, entries_copied, pgen_copied, part_missing_in_both, index_missing_in_both, mark_missing,
    other_people_in_the_mother, other_list_of_the_mother, other_fields, internal_id_in_a_text, name_in_metadata,
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_check_before_publication_stops_a_bad_view(site, monkeypatch, damage):
    """Whatever went wrong between writing and publishing: nothing is published."""
    close = view_files.close

    def damaged(view):
        close(view)
        damage(view, site.folder)

    monkeypatch.setattr(view_files, "close", damaged)
    with pytest.raises(IntegrityError):
        site.build()
    assert site.current() == []
    assert list((site.settings.views_dir / "one").iterdir()) == []


def test_a_sound_view_passes_every_check_again(site):
    """The checks that the damages above trip are silent about what was published."""
    view = site.build()
    folder = site.view_folder(view)
    values = {row[0]: row[1] for row in hail_files.read_columns(folder / "genotypes.mt" / "cols")}
    view_checks.verify(
        folder,
        views.cuts.Mother(site.folder, "", site.release.manifest),
        pseudonym_of=lambda person: site.pseudonym("one", person),
        fields=[("age", "int32"), ("sex", "str"), ("admitted", "str")],
        values_of=lambda person: values[site.pseudonym("one", person)],
    )


def test_two_people_with_one_pseudonym_are_noticed(site, monkeypatch):
    """It can't happen by chance; Hail would take it."""
    monkeypatch.setattr("ngc_workbench.pseudonyms.keyring.Pseudonymiser.of", lambda _self, _id: "7K3MQ-2PX9D-HT4VZ")
    with pytest.raises(IntegrityError, match="same pseudonym"):
        site.build()


def test_phenotypes_that_were_not_granted_stay_out(site):
    """Neither in the table, nor in the matrix, nor in the .psam."""
    site.set_cohort("one", {"columns": ["age"]})
    folder = site.view_folder(site.build())
    assert (folder / "phenotypes.tsv").read_text().splitlines()[0] == "id\tage"
    assert "pheno:Struct{age:Int32}" in hail_files.read_metadata(folder / "genotypes.mt")["matrix_type"]
    assert (folder / "plink" / "genotypes.psam").read_text().splitlines()[0] == "#IID\tage"
    site.set_cohort("two", {"columns": []})
    assert (site.view_folder(site.build("two")) / "phenotypes.tsv").read_text().splitlines()[0] == "id"


def test_an_approval_that_changes_meanwhile_stops_the_publication(site, monkeypatch):
    """A view is published for the cohort that counts at that moment, or not at all."""
    build = views._build

    def narrowed(*args):
        site.set_cohort("one", {"columns": ["age"]})
        return build(*args)

    monkeypatch.setattr(views, "_build", narrowed)
    with pytest.raises(Conflict, match="approval changed"):
        site.build()
    assert site.current() == []


def test_an_opt_out_that_comes_in_meanwhile_stops_the_publication(site, monkeypatch):
    build = views._build

    def meanwhile(*args):
        genomes.record_opt_out(site.settings, site.database, site.log, actor="karen", dataset="d", sample=NAMES[0])
        return build(*args)

    monkeypatch.setattr(views, "_build", meanwhile)
    with pytest.raises(Conflict, match="opted out"):
        site.build()


def test_without_an_approval_there_is_no_view(site):
    with site.database.writing() as db:
        for approval in db.scalars(select(Approval).where(Approval.project_name == "one")):
            db.delete(approval)
    with pytest.raises(Refused, match="no approval"):
        site.build()


def test_the_newest_approval_counts(site):
    """An older, wider one does not."""
    with site.database.writing() as db:
        db.add(
            Approval(
                project_name="one", release_id=site.release.id, approved_by="sofie",
                valid_until=db.scalars(select(Approval.valid_until)).first(), cohort={"columns": ["sex"]},
            )
        )  # fmt: skip
    assert (site.view_folder(site.build()) / "phenotypes.tsv").read_text().splitlines()[0] == "id\tsex"


def test_a_replaced_view_stays_while_a_session_mounts_it(site):
    """Its session is told when it ends; the folder goes with the next clean-up after that."""
    first = site.build()
    with site.database.writing() as db:
        db.add(
            Session(
                id="abc", person_name="alma", project_name="one", state="running", prefix="/", network="n", subnet="s",
                mounts=[{"view": first.id}],
            )
        )  # fmt: skip
    second = site.build()
    with site.database.writing() as db:
        session = db.get_one(Session, "abc")
        assert session.ends is not None
        assert site.view_folder(first).is_dir()
        session.state = "stopped"
    views.clean(site.settings, site.database)
    assert not site.view_folder(first).exists()
    assert site.view_folder(second).is_dir()


def test_views_cost_no_disk(site):
    """Ten projects: one copy of the genotypes, and what is written anew stays below the tenth of it per view."""
    with site.database.writing() as db:
        for number in range(10):
            db.add(Project(name=f"p{number}", title="t", purpose="p", ethics_approval="e", state="active"))
            db.flush()
            db.add(
                Approval(
                    project_name=f"p{number}", release_id=site.release.id, approved_by="sofie",
                    valid_until=db.scalars(select(Approval.valid_until)).first(),
                )
            )  # fmt: skip
    folders = [site.view_folder(site.build(f"p{number}")) for number in range(10)]
    inodes = [{(folder / name).stat().st_ino for name in view_files.shared_files(folder)} for folder in folders]
    assert all(found == inodes[0] for found in inodes)


def test_names_and_paths_do_not_stand_in_the_event(site):
    """The audit log names the view by its folder and counts."""
    site.build()
    with site.database.reading() as db:
        body = json.dumps([view.digest for view in db.scalars(select(View))])
        names = [one.internal_id for one in db.scalars(select(Individual))]
    assert not any(name in body for name in names)
