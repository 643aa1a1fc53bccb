"""What the functions of the room refuse, before any container is needed."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from ngc_workbench import genomes
from ngc_workbench.audit import tables
from ngc_workbench.errors import Conflict, InputError, IntegrityError, NotFound, Refused
from ngc_workbench.genomes import individuals, optouts, store
from ngc_workbench.genomes.phenotypes import read_table
from ngc_workbench.model import Dataset, Individual, Release
from ngc_workbench.pseudonyms import Keyring

pytestmark = pytest.mark.usefixtures("staff")


@pytest.fixture
def events(database):
    """The audit events so far, as (kind, decision, reason)."""

    def read():
        with database.reading() as db:
            bodies = db.scalars(select(tables.AuditEvent.body).order_by(tables.AuditEvent.seq)).all()
        return [(event["kind"], event["decision"], event["reason"]) for event in map(json.loads, bodies)]

    return read


@pytest.fixture
def stored(settings, database):
    """A release of two people as ingest would leave it, without genotypes."""

    def make(state="published"):
        keyring = Keyring.of(settings)
        folder = store.release_folder(settings, "cohort", "r1")
        folder.mkdir(parents=True)
        (folder / "part").write_text("content")
        people = [
            individuals.Member(individuals.new_internal_id(), sample, cpr, False, ())
            for sample, cpr in (("ANNA1", "6102701234"), ("BERTA2", None))
        ]
        store.write_columns(folder, [one.internal_id for one in people])
        (folder / "phenotypes.tsv").write_text("id\n")
        manifest = {
            "kind": "matrix", "genome": "GRCh38", "counts": {"samples": 2, "variants": 1}, "row_fields": [], "entry_fields": ["GT"],
            "phenotypes": [], "files": store.file_hashes(folder),
        }  # fmt: skip
        store.write_json(folder / "manifest.json", manifest)
        with database.writing() as db:
            db.add(Dataset(name="cohort"))
            db.flush()
            release = Release(dataset_name="cohort", name="r1", state=state, manifest=manifest)
            db.add(release)
            individuals.store(db, keyring, "cohort", people)
        return release

    return make


def call(function, settings, database, log, **words):
    return function(settings, database, log, **words)


def test_nobody_but_the_custodian_touches_genomes(settings, database, log, events, write_vcf, stored):
    """Each function asks for its role first; each refusal is recorded."""
    stored("building")
    vcf = write_vcf()
    attempts = [
        (genomes.ingest, {"dataset": "d", "release": "r", "files": [vcf], "actor": "sofie"}, "dataset.ingested"),
        (genomes.publish, {"dataset": "cohort", "release": "r1", "actor": "sofie"}, "release.published"),
        (genomes.record_opt_out, {"cpr": "6102701234", "actor": "sofie"}, "optout.recorded"),
        (genomes.build_view, {"project": "one", "dataset": "cohort", "release": "r1", "actor": "alma"}, "view.built"),
    ]
    for function, words, _ in attempts:
        with pytest.raises(Refused):
            call(function, settings, database, log, **words)
    assert events() == [(kind, "deny", "role.missing") for _, _, kind in attempts]


def test_a_release_is_never_written_over(settings, database, log, write_vcf, stored):
    """Its name is taken for good."""
    stored()
    with pytest.raises(Conflict, match="cohort/r1 already"):
        genomes.ingest(settings, database, log, dataset="cohort", release="r1", files=[write_vcf()], actor="karen")


def test_publishing_compares_every_file(settings, database, log, events, stored):
    """A changed byte stops it; the sound release is published once."""
    stored("building")
    part = store.release_folder(settings, "cohort", "r1") / "part"
    part.write_text("CONTENT")
    with pytest.raises(IntegrityError, match="part"):
        genomes.publish(settings, database, log, dataset="cohort", release="r1", actor="karen")
    part.write_text("content")
    assert genomes.publish(settings, database, log, dataset="cohort", release="r1", actor="karen").state == "published"
    assert events() == [("release.published", "allow", "role.holds")]
    with pytest.raises(Refused):
        genomes.publish(settings, database, log, dataset="cohort", release="r1", actor="karen")


def test_an_opt_out_is_recorded_by_number_or_sample(settings, database, log, events, stored):
    """By sample it counts for the person's number, if known; a number in no dataset is kept for later ones."""
    release = stored()
    keyring = Keyring.of(settings)
    out = genomes.record_opt_out(settings, database, log, actor="karen", dataset="cohort", sample="ANNA1")
    assert out.individuals == 1
    assert genomes.record_opt_out(settings, database, log, actor="karen", cpr="610270-1234").individuals == 1
    assert genomes.record_opt_out(settings, database, log, actor="karen", cpr="620270-1234").individuals == 0
    assert (
        genomes.record_opt_out(settings, database, log, actor="karen", dataset="cohort", sample="BERTA2").individuals
        == 1
    )
    with database.reading() as db:
        tags = {individual.sample_tag: individual.internal_id for individual in db.scalars(select(Individual))}
        assert optouts.left_out(db, release) == {
            tags[keyring.sample_tag("cohort", "ANNA1")], tags[keyring.sample_tag("cohort", "BERTA2")],
        }  # fmt: skip
    assert len(events()) == 4


@pytest.mark.parametrize(
    "words", [{}, {"cpr": "6102701234", "sample": "A", "dataset": "d"}, {"sample": "A"}, {"dataset": "d"}]
)
def test_an_opt_out_names_exactly_one_person(settings, database, log, words):
    """By one of the two ways."""
    with pytest.raises(InputError):
        genomes.record_opt_out(settings, database, log, actor="karen", **words)


def test_an_opt_out_of_an_unknown_sample_is_an_error(settings, database, log, stored):
    """A typing error must not pass for done."""
    stored()
    with pytest.raises(NotFound):
        genomes.record_opt_out(settings, database, log, actor="karen", dataset="cohort", sample="ANNA2")


@pytest.mark.parametrize(
    ("release_state", "approved", "reason"),
    [
        ("building", True, "release.not_published"),
        ("published", False, "approval.none"),
        ("withdrawn", True, "release.not_published"),
    ],
)
def test_a_view_needs_a_published_release_and_an_approval(
    settings, database, log, events, stored, approve, release_state, approved, reason
):
    """Else it is refused and recorded."""
    release = stored(release_state)
    if approved:
        approve(release.id, "one")
    with pytest.raises(Refused):
        genomes.build_view(settings, database, log, project="one", dataset="cohort", release="r1", actor="sofie")
    assert events() == [("view.built", "deny", reason)]
    assert not settings.views_dir.exists()


@pytest.mark.parametrize(("project", "release"), [("none", "r1"), ("one", "r9")])
def test_a_view_of_what_does_not_exist_is_one_clear_line(settings, database, log, stored, project, release):
    """Unknown project, unknown release."""
    stored()
    with pytest.raises(NotFound):
        genomes.build_view(settings, database, log, project=project, dataset="cohort", release=release, actor="sofie")


def test_people_keep_their_internal_id_over_releases(settings, database, stored, write_pheno):
    """Also when only the CPR number is given; a contradicting number is refused; a new person gets a random id."""
    stored()
    keyring = Keyring.of(settings)
    table = read_table(write_pheno("cpr\tage\n610270-1234\t5\n"), ())
    with database.reading() as db:
        first = individuals.assign(db, keyring, "cohort", ["BERTA2", "ANNA1", "NEW3"], table)
        again = individuals.assign(db, keyring, "cohort", ["ANNA1", "NEW3"], None)
        assert [(one.known, one.values) for one in first] == [(True, None), (True, (5,)), (False, None)]
        assert first[1].internal_id == again[0].internal_id
        assert first[2].internal_id != again[1].internal_id
        other = read_table(write_pheno("sample\tcpr\nANNA1\t610270-9999\n"), ())
        with pytest.raises(InputError, match="another CPR number"):
            individuals.assign(db, keyring, "cohort", ["ANNA1"], other)
