"""The check beside what else could be used for it, on the same flights in one run.

    python -m bench.bench_peers [r1k d10k ...]

Shapely and NumPy by hand on every set named; PostGIS, PyMEOS and BlueSky on r1k only, which takes
them a second to a minute. PyMEOS and BlueSky are run by `.venv/peers/bin/python` (`make peers`), or
by the Python that the environment variable PEERS names. A pair on which two disagree is judged by
`pyproj.Geod`.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import deconflict
from bench import postgis_peer, shapely_solution
from bench.bench_screen import given, screened
from bench.conflicts import Conflicts, Pair, compared, ours
from bench.flown import Flown, least_shortfall, whole_milliseconds
from bench.private_postgres import private_postgres, why_no_postgis
from bench.report import Row, print_rows, progress
from bench.workloads import WORKLOADS, Flights, Workload, flights

__all__ = ["measure", "peer_python", "told_by"]

RUNS: Final = 3
USUAL: Final = ("r1k", "d10k")
WITH_ALL: Final = "r1k"
ASKED_RATIO: Final = {"d100k": 50.0}
LONGEST_PIECE_M: Final = 50_000.0
POSTGIS_SLACK_M: Final = 0.3  # what chords of 50 km hide; docs/reference/separation.md
BLUESKY_STEP_S: Final = 60  # every 10 s takes it four minutes
JUDGED: Final = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """A set, what the kernel says of it and in how many seconds."""

    name: str
    workload: Workload
    made: Flights
    conflicts: Conflicts
    wall_s: float

    def row(self, who: str, wall_s: float, said: str, held: bool | None = None) -> Row:
        """Return the row of a peer."""
        asked = ASKED_RATIO.get(self.name) if who.startswith("shapely") else None
        ratio = wall_s / self.wall_s
        if asked is not None:
            held = ratio >= asked and held is not False
        return Row(
            f"{self.name}, {who}",
            "" if asked is None else f"≥ {asked:g} times, the same",
            f"{wall_s:.2f} s, {ratio:.3g} times; {said}",
            held,
        )


def measure(names: Sequence[str]) -> list[Row]:
    """Return the rows of all sets and peers."""
    rows = []
    for name in names:
        workload = WORKLOADS[name]
        progress(f"{name}: {workload.count:,} flights")
        made = whole_milliseconds(flights(workload))
        same, minima = given(made, workload)
        spent = []
        for _ in range(RUNS):
            begun = time.perf_counter()
            deconflict.screen(same, minima=minima)
            spent.append(time.perf_counter() - begun)
        asked = Asked(name, workload, made, ours(screened(made, workload)), min(spent))
        count = f"{len(asked.conflicts):,} conflicts of {len(asked.conflicts.pairs()):,} pairs"
        rows.append(Row(f"{name}, deconflict", "", f"{asked.wall_s:.3f} s; {count}"))
        rows.append(_shapely(asked))
        if name == WITH_ALL:
            rows += [_postgis(asked), _meos(asked), _bluesky(asked)]
    return rows


def _shapely(asked: Asked) -> Row:
    progress(f"{asked.name}: shapely and NumPy")
    begun = time.perf_counter()
    told = shapely_solution.screened(asked.made, asked.workload)
    wall_s = time.perf_counter() - begun
    return asked.row("shapely and NumPy by hand", wall_s, *_in_words(asked, told))


def _in_words(asked: Asked, told: Conflicts) -> tuple[str, bool]:
    """Return how a peer's conflicts differ, and whether no pair does that pyproj calls a loss."""
    difference = compared(asked.conflicts, told)
    if difference.same_pairs and not difference.uneven:
        apart = f"beginnings and ends within {difference.apart_s:.2g} s"
        return f"the same {difference.stretches:,} conflicts, {apart}", True
    missed, wrongly = _judged(asked, difference.missing), _judged(asked, difference.extra)
    said = f"missed {missed}; more {wrongly}"
    if difference.uneven:
        said += f"; {len(difference.uneven)} pairs in other stretches"
    return said, False


def _judged(asked: Asked, pairs: Sequence[Pair]) -> str:
    """Return how many pairs, and how near they come to the minima by pyproj."""
    if not pairs:
        return "0"
    depths_m = []
    for i, j in pairs[:JUDGED]:
        a, b = Flown.of(asked.made, i), Flown.of(asked.made, j)
        lateral_m, vertical_ft = asked.workload.lateral_m, asked.workload.vertical_ft
        depths_m.append(least_shortfall(a, b, lateral_m, vertical_ft)[0])
    lost = sum(depth < 0 for depth in depths_m)
    span = f"{min(depths_m):.3g} to {max(depths_m):.3g} m from the minima"
    return f"{len(pairs):,} ({lost} of {len(depths_m)} are losses by pyproj; {span})"


def _postgis(asked: Asked) -> Row:
    who = "PostGIS ST_CPAWithin"
    if reason := why_no_postgis():
        return Row(f"{asked.name}, {who}", "", f"not installed here: {reason}")
    progress(f"{asked.name}: PostGIS")
    with private_postgres() as server:
        postgis_peer.fill(server, asked.made, LONGEST_PIECE_M)
        begun = time.perf_counter()
        reach_m = asked.workload.lateral_m + POSTGIS_SLACK_M
        told = postgis_peer.close_pairs(server, reach_m, asked.workload.vertical_ft)
        wall_s = time.perf_counter() - begun
    missed = asked.conflicts.pairs() - told
    return asked.row(
        who,
        wall_s,
        f"filled and indexed before; no cylinder and no times: {len(told):,} pairs, "
        f"missed {len(missed)}",
    )


def _meos(asked: Asked) -> Row:
    who = "PyMEOS, all pairs"
    told = told_by("meos_peer", asked.name)
    if isinstance(told, str):
        return Row(f"{asked.name}, {who}", "", f"not installed here: {told}")
    return asked.row(who, told["seconds"], *_in_words(asked, Conflicts.from_lists(told)))


def _bluesky(asked: Asked) -> Row:
    who = f"BlueSky state-based, every {BLUESKY_STEP_S} s"
    told = told_by("bluesky_peer", asked.name, "--step", str(BLUESKY_STEP_S))
    if isinstance(told, str):
        return Row(f"{asked.name}, {who}", "", f"not installed here: {told}")
    pairs = {(i, j) for i, j in told["pairs"]}
    missed, more = asked.conflicts.pairs() - pairs, pairs - asked.conflicts.pairs()
    said = f"missed {_judged(asked, sorted(missed))}; more {_judged(asked, sorted(more))}"
    return asked.row(who, told["seconds"], said)


def peer_python() -> str:
    """Return the interpreter that has PyMEOS and BlueSky, if any has."""
    made = Path(__file__).parents[1] / ".venv" / "peers" / "bin" / "python"
    return os.environ.get("PEERS") or (str(made) if made.exists() else sys.executable)


def told_by(module: str, *arguments: str, python: str | None = None) -> dict[str, Any] | str:
    """Return what a peer's own process prints, or in words why there is none."""
    progress(f"{arguments[0]}: {module}")
    done = subprocess.run(
        [python or peer_python(), "-m", f"bench.{module}", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("names", nargs="*", metavar="SET", help=", ".join(WORKLOADS))
    chosen = options.parse_args()
    if unknown := set(chosen.names) - set(WORKLOADS):
        options.error(f"no such set: {', '.join(sorted(unknown))}")
    print_rows("Beside its peers, in one run", measure(chosen.names or USUAL))


if __name__ == "__main__":
    main()
