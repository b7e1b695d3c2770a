"""Properties of the line's bytes and of its order, on whatever Hypothesis thinks of."""

import contextlib
import json
import re

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from deconflict.errors import DeconflictError, InvalidDocumentError, NotCanonicalError
from deconflict.line.canonical import (
    Json,
    canonical_bytes,
    is_surely_canonical,
    parse_canonical,
)
from deconflict.line.checkpoint import open_checkpoint
from deconflict.line.envelope import (
    GENESIS,
    Address,
    Envelope,
    Language,
    SealedEnvelope,
    as_its_reader_has_it,
    bytes_in_slot,
    envelope_bytes,
    read_envelope,
)
from deconflict.line.keyfile import open_seed
from deconflict.line.link import decode_beat
from deconflict.line.moment import utc_ms_from_text, utc_text
from deconflict.line.note import SignedNote, read_note
from deconflict.line.packets import Packet, Want, decode_packets, encode_packets
from deconflict.line.precedence import Precedence
from deconflict.line.receipt import SealedReceipt, SealedRefusal
from deconflict.line.statement import ChainPoint, Seq, Signature, read_statement, statement_bytes
from deconflict.line.witness import Cosigned, Submission
from effort import examples
from line_talk import LINE, at, talk

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
WHOLE = st.integers(-(2**53) + 1, 2**53 - 1)
FRACTION = st.floats(allow_nan=False, allow_infinity=False).filter(
    lambda number: abs(number) < 2**53 or abs(number) >= 1e21
)
JSON = st.recursive(
    st.none() | st.booleans() | WHOLE | FRACTION | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
).filter(lambda value: canonical_bytes(value).count(b"[") + canonical_bytes(value).count(b"{") < 14)
SIGNATURE = st.builds(
    Signature,
    st.just("Ed25519"),
    st.binary(min_size=32, max_size=32).map(bytes.hex),
    st.binary(min_size=64, max_size=64),
)
PACKET: st.SearchStrategy[Packet] = st.one_of(
    st.builds(SealedEnvelope, st.binary(max_size=300), SIGNATURE),
    st.builds(SealedReceipt, st.binary(max_size=300), SIGNATURE),
    st.builds(SealedRefusal, st.binary(max_size=300), SIGNATURE),
    st.builds(
        lambda first, more: Want(LINE, "b1" * 16, first, first + more),
        st.integers(1, 9),
        st.integers(0, 9),
    ),
    st.builds(
        Submission,
        st.just(LINE),
        st.integers(0, 2**53 - 1),
        st.lists(st.binary(min_size=32, max_size=32), max_size=63).map(tuple),
        st.binary(max_size=400),
    ),
    st.builds(Cosigned, st.just(LINE), st.binary(max_size=400)),
)


# Whatever a caller may put where JSON belongs: some of it is written as another value than it is.
NEARLY_JSON = JSON | st.dictionaries(
    TEXT | st.integers(),
    st.sets(st.integers()) | st.tuples(JSON) | st.binary(max_size=3),
    max_size=3,
)


class _Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    seq: Seq
    lang: Language
    body: Json


@given(JSON)
def test_fast_writing_is_the_slow_writing(value: object) -> None:
    assert canonical_bytes(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@given(JSON)
def test_reading_gives_back_what_was_written(value: object) -> None:
    assert parse_canonical(canonical_bytes(value)) == value


@given(JSON, st.sampled_from([{"indent": 1}, {"ensure_ascii": True}, {"sort_keys": False}]))
def test_any_other_spelling_is_refused(value: object, style: dict[str, bool]) -> None:
    other = json.dumps(value, **({"ensure_ascii": False} | style)).encode()  # type: ignore[arg-type]
    if other == canonical_bytes(value):
        return
    try:
        parse_canonical(other)
    except (NotCanonicalError, InvalidDocumentError):
        return
    raise AssertionError(other)


@given(st.text(alphabet='{}[]":,\\u0123456789eE.-+ntf \x00\x1fab\u00e9\U0001f600', max_size=30))
def test_what_is_surely_canonical_is_what_rfc_8785_writes(text: str) -> None:
    data = text.encode()
    if is_surely_canonical(data):
        assert rfc8785.dumps(json.loads(data)) == data


@given(JSON)
def test_most_of_what_is_written_is_surely_canonical(value: object) -> None:
    data = canonical_bytes(value)
    hard = not data.isascii() or re.search(rb"\d[.e]|\d{16}|\\", data)
    assert is_surely_canonical(data) or hard


@given(JSON, st.sampled_from(["body", "lang", "seq"]), st.data())
def test_a_statement_is_read_and_written_as_its_value_is(
    body: object, name: str, data: st.DataObject
) -> None:
    value = {"body": body, "lang": "en", "seq": 1}
    if data.draw(st.booleans()):
        value[name] = data.draw(JSON)
    written = rfc8785.dumps(value)  # type: ignore[arg-type]
    try:
        read = msgspec.convert(json.loads(written), _Statement, strict=True)
    except msgspec.ValidationError:
        with pytest.raises(InvalidDocumentError):
            read_statement(written, _Statement)
        return
    assert read_statement(written, _Statement) == read
    assert statement_bytes(read) == written


@given(NEARLY_JSON, st.integers(1, 2**53 - 1))
def test_an_envelope_in_a_slot_has_the_bytes_that_the_slow_way_gives(
    body: object, seq: int
) -> None:
    drafted = Envelope(
        v=1,
        line=LINE,
        sender=Address("blue", "watch"),
        to=Address("red", "watch"),
        epoch="e1" * 16,
        seq=1,
        prev=GENESIS,
        heard=None,
        kind="QUERY",
        prec=Precedence.FLASH,
        ref=None,
        drill=False,
        release="OWN_FORCES",
        created_utc=utc_text(0),
        clock_err_ms=0,
        answer_within_ms=None,
        expires_after_ms=None,
        lang="en",
        body=body,
    )
    try:
        slow = read_envelope(envelope_bytes(drafted))
    except (DeconflictError, TypeError) as error:
        with pytest.raises(type(error)):
            as_its_reader_has_it(drafted)
        return
    fitted = as_its_reader_has_it(drafted)
    assert fitted == slow
    in_slot = msgspec.structs.replace(
        fitted, seq=seq, prev="ab" * 32, heard=ChainPoint("e2" * 16, seq, "cd" * 32)
    )
    assert bytes_in_slot(in_slot) == envelope_bytes(in_slot)


@given(
    st.binary(max_size=80)
    | st.text(alphabet='{}[]":,\\u0123456789eE.-+ntf ', max_size=60).map(str.encode)
    | st.text(alphabet="\n— ab+AQ=/0", max_size=60).map(str.encode)
)
def test_no_bytes_break_a_reader(data: bytes) -> None:
    for read in (
        parse_canonical,
        decode_packets,
        decode_beat,
        read_note,
        lambda d: open_checkpoint(d, {}),
        lambda d: open_seed(d, "x"),
    ):
        try:
            value = read(data)
        except DeconflictError:
            continue
        if read is parse_canonical:
            assert rfc8785.dumps(value) == data  # type: ignore[arg-type]
        if isinstance(value, SignedNote):
            assert value.to_bytes() == data


@given(st.lists(PACKET, max_size=5))
def test_packets_come_back_as_they_were_sent(packets: list[Packet]) -> None:
    assert decode_packets(encode_packets(packets)) == packets


@given(st.lists(PACKET, min_size=1, max_size=3), st.data())
def test_altered_packets_are_refused_or_differ(packets: list[Packet], data: st.DataObject) -> None:
    body = encode_packets(packets)
    place = data.draw(st.integers(0, len(body) - 1))
    flipped = body[place] ^ data.draw(st.integers(1, 255))
    altered = body[:place] + bytes([flipped]) + body[place + 1 :]
    with contextlib.suppress(InvalidDocumentError):
        assert decode_packets(altered) != packets


END_OF_2199_MS = 7_258_118_400_000


@given(st.integers(0, END_OF_2199_MS - 1))
def test_utc_text_is_one_spelling_of_one_instant(utc_ms: int) -> None:
    assert utc_ms_from_text(utc_text(utc_ms)) == utc_ms


@given(st.integers(END_OF_2199_MS, 253_402_300_799_999))
def test_instant_after_2199_is_refused(utc_ms: int) -> None:
    with pytest.raises(InvalidDocumentError, match="range"):
        utc_ms_from_text(utc_text(utc_ms))


@examples(60)
@given(st.permutations(range(7)), st.lists(st.integers(0, 6), max_size=6))
def test_any_order_with_any_repetition_logs_the_chain_once_in_order(
    order: list[int], repeated: list[int]
) -> None:
    blue, red = talk()
    sealed = [blue.say() for _ in range(7)]
    for index in [*order, *repeated]:
        heard = red.hear(sealed[index])
        if heard.entries:
            red.logged += heard.entries
            receipt = red.machine.logged(heard.entries, at(0))
            assert red.machine.receipt_now() == receipt
    assert [entry.sealed for entry in red.logged] == sealed
    assert len(blue.machine.hear_receipt(receipt, at(0))) == 7


@examples(60)
@given(st.integers(0, 7), st.integers(0, 7))
def test_a_receipt_covers_exactly_what_was_logged(said: int, logged: int) -> None:
    blue, red = talk()
    sealed = [blue.say() for _ in range(said)]
    for one in sealed[:logged]:
        receipt = red.take(one)
    if sealed[:logged]:
        assert blue.machine.hear_receipt(receipt, at(0)) == tuple(s.hash for s in sealed[:logged])
    assert blue.machine.transmittable(at(0)) == sealed[logged:]
