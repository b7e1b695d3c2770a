"""How long `deconflict verify` takes over a long record, in the whole command and by processor.

    python -m bench.bench_verify [--messages 1000000] [--record FOLDER | --bundle FILE]

The record is made once by `bench.long_record` (some minutes) and kept under target/bench; a file
made by `bench.long_bundle` serves as well, in a third of the time.
"""

import argparse
import json
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


def measure(
    root: Path, *, messages: int, record: Path | None = None, bundle: Path | None = None
) -> list[Row]:
    """Return the rows of this benchmark."""
    if bundle is None:
        party = party_of((record or kept_long(messages)) / "west")
        bundle, keys = root / "record.deconflict", party.folder.parent
        progress("exporting the record")
        export(party, bundle)
    else:
        keys = bundle.with_name(bundle.name + ".keys")
    progress("verifying")
    count, wall_s, processor_s, rss_mb = verified(keys, bundle)
    asked_s = ASKED_S * count / ASKED_MESSAGES
    size = bundle.stat().st_size / 1e6
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


def export(party: Party, file: Path) -> None:
    """Write the record of a node that does not run."""
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


def verified(invitations: Path, file: Path) -> tuple[int, float, float, float]:
    """Prove it with a program that has nothing but keys.

    Returns:
        Messages proven, wall and processor time in seconds, memory at most in MB.
    """
    keys = [
        word
        for side in ("west", "east")
        for word in ("--key", f"{side}={invitations / side / 'invitation.json'}")
    ]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "deconflict", "verify", "--json", str(file), *keys],
        capture_output=True,
        text=True,
        check=False,
    )
    wall_s = time.monotonic() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    processor_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    count = sum(chain["length"] for chain in json.loads(done.stdout)["chains"])
    return count, wall_s, processor_s, after.ru_maxrss / 1_024


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--messages", type=int, default=ASKED_MESSAGES)
    options.add_argument("--record", type=Path, help="a folder made by python -m bench.long_record")
    options.add_argument("--bundle", type=Path, help="a file made by python -m bench.long_bundle")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        rows = measure(
            Path(temporary),
            messages=chosen.messages,
            record=chosen.record,
            bundle=chosen.bundle,
        )
    print_rows("Proof of a long record", rows)


if __name__ == "__main__":
    main()
