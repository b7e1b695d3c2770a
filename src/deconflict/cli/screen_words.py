"""What a screening found, in words: a table of the nearest."""

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
from numpy.typing import NDArray

from deconflict.cli.output import count, feet, metres, table
from deconflict.errors import NotFoundError
from deconflict.separation.conflicts import NOT_DEFINED_TMM, VERDICTS, Conflicts
from deconflict.separation.labels import numbered
from deconflict.separation.minima_classes import MinimaClasses
from deconflict.separation.said_minima import SaidMinima
from deconflict.units import METRES_PER_NAUTICAL_MILE, TMM_PER_FOOT, TMM_PER_METRE

if TYPE_CHECKING:
    from deconflict.separation.flights import Flights
    from deconflict.separation.volumes import Volumes

__all__ = ["counts", "lasting", "minima_for", "pair_of", "show_found", "utc"]

SHOWN = 20
NAMES_SEARCHED = 5_000


def counts(found: Conflicts) -> dict[str, int]:
    """Return how many there are, in all and by verdict."""
    by = np.bincount(found.verdict, minlength=len(VERDICTS)).tolist()
    return {
        "conflicts": len(found),
        **{word.value.lower(): n for word, n in zip(VERDICTS, by, strict=True)},
    }


def show_found(found: Conflicts, *, out: Path | None, hint: bool = True) -> None:
    """Print the nearest conflicts as a table, and how many there are.

    Args:
        found: what is told.
        out: the file that holds them all; None where there is none.
        hint: whether to say how to see more.
    """
    what = count(len(found.flights), "flight")
    if len(found.volumes):
        what += f" and {count(len(found.volumes), 'volume')}"
    if not len(found):
        click.echo(f"No conflict found among {what}.")
        click.echo("This says nothing of what is not in the files.")
        return
    how_many = count(len(found), "conflict")
    click.echo(click.style(f"{how_many} among {what}.", bold=True))
    shown = found.taken(found.nearest_first()[:SHOWN])
    if len(shown) < len(found):
        click.echo(f"The {len(shown)} nearest, of what their minima ask:")
    click.echo()
    columns = shown.columns()
    table(
        (
            *("FIRST", "SECOND", "VERDICT", "NEAREST AT", "LASTS"),
            *("LATERAL", "VERTICAL", "MINIMA WITH MARGINS"),
        ),
        [
            (
                columns["first"][row],
                columns["second"][row],
                columns["verdict"][row],
                utc(shown.cpa_time_us[row])[:19] + "Z",
                lasting(int(shown.time_out_us[row] - shown.time_in_us[row])),
                metres(float(shown.cpa_distance_m[row])),
                _vertical(shown, row),
                _limit(shown, row),
            )
            for row in range(len(shown))
        ],
    )
    told = {name: n for name, n in counts(found).items() if n and name != "conflicts"}
    if len(told) > 1 or "conflict" not in told:
        words = ", ".join(
            f"{n:,} {name.replace('_', ' ').upper().replace(' ', '_')}" for name, n in told.items()
        )
        click.echo(f"\nBy verdict: {words}.")
    if out is not None:
        click.echo(f"\nAll of them are in {out}.")
    elif hint:
        click.echo("\n--out FILE writes them all; --explain ID ID tells one in words.")


def pair_of(
    flights: "Flights", volumes: "Volumes", pair: tuple[str, str]
) -> "tuple[Flights, Volumes]":
    """Return the two that are named, and nothing else.

    Raises:
        NotFoundError: a name is in none of the files, or both are one.
    """
    if pair[0] == pair[1]:
        raise NotFoundError("this is one and the same", given=pair[0], expected="two names")
    kept: list[NDArray[np.int64]] = []
    names: list[str] = []
    for known in (flights.ids, volumes.ids):
        ids = known if known is not None else np.zeros(0, dtype=np.object_)
        kept.append(np.flatnonzero((ids == pair[0]) | (ids == pair[1])))
        names += ids[kept[-1]].tolist()
    for name in pair:
        if name not in names:
            raise NotFoundError(
                "no flight or volume of this name is in the files",
                given=name,
                expected=_like(flights, volumes, name),
                remedy="names are in the column flight or volume; without one, file#row",
            )
    return flights.taken(kept[0]), volumes.taken(kept[1])


def minima_for(
    said: SaidMinima,
    everything: "tuple[Flights, Volumes]",
    pair: "tuple[Flights, Volumes]",
) -> SaidMinima:
    """Return the minima without those of parties that neither of a pair is of.

    Raises:
        InvalidInputError: they name what is nowhere in the files.
    """

    def parties(of: "tuple[Flights, Volumes]") -> list[str]:
        return [*of[0].party.used(), *of[1].party.used()]

    purposes = numbered([*everything[0].purpose.used(), *everything[1].purpose.used()])
    MinimaClasses.of(said, purposes=purposes, parties=numbered(parties(everything)))
    absent = {*parties(everything)} - {*parties(pair)}
    kept = {names: minima for names, minima in said.pairs.items() if not names & absent}
    return SaidMinima(said.for_all, kept)


def utc(us: int, *, upward: bool = False) -> str:
    """Return microseconds since 1970 as a person reads them, to the millisecond before or after.

    >>> utc(1_443_592_800_000_001), utc(1_443_592_800_000_001, upward=True)
    ('2015-09-30 06:00:00.000Z', '2015-09-30 06:00:00.001Z')
    """
    ms = -(-int(us) // 1000) if upward else int(us) // 1000
    return str(np.datetime64(ms, "ms")).replace("T", " ") + "Z"


def lasting(us: int) -> str:
    """Return how long a conflict lasts."""
    seconds = us / 1e6
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7_200 else f"{seconds / 3600:.1f} h"


def _limit(found: Conflicts, row: int) -> str:
    """Return the minima with all that was added to them."""
    lateral_m = float(found.minimum_lateral_m[row] + found.margin_lateral_m[row])
    tmm = int(found.minimum_vertical_tmm[row]) + int(found.margin_vertical_tmm[row])
    miles, height = lateral_m / METRES_PER_NAUTICAL_MILE, tmm / TMM_PER_FOOT
    return f"{miles:.2f} NM, {height:,.0f} ft"


def _vertical(found: Conflicts, row: int) -> str:
    """Return the difference of altitudes, and by how much it may be off where one is converted."""
    tmm = int(found.cpa_vertical_tmm[row])
    if tmm == NOT_DEFINED_TMM:
        return "not known"
    contained = sum(
        int(found.flights.vertical_tmm[which[row]])
        for which in (found.first, found.second)
        if which[row] < len(found.flights)
    )
    slack = int(found.margin_vertical_tmm[row]) - contained
    off = f" ± {slack / TMM_PER_FOOT:,.0f} ft" if slack else ""
    return feet(tmm / TMM_PER_METRE) + off


def _like(flights: "Flights", volumes: "Volumes", name: str) -> str:
    known = [
        each
        for part in (flights, volumes)
        if part.ids is not None
        for each in part.ids[:NAMES_SEARCHED].tolist()
    ]
    like = get_close_matches(name, known, n=3, cutoff=0.6) or known[:3]
    held = count(len(flights) + len(volumes), "name")
    return f"one of {held}, such as {', '.join(like)}" if like else "a file with flights in it"
