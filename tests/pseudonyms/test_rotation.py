"""Rotating the master key."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys

import pytest
from sqlalchemy import delete, select
from typer.testing import CliRunner

from ngc_workbench.audit import tables
from ngc_workbench.cli.main import app
from ngc_workbench.database import Database
from ngc_workbench.errors import Conflict, InputError, IntegrityError, NotFound, Refused
from ngc_workbench.model import Base, Individual, OptOut, Project
from ngc_workbench.pseudonyms import Keyring, key_versions, reverse, rotate
from ngc_workbench.pseudonyms.providers import FileProvider
from tests.pseudonyms.conftest import KNOWN, STRANGER

STANDING = {"i0", "i1", "i4"}
"""Who opted out, among those who are held."""


def lookups(settings, database):
    """What everything above asks the store: whom tags find, what seals say, whom the opt-outs are about, pseudonyms.

    Tags, versions and seals themselves are left out: equal answers before and after mean that nobody was lost.
    """
    keyring = Keyring.of(settings)
    with database.reading() as db:
        individuals = list(db.scalars(select(Individual).order_by(Individual.internal_id)))
        entries = {entry.tag: entry for entry in db.scalars(select(OptOut))}
        by_cpr = {one.cpr_tag: one.internal_id for one in individuals if one.cpr_tag}
        by_sample = {one.sample_tag: one.internal_id for one in individuals}
    stranger = entries[keyring.cpr_tag(STRANGER)]
    versions = {one.sealed[0] for one in individuals} | {entry.sealed[0] for entry in entries.values() if entry.sealed}
    assert versions == {keyring.under}
    return {
        "by number": [by_cpr[keyring.cpr_tag(KNOWN.format(number))] for number in range(4)],
        "by sample": [by_sample[keyring.sample_tag("cohort", f"HG{number}")] for number in range(5)],
        "sealed": [keyring.unseal(one.sealed) for one in individuals],
        "opted out": {
            one.internal_id for one in individuals if one.cpr_tag in entries or one.sample_tag in entries
        },
        "stranger": (stranger.source, stranger.by, stranger.recorded, stranger.ended, keyring.unseal(stranger.sealed)),
        "entries": len(entries),
        "pseudonyms": [keyring.pseudonymiser("one", 1).of(one.internal_id) for one in individuals],
    }  # fmt: skip


def events(database, kind="key.rotated"):
    with database.reading() as db:
        bodies = [str(leaf.body) for leaf in db.scalars(select(tables.AuditEvent).order_by(tables.AuditEvent.seq))]
    return [body for body in bodies if kind in body]


def test_a_rotation_loses_nobody(settings, database, log, stored):
    """Look-ups, opt-outs, seals and pseudonyms answer as before; every row is under the new version; it is recorded."""
    stored()
    before = lookups(settings, database)
    assert before["opted out"] == STANDING
    with database.reading() as db:
        old = {*db.scalars(select(Individual.sample_tag)), *db.scalars(select(OptOut.tag))}
    done = rotate(settings, database, log, actor="karen", reason="yearly")
    assert (done.version, done.individuals, done.opt_outs, done.finished) == (2, 5, 4, False)
    assert lookups(settings, database) == before
    with database.reading() as db:
        assert not old.intersection([*db.scalars(select(Individual.sample_tag)), *db.scalars(select(OptOut.tag))])
        assert all(sealed[0] == 2 for sealed in db.scalars(select(OptOut.sealed)))
    assert Keyring.of(settings).under == Keyring.of(settings).current == 2
    (event,) = events(database)
    assert '"allow"' in event
    assert "yearly" in event
    rotate(settings, database, log, actor="karen", reason="again")
    assert lookups(settings, database) == before
    assert Keyring.of(settings).under == 3


def test_a_patient_is_found_after_a_rotation(settings, database, log, stored):
    """By the pseudonym of a project that began before it, and of one that began after it."""
    stored()
    old = Keyring.of(settings).pseudonymiser("one", 1).of("i1")
    rotate(settings, database, log, actor="karen", reason="yearly")
    with database.writing() as db:
        db.add(Project(name="new", title="t", purpose="p", ethics_approval="e", state="active", key_version=2))
    new = Keyring.of(settings).pseudonymiser("new", 2).of("i1")
    for project, pseudonym in (("one", old), ("new", new)):
        found = reverse(settings, database, log, project=project, pseudonym=pseudonym, reason="r", actor="karen")
        assert (found.sample, found.cpr) == ("HG1", KNOWN.format(1))
    wrong = Keyring.of(settings).pseudonymiser("new", 1).of("i1")
    with pytest.raises(NotFound):
        reverse(settings, database, log, project="new", pseudonym=wrong, reason="r", actor="karen")


def test_what_hangs_on_a_key_is_rotated():
    """A new column with tags or sealed values must be brought along by a rotation: then add it there, and here."""
    found = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if "tag" in column.name.split("_") or "sealed" in column.name.split("_")
    }
    found -= {"audit_identities.tag"}  # under the audit log's own key
    assert found == {
        "individuals.cpr_tag", "individuals.sample_tag", "individuals.sealed", "opt_outs.tag", "opt_outs.sealed",
    }  # fmt: skip


def test_an_opt_out_that_would_be_lost_stops_the_rotation(settings, database, log, stored):
    """Recorded unsealed, and of nobody in the store: told how many and what to do; no key is added, no row changed."""
    stored()
    with database.writing() as db:
        db.add(OptOut(tag=Keyring.of(settings).cpr_tag("6304701234"), sealed=None))
    before = lookups(settings, database)
    with pytest.raises(Conflict, match=r"1 opt-outs.*optout import"):
        rotate(settings, database, log, actor="karen", reason="yearly")
    assert lookups(settings, database) == before
    assert FileProvider(settings.custody_dir).read().current == 1
    (event,) = events(database)
    assert '"deny"' in event
    with database.writing() as db:
        keyring = Keyring.of(settings)
        db.get_one(OptOut, keyring.cpr_tag("6304701234")).sealed = keyring.seal({"cpr": "6304701234"})
    del keyring
    assert rotate(settings, database, log, actor="karen", reason="yearly").opt_outs == 5


@pytest.mark.parametrize("column", ["sample_tag", "cpr_tag", "sealed", "entry"])
def test_a_row_that_is_not_what_was_written_stops_the_rotation(settings, database, log, stored, column):
    """Swapped seals or foreign tags are not carried over under a fresh seal; no key is added, no row changed."""
    stored()
    with database.writing() as db:
        one, two = db.get_one(Individual, "i0"), db.get_one(Individual, "i1")
        if column == "sealed":
            one.sealed, two.sealed = two.sealed, one.sealed
        elif column == "cpr_tag":
            one.cpr_tag, two.cpr_tag = two.cpr_tag, one.cpr_tag
        elif column == "sample_tag":
            one.sample_tag = "0" * 64
        else:
            db.add(OptOut(tag="0" * 64, sealed=one.sealed))
    with database.reading() as db:
        before = [(one.sample_tag, one.cpr_tag, one.sealed) for one in db.scalars(select(Individual))]
    with pytest.raises(IntegrityError, match="security officer"):
        rotate(settings, database, log, actor="karen", reason="yearly")
    with database.reading() as db:
        assert before == [(one.sample_tag, one.cpr_tag, one.sealed) for one in db.scalars(select(Individual))]
    assert FileProvider(settings.custody_dir).read().current == 1


def test_a_rotation_takes_the_role_a_reason_and_a_key(settings, database, log, add_person, stored):
    """A refusal is recorded and adds nothing."""
    add_person("kim", "custodian")
    with pytest.raises(NotFound, match="no master key"):
        rotate(settings, database, log, actor="kim", reason="yearly")
    stored()
    with pytest.raises(Refused):
        rotate(settings, database, log, actor="alma", reason="yearly")
    assert any('"deny"' in event for event in events(database))
    with pytest.raises(InputError, match="reason"):
        rotate(settings, database, log, actor="karen", reason=" ")
    assert FileProvider(settings.custody_dir).read().current == 1


def test_a_rotation_waits_for_commands_that_work_with_the_keys(settings, database, log, stored, monkeypatch):
    """A command that took its keyring before would write rows under the old version."""
    stored()
    monkeypatch.setattr("ngc_workbench.pseudonyms.lock._PATIENCE_S", 0.1)
    keyring = Keyring.of(settings)
    with pytest.raises(Conflict, match="is running"):
        rotate(settings, database, log, actor="karen", reason="yearly")
    assert keyring.current == FileProvider(settings.custody_dir).read().current == 1
    del keyring
    assert rotate(settings, database, log, actor="karen", reason="yearly").version == 2


def test_an_empty_store_rotates_too(settings, database, log, add_person):
    """New people come under the new version."""
    add_person("karen", "custodian")
    assert Keyring.of(settings).under == 1
    assert rotate(settings, database, log, actor="karen", reason="yearly").version == 2
    assert Keyring.of(settings).under == 2


_KILLED = """
import os, signal, sys
from contextlib import contextmanager
from pathlib import Path
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.pseudonyms import rotate, rotation
from ngc_workbench.settings import Settings
step, state = sys.argv[1:]
settings = Settings(demo=True, state_dir=state)
database, log = Database(settings.database), AuditLog(settings.control_dir / "audit")
def die():
    os.kill(os.getpid(), signal.SIGKILL)
if step == "key added":
    real = rotation._added
    rotation._added = lambda *args: (real(*args), die())
if step == "rows half written":
    rotation._Moving.write = lambda self, db: (db.execute(rotation.update(rotation.Individual), self.individuals), die())
if step == "before commit":
    real_append = log.append
    log.append = lambda *args, **words: (real_append(*args, **words), die())
if step == "after commit":
    writing = database.writing
    calls = []
    @contextmanager
    def dying():
        with writing() as db:
            yield db
        calls.append(1)
        if len(calls) == 2:
            die()
    database.writing = dying
rotate(settings, database, log, actor="karen", reason="yearly")
"""


@pytest.mark.parametrize(
    ("step", "versions", "under"),
    [("key added", 2, 1), ("rows half written", 2, 1), ("before commit", 2, 1), ("after commit", 2, 2)],
)
def test_a_kill_at_any_step_is_harmless(settings, database, log, stored, step, versions, under):
    """Look-ups answer as before it; the next run finishes with the version that was added, or adds the next."""
    stored()
    before = lookups(settings, database)
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, step, str(settings.state_dir)], check=False, env=os.environ, capture_output=True
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    keyring = Keyring.of(settings)
    assert (keyring.current, keyring.under) == (versions, under)
    del keyring
    assert lookups(settings, database) == before
    assert len(events(database)) == (under == 2)
    # Somebody is taken in before the next run: under the version that the others are under.
    with database.writing() as db:
        late = Keyring.of(settings)
        db.add(
            Individual(
                internal_id="i9", dataset_name="cohort", sample_tag=late.sample_tag("cohort", "HG9"), cpr_tag=None,
                sealed=late.seal({"id": "i9", "sample": "HG9", "cpr": None}),
            )
        )  # fmt: skip
    del late
    again = rotate(settings, database, log, actor="karen", reason="yearly")
    assert (again.version, again.finished) == ((2, True) if under == 1 else (3, False))
    with database.writing() as db:
        db.execute(delete(Individual).where(Individual.internal_id == "i9"))
    assert lookups(settings, database) == before


def test_rows_under_two_versions_are_brought_together(settings, database, log, stored):
    """What should not be: a rotation heals it."""
    stored()
    before = lookups(settings, database)
    provider = FileProvider(settings.custody_dir)
    keys = provider.add(bytes(range(32)), provider.read())
    with database.writing() as db:
        one, ring = db.get_one(Individual, "i0"), Keyring(keys, 2)
        content = ring.unseal(one.sealed)
        one.sealed, one.sample_tag, one.cpr_tag = (
            ring.seal(content), ring.sample_tag("cohort", "HG0"), ring.cpr_tag(KNOWN.format(0)),
        )  # fmt: skip
        old = db.get_one(OptOut, Keyring(keys, 1).cpr_tag(KNOWN.format(0)))
        old.sealed = Keyring(keys, 1).seal({"cpr": KNOWN.format(0)})
    with pytest.raises(IntegrityError, match="rotate"):
        Keyring.of(settings)
    assert rotate(settings, database, log, actor="karen", reason="two versions").version == 3
    assert lookups(settings, database) == before


def test_the_versions_are_shown_with_their_uses_and_never_a_key(settings, database, log, stored, add_person):
    """When each was made, how many projects use it, which the rows are under; to custodians alone."""
    add_person("kim", "custodian")
    assert key_versions(settings, database, log, actor="kim") == []
    stored()
    rotate(settings, database, log, actor="karen", reason="yearly")
    with database.writing() as db:
        db.add(Project(name="new", title="t", purpose="p", ethics_approval="e", state="active", key_version=2))
    found = key_versions(settings, database, log, actor="karen")
    assert [(one.version, one.projects, one.rows) for one in found] == [(1, 2, False), (2, 1, True)]
    assert all(one.made for one in found)
    with pytest.raises(Refused):
        key_versions(settings, database, log, actor="alma")


def test_no_key_stands_in_database_audit_log_or_output(settings, database, log, stored, tmp_path):
    """After work by command: the key's file alone, of all files, holds a key, as bytes, hexadecimal or base 64."""
    stored()
    config = tmp_path / "workbench.toml"
    config.write_text(f'demo = true\nstate_dir = "{settings.state_dir}"\n')
    pseudonym = Keyring.of(settings).pseudonymiser("one").of("i1")
    said = ""
    for words in (
        ["keys"], ["rotate", "--reason", "yearly"], ["keys"],
        ["reverse", "one", pseudonym.lower().replace("-", " "), "--reason", "case 7"],
    ):  # fmt: skip
        result = CliRunner().invoke(app, ["--config", str(config), "--as", "karen", "pseudonym", *words])
        assert result.exit_code == 0, result.output
        said += result.output
    assert "Version 2 of the master key: added. 5 people and 4 opt-outs" in said
    assert "Version 2: made 20" in said
    assert "0 projects; names and numbers are sealed under it" in said
    assert "sample HG1, CPR number 6102701201" in said
    database.close()
    content = {path: path.read_bytes() for path in settings.state_dir.rglob("*") if path.is_file()}
    content[tmp_path / "said"] = said.encode()
    keys = FileProvider(settings.custody_dir).read()
    for key in keys.versions.values():
        for form in (key, key.hex().encode(), base64.b64encode(key), base64.urlsafe_b64encode(key)):
            holders = {path.name for path, held in content.items() if form in held}
            assert holders == ({"master.key"} if form == key.hex().encode() else set())
    assert any(path.suffix == ".sqlite" for path in content)


def test_a_second_database_object_sees_it(settings, database, log, stored):
    """What a rotation wrote is committed, not only in its own session."""
    stored()
    rotate(settings, database, log, actor="karen", reason="yearly")
    fresh = Database(settings.database)
    try:
        assert lookups(settings, fresh)["opted out"] == STANDING
    finally:
        fresh.close()
