"""Private checks beside the engine, pair by pair: `make sealed-pairs PAIRS=100000 SEED=1`.

Rounds of fifty plans of blue against fifty of red, on grids in Syria, across the antimeridian and
at a pole, cut once or twice. Half of the rounds are random flights and volumes; in the other half
each plan of red is put at the edge of the minima of one of blue, or on rims of cells and slots.
Of every pair it is asked:

- what the engine calls a CONFLICT is flagged in both directions;
- what is flagged comes, by the engine, within the minima and one cell.

A round follows from its seed and number alone, so a long run may be cut into parts (`--first`).
Exits 1 when anything was missed or too far, and says which round and pair.
"""

import argparse
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from bench.report import Row, print_rows, progress

from deconflict.airspace import (
    AltitudeBand,
    AltitudeReference,
    Circle,
    Containment,
    Corridor,
    Geometry,
    Outline,
    Polygon,
    Position,
    TimeSpan,
    Trajectory,
    Volume,
    Waypoint,
)
from deconflict.airspace.geodesy import direct
from deconflict.sealed.cover import cover
from deconflict.sealed.grid import Cell, Grid, Reach
from deconflict.sealed.tubes import filled
from deconflict.separation import (
    AltitudeConversions,
    Extent,
    Minima,
    MinimaTable,
    Verdict,
    check,
)

PLANS = 50
NM_MM = 1_852_000
FOOT_TMM = 3_048
START_MS = 1_443_571_200_000
SLOT_MS = 30_000
PERIOD_MS = 3_600_000
PLACES = (
    Position.from_degrees(35.0, 38.5),
    Position.from_degrees(-17.0, 179.9),
    Position.from_degrees(89.9, 0.0),
)
MINIMA = Reach(5 * NM_MM, 1_000 * FOOT_TMM, 0)
AMSL = AltitudeReference.AMSL


@dataclass
class Counted:
    """What came of pairs."""

    pairs: int = 0
    conflicts: int = 0
    flagged: int = 0
    one_way: int = 0
    missed: int = 0
    too_far: int = 0

    def add(self, other: "Counted") -> None:
        for name in vars(other):
            setattr(self, name, getattr(self, name) + getattr(other, name))


def theatre(origin: Position, parts: int) -> Grid:
    """A grid of 300 NM and an hour, its levels off the flight levels."""
    grid = Grid(
        origin, -30 * 5 * NM_MM, -30 * 5 * NM_MM, 5 * NM_MM, 60, 60,
        AMSL, -500 * FOOT_TMM, 1_000 * FOOT_TMM, 20,
        START_MS, SLOT_MS, PERIOD_MS // SLOT_MS, MINIMA,
    )  # fmt: skip
    return grid.refined(parts)


# ---- plans ---------------------------------------------------------------------------------------


def near(origin: Position, chance: random.Random, most_m: float = 90_000) -> Position:
    return direct(origin, chance.uniform(0, 360), chance.uniform(0, most_m))


def flight(origin: Position, chance: random.Random) -> Trajectory:
    """A random flight of some minutes, with a containment or without."""
    at_ms = START_MS + chance.randrange(PERIOD_MS - 1_300_000)
    waypoints = []
    for _ in range(chance.randint(2, 3)):
        level = chance.randint(5, 9) * 1_000 * FOOT_TMM + chance.randint(-999, 999)
        waypoints.append(Waypoint(at_ms, near(origin, chance), level))
        at_ms += chance.randrange(60_000, 500_000)
    containment = Containment()
    if chance.random() < 0.5:
        containment = Containment(
            chance.randrange(3_000_000), chance.randrange(400) * FOOT_TMM, chance.randrange(60_000)
        )
    return Trajectory(AMSL, tuple(waypoints), containment)


def volume(origin: Position, chance: random.Random) -> Geometry:
    """A random volume of some minutes."""
    middle = near(origin, chance)
    outline: Outline = Circle(middle, chance.randint(1, 15_000_000))
    kind = chance.randrange(3)
    if kind == 1:
        end = direct(middle, chance.uniform(0, 360), chance.uniform(1_000, 50_000))
        outline = Corridor((middle, end), chance.randint(1, 6_000_000))
    elif kind == 2:
        count = chance.randint(3, 6)
        turns = [360 * n / count + chance.uniform(-20, 20) for n in range(count)]
        outline = Polygon(
            tuple(direct(middle, turn, chance.uniform(5_000, 25_000)) for turn in turns)
        )
    lower = chance.randint(5, 8) * 1_000 * FOOT_TMM
    start_ms = START_MS + chance.randrange(PERIOD_MS - 700_000)
    band = AltitudeBand(AMSL, lower, lower + chance.randrange(4) * 500 * FOOT_TMM)
    return (Volume(outline, band, TimeSpan(start_ms, start_ms + chance.randint(1, 600_000))),)


def edge_pair(origin: Position, chance: random.Random) -> tuple[Geometry, Geometry]:
    """Two plans at the edge of the minima, or of cells: just inside it, on it, or just outside."""
    heading = chance.choice([0.0, 90.0, chance.uniform(0, 360)])
    start = near(origin, chance)
    at_ms = START_MS + chance.randrange(20, 60) * SLOT_MS
    lasts_ms = chance.choice([SLOT_MS, 2 * SLOT_MS, 45_001])
    level = chance.choice([7_000, 7_500]) * FOOT_TMM  # the middle of a level, and its rim
    length_m = chance.choice([10.0, 5_000.0, 9_260.0])
    slip_mm = chance.choice([-2_000, -20, 0, 20, 2_000])
    aside_m = (MINIMA.horizontal_mm + slip_mm) / 1e3
    above = chance.choice([0, 0, MINIMA.vertical_tmm - 1, MINIMA.vertical_tmm])
    late_ms = chance.choice([0, 0, lasts_ms - 1, lasts_ms])
    blue = straight(start, heading, length_m, at_ms, lasts_ms, level)
    beside = direct(start, heading + 90.0, aside_m)
    kind = chance.randrange(5)
    if kind == 0:  # side by side
        return blue, straight(beside, heading, length_m, at_ms + late_ms, lasts_ms, level + above)
    if kind == 1:  # head-on, passing beside
        ahead = direct(beside, heading, length_m)
        turned = straight(
            ahead, heading + 180.0, length_m, at_ms + late_ms, lasts_ms, level + above
        )
        return blue, turned
    if kind == 2:  # in trail, the leader a minimum ahead
        ahead = direct(start, heading, aside_m + length_m)
        return blue, straight(ahead, heading, length_m, at_ms + late_ms, lasts_ms, level + above)
    if kind == 3:  # a circle whose rim is a minimum from the flight's begin
        radius_mm = chance.choice([1, 1_000, 3_000_000])
        middle = direct(start, heading + 180.0, aside_m + radius_mm / 1e3)
        band = AltitudeBand(AMSL, level + above, level + above + FOOT_TMM)
        span = TimeSpan(at_ms, at_ms + chance.choice([1, SLOT_MS]))
        return blue, (Volume(Circle(middle, radius_mm), band, span),)
    # what the plans leave open makes up for the distance between them
    open_mm = chance.randrange(2_000_000)
    farther = direct(beside, heading + 90.0, open_mm / 1e3)
    red = straight(farther, heading, length_m, at_ms + late_ms, lasts_ms, level + above)
    return blue, replace(red, containment=Containment(open_mm, 0, chance.choice([0, SLOT_MS])))


def straight(
    start: Position, heading: float, length_m: float, at_ms: int, lasts_ms: int, level: int
) -> Trajectory:
    end = direct(start, heading % 360.0, length_m)
    return Trajectory(AMSL, (Waypoint(at_ms, start, level), Waypoint(at_ms + lasts_ms, end, level)))


# ---- a round -------------------------------------------------------------------------------------

Sides = tuple[list[Geometry], list[Geometry]]


def random_sides(origin: Position, chance: random.Random) -> Sides:
    def some() -> Geometry:
        make: Callable[[Position, random.Random], Geometry] = (
            flight if chance.random() < 0.7 else volume
        )
        return make(origin, chance)

    return [some() for _ in range(PLANS)], [some() for _ in range(PLANS)]


def edge_sides(origin: Position, chance: random.Random) -> Sides:
    pairs = [edge_pair(origin, chance) for _ in range(PLANS)]
    return [blue for blue, _ in pairs], [red for _, red in pairs]


def one_round(seed: int, number: int) -> tuple[Counted, list[str]]:
    """Return what came of a round, and each pair that must not be, in words."""
    chance = random.Random(f"{seed} {number}")
    origin = PLACES[number // 2 % len(PLACES)]
    grid = theatre(origin, 1 + number // 6 % 2)
    sides = (edge_sides if number % 2 else random_sides)(origin, chance)
    flags = flagged(sides, grid)
    conflicts = found_by_the_engine(sides, MINIMA, {Verdict.CONFLICT})
    reach = wider(grid)
    late = ([later(each, reach.time_ms) for each in sides[0]], sides[1])
    close = found_by_the_engine(late, reach, set(Verdict))
    either = flags[0] | flags[1]
    wrong = [(f"round {number}: missed {p}", p) for p in sorted(conflicts - (flags[0] & flags[1]))]
    missed = len(wrong)
    wrong += [(f"round {number}: too far {p}", p) for p in sorted(either - close)]
    said = [f"{text}\n  {sides[0][i]}\n  {sides[1][j]}" for text, (i, j) in wrong]
    return (
        Counted(
            pairs=PLANS * PLANS,
            conflicts=len(conflicts),
            flagged=len(either),
            one_way=len(flags[0] ^ flags[1]),
            missed=missed,
            too_far=len(wrong) - missed,
        ),
        said,
    )


Pairs = set[tuple[int, int]]


def flagged(sides: Sides, grid: Grid) -> tuple[Pairs, Pairs]:
    """Return which pairs blue is told of, and which red."""
    tubes = [[filled(each, grid, {}) for each in side] for side in sides]
    owners: list[dict[Cell, list[int]]] = [defaultdict(list), defaultdict(list)]
    for side, own in enumerate(tubes):
        for number, plan in enumerate(own):
            for cell in cover(plan, grid):
                owners[side][cell].append(number)
    told: tuple[Pairs, Pairs] = (set(), set())
    for number, plan in enumerate(tubes[1]):
        for cell in cover(plan, grid, grid.minima):
            told[0].update((own, number) for own in owners[0].get(cell, ()))
    for number, plan in enumerate(tubes[0]):
        for cell in cover(plan, grid, grid.minima):
            told[1].update((number, own) for own in owners[1].get(cell, ()))
    return told


def found_by_the_engine(sides: Sides, minima: Reach, verdicts: set[Verdict]) -> Pairs:
    extents = [
        [Extent(f"{party}{n}", party, "FLIGHT", each) for n, each in enumerate(side)]
        for party, side in zip(("b", "r"), sides, strict=True)
    ]
    found = check(
        extents[0],
        others=extents[1],
        minima=MinimaTable(Minima(minima.horizontal_mm / 1e3, minima.vertical_tmm)),
        conversions=AltitudeConversions(),
    )
    return {(int(f.first[1:]), int(f.second[1:])) for f in found if f.verdict in verdicts}


def wider(grid: Grid) -> Reach:
    """Return the minima and one cell: its diagonal, what the plane shortens, what pieces bend."""
    diagonal_mm = grid.cell_mm * 1.4143
    across_mm = (grid.minima.horizontal_mm + diagonal_mm + grid.cell_mm * 0.002) * 1.014 + 10
    # Cells are closed, and for the engine flights that touch for an instant do not meet: 1 ms more.
    late_ms = grid.minima.time_ms + grid.slot_ms + 1
    return Reach(int(across_mm), grid.minima.vertical_tmm + grid.level_tmm + 4, late_ms)


def later(geometry: Geometry, by_ms: int) -> Geometry:
    """Return the same, as much earlier and later as the reach in time says."""
    if isinstance(geometry, Trajectory):
        held = geometry.containment
        return replace(geometry, containment=replace(held, time_ms=held.time_ms + by_ms))
    return tuple(
        replace(each, span=TimeSpan(each.span.start_ms - by_ms, each.span.end_ms + by_ms))
        for each in geometry
    )


# ---- the command ---------------------------------------------------------------------------------


def rounds(seed: int, first: int, count: int) -> Iterator[tuple[Counted, list[str]]]:
    for number in range(first, first + count):
        yield one_round(seed, number)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first round")
    options = parser.parse_args(arguments)
    count = -(-options.pairs // (PLANS * PLANS))
    whole, wrong = Counted(), []
    begun = time.process_time()
    for number, (counted, said) in enumerate(rounds(options.seed, options.first, count)):
        whole.add(counted)
        wrong += said
        progress(f"round {number + 1} of {count}: {whole.conflicts:,} conflicts")
    spent = time.process_time() - begun
    for text in wrong[:20]:
        print(text, file=sys.stderr)
    measured = (
        f"{whole.missed} missed, {whole.too_far} too far; {whole.conflicts:,} conflicts, "
        f"{whole.flagged:,} pairs flagged, {whole.one_way:,} of them one way; {spent:.0f} s"
    )
    what = (
        f"{whole.pairs:,} pairs in rounds {options.first} to {options.first + count - 1} "
        f"of seed {options.seed}"
    )
    row = Row(what, "0 missed, 0 too far", measured, not wrong)
    print_rows("Private checks beside the engine", [row])
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
