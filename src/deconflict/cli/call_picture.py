"""Calls that were held and their readouts, as a person reads them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from deconflict.cli.call_words import spelled
from deconflict.cli.output import clean, sentences, short, span, when

if TYPE_CHECKING:
    from deconflict.node.call_proof import VerifiedCall, VerifiedReadout

__all__ = ["held_row", "show_call", "show_proven_call", "show_texts"]


def field_name(field: str) -> str:
    """Return the name of a record's field as people read it: ``end_utc`` is ``end``."""
    return clean(field.removesuffix("_utc"))


def show_texts(texts: Mapping[str, Sequence[str]]) -> None:
    """Print texts by language, a paragraph a line."""
    for language, paragraphs in sorted(texts.items()):
        click.echo(f"  {clean(language)}:")
        for paragraph in paragraphs:
            click.echo(sentences(paragraph, indent=4))


def show_call(call: dict[str, Any]) -> None:
    """Print a call that was held: both records, where they differ, the readouts."""
    drill = "DRILL " if call["drill"] else ""
    click.echo(f"{drill}Call {short(call['call_id'])} with {clean(call['peer'])}")
    for one in call["records"]:
        roles = "; ".join(
            f"{clean(party)}: {', '.join(map(spelled, said))}"
            for party, said in sorted(one["participants"].items())
        )
        click.echo(
            f"  {clean(one['party'])} records: {when(one['start_utc'])} to {when(one['end_utc'])},"
            f" {spelled(one['tier'])}, {spelled(one['medium'])}, {', '.join(one['languages'])};"
            f" {roles}"
        )
    if len(call["records"]) == 1:
        click.echo("  The other side has recorded nothing of it.")
    for one in call["differing"]:
        apart = f", {span(one['apart_ms'] / 1000)} apart" if one["apart_ms"] else ""
        said = " | ".join(
            f"{clean(who)} records {when(what) if one['apart_ms'] else spelled(what)}"
            for who, what in one["said"].items()
        )
        name = field_name(one["field"])
        click.echo(click.style(f"  differ in {name}", fg="yellow") + f"{apart}: {said}")
    for one in call["readouts"]:
        _show_readout(one)


def _show_readout(one: dict[str, Any]) -> None:
    said = {
        "AGREED": "readout signed by both sides",
        "PROPOSED": f"readout proposed by {clean(one['by'])}, not signed by the other side",
        "OWN": f"own readout of {clean(one['by'])}, which binds nobody else",
        "WITHHELD": f"{clean(one['by'])} withholds details",
    }[one["state"]]
    click.echo(f"  {said}" + (f", {short(one['readout_hash'])}:" if one["readout_hash"] else "."))
    show_texts(one["texts"])


def held_row(call: dict[str, Any]) -> tuple[object, ...]:
    """Return the cells of a call that was held: with whom, when, by whom recorded, what differs."""
    first = call["records"][0]
    return (
        ("DRILL " if call["drill"] else "") + call["peer"],
        when(first["start_utc"]),
        when(first["end_utc"]),
        ", ".join(one["party"] for one in call["records"]),
        ", ".join(field_name(one["field"]) for one in call["differing"]),
        short(call["call_id"]),
    )


def show_proven_call(call: "VerifiedCall") -> None:
    """Print what a verified record proves of one call."""
    click.echo(f"Call {short(call.call_id)}")
    for one in call.records:
        click.echo(
            f"  {clean(one.party)} signed: {when(one.start_utc)} to {when(one.end_utc)},"
            f" {spelled(one.tier)}, {spelled(one.medium)}"
        )
    if call.differing:
        words = ", ".join(map(field_name, call.differing))
        click.echo(click.style("  the two records differ in", fg="yellow") + f" {words}")
    for readout in call.readouts:
        drill = "DRILL " if readout.drill else ""
        late = ", one message came late and was not acted on" if readout.late else ""
        name = f", {short(readout.readout_hash)}:" if readout.readout_hash else "."
        click.echo(f"  {drill}{_proven(readout)}{late}{name}")
        show_texts(readout.texts)


def _proven(readout: "VerifiedReadout") -> str:
    by = " and ".join(clean(party) for party in readout.signed_by)
    return {
        "AGREED": f"readout signed by {by}, the same bytes",
        "PROPOSED": f"readout proposed by {by}, and signed by {by} alone",
        "OWN": f"own readout of {by}, signed by {by} alone",
        "WITHHELD": f"{by} signed that details are withheld",
    }[readout.state]
