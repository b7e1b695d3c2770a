"""What a screening found, in words: a table of the nearest, or one pair in full."""

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from numpy.typing import NDArray

from deconflict.cli.output import clean, count, feet, metres, sentences, table
from deconflict.errors import NotFoundError
from deconflict.separation.conflicts import NOT_DEFINED_TMM, VERDICTS, Conflicts
from deconflict.separation.finding import Verdict
from deconflict.separation.labels import NO_LABEL
from deconflict.separation.minima import Minima
from deconflict.separation.said_minima import SaidMinima
from deconflict.separation.screening import screen
from deconflict.units import TMM_PER_METRE

if TYPE_CHECKING:
    from deconflict.separation.flights import Flights
    from deconflict.separation.volumes import Volumes

__all__ = ["counts", "explain_pair", "pair_of", "show_found", "utc"]

SHOWN = 20
NAMES_SEARCHED = 5_000
VERDICT_WORDS = {
    Verdict.CONFLICT: "This is certain: the shortest way over the ground between the two places "
    "shows it, and any geodesic library gives the same length.",
    Verdict.WITHIN_TOLERANCE: "This is at the edge: so near the minima that the bound of the "
    "computation decides. It is told rather than left out.",
    Verdict.INCOMPARABLE: "Their altitudes are measured from different references, and nothing "
    "says how these compare. They may be apart and may be not.",
}
# Everything within reach: the pair's nearest approach is then a finding, whatever it is.
EVERYTHING = SaidMinima(Minima(1_000_000.0, 1_000_000_000))


def counts(found: Conflicts) -> dict[str, int]:
    """Return how many there are, in all and by verdict."""
    by = np.bincount(found.verdict, minlength=len(VERDICTS)).tolist()
    return {
        "conflicts": len(found),
        **{word.value.lower(): n for word, n in zip(VERDICTS, by, strict=True)},
    }


def show_found(found: Conflicts, *, out: Path | None) -> None:
    """Print the nearest conflicts as a table, and how many there are."""
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
        ("FIRST", "SECOND", "VERDICT", "NEAREST AT", "LASTS", "LATERAL", "VERTICAL"),
        [
            (
                columns["first"][row],
                columns["second"][row],
                columns["verdict"][row],
                utc(shown.cpa_time_us[row])[:19] + "Z",
                _lasting(int(shown.time_out_us[row] - shown.time_in_us[row])),
                metres(float(shown.cpa_distance_m[row])),
                feet(_vertical_m(shown, row)),
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
    else:
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


def explain_pair(found: Conflicts, pair: tuple[str, str], *, within_parties: bool) -> None:
    """Print how two stand to each other, in full."""
    one, other = (clean(name) for name in pair)
    if not len(found):
        click.echo(f"No conflict between {one} and {other} under these minima.")
        shared = set(found.flights.party.used()) & set(found.volumes.party.used())
        codes = found.flights.party.codes
        if len(codes) == 2 and codes[0] == codes[1] != NO_LABEL:
            shared.update(found.flights.party.used())
        if shared and not within_parties:
            click.echo(
                sentences(
                    f"Both are of party {clean(shared.pop())}: what is of one party is held "
                    "against each other only with --within-parties.",
                    indent=2,
                )
            )
        click.echo(sentences(_how_near(found), indent=2))
        return
    again = f", {len(found)} times" if len(found) > 1 else ""
    click.echo(click.style(f"{one} and {other} come too close{again}.", bold=True))
    for row in np.argsort(found.time_in_us, kind="stable").tolist():
        click.echo(sentences(_told(found, row), indent=2))


def utc(us: int) -> str:
    """Return microseconds since 1970 as a person reads them, to the millisecond."""
    return str(np.datetime64(int(us), "us").astype("datetime64[ms]")).replace("T", " ") + "Z"


def _told(found: Conflicts, row: int) -> str:
    columns = found.taken(np.array([row])).columns()
    value: dict[str, Any] = {name: column[0] for name, column in columns.items()}
    verdict = VERDICTS[int(found.verdict[row])]
    first, second = value["first"], value["second"]
    is_flights = int(found.second[row]) < len(found.flights)
    margin_m, margin_vertical_m = value["margin_lateral_m"], value["margin_vertical_m"]
    minima = f"{metres(value['minimum_lateral_m'])} and {feet(value['minimum_vertical_m'])}"
    lines = [
        f"From {utc(found.time_in_us[row])} to {utc(found.time_out_us[row])}, "
        f"{_lasting(int(found.time_out_us[row] - found.time_in_us[row]))}.",
        f"Nearest at {utc(found.cpa_time_us[row])}: {metres(value['cpa_distance_m'])} apart over "
        f"the ground, and {_above(first, second, _vertical_m(found, row))}.",
        f"The minima between them are {minima}"
        + (", and they are under both at once." if verdict is Verdict.CONFLICT else "."),
        f"{first} is then at {_place(value, 'first')}, {second} at {_place(value, 'second')}."
        if is_flights
        else f"{first} is then nearest at {_place(value, 'first')}, {second} at "
        f"{_place(value, 'second')}.",
    ]
    if margin_m >= 0.5 or margin_vertical_m > 0.0:
        lines.append(
            f"To the minima were added {metres(margin_m)} and {feet(margin_vertical_m)}: how far "
            "from their plans both may be, and the bounds of the computation."
        )
    lines.append(VERDICT_WORDS[verdict])
    return "\n".join(lines)


def _how_near(found: Conflicts) -> str:
    """Return how near a pair without a conflict comes, from a screen with minima beyond reach."""
    near = screen(found.flights, found.volumes, minima=EVERYTHING, within_parties=True)
    if not len(near):
        return "They are never out at one time within 1,000 km of each other."
    row = int(np.argmin(near.cpa_distance_m))
    columns = near.taken(np.array([row])).columns()
    first, second = columns["first"][0], columns["second"][0]
    return (
        f"Over the ground they are nearest at {utc(near.cpa_time_us[row])}: "
        f"{metres(float(near.cpa_distance_m[row]))} apart, and "
        f"{_above(first, second, _vertical_m(near, row))}."
    )


def _vertical_m(found: Conflicts, row: int) -> float | None:
    tmm = int(found.cpa_vertical_tmm[row])
    return None if tmm == NOT_DEFINED_TMM else tmm / TMM_PER_METRE


def _above(first: str, second: str, vertical_m: float | None) -> str:
    if vertical_m is None:
        return "in altitudes that do not compare"
    if vertical_m == 0.0:
        return "at one altitude"
    return f"{second} {feet(vertical_m)} {'above' if vertical_m > 0 else 'below'} {first}"


def _place(value: dict[str, Any], who: str) -> str:
    lat, lon = float(value[f"{who}_lat_deg"]), float(value[f"{who}_lon_deg"])
    return f"{abs(lat):.5f}° {'N' if lat >= 0 else 'S'} {abs(lon):.5f}° {'E' if lon >= 0 else 'W'}"


def _lasting(us: int) -> str:
    seconds = us / 1e6
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7_200 else f"{seconds / 3600:.1f} h"


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
