"""What all acts of the demo share: the two parties, the folder, what has been found out so far."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deconflict.demo.party import Party
from deconflict.demo.story import feature
from deconflict.demo.telling import Teller
from deconflict.errors import PromiseBrokenError

__all__ = ["Stage"]


@dataclass(slots=True)
class Stage:
    """Where the story is played.

    Attributes:
        root: folder of the demo.
        day: of the story, as ``2015-09-30``.
        alder, birch: the parties.
        tell: who tells it.
        ids: declarations by their label.
        facts: figures that came out, for programs.
    """

    root: Path
    day: str
    alder: Party
    birch: Party
    tell: Teller
    ids: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def parties(self) -> tuple[Party, Party]:
        """Both, in the order in which the story names them."""
        return self.alder, self.birch

    @property
    def pairs(self) -> tuple[tuple[Party, Party], tuple[Party, Party]]:
        """Each party with the other one."""
        return (self.alder, self.birch), (self.birch, self.alder)

    def write(self, name: str, *plans: Mapping[str, Any]) -> str:
        """Write plans as a GeoJSON file of the story's day, and return its name."""
        features = [feature(plan, self.day) for plan in plans]
        document = {"type": "FeatureCollection", "features": features}
        (self.root / name).write_text(json.dumps(document, indent=1) + "\n", "utf-8")
        return name

    def promise(self, kept: bool, words: str, *, given: object, expected: object) -> None:
        """Go on if a promise is kept.

        Raises:
            PromiseBrokenError: it is not.
        """
        if not kept:
            raise PromiseBrokenError(words, given=str(given), expected=str(expected))

    @staticmethod
    def now_utc() -> str:
        """Return the present time, to the second, as commands take it."""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
