"""A long record, really signed: two node cores say and answer what two watches would for ten days.

    python -m bench.record FOLDER [--messages 100000]

Time is virtual and no network is between them; keys, signatures, receipts, events, alerts and
databases are those of two nodes. The folders made can be served.
"""

import argparse
import hashlib
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from bench import traffic
from bench.nodes import LANDMARK, THEATRE, Party, make_pair
from bench.report import progress
from bench.traffic import Post, Traffic
from deconflict import store
from deconflict.line.moment import Now
from deconflict.messages.agreement import sign_terms
from deconflict.messages.bodies import Body, Cancel, Declared, Seen, TermsMessage, parse_body
from deconflict.messages.declaration import declaration_from_wire
from deconflict.messages.kinds import Kind
from deconflict.messages.terms import PartyTerms
from deconflict.messages.terms_defaults import default_terms
from deconflict.node.core import NodeCore, Say
from deconflict.node.folder import NodeFolder
from deconflict.node.line import Line
from deconflict.node.line_keys import LineKeys
from deconflict.node.work import Work
from deconflict.store.base import Batch, LineRow
from deconflict.store.sqlite import SqliteStore

__all__ = ["Side", "agree_sides", "build", "declared", "kept"]

KEPT = Path(__file__).parents[1] / "target" / "bench"
SCHEMA = Path(store.__file__).parent / "migrations"

AT_ONCE = 40  # messages a watch posts in one go
SEEN_ONLY = frozenset((Kind.CANCEL, Kind.ACCOUNT, Kind.ANSWER))


class Side:
    """One node without its network: a core, its database, and what its watch sends."""

    def __init__(self, folder: NodeFolder, now: Now) -> None:
        keys = folder.unlock(None)
        (peer,) = folder.peers().list()
        self.party = folder.settings.party
        self.key = keys.signing_key
        self.line_id = peer.line_id
        self.store = SqliteStore.open(folder.record_path)
        row = LineRow(self.line_id, self.party, peer.party, now.utc_ms)
        self.store.commit(Batch(lines=[row]))
        self.core = NodeCore(
            party=self.party,
            desks=folder.settings.desks,
            language=folder.settings.language,
            key=self.key,
            store=self.store,
            random_bytes=os.urandom,
        )
        line = Line.restore(
            self.store,
            line_id=self.line_id,
            own=self.party,
            peer=peer.party,
            keys=LineKeys(self.core.keys, peer.verify_key),
            peer_desk=peer.invitation.desks[0],
            random_bytes=os.urandom,
            now=now,
        )
        self.core.add_line(line, now)
        self.line = line
        self.replies: dict[str, dict[str, Any]] = {}  # hash of an own message -> what it deserves

    def commit(self, work: Work, now: Now) -> None:
        """Make a turn's work durable, then finish it."""
        self.store.commit(work.batch())
        work.finish(now)

    def say(self, says: Sequence[Say], now: Now) -> list[str]:
        """Say some messages; return their hashes."""
        work, posted = self.core.say(self.line_id, says, now)
        self.commit(work, now)
        return [one.hash for one in posted]

    def post(self, posts: Sequence[Post], now: Now) -> None:
        """Say what the API would say for these posts; what is over is not changed any more."""
        spoken = [(post, say) for post in posts if (say := self._say_of(post)) is not None]
        hashes = self.say([say for _, say in spoken], now)
        for message_hash, (post, _) in zip(hashes, spoken, strict=True):
            if post.reply is not None:
                self.replies[message_hash] = post.reply

    def _say_of(self, post: Post) -> Say | None:
        body = msgspec.json.decode(post.body)
        if post.kind == "NOTIFY":
            (draft,) = body["declarations"]
            return Say(kind=Kind.NOTIFY, body=declared(draft), desk="watch")
        if post.kind not in ("CANCEL", "UPDATE"):
            return Say(kind=Kind(post.kind), body=parse_body(post.kind, body["body"]), desk="watch")
        declaration_id = post.path.split("/")[2]
        held = self.line.book.picture.get(f"{self.party}/{declaration_id}")
        if held is None:
            return None
        if post.kind == "CANCEL":
            said: Body = Cancel(declaration_id=declaration_id)
        else:
            (draft,) = body["declarations"]
            revised = {"declaration_id": declaration_id, "revision": held.declaration.revision + 1}
            said = declared({**draft, **revised})
        return Say(kind=Kind(post.kind), body=said, desk="watch", ref=held.message_hash)

    def answer(self, events: Sequence[Any], asked: "Side", now: Now) -> None:
        """Say what a desk says when it sees these events."""
        says = []
        for event in events:
            data = event.data
            if event.kind != "message" or data["outgoing"]:
                continue
            reply = asked.replies.pop(data["hash"], None)
            if reply is not None:
                body = parse_body(reply["kind"], reply["body"])
                says.append(
                    Say(kind=Kind(reply["kind"]), body=body, desk="watch", ref=data["hash"])
                )
            elif data["kind"] in SEEN_ONLY:
                seen = Seen(desk="watch", at_utc=data["logged_utc"])
                says.append(Say(kind=Kind.SEEN, body=seen, desk="watch", ref=data["hash"]))
        if says:
            self.say(says, now)

    def advance(self, now: Now) -> None:
        """Let time pass."""
        work = self.core.advance(now)
        if not work.is_empty():
            self.commit(work, now)


def declared(draft: dict[str, Any]) -> Declared:
    """Return a draft as the body that says it."""
    return Declared.of(declaration_from_wire({"label": None, "revision": 1, **draft}))


def carry(sender: Side, receiver: Side, now: Now) -> int:
    """Bring what is to be sent to the other side, and its receipts back; return how many."""
    count = 0
    while packets := sender.core.to_send(sender.line_id, now):
        count += len(packets)
        heard = receiver.core.hear(sender.party, sender.line_id, packets, now)
        receiver.commit(heard.work, now)
        if heard.error is not None:
            raise heard.error
        events = tuple(heard.work.events)
        back = sender.core.hear(receiver.party, sender.line_id, heard.answer(), now)
        sender.commit(back.work, now)
        receiver.answer(events, sender, now)
    return count


def build(root: Path, messages: int, *, days: float = 10.0) -> tuple[Party, Party]:
    """Make two node folders whose records hold this many messages, and end now."""
    parties = make_pair(root)
    end_ms = time.time_ns() // 1_000_000
    begin_ms = end_ms - int(days * 86_400_000)
    now = Now(begin_ms, 0)
    west, east = sides = [Side(NodeFolder.open(party.folder), now) for party in parties]
    agree_sides(sides, now)
    traffics = [Traffic(west.line_id, begin_ms, seed) for seed in (1, 2)]
    streams = [traffic.posts() for traffic in traffics]
    done = turn = 0
    while done < messages:
        passed_ms = (end_ms - begin_ms) * done // messages
        now = Now(begin_ms + passed_ms, passed_ms)
        side, peer = (west, east) if turn % 2 == 0 else (east, west)
        traffics[turn % 2].now_ms = now.utc_ms
        stream = streams[turn % 2]
        side.post([next(stream) for _ in range(AT_ONCE)], now)
        for _ in range(3):  # asked, answered, said to be seen
            done += carry(side, peer, now) + carry(peer, side, now)
            side.advance(now)
            peer.advance(now)
        done += carry(side, peer, now) + carry(peer, side, now)
        turn += 1
        if turn % 10 == 0:
            progress(f"signing a record: {done:,} of {messages:,} messages")
    for each in sides:
        each.advance(Now(end_ms, end_ms - begin_ms + 1_000))  # the last signatures are kept too
        each.store.close()
    return parties


def kept(messages: int) -> Path:
    """Return a folder that holds such a record: made once, and anew when its making changes."""
    sources = [Path(__file__), Path(traffic.__file__), *sorted(SCHEMA.glob("*.sql"))]
    made_by = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]
    folder = KEPT / f"record-{messages}-{made_by}"
    if not folder.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=KEPT) as unfinished:
            build(Path(unfinished) / "record", messages)
            (Path(unfinished) / "record").rename(folder)
    return folder


def agree_sides(sides: Sequence[Side], now: Now) -> None:
    """Have both sign the default terms."""
    west, east = sides
    terms = default_terms(
        line=west.line_id,
        parties=[PartyTerms(side.party, "watch", "duty", ("en",), 1) for side in sides],
        theatre=THEATRE,
        landmarks=[LANDMARK],
    )
    proposal: str | None = None
    for side, other in ((west, east), (east, west)):
        kind = Kind.TERMS_PROPOSE if proposal is None else Kind.TERMS_ACCEPT
        body = TermsMessage(terms=terms, signature=sign_terms(terms, side.key))
        (proposal,) = side.say([Say(kind=kind, body=body, desk="watch", ref=proposal)], now)
        carry(side, other, now)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("folder", type=Path)
    options.add_argument("--messages", type=int, default=100_000)
    chosen = options.parse_args()
    begun = time.monotonic()
    build(chosen.folder, chosen.messages)
    print(f"{chosen.messages:,} messages in {time.monotonic() - begun:.0f} s: {chosen.folder}")


if __name__ == "__main__":
    main()
