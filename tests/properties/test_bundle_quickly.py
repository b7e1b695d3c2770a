"""Many entries in one go or line by line: one verdict, with the same words, of every bundle."""

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deconflict.errors import (
    BrokenChainError,
    DeconflictError,
    ForkedChainError,
    InvalidDocumentError,
)
from deconflict.line.canonical import canonical_bytes
from deconflict.line.checkpoint import (
    Checkpoint,
    Origin,
    cosign_checkpoint,
    read_checkpoint,
    seal_checkpoint,
)
from deconflict.line.keys import CONTEXT_ENVELOPE, CONTEXT_RECEIPT
from deconflict.line.note import read_note
from deconflict.line.tree import TreeHead
from deconflict.node import bundle_lines, bundle_proof
from deconflict.node.bundle import export_bundle
from deconflict.node.bundle_lines import CONTEXT_BUNDLE
from deconflict.node.bundle_proof import verify_bundle
from deconflict.node.bundle_quick import QuickReader, Stretch
from deconflict.store.sqlite import SqliteStore
from effort import examples
from record_samples import KEYS, LINE, SECRETS, START_MS, conversation

with SqliteStore.open(":memory:") as _store:
    _store.commit(conversation(12))
    LINES = list(
        export_bundle(
            _store, LINE, signer=SECRETS["blue"], peer_key=KEYS["red"], exported_utc_ms=START_MS
        )
    )
BUNDLE = b"".join(LINES)
ENTRIES = [at for at, line in enumerate(LINES) if line.endswith(b'"type":"entry"}\n')]


def verdict(bundle: bytes, *, quickly: bool, size: int = 3_000) -> tuple[Any, ...]:
    """What is said of it: many lines at once, or each by itself, as of one piece alone."""
    chunks = [bundle[at : at + size] for at in range(0, len(bundle), size)]
    piece_bytes = 1 if quickly else len(bundle) + 1  # as soon as there is a whole line, or all
    with patch.object(bundle_lines, "PIECE_BYTES", piece_bytes):
        try:
            return ("holds", verify_bundle(chunks, KEYS))
        except DeconflictError as error:
            return (type(error), error.problem, error.given, error.expected, error.remedy)


def taken_at_once(bundle: bytes) -> tuple[int, int, int]:
    """How many entries, receipts and checkpoints the kernel takes."""
    found: list[tuple[int, int, int]] = []

    def take(stretch: Stretch) -> int:
        if stretch.found is not None:
            entries = stretch.found.entries
            count = 0 if entries is None else entries.count
            found.append((count, len(stretch.found.receipts), len(stretch.found.checkpoints)))
        return len(stretch.text)

    with QuickReader(LINE, KEYS, frozenset()) as quick:
        for party, key in KEYS.items():
            quick.learn(party, key)
        quick.read([b"", bundle], take)  # of one piece alone nothing is read quickly
    entries, receipts, checkpoints = zip(*found, strict=True)
    return sum(entries), sum(receipts), sum(checkpoints)


def resigned(at: int, change: Callable[[dict[str, Any]], object]) -> bytes:
    """The bundle with one entry changed, and signed and sealed by liars who hold the keys."""
    item = json.loads(LINES[at])
    envelope = json.loads(base64.b64decode(item["data"]))
    change(envelope)
    data = canonical_bytes(envelope)
    item["data"] = base64.b64encode(data).decode()
    signature = SECRETS[item["party"]].sign(CONTEXT_ENVELOPE, data)
    item["signature"] = base64.b64encode(signature).decode()
    return sealed_anew([*LINES[:at], canonical_bytes(item) + b"\n", *LINES[at + 1 : -1]])


def sealed_anew(lines: list[bytes]) -> bytes:
    body = b"".join(lines)
    digest = hashlib.sha256(body)
    seal = json.loads(LINES[-1])
    signature = SECRETS["blue"].sign(CONTEXT_BUNDLE, digest.digest())
    seal |= {"sha256": digest.hexdigest(), "signature": base64.b64encode(signature).decode()}
    return body + canonical_bytes(seal) + b"\n"


def test_every_line_of_an_honest_record_that_proves_something_is_taken_at_once() -> None:
    receipts, checkpoints = (
        sum(line.endswith(b'"type":"%b"}\n' % kind) for line in LINES)
        for kind in (b"receipt", b"checkpoint")
    )
    assert receipts > 1
    assert checkpoints > 1
    assert taken_at_once(BUNDLE) == (len(ENTRIES), receipts, checkpoints)
    assert verdict(BUNDLE, quickly=True) == verdict(BUNDLE, quickly=False)
    assert verdict(BUNDLE, quickly=True)[0] == "holds"
    assert verify_bundle([BUNDLE], KEYS, lambda *_: None) == verdict(BUNDLE, quickly=True)[1]


@given(at=st.integers(0, len(BUNDLE) - 1), byte=st.integers(1, 255))
@examples(200)
def test_a_changed_byte_is_refused_in_the_same_words(at: int, byte: int) -> None:
    changed = bytearray(BUNDLE)
    changed[at] ^= byte
    assert verdict(bytes(changed), quickly=True) == verdict(bytes(changed), quickly=False)


@given(order=st.lists(st.sampled_from(range(len(LINES))), max_size=2 * len(LINES)))
@examples(100)
def test_lines_left_out_repeated_and_out_of_order_are_refused_in_the_same_words(
    order: list[int],
) -> None:
    bundle = sealed_anew([LINES[0], *(LINES[at] for at in order)])
    assert verdict(bundle, quickly=True) == verdict(bundle, quickly=False)


def resaid(kind: bytes, number: int, change: Callable[[dict[str, Any]], object]) -> bytes:
    """The bundle with one receipt or checkpoint changed and signed anew by whose it is."""
    places = [at for at, line in enumerate(LINES) if line.endswith(b'"type":"%b"}\n' % kind)]
    at = places[number]
    item = json.loads(LINES[at])
    if kind == b"receipt":
        said = json.loads(base64.b64decode(item["data"]))
        signer = SECRETS[said["from"]]
        change(said)
        data = canonical_bytes(said)
        signature = signer.sign(CONTEXT_RECEIPT, data)
        item["data"] = base64.b64encode(data).decode()
        item["signature"] = base64.b64encode(signature).decode()
    else:
        before = read_checkpoint(read_note(base64.b64decode(item["note"])).text)
        said = {"party": before.origin.party, "time_s": 1_443_600_000}
        said |= {"line": before.origin.line, "epoch": before.origin.epoch}
        said |= {"size": before.head.size, "root": before.head.root, "again": False}
        author = SECRETS[before.origin.party]
        witness = "red" if before.origin.party == "blue" else "blue"
        change(said)
        origin = Origin(said["line"], said["party"], said["epoch"])
        checkpoint = Checkpoint(origin, TreeHead(said["size"], said["root"]))
        note = seal_checkpoint(checkpoint, author)
        note = cosign_checkpoint(note, witness, SECRETS[witness], time_s=said["time_s"])
        if said["again"]:
            note = cosign_checkpoint(note, witness, SECRETS[witness], time_s=said["time_s"] + 1)
        item["note"] = base64.b64encode(note.to_bytes()).decode()
    return sealed_anew([*LINES[:at], canonical_bytes(item) + b"\n", *LINES[at + 1 : -1]])


RECEIPTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "the same": lambda said: said,
    "another line": lambda said: said.update(line="0" * 32),
    "from the author": lambda said: said.update({"from": said["to"], "to": said["from"]}),
    "to a stranger": lambda said: said.update(to="green"),
    "of an entry that is not there": lambda said: said.update(seq=300),
    "of another entry": lambda said: said.update(hash="0f" * 32),
    "of no entry": lambda said: said.update(seq=0),
    "of another epoch": lambda said: said.update(epoch="0f" * 16),
    "at no time": lambda said: said.update(received_utc="2015-02-30T00:00:00.000Z"),
    "a field more": lambda said: said.update(more=1),
    "another version": lambda said: said.update(v=2),
}
CHECKPOINTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "at another time": lambda said: said,
    "of another line": lambda said: said.update(line="0" * 32),
    "of the other chain": lambda said: said.update(
        party={"blue": "red", "red": "blue"}[said["party"]]
    ),
    "of a stranger's": lambda said: said.update(party="green"),
    "of another epoch": lambda said: said.update(epoch="0f" * 16),
    "of more than there is": lambda said: said.update(size=300),
    "of nothing": lambda said: said.update(size=0),
    "smaller than before": lambda said: said.update(size=1),
    "of another size": lambda said: said.update(size=said["size"] + 1),
    "of another root": lambda said: said.update(root=b"\x07" * 32),
    "at the last second": lambda said: said.update(time_s=7_258_118_399),
    "later than any time": lambda said: said.update(time_s=7_258_118_400),
    "cosigned twice": lambda said: said.update(again=True),
}


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("change", RECEIPTS.values(), ids=RECEIPTS)
def test_what_liars_receipt_is_judged_in_the_same_words(
    change: Callable[[dict[str, Any]], object], number: int
) -> None:
    bundle = resaid(b"receipt", number, change)
    assert verdict(bundle, quickly=True) == verdict(bundle, quickly=False)


@pytest.mark.parametrize("number", [0, 1, 2, 3])
@pytest.mark.parametrize("change", CHECKPOINTS.values(), ids=CHECKPOINTS)
def test_what_liars_fix_is_judged_in_the_same_words(
    change: Callable[[dict[str, Any]], object], number: int
) -> None:
    bundle = resaid(b"checkpoint", number, change)
    found = verdict(bundle, quickly=True)
    assert found == verdict(bundle, quickly=False)
    if change is CHECKPOINTS["of another root"]:
        assert found[0] is ForkedChainError


@pytest.mark.parametrize("later", [b"terms", b"entry", b"receipt", b"checkpoint"])
@pytest.mark.parametrize("size", [1_000, 20_000])
def test_one_kind_behind_all_others_is_judged_in_the_same_words(later: bytes, size: int) -> None:
    moved = [line for line in LINES[1:-1] if line.endswith(b'"type":"%b"}\n' % later)]
    kept = [line for line in LINES[:-1] if line not in moved]
    bundle = sealed_anew([*kept, *moved])
    found = verdict(bundle, quickly=True, size=size)
    assert found == verdict(bundle, quickly=False)
    expected = BrokenChainError if later == b"entry" else InvalidDocumentError
    assert found[0] is expected


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "another line": lambda said: said.update(line="0" * 32),
    "another author": lambda said: said["from"].update(party="green"),
    "another addressee": lambda said: said["to"].update(party="green"),
    "a number left out": lambda said: said.update(seq=said["seq"] + 1),
    "another entry before it": lambda said: said.update(prev="0f" * 32),
    "another epoch": lambda said: said.update(epoch="0f" * 16),
    "what the other never said": lambda said: said.update(
        heard={"epoch": "e" * 32, "hash": "0f" * 32, "seq": 3}
    ),
    "what the other has not said yet": lambda said: said.update(
        heard={"epoch": "e" * 32, "hash": "0f" * 32, "seq": 300}
    ),
    "no such day": lambda said: said.update(created_utc="2015-02-30T00:00:00.000Z"),
    "a year out of range": lambda said: said.update(created_utc="2215-02-03T00:00:00.000Z"),
    "a fraction": lambda said: said.update(body={"a": 0.5}),
    "a wide number": lambda said: said.update(body={"a": 2**53 - 1}),
    "an escape": lambda said: said.update(body="\n"),
    "beyond the basic plane": lambda said: said.update(body={"\U0001f600": 1, "\uffff": 2}),
    "Cyrillic": lambda said: said.update(body={"слово": ["ё"]}),
    "deep": lambda said: said.update(body=json.loads("[" * 15 + "]" * 15)),
    "too deep": lambda said: said.update(body=json.loads("[" * 16 + "]" * 16)),
    "a field more": lambda said: said.update(more=1),
    "a field less": lambda said: said.pop("release"),
    "an exercise": lambda said: said.update(drill=True),
    "a call": lambda said: said.update(kind="CALL_RECORD"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("place", [0, 5, 11, 12, 23])
def test_what_liars_sign_is_judged_in_the_same_words(
    change: Callable[[dict[str, Any]], object], place: int
) -> None:
    bundle = resigned(ENTRIES[place], change)
    assert verdict(bundle, quickly=True) == verdict(bundle, quickly=False)


@pytest.mark.parametrize("size", [500, 1_700, 20_000])
@pytest.mark.parametrize(
    "bundle",
    [BUNDLE, BUNDLE[:-1], BUNDLE[: len(BUNDLE) // 2], BUNDLE + b"x\n", BUNDLE * 2, b"", b"\n"],
    ids=["whole", "no end", "half", "more", "twice", "nothing", "an empty line"],
)
def test_pieces_of_any_size_are_judged_in_the_same_words(bundle: bytes, size: int) -> None:
    assert verdict(bundle, quickly=True, size=size) == verdict(bundle, quickly=False)


def test_entries_taken_at_once_are_not_read_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[bytes] = []
    decoded = bundle_proof.decoded
    monkeypatch.setattr(bundle_proof, "decoded", lambda line: read.append(line) or decoded(line))
    assert verdict(BUNDLE, quickly=True)[0] == "holds"
    assert len(read) < len(LINES)


@pytest.mark.parametrize("kinds", [frozenset[str](), frozenset({"NOTIFY", "QUERY"})])
def test_who_asks_for_some_kinds_sees_those_and_the_first_of_each_epoch(
    kinds: frozenset[str],
) -> None:
    every: list[tuple[str, str]] = []
    some: list[str] = []
    verify_bundle([BUNDLE], KEYS, lambda said, name, _: every.append((said.kind, name)))
    verify_bundle([BUNDLE], KEYS, lambda _, name, __: some.append(name), kinds=kinds)
    asked = [name for kind, name in every if kind in kinds]
    assert set(asked) <= set(some)
    assert {every[0][1], every[12][1]} <= set(some)
