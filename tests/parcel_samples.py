"""A parcel for tests: three signed messages and a receipt, as a node would carry them."""

from deconflict.line.moment import utc_text
from deconflict.line.parcel import encode_parcel, pack_parcel
from line_talk import LINE, UTC_MS, end

__all__ = ["MADE", "PACKED", "parcel_of"]

MADE = utc_text(UTC_MS)


def parcel_of(messages: int) -> bytes:
    """Return a parcel of blue for red."""
    blue = end("blue")
    packets = [blue.say(ms=number) for number in range(messages)]
    return encode_parcel(packets, line=LINE, sender="blue", to="red", made_utc=MADE)


PACKED = pack_parcel(parcel_of(3))
