"""What is wrong with a node, in plain words and with what to do; works with the node stopped.

Nothing is repaired and nothing is changed: every check reads, knocks at a door, or writes a small
file of its own and removes it. What only a running node can know (who was heard when, how far the
clocks differ) it says itself.
"""

import ctypes
import errno
import os
import shutil
import socket
import ssl
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import apsw

from deconflict.airspace.instant import format_utc
from deconflict.errors import (
    ConfigurationError,
    DeconflictError,
    StoreError,
    StoreInUseError,
    VerificationError,
)
from deconflict.node.folder import NodeFolder
from deconflict.node.peers import PinnedPeer
from deconflict.node.pki import spki_sha256
from deconflict.store.sqlite import SqliteStore
from deconflict.store.verify import verify_store

__all__ = ["OK", "WARNING", "WRONG", "Check", "examine"]

OK: Final = "ok"
WARNING: Final = "warning"
WRONG: Final = "wrong"

CERTIFICATE_WARNING_DAYS: Final = 30  # line.md section 8: warn at 30, 14, 7 and 1 days
DISK_WRONG_BYTES: Final = 100_000_000  # room for some 1,000 alerts with all that hangs on them
DISK_WARNING_BYTES: Final = 1_000_000_000
TRIED_BYTES: Final = 65_536  # written and removed: more than any block, a page of any database
PRESENT_MS: Final = 60_000  # a file this much newer than the clock says that the clock is behind
KNOCK_TIMEOUT_S: Final = 3.0
UNSYNCHRONISED: Final = 0x0040  # STA_UNSYNC, linux/timex.h
TIMEX_BYTES: Final = 256  # struct timex is 208 bytes at most; modes is its first int, 0: read only
TIMEX_STATUS_AT: Final = 40 if ctypes.sizeof(ctypes.c_long) == 8 else 20


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Args:
        subject: what, in a word or two.
        state: ``ok``, ``warning`` (no fault yet, or not known) or ``wrong``.
        words: what was found.
        remedy: what to do; empty when all is well.
    """

    subject: str
    state: str
    words: str
    remedy: str = ""


def examine(path: Path, *, now_utc_ms: int) -> tuple[Check, ...]:
    """Return what was found, in a fixed order: folder, keys, certificate, clock, disk, data, peers.

    Args:
        path: the node's folder.
        now_utc_ms: this machine's clock.
    """
    try:
        folder = NodeFolder.open(path)
    except ConfigurationError as error:
        disk = _disk(path) if path.is_dir() else ()
        return (Check("folder", WRONG, _told(error), error.remedy), *disk)
    node = _node(folder)
    return (
        Check("folder", OK, f"{path}, the node of {folder.settings.party}"),
        node,
        *_keys(folder),
        *_certificate(folder, now_utc_ms),
        *_clock(folder, now_utc_ms),
        *_disk(path),
        *_record(folder),
        *_accounts(folder),
        *_peers(folder),
    )


def _node(folder: NodeFolder) -> Check:
    listen = folder.settings.operators_listen
    try:
        socket.create_connection((listen.host, listen.port), KNOCK_TIMEOUT_S).close()
    except OSError:
        return Check(
            "node",
            WARNING,
            f"not running: nothing answers at {listen}",
            "deconflict serve --node " + str(folder.path),
        )
    return Check("node", OK, f"something answers at {listen}")


def _keys(folder: NodeFolder) -> Iterator[Check]:
    # Modes of the secret files were checked when the folder was opened: it refuses them.
    mode = stat.S_IMODE(folder.path.stat().st_mode)
    if mode & 0o077:
        yield Check(
            "keys",
            WARNING,
            f"others can look into the node's folder (mode {mode:04o})",
            f"chmod 700 {folder.path}",
        )
    elif folder.sealed:
        yield Check("keys", OK, "sealed with a passphrase, readable by their owner alone")
    else:
        yield Check("keys", OK, "readable by their owner alone; no passphrase seals them")


def _certificate(folder: NodeFolder, now_utc_ms: int) -> Iterator[Check]:
    days = folder.certificate_days_left(now_utc_ms=now_utc_ms)
    remedy = f"deconflict renew --node {folder.path} (the peers' pins stay right)"
    if days < 0:
        words = "has expired, or the clock is wrong: no peer lets this node in"
        yield Check("certificate", WRONG, words, remedy)
    elif days <= CERTIFICATE_WARNING_DAYS:
        yield Check("certificate", WARNING, f"valid for {days} more days only", remedy)
    else:
        yield Check("certificate", OK, f"valid for {days} more days")


def _clock(folder: NodeFolder, now_utc_ms: int) -> Iterator[Check]:
    now = format_utc(now_utc_ms)
    newest_ms = max(
        int(file.stat().st_mtime * 1000) for file in (folder.path, *folder.path.glob("*"))
    )
    if newest_ms > now_utc_ms + PRESENT_MS:
        yield Check(
            "clock",
            WRONG,
            f"says {now}, yet a file of the node is from {format_utc(newest_ms)}: it was set back",
            "set the clock to UTC from a source you trust",
        )
        return
    synchronised = _kernel_says_synchronised()
    if synchronised is None:
        yield Check(
            "clock",
            WARNING,
            f"says {now}; this system cannot say whether that is right",
            "compare it with a source you trust",
        )
    elif not synchronised:
        yield Check(
            "clock",
            WARNING,
            f"says {now}, and nothing keeps it right",
            "run a time service (chrony, ntpd, a GNSS receiver)",
        )
    else:
        yield Check("clock", OK, f"says {now}, kept right by a time service")


def _kernel_says_synchronised() -> bool | None:
    """Ask the Linux kernel, which a time service tells; None where nobody can say."""
    if not sys.platform.startswith("linux"):
        return None
    timex = ctypes.create_string_buffer(TIMEX_BYTES)
    if ctypes.CDLL(None).adjtimex(timex) < 0:
        return None
    status = int.from_bytes(timex.raw[TIMEX_STATUS_AT : TIMEX_STATUS_AT + 4], sys.byteorder)
    return not status & UNSYNCHRONISED


def _disk(path: Path) -> Iterator[Check]:
    """Try it: free bytes say nothing of a quota, of a read-only mount or of the folder's rights."""
    try:
        with tempfile.NamedTemporaryFile(prefix=".doctor.", dir=path) as stream:
            stream.write(bytes(TRIED_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        yield Check("disk", WRONG, *_why_not_written(error, path))
        return
    free = shutil.disk_usage(path).free
    words = f"{free / 1e9:,.1f} GB free, can be written"
    remedy = "make room: a node that cannot write stops rather than forget"
    if free < DISK_WRONG_BYTES:
        yield Check("disk", WRONG, words, remedy)
    elif free < DISK_WARNING_BYTES:
        yield Check("disk", WARNING, words, remedy)
    else:
        yield Check("disk", OK, words)


def _why_not_written(error: OSError, path: Path) -> tuple[str, str]:
    """Return in words why a folder cannot be written, and what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"full: nothing more can be written in {path}",
            "make room, then start the node again; leave its files where they are",
        )
    if error.errno == errno.EROFS:
        return (
            f"read-only: nothing can be written in {path}",
            "find out why (`dmesg`: a failing disk turns read-only), and mount it for writing",
        )
    return (
        f"nothing can be written in {path}: {error.strerror or type(error).__name__}",
        "check the owner and the mode of the folder, and the disk",
    )


def _record(folder: NodeFolder) -> Iterator[Check]:
    if not folder.record_path.exists():
        words = "the record is missing: the node will not speak"
        yield Check("record", WRONG, words, "bring the file back, or restore its backup")
        return
    try:
        peers = folder.peers().list()
        keys = {peer.party: {peer.verify_key.key_id: peer.verify_key} for peer in peers}
        keys[folder.settings.party] = {folder.verify_key.key_id: folder.verify_key}
        with SqliteStore.open(folder.record_path) as store:
            started = time.monotonic()
            proven = verify_store(store, keys)
        took_s = time.monotonic() - started
        yield Check(
            "record",
            OK,
            f"{proven.entries} messages and {proven.receipts} receipts on {proven.lines} lines, "
            f"every signature and chain verified in {took_s:.1f} s",
        )
    except StoreInUseError:
        yield Check("record", OK, "in use by the running node, which verified it when it started")
    except (StoreError, VerificationError, ConfigurationError) as error:
        remedy = (
            error.remedy or "keep the file as it is; restore a backup and re-sync with the peer"
        )
        yield Check("record", WRONG, _told(error), remedy)


def _accounts(folder: NodeFolder) -> Iterator[Check]:
    path = folder.accounts_path
    if not path.exists():
        yield Check(
            "accounts",
            WRONG,
            "there are none: nobody can log in",
            f"deconflict account add NAME --role administrator --node {folder.path}",
        )
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        words = f"the accounts file is open to others (mode {mode:04o})"
        yield Check("accounts", WRONG, words, f"chmod 600 {path}")
        return
    try:
        db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            found = db.pragma("quick_check")
            active = db.execute("SELECT count(*) FROM account WHERE NOT disabled").get
        finally:
            db.close()
    except (apsw.NotADBError, apsw.CorruptError, apsw.SQLError) as error:
        # SQLError: it is a database, and without the table of accounts.
        found, active = type(error).__name__, 0
    except (apsw.BusyError, apsw.LockedError):
        yield Check("accounts", OK, "in use at this moment by another process")
        return
    except apsw.Error as error:
        # A full or read-only disk, a file out of reach: whoever put the accounts aside for that
        # would lose them.
        words = f"the accounts file cannot be read ({type(error).__name__}); not a sign of damage"
        remedy = "leave it where it is; put right what is said of the disk, or the file's owner"
        yield Check("accounts", WRONG, words, remedy)
        return
    if found != "ok":
        words = f"the accounts file is damaged ({found})"
        yield Check("accounts", WRONG, words, "put it aside and add the accounts anew")
    else:
        yield Check("accounts", OK, f"{active} that can log in")


def _peers(folder: NodeFolder) -> Iterator[Check]:
    try:
        peers = folder.peers().list()
    except ConfigurationError as error:
        yield Check("peers", WRONG, _told(error), error.remedy)
        return
    if not peers:
        words = "none is pinned: there is nobody to talk to"
        yield Check("peers", WARNING, words, "deconflict peer add THEIR.invitation")
    for peer in peers:
        yield _knock(peer)


def _knock(peer: PinnedPeer) -> Check:
    """Look at the key that answers at a peer's address; nothing is said and no key is shown."""
    subject = f"peer {peer.party}"
    parts = urlsplit(peer.url)
    address = (parts.hostname or "", parts.port or 443)
    # Not verified by a chain: the key itself is compared with its pin, which is more.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection(address, KNOCK_TIMEOUT_S) as plain,
            context.wrap_socket(plain) as tls,
        ):
            shown = spki_sha256(tls.getpeercert(binary_form=True) or b"")
    except (OSError, VerificationError) as error:
        return Check(
            subject,
            WARNING,
            f"does not answer at {peer.url} ({_reason(error)})",
            "ask them by voice whether their node runs; check the address and the firewall",
        )
    if shown != peer.spki_sha256:
        return Check(
            subject,
            WRONG,
            f"another key answers at {peer.url} than the pinned one: nothing is sent there",
            "call them by voice; pin anew only from an invitation whose fingerprint you heard",
        )
    return Check(subject, OK, f"answers at {peer.url} with the pinned key")


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.errno == errno.ECONNREFUSED:
        return "nobody listens there"
    return getattr(error, "strerror", None) or type(error).__name__


def _told(error: DeconflictError) -> str:
    return f"{error.problem}: {error.given}" if error.given else error.problem
