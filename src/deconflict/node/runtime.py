"""A node that runs: one event loop, one writer, a door for peers, an address for operators.

All decisions are the core's; this file gives them a clock, a disk and a network, and nothing else.
The order on the way out is reserve, flush, sign, send; on the way in verify, flush, receipt. An
error of the disk ends the process: after it, only a fresh start that re-reads and re-verifies the
whole record may speak again.
"""

import asyncio
import logging
import time
from collections.abc import (
    AsyncGenerator,
    Callable,
    Coroutine,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from deconflict.errors import (
    BrokenTurnError,
    DeconflictError,
    NotFoundError,
    PeerUnreachableError,
    StoreBrokenError,
    StoreError,
    WrongSenderError,
)
from deconflict.line.link import LinkStatus
from deconflict.line.moment import Now
from deconflict.line.packets import Packet, decode_packets, encode_packets
from deconflict.line.room import ENOUGH, Shortage
from deconflict.node.core import Heard, NodeCore, Say
from deconflict.node.events import EventHub
from deconflict.node.part_door import PartDoor, push
from deconflict.node.ration import Ration, asked_once, cost_of_body, cost_of_packets, in_turns
from deconflict.node.views import EventView, Posted
from deconflict.node.ways import PeerLink, Way, Ways
from deconflict.node.work import Work
from deconflict.store.base import Store
from deconflict.store.writer import GroupCommitWriter

__all__ = ["Clock", "Runtime", "SystemClock"]

logger = logging.getLogger("deconflict.node")

_POST_TIMEOUT_S = 5.0
_BEAT_TIMEOUT_S = 2.0
# Time-driven conditions are looked at this often at least; deadlines are met to the tick.
_LONGEST_SLEEP_MS = 1_000
_SHORTEST_SLEEP_MS = 10
_REST_S = 0.02
_BROUGHT_AT_ONCE = 32  # packets of a parcel
# What a request waits for its ration within; a path that takes half a second is passed over.
_PATIENCE_MS = 400
_ASK_FOR_MS = 3_000  # after a start, before anything is signed: a line is DOWN after as long
_ASKING_S = 0.02
_TAKE_UP_MS = 20_000  # a line that begins anew from a long record is waited for no longer


class Clock(Protocol):
    """Both clocks, read together."""

    def now(self) -> Now:
        """Return UTC (evidence) and monotonic time (decisions)."""
        ...


class SystemClock:
    """The clocks of this machine."""

    def now(self) -> Now:
        """Return UTC and monotonic time in whole milliseconds."""
        return Now(time.time_ns() // 1_000_000, time.monotonic_ns() // 1_000_000)


class Runtime:
    """Drives a core: commits its work, carries its packets, keeps its time.

    Args:
        core: restored already.
        store: where events are read back from.
        writer: the only one who writes the store.
        links: for each line id, the ways to the peer, one for each network path.
        clock: both clocks.
        shortage: tells which classes of messages get no room on the disk now.
        parts_folder: where parts of private checks lie.

    Attributes:
        beside: what runs beside the lines for as long as the node does; no line waits for it.
        on_durable: called whenever something has become durable; must not take long.
        parts: of private checks; refused until :attr:`PartDoor.allowed` says what is wanted.
    """

    def __init__(
        self,
        core: NodeCore,
        store: Store,
        writer: GroupCommitWriter,
        links: Mapping[str, Sequence[PeerLink]],
        clock: Clock,
        shortage: Callable[[], Shortage] = lambda: ENOUGH,
        *,
        parts_folder: Path = Path("parts"),
    ) -> None:
        self.core = core
        self.parts = PartDoor(parts_folder, shortage, lambda: clock.now().monotonic_ms)
        self._shortage = shortage
        self._store = store
        self._writer = writer
        self._ways = {line_id: Ways(on_paths) for line_id, on_paths in links.items()}
        self._clock = clock
        self._hub = EventHub(self._stored_events, last_event_id=store.last_event_id())
        self._rations: dict[str, Ration] = {}
        self._wake = {line_id: asyncio.Event() for line_id in links}
        self._pushing = {line_id: asyncio.Lock() for line_id in links}
        self._due = asyncio.Event()
        self._failed: asyncio.Future[None] | None = None
        self._stopping = False
        self.beside: list[Callable[[], Coroutine[None, None, None]]] = []
        self.on_durable: list[Callable[[], None]] = []
        self._last: asyncio.Future[None] | None = None  # of the commit begun last
        self._ask_until_ms = clock.now().monotonic_ms + _ASK_FOR_MS

    async def run(self) -> None:
        """Run until :meth:`stop`; raise what made it impossible to go on.

        Raises:
            StoreError: the disk failed; everything since is in memory alone and must be forgotten.
            BrokenTurnError: a turn of the core broke off; the same is true.
        """
        self._failed = failed = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(self._keep_time())]
                running.extend(tasks.create_task(run()) for run in self.beside)
                for line_id, ways in self._ways.items():
                    running.append(tasks.create_task(self._talk(line_id, ways)))
                    running.extend(tasks.create_task(self._beat(line_id, way)) for way in ways)
                try:
                    await failed
                finally:
                    for task in running:
                        task.cancel()
            await self._rest()
        except BaseExceptionGroup as several:
            # One failure of the disk fails all that wait for it; the first one says what it was.
            first = failed.exception() if failed.done() and not failed.cancelled() else None
            raise first or _first(several) from None
        finally:
            self._hub.close()
            for ways in self._ways.values():
                for way in ways:
                    await way.link.close()

    async def _rest(self) -> None:
        # Whoever copies the record of a node at rest has each entry with its signature. After a
        # crash the next start makes the same ones.
        await self.settled()
        work = self.core.rest()
        if not work.is_empty():
            await self.commit(work)

    def stop(self) -> None:
        """End :meth:`run`; streams end first, so that servers can shut down at once."""
        self._stopping = True
        self._hub.close()
        if self._failed is not None and not self._failed.done():
            self._failed.set_result(None)

    def now(self) -> Now:
        """Return the node's present time."""
        return self._clock.now()

    # The door (PeerHandler) -------------------------------------------------------------

    async def packets(self, peer_party: str, line_id: str, body: bytes) -> bytes:
        """Take the peer's packets; return receipts and what else is to be said at once.

        One beyond its ration waits. Packets that would wait too long are not looked at: it hears
        no receipt for them, and says them again.
        """
        ration = await self._within_ration(peer_party, len(body))
        packets = asked_once(decode_packets(body))
        turns, durable = await self._hear(peer_party, line_id, in_turns(packets), ration)
        await asyncio.gather(*durable)
        self._due.set()
        if turns[-1].error is not None:
            raise turns[-1].error
        # Each turn owes the receipt for all that is durable by now: it is said once.
        return encode_packets(dict.fromkeys(packet for heard in turns for packet in heard.answer()))

    async def beat(self, peer_party: str, line_id: str, body: bytes, path: int = 1) -> bytes:
        """Take the peer's beat on a path; return our own."""
        await self._within_ration(peer_party, len(body))
        answer = self.core.heard_beat(peer_party, line_id, body, self.now(), path)
        self._due.set()
        return answer

    def expect_part(self, peer_party: str, line_id: str, size: int) -> None:
        """Return when a part of a private check of so many bytes is wanted.

        Raises:
            WrongLineError: it is no line of this peer.
            LineStateError: no check runs there that could need it, or there is no room for it.
        """
        self.core.require_line_of(peer_party, line_id)
        self.parts.require_wanted(line_id, size)

    async def part(self, peer_party: str, line_id: str, body: bytes) -> bytes:
        """Keep a part of a private check; return what says so once it is durable."""
        self.core.require_line_of(peer_party, line_id)
        return await self.parts.take(peer_party, line_id, body)

    async def _within_ration(self, peer_party: str, body_bytes: int) -> Ration:
        """Count a body of a peer; one whose ration is used up waits here. Return the ration.

        How many can wait is bounded by the connections that the door grants a party.
        """
        ration = self._ration_of(peer_party)
        while wait_ms := ration.wait_ms(self.now().monotonic_ms):
            await asyncio.sleep(wait_ms / 1_000)
        ration.use(cost_of_body(body_bytes))
        return ration

    def _ration_of(self, peer_party: str) -> Ration:
        # By party, which the pinned key proves: the line is only what the caller says.
        return self._rations.setdefault(peer_party, Ration(self.now().monotonic_ms))

    async def _hear(
        self,
        peer_party: str,
        line_id: str,
        parts: Sequence[Sequence[Packet]],
        ration: Ration | None = None,
    ) -> tuple[list[Heard], list["asyncio.Future[None]"]]:
        """Hear packets, a part in a turn; return the turns, one at least, and their commits.

        Others have their turns between: what a peer has saved up, or a person brings, must not
        hold up alerts, beats and other peers. The first part is heard whatever is left of the
        ration; those behind it when they are in it within :data:`_PATIENCE_MS`, or not.
        """
        turns: list[Heard] = []
        durable: list[asyncio.Future[None]] = []
        until_ms = self.now().monotonic_ms + _PATIENCE_MS
        for part in parts or [[]]:
            if turns and not await self._has_turn(ration, until_ms):
                break
            if ration is not None:
                ration.use(cost_of_packets(part))
            with self._turn():
                heard = self.core.hear(peer_party, line_id, part, self.now())
            turns.append(heard)
            if not heard.work.is_empty():
                durable.append(self.commit(heard.work))
            if heard.error is not None:
                break
        return turns, durable

    async def _has_turn(self, ration: Ration | None, until_ms: int) -> bool:
        """Let others have theirs; return True exactly when the ration has something in time."""
        wait_ms = 0
        while True:
            await asyncio.sleep(wait_ms / 1_000)
            now_ms = self.now().monotonic_ms
            wait_ms = 0 if ration is None else ration.wait_ms(now_ms)
            if not wait_ms or now_ms + wait_ms > until_ms:
                return not wait_ms

    async def take(self, peer_party: str, line_id: str, packets: Sequence[Packet]) -> list[Heard]:
        """Hear packets that a person brought in; return when all that was taken is durable.

        Verified as those of the network are, and by no ration: who brings them has an account.
        """
        starts = range(0, len(packets), _BROUGHT_AT_ONCE)
        brought = [packets[at : at + _BROUGHT_AT_ONCE] for at in starts]
        turns, durable = await self._hear(peer_party, line_id, brought)
        await asyncio.gather(*durable)
        self._due.set()
        return turns

    # What the use cases need --------------------------------------------------------------

    def say(
        self, on_lines: Sequence[tuple[str, Sequence[Say]]], now: Now, beside: Work | None = None
    ) -> tuple["asyncio.Future[None]", tuple[Posted, ...]]:
        """Take slots for messages of each line; the future is done when all of it is durable.

        Args:
            on_lines: line ids, each with what is said there.
            now: the present.
            beside: what becomes durable with it, or not at all.

        Raises:
            DeconflictError: as :meth:`NodeCore.say`; nothing was taken on that line.
        """
        whole = beside or Work()
        posted: list[Posted] = []
        with self._turn():
            for line_id, says in on_lines:
                work, said = self.core.say(line_id, says, now)
                whole.merge(work)
                posted.extend(said)
        return self.commit(whole), tuple(posted)

    def commit(self, work: Work) -> "asyncio.Future[None]":
        """Queue the work at once; the future is done when it is durable and finished.

        No coroutine: what the core handed out first must be written first, and a coroutine would
        take its place only when it is awaited.

        Raises:
            StoreError: by the future too: it is not durable. The node stops: its memory is ahead
                of its disk.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        loop = asyncio.get_running_loop()

        # Called by the writer's thread in the order of the commits, and call_soon keeps order:
        # so receipts and events leave in the order of the log.
        def committed(written: "Future[None]") -> None:
            loop.call_soon_threadsafe(self._finish, work, written, done)

        self._writer.submit(work.batch()).add_done_callback(committed)
        self._last = done
        return done

    async def push_part(self, line_id: str, data: bytes) -> None:
        """Give a part of a private check to the peer; return when it is durable there.

        Raises:
            NotFoundError: there is no such line.
            PeerUnreachableError: the peer is not there, or does not take it.
            WrongSenderError: who answers at its address is somebody else.
        """
        ways = self._ways.get(line_id)
        if ways is None:
            raise NotFoundError("there is no such line", given=line_id)
        async with self._pushing[line_id]:
            best_first = ways.best_first(self.core.path_states(line_id, self.now()), self.now())
            await push(line_id, (way.link for way in best_first), data)

    async def settled(self) -> None:
        """Return when all that was on its way to the disk is durable, and finished.

        What a person is shown may still be on its way; to cite it is a moment too early then.
        """
        last = self._last
        if last is not None and not last.done():
            await asyncio.wait((last,))

    async def voiced(self, line_ids: Iterable[str], *, in_need: bool = False) -> None:
        """Return when this node may speak on these lines, or must not.

        A node that has just started asks its peer first what it has signed. A peer that cannot be
        reached keeps nobody silent: after three seconds a fresh epoch is opened, in which nothing
        was signed before. A change of key takes one exchange, or some seconds where none comes; a
        mute node whose peer is there has its answer as soon: both are waited for, not for ever.

        Args:
            line_ids: the lines.
            in_need: a life may hang on it. Then a mute node does not stay silent for want of the
                peer's answer either, and opens a fresh epoch.
        """
        for line_id in line_ids:
            await self._voiced(line_id, in_need=in_need)

    async def _voiced(self, line_id: str, *, in_need: bool) -> None:
        line = self.core.lines.get(line_id)
        if line is None or not line.machine.resync.holds_up:
            return
        until_ms = self._ask_until_ms
        if line.monitor.state(self.now()).status is LinkStatus.UP:
            until_ms = max(until_ms, self.now().monotonic_ms + _ASK_FOR_MS)
        give_up_ms = self.now().monotonic_ms + _TAKE_UP_MS
        while (line := self.core.lines.get(line_id)) is not None:
            resync, now_ms = line.machine.resync, self.now().monotonic_ms
            if now_ms >= give_up_ms or not resync.holds_up:
                return
            held_up = resync.closing or resync.changing_key
            late = now_ms >= (self._ask_until_ms if resync.unasked else until_ms)
            if held_up or not late or not line.machine.all_durable:
                await asyncio.sleep(_ASKING_S)
            elif resync.unasked or in_need:
                await self.reopen(line_id)
            else:
                return

    async def reopen(self, line_id: str) -> None:
        """Open a fresh epoch on a mute line; return when it is durable.

        Raises:
            LineStateError: this node is not mute there.
        """
        with self._turn():
            work = self.core.reopen(line_id, self.now())
        await self.commit(work)
        self._due.set()

    def events(self, after_id: int) -> AsyncGenerator[Sequence[EventView], None]:
        """Yield stored events after an id, then live ones, together; ends when the node stops."""
        return self._hub.stream(after_id)

    @property
    def last_event_id(self) -> int:
        """The id of the newest event that readers may have seen."""
        return self._hub.last_event_id

    def nudge(self) -> None:
        """Have time-driven conditions looked at soon."""
        self._due.set()

    async def look(self) -> None:
        """Look at everything that changed or came due; return when what follows is durable.

        Raises:
            StoreError: it could not be made durable; the node stops.
        """
        with self._turn():
            work = self.core.advance(self.now())
        if not work.is_empty():
            await self.commit(work)

    def _finish(self, work: Work, written: "Future[None]", done: "asyncio.Future[None]") -> None:
        error = written.exception()
        if error is None:
            try:
                work.finish(self.now())
            except Exception as unfinished:  # noqa: BLE001 (whatever it is, it must not be silent)
                # Whoever waits would wait for ever, and beats would go on meanwhile: a node that
                # looks alive and raises no alert. It stops instead.
                error = unfinished
        if error is None:
            self._hub.publish(work.events)
            for line_id in work.wake:
                if line_id in self._wake:
                    self._wake[line_id].set()
            for moved in self.on_durable:
                moved()
        else:
            self._fail(error)
        if done.cancelled():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Tell the core what has room now; a turn that breaks off ends the node, whoever asked.

        A disk that fails is told in its own words, without the way there: it is no defect.
        """
        self.core.shortage = self._shortage()
        try:
            yield
        except StoreBrokenError as error:
            self._fail(error)
            raise
        except BrokenTurnError as error:
            logger.exception("%s", error.problem)
            self._fail(error)
            raise

    def _fail(self, error: BaseException) -> None:
        if self._failed is not None and not self._failed.done():
            self._failed.set_exception(error)

    async def _stored_events(self, after_id: int, limit: int) -> Sequence[EventView]:
        return await asyncio.to_thread(self.core.stored_events, after_id, limit)

    async def _keep_time(self) -> None:
        while True:
            self._due.clear()
            await self.look()
            deadline = self.core.next_deadline_ms()
            sleep_ms = _LONGEST_SLEEP_MS
            if deadline is not None:
                sleep_ms = min(sleep_ms, deadline - self.now().monotonic_ms)
            # Many turns in a short time are looked at together: each look costs more than a turn.
            await asyncio.sleep(_REST_S)
            await _wait(self._due, max(sleep_ms, _SHORTEST_SLEEP_MS) / 1_000)

    async def _talk(self, line_id: str, ways: Ways) -> None:
        wake = self._wake[line_id]
        async with asyncio.TaskGroup() as posts:
            while True:
                wake.clear()
                now = self.now()
                states = self.core.path_states(line_id, now)
                flash = self.core.has_flash_to_send(line_id, now)
                by = ways.for_next(states, now, flash=flash)
                if not by:  # an answer wakes us, and what is said meanwhile
                    await _wait(wake, _wait_s(ways.look_again_ms(states, now), now))
                    continue
                packets = self.core.to_send(line_id, now)
                if not packets:
                    await _wait(wake, _wait_s(self.core.next_send_ms(line_id), self.now()))
                    continue
                if self.core.goes_everywhere(line_id, packets):
                    by = ways.with_room()
                body = encode_packets(packets)
                for way in by:
                    posts.create_task(self._post(line_id, way, body))
                # They count as under way from their first step on.
                await asyncio.sleep(0)

    async def _post(self, line_id: str, way: Way, body: bytes) -> None:
        with way.posting(self.now()):
            try:
                answer = await way.link.post(f"/line/{line_id}/packets", body, _POST_TIMEOUT_S)
                peer_party = self.core.peer_of(line_id)
                ration = await self._within_ration(peer_party, len(answer))
                said = in_turns(decode_packets(answer))
                _, durable = await self._hear(peer_party, line_id, said, ration)
            except (PeerUnreachableError, WrongSenderError) as error:
                self.core.send_failed(line_id, error)
                way.failed(self.now())
            except (StoreError, BrokenTurnError):
                raise
            except DeconflictError as error:  # an answer that does not verify says nothing
                self.core.send_failed(line_id, error)
                await asyncio.sleep(_LONGEST_SLEEP_MS / 1_000)
            else:
                way.answered()
                for done in durable:
                    # What waits to be sent does not wait for this flush; if it fails, the node
                    # stops.
                    done.add_done_callback(_told_elsewhere)
                    self._due.set()
        self._wake[line_id].set()

    async def _beat(self, line_id: str, way: Way) -> None:
        suffix = "" if way.number == 1 else f"/{way.number}"
        while True:
            body = self.core.beat(line_id, self.now(), way.number)
            was_up = self._is_up(line_id, way)
            try:
                answer = await way.link.post(f"/line/{line_id}/beat{suffix}", body, _BEAT_TIMEOUT_S)
                self.core.beat_answered(line_id, answer, self.now(), way.number)
            except DeconflictError as error:
                self.core.send_failed(line_id, error)
            if not was_up and self._is_up(line_id, way):
                way.answered()
                self._wake[line_id].set()
            self._due.set()
            next_ms = self.core.next_beat_ms(line_id, way.number, self.now())
            await asyncio.sleep(_wait_s(next_ms, self.now()))

    def _is_up(self, line_id: str, way: Way) -> bool:
        return self.core.path_states(line_id, self.now())[way.number].status is LinkStatus.UP


def _told_elsewhere(done: "asyncio.Future[None]") -> None:
    if not done.cancelled():
        done.exception()  # looked at, so that asyncio does not report it a second time


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _wait(event: asyncio.Event, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        return


def _wait_s(deadline_ms: int | None, now: Now) -> float:
    if deadline_ms is None:
        return _LONGEST_SLEEP_MS / 1_000
    return max(deadline_ms - now.monotonic_ms, _SHORTEST_SLEEP_MS) / 1_000
