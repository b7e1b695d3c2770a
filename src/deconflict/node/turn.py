"""A turn of the core is done whole, or the node that took it says nothing more."""

from collections.abc import Iterator
from contextlib import contextmanager

from deconflict.errors import BrokenTurnError, StoreBrokenError

__all__ = ["done_whole"]


@contextmanager
def done_whole(what: str) -> Iterator[None]:
    """Run the part of a turn that changes memory before it is durable.

    Whatever interrupts it leaves memory ahead of the record: a message counted as held that is
    nowhere, which would be receipted when it comes again. No caller can repair that, so every
    error, foreseen or not, comes out as one of the two kinds that end the node.

    Raises:
        StoreBrokenError: the disk failed, no matter where in the turn: it is no defect of ours.
        BrokenTurnError: from whatever else interrupted it.
    """
    try:
        yield
    except StoreBrokenError:
        raise
    except Exception as error:  # whatever it was, nobody may go on
        raise BrokenTurnError(
            f"the node broke off while {what}, and stops",
            given=f"{type(error).__name__}: {error}"[:200],
            remedy="start it again: it goes on from its verified record; report this as a defect",
        ) from error
