"""``deconflict line release``: look at what another person wrote; release it or withdraw it.

The second person is there to find what the first did not: every place stands in all notations and
as it lies from the nearest landmark, to be held against the map (R38).
"""

from typing import TYPE_CHECKING, Any, Final

import click

from deconflict.cli.command import command
from deconflict.cli.options import talks_to_node
from deconflict.cli.output import clean, count, sentences, short, when, write_json
from deconflict.errors import InvalidInputError
from deconflict.line.precedence import Precedence
from deconflict.messages.kinds import KIND_RULES

if TYPE_CHECKING:
    from deconflict.airspace.landmark import Landmark
    from deconflict.cli.client import NodeClient

__all__ = ["release"]

_MESSAGES_SHOWN = 20
_LETS_IN: Final = ("ACCOUNT", "ENABLE", "PASSWORD", "PEER")


@command(
    "release",
    example="deconflict line release\n"
    "deconflict line release 3f9a01cc\n"
    'deconflict line release 3f9a01cc --place "35.2854 N 40.1760 E"\n'
    "deconflict line release 3f9a01cc --withdraw",
)
@click.argument("held_id", required=False, metavar="[ID]")
@click.option("--withdraw", is_flag=True, help="Forget it; nothing of it is sent.")
@click.option(
    "--place",
    "places",
    multiple=True,
    metavar="PLACE",
    help="Of a protected site: where you find it, on a map of your own; repeat it.",
)
@talks_to_node
def release(
    held_id: str | None,
    withdraw: bool,
    places: tuple[str, ...],
    node_dir: Any,
    account: str | None,
    as_json: bool,
) -> None:
    """Release what another person wrote or asked for, or list what waits.

    Where your node wants two persons (release_persons = 2 in node.toml; for an answer to a query,
    the terms), who writes a declaration, terms, a readout, or that something has ceased, sends
    nothing yet; who asks for a record in a file gets none yet. A second person reads it here and
    releases it under their own account. Nobody releases what they wrote.

    Hold each place against your own map before you release it: it stands here in every notation,
    and as it lies from the nearest agreed landmark. A protected site is released with --place, read
    from a map of your own and not from here: it has to lie within what is declared.
    """
    from deconflict.cli.client import NodeClient
    from deconflict.cli.typed import place_wire

    if withdraw and held_id is None:
        raise InvalidInputError("what is to be withdrawn?", expected="the ID of what is held")
    with NodeClient.of(node_dir, account) as node:
        if held_id is None:
            held = node.get("held")
            if as_json:
                write_json({"held": held})
            else:
                _list(sorted(held, key=_urgency), _landmarks(node, held), _answered(node, held))
            return
        if withdraw:
            gone = node.post("held", held_id, "withdraw", body={})
            if as_json:
                write_json(gone)
            else:
                click.echo(f"{clean(gone['held_id'])} is withdrawn; nothing of it was sent.")
            return
        found = [place_wire(place) for place in places]
        posted = node.post("held", held_id, "release", body={"places": found})
    if as_json:
        write_json({"posted": posted})
        return
    if not posted:
        click.echo("Released: who asked for it has an hour to take it away.")
        return
    click.echo(f"Released, {count(len(posted), 'message')} on the way:")
    for one in posted:
        click.echo(f"  {clean(one['kind'])}  {short(one['hash'])}")
        for warning in one["warnings"]:
            click.echo(click.style("  warning: ", fg="yellow") + clean(warning))
    click.echo("Who holds it shows in: deconflict log")


def _landmarks(node: "NodeClient", held: list[dict[str, Any]]) -> "dict[str, list[Landmark]]":
    """Return the agreed landmarks of each line on which a declaration waits."""
    from deconflict.messages.in_force import landmarks_of
    from deconflict.messages.terms import terms_from_wire

    found = {}
    lines = {each["line_id"] for one in held for each in one["messages"] if _geometry(each)}
    for line_id in lines:
        agreed = node.get("lines", line_id, "terms")["agreed"]
        found[line_id] = [] if agreed is None else list(landmarks_of(terms_from_wire(agreed)))
    return found


def _urgency(held: dict[str, Any]) -> int:
    """Return where what is held stands: what ends a cease request before all that can wait."""
    order = tuple(Precedence)
    rules = [KIND_RULES.get(message["kind"]) for message in held["messages"]]
    return min((order.index(rule.precedence) for rule in rules if rule), default=len(order))


def _answered(node: "NodeClient", held: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return each message that something held answers: who releases an answer must know of what."""
    refs = {
        message["ref"]
        for one in held
        for message in one["messages"]
        if message["ref"] and (rule := KIND_RULES.get(message["kind"])) and rule.closes
    }
    return {ref: node.message(ref) for ref in sorted(refs)}


def _geometry(message: dict[str, Any]) -> Any:
    declaration = message["body"].get("declaration")
    return declaration.get("geometry") if isinstance(declaration, dict) else None


def _is_site(message: dict[str, Any]) -> bool:
    declaration = message["body"].get("declaration")
    return isinstance(declaration, dict) and declaration["purpose"] == "PROTECTED_SITE"


def _show_places(message: dict[str, Any], landmarks: "list[Landmark]") -> None:
    from deconflict.airspace import geometry_from_wire
    from deconflict.cli.places import geometry_lines

    geometry = _geometry(message)
    if geometry is None:
        return
    for line in geometry_lines(geometry_from_wire(geometry), landmarks):
        click.echo(f"    {line}")


def _list(
    held: list[dict[str, Any]],
    landmarks: "dict[str, list[Landmark]]",
    answered: dict[str, dict[str, Any]],
) -> None:
    if not held:
        click.echo("Nothing waits for a second person.")
        return
    for each in held:
        messages = each["messages"]
        if each["text"]:
            click.echo(
                click.style(clean(each["held_id"]), bold=True)
                + f"  asked for by {clean(each['written_by'])}"
            )
            click.echo(sentences(each["text"], indent=2))
            if each["what"] in _LETS_IN:
                click.echo(f"  Released with: deconflict enrol release {clean(each['held_id'])}")
            continue
        click.echo(
            click.style(clean(each["held_id"]), bold=True)
            + f"  written by {clean(each['written_by'])}, {when(each['written_utc'])}, "
            + f"{count(len(messages), 'message')}"
        )
        for message in messages[:_MESSAGES_SHOWN]:
            drill = "DRILL " if message["drill"] else ""
            click.echo(f"  {drill}{clean(message['kind'])} to {clean(message['peer'])}")
            click.echo(sentences(message["text"], indent=4))
            if to := answered.get(message["ref"]):
                click.echo(f"    In answer to {clean(to['kind'])} {short(to['hash'])}:")
                click.echo(sentences(to["text"], indent=6))
            _show_places(message, landmarks.get(message["line_id"], []))
            for warning in message["warnings"]:
                click.echo(click.style("    warning: ", fg="yellow") + clean(warning))
        if messages[_MESSAGES_SHOWN:]:
            click.echo(f"  ... and {len(messages) - _MESSAGES_SHOWN} more: --json shows all")
        if any(_is_site(message) for message in messages):
            click.echo(
                "  PLACE is where you find the site, on a map of your own: "
                f"deconflict line release {clean(each['held_id'])} --place PLACE"
            )
    click.echo("\nRead it, then: deconflict line release ID")
