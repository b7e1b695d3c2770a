"""The reference of every command, written from the commands' own help.

``python -m deconflict.cli.reference > docs/reference/cli.md`` writes the page anew.
"""

from collections.abc import Iterator

import click

from deconflict.cli import main

__all__ = ["commands", "reference"]

HEAD = """\
# Commands

Written by `python -m deconflict.cli.reference` from what each command says of itself with `--help`.

Exit codes, the same everywhere: **0** success · **1** a finding: a conflict, a failed verification,
something wrong with the node · **2** wrong use or bad input · **130** stopped by hand ·
**141** nobody read its output to the end (`| head`).

`--json` prints whole ids and machine-readable errors. Ids may be shortened to as many characters as
are needed to tell them apart, four at least. Passwords, passphrases and tokens are never taken from
an argument.
"""
WIDTH = 90


def commands() -> Iterator[tuple[str, click.Command]]:
    """Yield every command with its full name, groups before what they hold."""
    yield from _walk("deconflict", main)


def reference() -> str:
    """Return the page as Markdown."""
    parts = [HEAD]
    for name, command in commands():
        level = min(name.count(" ") + 1, 3)
        # Wide and without colour, so that the page is the same on every machine.
        context = command.make_context(name, [], resilient_parsing=True, terminal_width=WIDTH)
        parts.append(f"{'#' * max(level, 2)} {name}\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


def _walk(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=name)
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            if found is not None:
                yield from _walk(f"{name} {inner}", found)


if __name__ == "__main__":
    click.echo(reference(), nl=False)
