"""Requests and answers of witnesses as others publish them, through our reader and our proofs."""

import base64
import json
from pathlib import Path
from typing import Any

import nacl.signing
import pytest

from deconflict.errors import (
    BrokenProofError,
    DeconflictError,
    InvalidDocumentError,
    UnknownKeyError,
)
from deconflict.line.note import NoteKey, NoteKind, read_note
from deconflict.line.tlog_witness import (
    add_checkpoint_bytes,
    origin_of,
    read_add_checkpoint,
    read_size,
    size_bytes,
    with_cosignature,
)
from deconflict.line.tree import EMPTY, TreeHead
from deconflict.line.witness import judged_growth

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "tlog-witness.json").read_text()
)
EXAMPLE, FIRST, TO_THREE, TO_FIVE = VECTORS["requests"]


def head_of(case: dict[str, Any]) -> TreeHead:
    _, size, root = read_note(read_add_checkpoint(case["body"].encode()).note).text.splitlines()
    return TreeHead(int(size), base64.b64decode(root))


@pytest.mark.parametrize("case", VECTORS["requests"], ids=lambda case: case["name"])
def test_published_requests_are_read_and_written_to_the_byte(case: dict[str, Any]) -> None:
    request = read_add_checkpoint(case["body"].encode())
    assert (request.old_size, len(request.proof)) == (case["old_size"], case["hashes"])
    assert add_checkpoint_bytes(request) == case["body"].encode()
    with pytest.raises(UnknownKeyError):  # 404: a log of another kind
        origin_of(request)


def test_the_decision_takes_a_published_log_from_nothing_to_five() -> None:
    for case, after in ((FIRST, EMPTY), (TO_THREE, head_of(FIRST)), (TO_FIVE, head_of(FIRST))):
        request = read_add_checkpoint(case["body"].encode())
        assert judged_growth(after, request.old_size, head_of(case), request.proof) == head_of(case)
        note = read_note(request.note)
        key = nacl.signing.VerifyKey(bytes.fromhex(VECTORS["log_key_hex"]))
        key.verify(note.text.encode(), note.signatures[0].value)


def test_a_published_proof_with_a_bit_turned_is_refused() -> None:
    request = read_add_checkpoint(TO_FIVE["body"].encode())
    for place, one in enumerate(request.proof):
        turned = bytes([one[0] ^ 1]) + one[1:]
        proof = (*request.proof[:place], turned, *request.proof[place + 1 :])
        with pytest.raises(BrokenProofError):
            judged_growth(head_of(FIRST), 1, head_of(TO_FIVE), proof)


@pytest.mark.parametrize("case", VECTORS["bad_requests"], ids=lambda case: case["name"])
def test_what_is_no_request_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(InvalidDocumentError):
        read_add_checkpoint(case["body"].encode())


def test_a_proof_of_64_hashes_is_refused_and_one_of_63_is_read() -> None:
    def body(lines: int) -> bytes:
        return b"old 1\n" + (base64.b64encode(bytes(32)) + b"\n") * lines + b"\nnote"

    assert len(read_add_checkpoint(body(63)).proof) == 63
    with pytest.raises(InvalidDocumentError):
        read_add_checkpoint(body(64))


def test_of_published_answers_the_line_of_the_pinned_key_alone_is_kept() -> None:
    example, several = VECTORS["answers"]
    note, time_s = with_cosignature(
        read_note(several["note"].encode()),
        several["answer"].encode(),
        NoteKey.from_text(several["vkey"]),
    )
    assert time_s == several["time_s"]
    assert note.to_bytes().decode() == several["note"] + several["kept"]
    for answer in (example["answer"], several["answer"].splitlines(keepends=True)[0]):
        with pytest.raises(UnknownKeyError):
            with_cosignature(
                read_note(several["note"].encode()),
                answer.encode(),
                NoteKey.from_text(several["vkey"]),
            )


@pytest.mark.parametrize(
    "more", ["", "\n", "x\n", "\nanother text\n", "\n\n— a.example AAAAAQE=\n"]
)
def test_an_answer_that_is_more_than_lines_of_signatures_is_refused(more: str) -> None:
    several = VECTORS["answers"][1]
    key, note = NoteKey.from_text(several["vkey"]), read_note(several["note"].encode())
    with pytest.raises(InvalidDocumentError):
        with_cosignature(note, more.encode(), key)
    if more:
        with pytest.raises(InvalidDocumentError):
            with_cosignature(note, (several["kept"] + more).encode(), key)


@pytest.mark.parametrize("case", VECTORS["sizes"], ids=lambda case: repr(case["body"]))
def test_sizes_have_one_spelling(case: dict[str, Any]) -> None:
    body = case["body"].encode()
    if case["size"] is None:
        with pytest.raises(InvalidDocumentError):
            read_size(body)
    else:
        assert read_size(body) == case["size"]
        assert size_bytes(case["size"]) == body


@pytest.mark.parametrize("vkey", VECTORS["bad_vkeys"])
def test_what_is_no_verifier_key_is_refused(vkey: str) -> None:
    with pytest.raises(DeconflictError):
        NoteKey.from_text(vkey)


def test_a_published_verifier_key_is_read_and_written() -> None:
    vkey = VECTORS["answers"][1]["vkey"]
    key = NoteKey.from_text(vkey)
    assert (key.to_text(), key.kind, key.name) == (vkey, NoteKind.WITNESS, "remora.n621.de")
