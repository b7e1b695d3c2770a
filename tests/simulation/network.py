"""A network that drops, doubles, delays, reorders and alters, and cuts one direction or both."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.simulation.party import PartySimulator
from tests.simulation.setting import LineViolationError

from deconflict.errors import InvalidInputError, VerificationError
from deconflict.line.packets import Packet, decode_packets, encode_packets

if TYPE_CHECKING:
    from tests.simulation.run import Simulation


@dataclass
class Weather:
    """How bad it is."""

    drop: float = 0.05
    double: float = 0.1
    alter: float = 0.02
    most_delay_ms: int = 400
    crash: float = 0.004  # at every step, so between any two of a party's small steps
    cut_every_ms: int = 40_000
    say_every_ms: int = 4_000


CALM = Weather(0.0, 0.0, 0.0, 20, 0.0, 10**12, 10**12)


class SimulatedNetwork:
    """Bytes on their way; nothing about them is promised."""

    def __init__(self, simulation: "Simulation") -> None:
        self.simulation = simulation
        self.on_the_way: list[tuple[int, int, str, bytes, bool]] = []
        self.cut: set[str] = set()  # senders whose packets vanish
        self._count = 0

    def send(self, sender: PartySimulator, packets: list[Packet]) -> None:
        rng, weather = self.simulation.rng, self.simulation.weather
        if sender.name in self.cut or rng.random() < weather.drop:
            return
        for _ in range(2 if rng.random() < weather.double else 1):
            data, altered = encode_packets(packets), False
            if rng.random() < weather.alter:
                place = rng.randrange(len(data))
                flipped = data[place] ^ (1 << rng.randrange(8))
                data, altered = data[:place] + bytes([flipped]) + data[place + 1 :], True
            delay_ms = rng.randint(0, weather.most_delay_ms)
            if rng.random() < 0.02:
                delay_ms += rng.randint(0, 100 * weather.most_delay_ms)
            self._count += 1
            arrival = self.simulation.at_ms + delay_ms
            self.on_the_way.append((arrival, self._count, sender.peer, data, altered))
        self.on_the_way.sort()

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
                if not altered:
                    raise LineViolationError(f"{to} refused an honest packet: {error}") from error
