"""The published and the own vectors of the line, the own ones through a second implementation."""

import base64
import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import nacl.exceptions
import nacl.signing
import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

import deconflict.errors
from deconflict.line.canonical import canonical_bytes, parse_canonical
from deconflict.line.envelope import SealedEnvelope, open_envelope
from deconflict.line.keys import SigningKey, VerifyKey, line_id
from deconflict.line.packets import decode_packets, encode_packets
from deconflict.line.receipt import SealedReceipt, open_receipt
from deconflict.line.statement import Signature

FOLDER = Path(__file__).parents[2] / "vectors"
CONTEXTS = {"envelope": b"deconflict/1 envelope\n", "receipt": b"deconflict/1 receipt\n"}


def load(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / name).read_text())
    return content


CANONICAL = load("canonical.json")
ED25519 = load("ed25519.json")
CHAIN = load("chain.json")
BLUE, RED = (
    SigningKey.from_seed(bytes.fromhex(CHAIN["parties"][name]["seed_hex"]))
    for name in ("blue", "red")
)


def cases(found: list[dict[str, Any]]) -> Any:
    return pytest.mark.parametrize("case", found, ids=[case["name"] for case in found])


def hostile_bytes(case: dict[str, Any]) -> bytes:
    if "hex" in case:
        return bytes.fromhex(case["hex"])
    run = bytes.fromhex(case["repeat_hex"]) * case["times"]
    return bytes.fromhex(case.get("hex_head", "")) + run + bytes.fromhex(case.get("hex_tail", ""))


def error_named(name: str) -> type[Exception]:
    error = getattr(deconflict.errors, name)
    assert issubclass(error, Exception)
    return error  # type: ignore[no-any-return]


# ---- canonical JSON ---------------------------------------------------------------------------


@cases(CANONICAL["valid"])
def test_canonical_form_is_the_published_one(case: dict[str, Any]) -> None:
    expected = bytes.fromhex(case["hex"])
    value = json.loads(case["value_json"])
    assert canonical_bytes(value) == expected
    assert parse_canonical(expected) == value


@pytest.mark.parametrize("case", CANONICAL["numbers"], ids=lambda case: case["ieee754"])
def test_numbers_are_written_as_published(case: dict[str, Any]) -> None:
    number = struct.unpack(">d", bytes.fromhex(case["ieee754"]))[0]
    assert rfc8785.dumps(number).decode() == case["written"]
    if case["outcome"] == "refused":
        with pytest.raises(deconflict.errors.InvalidDocumentError):
            canonical_bytes(number)
    else:
        assert canonical_bytes(number).decode() == case["written"]
        assert parse_canonical(case["written"].encode()) == number


@cases(CANONICAL["hostile"])
def test_hostile_document_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(error_named(case["error"])) as caught:
        parse_canonical(hostile_bytes(case))
    assert type(caught.value).__name__ == case["error"]


# ---- Ed25519 ----------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ED25519["rfc8032"]["cases"], ids=["TEST 1", "TEST 2", "TEST 3"])
def test_signatures_are_those_of_rfc_8032(case: dict[str, str]) -> None:
    seed, message = bytes.fromhex(case["seed_hex"]), bytes.fromhex(case["message_hex"])
    assert SigningKey.from_seed(seed).verify_key.public.hex() == case["public_hex"]
    assert nacl.signing.SigningKey(seed).sign(message).signature.hex() == case["signature_hex"]


@cases(ED25519["speccheck"]["cases"])
def test_no_edge_case_signature_passes_pinning_and_verification(case: dict[str, str]) -> None:
    public, value = bytes.fromhex(case["public_hex"]), bytes.fromhex(case["signature_hex"])
    if case["key"] == "pinned":
        assert VerifyKey(public).public == public
        assert case["signature"] == "refused"
    else:
        with pytest.raises(deconflict.errors.WeakKeyError):
            VerifyKey(public)
    if case["signature"] == "refused":
        with pytest.raises(nacl.exceptions.BadSignatureError):
            nacl.signing.VerifyKey(public).verify(bytes.fromhex(case["message_hex"]), value)


@pytest.mark.parametrize("public_hex", ED25519["small_order"]["keys"])
def test_small_order_key_cannot_be_pinned(public_hex: str) -> None:
    public = bytes.fromhex(public_hex)
    assert len(public) == 32
    with pytest.raises(deconflict.errors.WeakKeyError):
        VerifyKey(public)


# ---- envelopes, receipts, the chain -----------------------------------------------------------


@pytest.mark.parametrize("item", CHAIN["items"], ids=lambda item: f"{item['by']} {item['type']}")
def test_a_second_implementation_makes_the_same_bytes(item: dict[str, str]) -> None:
    value = json.loads(item["text"])
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    data = written.encode()
    assert data == item["text"].encode()
    assert hashlib.sha256(data).hexdigest() == item["sha256"]
    key = Ed25519PrivateKey.from_private_bytes(
        bytes.fromhex(CHAIN["parties"][item["by"]]["seed_hex"])
    )
    assert key.sign(CONTEXTS[item["type"]] + data).hex() == item["signature"]


def test_the_chain_links_by_hash_and_cites_the_other_one() -> None:
    said = [json.loads(item["text"]) for item in CHAIN["items"] if item["type"] == "envelope"]
    names = [item["sha256"] for item in CHAIN["items"] if item["type"] == "envelope"]
    assert said[0]["prev"] == "0" * 64
    assert said[1]["prev"] == names[0]
    assert said[2]["heard"] == {"epoch": said[1]["epoch"], "seq": 2, "hash": names[1]}
    assert said[2]["ref"] == names[1]


def test_names_of_keys_and_lines_are_the_published_ones() -> None:
    for name, key in (("blue", BLUE), ("red", RED)):
        party = CHAIN["parties"][name]
        public = bytes.fromhex(party["public_hex"])
        key_id = hashlib.sha256(b"deconflict/1 key\n" + public).hexdigest()
        assert key.key_id == party["key_id"] == key_id
        groups = [int(key_id[i : i + 4], 16) for i in range(0, 32, 4)]
        assert party["fingerprint"] == " ".join(f"{group:05d}" for group in groups)
        assert key.verify_key.fingerprint() == party["fingerprint"]
    text = f"deconflict/1 line\nblue\n{BLUE.key_id}\nred\n{RED.key_id}"
    assert CHAIN["line"] == hashlib.sha256(text.encode()).hexdigest()[:32]
    assert CHAIN["line"] == line_id("red", RED.key_id, "blue", BLUE.key_id)


@cases(load("envelope.json")["cases"])
def test_envelope_opens_or_fails_as_published(case: dict[str, str]) -> None:
    signature = Signature("Ed25519", case["key_id"], bytes.fromhex(case["signature"]))
    sealed = SealedEnvelope(case["text"].encode(), signature)
    keys = {BLUE.key_id: BLUE.verify_key}
    if case["error"] == "none":
        assert open_envelope(sealed, keys).sender.party == "blue"
    else:
        with pytest.raises(error_named(case["error"])) as caught:
            open_envelope(sealed, keys)
        assert type(caught.value).__name__ == case["error"]


@cases(load("receipt.json")["cases"])
def test_receipt_opens_or_fails_as_published(case: dict[str, str]) -> None:
    signature = Signature("Ed25519", case["key_id"], bytes.fromhex(case["signature"]))
    sealed = SealedReceipt(case["text"].encode(), signature)
    keys = {RED.key_id: RED.verify_key}
    if case["error"] == "none":
        assert open_receipt(sealed, keys).sender == "red"
    else:
        with pytest.raises(error_named(case["error"])) as caught:
            open_receipt(sealed, keys)
        assert type(caught.value).__name__ == case["error"]


# ---- packets ----------------------------------------------------------------------------------


@pytest.mark.parametrize("case", load("packets.json")["good"], ids=lambda case: case["type"])
def test_packet_decodes_and_encodes_to_the_same_text(case: dict[str, str]) -> None:
    body = case["text"].encode()
    (packet,) = decode_packets(body)
    assert encode_packets([packet]) == body
    if case["type"] in ("checkpoint", "cosignature"):
        assert json.loads(body)["line"] == CHAIN["line"]  # test_note_vectors.py verifies the notes
    elif case["type"] != "want":
        wire = json.loads(body)
        signer = CHAIN["parties"]["blue" if case["type"] == "envelope" else "red"]
        public = bytes.fromhex(signer["public_hex"])
        Ed25519PublicKey.from_public_bytes(public).verify(
            base64.b64decode(wire["signature"]),
            f"deconflict/1 {case['type']}\n".encode() + base64.b64decode(wire["data"]),
        )


@cases(load("packets.json")["bad"])
def test_body_with_one_bad_packet_is_refused(case: dict[str, Any]) -> None:
    text = case["text"] if "text" in case else case["repeat"] * case["times"] + case["tail"]
    with pytest.raises(deconflict.errors.InvalidDocumentError):
        decode_packets(text.encode())
