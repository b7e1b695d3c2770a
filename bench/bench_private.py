"""A whole private check of two plans, both directions: what each part takes, and how much is sent.

    python -m bench.bench_private [--sorties 50] [--points 32] [--bucket 524288] [--slots 2880]

Level flights of an hour in a theatre of 500 km, cells of 5 NM, 1,000 ft and 30 s. Both sides run
here, one after the other, on all processors. Ahead of time is what a node does once both HELLOs are
said and before the points fall due: blinding its own, and the tags of its widened cells. Online is
everything from the peer's points on, both sides' work added up; two machines share it.
"""

import argparse
import math
import random
import time
from collections import deque

from bench.report import Row, print_rows, progress
from deconflict.airspace import AltitudeReference, Position, Trajectory, Waypoint
from deconflict.sealed.grid import Grid, Reach
from deconflict.sealed.hello import Shape
from deconflict.sealed.own import Drawn, side_of
from deconflict.sealed.session import Session
from deconflict.sealed.steps import Step
from deconflict.sealed.tubes import Area, Tube, filled

__all__ = ["measure"]

NM_MM = 1_852_000
FOOT_TMM = 3_048
ASKED_ONLINE_S = 12.0
START_MS = 1_443_571_200_000


def theatre(slots: int) -> Grid:
    """Return the grid of a day, or of so many half minutes."""
    half = 27 * 5 * NM_MM
    return Grid(
        Position.from_degrees(35.0, 38.5), -half, -half, 5 * NM_MM, 54, 54,
        AltitudeReference.AMSL, -500 * FOOT_TMM, 1_000 * FOOT_TMM, 41,
        START_MS, 30_000, slots, Reach(5 * NM_MM, 1_000 * FOOT_TMM, 30_000),
    )  # fmt: skip


def plan(count: int, grid: Grid, chance: random.Random) -> list[Tube | Area]:
    """Return level flights of an hour, one waypoint a minute, that stay in the theatre."""
    lasts_ms = 3_600_000
    room_ms = max(1, grid.end_ms - grid.start_ms - lasts_ms)
    found: list[Tube | Area] = []
    for _ in range(count):
        at_ms = grid.start_ms + chance.randrange(room_ms)
        lat, lon = chance.uniform(34.0, 36.0), chance.uniform(37.3, 39.7)
        heading = chance.uniform(0.0, 2.0 * math.pi)
        waypoints = []
        level = chance.randrange(10, 38) * 1_000 * FOOT_TMM
        for minute in range(61):
            position = Position.from_degrees(round(lat, 7), round(lon, 7))
            waypoints.append(Waypoint(at_ms + minute * 60_000, position, level))
            north, east = math.cos(heading) * 0.11, math.sin(heading) * 0.135
            if not (33.5 < lat + north < 36.5 and 36.9 < lon + east < 40.1):
                heading += math.pi / 2
                continue
            lat, lon = lat + north, lon + east
        found += filled(Trajectory(AltitudeReference.AMSL, tuple(waypoints)), grid, {})
    return found


def measure(*, sorties: int, points: int, bucket: int, slots: int) -> list[Row]:
    """Return the rows of this benchmark."""
    grid = theatre(slots)
    shape = Shape(grid="00" * 32, parts=1, slots=(), points=points, bucket=bucket)
    chance = random.Random(1)
    own, spent = {}, {}
    for number, party in enumerate(("blue", "red")):
        progress(f"the plan of {party} in cells")
        flown = plan(sorties, grid, chance)
        begun = time.perf_counter()
        drawn = Drawn(*(bytes([number, label]) * 16 for label in (1, 2, 3)))
        own[party] = side_of(
            party, flown, grid, shape, drawn, expires_utc="2015-10-02T00:00:00.000Z"
        )
        spent[party] = time.perf_counter() - begun
    sessions = {party: Session(side) for party, side in own.items()}
    hello = {party: session.begin() for party, session in sessions.items()}
    asked = {}
    progress("points and tags")
    begun, worked = time.perf_counter(), time.process_time()
    asked["blue"] = sessions["blue"].hear(hello["red"][0])
    asked["red"] = sessions["red"].hear(hello["blue"][0])
    blinded_s, blinding_s = time.perf_counter() - begun, time.process_time() - worked
    begun, worked = time.perf_counter(), time.process_time()
    for session in sessions.values():
        session.prepare()
    prepared_s, preparing_s = time.perf_counter() - begun, time.process_time() - worked
    progress("answers and chunks")
    begun, worked, sent = time.perf_counter(), time.process_time(), 0
    queue: deque[tuple[str, Step]] = deque(
        (party, step) for party, steps in asked.items() for step in steps
    )
    while queue:
        sender, step = queue.popleft()
        sent += len(step.data)
        hearer = "red" if sender == "blue" else "blue"
        queue.extend((hearer, answer) for answer in sessions[hearer].hear(step))
    online_s, working_s = time.perf_counter() - begun, time.process_time() - worked
    found = [session.finding for session in sessions.values()]
    if not all(each.whole for each in found):
        raise RuntimeError(f"the check was broken off: {found[0].reason}, {found[1].reason}")
    size = f"{sorties} against {sorties} sorties, {slots:,} slots of {points} points"
    cells = [
        f"{len(side.cells) - slots:,} and {len(side.widened) - slots:,}" for side in own.values()
    ]
    return [
        Row(f"{size}: cells and widened cells of each side", "", "; ".join(cells)),
        Row("the plan in cells and its HELLO, one side", "", f"{max(spent.values()):.2f} s"),
        Row("points ahead of time, both sides", "", _both(blinded_s, blinding_s)),
        Row("tags ahead of time, both sides", "", _both(prepared_s, preparing_s)),
        Row(
            "online, both directions",
            f"≤ {ASKED_ONLINE_S:.0f} s",
            f"{_both(online_s, working_s)}, {sent / 1e6:.1f} MB sent",
            online_s <= ASKED_ONLINE_S,
        ),
        Row("own cells that were hit", "", "; ".join(f"{len(each.hits):,}" for each in found)),
    ]


def _both(wall_s: float, processor_s: float) -> str:
    return f"{wall_s:.2f} s, {processor_s:.2f} s of processors"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sorties", type=int, default=50)
    parser.add_argument("--points", type=int, default=32)
    parser.add_argument("--bucket", type=int, default=1 << 19)
    parser.add_argument("--slots", type=int, default=2_880)
    options = parser.parse_args()
    rows = measure(**vars(options))
    print_rows("A private check of two plans", rows)


if __name__ == "__main__":
    main()
