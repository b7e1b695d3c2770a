"""A parcel as lines of plain text, fit for any mail (``specs/bearers.md`` §4).

What mail does to text is undone: quoting, line ends, trailing spaces, soft breaks and ``=XX`` of
quoted-printable, wrapping at spaces, the tags of HTML. So the alphabet has no ``=`` and no line is
longer than 71.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final

from deconflict.errors import InvalidDocumentError
from deconflict.line.pieces import Pieces, checksum, name_of

__all__ = ["MAX_ARMOUR_LINES", "armoured", "armours_in"]

MAX_ARMOUR_LINES: Final = 99_999
_BYTES_A_LINE: Final = 42  # 56 characters of base64
_BEGIN: Final = re.compile(r"-----BEGIN DECONFLICT PARCEL ([0-9a-f]{16}) ([0-9]{1,5})-----")
_END: Final = "-----END DECONFLICT PARCEL"
_SOFT_BREAK: Final = re.compile(r"=[ \t]*\n")
_ESCAPED: Final = re.compile(r"=([0-9A-Fa-f]{2})")
# Of mail that was made to look pretty: a tag on one line, so that a stray `<` takes nothing along.
_MARKUP: Final = re.compile(r"<[A-Za-z/][^<>\n]{0,400}>|&nbsp;")
_QUOTE: Final = re.compile(r"^[>| \t]+", re.MULTILINE)
# Base64 without padding has no word of 5 characters, so five digits are a number and nothing else.
_NUMBER: Final = re.compile(r"[0-9]{5}")
_DATA: Final = re.compile(r"[A-Za-z0-9+/]{2,56}")
_SUM: Final = re.compile(r"[0-9a-f]{8}")


def armoured(packed: bytes) -> str:
    """Return a packed parcel as a block of lines, each numbered and with a checksum.

    Raises:
        InvalidDocumentError: it is longer than a block can be.
    """
    name = name_of(packed)
    parts = [packed[at : at + _BYTES_A_LINE] for at in range(0, len(packed), _BYTES_A_LINE)]
    if len(parts) > MAX_ARMOUR_LINES:
        raise InvalidDocumentError(
            "this is too much for an e-mail",
            given=f"{len(parts):,} lines",
            expected=f"at most {MAX_ARMOUR_LINES:,}",
            remedy="carry it as a file",
        )
    lines = [f"-----BEGIN DECONFLICT PARCEL {name} {len(parts)}-----"]
    for number, part in enumerate(parts, start=1):
        data = base64.b64encode(part).decode("ascii").rstrip("=")
        lines.append(f"{number:05d} {data} {checksum(f'{name} {number:05d} {data}')}")
    lines.append(f"{_END} {name}-----")
    return "\n".join(lines) + "\n"


def armours_in(text: str) -> Iterator[Pieces]:
    """Yield the pieces of each block in a text, whatever stands around it; none may be whole."""
    flat = _unmailed(text) if "DECONFLICT" in text else ""
    begins = list(_BEGIN.finditer(flat))
    ends = [begin.start() for begin in begins[1:]] + [len(flat)]
    for begin, end in zip(begins, ends, strict=False):
        block = flat[begin.end() : end].partition(_END)[0]
        count = int(begin[2])
        if count:
            yield _pieces(Pieces("line", begin[1], count), block)


def _unmailed(text: str) -> str:
    """Return the text as it was before mail: no byte of a block is lost, nothing else matters."""
    flat = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ")
    flat = _SOFT_BREAK.sub("", flat)
    flat = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), flat)
    return _QUOTE.sub("", _MARKUP.sub(" ", flat).replace("&gt;", ">"))


def _pieces(pieces: Pieces, block: str) -> Pieces:
    words = block.split()
    starts = [at for at, word in enumerate(words) if _NUMBER.fullmatch(word)]
    for at in starts:
        number, rest = words[at], words[at + 1 : at + 3]
        if (
            len(rest) == 2
            and _DATA.fullmatch(rest[0])
            and _SUM.fullmatch(rest[1])
            and checksum(f"{pieces.name} {number} {rest[0]}") == rest[1]
            and (data := _unarmoured(rest[0])) is not None
        ):
            pieces.add(int(number), data)
        else:
            pieces.spoil(int(number))
    return pieces


def _unarmoured(data: str) -> bytes | None:
    try:
        return base64.b64decode(data + "=" * (-len(data) % 4), validate=True)
    except binascii.Error:
        return None
