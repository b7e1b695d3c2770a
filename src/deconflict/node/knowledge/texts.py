"""The words of those messages of a record that an instant shows."""

from deconflict.messages.kinds import Kind
from deconflict.messages.message_text import message_text
from deconflict.node.knowledge.instant import Instant
from deconflict.node.knowledge.lines import RecordLines
from deconflict.node.knowledge.reading import Record
from deconflict.node.line import read_body

__all__ = ["texts_of"]

Slot = tuple[str, str, int]  # party, epoch, number


def texts_of(record: Record, lines: RecordLines, found: Instant, language: str) -> dict[str, str]:
    """Return by hash the words of all messages told and asked; without those nobody can read."""
    shown = [each for side in found.sides for each in (*side.messages, *side.unproven)]
    named = {each.hash: (each.party, each.epoch, each.seq) for each in shown}
    for side in found.sides:
        for asked in side.questions:
            slot = _slot(record, asked.asked_by, asked.message, asked.seq)
            if slot is not None:
                named.setdefault(asked.message, slot)
    return {
        name: text
        for name, slot in named.items()
        if (text := _text(record, lines, slot, language)) is not None
    }


def _slot(record: Record, party: str, name: str, seq: int) -> Slot | None:
    chain = record.chain(party)
    for part in chain.parts:
        index = chain.slot(part.epoch, seq)
        if index is not None and chain.hash(index) == name:
            return party, part.epoch, seq
    return None


def _text(record: Record, lines: RecordLines, slot: Slot, language: str) -> str | None:
    """Return a message in words; None for one that this edition cannot read."""
    party, epoch, seq = slot
    index = record.chain(party).slot(epoch, seq)
    if index is None:
        return None
    envelope = lines.envelope(party, index)
    body = read_body(envelope)
    if body is None:
        return None
    return message_text(
        Kind(envelope.kind), body, party=party, language=language, drill=envelope.drill
    )
