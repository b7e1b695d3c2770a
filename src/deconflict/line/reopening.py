"""A fresh epoch: the entry that opens it, and what is said again behind that."""

from collections.abc import Iterable

import msgspec

from deconflict.line.envelope import GENESIS, Address, Envelope, envelope_bytes
from deconflict.line.epoch import EPOCH_KIND, EpochOpening, EpochReason, words_of
from deconflict.line.key_change import KeyChange
from deconflict.line.moment import Now, utc_text
from deconflict.line.outgoing import OutgoingEntry
from deconflict.line.precedence import Precedence
from deconflict.line.restored import LineIdentity
from deconflict.line.resync import Agreed
from deconflict.line.statement import ChainPoint, hash_of

__all__ = ["opened_epoch"]


def opened_epoch(
    identity: LineIdentity,
    agreed: Agreed,
    said: Iterable[Envelope],
    *,
    epoch: str,
    heard: ChainPoint | None,
    now: Now,
    desks: tuple[str, str],
    change: KeyChange | None = None,
) -> tuple[OutgoingEntry, ...]:
    """Return the entries of a fresh epoch: the one that opens it, and what is said again.

    What is said again keeps its time, so what expired meanwhile is DELAYED at the peer. What the
    peer holds already, under whatever hash, is not said again; nor is an entry that opened an
    epoch. What cites a message that is said again cites it by its new name.
    """
    reason = EpochReason.RESTORED if change is None else EpochReason.KEY_CHANGED
    known = {words_of(envelope) for envelope, _ in agreed.held}
    renamed: dict[str, str] = {}
    first = Envelope(
        v=1,
        line=identity.line_id,
        sender=Address(identity.own, desks[0]),
        to=Address(identity.peer, desks[1]),
        epoch=epoch,
        seq=1,
        prev=GENESIS,
        heard=heard,
        kind=EPOCH_KIND,
        prec=Precedence.IMMEDIATE,
        ref=None,
        drill=False,
        release="NONE",
        created_utc=utc_text(now.utc_ms),
        clock_err_ms=1_000,
        answer_within_ms=None,
        expires_after_ms=None,
        lang="en",
        body=msgspec.to_builtins(EpochOpening(agreed.follows, reason, change)),
    )
    entries = [_outgoing(first)]
    for envelope in said:
        words = words_of(envelope)
        if envelope.kind == EPOCH_KIND or words in known:
            continue
        known.add(words)
        again = msgspec.structs.replace(
            envelope,
            epoch=epoch,
            seq=len(entries) + 1,
            prev=entries[-1].hash,
            heard=heard,
            ref=None if envelope.ref is None else renamed.get(envelope.ref, envelope.ref),
        )
        entries.append(_outgoing(again))
        renamed[hash_of(envelope_bytes(envelope))] = entries[-1].hash
    return tuple(entries)


def _outgoing(envelope: Envelope) -> OutgoingEntry:
    data = envelope_bytes(envelope)
    return OutgoingEntry(envelope, data, hash_of(data))
