"""What lies on the disk: room and the right to write, the record, the accounts."""

import errno
import os
import shutil
import stat
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import apsw

from deconflict.errors import (
    ConfigurationError,
    StoreError,
    StoreInUseError,
    VerificationError,
)
from deconflict.line.keys import VerifyKey
from deconflict.line.precedence import Precedence
from deconflict.line.resync import MuteReason
from deconflict.line.room import FIRST_REFUSED
from deconflict.line.root import Root
from deconflict.node.actor import PERMISSIONS, Action
from deconflict.node.disk import room_of, shortage_at
from deconflict.node.doctor.check import OK, WARNING, WRONG, Check, told
from deconflict.node.peers import PinnedPeer
from deconflict.store.guard import read_guard
from deconflict.store.sqlite import SqliteStore
from deconflict.store.verify import verify_store

__all__ = [
    "accounts_check",
    "disk_check",
    "guard_check",
    "record_check",
    "record_in_use",
    "reserve_check",
]

DISK_WRONG_BYTES: Final = 100_000_000  # room for some 1,000 alerts with all that hangs on them
DISK_WARNING_BYTES: Final = 1_000_000_000
MIB: Final = 1024 * 1024
TRIED_BYTES: Final = 65_536  # written and removed: more than any block, a page of any database


def disk_check(path: Path) -> Check:
    """Try it: free bytes say nothing of a quota, of a read-only mount or of the folder's rights."""
    try:
        with tempfile.NamedTemporaryFile(prefix=".doctor.", dir=path) as stream:
            stream.write(bytes(TRIED_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        return Check("disk", WRONG, *_why_not_written(error, path))
    free = shutil.disk_usage(path).free
    words = f"{free / 1e9:,.1f} GB free, can be written"
    remedy = "make room: a node that cannot write stops rather than forget"
    if free < DISK_WRONG_BYTES:
        return Check("disk", WRONG, words, remedy)
    if free < DISK_WARNING_BYTES:
        return Check("disk", WARNING, words, remedy)
    return Check("disk", OK, words)


def reserve_check(path: Path, reserve_mib: int) -> Check:
    """Look at what is kept for alerts, and at what gets no room now.

    Args:
        path: the node's folder.
        reserve_mib: size of the reserve by its settings.
    """
    try:
        free, held = room_of(path)
        record = sum(file.stat().st_size for file in path.glob("record.sqlite*"))
    except OSError as error:
        words = f"nobody can tell what is free: {error.strerror}"
        return Check("reserve", WARNING, words, "put right what is said of the disk")
    size = reserve_mib * MIB
    kept = f"{held // MIB} of {reserve_mib} MiB kept for alerts"
    words = f"{kept}, the record has {record // MIB} MiB"
    short = shortage_at(free + held, size)
    if short:
        refused = ", ".join(one for one in FIRST_REFUSED if one in short)
        return Check(
            "reserve",
            WRONG if Precedence.IMMEDIATE in short else WARNING,
            f"{words}; messages refused for want of room: {refused}",
            f"make room, {2 * reserve_mib} MiB at least; CEASE, SAFETY and answers still pass",
        )
    if not held:
        return Check("reserve", OK, f"{words}: a node takes them when it starts")
    return Check("reserve", OK, words)


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


def record_check(
    path: Path,
    party: str,
    own_key: VerifyKey,
    peers: tuple[PinnedPeer, ...],
    root: Root | None = None,
) -> Check:
    """Verify the whole record, unless the running node holds it.

    Args:
        path: its file.
        party: whose node this is.
        own_key: the first key with which this party signs.
        peers: the pinned ones; what others signed cannot be verified.
        root: of this party; vouches for its later keys.
    """
    if not path.exists():
        words = "the record is missing: the node will not speak"
        return Check("record", WRONG, words, "bring the file back, or restore its backup")
    keys = {peer.party: {peer.verify_key.key_id: peer.verify_key} for peer in peers}
    keys[party] = {own_key.key_id: own_key}
    roots = {peer.party: peer.root for peer in peers if peer.root is not None}
    if root is not None:
        roots[party] = root
    try:
        with SqliteStore.open(path) as store:
            started = time.monotonic()
            proven = verify_store(store, keys, roots=roots)
        took_s = time.monotonic() - started
    except StoreInUseError:
        words = "in use by the running node, which verifies it: see `deconflict line status`"
        return Check("record", OK, words)
    except (StoreError, VerificationError, ConfigurationError) as error:
        remedy = (
            error.remedy or "keep the file as it is; restore a backup and re-sync with the peer"
        )
        return Check("record", WRONG, told(error), remedy)
    return Check(
        "record",
        OK,
        f"{_count(proven.entries, 'message')} and {_count(proven.receipts, 'receipt')} "
        f"on {_count(proven.lines, 'line')}, "
        f"every signature and chain verified in {took_s:.1f} s",
    )


def guard_check(path: Path, record: Path, node: str) -> Check:
    """Look at the guard: is it there, sound, of this node, and apart from the record.

    Args:
        path: its file.
        record: the record's.
        node: key id of this node.
    """
    try:
        found = read_guard(path)
    except StoreError as error:
        return Check("guard", WRONG, told(error), error.remedy)
    asks = "start the node: it is mute until its peers have answered, then speaks by itself"
    if found is MuteReason.NO_GUARD:
        return Check("guard", WRONG, f"missing ({path}): the node will be mute", asks)
    if isinstance(found, MuteReason):
        return Check("guard", WRONG, f"damaged ({path}): the node will be mute", asks)
    if found.node != node:
        words = f"{path} guards another node: this one will be mute"
        return Check("guard", WRONG, words, "set guard_path in node.toml; each node has its own")
    silent = sorted({name.partition("/")[0] for name, one in found.chains.items() if one.mute})
    if silent:
        lines = ", ".join(line[:8] for line in silent)
        words = f"the node is mute or deaf on {_count(len(silent), 'line')} ({lines})"
        return Check("guard", WARNING, words, "warn those peers by voice; deconflict line status")
    if record.exists() and path.stat().st_dev == record.stat().st_dev:
        return Check(
            "guard",
            WARNING,
            "lies on the same disk as the record: one backup put back restores both",
            "name a file on another disk: guard_path in node.toml (move the file there)",
        )
    return Check("guard", OK, f"apart from the record, {path}")


def record_in_use(path: Path) -> bool:
    """True exactly when another process holds the record of this file, as a running node does."""
    try:
        db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            db.pragma("schema_version")
        finally:
            db.close()
    except (apsw.BusyError, apsw.LockedError):
        return True
    except apsw.Error:  # said of the record
        return False
    return False


def accounts_check(path: Path, release_persons: int = 1) -> Check:
    """Look whether anybody can log in, and whether as many may release as are wanted.

    Args:
        path: the accounts file.
        release_persons: how many this party wants.
    """
    if not path.exists():
        return Check(
            "accounts",
            WRONG,
            "there are none: nobody can log in",
            f"deconflict account add NAME --role administrator --node {path.parent}",
        )
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        words = f"the accounts file is open to others (mode {mode:04o})"
        return Check("accounts", WRONG, words, f"chmod 600 {path}")
    try:
        db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            found = db.pragma("quick_check")
            active = db.execute("SELECT count(*) FROM account WHERE NOT disabled").get
            held: list[Any] = db.execute(
                "SELECT name, role FROM account JOIN account_role ON account = name"
                " WHERE NOT disabled"
            ).fetchall()
        finally:
            db.close()
    except (apsw.NotADBError, apsw.CorruptError, apsw.SQLError) as error:
        # SQLError: it is a database, and without the table of accounts.
        found, active, held = type(error).__name__, 0, []
    except (apsw.BusyError, apsw.LockedError):
        return Check("accounts", OK, "in use at this moment by another process")
    except apsw.Error as error:
        # A full or read-only disk, a file out of reach: whoever put the accounts aside for that
        # would lose them.
        words = f"the accounts file cannot be read ({type(error).__name__}); not a sign of damage"
        remedy = "leave it where it is; put right what is said of the disk, or the file's owner"
        return Check("accounts", WRONG, words, remedy)
    if found != "ok":
        words = f"the accounts file is damaged ({found})"
        return Check("accounts", WRONG, words, "put it aside and add the accounts anew")
    for action, what in ((Action.DECLARE, "release what is declared"), (Action.ENROL, "let in")):
        able = {name for name, role in held if action in PERMISSIONS.get(role, ())}
        if len(able) < release_persons and release_persons > 1:
            words = f"{release_persons} persons are wanted, and only {len(able)} may {what}"
            remedy = "add another releasing officer; release_persons = 1 in node.toml until then"
            return Check("accounts", WARNING, words, remedy)
    return Check("accounts", OK, f"{active} that can log in")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
