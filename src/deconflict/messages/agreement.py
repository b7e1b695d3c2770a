"""Terms as signed bytes: both parties sign the same canonical document, or there are no terms."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from deconflict.errors import NotCanonicalError, UnknownKeyError
from deconflict.line.canonical import canonical_bytes, parse_canonical
from deconflict.line.keys import ALGORITHM, SigningKey, VerifyKey, key_named
from deconflict.line.statement import hash_of
from deconflict.messages.terms import Terms, TermsSignature, terms_from_wire, terms_to_wire

__all__ = [
    "CONTEXT_TERMS",
    "SignedTerms",
    "read_terms",
    "sign_terms",
    "terms_bytes",
    "terms_hash",
    "verify_terms",
    "verify_terms_signature",
]

CONTEXT_TERMS: Final = b"deconflict/1 terms\n"


@dataclass(frozen=True, slots=True)
class SignedTerms:
    """The exact bytes of terms and the signatures over them, by party.

    Holding one proves nothing; :func:`verify_terms` does.
    """

    data: bytes
    signatures: Mapping[str, TermsSignature]

    @property
    def hash(self) -> str:
        """The terms' name: SHA-256 of their bytes, 64 hex digits."""
        return hash_of(self.data)


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


def verify_terms(signed: SignedTerms, keys: Mapping[str, Mapping[str, VerifyKey]]) -> Terms:
    """Return the terms when **both** parties they name signed these exact bytes.

    Args:
        signed: the bytes and the signatures by party.
        keys: party → key id → that party's pinned key.

    Raises:
        UnknownKeyError: a party's signature is missing, or is by no key pinned for that party.
        BadSignatureError: a signature does not hold.
        NotCanonicalError, InvalidInputError: the bytes are not terms in their one form.
    """
    terms = read_terms(signed.data)
    for party in terms.parties:
        signature = signed.signatures.get(party.party)
        if signature is None:
            raise UnknownKeyError(
                "these terms are not signed by both parties",
                given=f"no signature of {party.party}",
                expected="one of each party",
                remedy="have the other side accept them",
            )
        verify_terms_signature(terms, signature, keys.get(party.party, {}))
    return terms
