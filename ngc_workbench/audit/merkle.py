"""The Merkle tree of RFC 9162 (section 2.1), over SHA-256.

Two forms. A *compact range* is all that an append needs: the roots of the perfect subtrees of which the tree is
made, largest first, one for each set bit of its size: at most 64 hashes for any log, so it fits in one row of a
table. Proofs are computed from the list of leaf hashes, by the recursive definitions of the RFC written as loops
where the proof is checked, and as recursion over index ranges (depth: the logarithm of the size) where it is made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""Root of the tree without leaves."""


def leaf_hash(body: bytes) -> bytes:
    """Hash of a leaf: the prefix 0x00 keeps it apart from every inner node."""
    return hashlib.sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node, prefix 0x01."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True)
class CompactRange:
    """A tree of `size` leaves, as the roots of its perfect subtrees, largest (leftmost) first."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def append(self, leaf: bytes) -> CompactRange:
        """The tree with one more leaf; `leaf` is a leaf's hash."""
        hashes = list(self.hashes)
        node, size = leaf, self.size
        while size & 1:
            node = node_hash(hashes.pop(), node)
            size >>= 1
        return CompactRange(self.size + 1, (*hashes, node))

    def root(self) -> bytes:
        """Root of the tree."""
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node_hash(left, root)
        return root

    def to_bytes(self) -> bytes:
        """The hashes in one piece; with the size, all that is needed to go on."""
        return b"".join(self.hashes)

    @classmethod
    def from_bytes(cls, size: int, stored: bytes) -> CompactRange:
        """The inverse of `to_bytes`. Raises ValueError when size and length don't fit."""
        if size < 0 or len(stored) != size.bit_count() * HASH_BYTES:
            raise ValueError(f"{len(stored)} bytes can't be the frontier of a tree of {size} leaves")
        return cls(size, tuple(stored[at : at + HASH_BYTES] for at in range(0, len(stored), HASH_BYTES)))


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Root over leaf hashes."""
    tree = CompactRange()
    for leaf in leaves:
        tree = tree.append(leaf)
    return tree.root()


def _split(size: int) -> int:
    """The largest power of two below `size` (which is at least 2)."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Audit path of leaf `index` (from 0), lowest sibling first. Raises IndexError outside the tree."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"no leaf {index} in a tree of {len(leaves)}")
    path: list[bytes] = []
    start, end = 0, len(leaves)
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(root_of(leaves[middle:end]))
            end = middle
        else:
            path.append(root_of(leaves[start:middle]))
            start = middle
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows that `leaf` is number `index` (from 0) of a tree of `size` with this root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    first, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if first & 1 or first == last:
            node = node_hash(sibling, node)
            while not first & 1 and first:
                first >>= 1
                last >>= 1
        else:
            node = node_hash(node, sibling)
        first >>= 1
        last >>= 1
    return last == 0 and node == root


def consistency_proof(leaves: Sequence[bytes], first: int) -> list[bytes]:
    """Proof that the tree of the first `first` leaves is a beginning of the tree of all (RFC 9162, 2.1.4.1).

    Raises IndexError unless 0 < first <= len(leaves).
    """
    if not 0 < first <= len(leaves):
        raise IndexError(f"no tree of {first} leaves before one of {len(leaves)}")
    proof: list[bytes] = []
    start, end, whole, wanted = 0, len(leaves), True, first
    while wanted != end - start:
        split = _split(end - start)
        middle = start + split
        if wanted <= split:
            proof.append(root_of(leaves[middle:end]))
            end = middle
        else:
            proof.append(root_of(leaves[start:middle]))
            start, wanted, whole = middle, wanted - split, False
    if not whole:
        proof.append(root_of(leaves[start:end]))
    return proof[::-1]


def verify_consistency(first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the tree of `first` leaves is a beginning of that of `second` (RFC 9162, 2.1.4.2)."""
    if first == second:
        return first > 0 and not proof and first_root == second_root
    if not 0 < first < second:
        return False
    path = list(proof) if first & (first - 1) else [first_root, *proof]
    if not path:
        return False
    low, high = first - 1, second - 1
    while low & 1:
        low >>= 1
        high >>= 1
    old = new = path[0]
    for node in path[1:]:
        if high == 0:
            return False
        if low & 1 or low == high:
            old, new = node_hash(node, old), node_hash(node, new)
            while not low & 1 and low:
                low >>= 1
                high >>= 1
        else:
            new = node_hash(new, node)
        low >>= 1
        high >>= 1
    return high == 0 and old == first_root and new == second_root
