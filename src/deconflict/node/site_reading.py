"""What who speaks for protected sites is shown: the lines, and what is said of own sites.

A humanitarian notifier sees no flight, no activity and no other message of either party
(requirements §7). It sees whether each line carries, what was said to and fro of own protected
sites, its own warnings with what answers them, and the alerts about those.
"""

import asyncio
from collections.abc import Iterable
from itertools import chain
from typing import Final

import msgspec

from deconflict.errors import NotFoundError
from deconflict.line.envelope import read_envelope
from deconflict.messages.declaration import Purpose
from deconflict.messages.kinds import Kind
from deconflict.node.line import Line
from deconflict.node.reading import Reading, slot
from deconflict.node.saying import WARNED
from deconflict.node.views import AlertView, DeclarationView, MessageView, SiteLineView
from deconflict.store.base import EntryRow

__all__ = ["SiteReading"]

# Kinds that name no declaration but the site itself. A concern, a proposal or an account of an
# incident that cites a site names another declaration beside it: activity of one of the parties.
_OF_SITES: Final = frozenset(
    (
        *(Kind.NOTIFY, Kind.UPDATE, Kind.CORRECTION, Kind.CANCEL),
        *(Kind.ACK, Kind.STANDBY, Kind.READBACK, Kind.READBACK_RESULT, Kind.SEEN, Kind.LOADED),
        *(Kind.SAFETY, Kind.CEASE, Kind.CEASED, Kind.CONTINUING, Kind.CANNOT_REACH),
    )
)
_OF_LINES: Final = frozenset(("LINE_DOWN", "LINE_MUTE", "LINE_DEAF", "LINE_SUSPENDED"))
# Each is worded from the message that it is about, and from no other.
_OF_MESSAGES: Final = frozenset(
    (
        *("NO_RECEIPT", "EXPIRED", "REFUSED", "NOT_SEEN", "CAME_LATE"),
        *("NO_ANSWER", "CEASE_OPEN", "CEASE_NOT_ACKNOWLEDGED", "NOT_CEASED"),
        *("READBACK_MISSING", "READBACK_WRONG", "DELAYED"),
        *("SAFETY_RECEIVED", "CEASE_RECEIVED"),
    )
)
_LOOKED_BACK: Final = 5_000  # latest entries of each chain in which answers are looked for
_AT_ONCE: Final = 20


class SiteReading(Reading):
    """A running node as who speaks for protected sites sees it."""

    def site_lines(self) -> tuple[SiteLineView, ...]:
        """Return every line: whether it carries, and nothing of what it carries."""
        return tuple(
            SiteLineView(
                line_id=view.line_id,
                peer=view.peer,
                state=view.state,
                since_utc=view.since_utc,
                last_heard_utc=view.last_heard_utc,
                suspended_scope=view.suspended_scope,
                terms_state=view.terms_state,
            )
            for view in self.lines()
        )

    def sites(self, *, active_only: bool = True) -> tuple[DeclarationView, ...]:
        """Return the own protected sites, the earliest first."""
        return tuple(
            view
            for view in self.declarations(active_only=active_only)
            if view.own and view.purpose == Purpose.PROTECTED_SITE.value
        )

    async def site_messages(
        self, *, limit: int = 50, language: str | None = None
    ) -> tuple[MessageView, ...]:
        """Return the latest messages about own sites, and own warnings with their answers.

        In the order in which they were logged here. Answers are looked for among the latest 5,000
        messages of each side.
        """
        rows = sorted(
            [(line, row) for line, found in await self._about_sites() for row in found],
            key=lambda each: (
                each[1].logged_utc_ms,
                each[1].party,
                each[0].position(slot(each[1])),
            ),
        )
        views: list[MessageView] = []
        for line, row in rows[-limit:]:
            views.append(self._message_view(line, row, language))
            if len(views) % _AT_ONCE == 0:
                await asyncio.sleep(0)  # alerts and beats go on meanwhile
        return tuple(views)

    async def site_message(self, message_hash: str, *, language: str | None = None) -> MessageView:
        """Return one message that :meth:`site_messages` could show.

        Raises:
            NotFoundError: there is none; also where the record holds it and it is about another
                matter, which is not to be told by the error either.
        """
        if self._store.note(WARNED + message_hash) is not None:
            # Who has just warned asks for it often.
            return await self.message(message_hash, language=language)
        for line, rows in await self._about_sites():
            for row in rows:
                if row.hash == message_hash:
                    return self._message_view(line, row, language)
        raise NotFoundError(
            "no message about your sites, and no warning of yours, is this one",
            given=message_hash[:16],
            remedy="look it up with: deconflict log",
        )

    async def site_alerts(self, *, language: str | None = None) -> tuple[AlertView, ...]:
        """Return the open alerts about lines, own sites and own warnings, the most urgent first."""
        if language is not None:
            await self.word_alerts(language)
        named = {site.declaration_id for site in self.sites(active_only=False)}
        named |= {row.hash for _, rows in await self._about_sites() for row in rows}
        return tuple(
            alert
            for alert in self.alerts(language=language)
            if alert.rule in _OF_LINES
            or (
                alert.rule in _OF_MESSAGES
                and not named.isdisjoint((alert.subject, alert.facts.get("message")))
            )
        )

    async def _about_sites(self) -> list[tuple[Line, tuple[EntryRow, ...]]]:
        """Return of each line what is about own sites, and own warnings with their answers."""
        sites: dict[str, list[str]] = {}
        for site in self.sites(active_only=False):
            for line_id in site.line_ids:
                held = self._core.lines[line_id].book
                key = f"{self._core.party}/{site.declaration_id}"
                sites.setdefault(line_id, []).extend(held.messages_of(key))
        for note in self._store.notes(WARNED):
            if note.value is not None:
                line_id = msgspec.json.decode(note.value, type=str)
                sites.setdefault(line_id, []).append(note.key.removeprefix(WARNED))
        return [
            (self._core.lines[line_id], await asyncio.to_thread(self._thread_of, line_id, roots))
            for line_id, roots in sites.items()
            if line_id in self._core.lines  # a peer that is no longer pinned has no line
        ]

    def _thread_of(self, line_id: str, roots: Iterable[str]) -> tuple[EntryRow, ...]:
        """Return these messages and all that belongs to them, whatever the order it came in."""
        line = self._core.lines[line_id]
        found = {row.hash: row for name in roots if (row := self._store.entry(name)) is not None}
        citing: dict[str, list[EntryRow]] = {}
        for row in self._latest(line):
            envelope = read_envelope(row.data)
            if envelope.ref is not None and envelope.kind in _OF_SITES:
                citing.setdefault(envelope.ref, []).append(row)
        waiting = list(found)
        while waiting:
            for row in citing.pop(waiting.pop(), ()):
                found[row.hash] = row
                waiting.append(row.hash)
        return tuple(found.values())

    def _latest(self, line: Line) -> Iterable[EntryRow]:
        heads = (
            (self._core.party, line.machine.own_head),
            (line.peer, line.machine.peer_logged),
        )
        return chain.from_iterable(
            self._rows(line, party, max(0, line.position(head) - _LOOKED_BACK), _LOOKED_BACK, None)
            for party, head in heads
        )
