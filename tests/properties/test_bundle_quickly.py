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

from deconflict.errors import DeconflictError
from deconflict.line.canonical import canonical_bytes
from deconflict.line.keys import CONTEXT_ENVELOPE
from deconflict.node import bundle_lines, bundle_proof
from deconflict.node.bundle import export_bundle
from deconflict.node.bundle_entries import QuickEntries
from deconflict.node.bundle_lines import CONTEXT_BUNDLE
from deconflict.node.bundle_proof import verify_bundle
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
    """What is said of it: some entries at once, or each by itself, as who looks at each does."""
    look = None if quickly else (lambda *_: None)
    chunks = [bundle[at : at + size] for at in range(0, len(bundle), size)]
    with patch.object(bundle_lines, "PIECE_BYTES", 1):  # as soon as there is a whole line
        try:
            return ("holds", verify_bundle(chunks, KEYS, look))
        except DeconflictError as error:
            return (type(error), error.problem, error.given, error.expected, error.remedy)


def taken_at_once(bundle: bytes) -> int:
    """How many entries the kernel takes."""
    with QuickEntries(LINE, KEYS, frozenset()) as quick:
        stretches = quick.stretches([b"", bundle])  # the first piece is never read quickly
        return sum(one.entries.count for one in stretches if one.entries is not None)


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


def test_every_entry_of_an_honest_record_is_taken_at_once() -> None:
    assert taken_at_once(BUNDLE) == len(ENTRIES)
    assert verdict(BUNDLE, quickly=True) == verdict(BUNDLE, quickly=False)
    assert verdict(BUNDLE, quickly=True)[0] == "holds"


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
