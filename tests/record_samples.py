"""Two parties and what they said, really signed: rows for the tests of store and bundle."""

from collections.abc import Iterator
from typing import Any

from deconflict.line.checkpoint import (
    Checkpoint,
    Origin,
    cosign_checkpoint,
    entry_leaf,
    seal_checkpoint,
)
from deconflict.line.envelope import (
    GENESIS,
    Address,
    Envelope,
    envelope_bytes,
    seal_envelope,
)
from deconflict.line.keys import SigningKey, VerifyKey, line_id
from deconflict.line.moment import utc_text
from deconflict.line.precedence import Precedence
from deconflict.line.receipt import Receipt, seal_receipt
from deconflict.line.statement import ChainPoint, hash_of
from deconflict.line.tree import CompactRange
from deconflict.store.base import (
    Batch,
    CheckpointRow,
    EntryRow,
    EvidenceRow,
    LineRow,
    ReceiptRow,
    TermsRow,
)

START_MS = 1_443_571_200_000  # 2015-09-30T00:00:00Z
SECRETS = {
    "blue": SigningKey.from_seed(b"b" * 32),
    "red": SigningKey.from_seed(b"r" * 32),
}
KEYS: dict[str, VerifyKey] = {party: key.verify_key for party, key in SECRETS.items()}
KEYS_BY_PARTY = {party: {key.key_id: key} for party, key in KEYS.items()}
LINE = line_id("blue", KEYS["blue"].key_id, "red", KEYS["red"].key_id)
LINE_ROW = LineRow(LINE, "blue", "red", START_MS)


def other(party: str) -> str:
    return "red" if party == "blue" else "blue"


class Chain:
    """One party's chain, spoken one entry at a time."""

    def __init__(self, party: str, epoch: str = "e" * 32) -> None:
        self.party = party
        self.epoch = epoch
        self.seq = 0
        self.prev = GENESIS

    def say(
        self,
        text: str = "steady",
        *,
        drill: bool = False,
        signed: bool = True,
        heard: ChainPoint | None = None,
        kind: str = "NOTIFY",
        body: Any = None,
        ref: str | None = None,
        after_ms: int | None = None,
    ) -> EntryRow:
        self.seq += 1
        created_ms = START_MS + (self.seq if after_ms is None else after_ms)
        data = envelope_bytes(
            Envelope(
                v=1,
                line=LINE,
                sender=Address(self.party, "watch"),
                to=Address(other(self.party), "watch"),
                epoch=self.epoch,
                seq=self.seq,
                prev=self.prev,
                heard=heard,
                kind=kind,
                prec=Precedence.PRIORITY,
                ref=ref,
                drill=drill,
                release="NONE",
                created_utc=utc_text(created_ms),
                clock_err_ms=100,
                answer_within_ms=None,
                expires_after_ms=None,
                lang="en",
                body={"text": text} if body is None else body,
            )
        )
        self.prev = hash_of(data)
        sealed = seal_envelope(data, SECRETS[self.party])
        return EntryRow(
            LINE,
            self.party,
            self.epoch,
            self.seq,
            sealed.hash,
            data,
            sealed.signature.algorithm,
            sealed.signature.key_id,
            sealed.signature.value if signed else None,
            created_ms,
        )

    def open(self, behind: EntryRow | None, *, after_ms: int | None = None) -> EntryRow:
        """The entry that opens this epoch, behind an entry of an earlier one."""
        follows = None
        if behind is not None:
            follows = {"epoch": behind.epoch, "seq": behind.seq, "hash": behind.hash}
        body = {"follows": follows, "reason": "RESTORED", "key": None}
        return self.say(kind="EPOCH", body=body, after_ms=after_ms)

    def say_many(self, count: int) -> Iterator[EntryRow]:
        for number in range(count):
            yield self.say(f"flight {number} steady")


def receipt_for(entry: EntryRow) -> ReceiptRow:
    """The other party's receipt for everything up to this entry."""
    signer = other(entry.party)
    sealed = seal_receipt(
        Receipt(
            v=1,
            line=entry.line_id,
            sender=signer,
            to=entry.party,
            epoch=entry.epoch,
            seq=entry.seq,
            hash=entry.hash,
            received_utc=utc_text(entry.logged_utc_ms),
        ),
        SECRETS[signer],
    )
    return ReceiptRow(
        entry.line_id,
        signer,
        entry.epoch,
        entry.seq,
        entry.hash,
        sealed.data,
        sealed.signature.algorithm,
        sealed.signature.key_id,
        sealed.signature.value,
        entry.logged_utc_ms,
    )


def checkpoints_over(
    entries: list[EntryRow], *sizes: int, own_party: str = "blue"
) -> list[CheckpointRow]:
    """What ``own_party`` stores when these sizes of one chain, begun at entry 1, were cosigned."""
    author = entries[0].party
    tree, rows, previous = CompactRange(), [], 0
    for entry in entries:
        tree.add(entry_leaf(entry.hash, entry.signature or b""))
        if entry.seq not in sizes:
            continue
        time_s = START_MS // 1_000 + entry.seq
        checkpoint = Checkpoint(Origin(entry.line_id, author, entry.epoch), tree.head)
        note = seal_checkpoint(checkpoint, SECRETS[author])
        if author == own_party:
            peer = other(author)
            note = cosign_checkpoint(note, peer, SECRETS[peer], time_s=time_s)
        rows.append(
            CheckpointRow(
                entry.line_id,
                author,
                entry.epoch,
                entry.seq,
                previous,
                tree.head.root,
                note.to_bytes(),
                time_s,
                time_s * 1_000,
            )
        )
        previous = entry.seq
    return rows


def evidence_of(data: bytes, reason: str = "orphan") -> EvidenceRow:
    return EvidenceRow(LINE, reason, hash_of(data), data, "Ed25519", "0" * 64, b"sig", START_MS)


def terms_signed_by(party: str, data: bytes = b'{"theatre":"Latakia"}') -> TermsRow:
    key = SECRETS[party]
    return TermsRow(
        LINE,
        hash_of(data),
        party,
        data,
        "Ed25519",
        key.key_id,
        key.sign(b"deconflict/1 terms\n", data),
        START_MS,
    )


def conversation(length: int = 6) -> Batch:
    """Both parties' chains, each receipted by the other except for its last entry."""
    blue = list(Chain("blue").say_many(length))
    red = list(Chain("red", "d" * 32).say_many(length))
    return Batch(
        lines=[LINE_ROW],
        terms=[terms_signed_by("blue"), terms_signed_by("red")],
        entries=[*blue, *red],
        receipts=[receipt_for(said) for said in (*blue[-2:-1], *red[-2:-1])],
        checkpoints=[
            *checkpoints_over(blue, 1, length - 1),
            *checkpoints_over(red, 1, length - 1),
        ],
        evidence=[evidence_of(b"what came too late")],
    )
