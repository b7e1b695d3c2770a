"""A signing key at rest: in the clear, or under a passphrase.

The sealed form stretches the passphrase with Argon2id (memory-hard, so guessing is dear) and
encrypts the seed with XSalsa20-Poly1305, which also detects a damaged file. The parameters stand
in the file, so later versions may choose dearer ones; reading bounds them, so a made-up file can
not exhaust the memory.
"""

import base64
from typing import Annotated, Final, Literal

import msgspec
import nacl.exceptions
import nacl.pwhash
import nacl.secret

from deconflict.errors import BadSignatureError, InvalidDocumentError
from deconflict.line.canonical import canonical_bytes
from deconflict.line.keys import RandomBytes, SigningKey

__all__ = ["is_sealed", "open_seed", "seal_seed"]

# Argon2id "moderate" of libsodium: 256 MiB and 3 passes, about 0.7 s.
OPS_LIMIT: Final = nacl.pwhash.argon2id.OPSLIMIT_MODERATE
MEMORY_BYTES: Final = nacl.pwhash.argon2id.MEMLIMIT_MODERATE
_MOST_MEMORY_BYTES: Final = 1_073_741_824
_MOST_OPS: Final = 16


class _ClearKey(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="form", tag="clear"
):
    format: Literal["deconflict-key"]
    v: Literal[1]
    key_id: str
    seed: bytes


class _SealedKey(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="form", tag="argon2id"
):
    format: Literal["deconflict-key"]
    v: Literal[1]
    key_id: str
    salt: bytes
    ops: Annotated[int, msgspec.Meta(ge=1, le=_MOST_OPS)]
    memory_bytes: Annotated[int, msgspec.Meta(ge=8_192, le=_MOST_MEMORY_BYTES)]
    box: bytes


def seal_seed(
    seed: bytes,
    passphrase: str | None,
    *,
    random_bytes: RandomBytes,
    ops: int = OPS_LIMIT,
    memory_bytes: int = MEMORY_BYTES,
) -> bytes:
    """Return the key file of a seed; without a passphrase the seed stands in it in the clear.

    Args:
        seed: 32 secret bytes.
        passphrase: as typed; its UTF-8 is what counts. None for a file protected by its mode.
        random_bytes: source of salt and nonce.
        ops: Argon2id passes.
        memory_bytes: Argon2id memory.
    """
    key_id = SigningKey.from_seed(seed).key_id
    head = {"format": "deconflict-key", "v": 1, "key_id": key_id}
    if passphrase is None:
        return canonical_bytes({**head, "form": "clear", "seed": _text(seed)}) + b"\n"
    salt = random_bytes(nacl.pwhash.argon2id.SALTBYTES)
    nonce = random_bytes(nacl.secret.SecretBox.NONCE_SIZE)
    box = nacl.secret.SecretBox(_stretched(passphrase, salt, ops, memory_bytes))
    return (
        canonical_bytes(
            {
                **head,
                "form": "argon2id",
                "salt": _text(salt),
                "ops": ops,
                "memory_bytes": memory_bytes,
                "box": _text(bytes(box.encrypt(seed, nonce))),
            }
        )
        + b"\n"
    )


def open_seed(data: bytes, passphrase: str | None) -> bytes:
    """Return the seed that :func:`seal_seed` wrote.

    A passphrase given for a file in the clear is not needed and not looked at.

    Raises:
        InvalidDocumentError: not a key file, or sealed and no passphrase was given.
        BadSignatureError: wrong passphrase, or the file is damaged.
    """
    found = _read(data)
    if isinstance(found, _ClearKey):
        seed = found.seed
    elif passphrase is None:
        raise InvalidDocumentError(
            "the key file is sealed with a passphrase",
            given=f"key {found.key_id[:16]}…",
            remedy="give the passphrase",
        )
    else:
        key = _stretched(passphrase, found.salt, found.ops, found.memory_bytes)
        try:
            seed = nacl.secret.SecretBox(key).decrypt(found.box)
        except nacl.exceptions.CryptoError as error:
            raise BadSignatureError(
                "the passphrase is wrong or the key file is damaged",
                given=f"key {found.key_id[:16]}…",
                remedy="try the passphrase again, or restore the file from its backup",
            ) from error
    if SigningKey.from_seed(seed).key_id != found.key_id:
        raise BadSignatureError(
            "the key file names another key than it holds",
            given=f"key {found.key_id[:16]}…",
            remedy="restore the file from its backup",
        )
    return seed


def is_sealed(data: bytes) -> bool:
    """True exactly when the key file needs a passphrase; raises InvalidDocumentError if none."""
    return isinstance(_read(data), _SealedKey)


def _read(data: bytes) -> _ClearKey | _SealedKey:
    try:
        return msgspec.json.decode(data, type=_ClearKey | _SealedKey)
    except msgspec.DecodeError as error:
        raise InvalidDocumentError(
            "this is not a key file",
            given=str(error)[:120],
            expected="a file written by deconflict init",
            remedy="restore it from its backup",
        ) from error


def _stretched(passphrase: str, salt: bytes, ops: int, memory_bytes: int) -> bytes:
    try:
        return nacl.pwhash.argon2id.kdf(
            nacl.secret.SecretBox.KEY_SIZE, passphrase.encode(), salt, ops, memory_bytes
        )
    except nacl.exceptions.ValueError as error:
        raise InvalidDocumentError(
            "the key file's parameters cannot be used",
            given=str(error)[:120],
            remedy="restore it from its backup",
        ) from error


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
