"""Server-sent events: every event once, in order, to readers that keep up and may still read.

The node stores an event before anybody sees it and hands out what is stored first, then what
happens; the id of the last event seen resumes a stream. What has happened since the last write goes
into the next, and the node bounds how much that may be: a slow reader slows its own stream, and is
let go when it has taken too long.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from deconflict.api.errors import response_of
from deconflict.api.services import Services
from deconflict.errors import NotAuthenticatedError, TooManyAttemptsError
from deconflict.node.views import EventView

__all__ = ["EventStream"]

BEAT_S: Final = 10.0
SEND_TIMEOUT_S: Final = 15.0
MOST_AT_ONCE: Final = 64  # events in one write
WORDED_AT_ONCE: Final = 16  # of those put in words for it: a conflict takes 0.2 ms
MOST_STREAMS: Final = 128
MOST_STREAMS_OF_ONE: Final = 16


def frame(event: EventView, data: bytes) -> bytes:
    r"""Return an event as it travels.

    >>> event = EventView(7, "2015-09-30T06:12:00.000Z", "line", {"state": "DOWN"})
    >>> frame(event, event.data_json)
    b'id: 7\nevent: line\ndata: {"state":"DOWN"}\n\n'
    """
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (event.event_id, event.kind.encode(), data)


class EventStream(Response):
    """The answer that does not end by itself.

    Args:
        services: of the app.
        account: whose stream this is; each account may hold 16.
        proof: of the session; looked at again at every beat, and when something here has ended
            sessions of the account, so a stream ends with its session.
        language: of the texts.
        after_id: the last event the reader has seen.

    Raises:
        TooManyAttemptsError: too many streams are open.
    """

    def __init__(
        self, services: Services, *, account: str, proof: str, language: str, after_id: int
    ) -> None:
        super().__init__(media_type="text/event-stream")
        del self.headers["content-length"]
        # A proxy in between must neither keep nor collect what is live.
        self.headers["X-Accel-Buffering"] = "no"
        open_streams = services.streams
        if (
            len(open_streams.get(account, ())) >= MOST_STREAMS_OF_ONE
            or sum(map(len, open_streams.values())) >= MOST_STREAMS
        ):
            raise TooManyAttemptsError("too many event streams are open", retry_after_s=10)
        self._services = services
        self._account = account
        self._proof = proof
        self._language = language
        own = services.node.node().language
        self._at_once = MOST_AT_ONCE if language == own else WORDED_AT_ONCE
        self._last_id = after_id
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look at the session now: something has ended sessions, or the server stops."""
        self._woken.set()

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        streams = self._services.streams
        streams.setdefault(self._account, set()).add(self)
        tasks = {
            asyncio.create_task(self._write(send)),
            asyncio.create_task(_gone(receive)),
        }
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            streams[self._account].discard(self)
            if not streams[self._account]:
                del streams[self._account]
        for task in done:
            task.result()

    async def _write(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        # A blocked reader holds two writes and the socket's buffer, no more, and not for long.
        async with aclosing(self._chunks()) as chunks:
            async for chunk in chunks:
                try:
                    async with asyncio.timeout(SEND_TIMEOUT_S):
                        await send({"type": "http.response.body", "body": chunk, "more_body": True})
                except TimeoutError:
                    return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _chunks(self) -> AsyncGenerator[bytes, None]:
        # The first bytes say at once that the stream stands, even when nothing happens.
        yield b": deconflict\nretry: 1000\n\n"
        clock = asyncio.get_running_loop().time
        next_beat = clock() + BEAT_S
        batches = self._services.node.events(self._last_id)
        events: Sequence[EventView] = ()
        if self._services.stopping:
            self._woken.set()
        woken = asyncio.ensure_future(self._woken.wait())
        upcoming: asyncio.Future[Sequence[EventView]] | None = None
        try:
            while True:
                if not events:
                    upcoming = upcoming or asyncio.ensure_future(_next_of(batches))
                    waited_for: set[asyncio.Future[Any]] = {upcoming, woken}
                    await asyncio.wait(
                        waited_for,
                        timeout=max(0.0, next_beat - clock()),
                        return_when=asyncio.FIRST_COMPLETED,
                    )
                if self._woken.is_set():
                    if self._services.stopping:
                        return
                    self._woken.clear()
                    woken = asyncio.ensure_future(self._woken.wait())
                    next_beat = 0.0
                if clock() >= next_beat:
                    next_beat = clock() + BEAT_S
                    goodbye = self._goodbye()
                    yield goodbye or b": beat\n\n"
                    if goodbye:
                        return
                if upcoming is not None and upcoming.done():
                    events, upcoming = upcoming.result(), None
                    if not events:
                        # The node stops, or has let this reader go because it was too slow.
                        yield b'id: %d\nevent: resume\ndata: {"after":%d}\n\n' % (
                            self._last_id,
                            self._last_id,
                        )
                        return
                if events:
                    now, events = events[: self._at_once], events[self._at_once :]
                    yield b"".join([self._framed(event) for event in now])
                    self._last_id = now[-1].event_id
                    if self._at_once == WORDED_AT_ONCE:
                        await asyncio.sleep(0)  # alerts and beats go on meanwhile
        finally:
            tasks: list[asyncio.Future[Any]] = [woken]
            tasks += [] if upcoming is None else [upcoming]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await batches.aclose()

    def _framed(self, event: EventView) -> bytes:
        return frame(event, self._services.node.event_json(event, self._language))

    def _goodbye(self) -> bytes:
        """Return the last event of a stream whose session has ended; nothing while it has not."""
        try:
            self._services.accounts.sessions.authenticate(self._proof)
        except NotAuthenticatedError as error:
            refusal = bytes(response_of(error).body)
            return b"id: %d\nevent: session_ended\ndata: %b\n\n" % (self._last_id, refusal)
        return b""


async def _next_of(batches: AsyncGenerator[Sequence[EventView], None]) -> Sequence[EventView]:
    """Return what has happened; nothing when there will be no more."""
    async for events in batches:
        return events
    return ()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
