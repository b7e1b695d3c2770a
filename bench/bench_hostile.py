"""How late one peer's FLASH comes while another peer declares plans that take long to check.

    python -m bench.bench_hostile [--seconds 20] [--flights 600] [--plans 8]

Three parties: east has flights of its own declared to both; west declares plans of as many
waypoints as a message holds, which hover and may be 5,000 km aside, a day early or late; north says
a SAFETY of flight to east each second.
"""

import argparse
import asyncio
import random
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from bench.bench_flood import flashes, row_of
from bench.nodes import LANDMARK, Party, agree, make_parties, running, wait_for
from bench.report import Row, print_rows, progress
from bench.traffic import flight
from deconflict.airspace.instant import format_utc

__all__ = ["measure"]

WAYPOINTS: Final = 600
IN_A_REQUEST: Final = 50
HELD_S: Final = 1.0
WAIT_S: Final = 120.0
HOUR_MS: Final = 3_600_000


def plan(number: int) -> dict[str, Any]:
    """Return a plan that every leg of every other one may meet."""
    start_ms = time.time_ns() // 1_000_000 + HOUR_MS
    at = LANDMARK.position
    return {
        "declaration_id": f"{10**6 + number:032x}",
        "purpose": "FLIGHT",
        "geometry": {
            "trajectory": {
                "reference": "FL",
                "waypoints": [
                    {
                        "at_utc": format_utc(start_ms + k * 10_000),
                        "lat_e7": at.lat_e7 + k % 7,
                        "lon_e7": at.lon_e7 + k % 5,
                        "altitude_tmm": 60_960_000,
                    }
                    for k in range(WAYPOINTS)
                ],
                "containment": {
                    "lateral_mm": 5_000_000_000,
                    "vertical_tmm": 1_000_000_000,
                    "time_ms": 24 * HOUR_MS,
                },
            }
        },
    }


def measure(root: Path, seconds: int, flights: int, plans: int) -> list[Row]:
    """Return rows: the FLASHes before and meanwhile, one plan, and what became of all."""
    west, east, north = make_parties(root, ("west", "east", "north"), ((0, 1), (1, 2)))
    with running(west, east, north):
        agree(west, east)
        line_id = agree(north, east)
        progress(f"hostile: {flights} flights")
        now_ms = time.time_ns() // 1_000_000
        chance = random.Random(1)
        place = {"lat_e7": LANDMARK.position.lat_e7, "lon_e7": LANDMARK.position.lon_e7}
        own = [
            {
                "declaration_id": f"{number:032x}",
                "purpose": "FLIGHT",
                "geometry": flight(
                    chance, now_ms + chance.randrange(1, 12) * HOUR_MS, place, waypoints=60
                ),
            }
            for number in range(flights)
        ]
        for first in range(0, flights, IN_A_REQUEST):
            east.post("/declarations", {"declarations": own[first : first + IN_A_REQUEST]})
        quiet = row_of(
            f"FLASH of one peer, {flights} flights declared",
            asyncio.run(flashes(north, east, line_id, seconds)),
        )
        before_s = east.cpu_s
        _declared(west, east, 1)
        held = Row(
            "processor time that one such plan takes of east",
            f"≤ {HELD_S:g} s",
            f"{east.cpu_s - before_s:.2f} s",
            east.cpu_s - before_s <= HELD_S,
        )
        for number in range(2, plans + 1):
            west.post("/declarations", {"declarations": [plan(number)]})
        said = asyncio.run(flashes(north, east, line_id, seconds))
        flash = row_of(f"the same, another peer declares {plans - 1} more", said)
        wait_for(lambda: _looked_at(west, east, plans), "not all was looked at", WAIT_S)
        told = [alert["rule"] for alert in east.get("/alerts")]
        conflicts, unchecked = told.count("CONFLICT"), told.count("NOT_CHECKED")
    became = f"{conflicts} conflicts told, {unchecked} declarations as not checked"
    return [quiet, held, flash, Row("what became of them", "", became, None)]


def _declared(west: Party, east: Party, number: int) -> None:
    west.post("/declarations", {"declarations": [plan(number)]})
    wait_for(lambda: _looked_at(west, east, number), "it was not looked at", WAIT_S)


def _looked_at(west: Party, east: Party, plans: int) -> bool:
    there = [one for one in east.get("/declarations") if not one["own"]]
    return len(there) == plans and not east.line_with(west)["declarations_unseen"]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--seconds", type=int, default=20)
    options.add_argument("--flights", type=int, default=600)
    options.add_argument("--plans", type=int, default=8)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        rows = measure(Path(temporary), chosen.seconds, chosen.flights, chosen.plans)
    print_rows("One peer while another declares what takes long to check", rows)


if __name__ == "__main__":
    main()
