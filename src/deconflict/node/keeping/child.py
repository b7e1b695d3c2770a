"""The process of an audit, as the node beside it sees it: begun, listened to, and ended in time.

Whatever it does (it dies, hangs, says what nobody can read) comes out as `NotMade`, within a
bounded time. It says nothing of the record.
"""

import asyncio
import contextlib
import math
import signal
from collections.abc import Callable
from typing import Final

import msgspec

from deconflict.node.beside import NotSaidError, begun
from deconflict.node.keeping import process as process_module
from deconflict.node.keeping.process import Task, Word
from deconflict.node.keeping.standing import AuditTimes, Hindrance, NotMade

__all__ = ["MOST_LOG_PAGES", "listened_to"]

_LOOK_S: Final = 1.0  # how often a silent process is counted, and the log looked at
_KILLED_S: Final = 10.0  # a process that waits for a broken disk dies when that answers, or never
# 256 MiB of write-ahead log: as much as a busy line writes in ten minutes, and sixteen times what
# gathers between two checkpoints. To read a record behind it costs memory, to replay it a start.
MOST_LOG_PAGES: Final = 65_536


async def listened_to(
    task: Task,
    times: AuditTimes,
    *,
    heard: Callable[[Word], None],
    log_pages: Callable[[], int],
) -> Word:
    """Let a process of its own do a task, and return its last word, which says what it found.

    Args:
        task: what it is to look at.
        times: how long it may say nothing.
        heard: is called with each word.
        log_pages: tells the length of the write-ahead log, which grows while the record is copied.

    Raises:
        NotMade: it could not be begun, or did not come to say what it found; it is gone by then,
            or will be once the system lets it.
    """
    try:
        process, output = await begun(process_module, msgspec.json.encode(task))
    except NotSaidError as error:
        raise NotMade(Hindrance.NOT_BEGUN, str(error)) from error
    word = Word()
    try:
        copied = task.copied
        while line := await _line(output, times, copied=copied, log_pages=log_pages):
            word = _read(line)
            copied = copied or word.copied
            heard(word)
        if not (word.done or word.damaged or word.failed):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_KILLED_S):
                    await process.wait()
            raise NotMade(Hindrance.ENDED, _ended(process.returncode))
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await _end(process)
    return word


async def _line(
    stream: asyncio.StreamReader,
    times: AuditTimes,
    *,
    copied: bool,
    log_pages: Callable[[], int],
) -> bytes:
    """Return the next line, empty at the end; NotMade when it does not come in time."""
    silent_s = times.silent_s if copied else times.copying_silent_s
    look_s = min(_LOOK_S, silent_s)
    # Counted, not read off a clock: a node that was stopped itself (a laptop that slept) has not
    # given the process that time either.
    for _ in range(math.ceil(silent_s / look_s)):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(look_s):
                return await _read_line(stream)
        if not copied and (pages := log_pages()) > MOST_LOG_PAGES:
            raise NotMade(
                Hindrance.LOG_GREW, f"the write-ahead log has {pages} pages, and no copy is made"
            )
    doing = "to look at the record" if copied else "to copy the record"
    raise NotMade(
        Hindrance.STOOD_STILL, f"the process that began {doing} said nothing for {silent_s:g} s"
    )


async def _read_line(stream: asyncio.StreamReader) -> bytes:
    try:
        return await stream.readline()
    except ValueError as error:
        raise NotMade(Hindrance.UNREADABLE, "the process says a line that has no end") from error


def _read(line: bytes) -> Word:
    try:
        return msgspec.json.decode(line, type=Word)
    except msgspec.DecodeError as error:
        raise NotMade(
            Hindrance.UNREADABLE, f"the process says {line[:80]!r}, which is none of its words"
        ) from error


async def _end(process: asyncio.subprocess.Process) -> None:
    """Have it gone; no longer than a moment is waited for what the system does not let go."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_KILLED_S):
                await process.wait()


def _ended(code: int | None) -> str:
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return f"the process was ended by {signal.Signals(-code).name}"
    return f"the process ended, with exit code {code}"
