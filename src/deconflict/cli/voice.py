"""``deconflict line carry --voice``, ``spoken``, ``heard``: one message over a telephone."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deconflict.cli.command import EXIT_FINDING, command
from deconflict.cli.options import need_terminal, talks_to_node
from deconflict.cli.output import clean, sentences, short, write_json
from deconflict.cli.sending import show_posted
from deconflict.errors import InvalidInputError, LineStateError
from deconflict.messages.bodies import Body, VoicePart, body_to_wire, parse_body
from deconflict.messages.kinds import Kind
from deconflict.messages.phrases import phrase, wording
from deconflict.messages.values import ValueType, check_value, spoken_id
from deconflict.messages.voice import SAYABLE, check_digits, parts_of, voice_text
from deconflict.node.speech import script_languages, script_of

if TYPE_CHECKING:
    from deconflict.cli.client import NodeClient

__all__ = ["heard", "show_script", "spoken"]

_NUMBER_ONLY = 12  # digits at most of what is typed as a number


def show_script(node: "NodeClient", line: dict[str, Any], wanted: str, *, as_json: bool) -> None:
    """Print what to say of one own message, in each language of the line."""
    message = _own(node, line, wanted)
    terms = node.get("lines", line["line_id"], "terms")["agreed"]
    script = script_of(message, script_languages(node.get("node")["language"], terms))
    if as_json:
        write_json(script)
        return
    for language, lines in script.scripts.items():
        click.echo(click.style(f"{language}:", bold=True))
        for said in lines:
            click.echo(sentences(said, indent=2))
        click.echo()
    name = clean(message["to_party"])
    click.echo(f"{name} types it in: deconflict line heard {clean(message['from_party'])}")
    click.echo(
        f"Then note that you said it: deconflict line spoken {name} {short(message['hash'])}"
    )


@command("spoken", example="deconflict line spoken red 4f2a9c01")
@click.argument("peer")
@click.argument("message", metavar="ID")
@click.option("--at", "at_utc", metavar="TIME", help="When, UTC; now if not said.")
@talks_to_node
def spoken(
    peer: str,
    message: str,
    at_utc: str | None,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Note that you said a message by voice.

    The note goes out when the line is back, as the listener's does. Both nodes hold both notes
    against the signed message; a difference alarms at both desks.
    """
    from deconflict.cli.client import NodeClient
    from deconflict.cli.typed import time_wire

    with NodeClient.of(node_dir, account) as node:
        line = node.line(peer)
        said = _own(node, line, message)
        parts = parts_of(Kind(said["kind"]), _body(said), party=said["from_party"])
        note = {
            "side": "SAID",
            "number": said["seq"],
            "message": said["hash"][:8],
            "check": check_digits(parts, drill=said["drill"]),
            "said": [_wire(part) for part in parts],
        }
        at_utc = None if at_utc is None else time_wire(at_utc)
        _post(node, line, note, at_utc, ref=said["hash"], drill=False, as_json=as_json)


@command(
    "heard",
    example="deconflict line heard red\n"
    "deconflict line heard red --number 17 --message 4f2a9c01 --check 398793 --template 208 \\\n"
    '    --value "where=35.4012 N 35.9487 E" --value reach=2km --value since=2015-09-30T06:12:00Z',
)
@click.argument("peer")
@click.option("--number", type=click.IntRange(min=1), metavar="N", help="The message's number.")
@click.option("--message", metavar="DIGITS", help="The eight letters and digits that name it.")
@click.option("--check", metavar="DIGITS", help="The six check digits.")
@click.option(
    "--template", "templates", multiple=True, type=int, metavar="N", help="A template; in order."
)
@click.option(
    "--value",
    "values",
    multiple=True,
    metavar="NAME=VALUE",
    help="A value; with several templates, 2.NAME=VALUE is of the second.",
)
@click.option("--drill", is_flag=True, help="DRILL was said.")
@click.option("--at", "at_utc", metavar="TIME", help="When, UTC; now if not said.")
@click.option("--as-heard", is_flag=True, help="Note it though the check digits do not fit.")
@talks_to_node
@click.pass_context
def heard(
    ctx: click.Context,
    peer: str,
    number: int | None,
    message: str | None,
    check: str | None,
    templates: tuple[int, ...],
    values: tuple[str, ...],
    drill: bool,
    at_utc: str | None,
    as_heard: bool,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Note what you heard by voice; it is not authentic yet.

    Without options you are asked for each thing in the order in which it is said. The check digits
    are compared at once: when they do not fit, nothing is noted, and you have it said again. The
    desk then shows the message as heard by voice until the signed one is there.

    Ends with 1 when the check digits do not fit.
    """
    from deconflict.cli.client import NodeClient
    from deconflict.cli.typed import time_wire

    with NodeClient.of(node_dir, account) as node:
        line = node.line(peer)
        sender = line["peer"]
        if templates:
            if number is None or message is None or check is None:
                raise InvalidInputError(
                    "what was heard is not whole",
                    expected="--number, --message and --check beside the templates",
                )
            parts = _typed_parts(templates, values, sender)
        else:
            need_terminal("what was heard", "--number, --message, --template, --value and --check")
            number, message, parts, check = _asked(sender, number, message, check)
        check = "".join(check.split())
        right = check_digits(parts, drill=drill)
        if check != right and not as_heard:
            click.echo(
                click.style("The check digits do not fit", fg="red", bold=True)
                + f" what was typed: heard {clean(check)}. Nothing is noted.",
                err=True,
            )
            click.echo(sentences(voice_text(parts, "en"), indent=2), err=True)
            click.echo("Read it back, have it said again; or note it with --as-heard.", err=True)
            ctx.exit(EXIT_FINDING)
        note = {
            "side": "HEARD",
            "number": number,
            "message": "".join(message.split()).lower(),
            "check": check,
            "said": [_wire(part) for part in parts],
        }
        at_utc = None if at_utc is None else time_wire(at_utc)
        _post(node, line, note, at_utc, ref=None, drill=drill, as_json=as_json)


def _wire(part: VoicePart) -> dict[str, Any]:
    """Return one sentence as it travels."""
    return {"phrase": part.phrase, "values": dict(part.values)}


def _post(
    node: "NodeClient",
    line: dict[str, Any],
    note: dict[str, Any],
    at_utc: str | None,
    *,
    ref: str | None,
    drill: bool,
    as_json: bool,
) -> None:
    me = node.get("me")
    body = {**note, "desk": me["desk"], "at_utc": at_utc or node.get("node")["now_utc"]}
    body_to_wire(parse_body("VOICE", body))
    posted = node.post(
        "lines",
        line["line_id"],
        "messages",
        body={"kind": "VOICE", "body": body, "ref": ref, "drill": drill},
    )
    show_posted(node, posted, as_json=as_json)


def _own(node: "NodeClient", line: dict[str, Any], wanted: str) -> dict[str, Any]:
    message = node.message(wanted)
    if not message["outgoing"] or message["line_id"] != line["line_id"]:
        raise InvalidInputError(
            "only a message of yours on this line is said by you",
            given=short(message["hash"]),
            expected="one of those that `deconflict line carry` lists",
        )
    if message["kind"] not in SAYABLE:
        raise LineStateError(
            f"{message['kind']} is not said by voice",
            remedy="carry it as a file, an e-mail or on paper",
        )
    return message


def _body(message: dict[str, Any]) -> Body:
    return parse_body(message["kind"], message["body"])


def _typed_parts(
    templates: Sequence[int], values: Iterable[str], sender: str
) -> tuple[VoicePart, ...]:
    """Return the sentences that were typed as options."""
    given: dict[int, list[str]] = {place: [] for place in range(1, len(templates) + 1)}
    for pair in values:
        place, dot, rest = pair.partition(".")
        numbered = bool(dot) and place.isascii() and place.isdecimal() and len(place) < 4
        if numbered and int(place) in given:
            given[int(place)].append(rest)
        elif not numbered and len(templates) == 1:
            given[1].append(pair)
        else:
            raise InvalidInputError(
                "of which template is this value?",
                given=pair[:60],
                expected=f"1.{pair[:30]}, with the template's place from 1 to {len(templates)}",
            )
    return tuple(
        _part(number, given[place], sender) for place, number in enumerate(templates, start=1)
    )


def _part(number: int, pairs: Iterable[str], sender: str) -> VoicePart:
    from deconflict.cli.typed import typed_values

    wanted = phrase(number).values
    filled = [pair for pair in pairs if pair.partition("=")[0] != "party"]
    if "party" in wanted:  # who called
        filled.append(f"party={sender}")
    values = typed_values(number, (_spoken_pair(pair, wanted) for pair in filled))
    return VoicePart(phrase=number, values=values)


def _spoken_pair(pair: str, wanted: Any) -> str:
    """Return a typed pair with an id as it is said, and agreed words as they are written."""
    name, equals, text = pair.partition("=")
    kind = wanted.get(name)
    if kind is ValueType.ID:
        text = spoken_id("".join(text.split()).lower())
    elif kind in (
        *(ValueType.PURPOSE, ValueType.ANSWER, ValueType.SAID, ValueType.KIND),
        ValueType.TALK,
    ):
        text = "-".join(text.split())
    return f"{name}{equals}{text}"


def _asked(
    sender: str, number: int | None, message: str | None, check: str | None
) -> tuple[int, str, tuple[VoicePart, ...], str]:
    """Return what a person types in the order in which it is said."""
    number = number or click.prompt("Message number", type=click.IntRange(min=1))
    message = message or click.prompt("Its eight letters and digits")
    parts: list[VoicePart] = []
    while True:
        typed = click.prompt(
            "Template number" + (", or nothing when that was all" if parts else ""),
            default="" if parts else None,
            show_default=False,
        ).strip()
        if not typed:
            break
        part = _asked_part(typed, sender)
        if part is not None:
            parts.append(part)
            click.echo(sentences(voice_text([part], "en"), indent=2))
    check = check or click.prompt("Check digits")
    return int(number), str(message), tuple(parts), str(check)


def _asked_part(typed: str, sender: str) -> VoicePart | None:
    """Return one sentence, each value asked for until it can be read; None: no such template."""
    from deconflict.cli.typed import typed_value

    try:
        number = int(typed) if len(typed) < _NUMBER_ONLY and typed.isdecimal() else -1
        wanted = phrase(number).values
    except InvalidInputError as error:
        click.echo(f"  {clean(error.problem)}: {clean(typed)}", err=True)
        return None
    click.echo(f"  {clean(wording('en')['texts'][str(number)])}")
    values: dict[str, Any] = {}
    for name, kind in wanted.items():
        if name == "party":
            values[name] = sender
        while name not in values:
            pair = f"{name}={click.prompt(f'  {name} ({kind})')}"
            try:
                read = typed_value(kind, _spoken_pair(pair, wanted).partition("=")[2], name)
                check_value(kind, read, name)
            except InvalidInputError as error:
                click.echo(f"  {clean(error)}", err=True)
            else:
                values[name] = read
    try:
        return VoicePart(phrase=number, values=values)
    except InvalidInputError as error:  # a word of no list, a reason that is none
        click.echo(f"  {clean(error)}\n  Once more, from the template number on.", err=True)
        return None
