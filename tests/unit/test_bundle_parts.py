"""Parts of private checks in an exported record: each as its step names it, or missing and told."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from test_bundle import resealed, verified

from deconflict.errors import BrokenProofError, InvalidDocumentError, NotCanonicalError
from deconflict.messages.private_bodies import MAX_PART_BYTES, PrivateStep, StepWord, cut
from deconflict.node.bundle import export_bundle
from deconflict.node.bundle_parts import VerifiedParts
from deconflict.node.bundle_proof import verify_bundle
from deconflict.store.base import Batch, EntryRow
from deconflict.store.parts import Parts
from deconflict.store.sqlite import SqliteStore
from record_samples import KEYS, LINE, LINE_ROW, SECRETS, START_MS, Chain

CHECK = "c" * 64
LARGE = bytes(range(256)) * 100
TWO_PARTS = os.urandom(64) * (MAX_PART_BYTES // 64) + b"the rest"


def step_entry(chain: Chain, data: bytes, *, run: int = 0, ref: str | None = CHECK) -> EntryRow:
    body = PrivateStep.of(run, StepWord.POINTS, 0, data)
    return chain.say(kind="PRIVATE_STEP", body=msgspec.to_builtins(body), ref=ref)


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return Parts(tmp_path / "parts" / LINE)


@pytest.fixture
def store() -> Iterator[SqliteStore]:
    blue, red = Chain("blue"), Chain("red", "d" * 32)
    entries = [
        step_entry(blue, LARGE),
        step_entry(red, TWO_PARTS),
        step_entry(red, b"small enough for its message"),
        step_entry(red, LARGE, run=1),
    ]
    with SqliteStore.open(":memory:") as opened:
        opened.commit(Batch(lines=[LINE_ROW], entries=entries))
        yield opened


def exported(store: SqliteStore, parts: Parts | None) -> bytes:
    return b"".join(
        export_bundle(
            store,
            LINE,
            signer=SECRETS["blue"],
            peer_key=KEYS["red"],
            exported_utc_ms=START_MS,
            parts=parts,
        )
    )


def names(data: bytes) -> list[str]:
    return [hashlib.sha256(part).hexdigest() for part in cut(data)]


def part_lines(bundle: bytes) -> list[bytes]:
    return [line for line in bundle.splitlines() if b'"type":"part"' in line]


def test_all_parts_go_along_each_once(store: SqliteStore, parts: Parts) -> None:
    for data in (*cut(TWO_PARTS), LARGE):
        parts.keep(data)
    bundle = exported(store, parts)
    assert len(part_lines(bundle)) == 3
    assert verified(bundle).parts == (
        VerifiedParts(CHECK, 0, 3, ()),
        VerifiedParts(CHECK, 1, 1, ()),
    )


def test_in_any_pieces_it_proves_the_same(store: SqliteStore, parts: Parts) -> None:
    for data in (*cut(TWO_PARTS), LARGE):
        parts.keep(data)
    bundle = exported(store, parts)
    step = 700_001
    pieces = [bundle[at : at + step] for at in range(0, len(bundle), step)]
    assert verify_bundle(pieces, KEYS) == verified(bundle)


def test_a_part_that_is_gone_is_missing_and_no_fault(store: SqliteStore, parts: Parts) -> None:
    parts.keep(next(iter(cut(TWO_PARTS))))
    assert verified(exported(store, parts)).parts == (
        VerifiedParts(CHECK, 0, 3, (names(LARGE)[0], names(TWO_PARTS)[1])),
        VerifiedParts(CHECK, 1, 1, (names(LARGE)[0],)),
    )
    without = verified(exported(store, None)).parts
    assert [len(run.missing) for run in without] == [3, 1]


def test_a_part_that_no_step_names_does_not_go_along(store: SqliteStore, parts: Parts) -> None:
    parts.keep(b"of another check, or of nobody")
    assert part_lines(exported(store, parts)) == []


def test_a_damaged_part_counts_as_missing(store: SqliteStore, parts: Parts, tmp_path: Path) -> None:
    name = parts.keep(LARGE)
    (tmp_path / "parts" / LINE / name).write_bytes(LARGE[:-1] + b"x")
    assert verified(exported(store, parts)).parts[1] == VerifiedParts(CHECK, 1, 1, (name,))


def test_a_changed_part_is_refused_also_under_a_right_seal(
    store: SqliteStore, parts: Parts
) -> None:
    parts.keep(LARGE)

    def change(items: list[dict]) -> None:
        (part,) = (item for item in items if item["type"] == "part")
        part["data"] = "AAAA" + part["data"][4:]

    with pytest.raises(BrokenProofError, match="line 6 of the bundle"):
        verified(resealed(exported(store, parts), change))


def test_a_part_that_no_step_names_is_refused(store: SqliteStore, parts: Parts) -> None:
    parts.keep(LARGE)

    def change(items: list[dict]) -> None:
        (part,) = (item for item in items if item["type"] == "part")
        part["data"] = "AAAA"
        part["sha256"] = hashlib.sha256(bytes(3)).hexdigest()

    with pytest.raises(InvalidDocumentError, match="no step of the record"):
        verified(resealed(exported(store, parts), change))


@pytest.mark.parametrize("twice", [True, False])
def test_parts_stand_once_in_the_order_of_their_hashes(
    store: SqliteStore, parts: Parts, twice: bool
) -> None:
    for data in (*cut(TWO_PARTS), LARGE):
        parts.keep(data)

    def change(items: list[dict]) -> None:
        if twice:
            items.append(items[-1])
        else:
            items[-1], items[-2] = items[-2], items[-1]

    with pytest.raises(InvalidDocumentError, match="out of order"):
        verified(resealed(exported(store, parts), change))


def test_a_part_stands_behind_everything_else(store: SqliteStore, parts: Parts) -> None:
    parts.keep(LARGE)
    with pytest.raises(InvalidDocumentError, match="out of order"):
        verified(resealed(exported(store, parts), lambda items: items.insert(2, items.pop())))


def test_a_part_in_another_spelling_is_refused(store: SqliteStore, parts: Parts) -> None:
    parts.keep(LARGE + b"x")  # two bits of base64 to spare
    parts.keep(LARGE)

    def change(items: list[dict]) -> None:
        items[-1]["sha256"] = items[-1]["sha256"].upper()

    with pytest.raises((InvalidDocumentError, NotCanonicalError)):
        verified(resealed(exported(store, parts), change))


def test_a_step_that_says_what_cannot_be_names_nothing(parts: Parts) -> None:
    blue = Chain("blue")
    entries = [
        blue.say(kind="PRIVATE_STEP", body={"parts": ["x"]}, ref=CHECK),
        step_entry(blue, LARGE, ref=None),
    ]
    parts.keep(LARGE)
    with SqliteStore.open(":memory:") as store:
        store.commit(Batch(lines=[LINE_ROW], entries=entries))
        bundle = exported(store, parts)
    assert part_lines(bundle) == []
    assert verified(bundle).parts == ()
