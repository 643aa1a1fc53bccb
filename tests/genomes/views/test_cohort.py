"""Cohorts: how they are written, what they come to, and what is refused."""

from __future__ import annotations

import pytest

from ngc_workbench.errors import InputError, IntegrityError
from ngc_workbench.genomes import cohort, store
from ngc_workbench.genomes.cohort import Cohort
from ngc_workbench.genomes.cuts import Definition
from ngc_workbench.pseudonyms import Keyring
from tests.genomes.views.conftest import NAMES, PEOPLE


@pytest.fixture
def read(site, tmp_path):
    """Reads a definition from its text, with files beside it."""

    def read(text, **files):
        for name, content in files.items():
            (tmp_path / name).write_text(content)
        path = tmp_path / "cohort.toml"
        path.write_text(text)
        with site.database.reading() as db:
            return cohort.read_definition(site.settings, db, Keyring.of(site.settings), path, site.release)

    return read


def chosen(site, wanted):
    return cohort.selected(site.settings, wanted, site.folder, site.release.manifest)


def test_an_empty_cohort_is_everything(site, read):
    wanted = read("")
    assert wanted == Cohort()
    assert wanted.record() == {}
    assert wanted.describe() == ""
    assert chosen(site, wanted) == PEOPLE


def test_people_may_be_named_in_three_ways(site, read):
    """By sample name, CPR number or internal id; the list lies in the custodian zone alone."""
    wanted = read('people_file = "list"', list=f"{NAMES[4]}\n\n640170-1234\n{PEOPLE[0]}\n")
    assert chosen(site, wanted) == [PEOPLE[0], PEOPLE[3], PEOPLE[4]]
    assert PEOPLE[0] not in str(wanted.record())
    stored = site.settings.custody_dir / "cohorts" / f"{wanted.people}.txt"
    assert stored.stat().st_mode & 0o777 == 0o600
    same = read('people_file = "other"', other=f"{PEOPLE[0]}\n{PEOPLE[3]}\n{PEOPLE[4]}\n")
    assert same == wanted


def test_a_filter_is_asked_of_the_phenotypes(site, read):
    """Somebody without phenotypes fits no filter."""
    wanted = read("where = 'age >= 31 and sex == \"female\"'")
    assert chosen(site, wanted) == [PEOPLE[1], PEOPLE[3]]
    assert "age" in wanted.describe()


def test_list_and_filter_are_both_asked(site, read):
    wanted = read("people_file = 'list'\nwhere = 'age >= 31'", list="\n".join(NAMES[:3]))
    assert chosen(site, wanted) == PEOPLE[1:3]


def test_a_cohort_survives_its_record(read):
    wanted = read(
        "where = 'age > 30'\nregions = ['chr2:5-9', 'chr1']\nregions_file = 'b'\ncolumns = ['sex', 'age']",
        b="chr2\t9\t20\n",
    )
    assert wanted.regions == ("chr1:1-248956422", "chr2:5-20")
    assert wanted.columns == ("age", "sex")
    assert Cohort.of(wanted.record()) == wanted
    assert Cohort.of(Cohort(columns=()).record()) == Cohort(columns=())


def test_genes_become_regions(site, read, tmp_path):
    """The names stay with the cohort."""
    (tmp_path / "genes.bed").write_text("chr1\t99\t200\tAAA1\n")
    object.__setattr__(site, "settings", site.settings.model_copy(update={"genes_grch38": tmp_path / "genes.bed"}))
    wanted = read("genes = ['AAA1']")
    assert wanted.regions == ("chr1:100-200",)
    assert wanted.genes == ("AAA1",)
    assert "1 genes" in wanted.describe()


BAD = {
    "where = ": "can't be read as a cohort",
    "who = 'all'": "no key who",
    "regions = 'chr1'": "must be a list",
    "regions = [1]": "must be a list",
    "where = 3": "must be a text",
    "regions = ['chr99:1-2']": "not a region",
    "regions = []": "names no region",
    "genes = ['AAA1']": "No annotation",
    "entry_fields = ['DP']": "'DP'",
    "columns = ['cpr']": "'cpr'",
    "where = 'cpr == 3'": "cpr",
    "where = 'age =='": "at its end",
    "people_file = 'missing'": "can't be read",
    "people_file = 'empty'": "names nobody",
    "people_file = 'strangers'": r"2 lines name nobody in d/r1, the first is line 2",
}


@pytest.mark.parametrize("text", BAD)
def test_what_a_cohort_can_not_be_is_refused(read, text):
    """With the place, and never the line of a list of people."""
    with pytest.raises(Exception, match=BAD[text]) as caught:
        read(text, empty="\n", strangers=f"{NAMES[0]}\nHG99999\n650199-9999\n")
    assert caught.value.exit_code in (2, 4)
    assert "HG99999" not in str(caught.value)
    assert "650199" not in str(caught.value)


def test_a_cohort_of_no_people_in_the_release_is_refused(site, read):
    """Known in the dataset, but not in this release."""
    store.write_columns(site.folder, PEOPLE[:5])
    with pytest.raises(InputError, match="line 1"):
        read("people_file = 'list'", list=NAMES[5])


def test_a_damaged_list_is_noticed(site, read):
    """Nobody is let in, or left out, by a change of the file."""
    wanted = read('people_file = "list"', list=NAMES[0])
    path = site.settings.custody_dir / "cohorts" / f"{wanted.people}.txt"
    path.write_text(f"{PEOPLE[0]}\n{PEOPLE[1]}\n")
    with pytest.raises(IntegrityError):
        chosen(site, wanted)
    path.unlink()
    with pytest.raises(IntegrityError):
        chosen(site, wanted)


def test_a_damaged_record_is_noticed():
    """A key that we don't know may have been a restriction."""
    with pytest.raises(IntegrityError):
        Cohort.of({"where": "age > 3", "wher": "x"})


def test_equal_definitions_have_equal_keys_and_others_do_not():
    base = Definition("r", ("a", "b"), ("chr1:1-5",), ("GT",))
    assert base.key == Definition("r", ("b", "a"), ("chr1:1-5",), ("GT",)).key
    others = [
        Definition("q", ("a", "b"), ("chr1:1-5",), ("GT",)),
        Definition("r", ("a",), ("chr1:1-5",), ("GT",)),
        Definition("r", ("a", "b"), (), ("GT",)),
        Definition("r", ("a", "b"), ("chr1:1-5",), ("GT", "DP")),
    ]
    assert len({base.key, *(other.key for other in others)}) == 5
