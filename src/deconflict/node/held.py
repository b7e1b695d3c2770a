"""What one person wrote or asked for, and a second has to release (R43).

It is kept in the node's record, beside the chains: nothing of it is signed or leaves the node until
it is released. What a message was written against may change meanwhile; then it is refused at its
release, and has to be written anew. What was asked to be taken away lapses by itself, and so does
its release: the one is not for ever, the other no standing right.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec

from deconflict.airspace.geodesy import distance
from deconflict.airspace.instant import format_utc, parse_utc
from deconflict.airspace.position import Position
from deconflict.errors import (
    LineStateError,
    NotFoundError,
    NotPermittedError,
    NotReleasedError,
)
from deconflict.line.envelope import Envelope
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
from deconflict.messages.declaration import Purpose
from deconflict.messages.kinds import KINDS, Kind, ends_flash
from deconflict.messages.summary import summarise
from deconflict.messages.terms import terms_from_wire, terms_to_wire
from deconflict.node.actor import Action, Actor, require
from deconflict.node.exports import ASKED_MS, RELEASED_MS, Wanted
from deconflict.node.line import Line
from deconflict.node.notes import note_of, read_notes
from deconflict.node.said_before import says_the_same
from deconflict.node.saying import Say
from deconflict.node.talking import READOUT_KINDS, TALK_KINDS
from deconflict.store.base import NoteRow

__all__ = [
    "NOTE",
    "Held",
    "HeldBook",
    "HeldSay",
    "needs_second_person",
    "require_as_written",
    "require_not_overtaken",
    "require_sites_found",
]

NOTE: Final = "held/"
SITE_WITHIN_M: Final = 100.0  # as well as a house is read from a map of 1:50,000, 2 mm on it
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
    """Messages that are released together or not at all; or one thing to be taken away.

    Attributes:
        held_id: how people name it.
        by: the account that wrote or asked; it never leaves the node.
        at_utc: when.
        says: in the order in which they are said.
        desk: of that account.
        export: what is to be taken away; there are no messages then.
        expires_utc: when it lapses; None for messages, which their own times end.
        released_by: the account that released what ``by`` may take away until it lapses.
    """

    held_id: str
    by: str
    at_utc: str
    says: tuple[HeldSay, ...]
    desk: str = ""
    export: Wanted | None = None
    expires_utc: str | None = None
    released_by: str | None = None

    @property
    def waits(self) -> bool:
        """True exactly when nobody has released it."""
        return self.released_by is None

    def lapsed(self, now_ms: int) -> bool:
        """True exactly when it holds no longer."""
        return self.expires_utc is not None and parse_utc(self.expires_utc) <= now_ms

    def require_allowed(self, actor: Actor) -> None:
        """Return when this person may say such things.

        Raises:
            NotPermittedError: their role does not.
        """
        for say in self.says:
            require(actor, _action(say.kind))
        if self.export is not None:
            require(actor, self.export.what.action)

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

    def list(self, now_ms: int) -> tuple[Held, ...]:
        """Return what waits, the oldest first."""
        waiting = (held for held in self._held.values() if held.waits and not held.lapsed(now_ms))
        return tuple(sorted(waiting, key=lambda held: held.at_utc))

    def waiting(self, line_id: str, say: Say, now_ms: int) -> "Held | None":
        """Return what waits alone and says the same of the same message; None when none does."""
        for held in self.list(now_ms):
            if len(held.says) != 1 or held.says[0].line_id != line_id:
                continue
            (written,) = held.says
            if (written.kind, written.ref) == (say.kind, say.ref) and says_the_same(
                written.body, say
            ):
                return held
        return None

    def take_lapsed(self, now_ms: int) -> tuple[Held, ...]:
        """Forget what has lapsed, and return it."""
        lapsed = tuple(held for held in self._held.values() if held.lapsed(now_ms))
        for held in lapsed:
            self.drop(held)
        return lapsed

    def hold(self, actor: Actor, says: Sequence[tuple[str, Say]], now_ms: int) -> Held:
        """Keep messages, each with its line, until somebody releases or withdraws them.

        Raises:
            LineStateError: too many wait already.
        """
        written = tuple(HeldSay.of(line_id, say) for line_id, say in says)
        return self._keep(actor, now_ms, says=written)

    def ask(self, actor: Actor, wanted: Wanted, now_ms: int) -> Held:
        """Keep that somebody wants to take something away, for a day.

        Raises:
            LineStateError: too many wait already.
        """
        expires = format_utc(now_ms + ASKED_MS)
        return self._keep(actor, now_ms, says=(), export=wanted, expires_utc=expires)

    def asked(self, actor: Actor, wanted: Wanted, now_ms: int) -> Held | None:
        """Return what this person asked for before and what holds yet, released first; or None."""
        found = [
            held
            for held in self._held.values()
            if held.export == wanted and held.by == actor.account and not held.lapsed(now_ms)
        ]
        return min(found, key=lambda held: held.waits, default=None)

    def grant(self, held: Held, actor: Actor, now_ms: int) -> Held:
        """Let who asked take it away, for an hour."""
        granted = msgspec.structs.replace(
            held, released_by=actor.account, expires_utc=format_utc(now_ms + RELEASED_MS)
        )
        self._held[held.held_id] = granted
        return granted

    def get(self, held_id: str, now_ms: int) -> Held:
        """Return what waits under this name.

        Raises:
            NotFoundError: nothing does.
        """
        held = self._held.get(held_id)
        if held is None or not held.waits or held.lapsed(now_ms):
            raise NotFoundError(
                "nothing is held under this name: it was released, withdrawn, or never there",
                given=held_id[:20],
                expected=", ".join(held.held_id for held in self.list(now_ms))[:120]
                or "nothing is held",
                remedy="deconflict line release lists what is",
            )
        return held

    def drop(self, held: Held) -> None:
        """Hold it no longer: it is being said, or was withdrawn."""
        del self._held[held.held_id]

    def _keep(
        self,
        actor: Actor,
        now_ms: int,
        *,
        says: tuple[HeldSay, ...],
        export: Wanted | None = None,
        expires_utc: str | None = None,
    ) -> Held:
        count = sum(1 for held in self._held.values() if not held.lapsed(now_ms))
        if count >= MOST_HELD:
            raise LineStateError(
                "too much waits for a second person",
                given=f"{count:,} held",
                remedy="release or withdraw some: deconflict line release",
            )
        held = Held(
            held_id=self._random_bytes(_ID_BYTES).hex(),
            by=actor.account,
            at_utc=format_utc(now_ms),
            says=says,
            desk=actor.desk,
            export=export,
            expires_utc=expires_utc,
        )
        self._held[held.held_id] = held
        return held

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
        release_persons: how many this party wants for declarations, terms and readouts, and for
            what ends a FLASH on both desks.
    """
    if kind is Kind.ANSWER and line.book.terms is not None:
        return line.book.terms.party(line.book.own).answer_persons > 1
    # A CEASE is answered at once by an ACK, which one person says; what says that it is over must
    # not come from one hasty hand.
    return (KINDS[kind].two_persons or ends_flash(kind)) and release_persons > 1


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
        case _ if ends_flash(say.kind):
            if book.threads.get(say.ref or "") is None:
                raise _changed("the cease request is open no longer")
        case TermsMessage():
            if say.body.terms.replaces != book.terms_hash:
                raise _changed("other terms are in force now")


def require_not_overtaken(held: Held, last: Envelope | None) -> None:
    """Return when what was reported last on a cease request came before this was written.

    Raises:
        LineStateError: it came since. Said now, an older word that all has ceased would end what a
            newer one keeps open.
    """
    if last is not None and held.at_utc < last.created_utc:
        raise _changed(f"since then this side reported {last.kind}, at {last.created_utc}")


def require_sites_found(held: Held, says: Iterable[Say], places: Sequence[Position]) -> None:
    """Return when a second person has found every protected site on a map of their own (R38).

    A site that is declared at a wrong place is worse than one that is not declared. Who only looks
    at what is written finds no slip in it, so the place is given again and compared by machine.

    Raises:
        NotReleasedError: a site is declared, and none of these places lies within it.
    """
    for say in says:
        if not isinstance(say.body, Declared):
            continue
        if say.body.value.purpose is not Purpose.PROTECTED_SITE:
            continue
        stated = summarise(say.body.value.geometry)
        reach_m = max(stated.reach_mm / 1000, SITE_WITHIN_M)
        nearest_m = min((distance(stated.position, place) for place in places), default=None)
        if nearest_m is None or nearest_m > reach_m:
            raise NotReleasedError(
                "a protected site is released with its place, read from a map of your own",
                given="no place"
                if nearest_m is None
                else f"{nearest_m:,.0f} m from the place that is written",
                expected=f"at most {reach_m:,.0f} m",
                remedy=f"deconflict line release {held.held_id} --place PLACE; where it still "
                "differs, somebody has the wrong place: withdraw it",
            )


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
