"""What the event loop reports of connections that are over is no defect that a person must read."""

import asyncio
import logging
from typing import Any

__all__ = ["report"]

logger = logging.getLogger("deconflict.door")

_OVER = "the handler is closed"  # uvloop's words, handles/handle.pyx


def report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Pass on what the loop reports, but not that a connection which is over takes nothing more.

    A call to a peer that is broken off while its handshake ends, as when the disk fails and the
    node stops, is closed before uvloop 0.23 sends the handshake's last bytes, which it then reports
    as a defect with a traceback. In the last words of a node a person must find the reason, not
    this. Set it with ``loop.set_exception_handler(report)``.
    """
    error = context.get("exception")
    if isinstance(error, RuntimeError) and str(error).endswith(_OVER):
        logger.debug("bytes for a connection that is over: %s", error)
        return
    loop.default_exception_handler(context)
