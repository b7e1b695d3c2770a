"""The calls of one line: those that are arranged and those that were held, taken together."""

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

    Attributes:
        talks: calls as they are asked for and answered.
        calls: calls as they are recorded and told of.
    """

    def __init__(self, own: str, peer: str) -> None:
        self._own, self._peer = own, peer
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
        heard_seq: int | None = None,
    ) -> TalkFault | None:
        """Return why a message would change nothing of a call; None when it would, or is of none.

        Args:
            kind: of the message.
            body: its body.
            ref: the message that it cites.
            own: True exactly when we write it.
            now_ms: when it becomes durable here.
            heard_seq: how much of the other chain its author had heard; None: all that is here.
        """
        by = self._own if own else self._peer
        return self.talks.fault(
            kind, body, ref=ref, by=by, heard_seq=heard_seq, now_ms=now_ms
        ) or self.calls.fault(body, kind=kind, ref=ref, by=by)

    def fault_of(
        self, envelope: Envelope, body: Body, *, own: bool, logged_ms: int
    ) -> TalkFault | None:
        """Return the same of an entry of the record."""
        return self.fault(
            Kind(envelope.kind),
            body,
            ref=envelope.ref,
            own=own,
            now_ms=logged_ms,
            heard_seq=0 if envelope.heard is None else envelope.heard.seq,
        )

    def take(
        self, envelope: Envelope, message_hash: str, body: Body, *, own: bool
    ) -> tuple[str, ...]:
        """Let an entry without fault change its call; return messages that wait no longer."""
        kind, ref, drill = Kind(envelope.kind), envelope.ref, envelope.drill
        by = self._own if own else self._peer
        past = self.talks.take(
            kind, body, message_hash, ref=ref, by=by, seq=envelope.seq, drill=drill
        )
        if isinstance(body, TalkAccept):
            self.calls.arranged(message_hash, drill=drill)
        return past + self.calls.take(kind, body, message_hash, ref=ref, by=by, drill=drill)
