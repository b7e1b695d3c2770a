"""What messages are read into, described before there is a second thread.

msgspec describes a type to itself when it first reads one, and lets other threads in while it does:
a thread that reads the same type meanwhile finds a description half made, and the process dies of a
segmentation fault. So a process that reads in several threads has every type described in one,
beforehand. It takes a hundredth of a second for all that a node has.
"""

import contextlib
from collections.abc import Iterator

import msgspec

__all__ = ["describe_types"]


def describe_types() -> None:
    """Have every type that was imported described; to be called before a second thread reads."""
    for kind in dict.fromkeys(_below(msgspec.Struct)):
        # Some are never read: held in memory alone, of what msgspec has no description for. It says
        # the same to every thread that would try.
        with contextlib.suppress(TypeError):
            msgspec.json.Decoder(kind)


def _below(kind: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for below in kind.__subclasses__():
        yield below
        yield from _below(below)
