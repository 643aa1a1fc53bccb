"""The custodian's keys."""

from __future__ import annotations

import pytest

from ngc_workbench.errors import ConfigurationError, InputError, IntegrityError
from ngc_workbench.pseudonyms import Keyring


@pytest.fixture
def keyring(tmp_path):
    return Keyring(tmp_path)


def test_the_master_key_is_made_once_and_readable_by_its_owner_alone(tmp_path):
    """A second keyring on the same folder gives the same pseudonyms."""
    first = Keyring(tmp_path).pseudonymiser("one").of("a")
    assert (tmp_path / "master.key").stat().st_mode & 0o777 == 0o600
    assert Keyring(tmp_path).pseudonymiser("one").of("a") == first
    assert [path.name for path in tmp_path.iterdir()] == ["master.key"]


def test_a_master_key_that_others_may_read_stops_the_start(tmp_path):
    """Mode 0640 is too much."""
    Keyring(tmp_path)
    (tmp_path / "master.key").chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        Keyring(tmp_path)


def test_a_lost_master_key_is_not_made_anew_where_releases_exist(tmp_path):
    """A new key would give everybody other pseudonyms."""
    (tmp_path / "releases" / "cohort").mkdir(parents=True)
    with pytest.raises(ConfigurationError, match="Restore"):
        Keyring(tmp_path)
    assert not (tmp_path / "master.key").exists()


@pytest.mark.parametrize("content", ["", "00", "not hex", "00" * 33])
def test_a_damaged_master_key_stops_the_start(tmp_path, content):
    """Anything but 32 bytes in hexadecimal."""
    path = tmp_path / "master.key"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match="damaged"):
        Keyring(tmp_path)


def test_pseudonyms_of_two_projects_share_nothing(keyring):
    """Invariant 6: for 5,000 people no pseudonym of one project is one of the other, nor begins or ends like its own twin."""
    people = [f"person-{number}" for number in range(5000)]
    one, two = ([keyring.pseudonymiser(project).of(person) for person in people] for project in ("one", "two"))
    assert len({*one, *two}) == 10_000
    alike = sum(a[:3] == b[:3] or a[-3:-1] == b[-3:-1] for a, b in zip(one, two, strict=True))
    assert alike < 5000 * 3 / 1024 + 30


def test_pseudonyms_do_not_collide(keyring):
    """200,000 people of one project have 200,000 pseudonyms."""
    of = keyring.pseudonymiser("one").of
    assert len({of(str(number)) for number in range(200_000)}) == 200_000


def test_only_a_project_s_name_makes_a_pseudonymiser(keyring):
    """Nothing that could be another project's key under another spelling."""
    with pytest.raises(InputError):
        keyring.pseudonymiser("One")
    with pytest.raises(InputError):
        keyring.pseudonymiser("")


def test_a_cpr_tag_is_the_same_for_each_way_to_write_the_number(keyring, tmp_path):
    """With and without hyphen; another one under another master key."""
    tag = keyring.cpr_tag("610270-1234")
    assert tag == keyring.cpr_tag("6102701234")
    assert tag != keyring.cpr_tag("610270-1235")
    assert Keyring(tmp_path / "other").cpr_tag("610270-1234") != tag


def test_a_sample_tag_belongs_to_its_dataset(keyring):
    """The same name in two datasets has two tags, and dataset and name can't run into each other."""
    assert keyring.sample_tag("a", "bc") != keyring.sample_tag("b", "bc")
    assert keyring.sample_tag("a", "bc") != keyring.sample_tag("ab", "c")


def test_what_was_sealed_opens_and_nothing_else_does(keyring, tmp_path):
    """A changed byte anywhere, a cut, or another master key: IntegrityError."""
    content = {"sample": "HG1", "cpr": "6102701234"}
    sealed = keyring.seal(content)
    assert keyring.unseal(sealed) == content
    assert keyring.seal(content) != sealed
    assert b"HG1" not in sealed
    for at in range(len(sealed)):
        with pytest.raises(IntegrityError):
            keyring.unseal(sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :])
    for broken in (b"", sealed[:10], sealed[:-1]):
        with pytest.raises(IntegrityError):
            keyring.unseal(broken)
    with pytest.raises(IntegrityError):
        Keyring(tmp_path / "other").unseal(sealed)
