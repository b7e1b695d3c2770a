"""Calls that were held: what each side records, and what is said of them to others.

A call is named by the acceptance that arranged it, or else by the first message that recorded it.
Each side's newest record counts; two that differ are shown side by side and none is chosen (R29).
A readout is agreed when both sides signed the same bytes; else each side may say its own, or that
details are withheld (R30).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from deconflict.messages.bodies import Body
from deconflict.messages.kinds import Kind
from deconflict.messages.talks import (
    CallRecord,
    Readout,
    ReadoutText,
    ReadoutWithheld,
    TalkFault,
    differing_record_fields,
    readout_hash,
)

__all__ = ["Call", "CallBook", "KeptCall", "Proposed", "Recorded", "Stated"]

_CALLS_KEPT: Final = 256
_MESSAGES_KEPT: Final = 64  # of one call that can be cited
_PROPOSALS_KEPT: Final = 16  # of each side; an older one can no longer be agreed to


class Recorded(msgspec.Struct, frozen=True):
    """One side's record of a call, and the message that said it."""

    hash: str
    body: CallRecord


class Proposed(msgspec.Struct, frozen=True):
    """A readout that one side proposed or stated."""

    hash: str
    by: str
    readout: Readout

    @property
    def readout_hash(self) -> str:
        """The name of the text."""
        return readout_hash(self.readout)


class Stated(msgspec.Struct, frozen=True):
    """What one side says alone: its own readout, or None where it withholds details."""

    hash: str
    readout: Readout | None


class KeptCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One call as values: the attributes of a :class:`Call`."""

    call_id: str
    drill: bool
    records: Mapping[str, Recorded]
    proposals: tuple[Proposed, ...]
    waiting: Mapping[str, Proposed]
    agreed: tuple[Readout, ...]
    stated: Mapping[str, Stated]
    messages: tuple[str, ...]
    told_by: tuple[str, ...]


class Call:
    """One call that was held or is said to have been.

    Attributes:
        call_id: what names it.
        drill: exercise only.
        records: by party, the newest.
        proposals: readouts proposed and not agreed to, by message; a newer one takes none back,
            since an agreement may cross it, and then both have signed those bytes.
        waiting: by party, the newest of them that the other side has not answered.
        agreed: readouts that both signed, by their hash, oldest first.
        stated: by party, the newest that it said alone.
    """

    def __init__(self, call_id: str, *, drill: bool) -> None:
        self.call_id = call_id
        self.drill = drill
        self.records: dict[str, Recorded] = {}
        self.proposals: dict[str, Proposed] = {}
        self.waiting: dict[str, Proposed] = {}
        self.agreed: dict[str, Readout] = {}
        self.stated: dict[str, Stated] = {}
        self.messages: dict[str, None] = {call_id: None}
        self.told_by: set[str] = set()

    def differing(self, time_tolerance_ms: int = 0) -> tuple[str, ...]:
        """Return the fields in which both sides' records differ; none while one is missing."""
        records = [held.body for held in self.records.values()]
        if len(records) != 2:
            return ()
        return differing_record_fields(*records, time_tolerance_ms=time_tolerance_ms)


class CallBook:
    """The calls of one line, as its record leaves them.

    Args:
        parties: both of the line.
    """

    def __init__(self, parties: tuple[str, str]) -> None:
        self._parties = frozenset(parties)
        self._calls: dict[str, Call] = {}
        self._of: dict[str, str] = {}  # message -> call

    def __iter__(self) -> Iterator[Call]:
        return iter(tuple(self._calls.values()))

    def kept(self) -> tuple[KeptCall, ...]:
        """Return all of it as values."""
        return tuple(
            KeptCall(
                call_id=call.call_id,
                drill=call.drill,
                records=dict(call.records),
                proposals=tuple(call.proposals.values()),
                waiting=dict(call.waiting),
                agreed=tuple(call.agreed.values()),
                stated=dict(call.stated),
                messages=tuple(call.messages),
                told_by=tuple(sorted(call.told_by)),
            )
            for call in self._calls.values()
        )

    def take_up(self, kept: Iterable[KeptCall]) -> None:
        """Go on from what was kept of a book; only of one that is new."""
        for each in kept:
            call = Call(each.call_id, drill=each.drill)
            call.records.update(each.records)
            call.proposals.update({held.hash: held for held in each.proposals})
            call.waiting.update(each.waiting)
            call.agreed.update({readout_hash(readout): readout for readout in each.agreed})
            call.stated.update(each.stated)
            call.messages = dict.fromkeys(each.messages)
            call.told_by.update(each.told_by)
            self._calls[call.call_id] = call
            self._of.update(dict.fromkeys(each.messages, call.call_id))

    def is_recorded_by(self, party: str, call_id: str) -> bool:
        """True exactly when a party has recorded that this call was held."""
        call = self._calls.get(call_id)
        return call is not None and party in call.records

    def arranged(self, acceptance: str, *, drill: bool) -> None:
        """Note an acceptance that holds: a call has that name from now on."""
        self._call(acceptance, drill=drill).told_by.update(self._parties)

    def call_of(self, message_hash: str | None) -> str | None:
        """Return the call to which a message belongs; None when it belongs to none known here."""
        return None if message_hash is None else self._of.get(message_hash)

    def fault(self, body: Body | None, *, kind: Kind, ref: str | None, by: str) -> TalkFault | None:
        """Return why a message says nothing of a call; None when it does, or is about none."""
        if isinstance(body, CallRecord):
            if not self._parties.issuperset(body.participants):
                return TalkFault.NOT_A_PARTY
            return TalkFault.UNKNOWN_CALL if ref is not None and self.call_of(ref) is None else None
        if not isinstance(body, ReadoutText | ReadoutWithheld):
            return None
        call_id = self.call_of(ref)
        if call_id is None:
            return TalkFault.UNKNOWN_CALL
        named = body.readout.call if isinstance(body, ReadoutText) else body.call
        if named != call_id:
            return TalkFault.OTHER_CALL
        if kind is Kind.READOUT_AGREE and isinstance(body, ReadoutText):
            return self._fault_of_agreement(self._calls[call_id], body.readout, ref, by)
        return None

    def _fault_of_agreement(
        self, call: Call, readout: Readout, ref: str | None, by: str
    ) -> TalkFault | None:
        proposed = call.proposals.get(ref or "")
        if proposed is None:
            return TalkFault.NOT_STANDING
        if proposed.by == by:
            return TalkFault.OWN_OFFER
        same = readout_hash(readout) == proposed.readout_hash
        return None if same else TalkFault.OTHER_TEXT

    def take(
        self, kind: Kind, body: Body, message_hash: str, *, ref: str | None, by: str, drill: bool
    ) -> tuple[str, ...]:
        """Let a message without fault change its call; return proposals that wait no longer."""
        if not isinstance(body, CallRecord | ReadoutText | ReadoutWithheld):
            return ()
        call = self._call(self.call_of(ref) or message_hash, drill=drill)
        call.told_by.add(by)
        self._cite(call, message_hash)
        match body:
            case CallRecord():
                call.records[by] = Recorded(message_hash, body)
            case ReadoutText(readout=readout) if kind is Kind.READOUT_PROPOSE:
                return self._propose(call, Proposed(message_hash, by, readout), ref)
            case ReadoutText(readout=readout) if kind is Kind.READOUT_AGREE:
                call.agreed[readout_hash(readout)] = readout
                del call.proposals[ref or ""]
                _answered(call, ref)
            case ReadoutText(readout=readout):
                call.stated[by] = Stated(message_hash, readout)
                _answered(call, ref)
            case ReadoutWithheld():
                call.stated[by] = Stated(message_hash, None)
                _answered(call, ref)
        return ()

    @staticmethod
    def _propose(call: Call, proposed: Proposed, ref: str | None) -> tuple[str, ...]:
        _answered(call, ref)
        before = call.waiting.get(proposed.by)
        call.proposals[proposed.hash] = call.waiting[proposed.by] = proposed
        mine = [held.hash for held in call.proposals.values() if held.by == proposed.by]
        for old in mine[:-_PROPOSALS_KEPT]:
            del call.proposals[old]
        return () if before is None else (before.hash,)

    def _call(self, call_id: str, *, drill: bool) -> Call:
        call = self._calls.get(call_id)
        if call is None:
            self._calls[call_id] = call = Call(call_id, drill=drill)
            self._of[call_id] = call_id
            if len(self._calls) > _CALLS_KEPT:
                self._forget_one()
        return call

    def _cite(self, call: Call, message_hash: str) -> None:
        self._of[message_hash] = call.call_id
        call.messages[message_hash] = None
        # Its first message names it, and what stands must stay known.
        standing = {held.hash for held in call.records.values()} | call.proposals.keys()
        for old in tuple(call.messages)[1:-_MESSAGES_KEPT]:
            if old not in standing:
                del call.messages[old], self._of[old]

    def _forget_one(self) -> None:
        """Forget the oldest of too many: first of what one side alone has told."""
        oldest = iter(tuple(self._calls.values())[:-1])
        first = next(oldest)
        call = next((c for c in (first, *oldest) if len(c.told_by) < len(self._parties)), first)
        del self._calls[call.call_id]
        for message_hash in call.messages:
            self._of.pop(message_hash, None)


def _answered(call: Call, ref: str | None) -> None:
    for party, waiting in tuple(call.waiting.items()):
        if waiting.hash == ref:
            del call.waiting[party]
