"""``deconflict private sites``: protected sites that others may ask about, and never see."""

from pathlib import Path
from typing import Any, Final

import click

from deconflict.cli.command import Entry, LazyGroup, command
from deconflict.cli.options import existing_file, line_option, talks_to_node
from deconflict.cli.output import clean, count, table, when, write_json

__all__ = ["clear", "consent", "set_sites", "show", "sites", "withdraw"]

_SHOWN: Final = 40
_STATES: Final = {
    "NONE": "none given",
    "STANDS": "answered",
    "ENDED": "over",
    "WITHDRAWN": "withdrawn",
}

sites = LazyGroup(
    "sites",
    (
        Entry(
            "set",
            "private_sites:set_sites",
            "Hold a list of protected sites on this node, in the place of the list before it.",
        ),
        Entry(
            "show",
            "private_sites:show",
            "Show the list, who is answered, and how much was asked: never what.",
        ),
        Entry(
            "clear", "private_sites:clear", "Forget the list, every consent, and what was asked."
        ),
        Entry(
            "consent",
            "private_sites:consent",
            "Have the node answer a peer about your sites by itself until a time.",
        ),
        Entry("withdraw", "private_sites:withdraw", "Answer a peer no more about your sites."),
    ),
    package="deconflict.cli",
    help="Hold protected sites that a peer can ask about and never see.",
    example="deconflict private sites set hospitals.json --decoys 20\n"
    "deconflict private sites consent --line red --until 2015-09-30T18:00:00Z\n"
    "deconflict private sites show",
)


@command(
    "set",
    example="deconflict private sites set hospitals.json --decoys 20\n"
    "deconflict private sites set hospitals.geojson --queries 2",
)
@click.argument("file", type=existing_file)
@click.option(
    "--decoys",
    type=click.IntRange(0, 20_000),
    default=0,
    show_default=True,
    help="Sites that are none, the same in every check: a map made by asking is worth less.",
)
@click.option(
    "--points",
    type=click.IntRange(17, 65_535),
    default=1_024,
    show_default=True,
    help="Squares that may be asked at once.",
)
@click.option(
    "--queries",
    type=click.IntRange(1, 1_000_000),
    default=4,
    show_default=True,
    help="Queries a day of one party, UTC.",
)
@click.option(
    "--share",
    type=click.IntRange(1, 1_000),
    default=100,
    show_default=True,
    help="Thousandths of the grid that one party may ever ask about.",
)
@click.option(
    "--share-all",
    type=click.IntRange(1, 1_000),
    default=200,
    show_default=True,
    help="The same for all parties together.",
)
@talks_to_node
def set_sites(
    file: Path,
    decoys: int,
    points: int,
    queries: int,
    share: int,
    share_all: int,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Hold a list of protected sites on this node, in the place of the list before it.

    FILE is JSON: [{"label": "hospital", "lat": 36.2, "lon": 37.1, "radius_m": 2000}, ...], the most
    important first; or GeoJSON of points with the properties label and radius_m, or radius as
    "2 km". The label is what a planner who comes near is told; "" tells it nothing else. Nothing is
    sent, and nobody is answered before `consent`.
    """
    from deconflict.cli.client import NodeClient
    from deconflict.cli.site_list import MOST_LABEL_BYTES, read_site_list

    listed = read_site_list(file)
    body = {
        "sites": listed,
        "decoys": decoys,
        "points_a_query": points,
        "queries_a_day": queries,
        "share_per_mille": share,
        "share_all_per_mille": share_all,
    }
    with NodeClient.of(node_dir, account) as node:
        _show(node.put("private", "sites", body=body), as_json=as_json)
    if not as_json:
        _say_long_labels(listed, MOST_LABEL_BYTES)


@command("show", example="deconflict private sites show")
@talks_to_node
def show(node_dir: Path | None, account: str | None, as_json: bool) -> None:
    """Show the list, who is answered, and how much was asked: never what.

    Nobody knows what: squares are asked about, and none of them shows which it is.
    """
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        _show(node.get("private", "sites"), as_json=as_json)


@command("clear", example="deconflict private sites clear")
@talks_to_node
def clear(node_dir: Path | None, account: str | None, as_json: bool) -> None:
    """Forget the list, every consent, and what was asked.

    Checks of it are NOT CHECKED from then on.
    """
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        _show(node.delete("private", "sites"), as_json=as_json)


@command(
    "consent",
    example="deconflict private sites consent --line red --until 2015-09-30T18:00:00Z",
)
@click.option("--until", required=True, metavar="TIME", help="When the consent ends.")
@line_option
@talks_to_node
def consent(
    until: str, line: str | None, node_dir: Path | None, account: str | None, as_json: bool
) -> None:
    """Have the node answer a peer about your sites by itself until a time.

    Within the caps of the list: see `private sites show`.
    """
    from deconflict.cli.client import NodeClient
    from deconflict.cli.typed import time_wire

    with NodeClient.of(node_dir, account) as node:
        line_id = node.line(line)["line_id"]
        body = {"until_utc": time_wire(until)}
        _show(node.put("private", "sites", "consent", line_id, body=body), as_json=as_json)


@command("withdraw", example="deconflict private sites withdraw --line red")
@line_option
@talks_to_node
def withdraw(line: str | None, node_dir: Path | None, account: str | None, as_json: bool) -> None:
    """Answer a peer no more about your sites.

    A check that runs ends before its answer.
    """
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        line_id = node.line(line)["line_id"]
        _show(node.delete("private", "sites", "consent", line_id), as_json=as_json)


def _say_long_labels(sites: list[dict[str, Any]], most: int) -> None:
    long = sum(len(each["label"].encode()) > most for each in sites)
    if long:
        click.echo(
            click.style("warning: ", fg="yellow")
            + f"{count(long, 'label')} of more than {most} bytes, for which a planner has to ask "
            "with --label: else the check is NOT CHECKED."
        )


def _show(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        write_json(found)
        return
    if found["set_utc"] is None:
        click.echo("No protected sites are held for private checks: they are NOT CHECKED.")
        return
    held = count(len(found["sites"]), "protected site")
    click.echo(f"{held} and {count(found['decoys'], 'decoy')}, set {when(found['set_utc'])}:")
    click.echo("  They stay on this node. Nothing of them was sent.\n")
    table(
        ("LATITUDE", "LONGITUDE", "RADIUS", "LABEL"),
        [
            (
                f"{each['lat_e7'] / 1e7:.5f}",
                f"{each['lon_e7'] / 1e7:.5f}",
                f"{each['radius_mm'] / 1e3:,.0f} m",
                clean(each["label"]) or "-",
            )
            for each in found["sites"][:_SHOWN]
        ],
        right=(0, 1, 2),
    )
    if len(found["sites"]) > _SHOWN:
        click.echo(f"... and {len(found['sites']) - _SHOWN} more: --json shows them all")
    click.echo(
        f"\nMay be asked: {found['points_a_query']:,} squares a query, "
        f"{found['queries_a_day']:,} queries a day; ever {found['share_per_mille']} thousandths of "
        f"the grid by one party, {found['share_all_per_mille']} by all."
    )
    table(
        ("PEER", "CONSENT", "UNTIL", "QUERIES", "ON", "SQUARES EVER"),
        [
            (
                each["peer"],
                _STATES[each["state"]],
                "-" if each["until_utc"] is None else when(each["until_utc"]),
                each["asked_today"],
                each["asked_day"] or "-",
                f"{each['asked_ever']:,}",
            )
            for each in found["consents"]
        ],
        right=(3, 5),
    )
