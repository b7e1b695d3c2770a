"""``deconflict log``, ``export`` and ``verify``: what was said, and that it was said."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deconflict.cli.asking import ask_export, say_asked
from deconflict.cli.command import EXIT_FINDING, command, show_error
from deconflict.cli.options import (
    as_json_option,
    existing_file,
    line_option,
    talks_to_node,
)
from deconflict.cli.output import (
    clean,
    count,
    fields,
    progress,
    sentences,
    short,
    span,
    table,
    when,
    write_json,
)
from deconflict.cli.translate import show_translations
from deconflict.cli.trusted import key_option, pieces_of, read_keys, read_roots, require_each_key
from deconflict.cli.written import require_free
from deconflict.errors import InvalidDocumentError, InvalidInputError, VerificationError

if TYPE_CHECKING:
    from deconflict.cli.client import NodeClient
    from deconflict.line.note import NoteKey
    from deconflict.node.bundle_verified import VerifiedBundle

__all__ = ["export", "log", "message_rows", "show_message", "verify"]

_MOST_OF_SITES = 1_000  # that the node gives at once
_MOST_LACKING = 10  # runs of private checks shown one by one
_MOST_UNFOUND = 20  # citations shown one by one


@command(
    "log",
    example="deconflict log --last 20\ndeconflict log --message 9f86d08188",
)
@line_option
@click.option(
    "--last",
    type=click.IntRange(1, 10_000),
    default=50,
    show_default=True,
    metavar="N",
    help="How many of the latest messages to show.",
)
@click.option("--message", metavar="ID", help="Show one message whole.")
@talks_to_node
def log(
    line: str | None,
    last: int,
    message: str | None,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Show what was said on a line.

    Times are when this node logged a message. An arrow shows its way: -> sent, <- received. The
    state of a sent message says what is proven: LACKED = the peer signed that it holds it, SEEN = a
    person there has it on the screen, LOADED = the unit that acts has it. None implies a later one,
    and none is consent.

    A humanitarian notifier is shown what was said of its sites, and its warnings with what answers
    them.
    """
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        if message is not None:
            show_message(node.message(message), as_json=as_json)
            return
        view = node.line(line)
        said = _last_said(node, view, last)
    # One order for both directions: as this node logged them.
    said.sort(key=lambda item: (item["logged_utc"], item["outgoing"], item["position"]))
    said = said[-last:]
    if as_json:
        write_json(said)
        return
    if not said:
        peer = clean(view["peer"])
        click.echo(
            f"Nothing was said on the line with {peer} yet."
            if "own_seq" in view
            else f"Nothing was said to {peer} of your sites yet."
        )
        return
    table(("LOGGED", "", "NO", "KIND", "STATE", "ID", "TEXT"), message_rows(said), right=(2,))


def _last_said(node: "NodeClient", view: dict[str, Any], last: int) -> list[dict[str, Any]]:
    """Return the latest messages of both directions; to a notifier, of those about own sites."""
    if not node.may("read"):
        found = node.site_messages(last=min(last, _MOST_OF_SITES))
        return [one for one in found if one["line_id"] == view["line_id"]]
    said: list[dict[str, Any]] = []
    for direction in ("out", "in"):
        said += node.messages(view["line_id"], direction=direction, last=last)
    return said


def message_rows(messages: list[dict[str, Any]]) -> Iterator[tuple[object, ...]]:
    """Yield the cells of a table of messages: logged, way, number, kind, state, id, text."""
    for item in messages:
        state = item["state"]
        if item["escalation"]:
            state += f" (escalated {item['escalation']})"
        if item["late_ms"]:
            state += " (LATE)"  # a line check, answered past its limit
        if item["delayed"]:
            state = "DELAYED"  # arrived past its expiry: kept, never acted on
        yield (
            when(item["logged_utc"]),
            "->" if item["outgoing"] else "<-",
            item["seq"],
            item["kind"],
            state,
            short(item["hash"]),
            item["text"],
        )


@command(
    "export",
    example="deconflict export --line red --out record.deconflict\n"
    "deconflict export --line red --only 9f86d08188 --out message.deconflict\n"
    "deconflict export --line red --fork --out fork.deconflict",
)
@line_option
@click.option("--only", metavar="ID", help="Write this one message alone, with its proof.")
@click.option("--fork", is_flag=True, help="Write the proof that the peer signed two things.")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The file to write; it must not exist yet.",
)
@talks_to_node
@click.pass_context
def export(
    ctx: click.Context,
    line: str | None,
    only: str | None,
    fork: bool,
    out: Path,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Write the record of a line into a file that proves itself.

    The file holds both parties' signed messages, the receipts, the checkpoints both signed, and the
    signed terms. Anyone can check it with `deconflict verify` and the two parties' invitation
    files, offline.

    With --only it holds one message, and proves its place without showing any other. With --fork it
    holds two things the peer signed for one place in its log, where the node has found such; the
    peer's invitation file alone is enough to check that.

    Where your node wants two persons (release_persons = 2 in node.toml), nothing is written the
    first time (exit code 1): a second person releases it with `deconflict line release`, and then
    the same command writes the file, for an hour.
    """
    from deconflict.cli.client import NodeClient

    if only is not None and fork:
        raise InvalidInputError(
            "a file holds one message or one fork",
            given="--only and --fork",
            expected="one of them",
        )
    require_free(out, kept="records")
    written = 0
    with NodeClient.of(node_dir, account) as node:
        view = node.line(line)
        path: tuple[str, ...] = ("lines", view["line_id"])
        message = None if only is None else node.message(only)["hash"]
        what = "MESSAGE" if message else "FORK" if fork else "RECORD"
        asked = ask_export(node, view["line_id"], what, message)
        if asked["state"] == "HELD":
            say_asked(asked, as_json=as_json)
            ctx.exit(EXIT_FINDING)
        if message is not None:
            path = (*path, "proofs", message)
        else:
            path = (*path, "fork" if fork else "bundle")
        part = out.with_name(out.name + ".part")
        with os.fdopen(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
            for piece in node.download(*path):
                written += file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        part.rename(out)
    if as_json:
        write_json({"file": str(out), "bytes": written, "line_id": view["line_id"]})
        return
    peer = clean(view["peer"])
    what = f"the record of the line with {peer}"
    keys = "--key PARTY=INVITATION (once for each)"
    if only is not None:
        what = f"one message of the line with {peer}, and nothing of the others"
    if fork:
        what, keys = f"two things that {peer} signed for one place", f"--key {peer}=INVITATION"
    click.echo(f"{out}: {what}, {written:,} bytes.")
    click.echo(f"Prove it anywhere: deconflict verify {out} {keys}")


@command(
    "verify",
    example="deconflict verify record.deconflict \\\n"
    "    --key blue=blue.invitation --key red=red.invitation",
)
@click.argument("bundle", type=existing_file)
@key_option
@click.option(
    "--witness",
    "vkeys",
    multiple=True,
    metavar="VKEY",
    help="The key of a third witness, as its owner gave it: how far had it seen this? Repeat it.",
)
@click.option(
    "--evidence",
    "files",
    multiple=True,
    type=existing_file,
    metavar="FILE",
    help="A file that is said to be evidence: who named it in this record? Repeat it.",
)
@click.option("--incidents", is_flag=True, help="Show each incident whole, accounts side by side.")
@as_json_option
@click.pass_context
def verify(
    ctx: click.Context,
    bundle: Path,
    keys: tuple[str, ...],
    vkeys: tuple[str, ...],
    files: tuple[Path, ...],
    incidents: bool,
    as_json: bool,
) -> None:
    """Verify an exported file offline, without any node.

    Exit code 0 means that every byte is as it was exported and every message was signed by the
    party it names, in one unbroken order. Exit code 1 means that it was not, and the words say
    where. The keys are yours to obtain: a record cannot vouch for its own keys.

    Of one message written alone, 0 means that its author signed it and that it stands where it says
    in a log that both sides fixed. Of a fork, 0 means that the party named did sign both.

    With --witness, it is also shown how far that third witness had signed each side's chain, and
    when; what it signed wrongly is exit code 1, and what it never saw is said.

    Exit code 1 under VERIFIED means that the exporter's peer signed to hold a message that this
    record lacks. One of the two is not truthful: the peer, or the exporter, who left it out. The
    peer can show which, for it holds the message signed, or it was never said.

    With --evidence, exit code 1 also says that a file is none that the record names as evidence of
    an incident: it may be another one, or this one changed.
    """
    from deconflict.cli.proof import show_proof, verified_proof
    from deconflict.cli.recorded import check_files, show_pages, show_recorded
    from deconflict.node.bundle_incidents import RecordedIncidents
    from deconflict.node.bundle_proof import verify_bundle
    from deconflict.node.incident_book import INCIDENT_KINDS

    trusted, roots = read_keys(keys), read_roots(keys)
    require_each_key(bundle, trusted)
    witnesses = _read_witnesses(vkeys)
    try:
        small = verified_proof(bundle, trusted, roots)
        if small is not None and files:
            raise InvalidInputError(
                "evidence is looked up in a whole record",
                given=f"{bundle}: one message, or a fork",
                expected="a record, as written by: deconflict export --line PEER --out FILE",
            )
        if small is not None and witnesses:
            raise InvalidInputError(
                "what a witness has seen is looked up in a whole record",
                given=f"{bundle}: one message, or a fork",
                expected="a record, as written by: deconflict export --line PEER --out FILE",
            )
        if small is not None:
            show_proof(bundle, small, as_json=as_json)
            return
        with bundle.open("rb") as file, progress("Verifying", bundle.stat().st_size) as bar:
            recorded = RecordedIncidents()
            pieces = pieces_of(file, bar)
            proven = verify_bundle(
                pieces, trusted, recorded.look, roots, kinds=INCIDENT_KINDS, witnesses=witnesses
            )
    except (VerificationError, InvalidDocumentError) as error:
        if not as_json:
            click.echo(click.style("NOT VERIFIED", fg="red", bold=True) + f"  {bundle}")
        show_error(error, as_json=as_json)
        ctx.exit(EXIT_FINDING)
    summary = recorded.summary()
    checked = check_files(files, recorded)
    if as_json:
        from msgspec import to_builtins

        told = {"incidents": to_builtins(summary), "files": to_builtins(checked)}
        if incidents:
            told["pages"] = to_builtins(recorded.pages(proven.line_id, proven.by, "en"))
        write_json({**to_builtins(proven), **told})
    else:
        click.echo(click.style("VERIFIED", fg="green", bold=True) + f"  {bundle}\n")
        _show_proven(proven)
        if witnesses:
            _show_seen(proven, witnesses)
        _show_unfound(proven)
        show_recorded(summary, checked)
        if incidents:
            show_pages(recorded.pages(proven.line_id, proven.by, "en"))
    if proven.unfound or not all(each.named for each in checked):
        ctx.exit(EXIT_FINDING)


def _read_witnesses(given: tuple[str, ...]) -> list["NoteKey"]:
    """Return the keys of third witnesses, each once."""
    from deconflict.line.note import NoteKey, NoteKind

    found = [NoteKey.from_text(written.strip()) for written in dict.fromkeys(given)]
    for key in found:
        if key.kind is not NoteKind.WITNESS:
            raise InvalidInputError(
                "this is the key of a log, not of a witness",
                given=key.to_text(),
                expected="the key that the witness's owner gave (cosignature/v1, type 0x04)",
            )
    return found


def _show_proven(proven: "VerifiedBundle") -> None:
    table(
        (
            *("PARTY", "MESSAGES", "SIGNED FOR BY THE PEER", "NOT SIGNED FOR"),
            *("FIXED BY BOTH", "DRILLS", "LATE", "KEY"),
        ),
        [
            (
                chain.party,
                chain.length,
                chain.length - chain.unreceipted,
                chain.unreceipted,
                _fixed(chain.cosigned, chain.cosigned_utc),
                chain.drills,
                chain.delayed,
                short(chain.key_id),
            )
            for chain in proven.chains
        ],
        right=(1, 2, 3, 4, 5, 6),
    )
    agreed = [short(one) for one in proven.agreed_terms]
    beside = f"{count(proven.evidence, 'piece')}, about which nothing is proven"
    click.echo()
    fields(
        (
            ("line", proven.line_id),
            ("fresh epochs", _reopened(proven)),
            ("keys changed", _keys_changed(proven)),
            ("terms signed by both", ", ".join(agreed) or "none"),
            ("signed by one only", ", ".join(short(one) for one in proven.one_sided_terms)),
            ("kept beside it", beside if proven.evidence else None),
            ("private checks", _parts_there(proven)),
            ("exported by", f"{proven.by}, who says {when(proven.exported_utc)}"),
        )
    )
    if proven.calls:
        from deconflict.cli.call_picture import show_proven_call

        click.echo()
        for call in proven.calls:
            show_proven_call(call)


def _show_seen(proven: "VerifiedBundle", witnesses: Sequence["NoteKey"]) -> None:
    """Print how far each witness had seen each side's chain."""
    seen = {(chain.party, one.vkey): one for chain in proven.chains for one in chain.seen_by}
    rows = []
    for key in witnesses:
        for chain in proven.chains:
            one = seen.get((chain.party, key.to_text()))
            rows.append(
                (
                    key.name,
                    chain.party,
                    "nothing" if one is None else f"{one.messages} of {chain.length}",
                    "-" if one is None else when(one.seen_utc),
                    "-" if one is None else when(one.first_utc),
                )
            )
    click.echo()
    table(("WITNESS", "PARTY", "SEEN", "AT", "FIRST AT"), rows)


def _show_unfound(proven: "VerifiedBundle") -> None:
    """Say which messages the exporter's peer cites and the record lacks: of many, the first."""
    for one in proven.unfound[:_MOST_UNFOUND]:
        held = "left behind by a fresh epoch" if one.left_behind else "not in this record"
        click.echo()
        click.echo(
            click.style("CITED, NOT SHOWN", fg="yellow", bold=True)
            + f"  {one.party} signed in its message {one.citing.seq} ({short(one.citing.hash)}, "
            f"line {one.line_number:,} of the file) that it holds message {one.cited.seq} "
            f"({short(one.cited.hash)}) of {proven.by}, which is {held}. Either {one.party} signed "
            f"what is not so, or {proven.by} left it out: {one.party} can show it, signed by "
            f"{proven.by}, if it was ever said."
        )
    more = len(proven.unfound) - _MOST_UNFOUND
    if more > 0:
        click.echo(f"\nand {more:,} more such citations: --json lists all")


def _parts_there(proven: "VerifiedBundle") -> str | None:
    """Return how many parts of steps are there, and of which runs some are not."""
    if not proven.parts:
        return None
    named = sum(run.named for run in proven.parts)
    lacking = [run for run in proven.parts if run.missing]
    missing = sum(len(run.missing) for run in lacking)
    told = f"{named - missing:,} of {count(named, 'part')} of {count(len(proven.parts), 'run')}"
    if not lacking:
        return f"{told}, as their steps name them"
    which = [
        f"{len(run.missing):,} of run {run.run} of {short(run.proposal)}"
        for run in lacking[:_MOST_LACKING]
    ]
    if len(lacking) > _MOST_LACKING:
        which.append(f"{len(lacking) - _MOST_LACKING:,} more runs")
    return f"{told}; missing: {', '.join(which)} (they may be gone by retention)"


def _reopened(proven: "VerifiedBundle") -> str | None:
    """Return whose chain goes on in a later epoch, and what that left behind."""
    told = [
        f"{chain.party}: {chain.epochs} epochs, each behind an entry of the one before; "
        f"{chain.left_behind} left behind and said again"
        for chain in proven.chains
        if chain.epochs > 1
    ]
    return "; ".join(told) or None


def _keys_changed(proven: "VerifiedBundle") -> str | None:
    """Return whose key was changed, each time as the root of that party signed it."""
    told = [
        f"{chain.party}: {count(chain.key_changes, 'change')}, signed by its root; now key "
        f"{short(chain.present_key_id)}"
        for chain in proven.chains
        if chain.key_changes
    ]
    return "; ".join(told) or None


def _fixed(messages: int, cosigned_utc: str | None) -> str:
    return "none" if cosigned_utc is None else f"{messages}, {when(cosigned_utc)}"


def show_message(item: dict[str, Any], *, as_json: bool) -> None:
    """Print one message of the record whole; or its JSON."""
    if as_json:
        write_json(item)
        return
    way = "sent" if item["outgoing"] else "received"
    click.echo(f"{item['kind']} {way} {when(item['logged_utc'])}")
    click.echo("\n" + sentences(item["text"], indent=2) + "\n")
    if item.get("text_author"):
        click.echo(f"As the author's desk reads it ({item['language']}):")
        click.echo("\n" + sentences(item["text_author"], indent=2) + "\n")
    if item.get("translations"):
        show_translations(item)
        click.echo()
    _show_geometry(item)
    fields(
        (
            ("from", f"{item['from_party']}, {item['from_desk']} desk"),
            ("to", f"{item['to_party']}, {item['to_desk']} desk"),
            ("state", "DELAYED, not to be acted on" if item["delayed"] else item["state"]),
            ("escalations", item["escalation"] or None),
            (
                "late",
                f"{span(item['late_ms'] // 1_000)} past its limit" if item["late_ms"] else None,
            ),
            ("precedence", item["precedence"]),
            ("created", when(item["created_utc"])),
            ("about", item["ref"]),
            ("release", _release(item)),
            ("language", item["language"]),
            ("number", f"{item['seq']} of epoch {item['epoch']}"),
            ("id", item["hash"]),
        )
    )


def _release(item: dict[str, Any]) -> str:
    """Return to whom it may be passed on: as its author says by now, then as it was written."""
    written, now = (item[name].replace("_", " ") for name in ("release", "release_now"))
    return written if now == written else f"{now} by its author's later word; written {written}"


def _show_geometry(item: dict[str, Any]) -> None:
    """Print every place, altitude and time of a message that declares something."""
    from deconflict.airspace import geometry_from_wire
    from deconflict.cli.places import geometry_lines

    declaration = item["body"].get("declaration")
    if not isinstance(declaration, dict) or "geometry" not in declaration:
        return
    try:
        geometry = geometry_from_wire(declaration["geometry"])
    except InvalidInputError:
        return  # a message that cannot be read is said to be unreadable in its text
    for each in geometry_lines(geometry):
        click.echo(f"  {each}")
    click.echo()
