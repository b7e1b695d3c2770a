"""What the escalation ladder asks of people, in words: who acts, since when, and what comes next.

It is kept among an alert's facts, so that a restart and another alarm of the same matter go on from
it: a step once asked for stays asked for.
"""

from collections.abc import Mapping
from typing import Any, Final

from deconflict.airspace.instant import format_utc
from deconflict.line.alerts import Alarm
from deconflict.line.moment import Now
from deconflict.line.precedence import Step
from deconflict.messages.said import Said, joined, said
from deconflict.messages.voice import SAYABLE
from deconflict.node.line import Line
from deconflict.node.views import AlertView

__all__ = ["climbed", "ladder_said", "whole_second"]

_PHRASES: Final = {
    Step.SECOND_DESK: "SECOND_DESK",
    Step.PEER_ALTERNATE: "PEER_ALTERNATE",
    Step.VOICE: "VOICE_PLAN",
    Step.NEXT_TIER: "NEXT_TIER",
    Step.HOLD: "HOLD",
}  # the own desk reads the alert: it is asked by being told


def climbed(line: Line, alarm: Alarm, held: AlertView | None, now: Now) -> dict[str, Any]:
    """Return the ladder of an alert after an alarm, as facts; ``held`` is the alert before it."""
    before: dict[str, Any] = {} if held is None else held.facts.get("ladder", {})
    if before and held is not None and held.level > alarm.level:
        return before  # what asks for the same again does not come down the ladder
    asked: list[dict[str, Any]] = list(before.get("asked", ()))
    known = {each["step"] for each in asked}
    since = format_utc(whole_second(now.utc_ms))
    asked += [
        {"step": step.value, **_who(line, step, alarm), "since": since}
        for step in alarm.steps
        if step in _PHRASES and step.value not in known
    ]
    next_utc = None
    if alarm.next_ms is not None:
        next_utc = format_utc(whole_second(now.utc_ms + alarm.next_ms - now.monotonic_ms))
    return {
        "asked": asked,
        "next_utc": next_utc,
        "next_steps": [step.value for step in alarm.next_steps],
    }


def ladder_said(ladder: Mapping[str, Any]) -> list[Said]:
    """Return what the ladder asks for now, and what it will ask for at its next limit."""
    parts = []
    for each in ladder["asked"]:
        values = {name: value for name, value in each.items() if name != "step"}
        named = "VOICE_SCRIPT" if "message" in values else _PHRASES[Step(each["step"])]
        parts.append(said(named, values))
    if ladder["next_utc"] is not None:
        steps = joined(
            [{"word": ["step", step]} for step in ladder["next_steps"]], {"format": "list"}
        )
        parts.append(said("NEXT_STEP", {"at": ladder["next_utc"], "steps": steps}))
    return parts


def _who(line: Line, step: Step, alarm: Alarm) -> dict[str, str]:
    match step:
        case Step.SECOND_DESK:
            return {"desk": line.second_desk_of(line.book.own)}
        case Step.PEER_ALTERNATE:
            return {"peer": line.peer, "desk": line.second_desk_of(line.peer)}
        case Step.VOICE if alarm.alert.own and alarm.alert.kind in SAYABLE:
            return {"peer": line.peer, "message": alarm.alert.hash}
        case Step.VOICE:  # what answers it is not written yet, or is no telephone message
            return {"peer": line.peer}
    return {}


def whole_second(utc_ms: int) -> int:
    """Return the beginning of this second: people are told no smaller part of a time."""
    return utc_ms // 1000 * 1000
