"""What is taken away from a node in a file, and who may be asked to release it.

Reading is not taking away: what a person reads on a screen stays at the desk. What leaves as a file
can be shown to anybody, so a party that wants two persons wants them here too. A parcel is carried
to the peer it was said to; it waits only where what it holds took two persons to say, and never
where somebody waits for a warning or an answer in it.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import msgspec

from deconflict.line.envelope import Envelope
from deconflict.line.precedence import Precedence
from deconflict.messages.kinds import KINDS, SAID_ALONE, Kind
from deconflict.messages.phrases import render_named
from deconflict.node.actor import Action

__all__ = ["ASKED_MS", "RELEASED_MS", "Export", "Wanted", "export_text", "parcel_waits"]

ASKED_MS: Final = 24 * 3_600_000  # the next watch finds it, the one after does not
RELEASED_MS: Final = 3_600_000  # long enough for a slow disk and a second try


class Export(StrEnum):
    """What can be taken away."""

    RECORD = "RECORD"
    MESSAGE = "MESSAGE"
    FORK = "FORK"
    PARCEL = "PARCEL"

    @property
    def action(self) -> Action:
        """What somebody must be allowed to ask for it or release it."""
        return Action.SEND if self is Export.PARCEL else Action.EXPORT


class Wanted(msgspec.Struct, frozen=True):
    """One thing to be taken away; ``message`` is of a MESSAGE alone."""

    what: Export
    line_id: str
    message: str | None = None


_PHRASES: Final = {
    Export.RECORD: "HELD_RECORD",
    Export.MESSAGE: "HELD_MESSAGE",
    Export.FORK: "HELD_FORK",
    Export.PARCEL: "HELD_PARCEL",
}


def export_text(wanted: Wanted, peer: str, written_utc: str, expires_utc: str, lang: str) -> str:
    """Return what waits, in a sentence."""
    values = {"peer": peer, "written": written_utc, "expires": expires_utc}
    if wanted.message is not None:
        values["message"] = wanted.message
    return render_named(_PHRASES[wanted.what], values, lang)


def parcel_waits(envelopes: Iterable[Envelope]) -> bool:
    """True exactly when a parcel with these waits for a second person, where two are wanted."""
    two = False
    for envelope in envelopes:
        if envelope.prec is Precedence.FLASH or envelope.kind in SAID_ALONE:
            return False
        two = two or (envelope.kind in KINDS and KINDS[Kind(envelope.kind)].two_persons)
    return two
