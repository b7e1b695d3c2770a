"""A whole private check of two plans, both directions: what each part takes, and how much is sent.

    python -m bench.bench_private [--sorties 50] [--points 32] [--bucket 524288] [--slots 2880]
    python -m bench.bench_private --unpadded

Unpadded, all fly in one hour and a slot has as many points as the fullest needs. Level flights of
an hour in a theatre of 500 km, cells of 5 NM, 1,000 ft and 30 s. Both sides run
here, one after the other, on all processors. Ahead of time is what a node does once both HELLOs are
said and before the points fall due: blinding its own, and the tags of its widened cells. Online is
everything from the peer's points on, both sides' work added up; two machines share it.
"""

import argparse
import math
import random
import time
from collections import Counter, deque
from collections.abc import Iterable, Mapping

from bench.report import Row, print_rows, progress
from deconflict.airspace import AltitudeReference, Containment, Position, Trajectory, Waypoint
from deconflict.sealed.cover import cover
from deconflict.sealed.grid import Grid, Reach
from deconflict.sealed.hello import Shape
from deconflict.sealed.own import Drawn, OwnSide, side_of
from deconflict.sealed.session import Session
from deconflict.sealed.steps import Step, StepKind, length_of
from deconflict.sealed.tubes import Area, Tube, filled

__all__ = ["measure"]

NM_MM = 1_852_000
FOOT_TMM = 3_048
ASKED_ONLINE_S = 12.0
ASKED_UNPADDED_S = 3.0
UNPADDED_SLOTS = 124  # an hour, and what the minima add
NO_TUBE = Containment()
TUBE = Containment(2 * NM_MM, 300 * FOOT_TMM, 60_000)  # twice RNP 1, and a minute
START_MS = 1_443_571_200_000


def theatre(slots: int) -> Grid:
    """Return the grid of a day, or of so many half minutes."""
    half = 27 * 5 * NM_MM
    return Grid(
        Position.from_degrees(35.0, 38.5), -half, -half, 5 * NM_MM, 54, 54,
        AltitudeReference.AMSL, -500 * FOOT_TMM, 1_000 * FOOT_TMM, 41,
        START_MS, 30_000, slots, Reach(5 * NM_MM, 1_000 * FOOT_TMM, 30_000),
    )  # fmt: skip


def plan(
    count: int, grid: Grid, chance: random.Random, containment: Containment = NO_TUBE
) -> list[Tube | Area]:
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
        flown = Trajectory(AltitudeReference.AMSL, tuple(waypoints), containment)
        found += filled(flown, grid, {})
    return found


def tube_rows(grid: Grid, count: int = 5) -> list[Row]:
    """Return how many cells a sortie fills as a line, and as the tube that it really is."""
    said = []
    for containment in (NO_TUBE, TUBE):
        flown = plan(count, grid, random.Random(1), containment)
        cells = [len(cover(flown, grid, reach)) // count for reach in (Reach(), grid.minima)]
        said.append("{:,} and {:,}".format(*cells))
    what = "cells and widened cells of a one-hour sortie: a line; 2 NM, 300 ft and 60 s around it"
    return [Row(what, "", "; ".join(said))]


def least_shape(plans: Iterable[list[Tube | Area]], grid: Grid) -> Shape:
    """Return the shortest lengths that hold these plans: nothing is padded but to the fullest."""
    fullest = most = 0
    for flown in plans:
        by_slot = Counter(cell[0] for cell in cover(flown, grid))
        fullest = max(fullest, *by_slot.values())
        most = max(most, len(cover(flown, grid, grid.minima)))
    bucket = -(-(most + grid.slots) // 64) * 64
    return Shape(grid="00" * 32, parts=1, slots=(), points=fullest + 1, bucket=bucket)


def measure(
    *,
    sorties: int = 50,
    points: int = 32,
    bucket: int = 1 << 19,
    slots: int = 2_880,
    unpadded: bool = False,
) -> list[Row]:
    """Return the rows of this benchmark."""
    slots = UNPADDED_SLOTS if unpadded else slots
    asked_s = ASKED_UNPADDED_S if unpadded else ASKED_ONLINE_S
    grid = theatre(slots)
    chance = random.Random(1)
    progress("the plans")
    plans = {party: plan(sorties, grid, chance) for party in ("blue", "red")}
    shape = Shape(grid="00" * 32, parts=1, slots=(), points=points, bucket=bucket)
    if unpadded:
        shape = least_shape(plans.values(), grid)
    own, spent = {}, {}
    for number, (party, flown) in enumerate(plans.items()):
        progress(f"the plan of {party} in cells")
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
    size = (
        f"{sorties} against {sorties} sorties, {slots:,} slots of {shape.points} points, "
        f"{shape.bucket:,} tags"
    )
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
            f"≤ {asked_s:.0f} s",
            f"{_both(online_s, working_s)}, {sent / 1e6:.1f} MB sent",
            online_s <= asked_s,
        ),
        *_size_rows(own, shape, slots),
        Row("own cells that were hit", "", "; ".join(f"{len(each.hits):,}" for each in found)),
    ]


def _size_rows(own: Mapping[str, OwnSide], shape: Shape, slots: int) -> list[Row]:
    """Return what one side sends, beside as many bytes as its cells alone would take."""
    cells = max(len(side.cells) for side in own.values())
    widened = max(len(side.widened) for side in own.values())
    said = []
    for kind, least, times in (
        (StepKind.POINTS, 32 * cells + 2 * slots, 1),
        (StepKind.EVALUATED, 32 * cells + 64 * slots, 1),
        (StepKind.CHUNK, 12 * widened // 64, 64),
    ):
        sent = (length_of(kind, shape, slots) or 0) * times
        said.append(f"{kind.name} {sent / 1e6:.2f} of {least * times / 1e6:.2f}")
    return [Row("MB that one side sends, and that its cells alone would take", "", "; ".join(said))]


def _both(wall_s: float, processor_s: float) -> str:
    return f"{wall_s:.2f} s, {processor_s:.2f} s of processors"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sorties", type=int, default=50)
    parser.add_argument("--points", type=int, default=32)
    parser.add_argument("--bucket", type=int, default=1 << 19)
    parser.add_argument("--slots", type=int, default=2_880)
    parser.add_argument("--unpadded", action="store_true")
    options = parser.parse_args()
    rows = measure(**vars(options))
    print_rows("A private check of two plans", [*rows, *tube_rows(theatre(2_880))])


if __name__ == "__main__":
    main()
