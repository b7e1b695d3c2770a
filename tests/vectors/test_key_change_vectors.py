"""The vectors of a change of key; what is good, through a second implementation too."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

import deconflict.errors
from deconflict.line.envelope import SealedEnvelope, open_envelope
from deconflict.line.key_change import open_change, read_change
from deconflict.line.key_ring import KeyRing
from deconflict.line.keys import SigningKey
from deconflict.line.root import Root
from deconflict.line.statement import Signature

FILE = Path(__file__).parents[2] / "vectors" / "key-change.json"
VECTORS: dict[str, Any] = json.loads(FILE.read_text())
ROOT = Root.from_plain(VECTORS["root"])
FIRST = SigningKey.from_seed(bytes.fromhex(VECTORS["seeds"]["first"]) * 32).verify_key


def cases(found: list[dict[str, Any]]) -> Any:
    return pytest.mark.parametrize("case", found, ids=[case["name"] for case in found])


def sealed(entry: dict[str, Any]) -> SealedEnvelope:
    value = bytes.fromhex(entry["signature"])
    return SealedEnvelope(entry["text"].encode(), Signature("Ed25519", entry["key_id"], value))


def take(ring: KeyRing, entry: dict[str, Any]) -> int:
    one = sealed(entry)
    envelope = open_envelope(one, ring.candidates(one))
    return ring.take(envelope, one.signature.key_id).number


def test_the_root_s_id_and_fingerprint_are_those_of_its_description() -> None:
    digest = hashlib.sha256(b"deconflict/1 root\n" + rfc8785.dumps(VECTORS["root"])).digest()
    assert ROOT.root_id == VECTORS["root_id"] == digest.hex()
    groups = [f"{int.from_bytes(digest[i : i + 2], 'big'):05d}" for i in range(0, 16, 2)]
    assert ROOT.fingerprint() == VECTORS["root_fingerprint"] == " ".join(groups)


@cases(VECTORS["changes"])
def test_a_change_is_opened_or_refused_as_the_vector_says(case: dict[str, Any]) -> None:
    data = case["text"].encode()

    def opened() -> None:
        open_change(read_change(data), party="blue", first=VECTORS["first"], root=ROOT)

    if case["error"] == "none":
        opened()
    else:
        with pytest.raises(getattr(deconflict.errors, case["error"])):
            opened()


@cases([case for case in VECTORS["changes"] if case["error"] == "none"])
def test_a_good_change_holds_for_another_implementation(case: dict[str, Any]) -> None:
    change = json.loads(case["text"])
    assert rfc8785.dumps(change) + b"\n" == case["text"].encode()
    data = base64.b64decode(change["statement"])
    statement = json.loads(data)
    assert rfc8785.dumps(statement) == data
    new = base64.b64decode(statement["public"])
    Ed25519PublicKey.from_public_bytes(new).verify(
        base64.b64decode(change["possession"]), b"deconflict/1 key possession\n" + data
    )
    keys = [base64.b64decode(key) for key in VECTORS["root"]["keys"]]
    by_id = {hashlib.sha256(b"deconflict/1 key\n" + key).hexdigest(): key for key in keys}
    assert len(change["root"]) >= VECTORS["root"]["threshold"]
    for one in change["root"]:
        Ed25519PublicKey.from_public_bytes(by_id[one["key_id"]]).verify(
            base64.b64decode(one["signature"]), b"deconflict/1 key change\n" + data
        )


def test_each_entry_of_the_chain_is_signed_by_the_key_in_force() -> None:
    ring = KeyRing("blue", FIRST, ROOT)
    for entry in VECTORS["chain"]:
        assert take(ring, entry) == entry["number"]


@cases(VECTORS["bad_chains"])
def test_a_bad_chain_is_refused_at_its_last_entry(case: dict[str, Any]) -> None:
    ring = KeyRing("blue", FIRST, ROOT)
    *before, last = case["entries"]
    for entry in before:
        take(ring, entry)
    with pytest.raises(getattr(deconflict.errors, case["error"])):
        take(ring, last)
