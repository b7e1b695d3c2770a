"""A signer that costs microseconds, for runs of hours: what is proven is the line, not Ed25519.

It keeps what the line relies on: equal input gives equal bytes, another key or another byte gives
another signature, and who lacks the secret makes none. One run in a hundred signs with Ed25519.
"""

import hashlib
import hmac

from deconflict.errors import BadSignatureError
from deconflict.line.keys import RandomBytes


class StandInVerifyKey:
    """The public half; within one process it can keep the secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.public = hashlib.sha256(b"public" + secret).digest()
        self.key_id = hashlib.sha256(b"deconflict/1 key\n" + self.public).hexdigest()

    def signature(self, context: bytes, data: bytes) -> bytes:
        return hashlib.blake2b(context + data, key=self._secret, digest_size=64).digest()

    def verify(self, context: bytes, data: bytes, signature: bytes) -> None:
        if not hmac.compare_digest(self.signature(context, data), signature):
            raise BadSignatureError("the signature was not made over these bytes by this key")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StandInVerifyKey) and other.public == self.public

    def __hash__(self) -> int:
        return hash(self.public)


class StandInKey:
    """The secret half."""

    def __init__(self, secret: bytes) -> None:
        self.verify_key = StandInVerifyKey(secret)
        self.key_id = self.verify_key.key_id

    @classmethod
    def generate(cls, random_bytes: RandomBytes) -> "StandInKey":
        return cls(random_bytes(32))

    def sign(self, context: bytes, data: bytes) -> bytes:
        return self.verify_key.signature(context, data)
