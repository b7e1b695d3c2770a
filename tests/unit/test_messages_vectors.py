"""The published vectors of bodies, words and terms, usable from any language."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deconflict.errors import DeconflictError
from deconflict.line.canonical import canonical_bytes, parse_canonical
from deconflict.line.keys import SigningKey
from deconflict.messages.agreement import (
    CONTEXT_TERMS,
    read_terms,
    sign_terms,
    verify_terms_signature,
)
from deconflict.messages.bodies import body_to_wire, parse_body
from deconflict.messages.kinds import Kind
from deconflict.messages.message_text import message_text
from deconflict.messages.terms import TermsSignature
from deconflict.messages.words import find_banned

VECTORS = Path(__file__).parents[2] / "vectors"
MESSAGES = json.loads((VECTORS / "messages.json").read_text(encoding="utf-8"))
TERMS = json.loads((VECTORS / "terms.json").read_text(encoding="utf-8"))


def _named(case: dict[str, Any]) -> str:
    return str(case.get("name") or case["text"])


@pytest.mark.parametrize("case", MESSAGES["cases"], ids=_named)
def test_a_body_is_read_or_refused_as_published(case: dict[str, Any]) -> None:
    value = parse_canonical(case["body"].encode())
    if case["error"] != "none":
        with pytest.raises(DeconflictError) as caught:
            parse_body(case["kind"], value)
        assert type(caught.value).__name__ == case["error"]
        return
    body = parse_body(case["kind"], value)
    assert canonical_bytes(body_to_wire(body)).decode() == case["body"]
    for language, text in case["text"].items():
        assert message_text(Kind(case["kind"]), body, party="red", language=language) == text


def test_every_kind_has_a_published_body() -> None:
    whole = {case["kind"] for case in MESSAGES["cases"] if case["error"] == "none"}
    assert whole == {kind.value for kind in Kind}


@pytest.mark.parametrize("case", MESSAGES["words"]["cases"], ids=_named)
def test_words_are_found_as_published(case: dict[str, Any]) -> None:
    found = [
        {"reads_as": find.reads_as, "language": find.language} for find in find_banned(case["text"])
    ]
    assert found == case["found"]


@pytest.mark.parametrize("case", TERMS["cases"], ids=_named)
def test_terms_are_read_or_refused_as_published(case: dict[str, Any]) -> None:
    if case["error"] == "none":
        read_terms(case["text"].encode())
        return
    with pytest.raises(DeconflictError) as caught:
        read_terms(case["text"].encode())
    assert type(caught.value).__name__ == case["error"]


def test_the_published_terms_are_in_force_by_both_signatures() -> None:
    data = TERMS["cases"][0]["text"].encode()
    secrets = {
        party: SigningKey.from_seed(bytes.fromhex(seed)) for party, seed in TERMS["seeds"].items()
    }
    signatures = {
        party: TermsSignature(**signature) for party, signature in TERMS["signatures"].items()
    }
    assert hashlib.sha256(data).hexdigest() == TERMS["hash"]
    keys = {party: {key.key_id: key.verify_key} for party, key in secrets.items()}
    terms = read_terms(data)
    for party, key in secrets.items():
        verify_terms_signature(terms, signatures[party], keys[party])
        assert sign_terms(terms, key) == signatures[party]


def test_the_published_signatures_verify_with_another_program() -> None:
    data = TERMS["cases"][0]["text"].encode()
    for party, seed in TERMS["seeds"].items():
        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed)).public_key()
        value = base64.b64decode(TERMS["signatures"][party]["value"])
        key.verify(value, CONTEXT_TERMS + data)  # raises when it does not hold
