"""A network that drops, doubles, delays, reorders, alters and replays, and cuts a direction."""

import bisect
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.simulation.party import PartySimulator
from tests.simulation.setting import PARTIES, LineViolationError

from deconflict.errors import InvalidInputError, VerificationError
from deconflict.line.packets import Packet, decode_packets, encode_packets

if TYPE_CHECKING:
    from tests.simulation.run import Simulation

NEVER_MS = 10**15
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
SHORTEST_CUT_MS = 500
_REPLAYABLE = 50


@dataclass(frozen=True)
class Weather:
    """How bad it is. Probabilities of a packet or a step, mean pauses of what happens in time."""

    drop: float = 0.05
    double: float = 0.1
    alter: float = 0.02
    replay: float = 0.01
    hold: float = 0.002  # in the network, for seconds to days
    most_delay_ms: int = 400
    crash: float = 0.004  # of each party at every step, so between any two of its small steps
    io_error: float = 0.002  # at every flush
    cut_every_ms: int = 40_000
    long_cut_every_ms: int = NEVER_MS
    clock_every_ms: int = 60_000
    full_every_ms: int = 600_000
    stall_every_ms: int | None = None  # a flush takes seconds; None: never
    say_every_ms: int = 4_000
    burst_every_ms: int | None = None  # None: always busy; else the pause between busy minutes


BUSY = Weather()
CALM = Weather(
    drop=0.0,
    double=0.0,
    alter=0.0,
    replay=0.0,
    hold=0.0,
    most_delay_ms=20,
    crash=0.0,
    io_error=0.0,
    cut_every_ms=NEVER_MS,
    clock_every_ms=NEVER_MS,
    full_every_ms=NEVER_MS,
    say_every_ms=NEVER_MS,
)


class SimulatedNetwork:
    """Bytes on their way; nothing about them is promised."""

    def __init__(self, simulation: "Simulation") -> None:
        self.simulation = simulation
        self.on_the_way: list[tuple[int, int, str, bytes, bool]] = []
        self.cut: frozenset[str] = frozenset()  # senders whose packets vanish
        self.cut_until_ms = 0
        self._count = 0
        self._past: deque[tuple[str, bytes]] = deque(maxlen=_REPLAYABLE)

    def cut_for(self, length_ms: int) -> None:
        simulation = self.simulation
        self.cut = frozenset(simulation.rng.choice((PARTIES, PARTIES[:1], PARTIES[1:])))
        self.cut_until_ms = simulation.at_ms + length_ms
        simulation.tally.cuts += 1
        simulation.tally.one_way_cuts += len(self.cut) == 1
        simulation.tally.cut_ms += length_ms

    def heal(self) -> None:
        self.cut = frozenset()

    def is_cut_for(self, ms: int) -> bool:
        """True exactly when a direction is cut, and stays so longer than that."""
        return bool(self.cut) and self.cut_until_ms - self.simulation.at_ms > ms

    def send(self, sender: PartySimulator, packets: list[Packet]) -> None:
        rng, weather = self.simulation.rng, self.simulation.weather
        if sender.name in self.cut or rng.random() < weather.drop:
            return
        data = encode_packets(packets)
        self._past.append((sender.peer, data))
        for _ in range(2 if rng.random() < weather.double else 1):
            self._carry(sender.peer, data, rng.randint(0, weather.most_delay_ms))
        if rng.random() < weather.replay:
            to, old = rng.choice(self._past)
            self.simulation.tally.replays += 1
            self._carry(to, old, self._long_ms(6 * HOUR_MS))

    def _carry(self, to: str, data: bytes, delay_ms: int) -> None:
        rng, weather = self.simulation.rng, self.simulation.weather
        altered = rng.random() < weather.alter
        if altered:
            place = rng.randrange(len(data))
            flipped = data[place] ^ (1 << rng.randrange(8))
            data = data[:place] + bytes([flipped]) + data[place + 1 :]
        if rng.random() < 0.02:
            delay_ms += rng.randint(0, 100 * weather.most_delay_ms)
        if rng.random() < weather.hold:
            self.simulation.tally.held += 1
            delay_ms += self._long_ms(7 * DAY_MS)
        self._count += 1
        arrival = self.simulation.at_ms + delay_ms
        bisect.insort(self.on_the_way, (arrival, self._count, to, data, altered))

    def _long_ms(self, most_ms: int) -> int:
        return int(10_000 * (most_ms / 10_000) ** self.simulation.rng.random())

    def due(self) -> bool:
        return bool(self.on_the_way) and self.on_the_way[0][0] <= self.simulation.at_ms

    def deliver(self) -> None:
        _, _, to, data, altered = self.on_the_way.pop(0)
        party = self.simulation.parties[to]
        if party.machine is None:
            return
        try:
            packets = decode_packets(data)
        except InvalidInputError:
            if not altered:
                raise
            return
        for packet in packets:
            try:
                party.deliver(packet)
            except (VerificationError, InvalidInputError) as error:
                if not altered and not self.simulation.parties[party.peer].lies:
                    raise LineViolationError(
                        f"seed {self.simulation.seed}: {to} refused an honest packet: {error}"
                    ) from error
