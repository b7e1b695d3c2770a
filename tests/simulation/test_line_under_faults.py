"""The line under crash, cut, loss, repetition and alteration; and the faults that must be found."""

import pytest
from tests.simulation.byzantine import ForkingParty, RewritingParty
from tests.simulation.party import PartySimulator
from tests.simulation.run import Simulation, play
from tests.simulation.setting import LineViolationError
from tests.simulation.witness import PeerTreeRecord, WitnessSteps

import deconflict.line.machine as machine_module
import deconflict.line.witness as witness_module
from deconflict.line.alerts import Alert, AlertBook
from deconflict.line.envelope import SealedEnvelope
from deconflict.line.incoming import Arrival, IncomingEntry, PeerChain
from deconflict.line.moment import Now

HONEST_RUNS = 304


@pytest.mark.parametrize("block", range(8))
def test_no_invariant_breaks_and_everything_drains(block: int) -> None:
    per_block = HONEST_RUNS // 8
    said = sum(
        len(play(seed, minutes=1.0).ghost.signed)
        for seed in range(block * per_block, (block + 1) * per_block)
    )
    assert said > 10 * per_block  # a run in which nothing is said proves nothing


def test_one_seed_plays_one_run() -> None:
    first, second = play(7), play(7)
    assert first.ghost == second.ghost
    assert first.steps_taken == second.steps_taken


def test_a_peer_that_forks_is_reported_with_both_envelopes() -> None:
    shown = 0
    for seed in range(25):
        simulation = Simulation(seed, blue=ForkingParty)
        simulation.run(60_000)
        shown += len(simulation.ghost.forks_reported)
    assert shown > 50


def test_an_author_that_rewrites_its_tree_is_reported() -> None:
    reported = 0
    for seed in range(25):
        simulation = Simulation(seed, blue=RewritingParty)
        simulation.run(60_000)
        reported += simulation.ghost.trees.forks_reported
    assert reported > 25


# ---- planted faults: a simulator that cannot find them proves nothing ------------------------


class ReceiptsBeforeSync(PartySimulator):
    """Receipts an entry that the disk may still forget."""

    def hear(self, sealed: SealedEnvelope) -> None:
        before = len(self.unsynced_peer)
        super().hear(sealed)
        entries: list[IncomingEntry] = self.unsynced_peer[before:]
        if entries and not self.to_log and before == 0:
            self.receipt_for(entries)
            self.unsynced_peer.clear()


class SignsBeforeSync(PartySimulator):
    """Signs and offers a slot that the disk may still forget."""

    def say(self, kind: str, ref: str | None = None, expires_after_ms: int | None = None) -> None:
        super().say(kind, ref, expires_after_ms)
        if not self.to_seal:
            for entry in self.unsynced_own:
                self.simulation.referee.note_signed(self, self.live.seal(entry))
            self.unsynced_own.clear()


class ForgetsOpenAlerts(AlertBook):
    """Starts the clocks of open alerts anew after a restart, and tells nobody."""

    def restore(self, alert: Alert, now: Now) -> None:
        self.open(alert, now)


class AcceptsForks(PeerChain):
    """Takes a second message for a slot as a repetition."""

    def _require_same(self, arrival: Arrival, known: SealedEnvelope) -> None:
        return


class CosignsBeforeSync(WitnessSteps):
    """Cosigns what the disk may still forget."""

    def write(self, record: object) -> None:
        if isinstance(record, PeerTreeRecord):
            self.party.disk.write(record)
            self.to_finish.append(record)
        else:
            super().write(record)  # type: ignore[arg-type]


class HastyWitness(PartySimulator):
    witness_steps = CosignsBeforeSync


class SkipsTheDisk(WitnessSteps):
    """Cosigns and writes nothing down."""

    def write(self, record: object) -> None:
        self.to_finish.append(record)  # type: ignore[arg-type]


class ForgetfulWitness(PartySimulator):
    witness_steps = SkipsTheDisk


def first_violation(
    most_runs: int,
    blue: type[PartySimulator] = PartySimulator,
    red: type[PartySimulator] = PartySimulator,
) -> str:
    for seed in range(most_runs):
        try:
            play(seed, blue=blue, red=red)
        except LineViolationError as violation:
            return str(violation)
    return "none"


def test_a_receipt_before_the_disk_is_found() -> None:
    assert first_violation(20, red=ReceiptsBeforeSync).startswith("I1")


def test_a_signature_before_the_disk_is_found() -> None:
    assert first_violation(40, blue=SignsBeforeSync).startswith(("I4", "I3"))


def test_silence_after_a_restart_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_module, "AlertBook", ForgetsOpenAlerts)
    assert first_violation(40).startswith("I5")


def test_accepted_forks_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_module, "PeerChain", AcceptsForks)
    assert first_violation(20, blue=ForkingParty).startswith("fork")


@pytest.mark.parametrize("witness", [HastyWitness, ForgetfulWitness])
def test_a_cosignature_before_the_disk_is_found(witness: type[PartySimulator]) -> None:
    assert first_violation(20, red=witness).startswith("I7")


def test_a_witness_that_checks_neither_proof_nor_entries_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(witness_module, "judged_growth", lambda kept, old, new, proof: new)
    monkeypatch.setattr(witness_module, "_require_entries", lambda *_: None)
    assert first_violation(20, blue=RewritingParty).startswith("I7")
