"""Answers of a peer that no person here has looked at yet: what ``deconflict line status`` tells.

An answer ends the alert that asked for it. Whoever looks only then would learn that it came, and
not what it says.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from deconflict.cli.output import count, sentences, short, when
from deconflict.line.precedence import Precedence
from deconflict.messages.kinds import Kind

if TYPE_CHECKING:
    from deconflict.cli.client import NodeClient

__all__ = ["show_answers", "unseen_answers"]

_ANSWERS: Final = frozenset(
    kind.value
    for kind in (Kind.ANSWER, Kind.STANDBY, Kind.CEASED, Kind.CONTINUING, Kind.CANNOT_REACH)
)
_URGENCY: Final = tuple(Precedence)
_LOOKED_BACK: Final = 200  # messages of the peer, one page


def unseen_answers(node: "NodeClient", lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what peers answered among their last messages and nobody here marked as seen.

    The most urgent first, and of those the oldest. What came late is told by an alert of its own.
    """
    found = [
        message
        for line in lines
        for message in node.messages(
            line["line_id"], direction="in", after_seq=max(0, line["peer_seq"] - _LOOKED_BACK)
        )
        if message["kind"] in _ANSWERS and message["state"] == "LOGGED"
    ]
    return sorted(found, key=lambda one: (_URGENCY.index(one["precedence"]), one["logged_utc"]))


def show_answers(answers: Sequence[dict[str, Any]]) -> None:
    """Print each answer in words, and how to say that a person here has read it."""
    if not answers:
        return
    click.echo(click.style(f"{count(len(answers), 'answer')} not marked as seen:\n", bold=True))
    for answer in answers:
        to = f", to {short(answer['ref'])}" if answer["ref"] else ""
        drill = "DRILL " if answer["drill"] else ""
        click.echo(f"{when(answer['logged_utc'])}  {drill}{answer['kind']}{to}")
        click.echo(sentences(answer["text"], indent=4))
        click.echo(f"    deconflict line seen {short(answer['hash'])}\n")
