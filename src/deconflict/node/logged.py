"""Entries of the record as they are read at a start: unchecked, for they were checked before."""

from collections.abc import Iterator
from typing import Final

import msgspec

from deconflict.errors import InvalidInputError
from deconflict.line.envelope import Address, Envelope
from deconflict.line.statement import ChainPoint
from deconflict.messages.bodies import Body, parse_body
from deconflict.store.base import EntryRow

__all__ = ["decoded", "logged_envelope", "read_body"]


class _Author(Address, frozen=True):
    """As its parent, unchecked."""

    party: str
    desk: str


class _Point(ChainPoint, frozen=True):
    """As its parent, unchecked."""

    epoch: str
    seq: int
    hash: str


class _Logged(Envelope, frozen=True):
    """An envelope of the record: its fields were checked when it came, or was made.

    The body is left as text, and is read once its kind is known.
    """

    line: str
    sender: _Author = msgspec.field(name="from")
    to: _Author
    epoch: str
    seq: int
    prev: str
    heard: _Point | None
    kind: str
    ref: str | None
    release: str
    created_utc: str
    clock_err_ms: int
    answer_within_ms: int | None
    expires_after_ms: int | None
    lang: str
    body: msgspec.Raw


_DECODER: Final = msgspec.json.Decoder(_Logged)


def logged_envelope(row: EntryRow) -> Envelope:
    """Return what an entry of the record says."""
    return _DECODER.decode(row.data)


def decoded(rows: Iterator[EntryRow]) -> Iterator[tuple[EntryRow, Envelope]]:
    """Yield entries, each with what it says."""
    for row in rows:
        yield row, _DECODER.decode(row.data)


def read_body(envelope: Envelope) -> Body | None:
    """Return the body of an envelope, None when this edition cannot read what its author signed."""
    try:
        return parse_body(envelope.kind, envelope.body)
    except InvalidInputError:
        return None
