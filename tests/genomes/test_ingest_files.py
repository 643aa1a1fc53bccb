"""Which files an ingest takes, how the container sees them, and the draft that a killed run leaves."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import pytest
from sqlalchemy import select

from ngc_workbench.errors import InputError, IntegrityError, Refused, Unavailable
from ngc_workbench.genomes import store
from ngc_workbench.genomes.hail_worker import plink
from ngc_workbench.genomes.ingest import ingest, stages
from ngc_workbench.genomes.ingest.draft import Draft, opened
from ngc_workbench.genomes.ingest.sources import Inside, Sources, expand, fingerprint, same
from ngc_workbench.genomes.preflight import VcfFile
from ngc_workbench.model import Dataset, Individual, Release
from ngc_workbench.pseudonyms import Keyring
from tests.genomes.cohorts import PHENO


def sound(path, samples=("A", "B"), **words):
    """A file as the check describes it."""
    given = {
        "path": path, "name": path.name, "kind": "vcf", "samples": samples, "records": 3, "kept": 3, "genome": "GRCh38",
        "genome_by": "contig lengths", "recoding": {"1": "chr1"}, "contigs": {"1": 2, "chr2": 1},
        "entry_fields": ("GT", "DP"), "bgzf": False, "size": 3, "sha256": "", "sorted": True, "rewrite": False,
    }  # fmt: skip
    return VcfFile(**(given | words))


def test_a_pattern_gives_its_files_in_order(tmp_path, monkeypatch):
    """Sorted, whatever the folder says; a file whose name looks like a pattern is itself."""
    for name in ("b.vcf", "a.vcf", "c.txt", "x[1].vcf"):
        (tmp_path / name).touch()
    assert [path.name for path in expand([tmp_path / "[ab].vcf"])] == ["a.vcf", "b.vcf"]
    assert expand([tmp_path / "x[1].vcf"]) == [tmp_path / "x[1].vcf"]
    monkeypatch.chdir(tmp_path)
    assert [str(path) for path in expand([tmp_path.relative_to(tmp_path) / "?.vcf"])] == ["a.vcf", "b.vcf"]


@pytest.mark.parametrize(("names", "text"), [(["*.bcf"], r"\*\.bcf"), ([], "No file"), (["a.vcf", "./a.vcf"], "twice")])
def test_what_is_no_list_of_files_is_one_clear_line(tmp_path, names, text):
    """A pattern that matches nothing, no file, the same file twice; the folder's name is not told."""
    (tmp_path / "a.vcf").touch()
    with pytest.raises(InputError, match=text) as raised:
        expand([tmp_path / name for name in names])
    assert str(tmp_path) not in str(raised.value)


def test_the_container_sees_numbers_for_names(tmp_path):
    """One mount a file; the name says only whether it is compressed."""
    (tmp_path / "ANNA.vcf").write_text("x")
    (tmp_path / "BERTA.vcf").write_bytes(b"\x1f\x8b\x08\x04")
    inside = Inside([tmp_path / "ANNA.vcf", tmp_path / "BERTA.vcf"], tmp_path, store.quiet)
    assert inside.paths == [mount.target for mount in inside.mounts] == ["/in/0.vcf", "/in/1.vcf.gz"]
    assert not any(mount.writable for mount in inside.mounts)


def test_many_files_are_reached_through_their_folders(tmp_path):
    """A command can't name thousands of mounts."""
    for number in range(65):
        (tmp_path / f"s{number}.vcf").write_text("x")
    work = tmp_path / "work"
    work.mkdir()
    inside = Inside([tmp_path / f"s{number}.vcf" for number in range(65)], work, store.quiet)
    assert [mount.target for mount in inside.mounts] == ["/in", "/from/0"]
    assert str((work / "links" / "64.vcf").readlink()) == "/from/0/s64.vcf"
    assert inside.paths[64] == "/in/64.vcf"


def test_sources_survive_the_checkpoint(tmp_path):
    """What the check found is the same after it was written and read; counts add up under Hail's names of contigs."""
    path = tmp_path / "a.vcf"
    path.write_text("abc")
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    files = (sound(path, sha256=digest), sound(path, entry_fields=("GT", "AD", "DP"), sha256=digest))
    sources = Sources("regions", files)
    assert Sources.from_json(sources.to_json()) == sources
    assert sources.contigs == {"chr1": 4, "chr2": 2}
    assert sources.entry_fields == ("GT", "DP")
    assert sources.samples == ("A", "B")
    assert replace(sources, layout="samples").samples == ("A", "B", "A", "B")
    assert same([path, path], sources)
    path.write_text("abd")
    assert not same([path, path], sources)


def test_a_changed_file_has_another_fingerprint(tmp_path):
    """By time, size, or place."""
    path = tmp_path / "a.vcf"
    path.write_text("abc")
    first = fingerprint(path)
    os.utime(path, (1, 1))
    assert fingerprint(path) != first
    with pytest.raises(InputError, match=r"^b\.vcf"):
        fingerprint(tmp_path / "b.vcf")


@pytest.fixture
def make(settings, database, tmp_path):
    """Drafts of one release."""
    assert database  # the keyring asks it which keys are in use
    keyring = Keyring.of(settings)
    return lambda command=1: Draft(tmp_path / "d" / "r1", keyring, {"command": command})


def _stage(draft, name, content="x"):
    def fill():
        (draft.release / name).mkdir()
        (draft.release / name / "part").write_text(content)
        return {"content": content}

    return draft.stage(name, (f"release/{name}",), fill, store.quiet)


def killed(make, *, command=1):
    """A run that finished stage `one` and was killed in the middle of `two`."""
    draft = make(command)
    draft.open()
    _stage(draft, "one")
    (draft.release / "two").mkdir()
    (draft.release / "two" / "half").touch()
    return draft


def test_the_same_command_goes_on_and_another_one_starts_afresh(make):
    """A finished stage is not done again, an unfinished one is wiped first."""
    killed(make)
    again = make()
    again.open()
    assert again.resumed
    assert _stage(again, "one", "other") == {"content": "x"}
    assert _stage(again, "two", "y") == {"content": "y"}
    assert [path.name for path in (again.release / "two").iterdir()] == ["part"]
    other = make(2)
    other.open()
    assert not other.resumed
    assert list(other.release.iterdir()) == []


def test_the_checkpoint_is_sealed(make):
    """It holds names of samples: nobody reads them without the master key, and a changed one counts for nothing."""
    draft = make()
    draft.open()
    draft.stage("check", (), lambda: {"samples": ["ANNA1"]}, store.quiet)
    path = draft.folder / "checkpoint"
    assert b"ANNA1" not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    sealed = path.read_bytes()
    path.write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    again = make()
    again.open()
    assert not again.resumed


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (Unavailable("no Docker"), True),
        (KeyboardInterrupt(), True),
        (InputError("bad"), False),
        (IntegrityError("bad"), False),
        (Refused("role.missing", "no"), False),
    ],
)
def test_a_draft_stays_only_where_the_next_run_can_go_on(make, error, kept):
    """Faults of the files, of what was stored, and of rights leave nothing; a draft without a finished stage neither."""
    draft = killed(make)

    def fail(draft):
        with opened(draft):
            raise error

    with pytest.raises(type(error)):
        fail(draft)
    assert draft.folder.exists() is kept
    draft.discard()
    with pytest.raises(type(error)):
        fail(make())
    assert not draft.folder.exists()


def test_a_draft_waits_a_week(settings, tmp_path):
    """Then the next job of the custodian removes it."""
    young, old = (settings.custody_dir / "releases" / "d" / f"{store.DRAFT}{name}" for name in ("young", "old"))
    for folder in (young, old):
        folder.mkdir(parents=True)
    os.utime(old, (time.time() - 8 * 86400,) * 2)
    os.utime(young, (time.time() - 6 * 86400,) * 2)
    store.remove_leftovers(settings)
    assert young.exists()
    assert not old.exists()


ROWS = ["chr1\t100\tA\t.", "chr1\t100\tA\tC", "chr1\t200\tA\tC,G"]


def pvar(rows):
    """As plink2 writes it."""
    cells = [row.split("\t") for row in rows]
    return "#CHROM\tPOS\tID\tREF\tALT\n" + "".join(f"{c}\t{p}\t.\t{r}\t{a}\n" for c, p, r, a in cells)


def test_rows_are_brought_into_the_matrix_s_order(tmp_path, monkeypatch):
    """Each row of plink2 is named by its place in the matrix; what the matrix lacks is left out, what is alike refused."""
    monkeypatch.setattr(plink, "_SCRATCH", tmp_path)
    ours, theirs, named = tmp_path / "rows", tmp_path / "in.pvar", tmp_path / "out.pvar"
    ours.write_text("\n".join(ROWS) + "\n")
    theirs.write_text(pvar(ROWS))
    assert plink._equal(plink._read(ours), plink._read_pvar(theirs))
    theirs.write_text(pvar([ROWS[2], ROWS[0], "chr1\t150\tR\tC", ROWS[1]]))
    assert not plink._equal(plink._read(ours), plink._read_pvar(theirs))
    assert plink._name_by_place(ours, theirs, named) == ""
    names = [line.split("\t")[2] for line in named.read_text().splitlines()[1:]]
    assert names == ["000000000002", "000000000000", "out2", "000000000001"]
    assert (tmp_path / "left_out.txt").read_text() == "out2\n"
    ours.write_text(f"{ROWS[0]}\n{ROWS[0]}\n")
    assert "can't be told" in plink._name_by_place(ours, theirs, named)


def test_one_row_too_few_is_a_difference(tmp_path):
    """At either end."""
    ours, theirs = tmp_path / "rows", tmp_path / "in.pvar"
    ours.write_text("\n".join(ROWS) + "\n")
    theirs.write_text(pvar(ROWS[:2]))
    assert not plink._equal(plink._read(ours), plink._read_pvar(theirs))


@pytest.fixture
def without_docker(monkeypatch):
    """A worker that can't start; gives how often it was tried."""
    tried = []

    class Absent:
        def __init__(self, *_, **__):
            pass

        def __enter__(self):
            tried.append(1)
            raise Unavailable("Docker does not answer.")

        def __exit__(self, *_):
            return None

    monkeypatch.setattr(stages, "Worker", Absent)
    return tried


@pytest.mark.usefixtures("staff")
@pytest.mark.parametrize("small", [8 << 20, -1])
def test_what_is_wrong_with_the_files_is_told_before_docker(
    settings, database, log, write_vcf, write_pheno, without_docker, monkeypatch, small
):
    """Of small files the container waits for the check; of large ones it starts beside it, but what it says comes second."""
    monkeypatch.setattr(stages, "_SMALL", small)

    def take_in(vcf, **words):
        ingest(settings, database, log, dataset="d", release="r1", files=[vcf], actor="karen", **words)

    with pytest.raises(InputError, match=r"small\.vcf"):
        take_in(write_vcf(content=""))
    pheno = write_pheno(PHENO.replace("ANNA1", "X1").replace("BERTA2", "X2").replace("CARLA3", "X3"))
    with pytest.raises(InputError, match="no row about anybody in the VCF"):
        take_in(write_vcf(), pheno=pheno)
    assert len(without_docker) == (0 if small > 0 else 2)
    releases = settings.custody_dir / "releases" / "d"
    assert list(releases.iterdir()) == []
    with database.reading() as db:
        assert [db.scalars(select(table)).all() for table in (Release, Dataset, Individual)] == [[], [], []]
    with pytest.raises(Unavailable, match="Docker"):
        take_in(write_vcf())
    assert [path.name for path in releases.iterdir()] == [f"{store.DRAFT}r1"]
