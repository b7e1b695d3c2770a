"""What one node takes at its peak: the other one is played, so that nothing else costs time.

    python -m bench.bench_node [--messages 1000] [--rounds 5]

The node is `deconflict serve` with its door, its API and its disk, on a processor of its own; this
program has the others. As listener it is told flights that were said and signed beforehand, a body
of 128 as soon as the one before is receipted, as a peer does after a cut line. As author it is
asked to declare as many flights in one request, and its peer is a door that answers each body with
a signed receipt, and keeps nothing. What a node does for its peer's beats and checkpoints goes on
meanwhile.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final, NoReturn

from bench.bench_burst import ASKED_PER_S, drafts
from bench.nodes import Party, make_pair, party_of
from bench.record import Side, agree_sides, declared
from bench.report import Row, percentile, print_rows, progress
from deconflict.errors import VerificationError
from deconflict.line.envelope import SealedEnvelope, read_envelope
from deconflict.line.moment import Now, utc_text
from deconflict.line.outgoing import MAX_BATCH_ENTRIES
from deconflict.line.packets import decode_packets, encode_packets
from deconflict.line.receipt import Receipt, SealedReceipt, read_receipt, seal_receipt
from deconflict.messages.declaration import new_declaration_id
from deconflict.messages.kinds import Kind
from deconflict.node.core import Say
from deconflict.node.folder import NodeFolder
from deconflict.node.opening import started
from deconflict.node.peer_client import PeerClient
from deconflict.node.peer_server import build_peer_server
from deconflict.node.rows import sealed_again
from deconflict.node.tls import client_context, server_context

__all__ = ["measure"]

REST_S: Final = 3.0  # what a peer may say at once fills up again
LOOK_EVERY_S: Final = 0.01
BEAT_S: Final = 1.0
_TIMEOUT_S: Final = 30.0


class Player:
    """A party whose node is played: its door, its beats, and what it said beforehand.

    Args:
        folder: of the node.
        side: its core and record.
        acknowledges: whether each body is receipted unread.
    """

    def __init__(self, folder: NodeFolder, side: Side, *, acknowledges: bool) -> None:
        (self._peer,) = folder.peers().list()
        self._side = side
        self._line = side.line_id
        self._chain = folder.unlock(None).chain
        self._listen = folder.settings.peer_listen
        self._acknowledges = acknowledges
        self.client = PeerClient(
            client_context(self._chain, self._peer.invitation.tls_root_der),
            self._peer.url,
            self._peer.spki_sha256,
        )

    @asynccontextmanager
    async def playing(self) -> AsyncIterator["Player"]:
        """Stand at the door and beat."""
        door = build_peer_server(
            self,
            context=server_context(self._chain, [self._peer.invitation.tls_root_der]),
            party_of={self._peer.spki_sha256: self._peer.party}.get,
            host=self._listen.host,
            port=self._listen.port,
        )
        serving = await started(door)
        beating = asyncio.create_task(self._beat())
        try:
            yield self
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
            door.should_exit = True
            await serving
            await self.client.close()

    async def packets(self, peer_party: str, line_id: str, body: bytes) -> bytes:
        """Receipt what was said, or hear it as a node does."""
        packets = decode_packets(body)
        said = [packet for packet in packets if isinstance(packet, SealedEnvelope)]
        if said and self._acknowledges:
            return encode_packets([self._receipt(said[-1])])
        heard = self._side.core.hear(peer_party, line_id, packets, _now())
        self._side.commit(heard.work, _now())
        return encode_packets(heard.answer())

    def expect_part(self, peer_party: str, line_id: str, size: int) -> NoReturn:
        """Refuse it: nobody checks anything in private here."""
        given = f"{size} bytes of {peer_party} on {line_id}"
        raise VerificationError("no part is expected", given=given)

    async def part(self, peer_party: str, line_id: str, body: bytes) -> bytes:
        """Never called: none was expected."""
        self.expect_part(peer_party, line_id, len(body))

    async def beat(self, peer_party: str, line_id: str, body: bytes, path: int = 1) -> bytes:
        """Answer a beat."""
        return self._side.core.heard_beat(peer_party, line_id, body, _now(), path)

    def sealed(self, messages: int, seed: int) -> list[SealedEnvelope]:
        """Say so many flights, and return them signed; nothing is sent."""
        says = [
            Say(kind=Kind.NOTIFY, body=declared({**_named(), **draft}), desk="watch")
            for draft in drafts(messages, seed)
        ]
        head = self._side.line.machine.own_head
        self._side.say(says, _now())
        rows = self._side.store.entries(
            self._line, self._side.party, after_seq=0 if head is None else head.seq
        )
        return [sealed_again(row, self._side.core.keys) for row in rows]

    async def tell(self, sealed: Sequence[SealedEnvelope]) -> None:
        """Tell the node what was said, a body after the other, until it has receipted all."""
        first = read_envelope(sealed[0].data).seq
        done = 0
        while done < len(sealed):
            body = encode_packets(sealed[done : done + MAX_BATCH_ENTRIES])
            answer = await self.client.post(f"/line/{self._line}/packets", body, _TIMEOUT_S)
            for packet in decode_packets(answer):
                if isinstance(packet, SealedReceipt):
                    done = max(done, read_receipt(packet.data).seq - first + 1)

    def _receipt(self, last: SealedEnvelope) -> SealedReceipt:
        envelope = read_envelope(last.data)
        receipt = Receipt(
            v=1,
            line=self._line,
            sender=self._side.party,
            to=self._peer.party,
            epoch=envelope.epoch,
            seq=envelope.seq,
            hash=last.hash,
            received_utc=utc_text(_now().utc_ms),
        )
        return seal_receipt(receipt, self._side.key)

    async def _beat(self) -> None:
        while True:
            body = self._side.core.beat(self._line, _now())
            answer = await self.client.post(f"/line/{self._line}/beat", body, _TIMEOUT_S)
            self._side.core.beat_answered(self._line, answer, _now())
            await asyncio.sleep(BEAT_S)


def measure(root: Path, messages: int, rounds: int) -> list[Row]:
    """Return the rows of this benchmark."""
    rows = []
    for role, served in (("listener", 1), ("author", 0)):
        (root / role).mkdir(parents=True)
        parties = make_pair(root / role)
        folders = [NodeFolder.open(party.folder) for party in parties]
        now = _now()
        sides = [Side(folder, now) for folder in folders]
        agree_sides(sides, now)
        for side in sides:
            side.advance(Now(now.utc_ms, now.monotonic_ms + 1_000))  # the last signatures are kept
        sides[served].store.close()
        player = Player(folders[1 - served], sides[1 - served], acknowledges=role == "author")
        run = _listen if role == "listener" else _say
        rows += asyncio.run(_played(player, party_of(folders[served].path), run, messages, rounds))
        sides[1 - served].store.close()
    return rows


async def _played(player: Player, node: Party, run: Any, messages: int, rounds: int) -> list[Row]:
    async with player.playing():
        await asyncio.to_thread(node.start)
        try:
            with _apart(node):
                while (await asyncio.to_thread(lambda: node.line))["state"] != "UP":
                    await asyncio.sleep(0.1)
                found: list[Row] = await run(player, node, messages, rounds)
            await asyncio.to_thread(node.stop)
        finally:
            node.kill()
    return found


async def _listen(player: Player, node: Party, messages: int, rounds: int) -> list[Row]:
    progress(f"signing {messages * rounds:,} flights")
    streams = [player.sealed(messages, number) for number in range(rounds)]
    took_s, spent_s = [], []
    for number, sealed in enumerate(streams):
        progress(f"{messages:,} told, round {number + 1} of {rounds}")
        await asyncio.sleep(REST_S)
        before_s, begun = node.cpu_s, time.monotonic()
        await player.tell(sealed)
        took_s.append(time.monotonic() - begun)
        spent_s.append(node.cpu_s - before_s)
    return [
        _row("listener: heard, durable, told to its desk, receipted", messages, took_s, spent_s)
    ]


async def _say(_: Player, node: Party, messages: int, rounds: int) -> list[Row]:
    durable_s, took_s, spent_s = [], [], []
    for number in range(rounds):
        progress(f"{messages:,} declared, round {number + 1} of {rounds}")
        await asyncio.sleep(REST_S)
        body = {"declarations": drafts(messages, number)}
        before_s, begun = node.cpu_s, time.monotonic()
        posted = (await asyncio.to_thread(node.post, "/declarations", body))["posted"]
        durable_s.append(time.monotonic() - begun)
        last = max(one["seq"] for one in posted)
        while (await asyncio.to_thread(lambda: node.line))["receipted_seq"] < last:
            await asyncio.sleep(LOOK_EVERY_S)
        took_s.append(time.monotonic() - begun)
        spent_s.append(node.cpu_s - before_s)
    return [
        _row("author: asked in one request, durable, answered", messages, durable_s, None),
        _row("author: the same, and signed, sent, receipted", messages, took_s, spent_s),
    ]


def _row(what: str, messages: int, took_s: Sequence[float], spent_s: Sequence[float] | None) -> Row:
    median_s = percentile(took_s, 0.5)
    measured = f"{messages / median_s:,.0f}/s (median of {len(took_s)}: {median_s:.2f} s, "
    measured += f"worst {max(took_s):.2f})"
    if spent_s is not None:
        each_us = [spent / messages * 1e6 for spent in spent_s]
        measured += f"; {percentile(each_us, 0.5):,.0f} µs of the processor each "
        measured += f"(least {min(each_us):,.0f})"
    held = messages / median_s >= ASKED_PER_S
    return Row(f"{messages:,} at once, {what}", f"≥ {ASKED_PER_S:,}/s at peak", measured, held)


@contextmanager
def _apart(node: Party) -> Iterator[None]:
    """Give the node one processor and this program the others, as long as there are two."""
    every = os.sched_getaffinity(0)
    own, *others = sorted(every)
    if others and node.process is not None:
        _keep_to({own}, node.process.pid)
        _keep_to(set(others), os.getpid())
    try:
        yield
    finally:
        _keep_to(every, os.getpid())


def _keep_to(processors: set[int], pid: int) -> None:
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), processors)


def _named() -> dict[str, Any]:
    return {"declaration_id": new_declaration_id(os.urandom)}


def _now() -> Now:
    return Now(time.time_ns() // 1_000_000, time.monotonic_ns() // 1_000_000)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--messages", type=int, default=1_000)
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as root:
        rows = measure(Path(root), chosen.messages, chosen.rounds)
    print_rows("One node at its peak", rows)


if __name__ == "__main__":
    main()
