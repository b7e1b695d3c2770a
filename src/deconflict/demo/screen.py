"""The screen of a desk: what ``deconflict line watch`` prints, kept and waited for."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from deconflict.demo.process import Child
from deconflict.errors import PromiseBrokenError

__all__ = ["Event", "Screen"]

SOON_S: Final = 15.0  # far above what anything here takes: on a busy machine it may take longer


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the node's live stream, and the monotonic time at which it was read here."""

    heard_s: float
    kind: str
    data: dict[str, Any]


class Screen:
    """Watches one node from its first event on.

    Args:
        party: whose.
        words: the command that watches, printing one event a line.
        folder: where it runs.
        log: file for what it says on standard error.
    """

    def __init__(self, party: str, words: list[str], folder: Path, log: Path) -> None:
        self._party = party
        self._events: list[Event] = []
        self._child = Child(words, folder, log)

    def mark(self) -> int:
        """Return a mark: `wait` can be told to look only at what comes behind it."""
        return len(self._events)

    def wait(self, kind: str, facts: Mapping[str, object], *, what: str, behind: int = 0) -> Event:
        """Return the first event of a kind with these facts, heard already or still to come.

        Args:
            kind: as the stream names it.
            facts: what the event's data must say.
            what: in words, for the case that it does not come.
            behind: a `mark`; earlier events do not count.

        Raises:
            PromiseBrokenError: none came in time.
        """
        deadline_s = time.monotonic() + SOON_S
        looked_at = behind
        while True:
            while looked_at < len(self._events):
                event = self._events[looked_at]
                looked_at += 1
                if event.kind == kind and all(event.data[k] == v for k, v in facts.items()):
                    return event
            line = self._child.line(deadline_s)
            if line is None:
                raise PromiseBrokenError(
                    f"{self._party} does not see {what}", expected=f"within {SOON_S:g} s"
                )
            said = json.loads(line)
            self._events.append(Event(time.monotonic(), said["event"], said["data"]))

    def alert(
        self, rule: str, subject: str | None = None, *, is_open: bool = True, behind: int = 0
    ) -> str:
        """Return the words of the first alert of a rule, about a subject if one is given.

        Raises:
            PromiseBrokenError: none came in time.
        """
        facts = {"rule": rule, "open": is_open} | ({"subject": subject} if subject else {})
        return str(self.wait("alert", facts, what=rule, behind=behind).data["text"])

    def stop(self) -> None:
        """Close the screen."""
        self._child.stop()
