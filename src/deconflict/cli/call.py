"""``deconflict line call``: ask for a call, counter, accept, decline, call off; record; note.

Nothing here says a telephone number or a name: who calls whom on which set is in the voice plan.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deconflict.cli.call_picture import held_row, show_call
from deconflict.cli.call_words import (
    LANGUAGES,
    MEDIA,
    REASONS,
    SUBJECTS,
    TIERS,
    show_talks,
    slot_wire,
    spelled,
    typed_roles,
    typed_words,
)
from deconflict.cli.command import Group, command
from deconflict.cli.options import line_option, talks_to_node, typed_word
from deconflict.cli.output import count, sentences, table, when, write_json
from deconflict.cli.papers import keep_paper, papers_of, say_kept, show_papers, throw_away
from deconflict.cli.sending import Manner, manner_options, post
from deconflict.cli.written import force_option, require_free, write_file
from deconflict.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from deconflict.cli.client import NodeClient

__all__ = ["call"]

SLOT = "A time, UTC: START/END or START+30min; repeat it to offer several."


@click.group(
    "call",
    cls=Group,
    example="deconflict line call request --tier senior-1 --slot 2015-09-30T12:00:00Z+30min",
)
def call() -> None:
    """Arrange calls with the peer, and record those that were held.

    A request is no call and silence is no answer: a call is arranged when the side that did not
    offer names one of the times. An answer that comes when the time has begun is late and changes
    nothing.
    """


def _offer_options(function: Any) -> Any:
    for option in (
        click.option("--place", metavar="PLACE", help="Where to meet in person, in any notation."),
        click.option(
            "--by",
            "media",
            multiple=True,
            type=click.Choice(MEDIA),
            help="How; repeat it to offer several. Default: phone.",
        ),
        click.option(
            "--language",
            "languages",
            multiple=True,
            type=click.Choice(LANGUAGES),
            help="To be spoken or interpreted; repeat it. Default: en.",
        ),
        click.option("--slot", "slots", multiple=True, metavar="TIME", help=SLOT),
    ):
        function = option(function)
    return function


_reason_option = click.option(
    "--reason",
    type=click.Choice(REASONS),
    default="no-reason",
    show_default=True,
    help="Why, as a word of the agreed list.",
)


@command(
    "request",
    group=call,
    example="deconflict line call request --tier watch --slot 2015-09-30T12:00:00Z+30min\n"
    "deconflict line call request --tier senior-1 --subject incident \\\n"
    "    --slot 2015-09-30T12:00:00Z+50min --slot 2015-10-01T06:00:00Z/2015-10-01T07:00:00Z \\\n"
    "    --language en --language ru --by video --by phone",
)
@click.option("--tier", type=click.Choice(TIERS), required=True, help="Between whom.")
@click.option(
    "--subject",
    type=click.Choice(SUBJECTS),
    default="other",
    show_default=True,
    help="What it is about, as a word of the agreed list.",
)
@click.option("--about", metavar="ID", help="A message that it is about.")
@_offer_options
@line_option
@manner_options
@talks_to_node
def request(
    tier: str,
    subject: str,
    about: str | None,
    slots: tuple[str, ...],
    languages: tuple[str, ...],
    media: tuple[str, ...],
    place: str | None,
    line: str | None,
    manner: Manner,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Ask the peer for a call: level, times, languages, media.

    The subject is a word of the agreed list; what stands in --note binds nobody.
    """
    from deconflict.cli.client import NodeClient

    if not slots:
        raise InvalidInputError("when?", expected="--slot TIME", remedy=SLOT)
    offer = _changed({}, tier, subject, slots, languages or ("en",), media or ("phone",), place)
    with NodeClient.of(node_dir, account) as node:
        ref = None if about is None else node.message(about)["hash"]
        line_id = node.line(line)["line_id"]
        post(node, line_id, "TALK_REQUEST", offer, manner, ref=ref, where="talks", as_json=as_json)


@command(
    "propose",
    group=call,
    example="deconflict line call propose 9f86d08188 --slot 2015-09-30T15:00:00Z+30min",
)
@click.argument("wanted", metavar="ID")
@click.option("--tier", type=click.Choice(TIERS), help="Another level.")
@click.option("--subject", type=click.Choice(SUBJECTS), help="Another subject.")
@_offer_options
@manner_options
@talks_to_node
def propose(
    wanted: str,
    tier: str | None,
    subject: str | None,
    slots: tuple[str, ...],
    languages: tuple[str, ...],
    media: tuple[str, ...],
    place: str | None,
    manner: Manner,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Answer the peer's offer by another one; what you do not give stays as it was offered.

    Then it is the peer's turn: each offer is answered once.
    """
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        talk = node.talk(wanted)
        held = node.get("messages", talk["message"])["body"]
        kept = {name: value for name, value in held.items() if name != "not_binding"}
        offer = _changed(kept, tier, subject, slots, languages, media, place)
        _answer(node, talk, "TALK_PROPOSE", offer, manner, as_json=as_json)


@command(
    "accept",
    group=call,
    example="deconflict line call accept 9f86d08188\n"
    "deconflict line call accept 9f86d08188 --time 2 --by video",
)
@click.argument("wanted", metavar="ID")
@click.option("--time", "number", type=click.IntRange(1, 8), help="Which of several times.")
@click.option("--by", "medium", type=click.Choice(MEDIA), help="Which of several media.")
@manner_options
@talks_to_node
def accept(
    wanted: str,
    number: int | None,
    medium: str | None,
    manner: Manner,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Accept one of the times that the peer offers."""
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        talk = node.talk(wanted)
        slots, media = talk["slots"], talk["media"]
        if (number is None and len(slots) > 1) or (number or 1) > len(slots):
            raise InvalidInputError(
                "which time?",
                given="none" if number is None else str(number),
                expected=f"--time 1 to {len(slots)}",
                remedy=" · ".join(f"{n}: {when(s['start_utc'])}" for n, s in enumerate(slots, 1)),
            )
        if medium is None and len(media) > 1:
            raise InvalidInputError("how?", expected="--by " + " or ".join(map(spelled, media)))
        body = {
            "slot": slots[(number or 1) - 1],
            "medium": media[0] if medium is None else typed_word(medium),
        }
        _answer(node, talk, "TALK_ACCEPT", body, manner, as_json=as_json)


@command("decline", group=call, example="deconflict line call decline 9f86d08188 --reason time")
@click.argument("wanted", metavar="ID")
@_reason_option
@manner_options
@talks_to_node
def decline(
    wanted: str,
    reason: str,
    manner: Manner,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Decline the peer's offer. A refusal is an answer, and ends this call."""
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        talk = node.talk(wanted)
        body = {"reason": typed_word(reason)}
        _answer(node, talk, "TALK_DECLINE", body, manner, as_json=as_json)


@command("cancel", group=call, example="deconflict line call cancel 9f86d08188 --reason settled")
@click.argument("wanted", metavar="ID")
@_reason_option
@manner_options
@talks_to_node
def cancel(
    wanted: str,
    reason: str,
    manner: Manner,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Take a request back, or call an arranged call off; either side can."""
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        talk = node.talk(wanted)
        ref = talk["call_id"] or talk["message"]
        body = {"reason": typed_word(reason)}
        line_id = talk["line_id"]
        post(node, line_id, "TALK_CANCEL", body, manner, ref=ref, where="talks", as_json=as_json)


@command("standby", group=call, example="deconflict line call standby 9f86d08188")
@click.argument("wanted", metavar="ID")
@manner_options
@talks_to_node
def standby(
    wanted: str, manner: Manner, node_dir: Path | None, account: str | None, as_json: bool
) -> None:
    """Ask once for more time to answer. It is no answer."""
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        talk = node.talk(wanted)
        body = {"desk": node.get("me")["desk"], "at_utc": node.get("node")["now_utc"]}
        ref = talk["message"]
        post(node, talk["line_id"], "STANDBY", body, manner, ref=ref, as_json=as_json)


@command(
    "list",
    group=call,
    example="deconflict line call list\ndeconflict line call list --all --line red\n"
    "deconflict line call list 9f86d08188",
)
@click.argument("wanted", required=False, metavar="[ID]")
@click.option("--all", "whole", is_flag=True, help="Also what is over, and calls that were held.")
@click.option("--line", metavar="PEER", help="Only on this line; otherwise on all.")
@talks_to_node
def list_calls(
    wanted: str | None,
    whole: bool,
    line: str | None,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """List calls that wait for an answer or are to be held; with an ID show one whole."""
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        if wanted is not None:
            _show_one(node, wanted, as_json=as_json)
            return
        own = node.get("node")["party"]
        line_id = None if line is None else node.line(line)["line_id"]
        talks = node.get("talks", line=line_id, ahead=str(not whole).lower())
        calls = node.get("calls", line=line_id) if whole else []
    if as_json:
        write_json({"talks": talks, "calls": calls})
        return
    if talks:
        show_talks(talks, own=own)
    else:
        click.echo("No call is asked for or arranged." if not whole else "No call was asked for.")
    held = [each for each in calls if each["records"]]
    if held:
        click.echo()
        table(("HELD WITH", "FROM", "TO", "RECORDED BY", "DIFFER IN", "ID"), map(held_row, held))


@command(
    "ics",
    group=call,
    example="deconflict line call ics 9f86d08188 --out call.ics",
)
@click.argument("wanted", metavar="ID")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The file to write; otherwise it is printed.",
)
@force_option
@talks_to_node
def ics(
    wanted: str,
    out: Path | None,
    force: bool,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Write the times of a call as an iCalendar file (RFC 5545).

    Offered times are tentative, the accepted one confirmed, all others cancelled. Reading a later
    file into the same calendar changes the entries of the earlier one. It names no person.
    """
    from deconflict.cli.client import NodeClient

    require_free(out, force=force)
    with NodeClient.of(node_dir, account) as node:
        talk = node.talk(wanted)
        path = ("lines", talk["line_id"], "talks", talk["talk_id"], "calendar")
        content = b"".join(node.download(*path))
    if out is not None:
        write_file(out, content)
    if as_json:
        write_json({"file": None if out is None else str(out), "calendar": content.decode()})
    elif out is not None:
        click.echo(f"{out}: {count(content.count(b'BEGIN:VEVENT'), 'time')}.")
    else:
        click.echo(content.decode().replace("\r\n", "\n"), nl=False)


@command(
    "record",
    group=call,
    example="deconflict line call record 9f86d08188 \\\n"
    "    --start 2015-09-30T12:02:00Z --end 2015-09-30T12:41:00Z \\\n"
    "    --ours senior-1,interpreter --theirs senior-1,interpreter",
)
@click.argument("wanted", required=False, metavar="[ID]")
@click.option("--start", required=True, metavar="TIME", help="UTC.")
@click.option("--end", required=True, metavar="TIME", help="UTC.")
@click.option(
    "--ours", required=True, metavar="ROLES", help="Who was there of your side, as roles."
)
@click.option("--theirs", required=True, metavar="ROLES", help="Who was there of the peer's side.")
@click.option("--tier", type=click.Choice(TIERS), help="Between whom; as arranged if not said.")
@click.option("--by", "medium", type=click.Choice(MEDIA), help="How; as arranged if not said.")
@click.option(
    "--language",
    "languages",
    multiple=True,
    type=click.Choice(LANGUAGES),
    help="Spoken or interpreted; as arranged if not said.",
)
@line_option
@manner_options
@talks_to_node
def record(
    wanted: str | None,
    start: str,
    end: str,
    ours: str,
    theirs: str,
    tier: str | None,
    medium: str | None,
    languages: tuple[str, ...],
    line: str | None,
    manner: Manner,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Record that a call took place, as your side has it.

    Each side records for itself. Where the two differ both are told which fields, and neither is
    chosen. A later record of yours counts instead of the earlier one; both stay in the log. A call
    that nobody arranged is recorded without an ID, and the other side cites that record.
    """
    from deconflict.cli.client import NodeClient
    from deconflict.cli.typed import time_wire

    with NodeClient.of(node_dir, account) as node:
        known, ref, line_id, peer = _about(node, wanted, line)
        body = {
            "start_utc": time_wire(start),
            "end_utc": time_wire(end),
            "tier": typed_word(tier) if tier else known.get("tier"),
            "medium": typed_word(medium) if medium else known.get("medium"),
            "languages": list(dict.fromkeys(languages)) or known.get("languages"),
            "participants": {
                node.get("node")["party"]: typed_roles(ours),
                peer: typed_roles(theirs),
            },
        }
        missing = [name for name, value in body.items() if not value]
        if missing:
            raise InvalidInputError(
                "nothing was arranged, so more has to be said",
                given=f"without {', '.join(missing)}",
                expected="--tier, --by and --language",
            )
        post(node, line_id, "CALL_RECORD", body, manner, ref=ref, where="talks", as_json=as_json)


@command(
    "note",
    group=call,
    example='deconflict line call note 9f86d08188 "They asked for a map of area 7."\n'
    "deconflict line call note 9f86d08188\n"
    "deconflict line call note --delete 3f9a01cc",
)
@click.argument("wanted", required=False, metavar="[ID]")
@click.argument("text", required=False)
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    default="en",
    show_default=True,
    help="The language of the note.",
)
@click.option("--delete", metavar="NOTE", help="Throw a note away.")
@talks_to_node
def note(
    wanted: str | None,
    text: str | None,
    language: str,
    delete: str | None,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Keep a note of a call for your own side, or list them.

    Notes are no part of the record: they are kept at your node, are in no export, and never go to
    the peer.
    """
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        if delete is not None:
            throw_away(node, delete, as_json=as_json)
            return
        if wanted is None:
            raise InvalidInputError("of which call?", expected="ID, or --delete NOTE")
        about = node.call(wanted)
        if text is None:
            notes = papers_of(node, about, "note")
            if as_json:
                write_json(notes)
            elif not notes:
                click.echo("No notes of this call.")
            else:
                show_papers(notes)
            return
        lines = [each for each in text.splitlines() if each.strip()]
        kept = keep_paper(node, about, "note", {language: lines})
    say_kept(kept, as_json=as_json)


def _show_one(node: "NodeClient", wanted: str, *, as_json: bool) -> None:
    try:
        talk = node.talk(wanted)
    except NotFoundError:  # nobody asked for it; it may have been held all the same
        talk = None
    # A call that is only asked for has no name yet, and nothing was recorded of it.
    name = wanted if talk is None else talk["call_id"]
    held = None if name is None else node.call(name)
    if as_json:
        write_json({"talk": talk, "call": held})
        return
    if talk is not None:
        show_talks([talk], own=node.get("node")["party"])
        click.echo(sentences(talk["text"], indent=2))
    if held is not None and (talk is None or held["records"] or held["readouts"]):
        show_call(held)


def _about(
    node: "NodeClient", wanted: str | None, line: str | None
) -> tuple[dict[str, Any], str | None, str, str]:
    """Return what was arranged of a call, what its record cites, its line and peer."""
    if wanted is None:
        view = node.line(line)
        return {}, None, view["line_id"], view["peer"]
    held = node.call(wanted)
    arranged = [talk for talk in node.get("talks") if talk["call_id"] == held["call_id"]]
    known = arranged[0] if arranged else held["records"][0] if held["records"] else {}
    return known, held["call_id"], held["line_id"], held["peer"]


def _changed(
    offer: dict[str, Any],
    tier: str | None,
    subject: str | None,
    slots: tuple[str, ...],
    languages: tuple[str, ...],
    media: tuple[str, ...],
    place: str | None,
) -> dict[str, Any]:
    """Return an offer as typed over another one."""
    from deconflict.cli.typed import place_wire

    changed = dict(offer)
    if tier is not None:
        changed["tier"] = typed_word(tier)
    if subject is not None:
        changed["subject"] = typed_word(subject)
    if slots:
        changed["slots"] = [slot_wire(text) for text in slots]
    if languages:
        changed["languages"] = list(dict.fromkeys(languages))
    if media:
        changed["media"] = typed_words(media)
    if place is not None:
        changed["place"] = place_wire(place)
    if "IN_PERSON" not in changed["media"]:
        changed.pop("place", None)
    return changed


def _answer(
    node: "NodeClient",
    talk: dict[str, Any],
    kind: str,
    body: dict[str, Any],
    manner: Manner,
    *,
    as_json: bool,
) -> None:
    ref = talk["message"]
    post(node, talk["line_id"], kind, body, manner, ref=ref, where="talks", as_json=as_json)
