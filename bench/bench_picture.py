"""What one change costs a node whose peer has many declarations active.

    python -m bench.bench_picture [d100k] [--changes 200]

All flights of the set are the peer's; flights of the same generator with another seed are ours.
Timed is what the node does between a message and its alerts: put, and look again.
"""

import argparse
import ctypes
import gc
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from bench.report import Row, percentile, print_rows, progress
from bench.workloads import WORKLOADS, Workload, flights
from deconflict.airspace import AltitudeReference, Position, Trajectory, Waypoint
from deconflict.messages.declaration import Declaration, Purpose, SoundDeclaration
from deconflict.node.passing import LOOKED_AT_ONCE
from deconflict.node.picture import Declared, Picture
from deconflict.separation import AltitudeConversions, Minima, MinimaTable
from deconflict.units import TMM_PER_FOOT

__all__ = ["measure"]

NOW_MS: Final = 1_774_000_000_000
CANDIDATES: Final = 100


def declared(workload: Workload, *, own: bool) -> Iterator[Declared]:
    """Yield the flights of a workload as the declarations of one side, the first from now on."""
    made = flights(workload)
    party = "west" if own else "east"
    for number, points in enumerate(made.ranges()):
        waypoints = tuple(
            Waypoint(
                NOW_MS + round(at_s * 1000),
                Position.from_degrees(lat, lon),
                round(feet * TMM_PER_FOOT),
            )
            for at_s, lat, lon, feet in zip(
                made.time_s[points].tolist(),
                made.lat_deg[points].tolist(),
                made.lon_deg[points].tolist(),
                made.altitude_ft[points].tolist(),
                strict=True,
            )
        )
        declaration = Declaration(
            f"{number:032x}", Purpose.FLIGHT, Trajectory(AltitudeReference.FL, waypoints)
        )
        yield Declared(SoundDeclaration(declaration), party, own, f"{number:x}", number, NOW_MS)


def measure(name: str, changes: int) -> list[Row]:
    """Return the rows of one set."""
    workload = WORKLOADS[name]
    picture, empty_mb = Picture("a line"), memory_mb()
    progress(f"{name}: {workload.count:,} declarations")
    for one in declared(workload, own=False):
        picture.put(one)
    theirs = list(picture)
    candidate = replace(workload, count=CANDIDATES, seed=workload.seed + 100)
    ours = list(declared(candidate, own=True))
    rules = (
        NOW_MS,
        MinimaTable(Minima(workload.lateral_m, workload.vertical_ft * TMM_PER_FOOT)),
        AltitudeConversions(),
    )
    order = random.Random(1)

    def look() -> None:
        picture.recheck(*rules)

    def one_of_ours() -> None:
        picture.put(order.choice(ours))
        look()

    def one_of_theirs() -> None:
        picture.put(order.choice(theirs))
        look()

    def draft() -> None:
        picture.try_out([order.choice(ours)], *rules)

    what = f"against {workload.count:,} active of the peer"
    progress("the first look")
    before_mb, before_s = memory_mb(), time.process_time()
    gc.freeze()  # as a node does at its start
    parts_ms = []
    while picture.changed:
        parts_ms.append(_ms(lambda: picture.recheck(*rules, at_most=LOOKED_AT_ONCE)))
    spent_s = sum(parts_ms) / 1e3
    processor_s, grown_mb = time.process_time() - before_s, memory_mb() - before_mb
    rows = [
        Row(
            f"first look at {workload.count:,} active",
            "",
            f"{spent_s:.1f} s, {processor_s:.1f} s of processor time; {LOOKED_AT_ONCE} at a time: "
            f"median {percentile(parts_ms, 0.5):.0f} ms, longest {max(parts_ms):.0f} ms",
        ),
        Row(
            f"memory of {workload.count:,} active declarations; of what the check holds of them",
            "",
            f"{before_mb - empty_mb:,.0f} MB; {grown_mb:,.0f} MB",
        ),
        Row("first draft after it", "", f"{_ms(draft):.1f} ms"),
    ]
    for said, change in (
        (f"a draft tried {what}", draft),
        (f"one declaration put and checked {what}", one_of_ours),
        ("one of theirs put and checked against some ours", one_of_theirs),
    ):
        progress(said)
        change()
        spent = [_ms(change) for _ in range(changes)]
        middle, high = percentile(spent, 0.5), percentile(spent, 0.99)
        rows.append(Row(said, "", f"median {middle:.2f} ms, p99 {high:.2f} ms"))
    spent = [_ms(look) for _ in range(changes)]
    rows.append(Row("a look when nothing changed", "", f"median {percentile(spent, 0.5):.2f} ms"))
    spent = [_ms(lambda: picture.drop_ended(NOW_MS)) for _ in range(changes)]
    rows.append(Row("looking for what is over", "", f"median {percentile(spent, 0.5):.2f} ms"))
    rows.append(Row("conflicts", "", f"{len(picture.conflicts()):,}"))
    return rows


def memory_mb() -> float:
    """Return the resident memory of this process in MB, freed memory given back."""
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/status") as status:
        kib = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
    return kib * 1024 / 1e6


def _ms(what: Callable[[], object]) -> float:
    begun = time.perf_counter()
    what()
    return (time.perf_counter() - begun) * 1e3


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("name", nargs="?", default="d100k", choices=tuple(WORKLOADS))
    options.add_argument("--changes", type=int, default=200)
    chosen = options.parse_args()
    print_rows("A change in the node's picture", measure(chosen.name, chosen.changes))


if __name__ == "__main__":
    main()
