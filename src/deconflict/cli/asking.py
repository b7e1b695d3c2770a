"""What is taken away from a node: asked for, and what is said while it waits."""

from typing import TYPE_CHECKING, Any

import click

from deconflict.cli.output import clean, when, write_json

if TYPE_CHECKING:
    from deconflict.cli.client import NodeClient

__all__ = ["ask_export", "say_asked"]


def ask_export(
    node: "NodeClient", line_id: str, what: str, message: str | None = None
) -> dict[str, Any]:
    """Ask to take something away; return whether it waits for a second person."""
    asked: dict[str, Any] = node.post(
        "lines", line_id, "exports", body={"what": what, "message": message}
    )
    return asked


def say_asked(asked: dict[str, Any], *, as_json: bool) -> None:
    """Say that a second person has to release it, and until when."""
    if as_json:
        write_json(asked)
        return
    click.echo(
        click.style("Nothing is written yet:", bold=True)
        + " a second person has to release it, under another account, before "
        + when(asked["expires_utc"])
    )
    click.echo(f"  deconflict line release {clean(asked['held_id'])}")
    click.echo("Then the same command again writes it.")
