"""One thread that makes batches durable, as many as are waiting in each flush.

A flush costs the same for one message as for fifty. Whatever is submitted while one runs goes
into the next transaction, so a busy line pays for few flushes and a quiet one waits for none.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from itertools import chain
from typing import Self

from deconflict.errors import StoreBrokenError, StoreError
from deconflict.store.base import Batch, Store
from deconflict.store.guard import Guard

__all__ = ["GroupCommitWriter"]


class GroupCommitWriter:
    """The only writer of a store.

    Batches are written in the order submitted. A batch's future is done when it is durable. A
    submitted batch cannot be cancelled: the slot it takes has been given out, and a gap would
    stop the chain.

    The first error ends the writer: every batch of that transaction and every one waiting behind
    it fails with it, and later ones are refused. Slots given out in memory and rows on disk can
    no longer be known to agree, so the node must start again from the record.

    A batch's future is done only after the guard has moved to its slots too: what follows from it
    may be signed. One move serves all batches of a flush.

    Args:
        store: what to write to; the caller closes it after the writer.
        guard: what the node has signed; None where nothing is signed, as in a test of the store.
        before: called with each transaction before it is written, to find room for it.
    """

    def __init__(
        self,
        store: Store,
        guard: Guard | None = None,
        before: Callable[[Batch], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._guard = guard
        self._before = before
        self._changed = threading.Condition()
        self._waiting: list[tuple[Batch, Future[None]]] = []
        self._closed = False
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, batch: Batch) -> Future[None]:
        """Queue a batch; the future is done when it is durable, or holds why it is not.

        Raises:
            StoreBrokenError: an earlier batch failed, so nothing more is written.
            StoreError: the writer is closed.
        """
        future: Future[None] = Future()
        future.set_running_or_notify_cancel()  # from here on nobody can cancel it
        with self._changed:
            if self._failure is not None:
                raise _stopped(self._failure)
            if self._closed:
                raise StoreError("the writer is closed", remedy="the node is stopping; start it")
            self._waiting.append((batch, future))
            self._changed.notify()
        return future

    def close(self) -> None:
        """Write what is waiting, then end the thread. Closing twice is harmless."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        while group := self._next_group():
            try:
                merged = _merged([batch for batch, _ in group])
                self._before(merged)
                self._store.commit(merged)
                # Crash here: entries that are durable and not signed, as the next start finds.
                if self._guard is not None:
                    self._guard.advance(merged)
            except Exception as error:  # noqa: BLE001 (whatever it was, those who wait must hear it)
                with self._changed:
                    self._failure = error
                    group += self._waiting
                    self._waiting = []
                for _, future in group:
                    future.set_exception(error)
                return
            for _, future in group:
                future.set_result(None)

    def _next_group(self) -> list[tuple[Batch, Future[None]]]:
        """Everything waiting, as soon as there is something; nothing once closed and drained."""
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait()
            group, self._waiting = self._waiting, []
            return group


def _merged(batches: Sequence[Batch]) -> Batch:
    """Return one batch with all rows of these, each kind in the order given.

    >>> from deconflict.store.base import NoteRow
    >>> a, b = Batch(notes=[NoteRow("x", b"1")]), Batch(notes=[NoteRow("x", b"2")])
    >>> [note.value for note in _merged([a, b]).notes]
    [b'1', b'2']
    """
    if len(batches) == 1:
        return batches[0]
    return Batch(
        **{
            name: tuple(chain.from_iterable(getattr(batch, name) for batch in batches))
            for name in Batch.__struct_fields__
        }
    )


def _stopped(cause: Exception) -> StoreBrokenError:
    return StoreBrokenError(
        f"the writer stopped at an earlier error ({cause})",
        remedy="start the node again: the record is verified before anything is sent",
    )
