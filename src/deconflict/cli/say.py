"""``deconflict line send``, ``cease``, ``query``, ``suspend``, ``resume``, ``scope``.

What opens a thread.

Only the number of a phrase and its values travel; each desk reads them in its own language. What
is sent is shown in full before it goes only where that costs no time: these messages are urgent.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deconflict.cli.command import command
from deconflict.cli.options import PLACE, line_option, node_folder, talks_to_node
from deconflict.cli.output import clean, short, write_json
from deconflict.cli.sending import Manner, manner_options, post
from deconflict.errors import InvalidInputError

if TYPE_CHECKING:
    from deconflict.cli.client import NodeClient

__all__ = ["cease", "query", "resume", "scope", "send", "suspend"]

_WHOLE_ID = 32  # digits
EFFECTIVE = "UTC, as 2015-09-30T06:12:00Z; now if not said."
_reason_option = click.option(
    "--reason",
    default="decided-by-our-side",
    show_default=True,
    metavar="WORD",
    help="As technical-work; another word is answered with all.",
)


@command(
    "send",
    example="deconflict line send --list\n"
    'deconflict line send --template 203 --value "where=35.4012 N 35.9487 E" \\\n'
    '    --value "level=3000 ft AMSL" --value at=2015-09-30T06:12:00Z --value aboard=2',
)
@click.option("--template", type=int, metavar="N", help="The number of the phrase.")
@click.option(
    "--value", "values", multiple=True, metavar="NAME=VALUE", help="A value of it; repeat it."
)
@click.option(
    "--list",
    "list_them",
    is_flag=True,
    help="List the phrases and their values, in the language of the desk.",
)
@click.option("--about", metavar="ID", help="The message it is about; phrase 214 needs one.")
@line_option
@manner_options
@talks_to_node
def send(
    template: int | None,
    values: tuple[str, ...],
    list_them: bool,
    about: str | None,
    line: str | None,
    manner: Manner,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Send a safety message, by the number of its phrase.

    It goes out at FLASH precedence and passes even on a suspended line.
    """
    if list_them:
        _list_phrases(_language(node_dir), as_json=as_json)
        return
    if template is None:
        raise InvalidInputError(
            "which phrase?", expected="--template N", remedy="see them: deconflict line send --list"
        )
    from deconflict.cli.typed import typed_values

    stated = typed_values(template, values)

    def body(node: "NodeClient") -> dict[str, Any]:
        named = stated.get("declaration")
        if named is not None and len(named) < _WHOLE_ID:
            stated["declaration"] = node.declaration(named)["declaration_id"]
        return {"phrase": template, "values": stated}

    _send(node_dir, account, line, "SAFETY", body, manner, about=about, as_json=as_json)


@command(
    "cease",
    example="deconflict line cease --place 36SYE6779321530 --reach 2km --reason personnel-there\n"
    "deconflict line cease --declaration 7c1e09af --reason civilians-there\n"
    "deconflict line cease --site 3b9d2c40 --reason civilians-there",
)
@click.option("--declaration", metavar="ID", help="What the peer declared and is to cease.")
@click.option("--place", metavar="PLACE", help=PLACE)
@click.option("--reach", metavar="DISTANCE", help="How far around the place: 2km, 1NM, 800m.")
@click.option("--site", metavar="ID", help="Your own protected site, in place of both.")
@click.option("--effective", metavar="TIME", help=EFFECTIVE)
@click.option(
    "--reason",
    default="no-reason-given",
    show_default=True,
    metavar="WORD",
    help="personnel-there, civilians-there, aircraft-there; another word is answered with all.",
)
@line_option
@manner_options
@talks_to_node
def cease(
    declaration: str | None,
    place: str | None,
    reach: str | None,
    site: str | None,
    effective: str | None,
    reason: str,
    line: str | None,
    manner: Manner,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Request that activity somewhere cease.

    Name what the peer declared, or a place and how far around it, or both; or your own protected
    site, whose place and reach are then said. Any watch officer there may act on it; without an
    answer the desks are alarmed in turn. It stays open until the peer says that it has ceased.
    """
    from deconflict.airspace.quantity import parse_distance
    from deconflict.cli.typed import place_wire, time_wire, typed_value
    from deconflict.messages.values import ValueType

    if (place is None) != (reach is None):
        raise InvalidInputError(
            "a place and how far around it go together",
            given="--place alone" if reach is None else "--reach alone",
            expected="--place PLACE --reach DISTANCE, such as --reach 2km",
            remedy="give both, or the declaration alone: --declaration ID",
        )
    if site is not None and place is not None:
        raise InvalidInputError(
            "a site has its place and reach",
            given="--site and --place",
            expected="one of them",
        )
    if place is None and declaration is None and site is None:
        raise InvalidInputError(
            "what is to cease?",
            expected="--declaration ID, or --place PLACE with --reach DISTANCE, or both; or "
            "--site ID",
        )
    stated: dict[str, Any] = {"reason": typed_value(ValueType.PHRASE, reason, "reason")}
    if place is not None:
        stated["position"] = place_wire(place)
    if reach is not None:
        stated["reach_mm"] = parse_distance(reach)
    if effective is not None:
        stated["effective_utc"] = time_wire(effective)

    def body(node: "NodeClient") -> dict[str, Any]:
        if declaration is not None:
            stated["declaration_id"] = node.declaration(declaration)["declaration_id"]
        if site is not None:
            stated.update(_around(node.declaration(site)))
        stated.setdefault("effective_utc", node.get("node")["now_utc"])
        return stated

    _send(node_dir, account, line, "CEASE", body, manner, as_json=as_json)


def _around(site: dict[str, Any]) -> dict[str, Any]:
    """Return the place and the reach of an own protected site, as a cease request names them."""
    from deconflict.airspace import geometry_from_wire
    from deconflict.airspace.wire import position_to_wire
    from deconflict.messages.summary import summarise

    if not site["own"] or site["purpose"] != "PROTECTED_SITE":
        raise InvalidInputError(
            "this is no protected site of yours",
            given=short(site["declaration_id"]),
            expected="one of: deconflict declare --list --sites",
            remedy="name what the peer declared with --declaration, a place with --place",
        )
    summary = summarise(geometry_from_wire(site["geometry"]))
    return {"position": position_to_wire(summary.position), "reach_mm": summary.reach_mm}


@command(
    "query",
    example='deconflict line query --place "35 52.1 N 36 12.4 E" --level FL210 --course 090 \\\n'
    '    --speed "450 kt"',
)
@click.option("--place", required=True, metavar="PLACE", help=PLACE)
@click.option("--level", required=True, metavar="ALTITUDE", help="FL210, 3000 ft AMSL, 900 m W84.")
@click.option("--course", required=True, metavar="DEGREES", help="True, 0 to 359.9.")
@click.option("--speed", required=True, metavar="SPEED", help="450 kt, 830 km/h, 230 m/s.")
@click.option("--at", "at_utc", metavar="TIME", help=EFFECTIVE)
@line_option
@manner_options
@talks_to_node
def query(
    place: str,
    level: str,
    course: str,
    speed: str,
    at_utc: str | None,
    line: str | None,
    manner: Manner,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Ask of an aircraft: is this yours?

    The peer answers: ours, not ours, will not say. No answer is no answer, never consent.
    """
    from deconflict.cli.typed import level_wire, place_wire, time_wire, typed_value
    from deconflict.messages.values import ValueType

    stated = {
        "position": place_wire(place),
        "level": level_wire(level),
        "course_ddeg": typed_value(ValueType.BEARING, course, "course"),
        "speed_mmps": typed_value(ValueType.SPEED, speed, "speed"),
    }
    at_given = None if at_utc is None else time_wire(at_utc)

    def body(node: "NodeClient") -> dict[str, Any]:
        return {**stated, "at_utc": at_given or node.get("node")["now_utc"]}

    _send(node_dir, account, line, "QUERY", body, manner, as_json=as_json)


@command("suspend", example="deconflict line suspend --scope DECLARATIONS --reason technical-work")
@click.option("--scope", required=True, metavar="NAME", help="A scope that the terms name.")
@click.option("--effective", metavar="TIME", help=EFFECTIVE)
@_reason_option
@line_option
@manner_options
@talks_to_node
def suspend(
    scope: str,
    effective: str | None,
    reason: str,
    line: str | None,
    manner: Manner,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Suspend part of the line from a time on.

    Safety messages and cease requests always pass.
    """
    from deconflict.cli.typed import time_wire, typed_value
    from deconflict.messages.values import ValueType

    number = typed_value(ValueType.PHRASE, reason, "reason")
    from_utc = None if effective is None else time_wire(effective)

    def body(node: "NodeClient") -> dict[str, Any]:
        start = from_utc or node.get("node")["now_utc"]
        return {"scope": scope, "effective_utc": start, "reason": number}

    _send(node_dir, account, line, "SUSPEND", body, manner, as_json=as_json)


@command("resume", example="deconflict line resume --scope DECLARATIONS")
@click.option("--scope", required=True, metavar="NAME", help="The scope that was suspended.")
@click.option("--effective", metavar="TIME", help=EFFECTIVE)
@line_option
@manner_options
@talks_to_node
def resume(
    scope: str,
    effective: str | None,
    line: str | None,
    manner: Manner,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """End a suspension that your side declared.

    What the other side suspended, only the other side can resume.
    """
    from deconflict.cli.typed import time_wire

    from_utc = None if effective is None else time_wire(effective)

    def body(node: "NodeClient") -> dict[str, Any]:
        return {"scope": scope, "effective_utc": from_utc or node.get("node")["now_utc"]}

    _send(node_dir, account, line, "RESUME", body, manner, as_json=as_json)


@command(
    "scope", example="deconflict line scope --from ALL --to DECLARATIONS --reason technical-work"
)
@click.option("--from", "held", required=True, metavar="NAME", help="The scope that is suspended.")
@click.option("--to", "to", required=True, metavar="NAME", help="The scope it is to hold for.")
@click.option("--effective", metavar="TIME", help=EFFECTIVE)
@_reason_option
@line_option
@manner_options
@talks_to_node
def scope(
    held: str,
    to: str,
    effective: str | None,
    reason: str,
    line: str | None,
    manner: Manner,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Let a suspension of yours hold for another scope, from a time on.

    There is no gap between the two. What the other side suspended, only the other side can change;
    what the line as a whole is for stands in its terms, which both sign.
    """
    from deconflict.cli.typed import time_wire, typed_value
    from deconflict.messages.values import ValueType

    number = typed_value(ValueType.PHRASE, reason, "reason")
    from_utc = None if effective is None else time_wire(effective)

    def body(node: "NodeClient") -> dict[str, Any]:
        start = from_utc or node.get("node")["now_utc"]
        return {"scope": held, "to": to, "effective_utc": start, "reason": number}

    _send(node_dir, account, line, "SCOPE", body, manner, as_json=as_json)


def _send(
    node_dir: Path | None,
    account: str | None,
    line: str | None,
    kind: str,
    body: Callable[["NodeClient"], dict[str, Any]],
    manner: Manner,
    *,
    about: str | None = None,
    as_json: bool,
) -> None:
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        view = node.line(line)
        ref = None if about is None else node.message(about)["hash"]
        post(node, view["line_id"], kind, body(node), manner, ref=ref, as_json=as_json)


def _language(node_dir: Path | None) -> str:
    """Return the language of the node's desk; English where no node is named."""
    from deconflict.node.folder import read_settings

    if node_dir is None and not Path("node.toml").is_file():
        return "en"
    return read_settings(node_folder(node_dir)).language


def _list_phrases(language: str, *, as_json: bool) -> None:
    from deconflict.messages.phrases import SAFETY_PHRASES, phrases, wording

    texts = wording(language)["texts"]
    found = [each for each in phrases() if each.number in SAFETY_PHRASES]
    if as_json:
        write_json(
            [
                {
                    "number": each.number,
                    "name": each.name,
                    "values": {name: str(kind) for name, kind in each.values.items()},
                    "text": texts[str(each.number)],
                    "cites": each.cites,
                }
                for each in found
            ]
        )
        return
    for each in found:
        click.echo(f"{each.number}  {clean(texts[str(each.number)])}")
        values = ", ".join(f"{name} ({kind})" for name, kind in each.values.items())
        values += "; needs --about ID" if each.cites else ""
        click.echo(click.style(f"     {values}", dim=True))
