"""What a process beside the node is asked of the file of a record, and what it says."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from deconflict.line.keys import VerifyKey
from deconflict.line.root import Root

__all__ = ["Refused", "Stage", "Task", "Word"]


class Stage(StrEnum):
    """How far an inquiry is."""

    WAITING = "WAITING"  # for the file
    RECEIVING = "RECEIVING"  # the file, in bytes
    COPYING = "COPYING"  # the own record into a file, in bytes written
    VERIFYING = "VERIFYING"  # in bytes of the file
    READING = "READING"  # the same
    LOOKING = "LOOKING"  # in messages, gone through for each side


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a file proves nothing, in the words of the error.

    Attributes:
        type: of the error.
        problem, given, expected, remedy: as of that.
    """

    type: str
    problem: str
    given: str
    expected: str
    remedy: str


class Task(msgspec.Struct, frozen=True):
    """What is asked.

    Attributes:
        file: a record that somebody exported; or a proof out of one, where no instant is asked.
        keys: the first key of each party, base64.
        roots: each party's root, where it has one.
        at_ms: what did each side know then? None: does it verify, and what does it prove?
        last: how many messages are told one by one.
        language: of the texts.
    """

    file: str
    keys: dict[str, str]
    roots: dict[str, Any]
    at_ms: int | None
    last: int
    language: str

    @property
    def trusted(self) -> Mapping[str, VerifyKey]:
        """The keys as they are used."""
        return {party: VerifyKey.from_base64(key) for party, key in self.keys.items()}

    @property
    def trusted_roots(self) -> Mapping[str, Root]:
        """The roots as they are used."""
        return {party: Root.from_plain(root) for party, root in self.roots.items()}


class Word(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the process says: how far it is, or last of all what it found.

    Attributes:
        stage: what it does.
        done, total: how far it is in that.
        result: what was found, as JSON; empty before the end.
        refused: why the file proves nothing.
        failed: why it could not look, which says nothing of the file.
    """

    stage: Stage = Stage.VERIFYING
    done: int = 0
    total: int = 0
    result: msgspec.Raw = msgspec.Raw()
    refused: Refused | None = None
    failed: str = ""

    @property
    def is_last(self) -> bool:
        """True exactly when nothing follows."""
        return bool(bytes(self.result) or self.refused is not None or self.failed)
