"""An authenticator in software: honest by default, and wrong in whatever a test asks for.

Written from W3C WebAuthn level 3, sections 5.8.1, 6.1 and 6.5; nothing of it is the server's.
"""

import hashlib
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

Json = dict[str, Any]
PRESENT, VERIFIED, ELIGIBLE, BACKED_UP, ATTESTED, EXTENDED = 0x01, 0x04, 0x08, 0x10, 0x40, 0x80


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Authenticator:
    """One key of one holder.

    Attributes:
        origin: of the page that the browser shows.
        flags: what it claims to have seen of a person.
        counter: of its last signature; None for a key that counts nothing.
    """

    origin: str
    flags: int = PRESENT | VERIFIED
    counter: int | None = 0
    credential_id: bytes = field(default_factory=lambda: os.urandom(32))
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    user_handle: bytes = b""

    def make(self, options: Json, **wrong: Any) -> Json:
        """Answer ``navigator.credentials.create()``."""
        self.user_handle = unb64(options["user"]["id"])
        client = self._client_data("webauthn.create", options["challenge"], wrong)
        data = self._data(wrong.get("rp_id", options["rp"]["id"]), ATTESTED, wrong)
        data += self._attested()
        whole = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        attested = wrong.get("attestation", whole)
        return self._answer(clientDataJSON=b64(client), attestationObject=b64(attested))

    def vouch_for_itself(self, options: Json, **statement: Any) -> Json:
        """Answer with a packed attestation, by the key itself unless something is added."""
        self.user_handle = unb64(options["user"]["id"])
        client = self._client_data("webauthn.create", options["challenge"], {})
        data = self._data(options["rp"]["id"], ATTESTED, {}) + self._attested()
        signed = self._signed(data, client)
        said = {"alg": -7, "sig": signed, **statement}
        attested = cbor2.dumps({"fmt": "packed", "attStmt": said, "authData": data})
        return self._answer(clientDataJSON=b64(client), attestationObject=b64(attested))

    def sign(self, options: Json, **wrong: Any) -> Json:
        """Answer ``navigator.credentials.get()``."""
        if self.counter is not None:
            self.counter += wrong.get("step", 1)
        client = self._client_data("webauthn.get", options["challenge"], wrong)
        data = wrong.get("data") or self._data(wrong.get("rp_id", options["rpId"]), 0, wrong)
        data += wrong.get("extension", b"")
        handle = wrong.get("user_handle", self.user_handle)
        return self._answer(
            clientDataJSON=b64(client),
            authenticatorData=b64(data),
            signature=b64(self._signed(data, client)),
            userHandle=None if handle is None else b64(handle),
        )

    def _client_data(self, kind: str, challenge: str, wrong: Json) -> bytes:
        said = {
            "type": wrong.get("type", kind),
            "challenge": wrong.get("challenge", challenge),
            "origin": wrong.get("origin", self.origin),
            "crossOrigin": wrong.get("cross_origin", False),
        }
        return json.dumps(said).encode()

    def _data(self, rp_id: str, more: int, wrong: Json) -> bytes:
        flags = wrong.get("flags", self.flags) | more | (EXTENDED if "extension" in wrong else 0)
        counter = self.counter or 0
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + counter.to_bytes(4, "big")

    def _attested(self) -> bytes:
        point = self.key.public_key().public_numbers()
        public = {
            1: 2,
            3: -7,
            -1: 1,
            -2: point.x.to_bytes(32, "big"),
            -3: point.y.to_bytes(32, "big"),
        }
        length = len(self.credential_id).to_bytes(2, "big")
        return bytes(16) + length + self.credential_id + cbor2.dumps(public)

    def _signed(self, data: bytes, client: bytes) -> bytes:
        return self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))

    def _answer(self, **response: Any) -> Json:
        return {
            "id": b64(self.credential_id),
            "rawId": b64(self.credential_id),
            "type": "public-key",
            "authenticatorAttachment": "cross-platform",
            "clientExtensionResults": {},
            "response": response,
        }
