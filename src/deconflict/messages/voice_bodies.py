"""What a note of speech says: which message was said by voice, and in which sentences."""

from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec

from deconflict.errors import InvalidDocumentError
from deconflict.messages.body import Body
from deconflict.messages.phrases import MESSAGE_PHRASES, check_values
from deconflict.messages.wire_form import Name, UtcText, WireForm

__all__ = ["Voice", "VoicePart", "VoiceSide"]

MAX_VOICE_PARTS: Final = 64


class VoiceSide(StrEnum):
    """Which end of a telephone a VOICE was noted at."""

    SAID = "SAID"
    HEARD = "HEARD"


class VoicePart(WireForm, frozen=True):
    """One sentence as it was said: a phrase and its values, ids cut to what is said of them."""

    phrase: int
    values: dict[str, Any]

    def __post_init__(self) -> None:
        WireForm.__post_init__(self)
        if self.phrase not in MESSAGE_PHRASES:
            raise InvalidDocumentError(
                "this phrase is no part of a message",
                given=str(self.phrase),
                expected="what a message says, in docs/reference/phrases.md",
            )
        check_values(self.phrase, self.values)


class Voice(Body, frozen=True):
    """VOICE: what was said by voice of one message, noted by who said it or who heard it.

    It does nothing of what the message would do; it is held against the message itself.

    Attributes:
        side: at which end it is noted.
        number: slot of the message in the chain of who said it.
        message: the first eight digits of its hash, as said.
        check: the check digits, as said.
        said: its sentences.
        desk: who said or heard it.
        at_utc: when.
    """

    side: VoiceSide
    number: Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]
    message: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{8}\Z")]
    check: Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{6}\Z")]
    said: Annotated[tuple[VoicePart, ...], msgspec.Meta(min_length=1, max_length=MAX_VOICE_PARTS)]
    desk: Name
    at_utc: UtcText
