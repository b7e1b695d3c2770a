"""Calls as they are asked for, countered, accepted, declined and called off: a fold of the record.

Messages of the two sides cross, and each side logs them in another order. So at any moment only
one side can answer: an offer is answered once, by the side that did not make it, and the first
answer in that side's own chain is the one that counts. Calling off alone may cross it, and ends
the call whatever it crossed. Both sides, and one side before and after a restart, come to the same.

Silence answers nothing. An acceptance that comes when its slot has begun changes nothing.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from deconflict.messages.bodies import Body
from deconflict.messages.kinds import Kind
from deconflict.messages.talks import Medium, Slot, TalkAccept, TalkEnd, TalkFault, TalkOffer

__all__ = ["Arranged", "Ended", "KeptTalk", "Offer", "Talk", "TalkBook", "TalkState"]

_TALKS_KEPT: Final = 256  # of each side; the record has all of them


class TalkState(StrEnum):
    """How far a call has come."""

    OFFERED = "OFFERED"  # one side offers, the other has not answered
    ARRANGED = "ARRANGED"
    DECLINED = "DECLINED"
    CALLED_OFF = "CALLED_OFF"
    LAPSED = "LAPSED"  # every time that was offered has begun, and none was accepted


class Offer(msgspec.Struct, frozen=True):
    """A call as one side would hold it: the message, its author and what it says."""

    hash: str
    by: str
    body: TalkOffer


class Arranged(msgspec.Struct, frozen=True):
    """A slot that the other side accepted, and how. ``hash`` is the acceptance and names the call.

    ``offer`` is what was accepted, ``by`` who accepted.
    """

    hash: str
    offer: Offer
    by: str
    slot: Slot
    medium: Medium


class Ended(msgspec.Struct, frozen=True):
    """That a call will not be held: declined or called off, by whom and why.

    ``place`` is the message's in its author's chain, epoch before number.
    """

    state: TalkState
    by: str
    body: TalkEnd
    hash: str
    place: tuple[int, int]

    @property
    def weight(self) -> tuple[bool, str]:
        """Of two ends that cross, the one that both sides show: the larger."""
        return self.state is TalkState.CALLED_OFF, self.by


class KeptTalk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One call as values: the attributes of a :class:`Talk`."""

    drill: bool
    offers: Annotated[tuple[Offer, ...], msgspec.Meta(min_length=1)]
    arranged: Arranged | None
    ended: Ended | None


class Talk:
    """One call, from its request to its end.

    Attributes:
        talk_id: hash of the request.
        drill: exercise only.
        offers: oldest first, in turn by the two sides.
        arranged: the acceptance of the last of them, if there is one.
        ended: why it will not be held, if so.
    """

    def __init__(self, first: Offer, *, drill: bool) -> None:
        self.talk_id = first.hash
        self.drill = drill
        self.offers = [first]
        self.arranged: Arranged | None = None
        self.ended: Ended | None = None

    @property
    def standing(self) -> Offer:
        """The newest offer."""
        return self.offers[-1]

    @property
    def sequence(self) -> int:
        """How often it was changed since it was asked for (RFC 5545, SEQUENCE)."""
        return len(self.offers) - 1 + (self.arranged is not None) + (self.ended is not None)

    def state(self, now_ms: int) -> TalkState:
        """Return how it stands at a time."""
        if self.ended is not None:
            return self.ended.state
        if self.arranged is not None:
            return TalkState.ARRANGED
        lapsed = self.standing.body.last_start_ms <= now_ms
        return TalkState.LAPSED if lapsed else TalkState.OFFERED

    def is_ahead(self, now_ms: int) -> bool:
        """True exactly when somebody still has to answer it, or to hold it."""
        state = self.state(now_ms)
        if state is TalkState.ARRANGED and self.arranged is not None:
            return now_ms < self.arranged.slot.end_ms
        return state is TalkState.OFFERED

    def messages(self) -> tuple[str, ...]:
        """Return the messages that can be cited to change it."""
        accepted = () if self.arranged is None else (self.arranged.hash,)
        return (*(offer.hash for offer in self.offers), *accepted)


class TalkBook:
    """The talks of one line, as its record leaves them."""

    def __init__(self) -> None:
        self._talks: dict[str, Talk] = {}
        self._of: dict[str, Talk] = {}  # by offer and by acceptance

    def __iter__(self) -> Iterator[Talk]:
        return iter(tuple(self._talks.values()))

    def of(self, message_hash: str | None) -> Talk | None:
        """Return the talk to which an offer or an acceptance belongs; None when it is known none.

        One that was let go, because too many came after it, is known no more.
        """
        return None if message_hash is None else self._of.get(message_hash)

    def kept(self) -> tuple[KeptTalk, ...]:
        """Return all of it as values."""
        return tuple(
            KeptTalk(talk.drill, tuple(talk.offers), talk.arranged, talk.ended)
            for talk in self._talks.values()
        )

    def take_up(self, kept: Iterable[KeptTalk]) -> None:
        """Go on from what was kept of a book; only of one that is new."""
        for each in kept:
            talk = Talk(each.offers[0], drill=each.drill)
            talk.offers, talk.arranged, talk.ended = list(each.offers), each.arranged, each.ended
            self._talks[talk.talk_id] = talk
            for message_hash in talk.messages():
                self._of[message_hash] = talk

    def fault(
        self,
        kind: Kind,
        body: Body | None,
        *,
        ref: str | None,
        by: str,
        heard_to: tuple[int, int] | None,
        now_ms: int,
    ) -> TalkFault | None:
        """Return why a message changes nothing of a call; None when it does, or is about none.

        Args:
            kind: of the message.
            body: its body.
            ref: the message that it cites.
            by: its author.
            heard_to: how far its author had heard the other chain; None: all that is here.
            now_ms: when it becomes durable here.
        """
        if not isinstance(body, TalkOffer | TalkAccept | TalkEnd) or kind is Kind.TALK_REQUEST:
            return None
        talk = self.of(ref)
        if talk is None:
            return TalkFault.NOT_STANDING
        if kind is Kind.TALK_CANCEL:
            return None
        if any(offer.hash == ref and offer.by == by for offer in talk.offers):
            return TalkFault.OWN_OFFER
        # What crossed the end is taken as if it had come before: it names the same call on both
        # sides, and the call is over on both.
        if talk.ended is not None and not _crossed(talk.ended, by, heard_to):
            return TalkFault.OVER
        offer = talk.standing
        if offer.hash != ref or talk.arranged is not None:
            return TalkFault.NOT_STANDING
        if isinstance(body, TalkAccept):
            if body.slot not in offer.body.slots or body.medium not in offer.body.media:
                return TalkFault.NEVER_OFFERED
            if body.slot.start_ms <= now_ms:
                return TalkFault.TOO_LATE
        return None

    def take(
        self,
        kind: Kind,
        body: Body,
        message_hash: str,
        *,
        ref: str | None,
        by: str,
        place: tuple[int, int],
        drill: bool,
    ) -> tuple[str, ...]:
        """Let a message without fault change its call; return the offers left without a matter.

        Those wait for no answer any more, of whichever side they are.
        """
        if kind is Kind.TALK_REQUEST and isinstance(body, TalkOffer):
            self._talks[message_hash] = talk = Talk(Offer(message_hash, by, body), drill=drill)
            self._of[message_hash] = talk
            return self._let_go(by)
        held = self.of(ref)
        if held is None:
            return ()
        past = tuple(offer.hash for offer in held.offers)
        match body:
            case TalkOffer():
                held.offers.append(Offer(message_hash, by, body))
                self._of[message_hash] = held
                if held.ended is not None:  # it crossed the end, and waits for nothing
                    return (*past, message_hash)
            case TalkAccept(slot=slot, medium=medium):
                held.arranged = Arranged(message_hash, held.standing, by, slot, medium)
                self._of[message_hash] = held
            case TalkEnd():
                cancels = kind is Kind.TALK_CANCEL
                state = TalkState.CALLED_OFF if cancels else TalkState.DECLINED
                ended = Ended(state, by, body, message_hash, place)
                if held.ended is None or held.ended.weight < ended.weight:
                    held.ended = ended
            case _:
                return ()
        return past

    def _let_go(self, by: str) -> tuple[str, ...]:
        """Forget the oldest of one side's talks when it began too many; ended ones first."""
        mine = [talk for talk in self._talks.values() if talk.offers[0].by == by]
        if len(mine) <= _TALKS_KEPT:
            return ()
        oldest = next((talk for talk in mine if talk.ended is not None), mine[0])
        del self._talks[oldest.talk_id]
        for message_hash in oldest.messages():
            del self._of[message_hash]
        return oldest.messages()


def _crossed(ended: Ended, by: str, heard_to: tuple[int, int] | None) -> bool:
    """True exactly when who answers did not know that the other side had ended the call."""
    return ended.by != by and heard_to is not None and heard_to < ended.place
