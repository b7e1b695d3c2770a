"""Alerts about what was said by voice: heard and not authentic yet, or otherwise than signed.

Both ends note what was said; both nodes hold every note against the signed message as soon as they
have the two, so a difference alarms at both desks.
"""

from collections.abc import Callable
from typing import Any

from deconflict.line.envelope import Envelope
from deconflict.line.moment import Now
from deconflict.messages.bodies import Voice, VoiceSide
from deconflict.messages.kinds import Kind
from deconflict.messages.said import Said, joined, said
from deconflict.messages.values import spoken_id
from deconflict.messages.voice import check_digits, heard_differs, is_urgent, voice_said
from deconflict.node.alerts import AlertKey
from deconflict.node.book import Taken
from deconflict.node.line import Line, read_body
from deconflict.node.tell.desk import Desk
from deconflict.node.voices import Note, Signed

__all__ = ["VoiceTeller"]


class VoiceTeller:
    """Turns notes of speech into alerts.

    Args:
        desk: where alerts go.
        message_at: finds hash and envelope of a slot in the record: the line, whether of our chain,
            the number; None when it is not there.
    """

    def __init__(
        self,
        desk: Desk,
        message_at: Callable[[Line, bool, int], tuple[str, Envelope] | None],
    ) -> None:
        self._desk = desk
        self._message_at = message_at

    def noted(self, line: Line, taken: Taken, now: Now) -> tuple[Said, ...]:
        """Look at a VOICE message of either side; return what an own one's author should know."""
        if not isinstance(taken.body, Voice):
            return ()
        note = Note(taken.body, taken.own, taken.envelope.drill)
        signed = self._signed(line, note)
        if signed is not None:
            self._compare(line, note, signed, now)
        elif note.ours:
            self._not_ours(line, note, now)
        elif note.by_us:
            self._heard(line, note, now)
        right = check_digits(note.body.said, drill=note.drill) == note.body.check
        return () if right else (said("VOICE_CHECK_WRONG"),)

    def passed(self, line: Line, taken: Taken, now: Now) -> None:
        """Hold what was noted of a message against it, once it is in its chain."""
        notes = line.book.voices.notes_of(taken.envelope.seq, own=taken.own)
        if not notes:
            return
        signed = line.book.voices.recent(taken.envelope.seq, own=taken.own)
        if signed is None:
            return  # nobody here can read it, and people are told so; what was heard stays open
        if not taken.own:
            number = str(taken.envelope.seq)
            self._desk.close("VOICE_HEARD", line.line_id, number, now.utc_ms)
        for note in notes:
            self._compare(line, note, signed, now)

    def _signed(self, line: Line, note: Note) -> Signed | None:
        number = note.body.number
        recent = line.book.voices.recent(number, own=note.ours)
        if recent is not None:
            return recent
        found = self._message_at(line, note.ours, number)
        body = None if found is None else read_body(found[1])
        if found is None or body is None:
            return None
        message_hash, envelope = found
        return Signed(Kind(envelope.kind), body, message_hash, envelope.drill)

    def _compare(self, line: Line, note: Note, signed: Signed, now: Now) -> None:
        author, by = (line.book.party_of(own=own) for own in (note.ours, note.by_us))
        key = AlertKey("VOICE_DIFFERS", line.line_id, signed.hash, by)
        differs = heard_differs(
            note.body,
            signed.kind,
            signed.body,
            party=author,
            message_hash=signed.hash,
            drills=(note.drill, signed.drill),
        )
        if not differs:
            self._desk.alerts.close(key, now_ms=now.utc_ms)
            return
        differences = joined(
            [
                {"say": said("VOICE_DIFFERENCE", each._asdict()), "or": each.field}
                for each in differs
            ]
        )
        self._desk.tell(
            key,
            {
                "party": author,
                "number": note.body.number,
                "message": signed.hash,
                "by": by,
                "differences": differences,
            },
            drill=note.drill and signed.drill,
            urgency="FLASH" if is_urgent(note.body.said) else "IMMEDIATE",
            now_ms=now.utc_ms,
            facts={"fields": [each.field for each in differs]},
        )

    def _heard(self, line: Line, note: Note, now: Now) -> None:
        text = {"say": voice_said(note.body.said), "or": "VOICE_HEARD"}
        self._desk.tell(
            AlertKey("VOICE_HEARD", line.line_id, str(note.body.number)),
            {**_named(line, note), "at": note.body.at_utc, "text": text},
            drill=note.drill,
            urgency="FLASH" if is_urgent(note.body.said) else "IMMEDIATE",
            now_ms=now.utc_ms,
        )

    def _not_ours(self, line: Line, note: Note, now: Now) -> None:
        # Our own note of a message of ours cites it, so only the peer can note what we never said.
        if note.by_us or note.body.side is VoiceSide.SAID:
            return
        self._desk.tell(
            AlertKey("VOICE_NOT_SENT", line.line_id, str(note.body.number), note.body.message),
            _named(line, note),
            drill=note.drill,
            urgency="FLASH" if is_urgent(note.body.said) else "IMMEDIATE",
            now_ms=now.utc_ms,
        )


def _named(line: Line, note: Note) -> dict[str, Any]:
    return {
        "peer": line.peer,
        "number": note.body.number,
        "message": spoken_id(note.body.message),
    }
