"""Questions and answers of a re-synchronisation, written without the code that reads them here."""

import base64
import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from make_resync import FOLDER, chain, written

from deconflict.errors import InvalidDocumentError
from deconflict.line.packets import Answer, Question, decode_packets, encode_packets

VECTORS: dict[str, Any] = json.loads((FOLDER / "resync.json").read_text("utf-8"))
PARTIES = chain()["parties"]


def cases(found: list[dict[str, str]]) -> Any:
    return pytest.mark.parametrize("case", found, ids=[case["name"] for case in found])


def test_the_file_is_what_the_script_writes() -> None:
    assert (FOLDER / "resync.json").read_text("utf-8") == written()


@cases(VECTORS["good"])
def test_it_decodes_and_encodes_to_the_same_text(case: dict[str, str]) -> None:
    body = case["text"].encode()
    (packet,) = decode_packets(body)
    assert isinstance(packet, Question | Answer)
    assert encode_packets([packet]) == body
    wire = json.loads(body)
    assert (packet.role, packet.nonce) == (wire["role"], wire["nonce"])


@cases([case for case in VECTORS["good"] if '"type":"answer"' in case["text"]])
def test_what_an_answer_holds_is_signed_and_stands_where_it_says(case: dict[str, str]) -> None:
    wire = json.loads(case["text"])
    said = []
    for context, signed, party in (
        *(("envelope", entry, "blue") for entry in wire["entries"]),
        *([("receipt", wire["receipt"], "red")] if wire["receipt"] else []),
    ):
        data = base64.b64decode(signed["data"])
        public = bytes.fromhex(PARTIES[party]["public_hex"])
        Ed25519PublicKey.from_public_bytes(public).verify(
            base64.b64decode(signed["signature"]), f"deconflict/1 {context}\n".encode() + data
        )
        if context == "envelope":
            said.append((json.loads(data)["seq"], hashlib.sha256(data).hexdigest()))
    if said:
        assert said[-1] == (wire["head"]["seq"], wire["head"]["hash"])
        assert [seq for seq, _ in said] == list(range(said[0][0], said[-1][0] + 1))


@cases(VECTORS["bad"])
def test_it_is_refused_as_a_whole(case: dict[str, str]) -> None:
    with pytest.raises(InvalidDocumentError):
        decode_packets(case["text"].encode())


def test_256_entries_are_taken() -> None:
    (case,) = [case for case in VECTORS["bad"] if case["name"] == "257 entries"]
    wire = json.loads(case["text"])
    wire["entries"] = wire["entries"][:256]
    body = (json.dumps(wire, separators=(",", ":")) + "\n").encode()
    (packet,) = decode_packets(body)
    assert isinstance(packet, Answer)
    assert len(packet.entries) == 256
