"""A process beside the node, as the node sees it: begun, listened to, and gone when it is left."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncGenerator
from types import ModuleType
from typing import Final

__all__ = ["NotSaidError", "said_by"]

MOST_LINE_BYTES: Final = 16 * 1024 * 1024


class NotSaidError(Exception):
    """The process did not come to say what it found; the text says why."""


async def said_by(
    module: ModuleType, task: bytes, *, silent_s: float
) -> AsyncGenerator[bytes, None]:
    """Yield the lines that a module says, run as a process of its own, until it ends.

    Close the generator (``aclosing``) to be sure that the process is gone.

    Args:
        module: run with ``python -m``; it reads one line of standard input first of all.
        task: that line, without its end.
        silent_s: how long it may say nothing.

    Raises:
        NotSaidError: it cannot be begun, hangs, or says more than is listened to.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # it runs what the node runs, whatever lies in the directory where that began
            "-m",
            module.__name__,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # what a person types at the node is not for it
            limit=MOST_LINE_BYTES,
        )
    except OSError as error:
        raise NotSaidError(f"no process can be begun: {error.strerror}") from error
    try:
        if process.stdin is None or process.stdout is None:
            raise NotSaidError("the process has no way to be told its task")
        # One that has ended already takes nothing; uvloop says so by RuntimeError. Left open: when
        # it closes, this process is gone.
        with contextlib.suppress(OSError, RuntimeError):
            process.stdin.write(task + b"\n")
        while line := await _line(process.stdout, silent_s):
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
