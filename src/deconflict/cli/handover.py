"""``deconflict line handover``: the sheet of the watch, signing off, taking over."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from deconflict.cli.command import command
from deconflict.cli.line_state import line_state, state_since
from deconflict.cli.options import talks_to_node
from deconflict.cli.output import clean, sentences, short, when, write_json
from deconflict.cli.written import drafted, require_free
from deconflict.errors import InvalidInputError

__all__ = ["handover"]

_PARTS = (
    *("WARNINGS", "CEASES", "QUERIES", "OTHERS", "ALERTS"),
    *("ENDING", "UPCOMING", "HELD", "CHECKS"),
)


@command(
    "handover",
    example="deconflict line handover\n"
    "deconflict line handover --out sheet.txt\n"
    "deconflict line handover --sign-off\n"
    "deconflict line handover --take --language en --language ru",
)
@click.option("--sign-off", is_flag=True, help="Your watch is over; the next has to take it.")
@click.option("--take", is_flag=True, help="Take the watch; the peers are told desk and time.")
@click.option(
    "--with-open",
    is_flag=True,
    help="Sign off although a cease request is open or own cover ends before the next watch.",
)
@click.option(
    "--hours",
    type=click.IntRange(1, 24 * 366),
    default=8,
    show_default=True,
    metavar="N",
    help="Own declarations that end within so many hours are listed.",
)
@click.option(
    "--gap",
    type=click.IntRange(1, 24 * 60),
    default=30,
    show_default=True,
    metavar="MINUTES",
    help="Within how many minutes the next watch takes over; after that an alert is raised.",
)
@click.option(
    "--language",
    "languages",
    multiple=True,
    metavar="CODE",
    help="With --take: a language that the new watch reads, as en; repeat it.",
)
@click.option("--drill", is_flag=True, help="With --take: tell the peers as an exercise.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the sheet into this new file, as text, or as JSON with --json.",
)
@talks_to_node
def handover(
    sign_off: bool,
    take: bool,
    with_open: bool,
    hours: int,
    gap: int,
    languages: tuple[str, ...],
    drill: bool,
    out: Path | None,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Hand the watch over to the next one.

    Alone, it prints the sheet of your desk: lines, open cease requests and queries, alerts and what
    was done, own declarations that end soon, drafts, line checks due. With --sign-off you leave;
    another account of the desk takes over with --take, sees what is NEW since, and the peers are
    told the desk, the time and the languages, never a name.
    """
    from deconflict.cli.client import NodeClient

    if (sign_off and take) or (with_open and not sign_off) or ((languages or drill) and not take):
        raise InvalidInputError(
            "what is to be done with the watch?",
            expected="--sign-off, perhaps --with-open; or --take, perhaps --language and --drill; "
            "or none of them, to look",
        )
    require_free(out, kept="sheets")
    spans: dict[str, Any] = {"ahead_ms": hours * 3_600_000, "gap_ms": gap * 60_000}
    with NodeClient.of(node_dir, account) as node:
        if sign_off:
            sheet = node.post("watch", "sign-off", body={**spans, "with_open": with_open})
        elif take:
            body = {**spans, "languages": list(languages), "drill": drill}
            sheet = node.post("watch", "take-over", body=body)
        else:
            sheet = node.get("watch", **spans)
    if out is not None:
        with drafted(out) as draft, draft.open("w", encoding="utf-8") as file:
            if as_json:
                write_json(sheet, to=file)
            else:
                file.write("\n".join(_text(sheet)) + "\n")
        click.echo(f"{out}: the sheet of desk {clean(sheet['desk'])}.", err=as_json)
    elif as_json:
        write_json(sheet)
    else:
        _show(sheet)
    if as_json:
        return
    if sign_off:
        click.echo(
            "\nSigned off. The next watch takes over under its own account:\n"
            "  deconflict line handover --take"
        )
    if take:
        click.echo(f"\nYou have the watch at desk {clean(sheet['desk'])}. The peers are told so.")


def _show(sheet: dict[str, Any]) -> None:
    lines = _text(sheet)
    click.echo(click.style(next(lines), bold=True))
    for each in lines:
        click.echo(each)


def _text(sheet: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the sheet, in the desk's language as far as they are sentences."""
    from deconflict.messages.phrases import set_apart, wording

    words = wording(sheet["language"])["terms"]["sheet"]
    whose = (sheet["party"], sheet["desk"], when(sheet["made_utc"]))
    apart = ", ".join(set_apart(each, sheet["language"]) for each in whose)
    yield clean(f"{words['WATCH']}: {apart}")
    for part in _PARTS:
        items = [item for item in sheet["items"] if item["part"] == part]
        if part == "CEASES":  # behind the warnings, before all else
            yield from _lines(sheet, words)
        if not items and part in ("WARNINGS", "OTHERS"):
            continue
        yield "\n" + clean(f"{words[part]}:" + ("" if items else f" {words['NONE']}"))
        for item in items:
            yield from _item(item, words)


def _lines(sheet: dict[str, Any], words: dict[str, str]) -> Iterator[str]:
    yield "\n" + clean(f"{words['LINES']}:" + ("" if sheet["lines"] else f" {words['NONE']}"))
    for line in sheet["lines"]:
        yield f"  {clean(line['peer'])}  {line_state(line)}  {when(state_since(line))}"


def _item(item: dict[str, Any], words: dict[str, str]) -> Iterator[str]:
    marks = [words[mark] for mark, on in (("NEW", item["new"]), ("DRILL", item["drill"])) if on]
    facts = [
        *marks,
        *([item["urgency"]] if item["urgency"] else []),
        *([f"-> {when(item['due_utc'])}"] if item["due_utc"] else []),
        *([short(item["about"])] if item["about"] else []),
        *item["done"],
    ]
    yield f"  [ ] {'  '.join(clean(fact) for fact in facts)}"
    yield sentences(item["text"], indent=6)
