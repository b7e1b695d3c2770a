"""What this node answered already: pressed again by a nervous hand, it is signed once.

A second signature would say nothing new, would want the peer's eyes again and, of a FLASH, climb a
second ladder. What says something else (another answer, another note, another desk) is no
repetition, and nor is what takes back an answer in between: CEASED, CONTINUING, CEASED are three.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from deconflict.line.envelope import Envelope, read_envelope
from deconflict.messages.bodies import body_to_wire
from deconflict.messages.kinds import Kind
from deconflict.node.chains import StoredChain
from deconflict.node.line import Line
from deconflict.node.saying import Say
from deconflict.store.base import EntryRow, Store

__all__ = ["SaidBefore", "is_first", "is_reply", "said_before", "says_the_same"]

_REPORTS: Final = frozenset((Kind.CEASED, Kind.CONTINUING, Kind.CANNOT_REACH))
# Replies of persons, each with those that would take it back: the last of them counts.
_FAMILIES: Final[Mapping[Kind, frozenset[Kind]]] = {
    **{
        kind: frozenset((kind,))
        for kind in (
            *(Kind.SEEN, Kind.LOADED, Kind.ACK, Kind.ANSWER),
            *(Kind.STANDBY, Kind.READBACK, Kind.LINE_CHECK_REPLY),
        )
    },
    **dict.fromkeys(_REPORTS, _REPORTS),
}
# Who says it, and when: of a repetition both may differ.
_WHO_AND_WHEN: Final = frozenset(("desk", "at_utc"))
# Most replies are to what came a moment ago: few own messages have heard of it. A page takes the
# store 5 ms at most.
_FIRST_PAGE: Final = 16
_MOST_A_PAGE: Final = 4_096


@dataclass(frozen=True, slots=True)
class SaidBefore:
    """The message that says already what is to be said."""

    row: EntryRow
    envelope: Envelope


def is_reply(say: Say) -> bool:
    """True exactly when it is a reply that means the same however often it is said."""
    return say.ref is not None and say.kind in _FAMILIES


def is_first(line: Line, say: Say) -> bool:
    """True exactly when a reply is surely the first of ours of its kind, by what is in memory.

    False where that does not know: the record knows then. A line check that was retyped wrongly
    leaves no mark.
    """
    if say.ref is None:
        return False
    if line.book.threads.is_first(say.kind, say.ref):
        return True
    marks = say.kind in _FAMILIES and say.kind is not Kind.LINE_CHECK_REPLY
    return marks and line.book.handled(say.ref) is None


def said_before(store: Store, line: Line, say: Say) -> SaidBefore | None:
    """Return the own message that says the same of the same message; None when none does.

    Looks back through the own chain until where the message cited had not been heard yet. What
    is no reply to that message is passed over by the store: a repetition of last week's reply has
    a hundred thousand of those before it, and must not keep a desk from what is said now.
    """
    cited = None if say.ref is None else store.entry(say.ref)
    if cited is None or say.kind not in _FAMILIES or cited.party == line.book.own:
        return None
    own = StoredChain(store, line.line_id, line.book.own, line.machine.identity.own_keys)
    replying = f'"ref":"{cited.hash}"'.encode()  # as it stands in the canonical bytes of a reply
    end, page = line.position(line.machine.own_head), _FIRST_PAGE
    while end > 0:
        start = max(0, end - page)
        for row in reversed(own.rows_with(replying, start, end)):
            envelope = read_envelope(row.data)
            if envelope.ref == cited.hash and envelope.kind in _FAMILIES[say.kind]:
                same = envelope.kind == say.kind and says_the_same(envelope.body, say)
                return SaidBefore(row, envelope) if same and _same_desk(envelope, say) else None
        if _unheard(line, cited, own.row_behind(start)):
            return None
        end, page = start, min(page * 4, _MOST_A_PAGE)
    return None


def _unheard(line: Line, cited: EntryRow, row: EntryRow | None) -> bool:
    """True exactly when an own entry shows that a message of the peer was not here yet.

    One that cites nothing of the peer shows nothing: a deaf node cites nothing for a while.
    """
    heard = None if row is None else read_envelope(row.data).heard
    place = line.book.threads.place
    return heard is not None and place(heard.epoch, heard.seq) < place(cited.epoch, cited.seq)


def says_the_same(body: Mapping[str, Any], say: Say) -> bool:
    """True exactly when a body says what is to be said, whoever says it and whenever."""
    return _meant(body) == _meant(body_to_wire(say.body))


def _meant(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in _WHO_AND_WHEN}


def _same_desk(envelope: Envelope, say: Say) -> bool:
    return say.to_desk is None or say.to_desk == envelope.to.desk
