"""Old backups put back at any time: no slot is signed twice, and both sides speak again.

Each planted fault is a party that leaves out one rule, and is found in a few runs.
"""

from dataclasses import replace
from typing import Final

import pytest
from tests.simulation.copied_disk import Commit, point_of
from tests.simulation.restores import play_restores
from tests.simulation.restoring_party import AnyCopyParty, RestoringParty
from tests.simulation.setting import LineViolationError

from deconflict.errors import DeconflictError
from deconflict.line.envelope import SealedEnvelope, read_envelope
from deconflict.line.epoch import opening_of
from deconflict.line.packets import Answer, Packet, Question, Role
from deconflict.line.receipt import SealedReceipt, SealedRefusal
from deconflict.line.resync import WHOLE, Agreed, MuteReason, Silence

SEEDS = 24


def test_two_hundred_restores_and_more_break_no_promise() -> None:
    runs = [play_restores(seed) for seed in range(1, SEEDS + 1)]
    restores = sum(run.restores for run in runs)
    signed = sum(len(run.ghost.signed) for run in runs)
    epochs = sum(len(party.durable.own.epochs) for run in runs for party in run.both)
    assert restores > 200
    assert signed > 1_000
    assert sum(party.one_copy for run in runs for party in run.both) > 20
    assert epochs > 100  # they re-synchronised, and were not only put back


@pytest.mark.parametrize("seed", [600604, 601174])
def test_a_record_put_back_to_what_was_left_behind_takes_up_where_the_peer_s_log_leads(
    seed: int,
) -> None:
    """Both were put back, one to a receipted entry that the other lost: found by the long run."""
    play_restores(seed)


@pytest.mark.parametrize("seed", [118, 131, 138, 196])
def test_copies_put_back_in_any_order_end_in_no_line_that_asks_for_ever(seed: int) -> None:
    """A deaf peer's log led to what the author had left behind: found by the long run."""
    play_restores(seed, blue=AnyCopyParty, red=AnyCopyParty)


def test_copies_put_back_in_any_order_break_no_promise() -> None:
    runs = [play_restores(seed, blue=AnyCopyParty, red=AnyCopyParty) for seed in range(1, 13)]
    assert sum(run.restores for run in runs) > 200


def test_what_an_own_entry_says_it_heard_counts_as_receipted_after_a_restore() -> None:
    """The peer had no receipt but that one, and could show none: found by the long run."""
    play_restores(600950)


def test_one_seed_plays_one_run() -> None:
    one, other = play_restores(5), play_restores(5)
    assert one.ghost.signed == other.ghost.signed
    assert one.tally == other.tally


class SpeaksAtOnce(RestoringParty):
    """A restored author that asks nobody."""

    def compared(self) -> Silence:
        return Silence(deaf=super().compared().deaf, reason=MuteReason.RECORD_BEHIND)


class KeepsItsEpoch(RestoringParty):
    """A restored author that asks, and goes on in its old epoch."""

    def reopened(self, rows: list[SealedEnvelope], receipts: list[SealedReceipt]) -> None:
        fresh = point_of(rows[-1]).epoch
        known = [row for row in rows if point_of(row).epoch != fresh]
        head = point_of(known[-1]) if known else self.durable.own.head
        silence = self.live.resync.after_author()
        whole = {"own": head}
        then = [lambda: self.begin(silence)]
        self.commit(Commit(own=known, receipts=receipts, whole=whole, then=then))


class ReceiptsAtOnce(RestoringParty):
    """A restored listener that logs and receipts as if nothing had happened."""

    def compared(self) -> Silence:
        return Silence(mute=super().compared().mute, reason=MuteReason.RECORD_BEHIND)


class SignsBeforeTheGuard(RestoringParty):
    """A node whose guard stays where it was while it signs."""

    def write_guard(self, commit: Commit) -> None:
        if commit.whole:
            super().write_guard(commit)


class BelievesAnyAnswer(RestoringParty):
    """A node that takes an answer to an earlier question for one to its last."""

    def begin(self, silence: Silence) -> None:
        super().begin(silence)
        resync = self.live.resync

        def counts(answer: Answer) -> bool:
            asked = resync._asked.get(answer.role)
            if answer.role is not resync._role:
                return False
            if asked is None:
                resync.due(self.live.receipted_on_way, self.live.peer_logged, self.now)
            return answer.role in resync._asked

        resync.counts = counts  # type: ignore[method-assign]


class TakesAnyEpoch(RestoringParty):
    """A listener that logs an epoch behind any entry it holds, and forgets what it passes over."""

    def hear(self, sealed: SealedEnvelope) -> None:
        envelope = read_envelope(sealed.data)
        opening = opening_of(envelope)
        peer = self.durable.peer
        held = opening is not None and opening.follows is not None and peer.has(opening.follows)
        new = envelope.epoch not in peer.epochs
        if held and new and self.live.resync.whole and not (self.waiting or self.flushed):
            self.runs.require_signed(self, sealed)
            peer.add(sealed, self.now.utc_ms)
            if self.guard is not None:
                self.guard.points["peer"] = point_of(sealed)
            self.begin(WHOLE)
        else:
            super().hear(sealed)


class TrustsItsGuard(RestoringParty):
    """A node that asks nobody at its start, where record and guard agree: they may be one copy."""

    def compared(self) -> Silence:
        return replace(super().compared(), unasked=False, unheard=False)


class TakesSilenceForAnAnswer(RestoringParty):
    """A node that, when it must speak and was not answered, goes on in the epoch it finds."""

    def open_alone(self) -> None:
        resync = self.live.resync
        if resync.unasked and not resync.closing:
            resync.silence = replace(resync.silence, unasked=False)
        else:
            super().open_alone()


class LeavesTheRefusal(TrustsItsGuard):
    """An author that does nothing about an epoch that is refused, however it is told of it."""

    copies_guard = False  # else it would be found for trusting it

    def deliver(self, packet: Packet) -> None:
        told_otherwise = (
            isinstance(packet, Question)
            and packet.role is Role.LISTENER
            and packet.after is not None
            and not self.durable.own.holds(packet.after)
        )
        if not isinstance(packet, SealedRefusal) and not told_otherwise:
            super().deliver(packet)


class TakesItForBehind(RestoringParty):
    """An author that reads a log which leads elsewhere as one that is only behind."""

    copies, copies_guard = AnyCopyParty.copies, AnyCopyParty.copies_guard

    def hear_held(self, answer: Answer) -> None:
        agreed = self.live.hear_held(answer, holds=lambda _: True)
        if agreed is not None:
            self.open_epoch(agreed, deaf=answer.deaf)


class ForgetsWhatItHeard(RestoringParty):
    """A restored author that takes its own entries back, and not what they say of its log."""

    def open_epoch(self, agreed: Agreed, *, deaf: bool = False, told: bool = False) -> None:
        silence = self.live.resync.silence
        super().open_epoch(agreed, deaf=deaf, told=told)
        if silence.mute and not silence.deaf:
            self.live.resync.silence = replace(self.live.resync.silence, deaf=False)

    def compared(self) -> Silence:
        found = super().compared()
        forgets = found.reason is MuteReason.PEER_HOLDS_MORE
        return replace(found, deaf=False, unheard=True) if forgets else found


PLANTED: Final = (
    TrustsItsGuard,
    TakesSilenceForAnAnswer,
    SpeaksAtOnce,
    KeepsItsEpoch,
    ReceiptsAtOnce,
    SignsBeforeTheGuard,
    BelievesAnyAnswer,
    TakesAnyEpoch,
    LeavesTheRefusal,
    TakesItForBehind,
    ForgetsWhatItHeard,
)


@pytest.mark.parametrize("fault", PLANTED, ids=lambda fault: fault.__name__)
def test_a_planted_fault_is_found(fault: type[RestoringParty]) -> None:
    assert any(is_found(fault, seed) for seed in range(1, 5 * SEEDS))


def is_found(fault: type[RestoringParty], seed: int) -> bool:
    try:
        play_restores(seed, blue=fault)
    except (LineViolationError, DeconflictError):
        return True
    return False
