"""``deconflict line readout``: draft at home; propose, agree, state one's own, or withhold."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deconflict.cli.call_picture import show_call, show_texts
from deconflict.cli.call_words import LANGUAGES
from deconflict.cli.command import Group, command
from deconflict.cli.options import need_terminal, talks_to_node
from deconflict.cli.output import short, write_json
from deconflict.cli.papers import keep_paper, papers_of, say_kept, show_papers, throw_away
from deconflict.cli.sending import Manner, manner_options, post
from deconflict.errors import InvalidInputError, LineStateError

if TYPE_CHECKING:
    from deconflict.cli.client import NodeClient

__all__ = ["readout"]


@click.group(
    "readout",
    cls=Group,
    example='deconflict line readout draft 9f86d08188 --text en="Both sides spoke."',
)
def readout() -> None:
    """Say what is said of a call: a text that both sign, each side's own, or no details.

    Drafts are kept at your node and are no part of the record. What is proposed, signed, stated or
    withheld is: it is signed, and anybody who has the record can prove it.
    """


def _text_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option(
            "--file",
            "files",
            multiple=True,
            metavar="LANG=FILE",
            help="A text from a file; empty lines part its paragraphs.",
        ),
        click.option(
            "--text", "typed", multiple=True, metavar="LANG=TEXT", help="A paragraph; repeat it."
        ),
        click.option("--draft", "draft_id", metavar="DRAFT", help="The text of this draft."),
    ):
        function = option(function)
    return function


@command(
    "draft",
    group=readout,
    example='deconflict line readout draft 9f86d08188 --text en="Both sides spoke of area 7."\n'
    "deconflict line readout draft 9f86d08188 --draft 3f9a01cc --file ru=readout.txt\n"
    "deconflict line readout draft --delete 3f9a01cc",
)
@click.argument("wanted", required=False, metavar="[ID]")
@click.option("--delete", metavar="DRAFT", help="Throw a draft away.")
@_text_options
@talks_to_node
def draft(
    wanted: str | None,
    delete: str | None,
    draft_id: str | None,
    typed: tuple[str, ...],
    files: tuple[str, ...],
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Keep a draft for your own side, change it (--draft), or throw it away (--delete).

    Nothing of a draft is sent.
    """
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        if delete is not None:
            throw_away(node, delete, as_json=as_json)
            return
        if wanted is None:
            raise InvalidInputError("of which call?", expected="ID, or --delete DRAFT")
        call = node.call(wanted)
        texts = _texts(typed, files)
        if not texts:
            raise InvalidInputError("what text?", expected="--text LANG=TEXT or --file LANG=FILE")
        if draft_id is None:
            kept = keep_paper(node, call, "draft", texts)
        else:
            before = _draft(node, call, draft_id)
            path = ("lines", call["line_id"], "papers", before["paper_id"])
            kept = node.post(*path, body={"texts": before["texts"] | texts})
    say_kept(kept, as_json=as_json)


@command("show", group=readout, example="deconflict line readout show 9f86d08188")
@click.argument("wanted", metavar="ID")
@talks_to_node
def show(wanted: str, node_dir: Path | None, account: str | None, as_json: bool) -> None:
    """Show what is said of a call, and your own drafts of it."""
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        call = node.call(wanted)
        drafts = papers_of(node, call, "draft")
    if as_json:
        write_json({"call": call, "drafts": drafts})
        return
    show_call(call)
    if not call["readouts"]:
        click.echo("  No readout was proposed or stated.")
    show_papers(drafts)


@command(
    "propose",
    group=readout,
    example="deconflict line readout propose 9f86d08188 --draft 3f9a01cc",
)
@click.argument("wanted", metavar="ID")
@_text_options
@manner_options
@talks_to_node
def propose(
    wanted: str,
    draft_id: str | None,
    typed: tuple[str, ...],
    files: tuple[str, ...],
    manner: Manner,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Propose a text that both sides sign; where the peer has proposed one, yours answers it."""
    _state(
        "READOUT_PROPOSE",
        wanted,
        draft_id,
        typed,
        files,
        manner,
        node_dir,
        account,
        as_json=as_json,
    )


@command(
    "own",
    group=readout,
    example='deconflict line readout own 9f86d08188 --text en="We stated our view."',
)
@click.argument("wanted", metavar="ID")
@_text_options
@manner_options
@talks_to_node
def own(
    wanted: str,
    draft_id: str | None,
    typed: tuple[str, ...],
    files: tuple[str, ...],
    manner: Manner,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """State your own side's readout. It binds nobody else, and answers what the peer proposed."""
    _state(
        "READOUT_OWN", wanted, draft_id, typed, files, manner, node_dir, account, as_json=as_json
    )


@command(
    "agree",
    group=readout,
    example="deconflict line readout agree 9f86d08188\n"
    "deconflict line readout agree 9f86d08188 --hash 4a5b6c7d8e",
)
@click.argument("wanted", metavar="ID")
@click.option("--hash", "read", metavar="HASH", help="The text that you read; for scripts.")
@manner_options
@talks_to_node
def agree(
    wanted: str,
    read: str | None,
    manner: Manner,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Sign the text that the peer proposed: it is shown once more, and these very bytes are signed.

    In a script, --hash names the text that was read, so that none which came meanwhile is signed.
    """
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        call = node.call(wanted)
        waiting = _proposed_by_peer(call)
        if waiting is None:
            raise LineStateError(
                f"{call['peer']} has proposed no text of this call that waits for you",
                remedy="look: deconflict line readout show ID",
            )
        if read is None:
            show_texts(waiting["texts"])
            need_terminal("a last look", "--hash HASH")
            click.confirm(
                f"Sign this text ({short(waiting['readout_hash'])})?", abort=True, err=True
            )
        elif len(read) < 8 or not waiting["readout_hash"].startswith(read.lower()):
            raise LineStateError(
                "another text is proposed now",
                given=read,
                expected=short(waiting["readout_hash"]),
                remedy="read it again: deconflict line readout show ID",
            )
        body = {"readout": {"call": call["call_id"], "texts": waiting["texts"]}}
        _post(node, call, "READOUT_AGREE", body, manner, waiting["message"], as_json=as_json)


@command("withhold", group=readout, example="deconflict line readout withhold 9f86d08188")
@click.argument("wanted", metavar="ID")
@manner_options
@talks_to_node
def withhold(
    wanted: str, manner: Manner, node_dir: Path | None, account: str | None, as_json: bool
) -> None:
    """Say that the call took place and that your side gives no details of it."""
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        call = node.call(wanted)
        body = {"call": call["call_id"]}
        ref = _answered(call)
        _post(node, call, "READOUT_WITHHELD", body, manner, ref, as_json=as_json)


def _state(
    kind: str,
    wanted: str,
    draft_id: str | None,
    typed: tuple[str, ...],
    files: tuple[str, ...],
    manner: Manner,
    node_dir: Path | None,
    account: str | None,
    *,
    as_json: bool,
) -> None:
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        call = node.call(wanted)
        texts: Mapping[str, Sequence[str]] = _texts(typed, files)
        if draft_id is not None:
            texts = {**_draft(node, call, draft_id)["texts"], **texts}
        if not texts:
            raise InvalidInputError(
                "what text?", expected="--draft DRAFT, --text LANG=TEXT or --file LANG=FILE"
            )
        body = {"readout": {"call": call["call_id"], "texts": texts}}
        _post(node, call, kind, body, manner, _answered(call), as_json=as_json)


def _post(
    node: "NodeClient",
    call: dict[str, Any],
    kind: str,
    body: dict[str, Any],
    manner: Manner,
    ref: str,
    *,
    as_json: bool,
) -> None:
    post(node, call["line_id"], kind, body, manner, ref=ref, where="readouts", as_json=as_json)


def _proposed_by_peer(call: dict[str, Any]) -> dict[str, Any] | None:
    return next(
        (
            one
            for one in call["readouts"]
            if one["state"] == "PROPOSED" and one["by"] == call["peer"]
        ),
        None,
    )


def _answered(call: dict[str, Any]) -> str:
    """Return what a readout cites: the peer's proposal that waits, or else the call."""
    waiting = _proposed_by_peer(call)
    return str(call["call_id"] if waiting is None else waiting["message"])


def _draft(node: "NodeClient", call: dict[str, Any], wanted: str) -> dict[str, Any]:
    drafts = [p for p in papers_of(node, call, "draft") if p["paper_id"].startswith(wanted)]
    if len(drafts) != 1:
        raise InvalidInputError(
            "no draft of this call has this name",
            given=wanted,
            remedy="list them: deconflict line readout show ID",
        )
    return dict(drafts[0])


def _texts(typed: tuple[str, ...], files: tuple[str, ...]) -> dict[str, list[str]]:
    """Return texts by language from what was typed and from files, in paragraphs."""
    found: dict[str, list[str]] = {}
    for pair in typed:
        language, text = _pair(pair)
        found.setdefault(language, []).append(text)
    for pair in files:
        language, name = _pair(pair)
        try:
            content = Path(name).read_text("utf-8")
        except UnicodeDecodeError:
            raise InvalidInputError(
                "this file is no text", given=name, expected="UTF-8 text"
            ) from None
        paragraphs = (" ".join(part.split()) for part in content.split("\n\n"))
        found.setdefault(language, []).extend(part for part in paragraphs if part)
    return found


def _pair(pair: str) -> tuple[str, str]:
    language, equals, rest = pair.partition("=")
    if not equals or language not in LANGUAGES or not rest:
        raise InvalidInputError(
            "a text and its language are needed",
            given=pair[:60],
            expected="en=TEXT; languages " + ", ".join(LANGUAGES),
        )
    return language, rest
