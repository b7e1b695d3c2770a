"""``deconflict terms``: what both parties sign before anything is declared."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deconflict.cli.command import Group, command
from deconflict.cli.options import (
    existing_file,
    line_option,
    need_terminal,
    node_folder,
    talks_to_node,
)
from deconflict.cli.output import clean, short, write_json
from deconflict.cli.sending import show_posted
from deconflict.cli.written import force_option, require_free, write_file
from deconflict.errors import InvalidInputError, LineStateError

if TYPE_CHECKING:
    from deconflict.messages.terms import Terms

__all__ = ["terms"]


@click.group("terms", cls=Group, example="deconflict terms show")
def terms() -> None:
    """The terms of a line, which both parties sign.

    They hold the theatre and its landmarks, the separation minima, the times to answer in, how
    altitudes compare and which languages are spoken. Nothing is declared before both have signed
    the same bytes.
    """


@command(
    "propose",
    group=terms,
    example='deconflict terms propose --default --theatre "Latakia to Deir ez-Zor" \\\n'
    '    --minima "5NM,1000ft" --landmark "Deir ez-Zor airfield=35.2854, 40.1760"\n'
    "deconflict terms propose --default --theatre North --write terms.json\n"
    "deconflict terms propose --file terms.json\n"
    "deconflict terms propose --private-check default",
)
@click.option("--file", type=existing_file, metavar="FILE", help="Terms as JSON, whole.")
@click.option("--default", "use_default", is_flag=True, help="Begin with the proposed values.")
@click.option("--theatre", metavar="NAME", help="With --default: where the line applies.")
@click.option(
    "--outline",
    metavar="PLACES",
    help="With --default: its corners, three or more places with ';' between.",
)
@click.option(
    "--landmark",
    "landmarks",
    multiple=True,
    metavar="NAME=PLACE",
    help="With --default: a place that both find on their maps; repeat it.",
)
@click.option(
    "--minima",
    metavar="LATERAL,VERTICAL",
    help="With --default: what flights keep of each other, and all pairs not named: 5NM,1000ft.",
)
@click.option(
    "--third-party",
    "third_parties",
    multiple=True,
    metavar="NAME",
    help="With --default: a party concerned that has no line; repeat it.",
)
@click.option(
    "--private-check",
    metavar="FILE|default|none",
    help="The document on private checks: of a file, one to begin with, or none. Alone, it is "
    "changed in the terms in force.",
)
@click.option(
    "--write",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the terms for editing; propose nothing.",
)
@force_option
@line_option
@talks_to_node
def propose(
    file: Path | None,
    use_default: bool,
    theatre: str | None,
    outline: str | None,
    landmarks: tuple[str, ...],
    minima: str | None,
    third_parties: tuple[str, ...],
    private_check: str | None,
    write: Path | None,
    force: bool,
    line: str | None,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Sign terms and propose them to the peer.

    They are in force once the peer has signed the same bytes.
    """
    from deconflict.cli.client import NodeClient
    from deconflict.messages.terms import terms_from_wire, terms_to_wire

    begins = (file is not None) + use_default
    if begins > 1 or (not begins and private_check is None):
        raise InvalidInputError("which terms?", expected="--file FILE, or --default with --theatre")
    require_free(write, force=force)
    with NodeClient.of(node_dir, account) as node:
        view = node.line(line)
        held = node.get("lines", view["line_id"], "terms")
        if file is not None:
            offered = _read(file)
        elif not use_default:
            offered = terms_from_wire(_next_version(held, "agreed"))
        else:
            offered = _default(
                node_folder(node_dir),
                view,
                held,
                theatre,
                outline,
                landmarks,
                minima,
                third_parties,
            )
        if private_check is not None:
            offered = _with_check(offered, private_check)
        wire = terms_to_wire(offered)
        if write is not None:
            _write_for_editing(write, wire)
            return
        posted = node.post("lines", view["line_id"], "terms", "proposal", body={"terms": wire})
        if not as_json:
            _show(wire, held["agreed"])
            click.echo()
        show_posted(node, posted, as_json=as_json)


@command(
    "accept",
    group=terms,
    example="deconflict terms show --proposed\ndeconflict terms accept --hash 3fdba35f04",
)
@click.option("--hash", "wanted", metavar="HASH", help="Of the terms that you have read.")
@line_option
@talks_to_node
def accept(
    wanted: str | None,
    line: str | None,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Sign the terms that the peer has proposed. What was read is what is signed."""
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        view = node.line(line)
        held = node.get("lines", view["line_id"], "terms")
        if held["proposed"] is None or held["proposed_by"] != view["peer"]:
            raise LineStateError(
                "the peer has proposed no terms that wait for you",
                given=held["state"].replace("_", " ").lower(),
                remedy="deconflict terms show",
            )
        if wanted is None:
            need_terminal("the terms", "--hash HASH")
            _show(held["proposed"], held["agreed"])
            click.confirm("\nSign these terms?", abort=True, err=True)
        elif len(wanted) < 8 or not held["proposed_hash"].startswith(wanted.lower()):
            raise InvalidInputError(
                "these are other terms than those that are proposed",
                given=wanted,
                expected=f"{short(held['proposed_hash'])}, or more of it",
                remedy="read them again: deconflict terms show --proposed",
            )
        body = {"terms_hash": held["proposed_hash"]}
        posted = node.post("lines", view["line_id"], "terms", "acceptance", body=body)
        show_posted(node, posted, as_json=as_json)


@command(
    "show",
    group=terms,
    example="deconflict terms show\n"
    "deconflict terms show --proposed\n"
    "deconflict terms show --out terms.json",
)
@click.option("--proposed", is_flag=True, help="The proposed ones instead of those in force.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write them as the next version, to be edited and proposed.",
)
@force_option
@line_option
@talks_to_node
def show(
    proposed: bool,
    out: Path | None,
    force: bool,
    line: str | None,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Show the terms in force on a line, or those proposed.

    Every field is shown, no figure is rounded. Of a proposal, what it changes against the terms in
    force stands first: read it before you sign.
    """
    from deconflict.cli.client import NodeClient

    require_free(out, force=force)
    with NodeClient.of(node_dir, account) as node:
        view = node.line(line)
        held = node.get("lines", view["line_id"], "terms")
    if out is not None:
        _write_for_editing(out, _next_version(held, "proposed" if proposed else "agreed"))
        return
    if as_json:
        write_json(held)
        return
    peer = clean(view["peer"])
    wanted, mark = ("proposed", "proposed_hash") if proposed else ("agreed", "agreed_hash")
    if held[wanted] is None:
        click.echo(f"No terms are {'proposed' if proposed else 'in force'} with {peer}.")
    else:
        by = f", proposed by {clean(held['proposed_by'])}" if proposed else ", signed by both"
        click.echo(f"Terms {short(held[mark])} with {peer}{by}\n")
        _show(held[wanted], held["agreed"] if proposed else None)
    if not proposed and held["proposed"] is not None:
        other = short(held["proposed_hash"])
        click.echo(f"\nProposed by {clean(held['proposed_by'])}: {other}. See --proposed.")


def _next_version(held: dict[str, Any], which: str) -> dict[str, Any]:
    """Return the terms in force, or those proposed, as what follows those in force.

    Raises:
        LineStateError: there are none.
    """
    if held[which] is None:
        raise LineStateError(
            f"no terms are {'proposed' if which == 'proposed' else 'in force'} on this line",
            remedy="begin with the proposed values: deconflict terms propose --default "
            "--theatre NAME --write FILE",
        )
    before = held["agreed"]
    version = 1 if before is None else before["version"] + 1
    return {**held[which], "version": version, "replaces": held["agreed_hash"]}


def _write_for_editing(file: Path, wire: dict[str, Any]) -> None:
    write_file(file, (json.dumps(wire, indent=2, ensure_ascii=False) + "\n").encode())
    click.echo(f"{file}: edit it, then: deconflict terms propose --file {file}", err=True)


def _read(file: Path) -> "Terms":
    from deconflict.formats.bounded_json import parse_json
    from deconflict.messages.terms import terms_from_wire

    return terms_from_wire(parse_json(file.read_bytes()))


def _default(
    folder: Path,
    view: dict[str, Any],
    held: dict[str, Any],
    theatre: str | None,
    outline: str | None,
    landmarks: tuple[str, ...],
    minima: str | None,
    third_parties: tuple[str, ...],
) -> "Terms":
    """Return the proposed values with what the options say, as the next version."""
    from deconflict.airspace.landmark import Landmark
    from deconflict.airspace.notation import parse_position
    from deconflict.messages.terms import PartyTerms, ThirdParty
    from deconflict.messages.terms_defaults import default_terms
    from deconflict.node.folder import NodeFolder

    if theatre is None:
        raise InvalidInputError("where does the line apply?", expected="--theatre NAME")
    node = NodeFolder.open(folder)
    peer = node.peers().get(view["peer"])
    places = []
    for written in landmarks:
        name, _, place = written.rpartition("=")
        if not name:
            raise InvalidInputError(
                "a landmark cannot be read", given=written, expected="NAME=PLACE"
            )
        places.append(Landmark(name, parse_position(place)))
    made = default_terms(
        line=view["line_id"],
        parties=[
            PartyTerms(name, desks[0], desks[1 % len(desks)], languages, 1)
            for name, desks, languages in (
                (node.settings.party, node.settings.desks, node.settings.languages),
                # The peer's languages are its own to change before it signs.
                (peer.party, peer.invitation.desks, node.settings.languages),
            )
        ],
        theatre=theatre,
        outline=None if outline is None else [parse_position(p) for p in outline.split(";")],
        landmarks=places,
        third_parties=[ThirdParty(name, None) for name in third_parties],
        version=held["agreed"]["version"] + 1 if held["agreed"] else 1,
        replaces=held["agreed_hash"],
    )
    return made if minima is None else _with_minima(made, minima)


def _with_minima(made: "Terms", minima: str) -> "Terms":
    from msgspec.structs import replace

    from deconflict.airspace.quantity import parse_distance, parse_height
    from deconflict.messages.declaration import Purpose
    from deconflict.messages.terms import Minimum, terms_from_wire, terms_to_wire

    lateral, comma, vertical = minima.partition(",")
    if not comma:
        raise InvalidInputError(
            "the minima cannot be read", given=minima, expected="lateral,vertical: 5NM,1000ft"
        )
    least = Minimum(parse_distance(lateral), parse_height(vertical))
    flights = (Purpose.FLIGHT, Purpose.FLIGHT)
    pairs = tuple(
        replace(pair, lateral_mm=least.lateral_mm, vertical_tmm=least.vertical_tmm)
        if pair.between == flights
        else pair
        for pair in made.minima.pairs
    )
    changed = replace(made, minima=replace(made.minima, default=least, pairs=pairs))
    return terms_from_wire(terms_to_wire(changed))


def _with_check(made: "Terms", wanted: str) -> "Terms":
    """Return terms with the document on private checks that an option names."""
    from msgspec.structs import replace

    from deconflict.formats.bounded_json import parse_json
    from deconflict.messages.private_defaults import default_private_check
    from deconflict.messages.terms import terms_from_wire, terms_to_wire
    from deconflict.messages.wire_form import write_form

    wire = terms_to_wire(replace(made, private_check=None))
    if wanted == "default":
        wire["private_check"] = write_form(default_private_check(made))
    elif wanted != "none":
        wire["private_check"] = parse_json(_bytes_of(wanted))
    return terms_from_wire(wire)


def _bytes_of(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise InvalidInputError(
            "the document on private checks cannot be read",
            given=f"{file}: {error.strerror}",
            expected="a file of JSON, default or none",
        ) from error


def _show(wire: dict[str, Any], in_force: dict[str, Any] | None) -> None:
    """Print terms in words, and what they change against those in force."""
    from deconflict.cli.terms_words import show_terms
    from deconflict.messages.terms import terms_from_wire

    show_terms(terms_from_wire(wire), None if in_force is None else terms_from_wire(in_force))
