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

from tests.simulation.disk import SimulatedDisk
from tests.simulation.network import (
    BUSY,
    CALM,
    DAY_MS,
    SHORTEST_CUT_MS,
    SimulatedNetwork,
    Weather,
)
from tests.simulation.party import LAST_REPEATS_MS, PartySimulator
from tests.simulation.referee import Ghost, Referee
from tests.simulation.setting import PARTIES, LineViolationError
from tests.simulation.standin import StandInKey
from tests.simulation.stored import StoredDisk
from tests.simulation.tally import Tally

from deconflict.line.key_ring import KeyRing, OwnKeys
from deconflict.line.keys import SigningKey, line_id
from deconflict.line.machine import LineIdentity


class Simulation:
    """One run: two parties, one line, one seed."""

    referee_kind: type[Referee] = Referee

    def __init__(
        self,
        seed: int,
        *,
        blue: type[PartySimulator] = PartySimulator,
        red: type[PartySimulator] = PartySimulator,
        weather: Weather = BUSY,
        real: bool = False,
    ) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        self.weather = weather
        self.real = real
        self.at_ms = 0
        self.tally = Tally(runs=1, real_runs=int(real))
        self.referee = self.referee_kind(self)
        key = SigningKey if real else StandInKey
        self.keys = {name: key.generate(self.rng.randbytes) for name in PARTIES}
        self.line = line_id(*(x for name in PARTIES for x in (name, self.keys[name].key_id)))
        self.network = SimulatedNetwork(self)
        self.parties = {
            "blue": blue(self, "blue", "red", self.keys["blue"]),
            "red": red(self, "red", "blue", self.keys["red"]),
        }
        self._busy_until_ms = 0
        self._timers: dict[str, int] = {}
        self._next_happening_ms = 0
        for party in self.parties.values():
            party.boot()
        self._happen()  # draws the first time of each

    @property
    def ghost(self) -> Ghost:
        return self.referee.ghost

    def disk_of(self, name: str, peer: str) -> SimulatedDisk:
        return StoredDisk(self, name, peer) if self.real else SimulatedDisk()

    def identity_of(self, name: str) -> LineIdentity:
        peer = "red" if name == "blue" else "blue"
        key, peer_key = self.keys[name], self.keys[peer].verify_key
        return LineIdentity(
            self.line,
            name,
            peer,
            key,
            KeyRing(peer, peer_key),
            KeyRing(name, key.verify_key),
            OwnKeys(key),
        )

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
        self.weather = CALM
        self.network.heal()
        self._timers.clear()
        self._happen()
        for party in self.parties.values():
            party.disk.full_until_ms = party.disk.stalled_until_ms = 0
            if party.machine is None:
                party.boot()
        self._run_until(self.drained, 30_000)
        self._run_until(self.cosigned, 150_000)

    def close(self) -> None:
        """Count what is counted at the end, and give the disks back."""
        self.tally.link_ms = self.at_ms
        for party in self.parties.values():
            self.tally.clock_faults += party.clock.faults
            if isinstance(party.disk, StoredDisk):
                self.tally.commits += party.disk.commits
                self.tally.proofs += party.disk.proofs
            party.disk.close()

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
        self.tally.steps += 1
        choices = [step for party in self.parties.values() for step in party.steps()]
        if self.network.due():
            choices += [self.network.deliver] * 2
        if choices and self.rng.random() < 0.97:
            self.rng.choice(choices)()
        else:
            self.pass_time(min(end_ms, self.at_ms + 2_000) if choices else end_ms)
        if self.rng.random() < 2 * self.weather.crash:
            party = self.parties[self.rng.choice(PARTIES)]
            if party.machine is not None:
                party.crash()
        if self.at_ms >= self._next_happening_ms:
            self._happen()
        self.referee.check_line()

    def pass_time(self, end_ms: int) -> None:
        """Go on to the next moment at which anything can happen."""
        times = [end_ms, self._next_happening_ms]
        if self.network.on_the_way:
            times.append(self.network.on_the_way[0][0])
        parties = self.parties.values()
        times += [ms for party in parties if (ms := party.next_ms()) is not None]
        if self.network.cut:
            times.append(self.network.cut_until_ms - LAST_REPEATS_MS)
        else:
            for party in parties:
                party.measure()
        self.at_ms = min((ms for ms in times if ms > self.at_ms), default=self.at_ms + 1)
        # A limit that was skipped is judged by what was told before, not by what is told now: of
        # what was receipted in time, the next thing owed may be told in this very step.
        self.referee.check_limits()
        for party in parties:
            party.tick()

    def died(self) -> None:
        """A party went down: draw when it starts again."""
        self._next_happening_ms = self.at_ms

    # -- what happens by itself ----------------------------------------------------------------

    def _happen(self) -> None:
        weather, rng = self.weather, self.rng
        if weather.burst_every_ms is not None and self._happens("burst", weather.burst_every_ms):
            self._busy_until_ms = self.at_ms + rng.randint(5_000, 40_000)
            for what in ("blue says", "red says", "cut"):
                self._timers.pop(what, None)
        busy = weather.burst_every_ms is None or self.at_ms < self._busy_until_ms
        for party in self.parties.values():
            if busy and self._happens(f"{party.name} says", weather.say_every_ms):
                self._say(party)
            boots = f"{party.name} boots"
            if party.machine is None and self._happens(boots, self._boot_ms()):
                del self._timers[boots]
                party.boot()
            if self._happens(f"{party.name} clock", weather.clock_every_ms):
                party.clock.fail(self.at_ms)
            if self._happens(f"{party.name} fills up", weather.full_every_ms):
                party.disk.full_until_ms = self.at_ms + rng.randint(1_000, 60_000)
            stall_ms = weather.stall_every_ms
            if stall_ms is not None and self._happens(f"{party.name} stalls", stall_ms):
                party.disk.stalled_until_ms = self.at_ms + rng.randint(500, 20_000)
        if self.network.cut:
            if self.at_ms >= self.network.cut_until_ms:
                self.network.heal()
        elif self._happens("long cut", weather.long_cut_every_ms):
            self.network.cut_for(int(SHORTEST_CUT_MS * (DAY_MS / SHORTEST_CUT_MS) ** rng.random()))
        elif busy and self._happens("cut", weather.cut_every_ms):
            self.network.cut_for(1 + int(rng.expovariate(1 / 8_000)))
        if not busy:
            for what in ("blue says", "red says", "cut"):
                self._timers.pop(what, None)
        self.happen_too()
        ahead = [at_ms for at_ms in self._timers.values() if at_ms > self.at_ms]
        if self.network.cut:
            ahead.append(self.network.cut_until_ms)
        self._next_happening_ms = min(ahead)

    def happen_too(self) -> None:
        """Do what else happens by itself; for simulations with faults of their own."""

    def _say(self, party: PartySimulator) -> None:
        if party.machine is not None:
            kind = self.rng.choice(("NOTIFY", "NOTIFY", "NOTIFY", "QUERY", "CEASE"))
            party.say(kind, expires_after_ms=self.rng.choice((None, None, 5_000, 60_000)))

    def _boot_ms(self) -> int:
        return 3_600_000 if self.weather.burst_every_ms and self.rng.random() < 0.02 else 5_000

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
    weather: Weather = BUSY,
    real: bool = False,
    drain: bool = True,
) -> Simulation:
    """Play one run and drain it; raises LineViolationError at the first violation."""
    simulation = Simulation(seed, blue=blue, red=red, weather=weather, real=real)
    try:
        simulation.run(int(minutes * 60_000))
        if drain:
            simulation.drain()
    finally:
        simulation.close()
    return simulation
