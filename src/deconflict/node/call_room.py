"""The calls of one line: those that are arranged and those that were held, taken together."""

from collections.abc import Callable

from deconflict.line.envelope import Envelope
from deconflict.messages.bodies import Body
from deconflict.messages.kinds import Kind
from deconflict.messages.talks import TalkAccept, TalkFault
from deconflict.node.calls import CallBook
from deconflict.node.talks import TalkBook

__all__ = ["CallRoom"]


class CallRoom:
    """What a record implies of calls.

    Args:
        own: our party.
        peer: the other.
        place: where a slot, by epoch and number, stands in its chain.

    Attributes:
        talks: calls as they are asked for and answered.
        calls: calls as they are recorded and told of.
    """

    def __init__(self, own: str, peer: str, place: Callable[[str, int], tuple[int, int]]) -> None:
        self._own, self._peer, self._place = own, peer, place
        self.talks = TalkBook()
        self.calls = CallBook((own, peer))

    def fault(
        self,
        kind: Kind,
        body: Body,
        *,
        ref: str | None,
        own: bool,
        now_ms: int,
        heard_to: tuple[int, int] | None = None,
    ) -> TalkFault | None:
        """Return why a message would change nothing of a call; None when it would, or is of none.

        Args:
            kind: of the message.
            body: its body.
            ref: the message that it cites.
            own: True exactly when we write it.
            now_ms: when it becomes durable here.
            heard_to: how far its author had heard the other chain; None: all that is here.
        """
        by = self._own if own else self._peer
        return self.talks.fault(
            kind, body, ref=ref, by=by, heard_to=heard_to, now_ms=now_ms
        ) or self.calls.fault(body, kind=kind, ref=ref, by=by)

    def fault_of(
        self, envelope: Envelope, body: Body, *, own: bool, logged_ms: int
    ) -> TalkFault | None:
        """Return the same of an entry of the record."""
        heard = envelope.heard
        return self.fault(
            Kind(envelope.kind),
            body,
            ref=envelope.ref,
            own=own,
            now_ms=logged_ms,
            heard_to=(0, 0) if heard is None else self._place(heard.epoch, heard.seq),
        )

    def take(
        self, envelope: Envelope, message_hash: str, body: Body, *, own: bool
    ) -> tuple[str, ...]:
        """Let an entry without fault change its call; return messages that wait no longer."""
        kind, ref, drill = Kind(envelope.kind), envelope.ref, envelope.drill
        by = self._own if own else self._peer
        past = self.talks.take(
            kind,
            body,
            message_hash,
            ref=ref,
            by=by,
            place=self._place(envelope.epoch, envelope.seq),
            drill=drill,
        )
        if isinstance(body, TalkAccept):
            self.calls.arranged(message_hash, drill=drill)
        return past + self.calls.take(kind, body, message_hash, ref=ref, by=by, drill=drill)
