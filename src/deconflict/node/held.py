"""What one person wrote and a second has to release before it is said (R43).

It is kept in the node's record, beside the chains: nothing of it is signed or leaves the node until
it is released. What it was written against may change meanwhile; then it is refused at its release,
and has to be written anew.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec

from deconflict.airspace.instant import format_utc
from deconflict.errors import LineStateError, NotFoundError, NotPermittedError
from deconflict.line.keys import SigningKey
from deconflict.line.precedence import Precedence
from deconflict.messages.agreement import sign_terms
from deconflict.messages.bodies import (
    Body,
    Cancel,
    Declared,
    TermsMessage,
    body_to_wire,
    parse_body,
)
from deconflict.messages.kinds import KINDS, Kind
from deconflict.messages.terms import terms_from_wire, terms_to_wire
from deconflict.node.actor import Action, Actor, require
from deconflict.node.line import Line
from deconflict.node.notes import note_of, read_notes
from deconflict.node.saying import Say
from deconflict.node.talking import READOUT_KINDS, TALK_KINDS
from deconflict.store.base import NoteRow

__all__ = ["NOTE", "Held", "HeldBook", "HeldSay", "needs_second_person", "require_as_written"]

NOTE: Final = "held/"
_ID_BYTES: Final = 4
MOST_HELD: Final = 1_000


class HeldSay(msgspec.Struct, frozen=True):
    """One message as it would be said, in JSON values."""

    line_id: str
    kind: Kind
    body: dict[str, Any]
    desk: str
    ref: str | None
    precedence: Precedence | None
    to_desk: str | None
    drill: bool
    release: str
    lang: str
    expires_after_ms: int | None
    answer_within_ms: int | None

    @classmethod
    def of(cls, line_id: str, say: Say) -> "HeldSay":
        """Return a message to be held. Of terms the text alone: they are signed at the release."""
        body = (
            {"terms": terms_to_wire(say.body.terms)}
            if isinstance(say.body, TermsMessage)
            else body_to_wire(say.body)
        )
        return cls(
            line_id=line_id,
            kind=say.kind,
            body=body,
            desk=say.desk,
            ref=say.ref,
            precedence=say.precedence,
            to_desk=say.to_desk,
            drill=bool(say.drill),
            release=say.release,
            lang=say.lang,
            expires_after_ms=say.expires_after_ms,
            answer_within_ms=say.answer_within_ms,
        )

    def say(self, key: SigningKey) -> Say:
        """Return the message as it is said now."""
        body: Body
        if "terms" in self.body:
            terms = terms_from_wire(self.body["terms"])
            body = TermsMessage(terms=terms, signature=sign_terms(terms, key))
        else:
            body = parse_body(self.kind, self.body)
        return Say(
            kind=self.kind,
            body=body,
            desk=self.desk,
            ref=self.ref,
            precedence=self.precedence,
            to_desk=self.to_desk,
            drill=self.drill,
            release=self.release,
            lang=self.lang,
            expires_after_ms=self.expires_after_ms,
            answer_within_ms=self.answer_within_ms,
        )


class Held(msgspec.Struct, frozen=True):
    """Messages that are released together or not at all.

    Attributes:
        held_id: how people name it.
        by: the account that wrote them; it never leaves the node.
        at_utc: when.
        says: in the order in which they are said.
    """

    held_id: str
    by: str
    at_utc: str
    says: tuple[HeldSay, ...]

    def require_allowed(self, actor: Actor) -> None:
        """Return when this person may say such things.

        Raises:
            NotPermittedError: their role does not.
        """
        for say in self.says:
            require(actor, _action(say.kind))

    def require_releasable(self, actor: Actor) -> None:
        """Return when this person may release it.

        Raises:
            NotPermittedError: it is their own, or their role does not say such things.
        """
        self.require_allowed(actor)
        if actor.account == self.by:
            raise NotPermittedError(
                "who wrote this cannot release it",
                given=f"{self.held_id}, written by {self.by}",
                expected="another account with that right",
                remedy="ask a second person to look at it and release it",
            )


class HeldBook:
    """Everything that waits for a second person.

    Args:
        notes: what the record keeps under :data:`NOTE`.
        random_bytes: makes names.
    """

    def __init__(self, notes: Iterable[NoteRow], random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes
        self._held = read_notes(notes, NOTE, Held)

    def list(self) -> tuple[Held, ...]:
        """Return all of it, the oldest first."""
        return tuple(sorted(self._held.values(), key=lambda held: held.at_utc))

    def hold(self, actor: Actor, says: Sequence[tuple[str, Say]], now_ms: int) -> Held:
        """Keep messages, each with its line, until somebody releases or withdraws them.

        Raises:
            LineStateError: too many wait already.
        """
        if len(self._held) >= MOST_HELD:
            raise LineStateError(
                "too much waits for a second person",
                given=f"{len(self._held):,} held",
                remedy="release or withdraw some: deconflict line release",
            )
        held = Held(
            held_id=self._random_bytes(_ID_BYTES).hex(),
            by=actor.account,
            at_utc=format_utc(now_ms),
            says=tuple(HeldSay.of(line_id, say) for line_id, say in says),
        )
        self._held[held.held_id] = held
        return held

    def get(self, held_id: str) -> Held:
        """Return what is held under this name.

        Raises:
            NotFoundError: nothing is.
        """
        held = self._held.get(held_id)
        if held is None:
            raise NotFoundError(
                "nothing is held under this name: it was released, withdrawn, or never there",
                given=held_id[:20],
                expected=", ".join(self._held)[:120] or "nothing is held",
                remedy="deconflict line release lists what is",
            )
        return held

    def drop(self, held: Held) -> None:
        """Hold it no longer: it is being said, or was withdrawn."""
        del self._held[held.held_id]

    @staticmethod
    def kept(held: Held) -> NoteRow:
        """Return what keeps it across a restart."""
        return note_of(NOTE, held.held_id, held)

    @staticmethod
    def gone(held: Held) -> NoteRow:
        """Return what forgets it."""
        return note_of(NOTE, held.held_id, None)


def needs_second_person(line: Line, kind: Kind, release_persons: int) -> bool:
    """True exactly when a message of this kind needs two: by the node's settings, or the terms.

    Args:
        line: where it would be said.
        kind: of the message.
        release_persons: how many this party wants for declarations, terms and readouts.
    """
    if kind is Kind.ANSWER and line.book.terms is not None:
        return line.book.terms.party(line.book.own).answer_persons > 1
    return KINDS[kind].two_persons and release_persons > 1


def require_as_written(line: Line, say: Say, now_ms: int) -> None:
    """Return when what a message was written against is still so.

    Raises:
        LineStateError: it is not; said now, it would say something else than was meant.
    """
    book = line.book
    match say.body:
        case Declared(value=declaration):
            held = book.picture.get(f"{book.own}/{declaration.declaration_id}")
            if declaration.span.end_ms < now_ms:
                raise _changed("what it declares is over")
            if (held.message_hash if held else None) != say.ref:
                raise _changed("the declaration has been changed or ended since")
        case Cancel(declaration_id=declaration_id):
            held = book.picture.get(f"{book.own}/{declaration_id}")
            if held is None or held.message_hash != say.ref:
                raise _changed("the declaration has been changed or ended since")
        case TermsMessage() if say.kind is Kind.TERMS_ACCEPT:
            if book.proposal is None or book.proposal.message_hash != say.ref:
                raise _changed("another text is proposed now")
        case TermsMessage():
            if say.body.terms.replaces != book.terms_hash:
                raise _changed("other terms are in force now")


def _changed(problem: str) -> LineStateError:
    return LineStateError(
        f"this can no longer be released as it was written: {problem}",
        remedy="withdraw it and write it anew: deconflict line release ID --withdraw",
    )


def _action(kind: Kind) -> Action:
    if kind in (Kind.TERMS_PROPOSE, Kind.TERMS_ACCEPT):
        return Action.TERMS
    if kind in READOUT_KINDS:
        return Action.READOUT
    if kind in TALK_KINDS:
        return Action.TALK
    return Action.DECLARE if KINDS[kind].two_persons else Action.SEND
