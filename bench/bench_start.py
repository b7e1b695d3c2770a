"""A node with a long record: how long its start takes, and its memory; export and proof of it.

    python -m bench.bench_start [--messages 100000] [--record FOLDER]

The record is signed once by `bench.record` (some minutes) and kept under target/bench.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from bench.long_record import SEED_MESSAGES, kept_long
from bench.nodes import Party, make_pair, party_of, running
from bench.record import kept
from bench.report import Row, print_rows, progress

__all__ = ["measure"]

STARTS = 3
ASKED_START_S = 10.0
ASKED_RSS_MB = 150.0
SETTLE_S = 5.0


def measure(root: Path, *, messages: int, record: Path | None = None) -> list[Row]:
    """Return the rows of this benchmark."""
    rows = []
    progress("starting a node with an empty record")
    (root / "empty").mkdir()
    west, _ = make_pair(root / "empty")
    times, memory, _ = starts(west)
    rows.append(Row("start with an empty record", "", _times(times)))
    rows.append(_memory("memory of an idle node, empty record", memory))

    record = record or (kept(messages) if messages <= SEED_MESSAGES else kept_long(messages))
    west = party_of(record / "west")
    progress(f"starting a node with {messages:,} messages")
    times, memory, peak = starts(west)
    size = (west.folder / "record.sqlite").stat().st_size
    rows.append(
        Row(
            f"start with {messages:,} messages, everything verified ({size / 1e6:,.0f} MB)",
            f"≤ {ASKED_START_S:.0f} s",
            _times(times),
            sorted(times)[len(times) // 2] <= ASKED_START_S,
        )
    )
    rows.append(_memory(f"memory of an idle node, {messages:,} messages", memory))
    rows.append(Row("its peak, while it starts", "", f"{peak:.0f} MB"))
    rows += bundle(west, root / "record.deconflict", messages)
    return rows


def starts(party: Party) -> tuple[list[float], float, float]:
    """Start a node some times; return the times, and its memory once it is idle, and at most."""
    times = []
    for _ in range(STARTS):
        with running(party):
            times.append(party.started_s)
    with running(party):
        time.sleep(SETTLE_S)
        return times, party.rss_mb, party.peak_rss_mb


def bundle(party: Party, file: Path, messages: int) -> list[Row]:
    """Export the record through the API, and prove it with a program that has nothing but keys."""
    with running(party):
        progress("exporting the record")
        begun = time.monotonic()
        url = f"{party.url}/lines/{party.line['line_id']}/bundle"
        headers = {"Authorization": f"Bearer {party.token}"}
        with (
            httpx.Client(timeout=120, trust_env=False, headers=headers) as http,
            http.stream("GET", url) as answer,
            file.open("wb") as written,
        ):
            answer.raise_for_status()
            for part in answer.iter_bytes():
                written.write(part)
        exported = time.monotonic() - begun
    progress("verifying the bundle")
    keys = [
        word
        for side in ("west", "east")
        for word in ("--key", f"{side}={party.folder.parent / side / 'invitation.json'}")
    ]
    begun = time.monotonic()
    verified = subprocess.run(
        [sys.executable, "-m", "deconflict", "verify", str(file), *keys],
        capture_output=True,
        text=True,
        check=False,
    )
    proven = time.monotonic() - begun
    if verified.returncode:
        raise RuntimeError(verified.stdout + verified.stderr)
    size = file.stat().st_size / 1e6
    return [
        Row(
            "export of that record",
            "",
            f"{exported:.1f} s ({messages / exported:,.0f} messages/s, {size:,.0f} MB)",
        ),
        Row("`deconflict verify` of it", "", f"{proven:.1f} s ({messages / proven:,.0f}/s)"),
    ]


def _times(times: list[float]) -> str:
    ranked = sorted(times)
    return f"median {ranked[len(ranked) // 2]:.2f} s, worst {ranked[-1]:.2f} s (n = {len(times)})"


def _memory(what: str, rss_mb: float) -> Row:
    return Row(what, f"≤ {ASKED_RSS_MB:.0f} MB", f"{rss_mb:.0f} MB", rss_mb <= ASKED_RSS_MB)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--messages", type=int, default=100_000)
    options.add_argument("--record", type=Path, help="a folder made by python -m bench.record")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        rows = measure(Path(temporary), messages=chosen.messages, record=chosen.record)
    print_rows("Start and memory", rows)


if __name__ == "__main__":
    main()
