"""The live stream of a node's events: what is stored first, then what happens, none twice.

Every event is a row of the store before anyone sees it, so a reader who comes back with the last
id it saw gets exactly what it missed, also across a restart of the node.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

from deconflict.errors import InvalidInputError
from deconflict.node.views import EventView

__all__ = ["EventHub"]

_PAGE = 500
# A reader that falls this far behind is let go; it resumes from the store by its last id.
_BACKLOG = 10_000


class EventHub:
    """Hands durable events to any number of readers.

    Args:
        read_stored: returns up to ``limit`` stored events after an id, in order.
        last_event_id: the highest id stored so far.
    """

    def __init__(
        self,
        read_stored: Callable[[int, int], Awaitable[Sequence[EventView]]],
        *,
        last_event_id: int,
    ) -> None:
        self._read_stored = read_stored
        self._last_event_id = last_event_id
        self._readers: set[_Reader] = set()
        self._closed = False

    @property
    def last_event_id(self) -> int:
        """Return the id of the newest event that readers may have seen."""
        return self._last_event_id

    def publish(self, events: Sequence[EventView]) -> None:
        """Hand durable events to every reader; call in the order of their ids."""
        if not events:
            return
        self._last_event_id = events[-1].event_id
        for reader in tuple(self._readers):
            if reader.behind + len(events) > _BACKLOG:
                self._let_go(reader)
            else:
                reader.put(events)

    def close(self) -> None:
        """End every stream; a reader resumes later by the last id it saw."""
        self._closed = True
        for reader in tuple(self._readers):
            self._let_go(reader)

    async def stream(self, after_id: int) -> AsyncGenerator[Sequence[EventView], None]:
        """Yield every event with an id above ``after_id``, in order, without end.

        They come together with those that happened meanwhile, and never none: a busy node has
        many readers, and each step of this costs more than an event.

        The stream ends when the node stops, or when the reader is too slow; either way the reader
        resumes with the last id it saw.

        Raises:
            InvalidInputError: ``after_id`` is of no event of this record, so it is of another one.
        """
        if after_id > self._last_event_id:
            raise InvalidInputError(
                "the record has no event of this number yet",
                given=str(after_id),
                expected=f"at most {self._last_event_id}",
                remedy="the record was replaced: read everything anew, from 0",
            )
        if self._closed:
            return
        reader = _Reader()
        # Subscribe before reading the store: an event published meanwhile is then in both, and
        # the id decides; the other order would lose it.
        self._readers.add(reader)
        seen = after_id
        try:
            while seen < self._last_event_id and not self._closed:
                page = await self._read_stored(seen, _PAGE)
                if not page:
                    break
                yield page
                seen = page[-1].event_id
            while events := await reader.take():
                if events[0].event_id <= seen:
                    events = [event for event in events if event.event_id > seen]
                if events:
                    yield events
                    seen = events[-1].event_id
        finally:
            self._readers.discard(reader)

    def _let_go(self, reader: "_Reader") -> None:
        # A reader that is let go must not read past what it missed: it would resume behind the
        # gap. What is still queued for it is dropped, and comes again from the store.
        self._readers.discard(reader)
        reader.end()


class _Reader:
    """What has happened and was not read yet, for one reader."""

    def __init__(self) -> None:
        self._events: list[EventView] = []
        self._ended = False
        self._roused: asyncio.Future[None] | None = None

    @property
    def behind(self) -> int:
        """How many events wait."""
        return len(self._events)

    def put(self, events: Sequence[EventView]) -> None:
        """Add what happened."""
        self._events.extend(events)
        self._rouse()

    def end(self) -> None:
        """Drop what waits; nothing more comes."""
        self._events = []
        self._ended = True
        self._rouse()

    async def take(self) -> list[EventView]:
        """Return all that waits, once there is something; nothing when the end has come."""
        while not self._events and not self._ended:
            self._roused = asyncio.get_running_loop().create_future()
            await self._roused
        events, self._events = self._events, []
        return events

    def _rouse(self) -> None:
        if self._roused is not None and not self._roused.done():
            self._roused.set_result(None)
