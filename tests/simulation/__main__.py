"""Plays lines under faults for as long as wanted; see ``run.py`` and ``plan.py``.

    python -m tests.simulation --hours 10000 --seed 1

A long run can be taken up again with ``--seed`` at the seed after the last one told, or be played
in parts by several processes, each with seeds of its own.
"""

import argparse
import sys
import time

from tests.simulation.plan import play_seed
from tests.simulation.setting import LineViolationError
from tests.simulation.tally import Tally

from deconflict.errors import DeconflictError

PROGRESS_S = 60.0


def main() -> int:
    """Play seed after seed until so many link-hours are done; 1 when any was violated."""
    parser = argparse.ArgumentParser(description="Simulate lines under faults.")
    parser.add_argument("--hours", type=float, default=10_000.0, help="link-hours to play")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first run")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="at most so long")
    options = parser.parse_args()
    tally, violations, seed = Tally(), 0, options.seed
    began, told = time.monotonic(), time.monotonic()
    while tally.link_hours < options.hours and time.monotonic() - began < options.seconds:
        try:
            tally.add(play_seed(seed))
        except (LineViolationError, DeconflictError) as error:
            violations += 1
            print(f"seed {seed}: {error}", flush=True)
        seed += 1
        if time.monotonic() - told >= PROGRESS_S:
            told = time.monotonic()
            print(f"to seed {seed - 1}: {tally.link_hours:,.0f} link-hours", flush=True)
    spent_s = time.process_time()
    print(f"seeds           {options.seed} to {seed - 1}, {violations} violations")
    print("\n".join(tally.lines()))
    print(
        f"cost            {spent_s:,.0f} s of one processor, "
        f"{tally.link_hours / spent_s:,.0f} link-hours a processor-second"
    )
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
