"""The twin of the private-check kernel against RFC 9497, 9496, 9380; both against a session.

The kernel's own crate runs the same published vectors (`cargo test -p deconflict-sealed`).
"""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.oracle import sealed_twin as twin

from deconflict.errors import RefusedBatchError
from deconflict.sealed.cells import SlotCells
from deconflict.sealed.oprf import Evaluation, Receiver, Sender, pad_tags, public_key, salts

PUBLISHED: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "private-check.json").read_text("utf-8")
)
MODES = {"OPRF": 0, "VOPRF": 1, "POPRF": 2}


def decoded(names: list[str]) -> list[bytes]:
    return [bytes.fromhex(name) for name in names]


def numbers(names: list[str]) -> list[int]:
    return [int.from_bytes(one, "little") for one in decoded(names)]


@pytest.mark.parametrize(
    "case", PUBLISHED["rfc9497"]["cases"], ids=lambda case: f"{case['mode']} {case['vector']}"
)
def test_the_twin_makes_the_vectors_of_rfc_9497(case: dict[str, Any]) -> None:
    suite = twin.Suite(MODES[case["mode"]])
    key = suite.derive_key(bytes.fromhex(case["seed"]), bytes.fromhex(case["key_info"]))
    assert [key] == numbers([case["secret_key"]])
    info = bytes.fromhex(case["info"]) if suite.mode == 2 else None
    secret = key if info is None else (key + suite.tweak(info)) % twin.L
    factor = key if info is None else pow(secret, -1, twin.L)
    inputs, blinds = decoded(case["inputs"]), numbers(case["blinds"])
    blinded = [b * suite.hash_to_group(i) for i, b in zip(inputs, blinds, strict=True)]
    assert [point.encode().hex() for point in blinded] == case["blinded"]
    evaluated = [factor * point for point in blinded]
    assert [point.encode().hex() for point in evaluated] == case["evaluated"]
    outputs = [
        twin.finalized(i, info, pow(b, -1, twin.L) * e).hex()
        for i, b, e in zip(inputs, blinds, evaluated, strict=True)
    ]
    assert outputs == case["outputs"]
    if suite.mode:
        assert (key * twin.GENERATOR).encode().hex() == case["public_key"]
        c, d = (evaluated, blinded) if suite.mode == 2 else (blinded, evaluated)
        (nonce,) = numbers([case["proof_nonce"]])
        public = secret * twin.GENERATOR
        assert suite.prove(secret, public, c, d, nonce).hex() == case["proof"]
        assert suite.holds(public, c, d, bytes.fromhex(case["proof"]))


def test_the_twin_makes_the_vectors_of_rfc_9496() -> None:
    group = PUBLISHED["rfc9496"]
    for factor, encoded in enumerate(group["multiples_of_generator"]):
        assert (factor * twin.GENERATOR).encode().hex() == encoded
        assert twin.known(bytes.fromhex(encoded)).encode().hex() == encoded
    for case in group["one_way_map"]:
        assert twin.one_way_map(bytes.fromhex(case["uniform"])).encode().hex() == case["element"]


@pytest.mark.parametrize(
    "case", PUBLISHED["rfc9496"]["invalid"], ids=lambda case: case["encoding"][:8]
)
def test_invalid_encodings_are_refused_by_both(case: dict[str, str]) -> None:
    encoding = bytes.fromhex(case["encoding"])
    assert twin.decode(encoding) is None
    with pytest.raises(RefusedBatchError) as refused:
        Sender(bytes(32), bytes(32)).evaluate([9], 1, encoding)
    assert (refused.value.reason, refused.value.slot) == ("NOT_CANONICAL", 9)


def test_the_twin_makes_the_vectors_of_rfc_9380() -> None:
    expansion = PUBLISHED["rfc9380"]
    for case in expansion["cases"]:
        uniform = bytes.fromhex(case["uniform"])
        message, dst = case["message"].encode(), expansion["dst"].encode()
        assert twin.expand_message_xmd(message, dst, len(uniform)) == uniform


def test_the_session_published_is_made_again_byte_for_byte() -> None:
    session = PUBLISHED["session"]
    mine, peers, ssid = decoded([session[name] for name in ("receiver", "sender", "ssid")])
    asked, held = (
        SlotCells.of({int(slot): decoded(cells) for slot, cells in session[side].items()})
        for side in ("receiver_cells", "sender_cells")
    )
    assert public_key(peers).hex() == session["sender_key"]
    question = Receiver(mine, ssid, public_key(peers)).ask(asked, session["per_slot"])
    assert question.points.hex() == session["blinded"]
    sender = Sender(peers, ssid)
    answer = sender.evaluate(asked.slots, session["per_slot"], question.points)
    assert answer == Evaluation(*decoded([session["evaluated"], session["proofs"]]))
    assert question.finalize(answer).hex() == session["receiver_tags"]
    assert sender.tags(held).hex() == session["sender_tags"]
    assert pad_tags(peers, ssid, 3).hex() == session["pad_tags"]
    places = [(slot, index) for slot, index in session["salt_places"]]
    assert [salt.hex() for salt in salts(mine, places)] == session["salts"]
