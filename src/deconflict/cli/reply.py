"""``deconflict line ack``, ``answer``, ``readback``, ``seen``, ``loaded``, ``check``: replies."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deconflict.cli.command import command
from deconflict.cli.options import line_option, need_terminal, talks_to_node
from deconflict.cli.output import clean, count, feet, fields, metres, short, when
from deconflict.cli.sending import Manner, manner_options, post, show_posted
from deconflict.errors import InvalidInputError

if TYPE_CHECKING:
    from deconflict.airspace.landmark import Landmark
    from deconflict.cli.client import NodeClient
    from deconflict.messages.readback import ReadbackValues

__all__ = ["ack", "answer", "check", "loaded", "readback", "readback_rows", "seen", "show_readback"]

# What is answered, and how; an acknowledgement would say nothing to it.
ANSWERED = {
    "QUERY": ("a query", "ours, not-ours, will-not-say", "answer {} WORD"),
    "LINE_CHECK": ("a check of the line", "its text, retyped", "check --reply {} TEXT"),
}
_FROM_LANDMARK = {
    "landmark": "--landmark",
    "distance_mm": "--distance",
    "bearing_ddeg": "--bearing",
}
ACKS = ("roger", "wilco", "unable", "affirm", "negative")
STANDBYS = {"standby": "checking", "stand-by": "checking"}  # as it is said by voice
# What is typed, to the kind and what its body says.
ANSWERS: dict[str, tuple[str, str | None]] = {
    "ours": ("ANSWER", "OURS"),
    "not-ours": ("ANSWER", "NOT_OURS"),
    "will-not-say": ("ANSWER", "WILL_NOT_SAY"),
    "checking": ("STANDBY", None),
    "ceased": ("CEASED", None),
    "continuing": ("CONTINUING", None),
    "cannot-reach": ("CANNOT_REACH", None),
}


class _Acks(click.Choice[str]):
    """The words of an acknowledgement; those that answer pass, to be told where they belong."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the word."""
        if value in ANSWERS or value in STANDBYS:
            return value
        return super().convert(value, param, ctx)


@command("ack", example="deconflict line ack 9f86d08188\ndeconflict line ack 9f86d08188 unable")
@click.argument("message", metavar="ID")
@click.argument("word", type=_Acks(ACKS), default="roger")
@manner_options
@talks_to_node
def ack(
    message: str,
    word: str,
    manner: Manner,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Acknowledge a message. It is not permission.

    roger: received. wilco: will comply. unable: cannot. affirm: yes. negative: no. To ask for more
    time: deconflict line answer ID checking.
    """
    if word not in ACKS:
        said = STANDBYS.get(word, word)
        raise InvalidInputError(
            f"{word} is no acknowledgement",
            given=f"ack {short(message)} {word}",
            expected=", ".join(ACKS),
            remedy=f"deconflict line answer {short(message)} {said}",
        )
    _reply(message, "ACK", {"answer": word.upper()}, manner, node_dir, account, as_json=as_json)


@command(
    "answer",
    example="deconflict line answer 9f86d08188 not-ours\ndeconflict line answer 4a5b6c7d8e ceased\n"
    "deconflict line answer 9f86d08188 checking",
)
@click.argument("message", metavar="ID")
@click.argument("said", type=click.Choice(list(ANSWERS)))
@manner_options
@talks_to_node
def answer(
    message: str,
    said: str,
    manner: Manner,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Answer a query or a cease request, or ask once for more time to answer.

    A query: ours, not-ours, will-not-say. A cease request: ceased, continuing, cannot-reach. Of
    these, of a safety message and of whatever else waits for an answer: checking. It asks once for
    more time (STANDBY), shows that somebody has read the message, and is no answer.
    """
    kind, word = ANSWERS[said]
    body = {} if word is None else {"said": word}
    _reply(message, kind, body, manner, node_dir, account, by_desk=True, as_json=as_json)


@command("seen", example="deconflict line seen 9f86d08188")
@click.argument("message", metavar="ID")
@talks_to_node
def seen(message: str, node_dir: Path | None, account: str | None, as_json: bool) -> None:
    """Say that a person here has read a message."""
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        posted = node.post("messages", node.message(message)["hash"], "seen")
        show_posted(node, posted, as_json=as_json)


@command("loaded", example="deconflict line loaded 7c1e09af")
@click.argument("declaration", metavar="ID")
@manner_options
@talks_to_node
def loaded(
    declaration: str,
    manner: Manner,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Say that the unit that acts holds a declaration of the peer."""
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        held, notice = _of_the_peer(node, declaration)
        now_utc = node.get("node")["now_utc"]
        body = {"declaration_id": held["declaration_id"], "at_utc": now_utc}
        ref = notice["hash"]
        post(node, notice["line_id"], "LOADED", body, manner, ref=ref, as_json=as_json)


@command(
    "check",
    example='deconflict line check\ndeconflict line check --reply 9f86d08188 "4402 9917 0063"',
)
@click.option("--reply", metavar="ID", help="Answer this check; TEXT is what you retyped.")
@click.argument("text", required=False)
@line_option
@manner_options
@talks_to_node
def check(
    reply: str | None,
    text: str | None,
    line: str | None,
    manner: Manner,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Check the line from person to person, or answer a check.

    A text without meaning goes out; a person there retypes it. It proves that somebody is there,
    reads and can answer, before it is needed.
    """
    from deconflict.cli.client import NodeClient

    if (reply is None) != (text is None):
        raise InvalidInputError(
            "a check goes out without a text, an answer needs both",
            expected="nothing, or --reply ID TEXT",
        )
    if reply is not None:
        body = {"text": text}
        _reply(reply, "LINE_CHECK_REPLY", body, manner, node_dir, account, as_json=as_json)
        return
    from deconflict.messages.bodies import line_check_text

    with NodeClient.of(node_dir, account) as node:
        body = {"text": line_check_text(os.urandom)}
        post(node, node.line(line)["line_id"], "LINE_CHECK", body, manner, as_json=as_json)


@command(
    "readback",
    example="deconflict line readback 7c1e09af\n"
    'deconflict line readback 7c1e09af --place "35.3312 N 40.1187 E" --reach 9km --yes',
)
@click.argument("declaration", metavar="ID")
@click.option(
    "--purpose",
    metavar="PURPOSE",
    help="What it is for: flight, activity, hazard, own presence, protected site.",
)
@click.option("--place", metavar="PLACE", help="Where it stands on your map, in any notation.")
@click.option("--reach", metavar="DISTANCE", help="How far it goes from there.")
@click.option("--landmark", metavar="NAME", help="The agreed landmark you measured from.")
@click.option("--distance", metavar="DISTANCE", help="From that landmark.")
@click.option("--bearing", metavar="DEGREES", help="From that landmark, true.")
@click.option("--lower", metavar="ALTITUDE", help="The floor, with --upper.")
@click.option("--upper", metavar="ALTITUDE", help="The ceiling, with --lower.")
@click.option("--start", metavar="TIME", help="UTC.")
@click.option("--end", metavar="TIME", help="UTC.")
@click.option("--yes", is_flag=True, help="Do not ask for a last look.")
@manner_options
@talks_to_node
def readback(
    declaration: str,
    purpose: str | None,
    place: str | None,
    reach: str | None,
    landmark: str | None,
    distance: str | None,
    bearing: str | None,
    lower: str | None,
    upper: str | None,
    start: str | None,
    end: str | None,
    yes: bool,
    manner: Manner,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Read a declaration back, from your own map.

    What you do not give is taken as this node understood it. Give what you measured yourself: a
    slip shows only where two people looked. The peer's machine compares, and a difference alarms
    both sides.
    """
    from deconflict.cli.client import NodeClient

    typed = {
        "purpose": purpose,
        "place": place,
        "reach": reach,
        "landmark": landmark,
        "distance": distance,
        "bearing": bearing,
        "lower": lower,
        "upper": upper,
        "start": start,
        "end": end,
    }
    with NodeClient.of(node_dir, account) as node:
        held, notice = _of_the_peer(node, declaration)
        values = _readback_values(node, held, notice["line_id"], typed)
        if not as_json:
            show_readback(values)
        if not yes:
            need_terminal("a last look", "--yes")
            click.confirm("Read it back so?", abort=True, err=True)
        from deconflict.messages.wire_form import write_form

        body = {"values": write_form(values)}
        ref = notice["hash"]
        post(node, notice["line_id"], "READBACK", body, manner, ref=ref, as_json=as_json)


def _readback_values(
    node: "NodeClient", held: dict[str, Any], line_id: str, typed: dict[str, str | None]
) -> "ReadbackValues":
    """Return what is read back: as this node understood it, changed by what a person measured."""
    from msgspec.structs import replace

    from deconflict.airspace import geometry_from_wire
    from deconflict.messages.declaration import Declaration, Purpose
    from deconflict.messages.readback import readback_of

    landmarks = _landmarks(node, line_id)
    understood = Declaration(
        held["declaration_id"],
        Purpose(held["purpose"]),
        geometry_from_wire(held["geometry"]),
        held["label"],
        held["revision"],
    )
    values = readback_of(understood, landmarks)
    changed = _measured(typed, landmarks)
    triple = {name: changed.get(name, getattr(values, name)) for name in _FROM_LANDMARK}
    if None in triple.values() and set(triple.values()) != {None}:
        raise InvalidInputError(
            "a landmark, the distance from it and the bearing go together",
            given="without " + ", ".join(_FROM_LANDMARK[n] for n, v in triple.items() if v is None),
            expected="--landmark NAME --distance DISTANCE --bearing DEGREES",
        )
    return replace(values, **changed)


def _measured(typed: dict[str, str | None], landmarks: Sequence["Landmark"]) -> dict[str, Any]:
    """Return the fields of a readback that a person gave; a place brings the nearest landmark."""
    from deconflict.airspace.landmark import bearing_from
    from deconflict.airspace.notation import parse_position
    from deconflict.airspace.quantity import parse_band, parse_distance
    from deconflict.cli.typed import time_wire, typed_value
    from deconflict.messages.declaration import Purpose
    from deconflict.messages.values import ValueType
    from deconflict.messages.wire_form import Place

    changed: dict[str, Any] = {}
    if typed["purpose"] is not None:
        changed["purpose"] = Purpose(_purpose(typed["purpose"]))
    if typed["place"] is not None:
        position = parse_position(typed["place"])
        near = bearing_from(landmarks, position)
        changed["position"] = Place.of(position)
        if near is not None:
            changed["landmark"] = near.landmark.name
            changed["distance_mm"] = near.distance_mm
            changed["bearing_ddeg"] = near.bearing_ddeg
    if typed["landmark"] is not None:
        changed["landmark"] = typed["landmark"]
    for name, field in (("reach", "reach_mm"), ("distance", "distance_mm")):
        if (text := typed[name]) is not None:
            changed[field] = parse_distance(text)
    if typed["bearing"] is not None:
        changed["bearing_ddeg"] = typed_value(ValueType.BEARING, typed["bearing"], "bearing")
    for name in ("start", "end"):
        if (text := typed[name]) is not None:
            changed[f"{name}_utc"] = time_wire(text)
    lower, upper = typed["lower"], typed["upper"]
    if (lower is None) != (upper is None):
        raise InvalidInputError("floor and ceiling go together", expected="--lower and --upper")
    if lower is not None and upper is not None:
        band = parse_band(lower, upper)
        changed["reference"] = band.reference
        changed["lower_tmm"], changed["upper_tmm"] = band.lower_tmm, band.upper_tmm
    return changed


def _purpose(typed: str) -> str:
    """Return a purpose that was typed as `deconflict declare` writes it, or as it travels."""
    from deconflict.airspace.purposes import PURPOSES

    name = "_".join(typed.replace("-", " ").replace("_", " ").upper().split())
    if name in PURPOSES:
        return name
    raise InvalidInputError(
        "there is no such purpose",
        given=f"{clean(typed):.40}",
        expected=", ".join(one.replace("_", " ").lower() for one in PURPOSES),
        remedy="say what the declaration is for, as you understood it",
    )


def show_readback(values: "ReadbackValues") -> None:
    """Print the critical figures of a declaration, the place in every notation."""
    fields(readback_rows(values), indent=2)


def readback_rows(values: "ReadbackValues") -> list[tuple[str, str]]:
    """Return the critical figures of a declaration, each with its name."""
    from deconflict.airspace.notation import echo

    place = echo(values.position.position)
    seen = "no agreed landmark"
    if values.landmark is not None:
        far = metres((values.distance_mm or 0) / 1000)
        seen = f"{far} on {(values.bearing_ddeg or 0) / 10:05.1f}° true from {values.landmark}"
    floor = "surface" if values.lower_tmm is None else feet(values.lower_tmm / 10_000)
    ceiling = "unlimited" if values.upper_tmm is None else feet(values.upper_tmm / 10_000)
    return [
        ("purpose", values.purpose.replace("_", " ").lower()),
        ("place", place.decimal),
        (" ", place.dms),
        (" ", place.mgrs),
        ("seen from", seen),
        ("reach", metres(values.reach_mm / 1000)),
        ("altitudes", f"{floor} to {ceiling}, {values.reference}"),
        ("from", when(values.start_utc)),
        ("to", when(values.end_utc)),
        ("parts", count(values.parts, "part")),
    ]


def _landmarks(node: "NodeClient", line_id: str) -> "list[Landmark]":
    from deconflict.airspace import Position
    from deconflict.airspace.landmark import Landmark

    agreed = node.get("lines", line_id, "terms")["agreed"] or {"theatre": {"landmarks": []}}
    return [
        Landmark(one["name"], Position(one["position"]["lat_e7"], one["position"]["lon_e7"]))
        for one in agreed["theatre"]["landmarks"]
    ]


def _of_the_peer(node: "NodeClient", wanted: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a peer's declaration and the message that last said it."""
    held = node.declaration(wanted)
    if held["own"]:
        raise InvalidInputError(
            "this declaration is your own",
            given=short(held["declaration_id"]),
            expected="one of the peer's",
            remedy="deconflict declare --list",
        )
    return held, node.message(held["message_hashes"][-1])


def _reply(
    message: str,
    kind: str,
    body: dict[str, Any],
    manner: Manner,
    node_dir: Path | None,
    account: str | None,
    *,
    by_desk: bool = False,
    as_json: bool,
) -> None:
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        about = node.message(message)
        if about["outgoing"]:
            raise InvalidInputError(
                "this message is your own",
                given=f"{clean(about['kind'])} {short(about['hash'])}",
                expected="a message of the peer",
                remedy="deconflict log shows them with <-",
            )
        if kind == "ACK" and about["kind"] in ANSWERED:
            what, expected, how = ANSWERED[about["kind"]]
            raise InvalidInputError(
                f"{what} is answered, not acknowledged",
                given=f"ack {short(about['hash'])}",
                expected=expected,
                remedy=f"deconflict line {how.format(short(about['hash']))}",
            )
        if by_desk:
            body = {
                **body,
                "desk": node.get("me")["desk"],
                "at_utc": node.get("node")["now_utc"],
            }
        post(node, about["line_id"], kind, body, manner, ref=about["hash"], as_json=as_json)
