"""What a process beside the node owes it: to take little, to go first, and to end with it.

``python -m`` this module, and the name of another, runs ``main`` of that one so: its priority is
low before the half second of processor time that its imports take.
"""

import contextlib
import importlib
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Final

__all__ = ["be_subordinate", "end_with_the_node", "main", "take_what_is_left"]

_NICE: Final = 10  # a tenth of what the node gets where both want all; at 19, a hundredth
# The worst there is: where memory runs out, this process is the one that nobody misses.
_OOM_FIRST: Final = "1000"


def be_subordinate() -> None:
    """Take a low priority and the first place where memory runs out; leave signals to the node."""
    # A group of its own, so that what a person types at the node is not for it, but in the node's
    # session: Linux shares the processors between sessions first (autogroups, sched(7)), and in
    # one of its own it would get as much as the node, however nice it is.
    os.setpgid(0, 0)
    os.nice(_NICE)
    # Where the system has no such file, or does not let it be written, it chooses by size: the
    # node and what is beside it are then about alike.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_OOM_FIRST)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # the node, which is told as well, ends it


def take_what_is_left() -> None:
    """Run only while nothing else wants the processor: for what nobody waits for.

    A nice process still has its turn of some milliseconds before one that wakes; an idle one is
    put aside at once (SCHED_IDLE, sched(7)). On a machine that never rests it hardly gets on, and
    whoever began it has to notice that.
    """
    # Where a container forbids it, low priority is left.
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def end_with_the_node() -> None:
    """End this process when standard input ends: the node was killed, and nobody listens.

    Its task is to be read from there before.
    """
    threading.Thread(target=_wait_for_the_end, daemon=True).start()


def _wait_for_the_end() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)


def main() -> None:
    """Run ``main`` of the module that is named."""
    be_subordinate()
    importlib.import_module(sys.argv[1]).main()


if __name__ == "__main__":
    main()
