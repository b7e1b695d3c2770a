"""What a running node shows. Nothing here says or changes anything; the doors decide who looks."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import islice
from typing import Any

import msgspec

from deconflict import __version__
from deconflict.airspace.instant import format_utc
from deconflict.errors import NotFoundError
from deconflict.line.moment import Now
from deconflict.line.statement import ChainPoint
from deconflict.messages.kinds import SAID_BY_NODES
from deconflict.node.alerts import URGENT
from deconflict.node.bundle import export_bundle
from deconflict.node.chains import StoredChain
from deconflict.node.core import NodeCore
from deconflict.node.line import Line
from deconflict.node.logged import logged_envelope
from deconflict.node.passing import LOOKED_AT_ONCE
from deconflict.node.picture import Declared
from deconflict.node.runtime import Runtime
from deconflict.node.show import (
    conflict_views,
    declaration_view,
    line_view,
    message_view,
    past_declaration_view,
    terms_view,
)
from deconflict.node.tell.worded import AlertWording, messages_of
from deconflict.node.translations import TRANSLATION, TranslationBook
from deconflict.node.views import (
    AlertView,
    AuditView,
    ConflictView,
    DeclarationView,
    EventView,
    FirstAlerts,
    HeadView,
    LineView,
    MessageView,
    NodeView,
    TermsView,
    TranslationView,
)
from deconflict.store.base import EntryRow, Store

__all__ = ["Reading", "before_last", "slot"]

_VIEWS_AT_ONCE = 20
_STEPS_PASSED = 8_192  # entries, some ten microseconds each, in a thread


class Reading:
    """A running node as those who look at it see it, in the language of each, or else the node's.

    Args:
        core: what it knows.
        runtime: what drives it.
        store: its record.

    Attributes:
        audit: tells how the proof of the whole record goes on; None where nobody makes one.
    """

    def __init__(self, core: NodeCore, runtime: Runtime, store: Store) -> None:
        self._core = core
        self._runtime = runtime
        self._store = store
        self._started = runtime.now()
        self.audit: Callable[[], AuditView] | None = None
        self._wording = AlertWording(core.language, messages_of(core.envelope_of))
        self._translations = TranslationBook(store.notes(TRANSLATION))

    def node(self) -> NodeView:
        """Return the node itself."""
        core = self._core
        return NodeView(
            party=core.party,
            version=__version__,
            now_utc=format_utc(self._now.utc_ms),
            started_utc=format_utc(self._started.utc_ms),
            desks=core.desks,
            language=core.language,
            signing_key_fingerprint=core.key.verify_key.fingerprint(),
            lines=len(core.lines),
            drill=any(core.drills.on(line_id, self._now) for line_id in core.lines),
            last_event_id=self.last_event_id(),
            audit=None if self.audit is None else self.audit(),
        )

    def lines(self, *, language: str | None = None) -> tuple[LineView, ...]:
        """Return every line."""
        return tuple(self._line_view(line, language) for line in self._core.lines.values())

    def line(self, line: str, *, language: str | None = None) -> LineView:
        """Return the line of this id or with this peer; raises NotFoundError."""
        return self._line_view(self._core.line_named(line), language)

    def terms(self, line: str) -> TermsView:
        """Return the terms of a line, in force and proposed."""
        return terms_view(self._core.line_named(line))

    def heads(self, line: str) -> tuple[HeadView, ...]:
        """Return the end of each party's chain of a line; raises NotFoundError."""
        held = self._core.line_named(line)
        return tuple(
            HeadView(head.party, head.epoch, head.seq, head.hash)
            for head in self._store.heads(held.line_id)
        )

    async def messages(
        self,
        line: str,
        *,
        after_seq: int = 0,
        limit: int = 200,
        outgoing: bool | None = None,
        last: int | None = None,
        language: str | None = None,
    ) -> tuple[MessageView, ...]:
        """Return messages of a line behind a position, in the order they were logged here.

        With ``last``, from the latest so many of each party on. Without the steps of private
        checks, which nodes say to each other by the hundred: those a search finds, by their kind.
        """
        held = self._core.line_named(line)
        parties = [
            party
            for party, is_own in ((self._core.party, True), (held.peer, False))
            if outgoing is None or outgoing is is_own
        ]
        rows: list[EntryRow] = []
        for party in parties:
            rows += await asyncio.to_thread(self._rows, held, party, after_seq, limit, last)
        if len(parties) > 1:
            # A chain by itself stays in its own order, whatever clock and epoch say: the last
            # position of a page is where the next one begins.
            rows.sort(key=lambda row: (row.logged_utc_ms, row.party, held.position(slot(row))))
        views: list[MessageView] = []
        for row in islice(rows, limit):
            views.append(self._message_view(held, row, language))
            if len(views) % _VIEWS_AT_ONCE == 0:
                await asyncio.sleep(0)  # half a millisecond each: alerts and beats go on meanwhile
        return tuple(views)

    async def message(self, message_hash: str, *, language: str | None = None) -> MessageView:
        """Return one message of the record; raises NotFoundError."""
        row = self._store.entry(message_hash)
        if row is None:
            await self._runtime.settled()  # lists are of the memory, which is ahead of the disk
            row = self._store.entry(message_hash)
        if row is None:
            raise NotFoundError(
                "the record holds no such message",
                given=message_hash[:16],
                remedy="look it up with: deconflict log",
            )
        return self._message_view(self._core.line_named(row.line_id), row, language)

    def declarations(self, *, active_only: bool = True) -> tuple[DeclarationView, ...]:
        """Return the declarations of both sides, the earliest first."""
        carried: dict[str, list[tuple[Line, Declared]]] = {}
        for line in self._core.lines.values():
            for declared in line.book.picture:
                carried.setdefault(declared.key, []).append((line, declared))
        views = [declaration_view(items) for items in carried.values()]
        if not active_only:
            views.extend(self._past())
        return tuple(sorted(views, key=lambda view: (view.start_utc, view.declaration_id)))

    async def conflicts(self, *, language: str | None = None) -> tuple[ConflictView, ...]:
        """Return the present conflicts on every line, the earliest first."""
        await self._look_at_changes()
        return conflict_views(self._core.lines.values(), self._now.utc_ms, self._language(language))

    def alerts(self, *, language: str | None = None) -> tuple[AlertView, ...]:
        """Return the open alerts, the most urgent first.

        Where many may be open, :meth:`word_alerts` comes first.
        """
        return self._wording.open_ones(self._core.alerts, self._language(language))

    async def first_alerts(self, most: int, *, language: str | None = None) -> FirstAlerts:
        """Return the open alerts that come first, so many at most, and how many there are."""
        alerts, wanted = self._core.alerts, self._language(language)
        first: list[AlertView] = []
        for alert in alerts[:most]:
            first.append(self._wording.worded(alert, wanted))
            if len(first) % _VIEWS_AT_ONCE == 0:
                await asyncio.sleep(0)
        return FirstAlerts(
            open=len(alerts),
            urgent=sum(alert.urgency in URGENT for alert in alerts),
            alerts=tuple(first),
        )

    async def told_alerts(self, *, language: str | None = None) -> tuple[AlertView, ...]:
        """Return all alerts that the stored events tell of, each as it was told last."""
        found: dict[str, AlertView] = {}
        for event in self._store.events(0):
            if event.kind == "alert":
                alert = msgspec.json.decode(event.data, type=AlertView)
                found[alert.alert_id] = alert
        wanted = self._language(language)
        views: list[AlertView] = []
        for alert in found.values():
            views.append(self._wording.one(alert, wanted))
            if len(views) % _VIEWS_AT_ONCE == 0:
                await asyncio.sleep(0)  # alerts and beats go on meanwhile
        return tuple(views)

    async def word_alerts(self, language: str) -> None:
        """Put the open alerts in words of a language, some at a time.

        Up to a quarter of a millisecond each: alerts and beats go on meanwhile.
        """
        waiting = [a for a in self._core.alerts if not self._wording.is_worded(a, language)]
        for number, alert in enumerate(waiting, start=1):
            self._wording.keep(alert, language)
            if number % _VIEWS_AT_ONCE == 0:
                await asyncio.sleep(0)

    def last_event_id(self) -> int:
        """Return the id of the newest event, 0 before the first."""
        return self._runtime.last_event_id

    def events(self, after_id: int) -> AsyncGenerator[Sequence[EventView], None]:
        """Yield stored events after an id, then live ones, together; ends when the node stops."""
        return self._runtime.events(after_id)

    def event_json(self, event: EventView, language: str) -> bytes:
        """Return the data of an event as a reader of this language gets it.

        Only alerts hold words. In another language than the node's each is worded once, for
        everybody who reads it in that language.
        """
        if language == self._core.language or event.kind != "alert":
            return event.data_json
        kept = event.data_in.get(language)
        if kept is None:
            alert = msgspec.convert(event.data, AlertView)
            kept = msgspec.json.encode(self._wording.one(alert, language))
            event.data_in[language] = kept
        return kept

    async def health(self) -> Mapping[str, Any]:
        """Return facts about the machine side of the node: no content of any message."""
        return {
            "party": self._core.party,
            "now_utc": format_utc(self._now.utc_ms),
            "started_utc": format_utc(self._started.utc_ms),
            "lines": [
                {
                    "peer": line.peer,
                    "state": line.monitor.state(self._now).status.value,
                    "clock_offset_ms": line.monitor.state(self._now).clock_offset_ms,
                    "problem": line.last_problem,
                }
                for line in self._core.lines.values()
            ],
            "audit": None if self.audit is None else asdict(self.audit()),
            "open_alerts": len(self._core.alerts),
            "last_event_id": self.last_event_id(),
        }

    @property
    def _now(self) -> Now:
        return self._runtime.now()

    async def _look_at_changes(self) -> None:
        # Who declares and asks at once must not be told of a picture that nobody has looked at:
        # a conflict missing from it would read as clear. What comes meanwhile is another matter.
        while (unseen := self._unseen()) > 0:
            await self._runtime.look()
            if unseen <= LOOKED_AT_ONCE:
                return
            await asyncio.sleep(0)  # so much at a time, and then others' turn

    def _unseen(self) -> int:
        pictures = (
            line.book.picture for line in self._core.lines.values() if line.book.terms is not None
        )
        return max((picture.unseen for picture in pictures), default=0)

    def _lines(self, line: str | None) -> tuple[Line, ...]:
        """Return the line of this id or with this peer; every line when none is named."""
        if line is None:
            return tuple(self._core.lines.values())
        return (self._core.line_named(line),)

    def _language(self, wanted: str | None) -> str:
        """Return the language that was asked for; the node's where none was."""
        return wanted or self._core.language

    def _message_view(self, line: Line, row: EntryRow, language: str | None) -> MessageView:
        view = message_view(line, row, self._language(language), self._core.envelope_of)
        found = self._translations.of(row.hash)
        if not found:
            return view
        return replace(
            view,
            translations=tuple(
                TranslationView(each.language.value, each.lines, each.by, each.at_utc)
                for each in found
            ),
        )

    def _line_view(self, line: Line, language: str | None = None) -> LineView:
        open_alerts = sum(1 for alert in self._core.alerts if alert.line_id == line.line_id)
        drill = self._core.drills.on(line.line_id, self._now)
        return line_view(
            line,
            open_alerts,
            self._now,
            self._language(language),
            drill_until_ms=None if drill is None else drill.until_ms,
            peers=[other.peer for other in self._core.lines.values()],
        )

    def _bundle_of(self, line: Line, *, with_parts: bool) -> Iterator[bytes]:
        """Return the whole record of a line as a bundle, as it stands now.

        The parts of private checks, gigabytes of them, need not go along.
        """
        return export_bundle(
            self._store,
            line.line_id,
            signer=line.own_key,
            own_keys=self._core.keys,
            peer_key=line.peer_key,
            exported_utc_ms=self._now.utc_ms,
            parts=self._runtime.parts.of(line.line_id) if with_parts else None,
        )

    def _rows(
        self, line: Line, party: str, after: int, limit: int, last: int | None = None
    ) -> list[EntryRow]:
        chain = StoredChain(self._store, line.line_id, party, line.machine.identity.own_keys)
        if last is not None:
            after = max(after, before_last(chain, last))
        shown = (row for row in chain.rows_behind(after) if not _is_by_nodes(row))
        return list(islice(shown, limit))

    def _past(self) -> Iterator[DeclarationView]:
        for line in self._core.lines.values():
            for key, state in line.book.past.items():
                row = self._store.entry(line.book.messages_of(key)[-1])
                view = None if row is None else past_declaration_view(line, row, state)
                if view is not None:
                    yield view


def before_last(chain: StoredChain, last: int) -> int:
    """Return behind which position the latest so many messages that are shown stand.

    Or fewer, where many thousand steps stand between them: that much is looked at and no more.
    """
    reach = last
    while True:
        start = max(0, chain.length - reach)
        rows = enumerate(chain.rows_behind(start), start)
        shown = [position for position, row in rows if not _is_by_nodes(row)]
        if len(shown) >= last:
            return shown[-last]
        if start == 0 or reach > last + _STEPS_PASSED:
            return start
        reach += last + reach


def _is_by_nodes(row: EntryRow) -> bool:
    """True exactly when a message is one of those that nodes say to each other by themselves."""
    return logged_envelope(row).kind in SAID_BY_NODES


def slot(row: EntryRow) -> ChainPoint:
    """Return where an entry stands in its author's chain."""
    return ChainPoint(row.epoch, row.seq, row.hash)
