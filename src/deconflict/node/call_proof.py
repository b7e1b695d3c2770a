"""What a record proves of calls and readouts, to somebody who holds nothing but the record.

Every message here is signed by its author, as all of a record. So the same text stands in a signed
proposal of one side and in a signed agreement of the other, or it is not agreed.
"""

from dataclasses import dataclass, field, replace
from typing import Final

from deconflict.line.envelope import Envelope
from deconflict.messages.kinds import Kind
from deconflict.messages.talks import (
    CallRecord,
    Readout,
    ReadoutText,
    ReadoutWithheld,
    differing_record_fields,
    readout_hash,
)
from deconflict.node.call_views import RecordView, by_language, record_view
from deconflict.node.line import read_body
from deconflict.node.talking import READOUT_KINDS

__all__ = ["CALL_KINDS", "CallProof", "VerifiedCall", "VerifiedReadout"]

CALL_KINDS: Final[frozenset[str]] = READOUT_KINDS | {Kind.TALK_ACCEPT, Kind.CALL_RECORD}
# Of a record with more readouts than this, only the hashes of the later ones are told.
_TEXTS_KEPT: Final = 1_000


@dataclass(frozen=True, slots=True)
class VerifiedReadout:
    """A readout and who signed it.

    ``state`` is AGREED (both signed these bytes), PROPOSED (one did, and the other did not),
    OWN or WITHHELD. ``late``: the exporter logged one of the messages after its expiry, and says
    that it was not acted on.
    """

    state: str
    signed_by: tuple[str, ...]
    readout_hash: str | None
    messages: tuple[str, ...]
    late: bool = False
    drill: bool = False
    texts: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VerifiedCall:
    """What both sides signed of one call; of two records that differ, none is chosen.

    ``records`` holds the newest of each side.
    """

    call_id: str
    records: tuple[RecordView, ...]
    differing: tuple[str, ...]
    readouts: tuple[VerifiedReadout, ...]


@dataclass(slots=True)
class _Said:
    """One message about a call."""

    hash: str
    party: str
    kind: Kind
    ref: str | None
    body: CallRecord | ReadoutText | ReadoutWithheld
    late: bool
    drill: bool

    @property
    def readout(self) -> Readout | None:
        return self.body.readout if isinstance(self.body, ReadoutText) else None


class CallProof:
    """Takes the verified entries of a record, party by party; tells what they prove of calls."""

    def __init__(self) -> None:
        self._refs: dict[str, str | None] = {}  # acceptance or record -> what it cites
        self._said: list[_Said] = []

    def take(self, envelope: Envelope, message_hash: str, party: str, *, late: bool) -> None:
        """Look at one entry whose signature holds; what is about no call is passed over."""
        if envelope.kind not in CALL_KINDS:
            return
        kind = Kind(envelope.kind)
        if kind is Kind.TALK_ACCEPT:
            self._refs[message_hash] = None
            return
        body = read_body(envelope)
        if isinstance(body, CallRecord | ReadoutText | ReadoutWithheld):
            if isinstance(body, CallRecord):
                self._refs[message_hash] = envelope.ref
            self._said.append(
                _Said(message_hash, party, kind, envelope.ref, body, late, envelope.drill)
            )

    def report(self) -> tuple[VerifiedCall, ...]:
        """Return the calls of which anything was said, in the order of the record."""
        by_call: dict[str, list[_Said]] = {}
        for said in self._said:
            by_call.setdefault(self._call_of(said), []).append(said)
        texts_left = _TEXTS_KEPT
        calls = []
        for call_id, about in by_call.items():
            readouts = _readouts(about, texts_left)
            texts_left -= len(readouts)
            records = {
                said.party: (said.hash, said.body)
                for said in about
                if isinstance(said.body, CallRecord)
            }
            bodies = [body for _, body in records.values()]
            calls.append(
                VerifiedCall(
                    call_id=call_id,
                    records=tuple(
                        record_view(party, message, body)
                        for party, (message, body) in records.items()
                    ),
                    differing=differing_record_fields(*bodies) if len(bodies) == 2 else (),
                    readouts=readouts,
                )
            )
        return tuple(calls)

    def _call_of(self, said: _Said) -> str:
        if isinstance(said.body, ReadoutText):
            return said.body.readout.call
        if isinstance(said.body, ReadoutWithheld):
            return said.body.call
        # A message cites only what was there before it, so this ends.
        name = said.hash
        while (cited := self._refs.get(name)) is not None and cited in self._refs:
            name = cited
        return name


def _readouts(about: list[_Said], texts_left: int) -> tuple[VerifiedReadout, ...]:
    proposals = {said.hash: said for said in about if said.kind is Kind.READOUT_PROPOSE}
    agreed: dict[str, _Said] = {}  # proposal -> agreement
    for said in about:
        proposal = proposals.get(said.ref or "")
        if (
            said.kind is Kind.READOUT_AGREE
            and proposal is not None
            and proposal.party != said.party
            and proposal.readout == said.readout
        ):
            agreed[proposal.hash] = said
    found = []
    for said in about:
        if said.kind is Kind.READOUT_PROPOSE and said.hash in agreed:
            found.append(_readout("AGREED", (said, agreed[said.hash])))
        elif said.kind in _ALONE:
            found.append(_readout(_ALONE[said.kind], (said,)))
    return tuple(
        one if place < texts_left else _without_texts(one) for place, one in enumerate(found)
    )


_ALONE: Final = {
    Kind.READOUT_PROPOSE: "PROPOSED",
    Kind.READOUT_OWN: "OWN",
    Kind.READOUT_WITHHELD: "WITHHELD",
}


def _readout(state: str, said: tuple[_Said, ...]) -> VerifiedReadout:
    readout = said[0].readout
    return VerifiedReadout(
        state=state,
        signed_by=tuple(each.party for each in said),
        readout_hash=None if readout is None else readout_hash(readout),
        messages=tuple(each.hash for each in said),
        late=any(each.late for each in said),
        drill=any(each.drill for each in said),
        texts={} if readout is None else by_language(readout.texts),
    )


def _without_texts(one: VerifiedReadout) -> VerifiedReadout:
    return replace(one, texts={})
