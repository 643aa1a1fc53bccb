"""Rows find their people: by sample name, CPR number, or internal id."""

from __future__ import annotations

import pytest

from ngc_workbench.errors import InputError
from ngc_workbench.genomes import individuals
from ngc_workbench.genomes.phenotypes import read_table
from ngc_workbench.model import Dataset
from ngc_workbench.pseudonyms import Keyring
from tests.genomes.cohorts import NAMES


@pytest.fixture
def join(database, settings, write_pheno):
    """Four people are known, with CPR numbers; gives what a table says of the first three of them."""
    keyring = Keyring.of(settings)
    with database.writing() as db:
        db.add(Dataset(name="cohort"))
        db.flush()
        first = individuals.assign(db, keyring, "cohort", NAMES, read_table(write_pheno(), NAMES))
        individuals.store(db, keyring, "cohort", first)

    def join(text: str):
        ids = {member.sample: member.internal_id for member in first}
        for name, internal_id in ids.items():
            text = text.replace(f"<{name}>", internal_id)
        with database.writing() as db:
            found = individuals.assign(db, keyring, "cohort", NAMES[:3], read_table(write_pheno(text), NAMES))
        assert [member.internal_id for member in found] == [ids[name] for name in NAMES[:3]]
        return [member.values for member in found]

    return join


def test_internal_ids_join(join):
    """Of people who are in these genomes; one known from an earlier release alone is passed over."""
    assert join("internal_id\tage\n<CARLA3>\t3\n<ANNA1>\t1\n<DORA4>\t4\n") == [(1,), None, (3,)]


def test_each_row_may_name_its_person_its_own_way(join):
    """Sample name, CPR number, internal id."""
    text = "sample\tcpr\tinternal_id\tage\nANNA1\t\t\t1\n\t620271-1236\t\t2\n\t\t<CARLA3>\t3\n"
    assert join(text) == [(1,), (2,), (3,)]


REFUSED = {
    "unknown": ("internal_id\tage\n<ANNA1>\t1\nngci000000000000000000000000\t2\n", "Row 3 .* dataset doesn't know"),
    "contradiction": ("sample\tinternal_id\tage\nANNA1\t<BERTA2>\t1\n", "Row 2 .* internal id of another"),
    "twice": ("sample\tinternal_id\tage\nANNA1\t\t1\n\t<ANNA1>\t2\n", "Line 3 .* has a row already"),
    "other cpr": ("internal_id\tcpr\tage\n<ANNA1>\t620271-1236\t1\n", "had another CPR number"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_ids_that_do_not_agree_are_refused(join, fault):
    """Without repeating them."""
    text, what = REFUSED[fault]
    with pytest.raises(InputError, match=what) as caught:
        join(text)
    assert "ngci" not in str(caught.value)
