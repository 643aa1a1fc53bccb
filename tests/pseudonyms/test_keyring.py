"""The custodian's keys at work."""

from __future__ import annotations

import copy
import logging
import pickle

import pytest

from ngc_workbench.errors import ConfigurationError, Conflict, InputError, IntegrityError
from ngc_workbench.model import OptOut
from ngc_workbench.pseudonyms import Keyring, MasterKeys, current_version
from ngc_workbench.pseudonyms.keys import new_key
from ngc_workbench.pseudonyms.lock import KeyLock
from ngc_workbench.pseudonyms.providers import FileProvider

FIXED = MasterKeys({1: bytes(range(32)), 2: bytes(range(32, 64))}, {1: None, 2: None})


def other_keyring():
    return Keyring(MasterKeys.first(new_key()))


@pytest.fixture
def keyring():
    return Keyring(FIXED)


def test_the_master_key_is_made_once(settings, database):
    """A second keyring of the same installation gives the same pseudonyms; nothing but key and locks is written."""
    first = Keyring.of(settings).pseudonymiser("one").of("a")
    assert Keyring.of(settings).pseudonymiser("one").of("a") == first
    found = sorted(path.name for path in settings.custody_dir.iterdir())
    assert found == [".keys.lock", ".master.key.lock", "master.key"]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in settings.custody_dir.iterdir())


@pytest.mark.parametrize("make", [Keyring.of, current_version])
def test_a_lost_master_key_is_not_made_anew_where_releases_exist(settings, database, make):
    """A new key would give everybody other pseudonyms."""
    (settings.custody_dir / "releases" / "cohort").mkdir(parents=True)
    with pytest.raises(ConfigurationError, match="Restore"):
        make(settings)
    assert not (settings.custody_dir / "master.key").exists()


@pytest.mark.parametrize("make", [Keyring.of, current_version])
def test_a_lost_master_key_is_not_made_anew_where_opt_outs_exist(settings, database, make):
    """Their tags would match nobody, and the people would come back."""
    with database.writing() as db:
        db.add(OptOut(tag="0" * 64, sealed=None))
    with pytest.raises(ConfigurationError, match="Restore"):
        make(settings)
    assert not (settings.custody_dir / "master.key").exists()


def test_another_installation_s_master_key_is_noticed(settings, database, stored):
    """Rows are tried with the key before anything is looked up."""
    stored()
    path = settings.custody_dir / "master.key"
    path.unlink()
    FileProvider(settings.custody_dir).add(new_key(), None)
    with pytest.raises(IntegrityError, match="backup"):
        Keyring.of(settings)


def test_a_version_that_rows_need_and_the_keys_lack_is_noticed(settings, database):
    """An old backup of the keys beside a newer database."""
    with database.writing() as db:
        db.add(OptOut(tag="0" * 64, sealed=Keyring(FIXED, 2).seal({"cpr": "6102701234"})))
    FileProvider(settings.custody_dir).add(FIXED.versions[1], None)
    with pytest.raises(IntegrityError, match="backup"):
        Keyring.of(settings)


def test_rows_under_two_versions_stop_look_ups(settings, database):
    """An opt-out could be missed: nothing goes on."""
    provider = FileProvider(settings.custody_dir)
    provider.add(FIXED.versions[2], provider.add(FIXED.versions[1], None))
    with database.writing() as db:
        for version in (1, 2):
            sealed = Keyring(FIXED, version).seal({"cpr": "6102701234"})
            db.add(OptOut(tag=str(version), sealed=sealed))
    with pytest.raises(IntegrityError, match="several versions"):
        Keyring.of(settings)


def test_opt_outs_from_before_they_were_sealed_are_found_under_version_1(settings, database):
    """Also when a newer version stands there, of a rotation that did not come to the rows."""
    provider = FileProvider(settings.custody_dir)
    provider.add(FIXED.versions[2], provider.add(FIXED.versions[1], None))
    with database.writing() as db:
        db.add(OptOut(tag=Keyring(FIXED, 1).cpr_tag("6102701234"), sealed=None))
    keyring = Keyring.of(settings)
    assert (keyring.current, keyring.under) == (2, 1)
    assert keyring.cpr_tag("6102701234") == Keyring(FIXED, 1).cpr_tag("6102701234")


def test_while_a_keyring_lives_no_rotation_begins(settings, database):
    """And while one goes on, no keyring is given out; a dropped keyring frees the lock."""
    keyring = Keyring.of(settings)
    with pytest.raises(Conflict, match="is running"):
        KeyLock(settings.custody_dir, exclusive=True, patience_s=0.1)
    del keyring
    rotation = KeyLock(settings.custody_dir, exclusive=True, patience_s=0.1)
    with pytest.raises(Conflict, match="being rotated"):
        KeyLock(settings.custody_dir, exclusive=False, patience_s=0.1)
    rotation.release()
    assert Keyring.of(settings).current == 1


def test_pseudonyms_are_those_of_every_version_of_this_program(keyring):
    """Known answers: another pseudonym, or another tag, for the same key would part every project from its results."""
    assert keyring.pseudonymiser("heart", 1).of("ngci000000000000000000000001") == "1RGA3-EZCJX-YKWWJ"
    assert keyring.pseudonymiser("heart", 2).of("ngci000000000000000000000001") == "TAMPM-NY6D4-TPX57"
    first = Keyring(FIXED, 1)
    assert first.cpr_tag("610270-1234") == "4b8a40165be940ffbe66d54542d377bd9d3263e5175245a84ae0ed74be56f458"
    assert first.sample_tag("cohort", "HG1") == "0680933655ec886c6345a15ca294991e64a2704962c0e408a826edbc3a7303d0"
    assert first.date_key("heart", 1).hex() == "2039456ba50799411713f1595a5997256774ce878103747acefa50fe4db3f9c2"
    sealed = bytes.fromhex(
        "01351f56e5f6c08ad5871af1ce75a226875a4c3be35fd0ec461268877805eeadea1b42bb4a202cce85f80ef536d2ea2fd70f5f9e414347f835ab068b101eeb9bff603c"
    )
    assert first.unseal(sealed) == {"cpr": "6102701234", "sample": "HG1"}


def test_a_project_s_version_decides_and_not_the_one_that_rows_are_under():
    """Another version of the master key gives a project other pseudonyms; what rows are under does not."""
    one, two = Keyring(FIXED, 1), Keyring(FIXED, 2)
    for version in (1, 2):
        assert one.pseudonymiser("heart", version).of("a") == two.pseudonymiser("heart", version).of("a")
        assert one.date_key("heart", version) == two.date_key("heart", version)
    assert one.pseudonymiser("heart", 1).of("a") != one.pseudonymiser("heart", 2).of("a")
    assert one.date_key("heart", 1) != one.date_key("heart", 2)


def test_a_version_that_is_missing_is_an_error(keyring):
    """Never another one in its place."""
    for make in (keyring.pseudonymiser, keyring.date_key):
        with pytest.raises(ConfigurationError, match="Version 3"):
            make("heart", 3)


def test_keys_for_different_uses_and_projects_are_different(keyring):
    """Dates of two projects, and dates and pseudonyms of one, share no key."""
    keys = {
        keyring.date_key("one", 1), keyring.date_key("two", 1), keyring.date_key("one", 2),
        keyring.pseudonymiser("one", 1)._key, keyring.pseudonymiser("two", 1)._key, *FIXED.versions.values(),
    }  # fmt: skip
    assert len(keys) == 7


@pytest.mark.parametrize("name", ["One", ""])
def test_only_a_project_s_name_makes_a_project_s_key(keyring, name):
    """Nothing that could be another project's key under another spelling."""
    for make in (keyring.pseudonymiser, keyring.date_key):
        with pytest.raises(InputError):
            make(name)


def test_an_empty_id_has_no_pseudonym(keyring):
    """It would be one pseudonym for everybody without an id."""
    with pytest.raises(InputError):
        keyring.pseudonymiser("one").of("")


def test_a_cpr_tag_is_the_same_for_each_way_to_write_the_number(keyring):
    """With and without hyphen; another one under another master key or version."""
    tag = keyring.cpr_tag("610270-1234")
    assert tag == keyring.cpr_tag("6102701234")
    assert tag != keyring.cpr_tag("610270-1235")
    assert tag != other_keyring().cpr_tag("610270-1234")
    assert tag != Keyring(FIXED, 1).cpr_tag("610270-1234")


def test_a_sample_tag_belongs_to_its_dataset(keyring):
    """The same name in two datasets has two tags, and dataset and name can't run into each other."""
    assert keyring.sample_tag("a", "bc") != keyring.sample_tag("b", "bc")
    assert keyring.sample_tag("a", "bc") != keyring.sample_tag("ab", "c")
    assert keyring.sample_tag("a", "bc") != Keyring(FIXED, 1).sample_tag("a", "bc")


@pytest.mark.parametrize("under", [1, 2])
def test_what_was_sealed_opens_and_nothing_else_does(under):
    """Under either version; a changed byte anywhere, a cut, or another master key: IntegrityError."""
    content = {"sample": "HG1", "cpr": "6102701234"}
    keyring = Keyring(FIXED, under)
    sealed = keyring.seal(content)
    assert sealed[0] == under
    assert Keyring(FIXED, 3 - under).unseal(sealed) == content
    assert keyring.seal(content) != sealed
    assert b"HG1" not in sealed
    for at in range(len(sealed)):
        for change in (1, 3):  # 1 ^ 3 and 2 ^ 3 are each other: a version that there is
            with pytest.raises(IntegrityError):
                keyring.unseal(sealed[:at] + bytes([sealed[at] ^ change]) + sealed[at + 1 :])
    for broken in (b"", sealed[:1], sealed[:10], sealed[:-1]):
        with pytest.raises(IntegrityError):
            keyring.unseal(broken)
    with pytest.raises(IntegrityError):
        other_keyring().unseal(sealed)


def test_nothing_prints_or_copies_a_key(keyring, caplog):
    """`repr`, `str`, a log line, pickles and copies of everything that holds one."""
    caplog.set_level(logging.DEBUG)
    holders = (FIXED, keyring, keyring.pseudonymiser("one"))
    for holder in holders:
        logging.getLogger("test").warning("%r %s %s", holder, holder, [holder])
        for copying in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="pickled"):
                copying(holder)
    for key in (*FIXED.versions.values(), keyring.pseudonymiser("one")._key):
        assert key.hex() not in caplog.text
        assert repr(key) not in caplog.text
    assert "versions 1 to 2" in caplog.text
