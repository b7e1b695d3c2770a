"""What may be done to a node before it starts: listen to what leaves it, or plant a fault.

A nursery is given the name of one of these functions and calls it before the first start. Run as a
script, with the name, its argument and a command line of deconflict, this file does it for one
process::

    python -m tests.faults.node_taps full_disk 40 serve --node DIR
"""

import atexit
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import apsw
from tests.faults.faulty_disk import FaultyDisk

from deconflict.api.accounts import Accounts
from deconflict.cli import main
from deconflict.line.moment import Now
from deconflict.node import runtime
from deconflict.node.private import site_beginning
from deconflict.node.runtime import Runtime, SystemClock
from deconflict.node.tell.messages import Teller
from deconflict.sealed.site_sides import ProtectorSide
from deconflict.sealed.sites import Site
from deconflict.store.base import Batch
from deconflict.store.sqlite import SqliteStore

# Slow as a loaded disk: the window in which a wrong order shows.
SLOW_DISK_S = 0.05


def listen(directory: str) -> None:
    """Write down every body of packets before it can leave the process, one file a process."""
    encode = runtime.encode_packets

    def encode_and_note(packets: Any) -> bytes:
        body = encode(packets)
        if body:
            # One write into the page cache: a kill of the process cannot undo it.
            with (Path(directory) / f"{os.getpid()}.packets").open("ab", buffering=0) as stream:
                stream.write(body)
        return body

    runtime.encode_packets = encode_and_note  # type: ignore[attr-defined]


def receipt_before_commit(directory: str) -> None:
    """Receipt what the peer says before it is durable, on a disk that is slow."""
    listen(directory)
    commit = SqliteStore.commit

    def slow_commit(self: SqliteStore, batch: Batch) -> None:
        time.sleep(SLOW_DISK_S)
        commit(self, batch)

    async def answer_first(self: Runtime, peer_party: str, line_id: str, body: bytes) -> bytes:
        heard = self.core.hear(peer_party, line_id, runtime.decode_packets(body), self.now())
        heard.work.finish(self.now())
        heard.work._then.clear()  # done: the commit must not do it again
        self.commit(heard.work)
        return runtime.encode_packets(heard.answer())

    SqliteStore.commit = slow_commit  # type: ignore[method-assign]
    Runtime.packets = answer_first  # type: ignore[method-assign]


def forget_alerts(directory: str) -> None:
    """Raise no alert again after a start, and none for what is heard from then on."""
    listen(directory)
    Teller.restored = Teller.heard = lambda self, *_, **__: None  # type: ignore[method-assign,assignment]


def full_disk(operation: str) -> None:
    """Let the record's so manieth write find no room."""
    _failing_disk(int(operation), apsw.FullError)


def broken_disk(operation: str) -> None:
    """Let the record's so manieth write or flush fail."""
    _failing_disk(int(operation), apsw.IOError)


def mad_clock(_: str) -> None:
    """Let UTC jump every second: five minutes off, 1970, beyond the end of 32 bits; or stand right.

    Monotonic time runs on: it is all that deadlines may ask. Logins keep the right time, for they
    end by it, and whoever is to see the alarms must stay logged in.
    """
    right = SystemClock.now
    begin = Accounts.__init__

    def with_right_time(self: Accounts, path: Path, **options: Any) -> None:
        right_ms = lambda: time.time_ns() // 1_000_000  # noqa: E731
        begin(self, path, **{**options, "now": right_ms})

    def now(self: SystemClock) -> Now:
        utc_ms, monotonic_ms = right(self)
        wrong = (
            utc_ms - 288_000,
            utc_ms + 288_000,
            monotonic_ms % 1_000_000,
            2**31 * 1_000 + monotonic_ms % 1_000_000,
            utc_ms,
        )
        return Now(wrong[monotonic_ms // 1_000 % len(wrong)], monotonic_ms)

    SystemClock.now = now  # type: ignore[method-assign]
    Accounts.__init__ = with_right_time  # type: ignore[assignment,method-assign]


def later(days: str) -> None:
    """Let UTC be so many days later than it is, but for logins."""
    ahead_ms = int(days) * 86_400_000
    right = SystemClock.now
    begin = Accounts.__init__

    def with_right_time(self: Accounts, path: Path, **options: Any) -> None:
        right_ms = lambda: time.time_ns() // 1_000_000  # noqa: E731
        begin(self, path, **{**options, "now": right_ms})

    def now(self: SystemClock) -> Now:
        utc_ms, monotonic_ms = right(self)
        return Now(utc_ms + ahead_ms, monotonic_ms)

    SystemClock.now = now  # type: ignore[method-assign]
    Accounts.__init__ = with_right_time  # type: ignore[assignment,method-assign]


def short_list(_: str) -> None:
    """Commit to the whole list of protected sites, and show it without the first one."""
    whole = site_beginning.protector_side

    def lacking(party: str, sites: Sequence[Site], *rest: Any, **more: Any) -> ProtectorSide:
        shown = whole(party, sites[1:], *rest, **more)
        return replace(shown, hello=whole(party, sites, *rest, **more).hello)

    site_beginning.protector_side = lacking  # type: ignore[attr-defined]


def _failing_disk(operation: int, error: type[apsw.Error]) -> None:
    disk = FaultyDisk(operation, error)
    atexit.register(disk.unregister)
    plain = SqliteStore.open.__func__  # type: ignore[attr-defined]

    def on_this_disk(cls: type[SqliteStore], path: Path | str, **options: Any) -> SqliteStore:
        return plain(cls, path, **options, vfs=disk.name)  # type: ignore[no-any-return]

    SqliteStore.open = classmethod(on_this_disk)  # type: ignore[method-assign,assignment]


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
    main(sys.argv[3:])
