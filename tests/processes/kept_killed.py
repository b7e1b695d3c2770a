"""Kept, and killed at each instant of it: what does the next start find?

Run as a script it makes, for each instant, a process that keeps what an audit found, as the
process of the audit and the node beside it do, and is ended by SIGKILL there. An instant is each
call and return of the code, and, because much lies within one call, moments of the clock besides.
It prints how often the next start would find what.
"""

import json
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from msgspec.structs import replace

from deconflict.errors import InvalidDocumentError
from deconflict.line.moment import Now
from deconflict.node.keeping.audit import Pins
from deconflict.node.keeping.background import AuditFiles, Audits, Driver
from deconflict.node.keeping.kept_record import KeptRecord, read_kept, write_kept
from deconflict.node.keeping.standing import AuditStanding
from deconflict.store.base import Batch, NoteRow
from deconflict.store.sqlite import SqliteStore

MOMENTS = 100
OLD, NEW, NOTHING = "OLD", "NEW", "NOTHING"  # what was kept before, anew, or a whole start


def keep(folder: Path, kept: KeptRecord, store: SqliteStore) -> None:
    """Do what the process of an audit does at its end, and what the node does then."""
    files = AuditFiles(folder / "audited.sqlite", folder / "kept", 0)

    async def commit(note: NoteRow) -> None:
        store.commit(Batch(notes=[note]))

    async def tell(_: AuditStanding) -> None:
        return

    audits = Audits(
        store,
        folder / "record.sqlite",
        Pins("blue", [], {}, {}),
        files,
        before=None,
        driver=Driver(lambda: Now(0, 0), commit, tell),
    )
    digest = write_kept(files.found, kept)
    try:
        audits._take(digest.hex()).send(None)
    except StopIteration:
        return
    raise AssertionError("it waits for somebody")


def killed_at(folder: Path, kept: KeptRecord, instant: int) -> bool:
    """Keep in a process that ends itself at the nth call or return; whether it came to it."""
    pid = os.fork()
    if pid == 0:
        store = SqliteStore.open(folder / "record.sqlite")
        left = instant

        def count(_: FrameType, __: str, ___: Any) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.setprofile(count)
        keep(folder, kept, store)
        os._exit(0)
    return _killed(pid)


def killed_after(folder: Path, kept: KeptRecord, wait_s: float) -> bool:
    """Keep in a process that is killed from outside, so long after it has begun to."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        store = SqliteStore.open(folder / "record.sqlite")
        os.write(writing, b"x")
        keep(folder, kept, store)
        os._exit(0)
    os.read(reading, 1)
    time.sleep(wait_s)
    os.kill(pid, signal.SIGKILL)
    os.close(reading)
    os.close(writing)
    return _killed(pid)


def _killed(pid: int) -> bool:
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return os.WTERMSIG(status) == signal.SIGKILL
    assert os.WEXITSTATUS(status) == 0, status
    return False


def copied(base: Path, folder: Path) -> None:
    """Put the record and what was kept of it into a folder that has nothing else."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for path in (*base.glob("record.sqlite*"), *base.glob("*kept*")):
        shutil.copy2(path, folder)


def found_in(folder: Path, old: KeptRecord, new: KeptRecord) -> str:
    with SqliteStore.open(folder / "record.sqlite") as store:
        try:
            found = read_kept(folder / "kept", store)
        except InvalidDocumentError:
            return NOTHING
    assert found in (old, new), "it is neither what was kept before nor what is kept now"
    return OLD if found == old else NEW


def outcomes(base: Path, scratch: Path) -> Iterator[tuple[str, Path]]:
    """Yield what the next start finds after each instant, and the folder it was found in."""
    copied(base, scratch)
    with SqliteStore.open(scratch / "record.sqlite") as store:
        old = read_kept(scratch / "kept", store)
    assert old is not None
    new = replace(old, audited_ms=old.audited_ms + 1)
    took_s = _undisturbed_s(base, scratch, old, new)
    moments = random.Random(1)
    instant, was_killed, timed = 0, True, 0
    while was_killed or timed < MOMENTS:
        copied(base, scratch)
        if was_killed:
            was_killed = killed_at(scratch, new, instant)
            instant += 1
        else:
            killed_after(scratch, new, moments.uniform(0, took_s))
            timed += 1
        found = found_in(scratch, old, new)
        yield found, scratch
        # Whatever was left behind is in nobody's way.
        with SqliteStore.open(scratch / "record.sqlite") as store:
            keep(scratch, new, store)
        assert found_in(scratch, old, new) == NEW
    print(f"{instant} instants, {timed} moments within {took_s:.3f} s", file=sys.stderr)


def _undisturbed_s(base: Path, scratch: Path, old: KeptRecord, new: KeptRecord) -> float:
    copied(base, scratch)
    with SqliteStore.open(scratch / "record.sqlite") as store:
        begun = time.monotonic()
        keep(scratch, new, store)
        took_s = time.monotonic() - begun
    assert found_in(scratch, old, new) == NEW
    return took_s


def main() -> None:
    """Print how often what was found; leave in a third folder one of each kind."""
    base, scratch, kinds = (Path(argument) for argument in sys.argv[1:])
    found: Counter[str] = Counter()
    for what, folder in outcomes(base, scratch):
        if not found[what]:
            copied(folder, kinds / what)
        found[what] += 1
    print(json.dumps(found))


if __name__ == "__main__":
    main()
