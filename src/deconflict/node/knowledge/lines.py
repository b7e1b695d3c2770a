"""The messages of a proven record by their place in its files, read when somebody asks for one."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from deconflict.line.envelope import Envelope
from deconflict.node.knowledge.chain import Place
from deconflict.node.knowledge.reading import Record, proven_envelope

__all__ = ["RecordLines"]


class RecordLines:
    """Reads envelopes from the files of a record. Use as a context manager.

    Args:
        record: proven, and read from these files.
        files: in the order of their numbers.
    """

    def __init__(self, record: Record, files: Sequence[Path]) -> None:
        self._record = record
        # A handle for each chain: both are mostly read from their beginning to their end.
        self._open: dict[str, IO[bytes]] = {
            party: files[record.chain(party).file].open("rb") for party in record.parties
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in self._open.values():
            file.close()

    def envelope(self, party: str, index: int) -> Envelope:
        """Return a party's message.

        Raises:
            InvalidDocumentError: the file changed since it was verified.
        """
        place: Place = self._record.chain(party).place(index)
        file = self._open[party]
        if file.tell() != place.offset:
            file.seek(place.offset)
        return proven_envelope(file.readline())
