"""How a line stands in a word or two, the same on every sheet and screen."""

from collections.abc import Mapping
from typing import Any

__all__ = ["line_state", "silence_of", "state_since"]


def silence_of(line: Mapping[str, Any]) -> str | None:
    """Return ``MUTE`` or ``DEAF`` where this node does not speak or log there; None elsewhere."""
    return "MUTE" if line["mute"] else "DEAF" if line["deaf"] else None


def line_state(line: Mapping[str, Any]) -> str:
    """Return whether a line is up, with what a desk must not overlook of it.

    What is suspended can be down besides, and safety messages and cease requests go all the same.
    """
    parts = [str(line["state"])]
    if line["suspended"]:
        parts = ["SUSPENDED", *(part for part in parts if part == "DOWN")]
    if silence := silence_of(line):
        parts = [silence, str(line["state"])]
    if line["drill_until_utc"] or line["peer_drill_until_utc"]:
        parts.append("DRILL")
    return ", ".join(parts)


def state_since(line: Mapping[str, Any]) -> str | None:
    """Return since when what :func:`line_state` names first has been so.

    Of a suspended line it is when the first of its suspensions began, not since when it is heard.
    """
    if line["suspended"] and silence_of(line) is None:
        real = [each for each in line["suspensions"] if each["in_effect"] and not each["drill"]]
        return min(str(each["effective_utc"]) for each in real)
    since: str | None = line["since_utc"]
    return since
