"""A witness: what it cosigns, what it refuses, and that it forgets nothing it cosigned."""

from dataclasses import dataclass, field

import pytest

from deconflict.errors import (
    BadSignatureError,
    BrokenProofError,
    ForkedChainError,
    InvalidDocumentError,
    LineStateError,
    StaleCheckpointError,
    UnknownKeyError,
    WrongLineError,
)
from deconflict.line.checkpoint import (
    Checkpoint,
    Origin,
    cosignature_time_s,
    open_checkpoint,
    seal_checkpoint,
)
from deconflict.line.keys import SigningKey
from deconflict.line.note import SignedNote
from deconflict.line.tree import CompactRange, GrowingTree, TreeHead
from deconflict.line.witness import CosignedState, Submission, Witness, judged_growth
from line_talk import BLUE, LINE, RED, STRANGER
from tree_leaves import leaf_hash

EPOCH = "b1" * 16
BLUE_KEYS = {BLUE.key_id: BLUE.verify_key}
RED_KEYS = {RED.key_id: RED.verify_key}
TIME_S = 1_443_571_200


def leaves(count: int, fork_at: int | None = None) -> list[bytes]:
    return [
        leaf_hash(b"fork" if fork_at is not None and n >= fork_at else str(n).encode())
        for n in range(count)
    ]


def tree(count: int, agreed: int = 0, fork_at: int | None = None) -> GrowingTree:
    first = CompactRange()
    for leaf in leaves(agreed, fork_at):
        first.add(leaf)
    grown = GrowingTree(first)
    for leaf in leaves(count, fork_at)[agreed:]:
        grown.add(leaf)
    return grown


def head(count: int, fork_at: int | None = None) -> TreeHead:
    return tree(count, fork_at=fork_at).head_at(count)


def submission(
    old: int,
    new: int,
    *,
    fork_at: int | None = None,
    proof: tuple[bytes, ...] | None = None,
    key: SigningKey = BLUE,
    origin: Origin | None = None,
    line: str = LINE,
) -> Submission:
    made = Checkpoint(origin or Origin(LINE, "blue", EPOCH), head(new, fork_at))
    if proof is None:
        proof = tree(new, old, fork_at).consistency(new) if old <= new else ()
    return Submission(line, old, proof, seal_checkpoint(made, key).to_bytes())


def witness(kept: CosignedState | None = None) -> Witness:
    return Witness(name="red", key=RED, line=LINE, author="blue", author_keys=BLUE_KEYS, kept=kept)


@dataclass
class Disk:
    """What is durable: at most one state, replaced on condition only."""

    kept: CosignedState | None = None
    notes: list[SignedNote] = field(default_factory=list)

    def write(self, state: CosignedState) -> CosignedState:
        assert state.previous_size == (0 if self.kept is None else self.kept.head.size)
        self.kept = state
        return state


def judged(one: Witness, sent: Submission, **more: object) -> CosignedState:
    state = one.judge(sent, epoch=EPOCH, time_s=TIME_S, **more)  # type: ignore[arg-type]
    assert state is not None
    return state


def test_a_chain_that_grows_is_cosigned_each_time() -> None:
    red, disk = witness(), Disk()
    assert red.cosigned is None
    for old, new in ((0, 3), (3, 4), (4, 100)):
        note = red.persisted(disk.write(judged(red, submission(old, new))))
        found, read = open_checkpoint(note.to_bytes(), BLUE_KEYS)
        assert (found.head, read) == (head(new), note)
        assert cosignature_time_s(note, "red", RED_KEYS) == TIME_S
        assert red.cosigned == note


def test_nothing_is_cosigned_before_it_is_durable() -> None:
    red = witness()
    first, second = judged(red, submission(0, 3)), judged(red, submission(3, 5))
    assert red.cosigned is None
    with pytest.raises(LineStateError):
        red.persisted(second)  # its predecessor is not durable yet
    assert red.cosigned is None
    red.persisted(first)
    with pytest.raises(LineStateError):
        red.persisted(first)
    assert red.kept == first
    red.persisted(second)
    assert red.kept == second


def test_after_a_crash_between_disk_and_signature_the_same_bytes_are_signed() -> None:
    disk = Disk()
    before = witness()
    cosigned = before.persisted(disk.write(judged(before, submission(0, 3))))
    after = witness(disk.kept)
    assert after.judge(submission(0, 3), epoch=EPOCH, time_s=TIME_S + 60) is None
    assert after.cosigned == cosigned


def test_after_a_crash_before_the_disk_another_tree_is_still_free() -> None:
    judged(witness(), submission(0, 3))  # forgotten: it was never cosigned
    fresh = witness()
    fresh.persisted(judged(fresh, submission(0, 3, fork_at=1)))


def test_a_repetition_is_harmless_also_before_it_is_durable() -> None:
    red = witness()
    state = judged(red, submission(0, 3))
    assert red.judge(submission(0, 3), epoch=EPOCH, time_s=TIME_S + 5) is None
    red.persisted(state)
    assert red.judge(submission(0, 3), epoch=EPOCH, time_s=TIME_S + 5) is None


@pytest.mark.parametrize(("old", "new"), [(0, 9), (2, 9), (4, 9), (9, 9), (9, 4), (0, 2)])
def test_a_proof_that_begins_elsewhere_is_stale(old: int, new: int) -> None:
    red = witness()
    red.persisted(judged(red, submission(0, 3)))
    with pytest.raises(StaleCheckpointError) as refused:
        red.judge(submission(old, new), epoch=EPOCH, time_s=TIME_S)
    assert "3 entries" in refused.value.expected
    judged(red, submission(3, 9))  # and nothing has changed


def test_a_second_tree_of_one_size_is_a_fork_with_both_notes() -> None:
    red = witness()
    red.persisted(judged(red, submission(0, 3)))
    forked = submission(0, 3, fork_at=2)
    with pytest.raises(ForkedChainError) as refused:
        red.judge(forked, epoch=EPOCH, time_s=TIME_S)
    heads = [open_checkpoint(n.to_bytes(), BLUE_KEYS)[0].head for n in refused.value.evidence]  # type: ignore[attr-defined]
    assert heads == [head(3), head(3, fork_at=2)]


def test_a_rewritten_past_has_no_proof() -> None:
    red = witness()
    red.persisted(judged(red, submission(0, 5)))
    with pytest.raises(BrokenProofError):
        red.judge(submission(5, 9, fork_at=2), epoch=EPOCH, time_s=TIME_S)
    with pytest.raises(BrokenProofError):
        red.judge(submission(5, 9, proof=()), epoch=EPOCH, time_s=TIME_S)


def test_who_holds_the_entries_needs_no_proof_to_see_a_fork() -> None:
    red, held = witness(), tree(9)

    def known(size: int) -> TreeHead | None:
        return held.head_at(size) if size <= held.size else None

    red.persisted(judged(red, submission(0, 5), known=known))
    grown_otherwise = submission(5, 9, fork_at=7)  # consistent with what was cosigned
    with pytest.raises(ForkedChainError) as refused:
        red.judge(grown_otherwise, epoch=EPOCH, time_s=TIME_S, known=known)
    assert refused.value.evidence
    with pytest.raises(LineStateError, match="not here yet"):
        red.judge(submission(5, 10), epoch=EPOCH, time_s=TIME_S, known=known)
    # A wrong proof under a right root says nothing of the author: nobody signed the proof.
    with pytest.raises(BrokenProofError):
        red.judge(submission(5, 9, proof=(b"x" * 32,)), epoch=EPOCH, time_s=TIME_S, known=known)


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (submission(0, 3, key=STRANGER), UnknownKeyError),
        (submission(0, 3, key=RED), UnknownKeyError),
        (submission(0, 3, line="0" * 32), WrongLineError),
        (submission(0, 3, origin=Origin("0" * 32, "blue", EPOCH)), WrongLineError),
        (submission(0, 3, origin=Origin(LINE, "red", EPOCH)), WrongLineError),
        (submission(0, 3, origin=Origin(LINE, "blue", "0" * 32)), WrongLineError),
        (Submission(LINE, 0, (), b"nothing"), InvalidDocumentError),
        (
            Submission(LINE, 0, (), submission(0, 3).note.replace(b"\n3\n", b"\n4\n")),
            BadSignatureError,
        ),
    ],
)
def test_what_is_not_of_this_chain_is_refused(sent: Submission, error: type[Exception]) -> None:
    red = witness()
    with pytest.raises(error):
        red.judge(sent, epoch=EPOCH, time_s=TIME_S)
    assert red.kept is None


def test_a_cosigned_note_is_judged_by_its_author_alone() -> None:
    """The author may send a note that others have signed too; only its own signature is kept."""
    red = witness()
    plain = judged(red, submission(0, 3))
    note = red.persisted(plain)
    again = witness()
    assert judged(again, Submission(LINE, 0, (), note.to_bytes())).note == plain.note


def test_growth_is_judged_without_keys_or_notes() -> None:
    assert judged_growth(head(3), 3, head(9), tree(9, 3).consistency(9)) == head(9)
    assert judged_growth(head(3), 0, head(3), ()) == head(3)
    with pytest.raises(ForkedChainError):
        judged_growth(head(3), 3, head(3, fork_at=0), ())
