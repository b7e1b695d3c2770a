"""``deconflict screen``: every conflict among thousands to millions of flights and volumes."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import click

from deconflict.cli.command import EXIT_FINDING, command
from deconflict.cli.options import as_json_option, existing_file
from deconflict.cli.output import Bar, count, progress, write_json
from deconflict.cli.table_options import minima_options, reading_options
from deconflict.cli.written import drafted, force_option, require_free

if TYPE_CHECKING:
    from deconflict.separation import Conflicts
    from deconflict.separation.screening import ScreenProgress

__all__ = ["screen"]

PARTS = 1_000  # of the bar
LOOK_S = 0.1


@command(
    "screen",
    example="deconflict screen day.parquet --minima 5NM,1000ft --out conflicts.parquet\n"
    "deconflict screen flights.csv areas.geojson --minima 5NM,1000ft \\\n"
    "    --minima FLIGHT:ACTIVITY=3NM,500ft --altitude-reference FL\n"
    "deconflict screen day.parquet --minima 5NM,1000ft --explain BAW12 DLH34 --picture both.svg",
)
@click.argument("files", nargs=-1, required=True, type=existing_file, metavar="FILE...")
@minima_options
@reading_options
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the conflicts: .parquet, .arrow, .csv, or .geojson for a map.",
)
@click.option(
    "--explain",
    nargs=2,
    metavar="ID ID",
    help="Look at these two only, and tell in plain words where they stand.",
)
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Draw the nearest conflicts: map, altitudes over time, closest approach; .svg or .png.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, 1024),
    metavar="N",
    help="How many to use; as many as there are processors unless said.",
)
@force_option
@as_json_option
@click.pass_context
def screen(
    ctx: click.Context,
    files: tuple[Path, ...],
    minima: tuple[str, ...],
    terms: Path | None,
    altitudes: tuple[str, ...],
    reference: str | None,
    within_parties: bool,
    ignore: tuple[str, ...],
    out: Path | None,
    explain: tuple[str, str] | None,
    picture: Path | None,
    threads: int | None,
    force: bool,
    as_json: bool,
) -> None:
    """Find every conflict among the flights and volumes of files; sends nothing.

    Reads Parquet, Arrow (Feather), CSV, GeoJSON and NumPy .npz, also several at once. No node is
    needed. Flights of one party are not held against each other; where no party is named, every
    flight is its own. Any altitude references that do not compare come out as a finding.

    Exit code 0 says that none was found, 1 that conflicts were, 2 that something cannot be read:
    then nothing was screened.
    """
    from deconflict.airspace.altitude import AltitudeReference
    from deconflict.cli.said_terms import said_terms
    from deconflict.cli.screen_doubts import doubts_view, show_doubts
    from deconflict.cli.screen_explain import explain_pair
    from deconflict.cli.screen_picture import check_picture_file, write_picture
    from deconflict.cli.screen_words import minima_for, pair_of, show_found
    from deconflict.cli.screen_zero import show_zero_minima, zero_minima
    from deconflict.formats.conflict_files import (
        check_conflict_file,
        conflict_rows,
        formula_names,
        write_conflicts,
    )
    from deconflict.formats.screen_files import read_screen_files
    from deconflict.separation.plausible import implausible_legs
    from deconflict.separation.screening import screen as screen_columns

    said, conversions = said_terms(minima, terms, altitudes)
    if out is not None:
        check_conflict_file(out)
    if picture is not None:
        check_picture_file(picture)
    require_free(out, picture, force=force, read=[*files, *([terms] if terms else [])])
    known = None if reference is None else AltitudeReference(reference)
    readers = threads or os.cpu_count() or 1
    with progress("reading", sum(file.stat().st_size for file in files)) as bar:
        held = read_screen_files(
            files, reference=known, ignore=frozenset(ignore), threads=readers, advance=bar.advance
        )
        bar.finish()
    flights, volumes = held.flights, held.volumes
    if explain is not None:
        flights, volumes = pair_of(flights, volumes, explain)
        said = minima_for(said, (held.flights, held.volumes), (flights, volumes))
    found = _watched(
        f"screening {len(flights):,} flights and {len(volumes):,} volumes",
        lambda counter: screen_columns(
            flights,
            volumes,
            minima=said,
            conversions=conversions,
            within_parties=within_parties,
            threads=threads,
            progress=counter,
        ),
    )
    apostrophes = 0
    if out is not None:
        with drafted(out) as draft:
            write_conflicts(found, draft)
        apostrophes = formula_names(found) if out.suffix.lower() == ".csv" else 0
    if picture is not None:
        write_picture(
            found,
            picture,
            files=[file.name for file in files],
            pair=explain,
            conversions=conversions,
        )
    doubts = implausible_legs(flights)
    zero = zero_minima(said, flights)
    show_zero_minima(zero)
    if as_json:
        summary = _summary(found, out, picture, conflict_rows)
        summary["implausible"] = doubts_view(doubts, flights)
        summary["warnings"] = zero
        write_json(summary | ({"csv_apostrophes": apostrophes} if apostrophes else {}))
    elif explain is not None:
        explain_pair(
            found,
            explain,
            minima=said,
            conversions=conversions,
            within_parties=within_parties,
        )
    else:
        show_found(found, out=out)
    if not as_json:
        show_doubts(doubts, flights)
    if apostrophes and not as_json:
        click.echo(
            f"In it an apostrophe stands before {count(apostrophes, 'name')}, so that no "
            "spreadsheet takes it for a formula; other formats keep names as they are."
        )
    if picture is not None and not as_json:
        click.echo(f"The picture is in {picture}.")
    if len(found):
        ctx.exit(EXIT_FINDING)


def _summary(
    found: "Conflicts", out: Path | None, picture: Path | None, rows_of: Any
) -> dict[str, Any]:
    from deconflict.cli.screen_words import counts

    return {
        "flights": len(found.flights),
        "volumes": len(found.volumes),
        "waypoints": len(found.flights.lat_deg),
        **counts(found),
        "out": None if out is None else str(out),
        "picture": None if picture is None else str(picture),
        # A file asked for holds them all; without one, all are printed.
        "rows": list(rows_of(found)) if out is None else None,
    }


def _watched(label: str, work: "Callable[[ScreenProgress | None], Conflicts]") -> "Conflicts":
    """Do the work; on a terminal another thread shows meanwhile how far it is.

    The work stays in this thread, the only one that Ctrl-C reaches.
    """
    from deconflict.separation.screening import ScreenProgress

    if not sys.stderr.isatty():
        return work(None)
    counter, ended = ScreenProgress(), Event()
    with progress(label, PARTS) as bar:
        watcher = Thread(target=_advance, args=(counter, bar, ended))
        watcher.start()
        try:
            found = work(counter)
        finally:
            ended.set()
            watcher.join()
        bar.finish()
    return found


def _advance(counter: "ScreenProgress", bar: Bar, ended: Event) -> None:
    shown = 0
    while not ended.wait(LOOK_S):
        done, of = counter.parts()
        share = PARTS * done // of if of else 0
        bar.advance(share - shown)
        shown = share
