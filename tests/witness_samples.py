"""Requests of a party to a third witness, for tests: its tree, honest or forked."""

from deconflict.line.checkpoint import Checkpoint, Origin, seal_checkpoint
from deconflict.line.keys import SigningKey
from deconflict.line.tlog_witness import AddCheckpoint, add_checkpoint_bytes
from deconflict.line.tree import CompactRange, GrowingTree, TreeHead
from line_talk import BLUE, LINE
from tree_leaves import leaf_hash

EPOCH = "b1" * 16
BLUES = Origin(LINE, "blue", EPOCH)


def tree(count: int, agreed: int = 0, fork_at: int | None = None) -> GrowingTree:
    """The tree of so many entries; from ``fork_at`` on they are others than blue said first."""
    leaves = [
        leaf_hash(b"fork" if fork_at is not None and n >= fork_at else str(n).encode())
        for n in range(count)
    ]
    first = CompactRange()
    for leaf in leaves[:agreed]:
        first.add(leaf)
    return GrowingTree(first, b"".join(leaves[agreed:]))


def head(count: int, fork_at: int | None = None) -> TreeHead:
    return tree(count, fork_at=fork_at).head_at(count)


def note(
    size: int, *, fork_at: int | None = None, key: SigningKey = BLUE, origin: Origin = BLUES
) -> bytes:
    return seal_checkpoint(Checkpoint(origin, head(size, fork_at)), key).to_bytes()


def request(
    old: int,
    new: int,
    *,
    fork_at: int | None = None,
    proof: tuple[bytes, ...] | None = None,
    key: SigningKey = BLUE,
    origin: Origin = BLUES,
) -> bytes:
    """The body of a request; its proof is the right one where there is one."""
    if proof is None:
        proof = tree(new, old, fork_at).consistency(new) if old <= new else ()
    made = AddCheckpoint(old, proof, note(new, fork_at=fork_at, key=key, origin=origin))
    return add_checkpoint_bytes(made)
