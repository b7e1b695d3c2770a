"""Whether this machine's clock can be right."""

import ctypes
import sys
from pathlib import Path
from typing import Final

from deconflict.airspace.instant import format_utc
from deconflict.node.doctor.check import OK, WARNING, WRONG, Check

__all__ = ["clock_check"]

PRESENT_MS: Final = 60_000  # a file this much newer than the clock says that the clock is behind
UNSYNCHRONISED: Final = 0x0040  # STA_UNSYNC, linux/timex.h
TIMEX_BYTES: Final = 256  # struct timex is 208 bytes at most; modes is its first int, 0: read only
TIMEX_STATUS_AT: Final = 40 if ctypes.sizeof(ctypes.c_long) == 8 else 20


def clock_check(path: Path, now_utc_ms: int) -> Check:
    """Compare the clock with the files of the node, and ask whether anything keeps it right."""
    now = format_utc(now_utc_ms)
    newest_ms = max(int(file.stat().st_mtime * 1000) for file in (path, *path.glob("*")))
    if newest_ms > now_utc_ms + PRESENT_MS:
        return Check(
            "clock",
            WRONG,
            f"says {now}, yet a file of the node is from {format_utc(newest_ms)}: it was set back",
            "set the clock to UTC from a source you trust",
        )
    synchronised = _kernel_says_synchronised()
    if synchronised is None:
        return Check(
            "clock",
            WARNING,
            f"says {now}; this system cannot say whether that is right",
            "compare it with a source you trust",
        )
    if not synchronised:
        return Check(
            "clock",
            WARNING,
            f"says {now}, and nothing keeps it right",
            "run a time service (chrony, ntpd, a GNSS receiver)",
        )
    return Check("clock", OK, f"says {now}, kept right by a time service")


def _kernel_says_synchronised() -> bool | None:
    """Ask the Linux kernel, which a time service tells; None where nobody can say."""
    if not sys.platform.startswith("linux"):
        return None
    timex = ctypes.create_string_buffer(TIMEX_BYTES)
    if ctypes.CDLL(None).adjtimex(timex) < 0:
        return None
    status = int.from_bytes(timex.raw[TIMEX_STATUS_AT : TIMEX_STATUS_AT + 4], sys.byteorder)
    return not status & UNSYNCHRONISED
