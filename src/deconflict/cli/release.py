"""``deconflict line release``: look at what another person wrote; release it or withdraw it."""

from typing import Any

import click

from deconflict.cli.command import command
from deconflict.cli.options import talks_to_node
from deconflict.cli.output import clean, count, sentences, short, when, write_json
from deconflict.errors import InvalidInputError

__all__ = ["release"]

_MESSAGES_SHOWN = 20


@command(
    "release",
    example="deconflict line release\n"
    "deconflict line release 3f9a01cc\n"
    "deconflict line release 3f9a01cc --withdraw",
)
@click.argument("held_id", required=False, metavar="[ID]")
@click.option("--withdraw", is_flag=True, help="Forget it; nothing of it is sent.")
@talks_to_node
def release(
    held_id: str | None, withdraw: bool, node_dir: Any, account: str | None, as_json: bool
) -> None:
    """Release what another person wrote, or list what waits.

    Where your node wants two persons (release_persons = 2 in node.toml; for an answer to a query,
    the terms), who writes a declaration, terms or a readout sends nothing yet. A second person
    reads it here and releases it under their own account. Nobody releases what they wrote.
    """
    from deconflict.cli.client import NodeClient

    if withdraw and held_id is None:
        raise InvalidInputError("what is to be withdrawn?", expected="the ID of what is held")
    with NodeClient.of(node_dir, account) as node:
        if held_id is None:
            _list(node.get("held"), as_json=as_json)
            return
        if withdraw:
            gone = node.post("held", held_id, "withdraw", body={})
            if as_json:
                write_json(gone)
            else:
                click.echo(f"{clean(gone['held_id'])} is withdrawn; nothing of it was sent.")
            return
        posted = node.post("held", held_id, "release", body={})
    if as_json:
        write_json({"posted": posted})
        return
    click.echo(f"Released, {count(len(posted), 'message')} on the way:")
    for one in posted:
        click.echo(f"  {clean(one['kind'])}  {short(one['hash'])}")
        for warning in one["warnings"]:
            click.echo(click.style("  warning: ", fg="yellow") + clean(warning))
    click.echo("Who holds it shows in: deconflict log")


def _list(held: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        write_json({"held": held})
        return
    if not held:
        click.echo("Nothing waits for a second person.")
        return
    for each in held:
        messages = each["messages"]
        click.echo(
            click.style(clean(each["held_id"]), bold=True)
            + f"  written by {clean(each['written_by'])}, {when(each['written_utc'])}, "
            + f"{count(len(messages), 'message')}"
        )
        for message in messages[:_MESSAGES_SHOWN]:
            drill = "DRILL " if message["drill"] else ""
            click.echo(f"  {drill}{clean(message['kind'])} to {clean(message['peer'])}")
            click.echo(sentences(message["text"], indent=4))
        if messages[_MESSAGES_SHOWN:]:
            click.echo(f"  ... and {len(messages) - _MESSAGES_SHOWN} more: --json shows all")
    click.echo("\nRead it, then: deconflict line release ID")
