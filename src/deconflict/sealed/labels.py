"""What a protector says of a site, closed so that only who came near it reads it.

Each label is encrypted with a key of its own, made of the secret behind the tag of one square in
one session: who did not ask about that square lacks it. All closed labels of a list have one
length.
"""

import hashlib
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from deconflict.errors import InvalidInputError
from deconflict.sealed.oprf import TAG_LENGTH

__all__ = ["close_label", "close_length", "open_label"]

_KEY: Final = b"deconflict/1 sealed label\n"
_NONCE: Final = bytes(12)  # a key closes one label only
_PROOF: Final = 16
_COUNT: Final = 2  # bytes that say how long the label is


def close_length(most: int) -> int:
    """Return the bytes of a closed label that may have so many; 0 where none are told.

    >>> close_length(0), close_length(14)
    (0, 32)
    """
    return _COUNT + most + _PROOF if most else 0


def close_label(label: str, output: bytes, ssid: bytes, most: int) -> bytes:
    """Return a label closed under the secret of a square, as long as any other.

    Args:
        label: at most ``most`` bytes of UTF-8; not looked at where ``most`` is 0.
        output: of the square: its tag, and the secret behind it.
        ssid: of the session.
        most: bytes that labels of this list may have.

    Raises:
        InvalidInputError: it is longer.

    >>> output, ssid = bytes(64), bytes(32)
    >>> open_label(close_label("hospital", output, ssid, 30), output, ssid)
    'hospital'
    """
    if not most:
        return b""
    text = label.encode()
    if len(text) > most:
        raise InvalidInputError(
            "a label is longer than agreed", given=f"{len(text)} bytes", expected=f"at most {most}"
        )
    padded = len(text).to_bytes(_COUNT) + text.ljust(most, b"\0")
    cipher = ChaCha20Poly1305(_key(output, ssid))
    return cipher.encrypt(_NONCE, padded, ssid + output[:TAG_LENGTH])


def open_label(closed: bytes, output: bytes, ssid: bytes) -> str | None:
    """Return what a closed label says; empty where none are told, None where it does not open."""
    if not closed:
        return ""
    try:
        cipher = ChaCha20Poly1305(_key(output, ssid))
        padded = cipher.decrypt(_NONCE, closed, ssid + output[:TAG_LENGTH])
        size = int.from_bytes(padded[:_COUNT])
        text, rest = padded[_COUNT : _COUNT + size], padded[_COUNT + size :]
        return text.decode() if len(text) == size and not rest.strip(b"\0") else None
    except (InvalidTag, UnicodeDecodeError):
        return None


def _key(output: bytes, ssid: bytes) -> bytes:
    return hashlib.sha512(_KEY + ssid + output[TAG_LENGTH:]).digest()[:32]
