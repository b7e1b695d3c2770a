"""``deconflict line reopen``: speak again where the peer's node cannot be asked."""

from typing import Any

import click

from deconflict.cli.command import command
from deconflict.cli.options import talks_to_node
from deconflict.cli.output import clean, write_json

__all__ = ["reopen"]


@command("reopen", example="deconflict line reopen red")
@click.argument("line", metavar="PEER")
@talks_to_node
def reopen(line: str, node_dir: Any, account: str | None, as_json: bool) -> None:
    """Speak again on a line where this node is mute, without the peer's answer.

    A node whose record may be old asks its peer what it has said, and needs no command. This is for
    the case that the peer's node cannot answer for long: a fresh epoch is opened behind the last
    message that the peer is known to hold. Nothing is ever signed in the old epoch again. If the
    peer turns out to hold more, it refuses the fresh epoch, and this node asks it after all.
    """
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        view = node.line(line)
        opened = node.post("lines", view["line_id"], "epoch", body={})
    if as_json:
        write_json(opened)
        return
    peer = clean(opened["peer"])
    click.echo(f"A fresh epoch is open on the line with {peer}; this node can send there again.")
    if opened["deaf"]:
        click.echo(f"It still logs nothing of {peer} until {peer}'s node has said it again.")
