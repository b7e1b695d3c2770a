"""What a message costs two nodes in processor time, turn by turn: no network, and one process.

    python -m bench.bench_turns [--messages 200] [--rounds 20]

West says so many flights at once; east hears them 32 at a time, as the door gives them out, and
receipts them. Of each turn the least of all rounds counts: that is what the work costs, and what
else the machine does only adds to it. So two versions can be compared on a busy machine, in turn.
"""

import argparse
import gc
import json
import os
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from bench.bench_burst import drafts
from bench.nodes import LANDMARK, THEATRE
from bench.report import Row, print_rows, progress
from deconflict.line.keys import SigningKey, line_id
from deconflict.line.moment import Now
from deconflict.line.packets import decode_packets, encode_packets
from deconflict.messages.agreement import sign_terms
from deconflict.messages.bodies import Declared, TermsMessage
from deconflict.messages.declaration import declaration_from_wire, new_declaration_id
from deconflict.messages.kinds import Kind
from deconflict.messages.terms import PartyTerms
from deconflict.messages.terms_defaults import default_terms
from deconflict.node.core import NodeCore, Say
from deconflict.node.line import Line
from deconflict.node.line_keys import LineKeys
from deconflict.node.work import Work
from deconflict.store.base import Batch, LineRow
from deconflict.store.sqlite import SqliteStore

__all__ = ["measure"]

DESKS: Final = ("watch", "duty")
AT_ONCE: Final = 32  # packets that a node looks at before others have their turn

ResultT = TypeVar("ResultT")


class Node:
    """A core with its store, and what its turns cost."""

    def __init__(self, party: str, folder: Path) -> None:
        self.party = party
        self.store = SqliteStore.open(folder / f"{party}.sqlite", create=True)
        self.core = NodeCore(
            party=party,
            desks=DESKS,
            language="en",
            key=SigningKey.generate(random.Random(party).randbytes),
            store=self.store,
            random_bytes=os.urandom,
        )
        self.spent_s: defaultdict[str, float] = defaultdict(float)

    def turn(self, name: str, do: Callable[..., ResultT], *arguments: Any) -> ResultT:
        """Do something and count its processor time."""
        begun = time.thread_time()
        result = do(*arguments)
        self.spent_s[name] += time.thread_time() - begun
        return result

    def keep(self, work: Work) -> None:
        """Make a turn durable and finish it."""
        if not work.is_empty():
            self.turn("rows", lambda: self.store.commit(work.batch()))
            self.turn("signatures and receipts", work.finish, _now())

    def say(self, line: str, says: Sequence[Say]) -> str:
        """Say messages on the line; return the hash of the first."""
        work, posted = self.turn("saying", self.core.say, line, says, _now())
        self.keep(work)
        return posted[0].hash

    def look(self) -> None:
        """Look at what changed."""
        self.keep(self.turn("looking", self.core.advance, _now()))

    def join(self, line: str, peer: "Node") -> None:
        """Take up an empty line."""
        row = LineRow(line, self.party, peer.party, _now().utc_ms)
        self.store.commit(Batch(lines=[row]))
        held = Line.restore(
            self.store,
            line_id=line,
            own=self.party,
            peer=peer.party,
            keys=LineKeys(self.core.keys, peer.core.key.verify_key),
            peer_desk=DESKS[0],
            random_bytes=os.urandom,
            now=_now(),
        )
        self.core.add_line(held, _now())

    def tell(self, line: str, peer: "Node") -> None:
        """Have the peer hear all that waits, and take its receipts."""
        while packets := self.turn("packets", self.core.to_send, line, _now()):
            body = self.turn("packets", encode_packets, packets)
            answer = peer.hear(line, self, body)
            back = self.turn("packets", decode_packets, answer)
            self.keep(self.turn("hearing", self.core.hear, peer.party, line, back, _now()).work)
            peer.look()
            self.look()

    def hear(self, line: str, peer: "Node", body: bytes) -> bytes:
        """Hear a body of the peer; return the answer."""
        packets = self.turn("packets", decode_packets, body)
        heard = [
            self.turn(
                "hearing", self.core.hear, peer.party, line, packets[at : at + AT_ONCE], _now()
            )
            for at in range(0, len(packets), AT_ONCE)
        ]
        for turn in heard:
            if turn.error is not None:
                raise turn.error
            self.keep(turn.work)
        return encode_packets([packet for turn in heard for packet in turn.answer()])


def measure(root: Path, messages: int, rounds: int) -> list[Row]:
    """Return the rows of this benchmark."""
    west, east = Node("west", root), Node("east", root)
    line = line_id("west", west.core.key.key_id, "east", east.core.key.key_id)
    west.join(line, east)
    east.join(line, west)
    _agree(line, west, east)
    costs: dict[str, list[dict[str, float]]] = {"west": [], "east": []}
    for number in range(rounds + 1):
        progress(f"{messages:,} messages, round {number} of {rounds}")
        text = json.dumps(drafts(messages, number))
        gc.collect()
        for node in (west, east):
            node.spent_s.clear()
        says = west.turn("reading drafts", _read, text)
        west.say(line, says)
        west.look()
        west.tell(line, east)
        if number:  # the first one fills what is remembered
            for node in (west, east):
                costs[node.party].append(dict(node.spent_s))
    rows = []
    for party, what in (("west", "author"), ("east", "listener")):
        least = {
            name: min(cost.get(name, 0.0) for cost in costs[party]) / messages * 1e6
            for name in costs[party][0]
        }
        parts = ", ".join(f"{name} {spent:,.0f}" for name, spent in sorted(least.items()))
        rows.append(Row(f"{what}, µs a message", "", f"{sum(least.values()):,.0f} µs: {parts}"))
    return rows


def _agree(line: str, west: Node, east: Node) -> None:
    parties = [PartyTerms(party, *DESKS, ("en",), 1) for party in ("west", "east")]
    terms = default_terms(line=line, parties=parties, theatre=THEATRE, landmarks=[LANDMARK])
    said = None
    for own, peer, kind in ((west, east, Kind.TERMS_PROPOSE), (east, west, Kind.TERMS_ACCEPT)):
        body = TermsMessage(terms=terms, signature=sign_terms(terms, own.core.key))
        said = own.say(line, [Say(kind=kind, body=body, desk=DESKS[0], ref=said)])
        own.tell(line, peer)


def _read(text: str) -> list[Say]:
    """Return the flights of a request as they are said."""
    says = []
    for draft in json.loads(text):
        named = {"declaration_id": new_declaration_id(os.urandom), "label": None, "revision": 1}
        declaration = declaration_from_wire({**named, **draft})
        says.append(Say(kind=Kind.NOTIFY, body=Declared.of(declaration), desk=DESKS[0]))
    return says


def _now() -> Now:
    return Now(time.time_ns() // 1_000_000, time.monotonic_ns() // 1_000_000)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--messages", type=int, default=200)
    options.add_argument("--rounds", type=int, default=20)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as root:
        rows = measure(Path(root), chosen.messages, chosen.rounds)
    print_rows("What a message costs", rows)


if __name__ == "__main__":
    main()
