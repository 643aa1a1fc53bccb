"""The tree against the RFC's own recursive definitions."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ngc_workbench.audit import merkle


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def split(size: int) -> int:
    k = 1
    while k * 2 < size:
        k *= 2
    return k


def mth(bodies: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1: Merkle Tree Hash."""
    if not bodies:
        return sha(b"")
    if len(bodies) == 1:
        return sha(b"\x00" + bodies[0])
    k = split(len(bodies))
    return sha(b"\x01" + mth(bodies[:k]) + mth(bodies[k:]))


def path(m: int, bodies: list[bytes]) -> list[bytes]:
    """RFC 9162, 2.1.3.1: PATH."""
    if len(bodies) == 1:
        return []
    k = split(len(bodies))
    if m < k:
        return [*path(m, bodies[:k]), mth(bodies[k:])]
    return [*path(m - k, bodies[k:]), mth(bodies[:k])]


def subproof(m: int, bodies: list[bytes], whole: bool) -> list[bytes]:
    """RFC 9162, 2.1.4.1: SUBPROOF."""
    n = len(bodies)
    if m == n:
        return [] if whole else [mth(bodies)]
    k = split(n)
    if m <= k:
        return [*subproof(m, bodies[:k], whole), mth(bodies[k:])]
    return [*subproof(m - k, bodies[k:], False), mth(bodies[:k])]


trees = st.lists(st.binary(max_size=8), min_size=1, max_size=70)
slow = settings(deadline=None, max_examples=60)


@given(st.lists(st.binary(max_size=8), max_size=70))
@slow
def test_appending_gives_the_tree_hash_of_the_rfc(bodies: list[bytes]) -> None:
    """A compact range, stored and read back at each step, has the RFC's root at each size."""
    tree = merkle.CompactRange()
    assert tree.root() == mth([])
    for count, body in enumerate(bodies, start=1):
        tree = merkle.CompactRange.from_bytes(tree.size, tree.to_bytes()).append(merkle.leaf_hash(body))
        assert tree.root() == mth(bodies[:count])
        assert len(tree.hashes) == count.bit_count()


@given(trees, st.data())
@slow
def test_inclusion_proofs_are_those_of_the_rfc(bodies: list[bytes], data: st.DataObject) -> None:
    """Each leaf's proof is the RFC's PATH and holds; for another leaf, place, size or with a hash changed it doesn't."""
    leaves = [merkle.leaf_hash(body) for body in bodies]
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof, root, size = merkle.inclusion_proof(leaves, index), mth(bodies), len(leaves)
    assert proof == path(index, bodies)
    assert merkle.verify_inclusion(leaves[index], index, size, proof, root)
    assert not merkle.verify_inclusion(sha(b"other"), index, size, proof, root)
    assert not merkle.verify_inclusion(leaves[index], size, size, proof, root)
    assert not merkle.verify_inclusion(leaves[index], index, size, [*proof, root], root)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        assert not merkle.verify_inclusion(leaves[index], index, size, [*proof[:at], sha(b"x"), *proof[at + 1 :]], root)
        assert not merkle.verify_inclusion(leaves[index], index, size, proof[:-1], root)


@given(trees, st.data())
@slow
def test_consistency_proofs_are_those_of_the_rfc(bodies: list[bytes], data: st.DataObject) -> None:
    """Each earlier tree's proof is the RFC's SUBPROOF and holds; for another earlier tree it doesn't."""
    leaves = [merkle.leaf_hash(body) for body in bodies]
    size = len(leaves)
    first = data.draw(st.integers(1, size))
    proof = merkle.consistency_proof(leaves, first)
    old, new = mth(bodies[:first]), mth(bodies)
    assert proof == subproof(first, bodies, True)
    assert merkle.verify_consistency(first, size, old, new, proof)
    assert not merkle.verify_consistency(first, size, sha(b"other"), new, proof)
    assert not merkle.verify_consistency(first, size, old, sha(b"other"), proof)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        assert not merkle.verify_consistency(first, size, old, new, [*proof[:at], sha(b"x"), *proof[at + 1 :]])


def test_known_roots() -> None:
    """The roots of the published Certificate Transparency test vectors."""
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    leaves = [merkle.leaf_hash(bytes.fromhex(text)) for text in inputs]
    assert merkle.root_of(leaves[:1]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert merkle.root_of(leaves).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


@pytest.mark.parametrize(("size", "stored"), [(3, b"x" * 32), (0, b"x"), (-1, b""), (4, b"")])
def test_a_frontier_that_does_not_fit_is_refused(size: int, stored: bytes) -> None:
    """Size and hashes must belong together."""
    with pytest.raises(ValueError, match="frontier"):
        merkle.CompactRange.from_bytes(size, stored)


def test_no_proof_outside_the_tree() -> None:
    """A leaf or a tree that isn't there has no proof."""
    with pytest.raises(IndexError):
        merkle.inclusion_proof([sha(b"")], 1)
    with pytest.raises(IndexError):
        merkle.consistency_proof([sha(b"")], 2)
