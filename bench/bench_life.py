"""What else people wait for: a peer's end noticed, a clean end, a command's first word, a plan.

python -m bench.bench_life [--kills 20]
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.desk import Desk, Event
from bench.nodes import Party, agree, make_pair, running
from bench.report import Row, percentile, print_rows, progress
from bench.workloads import WORKLOADS, flights
from deconflict.airspace.instant import format_utc

__all__ = ["measure"]

ASKED_DOWN_S = 3.0
ASKED_END_S = 5.0
STREAMS = 5
FOOT_TMM = 3_048


def measure(root: Path, *, kills: int) -> list[Row]:
    """Return the rows of this benchmark."""
    rows = [_help()]
    west, east = make_pair(root)
    with running(west, east):
        agree(west, east)
        rows.append(asyncio.run(_declare(west, east)))
        rows.append(asyncio.run(_down(west, east, kills)))
    rows.append(asyncio.run(_end(west)))
    return rows


def _help() -> Row:
    times = []
    for _ in range(5):
        begun = time.monotonic()
        subprocess.run([sys.executable, "-m", "deconflict", "--help"], check=True, stdout=-3)
        times.append(time.monotonic() - begun)
    return Row("`deconflict --help`", "", f"median {sorted(times)[2]:.2f} s (n = 5)")


async def _declare(west: Party, east: Party) -> Row:
    """Half of the 1,000 flights of r1k from each side, in one call each."""
    now_ms = time.time_ns() // 1_000_000
    seen: dict[str, dict[str, float]] = {west.name: {}, east.name: {}}

    def taker(party: Party) -> Any:
        def take(event: Event) -> None:
            if event.kind == "conflict":
                seen[party.name].setdefault(event.data["conflict_id"], event.at_s)

        return take

    drafts = r1k(now_ms + 3_600_000)
    bodies = [json.dumps({"declarations": drafts[k::2]}).encode() for k in (0, 1)]
    async with Desk(west, 1) as one, Desk(east, 1) as other:
        await one.follow(taker(west))
        await other.follow(taker(east))
        progress("declaring 1,000 flights")
        begun = time.monotonic()
        await asyncio.gather(
            one.post("/declarations", bodies[0]), other.post("/declarations", bodies[1])
        )
        answered = time.monotonic() - begun
        quiet_since = time.monotonic()
        count = 0
        while time.monotonic() - quiet_since < 4 and time.monotonic() - begun < 90:
            await asyncio.sleep(0.1)
            if (total := sum(map(len, seen.values()))) != count:
                count, quiet_since = total, time.monotonic()
    agreed = seen[west.name].keys() == seen[east.name].keys()
    last = max(max(times.values()) for times in seen.values()) - begun
    return Row(
        "declare 1,000 flights (r1k, 500 a side, 60,061 waypoints) by the API",
        "",
        f"answered after {answered:.1f} s; {len(seen[west.name]):,} conflicts on"
        f" {'both sides, the same' if agreed else 'each side, NOT THE SAME'};"
        f" the last event after {last:.1f} s",
        agreed,
    )


def r1k(start_ms: int) -> list[dict[str, Any]]:
    """Return the published workload as drafts of declarations."""
    made = flights(WORKLOADS["r1k"])
    containment = {"lateral_mm": 0, "vertical_tmm": 0, "time_ms": 0}
    drafts = []
    for points in made.ranges():
        waypoints = [
            {
                "at_utc": format_utc(start_ms + round(at * 1000)),
                "lat_e7": round(lat * 1e7),
                "lon_e7": round(lon * 1e7),
                "altitude_tmm": round(feet * FOOT_TMM),
            }
            for at, lat, lon, feet in zip(
                made.time_s[points],
                made.lat_deg[points],
                made.lon_deg[points],
                made.altitude_ft[points],
                strict=True,
            )
        ]
        trajectory = {"reference": "FL", "waypoints": waypoints, "containment": containment}
        drafts.append({"purpose": "FLIGHT", "geometry": {"trajectory": trajectory}})
    return drafts


async def _down(west: Party, east: Party, kills: int) -> Row:
    """From kill -9 of the peer to the event that says so."""
    chance = random.Random(1)
    times: list[float] = []
    said: asyncio.Queue[Event] = asyncio.Queue()

    def take(event: Event) -> None:
        if event.kind == "line":
            said.put_nowait(event)

    async with Desk(west, 1) as desk:
        await desk.follow(take)
        for number in range(kills):
            progress(f"killing the peer's node, {number + 1} of {kills}")
            await asyncio.sleep(chance.uniform(0, 1))
            begun = time.monotonic()
            await asyncio.to_thread(east.kill)
            times.append((await _state(said, "DOWN")).at_s - begun)
            await asyncio.to_thread(east.start)
            await _state(said, "UP")
    return Row(
        "DOWN on the screen after kill -9 of the peer",
        f"≤ {ASKED_DOWN_S:.0f} s",
        f"p50 {percentile(times, 0.5):.2f} s, max {max(times):.2f} s (n = {kills})",
        max(times) <= ASKED_DOWN_S,
    )


async def _state(said: "asyncio.Queue[Event]", state: str) -> Event:
    async with asyncio.timeout(30):
        while True:
            event = await said.get()
            if event.data["state"] == state:
                return event


async def _end(party: Party) -> Row:
    times: list[float] = []
    for _ in range(5):
        progress("ending a node that has open event streams")
        await asyncio.to_thread(party.start)
        desks = [Desk(party, 1) for _ in range(STREAMS)]
        for desk in desks:
            await desk.__aenter__()
            await desk.follow(lambda _: None)
        times.append(await asyncio.to_thread(party.stop))
        for desk in desks:
            await desk.__aexit__(None, None, None)
    return Row(
        f"clean end with {STREAMS} open event streams",
        f"< {ASKED_END_S:.0f} s",
        f"median {sorted(times)[2]:.2f} s, max {max(times):.2f} s (n = 5)",
        max(times) < ASKED_END_S,
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--kills", type=int, default=20)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        rows = measure(Path(temporary), kills=chosen.kills)
    print_rows("Ends, ups and downs", rows)


if __name__ == "__main__":
    main()
