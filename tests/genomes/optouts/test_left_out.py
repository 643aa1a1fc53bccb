"""Who must not be in the views of a release."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy import update as sql_update

from ngc_workbench import genomes
from ngc_workbench.genomes import optouts, store
from ngc_workbench.model import OptOut
from ngc_workbench.pseudonyms import Keyring
from tests.genomes.optouts.conftest import ANNA, BERTA

pytestmark = pytest.mark.usefixtures("staff")


def out(database, release):
    with database.reading() as db:
        return optouts.left_out(db, release)


def test_an_entry_counts_by_number_in_every_dataset(settings, database, log, release):
    """And by sample in its own, where no number is known."""
    here, ids = release(people=(("ANNA1", ANNA), ("CARLA3", None)))
    there, others = release(dataset="other", people=(("X1", ANNA), ("CARLA3", None)))
    assert out(database, here) == frozenset()
    genomes.record_opt_out(settings, database, log, actor="karen", cpr=ANNA)
    genomes.record_opt_out(settings, database, log, actor="karen", dataset="cohort", sample="CARLA3")
    assert out(database, here) == {ids["ANNA1"], ids["CARLA3"]}
    assert out(database, there) == {others["X1"]}


def test_a_number_that_becomes_known_later_makes_an_entry_by_sample_count_elsewhere(settings, database, log, release):
    """The sample was opted out without a number; a later release brings the number, which another dataset knows."""
    first, ids = release(people=(("ANNA1", None),))
    there, others = release(dataset="other", people=(("X1", ANNA), ("Y2", BERTA)))
    genomes.record_opt_out(settings, database, log, actor="karen", dataset="cohort", sample="ANNA1")
    assert out(database, there) == frozenset()
    release(name="r2", people=(("ANNA1", ANNA),))
    assert out(database, first) == {ids["ANNA1"]}
    assert out(database, there) == {others["X1"]}


def test_somebody_who_opted_in_again_comes_back_with_the_next_release(settings, database, log, release):
    """Of two releases of one dataset the person is in the later one alone."""
    end = datetime(2026, 2, 1, tzinfo=UTC)
    old, ids = release(created=end - timedelta(seconds=1))
    new, _ = release(name="r2", created=end)
    genomes.record_opt_out(settings, database, log, actor="karen", cpr=ANNA)
    assert out(database, old) == out(database, new) == {ids["ANNA1"]}
    with database.writing() as db:
        db.execute(sql_update(OptOut).values(recorded=end - timedelta(days=30), ended=end))
    assert out(database, old) == {ids["ANNA1"]}
    assert out(database, new) == frozenset()
    genomes.record_opt_out(settings, database, log, actor="karen", cpr=ANNA)
    assert out(database, new) == {ids["ANNA1"]}


def test_what_a_tag_was_made_of_is_sealed_with_it(settings, database, log, release):
    """So that the keys can be changed: the number, or dataset and sample."""
    release(people=(("ANNA1", ANNA), ("CARLA3", None)))
    genomes.record_opt_out(settings, database, log, actor="karen", dataset="cohort", sample="ANNA1")
    genomes.record_opt_out(settings, database, log, actor="karen", dataset="cohort", sample="CARLA3")
    genomes.record_opt_out(settings, database, log, actor="karen", cpr="620271-1236")
    keyring = Keyring.of(settings)
    with database.reading() as db:
        rows = db.scalars(select(OptOut)).all()
        contents = {row.tag: keyring.unseal(row.sealed) for row in rows}
        assert {(row.source, row.by) for row in rows} == {("command", "self")}
    assert contents == {
        keyring.cpr_tag(ANNA): {"cpr": ANNA},
        keyring.sample_tag("cohort", "CARLA3"): {"dataset": "cohort", "sample": "CARLA3"},
        keyring.cpr_tag(BERTA): {"cpr": BERTA},
    }


def test_views_that_hold_somebody_are_found_by_the_list_of_their_cut(settings, database, log, release, view):
    """A view of a cut without the person does not hold them; one whose list is gone may hold anybody."""
    row, ids = release()
    cut = store.cut_folder(settings, "c" * 32)
    cut.mkdir(parents=True)
    store.write_columns(cut, [ids["BERTA2"]])
    whole = view(row, "one")
    view(row, "two", cut="c" * 32, people=1)
    recorded = genomes.record_opt_out(settings, database, log, actor="karen", cpr=ANNA)
    assert recorded.views == (("one", "cohort", "r1"),)
    with database.reading() as db:
        (found,) = optouts.holdings(settings, db)
        assert (found.view.id, found.held) == (whole.id, {ids["ANNA1"]})
    (cut / "columns.tsv").unlink()
    with database.reading() as db:
        assert [one.held for one in optouts.holdings(settings, db)] == [{ids["ANNA1"]}, None]
