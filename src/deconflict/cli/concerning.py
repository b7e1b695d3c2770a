"""``deconflict line concern``: say that something of both sides comes too close."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deconflict.cli.command import command
from deconflict.cli.options import talks_to_node
from deconflict.cli.output import short
from deconflict.cli.sending import Manner, manner_options, post
from deconflict.errors import InvalidInputError

if TYPE_CHECKING:
    from deconflict.cli.client import NodeClient

__all__ = ["concern"]


@command(
    "concern",
    example="deconflict line concern 5d41402abc\n"
    "deconflict line concern 7c1e09af 3b9d2c40 --reason place-or-time-doubted\n"
    "deconflict line concern --private 7c1e09af --run 0",
)
@click.argument("about", nargs=-1, metavar="[ID [ID]]")
@click.option(
    "--reason",
    metavar="WORD",
    help="Why; another word is answered with all. [default: closer-than-minima]",
)
@click.option("--private", "check", metavar="CHECK", help="A private check that hit something.")
@click.option(
    "--run", type=click.IntRange(0), default=0, help="With --private: which run; the first."
)
@click.option(
    "--from", "from_utc", metavar="TIME", help="With --private: tell a time within which it is."
)
@click.option("--to", "to_utc", metavar="TIME", help="The end of that time.")
@click.option("--place", metavar="PLACE", help="With --private: tell a place within which it is.")
@click.option("--reach", metavar="DISTANCE", help="How far around the place: 50km, 20NM.")
@manner_options
@talks_to_node
def concern(
    about: tuple[str, ...],
    reason: str | None,
    check: str | None,
    run: int,
    from_utc: str | None,
    to_utc: str | None,
    place: str | None,
    reach: str | None,
    manner: Manner,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Say that two declarations come too close, or that a private check hit something.

    ID is a conflict, as `deconflict check` and alerts show it; or give the ids of two declarations,
    yours and the peer's. Both stay as they are, and it is no veto. The peer is asked for an answer.

    With --private the peer is told that this run hit something of yours, and nothing of when and
    where unless you say so: as a time and a place, as wide as you like.
    """
    from deconflict.cli.client import NodeClient
    from deconflict.cli.typed import typed_value
    from deconflict.messages.values import ValueType

    _require_one_subject(about, check, reason, (from_utc, to_utc, place, reach))
    told = _told_of_hit(from_utc, to_utc, place, reach)
    number = typed_value(ValueType.PHRASE, reason or "closer-than-minima", "reason")
    with NodeClient.of(node_dir, account) as node:
        if check is not None:
            found = node.get("private", check)
            hit = {"check": found["proposal"], "run": run, **told}
            ref = found["proposal"]
            post(node, found["line_id"], "CONCERN", {"hit": hit}, manner, ref=ref, as_json=as_json)
            return
        line_id, first, second = _pair(node, about)
        first_message, second_message = (_said(node, one, line_id) for one in (first, second))
        body = {
            "first": first["declaration_id"],
            "second": second["declaration_id"],
            "first_message": first_message,
            "second_message": second_message,
            "reason": number,
        }
        ref = second_message if first["own"] else first_message
        post(node, line_id, "CONCERN", body, manner, ref=ref, as_json=as_json)


def _require_one_subject(
    about: tuple[str, ...], check: str | None, reason: str | None, told: tuple[str | None, ...]
) -> None:
    if bool(about) == (check is not None):
        raise InvalidInputError(
            "what comes too close?",
            given="both" if about else "nothing",
            expected="a conflict, two declarations, or --private CHECK",
            remedy="deconflict check; deconflict private status",
        )
    if check is None and any(told):
        raise InvalidInputError(
            "--from, --to, --place and --reach tell something of a hit",
            expected="--private CHECK too",
        )
    if check is not None and reason is not None:
        raise InvalidInputError(
            "a concern about a hit gives no reason: the hit is the reason",
            given=reason,
            expected="no --reason",
        )


def _told_of_hit(
    from_utc: str | None, to_utc: str | None, place: str | None, reach: str | None
) -> dict[str, Any]:
    """Return what the peer is told of a hit besides that there is one; nothing by default."""
    from deconflict.cli.typed import place_wire, time_wire, typed_value
    from deconflict.messages.values import ValueType

    if (from_utc is None) != (to_utc is None) or (place is None) != (reach is None):
        raise InvalidInputError(
            "half of it tells nothing", expected="--from and --to, --place and --reach"
        )
    told: dict[str, Any] = {}
    if from_utc is not None and to_utc is not None:
        told |= {"start_utc": time_wire(from_utc), "end_utc": time_wire(to_utc)}
    if place is not None and reach is not None:
        told |= {
            "position": place_wire(place),
            "reach_mm": typed_value(ValueType.DISTANCE, reach, "reach"),
        }
    return told


def _pair(node: "NodeClient", about: tuple[str, ...]) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Return the line and the two declarations that a conflict, or their ids, name."""
    if len(about) == 1:
        conflict = node.conflict(about[0])
        first, second = (
            node.declaration(conflict[key]) for key in ("first_declaration", "second_declaration")
        )
        return conflict["line_id"], first, second
    pair = [node.declaration(wanted) for wanted in about]
    if [one["own"] for one in pair] not in ([True, False], [False, True]):
        raise InvalidInputError(
            "a concern is about two declarations, one of each side",
            given=f"{len(pair)} declarations, {sum(one['own'] for one in pair)} of them yours",
            expected="one conflict, or one declaration of yours and one of the peer's",
            remedy="deconflict check",
        )
    (peers,) = (one for one in pair if not one["own"])
    return peers["line_ids"][0], pair[0], pair[1]


def _said(node: "NodeClient", declared: dict[str, Any], line_id: str) -> str:
    """Return the message that last said a declaration on a line; it may stand on several."""
    for message_hash in reversed(declared["message_hashes"]):
        if node.message(message_hash)["line_id"] == line_id:
            return str(message_hash)
    raise InvalidInputError(
        "this declaration was not made on that line",
        given=short(declared["declaration_id"]),
        expected="two declarations on one line",
    )
