"""A day of a busy line in hours: two real nodes that never rest, faults among it, and what grows.

    python -m tests.faults.soak --messages 864000 --rate 72 --seed 1 --folder FOLDER

A line that needs ten messages a second says 864,000 in a day. They need not be said in one sitting:
ended by a signal or its time, a run is judged whole, and the next goes on with the same nodes. Both
watches post the traffic of ``bench.traffic`` and answer all that comes, as a desk does that is
awake: queries, safety messages and line checks with their answers, declarations with a readback,
everything else with SEEN; one that sees the other desk far behind says nothing for a moment. All
of it goes through the operators' APIs. Now and then a node is killed, stopped for some seconds or
ended and started again, or the network is cut, one way or both. Meanwhile it is looked at what
must not grow without end: memory, open files, threads, the log that the database writes ahead. At
the end everything has to be delivered, and both records are read to the last entry: nothing that
an API called durable is missing, both say the same, and whatever asked for an answer has one or is
an open alert.
"""

import argparse
import itertools
import json
import random
import signal
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.nodes import Party, agree
from bench.traffic import Post, Traffic
from tests.faults.kill_ledger import Violation, require
from tests.faults.soak_folder import SoakFolder
from tests.faults.soak_report import PARTIES, Look, Report
from tests.processes.nodes import (
    Api,
    ApiError,
    Process,
    Unreachable,
)

from deconflict.line.envelope import read_envelope
from deconflict.store.base import EntryRow
from deconflict.store.sqlite import SqliteStore

ANSWERS = {"SAFETY": ("ACK", {"answer": "ROGER"}), "QUERY": ("ANSWER", None)}
GLANCE_S = 0.5  # a desk does not look sooner
PATIENCE_S = 600.0  # so long a desk looks for what its peer said; then the alert of it is left
FAULTS = ("kill", "kill both", "end", "freeze", "cut", "cut one way")
DRAIN_S = 120.0
MOST_DUE = 200  # unanswered messages of one side, beyond which it says nothing more
LOOK_EVERY_S = 10.0
KNOWN = 64  # bytes of a message's hash, as text
MISSED_S = 60.0  # an alert that stands so long was missed: the answer of an API was lost


@dataclass(frozen=True)
class Due:
    """A message that a desk has to answer, once it stands in its record."""

    hash: str
    reply: Mapping[str, Any] | None  # None: that it was seen
    at_s: float
    until_s: float


class Soak:
    """One run.

    Args:
        kept: the nodes' folders, and what earlier runs left.
        seed: of what is said, and of the faults and their moments.
        rate: posts a second, both sides together, without the answers.
        fault_every_s: mean time between faults.

    Attributes:
        durable: the hashes of what each party's API called durable and no record has shown yet.
    """

    def __init__(self, kept: SoakFolder, seed: int, rate: float, fault_every_s: float) -> None:
        self._kept = kept
        self.report = kept.report
        # Another run says other things, under other names, and meets other faults.
        self._seed = seed + 1_000 * self.report.runs
        self._rng = random.Random(self._seed)
        self._rate, self._every_s = rate, fault_every_s
        self._network, self._members = kept.network, kept.members
        self._running: dict[str, Process] = {}
        self._started: dict[str, float] = {}
        self._enough = threading.Event()
        self._ended = threading.Event()
        self._stop = threading.Event()
        self._errors: list[BaseException] = []
        self._lock = threading.Lock()
        self.durable = kept.durable()
        self.line_id = kept.line_id
        self._owed: Counter[str] = Counter()
        # Of each desk: what it answers, and what it has seen; two persons at work.
        self._due: dict[tuple[str, bool], deque[Due]] = {
            (party, answers): deque() for party in PARTIES for answers in (True, False)
        }

    def enough(self) -> None:
        """End the run soon, in order: everything arrives and is judged."""
        self._ended.set()

    def play(
        self, messages: int, *, most_s: float = float("inf"), progress: bool = False
    ) -> Report:
        """Post until both records together hold ``messages``, then let everything arrive.

        A run that ends earlier is judged like a whole one, and the next goes on from there.

        Raises:
            Violation: a promise was broken.
        """
        began = time.monotonic()
        with ExitStack() as stack:
            stack.enter_context(self._network.running())
            stack.callback(self._kill_all)
            for party in PARTIES:
                self._start(party)
            line_id = self.line_id = self.line_id or self._kept.agreed(self._agree())
            watches = [
                threading.Thread(target=self._guarded, args=(work, party, line_id), daemon=True)
                for work in (self._post_on, self._reply_on, self._see_on, self._answer_late_on)
                for party in PARTIES
            ]
            for watch in watches:
                watch.start()
            self._while_they_speak(messages, began + most_s, line_id, progress=progress)
            self.report.spent_s += time.monotonic() - began
            self._drain(line_id)
            self._stop.set()
            for watch in watches:
                watch.join(timeout=30)
            self._raise_errors()
            overdue = self._open_alerts()
            for party in PARTIES:
                self._running[party].stop()
            self.read_records(overdue)
        self.report.runs += 1
        self._kept.keep()
        return self.report

    # ---- while they speak -----------------------------------------------------------------

    def _while_they_speak(
        self, messages: int, ends: float, line_id: str, *, progress: bool
    ) -> None:
        kinds = itertools.cycle(self._rng.sample(FAULTS, len(FAULTS)))
        fault_at = time.monotonic() + self._every_s
        look_at = 0.0
        held = 0
        while held < messages and not self._ended.is_set() and (now := time.monotonic()) < ends:
            self._raise_errors()
            if now >= look_at:
                held = self._look(line_id) or held
                look_at = now + min(LOOK_EVERY_S, self._every_s / 2)
                if progress:
                    print(
                        f"{held:,} messages, {sum(self.report.faults.values())} faults", flush=True
                    )
            if now >= fault_at:
                self._fault(next(kinds))
                fault_at = time.monotonic() + self._rng.uniform(0.5, 1.5) * self._every_s
            time.sleep(0.1)

    def _fault(self, kind: str) -> None:
        rng = self._rng
        victim = rng.choice(PARTIES)
        self.report.count(self.report.faults, kind)
        match kind:
            case "kill" | "kill both":
                victims = PARTIES if kind == "kill both" else (victim,)
                for party in victims:
                    self._running[party].kill()
                for party in victims:
                    self._start(party)
            case "end":
                code = self._running[victim].stop()
                require(code == 0, f"{victim} ended with {code}: {self._running[victim].words()}")
                self._start(victim)
            case "freeze":
                self._running[victim].signal(signal.SIGSTOP)
                time.sleep(rng.uniform(0.5, 8))
                self._running[victim].signal(signal.SIGCONT)
            case _:
                self._network.cut(*(PARTIES if kind == "cut" else (victim,)))
                time.sleep(rng.uniform(0.5, 15))
                self._network.mend()

    def _look(self, line_id: str) -> int:
        """Look at both; return how many messages the fuller record holds, 0 if neither answers."""
        most = 0
        for party, node in self._running.items():
            member = self._members[party]
            try:
                with member.api() as api:
                    line = api.line(line_id)
            except (Unreachable, ApiError):
                continue
            messages = int(line["own_seq"] or 0) + int(line["peer_seq"] or 0)
            record = member.folder.record_path
            ahead = record.with_name(record.name + "-wal")
            status = dict(
                line.split(":", 1)
                for line in Path(f"/proc/{node.pid}/status").read_text().splitlines()
            )
            self.report.looks.append(
                Look(
                    party,
                    time.monotonic(),
                    self._started[party],
                    messages,
                    int(status["VmRSS"].split()[0]) * 1024 / 1e6,
                    len(list(Path(f"/proc/{node.pid}/fd").iterdir())),
                    int(status["Threads"]),
                    ahead.stat().st_size / 1e6 if ahead.exists() else 0.0,
                )
            )
            most = max(most, messages)
        return most

    def _start(self, party: str) -> None:
        began = time.monotonic()
        node = self._running[party] = Process(self._members[party])
        try:
            node.ready(600)
        except AssertionError as error:
            raise Violation(f"{party} does not start again: {error}") from error
        self._started[party] = time.monotonic()
        self.report.start_s.append(time.monotonic() - began)

    def _agree(self) -> str:
        blue, red = (
            Party(m.party, m.path, m.folder.settings.operators_listen, m.token)
            for m in self._members.values()
        )
        return agree(blue, red)

    # ---- the watches ------------------------------------------------------------------------

    def _guarded(self, work: Any, party: str, line_id: str) -> None:
        try:
            work(party, line_id)
        except BaseException as error:  # noqa: BLE001  (handed to the thread that judges)
            self._errors.append(error)

    def _post_on(self, party: str, line_id: str) -> None:
        traffic = Traffic(line_id, _now_ms(), self._seed + PARTIES.index(party))
        due = time.monotonic()
        with self._members[party].api() as api:
            for post in traffic.posts():
                if self._stop.is_set() or self._enough.is_set():
                    return
                traffic.now_ms = _now_ms()
                while self._behind(party) > MOST_DUE and not self._enough.is_set():
                    self._stop.wait(0.05)  # so a watch does that sees the other desk at its limit
                self._say(api, party, post)
                due = max(due + len(PARTIES) / self._rate, time.monotonic() - 1.0)
                self._stop.wait(max(0.0, due - time.monotonic()))

    def _behind(self, party: str) -> int:
        """How much of what a party said its peer's desk has yet to answer."""
        (peer,) = (other for other in PARTIES if other != party)
        return sum(len(self._due[peer, answers]) for answers in (True, False))

    def _say(self, api: Api, party: str, post: Post) -> None:
        """Post until it is answered, as a watch would whose node is away for a moment."""
        while not self._stop.is_set():
            try:
                posted = api.post(post.path, json.loads(post.body))
            except Unreachable:
                self._stop.wait(0.05)
                continue
            except ApiError as error:
                # It was taken before, and its answer lost; or a cut-off start has not read it yet.
                if error.status not in (404, 409, 503):
                    raise
                self.report.count(self.report.refused, f"{post.kind} {error.status}")
                return
            with self._lock:
                self.report.posted += 1
            self._said(party, posted, post.reply)
            return

    def _said(self, party: str, posted: Any, reply: Mapping[str, Any] | None) -> None:
        """Keep what was called durable, and hand it to the other desk."""
        hashes = self._note(party, posted)
        (peer,) = (other for other in PARTIES if other != party)
        now = time.monotonic()
        self._due[peer, reply is not None].extend(
            Due(each.hex(), reply, now + GLANCE_S, now + PATIENCE_S) for each in hashes
        )

    def _reply_on(self, party: str, line_id: str) -> None:
        def reply(api: Api, due: Due) -> None:
            assert due.reply is not None
            posted = api.send(line_id, due.reply["kind"], due.reply["body"], ref=due.hash)
            self._said(party, posted, None)

        self._work_on(party, True, reply)

    def _see_on(self, party: str, _line_id: str) -> None:
        def see(api: Api, due: Due) -> None:
            posted = api.post(f"/messages/{due.hash}/seen", {})
            self._note(party, posted)

        self._work_on(party, False, see)

    def _work_on(self, party: str, answers: bool, work: Callable[[Api, Due], None]) -> None:
        queue = self._due[party, answers]
        with self._members[party].api() as api:
            while not self._stop.is_set():
                if not queue or queue[0].at_s > time.monotonic():
                    self._stop.wait(0.02)
                    continue
                due = queue.popleft()
                try:
                    work(api, due)
                except Unreachable:
                    queue.appendleft(due)
                    self._stop.wait(0.05)
                except ApiError as error:
                    # Not there yet, or answered by a call whose answer was lost.
                    if error.status not in (404, 409, 503):
                        raise
                    now = time.monotonic()
                    if error.status != 409 and now < due.until_s:
                        queue.append(replace(due, at_s=now + GLANCE_S))

    def _answer_late_on(self, party: str, line_id: str) -> None:
        """Answer what is urgent and was missed: an answer of an API was lost with its node."""
        answered: deque[str] = deque(maxlen=10_000)
        with self._members[party].api() as api:
            while not self._stop.wait(5):
                try:
                    asked = api.alerts()
                except Unreachable:
                    continue
                for alert in asked:
                    kind, received, _ = alert["rule"].partition("_RECEIVED")
                    subject = alert["subject"]
                    if not received or subject in answered:
                        continue
                    if kind in ANSWERS:
                        done = self._answer(api, party, line_id, kind, subject)
                    elif age_s(alert) < MISSED_S:
                        continue
                    else:
                        done = self._see(api, party, subject)
                    if done:
                        answered.append(subject)

    def _answer(self, api: Api, party: str, line_id: str, kind: str, subject: str) -> bool:
        answer, body = ANSWERS[kind]
        if body is None:
            at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
            body = {"said": "NOT_OURS", "desk": "watch", "at_utc": at}
        return self._late(party, lambda: api.send(line_id, answer, body, ref=subject))

    def _see(self, api: Api, party: str, subject: str) -> bool:
        return self._late(party, lambda: api.post(f"/messages/{subject}/seen", {}))

    def _late(self, party: str, say: Callable[[], Any]) -> bool:
        try:
            posted = say()
        except Unreachable:
            return False
        except ApiError as error:
            # Shown a moment before it is durable, or answered by a post whose answer was lost.
            if error.status not in (404, 409, 503):
                raise
            return False
        self._note(party, posted)
        return True

    def _note(self, party: str, posted: Any) -> list[bytes]:
        """Remember what an API called durable, in this run and the next ones."""
        hashes = list(_hashes(posted))
        with self._lock:
            self.durable[party].update(hashes)
            self._kept.note(party, hashes)
        return hashes

    # ---- the end ----------------------------------------------------------------------------

    def _drain(self, line_id: str) -> None:
        self._enough.set()
        began = time.monotonic()
        apis = [self._members[party].api() for party in PARTIES]
        with apis[0], apis[1]:
            ends = began + DRAIN_S
            while not self._drained(apis, line_id):
                require(time.monotonic() < ends, f"owed after {DRAIN_S:g} s: {dict(self._owed)}")
                time.sleep(0.2)
        self.report.drain_s = time.monotonic() - began

    def _drained(self, apis: Sequence[Api], line_id: str) -> bool:
        self._raise_errors()
        one, other = (api.line(line_id) for api in apis)
        self._owed = Counter(
            alert["rule"]
            for api in apis
            for alert in api.alerts()
            if alert["rule"].removesuffix("_RECEIVED") in ANSWERS
        )
        for here, there in ((one, other), (other, one)):
            self._owed["receipts"] += int(here["own_seq"]) - int(here["receipted_seq"])
            self._owed["entries"] += int(here["own_seq"]) - int(there["peer_seq"])
        return not self._owed.total()

    def _open_alerts(self) -> set[str]:
        found = set()
        for party in PARTIES:
            with self._members[party].api() as api:
                found |= {alert["subject"] for alert in api.alerts()}
        return found

    def read_records(self, overdue: set[str]) -> None:
        """Read both records at rest, row by row; raises Violation."""
        with ExitStack() as stack:
            stores = {
                party: stack.enter_context(SqliteStore.open(member.folder.record_path))
                for party, member in self._members.items()
            }
            self._compare(stores, overdue)

    def _compare(self, stores: Mapping[str, SqliteStore], overdue: set[str]) -> None:
        asked: dict[bytes, str] = {}
        answered: set[bytes] = set()
        self.report.entries = 0
        for author in PARTIES:
            missing = self.durable[author]
            own = stores[author]
            (peer,) = (store for party, store in stores.items() if party != author)
            epochs = [head.epoch for head in own.epochs(self.line_id, author)]
            for epoch in epochs:
                held = peer.entries(self.line_id, author, epoch=epoch)
                for here in own.entries(self.line_id, author, epoch=epoch):
                    there = next(held, None)
                    # What its author left behind for a fresh epoch, it said again in that.
                    require(
                        epoch != epochs[-1] if there is None else _same(here, there),
                        f"the two records differ in {author}'s message {here.seq}, "
                        f"{read_envelope(here.data).kind}, of epoch {epochs.index(epoch) + 1} of "
                        f"{len(epochs)}: the peer {'lacks it' if there is None else 'has another'}",
                    )
                    name = bytes.fromhex(here.hash)
                    missing.discard(name)
                    self.report.entries += 1
                    if there is None:
                        continue
                    said = read_envelope(here.data)
                    if said.kind in ANSWERS:
                        asked[name] = author
                    elif said.ref is not None:
                        answered.add(bytes.fromhex(said.ref))
                require(next(held, None) is None, f"{author}'s record ends before its peer's")
            require(not missing, f"{author} lost {len(missing)} messages that it called durable")
        open_ = asked.keys() - answered
        silent = {name.hex() for name in open_} - overdue
        require(not silent, f"{len(silent)} questions have neither an answer nor an open alert")
        self.report.answered, self.report.overdue = len(asked) - len(open_), len(open_)

    def _kill_all(self) -> None:
        self._stop.set()
        for node in self._running.values():
            node.kill()

    def _raise_errors(self) -> None:
        if self._errors:
            for party, node in self._running.items():
                self._errors[0].add_note(f"{party}: {node.words()[-4_000:]}")
            raise self._errors[0]


def _hashes(posted: Any) -> Iterator[bytes]:
    """The messages that an answer of the API names as its own."""
    if isinstance(posted, dict) and len(str(posted.get("hash", ""))) == KNOWN:
        yield bytes.fromhex(posted["hash"])
    inner = posted.values() if isinstance(posted, dict) else posted
    if isinstance(posted, dict | list):
        for one in inner:
            yield from _hashes(one)


def age_s(alert: Mapping[str, Any]) -> float:
    """How long an alert has been standing."""
    raised = datetime.fromisoformat(alert["raised_utc"])
    return (datetime.now(UTC) - raised).total_seconds()


def _same(one: EntryRow, other: EntryRow) -> bool:
    return (one.data, one.signature) == (other.data, other.signature)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--messages", type=int, default=864_000)
    parser.add_argument("--rate", type=float, default=72.0, help="posts a second, both together")
    parser.add_argument("--fault-every", type=float, default=60.0, metavar="SECONDS")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="of this run at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--folder",
        type=Path,
        help="keep everything here, and go on from what is here; without it a new one that goes",
    )
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = options.folder or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-"))
        )
        kept = stack.enter_context(closing(SoakFolder(folder, PARTIES)))
        soak = Soak(kept, options.seed, options.rate, options.fault_every)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: soak.enough())
        try:
            report = soak.play(options.messages, most_s=options.seconds, progress=True)
        except Violation as violation:
            print(f"VIOLATION with seed {options.seed}: {violation}")
            raise SystemExit(1) from violation
    print("\n".join(report.lines()))
    if report.entries < options.messages:
        print(f"NOT WHOLE: {report.entries:,} of {options.messages:,} messages so far")


if __name__ == "__main__":
    main()
