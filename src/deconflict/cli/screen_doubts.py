"""Figures of a screening that may be wrong: told to people and to programs."""

from typing import Any, Final

import click

from deconflict.airspace.plausible import FASTEST_MPS, STEEPEST_TMM_PER_S
from deconflict.cli.output import clean, count, feet, metres
from deconflict.cli.screen_words import utc
from deconflict.separation.flights import Flights
from deconflict.separation.plausible import ImplausibleLeg, ImplausibleLegs
from deconflict.units import TMM_PER_METRE

__all__ = ["doubts_view", "show_doubts"]

SHOWN: Final = 5


def show_doubts(found: ImplausibleLegs, flights: Flights) -> None:
    """Print that there are legs which no aircraft flies, and the worst of them; or nothing."""
    if not found.legs:
        return
    click.echo(
        "\n"
        + click.style("warning: ", fg="yellow")
        + f"{count(found.legs, 'leg')} of {count(found.flights, 'flight')} "
        + ("is" if found.legs == 1 else "are")
        + f" faster than any aircraft flies: over {FASTEST_MPS:,.0f} m/s, or "
        f"{STEEPEST_TMM_PER_S / TMM_PER_METRE:,.0f} m/s up or down."
    )
    click.echo("A place, a time or a unit may be wrong. All were screened as they stand.")
    for leg in found.worst[:SHOWN]:
        click.echo(f"  {_words(leg, flights)}")
    if found.flights > SHOWN:
        click.echo(f"  and {count(found.flights - SHOWN, 'other flight')}; --json names 20")


def doubts_view(found: ImplausibleLegs, flights: Flights) -> dict[str, Any]:
    """Return the same for programs; ``leg`` counts from 0."""
    return {
        "flights": found.flights,
        "legs": found.legs,
        "worst": [
            {
                "flight": _name(leg, flights),
                "where": None if flights.rows is None else flights.rows.where(leg.flight),
                "leg": leg.leg,
                "start": utc(round(leg.start_s * 1e6)).replace(" ", "T"),
                "duration_s": leg.duration_s,
                "length_m": leg.length_m,
                "height_m": leg.height_tmm / TMM_PER_METRE,
                "speed_mps": leg.speed_mps,
                "climb_mps": leg.climb_mps,
            }
            for leg in found.worst
        ],
    }


def _words(leg: ImplausibleLeg, flights: Flights) -> str:
    where = "" if flights.rows is None else f" ({flights.rows.where(leg.flight)})"
    if leg.speed_mps > FASTEST_MPS:
        what = f"{metres(leg.length_m)} in {leg.duration_s:,g} s is {leg.speed_mps:,.0f} m/s"
    else:
        what = (
            f"{feet(leg.height_tmm / TMM_PER_METRE)} up or down in {leg.duration_s:,g} s is "
            f"{leg.climb_mps:,.0f} m/s"
        )
    at = utc(round(leg.start_s * 1e6))
    return clean(f"{_name(leg, flights)}, leg {leg.leg + 1} from {at}: {what}{where}")


def _name(leg: ImplausibleLeg, flights: Flights) -> str:
    return str(leg.flight) if flights.ids is None else str(flights.ids[leg.flight])
