"""Terms as signed bytes: both parties sign the same canonical document, or there are no terms."""

import base64
from collections.abc import Mapping
from typing import Final

from deconflict.errors import NotCanonicalError
from deconflict.line.canonical import canonical_bytes, parse_canonical
from deconflict.line.keys import ALGORITHM, SigningKey, VerifyKey, key_named
from deconflict.line.statement import hash_of
from deconflict.messages.terms import Terms, TermsSignature, terms_from_wire, terms_to_wire

__all__ = [
    "CONTEXT_TERMS",
    "read_terms",
    "sign_terms",
    "terms_bytes",
    "terms_hash",
    "verify_terms_signature",
]

CONTEXT_TERMS: Final = b"deconflict/1 terms\n"


def terms_bytes(terms: Terms) -> bytes:
    """Return the one byte form of terms: what is signed, hashed and stored."""
    return canonical_bytes(terms_to_wire(terms))


def terms_hash(terms: Terms) -> str:
    """Return the terms' name: SHA-256 of their bytes, 64 hex digits."""
    return hash_of(terms_bytes(terms))


def read_terms(data: bytes) -> Terms:
    """Return the terms whose canonical bytes are exactly ``data``.

    Raises:
        NotCanonicalError: another spelling than the canonical one.
        InvalidInputError: not terms, or nonsensical ones.
    """
    terms = terms_from_wire(parse_canonical(data))
    if terms_bytes(terms) != data:
        raise NotCanonicalError(
            "these terms are not in their one byte form",
            given=f"{len(data):,} bytes",
            remedy="ask for them again, or propose them anew",
        )
    return terms


def sign_terms(terms: Terms, key: SigningKey) -> TermsSignature:
    """Return the signature of this key over the terms."""
    value = key.sign(CONTEXT_TERMS, terms_bytes(terms))
    return TermsSignature(ALGORITHM, key.key_id, base64.b64encode(value).decode("ascii"))


def verify_terms_signature(
    terms: Terms, signature: TermsSignature, keys: Mapping[str, VerifyKey]
) -> Terms:
    """Return the terms when the signature over them is by one of ``keys`` (key id → key).

    Raises:
        UnknownKeyError: the signature names no key of ``keys``.
        BadSignatureError: the signature is not of these terms by that key.
    """
    key = key_named(keys, signature.algorithm, signature.key_id)
    key.verify(CONTEXT_TERMS, terms_bytes(terms), base64.b64decode(signature.value))
    return terms
