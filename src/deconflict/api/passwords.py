"""Passwords: what is accepted, and how they are kept (argon2id, never in clear)."""

import unicodedata
from typing import Final

import nacl.exceptions
import nacl.pwhash.argon2id

from deconflict.errors import InvalidInputError

__all__ = ["NOBODYS_PASSWORD", "check_password_rules", "hash_password", "password_matches"]

MIN_CHARACTERS: Final = 12  # at least 8 by NIST SP 800-63B; a desk's word may be longer
MAX_BYTES: Final = 1024
MIN_DISTINCT: Final = 5
# OWASP Password Storage Cheat Sheet asks for 19 MiB and 2 passes at least. 32 MiB and 3 passes
# take about 60 ms on one core and stay far below a node's memory limit, one at a time.
MEMORY_BYTES: Final = 32 * 1024 * 1024
PASSES: Final = 3
# Of 32 random bytes that were thrown away: what a password is compared with when there is no such
# account, so that both answers take equally long.
NOBODYS_PASSWORD: Final = (
    b"$argon2id$v=19$m=32768,t=3,p=1$"
    b"k5whbeWkDgPimxUvJPUM2Q$5V+8Hogyb0wlLDDjKpTnUtaiTGx2w3bMLvHSz81YTgQ"
)


def _prepared(password: str) -> bytes:
    # One keyboard composes "й", another sends two code points; both are the same password.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def check_password_rules(password: str, *, account: str) -> None:
    """Return when the password may be used for the account.

    Raises:
        InvalidInputError: too short, too long, too plain, or made of the account's name. The
            password itself is never part of the error.

    >>> check_password_rules("a long evening at sea", account="watch1")
    """
    expected = f"at least {MIN_CHARACTERS} characters, not made of the account's name"
    remedy = "take a few words that only you put together"
    plain = unicodedata.normalize("NFKC", password)
    if len(plain) < MIN_CHARACTERS:
        raise InvalidInputError("the password is too short", expected=expected, remedy=remedy)
    if len(_prepared(password)) > MAX_BYTES:
        raise InvalidInputError("the password is too long", expected=f"at most {MAX_BYTES} bytes")
    if len(set(plain)) < MIN_DISTINCT:
        raise InvalidInputError(
            "the password repeats too few characters",
            expected=f"at least {MIN_DISTINCT} different ones",
            remedy=remedy,
        )
    # What is left without the name has to be a password of its own.
    if len(plain.casefold().replace(account.casefold(), "")) < MIN_CHARACTERS // 2:
        raise InvalidInputError(
            "the password is made of the account's name", expected=expected, remedy=remedy
        )


def hash_password(password: str) -> bytes:
    """Return the argon2id string to store; slow and 32 MiB large on purpose."""
    return nacl.pwhash.argon2id.str(_prepared(password), opslimit=PASSES, memlimit=MEMORY_BYTES)


def password_matches(stored: bytes, password: str) -> bool:
    """Return True exactly when ``stored`` was made from this password; takes as long either way."""
    try:
        return nacl.pwhash.argon2id.verify(stored, _prepared(password))
    except nacl.exceptions.InvalidkeyError:
        return False
