"""Real files, in each way in which files hold a cohort, taken in: what is stored is what they say, and nothing else."""

from __future__ import annotations

import json
import secrets
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import select

from ngc_workbench import genomes
from ngc_workbench.audit import AuditEvent
from ngc_workbench.errors import InputError, IntegrityError
from ngc_workbench.genomes import store
from ngc_workbench.genomes.preflight import read_lines
from ngc_workbench.genomes.worker import Worker
from ngc_workbench.model import Individual
from tests.genomes.cohorts import DATA, GATK, HEADER, KGP

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("staff")]

PLAIN = "0/1\t1|1\t./.\t0/0"
UNPACK = Path(__file__).parent / "inside" / "unpack.py"
GVCFS = [DATA / "gvcf_hg38_chr22" / f"{name}.hg38.g.vcf.gz" for name in ("HG00313", "HG00187", "HG00190")]


@pytest.fixture
def take_in(settings, database, log):
    def ingest(*files, **words):
        release = genomes.ingest(
            settings, database, log, dataset="d", release="r1", files=files, actor="karen", **words
        )
        return release.manifest, store.release_folder(settings, "d", "r1")

    return ingest


@pytest.fixture
def search(settings):
    """Looks for words in every file of a folder, unpacked, in the image of sessions."""

    def found(folder, needles):
        command = [
            "docker", "run", "--rm", "-i", "--name", f"ngc-test-unpack-{secrets.token_hex(4)}", "--network", "none",
            "--label", "ngc-workbench=test", "--mount", f"type=bind,source={UNPACK},target=/script.py,readonly",
            "--mount", f"type=bind,source={folder},target=/data,readonly", "--user", "0:0",
            "--entrypoint", "/opt/workbench/bin/python", settings.researcher_image, "/script.py",
        ]  # fmt: skip
        request = json.dumps({"needles": needles})
        done = subprocess.run(command, input=request, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout.splitlines()[-1])["found"]

    return found


def lines(path):
    with path.open("rb") as file:
        return [line.decode() for _, line in read_lines(file)]


def names(path):
    return next(line for line in lines(path) if line.startswith("#CHROM")).split("\t")[9:]


def rows(folder):
    return [line.split("\t") for line in (folder / "plink" / "genotypes.pvar").read_text().splitlines()]


def test_one_file_is_stored_with_its_pgen_and_nothing_else(take_in, search, database):
    """GATK's chr22: rows of the PGEN are the file's; no line of the header, name, place or value of INFO is anywhere."""
    manifest, folder = take_in(GATK)
    assert manifest["counts"] == {"samples": 100, "variants": 735, "with_phenotypes": 0}
    assert (manifest["kind"], manifest["contigs"], manifest["plink"]["made"]) == ("matrix", {"22": 735}, True)
    assert set(manifest["quality"]) > set()
    records = [line.split("\t")[:5] for line in lines(GATK) if not line.startswith("#")]
    expected = [[c, p, f"{c}:{p}:{r}:{a}", r, a] for c, p, _, r, a in records]
    header, *found = rows(folder)
    assert header == ["#CHROM", "POS", "ID", "REF", "ALT"]
    assert sorted(found) == sorted(expected)
    assert sorted(path.name for path in (folder / "plink").iterdir()) == ["genotypes.pgen", "genotypes.pvar"]
    for part in ("matrix.mt", "plink"):
        assert {path.stat().st_mode & 0o777 for path in (folder / part).rglob("*") if path.is_file()} == {0o444}
    with database.reading() as db:
        people = {one.internal_id for one in db.scalars(select(Individual))}
    assert set(store.read_columns(folder)) == people
    needles = [
        *names(GATK),
        "##contig",
        "##fileformat",
        "##FORMAT",
        "##INFO",
        "GATK",
        "BaseQRankSum",
        str(GATK.parent),
        GATK.name,
        str(folder.parent),
    ]
    assert search(folder, needles) == {}
    assert search(folder, ["ngci"]) != {}


def test_files_by_region_become_one_matrix(take_in, write_vcf, tmp_path):
    """A real file in two parts, given in the wrong order by a pattern: all rows, in order; genotypes agree by two programs."""
    whole = lines(KGP)
    header, records = [line for line in whole if line.startswith("#")], [line for line in whole if line[0] != "#"]
    write_vcf("b.vcf.gz", content="\n".join([*header, *records[:300], ""]))
    write_vcf("a.vcf", content="\n".join([*header, *records[300:500], ""]))
    manifest, folder = take_in(tmp_path / "[ab].vcf*")
    assert manifest["counts"]["variants"] == 500
    assert len(manifest["sources"]) == 2
    assert manifest["plink"] == {"made": True, "why_not": ""}
    assert [row[1] for row in rows(folder)[1:]] == [record.split("\t")[1] for record in records[:500]]


def test_files_by_sample_become_one_matrix(take_in, write_vcf):
    """A site that a file lacks is missing for its person; each person keeps as many genotypes as their file has."""
    one = "chr1\t1000\t.\tA\tC\t.\tPASS\t.\tGT:DP\t0/1:7"
    two = "chr1\t2000\t.\tG\tT\t.\tPASS\t.\tGT:DP\t1/1:8"
    files = [
        write_vcf("x.vcf", records=[one, two], header=HEADER, names=["ZOE1"]),
        write_vcf("y.vcf.gz", records=[two.replace("1/1", "./1")], header=HEADER, names=["ANNA 2"]),
        write_vcf("z.vcf", records=[one.replace("\tC\t", "\tG\t")], header=HEADER, names=["MIA3"]),
    ]
    manifest, folder = take_in(*files, accept=["half-calls"])
    assert manifest["counts"]["variants"] == 3
    assert manifest["accepted"] == ["half-calls"]
    assert manifest["plink"]["made"]
    assert [row[2] for row in rows(folder)[1:]] == ["chr1:1000:A:C", "chr1:1000:A:G", "chr1:2000:G:T"]


def test_rows_out_of_order_are_sorted_in_both_shapes(take_in, write_vcf):
    """At one position by alleles; chromosome X's single alleles and MT's two different ones pass both programs alike."""
    places = [
        ("chr2", 5, "C"),
        ("chr1", 7, "T"),
        ("chr1", 7, "G"),
        ("chr1", 3, "C,G"),
        ("chrM", 9, "C"),
        ("chrX", 9, "G"),
    ]
    calls = {"chrX": "0/1\t1\t./.\t0", "chrM": "0/1\t1\t.\t0"}
    records = [
        f"{contig}\t{position}\t.\tA\t{alleles}\t.\t.\t.\tGT\t{calls.get(contig, PLAIN)}"
        for contig, position, alleles in places
    ]
    vcf = write_vcf(records=records)
    manifest, folder = take_in(vcf, accept=["unsorted"])
    assert manifest["plink"] == {"made": True, "why_not": ""}
    wanted = ["chr1:3:A:C,G", "chr1:7:A:G", "chr1:7:A:T", "chr2:5:A:C", "chrX:9:A:G", "chrM:9:A:C"]
    assert [row[2] for row in rows(folder)[1:]] == wanted


def test_gvcfs_become_a_vds(take_in, search):
    """Both halves under internal ids, reference blocks kept; GATK's command lines with names and places are nowhere."""
    manifest, folder = take_in(*GVCFS)
    assert manifest["kind"] == "vds"
    assert manifest["counts"]["samples"] == 3
    assert manifest["counts"]["variants"] > 0
    assert not (folder / "plink").exists()
    columns = store.read_columns(folder)
    for half in ("variant_data", "reference_data"):
        assert search(folder / "genomes.vds" / half / "cols", columns) != {}
    needles = [
        *(names(path)[0] for path in GVCFS),
        "##contig",
        "##fileformat",
        "##FORMAT",
        "##INFO",
        "gs://",
        "HaplotypeCaller",
        "PGT",
        "PID",
        "gvcf_info",
        str(folder.parent),
    ]
    assert search(folder, needles) == {}


def test_a_vds_that_lacks_what_a_gvcf_has_is_not_kept(settings, take_in, write_vcf, monkeypatch):
    """Two blocks whose bases are told one too many by the text stand for a base that Hail did not store."""
    header = HEADER + '##INFO=<ID=END,Number=1,Type=Integer,Description="x">\n'
    records = (
        "chr1\t1000\t.\tA\t<NON_REF>\t.\t.\tEND=1009\tGT:DP:GQ\t0/0:9:90",
        "chr1\t1010\t.\tA\tC,<NON_REF>\t.\t.\t.\tGT:DP:GQ\t0/1:9:90",
        "chr1\t1011\t.\tA\t<NON_REF>\t.\t.\tEND=1011\tGT:DP:GQ\t0/0:9:90",
    )
    vcf = write_vcf("a.g.vcf.gz", records=records, header=header, names=["ANNA1"])
    call = Worker.call
    read = []

    def broken(self, verb, **words):
        if verb == "verify_vds":
            read.extend(words["read"])
            words["read"] = [words["read"][0] | {"bases": words["read"][0]["bases"] + 1}]
        return call(self, verb, **words)

    monkeypatch.setattr(Worker, "call", broken)
    with pytest.raises(IntegrityError, match="1 of 1 people do not have as many bases"):
        take_in(vcf)
    assert read == [{"records": 1, "non_reference": 1, "blocks": 2, "bases": 11}]
    assert list((settings.custody_dir / "releases" / "d").iterdir()) == []


@pytest.mark.parametrize("depths", ["9,0", "9,.", "."])
def test_depths_are_stored_whatever_gaps_they_have(take_in, write_vcf, depths):
    """Hail is told whether arrays have gaps, which makes it quicker, and would stop at one that it was not told of."""
    record = f"chr1\t1000\t.\tA\tC\t.\t.\t.\tGT:AD\t0/0:{depths}\t0/1:4,5\t1/1:0,8\t./."
    manifest, _ = take_in(write_vcf(records=[record]))
    assert (manifest["counts"]["variants"], manifest["entry_fields"]) == (1, ["GT", "AD", "DP", "GQ"])


def test_what_plink2_can_t_read_is_refused_unless_that_is_accepted(settings, take_in, write_vcf, database):
    """More alternatives than it takes: Hail has no bound. The release then says that it has no PGEN, and why."""
    alternatives = ",".join("A" * count for count in range(2, 302))
    vcf = write_vcf(records=[f"chr1\t1000\t.\tA\t{alternatives}\t.\t.\t.\tGT\t{PLAIN}"])
    with pytest.raises(InputError, match=r"no PGEN.*\.log says why.*accept no-pgen"):
        take_in(vcf)
    assert len(list((settings.custody_dir / "logs").iterdir())) == 1
    said = []
    manifest, folder = take_in(vcf, accept=["no-pgen"], progress=said.append)
    assert manifest["plink"] == {"made": False, "why_not": "plink2 can't read the files"}
    assert "No PGEN: plink2 can't read the files" in said
    assert not (folder / "plink").exists()
    assert manifest["accepted"] == ["no-pgen"]
    with database.reading() as db:
        bodies = db.scalars(select(AuditEvent.body).order_by(AuditEvent.seq)).all()
    details = next(body["details"] for body in map(json.loads, bodies) if body["kind"] == "dataset.ingested")
    assert details["pgen"] is False
