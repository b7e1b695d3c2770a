"""Messages between two nodes: durable and receipted ones a second, and how late an alert comes.

    python -m bench.bench_line [--seconds 60] [--rate 200] [--only one-way]

The mix of kinds stands in bench/traffic.py. The other desk answers queries, safety messages and
line checks at once; in the run "every one answered" it also reads back every declaration and says
of the rest that it was seen. Both nodes, both desks and this program share the machine's
processors.
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.desk import Desk, Event
from bench.nodes import Party, agree, make_pair, running
from bench.report import Row, percentile, print_rows, progress
from bench.traffic import ALERTING, Post, Traffic

__all__ = ["measure"]

RUNS = ("one-way", "two-way", "answered", "fastest", "both", "idle")
CONNECTIONS = 16
DRAIN_S = 30.0
STANDING = 100  # declarations each side has before the run
SEEN_ONLY = frozenset(("CANCEL", "ACCOUNT", "ANSWER"))  # no answer, but eyes
AT_ONCE = frozenset(("QUERY_RECEIVED", "SAFETY_RECEIVED", "LINE_CHECK_RECEIVED"))


@dataclass
class Side:
    """One party in a run: its desk's connections, what it posted, what its stream said."""

    party: Party
    desk: Desk
    traffic: Iterator[Post]
    line_id: str
    answers_all: bool
    peer: "Side | None" = None
    posts: dict[str, Post] = field(default_factory=dict)
    begun_s: dict[str, float] = field(default_factory=dict)  # hash -> start of its post
    answered_s: list[float] = field(default_factory=list)  # how long a post took
    receipted_s: dict[str, float] = field(default_factory=dict)
    alerted_s: dict[str, float] = field(default_factory=dict)
    replies: int = 0
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    def take(self, event: Event) -> None:
        """Do what a desk does when it sees an event."""
        data = event.data
        if event.kind == "delivery" and data["state"] not in ("QUEUED", "SENT"):
            self.receipted_s.setdefault(data["hash"], event.at_s)
        elif event.kind == "alert" and data["open"] and data["rule"].endswith("_RECEIVED"):
            if data["subject"] not in self.alerted_s:
                self.alerted_s[data["subject"]] = event.at_s
                if self.answers_all or data["rule"] in AT_ONCE:
                    self._begin(self._reply(data["subject"]))
        elif self.answers_all and event.kind == "message" and not data["outgoing"]:
            self._look(data)

    def _look(self, message: dict[str, Any]) -> None:
        if message["kind"] in SEEN_ONLY:
            self._begin(self._seen(message["hash"]))

    async def post(self, post: Post) -> None:
        """Send one message and keep its hash."""
        begun = time.monotonic()
        answer = await self.desk.post(post.path, post.body)
        self.answered_s.append(time.monotonic() - begun)
        (one,) = answer.get("posted", [answer])
        self.posts[one["hash"]], self.begun_s[one["hash"]] = post, begun

    @property
    def busy(self) -> bool:
        """True exactly when the desk is still answering something."""
        return bool(self._tasks)

    def _begin(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        task.result()

    async def _reply(self, message_hash: str) -> None:
        # The alert may be quicker than the answer to the post that caused it.
        while self.peer is not None and message_hash not in self.peer.posts:
            await asyncio.sleep(0.005)
        reply = None if self.peer is None else self.peer.posts[message_hash].reply
        if reply is not None:
            body = json.dumps({**reply, "ref": message_hash}).encode()
            await self.desk.post(f"/lines/{self.line_id}/messages", body)
            self.replies += 1

    async def _seen(self, message_hash: str) -> None:
        await self.desk.post(f"/messages/{message_hash}/seen", b"{}")
        self.replies += 1


@asynccontextmanager
async def two_sides(
    parties: Sequence[Party], line_id: str, seed: int, *, answers_all: bool
) -> AsyncIterator[list[Side]]:
    """Take both desks' places, each with declarations that stand."""
    now_ms = time.time_ns() // 1_000_000
    async with AsyncExitStack() as stack:
        sides = []
        for number, party in enumerate(parties):
            desk = await stack.enter_async_context(Desk(party, CONNECTIONS))
            posts = Traffic(line_id, now_ms, seed + number).posts()
            sides.append(Side(party, desk, posts, line_id, answers_all))
        for side, peer in (sides, sides[::-1]):
            side.peer = peer
            await side.desk.follow(side.take)
        for side in sides:
            while len(side.posts) < STANDING:
                await side.post(next(side.traffic))
        await settled(sides)
        for side in sides:
            side.answered_s.clear()
        yield sides


async def settled(sides: Sequence[Side]) -> bool:
    """Wait until every message posted is receipted and every desk has answered."""
    deadline = time.monotonic() + DRAIN_S
    while time.monotonic() < deadline:
        if not any(side.busy or side.posts.keys() - side.receipted_s.keys() for side in sides):
            return True
        await asyncio.sleep(0.1)
    return False


async def at_rate(side: Side, rate: float, seconds: float) -> int:
    """Post at fixed instants, whatever the node answers; return how many."""
    begun = time.monotonic()
    tasks = set()
    count = int(rate * seconds)
    for number in range(count):
        pause = begun + number / rate - time.monotonic()
        if pause > 0:
            await asyncio.sleep(pause)
        task = asyncio.create_task(side.post(next(side.traffic)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        if number % 200 == 0:
            progress(f"{side.party.name}: {number:,} of {count:,} messages")
    await asyncio.gather(*tasks)
    return count


async def fastest(side: Side, seconds: float, clients: int = 8) -> int:
    """Post from several clients, each as soon as its last post is answered; return how many."""
    until = time.monotonic() + seconds
    count = 0

    async def client() -> None:
        nonlocal count
        while time.monotonic() < until:
            await side.post(next(side.traffic))
            count += 1

    await asyncio.gather(*(client() for _ in range(clients)))
    return count


@dataclass
class Outcome:
    """What a run came to."""

    posted: int
    seconds: float
    logged: int  # messages of both directions during the run
    receipted: int
    lost: int
    receipt_s: list[float]
    alert_s: list[float]
    flash_s: list[float]  # those of the alerts that came at FLASH
    post_s: list[float]
    cpu: dict[str, float]
    each_us: dict[
        str, float
    ]  # processor time of each node by message posted, what follows included


async def run(
    parties: Sequence[Party], line_id: str, seed: int, load: Any, *, answers_all: bool
) -> Outcome:
    """Give the nodes a load, wait until all is settled, and compare the two records."""
    async with two_sides(parties, line_id, seed, answers_all=answers_all) as sides:
        before = [set(side.posts) for side in sides]
        seq_before = sum(party.line["own_seq"] for party in parties)
        before_s = processor_s(parties)
        begun = time.monotonic()
        posted = await load(sides)
        spent = time.monotonic() - begun
        cpu = {
            who: (after_s - before_s[who]) / spent for who, after_s in processor_s(parties).items()
        }
        await settled(sides)
        each_us = {
            party.name: (party.cpu_s - before_s[party.name]) / posted * 1e6 for party in parties
        }
        # With the last receipt the run is over: what came late counts, as late.
        ended = max(max(side.receipted_s.values()) for side in sides)
        mine = [side.posts.keys() - old for side, old in zip(sides, before, strict=True)]
        receipt_s = [
            side.receipted_s[name] - side.begun_s[name]
            for side, names in zip(sides, mine, strict=True)
            for name in names
            if name in side.receipted_s
        ]
        alerted = [
            (side.posts[name].kind, side.peer.alerted_s[name] - side.begun_s[name])
            for side, names in zip(sides, mine, strict=True)
            for name in names
            if side.peer is not None
            and side.posts[name].kind in ALERTING
            and name in side.peer.alerted_s
        ]
        expected = sum(
            side.posts[name].kind in ALERTING
            for side, names in zip(sides, mine, strict=True)
            for name in names
        )
        if len(alerted) != expected:
            raise RuntimeError(f"{expected - len(alerted)} messages raised no alert")
        post_s = [spent for side in sides for spent in side.answered_s]
    logged = sum(party.line["own_seq"] for party in parties) - seq_before
    receipted, lost = compare(parties, line_id)
    return Outcome(
        posted,
        max(spent, ended - begun),
        logged,
        receipted,
        lost,
        receipt_s,
        [late_s for _, late_s in alerted],
        [late_s for kind, late_s in alerted if kind == "SAFETY"],
        post_s,
        cpu,
        each_us,
    )


def processor_s(parties: Sequence[Party]) -> dict[str, float]:
    """Return the processor time spent so far: by each node, this program, and all others."""
    fields = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    busy_s = (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")
    spent = {party.name: party.cpu_s for party in parties} | {"load": time.process_time()}
    return spent | {"others": busy_s - sum(spent.values())}


def compare(parties: Sequence[Party], line_id: str) -> tuple[int, int]:
    """Return how many messages hold a receipt, and how many the other side does not hold."""
    receipted = lost = 0
    for sender, receiver in (parties, parties[::-1]):
        sent = list(pages(sender, line_id, "out"))
        held = [message["hash"] for message in pages(receiver, line_id, "in")]
        receipted += sum(message["state"] not in ("QUEUED", "SENT") for message in sent)
        lost += sum(
            mine["hash"] != theirs
            for mine, theirs in zip(sent, held + [""] * (len(sent) - len(held)), strict=True)
        )
    return receipted, lost


def pages(party: Party, line_id: str, direction: str) -> Iterator[dict[str, Any]]:
    """Yield a direction's messages as the API tells them, in order."""
    after = 0
    path = f"/lines/{line_id}/messages"
    while page := party.get(path, direction=direction, after_seq=after, limit=1000):
        yield from page
        after = page[-1]["seq"]


def measure(root: Path, *, seconds: float, rate: float, only: str | None = None) -> list[Row]:
    """Return the rows of this benchmark."""
    rows: list[Row] = []
    for name, title in (
        ("one-way", f"{rate:.0f}/s posted at one node, {seconds:.0f} s"),
        ("two-way", f"{rate / 2:.0f}/s posted at each node, {seconds:.0f} s"),
        ("answered", f"{rate:.0f}/s posted, every one answered, {seconds / 3:.0f} s"),
        ("fastest", "as fast as 8 clients can, one way"),
        ("both", "as fast as 4 clients a side can, both ways"),
        ("idle", "one message at a time"),
    ):
        if only not in (None, name):
            continue
        progress(title)
        (root / name).mkdir(parents=True)
        west, east = parties = make_pair(root / name)
        with running(*parties):
            line_id = agree(west, east)
            rows += rows_of(name, title, parties, line_id, seconds, rate)
    return rows


def rows_of(
    name: str, title: str, parties: Sequence[Party], line_id: str, seconds: float, rate: float
) -> list[Row]:
    async def load(sides: Sequence[Side]) -> int:
        if name == "one-way":
            return await at_rate(sides[0], rate, seconds)
        if name == "two-way":
            return sum(await asyncio.gather(*(at_rate(s, rate / 2, seconds) for s in sides)))
        if name == "answered":
            return await at_rate(sides[0], rate, seconds / 3)
        if name == "fastest":
            return await fastest(sides[0], seconds / 3)
        if name == "both":
            return sum(await asyncio.gather(*(fastest(s, seconds / 3, clients=4) for s in sides)))
        for _ in range(100):
            await at_rate(sides[0], 10, 0.1)
            await asyncio.sleep(0.02)
        return 100

    done = asyncio.run(run(parties, line_id, 1, load, answers_all=name == "answered"))
    if name == "idle":
        return [Row("alert on the other side's stream, idle line", "", _spread(done.alert_s))]
    per_s = done.posted / done.seconds
    is_asked = name in ("one-way", "two-way")
    asked = f"≥ {rate:.0f}/s, none lost" if is_asked else ""
    held = per_s >= rate * 0.99 and done.lost == 0 if is_asked else None
    cpu = ", ".join(f"{who} {share:.0%}" for who, share in done.cpu.items())
    each = ", ".join(f"{who} {spent:,.0f} µs" for who, spent in done.each_us.items())
    return [
        Row(
            f"{title}: posted, durable, receipted",
            asked,
            f"{per_s:,.0f}/s posted ({done.logged / done.seconds:,.0f}/s with the desks' and"
            f" machines' answers), {done.receipted:,} receipted, {done.lost} lost",
            held,
        ),
        Row(f"{title}: post to receipt", "", _spread(done.receipt_s)),
        Row(f"{title}: answer of the API", "", _spread(done.post_s)),
        *(
            Row(
                f"{title}: {what} on the other side's stream",
                "p99 ≤ 100 ms" if is_asked else "",
                _spread(late_s),
                percentile(late_s, 0.99) <= 0.1 if is_asked else None,
            )
            for what, late_s in (("alert", done.alert_s), ("FLASH", done.flash_s))
        ),
        Row(f"{title}: processor", "", cpu),
        Row(f"{title}: processor time a message posted, with what follows from it", "", each),
    ]


def _spread(values: Sequence[float]) -> str:
    return (
        f"p50 {percentile(values, 0.5) * 1e3:.0f} ms, p99 {percentile(values, 0.99) * 1e3:.0f} ms,"
        f" max {max(values) * 1e3:.0f} ms (n = {len(values):,})"
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--seconds", type=float, default=60.0)
    options.add_argument("--rate", type=float, default=200.0)
    options.add_argument("--only", choices=RUNS)
    options.add_argument("--folder", type=Path, help="for the nodes; kept afterwards")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = chosen.folder or Path(temporary)
        rows = measure(root, seconds=chosen.seconds, rate=chosen.rate, only=chosen.only)
    print_rows("Messages between two nodes", rows)


if __name__ == "__main__":
    main()
