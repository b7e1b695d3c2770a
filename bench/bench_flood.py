"""How late one peer's FLASH comes while another peer, whose key is pinned too, floods the node.

    python -m bench.bench_flood [--seconds 60]

Three parties: west floods east with ten times its ration, over as many connections as a node keeps;
north says a SAFETY of flight to east each second. West has no node: what floods is a program with
west's keys, and it asks nothing.
"""

import argparse
import asyncio
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bench.bench_line import Side, settled
from bench.desk import Desk
from bench.nodes import Party, agree, make_parties, running
from bench.report import Row, percentile, print_rows, progress
from bench.traffic import Traffic
from deconflict.airspace.instant import format_utc
from deconflict.line.envelope import (
    GENESIS,
    Address,
    Envelope,
    SealedEnvelope,
    envelope_bytes,
    seal_envelope,
)
from deconflict.line.packets import decode_packets, encode_packets
from deconflict.line.precedence import Precedence
from deconflict.line.receipt import SealedReceipt, read_receipt
from deconflict.node.folder import NodeFolder
from deconflict.node.peer_client import PeerClient
from deconflict.node.ration import UNITS_PER_S
from deconflict.node.tls import client_context

__all__ = ["ASKED_S", "flashes", "measure", "row_of"]

TIMES_THE_RATION: Final = 10
IN_A_BODY: Final = 250
CONNECTIONS: Final = 4
MADE: Final = 40_000  # more than are looked at in the run
ASKED_S: Final = 1.0


def _chain(folder: NodeFolder, line_id: str) -> list[SealedEnvelope]:
    """Return what west floods with: a chain of queries, signed as it must be."""
    key = folder.unlock(None).signing_key
    made, prev = [], GENESIS
    for seq in range(1, MADE + 1):
        data = envelope_bytes(
            Envelope(
                v=1,
                line=line_id,
                sender=Address("west", "watch"),
                to=Address("east", "watch"),
                epoch="a5" * 16,
                seq=seq,
                prev=prev,
                heard=None,
                kind="QUERY",
                prec=Precedence.IMMEDIATE,
                ref=None,
                drill=False,
                release="NONE",
                created_utc=format_utc(time.time_ns() // 1_000_000),
                clock_err_ms=1_000,
                answer_within_ms=None,
                expires_after_ms=None,
                lang="en",
                body={"track": {"position": {"lat_e7": 354_000_000, "lon_e7": 359_000_000 + seq}}},
            )
        )
        sealed = seal_envelope(data, key)
        made.append(sealed)
        prev = sealed.hash
    return made


def _flood(path: Path, begun: Any, end: Any) -> None:
    """Post bodies at ten times the ration until told to end; a process of its own."""
    folder = NodeFolder.open(path)
    peer = folder.peers().get("east")
    chain, receipted = _chain(folder, peer.line_id), 0
    gap_s = IN_A_BODY / (UNITS_PER_S * TIMES_THE_RATION) * CONNECTIONS

    async def post(client: PeerClient) -> None:
        nonlocal receipted
        due = time.monotonic()
        while not end.is_set():
            body = encode_packets(chain[receipted : receipted + IN_A_BODY])
            try:
                answer = await client.post(f"/line/{peer.line_id}/packets", body, 10.0)
            except Exception:  # noqa: BLE001 (a flood does not care how it is answered)
                await asyncio.sleep(0.05)
                continue
            for packet in decode_packets(answer):
                if isinstance(packet, SealedReceipt):
                    receipted = max(receipted, read_receipt(packet.data).seq)
            due = max(due + gap_s, time.monotonic() - 1.0)
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def run() -> None:
        context = client_context(folder.unlock(None).chain, peer.invitation.tls_root_der)
        async with PeerClient(context, peer.url, peer.spki_sha256) as client:
            begun.set()
            await asyncio.gather(*(post(client) for _ in range(CONNECTIONS)))

    asyncio.run(run())


@contextmanager
def flooding(west: Path) -> Iterator[None]:
    """Have west flood east meanwhile."""
    begun, end = multiprocessing.Event(), multiprocessing.Event()
    process = multiprocessing.Process(target=_flood, args=(west, begun, end))
    process.start()
    begun.wait(60)
    try:
        yield
    finally:
        end.set()
        process.join(30)
        process.kill()


async def flashes(north: Party, east: Party, line_id: str, seconds: int) -> tuple[Side, Side]:
    """Say a SAFETY a second; return both sides with when each was receipted and shown."""
    traffic = (post for post in Traffic(line_id, time.time_ns() // 1_000_000, 1).posts())
    safety = (post for post in traffic if post.kind == "SAFETY")
    async with Desk(north, 4) as saying, Desk(east, 4) as hearing:
        sides = [
            Side(north, saying, safety, line_id, answers_all=False),
            Side(east, hearing, iter(()), line_id, answers_all=False),
        ]
        sides[0].peer, sides[1].peer = sides[1], sides[0]
        for side in sides:
            await side.desk.follow(side.take)
        for number in range(seconds):
            progress(f"flood: {number} of {seconds} s")
            await sides[0].post(next(sides[0].traffic))
            await asyncio.sleep(1.0)
        await settled(sides)
        return sides[0], sides[1]


def row_of(what: str, sides: tuple[Side, Side], beside: str = "") -> Row:
    """Return how long each FLASH took to its receipt, and to the other side's screen."""
    north, east = sides
    missing = float("inf")
    receipts = [north.receipted_s.get(k, missing) - north.begun_s[k] for k in north.posts]
    shown = [east.alerted_s.get(k, missing) - north.begun_s[k] for k in north.posts]
    said = ", ".join(
        f"{name}: median {percentile(times, 0.5) * 1e3:.0f} ms, most {max(times) * 1e3:.0f} ms"
        for name, times in (("receipt", receipts), ("on the screen", shown))
    )
    return Row(
        what,
        f"each within {ASKED_S:g} s",
        said + beside,
        max(shown) <= ASKED_S,
    )


def measure(root: Path, seconds: int) -> list[Row]:
    """Return a row for a quiet west and one for a west that floods."""
    west, east, north = make_parties(root, ("west", "east", "north"), ((0, 1), (1, 2)))
    rows = []
    with running(east, north):
        line_id = agree(north, east)
        quiet = asyncio.run(flashes(north, east, line_id, max(10, seconds // 4)))
        rows.append(row_of("FLASH of one peer, nobody else speaks", quiet))
        with flooding(west.folder):
            begun = time.monotonic()
            flooded = asyncio.run(flashes(north, east, line_id, seconds))
            spent = time.monotonic() - begun
        what = f"the same, another floods with {TIMES_THE_RATION} times its ration for {seconds} s"
        heard = int(east.line_with(west)["peer_seq"] or 0)
        beside = f"; {heard / spent:.0f} of west's messages logged a second"
        rows.append(row_of(what, flooded, beside))
    return rows


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--seconds", type=int, default=60)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        print_rows("One peer while another floods", measure(Path(temporary), chosen.seconds))


if __name__ == "__main__":
    main()
