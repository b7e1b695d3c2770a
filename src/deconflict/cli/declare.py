"""``deconflict declare``: say what you intend; change it; take it back."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deconflict.cli.command import EXIT_FINDING, command
from deconflict.cli.gaps import Gaps, gaps_options
from deconflict.cli.options import (
    RELEASES,
    as_written_option,
    drill_option,
    file_or_stdin,
    need_terminal,
    talks_to_node,
    typed_word,
)
from deconflict.cli.output import (
    clean,
    count,
    progress,
    say_warnings,
    short,
    table,
    when,
    write_json,
)
from deconflict.cli.sending import say_held
from deconflict.cli.sites import show_sites
from deconflict.errors import InvalidInputError

if TYPE_CHECKING:
    from deconflict.airspace.landmark import Landmark
    from deconflict.cli.client import NodeClient
    from deconflict.cli.drafts import Drafts

__all__ = ["declare"]

TOGETHER = 200  # so many go in one request, all of them or none
_NAMED = 10  # declarations in one line that says whom they do not reach


@command(
    "declare",
    example="deconflict declare tomorrow.geojson --dry-run\n"
    "deconflict declare tomorrow.geojson\n"
    "deconflict declare zones.kml --purpose hazard --start 2026-12-01T06:00:00Z "
    "--end 2026-12-01T08:00:00Z\n"
    "deconflict declare --interactive\n"
    "deconflict declare --correct 7c1e09af right.geojson\n"
    "deconflict declare --tell 7c1e09af --line green\n"
    "deconflict declare --list --sites\n"
    "deconflict declare --cancel 7c1e09af --reason ended-early",
)
@click.argument("files", nargs=-1, type=file_or_stdin, metavar="[FILE]...")
@click.option("--interactive", is_flag=True, help="Be asked, step by step.")
@click.option("--update", metavar="ID", help="FILE holds the new plan of this declaration.")
@click.option("--correct", metavar="ID", help="FILE holds what should have been declared.")
@click.option("--tell", metavar="ID", help="Declare it on further lines, named by --line.")
@click.option("--cancel", metavar="ID", help="This declaration no longer holds.")
@click.option("--reason", metavar="WORD", help="Why it is cancelled, as plan-withdrawn.")
@click.option("--list", "list_them", is_flag=True, help="List declarations, yours and the peers'.")
@click.option("--all", "also_past", is_flag=True, help="With --list: also those that are over.")
@click.option(
    "--sites",
    is_flag=True,
    help="With --list: your protected sites, and how far each recipient has them.",
)
@click.option("--dry-run", is_flag=True, help="Only check; nothing is sent or kept.")
@click.option(
    "--line",
    "lines",
    multiple=True,
    metavar="PEER",
    help="Only on this line; repeat it. Otherwise on every line with agreed terms; a protected "
    "site needs each recipient named.",
)
@click.option(
    "--release",
    type=click.Choice(RELEASES),
    default="own-forces",
    show_default=True,
    help="To whom the receiver may pass it on.",
)
@drill_option
@as_written_option
@gaps_options
@talks_to_node
@click.pass_context
def declare(
    ctx: click.Context,
    files: tuple[Path, ...],
    gaps: Gaps,
    interactive: bool,
    update: str | None,
    correct: str | None,
    tell: str | None,
    cancel: str | None,
    reason: str | None,
    list_them: bool,
    also_past: bool,
    sites: bool,
    dry_run: bool,
    lines: tuple[str, ...],
    release: str,
    drill: bool | None,
    as_written: bool,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Declare flights, areas and sites; update, correct, cancel.

    FILE, or - for standard input, is GeoJSON in the profile of docs/reference/geojson-profile.md,
    or what others write: positions, a table, GeoJSON, KML, KMZ, OpenAir
    (docs/reference/pasted-formats.md). What it leaves open is said by options; what of it is not
    taken over is told. You choose how coarse it is: no callsign, type or mission is asked for.
    Nothing is overwritten: an update or correction cites what it replaces. After
    sending, the conflicts of what was declared are shown, and the exit code is 1 if there are any.
    """
    from deconflict.cli.client import NodeClient
    from deconflict.cli.drafts import say_read

    chosen = [
        bool(files) and not (update or correct),
        interactive,
        update,
        correct,
        tell,
        cancel,
        list_them,
    ]
    if sum(map(bool, chosen)) != 1:
        raise InvalidInputError(
            "what is to be done?",
            expected="FILE, or one of --interactive, --update ID FILE, --correct ID FILE, "
            "--tell ID --line PEER, --cancel ID, --list",
            remedy="deconflict declare --help",
        )
    manner = {
        "lines": list(lines) or None,
        "drill": drill,
        "release": typed_word(release),
        "as_written": as_written,
    }
    report: list[dict[str, Any]] = []
    with NodeClient.of(node_dir, account) as node:
        if list_them:
            # Who speaks for sites alone sees no other declaration, and who has seen each site.
            if sites or not node.may("read"):
                show_sites(_on(node, node.sites(active=not also_past), lines), as_json=as_json)
            else:
                listed = _on(node, node.declarations(active=not also_past), lines)
                _list(node, listed, as_json=as_json)
            return
        if cancel is not None:
            _cancel(node, cancel, reason, as_json=as_json)
            return
        if tell is not None:
            found = _tell(node, tell, manner, as_json=as_json)
            if found:
                ctx.exit(EXIT_FINDING)
            return
        if interactive:
            need_terminal("a declaration", "a FILE")
            from deconflict.cli.interactive import ask_declaration

            drafts = [ask_declaration(node, drill=node.marks(drill, lines))]
        else:
            read = _drafts(files, gaps)
            drafts, report = read.wire, read.report()
            if not as_json:
                say_read(read)
        if dry_run:
            found = _conflicts(
                node,
                drafts,
                report,
                as_written=as_written,
                drill=node.marks(drill, lines),
                as_json=as_json,
            )
        elif update or correct:
            found = _replace(node, update, correct, drafts, report, manner, as_json=as_json)
        else:
            found = _declare(node, drafts, report, manner, as_json=as_json)
    if found:
        ctx.exit(EXIT_FINDING)


def _drafts(files: Sequence[Path], gaps: Gaps) -> "Drafts":
    from deconflict.cli.drafts import read_drafts

    if not files:
        raise InvalidInputError("which file?", expected="a FILE with what is declared, or -")
    return read_drafts(files, gaps)


def _declare(
    node: "NodeClient",
    drafts: list[dict[str, Any]],
    report: list[dict[str, Any]],
    manner: dict[str, Any],
    *,
    as_json: bool,
) -> bool:
    posted: list[dict[str, Any]] = []
    ids: list[str] = []
    with progress("Declaring", len(drafts) if len(drafts) > TOGETHER else None) as bar:
        for some in _groups(drafts):
            answer = node.post("declarations", body={"declarations": some, **manner})
            posted += answer["posted"]
            ids += answer["declaration_ids"]
            bar.advance(len(some))
    conflicts = _of(ids, node)
    if as_json:
        write_json(
            {"posted": posted, "declaration_ids": ids, "conflicts": conflicts, "read": report}
        )
        return bool(conflicts)
    lines = len({one["line_id"] for one in posted})
    said = count(len(ids), "declaration")
    named = ", ".join(clean(peer) for peer in manner["lines"] or ())
    click.echo(f"{said} on {count(lines, 'line')}{f' ({named})' if named else ''}:\n")
    rows = zip(ids, drafts, strict=True)
    table(
        ("ID", "PURPOSE", "FROM", "TO", "LABEL"),
        [(short(name), *_about(draft), draft.get("label")) for name, draft in list(rows)[:40]],
    )
    if len(ids) > 40:
        click.echo(f"... and {len(ids) - 40} more: deconflict declare --list")
    _echo(node, drafts, drill=node.marks(manner["drill"], manner["lines"] or ()))
    if say_held(posted, has_site=_has_site(drafts)):
        return bool(conflicts)
    _say_warnings(posted)
    click.echo("\nEach is on its way; who holds it shows in: deconflict declare --list")
    _say_conflicts(conflicts)
    return bool(conflicts)


def _replace(
    node: "NodeClient",
    update: str | None,
    correct: str | None,
    drafts: list[dict[str, Any]],
    report: list[dict[str, Any]],
    manner: dict[str, Any],
    *,
    as_json: bool,
) -> bool:
    if len(drafts) != 1:
        raise InvalidInputError(
            "one declaration replaces one", given=f"{len(drafts)} in the file", expected="one"
        )
    from deconflict.cli.changes import show_change

    held = node.declaration(update or correct or "")
    what = "update" if update else "correct"
    draft = {**drafts[0], "declaration_id": held["declaration_id"]}
    body = {"declarations": [draft], **manner}
    answer = node.post("declarations", held["declaration_id"], what, body=body)
    conflicts = _of([held["declaration_id"]], node)
    if as_json:
        write_json({**answer, "replaced": held, "conflicts": conflicts, "read": report})
        return bool(conflicts)
    if say_held(answer["posted"], has_site=_has_site([draft])):
        show_change(held, draft, _landmarks(node))
        return bool(conflicts)
    done = "updated" if update else "corrected"
    click.echo(f"{short(held['declaration_id'])} is {done}; what it replaces stays in the record.")
    show_change(held, draft, _landmarks(node))
    _say_warnings(answer["posted"])
    _say_conflicts(conflicts)
    return bool(conflicts)


def _has_site(declared: Sequence[dict[str, Any]]) -> bool:
    return any(each["purpose"] == "PROTECTED_SITE" for each in declared)


def _tell(node: "NodeClient", wanted: str, manner: dict[str, Any], *, as_json: bool) -> bool:
    if not manner["lines"]:
        raise InvalidInputError(
            "who else is told?",
            expected="the peer of each further line",
            remedy="deconflict declare --tell ID --line PEER",
        )
    held = node.declaration(wanted)
    answer = node.post("declarations", held["declaration_id"], "tell", body=manner)
    conflicts = _of([held["declaration_id"]], node)
    if as_json:
        write_json({**answer, "conflicts": conflicts})
        return bool(conflicts)
    if say_held(answer["posted"], has_site=_has_site([held])):
        return bool(conflicts)
    peers = ", ".join(manner["lines"])
    click.echo(f"{short(held['declaration_id'])} is declared to {clean(peers)} as well.")
    _say_warnings(answer["posted"])
    _say_conflicts(conflicts)
    return bool(conflicts)


def _cancel(node: "NodeClient", wanted: str, reason: str | None, *, as_json: bool) -> None:
    from deconflict.cli.typed import typed_value
    from deconflict.messages.values import ValueType

    number = None if reason is None else typed_value(ValueType.PHRASE, reason, "reason")
    held = node.declaration(wanted)
    answer = node.post(
        "declarations", held["declaration_id"], "cancel", body={"reason_number": number}
    )
    if as_json:
        write_json(answer)
        return
    if say_held(answer["posted"]):
        return
    click.echo(f"{short(held['declaration_id'])} is cancelled; it stays in the record.")
    _say_warnings(answer["posted"])


def _on(
    node: "NodeClient", found: Sequence[dict[str, Any]], lines: Sequence[str]
) -> list[dict[str, Any]]:
    """Return what stands on one of these lines; all of it when none is named."""
    if not lines:
        return list(found)
    if not node.may("read"):  # nor list the lines: a peer is known by its name alone
        return [one for one in found if set(one["peers"]) & set(lines)]
    wanted = {node.line(each)["line_id"] for each in lines}
    return [one for one in found if wanted & set(one["line_ids"])]


def _list(node: "NodeClient", found: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        write_json({"declarations": found})
        return
    if not found:
        click.echo("Nothing is declared. That says nothing of what flies undeclared.")
        return
    table(
        (
            "ID",
            "WHOSE",
            "PURPOSE",
            "FROM",
            "TO",
            "STATE",
            "DELIVERY",
            "READBACK",
            "LOADED",
            "LABEL",
        ),
        [
            (
                short(one["declaration_id"]),
                one["party"],
                one["purpose"].replace("_", " ").lower(),
                when(one["start_utc"]),
                when(one["end_utc"]),
                ("DRILL " if one.get("drill") else "")
                + one["state"].lower()
                + (f" r{one['revision']}" if one["revision"] > 1 else ""),
                _both(one["delivery"]) if one["own"] else "-",
                _both(one["readback"]),
                _both({line: "yes" if held else "no" for line, held in one["loaded"].items()}),
                one["label"],
            )
            for one in found
        ],
    )
    _say_not_reached(node, [one for one in found if one["not_reached"]])


def _say_not_reached(node: "NodeClient", found: Sequence[dict[str, Any]]) -> None:
    """Say who is concerned and was not told; where there is a line to them, how they are."""
    if not found:
        return
    agreed = {line["peer"] for line in node.lines() if line["terms_hash"]}
    carried_by_none: dict[str, list[str]] = {}  # who is not reached -> declarations
    for one in found:
        name = short(one["declaration_id"])
        tellable = [third for third in one["not_reached"] if one["own"] and third in agreed]
        without = [clean(third) for third in one["not_reached"] if third not in tellable]
        if without:
            carried_by_none.setdefault(", ".join(without), []).append(name)
        for third in map(clean, tellable):
            click.echo(
                f"{name} does not reach {third} yet; tell them: "
                f"deconflict declare --tell {name} --line {third}"
            )
    for thirds, names in carried_by_none.items():
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        verb, them = ("does", "it") if len(names) == 1 else ("do", "them")
        named = ", ".join(names[:_NAMED])
        click.echo(f"{named}{more} {verb} not reach {thirds}: no line carries {them}.")


def _both(by_line: dict[str, str]) -> str:
    """Return the one state on all lines, or each of them."""
    states = list(dict.fromkeys(by_line.values()))
    return states[0] if len(states) == 1 else ", ".join(by_line.values()) or "-"


def _conflicts(
    node: "NodeClient",
    drafts: list[dict[str, Any]],
    report: list[dict[str, Any]],
    *,
    as_written: bool,
    drill: bool,
    as_json: bool,
) -> bool:
    from deconflict.cli.check import show_conflicts

    found = node.post("check", body={"declarations": drafts, "as_written": as_written})
    if as_json:
        write_json({**found, "read": report})
    else:
        click.echo("Dry run: nothing was sent.")
        _echo(node, drafts, drill=drill)
        say_warnings(found["warnings"])
        click.echo()
        show_conflicts(found["conflicts"], drafts=len(drafts))
    return bool(found["conflicts"])


def _echo(node: "NodeClient", drafts: list[dict[str, Any]], *, drill: bool) -> None:
    from deconflict.cli.echoing import echo_declarations

    echo_declarations(drafts, _landmarks(node), drill=drill)


def _landmarks(node: "NodeClient") -> "list[Landmark]":
    from deconflict.airspace.landmark import Landmark
    from deconflict.cli.check import landmarks_of

    # They stand in the terms; who may not read those has the places in all notations.
    known = landmarks_of(node) if node.may("read") else []
    return [Landmark(name, place) for name, place in known]


def _of(ids: Sequence[str], node: "NodeClient") -> list[dict[str, Any]] | None:
    """Return the conflicts that the declarations just sent are part of.

    None for who may not read them. The declarations are out: nothing after that may fail for want
    of a role, or they would be sent a second time.
    """
    if not node.may("read"):
        return None
    mine = set(ids)
    return [
        one
        for one in node.get("conflicts")
        if mine & {one["first_declaration"], one["second_declaration"]}
    ]


def _say_conflicts(conflicts: Sequence[dict[str, Any]] | None) -> None:
    from deconflict.cli.check import show_conflicts

    if conflicts is None:
        click.echo("Whether it comes too close to anything is shown to others of your party alone.")
    if conflicts:
        click.echo()
        show_conflicts(conflicts, drafts=None)


def _say_warnings(posted: Sequence[dict[str, Any]]) -> None:
    say_warnings(words for one in posted for words in one["warnings"])


def _about(draft: dict[str, Any]) -> tuple[str, str, str]:
    from deconflict.airspace import format_utc, geometry_from_wire, span_of

    span = span_of(geometry_from_wire(draft["geometry"]))
    purpose = draft["purpose"].replace("_", " ").lower()
    return purpose, when(format_utc(span.start_ms)), when(format_utc(span.end_ms))


def _groups(drafts: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(drafts), TOGETHER):
        yield drafts[start : start + TOGETHER]
