"""What no person here has read yet and no alert stands for, as ``deconflict line status`` tells it.

An answer ends the alert that asked for it. Whoever looks only then would learn that it came, and
not what it says. News, such as a fresh epoch or the begin of an exercise, asks for nothing; yet its
author is told NOT SEEN until somebody here says that it was read.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from deconflict.cli.output import count, sentences, short, when
from deconflict.line.precedence import Precedence
from deconflict.messages.kinds import KIND_RULES, Kind

if TYPE_CHECKING:
    from deconflict.cli.client import NodeClient

__all__ = ["show_answers", "show_news", "unseen"]

_ANSWERS: Final = frozenset(
    kind.value
    for kind in (Kind.ANSWER, Kind.STANDBY, Kind.CEASED, Kind.CONTINUING, Kind.CANNOT_REACH)
)
_NEWS: Final = frozenset(
    kind
    for kind, rule in KIND_RULES.items()
    if rule.needs_seen
    and not (rule.needs_answer or rule.closes or rule.extends)
    and rule.precedence in (Precedence.FLASH, Precedence.IMMEDIATE)
)
_URGENCY: Final = tuple(Precedence)
_LOOKED_BACK: Final = 200  # messages of the peer, one page


def unseen(
    node: "NodeClient", lines: Sequence[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the answers and the urgent news among peers' last messages that nobody marked as seen.

    The most urgent first, and of those the oldest. What came late is told by an alert of its own.
    """
    found = [
        message
        for line in lines
        for message in node.messages(line["line_id"], direction="in", last=_LOOKED_BACK)
        if message["kind"] in _ANSWERS | _NEWS and message["state"] == "LOGGED"
    ]
    found.sort(key=lambda one: (_URGENCY.index(one["precedence"]), one["logged_utc"]))
    answers = [message for message in found if message["kind"] in _ANSWERS]
    return answers, [message for message in found if message["kind"] in _NEWS]


def show_answers(answers: Sequence[dict[str, Any]]) -> None:
    """Print each answer in words, and how to say that a person here has read it."""
    _show(answers, "answer")


def show_news(news: Sequence[dict[str, Any]]) -> None:
    """Print news in the same way."""
    _show(news, "piece of news", "pieces of news")


def _show(messages: Sequence[dict[str, Any]], *what: str) -> None:
    if not messages:
        return
    click.echo(click.style(f"{count(len(messages), *what)} not marked as seen:\n", bold=True))
    for answer in messages:
        to = f", to {short(answer['ref'])}" if answer["ref"] else ""
        drill = "DRILL " if answer["drill"] else ""
        click.echo(f"{when(answer['logged_utc'])}  {drill}{answer['kind']}{to}")
        click.echo(sentences(answer["text"], indent=4))
        click.echo(f"    deconflict line seen {short(answer['hash'])}\n")
