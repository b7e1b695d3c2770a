"""Old backups in the simulator: either side put back at any time, also while it re-synchronises.

The machines are the ones of service, through many epochs; disk, guard and network are simulated.
Around the faults of ``run.py`` stand those of a backup: a disk is put back to what it was at
an earlier moment, the guard stays, is lost as well, or is put back from the same copy; both sides
may be put back, and in overlap; people have a mute node speak without its peer's word; old answers
come once more::

    python -m tests.simulation.restores --restores 1000 --seed 1

    I1  a receipt issued is true of its signer's log, or its signer is deaf or has not asked yet
        since its start (where one side alone was ever put back), and one held is so always
    I2  nothing is logged that its author did not sign
    I3  both logs agree up to the receipt held
    I4  no two signatures for one slot
    I9  nobody suspects an honest peer

A guard of the same copy shows nothing, and only what reached the peer can be asked for: what was
signed after the copy and never held by the peer counts as never signed, and what of it is on its
way is lost. Nobody asks of a chain that is empty. I1, I4 and I9 hold for all the rest. Who was told
to speak without asking finds out what it lacks by the refusal: until then I3 asks nothing of it.

Once the faults stop, both speak again and everything said is receipted. Alarms, expiry, trees
and cosignatures are the business of ``run.py``: here nothing checks them.
"""

import argparse
import sys
import time

from tests.simulation.network import CALM, Weather
from tests.simulation.party import PartySimulator
from tests.simulation.referee import Referee
from tests.simulation.restoring_party import AnyCopyParty, RestoringParty
from tests.simulation.run import Simulation
from tests.simulation.setting import LineViolationError

from deconflict.errors import DeconflictError
from deconflict.line.envelope import SealedEnvelope
from deconflict.line.outgoing import OutgoingEntry
from deconflict.line.packets import Packet, encode_packets
from deconflict.line.statement import ChainPoint


class RestoreReferee(Referee):
    """Sees what becomes of receipts and signatures while disks are put back."""

    def note_said(self, party: PartySimulator, entry: OutgoingEntry) -> None:
        return

    def check_line(self) -> None:
        simulation = self.simulation
        assert isinstance(simulation, RestoreSimulation)
        both = simulation.both
        for author, signer in zip(both, both[::-1], strict=True):
            # Who has not asked yet since its start is on the way to what it receipted, or deaf.
            if signer.machine is None or signer.machine.resync.silence.unheard:
                continue
            if signer.machine.resync.deaf:
                continue
            logged = signer.durable.peer
            if author.machine is not None and author.machine.speaks:
                held = author.machine.receipted_on_way
                told = author.was_told or signer.was_told
                if held is not None and not told and not logged.holds(held):
                    raise LineViolationError(
                        f"I3 seed {self._seed}: {author.name} holds a receipt for slot {held.seq} "
                        f"that is not in the log of {signer.name}"
                    )
            issued = self.ghost.issued.get(signer.name)
            # What an author leaves behind without the peer's word, it holds no receipt for.
            alone = 0 in (author.restores + author.alone, signer.restores)
            if alone and issued is not None and not logged.holds(issued):
                raise LineViolationError(
                    f"I1 seed {self._seed}: {signer.name} receipted slot {issued.seq} and lost it"
                )


class RestoreSimulation(Simulation):
    """One run: two parties that may be put back, one line, one seed."""

    referee_kind = RestoreReferee

    def __init__(
        self,
        seed: int,
        *,
        blue: type[RestoringParty] = RestoringParty,
        red: type[RestoringParty] = RestoringParty,
        real: bool = False,
    ) -> None:
        # Often enough to fall into a re-synchronisation, seldom enough that much is said between.
        self.restore_every_ms = (4_000, 12_000, 40_000)[seed % 3]
        self.faults = False
        weather = Weather(alter=0.0, most_delay_ms=600, crash=0.003, cut_every_ms=60_000)
        super().__init__(seed, blue=blue, red=red, weather=weather, real=real)
        self.faults = True

    @property
    def both(self) -> list[RestoringParty]:
        return [party for party in self.parties.values() if isinstance(party, RestoringParty)]

    @property
    def restores(self) -> int:
        return sum(party.restores for party in self.both)

    def happen_too(self) -> None:
        if not self.faults:
            return
        for party in self.both:
            copied = self._happens(f"{party.name} is backed up", 15_000)
            # Somebody copies what runs well; a copy made while mute is a copy of a copy.
            if copied and party.machine is not None and party.machine.resync.whole:
                party.back_up()
            if self._happens(f"{party.name} is put back", self.restore_every_ms):
                party.restore()
            if self._happens(f"{party.name} reopens", 3_000) and party.machine is not None:
                party.open_alone()

    def forget_unheld(self, party: RestoringParty) -> None:
        """Take out of the world what a party signed after its copy and the peer never held.

        What is on its way between them goes too: entries of the party, and a peer's answer that
        shows them, which outlives the peer's own disk.
        """
        peer = next(one for one in self.both if one is not party)
        accepted = {entry.hash for commit in peer.waiting for entry in commit.peer}
        accepted |= {sealed.hash for commit in party.waiting for sealed in commit.own}
        for (author, epoch, seq), name in tuple(self.ghost.signed.items()):
            point = ChainPoint(epoch, seq, name)
            kept = party.durable.own.has(point) or peer.durable.peer.has(point)
            if author == party.name and not kept and name not in accepted:
                del self.ghost.signed[author, epoch, seq]
                self.ghost.signed_hashes[author].discard(name)
        self.network.on_the_way = []

    def bring_again(self, to: PartySimulator, packet: Packet) -> None:
        """Let an old packet arrive once more, within seconds."""
        arrival = self.at_ms + self.rng.randint(0, 3_000)
        self.network.on_the_way.append((arrival, -1, to.name, encode_packets([packet]), False))
        self.network.on_the_way.sort()

    def drain(self) -> None:
        self.faults = False
        self.weather = CALM
        self.network.heal()
        self._timers.clear()
        self._happen()
        for party in self.both:
            if party.machine is None:
                party.boot()
        self._run_until(self.whole_again, 900_000)

    def whole_again(self) -> bool:
        return all(
            party.live.speaks
            and not party.live.resync.silence.unheard
            and party.live.own_head == party.live.own_receipted
            and not any(party.steps())
            for party in self.both
        )

    def require_signed(self, party: RestoringParty, sealed: SealedEnvelope) -> None:
        if sealed.hash not in self.ghost.signed_hashes[party.peer]:
            raise LineViolationError(f"I2 seed {self.seed}: {party.name} logged a made-up entry")


def play_restores(
    seed: int,
    *,
    minutes: float = 2.0,
    blue: type[RestoringParty] = RestoringParty,
    red: type[RestoringParty] = RestoringParty,
) -> RestoreSimulation:
    """Play one run and drain it; raises LineViolationError at the first violation."""
    simulation = RestoreSimulation(seed, blue=blue, red=red)
    simulation.run(int(minutes * 60_000))
    simulation.drain()
    return simulation


def main() -> int:
    """Play runs until so many restores are done; 1 when anything was violated."""
    parser = argparse.ArgumentParser(description="Put parties of a line back to old backups.")
    parser.add_argument("--restores", type=int, default=1_000, help="how many at least")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first run")
    parser.add_argument("--seconds", type=float, help="begin no run after so many")
    parser.add_argument("--any-copy", action="store_true", help="of the last four, not the last")
    options = parser.parse_args()
    kind = AnyCopyParty if options.any_copy else RestoringParty
    started, seed, restores, violations = time.monotonic(), options.seed, 0, 0
    ends = started + (options.seconds or float("inf"))
    while restores < options.restores and time.monotonic() < ends:
        try:
            restores += play_restores(seed, blue=kind, red=kind).restores
        except (LineViolationError, DeconflictError) as error:
            violations += 1
            restores += 1
            print(f"seed {seed}: {type(error).__name__} {error}", flush=True)
        seed += 1
    spent = time.monotonic() - started
    print(
        f"{restores:,} restores in {seed - options.seed:,} runs of 2 minutes, "
        f"{violations} violations, {spent:.0f} s"
    )
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
