"""A simulation that cannot find planted faults proves nothing: each is found in a few runs.

The first ones take a step of the party too early or leave it out; the others change the code of
service itself, one behaviour each. What must be found, and by which invariant, is listed in
``docs/reference/simulation.md``.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest
import tests.simulation.party as party_module
from tests.simulation.byzantine import ForkingParty, LyingParty, RewritingParty
from tests.simulation.network import Weather
from tests.simulation.party import PartySimulator
from tests.simulation.run import play
from tests.simulation.setting import LineViolationError
from tests.simulation.witness import PeerTreeRecord, WitnessSteps

import deconflict.line.end as end_module
import deconflict.line.machine as machine_module
import deconflict.line.witness as witness_module
from deconflict.errors import DeconflictError
from deconflict.line.alerts import Alarm, Alert, AlertBook
from deconflict.line.envelope import Envelope, SealedEnvelope, read_envelope
from deconflict.line.incoming import IncomingEntry, PeerChain
from deconflict.line.machine import Heard, LineMachine
from deconflict.line.moment import Now
from deconflict.line.outgoing import OwnChain
from deconflict.line.statement import ChainPoint

# ---- steps too early or left out -----------------------------------------------------------------


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


class GoesOnAfterAFailedFlush(PartySimulator):
    """Believes that a flush which failed wrote everything: what SQLite itself does."""

    def crash(self) -> None:
        if self.simulation.rng.random() < 0.5 and self.disk.dirty:
            self.disk._unsynced = self.disk._unsynced[: len(self.disk._unsynced) // 2]
            self.simulation.referee.note_durable(self, self.disk.sync())
            self.to_seal += self.unsynced_own
            self.to_log += self.unsynced_peer
            self.unsynced_own, self.unsynced_peer = [], []
            self.trees.synced()
        else:
            super().crash()


# ---- the code of service, one behaviour changed --------------------------------------------------


class ForgetsOpenAlerts(AlertBook):
    """Starts the clocks of open alerts anew after a restart, and tells nobody."""

    def restore(self, alert: Alert, now: Now, *, since_utc_ms: int | None = None) -> None:
        self.open(alert, now)


class ReadsTheUtcClock(AlertBook):
    """Measures limits on a clock that jumps."""

    def open(self, alert: Alert, now: Now) -> None:
        super().open(alert, Now(now.utc_ms, now.utc_ms))

    def alarms(self, now: Now) -> tuple[Alarm, ...]:
        return super().alarms(Now(now.utc_ms, now.utc_ms))


class TellsOnceForAll(AlertBook):
    """Takes a message that was seen as answered."""

    def seen(self, message_hash: str, now: Now, *, own: bool) -> None:
        self.answered(message_hash, now, own=own)


class AcceptsForks(PeerChain):
    """Takes a second message for a slot as a repetition."""

    def _require_same(self, arrival: object, known: SealedEnvelope) -> None:
        return


class NeverLate(PeerChain):
    """Acts on a message whatever its age."""

    def _left_ms(self, arrival: object, now: Now) -> int | None:
        return None


class ReceiptsWhatItAccepted(PeerChain):
    """Receipts up to what it took in memory instead of what is on disk."""

    @property
    def logged(self) -> ChainPoint | None:
        if self._accepted_seq == 0:
            return self._logged
        return ChainPoint(self._epoch or "", self._accepted_seq, self._accepted_hash)


class BelievesEveryReceipt(OwnChain):
    """Holds a receipt for true that names what it never said."""

    def require_consistent(self, point: ChainPoint, evidence: object) -> None:
        return


class SendsOnce(OwnChain):
    """Never repeats."""

    def mark_sent(self, hashes: object, now: Now) -> tuple[str, ...]:
        sent = super().mark_sent(hashes, now)  # type: ignore[arg-type]
        for slot in self._slots.values():
            if slot.attempts:
                slot.due_ms = 10**15
        return sent


class NoReceiptAgain(LineMachine):
    """Answers a repetition with nothing."""

    def hear(self, sealed: SealedEnvelope, now: Now, **circumstances: Any) -> Heard:
        heard = super().hear(sealed, now, **circumstances)
        return replace(heard, receipt=None)


def unverified(sealed: SealedEnvelope, keys: object) -> Envelope:
    return read_envelope(sealed.data)


def any_spelling(sealed: SealedEnvelope, keys: object) -> Envelope:
    return msgspec.json.decode(sealed.data, type=Envelope)


PLANTED_CODE: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], str]] = {
    "silence after a restart": (
        lambda m: m.setattr(machine_module, "AlertBook", ForgetsOpenAlerts),
        "I5",
    ),
    "limits on the UTC clock": (
        lambda m: m.setattr(machine_module, "AlertBook", ReadsTheUtcClock),
        "I5",
    ),
    "seen taken as answered": (
        lambda m: m.setattr(machine_module, "AlertBook", TellsOnceForAll),
        "I5",
    ),
    "late messages acted on": (
        lambda m: m.setattr(machine_module, "PeerChain", NeverLate),
        "I6",
    ),
    "receipts for memory": (
        lambda m: m.setattr(machine_module, "PeerChain", ReceiptsWhatItAccepted),
        "I1",
    ),
    "no repetition": (
        lambda m: m.setattr(machine_module, "OwnChain", SendsOnce),
        "not drained",
    ),
    "no receipt for a duplicate": (
        lambda m: m.setattr(party_module, "LineMachine", NoReceiptAgain),
        "not drained",
    ),
    "signatures not verified": (
        lambda m: m.setattr(end_module, "open_envelope", unverified),
        "suspects an honest peer",
    ),
}


LIES_BELIEVED: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "every receipt": lambda m: m.setattr(machine_module, "OwnChain", BelievesEveryReceipt),
    "a false heard": lambda m: m.setattr(LineMachine, "_heard_is_false", lambda *_: False),
    "another's name": lambda m: m.setattr(LineMachine, "_require_parties", lambda *_: None),
    "another line": lambda m: m.setattr(LineMachine, "_require_line", lambda *_: None),
    "another spelling": lambda m: m.setattr(end_module, "open_envelope", any_spelling),
}

SOME_CLOCKS = Weather(clock_every_ms=10_000)
STALLS = Weather(stall_every_ms=15_000)


def first_violation(
    most_runs: int,
    blue: type[PartySimulator] = PartySimulator,
    red: type[PartySimulator] = PartySimulator,
    weather: Weather = SOME_CLOCKS,
    minutes: float = 2.0,
) -> str:
    for seed in range(most_runs):
        try:
            play(seed, blue=blue, red=red, weather=weather, minutes=minutes)
        except LineViolationError as violation:
            return str(violation)
        except DeconflictError as refusal:  # a party that cannot go on, nor start again
            return f"refused: {refusal}"
    return "none"


def test_without_a_planted_fault_the_same_runs_find_nothing() -> None:
    assert first_violation(20) == "none"


def test_a_receipt_before_the_disk_is_found() -> None:
    assert first_violation(20, red=ReceiptsBeforeSync).startswith("I1")


def test_a_signature_before_the_disk_is_found() -> None:
    assert first_violation(40, blue=SignsBeforeSync).startswith(("I4", "I3"))


def test_going_on_after_a_failed_flush_is_found() -> None:
    assert first_violation(40, red=GoesOnAfterAFailedFlush).startswith(
        ("I1", "I3", "I4", "refused")
    )


def test_an_expiry_judged_on_arrival_alone_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert first_violation(20, weather=STALLS) == "none"
    monkeypatch.setattr(IncomingEntry, "is_late", lambda entry, now: entry.delayed)
    assert "I6" in first_violation(40, weather=STALLS)


@pytest.mark.parametrize("name", PLANTED_CODE)
def test_a_changed_behaviour_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant, expected = PLANTED_CODE[name]
    plant(monkeypatch)
    assert expected in first_violation(80)


@pytest.mark.parametrize("name", LIES_BELIEVED)
def test_a_lie_that_is_believed_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    LIES_BELIEVED[name](monkeypatch)
    assert first_violation(40, blue=LyingParty) != "none"


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
