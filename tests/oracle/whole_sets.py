"""The kernel against all pairs of whole workloads: `make oracle`, the table of numbers.md.

    python -m tests.oracle.whole_sets [r1k u10k d10k r10k adversarial mixed ...]

Ten minutes for all of them; d100k, asked only by name, takes an hour. Exits 1 when anything
was missed or extra.
"""

import argparse
import sys
import time
from collections.abc import Callable
from itertools import product

from bench.bench_screen import TMM_PER_FOOT, screened
from bench.flown import whole_milliseconds
from bench.report import Row, print_rows, progress
from bench.workloads import WORKLOADS, flights
from tests.oracle import mixed_sets
from tests.oracle.adversarial import SETS, AdversarialSet, crowd, screened_at
from tests.oracle.agreement import contradictions
from tests.oracle.all_pairs import all_pairs, settled

USUAL = ("r1k", "u10k", "d10k", "r10k", "adversarial", "mixed")
CROWD = 10_000
SEEDS = 3


def workload_row(name: str) -> Row:
    """Return what the kernel and all pairs say of one workload."""
    workload = WORKLOADS[name]
    made = whole_milliseconds(flights(workload))
    vertical_tmm = workload.vertical_ft * TMM_PER_FOOT
    progress(f"{name}: the kernel")
    found = screened(made, workload)
    progress(f"{name}: all pairs")
    begun = time.process_time()
    losses = all_pairs(made, workload.lateral_m, vertical_tmm)
    spent = time.process_time() - begun
    near = losses.open_pairs()
    losses = settled(made, losses, workload.lateral_m, vertical_tmm)
    wrong = contradictions(found, losses)
    return Row(
        f"{name}: {len(made):,} flights, {losses.leg_pairs:,} leg pairs",
        "0 missed, 0 extra",
        f"{_counted(wrong)}; {len(losses.sure):,} losses, slack "
        f"{losses.slack_m:.2g} m, {len(near)} pairs within it settled, "
        f"{len(losses.open_pairs())} left; {spent:.0f} s of processors",
        not wrong,
    )


def adversarial_row() -> Row:
    """Return the same of the sets made to break it, with ten thousand in the crowd."""
    sets: dict[str, Callable[[], AdversarialSet]] = {**SETS, "a crowd": lambda: crowd(CROWD)}
    wrong, losses_in_all = [], 0
    for name, make in sets.items():
        progress(name)
        given = make()
        losses = all_pairs(given.made, given.lateral_m, given.vertical_tmm)
        losses = settled(given.made, losses, given.lateral_m, given.vertical_tmm)
        found = screened_at(given.made, given.lateral_m, given.vertical_tmm)
        wrong += contradictions(found, losses)
        losses_in_all += len(losses.sure)
    said = f"{_counted(wrong)}; {losses_in_all:,} losses"
    return Row(f"{len(sets)} sets made to break it", "0 missed, 0 extra", said, not wrong)


def mixed_row() -> Row:
    """Return what the twin says of flights and volumes together."""
    wrong, close = [], 0
    for place, seed in product(mixed_sets.PLACES, range(SEEDS)):
        progress(f"flights and volumes, {place}, {seed}")
        everyone = mixed_sets.mixed(place, seed, flights=20, volumes=20)
        lines, number = mixed_sets.contradictions(everyone, mixed_sets.screened_mixed(everyone))
        wrong += lines
        close += number
    count = f"{SEEDS * len(mixed_sets.PLACES)} sets of 20 flights and 20 volumes"
    said = f"{_counted(wrong)}; {close:,} pairs too close"
    return Row(count, "0 missed, 0 extra", said, not wrong)


def _counted(wrong: list[str]) -> str:
    for line in wrong[:20]:
        print(line, file=sys.stderr)
    missed = sum(line.startswith("missed") for line in wrong)
    return f"{missed} missed, {len(wrong) - missed} extra"


def row_of(name: str) -> Row:
    """Return the row of a workload, or of one of the two other kinds of sets."""
    others = {"adversarial": adversarial_row, "mixed": mixed_row}
    return others[name]() if name in others else workload_row(name)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument(
        "names", nargs="*", metavar="SET", help=", ".join((*WORKLOADS, *USUAL[4:]))
    )
    chosen = options.parse_args()
    if unknown := set(chosen.names) - {*WORKLOADS, *USUAL}:
        options.error(f"no such set: {', '.join(sorted(unknown))}")
    rows = [row_of(name) for name in chosen.names or USUAL]
    print_rows("The kernel and all pairs", rows)
    sys.exit(0 if all(row.held for row in rows) else 1)


if __name__ == "__main__":
    main()
