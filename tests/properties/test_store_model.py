"""Any history of commits, refusals and restarts leaves what a list and a dict would hold."""

import contextlib
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from msgspec.structs import replace

from deconflict.errors import StoreError, StoreSlotTakenError
from deconflict.store.base import Batch, EntryRow, EventRow, NoteRow, ReceiptRow, SignatureRow
from deconflict.store.sqlite import SqliteStore
from deconflict.store.sqlite_rows import row_check
from deconflict.store.verify import verify_store
from effort import examples
from record_samples import KEYS_BY_PARTY, LINE, LINE_ROW, Chain, receipt_for

parties = st.sampled_from(["blue", "red"])
whole = st.integers(-(2**63), 2**63 - 1)  # what a column of SQLite can hold
columns = st.lists(
    st.one_of(st.text(max_size=6), st.binary(max_size=6), whole, st.none()), max_size=5
)


@given(one=columns, other=columns)
def test_row_checks_are_equal_exactly_for_equal_rows(one: list, other: list) -> None:
    same = one == other and [type(c) for c in one] == [type(c) for c in other]
    assert (row_check(*one) == row_check(*other)) == same


class StoreHistory(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.store = SqliteStore.open(self.folder / "record.sqlite", create=True)
        self.store.commit(Batch(lines=[LINE_ROW]))
        self.chains = {"blue": Chain("blue"), "red": Chain("red", "d" * 32)}
        self.entries: dict[str, list[EntryRow]] = {"blue": [], "red": []}
        self.receipts: dict[str, list[ReceiptRow]] = {"blue": [], "red": []}
        self.signatures: list[SignatureRow] = []
        self.notes: dict[str, bytes] = {}
        self.events = 0

    @rule(party=parties, count=st.integers(1, 4), key=st.sampled_from("abc"), note=st.binary())
    def say(self, party: str, count: int, key: str, note: bytes) -> None:
        if party == "blue" and self.signatures:
            return
        said = list(self.chains[party].say_many(count))
        events = [EventRow(self.events + n, n, "message", b"{}") for n in range(1, count + 1)]
        self.store.commit(Batch(entries=said, events=events, notes=[NoteRow(key, note)]))
        self.entries[party] += said
        self.events += count
        self.notes[key] = note

    @rule()
    def reserve_a_slot(self) -> None:
        signed = self.chains["blue"].say()
        assert signed.signature is not None
        slot = replace(signed, signature=None)
        self.store.commit(Batch(entries=[slot]))
        self.entries["blue"].append(slot)
        self.signatures.append(SignatureRow(slot.hash, signed.signature))

    @precondition(lambda self: self.signatures)
    @rule()
    def sign_the_first_slot(self) -> None:
        signature = self.signatures.pop(0)
        self.store.commit(Batch(signatures=[signature]))
        self.entries["blue"] = [
            replace(row, signature=signature.signature) if row.hash == signature.hash else row
            for row in self.entries["blue"]
        ]

    @rule(party=parties)
    def receipt(self, party: str) -> None:
        entries = self.entries[party]
        known = self.receipts[party]
        if entries and (not known or known[-1].seq < entries[-1].seq):
            receipt = receipt_for(entries[-1])
            self.store.commit(Batch(receipts=[receipt]))
            known.append(receipt)

    @rule(party=parties, key=st.sampled_from("abc"))
    def fork(self, party: str, key: str) -> None:
        if self.entries[party]:
            forked = Chain(party, self.chains[party].epoch).say("never said before")
            with pytest.raises(StoreSlotTakenError):
                self.store.commit(Batch(entries=[forked], notes=[NoteRow(key, None)]))

    @rule(party=parties)
    def skip(self, party: str) -> None:
        chain = self.chains[party]
        ahead = Chain(party, chain.epoch)
        ahead.seq = chain.seq + 1
        with pytest.raises(StoreError):
            self.store.commit(Batch(entries=[ahead.say()]))

    @rule(key=st.sampled_from("abc"))
    def forget(self, key: str) -> None:
        self.store.commit(Batch(notes=[NoteRow(key, None)]))
        self.notes.pop(key, None)

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = SqliteStore.open(self.folder / "record.sqlite")
        verify_store(self.store, KEYS_BY_PARTY, threads=1)

    @invariant()
    def holds_what_was_committed(self) -> None:
        if not hasattr(self, "store"):
            return
        for party, entries in self.entries.items():
            assert list(self.store.entries(LINE, party)) == entries
            assert self.store.count(LINE, party) == len(entries)
        for author, signer in (("blue", "red"), ("red", "blue")):
            assert list(self.store.receipts(LINE, signer)) == self.receipts[author]
        assert {row.key: row.value for row in self.store.notes()} == self.notes
        assert self.store.last_event_id() == self.events
        assert len(self.store.unsigned(LINE, "blue")) == len(self.signatures)

    def teardown(self) -> None:
        with contextlib.suppress(AttributeError):
            self.store.close()
            shutil.rmtree(self.folder)


TestStoreHistory = StoreHistory.TestCase
TestStoreHistory.settings = examples(25, steps=25)
