"""The readers of what people carry here: a parcel, its packed bytes, mails and scanned codes."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from deconflict.line.bearers import parcels_of
from deconflict.line.parcel import decode_parcel, encode_parcel, pack_parcel, unpack_parcel

__all__ = ["BEARERS"]

_VECTORS: Final = Path(__file__).resolve().parents[2] / "vectors" / "bearers.json"
_SUM_BYTES: Final = 65


def _cases() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(_VECTORS.read_text(encoding="utf-8"))["cases"]
    return found


def _parcel(data: bytes) -> None:
    """With its sum made right: whoever brings a parcel can make one, and no reader ends there."""
    held = data[:-_SUM_BYTES]
    summed = held + hashlib.sha256(held).hexdigest().encode() + b"\n"
    parcel = decode_parcel(summed)
    head = parcel.head
    written = encode_parcel(
        parcel.packets, line=head.line, sender=head.sender, to=head.to, made_utc=head.made_utc
    )
    if written != summed:
        raise AssertionError(f"read {summed!r} and wrote {written!r}")


def _packed(data: bytes) -> None:
    parcel = unpack_parcel(data)
    if unpack_parcel(pack_parcel(parcel)) != parcel:
        raise AssertionError(f"{parcel!r} is not unpacked as it was packed")


def _brought(data: bytes) -> None:
    """Whatever it is; what is found in it is a parcel, and a file of that parcel reads the same."""
    for brought in parcels_of([data]):
        (again,) = parcels_of([brought.parcel])
        if again.parcel != brought.parcel:
            raise AssertionError(f"{brought} is not read back")


def _parcels() -> Iterator[bytes]:
    for case in _cases():
        if "parcel" in case:
            yield case["parcel"].encode()


def _packed_ones() -> Iterator[bytes]:
    for case in _cases():
        if "packed" in case:
            yield base64.b64decode(case["packed"])


def _files() -> Iterator[bytes]:
    yield from _parcels()
    for case in _cases():
        if "email" in case:
            yield case["email"].encode()
            yield b"> " + case["email"].encode().replace(b"\n", b"\r\n> ")
        if "codes" in case:
            yield "\n".join(case["codes"]).encode()


BEARERS: Final[dict[str, tuple[Callable[[bytes], object], Callable[[], Iterator[bytes]]]]] = {
    "parcel": (_parcel, _parcels),
    "packed-parcel": (_packed, _packed_ones),
    "brought": (_brought, _files),
}
