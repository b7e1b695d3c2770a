"""A parcel as texts of QR codes: a sequence that may be scanned in any order (``bearers.md`` §5).

Only characters of a code's alphanumeric mode, and none that a scanner trims or a keyboard layout
moves more than it must: capitals, digits, ``:`` and ``/``.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from typing import Final

from deconflict.errors import InvalidDocumentError
from deconflict.line.pieces import Pieces, checksum, name_of

__all__ = ["MAX_CODES", "code_texts", "codes_in"]

MAX_CODES: Final = 99
# 552 characters of base32, all whole. The longest text has 590; version 15 at level M holds 600.
_BYTES_A_CODE: Final = 345
_CODE: Final = re.compile(
    r"DCF1:([0-9A-F]{16}):([0-9]{1,2})/([0-9]{1,2}):([A-Z2-7]{1,552}):([0-9A-F]{8})"
)


def code_texts(packed: bytes) -> list[str]:
    """Return what the codes of a packed parcel say, in order.

    Raises:
        InvalidDocumentError: more codes than anybody would scan.
    """
    name = name_of(packed).upper()
    parts = [packed[at : at + _BYTES_A_CODE] for at in range(0, len(packed), _BYTES_A_CODE)]
    if len(parts) > MAX_CODES:
        raise InvalidDocumentError(
            "this is too much for paper",
            given=f"{len(parts):,} codes",
            expected=f"at most {MAX_CODES}",
            remedy="carry it as a file or an e-mail, or less of it: --message, --since",
        )
    texts = []
    for number, part in enumerate(parts, start=1):
        data = base64.b32encode(part).decode("ascii").rstrip("=")
        text = f"DCF1:{name}:{number}/{len(parts)}:{data}"
        texts.append(f"{text}:{checksum(text).upper()}")
    return texts


def codes_in(texts: Iterable[str]) -> list[Pieces]:
    """Return the pieces of each parcel whose codes stand in these texts, in any order.

    What a scanner writes before or after a code on its line is no matter.
    """
    found: dict[tuple[str, int], Pieces] = {}
    for text in texts:
        for match in _CODE.finditer(text.upper()):
            name, number, count, data, its_sum = match.groups()
            if not int(count):
                continue
            key = (name, int(count))
            pieces = found.setdefault(key, Pieces("code", name.lower(), int(count)))
            whole = match[0].rpartition(":")[0]
            part = _decoded(data) if checksum(whole).upper() == its_sum else None
            if part is None:
                pieces.spoil(int(number))
            else:
                pieces.add(int(number), part)
    return list(found.values())


def _decoded(data: str) -> bytes | None:
    try:
        return base64.b32decode(data + "=" * (-len(data) % 8))
    except binascii.Error:
        return None
