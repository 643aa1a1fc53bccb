"""Finding the patient behind a pseudonym."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from ngc_workbench.audit import tables
from ngc_workbench.errors import InputError, IntegrityError, NotFound, Refused
from ngc_workbench.model import Dataset, Individual, Project
from ngc_workbench.pseudonyms import Keyring, Pseudonymiser, reverse
from ngc_workbench.pseudonyms.keys import new_key
from ngc_workbench.pseudonyms.providers import FileProvider


@pytest.fixture
def keyring(settings, database, add_person):
    keyring = Keyring.of(settings)
    add_person("karen", "custodian")
    add_person("alma", "researcher")
    with database.writing() as db:
        db.add(Dataset(name="cohort"))
        db.add(Project(name="one", title="t", purpose="p", ethics_approval="e", state="active"))
        db.add(Project(name="two", title="t", purpose="p", ethics_approval="e", state="active"))
        db.flush()
        for number in range(3):
            sample, cpr = f"HG{number}", f"61027012{number:02d}"
            db.add(
                Individual(
                    internal_id=f"i{number}", dataset_name="cohort", sample_tag=keyring.sample_tag("cohort", sample),
                    cpr_tag=keyring.cpr_tag(cpr), sealed=keyring.seal({"sample": sample, "cpr": cpr}),
                )
            )  # fmt: skip
    return keyring


def bodies(database):
    with database.reading() as db:
        return [leaf.body for leaf in db.scalars(select(tables.AuditEvent).order_by(tables.AuditEvent.seq))]


def test_the_custodian_finds_the_patient_and_it_is_recorded(settings, database, log, keyring):
    """As the pseudonym was typed; the event names neither sample nor CPR number."""
    pseudonym = keyring.pseudonymiser("one").of("i1")
    found = reverse(settings, database, log, project="one", pseudonym=pseudonym.lower(), reason="case 7", actor="karen")
    assert (found.dataset, found.sample, found.cpr) == ("cohort", "HG1", "6102701201")
    (body,) = [str(body) for body in bodies(database)]
    assert "pseudonym.reversed" in body
    assert "case 7" in body
    assert "HG1" not in body
    assert "6102701201" not in body


def test_a_researcher_is_refused_and_it_is_recorded(settings, database, log, keyring):
    """Role missing."""
    with pytest.raises(Refused):
        reverse(
            settings,
            database,
            log,
            project="one",
            pseudonym=keyring.pseudonymiser("one").of("i1"),
            reason="r",
            actor="alma",
        )
    (body,) = [str(body) for body in bodies(database)]
    assert '"deny"' in body


def test_a_pseudonym_of_another_project_finds_nobody_and_that_is_recorded_too(settings, database, log, keyring):
    """What is one person's in project two is nobody's in project one."""
    pseudonym = keyring.pseudonymiser("two").of("i1")
    with pytest.raises(NotFound):
        reverse(settings, database, log, project="one", pseudonym=pseudonym, reason="r", actor="karen")
    assert len(bodies(database)) == 1


def test_no_reversal_without_reason_or_with_a_typing_error(settings, database, log, keyring):
    """Blank is no reason."""
    pseudonym = keyring.pseudonymiser("one").of("i1")
    with pytest.raises(InputError, match="reason"):
        reverse(settings, database, log, project="one", pseudonym=pseudonym, reason=" ", actor="karen")
    wrong = pseudonym[:-1] + ("0" if pseudonym[-1] != "0" else "2")
    with pytest.raises(InputError, match="typing error"):
        reverse(settings, database, log, project="one", pseudonym=wrong, reason="r", actor="karen")


def test_a_pseudonym_of_two_people_is_nobody_s_answer(settings, database, log, keyring, monkeypatch):
    """Never the wrong patient: should two people share one, the look-up fails."""
    of = Pseudonymiser.of
    monkeypatch.setattr(Pseudonymiser, "of", lambda self, one: of(self, "i1" if one == "i2" else one))
    with pytest.raises(IntegrityError, match="Two people"):
        reverse(
            settings, database, log,
            project="one", pseudonym=keyring.pseudonymiser("one").of("i1"), reason="r", actor="karen",
        )  # fmt: skip


def test_a_reversal_takes_the_project_s_own_version_of_the_key(settings, database, log, keyring):
    """A pseudonym of the same person under another version is nobody's."""
    provider = FileProvider(settings.custody_dir)
    provider.add(new_key(), provider.read())
    with database.writing() as db:
        db.get_one(Project, "two").key_version = 2
    newer = Keyring.of(settings)
    found = reverse(
        settings, database, log,
        project="two", pseudonym=newer.pseudonymiser("two", 2).of("i2"), reason="r", actor="karen",
    )  # fmt: skip
    assert found.sample == "HG2"
    with pytest.raises(NotFound):
        reverse(
            settings, database, log,
            project="two", pseudonym=newer.pseudonymiser("two", 1).of("i2"), reason="r", actor="karen",
        )  # fmt: skip
