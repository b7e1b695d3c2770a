"""`deconflict serve` that writes down when each message passed which stage; only for a benchmark.

    python bench/stamped_node.py STAMPS serve --json --node FOLDER

At its end the stamps are written to the file STAMPS: JSON of `[stage, hash, monotonic seconds]`.
The stages of the author are ASKED, TURN, SAID, DURABLE, PICKED; those of the listener ARRIVED,
HEARING, HEARD, LOGGED.
"""

import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from deconflict.cli import main as run
from deconflict.line.envelope import SealedEnvelope
from deconflict.line.packets import Packet, decode_packets
from deconflict.node import runtime
from deconflict.node.core import NodeCore
from deconflict.node.service import Node

_stamps: list[tuple[str, str, float]] = []


def stamp(stage: str, hashes: Iterable[str], at_s: float | None = None) -> None:
    """Write down that these messages passed a stage, now or at ``at_s``."""
    at_s = time.monotonic() if at_s is None else at_s
    _stamps.extend((stage, message_hash, at_s) for message_hash in hashes)


def watch() -> None:
    """Have the use cases, the core and the runtime of this process stamp what passes."""
    send, say, to_send, hear = Node.send, NodeCore.say, NodeCore.to_send, NodeCore.hear
    decode = decode_packets

    async def sending(self: Node, *given: Any, **named: Any) -> Any:
        asked_s = time.monotonic()
        posted = await send(self, *given, **named)
        stamp("ASKED", [posted.hash], asked_s)
        return posted

    def saying(self: NodeCore, *given: Any) -> Any:
        begun_s = time.monotonic()
        work, posted = say(self, *given)
        hashes = [one.hash for one in posted]
        stamp("TURN", hashes, begun_s)
        stamp("SAID", hashes)
        work.then(lambda _: stamp("DURABLE", hashes))
        return work, posted

    def picking(self: NodeCore, *given: Any) -> Any:
        packets = to_send(self, *given)
        stamp("PICKED", _hashes(packets))
        return packets

    def decoding(body: bytes) -> list[Packet]:
        begun_s = time.monotonic()
        packets = decode(body)
        stamp("ARRIVED", _hashes(packets), begun_s)
        return packets

    def hearing(self: NodeCore, peer: str, line: str, packets: Any, now: Any) -> Any:
        hashes, begun_s = _hashes(packets), time.monotonic()
        heard = hear(self, peer, line, packets, now)
        stamp("HEARING", hashes, begun_s)
        stamp("HEARD", hashes)
        if hashes:
            heard.work.then(lambda _: stamp("LOGGED", hashes))
        return heard

    for owner, name, stamping in (
        (Node, "send", sending),
        (NodeCore, "say", saying),
        (NodeCore, "to_send", picking),
        (NodeCore, "hear", hearing),
        (runtime, "decode_packets", decoding),
    ):
        setattr(owner, name, stamping)


def _hashes(packets: Iterable[Packet]) -> list[str]:
    return [packet.hash for packet in packets if isinstance(packet, SealedEnvelope)]


if __name__ == "__main__":
    _, target, *arguments = sys.argv
    watch()
    try:
        run(arguments)
    finally:
        Path(target).write_text(json.dumps(_stamps))
