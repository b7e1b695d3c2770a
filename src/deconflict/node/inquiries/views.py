"""An inquiry as it is shown."""

from dataclasses import dataclass
from typing import Any

from deconflict.node.inquiries.task import Refused

__all__ = ["InquiryView"]


@dataclass(frozen=True, slots=True)
class InquiryView:
    """How far an inquiry is, and what it found.

    ``what``: KNOWN_AT (what did each side know at an instant?) or VERIFY (does a file verify?).
    ``state``: RUNNING; DONE with ``result``; NOT_VERIFIED with ``refused``; FAILED with
    ``problem``, which says nothing of the file.
    """

    inquiry_id: str
    what: str
    state: str
    stage: str  # WAITING RECEIVING COPYING VERIFYING READING LOOKING
    done: int  # of the stage: bytes, or messages while LOOKING
    total: int  # 0 where it is not known
    line_id: str | None = None
    at_utc: str | None = None
    result: Any = None
    refused: Refused | None = None
    problem: str = ""
