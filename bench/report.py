"""What a benchmark says: rows of 'asked, measured', with the load of the machine beside each."""

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Row", "pace_s", "percentile", "print_rows", "progress"]


@dataclass(frozen=True, slots=True)
class Row:
    """One number.

    Attributes:
        what: is measured.
        asked: what was promised; empty where nothing was.
        measured: what came out, with its unit.
        held: whether the promise holds; None where there is none.
        load: of the machine when it was measured, a minute's average.
    """

    what: str
    asked: str
    measured: str
    held: bool | None = None
    load: float = field(default_factory=lambda: os.getloadavg()[0])


def pace_s() -> float:
    """Return the processor time of five million additions: how fast this machine is just now."""
    begun = time.process_time()
    total = 0
    for number in range(5_000_000):
        total += number
    return time.process_time() - begun


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which this share lies (nearest rank); values in any order."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def print_rows(title: str, rows: Sequence[Row]) -> None:
    """Print a table as it stands in docs/reference/numbers.md."""
    clear_progress()
    print(f"\n### {title}\n")
    print(f"(five million additions in {pace_s():.2f} s of processor time)\n")
    print("| | asked | measured | load |")
    print("|---|---|---|---|")
    for row in rows:
        sign = {True: " ✓", False: " ✗", None: ""}[row.held]
        print(f"| {row.what} | {row.asked} | {row.measured}{sign} | {row.load:.1f} |")
    sys.stdout.flush()


_begun = time.monotonic()


def progress(text: str) -> None:
    """Say on a terminal what is going on, in a line that the next one replaces."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K[{time.monotonic() - _begun:5.0f} s] {text}")
        sys.stderr.flush()


def clear_progress() -> None:
    """Take the line of progress away."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()
