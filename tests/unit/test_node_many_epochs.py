"""A peer may open an epoch with each entry: what it costs others grows with them, not faster."""

import time
from collections.abc import Sequence

import pytest

from deconflict.line.envelope import GENESIS, Address, Envelope, envelope_bytes
from deconflict.line.key_ring import KeyRing
from deconflict.line.keys import SigningKey
from deconflict.line.precedence import Precedence
from deconflict.line.statement import ChainPoint, hash_of
from deconflict.node.bundle_chain import RecordedChain
from deconflict.node.chains import Stretch, way_of
from deconflict.store.base import Batch, EntryRow, LineRow
from deconflict.store.sqlite import SqliteStore

LINE = "1" * 32
MANY = 20_000


def opening(number: int, follows: ChainPoint | None) -> EntryRow:
    point = None if follows is None else {name: getattr(follows, name) for name in FIELDS}
    envelope = Envelope(
        v=1,
        line=LINE,
        sender=Address("red", "watch"),
        to=Address("blue", "watch"),
        epoch=f"{number:032x}",
        seq=1,
        prev=GENESIS,
        heard=None,
        kind="EPOCH",
        prec=Precedence.IMMEDIATE,
        ref=None,
        drill=False,
        release="NONE",
        created_utc="2015-09-30T06:00:00.000Z",
        clock_err_ms=0,
        answer_within_ms=None,
        expires_after_ms=None,
        lang="en",
        body={"follows": point, "reason": "RESTORED", "key": None},
    )
    data = envelope_bytes(envelope)
    return EntryRow(
        line_id=LINE,
        party="red",
        epoch=envelope.epoch,
        seq=1,
        hash=hash_of(data),
        data=data,
        algorithm="Ed25519",
        key_id="0" * 64,
        signature=bytes(64),
        logged_utc_ms=0,
    )


FIELDS = ("epoch", "seq", "hash")


def openings(count: int, after: Sequence[EntryRow] = ()) -> list[EntryRow]:
    rows = list(after)
    for number in range(len(rows) + 1, len(rows) + count + 1):
        last = rows[-1] if rows else None
        follows = None if last is None else ChainPoint(last.epoch, last.seq, last.hash)
        rows.append(opening(number, follows))
    return rows[len(after) :]


class Counting:
    """A store that counts which entries are read of it."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self.epochs = store.epochs
        self.read = 0

    def entry_at(self, line_id: str, party: str, epoch: str, seq: int) -> EntryRow | None:
        self.read += 1
        return self._store.entry_at(line_id, party, epoch, seq)


def test_a_way_that_is_known_is_read_on_from_its_last_epoch() -> None:
    rows = openings(30)
    with SqliteStore.open(":memory:", create=True) as store:
        line = LineRow(line_id=LINE, own_party="blue", peer_party="red", created_utc_ms=0)
        store.commit(Batch(lines=[line], entries=rows))
        counting = Counting(store)
        known = way_of(counting, LINE, "red")  # type: ignore[arg-type]
        assert known == tuple(Stretch(row.epoch, 1) for row in rows)
        whole, counting.read = counting.read, 0
        assert way_of(counting, LINE, "red", known) == known  # type: ignore[arg-type]
        assert counting.read == 2
        store.commit(Batch(entries=openings(2, rows)))
        counting.read = 0
        grown = way_of(counting, LINE, "red", known)  # type: ignore[arg-type]
        assert counting.read == 6 < whole
        assert grown == way_of(store, LINE, "red")
        assert len(grown) == 32


@pytest.mark.parametrize("at", [1, MANY // 2, MANY])
def test_each_place_in_a_chain_of_many_epochs_is_found_at_once(at: int) -> None:
    key = SigningKey.generate(lambda count: b"\1" * count).verify_key
    chain = RecordedChain("red", KeyRing("red", key))
    before: ChainPoint | None = None
    for number in range(1, MANY + 1):
        epoch, name = f"{number:032x}", f"{number:064x}"
        chain.hashes[epoch] = bytearray(bytes.fromhex(name))
        chain.follows[epoch] = before
        before = ChainPoint(epoch, 1, name)
    chain.epoch = f"{MANY:032x}"
    begun = time.process_time()
    for _ in range(MANY):
        assert chain.place_of(f"{at:032x}", 1) == at
    assert time.process_time() - begun < 2  # one by one, 400 million steps
    assert chain.place_of(f"{at:032x}", 2) is None
