"""A long bundle without the node folder it would be exported from: in a third of the time.

    python -m bench.long_bundle FILE [--messages 1000000] [--seed FOLDER]

What `bench.long_record` says over and over goes straight into the file: every message signed, a
receipt and a checkpoint for every hundred, and the seal. The invitations of both parties lie beside
it, in FILE.keys.
"""

import argparse
import hashlib
import shutil
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from bench.long_record import ONCE, SEED_MESSAGES, Again, Chain, in_order
from bench.record import kept
from bench.report import progress
from deconflict.line.keys import ALGORITHM
from deconflict.line.moment import utc_text
from deconflict.node.bundle import cosigned_note
from deconflict.node.bundle_lines import (
    BUNDLE_FORMAT,
    CONTEXT_BUNDLE,
    CheckpointItem,
    Manifest,
    ReceiptItem,
    Seal,
    TermsItem,
    base64_text,
    encoded,
)
from deconflict.node.folder import NodeFolder
from deconflict.store.base import Batch, EntryRow, LineRow
from deconflict.store.sqlite import SqliteStore

__all__ = ["build_bundle"]

COPIED_BYTES = 1 << 20


def build_bundle(file: Path, messages: int, *, seed: Path | None = None) -> Path:
    """Write a bundle of at least so many messages; return the folder with both invitations."""
    seed = seed or kept(SEED_MESSAGES)
    keys = file.with_name(file.name + ".keys")
    for name in ("west", "east"):
        (keys / name).mkdir(parents=True, exist_ok=True)
        shutil.copy(seed / name / "invitation.json", keys / name)
    with tempfile.TemporaryDirectory(dir=file.parent) as temporary:
        root = Path(temporary)
        ignored = shutil.ignore_patterns("record.sqlite-*")
        own, peer = (
            NodeFolder.open(Path(shutil.copytree(seed / name, root / name, ignore=ignored)))
            for name in ("west", "east")
        )
        with SqliteStore.open(own.record_path) as said:
            _write(said, own, peer, file, root, messages)
    return keys


def _write(
    said: SqliteStore, own: NodeFolder, peer: NodeFolder, file: Path, root: Path, messages: int
) -> None:
    (line,) = said.lines()
    signer = own.unlock(None).signing_key
    secrets = {line.own_party: signer, line.peer_party: peer.unlock(None).signing_key}
    heads = {head.party: head for head in said.heads(line.line_id)}
    again = Again(
        line.line_id,
        *(
            Chain(party, heads[party].epoch, secrets[party])
            for party in (line.own_party, line.peer_party)
        ),
    )
    parties = sorted(secrets)
    kinds = [*(f"{party}.entries" for party in parties), "receipts"]
    kinds += [f"{party}.checkpoints" for party in parties]
    parts = {kind: (root / kind).open("w+b") for kind in kinds}
    for batch in _said_over(said, line, again, messages):
        for entry in batch.entries:
            parts[f"{entry.party}.entries"].write(_entry_line(entry))
        for receipt in batch.receipts:
            signature = base64_text(receipt.signature)
            item = ReceiptItem(
                base64_text(receipt.data),
                receipt.algorithm,
                receipt.key_id,
                signature,
                stored_utc=utc_text(receipt.stored_utc_ms),
            )
            parts["receipts"].write(encoded(item))
        for fixed in batch.checkpoints:
            note = cosigned_note(fixed, line, signer).to_bytes()
            stored_utc = utc_text(fixed.stored_utc_ms)
            item_line = encoded(CheckpointItem(base64_text(note), stored_utc=stored_utc))
            parts[f"{fixed.party}.checkpoints"].write(item_line)
    manifest = Manifest(
        format=BUNDLE_FORMAT,
        line=line.line_id,
        keys={party: secret.verify_key.to_base64() for party, secret in secrets.items()},
        by=line.own_party,
        exported_utc=utc_text(time.time_ns() // 1_000_000),
    )
    digest = hashlib.sha256()
    with file.open("wb") as written:
        terms = (
            encoded(
                TermsItem(
                    base64_text(one.data),
                    one.algorithm,
                    one.key_id,
                    base64_text(one.signature),
                    party=one.party,
                    stored_utc=utc_text(one.stored_utc_ms),
                )
            )
            for one in said.terms(line.line_id)
        )
        for text in chain((encoded(manifest),), terms, _whole(parts.values())):
            digest.update(text)
            written.write(text)
        signature = base64_text(signer.sign(CONTEXT_BUNDLE, digest.digest()))
        written.write(encoded(Seal(digest.hexdigest(), ALGORITHM, signer.key_id, signature)))


def _said_over(said: SqliteStore, line: LineRow, again: Again, messages: int) -> Iterator[Batch]:
    rows = [(row, envelope.kind in ONCE) for row, envelope in in_order(said, line)]
    times = [row.logged_utc_ms for row, _ in rows]
    length_ms = max(times) - min(times) + 60_000
    rounds = -(-messages // len(rows))
    now_ms = time.time_ns() // 1_000_000
    done = 0
    for again.round in range(rounds):
        again.shift_ms = now_ms - max(times) - (rounds - 1 - again.round) * length_ms
        for row, once in rows:
            if again.round and once:
                continue
            yield again.entry(row)
            done += 1
            if done % 10_000 == 0:
                progress(f"saying a record over: {done:,} of {messages:,} messages")


def _entry_line(row: EntryRow) -> bytes:
    # As `encoded` writes it, in a tenth of the time.
    return (
        b'{"algorithm":"%b","data":"%b","delayed":%b,"key_id":"%b","logged_utc":"%b","party":"%b",'
        b'"signature":"%b","type":"entry"}\n'
    ) % (
        row.algorithm.encode(),
        b64encode(row.data),
        b"true" if row.delayed else b"false",
        row.key_id.encode(),
        utc_text(row.logged_utc_ms).encode(),
        row.party.encode(),
        b64encode(row.signature or b""),
    )


def _whole(parts: Iterable[BinaryIO]) -> Iterator[bytes]:
    for part in parts:
        with part:
            part.seek(0)
            while text := part.read(COPIED_BYTES):
                yield text


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("file", type=Path)
    options.add_argument("--messages", type=int, default=1_000_000)
    options.add_argument("--seed", type=Path, help="a folder made by python -m bench.record")
    chosen = options.parse_args()
    begun = time.monotonic()
    keys = build_bundle(chosen.file, chosen.messages, seed=chosen.seed)
    print(f"{chosen.file} in {time.monotonic() - begun:.0f} s; the keys: {keys}")


if __name__ == "__main__":
    main()
