"""Own papers of a call, notes and drafts: kept at this node, in no record."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from deconflict.cli.call_picture import show_texts
from deconflict.cli.output import clean, when, write_json

if TYPE_CHECKING:
    from deconflict.cli.client import NodeClient

# The text of a draft may have been proposed since: then it stands in the record as well.
_KEPT: Final = {
    "note": "kept here, never sent",
    "draft": "kept here; only what is proposed, stated or signed is sent",
}

__all__ = ["keep_paper", "papers_of", "say_kept", "show_papers", "throw_away"]


def papers_of(node: "NodeClient", call: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    """Return the own papers of one kind, ``note`` or ``draft``, of a call."""
    papers = node.get("lines", call["line_id"], "papers", call=call["call_id"])
    return [paper for paper in papers if paper["kind"] == kind]


def keep_paper(
    node: "NodeClient", call: Mapping[str, Any], kind: str, texts: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """Have the node keep a new paper of a call, and return it."""
    body = {"kind": kind, "call": call["call_id"], "texts": texts}
    kept: dict[str, Any] = node.post("lines", call["line_id"], "papers", body=body)
    return kept


def say_kept(kept: Mapping[str, Any], *, as_json: bool) -> None:
    """Print that a paper is kept."""
    if as_json:
        write_json(kept)
    else:
        kind, paper_id = clean(kept["kind"]).capitalize(), clean(kept["paper_id"])
        click.echo(f"{kind} {paper_id} is {_KEPT[kept['kind']]}.")


def throw_away(node: "NodeClient", paper_id: str, *, as_json: bool) -> None:
    """Have the node throw a paper away, and print that it is gone."""
    gone = node.delete("papers", paper_id)
    if as_json:
        write_json(gone)
    else:
        click.echo(f"{clean(gone['paper_id'])} is thrown away.")


def show_papers(papers: list[dict[str, Any]]) -> None:
    """Print own notes or drafts: which, by whom, when, and their text."""
    for paper in papers:
        click.echo(
            click.style(clean(paper["paper_id"]), bold=True)
            + f"  {paper['kind']} by {clean(paper['written_by'])}, {when(paper['written_utc'])},"
            + f" {_KEPT[paper['kind']]}"
        )
        show_texts(paper["texts"])
