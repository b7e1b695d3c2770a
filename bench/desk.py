"""A watch's programs at one node: keep-alive connections that post, and a reader of the events.

Spoken by hand on asyncio, because nodes and their load share two processors here: a comfortable
HTTP client costs more than the node it measures.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from bench.nodes import Party

__all__ = ["Desk", "Event", "RefusedError"]


class RefusedError(Exception):
    """The node answered with an error."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the stream, with the monotonic second at which it was read."""

    event_id: int
    kind: str
    data: dict[str, Any]
    at_s: float


class Desk:
    """Some connections to one node.

    Args:
        party: whose node.
        connections: kept open; as many posts run at once.
    """

    def __init__(self, party: Party, connections: int) -> None:
        self._party = party
        self._idle: asyncio.LifoQueue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
        self._idle = asyncio.LifoQueue()
        self._connections = connections
        self._head = (
            f" HTTP/1.1\r\nHost: {party.operators}\r\nAuthorization: Bearer {party.token}\r\n"
        )
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        for _ in range(self._connections):
            self._idle.put_nowait(await self._open())
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        while not self._idle.empty():
            self._idle.get_nowait()[1].close()

    async def post(self, path: str, body: bytes) -> Any:
        """Return the JSON answer; waits for a free connection.

        Raises:
            RefusedError: it is an error.
        """
        request = (
            f"POST /api/v1{path}{self._head}Content-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        reader, writer = await self._idle.get()
        writer.write(request)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            # The node closes what has been idle for 5 s, and has not read the request then.
            writer.close()
            reader, writer = await self._open()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        answer = json.loads(await reader.readexactly(size))
        self._idle.put_nowait((reader, writer))
        if not head.startswith(b"HTTP/1.1 200"):
            raise RefusedError(f"POST {path}: {answer}")
        return answer

    async def follow(self, take: Callable[[Event], None], *, after: int | None = None) -> None:
        """Have every event from now on handed to ``take``; returns once the stream stands."""
        standing = asyncio.Event()

        async def read() -> None:
            last = after
            with suppress(asyncio.IncompleteReadError, ConnectionError):  # the node has ended
                while True:  # a reader that was too slow is let go, and comes back
                    async for event in self._events(standing, last):
                        last = event.event_id
                        if event.kind != "resume":
                            take(event)

        self._reader = asyncio.create_task(read())
        await standing.wait()

    @property
    def stream_ended(self) -> bool:
        """True exactly when the node has ended the stream."""
        return self._reader is not None and self._reader.done()

    async def _events(self, standing: asyncio.Event, after: int | None) -> AsyncIterator[Event]:
        reader, writer = await self._open()
        query = "" if after is None else f"?after={after}"
        writer.write(f"GET /api/v1/events{query}{self._head}\r\n".encode())
        try:
            await reader.readuntil(b"retry: 1000\n\n")
            standing.set()
            fields: dict[bytes, bytes] = {}
            while line := await reader.readline():
                at_s = time.monotonic()
                name, _, value = line.rstrip(b"\r\n").partition(b": ")
                if name in (b"id", b"event"):
                    fields[name] = value
                elif name == b"data":
                    kind = fields[b"event"].decode()
                    yield Event(int(fields[b"id"]), kind, json.loads(value), at_s)
        finally:
            writer.close()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(
            self._party.operators.host, self._party.operators.port, limit=1 << 20
        )
