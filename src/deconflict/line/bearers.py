"""From whatever was brought in to parcels: a file, e-mails, scanned codes, together or alone.

Reading stops at fixed sizes, takes time in proportion to what it is given, and believes nothing:
what it returns is heard as if the network had brought it.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from deconflict.errors import InvalidDocumentError
from deconflict.line.armour import armours_in
from deconflict.line.codes import codes_in
from deconflict.line.parcel import MAX_PARCEL_BYTES, PARCEL_MAGIC, decode_parcel, unpack_parcel
from deconflict.line.pieces import Pieces

__all__ = ["MAX_BROUGHT_BYTES", "Brought", "parcels_of"]

MAX_BROUGHT_BYTES: Final = MAX_PARCEL_BYTES  # of all that is read at once, and of all it unpacks to
_MAIL_PARTS: Final = 64
# What hides the text of a saved mail. The whole structure of a mail is not read: in the library's
# reader each line costs as much as the mail is deep, and a header the square of its length.
_BASE64_HEADER: Final = re.compile(
    r"^content-transfer-encoding:[ \t]*+base64[ \t]*+$", re.IGNORECASE | re.MULTILINE
)
_BASE64_BODY: Final = re.compile(r"(?:[A-Za-z0-9+/]++={0,2}+[ \t]*+(?:\n|\Z))++")


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
        raise _too_much(f"{size:,} bytes")
    whole = [Brought("file", data) for data in files if data.startswith(PARCEL_MAGIC)]
    texts = [_text(data) for data in files if not data.startswith(PARCEL_MAGIC)]
    texts += [part for text in texts for part in _mail_parts(text)]
    room = MAX_BROUGHT_BYTES
    for bearer, found in (
        ("e-mail", _merged(pieces for text in texts for pieces in armours_in(text))),
        ("codes", codes_in(texts)),
    ):
        for pieces in found:
            parcel = unpack_parcel(pieces.joined())
            # A few kilobytes can unpack to the most that one parcel holds: together they must not.
            room -= len(parcel)
            if room < 0:
                raise _too_much(f"packed, of more than {MAX_BROUGHT_BYTES:,} bytes")
            whole.append(Brought(bearer, parcel))
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
    flat = text.replace("\r\n", "\n").replace("\r", "\n")
    parts: list[str] = []
    at = 0
    while len(parts) < _MAIL_PARTS and (header := _BASE64_HEADER.search(flat, at)):
        blank = flat.find("\n\n", header.end())  # the end of all its headers
        if blank < 0:
            break
        body = _BASE64_BODY.match(flat, blank + 2)
        at = blank + 2 if body is None else body.end()  # no part of it is read twice
        if body is not None:
            parts.append(_text(_unhidden(body[0])))
    return parts


def _unhidden(body: str) -> bytes:
    data = "".join(body.split()).partition("=")[0]
    try:
        return base64.b64decode(data + "=" * (-len(data) % 4))
    except binascii.Error:
        return b""


def _too_much(given: str) -> InvalidDocumentError:
    return InvalidDocumentError(
        "this is too much to be read at once",
        given=given,
        expected=f"at most {MAX_BROUGHT_BYTES:,} bytes",
        remedy="give what `deconflict line carry` of the other side wrote, one after the other",
    )
