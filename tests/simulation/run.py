"""Two parties on one line, with disks that forget, a network that lies, and crashes anywhere.

Everything comes from one seed: the same seed plays the same run to the last byte, so a violation
found at night is replayed in the morning::

    python -m tests.simulation --hours 100 --seed 1

The machines are the ones of service. Around them everything fails: the disk keeps only a prefix
of what was not synced; the network drops, doubles, delays, reorders and alters packets, and cuts
one direction or both; a party crashes between any two of prepare, write, sync, seal, send, log
and receipt, and starts again. After every step the referee (``referee.py``,
where the invariants are listed) compares what the parties hold with what truly happened; and once
the faults stop, everything said is receipted and cosigned (:meth:`Simulation.drain`).
"""

import random
from collections.abc import Callable

from tests.simulation.network import CALM, SimulatedNetwork, Weather
from tests.simulation.party import PartySimulator
from tests.simulation.referee import Ghost, Referee
from tests.simulation.setting import PARTIES, LineViolationError

from deconflict.line.keys import SigningKey, line_id
from deconflict.line.machine import LineIdentity


class Simulation:
    """One run: two parties, one line, one seed."""

    def __init__(
        self,
        seed: int,
        *,
        blue: type[PartySimulator] = PartySimulator,
        red: type[PartySimulator] = PartySimulator,
        weather: Weather | None = None,
    ) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        self.weather = weather or Weather()
        self.at_ms = 0
        self.steps_taken = 0
        self.referee = Referee(self)
        self.keys = {name: SigningKey.generate(self.rng.randbytes) for name in PARTIES}
        self.line = line_id(*(x for name in PARTIES for x in (name, self.keys[name].key_id)))
        self.network = SimulatedNetwork(self)
        self.parties = {
            "blue": blue(self, "blue", "red", self.keys["blue"]),
            "red": red(self, "red", "blue", self.keys["red"]),
        }
        self._timers: dict[str, int] = {}
        for party in self.parties.values():
            party.boot()
        self.happenings()  # draws the first time of each

    @property
    def ghost(self) -> Ghost:
        return self.referee.ghost

    def identity_of(self, name: str) -> LineIdentity:
        peer = "red" if name == "blue" else "blue"
        verify = self.keys[peer].verify_key
        return LineIdentity(self.line, name, peer, self.keys[name], {verify.key_id: verify})

    # -- the run -------------------------------------------------------------------------------

    def run(self, duration_ms: int) -> None:
        """Play until ``duration_ms`` more have passed; raises LineViolationError at the first."""
        end_ms = self.at_ms + duration_ms
        while self.at_ms < end_ms:
            self.step(end_ms)

    def drain(self) -> None:
        """Stop all faults; everything said must be receipted on both sides, and cosigned, in time.

        Answers are still said for a while, each of which is to be cosigned too.
        """
        self.weather, self.network.cut = CALM, set()
        self._timers.clear()
        for party in self.parties.values():
            if party.machine is None:
                party.boot()
        self._run_until(self.drained, 30_000)
        self._run_until(self.cosigned, 150_000)

    def _run_until(self, true: Callable[[], bool], most_ms: int) -> None:
        end_ms = self.at_ms + most_ms
        while not true():
            if self.at_ms >= end_ms:
                raise LineViolationError(f"seed {self.seed}: not {true.__name__} in {most_ms} ms")
            self.step(end_ms)

    def drained(self) -> bool:
        return all(
            party.live.own_head == party.live.own_receipted and not any(party.steps())
            for party in self.parties.values()
        )

    def cosigned(self) -> bool:
        return self.drained() and all(
            party.live.checkpoints.own_cosigned.size == len(party.disk.own)
            for party in self.parties.values()
        )

    def step(self, end_ms: int) -> None:
        """Take one step: somebody's, the network's, a fault, or time itself."""
        self.steps_taken += 1
        choices = [step for party in self.parties.values() for step in party.steps()]
        if self.network.due():
            choices += [self.network.deliver] * 2
        if choices and self.rng.random() < 0.97:
            self.rng.choice(choices)()
        else:
            self.pass_time(end_ms)
        self.happenings()
        self.referee.check_line()

    def pass_time(self, end_ms: int) -> None:
        times = [end_ms, *self._timers.values()]
        if self.network.on_the_way:
            times.append(self.network.on_the_way[0][0])
        for party in self.parties.values():
            if party.machine is not None:
                for due_ms in (
                    party.machine.next_deadline_ms(),
                    party.machine.checkpoints.next_ms(),
                ):
                    times += [] if due_ms is None else [due_ms - party.skew_ms]
                times += [at_ms for at_ms, _, _ in party.to_answer[:1]]
        ahead = [at_ms for at_ms in times if at_ms > self.at_ms]
        self.at_ms = min(*ahead, self.at_ms + 60_000) if ahead else self.at_ms + 1
        for party in self.parties.values():
            party.tick()

    def happenings(self) -> None:
        for party in self.parties.values():
            if self._happens(f"{party.name} says", self.weather.say_every_ms) and party.machine:
                kind = self.rng.choice(("NOTIFY", "NOTIFY", "NOTIFY", "QUERY", "CEASE"))
                party.say(kind, expires_after_ms=self.rng.choice((None, None, 5_000, 60_000)))
            if party.machine is None:
                if self._happens(f"{party.name} boots", 5_000):
                    party.boot()
            elif self.rng.random() < self.weather.crash:
                party.crash()
        if self.network.cut:
            if self._happens("heal", 8_000):
                self.network.cut = set()
        elif self._happens("cut", self.weather.cut_every_ms):
            self.network.cut = set(self.rng.choice((PARTIES, PARTIES[:1], PARTIES[1:])))

    def _happens(self, what: str, every_ms: int) -> bool:
        """True exactly when the random time of ``what`` has come; then a new one is drawn."""
        at_ms = self._timers.get(what)
        if at_ms is None or at_ms <= self.at_ms:
            self._timers[what] = self.at_ms + 1 + int(self.rng.expovariate(1 / every_ms))
        return at_ms is not None and at_ms <= self.at_ms


def play(
    seed: int,
    *,
    minutes: float = 2.0,
    blue: type[PartySimulator] = PartySimulator,
    red: type[PartySimulator] = PartySimulator,
) -> Simulation:
    """Play one run and drain it; raises LineViolationError at the first violation."""
    simulation = Simulation(seed, blue=blue, red=red)
    simulation.run(int(minutes * 60_000))
    simulation.drain()
    return simulation
