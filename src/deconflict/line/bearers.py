"""From whatever was brought in to parcels: a file, e-mails, scanned codes, together or alone.

Reading stops at fixed sizes, takes time in proportion to what it is given, and believes nothing:
what it returns is heard as if the network had brought it.
"""

import binascii
import email
import email.policy
from collections.abc import Iterable
from dataclasses import dataclass
from email.errors import MessageError
from typing import Final

from deconflict.errors import InvalidDocumentError
from deconflict.line.armour import armours_in
from deconflict.line.codes import codes_in
from deconflict.line.parcel import MAX_PARCEL_BYTES, PARCEL_MAGIC, decode_parcel, unpack_parcel
from deconflict.line.pieces import Pieces

__all__ = ["MAX_BROUGHT_BYTES", "Brought", "parcels_of"]

MAX_BROUGHT_BYTES: Final = MAX_PARCEL_BYTES  # of all that is read at once
_MAIL_PARTS: Final = 64


@dataclass(frozen=True, slots=True)
class Brought:
    """One parcel as it was brought; ``parcel`` is its bytes, well-formed and not verified."""

    bearer: str  # "file", "e-mail" or "codes"
    parcel: bytes


def parcels_of(contents: Iterable[bytes]) -> tuple[Brought, ...]:
    """Return the parcels in these files, read together; each one once.

    Pieces of one parcel may be spread over several files, in any order.

    Raises:
        InvalidDocumentError: there is none; or one of them is damaged or not whole, and which
            pieces are to be brought again. Then none of them is to be taken.
    """
    files = tuple(contents)
    size = sum(map(len, files))
    if size > MAX_BROUGHT_BYTES:
        raise InvalidDocumentError(
            "this is too much to be read at once",
            given=f"{size:,} bytes",
            expected=f"at most {MAX_BROUGHT_BYTES:,}",
            remedy="give what `deconflict line carry` of the other side wrote, and no more",
        )
    whole = [Brought("file", data) for data in files if data.startswith(PARCEL_MAGIC)]
    texts = [_text(data) for data in files if not data.startswith(PARCEL_MAGIC)]
    texts += [part for text in texts for part in _mail_parts(text)]
    for bearer, found in (
        ("e-mail", _merged(pieces for text in texts for pieces in armours_in(text))),
        ("codes", codes_in(texts)),
    ):
        whole += [Brought(bearer, unpack_parcel(pieces.joined())) for pieces in found]
    if not whole:
        raise InvalidDocumentError(
            "there is no parcel in what was given",
            given=f"{len(files)} file{'' if len(files) == 1 else 's'}, {size:,} bytes",
            expected="a file, an e-mail text or the text of scanned codes, made by "
            "`deconflict line carry`",
            remedy="of an e-mail, save the whole text, from BEGIN DECONFLICT PARCEL to its END",
        )
    for brought in whole:
        decode_parcel(brought.parcel)
    once = {brought.parcel: brought for brought in reversed(whole)}
    return tuple(reversed(once.values()))


def _merged(found: Iterable[Pieces]) -> list[Pieces]:
    """Return the blocks, those of one parcel as one: what one mail broke, another may have."""
    by_name: dict[tuple[str, int], Pieces] = {}
    for pieces in found:
        held = by_name.setdefault((pieces.name, pieces.count), pieces)
        if held is not pieces:
            for number, data in pieces.found.items():
                held.add(number, data)
            held.broken |= pieces.broken
    return list(by_name.values())


def _text(data: bytes) -> str:
    """Return a file as text; what is no text in it is no part of a parcel."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    return data.decode("utf-8", "replace")


def _mail_parts(text: str) -> list[str]:
    """Return the texts inside a saved mail that hides them in base64; of all else nothing."""
    if "content-transfer-encoding: base64" not in text.lower():
        return []
    try:
        mail = email.message_from_string(text, policy=email.policy.compat32)
        parts = [part for part, _ in zip(mail.walk(), range(_MAIL_PARTS), strict=False)]
        payloads = [part.get_payload(decode=True) for part in parts if not part.is_multipart()]
    except (MessageError, ValueError, LookupError, binascii.Error, RecursionError):
        return []
    return [_text(payload) for payload in payloads if isinstance(payload, bytes)]
