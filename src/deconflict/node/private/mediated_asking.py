"""Mediated checks as a running node's people ask for them, and what a node does as a mediator."""

from dataclasses import dataclass

from deconflict.airspace.instant import format_utc, parse_utc
from deconflict.errors import InvalidInputError, LineStateError
from deconflict.messages.private_bodies import (
    MAX_STEP_BYTES,
    MediatedAnswer,
    MediatedAsked,
    PrivateMode,
    PrivatePropose,
)
from deconflict.node.actor import Action, Actor, require
from deconflict.node.line import Line
from deconflict.node.private.asking import document_of_line
from deconflict.node.private.mediator import Mediator
from deconflict.node.private.mediator_files import MediatesFor
from deconflict.node.private.site_asking import SiteAsking
from deconflict.node.private.submissions import SubmissionSaid
from deconflict.node.views import Posted

__all__ = ["MediatedAsking", "MediatedView", "MediatesView", "MediationsView"]

_MOST_TAGS = 1 << 20


@dataclass(frozen=True, slots=True)
class MediatesView:
    """Whether this node compares lists of the peer of a line.

    Attributes:
        line_id, peer: whose.
        mediates: whether it does; not by default.
        since_utc, by: since when, and the account that said so; None where it does not.
        most_bytes: of lists that wait at once.
    """

    line_id: str
    peer: str
    mediates: bool
    since_utc: str | None
    by: str | None
    most_bytes: int


@dataclass(frozen=True, slots=True)
class MediatedView:
    """What one peer submitted to this node as a mediator, and what came of it.

    Attributes:
        line_id, peer: who submitted it.
        other: with whose lists it is compared.
        session: names the check; the same in what the other submits.
        at_utc: when it came.
        lists: how many.
        bucket: tags of each.
        answer: what is to be told: YES_NO or COUNT.
        state: WAITS, ANSWERED or ENDED.
        reason: why it ended; None where it did not.
        ended_by: who ended it; None where nobody did.
        answers: of each pair of lists, as they were said to both; all but two are of dummies, and
            which two those are is not known here.
        drill: exercise only.
    """

    line_id: str
    peer: str
    other: str
    session: str
    at_utc: str
    lists: int
    bucket: int
    answer: str
    state: str
    reason: str | None
    ended_by: str | None
    answers: tuple[int, ...]
    drill: bool


@dataclass(frozen=True, slots=True)
class MediationsView:
    """What this node does as a mediator: for whom, and what it compared, the newest first."""

    lines: tuple[MediatesView, ...]
    mediations: tuple[MediatedView, ...]


class MediatedAsking(SiteAsking):
    """A running node whose people ask a mediator, or let it be one.

    Attributes:
        mediator: who compares lists of peers; None in a node that has no peers.
    """

    mediator: Mediator | None = None

    async def propose_private_mediated(
        self,
        actor: Actor,
        line: str,
        mediator: str,
        answer: MediatedAnswer,
        *,
        lists: int,
        bucket: int | None = None,
        start_utc: str | None = None,
        drill: bool | None = None,
    ) -> Posted:
        """Propose a check through a third party, who with either side learns the other's plan.

        Args:
            actor: who.
            line: with whom.
            mediator: whom to ask: a peer of ours, or the id of the line with it.
            answer: whether they come too close, or in how many cells.
            lists: that each side sends; all but two are of dummies.
            bucket: tags of each; None for as many as the terms say of a check without mediator.
            start_utc: when the period begins; None for the next one.
            drill: exercise only.

        Raises:
            NotFoundError: there is no line with the mediator.
            LineStateError: the terms have no private check.
            InvalidInputError: the mediator is one of the two, or the lists are too long.
        """
        require(actor, Action.TERMS)
        held, asked = self._core.line_named(line), self._core.line_named(mediator)
        if asked.peer == held.peer:
            raise InvalidInputError(
                "nobody mediates a check of its own",
                given=asked.peer,
                expected="a third party, with whom both have a line",
            )
        document = document_of_line(held)
        start_ms = (
            -(-self._now.utc_ms // document.cadence_ms) * document.cadence_ms
            if start_utc is None
            else parse_utc(start_utc)
        )
        document.require_begin(start_ms)
        tags = min(document.bucket, _MOST_TAGS) if bucket is None else bucket
        if lists * tags * 16 > MAX_STEP_BYTES:
            raise InvalidInputError(
                "the lists of a mediated check are too long",
                given=f"{lists} lists of {tags:,} tags",
                expected=f"at most {MAX_STEP_BYTES // 16:,} tags in all",
                remedy="name fewer lists, or shorter ones",
            )
        body = PrivatePropose(
            mode=PrivateMode.MEDIATED,
            grid=document.document_hash,
            start_utc=format_utc(start_ms),
            runs=1,
            mediated=MediatedAsked(asked.peer, answer, lists, tags),
        )
        return await self._propose(actor, held, document, body, drill=drill)

    def private_mediations(self, actor: Actor) -> MediationsView:
        """Return for whom this node compares lists, and what it compared."""
        require(actor, Action.READ)
        found = [
            (said.logged_ms, _mediated(line, said))
            for line in self._core.lines.values()
            for said in line.book.private_checks.submissions
            if not said.own
        ]
        newest = sorted(found, key=lambda each: -each[0])
        return MediationsView(
            lines=tuple(self._mediates(line) for line in self._core.lines.values()),
            mediations=tuple(view for _, view in newest),
        )

    def mediate_private(self, actor: Actor, line: str, most_bytes: int) -> MediationsView:
        """Let this node compare lists of the peer of a line with those of others it may.

        Raises:
            InvalidInputError: the number of bytes is out of range.
        """
        require(actor, Action.TERMS)
        held = self._core.line_named(line)
        if not 1_024 <= most_bytes <= 4 * MAX_STEP_BYTES:
            raise InvalidInputError(
                "so much cannot be taken in lists",
                given=f"{most_bytes:,} bytes",
                expected=f"1,024 to {4 * MAX_STEP_BYTES:,}",
            )
        now_utc = format_utc(self._now.utc_ms)
        given = MediatesFor(held.peer, now_utc, actor.account, most_bytes)
        self._mediator.files.put(held.line_id, given)
        return self.private_mediations(actor)

    def end_mediating_private(self, actor: Actor, line: str) -> MediationsView:
        """Compare lists of the peer of a line no more; what waits is refused.

        Raises:
            LineStateError: none are compared now.
        """
        require(actor, Action.TERMS)
        held = self._core.line_named(line)
        if not self._mediator.files.withdraw(held.line_id):
            raise LineStateError(
                "this node does not mediate for that line",
                given=held.peer,
                remedy="see for whom it does: deconflict private mediate",
            )
        self._mediator.move()
        return self.private_mediations(actor)

    # ---- inside ------------------------------------------------------------------------------

    @property
    def _mediator(self) -> Mediator:
        if self.mediator is None:
            raise LineStateError("this node has no peers to mediate between")
        return self.mediator

    def _mediates(self, line: Line) -> MediatesView:
        given = None if self.mediator is None else self.mediator.files.get(line.line_id)
        stands = given is not None and given.peer == line.peer
        return MediatesView(
            line_id=line.line_id,
            peer=line.peer,
            mediates=stands,
            since_utc=given.set_utc if given is not None and stands else None,
            by=given.by if given is not None and stands else None,
            most_bytes=given.most_bytes if given is not None and stands else 0,
        )


def _mediated(line: Line, said: SubmissionSaid) -> MediatedView:
    body = said.body
    ended = said.ends[0] if said.ends and said.answer is None else None
    return MediatedView(
        line_id=line.line_id,
        peer=line.peer,
        other=body.peer,
        session=body.session,
        at_utc=format_utc(said.logged_ms),
        lists=body.lists,
        bucket=body.bucket,
        answer=body.answer.value,
        state="ANSWERED" if said.answer is not None else "WAITS" if ended is None else "ENDED",
        reason=None if ended is None else ended.reason.value,
        ended_by=None if ended is None else ended.by,
        answers=() if said.answer is None else said.answer.body.answers,
        drill=said.drill,
    )
