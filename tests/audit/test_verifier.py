"""The verifier against a hundred and more alterations of a bundle: each is found, and its place named."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ngc_workbench.audit import AuditLog, Report, export_bundle, verifier, verify_bundle, verify_live
from ngc_workbench.audit.heads import CONTEXT
from ngc_workbench.audit.merkle import leaf_hash
from ngc_workbench.database import Database
from ngc_workbench.errors import Conflict, IntegrityError
from ngc_workbench.model import Base

SIZES = (1, 9, 17, 18, 30, 41, 47)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of 47 events under 7 heads."""
    folder = tmp_path_factory.mktemp("log")
    database = Database(f"sqlite:///{folder / 'log.sqlite'}")
    Base.metadata.create_all(database.engine)
    log = AuditLog(folder / "audit")
    number = 0
    for size in SIZES:
        while number < size:
            number += 1
            with database.writing() as db:
                log.append(
                    db, "session.cell", actor=f"person{number % 3}", decision="allow", reason="session.may_run",
                    project="heart", session=f"s{number % 2}", details={"cell": number, "text": "søjle \n ü", "new": True},
                )  # fmt: skip
        log.sign_head(database)
    assert export_bundle(database, log, folder / "bundle") == SIZES[-1]
    database.close()
    report = verify_bundle(folder / "bundle")
    assert (report.events, report.heads) == (SIZES[-1], len(SIZES))
    return folder / "bundle"


@pytest.fixture
def bundle(whole: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return shutil.copytree(whole, tmp_path / "bundle")


def read(bundle: Path, name: str = "events.jsonl") -> list[bytes]:
    return (bundle / name).read_bytes().splitlines()


def write(bundle: Path, lines: list[bytes], name: str = "events.jsonl") -> None:
    (bundle / name).write_bytes(b"".join(line + b"\n" for line in lines))


def redo(line: bytes, **changes: object) -> bytes:
    """The line with changed fields, and the hash that goes with them: by somebody who knows the form."""
    body = rfc8785.dumps({**json.loads(line)["body"], **changes})
    return b'{"body":' + body + b',"leaf":"' + leaf_hash(body).hex().encode() + b'"}'


def leaf(line: bytes) -> str:
    return str(json.loads(line)["leaf"])


def rechain(lines: list[bytes], start: int) -> list[bytes]:
    """All numbers and hashes from index `start` on put right."""
    done = lines[:start]
    for line in lines[start:]:
        prev = leaf(done[-1]) if done else "0" * 64
        done.append(redo(line, seq=len(done) + 1, prev=prev))
    return done


def signed(head: dict[str, object], key: Ed25519PrivateKey) -> bytes:
    signature = key.sign(CONTEXT + rfc8785.dumps(head)).hex()
    return rfc8785.dumps({"head": head, "signature": signature})


# Each gives the first event (1 for the first) that is not as it was, 0 when it is no event; and how far off the verifier may be.
Alteration = Callable[[Path, random.Random], tuple[int, int]]


def edit_byte_of_an_event(bundle: Path, rng: random.Random) -> tuple[int, int]:
    data = bytearray((bundle / "events.jsonl").read_bytes())
    at = rng.randrange(len(data))
    data[at] ^= 1 << rng.randrange(8)
    (bundle / "events.jsonl").write_bytes(data)
    return (bundle / "events.jsonl").read_bytes()[:at].count(b"\n") + 1, 0


def edit_and_put_the_hash_right(bundle: Path, rng: random.Random) -> tuple[int, int]:
    lines = read(bundle)
    k = rng.randrange(len(lines))
    field, value = rng.choice([("actor", "person:0"), ("reason", "other"), ("prev", "ab" * 32), ("details", {})])
    lines[k] = redo(lines[k], **{field: value})
    write(bundle, lines)
    # With its own hash right, an edit of `prev` can't be told from one of the event before.
    return (k + 1, 1) if field == "prev" else (k + 1, 0)


def edit_the_number(bundle: Path, rng: random.Random) -> tuple[int, int]:
    lines = read(bundle)
    k = rng.randrange(len(lines))
    lines[k] = redo(lines[k], seq=rng.choice([0, 99, k + 3]))
    write(bundle, lines)
    return k + 1, 0


def drop(bundle: Path, rng: random.Random) -> tuple[int, int]:
    lines = read(bundle)
    k, many = rng.randrange(len(lines)), rng.randint(1, 4)
    write(bundle, lines[:k] + lines[k + many :])
    return k + 1, 0


def drop_and_renumber(bundle: Path, rng: random.Random) -> tuple[int, int]:
    lines = read(bundle)
    k = rng.randrange(len(lines) - 1)
    del lines[k]
    write(bundle, rechain(lines, k))
    return k + 1, 99


def swap(bundle: Path, rng: random.Random) -> tuple[int, int]:
    lines = read(bundle)
    i, j = sorted(rng.sample(range(len(lines)), 2))
    lines[i], lines[j] = lines[j], lines[i]
    write(bundle, lines)
    return i + 1, 0


def move(bundle: Path, rng: random.Random) -> tuple[int, int]:
    lines = read(bundle)
    i, j = rng.sample(range(len(lines)), 2)
    lines.insert(j, lines.pop(i))
    write(bundle, lines)
    return min(i, j) + 1, 0


def insert_a_copy(bundle: Path, rng: random.Random) -> tuple[int, int]:
    lines = read(bundle)
    at, of = rng.randint(0, len(lines)), rng.randrange(len(lines))
    lines.insert(at, lines[of])
    write(bundle, lines)
    return (at + 1, 1) if of in (at, at - 1) else (at + 1, 0)


def insert_a_forgery(bundle: Path, rng: random.Random) -> tuple[int, int]:
    lines = read(bundle)
    at = rng.randint(0, len(lines))
    prev = leaf(lines[at - 1]) if at else "0" * 64
    time = json.loads(lines[max(at - 1, 0)])["body"]["time"]
    lines.insert(at, redo(lines[0], seq=at + 1, prev=prev, reason="forged", time=time))
    write(bundle, lines)
    return at + 1, 0


def rewrite_the_rest(bundle: Path, rng: random.Random) -> tuple[int, int]:
    lines = read(bundle)
    k = rng.randrange(len(lines))
    lines[k] = redo(lines[k], reason="rewritten")
    write(bundle, rechain(lines, k))
    return k + 1, 99


def truncate(bundle: Path, rng: random.Random) -> tuple[int, int]:
    data = (bundle / "events.jsonl").read_bytes()
    data = data[: rng.randrange(len(data))]
    (bundle / "events.jsonl").write_bytes(data)
    return data.count(b"\n") + 1, 0


def edit_byte_of_a_head(bundle: Path, rng: random.Random) -> tuple[int, int]:
    data = bytearray((bundle / "heads.jsonl").read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    (bundle / "heads.jsonl").write_bytes(data)
    return 0, 0


def edit_byte_of_the_key(bundle: Path, rng: random.Random) -> tuple[int, int]:
    data = bytearray((bundle / "public.key").read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    (bundle / "public.key").write_bytes(data)
    return 0, 0


def drop_or_swap_heads(bundle: Path, rng: random.Random) -> tuple[int, int]:
    lines = read(bundle, "heads.jsonl")
    k = rng.randrange(len(lines) - 1)
    if rng.random() < 0.5:
        lines[k], lines[k + 1] = lines[k + 1], lines[k]
    else:
        del lines[k]
    write(bundle, lines, "heads.jsonl")
    return 0, 0


def drop_the_last_heads(bundle: Path, rng: random.Random) -> tuple[int, int]:
    keep = rng.randint(1, len(SIZES) - 1)
    write(bundle, read(bundle, "heads.jsonl")[:keep], "heads.jsonl")
    return SIZES[keep - 1] + 1, 99


def forge_a_head(bundle: Path, rng: random.Random) -> tuple[int, int]:
    lines = read(bundle, "heads.jsonl")
    k = rng.randrange(len(lines))
    head = json.loads(lines[k])["head"]
    lines[k] = signed({**head, "root": "ab" * 32}, Ed25519PrivateKey.generate())
    write(bundle, lines, "heads.jsonl")
    return 0, 0


ALTERATIONS: list[Alteration] = [
    edit_byte_of_an_event, edit_and_put_the_hash_right, edit_the_number, drop, drop_and_renumber, swap, move,
    insert_a_copy, insert_a_forgery, rewrite_the_rest, truncate, edit_byte_of_a_head, edit_byte_of_the_key,
    drop_or_swap_heads, drop_the_last_heads, forge_a_head,
]  # fmt: skip


def named(report: Report) -> tuple[int, int]:
    return report.first_seq, report.last_seq


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("alter", ALTERATIONS, ids=lambda alter: alter.__name__)
def test_each_alteration_is_found_and_its_place_named(bundle: Path, alter: Alteration, seed: int) -> None:
    """Whatever is altered is found; the first event concerned is named, or the span between two heads that holds it."""
    place, slack = alter(bundle, random.Random(f"{alter.__name__}{seed}"))
    report = verify_bundle(bundle)
    assert not report.ok
    assert report.first_fault
    if place == 0:
        assert named(report) == (0, 0)
        return
    # The heads before the place still prove what they cover; whatever is said concerns what comes after.
    before = max((size for size in SIZES if size < place), default=0)
    assert report.proven <= before
    if slack == 99:
        # All that follows was rewritten to fit: only the next head shows it.
        assert report.proven == before
        assert before < report.first_seq <= report.last_seq
        assert report.last_seq in SIZES
        assert report.last_seq >= place
    else:
        assert report.first_seq <= place <= report.last_seq
        assert report.first_seq >= place - slack


def test_the_whole_bundle_holds(whole: Path) -> None:
    """Unaltered, everything holds; the file of the verifier alone says so too, without the workbench."""
    assert verify_bundle(whole).ok
    alone = subprocess.run(
        [sys.executable, "-I", verifier.__file__, str(whole), "--public-key", str(whole / "public.key")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (alone.returncode, alone.stderr) == (0, "")
    assert "Nothing was altered" in alone.stdout


def test_the_verifier_stands_alone() -> None:
    """It imports nothing of the workbench, and no database."""
    source = Path(verifier.__file__).read_text(encoding="utf-8")
    assert "ngc_workbench." not in source
    assert "sqlalchemy" not in source


def test_a_log_signed_anew_with_another_key_needs_the_published_key(bundle: Path, whole: Path) -> None:
    """A forger who rewrites all and brings a key of their own is found by the published key alone."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public = key.public_key().public_bytes_raw()
    lines = rechain([redo(line, reason="forged") for line in read(bundle)], 0)
    tree = verifier.Tree()
    for line in lines:
        tree.add(bytes.fromhex(leaf(line)))
    head = {
        "number": 1, "size": len(lines), "root": tree.root().hex(), "time": "2026-01-01T00:00:00.000000Z",
        "prev": "0" * 64, "key": hashlib.sha256(public).hexdigest(),
    }  # fmt: skip
    write(bundle, lines)
    write(bundle, [signed(head, key)], "heads.jsonl")
    (bundle / "public.key").write_bytes(public.hex().encode() + b"\n")
    assert verify_bundle(bundle).ok
    report = verify_bundle(bundle, public_key=whole / "public.key")
    assert report.first_fault.startswith("public.key is not the key that was published")


def test_an_older_bundle_needs_a_witness(bundle: Path, whole: Path) -> None:
    """A bundle cut back to an earlier head holds by itself; heads that came by another way show what is missing."""
    write(bundle, read(bundle)[: SIZES[3]])
    write(bundle, read(bundle, "heads.jsonl")[:4], "heads.jsonl")
    assert verify_bundle(bundle).ok
    report = verify_bundle(bundle, witness=whole / "heads.jsonl")
    assert report.first_fault == "The witness holds head 5 over 30 events; it is missing here."


def test_two_histories_signed_with_the_true_key_are_told_apart(bundle: Path, whole: Path, tmp_path: Path) -> None:
    """Where the key's holder signs another last head, a witness's head differs."""
    signing = (whole.parent / "audit" / "signing.key").read_bytes()
    key = Ed25519PrivateKey.from_private_bytes(signing)
    lines = read(bundle, "heads.jsonl")
    head = json.loads(lines[-1])["head"]
    witness = tmp_path / "witness.jsonl"
    witness.write_bytes(signed({**head, "root": "cd" * 32}, key) + b"\n")
    report = verify_bundle(bundle, witness=witness)
    assert report.first_fault == "Head 7 is another one than the witness holds: two histories were signed."


@pytest.mark.parametrize("name", ["events.jsonl", "heads.jsonl", "public.key"])
def test_a_missing_file_is_said(bundle: Path, name: str) -> None:
    """A bundle without one of its files does not hold; the report names the file."""
    (bundle / name).unlink()
    report = verify_bundle(bundle)
    assert not report.ok
    assert name in report.first_fault


@pytest.mark.parametrize("body", [b"[" * 100_000, b"1" * 5000, b'{"v":1}', b'{"v":1,"v":1}', b"\xff", b"null"])
def test_a_body_of_another_form_is_said(bundle: Path, body: bytes) -> None:
    """Deep nesting, huge numbers, doubled keys: with the right hash beside it, still no event."""
    lines = read(bundle)
    lines[2] = b'{"body":' + body + b',"leaf":"' + leaf_hash(body).hex().encode() + b'"}'
    write(bundle, lines)
    report = verify_bundle(bundle)
    assert report.first_seq == report.last_seq == 3


@pytest.mark.parametrize("old", [b'"v":1}', b'"project":"heart"', b'"new":true,'])
def test_a_body_that_two_readers_read_differently_is_said(bundle: Path, old: bytes) -> None:
    """A doubled key or a space is not canonical: with the right hash beside it, still no event."""
    lines = read(bundle)
    body = lines[2][8:-75].replace(
        old, old.replace(b":", b": ", 1) if old.endswith(b",") else old.rstrip(b"}") + b"," + old
    )
    lines[2] = b'{"body":' + body + b',"leaf":"' + leaf_hash(body).hex().encode() + b'"}'
    write(bundle, lines)
    report = verify_bundle(bundle)
    assert named(report) == (3, 3)
    assert "canonical" in report.first_fault


@pytest.mark.parametrize("name", ["events.jsonl", "heads.jsonl"])
def test_a_file_without_its_last_line_end_is_said(bundle: Path, name: str) -> None:
    """Even one missing line feed at the end is an alteration."""
    (bundle / name).write_bytes((bundle / name).read_bytes()[:-1])
    assert not verify_bundle(bundle).ok


def test_a_head_replaced_by_the_keys_holder_breaks_the_chain_of_heads(bundle: Path, whole: Path) -> None:
    """Another head in the place of an old one, with the true key and the true root: the next head does not follow from it."""
    key = Ed25519PrivateKey.from_private_bytes((whole.parent / "audit" / "signing.key").read_bytes())
    lines = read(bundle, "heads.jsonl")
    head = json.loads(lines[2])["head"]
    lines[2] = signed({**head, "time": json.loads(lines[1])["head"]["time"]}, key)
    write(bundle, lines, "heads.jsonl")
    assert verify_bundle(bundle).first_fault == "Head 4 does not follow from the head before it."


def test_an_empty_log_holds_under_a_head(database: Database, log: AuditLog, tmp_path: Path) -> None:
    """No event is also something that a head can be signed over; without a head nothing holds."""
    assert export_bundle(database, log, tmp_path / "empty") == 0
    write(tmp_path / "empty", [], "heads.jsonl")
    assert verify_bundle(tmp_path / "empty").first_fault == "There is no signed head."


def test_looking_is_an_event_too(database: Database, log: AuditLog, tmp_path: Path) -> None:
    """An export is the last event of its own bundle; a check of the live log is recorded with its result, also a bad one."""
    assert export_bundle(database, log, tmp_path / "out", actor="signe") == 1
    assert json.loads(read(tmp_path / "out")[0])["body"]["kind"] == "audit.exported"
    assert verify_live(database, log, actor="signe").ok
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE audit_events SET body = '{}' WHERE seq = 1")
    assert not verify_live(database, log, actor="signe").ok
    with database.engine.begin() as connection:
        results = connection.exec_driver_sql("SELECT body FROM audit_events WHERE seq > 1 ORDER BY seq").scalars().all()
        connection.exec_driver_sql("DELETE FROM audit_tree")
    assert [json.loads(body)["details"]["ok"] for body in results] == [True, False]
    assert not verify_live(database, log, actor="signe").ok


def test_a_bundle_never_replaces_another(database: Database, log: AuditLog, tmp_path: Path) -> None:
    """An existing directory is left alone."""
    export_bundle(database, log, tmp_path / "out")
    with pytest.raises(Conflict):
        export_bundle(database, log, tmp_path / "out")


def test_no_bundle_of_a_log_that_lost_events(database: Database, log: AuditLog, tmp_path: Path) -> None:
    """When a head covers more than the database holds, nothing is exported, and nothing is left behind."""
    with database.writing() as db:
        log.append(db, "session.cell", actor="bo")
    log.sign_head(database)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM audit_events")
        connection.exec_driver_sql("DELETE FROM audit_tree")
    with pytest.raises(IntegrityError):
        export_bundle(database, log, tmp_path / "out")
    assert not list(tmp_path.glob("*out*"))
    assert verify_live(database, log).first_fault.startswith("Event 1 was dropped")


def test_a_bundle_holds_no_names(whole: Path) -> None:
    """The names of people are not in a bundle."""
    for file in whole.iterdir():
        assert "person1" not in file.read_text(encoding="utf-8")
