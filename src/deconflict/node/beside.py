"""A process beside the node, as the node sees it: begun, listened to, and gone when it is left."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncGenerator
from types import ModuleType
from typing import Final

from deconflict.node import subordinate

__all__ = ["NotSaidError", "begun", "said_by"]

MOST_LINE_BYTES: Final = 16 * 1024 * 1024


class NotSaidError(Exception):
    """The process did not come to say what it found; the text says why."""


async def begun(
    module: ModuleType, task: bytes, *, limit: int = 65_536
) -> tuple[asyncio.subprocess.Process, asyncio.StreamReader]:
    """Begin a module as a process of its own, and tell it its task; whoever asked has to end it.

    Args:
        module: its ``main`` is run; it reads one line of standard input first of all.
        task: that line, without its end.
        limit: the longest line that may be read from it.

    Returns:
        The process, whose input stays open (when it closes, this process is gone), and its output.

    Raises:
        NotSaidError: it cannot be begun.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # it runs what the node runs, whatever lies in the directory where that began
            "-m",
            subordinate.__name__,
            module.__name__,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=limit,
        )
    except OSError as error:
        raise NotSaidError(f"no process can be begun: {error.strerror}") from error
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("a process was begun without the pipes that were asked for")
    # One that has ended already takes nothing; uvloop says so by RuntimeError. Why it ended, its
    # output and its end tell.
    with contextlib.suppress(OSError, RuntimeError):
        process.stdin.write(task + b"\n")
    return process, process.stdout


async def said_by(
    module: ModuleType, task: bytes, *, silent_s: float
) -> AsyncGenerator[bytes, None]:
    """Yield the lines that a module says, run as a process of its own, until it ends.

    Close the generator (``aclosing``) to be sure that the process is gone.

    Args:
        module: its ``main`` is run; it reads one line of standard input first of all.
        task: that line, without its end.
        silent_s: how long it may say nothing.

    Raises:
        NotSaidError: it cannot be begun, hangs, or says more than is listened to.
    """
    process, output = await begun(module, task, limit=MOST_LINE_BYTES)
    try:
        while line := await _line(output, silent_s):
            yield line
    finally:
        if process.stdin is not None:
            process.stdin.close()
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _line(stream: asyncio.StreamReader, silent_s: float) -> bytes:
    try:
        async with asyncio.timeout(silent_s):
            return await stream.readline()
    except TimeoutError:
        raise NotSaidError(f"the process said nothing for {silent_s:g} s") from None
    except ValueError:
        raise NotSaidError("what was found is more than is listened to") from None
