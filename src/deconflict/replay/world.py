"""Real node cores on one virtual clock, joined by a network that this file decides.

The same cores, machines, keys and stores as in service; only clock, wires and disk (a database in
memory) are others. What happens is decided by the calls made here and a seed, so the same run can
be had again to the last byte.
"""

import heapq
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

from deconflict.errors import DeconflictError
from deconflict.line.envelope import SealedEnvelope
from deconflict.line.keys import SigningKey, line_id
from deconflict.line.moment import Now
from deconflict.line.packets import Packet, decode_packets, encode_packets
from deconflict.line.resync import WHOLE, Silence
from deconflict.line.root import Root
from deconflict.node.core import NodeCore, Say
from deconflict.node.line import Line
from deconflict.node.line_keys import LineKeys
from deconflict.node.views import AlertView, EventView, Posted
from deconflict.node.work import Work
from deconflict.store.base import Batch, LineRow
from deconflict.store.sqlite import SqliteStore

__all__ = ["DESKS", "Received", "Station", "World"]

DESKS: Final = ("watch", "deputy")
_TICK_MS: Final = 1_000  # a node looks at what time brings at least so often
_AWAKE_MS: Final = 5_000  # how long it is stepped second by second after something happened
_IDLE_MS: Final = 3_600_000  # how far apart the steps may be when nothing is due
_LEAST_STEP_MS: Final = 10
_ARRIVALS: Final = 8  # what people do at an instant comes before what arrives at it


@dataclass(frozen=True, slots=True)
class Received:
    """A body that came to a party: packets, or the answer to its own."""

    at_ms: int
    line_id: str
    sender: str
    body: bytes


@dataclass(slots=True)
class Station:
    """One party: its node's core, its store, and all that it showed and received."""

    party: str
    core: NodeCore
    store: SqliteStore
    events: list[EventView] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    errors: list[DeconflictError] = field(default_factory=list)

    def line(self, peer: str) -> Line:
        """Return the line with a peer."""
        return self.core.line_named(peer)

    def alerts(self) -> dict[tuple[str, str | None], AlertView]:
        """Return the open alerts by rule and subject."""
        return {(alert.rule, alert.subject): alert for alert in self.core.alerts}


class World:
    """Parties, lines and a clock.

    Args:
        start_ms: UTC of the start.
        seed: of delays and of the order of what happens at one instant. 0: one fixed delay and
            the order given, which is easiest to follow.
    """

    def __init__(self, start_ms: int, *, seed: int = 0) -> None:
        self.stations: dict[str, Station] = {}
        self.roots: dict[str, Root] = {}  # by party, pinned with its key on every line made later
        self.lost: set[str] = set()  # hashes of envelopes that never arrive
        self._start_ms = start_ms
        self._utc_ms = start_ms
        self._seed = seed
        self._posts: dict[tuple[str, str], int] = {}
        self._agenda: list[tuple[int, int, float, int, Callable[[], None]]] = []
        self._count = 0
        self._pairs: list[tuple[Station, Station, str]] = []
        self._cuts: list[tuple[frozenset[str], int, int | None]] = []
        self._beaten_ms: int | None = None
        self._awake_until_ms = start_ms

    # ---- who is there --------------------------------------------------------------------

    @property
    def now(self) -> Now:
        """The present, on both clocks of every party."""
        return Now(self._utc_ms, self._utc_ms - self._start_ms + 1_000_000)

    def add_party(self, party: str, *, language: str = "en") -> Station:
        """Give a party a node of its own, with its key and an empty store."""
        rng = random.Random(f"{party}/{self._seed}")  # noqa: S311 (has to come again)
        store = SqliteStore.open(":memory:", create=True)
        core = NodeCore(
            party=party,
            desks=DESKS,
            language=language,
            # The key belongs to the party, whatever the seed of the run.
            key=SigningKey.generate(random.Random(party).randbytes),  # noqa: S311
            store=store,
            random_bytes=rng.randbytes,
        )
        station = self.stations[party] = Station(party, core, store)
        return station

    def connect(self, one: str, other: str) -> str:
        """Join two parties by a line, each holding the other's key; return its id."""
        a, b = self.stations[one], self.stations[other]
        line = line_id(one, a.core.key.key_id, other, b.core.key.key_id)
        for own, peer in ((a, b), (b, a)):
            row = LineRow(
                line_id=line,
                own_party=own.party,
                peer_party=peer.party,
                created_utc_ms=self._utc_ms,
            )
            own.store.commit(Batch(lines=[row]))
            self._restore(own, peer, line)
        self._pairs.append((a, b, line))
        return line

    def connect_all(self) -> None:
        """Join every two parties by a line."""
        for one, other in combinations(self.stations, 2):
            self.connect(one, other)

    def restart(
        self, party: str, *, store: SqliteStore | None = None, silence: Silence = WHOLE
    ) -> Station:
        """Start a party's node anew from its store, as after a crash.

        Args:
            party: whose.
            store: another record in its place, as an older copy put back.
            silence: what its guard finds.
        """
        old = self.stations[party]
        if store is not None:
            old.store.close()
            old.store = store
        core = NodeCore(
            party=party,
            desks=DESKS,
            language=old.core.language,
            key=old.core.key,
            keys=old.core.keys,
            store=old.store,
            random_bytes=old.core.random_bytes,
        )
        old.core = core
        for a, b, line in self._pairs:
            if old in (a, b):
                self._restore(old, b if a is old else a, line, silence)
        self._stay_awake()
        return old

    def _restore(self, own: Station, peer: Station, line: str, silence: Silence = WHOLE) -> None:
        held = Line.restore(
            own.store,
            line_id=line,
            own=own.party,
            peer=peer.party,
            keys=LineKeys(
                own.core.keys,
                peer.core.key.verify_key,
                self.roots.get(own.party),
                self.roots.get(peer.party),
            ),
            peer_desk=DESKS[0],
            random_bytes=own.core.random_bytes,
            now=self.now,
            silence=silence,
        )
        own.core.add_line(held, self.now)

    def close(self) -> None:
        """Give the stores back."""
        for station in self.stations.values():
            station.store.close()

    # ---- what people do ------------------------------------------------------------------

    def say(self, party: str, peer: str, says: Sequence[Say]) -> tuple[Posted, ...]:
        """Say messages on the line with a peer, all or none; raises what the core raises."""
        station = self.stations[party]
        work, posted = station.core.say(station.line(peer).line_id, says, self.now)
        self.commit(station, work)
        return posted

    def commit(self, station: Station, work: Work) -> None:
        """Make a turn durable, finish it, and let its consequences begin."""
        if not work.is_empty():
            station.store.commit(work.batch())
            work.finish(self.now)
            station.events.extend(work.events)
            if work.events or work.entries:
                self._stay_awake()

    def cut(self, one: str, other: str, from_ms: int, until_ms: int | None = None) -> None:
        """Let nothing through between two parties from an instant on, until another or for ever."""
        self._cuts.append((frozenset((one, other)), from_ms, until_ms))
        for at_ms in (from_ms, until_ms):
            if at_ms is not None:
                self.at(at_ms, self._stay_awake)

    def at(self, utc_ms: int, action: Callable[[], None], *, rank: int = 0) -> None:
        """Have something done at an instant; of one instant, the lower rank first.

        Within one rank the order is that of the calls, or random with a seed.
        """
        self._count += 1
        draw = self._rng("order", utc_ms, rank, self._count).random() if self._seed else 0.0
        heapq.heappush(self._agenda, (utc_ms, rank, draw, self._count, action))

    def look_at(self, utc_ms: int) -> None:
        """Have every node look at an instant at which something it knows begins or ends."""
        self.at(utc_ms, self._stay_awake, rank=9)

    # ---- time ----------------------------------------------------------------------------

    def run_until(self, utc_ms: int) -> None:
        """Let time pass up to and including an instant."""
        self._step()
        while self._utc_ms < utc_ms:
            self._utc_ms = max(min(self._next_ms(), utc_ms), self._utc_ms + 1)
            self._step()

    def run_for(self, seconds: float) -> None:
        """Let some seconds pass."""
        self.run_until(self._utc_ms + round(seconds * 1_000))

    def _step(self) -> None:
        while self._agenda and self._agenda[0][0] <= self._utc_ms:
            heapq.heappop(self._agenda)[-1]()
        self._beat()
        stations = list(self.stations.values())
        if self._seed:
            self._rng("stations", self._utc_ms).shuffle(stations)
        for station in stations:
            self.commit(station, station.core.advance(self.now))
        for station in stations:
            self._talk(station)

    def _next_ms(self) -> int:
        times = [self._utc_ms + _IDLE_MS]
        if self._utc_ms < self._awake_until_ms:
            times.append(self._utc_ms + _TICK_MS)
        if self._agenda:
            times.append(self._agenda[0][0])
        for station in self.stations.values():
            core = station.core
            for due_ms in (core.next_limit_ms(), *map(core.next_send_ms, core.lines)):
                if due_ms is not None:
                    wait_ms = due_ms - self.now.monotonic_ms
                    times.append(self._utc_ms + max(wait_ms, _LEAST_STEP_MS))
        return min(times)

    def _rng(self, *what: object) -> random.Random:
        # Each thing drawn for itself: more of one must not change the other, or what one party
        # keeps to itself would show at another in the drawn delays.
        return random.Random(repr((self._seed, what)))  # noqa: S311 (order and delay, no secret)

    def _stay_awake(self) -> None:
        self._awake_until_ms = self._utc_ms + _AWAKE_MS

    # ---- the network ---------------------------------------------------------------------

    def _beat(self) -> None:
        """Let beats pass. Where steps lie far apart, they stand for the ones of every second."""
        last, self._beaten_ms = self._beaten_ms, self._utc_ms
        if last is not None and self._utc_ms - last < _TICK_MS:
            self._beaten_ms = last
            return
        for a, b, line in self._pairs:
            if self._is_cut(a, b):
                continue
            for _ in range(2):  # the second echoes the answer to the first
                answer = b.core.heard_beat(a.party, line, a.core.beat(line, self.now), self.now)
                a.core.beat_answered(line, answer, self.now)

    def _is_cut(self, a: Station, b: Station) -> bool:
        pair = frozenset((a.party, b.party))
        return any(
            cut == pair and from_ms <= self._utc_ms and (until is None or self._utc_ms < until)
            for cut, from_ms, until in self._cuts
        )

    def _talk(self, station: Station) -> None:
        for a, b, line in self._pairs:
            if station is a or station is b:
                packets = station.core.to_send(line, self.now)
                self._post(station, b if station is a else a, line, packets, answers=True)

    def _post(
        self, sender: Station, to: Station, line: str, packets: Iterable[Packet], *, answers: bool
    ) -> None:
        kept = [
            packet
            for packet in packets
            if not (isinstance(packet, SealedEnvelope) and packet.hash in self.lost)
        ]
        if not kept or self._is_cut(sender, to):
            return
        body = encode_packets(kept)
        way = (sender.party, to.party)
        self._posts[way] = number = self._posts.get(way, 0) + 1
        delay_ms = self._rng(*way, number).randint(1, 900) if self._seed else 20
        self.at(
            self._utc_ms + delay_ms,
            lambda: self._arrive(sender, to, line, body, answers=answers),
            rank=_ARRIVALS,
        )

    def _arrive(
        self, sender: Station, to: Station, line: str, body: bytes, *, answers: bool
    ) -> None:
        if self._is_cut(sender, to):
            return
        to.received.append(Received(self._utc_ms, line, sender.party, body))
        heard = to.core.hear(sender.party, line, decode_packets(body), self.now)
        self.commit(to, heard.work)
        if heard.error is not None:
            to.errors.append(heard.error)
        elif answers:
            self._post(to, sender, line, heard.answer(), answers=False)
