"""What a gVCF's text holds is compared with what was stored; and what is said where a PGEN is not made."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ngc_workbench.cli.releases import _lines
from ngc_workbench.cli.taking_in import told
from ngc_workbench.errors import InputError
from ngc_workbench.genomes.hail_worker import plink
from ngc_workbench.genomes.hail_worker.faults import Mismatch, NoPgen, classify
from ngc_workbench.genomes.hail_worker.gvcf_counts import Held, count, need_kept, need_same
from ngc_workbench.genomes.hail_worker.tools import parse
from ngc_workbench.genomes.ingest.run import _need_options, _pgen

GVCF = (
    "100\t199\t<NON_REF>\t0/0\n"  # 100 bases
    "200\t200\t<NON_REF>\t./.\n"
    "201\t.\tC,<NON_REF>\t0/1\n"
    "202\t.\tC,G,<NON_REF>\t2|1\n"
    "203\t.\tC,<NON_REF>\t1\n"
    "204\t.\tC,<NON_REF>\t0/0\n"
    "205\t.\tC,<NON_REF>\t0/2\n"  # names the alternative that stands for the others
    "206\t.\tC,<NON_REF>\t./1\n"
    "207\t.\t<NON_REF>\t0/1\n"
    "208\t.\tC\t1/1\n"
)
HELD = Held(records=8, non_reference=4, blocks=2, bases=101)


def test_a_gvcf_s_text_is_counted_as_the_combiner_reads_it():
    """Blocks with their bases; records; calls of an alternative, none of which is unknown in part or names <NON_REF>."""
    assert count(GVCF.splitlines(keepends=True)) == HELD


@pytest.mark.parametrize("field", ["records", "non_reference", "blocks", "bases"])
def test_one_call_or_base_too_few_is_a_mismatch(field):
    """Of one person among two, whatever it is; the text names nobody."""
    files = {"ngci-a": HELD, "ngci-b": Held(1, 1, 1, 1)}
    need_same(files, {"ngci-b": Held(1, 1, 1, 1), "ngci-a": replace(HELD)})
    with pytest.raises(Mismatch, match="1 of 2 people") as raised:
        need_same(files, files | {"ngci-a": replace(HELD, **{field: getattr(HELD, field) - 1})})
    assert "ngci" not in str(raised.value)


def test_people_and_kept_records_must_be_those_of_the_files():
    """A person too many, or swapped figures; a record more than the check let pass."""
    with pytest.raises(Mismatch, match="people are not"):
        need_same({"a": HELD}, {"a": HELD, "b": HELD})
    with pytest.raises(Mismatch, match="of 2 people"):
        need_same({"a": HELD, "b": Held()}, {"a": Held(), "b": HELD})
    need_kept([HELD, Held(1)], [10, 1])
    for kept in ([10, 2], [10], [1, 10]):
        with pytest.raises(Mismatch, match="check counted"):
            need_kept([HELD, Held(1)], kept)


def test_versions_are_read_from_what_programs_say():
    """plink2's and bcftools' own words; what is no version is an error."""
    assert parse("PLINK v2.00a3.5 AVX2 (9 Aug 2022)\n") == "v2.00a3.5"
    assert parse("bcftools 1.16\nUsing htslib 1.16\n") == "1.16"
    with pytest.raises(ValueError, match="version"):
        parse("bcftools: error\n")


def test_plink2_that_fails_is_refused_unless_that_is_accepted(tmp_path, monkeypatch):
    """For a reason that nobody knows; the code has its own remedy on the host."""

    def fail():
        raise NoPgen("plink2 can't sort the rows")

    with pytest.raises(NoPgen) as raised:
        plink.attempt(True, fail)
    assert classify(raised.value) == ("no_pgen", "plink2 can't sort the rows")
    assert plink.attempt(False, fail) == "plink2 can't sort the rows"
    for name in ("_IMPORT", "_SCRATCH", "_MADE"):
        monkeypatch.setattr(plink, name, tmp_path / name)
    (tmp_path / "_IMPORT").mkdir()
    for part in ("000000", "000001"):
        (tmp_path / "_IMPORT" / f"{part}.pgen").touch()
    monkeypatch.setattr(plink, "_run", lambda *_: False)
    with pytest.raises(NoPgen, match="join"):
        plink.arrange(tmp_path / "rows", "GRCh38")


@pytest.mark.parametrize(("name", "whole"), [("ANNA 2", False), ("ANNA\u00a02", False), ("ANNA2", True)])
def test_names_with_blanks_never_reach_plink2(tmp_path, monkeypatch, name, whole):
    """It would cut them at the blank in silence, and two people could become one."""
    for folder in ("_IMPORT", "_READ"):
        monkeypatch.setattr(plink, folder, tmp_path / folder)
    seen = []

    def read(genome, file, made):
        seen.append(file)
        return False

    monkeypatch.setattr(plink, "_read_vcf", read)
    monkeypatch.setattr(plink.subprocess, "run", lambda *_, **__: type("Done", (), {"returncode": 0}))
    with pytest.raises(NoPgen):
        plink.read_vcfs(["/in/0.vcf"], ["ZOE1", name], ["ngci-a", "ngci-b"], "GRCh38")
    assert ("/in/0.vcf" in seen) is whole
    assert seen[-1].endswith("renamed.vcf")


def test_a_release_without_a_pgen_says_so():
    """In the line of the command and in the event; one with a PGEN, or of gVCFs, says nothing of it."""
    manifest = {"counts": {"samples": 2, "with_phenotypes": 0, "variants": 3}, "genome": "GRCh38"}
    why = "two records have the same position and alleles, so their order can't be told"
    without = manifest | {"plink": {"made": False, "why_not": why}}
    assert any("no PGEN" in line and why in line for line in told("d", "r1", without))
    assert any(line.startswith("  why not") and line.endswith(why) for line in _lines(without)), "release show"
    assert _pgen(without) == {"pgen": False, "no_pgen": why}
    made = manifest | {"plink": {"made": True, "why_not": ""}}
    assert _pgen(made) == {"pgen": True}
    assert _pgen(manifest) == {}
    for one in (made, manifest):
        assert len(told("d", "r1", one)) == 2
        assert told("d", "r1", one)[-1] == "Next: ngc-workbench release publish d r1"


def test_only_what_is_listed_can_be_accepted():
    """What the check may let pass, and a missing PGEN."""
    _need_options(["half-calls", "no-pgen"])
    with pytest.raises(InputError, match="no-pgen"):
        _need_options(["anything"])
