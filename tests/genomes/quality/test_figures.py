"""What is decided and shown, without a container."""

from __future__ import annotations

import json

import pytest

from ngc_workbench.errors import NotFound, Refused
from ngc_workbench.genomes import quality, store
from ngc_workbench.genomes.quality import people, plan, summary
from ngc_workbench.genomes.quality.people import FIGURES, Person
from ngc_workbench.genomes.quality.thresholds import SOURCES, Thresholds
from ngc_workbench.model import Dataset, Release

LIMITS = Thresholds()


@pytest.mark.parametrize(
    ("x_f", "y", "sex"),
    [
        (None, 1.0, ""),
        (0.1, None, "female"),
        (0.2, None, "unclear"),
        (0.5, None, "unclear"),
        (0.8, None, "unclear"),
        (0.9, None, "male"),
        (0.9, 0.5, "male"),
        (0.9, 0.4, "unclear"),
        (0.1, 0.4, "female"),
        (0.1, 0.5, "unclear"),
    ],
)
def test_sex_takes_both_chromosomes_into_account(x_f, y, sex):
    """Between plink's bounds, or where Y contradicts X, nothing is guessed."""
    assert people.sex_of(x_f, y, LIMITS) == sex


@pytest.mark.parametrize(
    ("kinship", "degree"),
    [(0.5, "duplicate"), (0.354, "first"), (0.25, "first"), (0.177, "second"), (0.1, "second")],
)
def test_degrees_are_those_of_king(kinship, degree):
    """Bounds belong to the farther degree."""
    assert people.degree(kinship, LIMITS) == degree


@pytest.mark.parametrize(
    ("figures", "flags"),
    [
        ({"call_rate": 0.95}, []),
        ({"call_rate": 0.949}, ["low_call_rate"]),
        ({"mean_depth": 14.9, "mean_gq": 19.9}, ["low_depth", "low_gq"]),
        ({"mean_depth": 15.0, "mean_gq": 20.0}, []),
        ({"het_reads_calls": 100, "het_allele_balance": 0.39}, ["allele_balance"]),
        ({"het_reads_calls": 100, "het_allele_balance": 0.61}, ["allele_balance"]),
        ({"het_reads_calls": 100, "het_allele_balance": 0.5, "het_uneven": 0.1}, []),
        ({"het_reads_calls": 100, "het_allele_balance": 0.5, "het_uneven": 0.11}, ["allele_balance"]),
        ({"het_reads_calls": 99, "het_allele_balance": 0.39, "het_uneven": 0.5}, []),
        ({"inbreeding_f": -0.06}, ["het_excess"]),
        ({"inbreeding_f": -0.04}, []),
        ({"inbreeding_f": 0.06}, ["het_deficit"]),
        ({"ti_tv": 1.0}, ["ti_tv_outlier"]),
        ({"ti_tv": 2.005}, []),
        ({"het_hom_ratio": 9.0}, ["het_hom_outlier"]),
        ({"singletons": 11}, ["singletons"]),
        ({"singletons": 10}, []),
        (dict.fromkeys(FIGURES), []),
    ],
)
def test_a_figure_beyond_its_bound_is_flagged(figures, flags):
    """Against 40 people who differ a little; a figure that is not there flags nobody."""
    plain = {"inbreeding_f": 0.0, "singletons": 0, "het_hom_ratio": 1.5}
    everybody = [Person(f"p{at}", {**plain, "ti_tv": 2.0 + 0.01 * (at % 3 - 1)}) for at in range(40)]
    one = Person("one", figures)
    people.flag([*everybody, one], frozenset(), {}, LIMITS)
    assert one.flags == flags
    assert all(other.flags == [] for other in everybody)


def test_pairs_of_a_mixed_sample_are_unclear_unless_they_are_duplicates():
    """Others stay as they are."""
    mixed, other, third = Person("a", flags=["het_excess"]), Person("b"), Person("c", flags=["het_deficit"])
    pairs = [("a", "b", "0.2", "first"), ("c", "a", "0.4", "duplicate"), ("b", "c", "0.1", "second")]
    assert [one[3] for one in people.doubt(pairs, [mixed, other, third])] == ["unclear", "duplicate", "second"]
    assert [one[:3] for one in people.doubt(pairs, [mixed, other, third])] == [one[:3] for one in pairs]


def test_few_people_have_no_outliers():
    """A median of five says nothing."""
    some = [Person(str(at), {"ti_tv": value}) for at, value in enumerate([2.0, 2.0, 2.0, 2.0, 0.1])]
    people.flag(some, frozenset(), {}, LIMITS)
    assert [one.flags for one in some] == [[]] * 5


@pytest.mark.parametrize(
    ("word", "flags"), [("mand", ["sex_mismatch"]), ("1", ["sex_mismatch"]), ("Kvinde", []), ("?", []), (None, [])]
)
def test_a_declared_sex_is_compared(word, flags):
    """In Danish too; a word that is none says nothing."""
    one = Person("one", {}, sex="female")
    people.flag([one], frozenset(), {"one": word} if word else {}, LIMITS)
    assert one.flags == flags


def test_regions_that_x_and_y_share_are_left_out():
    """The pseudoautosomal regions of both genomes."""
    assert plan.sex_part("chrX", 2_781_479, "GRCh38") == ""
    assert plan.sex_part("chrX", 2_781_480, "GRCh38") == "X"
    assert plan.sex_part("X", 154_931_043, "GRCh37") == "X"
    assert plan.sex_part("X", 154_931_044, "GRCh37") == ""
    assert plan.sex_part("chrY", 56_887_903, "GRCh38") == ""
    assert plan.sex_part("chr1", 5_000_000, "GRCh38") == ""


def test_every_threshold_has_a_source():
    """One table."""
    assert set(Thresholds().described()) == set(SOURCES)


def _summary(count=40, flagged=3):
    everybody = [Person(f"ngci{at}", {"call_rate": 0.99, "ti_tv": 2.0}, "female") for at in range(count)]
    for one in everybody[:flagged]:
        one.flags = ["low_call_rate"]
    found = {"rows": 9, "flagged": {"low_call_rate": 2}}
    return summary.of(everybody, found, ["first"] * 5, {"mean_depth": "the files have no field DP"}, LIMITS, {})


@pytest.mark.parametrize(("flagged", "said"), [(3, "<5 have a call rate"), (4, "<5 have"), (5, "5 have a call rate")])
def test_small_counts_of_people_are_hidden_and_others_shown(flagged, said):
    """Also in the text, which says what to do and fits 100 columns."""
    lines = quality.lines(summary.shareable(_summary(flagged=flagged), 5))
    text = "\n".join(lines)
    assert f"  {said}" in text
    assert "sequence again" in text
    assert "5 first degree" in text
    assert "0 second degree" in text
    assert "mean depth: the files have no field DP" in text
    assert max(map(len, lines)) <= 100
    assert "ngci" not in text


def test_of_few_people_no_quartiles_are_shown():
    """They would be figures of single people."""
    assert summary.shareable(_summary(count=19, flagged=0), 5)["figures"] == {}
    assert summary.shareable(_summary(count=20, flagged=0), 5)["figures"] != {}


@pytest.fixture
def release(settings, database, staff):
    """A release with figures."""
    folder = store.release_folder(settings, "kgp", "r1") / "quality"
    folder.mkdir(parents=True)
    header = "\t".join(["id", *FIGURES, "inferred_sex", "flags"])
    values = "\t".join(["ngci1", *["0.5"] * len(FIGURES), "NA", "low_call_rate"])
    (folder / "samples.tsv").write_text(f"{header}\n{values}\n")
    with database.writing() as db:
        db.add(Dataset(name="kgp"))
        db.flush()
        manifest = {"counts": {"samples": 1}, "quality": summary.shareable(_summary(), 5)}
        db.add(Release(dataset_name="kgp", name="r1", manifest=manifest))
        db.add(Release(dataset_name="kgp", name="old", manifest={"counts": {"samples": 1}}))


def _count(database, log):
    with database.reading() as db:
        return len([event for event in log.read(db) if event.kind == "release.quality_read"])


def test_rows_by_person_are_recorded(settings, database, log, release):
    """Without them nothing is: the summary names nobody."""
    words = {"dataset": "kgp", "release": "r1", "actor": "karen"}
    assert quality.read(settings, database, log, **words).samples == []
    assert _count(database, log) == 0
    found = quality.read(settings, database, log, **words, samples=True)
    assert found.samples[0]["id"] == "ngci1"
    assert _count(database, log) == 1
    assert any("ngci1" in line for line in quality.sample_lines(found.samples))
    assert "ngci1" not in json.dumps(found.summary)


def test_others_are_turned_away(settings, database, log, release):
    """A researcher and a support officer are refused, and that is recorded."""
    for number, actor in enumerate(("alma", "sofie"), 1):
        with pytest.raises(Refused):
            quality.read(settings, database, log, dataset="kgp", release="r1", actor=actor)
        assert _count(database, log) == number


def test_a_release_without_figures_says_so(settings, database, log, release):
    """It was taken in earlier."""
    with pytest.raises(NotFound, match="no quality figures"):
        quality.read(settings, database, log, dataset="kgp", release="old", actor="karen")
