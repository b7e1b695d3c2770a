"""Protected sites in private checks, as a running node's people hold them and consent to answers.

The list never leaves the node. What a desk sees of a check by another party is that something was
asked, and how much: never what, and not what came of it.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from deconflict.airspace.instant import format_utc, parse_utc
from deconflict.errors import InvalidInputError, LineStateError
from deconflict.messages.kinds import Kind
from deconflict.messages.private_bodies import PrivateMode, PrivatePropose, SitesAsked
from deconflict.node.actor import Action, Actor, require
from deconflict.node.line import Line
from deconflict.node.private.asking import PrivateAsking, document_of_line
from deconflict.node.private.site_files import (
    HeldSite,
    SiteCaps,
    SiteFiles,
    SitesFile,
    given_until,
)
from deconflict.node.views import Posted

__all__ = ["ConsentView", "HeldSiteView", "SiteAsking", "SitesView"]

_MOST_SITES = 20_000
_MOST_RADIUS_MM = 1_000_000_000
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class HeldSiteView:
    """One protected site."""

    label: str
    lat_e7: int
    lon_e7: int
    radius_mm: int


@dataclass(frozen=True, slots=True)
class ConsentView:
    """Whether the peer of a line is answered about our sites, and what it asked.

    Attributes:
        line_id, peer: whom.
        state: NONE, STANDS, ENDED or WITHDRAWN.
        until_utc: when it ends, or ended; None where none was given.
        by: the account that gave it.
        asked_today: queries on the day of the last one, UTC.
        asked_day: which day that was; None where nothing was asked.
        asked_ever: squares, for as long as the list lives; never which.
    """

    line_id: str
    peer: str
    state: str
    until_utc: str | None
    by: str | None
    asked_today: int
    asked_day: str | None
    asked_ever: int


@dataclass(frozen=True, slots=True)
class SitesView:
    """The list of this party, for those who may declare protected sites.

    Attributes:
        set_utc: since when it is this; None where no list is held.
        sites: the most important first.
        decoys: how many sites that are none stand among them in each check.
        points_a_query, queries_a_day, share_per_mille, share_all_per_mille: what may be asked.
        consents: of each line.
        asked_ever: squares that all together asked.
    """

    set_utc: str | None
    sites: tuple[HeldSiteView, ...]
    decoys: int
    points_a_query: int | None
    queries_a_day: int | None
    share_per_mille: int | None
    share_all_per_mille: int | None
    consents: tuple[ConsentView, ...]
    asked_ever: int


class SiteAsking(PrivateAsking):
    """A running node whose people hold protected sites, and may ask about those of a peer."""

    def private_sites(self, actor: Actor) -> SitesView:
        """Return the list, the consents, and how much was asked.

        Raises:
            NotPermittedError: the role may not.
        """
        require(actor, Action.DECLARE_SITE)
        return self._sites_view()

    def set_private_sites(
        self, actor: Actor, sites: Sequence[HeldSite], *, decoys: int, caps: SiteCaps
    ) -> SitesView:
        """Hold a list in the place of the one before it; sends nothing.

        Consents, and what was asked, stay: an altered list is the same one to who looks for it.

        Raises:
            InvalidInputError: a number is out of range.
        """
        require(actor, Action.DECLARE_SITE)
        caps.of_one(1), caps.of_all(1)
        if not sites or len(sites) > _MOST_SITES or not 0 <= decoys <= _MOST_SITES:
            raise InvalidInputError(
                "a list of sites has another number of them",
                given=f"{len(sites):,} sites and {decoys:,} decoys",
                expected=f"1 to {_MOST_SITES:,} sites, and at most as many decoys",
            )
        wide = [each for each in sites if not 1 <= each.radius_mm <= _MOST_RADIUS_MM]
        if wide:
            raise InvalidInputError(
                "the radius of a site is out of range",
                given=f"{wide[0].radius_mm:,} mm",
                expected="more than 0, and at most 1,000 km",
            )
        files, before = self._site_files, self._site_files.sites()
        secret = os.urandom(_SECRET_BYTES).hex() if before is None else before.secret
        now_utc = format_utc(self._now.utc_ms)
        files.set_sites(SitesFile(now_utc, tuple(sites), decoys, secret, caps))
        return self._sites_view()

    def clear_private_sites(self, actor: Actor) -> SitesView:
        """Forget the list, every consent, and what was asked."""
        require(actor, Action.DECLARE_SITE)
        self._site_files.clear()
        return self._sites_view()

    def consent_private_sites(self, actor: Actor, line: str, until_utc: str) -> SitesView:
        """Have this node answer the peer of a line about our sites, until an instant.

        Raises:
            InvalidInputError: that instant is over.
        """
        require(actor, Action.DECLARE_SITE)
        held, until_ms = self._core.line_named(line), parse_utc(until_utc)
        if until_ms <= self._now.utc_ms:
            raise InvalidInputError(
                "the consent would be over already",
                given=until_utc,
                expected=f"later than {format_utc(self._now.utc_ms)}",
            )
        given = given_until(held.peer, actor.account, self._now.utc_ms, until_ms)
        self._site_files.set_consent(held.line_id, given)
        return self._sites_view()

    def withdraw_private_sites(self, actor: Actor, line: str) -> SitesView:
        """Answer the peer of a line no more; what runs ends before its answer.

        Raises:
            LineStateError: it is not answered now.
        """
        require(actor, Action.DECLARE_SITE)
        held, files = self._core.line_named(line), self._site_files
        given = files.consent(held.line_id)
        if given is None or not files.has_consent(held.line_id, held.peer, self._now.utc_ms):
            raise LineStateError(
                "no consent stands that could be withdrawn",
                given=held.peer,
                remedy="see them: deconflict private sites show",
            )
        files.set_consent(
            held.line_id, given.withdrawn(format_utc(self._now.utc_ms), actor.account)
        )
        return self._sites_view()

    async def propose_private_sites(
        self, actor: Actor, line: str, asked: SitesAsked, *, drill: bool | None = None
    ) -> Posted:
        """Propose to check an activity against protected sites; it begins when it is accepted.

        The planner checks what `private plan` holds for the line, whenever it flies.

        Raises:
            LineStateError: the terms have no private check.
            InvalidInputError: the sites are those of neither party.
        """
        require(actor, Action.TERMS)
        held = self._core.line_named(line)
        if asked.protector not in (self._core.party, held.peer):
            raise InvalidInputError(
                "the sites are those of neither party",
                given=asked.protector,
                expected=f"{self._core.party} or {held.peer}",
            )
        document = document_of_line(held)
        start_ms = -(-self._now.utc_ms // document.cadence_ms) * document.cadence_ms
        body = PrivatePropose(
            mode=PrivateMode.SITES,
            grid=document.document_hash,
            start_utc=format_utc(start_ms),
            runs=1,
            sites=asked,
        )
        return await self._say_of(actor, held, Kind.PRIVATE_PROPOSE, body, None, drill=drill)

    def peer_of(self, line: str) -> str:
        """Return who is at the other end of a line."""
        return self._core.line_named(line).peer

    # ---- inside ------------------------------------------------------------------------------

    @property
    def _site_files(self) -> SiteFiles:
        return self._runner.sites

    def _sites_view(self) -> SitesView:
        held, files = self._site_files.sites(), self._site_files
        caps = None if held is None else held.caps
        sites = () if held is None else held.sites
        return SitesView(
            set_utc=None if held is None else held.set_utc,
            sites=tuple(
                HeldSiteView(each.label, each.lat_e7, each.lon_e7, each.radius_mm) for each in sites
            ),
            decoys=0 if held is None else held.decoys,
            points_a_query=None if caps is None else caps.points_a_query,
            queries_a_day=None if caps is None else caps.queries_a_day,
            share_per_mille=None if caps is None else caps.share_per_mille,
            share_all_per_mille=None if caps is None else caps.share_all_per_mille,
            consents=tuple(self._consent_view(line) for line in self._core.lines.values()),
            asked_ever=files.asked_by_all().ever,
        )

    def _consent_view(self, line: Line) -> ConsentView:
        files = self._site_files
        given, asked = files.consent(line.line_id), files.asked(line.line_id)
        if given is None:
            state = "NONE"
        elif given.withdrawn_utc is not None:
            state = "WITHDRAWN"
        else:
            stands = files.has_consent(line.line_id, line.peer, self._now.utc_ms)
            state = "STANDS" if stands else "ENDED"
        return ConsentView(
            line_id=line.line_id,
            peer=line.peer,
            state=state,
            until_utc=None if given is None else given.until_utc,
            by=None if given is None else given.by,
            asked_today=asked.today,
            asked_day=format_utc(asked.day * 86_400_000)[:10] if asked.ever else None,
            asked_ever=asked.ever,
        )
