"""``deconflict incident open``, ``account``, ``evidence``, ``risk``, ``breach``: what is said."""

import hashlib
import mimetypes
import re
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deconflict.cli.command import EXIT_FINDING, command
from deconflict.cli.incident import RISKS, show_incident
from deconflict.cli.options import PLACE, existing_file, line_option, talks_to_node, typed_word
from deconflict.cli.output import clean, short, when, write_json
from deconflict.cli.sending import Manner, manner_options, post
from deconflict.errors import InvalidInputError

if TYPE_CHECKING:
    from deconflict.cli.client import NodeClient

__all__ = ["account", "breach", "evidence", "opens", "risk", "sha256_of"]

AT = "When it happened, UTC, as 2015-09-30T06:12:00Z."
PIECE_BYTES = 1 << 20
RISK_WORDS = [*RISKS, *(word.lower().replace("_", "-") for word in RISKS.values())]
INCIDENTS = [
    *("close-pass", "area-entered", "line-crossed", "level-left", "undeclared-flight"),
    *("notice-failed", "call-unanswered", "fire-near", "forces-hit", "site-hit", "aircraft-lost"),
    "other",
]
BREACHES = [
    *("no-notice", "short-notice", "wrong-notice", "no-answer", "went-on-after-cease"),
    *("area-entered", "line-crossed", "level-left", "under-minima", "site-hit"),
    *("signals-disturbed", "other"),
]
_WHOLE = re.compile(r"-?[0-9]{1,15}", re.ASCII)


@command(
    "open",
    example="deconflict incident open --what close-pass --at 2015-09-30T06:12:00Z \\\n"
    '    --place "35 52.1 N 36 12.4 E" --level FL210 --risk b',
)
@click.option("--what", required=True, type=click.Choice(INCIDENTS), help="What kind it is.")
@click.option("--at", "at_utc", required=True, metavar="TIME", help=AT)
@click.option("--place", required=True, metavar="PLACE", help=PLACE)
@click.option("--level", metavar="ALTITUDE", help="FL210, 3000 ft AMSL, 900 m W84.")
@click.option(
    "--risk",
    "risk_word",
    type=click.Choice(RISK_WORDS),
    default="undetermined",
    show_default=True,
    metavar="CLASS",
    help="The class you propose: a, b, c, d or e; see `incident risk`.",
)
@click.option("--about", metavar="ID", help="The message it is about, if any.")
@click.option("--correct", metavar="INCIDENT", help="Correct what your side opened before.")
@line_option
@manner_options
@talks_to_node
def opens(
    what: str,
    at_utc: str,
    place: str,
    level: str | None,
    risk_word: str,
    about: str | None,
    correct: str | None,
    line: str | None,
    manner: Manner,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Open an incident, or correct what you opened.

    It says what happened, where and when, and nothing of whose fault it was. The peer is asked for
    nothing but to read it; give your own account next, and the peer will give its own.
    """
    from deconflict.cli.client import NodeClient
    from deconflict.cli.typed import level_wire, place_wire, time_wire

    if about is not None and correct is not None:
        raise InvalidInputError(
            "a correction cites what it corrects",
            given="--about and --correct",
            expected="one of them",
        )
    body: dict[str, Any] = {
        "incident_id": secrets.token_hex(16),
        "what": typed_word(what),
        "at_utc": time_wire(at_utc),
        "position": place_wire(place),
        "risk": _risk_code(risk_word),
    }
    if level is not None:
        body["level"] = level_wire(level)
    with NodeClient.of(node_dir, account) as node:
        ref = None if about is None else node.message(about)["hash"]
        if correct is None:
            line_id = node.line(line)["line_id"]
        else:
            view = node.incident(correct, line=line)
            line_id, ref = view["line_id"], view["stated_message"]
            body["incident_id"] = view["incident_id"]
        post(node, line_id, "INCIDENT", body, manner, ref=ref, as_json=as_json)
    if not as_json:
        click.echo(f"  Incident {body['incident_id']}")
        click.echo(f"  Your account of it: deconflict incident account {body['incident_id'][:8]}")


@command(
    "account",
    example="deconflict incident account 1c2d3e4f --field closest_m=805 --field seen_by=radar\n"
    'deconflict incident account 1c2d3e4f --place "there=35.20 N 40.00 E" --correct 9f86d081\n'
    "deconflict incident account 1c2d3e4f --by newspaper --field time=2015-09-30T07:12:00Z",
)
@click.argument("incident_id", metavar="ID")
@click.option(
    "--field",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    help="One thing as you have it, its unit in its name: closest_m=805; repeat it.",
)
@click.option(
    "--place", "places", multiple=True, metavar="NAME=PLACE", help="A place, in any notation."
)
@click.option("--object", "object_kind", metavar="KIND", help="What it was: combat_jet.")
@click.option("--as-published", metavar="TEXT", help="The original wording of a time.")
@click.option("--correct", metavar="MESSAGE", help="Your earlier account that this one corrects.")
@click.option("--by", metavar="SOURCE", help="A source without a line; kept here, never sent.")
@line_option
@manner_options
@talks_to_node
def account(
    incident_id: str,
    given: tuple[str, ...],
    places: tuple[str, ...],
    object_kind: str | None,
    as_published: str | None,
    correct: str | None,
    by: str | None,
    line: str | None,
    manner: Manner,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Say what happened, as your side has it.

    A value of digits alone is a number, true and false are yes and no, anything else is text. Your
    side may give several accounts, as of a crew and of a radar; one that corrects an earlier one
    cites it, and both stay.
    """
    from deconflict.cli.client import NodeClient

    stated = _fields(given, places)
    with NodeClient.of(node_dir, account) as node:
        view = node.incident(incident_id, line=line)
        if by is not None:
            _keep_outside(node, view, by, stated, as_published, as_json=as_json)
            return
        body: dict[str, Any] = {"incident_id": view["incident_id"], "fields": stated}
        if object_kind is not None:
            body["object_kind"] = object_kind
        if as_published is not None:
            body["as_published"] = as_published
        ref = None
        if correct is not None:
            message = node.message(correct)
            _require_own(message, "ACCOUNT", corrects=True)
            ref = message["hash"]
        post(node, view["line_id"], "ACCOUNT", body, manner, ref=ref, as_json=as_json)


@command(
    "evidence",
    example="deconflict incident evidence 1c2d3e4f screen.png\n"
    "deconflict incident evidence 1c2d3e4f screen.png --check",
)
@click.argument("incident_id", metavar="ID")
@click.argument("file", type=existing_file)
@click.option(
    "--media-type", metavar="TYPE", help="As image/png; from the file's name if not said."
)
@click.option("--about", metavar="MESSAGE", help="The account it belongs to.")
@click.option("--check", "only_check", is_flag=True, help="Say nothing; look who named this file.")
@line_option
@manner_options
@talks_to_node
@click.pass_context
def evidence(
    ctx: click.Context,
    incident_id: str,
    file: Path,
    media_type: str | None,
    about: str | None,
    only_check: bool,
    line: str | None,
    manner: Manner,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Name a file as evidence, or check one.

    The file stays where it is; its SHA-256, length and type are said and signed. Whoever is given
    the file later finds with --check, or offline with `deconflict verify --evidence`, that it is
    the very one: exit code 0. Exit code 1 says that no one named this file.
    """
    from deconflict.cli.client import NodeClient

    digest, size = sha256_of(file)
    kind = media_type or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    with NodeClient.of(node_dir, account) as node:
        view = node.incident(incident_id, line=line)
        if only_check:
            if not _check(view, file, digest, size, as_json=as_json):
                ctx.exit(EXIT_FINDING)
            return
        body = {
            "incident_id": view["incident_id"],
            "sha256": digest,
            "length_bytes": size,
            "media_type": kind.lower(),
        }
        ref = None if about is None else node.message(about)["hash"]
        post(node, view["line_id"], "EVIDENCE", body, manner, ref=ref, as_json=as_json)
    if not as_json:
        click.echo(f"  {file} stays here: keep it as it is. SHA-256 {digest}, {size:,} bytes.")


@command("risk", example="deconflict incident risk 1c2d3e4f b")
@click.argument("incident_id", metavar="ID")
@click.argument("word", type=click.Choice(RISK_WORDS), metavar="CLASS")
@line_option
@manner_options
@talks_to_node
def risk(
    incident_id: str,
    word: str,
    line: str | None,
    manner: Manner,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Say what class of risk your side gives it.

    By what took place, not by what might have: a risk of collision, b safety not assured, c no risk
    of collision, d undetermined (the classes of ICAO Doc 4444), e usual margins held. It may change
    later, and each change is a message.
    """
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        view = node.incident(incident_id, line=line)
        body = {"incident_id": view["incident_id"], "risk": _risk_code(word)}
        post(node, view["line_id"], "RISK", body, manner, as_json=as_json)


@command(
    "breach",
    example="deconflict incident breach line-crossed --at 2015-09-30T06:12:00Z \\\n"
    '    --named "the river line" --place "35.20 N 40.00 E" --reference N-17\n'
    "deconflict incident breach --withdraw 9f86d081",
)
@click.argument("what", required=False, type=click.Choice(BREACHES), metavar="[WHAT]")
@click.option("--at", "at_utc", metavar="TIME", help=AT)
@click.option("--place", metavar="PLACE", help=PLACE)
@click.option("--declaration", metavar="ID", help="The declaration it is about.")
@click.option("--incident", "incident_id", metavar="ID", help="The incident it belongs to.")
@click.option("--named", metavar="TEXT", help="The zone or line, by the name both use.")
@click.option("--reference", metavar="TEXT", help="The number your side keeps it under.")
@click.option("--about", metavar="MESSAGE", help="The message it is about.")
@click.option("--correct", metavar="MESSAGE", help="Your earlier note that this one corrects.")
@click.option("--withdraw", metavar="MESSAGE", help="Take back your earlier note.")
@line_option
@manner_options
@talks_to_node
def breach(
    what: str | None,
    at_utc: str | None,
    place: str | None,
    declaration: str | None,
    incident_id: str | None,
    named: str | None,
    reference: str | None,
    about: str | None,
    correct: str | None,
    withdraw: str | None,
    line: str | None,
    manner: Manner,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Note that something agreed was not kept.

    It is your side's word, and is counted as that (`deconflict incident tally`). Say what it is
    about: a message, a declaration, a place, or a zone or line by its name.
    """
    from deconflict.cli.client import NodeClient
    from deconflict.cli.typed import place_wire, time_wire

    cited = [each for each in (about, correct, withdraw) if each is not None]
    if len(cited) > 1 or (what is None) == (withdraw is None):
        raise InvalidInputError(
            "what is noted?",
            given=", ".join(cited) or "nothing",
            expected="WHAT with --at, and --about or --correct at most; or --withdraw alone",
        )
    if withdraw is None and at_utc is None:
        raise InvalidInputError("when was it?", expected=f"--at TIME. {AT}")
    body: dict[str, Any] = {"breach": typed_word(what or "withdrawn")}
    if at_utc is not None:
        body["at_utc"] = time_wire(at_utc)
    if place is not None:
        body["position"] = place_wire(place)
    texts = {"named": named, "reference": reference}
    body |= {name: text for name, text in texts.items() if text is not None}
    with NodeClient.of(node_dir, account) as node:
        line_id = None if line is None else node.line(line)["line_id"]
        if declaration is not None:
            body["declaration_id"] = node.declaration(declaration)["declaration_id"]
        if incident_id is not None:
            view = node.incident(incident_id, line=line)
            body["incident_id"], line_id = view["incident_id"], view["line_id"]
        body.setdefault("at_utc", node.get("node")["now_utc"])
        ref = None
        if cited:
            message = node.message(cited[0])
            _require_own(message, "BREACH_NOTE", corrects=about is None)
            ref, line_id = message["hash"], message["line_id"]
        line_id = line_id or node.line(line)["line_id"]
        post(node, line_id, "BREACH_NOTE", body, manner, ref=ref, as_json=as_json)


def sha256_of(file: Path) -> tuple[str, int]:
    """Return a file's SHA-256 and its length, read piece by piece."""
    digest, size = hashlib.sha256(), 0
    with file.open("rb") as stream:
        while piece := stream.read(PIECE_BYTES):
            digest.update(piece)
            size += len(piece)
    return digest.hexdigest(), size


def _require_own(message: dict[str, Any], kind: str, *, corrects: bool) -> None:
    """Refuse to correct what is not one's own, or to correct one's own without saying so."""
    own = message["outgoing"] and message["kind"] == kind
    if own is not corrects:
        what = kind.replace("_", " ").lower()
        raise InvalidInputError(
            f"a {what} that cites an earlier one of your side corrects it",
            given=f"{message['kind']} of {message['from_party']}, {short(message['hash'])}",
            expected=f"your own {what}" if corrects else "another message",
            remedy="name it with --correct" if own else "deconflict log",
        )


def _risk_code(word: str) -> str:
    return RISKS.get(word) or typed_word(word)


def _fields(given: Iterable[str], places: Iterable[str]) -> dict[str, str | int | bool]:
    from deconflict.cli.typed import place_wire

    stated: dict[str, str | int | bool] = {}

    def put(name: str, value: str | int | bool, pair: str) -> None:
        if not name or name in stated:
            raise InvalidInputError(
                "a field is named once", given=pair, expected="NAME=VALUE, each name once"
            )
        stated[name] = value

    for pair in given:
        name, equals, text = pair.partition("=")
        put(name if equals else "", _value(text), pair)
    for pair in places:
        name, equals, text = pair.partition("=")
        for key, part in place_wire(text).items() if equals else (("", 0),):
            put(f"{name}_{key}" if equals else "", part, pair)
    if not stated:
        raise InvalidInputError(
            "an account says something", expected="--field NAME=VALUE, or --place NAME=PLACE"
        )
    return stated


def _value(text: str) -> str | int | bool:
    words: dict[str, bool] = {"true": True, "false": False}
    if text in words:
        return words[text]
    return int(text) if _WHOLE.fullmatch(text) else text


def _keep_outside(
    node: "NodeClient",
    view: dict[str, Any],
    by: str,
    stated: dict[str, str | int | bool],
    as_published: str | None,
    *,
    as_json: bool,
) -> None:
    kept = node.post(
        "incidents",
        view["incident_id"],
        "outside",
        body={
            "by": by,
            "fields": stated,
            "as_published": as_published,
            "line": view["line_id"],
        },
    )
    if as_json:
        write_json(kept)
        return
    click.echo(f"Kept at this node, and sent to nobody: the account of {clean(by)}.\n")
    show_incident(kept, node.get("node")["language"])


def _check(view: dict[str, Any], file: Path, digest: str, size: int, *, as_json: bool) -> bool:
    named = [
        each
        for each in view["evidence"]
        if each["sha256"] == digest and each["length_bytes"] == size
    ]
    if as_json:
        write_json({"file": str(file), "sha256": digest, "length_bytes": size, "named": named})
        return bool(named)
    for each in named:
        click.echo(
            f"{file} is the file that {clean(each['by'])} named in {short(each['message'])}, "
            f"{when(each['said_utc'])}."
        )
    if not named:
        click.echo(f"{file} is no file that was named as evidence of this incident.")
    return bool(named)
