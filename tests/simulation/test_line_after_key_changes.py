"""Keys changed and revoked while disks are put back, and a thief who has every key that is over.

Each planted fault is a party that leaves out one rule, and is found in a few runs.
"""

from typing import Final

import pytest
from tests.simulation.copied_disk import Commit, point_of
from tests.simulation.key_changes import ChangingParty, play_key_changes
from tests.simulation.setting import LineViolationError

import deconflict.line.key_ring as key_ring_module
from deconflict.errors import DeconflictError
from deconflict.line.envelope import SealedEnvelope
from deconflict.line.key_change import KeyChange, OpenedChange, open_change, read_unproven
from deconflict.line.keys import VerifyKey
from deconflict.line.receipt import SealedReceipt
from deconflict.line.resync import Silence
from deconflict.line.root import Root

SEEDS = 8


def test_changes_of_key_and_thieves_break_no_promise() -> None:
    runs = [play_key_changes(seed) for seed in range(1, SEEDS + 1)]
    assert sum(run.changes for run in runs) > 30
    assert sum(run.thefts for run in runs) > 200
    assert sum(run.restores for run in runs) > 50
    numbers = [p.live.identity.own_ring.present.number for run in runs for p in run.changing]
    assert sum(numbers) > 30  # they came in force, and were not only drawn


class HearsAnyKey(ChangingParty):
    """A listener to whom every key that ever was in force is good."""

    def begin(self, silence: Silence) -> None:
        super().begin(silence)
        self.live._in._is_in_force = lambda _: True  # type: ignore[method-assign]


class SignsWithTheLastDrawn(ChangingParty):
    """An author that signs a change with its newest key, whatever the peer knows."""

    def begin(self, silence: Silence) -> None:
        super().begin(silence)
        if not self.own_keys.revokes:
            own = self.live._out
            own._opening_key = self.live.identity.own_key  # type: ignore[misc]


class ChangesInItsEpoch(ChangingParty):
    """An author that takes the new key, and goes on in its old epoch."""

    def reopened(self, rows: list[SealedEnvelope], receipts: list[SealedReceipt]) -> None:
        if not self.live.resync.changing_key:
            super().reopened(rows, receipts)
            return
        silence = self.live.resync.after_author()
        key = self.own_keys.named(next(reversed(self.own_keys.public)))

        def begin() -> None:
            self.begin(silence)
            self.live._out._key = key  # type: ignore[misc]

        head = self.durable.own.head
        known = [row for row in rows if self.durable.own.epochs.get(point_of(row).epoch)]
        self.commit(Commit(own=known, receipts=receipts, whole={"own": head}, then=[begin]))


PLANTED: Final = (HearsAnyKey, SignsWithTheLastDrawn, ChangesInItsEpoch)


@pytest.mark.parametrize("fault", PLANTED, ids=lambda fault: fault.__name__)
def test_a_planted_fault_is_found(fault: type[ChangingParty]) -> None:
    assert any(is_found(fault, seed) for seed in range(1, 5 * SEEDS))


def test_a_root_that_is_not_asked_lets_the_thief_in(monkeypatch: pytest.MonkeyPatch) -> None:
    def unasked(change: KeyChange, *, party: str, first: str, root: Root | None) -> OpenedChange:
        if change.root:
            return open_change(change, party=party, first=first, root=root)
        statement = read_unproven(change)
        return OpenedChange(statement, VerifyKey.from_base64(statement.public))

    monkeypatch.setattr(key_ring_module, "open_change", unasked)
    monkeypatch.setattr(key_ring_module.KeyRing, "judge", judged_by_the_change)
    assert any(is_found(ChangingParty, seed) for seed in range(1, 5 * SEEDS))


def judged_by_the_change(ring, envelope, key_id):  # type: ignore[no-untyped-def]
    """As `KeyRing.judge`, whoever signs: the thief has old keys, and his change is what counts."""
    opening = key_ring_module.opening_of(envelope)
    held = ring.of(envelope.epoch) if opening is None else ring.after(opening.follows)
    if opening is None or opening.key is None:
        return held
    return ring._changed(held, opening.key)


def is_found(fault: type[ChangingParty], seed: int) -> bool:
    try:
        play_key_changes(seed, blue=fault)
    except (LineViolationError, DeconflictError):
        return True
    return False
