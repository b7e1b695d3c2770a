"""What a STANDBY changes in what a desk is told: which time is in force, and since when.

It ends no alert about the answer and raises none. Who looks at an alert must not wait for a
deadline that is no longer one, nor miss that a person on the other side has the message.
"""

from collections.abc import Mapping
from typing import Any

from deconflict.airspace.instant import format_utc
from deconflict.line.precedence import Precedence
from deconflict.messages.said import Said, said
from deconflict.node.line import Line
from deconflict.node.tell.ladder import whole_second
from deconflict.node.threads import Thread

__all__ = ["moved_ladder", "standby_facts", "standby_said"]


def standby_facts(thread: Thread | None) -> dict[str, str]:
    """Return, for programs, when STANDBY was given; nothing where it was not."""
    if thread is None or thread.standby_ms is None:
        return {}
    return {"standby_utc": format_utc(thread.standby_ms)}


def standby_said(line: Line, thread: Thread | None) -> list[Said]:
    """Return that STANDBY was given and how long the answer has; nothing without one."""
    if thread is None or thread.standby_ms is None:
        return []
    values = {
        "at": format_utc(whole_second(thread.standby_ms)),
        "due": format_utc(whole_second(line.answer_due_ms(thread))),
    }
    return [said("STANDBY_GIVEN", values)]


def moved_ladder(
    line: Line, thread: Thread, ladder: Mapping[str, Any] | None, level: int
) -> dict[str, Any] | None:
    """Return the ladder of an alert whose answer has its time again; None where it has none.

    What was asked for stays asked for; the next rung is counted from the new limit, as the line's
    own clock counts it.
    """
    rungs = line.ladder(Precedence(thread.precedence))
    if not ladder or level >= len(rungs):
        return None if ladder is None else dict(ladder)
    next_ms = line.answer_due_ms(thread) + rungs[level].after_ms
    return {
        **ladder,
        "next_utc": format_utc(whole_second(next_ms)),
        "next_steps": [step.value for step in rungs[level].steps],
    }
