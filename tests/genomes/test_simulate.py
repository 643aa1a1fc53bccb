"""Invented cohorts."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ngc_workbench.errors import InputError
from ngc_workbench.genomes.phenotypes import read_table
from ngc_workbench.genomes.preflight import check_files, read_lines
from ngc_workbench.genomes.simulate import simulate_cohort, simulate_trait
from ngc_workbench.genomes.store import quiet
from tests.genomes.cohorts import GATK


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return simulate_cohort(tmp_path_factory.mktemp("cohort"), people=60)


def dosages(vcf, position):
    with vcf.open("rb") as file:
        for _, line in read_lines(file):
            fields = line.split(b"\t")
            if not line.startswith(b"#") and int(fields[1]) == position:
                return np.array([value.partition(b":")[0].count(b"1") for value in fields[9:]])
    raise AssertionError("no such record")


def test_a_simulated_cohort_passes_its_own_checks(cohort):
    """BGZF, GRCh38, a few thousand variants, a table that joins."""
    found = check_files([cohort.vcf], progress=quiet).or_refuse().files[0]
    assert (len(found.samples), found.genome, found.entry_fields) == (60, "GRCh38", ("GT", "DP", "GQ"))
    assert 2000 < found.records < 20_000
    table = read_table(cohort.pheno, found.samples)
    assert [column.type for column in table.columns] == ["int32", "str", "float64"]
    assert tuple(row.sample for row in table.rows) == found.samples


def test_the_trait_follows_its_causal_variants(cohort):
    """The strongest stated variant explains about the share of variance that is stated."""
    truth = json.loads(cohort.truth.read_text())
    strongest = truth["causal"][0]
    trait = np.array([row.values[2] for row in read_table(cohort.pheno, ()).rows])
    squared = np.corrcoef(dosages(cohort.vcf, strongest["position"]), trait)[0, 1] ** 2
    assert abs(squared - strongest["variance_explained"]) < 0.2
    assert squared > 0.2


def test_cpr_numbers_are_plainly_invented_and_agree_with_age_and_sex(cohort):
    """The day is above 60; the last digit is odd for men; nobody shares one."""
    rows = read_table(cohort.pheno, ()).rows
    assert len({row.cpr for row in rows}) == len(rows)
    for row in rows:
        age, sex, _ = row.values
        assert 61 <= int(row.cpr[:2]) <= 91
        assert (int(row.cpr[-1]) % 2 == 1) == (sex == "male")
        assert int(row.cpr[4:6]) == (2024 - age) % 100


def test_equal_seeds_give_equal_files(cohort, tmp_path):
    """Byte for byte; another seed gives others."""
    again = simulate_cohort(tmp_path / "a", people=60)
    assert again.vcf.read_bytes() == cohort.vcf.read_bytes()
    assert again.pheno.read_bytes() == cohort.pheno.read_bytes()
    assert simulate_cohort(tmp_path / "b", people=60, seed=5).pheno.read_bytes() != cohort.pheno.read_bytes()


def test_a_trait_is_simulated_for_real_genotypes(tmp_path):
    """For GATK's file of 100 people, with causal variants that are in it."""
    cohort = simulate_trait(GATK, tmp_path)
    assert cohort.vcf == GATK
    truth = json.loads(cohort.truth.read_text())
    assert truth["genotypes_simulated"] is False
    for variant in truth["causal"]:
        assert dosages(GATK, variant["position"]).size == 100
    assert len(read_table(cohort.pheno, ()).rows) == 100


def test_a_vcf_without_common_variants_is_refused(write_vcf, tmp_path):
    """One clear line."""
    record = "chr22\t3000\t.\tT\tC\t50\tPASS\t.\tGT\t0/0\t0/0\t0/0\t0/0"
    with pytest.raises(InputError, match="common enough"):
        simulate_trait(write_vcf(records=(record,)), tmp_path / "out")
