"""Own protected sites: who was told of each, and how far each recipient has it (R37)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import click

from deconflict.cli.output import short, table, when, write_json

__all__ = ["REACHED", "show_sites"]

# What is known, and no more: a site that is held by a headquarters is not held by who flies.
REACHED: Final = {
    "QUEUED": "not sent yet",
    "SENT": "sent, not signed for",
    "LACKED": "delivered",
    "SEEN": "seen at a desk",
    "LOADED": "loaded",
    "CLOSED": "answered",
    "EXPIRED": "not delivered in time",
    "REFUSED": "refused",
    "SAID_AGAIN": "said again",
}


def show_sites(sites: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """Print own protected sites, a row for each recipient."""
    if as_json:
        write_json({"sites": sites})
        return
    if not sites:
        click.echo("No protected site of yours is declared.")
        return
    table(
        ("ID", "TO", "FROM", "UNTIL", "STATE", "DELIVERY", "LOADED BY THE UNITS", "LABEL"),
        [row for site in sites for row in _rows(site)],
    )


def _rows(site: Mapping[str, Any]) -> Iterator[tuple[object, ...]]:
    for line, peer in zip(site["line_ids"], site["peers"], strict=True):
        reached = site["delivery"].get(line)
        yield (
            short(site["declaration_id"]),
            peer,
            when(site["start_utc"]),
            when(site["end_utc"]),
            ("DRILL " if site.get("drill") else "") + site["state"].lower(),
            "-" if reached is None else REACHED.get(reached, reached.lower()),
            {True: "yes", False: "no", None: "-"}[site["loaded"].get(line)],
            site["label"],
        )
