"""``deconflict line translate``: what a translator at home makes of what somebody wrote."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from deconflict.cli.command import command
from deconflict.cli.options import talks_to_node
from deconflict.cli.output import clean, short, when, write_json
from deconflict.errors import InvalidInputError

__all__ = ["show_translations", "translate"]

_STDIN = "-"
_MOST_CHARACTERS = 64_000


@command(
    "translate",
    example='deconflict line translate 9f86d081 --language en "Two of ours are hurt there."\n'
    "deconflict line translate 9f86d081 --language en - < their-words.txt\n"
    "deconflict line translate 9f86d081 --language en --delete",
)
@click.argument("wanted", metavar="ID")
@click.argument("text", required=False, metavar="[TEXT|-]")
@click.option("--language", required=True, metavar="CODE", help="Into which language: en, ru, ar.")
@click.option("--delete", is_flag=True, help="Forget your own translation into this language.")
@talks_to_node
def translate(
    wanted: str,
    text: str | None,
    language: str,
    delete: bool,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Keep your translation of what somebody wrote in a message.

    It is unofficial: what the author wrote stays authentic, in the author's language. It bears the
    name of your account, is shown with the message at this node, and is never sent. Several people
    may translate one message; nobody writes over another's.
    """
    from deconflict.cli.client import NodeClient

    if delete is (text is not None):
        raise InvalidInputError(
            "what is the translation?",
            expected="the text, or - to read it from standard input; or --delete",
        )
    lines = (sys.stdin.read(_MOST_CHARACTERS) if text == _STDIN else text or "").splitlines()
    with NodeClient.of(node_dir, account) as node:
        name = node.message(wanted)["hash"]
        if delete:
            shown = node.delete("messages", name, "translations", language)
        else:
            body = {"language": language, "lines": [line for line in lines if line.strip()]}
            shown = node.post("messages", name, "translations", body=body)
    if as_json:
        write_json(shown)
        return
    if delete:
        click.echo(f"Your translation of {short(name)} is forgotten.")
        return
    click.echo(f"Kept here with {short(name)}, as unofficial, under your account; never sent.")
    show_translations(shown)


def show_translations(message: Mapping[str, Any]) -> None:
    """Print each translation of a message, marked as what it is."""
    for each in message.get("translations", ()):
        click.echo(
            click.style("UNOFFICIAL TRANSLATION", bold=True)
            + f" ({clean(each['language'])}), by {clean(each['translator'])}, "
            f"{when(each['written_utc'])}:"
        )
        for line in each["lines"]:
            click.echo(f"  {clean(line)}")
