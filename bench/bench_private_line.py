"""A private check as two nodes run it: how long, how many bytes, and what a FLASH waits meanwhile.

    python -m bench.bench_private_line [--sorties 20]

Two real nodes and their line, the default document on private checks (six hours of half minutes,
64 points a slot, 2^18 tags) for a theatre of 500 km; each side flies so many hours of level flight.
The time is from the command to the finding at both: it holds the minute whose multiples the tags
leave at. Beside it one desk says a FLASH each second, before the run and from the command on.
"""

import argparse
import asyncio
import random
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from bench.bench_flood import flashes, row_of
from bench.nodes import LANDMARK, THEATRE, Party, agree, make_pair, running, wait_for
from bench.report import Row, print_rows
from deconflict.airspace.instant import format_utc
from deconflict.airspace.position import Position
from deconflict.messages.private_defaults import default_private_check
from deconflict.messages.private_terms import PrivateCheckTerms
from deconflict.messages.terms import PartyTerms
from deconflict.messages.terms_defaults import default_terms

__all__ = ["measure"]

HOUR_MS: Final = 3_600_000
NM_MM: Final = 1_852_000
FOOT_TMM: Final = 3_048
QUIET_S: Final = 15
MOST_S: Final = 900.0
CORNERS: Final = ((32.8, 35.7), (37.2, 35.7), (37.2, 41.3), (32.8, 41.3))


def document() -> PrivateCheckTerms:
    """Return the default one for the theatre."""
    terms = default_terms(
        line="0" * 32,
        parties=[PartyTerms(name, "watch", "duty", ("en",), 1) for name in ("west", "east")],
        theatre=THEATRE,
        outline=[Position.from_degrees(lat, lon) for lat, lon in CORNERS],
        landmarks=[LANDMARK],
    )
    return default_private_check(terms)


def flight(label: str, start_ms: int, chance: random.Random) -> dict[str, Any]:
    """Return an hour of level flight somewhere in the theatre, as a declaration's geometry."""
    lat, lon = chance.uniform(33.2, 36.0), chance.uniform(36.2, 40.0)
    north, east = chance.uniform(-0.012, 0.012), chance.uniform(-0.012, 0.012)
    level_tmm = chance.randrange(3, 12) * 10_000_000
    waypoints = [
        {
            "at_utc": format_utc(start_ms + minute * 60_000),
            "lat_e7": round((lat + minute * north) * 1e7),
            "lon_e7": round((lon + minute * east) * 1e7),
            "altitude_tmm": level_tmm,
        }
        for minute in range(61)
    ]
    held = {"lateral_mm": NM_MM, "vertical_tmm": 300 * FOOT_TMM, "time_ms": 60_000}
    geometry = {"trajectory": {"reference": "AMSL", "waypoints": waypoints, "containment": held}}
    return {"purpose": "FLIGHT", "label": label, "geometry": geometry}


def _standing(party: Party) -> tuple[int, float]:
    """Return how many bytes lie in its folder, and how much of the processors it has taken."""
    size = sum(file.stat().st_size for file in party.folder.rglob("*") if file.is_file())
    return size, party.cpu_s


def _ended(party: Party, name: str) -> tuple[float, dict[str, Any]]:
    """Return when a party knew what its run found, and that."""

    def known() -> Any:
        found = party.get(f"/private/{name}/0")
        return found if found["run"]["state"] in ("WHOLE", "ENDED") else None

    found = wait_for(known, f"{party.name}: the run did not end", MOST_S)
    return time.monotonic(), found


def measure(root: Path, sorties: int, seconds: int) -> list[Row]:
    """Return the rows of one run."""
    west, east = make_pair(root)
    with running(west, east):
        checked = document()
        line_id = agree(west, east, private_check=checked)
        cadence_ms = checked.cadence_ms
        start_ms = -(-(time.time_ns() // 1_000_000) // cadence_ms) * cadence_ms + 4 * cadence_ms
        chance = random.Random(1)
        for party in (west, east):
            flown = [
                flight(f"{party.name}{number}", start_ms + chance.randrange(5 * HOUR_MS), chance)
                for number in range(sorties)
            ]
            party.put(f"/private/plan/{line_id}", {"declarations": flown})
        quiet = asyncio.run(flashes(west, east, line_id, QUIET_S))
        asked = {"line": line_id, "start_utc": format_utc(start_ms)}
        name = str(west.post("/private/propose", asked)["hash"])
        wait_for(lambda: name in {each["proposal"] for each in east.get("/private")}, "not there")
        east.post(f"/private/{name}/accept", {})
        before = {party.name: _standing(party) for party in (west, east)}
        begun = time.monotonic()
        west.post(f"/private/{name}/run", {})
        with ThreadPoolExecutor(2) as both:
            ends = [both.submit(_ended, party, name) for party in (west, east)]
            busy = asyncio.run(flashes(west, east, line_id, seconds))
            found = [each.result() for each in ends]
        rows = [row_of("FLASH before the run", quiet)]
        for party, (ended, finding) in zip((west, east), found, strict=True):
            size, cpu_s = (
                now - then for now, then in zip(_standing(party), before[party.name], strict=True)
            )
            run = finding["run"]
            what = f"{checked.slots} slots of {checked.points} points, {checked.bucket:,} tags"
            said = (
                f"{run['outcome']} ({run['state']}) after {ended - begun:.1f} s, {cpu_s:.1f} s of "
                f"processors, {size / 1e6:.1f} MB more on its disk, {party.peak_rss_mb:.0f} MB "
                "of memory at most"
            )
            rows.append(Row(f"{party.name}: {sorties} hours flown, {what}", "", said))
        rows.append(row_of(f"FLASH during {seconds} s from the command on", busy))
    return rows


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--sorties", type=int, default=20, help="hours flown by each side")
    options.add_argument("--seconds", type=int, default=90, help="how long FLASH are said")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        rows = measure(Path(temporary), chosen.sorties, chosen.seconds)
    print_rows("A private check between two nodes", rows)


if __name__ == "__main__":
    main()
