"""A file read in parts, by one process or several, is the same file; and nothing that a file holds breaks the check."""

from __future__ import annotations

import random
import tempfile
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ngc_workbench.genomes import bgzf
from ngc_workbench.genomes.bgzf import BgzfWriter
from ngc_workbench.genomes.preflight import check, check_files, header, records
from ngc_workbench.genomes.preflight import part as part_of
from ngc_workbench.genomes.preflight import text as text_of
from ngc_workbench.genomes.store import quiet
from tests.genomes.cohorts import HEADER, RECORDS, vcf_text

CALLS = st.sampled_from(["0/0", "0|1", "1/1", "./.", "."])
BASES = st.text("ACGT", min_size=1, max_size=3)


@st.composite
def sound(draw) -> tuple[str, dict[str, int], int]:
    """A VCF without a defect, its records by contig, and its samples."""
    samples = draw(st.integers(1, 6))
    rows, counts = [], {}
    for contig in draw(st.lists(st.sampled_from(["chr1", "chr2", "chrX"]), unique=True, min_size=1)):
        positions = sorted(draw(st.sets(st.integers(1, 10**6), min_size=1, max_size=12)))
        counts[contig] = len(positions)
        for position in positions:
            ref = draw(BASES)
            alts = draw(st.lists(BASES.filter(lambda alt, ref=ref: alt != ref), unique=True, min_size=1, max_size=3))
            values = []
            for _ in range(samples):
                call = draw(CALLS)
                numbers = draw(st.lists(st.integers(0, 2**31 - 1), min_size=len(alts) + 3, max_size=len(alts) + 3))
                depths = ",".join(map(str, numbers[2:]))
                values.append(f"{call}:{depths}:{numbers[0]}:{numbers[1]}")
            fixed = f"{contig}\t{position}\t.\t{ref}\t{','.join(alts)}\t.\t.\t.\tGT:AD:DP:GQ"
            rows.append("\t".join([fixed, *values]))
    return vcf_text(records=rows, names=[f"S{at}" for at in range(samples)]), counts, samples


def read(text: bytes, *, block: int, chunk: int, part: int, packed: bool):
    """Checks it, laid out in blocks and read in chunks and parts of these sizes."""
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.object(bgzf, "_MOST_IN_BLOCK", block),
        patch.object(text_of, "_CHUNK", chunk),
        patch.object(part_of, "_BATCH", chunk),
    ):
        path = Path(folder, "x.vcf.gz" if packed else "x.vcf")
        if packed:
            with BgzfWriter(path) as file:
                file.write(text)
        else:
            path.write_bytes(text)
        return check_files([path], progress=quiet, processes=1, part=part)


def bare(checked):
    """What must not depend on how a file was read."""
    files = [
        replace(file, path=Path(), size=0, sha256="", bgzf=False, name="") for file in checked.files
    ]  # these tell how it lies there
    return files, {replace(finding, file="") for finding in checked.findings}


SIZES = {"block": st.integers(20, 400), "chunk": st.integers(20, 400), "part": st.integers(30, 900)}


@settings(max_examples=40, deadline=None)
@given(sound(), *SIZES.values(), st.booleans())
def test_a_sound_file_passes_however_it_is_read(made, block, chunk, part, packed):
    """With all of its records, by contig, and no finding."""
    text, counts, samples = made
    checked = read(text.encode(), block=block, chunk=chunk, part=part, packed=packed)
    assert checked.findings == ()
    file = checked.files[0]
    assert (file.kept, file.contigs, len(file.samples)) == (sum(counts.values()), counts, samples)
    assert file.sorted


@settings(max_examples=60, deadline=None)
@given(sound(), *SIZES.values(), st.booleans(), st.randoms(use_true_random=False), st.integers(1, 6))
def test_a_file_with_defects_has_the_same_ones_however_it_is_read(made, block, chunk, part, packed, dice, changes):
    """Bytes changed, lines doubled, moved and cut: only findings, and the same in one piece and in many."""
    text = bytearray(made[0].encode())
    for _ in range(changes):
        text = bytearray(mutated(bytes(text), dice))
    pieces = read(bytes(text), block=block, chunk=chunk, part=part, packed=packed)
    whole = read(bytes(text), block=60_000, chunk=1 << 20, part=1 << 30, packed=packed)
    assert bare(pieces) == bare(whole)


def mutated(text: bytes, dice: random.Random) -> bytes:
    lines = text.split(b"\n")
    at = dice.randrange(len(lines))
    change = dice.randrange(6)
    if change == 0:
        lines.insert(dice.randrange(len(lines)), lines[at])
    elif change == 1:
        lines.append(lines.pop(at))
    elif change == 2:
        lines[at] = lines[at][: dice.randrange(len(lines[at]) + 1)]
    elif change == 3:
        lines[at] += dice.choice([b"\r", b"\t", b":", b",", b"0"])
    else:
        place = dice.randrange(len(text) or 1)
        return (
            text[:place] + bytes([dice.choice([0, 9, 10, 13, 32, 44, 45, 46, 48, 58, 0xE9, 0xFF])]) + text[place + 1 :]
        )
    return b"\n".join(lines)


@settings(max_examples=80, deadline=None)
@given(st.randoms(use_true_random=False), st.booleans())
def test_any_bytes_give_findings_alone(dice, cut):
    """A BGZF file with bytes changed anywhere, or cut: never another error."""
    with tempfile.TemporaryDirectory() as folder, patch.object(bgzf, "_MOST_IN_BLOCK", 150):
        path = Path(folder, "x.vcf.gz")
        with BgzfWriter(path) as file:
            file.write(vcf_text().encode())
        raw = bytearray(path.read_bytes())
        for _ in range(3):
            raw[dice.randrange(len(raw))] = dice.randrange(256)
        path.write_bytes(raw[: dice.randrange(len(raw))] if cut else raw)
        check_files([path], progress=quiet, processes=1, part=dice.randrange(30, 900))


def test_processes_find_what_one_finds(tmp_path, monkeypatch):
    """Two started processes, parts of a large file and a small one: line numbers, seams and counts are the same."""
    monkeypatch.setattr(bgzf, "_MOST_IN_BLOCK", 900)
    rows = [RECORDS[2].replace("3000", str(3000 + at)) for at in range(3000)]
    rows[1500] = rows[1499]
    rows[2500] = rows[2500].replace("0/1", "0/3")
    large, small = tmp_path / "a.vcf.gz", tmp_path / "b.vcf.gz"
    for path, some in ((large, rows), (small, [RECORDS[0].replace("0/1", "2/1")])):
        with BgzfWriter(path) as file:
            file.write(vcf_text(records=some).encode())
    one, two = (check_files([large, small], progress=quiet, processes=count, part=2000) for count in (1, 2))
    assert one == two
    assert [(found.kind, found.where, found.file) for found in two.findings if found.severity == "defect"] == [
        ("duplicate", "line 1509", "a.vcf.gz"),
        ("gt-beyond", "line 2509", "a.vcf.gz"),
        ("gt-beyond", "line 9", "b.vcf.gz"),
    ]
    assert two.files[0].kept == 3000


@pytest.mark.parametrize("end", [b"\n", b""])
def test_a_line_without_end_is_bounded(tmp_path, monkeypatch, end):
    """In the header and among the records; what follows is not read."""
    monkeypatch.setattr(text_of, "MOST_IN_LINE", 5000)
    monkeypatch.setattr(part_of, "MOST_IN_LINE", 5000)
    monkeypatch.setattr(text_of, "_CHUNK", 1000)
    monkeypatch.setattr(part_of, "_BATCH", 1000)
    path = tmp_path / "x.vcf"
    path.write_bytes(b"##fileformat=VCFv4.2\n##" + b"x" * 9000 + end)
    assert [(found.kind, found.where) for found in check_files([path], progress=quiet).findings] == [
        ("line-too-long", "line 2")
    ]
    path.write_bytes(vcf_text(records=RECORDS[:1]).encode() + b"chr1" * 9000 + end)
    for part in (2000, 1 << 30):
        found = check_files([path], progress=quiet, part=part, processes=1).findings
        assert [(one.kind, one.where) for one in found if one.severity == "defect"] == [("line-too-long", "line 10")]


def test_a_header_without_end_is_bounded(write_vcf, monkeypatch):
    """After its most lines the check stops."""
    monkeypatch.setattr(header, "_MOST_LINES", 100)
    found = check_files([write_vcf(content=HEADER + "##x=y\n" * 200)], progress=quiet).findings
    assert [(one.kind, one.where) for one in found] == [("header-too-long", "line 101")]


def test_findings_are_bounded(write_vcf, monkeypatch):
    """Thousands of contigs, fields and bad genotypes: a count and a few places; the report has at most 60 lines."""
    monkeypatch.setattr(records, "_LINES_TAKEN_APART", 10)
    rows = [f"c{at}\t5\t.\tA\tC\t.\tf{at}\ti{at}=1\tGT\t0/7\t0/7\t0/0\t0/0" for at in range(2000)]
    checked = check_files([write_vcf(records=rows)], progress=quiet)
    assert len(checked.findings) < 500
    found = {finding.kind: finding for finding in checked.findings}
    assert found["gt-beyond"].count == 10 * 2 + 1990
    assert len(found["gt-beyond"].also) == 5
    with pytest.raises(Exception, match="more kinds of defects") as caught:
        checked.or_refuse()
    assert len(caught.value.what.split("\n")) <= 61


def test_progress_says_how_far_it_is(write_vcf, monkeypatch):
    """Percent of all files, rate and time left, every two seconds."""
    clock = iter(range(0, 1000, 3))
    monkeypatch.setattr(check.time, "monotonic", lambda: next(clock))
    said = []
    check_files([write_vcf("a.vcf"), write_vcf("b.vcf")], progress=said.append, processes=1)
    assert [line.split(" %")[0] for line in said] == ["Checking 2 files: 50", "Checking 2 files: 100"]
    assert not any("MB/s" in line for line in said), "a rate of a few bytes says nothing"


def test_a_rate_is_told_once_there_is_one(monkeypatch):
    """The start of processes and the first bytes are not in it: 10 MB in 5 s are 2 MB/s, and 20 more take 10 s."""
    now = [0.0]
    monkeypatch.setattr(check.time, "monotonic", lambda: now[0])
    said = []
    meter = check._Meter(30_000_100, 1, said.append)
    for seconds, done in ((3, 0), (10, 100), (12, 200), (15, 10_000_100)):
        now[0] = seconds
        meter.at(done)
    assert said == [
        "Checking: processes start",
        "Checking the file: 0 %",
        "Checking the file: 0 %",
        "Checking the file: 33 %, 2.0 MB/s, about 10 s left",
    ]
