"""The Merkle tree over a chain: one hash for all of it, and short proofs about it.

RFC 9162 §2.1 with SHA-256; its proofs take about 20 hashes for a million leaves. An *inclusion*
proof shows that a leaf is in the tree of a root; a *consistency* proof that the tree of one root
only grew into the tree of another.

Nothing here is stored. A tree that grows needs the roots of its whole subtrees alone, at most one
for each bit of its size, so a node keeps the tree of a chain in 2 kB and works it out again from
the entries it reads at its start. Who wants a proof about an old leaf reads the entries again
(docs/decisions/0012-checkpoints.md says why there are no tiles).
"""

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from deconflict.errors import BrokenProofError

__all__ = [
    "EMPTY",
    "EMPTY_ROOT",
    "HASH_BYTES",
    "MAX_PROOF_HASHES",
    "CompactRange",
    "GrowingTree",
    "TreeHead",
    "node_hash",
    "verify_consistency",
    "verify_inclusion",
]

HASH_BYTES: Final = 32
_STRIDE: Final = 1_024  # leaves between two milestones of a growing tree
MAX_PROOF_HASHES: Final = 63  # C2SP tlog-witness; two trees below 2**53 leaves need 54 at most
EMPTY_ROOT: Final = hashlib.sha256().digest()  # RFC 9162 §2.1.1: MTH({}) = HASH()

_NODE: Final = b"\x01"
_sha256 = hashlib.sha256


class TreeHead(msgspec.Struct, frozen=True):
    """How many leaves a tree has, and its root: 32 bytes that fix every leaf and their order."""

    size: int
    root: bytes


EMPTY: Final = TreeHead(0, EMPTY_ROOT)


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two subtrees side by side."""
    return _sha256(_NODE + left + right).digest()


class CompactRange:
    """The tree of the first leaves, kept as the roots of its whole subtrees.

    Adding a leaf costs one hash on average, the root at most one for each bit of the size.

    >>> tree = CompactRange()
    >>> for leaf in (b"", b"\\x00", b"\\x10"):
    ...     tree.add(hashlib.sha256(b"\\x00" + leaf).digest())
    >>> tree.head.size, tree.head.root.hex()[:16]
    (3, 'aeb6bcfe274b70a1')
    """

    __slots__ = ("_peaks", "_size")

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self._size = size
        self._peaks = list(peaks)  # one for each bit set in the size, the largest first

    @property
    def size(self) -> int:
        """How many leaves."""
        return self._size

    @property
    def peaks(self) -> tuple[bytes, ...]:
        """The roots of its whole subtrees, the largest first; with the size, all there is of it."""
        return tuple(self._peaks)

    @property
    def head(self) -> TreeHead:
        """Size and root."""
        return TreeHead(self._size, self.part(0, self._size) if self._size else EMPTY_ROOT)

    def add(self, leaf: bytes) -> None:
        """Append the hash of the next leaf."""
        whole, size, peaks = leaf, self._size, self._peaks
        while size & 1:  # two whole subtrees of one size make one of twice the size
            whole = _sha256(_NODE + peaks.pop() + whole).digest()
            size >>= 1
        peaks.append(whole)
        self._size += 1

    def copy(self) -> "CompactRange":
        """Return the same tree, to be grown apart from this one."""
        return CompactRange(self._size, self._peaks)

    def part(self, first: int, last: int) -> bytes:
        """Return the root over the leaves from ``first`` up to, not including, ``last``.

        Raises:
            ValueError: this part is not made of whole subtrees that are still known.
        """
        inside: list[bytes] = []
        begin = 0
        covered = 0
        for peak, length in zip(self._peaks, _powers(self._size), strict=True):
            if first <= begin and begin + length <= last:
                inside.append(peak)
                covered += length
            begin += length
        if not inside or covered != last - first:
            raise ValueError(f"leaves {first} to {last} of {self._size} are not whole subtrees")
        root = inside.pop()
        while inside:
            root = node_hash(inside.pop(), root)
        return root


class GrowingTree:
    """A tree of which a first part was agreed on; it can prove that it only grew since.

    Of the first part the whole subtrees are kept, of what came after each leaf: 32 bytes for each
    entry that nobody has cosigned yet.

    Args:
        agreed: the first part; None begins with no leaf.
        later: the hashes of the leaves after it, one behind the other.
    """

    def __init__(self, agreed: CompactRange | None = None, later: bytes | bytearray = b"") -> None:
        self._agreed = CompactRange() if agreed is None else agreed.copy()
        self._later = bytearray(later)
        self._reached = self._agreed  # what was asked for last: the next is mostly a little larger
        self._milestones: list[CompactRange] = []  # every so many leaves, from the smallest on

    @property
    def size(self) -> int:
        """How many leaves."""
        return self._agreed.size + len(self._later) // HASH_BYTES

    @property
    def agreed_size(self) -> int:
        """How many leaves the part has that was agreed on; asked for often, and hashes nothing."""
        return self._agreed.size

    @property
    def agreed(self) -> TreeHead:
        """The tree of the part that was agreed on."""
        return self._agreed.head

    def add(self, leaf: bytes) -> None:
        """Append the hash of the next leaf."""
        self._later += leaf

    def add_all(self, leaves: bytes) -> None:
        """Append the hashes of the next leaves, one behind the other."""
        self._later += leaves

    def head_at(self, size: int) -> TreeHead:
        """Return the tree as it was when it had ``size`` leaves.

        Raises:
            ValueError: it was smaller than the agreed part, or is not so large yet.
        """
        return self._range_at(size).head

    def range_at(self, size: int) -> CompactRange:
        """Return the same as whole subtrees, to be kept or grown apart from this one.

        Raises:
            ValueError: as :meth:`head_at`.
        """
        return self._range_at(size)

    def agree(self, size: int) -> None:
        """Take the first ``size`` leaves as agreed on, and forget the single leaves among them.

        Raises:
            ValueError: as :meth:`head_at`.
        """
        agreed = self._range_at(size)
        del self._later[: (size - self._agreed.size) * HASH_BYTES]
        self._agreed = agreed
        self._milestones = [one for one in self._milestones if one.size > size]

    def consistency(self, size: int) -> tuple[bytes, ...]:
        """Return the proof that the tree of ``size`` leaves grew out of the agreed one.

        Source: RFC 9162 §2.1.4.1.

        Raises:
            ValueError: as :meth:`head_at`.
        """
        self._require_known(size)
        old = self._agreed.size
        if old in (0, size):
            return ()
        proof: list[bytes] = []
        first, last, begins_whole = 0, size, True
        while old != last:
            middle = first + _left_of(last - first)
            if old <= middle:
                proof.append(self._root(middle, last))
                last = middle
            else:
                proof.append(self._root(first, middle))
                first, begins_whole = middle, False
        if not begins_whole:
            proof.append(self._root(first, last))
        return tuple(reversed(proof))

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """Return the proof that leaf ``index``, counted from 0, is in the tree of ``size`` leaves.

        Source: RFC 9162 §2.1.3.1.

        Raises:
            ValueError: no such leaf, or it lies in the agreed part, whose leaves are forgotten.
        """
        self._require_known(size)
        if not self._agreed.size <= index < size:
            raise ValueError(f"leaf {index} of {size} is not known")
        proof: list[bytes] = []
        first, last = 0, size
        while last - first > 1:
            middle = first + _left_of(last - first)
            if index < middle:
                proof.append(self._root(middle, last))
                last = middle
            else:
                proof.append(self._root(first, middle))
                first = middle
        return tuple(reversed(proof))

    def _require_known(self, size: int) -> None:
        if not self._agreed.size <= size <= self.size:
            raise ValueError(
                f"size {size} does not lie between {self._agreed.size} and {self.size}"
            )

    def _range_at(self, size: int) -> CompactRange:
        # A peer chooses what sizes are asked for, in any order: no one costs more than a stride.
        self._require_known(size)
        passed = bisect_right(self._milestones, size, key=lambda reached: reached.size)
        near = self._milestones[passed - 1] if passed else self._agreed
        if near.size <= self._reached.size <= size:
            near = self._reached
        grown = near.copy()
        known = self._agreed.size
        for index in range(grown.size - known, size - known):
            place = index * HASH_BYTES
            grown.add(bytes(self._later[place : place + HASH_BYTES]))
            if grown.size % _STRIDE == 0 and passed == len(self._milestones):
                self._milestones.append(grown.copy())
                passed += 1
        self._reached = grown
        return grown.copy()

    def _root(self, first: int, last: int) -> bytes:
        """Root over a part that the proofs of RFC 9162 ask for: no peak is ever cut in two."""
        agreed = self._agreed.size
        if last <= agreed:
            return self._agreed.part(first, last)
        if first >= agreed:
            whole = CompactRange()
            for index in range(first - agreed, last - agreed):
                place = index * HASH_BYTES
                whole.add(bytes(self._later[place : place + HASH_BYTES]))
            return whole.head.root
        middle = first + _left_of(last - first)
        return node_hash(self._root(first, middle), self._root(middle, last))


def verify_inclusion(leaf: bytes, index: int, head: TreeHead, proof: Sequence[bytes]) -> TreeHead:
    """Return the tree in which the leaf is proven to stand at ``index``, counted from 0.

    Source: RFC 9162 §2.1.3.2.

    Raises:
        BrokenProofError: the proof does not lead from this leaf to this root.
    """
    _require_hashes([leaf, head.root, *proof])
    if not 0 <= index < head.size:
        raise _broken(f"leaf {index} of a tree of {head.size}")
    place, last, root = index, head.size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise _broken(f"{len(proof)} hashes, more than a tree of {head.size} is high")
        if place & 1 or place == last:
            root = node_hash(sibling, root)
            while place & 1 == 0 and place:  # the right edge rises without siblings
                place >>= 1
                last >>= 1
        else:
            root = node_hash(root, sibling)
        place >>= 1
        last >>= 1
    if last != 0 or root != head.root:
        raise _broken(f"leaf {index} does not lead to the root of {head.size}")
    return head


def verify_consistency(old: TreeHead, new: TreeHead, proof: Sequence[bytes]) -> TreeHead:
    """Return ``new``, proven to be ``old`` with leaves added behind it, and nothing else.

    Every tree grew out of the empty one, and out of itself, by an empty proof.

    Source: RFC 9162 §2.1.4.2.

    Raises:
        BrokenProofError: the proof does not lead from the one root to the other.
    """
    _require_hashes([old.root, new.root, *proof])
    if old.size == 0 or old.size == new.size:
        expected = EMPTY_ROOT if old.size == 0 else new.root
        if proof or old.root != expected or (new.size == 0 and new.root != EMPTY_ROOT):
            raise _broken(f"a tree of {old.size} and one of {new.size} that differ")
        return new
    if not 0 < old.size < new.size or not proof:
        raise _broken(f"from {old.size} to {new.size} leaves with {len(proof)} hashes")
    # The old tree, where it is one whole subtree, begins the proof and is not sent.
    whole = old.size & (old.size - 1) == 0
    path = (old.root, *proof) if whole else tuple(proof)
    place, last = old.size - 1, new.size - 1
    while place & 1:
        place >>= 1
        last >>= 1
    old_root = new_root = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise _broken(f"{len(proof)} hashes, more than a tree of {new.size} is high")
        if place & 1 or place == last:
            old_root = node_hash(sibling, old_root)
            new_root = node_hash(sibling, new_root)
            while place & 1 == 0 and place:
                place >>= 1
                last >>= 1
        else:
            new_root = node_hash(new_root, sibling)
        place >>= 1
        last >>= 1
    if last != 0 or old_root != old.root or new_root != new.root:
        raise _broken(f"the tree of {new.size} did not grow out of the tree of {old.size}")
    return new


def _powers(size: int) -> list[int]:
    """Sizes of the whole subtrees of a tree, the largest first."""
    return [1 << bit for bit in reversed(range(size.bit_length())) if size >> bit & 1]


def _left_of(size: int) -> int:
    """How many of ``size`` leaves, at least 2, stand left of the root: a power of two below it."""
    return 1 << ((size - 1).bit_length() - 1)


def _require_hashes(hashes: Sequence[bytes]) -> None:
    if len(hashes) > MAX_PROOF_HASHES + 2 or any(len(one) != HASH_BYTES for one in hashes):
        raise _broken(f"{len(hashes)} hashes")


def _broken(given: str) -> BrokenProofError:
    return BrokenProofError(
        "the proof does not lead to the root that was signed",
        given=given,
        expected=f"the hashes of RFC 9162, at most {MAX_PROOF_HASHES} of {HASH_BYTES} bytes",
        remedy="keep what was signed; ask for the proof again",
    )
