"""Parties that lie, and what has to become of each lie.

A lie is shown directly to the honest peer, so that none is lost on its way; each has to be refused
by the error that names it, with the evidence in it, and may change nothing that the peer holds.
"""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from tests.simulation.party import PartySimulator
from tests.simulation.setting import LineViolationError
from tests.simulation.witness import RewritingSteps

from deconflict.errors import (
    BrokenChainError,
    DeconflictError,
    ForkedChainError,
    NotCanonicalError,
    WrongLineError,
    WrongSenderError,
)
from deconflict.line.envelope import (
    Address,
    Draft,
    Envelope,
    SealedEnvelope,
    envelope_bytes,
    read_envelope,
)
from deconflict.line.incoming import Evidence, EvidenceReason, Outcome
from deconflict.line.keys import ALGORITHM, CONTEXT_ENVELOPE
from deconflict.line.machine import Heard
from deconflict.line.outgoing import OutgoingEntry
from deconflict.line.packets import Packet
from deconflict.line.receipt import Receipt, SealedReceipt, seal_receipt
from deconflict.line.statement import ChainPoint, Signature


class ForkingParty(PartySimulator):
    """Signs, now and then, a second message for a slot it has already sent."""

    lies = True

    def send_due(self) -> None:
        super().send_due()
        rng = self.simulation.rng
        if self.disk.own and rng.random() < 0.2:
            original = rng.choice(self.disk.own[-20:])
            envelope = read_envelope(original)
            fork = sealed_by(self, original.replace(b'"kind":"', b'"kind":"X', 1))
            held = self.simulation.parties[self.peer].disk.peer_hashes
            if envelope.seq <= len(held) and self.simulation.parties[self.peer].machine:
                # Shown directly to a peer that holds the other one, so it must be reported.
                self.simulation.referee.show_fork(self.simulation.parties[self.peer], fork)


class RewritingParty(PartySimulator):
    """Signs, now and then, a tree that is not of its entries."""

    witness_steps = RewritingSteps
    lies = True


class LyingParty(PartySimulator):
    """Tells, as often as it sends, one of :data:`LIES` or a false ``heard``."""

    lies = True

    def send_due(self) -> None:
        super().send_due()
        victim = self.simulation.parties[self.peer]
        if self.simulation.rng.random() < 0.5 and self.disk.own and victim.machine is not None:
            lie = self.simulation.rng.choice(LIES)
            packet = lie.make(self, victim)
            if packet is not None:
                self.simulation.tally.lies[lie.name] += 1
                _tell(lie, packet, victim)

    def prepared(self, draft: Draft) -> OutgoingEntry:
        """Say, now and then, to have heard what the peer never said."""
        chain = self.live._in
        truth = chain._logged
        if truth is None or self.simulation.rng.random() < 0.8:
            return super().prepared(draft)
        chain._logged = false_point(self, truth)
        try:
            entry = super().prepared(draft)
        finally:
            chain._logged = truth
        self.simulation.tally.lies["false heard"] += 1
        self.simulation.referee.ghost.false_heards.add(entry.hash)
        return entry


@dataclass(frozen=True)
class Lie:
    """One kind of lie: how it is made, None where it cannot be now, and what refuses it."""

    name: str
    make: Callable[[PartySimulator, PartySimulator], Packet | None]
    refused_by: type[DeconflictError]
    may_be_orphan: bool = False


def sealed_by(liar: PartySimulator, data: bytes) -> SealedEnvelope:
    value = liar.key.sign(CONTEXT_ENVELOPE, data)
    return SealedEnvelope(data, Signature(ALGORITHM, liar.key.key_id, value))


def false_point(liar: PartySimulator, truth: ChainPoint) -> ChainPoint:
    rng = liar.simulation.rng
    seq = truth.seq + rng.choice((0, 0, 1, 5, 10**6))
    return ChainPoint(truth.epoch, seq, rng.randbytes(32).hex())


def _tell(lie: Lie, packet: Packet, victim: PartySimulator) -> None:
    machine = victim.live
    held = (len(victim.disk.peer), machine.peer_logged, machine.own_receipted)
    outcome: Heard | DeconflictError | None = None
    try:
        if isinstance(packet, SealedReceipt):
            machine.hear_receipt(packet, victim.now)
        elif isinstance(packet, SealedEnvelope):
            outcome = machine.hear(packet, victim.now, stored=victim.stored)
    except DeconflictError as error:
        outcome = error
    if isinstance(outcome, Heard):
        # Taken as an orphan, and kept as evidence: all that another epoch may come to.
        orphan = Evidence(EvidenceReason.ORPHAN_EPOCH, packet)
        right = lie.may_be_orphan and outcome.outcome is Outcome.ORPHAN
        right = right and outcome.evidence == (orphan,)
    else:
        right = type(outcome) is lie.refused_by
        if lie.refused_by in (ForkedChainError, BrokenChainError):
            right = right and packet in outcome.evidence
    if not right or held != (len(victim.disk.peer), machine.peer_logged, machine.own_receipted):
        raise LineViolationError(
            f"lie seed {victim.simulation.seed}: {lie.name} led to {outcome!r} at {victim.name}"
        )


def _last(liar: PartySimulator) -> Envelope:
    return read_envelope(liar.disk.own[-1])


def _altered(liar: PartySimulator, **changes: object) -> SealedEnvelope:
    return sealed_by(liar, envelope_bytes(msgspec.structs.replace(_last(liar), **changes)))


def _receipt(liar: PartySimulator, point: ChainPoint) -> SealedReceipt:
    receipt = Receipt(
        v=1,
        line=liar.simulation.line,
        sender=liar.name,
        to=liar.peer,
        epoch=point.epoch,
        seq=point.seq,
        hash=point.hash,
        received_utc="2015-09-30T00:00:00.000Z",
    )
    return seal_receipt(receipt, liar.key)


def _receipt_for_nothing(liar: PartySimulator, victim: PartySimulator) -> Packet | None:
    head = victim.live.own_head
    if head is None:
        return None
    unsaid = liar.simulation.rng.randbytes(32).hex()
    return _receipt(liar, ChainPoint(head.epoch, head.seq + 1, unsaid))


def _receipt_for_another(liar: PartySimulator, victim: PartySimulator) -> Packet | None:
    head = victim.live.own_head
    if head is None:
        return None
    wrong = liar.simulation.rng.randbytes(32).hex()
    return _receipt(liar, ChainPoint(head.epoch, head.seq, wrong))


def _back_dated(liar: PartySimulator, victim: PartySimulator) -> Packet | None:
    """A message slipped into the past: an old slot, an old time, another text."""
    if not victim.disk.peer:
        return None
    original = read_envelope(liar.simulation.rng.choice(victim.disk.peer).sealed.data)
    slipped = msgspec.structs.replace(
        original, body={"text": -1}, created_utc="2015-09-29T23:00:00.000Z"
    )
    return sealed_by(liar, envelope_bytes(slipped))


def _broken(liar: PartySimulator, victim: PartySimulator) -> Packet | None:
    """The next slot, that follows another entry than the last."""
    chain = victim.live._in
    if chain._accepted_seq == 0:
        return None
    prev = liar.simulation.rng.randbytes(32).hex()
    if chain._held.get(chain._accepted_seq + 1) is not None:
        return None
    return _altered(liar, seq=chain._accepted_seq + 1, prev=prev)


def _other_epoch(liar: PartySimulator, victim: PartySimulator) -> Packet | None:
    if victim.live._in._epoch is None:
        return None
    epoch = liar.simulation.rng.randbytes(16).hex()
    return _altered(liar, epoch=epoch, seq=1, prev="0" * 64)


def _in_anothers_name(liar: PartySimulator, victim: PartySimulator) -> Packet:
    return _altered(liar, sender=Address(victim.name, "watch"), to=Address(liar.name, "watch"))


def _of_another_line(liar: PartySimulator, victim: PartySimulator) -> Packet:
    return _altered(liar, line=liar.simulation.rng.randbytes(16).hex())


def _spelled_differently(liar: PartySimulator, victim: PartySimulator) -> Packet:
    return sealed_by(liar, liar.disk.own[-1].replace(b'","', b'", "', 1))


LIES = (
    Lie("receipt for what was never said", _receipt_for_nothing, ForkedChainError),
    Lie("receipt for another message", _receipt_for_another, ForkedChainError),
    Lie("back-dated message", _back_dated, ForkedChainError),
    Lie("broken chain", _broken, BrokenChainError),
    Lie("other epoch", _other_epoch, ForkedChainError, may_be_orphan=True),
    Lie("in another's name", _in_anothers_name, WrongSenderError),
    Lie("of another line", _of_another_line, WrongLineError),
    Lie("another spelling", _spelled_differently, NotCanonicalError),
)
