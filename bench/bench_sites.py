"""An activity against protected sites: what each part takes, and how much is sent.

    python -m bench.bench_sites [--listed 82000] [--asked 1000] [--label 0]

Sites anywhere in a theatre of 500 km, each widened by 3 km, on squares of 1 km, as many as fill the
list; an activity of four tracks across them. Both sides run here, one after the other, on all
processors. Ahead of time is what the protector does once both HELLOs are said: its tags, its closed
labels. Online is everything from the list on: the planner's points, the answer, the comparison.
"""

import argparse
import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from bench.report import Row, print_rows, progress
from deconflict.airspace import AltitudeReference, Position
from deconflict.sealed.grid import Grid, Reach
from deconflict.sealed.own import Drawn
from deconflict.sealed.site_check import Planner, Protector
from deconflict.sealed.site_hello import SiteShape
from deconflict.sealed.site_sides import SiteStep, planner_side, protector_side
from deconflict.sealed.sites import CANARIES, Site, activity_squares, site_squares
from deconflict.sealed.tubes import Area

__all__ = ["measure"]

ASKED_ONLINE_S = 1.0
ASKED_MB = 1.05
KM_MM = 1_000_000
T = TypeVar("T")
EXPIRES = "2015-10-02T00:00:00.000Z"


def theatre() -> Grid:
    return Grid(
        Position.from_degrees(35.0, 38.5), -250 * KM_MM, -250 * KM_MM, KM_MM, 500, 500,
        AltitudeReference.AMSL, 0, 100_000, 1, 1_443_571_200_000, 1_000, 1, Reach(),
    )  # fmt: skip


def sites(squares: int, grid: Grid, chance: random.Random) -> tuple[Site, ...]:
    """Return points with a radius of protection of 3 km that fill at least so many squares."""
    made: list[Site] = []
    filled: set[tuple[int, int, int, int]] = set()
    while len(filled) < squares:
        middle = tuple(chance.randrange(-240 * KM_MM, 240 * KM_MM) for _ in range(2))
        area = Area((((middle[0], middle[1]),) * 2,), (), 0, 0, 100_000, 0, 1)
        made.append(Site(f"site {len(made)}", (area,), 3 * KM_MM))
        filled |= set(site_squares(made[-1:], grid))
    return tuple(made)


def activity(squares: int) -> tuple[Area, ...]:
    """Return four tracks that fill so many squares, rounded down to a multiple of four."""
    half, across = KM_MM // 2, (squares // 4 - 1) * KM_MM
    begins = [(-240 * KM_MM + half, row * KM_MM + half) for row in (-150, -50, 50, 150)]
    return tuple(Area((((x, y), (x + across, y)),), (), 10, 0, 100_000, 0, 1) for x, y in begins)


def measure(*, listed: int = 82_000, asked: int = 1_000, label: int = 0) -> list[Row]:
    """Return the rows of this benchmark."""
    grid, chance = theatre(), random.Random(1)
    progress("sites and activity in squares")
    held, planned = sites(listed, grid, chance), activity(asked)
    listed, asked = len(site_squares(held, grid)), len(activity_squares(planned, grid))
    shape = SiteShape(
        grid="00" * 32,
        points=asked + CANARIES,
        bucket=-(-(listed + CANARIES) // 64) * 64,
        label=label,
    )
    drawn = [Drawn(*(bytes([number, n]) * 16 for n in (1, 2, 3))) for number in (1, 2)]
    own = protector_side("agency", held, grid, shape, drawn[0], expires_utc=EXPIRES)
    other = planner_side("planner", planned, grid, shape, drawn[1], expires_utc=EXPIRES)
    protector, planner = Protector(own), Planner(other)
    hellos = protector.begin(), planner.begin()
    protector.hear(hellos[1])
    planner.hear(hellos[0])
    progress("the list")
    ahead, (listing,) = _timed(lambda: (protector.show(),))
    progress("points, answers, comparison")
    sent = len(listing.data)
    online = [0.0, 0.0]
    steps: Sequence[SiteStep] = (listing,)
    hearer: Planner | Protector = planner
    while steps:
        spent, answers = _timed(partial(hearer.hear, steps[0]))
        online = [one + more for one, more in zip(online, spent, strict=True)]
        sent += sum(len(step.data) for step in answers)
        steps, hearer = answers, protector if hearer is planner else planner
    found = planner.finding
    if not found.whole:
        raise RuntimeError(f"the check was broken off: {found.reason}")
    size = f"{listed:,} squares of {len(held):,} sites against {asked:,}, labels of {label} bytes"
    return [
        Row(f"{size}: the list, ahead of time", "", _both(*ahead)),
        Row(
            "online: points, answers, comparison",
            f"≤ {ASKED_ONLINE_S:.0f} s",
            _both(*online),
            online[0] <= ASKED_ONLINE_S,
        ),
        Row("sent", "" if label else f"{ASKED_MB} MB ± 10 %", f"{sent / 1e6:.2f} MB",
            None if label else abs(sent / 1e6 - ASKED_MB) <= ASKED_MB / 10),
        Row("own squares that were hit", "", f"{len(found.hits):,}"),
    ]  # fmt: skip


def _timed(work: Callable[[], T]) -> tuple[tuple[float, float], T]:
    begun, worked = time.perf_counter(), time.process_time()
    done = work()
    return (time.perf_counter() - begun, time.process_time() - worked), done


def _both(wall_s: float, processor_s: float) -> str:
    return f"{wall_s:.2f} s, {processor_s:.2f} s of processors"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--listed", type=int, default=82_000)
    parser.add_argument("--asked", type=int, default=1_000)
    parser.add_argument("--label", type=int, default=0)
    options = parser.parse_args()
    rows = measure(**vars(options))
    print_rows("An activity against protected sites", rows)


if __name__ == "__main__":
    main()
