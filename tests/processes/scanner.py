"""A scanner for printed codes: a page of SVG is drawn as pixels, and another program reads it."""

import struct
import zlib

import numpy as np
import resvg_py
import zxingcpp
from numpy.typing import NDArray

__all__ = ["drawn", "scan"]

_PIXELS_ACROSS = 1_240  # A4 at 150 dots an inch: a poor copy


def scan(page: str) -> list[str]:
    """Return the texts of all codes on a page."""
    return [found.text for found in zxingcpp.read_barcodes(drawn(page)) if found.valid]


def drawn(page: str, *, width: int = _PIXELS_ACROSS) -> NDArray[np.uint8]:
    """Return a page as grey pixels."""
    png = bytes(resvg_py.svg_to_bytes(svg_string=page, width=width, dpi=96))
    return _grey(png)


def _grey(png: bytes) -> NDArray[np.uint8]:
    """Return a PNG of 8-bit RGBA (W3C PNG §9.2 filters) as grey."""
    at, data, size = 8, b"", (0, 0)
    while at < len(png):
        (length,), kind = struct.unpack(">I", png[at : at + 4]), png[at + 4 : at + 8]
        part = png[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            size = struct.unpack(">II", part[:8])
            assert part[8:10] == b"\x08\x06"
        elif kind == b"IDAT":
            data += part
        at += length + 12
    width, height = size
    rows = zlib.decompress(data)
    picture = np.zeros((height, width), np.uint8)
    above = [0] * width
    for y in range(height):
        row = rows[y * (1 + width * 4) :][: 1 + width * 4]
        # Filters work on each channel for itself, and grey has three alike.
        above = _unfiltered(row[0], row[1::4], above)
        picture[y] = above
    return picture


def _unfiltered(kind: int, row: bytes, above: list[int]) -> list[int]:
    if kind == 0:
        return list(row)
    if kind == 2:
        return [(byte + up) & 255 for byte, up in zip(row, above, strict=True)]
    done: list[int] = []
    left = corner = 0
    for byte, up in zip(row, above, strict=True):
        guess = left if kind == 1 else (left + up) // 2 if kind == 3 else _paeth(left, up, corner)
        left, corner = (byte + guess) & 255, up
        done.append(left)
    return done


def _paeth(left: int, up: int, corner: int) -> int:
    estimate = left + up - corner
    return min((left, up, corner), key=lambda each: abs(estimate - each))
