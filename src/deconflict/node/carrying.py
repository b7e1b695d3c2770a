"""Messages of a line taken along and brought in by people, when no network is there.

What is carried is what the network would carry, and what is brought is heard as what the network
brings: there is one way into the record, and one set of checks on it.
"""

import asyncio
import base64
from collections.abc import Sequence

from deconflict.airspace.instant import format_utc, nearest_utc_ms
from deconflict.errors import (
    DeconflictError,
    InvalidInputError,
    LineStateError,
    WrongLineError,
    WrongSenderError,
)
from deconflict.line.envelope import Envelope, SealedEnvelope, read_envelope
from deconflict.line.incoming import Outcome
from deconflict.line.packets import MAX_BODY_BYTES
from deconflict.line.parcel import ParcelHead, decode_parcel, encode_parcel
from deconflict.messages.words import LANGUAGES
from deconflict.node.actor import Action, Actor, require
from deconflict.node.core import Heard
from deconflict.node.exports import Export, parcel_waits
from deconflict.node.line import Line
from deconflict.node.parcels import choose, standing
from deconflict.node.releasing import Releasing
from deconflict.node.show import message_view
from deconflict.node.views import (
    CarriedMessage,
    JudgedMessage,
    ParcelView,
    RefusedView,
    TakenView,
)
from deconflict.store.base import EntryRow

__all__ = ["Carrying"]

_OUTCOMES = {
    Outcome.LOGGABLE: "NEW",
    Outcome.DUPLICATE: "HELD_BEFORE",
    Outcome.HELD: "WAITING",
    Outcome.REFUSED: "NO_ROOM",
    Outcome.BEYOND_WINDOW: "TOO_FAR",
    Outcome.ORPHAN: "OTHER_EPOCH",
    Outcome.EPOCH_REFUSED: "EPOCH_REFUSED",
    Outcome.KEY_REFUSED: "KEY_REFUSED",
    Outcome.NOT_NOW: "NOT_NOW",
}
_VIEWS_AT_ONCE = 20


class Carrying(Releasing):
    """A running node whose messages also go by other bearers than the network."""

    async def make_parcel(
        self,
        actor: Actor,
        line: str,
        *,
        since_seq: int | None = None,
        message: str | None = None,
        max_bytes: int | None = None,
    ) -> ParcelView:
        """Return what the peer of a line has not receipted, to be carried to it.

        Nothing counts as sent by it: retries, limits and alerts go on as they are.

        Args:
            actor: who asks.
            line: its id or its peer.
            since_seq: from this own message on instead, receipted or not.
            message: this own message alone.
            max_bytes: of packets; None for the most that one parcel holds.

        Raises:
            InvalidInputError: both of the two are asked for, or more than a parcel can hold.
            NotReleasedError: a second person has to release it (:mod:`deconflict.node.exports`).
            As :func:`deconflict.node.parcels.choose`.
        """
        require(actor, Action.SEND)
        held = self._core.line_named(line)
        limit = MAX_BODY_BYTES if max_bytes is None else max_bytes
        if since_seq is not None and message is not None:
            raise InvalidInputError(
                "a parcel holds one message, or all from a number on", expected="one of the two"
            )
        if not 1 <= limit <= MAX_BODY_BYTES:
            raise InvalidInputError(
                "no parcel has this size",
                given=str(limit),
                expected=f"1 to {MAX_BODY_BYTES}",
            )
        if held.machine.resync.mute:
            raise LineStateError(
                "this node is mute on this line: nothing of it may leave, by any bearer",
                given=held.peer,
                expected="its record to be completed from the peer's",
                remedy="bring the network back, or warn by voice; a cease request or safety "
                "message said now can be carried three seconds later",
            )
        now = self._now
        state = standing(held, now)
        chosen = await asyncio.to_thread(
            choose,
            self._store,
            held,
            self._core.keys,
            state,
            since_seq=since_seq,
            message=message,
            max_bytes=limit,
        )
        if parcel_waits(read_envelope(row.data) for row in chosen.rows):
            self.require_exportable(actor, line, Export.PARCEL)
        made_utc = format_utc(now.utc_ms)
        data = encode_parcel(
            chosen.packets,
            line=held.line_id,
            sender=self._core.party,
            to=held.peer,
            made_utc=made_utc,
        )
        await self._note(actor, held, "MADE", len(chosen.rows))
        languages = self._languages(held)
        first_left = (
            chosen.rows[-1].seq + 1 if chosen.rows else since_seq or state.receipted_seq + 1
        )
        return ParcelView(
            line_id=held.line_id,
            from_party=self._core.party,
            to_party=held.peer,
            made_utc=made_utc,
            data=base64.b64encode(data).decode("ascii"),
            languages=languages,
            messages=await self._carried(held, chosen.rows, languages),
            receipt_seq=state.receipt_seq,
            checkpoint=chosen.checkpoint,
            cosignature=chosen.cosignature,
            left_out=chosen.left_out,
            left_out_from_seq=first_left if chosen.left_out and message is None else None,
            left_out_bytes=chosen.left_out_bytes,
        )

    async def take_parcel(self, actor: Actor, line: str, data: bytes) -> TakenView:
        """Hear a parcel of the peer, packet by packet, up to the first that is refused.

        Raises:
            InvalidDocumentError: it is no parcel, or damaged; nothing of it was taken.
            WrongLineError, WrongSenderError: it says itself that it is for somebody else.
        """
        require(actor, Action.SEND)
        held = self._core.line_named(line)
        parcel = await asyncio.to_thread(decode_parcel, data)
        self._require_ours(held, parcel.head)
        turns = await self._runtime.take(held.peer, held.line_id, parcel.packets)
        unlogged = [found for heard in turns for found in heard.unlogged]
        in_time = [sealed for sealed, late in unlogged if not late]
        if in_time:
            await self._runtime.commit(self._core.show_brought(held.line_id, in_time, self._now))
        judged = await self._judged(held, turns, actor.language)
        new = sum(1 for message in judged if message.outcome == "NEW")
        await self._note(actor, held, "TAKEN", new)
        gap = held.machine.missing_from_peer()
        receipted, logged = held.machine.own_receipted, held.machine.peer_logged
        own = held.machine.own_head
        error = turns[-1].error
        looked_at = sum(heard.looked_at for heard in turns)
        return TakenView(
            line_id=held.line_id,
            from_party=held.peer,
            made_utc=parcel.head.made_utc,
            messages=judged,
            newly_receipted=sum(heard.receipted for heard in turns),
            own_seq=0 if own is None else own.seq,
            receipted_seq=0 if receipted is None else receipted.seq,
            peer_seq=0 if logged is None else logged.seq,
            missing_first_seq=None if gap is None else gap[0],
            missing_last_seq=None if gap is None else gap[1],
            refused=None if error is None else _refused(error),
            not_looked_at=len(parcel.packets) - looked_at,
        )

    # ---- inside ---------------------------------------------------------------------------

    def _require_ours(self, line: Line, head: ParcelHead) -> None:
        """Refuse a parcel that names another line, or our own. It says so unsigned, so this helps
        who mixed up two files; what holds a liar off is what each packet is verified against."""
        if head.line != line.line_id:
            raise WrongLineError(
                "this parcel is of another line",
                given=f"from {head.sender} to {head.to}, line {head.line[:16]}…",
                expected=f"from {line.peer}, line {line.line_id[:16]}…",
                remedy="name the party that made it, or look which file was meant",
            )
        if (head.sender, head.to) != (line.peer, self._core.party):
            own = head.sender == self._core.party
            raise WrongSenderError(
                "this parcel was made by this side, for the other" if own else "wrong parties",
                given=f"from {head.sender} to {head.to}",
                expected=f"from {line.peer} to {self._core.party}",
                remedy="bring it to the other side, and take what that side carries back",
            )

    def _languages(self, line: Line) -> tuple[str, ...]:
        own = self._core.language
        terms = line.book.terms
        agreed: tuple[str, ...] = ()
        if terms is not None:
            agreed = tuple(
                language
                for party in (line.peer, self._core.party)
                for language in terms.party(party).languages
            )
        return tuple(dict.fromkeys(one for one in (*agreed, own) if one in LANGUAGES))

    async def _carried(
        self, line: Line, rows: Sequence[EntryRow], languages: tuple[str, ...]
    ) -> tuple[CarriedMessage, ...]:
        carried = []
        for row in rows:
            views = {
                language: message_view(line, row, language, self._core.envelope_of)
                for language in languages
            }
            view = views[languages[0]]
            carried.append(
                CarriedMessage(
                    hash=view.hash,
                    seq=view.seq,
                    kind=view.kind,
                    precedence=view.precedence,
                    drill=view.drill,
                    created_utc=view.created_utc,
                    expires_utc=_expiry(read_envelope(row.data)),
                    texts={language: each.text for language, each in views.items()},
                )
            )
            if len(carried) % _VIEWS_AT_ONCE == 0:
                await asyncio.sleep(0)
        return tuple(carried)

    async def _judged(
        self, line: Line, turns: Sequence[Heard], language: str
    ) -> tuple[JudgedMessage, ...]:
        """Return what became of each message, and of those that waited for one of them."""
        outcomes = {
            sealed.hash: (sealed, _OUTCOMES[outcome])
            for heard in turns
            for sealed, outcome in heard.judged
        }
        for heard in turns:
            for entry in heard.entries:
                outcomes[entry.hash] = (entry.sealed, "NEW")
        late = {sealed.hash: late for heard in turns for sealed, late in heard.unlogged}
        judged = []
        for sealed, outcome in outcomes.values():
            judged.append(self._judgement(line, sealed, outcome, late.get(sealed.hash), language))
            if len(judged) % _VIEWS_AT_ONCE == 0:
                await asyncio.sleep(0)
        return tuple(sorted(judged, key=lambda message: message.seq))

    def _judgement(
        self,
        line: Line,
        sealed: SealedEnvelope,
        outcome: str,
        late: bool | None,
        language: str,
    ) -> JudgedMessage:
        row = self._store.entry(sealed.hash)
        if row is None:
            envelope = read_envelope(sealed.data)
            # The peer's word, though not logged yet: whoever carried it here is to read it.
            text = "" if late is None else self._core.words_of(envelope, language)
            return JudgedMessage(
                sealed.hash, envelope.seq, envelope.kind, outcome, delayed=late or False, text=text
            )
        view = self._message_view(line, row, language)
        return JudgedMessage(
            sealed.hash, view.seq, view.kind, outcome, delayed=view.delayed, text=view.text
        )

    async def _note(self, actor: Actor, line: Line, what: str, messages: int) -> None:
        event = {
            "line_id": line.line_id,
            "state": what,
            "messages": messages,
            "desk": actor.desk,
        }
        await self._runtime.commit(self._core.note_parcel(event, self._now))


def _refused(error: DeconflictError) -> RefusedView:
    return RefusedView(
        type(error).__name__, error.problem, error.given, error.expected, error.remedy
    )


def _expiry(envelope: Envelope) -> str | None:
    if envelope.expires_after_ms is None:
        return None
    return format_utc(nearest_utc_ms(envelope.created_utc_ms + envelope.expires_after_ms))
