"""The kernel against all pairs of whole workloads: `make oracle`, the table of numbers.md.

    python -m tests.oracle.whole_sets [r1k u10k d10k r10k ...]

d100k takes half an hour. Exits 1 when anything was missed or extra.
"""

import argparse
import sys
import time

from bench.bench_screen import TMM_PER_FOOT, screened
from bench.flown import whole_milliseconds
from bench.report import Row, print_rows, progress
from bench.workloads import WORKLOADS, flights
from tests.oracle.agreement import contradictions
from tests.oracle.all_pairs import all_pairs, settled

USUAL = ("r1k", "u10k", "d10k", "r10k")


def compared(name: str) -> Row:
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
    for line in wrong[:20]:
        print(line, file=sys.stderr)
    missed = sum(line.startswith("missed") for line in wrong)
    return Row(
        f"{name}: {len(made):,} flights, {losses.leg_pairs:,} leg pairs",
        "0 missed, 0 extra",
        f"{missed} missed, {len(wrong) - missed} extra; {len(losses.sure):,} losses, slack "
        f"{losses.slack_m:.2g} m, {len(near)} pairs within it settled, "
        f"{len(losses.open_pairs())} left; {spent:.0f} s of processors",
        not wrong,
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("names", nargs="*", metavar="SET", help=", ".join(WORKLOADS))
    chosen = options.parse_args()
    if unknown := set(chosen.names) - set(WORKLOADS):
        options.error(f"no such set: {', '.join(sorted(unknown))}")
    rows = [compared(name) for name in chosen.names or USUAL]
    print_rows("The kernel and all pairs", rows)
    sys.exit(0 if all(row.held for row in rows) else 1)


if __name__ == "__main__":
    main()
