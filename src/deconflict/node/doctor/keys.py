"""The node's keys, and the certificate without which no peer lets it in."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from deconflict.airspace.instant import format_utc
from deconflict.errors import ConfigurationError, DeconflictError
from deconflict.line.keyfile import is_sealed
from deconflict.node.doctor.check import OK, WARNING, WRONG, Check, told
from deconflict.node.files import refuse_readable_by_others
from deconflict.node.folder import (
    key_since_utc_ms,
    read_validity,
    read_verify_key,
    secret_files,
)

__all__ = [
    "CERTIFICATE_WARNING_DAYS",
    "KEY_DAYS",
    "certificate_check",
    "key_age_check",
    "keys_checks",
]

KEY_DAYS: Final = 90  # line.md section 6
KEY_WARNING_DAYS: Final = 30  # as for the certificate
CERTIFICATE_WARNING_DAYS: Final = 30  # line.md section 8: warn at 30, 14, 7 and 1 days
DAY_MS: Final = 86_400_000


def keys_checks(path: Path) -> Iterator[Check]:
    """Look at each key file: is it there, and its owner's alone.

    Args:
        path: the node's folder.
    """
    sound = True
    for file in secret_files(path):
        try:
            refuse_readable_by_others(file)
        except ConfigurationError as error:
            sound = False
            yield Check("keys", WRONG, told(error), error.remedy)
    signing = path / "keys" / "signing.key"
    for file in (signing, path / "keys" / "tls.key"):
        if not file.exists():
            sound = False
            words = f"{file} is missing: the node cannot start"
            yield Check("keys", WRONG, words, "restore that file from the folder's backup")
    try:
        read_verify_key(path)
    except ConfigurationError as error:
        sound = False
        yield Check("keys", WRONG, told(error), error.remedy)
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        yield Check(
            "keys",
            WARNING,
            f"others can look into the node's folder (mode {mode:04o})",
            f"chmod 700 {path}",
        )
    elif sound:
        yield _sealed_check(signing)


def key_age_check(path: Path, now_utc_ms: int, *, warning_days: int = KEY_WARNING_DAYS) -> Check:
    """Look for how long the signing key has been in force. An old key still signs.

    Args:
        path: the node's folder.
        now_utc_ms: this machine's clock.
        warning_days: with so many days left or fewer, it is time.
    """
    try:
        since_utc_ms = key_since_utc_ms(path)
        has_root = (path / "keys" / "root.json").exists()
    except DeconflictError as error:
        return Check("signing key", WRONG, told(error), error.remedy)
    days = max((now_utc_ms - since_utc_ms) // DAY_MS, 0)
    words = f"{days} days old, of {KEY_DAYS}"
    if not has_root:
        words += "; no root: it cannot be changed but by pinning anew"
    if KEY_DAYS - days > warning_days:
        return Check("signing key", OK, words)
    remedy = (
        "deconflict node key renew --out request.json, then have the root sign it"
        if has_root
        else "make a root (deconflict node root create) and have the peers pin it"
    )
    return Check("signing key", WARNING, words, remedy)


def _sealed_check(signing: Path) -> Check:
    try:
        sealed = is_sealed(signing.read_bytes())
    except OSError as error:
        words = f"{signing} cannot be read: {error.strerror}"
        return Check("keys", WRONG, words, "ask as the account that runs the node")
    if sealed:
        return Check("keys", OK, "sealed with a passphrase, readable by their owner alone")
    return Check("keys", OK, "readable by their owner alone; no passphrase seals them")


def certificate_check(
    path: Path, now_utc_ms: int, *, warning_days: int = CERTIFICATE_WARNING_DAYS
) -> Check:
    """Look whether the certificate is valid now, and for how long.

    Args:
        path: the node's folder.
        now_utc_ms: this machine's clock.
        warning_days: with so many days left or fewer, the end is near.
    """
    try:
        valid = read_validity(path)
    except ConfigurationError as error:
        return Check("certificate", WRONG, told(error), error.remedy)
    remedy = f"deconflict renew --node {path} (the peers' pins stay right)"
    if now_utc_ms < valid.start_ms:
        words = (
            f"not valid yet: only from {format_utc(valid.start_ms)} on, and the clock says "
            f"{format_utc(now_utc_ms)}; no peer lets this node in"
        )
        return Check("certificate", WRONG, words, f"set the clock if it is wrong, else: {remedy}")
    if now_utc_ms > valid.end_ms:
        words = (
            f"expired at {format_utc(valid.end_ms)}, and the clock says {format_utc(now_utc_ms)}; "
            "no peer lets this node in"
        )
        return Check("certificate", WRONG, words, f"set the clock if it is wrong, else: {remedy}")
    days = (valid.end_ms - now_utc_ms) // DAY_MS
    if days <= warning_days:
        return Check("certificate", WARNING, f"valid for {days} more days only", remedy)
    return Check("certificate", OK, f"valid for {days} more days")
