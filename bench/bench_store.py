"""What the record costs: durable commits a second, alone and in groups, and the start's proof.

    python bench/bench_store.py [--folder DIR] [--entries N]

``DIR`` should lie on the disk the node will use: a memory disk flatters every number here.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from deconflict.line.keys import CONTEXT_ENVELOPE
from deconflict.store.base import Batch, EntryRow, ReceiptRow
from deconflict.store.sqlite import SqliteStore
from deconflict.store.verify import verify_store
from deconflict.store.writer import GroupCommitWriter
from record_samples import KEYS, KEYS_BY_PARTY, LINE_ROW, Chain, receipt_for

TEXT = "hold north of the river until the aid flight has left " * 8  # an envelope near 1 kB


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--folder", type=Path, default=Path.cwd())
    options.add_argument("--entries", type=int, default=100_000)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        commits_alone(Path(folder) / "alone.sqlite")
        for waiting in (1, 8, 32, 128):
            commits_grouped(Path(folder) / f"group-{waiting}.sqlite", waiting)
        signatures_by_threads()
        start(Path(folder) / "start.sqlite", chosen.entries)


def new_record(path: Path) -> SqliteStore:
    store = SqliteStore.open(path, create=True)
    store.commit(Batch(lines=[LINE_ROW]))
    return store


def commits_alone(path: Path, count: int = 1_000) -> None:
    chain = Chain("blue")
    entries = [chain.say(TEXT) for _ in range(count)]
    times = []
    with new_record(path) as store:
        for entry in entries:
            begun = time.perf_counter()
            store.commit(Batch(entries=[entry]))
            times.append(time.perf_counter() - begun)
    times.sort()
    print(
        f"single commits          {count / sum(times):9,.0f}/s"
        f"   median {times[count // 2] * 1e3:.2f} ms,"
        f" p99 {times[count * 99 // 100] * 1e3:.2f} ms, worst {times[-1] * 1e3:.1f} ms"
    )


def commits_grouped(path: Path, waiting: int, count: int = 5_000) -> None:
    """Messages a second while ``waiting`` of them are always under way."""
    chain = Chain("blue")
    entries = [chain.say(TEXT) for _ in range(count)]
    with new_record(path) as store, GroupCommitWriter(store) as writer:
        begun = time.perf_counter()
        under_way = []
        for entry in entries:
            under_way.append(writer.submit(Batch(entries=[entry])))
            if len(under_way) >= waiting:
                under_way.pop(0).result()
        for future in under_way:
            future.result()
        spent = time.perf_counter() - begun
    print(f"{waiting:4} messages under way  {count / spent:9,.0f}/s")


def signatures_by_threads(count: int = 4_000) -> None:
    chain = Chain("blue")
    entries = [chain.say(TEXT) for _ in range(count)]
    key = KEYS["blue"]

    def verify(part: list[EntryRow]) -> None:
        for entry in part:
            key.verify(CONTEXT_ENVELOPE, entry.data, entry.signature or b"")

    for threads in (1, 2):
        with ThreadPoolExecutor(threads) as pool:
            begun = time.perf_counter()
            list(pool.map(verify, [entries[n::8] for n in range(8)]))
            spent = time.perf_counter() - begun
        print(f"signatures, {threads} thread(s)  {count / spent:9,.0f}/s")


def start(path: Path, count: int) -> None:
    """Open and prove a record of ``count`` entries by both parties, a receipt for every tenth."""
    with new_record(path) as store:
        chains = [Chain("blue"), Chain("red", "d" * 32)]
        for part in batches(chains, count):
            store.commit(part)
    size = path.stat().st_size
    begun = time.perf_counter()
    with SqliteStore.open(path) as store:
        opened = time.perf_counter()
        store.check_storage()
        checked = time.perf_counter()
        record = verify_store(store, KEYS_BY_PARTY)
        proven = time.perf_counter()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"record of {record.entries:,} entries, {record.receipts:,} receipts, {size / 1e6:,.0f} MB"
    )
    print(f"  open                  {opened - begun:9.3f} s")
    print(f"  prove everything      {proven - checked:9.3f} s   on {os.cpu_count()} processors")
    print(f"    of it the container {checked - opened:9.3f} s")
    print(f"  largest memory        {peak_mb:9.0f} MB")


def batches(chains: list[Chain], count: int) -> Iterator[Batch]:
    for _ in range(count // 1_000):
        entries = [chain.say(TEXT) for chain in chains for _ in range(500)]
        receipts: list[ReceiptRow] = [receipt_for(entry) for entry in entries[9::10]]
        yield Batch(entries=entries, receipts=receipts)


if __name__ == "__main__":
    main()
