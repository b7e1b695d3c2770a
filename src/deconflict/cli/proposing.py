"""``deconflict line propose`` and ``consent``: what one side suggests, and may be passed on."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from deconflict.cli.command import command
from deconflict.cli.options import RELEASES, talks_to_node, typed_word
from deconflict.cli.output import short
from deconflict.cli.sending import Manner, manner_options, post
from deconflict.errors import InvalidInputError

__all__ = ["consent", "propose"]


@command(
    "propose",
    example="deconflict line propose 8e1f44 --later 10min\n"
    'deconflict line propose 8e1f44 --change 3b9d2c40 --lower "2000 ft"',
)
@click.argument("about", metavar="MESSAGE")
@click.option("--change", metavar="ID", help="The declaration that would change. [default: yours]")
@click.option("--later", metavar="DURATION", help="As 10min or 1h30min.")
@click.option("--earlier", metavar="DURATION", help="As 10min.")
@click.option("--higher", metavar="HEIGHT", help='As "2000 ft" or "600 m".')
@click.option("--lower", metavar="HEIGHT", help='As "2000 ft".')
@click.option("--right", metavar="DISTANCE", help="Of its course, as 5NM.")
@click.option("--left", metavar="DISTANCE", help="Of its course, as 5NM.")
@manner_options
@talks_to_node
def propose(
    about: str,
    change: str | None,
    later: str | None,
    earlier: str | None,
    higher: str | None,
    lower: str | None,
    right: str | None,
    left: str | None,
    manner: Manner,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Propose a change of one of two declarations that come too close.

    MESSAGE is the concern, or the proposal, that it goes on from. Nothing changes by it, nor by the
    answer: whoever declared it says an update. `deconflict advise` finds changes of your own plans.
    """
    from deconflict.airspace.quantity import parse_distance, parse_duration, parse_height
    from deconflict.cli.client import NodeClient

    changes = {
        "shift_ms": _either(parse_duration, "--later", later, "--earlier", earlier),
        "level_tmm": _either(parse_height, "--higher", higher, "--lower", lower),
        "aside_mm": _either(parse_distance, "--right", right, "--left", left),
    }
    if not any(changes.values()):
        raise InvalidInputError(
            "what is proposed?",
            expected="--later or --earlier, --higher or --lower, --right or --left",
        )
    with NodeClient.of(node_dir, account) as node:
        cited = node.message(about)
        if cited["kind"] not in ("CONCERN", "PROPOSE"):
            raise InvalidInputError(
                "a proposal goes on from a concern or a proposal",
                given=f"{cited['kind']} {short(cited['hash'])}",
                expected="the id of one of those",
                remedy="say first that the two come too close: deconflict line concern",
            )
        if cited["kind"] == "CONCERN" and "hit" in cited["body"]:
            raise InvalidInputError(
                "a concern about a private check names no declaration that could be changed",
                given=f"CONCERN {short(cited['hash'])}",
                expected="a concern about two declarations",
                remedy="answer it (deconflict line ack), ask for a call (deconflict talk), or "
                "declare that flight and state a concern about both",
            )
        first, second = cited["body"]["first"], cited["body"]["second"]
        if change is None:
            pair = [node.declaration(one) for one in (first, second)]
            changed = _yours(pair)
        else:
            changed = node.declaration(change)["declaration_id"]
        body: dict[str, Any] = {"first": first, "second": second, "declaration_id": changed}
        body |= {name: value for name, value in changes.items() if value}
        post(node, cited["line_id"], "PROPOSE", body, manner, ref=cited["hash"], as_json=as_json)


@command(
    "consent",
    example="deconflict line consent 8e1f44 --to coalition\n"
    "deconflict line consent 8e1f44 --to none",
)
@click.argument("about", metavar="MESSAGE")
@click.option(
    "--to",
    "passed_to",
    type=click.Choice(RELEASES),
    required=True,
    help="To whom the receiver may pass it on.",
)
@manner_options
@talks_to_node
def consent(
    about: str,
    passed_to: str,
    manner: Manner,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Say to whom a message of yours may be passed on from now.

    MESSAGE is your own. The last consent holds, also one that takes an earlier one back; what was
    passed on before stays so.
    """
    from deconflict.cli.client import NodeClient

    body = {"release": typed_word(passed_to)}
    with NodeClient.of(node_dir, account) as node:
        cited = node.message(about)
        ref = cited["hash"]
        post(node, cited["line_id"], "RELEASE_CONSENT", body, manner, ref=ref, as_json=as_json)


def _yours(pair: Iterable[dict[str, Any]]) -> str:
    """Return the declaration that is one's own; a peer may name two of its own, or two of ours."""
    yours = [str(one["declaration_id"]) for one in pair if one["own"]]
    if len(yours) != 1:
        raise InvalidInputError(
            "which of the two would change?",
            given=f"{len(yours)} of them yours",
            expected="--change ID",
        )
    return yours[0]


def _either(
    read: Callable[[str], int], one_name: str, one: str | None, other_name: str, other: str | None
) -> int:
    """Return the change that one of two options gives, below 0 for the second."""
    if one is not None and other is not None:
        raise InvalidInputError(
            "it cannot be both", given=f"{one_name} and {other_name}", expected="one of them"
        )
    if one is not None:
        return read(one)
    return 0 if other is None else -read(other)
