"""Whatever is done to the bytes of a bundle, it is found."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deconflict.errors import InvalidDocumentError, VerificationError
from deconflict.node.bundle import export_bundle
from deconflict.node.bundle_proof import verify_bundle
from deconflict.store.sqlite import SqliteStore
from effort import examples
from record_samples import KEYS, LINE, SECRETS, START_MS, conversation

with SqliteStore.open(":memory:") as _store:
    _store.commit(conversation(3))
    BUNDLE = b"".join(
        export_bundle(
            _store, LINE, signer=SECRETS["blue"], peer_key=KEYS["red"], exported_utc_ms=START_MS
        )
    )
LINES = BUNDLE.splitlines(keepends=True)
positions = st.integers(0, len(BUNDLE) - 1)


def refused(changed: bytes) -> None:
    if changed == BUNDLE:
        return
    with pytest.raises((VerificationError, InvalidDocumentError)):
        verify_bundle([changed], KEYS)


@given(at=positions, byte=st.binary(min_size=1, max_size=1))
@examples(400)
def test_a_changed_byte_is_found(at: int, byte: bytes) -> None:
    refused(BUNDLE[:at] + byte + BUNDLE[at + 1 :])


@given(at=positions, inserted=st.binary(max_size=40), removed=st.integers(0, 40))
@examples(200)
def test_inserted_and_removed_bytes_are_found(at: int, inserted: bytes, removed: int) -> None:
    refused(BUNDLE[:at] + inserted + BUNDLE[at + removed :])


@given(at=positions)
def test_a_truncated_bundle_is_found(at: int) -> None:
    refused(BUNDLE[:at])


@given(more=st.binary(min_size=1, max_size=100))
def test_appended_bytes_are_found(more: bytes) -> None:
    refused(BUNDLE + more)


@given(order=st.permutations(range(len(LINES))))
def test_reordered_lines_are_found(order: list[int]) -> None:
    refused(b"".join(LINES[index] for index in order))


@given(kept=st.lists(st.sampled_from(range(len(LINES))), max_size=2 * len(LINES)))
def test_left_out_and_repeated_lines_are_found(kept: list[int]) -> None:
    refused(b"".join(LINES[index] for index in kept))


@given(garbage=st.binary(max_size=300))
def test_anything_else_is_refused_and_never_breaks_the_reader(garbage: bytes) -> None:
    refused(garbage)


@given(cuts=st.lists(positions, max_size=12).map(sorted))
def test_pieces_do_not_matter(cuts: list[int]) -> None:
    edges = [0, *cuts, len(BUNDLE)]
    pieces = [BUNDLE[a:b] for a, b in pairwise(edges)]
    assert verify_bundle(pieces, KEYS).by == "blue"
