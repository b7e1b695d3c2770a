"""Plays lines under faults for as long as wanted; see ``run.py``."""

import argparse
import sys
import time

from tests.simulation.run import play
from tests.simulation.setting import LineViolationError

from deconflict.errors import DeconflictError


def main() -> int:
    """Play runs of ten minutes until so many line-hours are done; 1 when any was violated."""
    parser = argparse.ArgumentParser(description="Simulate lines under faults.")
    parser.add_argument("--hours", type=float, default=1.0, help="line-hours to play")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first run")
    options = parser.parse_args()
    started, seed, violations = time.monotonic(), options.seed, 0
    runs = max(1, round(options.hours * 6))
    for seed in range(options.seed, options.seed + runs):
        try:
            play(seed, minutes=10.0)
        except (LineViolationError, DeconflictError) as error:
            violations += 1
            print(f"seed {seed}: {error}", flush=True)
        if sys.stdout.isatty():
            print(f"\r{seed - options.seed + 1} of {runs} runs", end="", flush=True)
    spent = time.monotonic() - started
    print(f"{runs / 6:.1f} line-hours, {runs} runs, {violations} violations, {spent:.0f} s")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
