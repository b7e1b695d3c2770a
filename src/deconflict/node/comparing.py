"""A readback beside what was declared, field by field: before it is sent, and afterwards."""

from typing import Any

from deconflict.errors import InvalidInputError, LineStateError, NotFoundError
from deconflict.messages.bodies import Declared, Readback, parse_body
from deconflict.messages.in_force import landmarks_of
from deconflict.messages.kinds import Kind
from deconflict.messages.readback import ReadbackRow, ReadbackValues, readback_table
from deconflict.node.actor import Action, Actor, require
from deconflict.node.line import Line, read_body
from deconflict.node.reading import Reading

__all__ = ["Comparing"]


class Comparing(Reading):
    """A running node that shows what a readback differs in."""

    async def try_readback(
        self, actor: Actor, message_hash: str, values: dict[str, Any]
    ) -> tuple[ReadbackRow, ...]:
        """Return a readback that nobody has sent yet beside the declaration it is of.

        Raises:
            NotFoundError: the record holds no such message.
            InvalidInputError: it declares nothing, or the values are none of a readback.
        """
        require(actor, Action.CHECK)
        read_back = parse_body(Kind.READBACK, {"values": values})
        if not isinstance(read_back, Readback):
            raise InvalidInputError("these are not the values of a readback")
        await self._runtime.settled()  # who reads an alert may be quicker than the disk
        line, body = self._said(message_hash)
        return self._table(line, body, read_back.values, actor)

    async def compared_readback(self, actor: Actor, message_hash: str) -> tuple[ReadbackRow, ...]:
        """Return a readback of the record beside the declaration it is of.

        By the tolerances of the terms in force now.

        Raises:
            NotFoundError: the record holds no such message.
            InvalidInputError: it is no readback.
        """
        require(actor, Action.READ)
        await self._runtime.settled()
        line, body = self._said(message_hash)
        envelope = self._core.envelope_of(message_hash)
        if not isinstance(body, Readback) or envelope is None or envelope.ref is None:
            raise InvalidInputError(
                "this message is no readback", given=message_hash[:16], expected="a READBACK"
            )
        _, declared = self._said(envelope.ref)
        return self._table(line, declared, body.values, actor)

    def _said(self, message_hash: str) -> tuple[Line, object]:
        envelope = self._core.envelope_of(message_hash)
        if envelope is None:
            raise NotFoundError("the record holds no such message", given=message_hash[:16])
        return self._core.line_named(envelope.line), read_body(envelope)

    def _table(
        self, line: Line, body: object, values: ReadbackValues, actor: Actor
    ) -> tuple[ReadbackRow, ...]:
        if not isinstance(body, Declared):
            raise InvalidInputError(
                "this message declares nothing that could be read back",
                expected="NOTIFY, UPDATE or CORRECTION",
            )
        terms = line.book.terms
        if terms is None:
            raise LineStateError("without terms nobody knows how much may differ")
        return readback_table(
            body.value,
            values,
            landmarks=landmarks_of(terms),
            tolerances=terms.readback,
            language=self._language(actor.language),
        )
