"""What people ask of a running node about calls: arranging, recording, readouts, own papers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from deconflict.errors import InvalidInputError, NotFoundError
from deconflict.messages.bodies import parse_body
from deconflict.messages.kinds import Kind
from deconflict.messages.wire_form import WireForm, read_form
from deconflict.node.actor import Action, Actor, require
from deconflict.node.call_views import (
    CallView,
    PaperView,
    TalkView,
    call_view,
    paper_view,
    talk_calendar,
    talk_view,
)
from deconflict.node.core import NodeCore, Say
from deconflict.node.line import Line
from deconflict.node.papers import PAPER, PaperBook, Texts
from deconflict.node.releasing import Releasing
from deconflict.node.runtime import Runtime
from deconflict.node.talking import READOUT_KINDS, TALK_KINDS
from deconflict.node.talks import Talk
from deconflict.node.views import Posted
from deconflict.store.base import NoteRow, Store

__all__ = ["Calling"]


class Calling(Releasing):
    """A running node through which calls are arranged, recorded and told of.

    Args:
        core: what it knows.
        runtime: what drives it.
        store: its record.
        release_persons: how many this party wants for declarations, terms and readouts: 1 or 2.
    """

    def __init__(
        self, core: NodeCore, runtime: Runtime, store: Store, *, release_persons: int = 1
    ) -> None:
        super().__init__(core, runtime, store, release_persons=release_persons)
        self._papers = PaperBook(store.notes(PAPER), core.random_bytes)

    # ---- looking --------------------------------------------------------------------------

    def talks(
        self, line: str | None = None, *, ahead_only: bool = False, language: str | None = None
    ) -> tuple[TalkView, ...]:
        """Return calls that are asked for, arranged or over, the soonest first.

        Args:
            line: of this line alone.
            ahead_only: only what waits for an answer or is still to be held; what a watch hands
                over to the next.
            language: of the texts; None for the node's.
        """
        wanted = self._language(language)
        views = [
            view
            for held in self._lines(line)
            for talk in held.book.talks
            if (view := self._talk_view(held, talk, wanted)).ahead or not ahead_only
        ]
        return tuple(sorted(views, key=lambda view: (_begins(view), view.talk_id)))

    def call_log(self, line: str | None = None) -> tuple[CallView, ...]:
        """Return the calls of which anything was said, the latest last."""
        return tuple(
            call_view(held, call) for held in self._lines(line) for call in held.book.calls
        )

    def calendar(self, line: str, talk_id: str, *, language: str | None = None) -> bytes:
        """Return the times of a call as an iCalendar file; raises NotFoundError."""
        held = self._core.line_named(line)
        talk = held.book.talks.of(talk_id)
        if talk is None:
            raise NotFoundError(
                "no call is known by this message",
                given=talk_id[:16],
                remedy="list them: deconflict line call list",
            )
        return talk_calendar(held.line_id, talk, self._now, self._language(language))

    # ---- saying ---------------------------------------------------------------------------

    async def talk(
        self,
        actor: Actor,
        line: str,
        kind: str,
        body: dict[str, Any],
        *,
        ref: str | None = None,
        to_desk: str | None = None,
        drill: bool | None = None,
        release: str = "OWN_FORCES",
    ) -> Posted:
        """Ask for a call, counter, accept, decline, call off, or record one that was held."""
        require(actor, Action.TALK)
        _require_kind(kind, TALK_KINDS)
        say = self._of_call(actor, kind, body, ref, to_desk, drill=drill, release=release)
        return await self._say_one(actor, self._core.line_named(line), say)

    async def readout(
        self,
        actor: Actor,
        line: str,
        kind: str,
        body: dict[str, Any],
        *,
        ref: str | None = None,
        to_desk: str | None = None,
        drill: bool | None = None,
        release: str = "OWN_FORCES",
    ) -> Posted:
        """Propose a readout, sign the peer's, state one's own, or withhold details."""
        require(actor, Action.READOUT)
        _require_kind(kind, READOUT_KINDS)
        say = self._of_call(actor, kind, body, ref, to_desk, drill=drill, release=release)
        return await self._say_one(actor, self._core.line_named(line), say)

    # ---- kept at home ---------------------------------------------------------------------

    def papers(self, actor: Actor, line: str, call: str | None = None) -> tuple[PaperView, ...]:
        """Return own notes and drafts of a line, or of one call; nothing of them is ever sent."""
        require(actor, Action.READ_PAPERS)
        held = self._core.line_named(line)
        return tuple(paper_view(paper) for paper in self._papers.list(held.line_id, call))

    async def write_paper(
        self,
        actor: Actor,
        line: str,
        kind: str,
        texts: Mapping[str, Sequence[str]],
        *,
        call: str | None = None,
        paper_id: str | None = None,
    ) -> PaperView:
        """Keep a note of a call, or a draft of a readout; or another text of the same one."""
        require(actor, Action.WRITE_PAPERS)
        held = self._core.line_named(line)
        paper = self._papers.put(
            kind=kind,
            line_id=held.line_id,
            call=call,
            by=actor.account,
            texts=_texts(texts),
            now_ms=self._now.utc_ms,
            paper_id=paper_id,
        )
        await self._keep(PaperBook.kept(paper))
        return paper_view(paper)

    async def drop_paper(self, actor: Actor, paper_id: str) -> PaperView:
        """Throw a note or a draft away."""
        require(actor, Action.WRITE_PAPERS)
        paper = self._papers.get(paper_id)
        self._papers.drop(paper)
        await self._keep(PaperBook.gone(paper))
        return paper_view(paper)

    # ---- inside ---------------------------------------------------------------------------

    async def _keep(self, note: NoteRow) -> None:
        # No event: whoever may read the stream may not read these.
        await self._runtime.commit(self._core.note_paper(note, self._now))

    def _talk_view(self, line: Line, talk: Talk, language: str) -> TalkView:
        view = talk_view(line, talk, self._now, language)
        arranged = talk.arranged
        if arranged is None or arranged.by != line.book.own:
            return view
        envelope = self._core.envelope_of(arranged.hash)
        slot = None if envelope is None else (envelope.epoch, envelope.seq)
        return replace(view, acceptance=line.delivery(arranged.hash, slot).state.value)

    def _of_call(
        self,
        actor: Actor,
        kind: str,
        body: dict[str, Any],
        ref: str | None,
        to_desk: str | None,
        *,
        drill: bool | None,
        release: str,
    ) -> Say:
        return Say(
            kind=Kind(kind),
            body=parse_body(kind, body),
            desk=actor.desk,
            ref=ref,
            to_desk=to_desk,
            drill=drill,
            release=release,
            lang=actor.language,
            reader=actor.language,
        )


def _begins(view: TalkView) -> str:
    return view.start_utc or min(slot.start_utc for slot in view.slots)


def _require_kind(kind: str, kinds: frozenset[Kind]) -> None:
    if kind not in kinds:
        raise InvalidInputError(
            "messages of this kind are not said here",
            given=kind[:40],
            expected=", ".join(sorted(kinds)),
        )


class _Texts(WireForm, frozen=True):
    """Texts of a paper, as they come in."""

    texts: Texts


def _texts(given: Mapping[str, Sequence[str]]) -> Texts:
    value = {"texts": {language: list(lines) for language, lines in given.items()}}
    return read_form(_Texts, value, what="the text", spec="docs/howto/hold-a-call.md").texts
