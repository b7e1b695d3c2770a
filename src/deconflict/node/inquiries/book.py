"""The inquiries of a running node: begun, given their file, watched and ended.

Each works in a process of its own on a file of its own, which is gone once it ends. Few at a time,
each bounded in bytes, memory and time: a person who asks, or a file that somebody uploads, must not
take from the lines what they need.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec

from deconflict.airspace.instant import format_utc
from deconflict.errors import (
    DeconflictError,
    InvalidDocumentError,
    LineStateError,
    NotFoundError,
    StoreFullError,
    TooManyAttemptsError,
)
from deconflict.line.keys import RandomBytes
from deconflict.node.beside import NotSaidError, said_by
from deconflict.node.files import write_new
from deconflict.node.inquiries import process as process_module
from deconflict.node.inquiries.task import Stage, Task, Word
from deconflict.node.inquiries.views import InquiryView
from deconflict.node.keeping.audit import Pins

__all__ = ["MOST_BUNDLE_BYTES", "Inquiries", "InquiryFiles"]

MOST_BUNDLE_BYTES: Final = 512 * 1024 * 1024  # of a file that is uploaded: half a million messages
_MOST_RUNNING: Final = 2  # each of one core's tenth
_MOST_KEPT: Final = 16  # results, some hundred kilobytes each at most
_KEPT_S: Final = 900.0
_LONGEST_S: Final = 1_800.0
_SILENT_S: Final = 120.0  # one that says nothing for so long hangs
_FILE_COMES_S: Final = 60.0
_UPLOAD_SILENT_S: Final = 30.0
_SWEEP_S: Final = 15.0
_LINES_AT_ONCE: Final = 500
_LEFT_RESERVES: Final = 8  # sizes of the reserve to be free beside the file
_LAST: Final = 50  # messages told one by one at an instant


class InquiryFiles(msgspec.Struct, frozen=True):
    """Where they work.

    Attributes:
        folder: for their files alone; what an earlier run left there is deleted.
        record: the file of the record.
        reserve_bytes: size of the disk's reserve, which no file must use up.
    """

    folder: Path
    record: Path
    reserve_bytes: int

    def require_room(self, size: int) -> None:
        """Refuse a file that would take what messages need.

        Raises:
            StoreFullError: it would.
        """
        free = shutil.disk_usage(self.folder).free
        if free < size + _LEFT_RESERVES * self.reserve_bytes:
            raise StoreFullError(
                "the node's disk has no room for this file beside what messages need",
                given=f"{size:,} bytes, {free:,} free",
                remedy="verify it on another machine: deconflict verify FILE",
            )


class _Inquiry:
    """One of them."""

    def __init__(self, inquiry_id: str, account: str, path: Path, view: InquiryView) -> None:
        self.inquiry_id = inquiry_id
        self.account = account
        self.path = path
        self.view = view
        self.task: asyncio.Task[None] | None = None
        self.size = 0  # of an upload
        self.ends_s = 0.0

    @property
    def is_running(self) -> bool:
        return self.view.state == "RUNNING"

    def last_until(self, from_now_s: float) -> None:
        """Be forgotten after so long."""
        self.ends_s = asyncio.get_running_loop().time() + from_now_s

    def show(self, **changed: Any) -> None:
        self.view = replace(self.view, **changed)


class Inquiries:
    """The inquiries of a node.

    Args:
        files: where they work.
        pins: which keys count.
        random_bytes: for their ids.
    """

    def __init__(self, files: InquiryFiles, pins: Pins, random_bytes: RandomBytes) -> None:
        self._files = files
        self._pins = pins
        self._random_bytes = random_bytes
        self._all: dict[str, _Inquiry] = {}

    async def run(self) -> None:
        """Forget what nobody comes back for, until the node stops; then end all of them."""
        if self._files.folder.is_dir():
            for path in self._files.folder.iterdir():  # left by a node that was killed
                path.unlink(missing_ok=True)
        try:
            while True:
                await asyncio.sleep(_SWEEP_S)
                now_s = asyncio.get_running_loop().time()
                for each in [one for one in self._all.values() if one.ends_s <= now_s]:
                    await self._forget(each)
        finally:
            for each in list(self._all.values()):
                await self._forget(each)

    def known_at(
        self, account: str, line_id: str, at_ms: int, lines: Iterator[bytes], language: str
    ) -> InquiryView:
        """Begin to find out what each side knew at an instant; ``lines`` are the own record.

        Raises:
            TooManyAttemptsError: others run.
            StoreFullError: the disk has no room.
        """
        self._files.folder.mkdir(mode=0o700, exist_ok=True)
        # Base64 takes a third more than the bytes, and not all pages of a database are full.
        size = 2 * self._files.record.stat().st_size
        self._files.require_room(size)
        found = self._begin(account, "KNOWN_AT", Stage.COPYING)
        found.show(line_id=line_id, at_utc=format_utc(at_ms))

        async def work() -> None:
            with found.path.open("ab") as file:
                while part := await asyncio.to_thread(
                    lambda: b"".join(islice(lines, _LINES_AT_ONCE))
                ):
                    await asyncio.to_thread(file.write, part)
                    found.show(done=file.tell())
            await self._look(found, at_ms, language)

        self._start(found, work())
        return found.view

    def awaiting_file(self, account: str, size: int) -> InquiryView:
        """Begin to verify a file that is uploaded next.

        Raises:
            InvalidDocumentError: it is larger than is looked at here.
            TooManyAttemptsError: others run.
            StoreFullError: the disk has no room.
        """
        if not 0 < size <= MOST_BUNDLE_BYTES:
            raise InvalidDocumentError(
                "a file of this size is not verified here",
                given=f"{size:,} bytes",
                expected=f"1 to {MOST_BUNDLE_BYTES:,} bytes",
                remedy="verify it at a command line, without any node: deconflict verify FILE",
            )
        self._files.folder.mkdir(mode=0o700, exist_ok=True)
        self._files.require_room(size)
        found = self._begin(account, "VERIFY", Stage.WAITING)
        found.show(total=size)
        found.size = size
        found.last_until(_FILE_COMES_S)
        return found.view

    async def receive(
        self, account: str, inquiry_id: str, chunks: AsyncIterator[bytes], language: str
    ) -> InquiryView:
        """Take the file of an inquiry, and begin to verify it.

        Raises:
            NotFoundError: there is no such inquiry of this account.
            LineStateError: its file has come already.
            InvalidDocumentError: it is not as long as was said, or did not come.
        """
        found = self._of(account, inquiry_id)
        if found.view.stage != Stage.WAITING or not found.is_running:
            raise LineStateError(
                "the file of this inquiry has come, or it has ended",
                given=inquiry_id[:16],
                remedy="begin another one",
            )
        found.show(stage=Stage.RECEIVING.value)
        found.last_until(_LONGEST_S)
        try:
            await self._write(found, chunks)
        except BaseException:
            await self._forget(found)
            raise
        self._start(found, self._look(found, None, language))
        return found.view

    def view(self, account: str, inquiry_id: str) -> InquiryView:
        """Return how far an inquiry is; raises NotFoundError."""
        return self._of(account, inquiry_id).view

    async def end(self, account: str, inquiry_id: str) -> InquiryView:
        """End an inquiry and forget it; raises NotFoundError."""
        found = self._of(account, inquiry_id)
        await self._forget(found)
        return found.view

    def _of(self, account: str, inquiry_id: str) -> _Inquiry:
        found = self._all.get(inquiry_id)
        if found is None or found.account != account:
            raise NotFoundError(
                "there is no such inquiry of this account, or it is over",
                given=ascii(inquiry_id[:40]),
                remedy="begin another one",
            )
        return found

    def _begin(self, account: str, what: str, stage: Stage) -> _Inquiry:
        running = [one for one in self._all.values() if one.is_running]
        if len(running) >= _MOST_RUNNING or any(one.account == account for one in running):
            raise TooManyAttemptsError(
                "another inquiry is running: one for an account, and few in all", retry_after_s=5
            )
        done = [one for one in self._all.values() if not one.is_running]
        if len(done) >= _MOST_KEPT:
            del self._all[done[0].inquiry_id]  # its file is gone already
        inquiry_id = self._random_bytes(16).hex()
        path = self._files.folder / inquiry_id
        write_new(path, b"", mode=0o600)
        view = InquiryView(inquiry_id, what, "RUNNING", stage.value, 0, 0)
        found = _Inquiry(inquiry_id, account, path, view)
        found.last_until(_LONGEST_S)
        self._all[inquiry_id] = found
        return found

    def _start(self, found: _Inquiry, work: Any) -> None:
        found.task = asyncio.create_task(self._watched(found, work))

    async def _watched(self, found: _Inquiry, work: Any) -> None:
        """Do the work; whatever becomes of it, say so, and leave no file behind."""
        try:
            await work
        except DeconflictError as error:
            found.show(state="FAILED", problem=error.problem)
        except OSError as error:
            found.show(state="FAILED", problem=error.strerror or type(error).__name__)
        finally:
            found.path.unlink(missing_ok=True)
            if found.is_running:
                found.show(state="FAILED", problem="it was called off")
            found.last_until(_KEPT_S)

    async def _write(self, found: _Inquiry, chunks: AsyncIterator[bytes]) -> None:
        count = 0
        with found.path.open("ab") as file:
            while True:
                try:
                    async with asyncio.timeout(_UPLOAD_SILENT_S):
                        chunk = await anext(chunks, None)
                except TimeoutError:
                    raise _not_whole(found.size, count) from None
                if chunk is None:
                    break
                count += len(chunk)
                if count > found.size:
                    raise _not_whole(found.size, count)
                await asyncio.to_thread(file.write, chunk)
                found.show(done=count)
                if not found.is_running:
                    raise LineStateError("this inquiry was called off meanwhile")
        if count != found.size:
            raise _not_whole(found.size, count)

    async def _look(self, found: _Inquiry, at_ms: int | None, language: str) -> None:
        task = Task(
            file=str(found.path),
            keys={party: key.to_base64() for party, key in self._pins.keys.items()},
            roots={party: root.to_plain() for party, root in self._pins.roots.items()},
            at_ms=at_ms,
            last=_LAST,
            language=language,
        )
        last = Word(failed="the process ended before it was done")
        try:
            lines = said_by(process_module, msgspec.json.encode(task), silent_s=_SILENT_S)
            async with aclosing(lines):
                async for line in lines:
                    last = msgspec.json.decode(line, type=Word)
                    if last.is_last:
                        break
                    found.show(stage=last.stage.value, done=last.done, total=last.total)
                else:
                    last = Word(failed="the process ended before it was done")
        except NotSaidError as error:
            last = Word(failed=str(error))
        except msgspec.DecodeError:
            last = Word(failed="the process says what nobody can read")
        # Said once the process is gone: who is told may begin another one.
        if last.refused is not None:
            found.show(state="NOT_VERIFIED", refused=last.refused)
        elif last.failed:
            found.show(state="FAILED", problem=last.failed)
        else:
            found.show(state="DONE", result=last.result)

    async def _forget(self, found: _Inquiry) -> None:
        self._all.pop(found.inquiry_id, None)
        if found.is_running:
            found.show(state="FAILED", problem="it was called off")
        if found.task is not None and not found.task.done():
            found.task.cancel()
            await asyncio.gather(found.task, return_exceptions=True)
        found.path.unlink(missing_ok=True)


def _not_whole(size: int, count: int) -> InvalidDocumentError:
    return InvalidDocumentError(
        "the file did not come as it was announced",
        given=f"{count:,} bytes",
        expected=f"{size:,} bytes",
        remedy="choose it again",
    )
