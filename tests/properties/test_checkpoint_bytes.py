"""Whatever is done to the bytes of a cosigned checkpoint, it is found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deconflict.errors import InvalidDocumentError, VerificationError
from deconflict.line.checkpoint import (
    Checkpoint,
    Origin,
    cosign_checkpoint,
    cosignature_time_s,
    open_checkpoint,
    read_checkpoint,
    seal_checkpoint,
)
from deconflict.line.tree import TreeHead
from effort import examples
from line_talk import BLUE, LINE, RED

BLUE_KEYS = {BLUE.key_id: BLUE.verify_key}
RED_KEYS = {RED.key_id: RED.verify_key}
CHECKPOINT = Checkpoint(Origin(LINE, "blue", "b1" * 16), TreeHead(100, b"r" * 32))
NOTE = cosign_checkpoint(seal_checkpoint(CHECKPOINT, BLUE), "red", RED, time_s=1_443_571_200)
DATA = NOTE.to_bytes()
places = st.integers(0, len(DATA) - 1)
heads = st.builds(
    TreeHead, st.integers(0, 2**53 - 1), st.binary(min_size=32, max_size=32)
)  # of any size


def accepted(data: bytes) -> bool:
    try:
        found, note = open_checkpoint(data, BLUE_KEYS)
        time_s = cosignature_time_s(note, "red", RED_KEYS)
    except (VerificationError, InvalidDocumentError):
        return False
    # Lines of other signers may be added, as C2SP has it; what is signed stays what it was.
    return (found, time_s) == (CHECKPOINT, 1_443_571_200)


@given(places, st.integers(1, 255))
@examples(400)
def test_a_changed_byte_is_found(at: int, change: int) -> None:
    assert not accepted(DATA[:at] + bytes([DATA[at] ^ change]) + DATA[at + 1 :])


@given(places)
def test_a_cut_note_is_found(at: int) -> None:
    assert not accepted(DATA[:at])


@given(st.binary(min_size=1, max_size=80))
def test_what_is_appended_is_another_signer_or_refused(more: bytes) -> None:
    if accepted(DATA + more):
        assert more.startswith("\N{EM DASH} ".encode())


@given(heads, st.integers(0, 7_258_118_399))
def test_every_checkpoint_is_read_as_it_was_written(head: TreeHead, time_s: int) -> None:
    checkpoint = Checkpoint(CHECKPOINT.origin, head)
    assert read_checkpoint(checkpoint.text) == checkpoint
    note = cosign_checkpoint(seal_checkpoint(checkpoint, BLUE), "red", RED, time_s=time_s)
    assert open_checkpoint(note.to_bytes(), BLUE_KEYS) == (checkpoint, note)
    assert cosignature_time_s(note, "red", RED_KEYS) == time_s


def test_a_witness_cosigns_once_and_is_known_by_its_own_key_alone() -> None:
    again = cosign_checkpoint(NOTE, "red", RED, time_s=1_443_571_200)
    assert again == NOTE
    with pytest.raises(VerificationError):
        cosignature_time_s(NOTE, "red", BLUE_KEYS)
    with pytest.raises(VerificationError):
        cosignature_time_s(NOTE, "blue", BLUE_KEYS)
    with pytest.raises(ValueError, match="time"):
        cosign_checkpoint(NOTE, "red", RED, time_s=2**63)


@pytest.mark.parametrize("time_s", [7_258_118_400, 2**63 - 1])
def test_a_time_that_no_screen_can_show_is_refused(time_s: int) -> None:
    late = cosign_checkpoint(seal_checkpoint(CHECKPOINT, BLUE), "red", RED, time_s=time_s)
    with pytest.raises(InvalidDocumentError):
        cosignature_time_s(late, "red", RED_KEYS)
