"""A pair of line machines, driven by Hypothesis a small step at a time, held against the referee.

The simulation draws its steps by seed; here Hypothesis chooses them, looks for what breaks an
invariant, and reduces what it finds to the fewest steps that do.
"""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.simulation.network import CALM
from tests.simulation.party import PartySimulator
from tests.simulation.run import Simulation
from tests.simulation.setting import PARTIES, LineViolationError

from deconflict.errors import ForkedChainError, InvalidInputError, VerificationError
from deconflict.line.packets import Packet, decode_packets, encode_packets
from effort import examples

parties = st.sampled_from(PARTIES)
KINDS = st.sampled_from(("NOTIFY", "QUERY", "CEASE"))
EXPIRIES = st.sampled_from((None, 5_000, 60_000))
PAUSES_MS = st.sampled_from((1, 499, 500, 2_000, 5_000, 10_000, 30_000, 120_000, 86_400_000))


class TheLine(RuleBasedStateMachine):
    """Two parties, and a network that is a bag: anything in it may come, again, or never."""

    @initialize(seed=st.integers(0, 2**32))
    def begin(self, seed: int) -> None:
        self.simulation = Simulation(seed, weather=CALM)
        self.bag: list[tuple[str, bytes]] = []
        network = self.simulation.network
        network.send = self.put  # type: ignore[method-assign]

    def put(self, sender: PartySimulator, packets: list[Packet]) -> None:
        self.bag.append((sender.peer, encode_packets(packets)))

    def party(self, name: str) -> PartySimulator:
        return self.simulation.parties[name]

    @rule(name=parties, kind=KINDS, expires_after_ms=EXPIRIES)
    def says(self, name: str, kind: str, expires_after_ms: int | None) -> None:
        if self.party(name).machine is not None:
            self.party(name).say(kind, expires_after_ms=expires_after_ms)

    @rule(name=parties, choice=st.integers(0, 5))
    def takes_a_step(self, name: str, choice: int) -> None:
        steps = list(self.party(name).steps())
        if steps:
            steps[choice % len(steps)]()

    @rule(name=parties)
    def takes_all_its_steps(self, name: str) -> None:
        for _ in range(200):
            step = next(iter(self.party(name).steps()), None)
            if step is None:
                return
            step()

    @precondition(lambda self: self.bag)
    @rule(choice=st.integers(0, 2**16), again=st.booleans())
    def something_arrives(self, choice: int, again: bool) -> None:
        place = choice % len(self.bag)
        to, data = self.bag[place] if again else self.bag.pop(place)
        if self.party(to).machine is not None:
            for packet in decode_packets(data):
                self.party(to).deliver(packet)

    @precondition(lambda self: self.bag)
    @rule(choice=st.integers(0, 2**16), place=st.integers(0, 2**16), bit=st.integers(0, 7))
    def something_arrives_altered(self, choice: int, place: int, bit: int) -> None:
        to, data = self.bag[choice % len(self.bag)]
        at = place % len(data)
        altered = data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :]
        if self.party(to).machine is None:
            return
        try:
            for packet in decode_packets(altered):
                self.party(to).deliver(packet)
        except ForkedChainError:
            raise
        except (VerificationError, InvalidInputError):
            return

    @precondition(lambda self: self.bag)
    @rule()
    def everything_is_lost(self) -> None:
        self.bag.clear()

    @rule(name=parties)
    def crashes(self, name: str) -> None:
        if self.party(name).machine is not None:
            self.party(name).crash()

    @rule(name=parties)
    def starts(self, name: str) -> None:
        if self.party(name).machine is None:
            self.party(name).boot()

    @rule(pause_ms=PAUSES_MS)
    def time_passes(self, pause_ms: int) -> None:
        end_ms = self.simulation.at_ms + pause_ms
        while self.simulation.at_ms < end_ms:  # every alarm at its moment
            self.simulation.pass_time(end_ms)

    @rule(name=parties)
    def a_clock_fails(self, name: str) -> None:
        self.party(name).clock.fail(self.simulation.at_ms)

    @invariant()
    def the_line_keeps_its_promises(self) -> None:
        self.simulation.referee.check_line()

    def teardown(self) -> None:
        if hasattr(self, "simulation"):
            del self.simulation.network.send
            self.simulation.drain()


TheLine.TestCase.settings = examples(25, steps=50)
TestTheLine = TheLine.TestCase


def test_the_referee_is_asked() -> None:
    """What the machine above relies on: a receipt before the disk does not pass."""
    simulation = Simulation(1, weather=CALM)
    blue, red = (simulation.parties[name] for name in PARTIES)
    blue.say("NOTIFY")
    blue.sync()
    blue.seal()
    sealed = blue.live.transmittable(blue.now)
    simulation.referee.note_signed(blue, sealed[0])
    red.hear(sealed[0])
    red.receipt_for(red.unsynced_peer)
    red.disk.refuse()
    with pytest.raises(LineViolationError, match=r"^I1"):
        simulation.referee.check_line()
