"""An invitation: what a party hands to another so that both can pin one another.

It is public, and signed with the very key it brings, so the signature proves only that nobody
changed a part of it on the way. Whose key it is, people establish by voice: :mod:`.peers` pins
nothing before a person has given the fingerprint that was read to them. Bytes:
``specs/invitation.md``.
"""

import base64
import re
from dataclasses import dataclass, replace
from typing import Any, Literal

import msgspec

from deconflict.airspace.instant import format_utc, parse_utc
from deconflict.errors import (
    BadSignatureError,
    ConfigurationError,
    InvalidDocumentError,
    InvalidTimeError,
    NotCanonicalError,
)
from deconflict.line.canonical import canonical_bytes, parse_canonical
from deconflict.line.keys import SigningKey, VerifyKey
from deconflict.line.paths import MOST_PATHS
from deconflict.line.root import Root, RootForm
from deconflict.node.pki import check_root
from deconflict.node.settings import MOST_DESKS, require_desk, require_party, require_url

__all__ = ["CONTEXT_INVITATION", "MAX_INVITATION_BYTES", "Invitation"]

CONTEXT_INVITATION = b"deconflict/1 invitation\n"
MAX_INVITATION_BYTES = 16_384
_ASK_AGAIN = "ask the other party for its invitation again"
_PIN = re.compile(r"[0-9a-f]{64}")


class _Wire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: Literal["deconflict-invitation"]
    v: Literal[1]
    party: str
    desks: list[str]
    verify_key: str
    tls_root: str
    tls_spki_sha256: str
    urls: list[str]
    created_utc: str
    signature: str
    root: RootForm | None = None


@dataclass(frozen=True, slots=True)
class Invitation:
    """A party's keys and addresses, with its own signature over them.

    Made by :meth:`create` or :meth:`parse`, which both leave it verified.
    """

    party: str
    desks: tuple[str, ...]
    verify_key: VerifyKey
    tls_root_pem: str
    tls_spki_sha256: str
    urls: tuple[str, ...]
    created_utc_ms: int
    signature: bytes
    root: Root | None = None

    @classmethod
    def create(
        cls,
        *,
        party: str,
        desks: tuple[str, ...],
        signing_key: SigningKey,
        tls_root_pem: str,
        tls_spki_sha256: str,
        urls: tuple[str, ...],
        now_utc_ms: int,
        root: Root | None = None,
    ) -> "Invitation":
        """Return a signed invitation.

        Raises:
            InvalidDocumentError: a value that :meth:`parse` would refuse.
            VerificationError: the TLS root is none.
        """
        unsigned = cls(
            party=party,
            desks=desks,
            verify_key=signing_key.verify_key,
            tls_root_pem=tls_root_pem,
            tls_spki_sha256=tls_spki_sha256,
            urls=urls,
            created_utc_ms=now_utc_ms,
            signature=b"",
            root=root,
        )
        signature = signing_key.sign(CONTEXT_INVITATION, canonical_bytes(unsigned._signed_part()))
        return cls.parse(replace(unsigned, signature=signature).export())

    @classmethod
    def parse(cls, data: bytes) -> "Invitation":
        """Return the invitation in a file, verified against the key that it brings.

        Raises:
            InvalidDocumentError: too long, not JSON, a key twice, a field missing, unknown or of
                the wrong form.
            NotCanonicalError: another spelling than the canonical one.
            WeakKeyError: the key is malformed or of small order.
            BadSignatureError: something was changed after it was signed.
            VerificationError: the TLS root is none.
        """
        try:
            found = parse_canonical(
                data.removesuffix(b"\n"), max_bytes=MAX_INVITATION_BYTES, max_depth=3
            )
        except (InvalidDocumentError, NotCanonicalError) as error:
            raise type(error)(
                f"this is no invitation as it was written: {error.problem}",
                given=error.given,
                expected=error.expected,
                remedy=_ASK_AGAIN,
            ) from error
        try:
            wire = msgspec.convert(found, _Wire, strict=True)
            invitation = cls(
                party=require_party(wire.party),
                desks=tuple(require_desk(desk) for desk in wire.desks),
                verify_key=VerifyKey.from_base64(wire.verify_key),
                tls_root_pem=wire.tls_root,
                tls_spki_sha256=wire.tls_spki_sha256,
                urls=tuple(require_url(url) for url in wire.urls),
                created_utc_ms=parse_utc(wire.created_utc),
                signature=base64.b64decode(wire.signature, validate=True),
                root=None if wire.root is None else Root.from_plain(msgspec.to_builtins(wire.root)),
            )
        except (msgspec.ValidationError, ConfigurationError, InvalidTimeError, ValueError) as error:
            raise _unusable(str(error)) from error
        if not 1 <= len(invitation.desks) <= MOST_DESKS or not 1 <= len(wire.urls) <= MOST_PATHS:
            raise _unusable(f"{len(wire.desks)} desks, {len(wire.urls)} URLs")
        if _PIN.fullmatch(invitation.tls_spki_sha256) is None:
            raise _unusable("tls_spki_sha256 is not 64 lower-case hex digits")
        if invitation.export() != data.removesuffix(b"\n") + b"\n":
            raise NotCanonicalError(
                "the invitation spells a value in another way than the agreed one",
                expected="padded standard base64, times to the millisecond",
            )
        try:
            invitation.verify_key.verify(
                CONTEXT_INVITATION,
                canonical_bytes(invitation._signed_part()),
                invitation.signature,
            )
        except BadSignatureError as error:
            raise BadSignatureError(
                "the invitation was changed after it was signed",
                given=f"an invitation of {invitation.party}",
                expected="the signature of the key that it brings",
                remedy=f"do not use it; {_ASK_AGAIN}",
            ) from error
        check_root(invitation.tls_root_pem.encode())
        return invitation

    @property
    def tls_root_der(self) -> bytes:
        """The party's TLS root, DER."""
        return check_root(self.tls_root_pem.encode())

    def export(self) -> bytes:
        """Return the bytes of the invitation file: canonical JSON and a newline."""
        signature = base64.b64encode(self.signature).decode("ascii")
        return canonical_bytes({**self._signed_part(), "signature": signature}) + b"\n"

    def _signed_part(self) -> dict[str, Any]:
        root = {} if self.root is None else {"root": self.root.to_plain()}
        return {
            **root,
            "format": "deconflict-invitation",
            "v": 1,
            "party": self.party,
            "desks": list(self.desks),
            "verify_key": self.verify_key.to_base64(),
            "tls_root": self.tls_root_pem,
            "tls_spki_sha256": self.tls_spki_sha256,
            "urls": list(self.urls),
            "created_utc": format_utc(self.created_utc_ms),
        }


def _unusable(why: str) -> InvalidDocumentError:
    return InvalidDocumentError(
        "this is no invitation that can be used",
        given=why[:200],
        expected="a file as `deconflict init` writes it",
        remedy=_ASK_AGAIN,
    )
