"""Finding messages in the whole record, the newest first, a page at a time.

A page costs a bounded piece of work, however long the record is and however little of it fits: it
looks at so many entries, and says where the next page goes on. Nothing is assumed of clocks: a
stretch of time is looked for in the whole chain, because a clock that was put back logs out of
order.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

import msgspec

from deconflict.errors import InvalidInputError
from deconflict.line.envelope import Envelope
from deconflict.node.chains import StoredChain, way_of
from deconflict.node.line import Line
from deconflict.node.views import MessageView
from deconflict.store.base import EntryRow, Store

__all__ = ["LOOKED_AT_ONCE", "WORDED_AT_ONCE", "Found", "RecordQuery", "find_in_record"]

LOOKED_AT_ONCE: Final = 4_000  # entries for a page, some tens of microseconds each, in a thread
WORDED_AT_ONCE: Final = 300  # messages put in words for a page, half a millisecond each
_PAGE: Final = 200  # entries read together
_PAUSE_EVERY: Final = 20  # messages in words, and then others' turn
_ENVELOPE = msgspec.json.Decoder(Envelope)
# Isolates stand around values in texts that run right to left; nobody types them.
_WITHOUT_ISOLATES: Final = dict.fromkeys(range(0x2066, 0x206A))

View = Callable[[Line, EntryRow], MessageView]


@dataclass(frozen=True, slots=True)
class RecordQuery:
    """What is looked for; None and an empty text are whatever there is.

    Attributes:
        lines: on which lines.
        kind: of message.
        party: whose word it is.
        desk: of which desk of theirs.
        from_ms, until_ms: when this node logged it, both ends included.
        text: what its words hold, in the reader's language, or its author's, or its hash.
    """

    lines: tuple[Line, ...]
    kind: str | None = None
    party: str | None = None
    desk: str | None = None
    from_ms: int | None = None
    until_ms: int | None = None
    text: str = ""

    def may_fit(self, row: EntryRow) -> bool:
        """True exactly when all but the words of an entry fit."""
        if self.from_ms is not None and row.logged_utc_ms < self.from_ms:
            return False
        if self.until_ms is not None and row.logged_utc_ms > self.until_ms:
            return False
        if self.kind is None and self.desk is None:
            return True
        envelope = _ENVELOPE.decode(row.data)
        return self.kind in (None, envelope.kind) and self.desk in (None, envelope.sender.desk)

    def fits(self, message: MessageView) -> bool:
        """True exactly when the words of a message hold what is looked for."""
        if not self.text:
            return True
        words = f"{message.text}\n{message.text_author or ''}\n{message.hash}"
        return self.text.casefold() in words.translate(_WITHOUT_ISOLATES).casefold()


@dataclass(frozen=True, slots=True)
class Found:
    """A page of what was found.

    Attributes:
        messages: the newest first, as this node logged them.
        after: how many entries of each chain are left to be looked at; None at the end. Give it
            back for the next page, which may hold what this one has no room for, or nothing.
        left: how many entries that is.
        total: how many there are in all.
    """

    messages: tuple[MessageView, ...]
    after: dict[str, int] | None
    left: int
    total: int


async def find_in_record(
    store: Store,
    wanted: RecordQuery,
    view: View,
    *,
    after: Mapping[str, int] | None = None,
    limit: int = 50,
) -> Found:
    """Return a page of the messages that fit.

    Args:
        store: the record.
        wanted: what is looked for.
        view: shows an entry; called on the event loop, some at a time.
        after: as the page before said; None begins at the end of the record.
        limit: at most so many messages.

    Raises:
        InvalidInputError: ``after`` is of other lines.
    """
    looking = _Looking(store, wanted, after)
    await asyncio.to_thread(looking.begin)
    found: list[MessageView] = []
    worded = 0
    while len(found) < limit and worded < WORDED_AT_ONCE and looking.may_go_on:
        # No more than there is room for: what is taken here is shown, or does not fit.
        candidates = await asyncio.to_thread(looking.some, limit - len(found))
        for line, row in candidates:
            message = view(line, row)
            worded += 1
            if wanted.fits(message):
                found.append(message)
            if worded % _PAUSE_EVERY == 0:
                await asyncio.sleep(0)
    left = looking.left
    return Found(tuple(found), left or None, sum(left.values()), looking.total)


class _Backwards:
    """One party's chain from its end to its beginning, without what was left behind."""

    def __init__(self, store: Store, line: Line, party: str) -> None:
        self.line = line
        self._chain = StoredChain(store, line.line_id, party, line.machine.identity.own_keys)
        way = way_of(store, line.line_id, party)
        self.length = self.left = sum(stretch.last_seq for stretch in way)
        self._page: list[EntryRow] = []  # the next ones, the last of them first to be taken

    def next(self) -> EntryRow | None:
        """Return the entry that is looked at next; None at the beginning of the chain."""
        if not self._page and self.left:
            start = max(0, self.left - _PAGE)
            self._page = list(islice(self._chain.rows_behind(start), self.left - start))
        return self._page[-1] if self._page else None

    def take(self) -> None:
        """Go on to the one before."""
        self._page.pop()
        self.left -= 1


class _Looking:
    """Goes through the chains of the lines together, by when each entry was logged."""

    def __init__(self, store: Store, wanted: RecordQuery, after: Mapping[str, int] | None) -> None:
        self._store = store
        self._wanted = wanted
        self._after = after
        self._chains: dict[str, _Backwards] = {}
        self._looked_at = 0
        self.total = 0

    def begin(self) -> None:
        """Read where each chain ends."""
        for line in self._wanted.lines:
            for party in (line.book.own, line.peer):
                if self._wanted.party in (None, party):
                    chain = _Backwards(self._store, line, party)
                    self._chains[f"{line.line_id}/{party}"] = chain
                    self.total += chain.length
        if self._after is None:
            return
        if unknown := self._after.keys() - self._chains.keys():
            raise InvalidInputError(
                "the next page is of another search",
                given=ascii(min(unknown))[:80],
                expected="`after` as the page before said it, with the same filters",
            )
        for name, chain in self._chains.items():
            chain.left = min(chain.left, max(0, self._after.get(name, 0)))

    @property
    def left(self) -> dict[str, int]:
        """How many entries of each chain are left; none of what is at its beginning."""
        return {name: chain.left for name, chain in self._chains.items() if chain.left}

    @property
    def may_go_on(self) -> bool:
        """True exactly when something is left, and this page may look at more."""
        return self._looked_at < LOOKED_AT_ONCE and bool(self.left)

    def some(self, most: int) -> list[tuple[Line, EntryRow]]:
        """Return the next entries that may fit, and leave the ones behind them."""
        found: list[tuple[Line, EntryRow]] = []
        while len(found) < min(most, _PAUSE_EVERY) and self._looked_at < LOOKED_AT_ONCE:
            chain = _newest(self._chains.values())
            row = None if chain is None else chain.next()
            if chain is None or row is None:
                break
            chain.take()
            self._looked_at += 1
            if self._wanted.may_fit(row):
                found.append((chain.line, row))
        return found


def _newest(chains: Iterable[_Backwards]) -> _Backwards | None:
    newest: _Backwards | None = None
    logged_ms = 0
    for chain in chains:
        row = chain.next()
        if row is not None and (newest is None or row.logged_utc_ms > logged_ms):
            newest, logged_ms = chain, row.logged_utc_ms
    return newest
