"""Signed notes as others publish them, and the own checkpoints through a second implementation."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import nacl.exceptions
import nacl.signing
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from deconflict import errors
from deconflict.errors import InvalidDocumentError
from deconflict.line.checkpoint import (
    Checkpoint,
    Origin,
    cosign_checkpoint,
    cosignature_time_s,
    open_checkpoint,
    seal_checkpoint,
)
from deconflict.line.keys import SigningKey, VerifyKey
from deconflict.line.note import NoteKey, NoteKind, cosigned_message, read_note
from deconflict.line.tree import TreeHead

FOLDER = Path(__file__).parents[2] / "vectors"
NOTES: dict[str, Any] = json.loads((FOLDER / "note.json").read_text())
OWN: dict[str, Any] = json.loads((FOLDER / "checkpoint.json").read_text())
KEYS = {
    name: SigningKey.from_seed(bytes.fromhex(party["seed_hex"]))
    for name, party in OWN["parties"].items()
}
PINNED = {name: {key.key_id: key.verify_key} for name, key in KEYS.items()}


def key_from(vkey: str) -> NoteKey:
    name, key_id, encoded = vkey.split("+", 2)
    kind, public = base64.b64decode(encoded)[0], base64.b64decode(encoded)[1:]
    key = NoteKey(name, NoteKind(kind), VerifyKey(public))
    assert key.key_id.hex() == key_id
    return key


@pytest.mark.parametrize("case", NOTES["good"], ids=lambda case: case["name"])
def test_published_notes_are_read_and_their_keys_named_as_published(case: dict[str, Any]) -> None:
    note = read_note(case["note"].encode())
    assert note.to_bytes() == case["note"].encode()
    for signer in case["keys"]:
        key = key_from(signer["vkey"])
        assert key.to_text() == signer["vkey"]
        (found,) = [one for one in note.signatures if one.key_id == key.key_id]
        message, value = note.text.encode(), found.value
        if key.kind is NoteKind.WITNESS:
            assert int.from_bytes(value[:8], "big") == signer["time_s"]
            message, value = cosigned_message(note.text, signer["time_s"]), value[8:]
            assert key.verify(note) == signer["time_s"]
        # Our own keys sign no text that begins like these, so they are verified without ours.
        nacl.signing.VerifyKey(key.key.public).verify(message, value)
        with pytest.raises(nacl.exceptions.BadSignatureError):
            nacl.signing.VerifyKey(key.key.public).verify(b"x" + message, value)


@pytest.mark.parametrize("case", NOTES["bad"], ids=lambda case: case["name"])
def test_what_is_no_signed_note_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(InvalidDocumentError):
        read_note(case["note"].encode())


@pytest.mark.parametrize("case", OWN["good"], ids=lambda case: case["name"])
def test_checkpoints_are_made_and_verified_as_published(case: dict[str, Any]) -> None:
    origin = Origin(case["line"], case["party"], case["epoch"])
    checkpoint = Checkpoint(origin, TreeHead(case["size"], bytes.fromhex(case["root_hex"])))
    signed = seal_checkpoint(checkpoint, KEYS[case["party"]])
    cosigned = cosign_checkpoint(
        signed, case["witness"], KEYS[case["witness"]], time_s=case["time_s"]
    )
    assert cosigned.to_bytes().decode() == case["note"]
    assert open_checkpoint(case["note"].encode(), PINNED[case["party"]]) == (checkpoint, cosigned)
    time_s = cosignature_time_s(cosigned, case["witness"], PINNED[case["witness"]])
    assert time_s == case["time_s"]


@pytest.mark.parametrize("case", OWN["good"], ids=lambda case: case["name"])
def test_another_implementation_verifies_them_too(case: dict[str, Any]) -> None:
    text, _, below = case["note"].rpartition("\n\n")
    author, witness = (line.split(" ") for line in below.splitlines())
    for (_, name, blob), kind, party in (
        (author, 1, case["party"]),
        (witness, 4, case["witness"]),
    ):
        public = bytes.fromhex(OWN["parties"][party]["public_hex"])
        raw = base64.b64decode(blob)
        named = hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()
        assert raw[:4] == named[:4]
        message = f"{text}\n".encode()
        if kind == 4:
            message = (
                f"cosignature/v1\ntime {int.from_bytes(raw[4:12], 'big')}\n".encode() + message
            )
        Ed25519PublicKey.from_public_bytes(public).verify(raw[-64:], message)


@pytest.mark.parametrize("case", OWN["bad"], ids=lambda case: case["name"])
def test_altered_checkpoints_give_the_error_they_say(case: dict[str, Any]) -> None:
    def opened() -> None:
        _, note = open_checkpoint(case["note"].encode(), PINNED["blue"])
        cosignature_time_s(note, "red", PINNED["red"])

    with pytest.raises(getattr(errors, case["error"])) as refused:
        opened()
    assert type(refused.value).__name__ == case["error"]


def test_no_signature_of_one_kind_passes_for_another() -> None:
    """One key signs envelopes, receipts, checkpoints and cosignatures: no first line is shared."""
    case = OWN["good"][0]
    note = read_note(case["note"].encode())
    first_lines = [
        b"deconflict/1 envelope\n",
        b"deconflict/1 receipt\n",
        b"deconflict/1 terms\n",
        b"cosignature/v1\n",
        note.text.encode().partition(b"\n")[0] + b"\n",
    ]
    key = KEYS["blue"]
    for signed_as in first_lines:
        for data in (b"", b"time 1\n" + note.text.encode(), note.text.encode()):
            value = key.sign(signed_as, data)
            for read_as in first_lines:
                # Whatever is taken as the rest: the message begins with its own first line.
                rest = (signed_as + data)[len(read_as) :]
                if read_as == signed_as:
                    key.verify_key.verify(read_as, data, value)
                    continue
                with pytest.raises(errors.BadSignatureError):
                    key.verify_key.verify(read_as, rest, value)


@pytest.mark.parametrize(
    "text", ["deconflict/1 envelope\n{}\n", "hello\n", "cosignature/v1 \n", "\n", ""]
)
def test_our_keys_sign_no_text_that_begins_like_anything_else(text: str) -> None:
    key = NoteKey("blue", NoteKind.AUTHOR, KEYS["blue"].verify_key)
    with pytest.raises(ValueError, match="first line"):
        key.sign(text, KEYS["blue"])
