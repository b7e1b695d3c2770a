"""A message shown alone, and a fork: what a stranger can check, and what accuses nobody."""

import base64
import json
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deconflict import errors
from deconflict.errors import (
    BadSignatureError,
    BrokenProofError,
    DeconflictError,
    InvalidDocumentError,
    LineStateError,
    NotFoundError,
    UnknownKeyError,
    VerificationError,
    WrongLineError,
    WrongSenderError,
)
from deconflict.line.canonical import canonical_bytes
from deconflict.line.checkpoint import (
    Checkpoint,
    Origin,
    cosign_checkpoint,
    seal_checkpoint,
)
from deconflict.line.envelope import seal_envelope
from deconflict.line.keys import SigningKey
from deconflict.line.note import read_note
from deconflict.line.statement import hash_of
from deconflict.line.tree import TreeHead
from deconflict.node.disclosure import VerifiedDisclosure, disclose, verify_disclosure
from deconflict.node.equivocation import (
    VerifiedEquivocation,
    equivocation_of,
    verify_equivocation,
)
from deconflict.node.hearing import FORKED_CHECKPOINT
from deconflict.node.proof_lines import (
    MAX_PROOF_FILE_BYTES,
    Disclosure,
    Equivocation,
    encode_proof_file,
    read_proof_file,
)
from deconflict.store.base import Batch, EntryRow, EvidenceRow
from deconflict.store.sqlite import SqliteStore
from record_samples import KEYS, LINE, LINE_ROW, SECRETS, START_MS, Chain, checkpoints_over

BLUE = list(Chain("blue").say_many(9))
RED = list(Chain("red", "d" * 32).say_many(3))
RECORD = Batch(
    lines=[LINE_ROW],
    entries=[*BLUE, *RED],
    checkpoints=[*checkpoints_over(BLUE, 3, 8), *checkpoints_over(RED, 3)],
)


@pytest.fixture
def store() -> Iterator[SqliteStore]:
    with SqliteStore.open(":memory:") as opened:
        opened.commit(RECORD)
        yield opened


def disclosed(store: SqliteStore, entry: EntryRow) -> bytes:
    return encode_proof_file(
        disclose(store, LINE, entry.hash, signer=SECRETS["blue"], peer_key=KEYS["red"])
    )


def shown(data: bytes) -> VerifiedDisclosure:
    proof = read_proof_file(data)
    assert isinstance(proof, Disclosure)
    return verify_disclosure(proof, KEYS)


# ---- one message ------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", [*BLUE[:8], *RED], ids=lambda entry: f"{entry.party} {entry.seq}")
def test_any_fixed_message_is_shown_with_its_place(store: SqliteStore, entry: EntryRow) -> None:
    found = shown(disclosed(store, entry))
    first = 3 if entry.party == "red" or entry.seq <= 3 else 8
    assert (found.party, found.to, found.line_id) == (
        entry.party,
        "red" if entry.party == "blue" else "blue",
        LINE,
    )
    assert (found.hash, found.envelope.seq, found.size) == (entry.hash, entry.seq, first)
    assert found.cosigned_utc == f"2015-09-30T00:00:0{first}.000Z"


def test_nothing_of_the_other_messages_is_in_the_file(store: SqliteStore) -> None:
    data = disclosed(store, BLUE[4])
    plain = data + b"".join(
        base64.b64decode(text) for text in json.loads(data)["message"].values() if len(text) > 90
    )
    for other in (*BLUE[:4], *BLUE[5:], *RED):
        name = bytes.fromhex(other.hash)
        assert other.signature is not None
        assert json.loads(other.data)["body"]["text"].encode() not in plain
        assert base64.b64encode(other.signature) not in data
        if other is not BLUE[3]:  # named by the message itself, as the one before it
            assert other.hash.encode() not in plain
            assert base64.b64encode(name) not in data


def test_what_is_not_fixed_yet_is_not_shown(store: SqliteStore) -> None:
    with pytest.raises(LineStateError, match="not fixed"):
        disclosed(store, BLUE[8])
    for line, name in ((LINE, "0" * 64), ("0" * 32, BLUE[0].hash)):
        with pytest.raises(NotFoundError):
            disclose(store, line, name, signer=SECRETS["blue"], peer_key=KEYS["red"])


def lie(data: bytes, change: Callable[[dict], object]) -> bytes:
    item = json.loads(data)
    change(item)
    return canonical_bytes(item) + b"\n"


def another_message(item: dict) -> None:
    other = Chain("blue").say("never said")
    assert other.signature is not None
    item["message"]["data"] = base64.b64encode(other.data).decode()
    item["message"]["signature"] = base64.b64encode(other.signature).decode()


def another_signature(item: dict) -> None:
    item["message"]["signature"] = base64.b64encode(bytes(64)).decode()


def no_proof(item: dict) -> None:
    item["proof"] = []


def proof_upside_down(item: dict) -> None:
    item["proof"].reverse()


def a_short_hash(item: dict) -> None:
    item["proof"][0] = base64.b64encode(bytes(31)).decode()


def not_cosigned(item: dict) -> None:
    note = base64.b64decode(item["checkpoint"]["note"]).decode()
    item["checkpoint"]["note"] = base64.b64encode(note.rpartition("—")[0].encode()).decode()


def reds_checkpoint(item: dict) -> None:
    item["checkpoint"]["note"] = base64.b64encode(checkpoints_over(RED, 3)[0].note).decode()


def another_line(item: dict) -> None:
    item["line"] = "0" * 32


def another_epoch(item: dict) -> None:
    chain = list(Chain("blue", "a" * 32).say_many(9))
    item["checkpoint"]["note"] = base64.b64encode(checkpoints_over(chain, 8)[0].note).decode()


def one_party(item: dict) -> None:
    del item["keys"]["red"]


def another_key(item: dict) -> None:
    item["keys"]["red"] = SigningKey.from_seed(b"x" * 32).verify_key.to_base64()


def a_strangers_message(item: dict) -> None:
    item["message"]["key_id"] = "0" * 64


def more(item: dict) -> None:
    item["remark"] = "trust me"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (another_message, BrokenProofError),
        (another_signature, BadSignatureError),
        (no_proof, BrokenProofError),
        (proof_upside_down, BrokenProofError),
        (a_short_hash, BrokenProofError),
        (not_cosigned, UnknownKeyError),
        (reds_checkpoint, UnknownKeyError),
        (another_line, WrongLineError),
        (another_epoch, WrongLineError),
        (one_party, WrongLineError),
        (another_key, UnknownKeyError),
        (a_strangers_message, UnknownKeyError),
        (more, InvalidDocumentError),
    ],
)
def test_any_other_disclosure_is_refused(
    store: SqliteStore, change: Callable[[dict], None], error: type[DeconflictError]
) -> None:
    with pytest.raises(error):
        shown(lie(disclosed(store, BLUE[4]), change))


def test_a_message_in_the_peers_name_is_refused(store: SqliteStore) -> None:
    def in_reds_name(item: dict) -> None:
        data = base64.b64decode(item["message"]["data"])
        renamed = data.replace(b'"party":"blue"', b'"party":"red"', 1)
        sealed = seal_envelope(renamed, SECRETS["blue"])
        item["message"]["data"] = base64.b64encode(renamed).decode()
        item["message"]["signature"] = base64.b64encode(sealed.signature.value).decode()

    with pytest.raises(WrongSenderError):
        shown(lie(disclosed(store, BLUE[4]), in_reds_name))


with SqliteStore.open(":memory:") as _store:
    _store.commit(RECORD)
    FILE = disclosed(_store, BLUE[4])


@given(st.integers(0, len(FILE) - 1), st.integers(1, 255))
def test_a_changed_byte_of_a_disclosure_is_found(at: int, change: int) -> None:
    with pytest.raises((VerificationError, InvalidDocumentError)):
        shown(FILE[:at] + bytes([FILE[at] ^ change]) + FILE[at + 1 :])


@given(st.binary(max_size=200) | st.builds(lambda cut: FILE[:cut], st.integers(0, len(FILE) - 1)))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    with pytest.raises((VerificationError, InvalidDocumentError)):
        read_proof_file(data)


def test_a_file_without_end_is_refused_unread() -> None:
    with pytest.raises(InvalidDocumentError, match="no proof"):
        read_proof_file(b"{" * (MAX_PROOF_FILE_BYTES + 1))


# ---- a fork ----------------------------------------------------------------------------------


def forked_entry() -> EntryRow:
    chain = Chain("red", "d" * 32)
    chain.seq, chain.prev = 1, RED[0].hash
    return chain.say("what I say to others")


def evidence(row: EntryRow) -> EvidenceRow:
    return EvidenceRow(
        LINE, "ForkedChainError", row.hash, row.data, row.algorithm, row.key_id,
        row.signature or b"", START_MS,
    )  # fmt: skip


def note_of(size: int, root: bytes, *, time_s: int = 0, party: str = "red") -> bytes:
    origin = Origin(LINE, party, "d" * 32)
    note = seal_checkpoint(Checkpoint(origin, TreeHead(size, root)), SECRETS[party])
    if time_s:
        note = cosign_checkpoint(note, "blue", SECRETS["blue"], time_s=time_s)
    return note.to_bytes()


def kept_note(data: bytes) -> EvidenceRow:
    return EvidenceRow(LINE, FORKED_CHECKPOINT, hash_of(data), data, "note", "0", b"", START_MS)


def fork_in(store: SqliteStore, *kept: EvidenceRow) -> Equivocation:
    store.commit(Batch(evidence=kept))
    return equivocation_of(store, LINE, "red", KEYS["red"])


def proven(data: bytes) -> VerifiedEquivocation:
    proof = read_proof_file(data)
    assert isinstance(proof, Equivocation)
    return verify_equivocation(proof, {"red": KEYS["red"]})  # one public key is enough


def test_two_messages_for_one_slot_are_proven_with_one_key(store: SqliteStore) -> None:
    fork = forked_entry()
    found = proven(encode_proof_file(fork_in(store, evidence(fork))))
    assert (found.party, found.what, found.number, found.line_id) == ("red", "messages", 2, LINE)
    assert {found.first, found.second} == {RED[1].hash, fork.hash}


def test_two_checkpoints_of_one_size_are_proven_with_one_key(store: SqliteStore) -> None:
    found = proven(encode_proof_file(fork_in(store, kept_note(note_of(3, b"x" * 32)))))
    assert (found.what, found.number, found.second) == ("checkpoints", 3, (b"x" * 32).hex())


def test_a_fork_among_the_evidence_alone_is_found(store: SqliteStore) -> None:
    one, two = (kept_note(note_of(7, root * 32)) for root in (b"x", b"y"))
    found = proven(encode_proof_file(fork_in(store, one, two)))
    assert (found.number, {found.first, found.second}) == (
        7,
        {(b"x" * 32).hex(), (b"y" * 32).hex()},
    )


def test_evidence_without_a_fork_accuses_nobody(store: SqliteStore) -> None:
    late = Chain("red", "c" * 32).say("of another epoch")
    again = next(row for row in RECORD.checkpoints if row.party == "red")
    same_twice = kept_note(
        cosign_checkpoint(read_note(again.note), "blue", SECRETS["blue"], time_s=5).to_bytes()
    )
    noise = EvidenceRow(LINE, "x", hash_of(b"noise"), b"noise", "Ed25519", "0", b"", START_MS)
    with pytest.raises(NotFoundError, match="nothing kept here proves"):
        fork_in(store, evidence(late), same_twice, noise)


def accuse(first: dict, second: dict) -> bytes:
    return canonical_bytes(
        {
            "type": "equivocation",
            "format": "deconflict-equivocation/1",
            "party": "red",
            "key": KEYS["red"].to_base64(),
            "first": first,
            "second": second,
        }
    ) + b"\n"  # fmt: skip


def message(row: EntryRow, **changed: str) -> dict:
    return {
        "type": "envelope",
        "data": base64.b64encode(row.data).decode(),
        "algorithm": row.algorithm,
        "key_id": row.key_id,
        "signature": base64.b64encode(row.signature or b"").decode(),
    } | changed


def checkpoint(data: bytes) -> dict:
    return {"type": "checkpoint", "note": base64.b64encode(data).decode()}


@pytest.mark.parametrize(
    ("first", "second", "error"),
    [
        (message(RED[0]), message(RED[0]), "BrokenProofError"),
        (message(RED[0]), message(RED[1]), "BrokenProofError"),
        (message(RED[0]), message(Chain("red", "c" * 32).say()), "BrokenProofError"),
        (message(RED[0]), message(BLUE[0]), "UnknownKeyError"),
        (
            message(RED[0]),
            message(BLUE[0], key_id=KEYS["red"].key_id),
            "BadSignatureError",
        ),
        (
            message(RED[1]),
            message(forked_entry(), signature=base64.b64encode(bytes(64)).decode()),
            "BadSignatureError",
        ),
        (
            checkpoint(note_of(3, b"x" * 32, time_s=1)),
            checkpoint(note_of(3, b"x" * 32, time_s=2)),
            "BrokenProofError",
        ),
        (checkpoint(note_of(3, b"x" * 32)), checkpoint(note_of(4, b"y" * 32)), "BrokenProofError"),
        (
            checkpoint(note_of(3, b"x" * 32)),
            checkpoint(note_of(3, b"y" * 32, party="blue")),
            "UnknownKeyError",
        ),
        (message(RED[0]), checkpoint(note_of(1, b"x" * 32)), "InvalidDocumentError"),
    ],
    ids=[
        "one message twice", "two slots", "two epochs", "another's message", "another's signature",
        "a forged fork", "two times of one checkpoint", "two sizes", "another's checkpoint",
        "a message and a checkpoint",
    ],
)  # fmt: skip
def test_a_false_accusation_is_refused(first: dict, second: dict, error: str) -> None:
    with pytest.raises(getattr(errors, error)) as refused:
        proven(accuse(first, second))
    assert type(refused.value).__name__ == error


def test_an_accusation_under_another_key_is_refused() -> None:
    fork = encode_proof_file(
        Equivocation(
            "deconflict-equivocation/1",
            "red",
            KEYS["blue"].to_base64(),
            *read_both(message(RED[1]), message(forked_entry())),
        )
    )
    with pytest.raises(UnknownKeyError):
        proven(fork)


def read_both(first: dict, second: dict):  # type: ignore[no-untyped-def]
    proof = read_proof_file(accuse(first, second))
    assert isinstance(proof, Equivocation)
    return proof.first, proof.second
