"""How long `deconflict verify` takes over a long record, in the whole command and by processor.

    python -m bench.bench_verify [--messages 1000000] [--record FOLDER]

The record is made once by `bench.long_record` (some minutes) and kept under target/bench.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.long_record import kept_long
from bench.nodes import Party, party_of
from bench.report import Row, print_rows, progress
from deconflict.node.bundle import export_bundle
from deconflict.node.folder import NodeFolder
from deconflict.store.sqlite import SqliteStore

__all__ = ["measure"]

ASKED_S = 40.0
ASKED_MESSAGES = 1_000_000


def measure(root: Path, *, messages: int, record: Path | None = None) -> list[Row]:
    """Return the rows of this benchmark."""
    party = party_of((record or kept_long(messages)) / "west")
    file = root / "record.deconflict"
    progress("exporting the record")
    count = export(party, file)
    progress(f"verifying {count:,} messages")
    wall_s, processor_s, rss_mb = verified(party, file)
    asked_s = ASKED_S * count / ASKED_MESSAGES
    size = file.stat().st_size / 1e6
    return [
        Row(
            f"`deconflict verify` of {count:,} messages ({size:,.0f} MB)",
            f"≤ {asked_s:.0f} s on 2 cores",
            f"{wall_s:.1f} s ({count / wall_s:,.0f} messages/s)",
            wall_s <= asked_s,
        ),
        Row("its processor time, all threads", "", f"{processor_s:.1f} s"),
        Row("its memory at most", "", f"{rss_mb:.0f} MB"),
    ]


def export(party: Party, file: Path) -> int:
    """Write the record of a node that does not run; return how many messages it has."""
    folder = NodeFolder.open(party.folder)
    (peer,) = folder.peers().list()
    with SqliteStore.open(folder.record_path) as store, file.open("wb") as written:
        for line in export_bundle(
            store,
            peer.line_id,
            signer=folder.unlock(None).signing_key,
            peer_key=peer.verify_key,
            exported_utc_ms=time.time_ns() // 1_000_000,
        ):
            written.write(line)
        return sum(head.length for head in store.heads(peer.line_id))


def verified(party: Party, file: Path) -> tuple[float, float, float]:
    """Prove it with a program that has nothing but keys; return wall, processor and memory."""
    keys = [
        word
        for side in ("west", "east")
        for word in ("--key", f"{side}={party.folder.parent / side / 'invitation.json'}")
    ]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "deconflict", "verify", str(file), *keys],
        capture_output=True,
        text=True,
        check=False,
    )
    wall_s = time.monotonic() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    processor_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall_s, processor_s, after.ru_maxrss / 1_024


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--messages", type=int, default=ASKED_MESSAGES)
    options.add_argument("--record", type=Path, help="a folder made by python -m bench.long_record")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        rows = measure(Path(temporary), messages=chosen.messages, record=chosen.record)
    print_rows("Proof of a long record", rows)


if __name__ == "__main__":
    main()
