"""What the runs of private checks work with: the node that they are in, and what they share."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol

from deconflict.line.moment import Now
from deconflict.node.core import NodeCore
from deconflict.node.private.files import PrivateFiles
from deconflict.node.private.site_files import SiteFiles
from deconflict.node.saying import Say
from deconflict.node.views import Posted
from deconflict.node.work import Work
from deconflict.store.parts import Parts

__all__ = ["Driver", "KeptParts", "Tools"]


class Driver(Protocol):
    """What a run asks of the node that it is in; ``deconflict.node.runtime.Runtime`` has it all."""

    core: NodeCore

    @property
    def parts(self) -> "KeptParts":
        """Who keeps the parts of every line."""
        ...

    def now(self) -> Now:
        """Return the present."""
        ...

    def say(
        self, on_lines: Sequence[tuple[str, Sequence[Say]]], now: Now
    ) -> tuple["asyncio.Future[None]", tuple[Posted, ...]]:
        """Take slots for messages; the future is done when they are durable."""
        ...

    def commit(self, work: Work) -> "asyncio.Future[None]":
        """Make a work durable."""
        ...

    async def voiced(self, line_ids: Iterable[str], *, in_need: bool = False) -> None:
        """Return when the node may speak on these lines, or must not."""
        ...

    async def settled(self) -> None:
        """Return when all that was on its way to the disk is durable."""
        ...

    async def push_part(self, line_id: str, data: bytes) -> None:
        """Give a part to the peer; return when it is durable there."""
        ...

    def nudge(self) -> None:
        """Have what follows looked at soon."""
        ...


class KeptParts(Protocol):
    """Who keeps the parts of every line."""

    def of(self, line_id: str) -> Parts:
        """Return the parts of a line."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What every run of a node works with.

    Attributes:
        runtime: says, pushes, has the time.
        files: secrets.
        worker: the one thread of their arithmetic.
        random_bytes: for seeds (``os.urandom`` in service).
        threads: of the kernel; None for one a processor.
        progress: of the runs that go on now, by proposal and number: steps done, of how many.
        sites: the list of protected sites, consents, counts.
    """

    runtime: Driver
    files: PrivateFiles
    worker: Executor
    random_bytes: Callable[[int], bytes]
    threads: int | None
    progress: dict[tuple[str, int], tuple[int, int]]
    sites: SiteFiles
