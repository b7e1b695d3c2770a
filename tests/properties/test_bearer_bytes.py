"""Whatever the way does to a parcel, it is the same one or it is refused; no reader breaks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deconflict.errors import InvalidDocumentError
from deconflict.line.armour import armoured
from deconflict.line.bearers import parcels_of
from deconflict.line.codes import code_texts
from deconflict.line.packets import encode_packets
from deconflict.line.parcel import decode_parcel, pack_parcel, unpack_parcel
from effort import examples
from parcel_samples import PACKED, parcel_of

PARCEL = parcel_of(3)
BLOCK = armoured(PACKED).encode()
CODES = [text.encode() for text in code_texts(PACKED)]
BLOCK_WORDS = (
    b"-----BEGIN DECONFLICT PARCEL ",
    b"-----END DECONFLICT PARCEL",
    b"DCF1:",
    b"=\n",
    b"> ",
)


def same_or_refused(*files: bytes) -> None:
    try:
        found = parcels_of(files)
    except InvalidDocumentError:
        return
    assert [brought.parcel for brought in found] == [PARCEL]


@given(at=st.integers(0, len(PARCEL) - 1), byte=st.binary(min_size=1, max_size=1))
@examples(300)
def test_a_file_is_whole_or_refused(at: int, byte: bytes) -> None:
    changed = PARCEL[:at] + byte + PARCEL[at + 1 :]
    if changed != PARCEL:
        with pytest.raises(InvalidDocumentError):
            decode_parcel(changed)


@given(at=st.integers(0, len(BLOCK)), inserted=st.binary(max_size=40), removed=st.integers(0, 200))
@examples(400)
def test_a_block_is_the_same_or_refused(at: int, inserted: bytes, removed: int) -> None:
    same_or_refused(BLOCK[:at] + inserted + BLOCK[at + removed :])


@given(
    order=st.lists(st.sampled_from(range(len(CODES))), max_size=3 * len(CODES)),
    at=st.integers(0, 700),
    byte=st.binary(max_size=2),
)
@examples(300)
def test_codes_are_the_same_or_refused(order: list[int], at: int, byte: bytes) -> None:
    texts = [CODES[index] for index in order]
    if texts:
        texts[0] = texts[0][:at] + byte + texts[0][at + 1 :]
    same_or_refused(b"\n".join(texts))


@given(order=st.permutations(range(len(CODES))))
def test_codes_in_any_order_are_the_parcel(order: list[int]) -> None:
    (brought,) = parcels_of([CODES[index] for index in order])
    assert brought.parcel == PARCEL


@given(
    parts=st.lists(
        st.one_of(st.binary(max_size=80), st.sampled_from((*BLOCK_WORDS, *CODES, BLOCK))),
        max_size=12,
    )
)
@examples(400)
def test_anything_around_it_breaks_no_reader(parts: list[bytes]) -> None:
    same_or_refused(b"".join(parts))


@given(data=st.binary(max_size=400))
def test_any_bytes_unpack_or_are_refused(data: bytes) -> None:
    try:
        parcel = unpack_parcel(data)
    except InvalidDocumentError:
        return
    assert pack_parcel(parcel)


@given(messages=st.integers(0, 6))
@examples(10)
def test_what_is_read_is_what_was_written(messages: int) -> None:
    parcel = parcel_of(messages)
    packed = pack_parcel(parcel)
    for files in ([parcel], [armoured(packed).encode()], ["\n".join(code_texts(packed)).encode()]):
        (brought,) = parcels_of(files)
        assert brought.parcel == parcel
        assert parcel[:-65].endswith(encode_packets(decode_parcel(brought.parcel).packets))
