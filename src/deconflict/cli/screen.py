"""``deconflict screen``: every conflict among thousands to millions of flights and volumes."""

import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deconflict.cli.command import EXIT_FINDING, command
from deconflict.cli.options import as_json_option, existing_file
from deconflict.cli.output import progress, write_json
from deconflict.cli.written import drafted, force_option, require_free
from deconflict.errors import InvalidInputError

if TYPE_CHECKING:
    from deconflict.separation import AltitudeConversions, Conflicts, SaidMinima
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
@click.option(
    "--minima",
    "minima",
    multiple=True,
    metavar="LATERAL,VERTICAL",
    help="How near is too near: 5NM,1000ft or 50m,50ft. Repeat it for a purpose or a pair of "
    "them, FLIGHT:ACTIVITY=3NM,500ft, or of parties, red:blue=3NM,500ft, which hold whatever the "
    "purposes. There is no default.",
)
@click.option(
    "--terms",
    type=existing_file,
    metavar="FILE",
    help="Take minima, and how altitudes compare, from terms as JSON "
    "(deconflict terms show --json).",
)
@click.option(
    "--altitudes",
    multiple=True,
    metavar="FROM:TO=LEAST,MOST",
    help="How two altitude references compare: FL:AMSL=-1500ft,2000ft says that what is at FL x "
    "is between x - 1500 ft and x + 2000 ft above mean sea level. Without it they do not compare.",
)
@click.option(
    "--altitude-reference",
    "reference",
    type=click.Choice(["W84", "AMSL", "FL", "AGL"]),
    help="What altitudes are measured from in tables that do not say it.",
)
@click.option(
    "--within-parties", is_flag=True, help="Also hold what one party flies against each other."
)
@click.option(
    "--ignore",
    multiple=True,
    metavar="COLUMN",
    help="A column of the tables to leave out; others that mean nothing here are refused.",
)
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
    from deconflict.cli.screen_explain import explain_pair
    from deconflict.cli.screen_picture import check_picture_file, write_picture
    from deconflict.cli.screen_words import minima_for, pair_of, show_found
    from deconflict.formats.conflict_files import (
        check_conflict_file,
        conflict_rows,
        write_conflicts,
    )
    from deconflict.formats.screen_files import read_screen_files
    from deconflict.separation.screening import screen as screen_columns

    said, conversions = _terms(minima, terms, altitudes)
    if out is not None:
        check_conflict_file(out)
    if picture is not None:
        check_picture_file(picture)
    require_free(out, picture, force=force)
    known = None if reference is None else AltitudeReference(reference)
    count = threads or os.cpu_count() or 1
    with progress("reading", sum(file.stat().st_size for file in files)) as bar:
        held = read_screen_files(
            files, reference=known, ignore=frozenset(ignore), threads=count, advance=bar.advance
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
    if out is not None:
        with drafted(out) as draft:
            write_conflicts(found, draft)
    if picture is not None:
        write_picture(
            found,
            picture,
            files=[file.name for file in files],
            pair=explain,
            conversions=conversions,
        )
    if as_json:
        write_json(_summary(found, out, picture, conflict_rows))
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
    if picture is not None and not as_json:
        click.echo(f"The picture is in {picture}.")
    if len(found):
        ctx.exit(EXIT_FINDING)


def _terms(
    minima: Sequence[str], terms: Path | None, altitudes: Sequence[str]
) -> "tuple[SaidMinima, AltitudeConversions]":
    """Return minima and conversions, from the options or from terms, never from both."""
    from deconflict.separation import AltitudeConversions, said_minima

    if terms is not None:
        if minima or altitudes:
            raise InvalidInputError(
                "minima are said twice",
                given="--terms beside --minima or --altitudes",
                expected="one of them",
            )
        return _agreed(terms)
    said = said_minima(minima)
    if said.for_all is None and not said.pairs:
        said.table(())  # says what is missing, before anything is read
    return said, AltitudeConversions(dict(_conversion(text) for text in altitudes))


def _agreed(file: Path) -> "tuple[SaidMinima, AltitudeConversions]":
    from deconflict.airspace.where import located
    from deconflict.formats.bounded_json import parse_json
    from deconflict.messages.in_force import conversions_of, minima_of
    from deconflict.messages.terms import terms_from_wire
    from deconflict.separation import said_minima

    with located(f"{file.name}:"):
        value = parse_json(file.read_bytes())
        # `deconflict terms show --json` prints the agreed terms beside what is proposed.
        if isinstance(value, dict) and isinstance(value.get("agreed"), dict):
            value = value["agreed"]
        agreed = terms_from_wire(value)
    return said_minima(minima_of(agreed)), conversions_of(agreed)


def _conversion(text: str) -> tuple[Any, tuple[int, int]]:
    """Read ``FL:AMSL=-1500ft,2000ft``."""
    from deconflict.airspace.altitude import AltitudeReference
    from deconflict.airspace.quantity import parse_height

    def signed(height: str) -> int:
        height = height.strip()
        below = height.startswith("-")
        tmm = parse_height(height[1:] if below else height)
        return -tmm if below else tmm

    references, equals, heights = text.partition("=")
    source, colon, to = references.partition(":")
    least, comma, most = heights.partition(",")
    known = set(AltitudeReference)
    if not (equals and colon and comma) or source not in known or to not in known:
        raise InvalidInputError(
            "how altitudes compare cannot be read",
            given=text,
            expected="two references, then least and most difference: FL:AMSL=-1500ft,2000ft",
        )
    return (AltitudeReference(source), AltitudeReference(to)), (signed(least), signed(most))


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
    """Do the work; on a terminal, in another thread, while a bar here shows how far it is."""
    from deconflict.separation.screening import ScreenProgress

    if not sys.stderr.isatty():
        return work(None)
    counter = ScreenProgress()
    with ThreadPoolExecutor(max_workers=1) as worker, progress(label, PARTS) as bar:
        running = worker.submit(work, counter)
        shown = 0
        while not wait([running], timeout=LOOK_S).done:
            done, of = counter.parts()
            share = PARTS * done // of if of else 0
            bar.advance(share - shown)
            shown = share
        bar.finish()
    return running.result()
