"""A node with a long record: how long its start takes, and its memory; export and proof of it.

    python -m bench.bench_start [--messages 100000] [--record FOLDER]

The record is signed once by `bench.record` (some minutes) and kept under target/bench. It is
started with nothing kept beside it, then from what an audit of it has kept since.
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
from deconflict.node.folder import NodeFolder

__all__ = ["measure"]

STARTS = 3
ASKED_START_S = 10.0
ASKED_KEPT_S = 30.0  # of a million messages
ASKED_RSS_MB = 150.0
SETTLE_S = 5.0
AUDIT_S = 3_600.0


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
    times, memory, peak = starts(west, kept_too=False)
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
    rows += resumed(west, messages)
    rows += bundle(west, root / "record.deconflict", messages)
    return rows


def resumed(party: Party, messages: int) -> list[Row]:
    """Have the audit keep what a start came to, and start from that."""
    progress("waiting for the audit of the whole record")
    begun = time.monotonic()
    with running(party):
        _audited(party)
    audited = time.monotonic() - begun
    progress(f"starting from what was kept of {messages:,} messages")
    times, memory, peak = starts(party)
    kept = NodeFolder.open(party.folder).kept_path.stat().st_size
    return [
        Row("audit of that record, and a start before it", "", f"{audited:.0f} s"),
        Row(
            f"start from what was kept of it ({kept / 1e6:,.1f} MB), audit in the background",
            f"≤ {ASKED_KEPT_S:.0f} s",
            _times(times),
            sorted(times)[len(times) // 2] <= ASKED_KEPT_S,
        ),
        Row("memory then, and at most", "", f"{memory:.0f} MB, {peak:.0f} MB"),
    ]


def _audited(party: Party) -> None:
    ends = time.monotonic() + AUDIT_S
    while (audit := party.get("/node")["audit"])["phase"] not in ("DONE", "NOT_DONE"):
        if time.monotonic() > ends:
            raise RuntimeError(f"no audit within {AUDIT_S:.0f} s")
        time.sleep(0.5)
    if audit["phase"] == "NOT_DONE":
        raise RuntimeError(audit["problem"])


def starts(party: Party, *, kept_too: bool = True) -> tuple[list[float], float, float]:
    """Start a node some times; return the times, and its memory once it is idle, and at most.

    Args:
        party: whose node.
        kept_too: False takes away, before each start, what an audit kept of the record.
    """
    times = []
    kept_path = NodeFolder.open(party.folder).kept_path
    for _ in range(STARTS):
        if not kept_too:
            kept_path.unlink(missing_ok=True)
        with running(party):
            times.append(party.started_s)
    if not kept_too:
        kept_path.unlink(missing_ok=True)
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
