"""Plays the demo from its first step to its last."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from deconflict.demo import story
from deconflict.demo.acts import answers, connection, opening, plans, proof
from deconflict.demo.party import Party
from deconflict.demo.stage import Stage
from deconflict.demo.telling import Teller

__all__ = ["STEPS", "Demo"]

STEPS: Final[tuple[tuple[str, Callable[[Stage], None]], ...]] = (
    ("Two parties make a node each", opening.make),
    ("They pin each other's key", opening.pin),
    ("The nodes run and find each other", opening.serve),
    ("Both sign the same terms", opening.agree),
    ("Both declare what they intend", plans.declare),
    ("Where that comes too close, both sides find it", plans.find),
    ("A safety message is sent, seen and acknowledged", answers.warn),
    ("A wrong readback is caught", answers.read_back),
    ("New plans end the conflicts", answers.resolve),
    ("People check the line", connection.check_line),
    ("A node dies and comes back", connection.cut),
    ("The record proves itself", proof.prove),
)


class Demo:
    """Two nodes in a folder of their own, and the story they play.

    Args:
        root: an empty folder for everything that is made.
        teller: who tells the story.
    """

    def __init__(self, root: Path, teller: Teller) -> None:
        alder, birch = (Party(name, root, teller) for name in (story.ALDER, story.BIRCH))
        # Tomorrow, so that every plan is declared in good time, whatever the time is now.
        day = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%d")
        self._stage = Stage(root, day, alder, birch, teller)

    @property
    def parties(self) -> tuple[Party, Party]:
        """Both sides, whose consoles can be looked at while their nodes run."""
        return self._stage.parties

    def play(self) -> dict[str, Any]:
        """Play every step and return the figures that came out.

        Raises:
            PromiseBrokenError: a step did not come out as promised; the rest is not played.
        """
        began_s = time.monotonic()
        for number, (title, act) in enumerate(STEPS, 1):
            self._stage.tell.step(number, title)
            act(self._stage)
        return {**self._stage.facts, "took_s": round(time.monotonic() - began_s, 1)}

    def end(self) -> None:
        """End both nodes in good order.

        Raises:
            PromiseBrokenError: one did not end well.
        """
        codes = [party.close() for party in self.parties]
        self._stage.promise(
            codes == [0, 0], "a node did not end well", given=f"exit codes {codes}", expected="0, 0"
        )

    def close(self) -> None:
        """End whatever still runs."""
        for party in self.parties:
            party.close()
