"""All benchmarks, one after the other: `python -m bench`, the tables of docs/reference/numbers.md.

Takes about sixteen minutes on two processors, the first time some more to sign the long record;
`--quick` takes five, for a look at the direction. The peers are measured where `make peers` put
them.
"""

import argparse
import os
import platform
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bench import (
    bench_advise,
    bench_burst,
    bench_files,
    bench_flood,
    bench_index,
    bench_life,
    bench_line,
    bench_node,
    bench_peers,
    bench_picture,
    bench_private,
    bench_scaling,
    bench_screen,
    bench_sealed,
    bench_sites,
    bench_stages,
    bench_start,
    bench_turns,
    bench_windows,
)
from bench.report import print_rows


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--quick", action="store_true", help="short runs, a tenth of the record")
    options.add_argument("--folder", type=Path, help="on the disk that nodes will use")
    chosen = options.parse_args()
    quick = chosen.quick
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as temporary:
        root = Path(temporary)
        for name in ("line", "stages", "burst", "node", "turns", "start", "life", "flood", "files"):
            (root / name).mkdir()
        print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine()}")
        rows = bench_line.measure(root / "line", seconds=15 if quick else 60, rate=200)
        print_rows("Messages between two nodes", rows)
        rows = bench_stages.measure(root / "stages", 200, 10 if quick else 30)
        print_rows("From the post to the other desk's screen", rows)
        rows = bench_burst.measure(root / "burst", 1_000)
        print_rows("Many messages at once", rows)
        rows = bench_node.measure(root / "node", 1_000, 2 if quick else 5)
        print_rows("One node at its peak", rows)
        rows = bench_turns.measure(root / "turns", 200, 10 if quick else 20)
        print_rows("What a message costs", rows)
        rows = bench_start.measure(root / "start", messages=10_000 if quick else 100_000)
        print_rows("Start, memory, export", rows)
        rows = bench_life.measure(root / "life", kills=4 if quick else 20)
        print_rows("Ends, ups and downs", rows)
        rows = bench_flood.measure(root / "flood", 20 if quick else 60)
        print_rows("One peer while another floods", rows)
        rows = bench_screen.measure(bench_screen.QUICK if quick else ("d10k", "u10k", "d100k"))
        print_rows("Whole sets of flights", rows)
        sets = bench_files.QUICK if quick else ("d10k", "d100k")
        rows = bench_files.measure(sets, root / "files")
        print_rows("Files in and out", rows)
        rows = bench_index.measure("d10k" if quick else "d100k", 5_000)
        print_rows("One against all that are active", rows)
        rows = bench_picture.measure("d10k" if quick else "d100k", 200)
        print_rows("A change in the node's picture", rows)
        rows = bench_peers.measure(("r1k",) if quick else ("r1k", "d10k", "d100k"))
        print_rows("Beside its peers, in one run", rows)
        rows = bench_scaling.measure(most=25_000 if quick else 100_000)
        print_rows("Growing at the same density", rows)
        rows = bench_windows.measure(500 if quick else 2_000)
        print_rows("Long plans with long windows", rows)
        rows = bench_advise.measure(("r1k",) if quick else bench_advise.SETS)
        print_rows("Advice", rows)
        rows = bench_sealed.measure(10_000 if quick else 100_000, 32)
        print_rows("A private check, one direction", rows)
        print_rows("A private check of two plans", bench_private.measure(unpadded=quick))
        rows = bench_sites.measure(listed=8_200 if quick else 82_000)
        print_rows("An activity against protected sites", rows)
    print(f"\n{time.monotonic() - begun:.0f} s in all")


def machine() -> str:
    """Return what it was measured on."""
    names = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((n.partition(": ")[2] for n in names if n.startswith("model name")), "?")
    system = f"{platform.system()}, Python {platform.python_version()}"
    return f"{model}, {os.cpu_count()} processors, {system}"


if __name__ == "__main__":
    main()
