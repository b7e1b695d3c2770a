"""What the API asks of a node, and nothing more; ``deconflict.node.service.Node`` has it all.

Written as a protocol so that the type checker compares the two, and so that the API is tested
without keys, peers and a disk.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

from deconflict.airspace.position import Position
from deconflict.messages.declaration import Declaration
from deconflict.messages.private_bodies import MediatedAnswer, Refines, SitesAsked
from deconflict.messages.readback import ReadbackRow
from deconflict.node.acting import ActivityView
from deconflict.node.actor import Actor
from deconflict.node.call_views import CallView, PaperView, TalkView
from deconflict.node.drill_report import DrillReport
from deconflict.node.handover import Sheet
from deconflict.node.incident_views import IncidentRow, IncidentView, TallyView
from deconflict.node.inquiries.views import InquiryView
from deconflict.node.looking import Looked, PartialDraft
from deconflict.node.private.mediated_asking import MediationsView
from deconflict.node.private.site_asking import SitesView
from deconflict.node.private.site_files import HeldSite, SiteCaps
from deconflict.node.private.views import (
    OpenedView,
    PlanView,
    PrivateCheckView,
    PrivateFindingView,
)
from deconflict.node.record_search import Found
from deconflict.node.tending.backups import BackupsView
from deconflict.node.tending.certificates import CertificateView
from deconflict.node.views import (
    AlertView,
    Checked,
    ConflictView,
    DeclarationView,
    DrillView,
    EventView,
    ExportView,
    FirstAlerts,
    HeadView,
    HeldView,
    LineView,
    MessageView,
    NodeView,
    ParcelView,
    Posted,
    SiteLineView,
    TakenView,
    TermsText,
    TermsTexts,
    TermsView,
)
from deconflict.node.watchkeeping import Shift
from deconflict.node.ways_out.asking import WaysOut

__all__ = ["NodeFace"]


class NodeFace(Protocol):
    """A running node, as people and integrators use it.

    ``line`` is a line's id or its peer. Texts are in the ``language`` that is asked for, or in that
    of the actor; without either, in the node's.
    """

    def node(self) -> NodeView: ...
    def lines(self, *, language: str | None = None) -> tuple[LineView, ...]: ...
    def line(self, line: str, *, language: str | None = None) -> LineView: ...
    def terms(self, line: str) -> TermsView: ...
    def terms_texts(self, line: str, *, language: str | None = None) -> TermsTexts: ...
    def read_terms(self, actor: Actor, line: str, terms: dict[str, Any]) -> TermsText: ...
    def heads(self, line: str) -> tuple[HeadView, ...]: ...
    async def propose_terms(self, actor: Actor, line: str, terms: dict[str, Any]) -> Posted: ...
    async def accept_terms(self, actor: Actor, line: str, terms_hash: str) -> Posted: ...
    async def reopen(self, actor: Actor, line: str) -> LineView: ...
    async def declare(
        self,
        actor: Actor,
        declarations: Sequence[Declaration],
        *,
        lines: Sequence[str] | None,
        drill: bool | None = None,
        release: str = "OWN_FORCES",
        as_written: bool = False,
    ) -> tuple[Posted, ...]: ...
    async def update(
        self,
        actor: Actor,
        declaration: Declaration,
        *,
        lines: Sequence[str] | None,
        drill: bool | None = None,
        release: str = "OWN_FORCES",
        as_written: bool = False,
    ) -> tuple[Posted, ...]: ...
    async def correct(
        self,
        actor: Actor,
        declaration: Declaration,
        *,
        lines: Sequence[str] | None,
        drill: bool | None = None,
        release: str = "OWN_FORCES",
        as_written: bool = False,
    ) -> tuple[Posted, ...]: ...
    async def tell(
        self,
        actor: Actor,
        declaration_id: str,
        *,
        lines: Sequence[str],
        drill: bool | None = None,
        release: str = "OWN_FORCES",
        as_written: bool = False,
    ) -> tuple[Posted, ...]: ...
    async def cancel(
        self, actor: Actor, declaration_id: str, *, reason_number: int | None = None
    ) -> tuple[Posted, ...]: ...
    async def check(
        self,
        actor: Actor,
        drafts: Sequence[Declaration] | None,
        *,
        line: str | None = None,
        as_written: bool = False,
    ) -> Checked: ...
    async def look(
        self, actor: Actor, drafts: Sequence[PartialDraft], *, line: str | None = None
    ) -> Looked: ...
    async def send(
        self,
        actor: Actor,
        line: str,
        kind: str,
        body: dict[str, Any],
        *,
        ref: str | None = None,
        precedence: str | None = None,
        to_desk: str | None = None,
        drill: bool | None = None,
        release: str = "OWN_FORCES",
        lang: str | None = None,
        expires_after_ms: int | None = None,
        answer_within_ms: int | None = None,
    ) -> Posted: ...
    def held(self, *, language: str | None = None) -> tuple[HeldView, ...]: ...
    async def release(
        self, actor: Actor, held_id: str, *, places: Sequence[Position] = ()
    ) -> tuple[Posted, ...]: ...
    async def withdraw(self, actor: Actor, held_id: str) -> HeldView: ...
    async def seen(self, actor: Actor, message_hash: str) -> Posted: ...
    async def messages(
        self,
        line: str,
        *,
        after_seq: int = 0,
        limit: int = 200,
        outgoing: bool | None = None,
        last: int | None = None,
        language: str | None = None,
    ) -> tuple[MessageView, ...]: ...
    async def message(self, message_hash: str, *, language: str | None = None) -> MessageView: ...
    def declarations(self, *, active_only: bool = True) -> tuple[DeclarationView, ...]: ...
    def site_lines(self) -> tuple[SiteLineView, ...]: ...
    def sites(self, *, active_only: bool = True) -> tuple[DeclarationView, ...]: ...
    async def site_messages(
        self, *, limit: int = 50, language: str | None = None
    ) -> tuple[MessageView, ...]: ...
    async def site_message(
        self, message_hash: str, *, language: str | None = None
    ) -> MessageView: ...
    async def site_alerts(self, *, language: str | None = None) -> tuple[AlertView, ...]: ...
    async def conflicts(self, *, language: str | None = None) -> tuple[ConflictView, ...]: ...
    def alerts(self, *, language: str | None = None) -> tuple[AlertView, ...]: ...
    async def told_alerts(self, *, language: str | None = None) -> tuple[AlertView, ...]: ...
    async def word_alerts(self, language: str) -> None: ...
    async def first_alerts(self, most: int, *, language: str | None = None) -> FirstAlerts: ...
    def incidents(self, *, language: str | None = None) -> tuple[IncidentRow, ...]: ...
    def incident(
        self, incident_id: str, *, line: str | None = None, language: str | None = None
    ) -> IncidentView: ...
    async def outside_account(
        self,
        actor: Actor,
        incident_id: str,
        by: str,
        fields: Mapping[str, str | int | bool],
        *,
        as_published: str | None = None,
        line: str | None = None,
    ) -> IncidentView: ...
    def own_count(
        self,
        line: str,
        start_utc: str,
        end_utc: str,
        *,
        drill: bool = False,
        language: str | None = None,
    ) -> TallyView: ...
    def tallies(self, line: str, *, language: str | None = None) -> tuple[TallyView, ...]: ...
    async def tally(
        self, actor: Actor, line: str, start_utc: str, end_utc: str, *, drill: bool = False
    ) -> Posted: ...
    def shift(self, desk: str) -> Shift | None: ...
    def handover(
        self, desk: str, *, ahead_ms: int = ..., gap_ms: int = ..., language: str | None = None
    ) -> Sheet: ...
    async def sign_off(
        self, actor: Actor, *, ahead_ms: int = ..., gap_ms: int = ..., with_open: bool = False
    ) -> Sheet: ...
    async def take_over(
        self,
        actor: Actor,
        languages: Sequence[str] = (),
        *,
        ahead_ms: int = ...,
        gap_ms: int = ...,
        drill: bool = False,
    ) -> Sheet: ...
    def last_event_id(self) -> int: ...
    def events(self, after_id: int) -> AsyncGenerator[Sequence[EventView], None]: ...
    def event_json(self, event: EventView, language: str) -> bytes: ...
    async def ask_export(
        self, actor: Actor, line: str, what: str, message: str | None = None
    ) -> ExportView: ...
    def require_exportable(
        self, actor: Actor, line: str, what: str, message: str | None = None
    ) -> object: ...
    def export(self, actor: Actor, line: str) -> AsyncIterator[bytes]: ...
    async def disclose(self, actor: Actor, line: str, message_hash: str) -> bytes: ...
    async def fork(self, actor: Actor, line: str) -> bytes: ...
    async def make_parcel(
        self,
        actor: Actor,
        line: str,
        *,
        since_seq: int | None = None,
        message: str | None = None,
        max_bytes: int | None = None,
    ) -> ParcelView: ...
    async def take_parcel(self, actor: Actor, line: str, data: bytes) -> TakenView: ...
    async def health(self) -> Mapping[str, Any]: ...
    def talks(
        self, line: str | None = None, *, ahead_only: bool = False, language: str | None = None
    ) -> tuple[TalkView, ...]: ...
    def call_log(self, line: str | None = None) -> tuple[CallView, ...]: ...
    def calendar(self, line: str, talk_id: str, *, language: str | None = None) -> bytes: ...
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
    ) -> Posted: ...
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
    ) -> Posted: ...
    def papers(self, actor: Actor, line: str, call: str | None = None) -> tuple[PaperView, ...]: ...
    async def write_paper(
        self,
        actor: Actor,
        line: str,
        kind: str,
        texts: Mapping[str, Sequence[str]],
        *,
        call: str | None = None,
        paper_id: str | None = None,
    ) -> PaperView: ...
    async def drop_paper(self, actor: Actor, paper_id: str) -> PaperView: ...
    async def find_messages(
        self,
        actor: Actor,
        *,
        line: str | None = None,
        kind: str | None = None,
        party: str | None = None,
        desk: str | None = None,
        from_ms: int | None = None,
        until_ms: int | None = None,
        text: str = "",
        after: Mapping[str, int] | None = None,
        limit: int = 50,
    ) -> Found: ...
    async def try_readback(
        self, actor: Actor, message_hash: str, values: dict[str, Any]
    ) -> tuple[ReadbackRow, ...]: ...
    async def compared_readback(
        self, actor: Actor, message_hash: str
    ) -> tuple[ReadbackRow, ...]: ...
    async def ways_out(self, actor: Actor, conflict_id: str) -> WaysOut: ...
    async def certificates(self) -> tuple[CertificateView, ...]: ...
    async def copies(self, actor: Actor) -> BackupsView: ...
    def make_copy(self, actor: Actor) -> BackupsView: ...
    def known_at(self, actor: Actor, line: str, at_ms: int) -> InquiryView: ...
    def verify_file(self, actor: Actor, size: int) -> InquiryView: ...
    async def take_file(
        self, actor: Actor, inquiry_id: str, chunks: AsyncIterator[bytes]
    ) -> InquiryView: ...
    def inquiry(self, actor: Actor, inquiry_id: str) -> InquiryView: ...
    async def end_inquiry(self, actor: Actor, inquiry_id: str) -> InquiryView: ...
    async def translate(
        self, actor: Actor, message_hash: str, language: str, lines: Sequence[str]
    ) -> MessageView: ...
    async def untranslate(self, actor: Actor, message_hash: str, language: str) -> MessageView: ...
    def activities(self, *, language: str | None = None) -> tuple[ActivityView, ...]: ...
    async def enter_activity(
        self,
        actor: Actor,
        position: Position,
        start_utc: str,
        end_utc: str,
        *,
        reach_mm: int | None = None,
    ) -> ActivityView: ...
    async def remove_activity(self, actor: Actor, activity_id: str) -> None: ...
    def exercises(self) -> tuple[DrillView, ...]: ...
    async def begin_drill(
        self, actor: Actor, until_utc: str, *, line: str | None = None, announced: bool = True
    ) -> tuple[DrillView, ...]: ...
    async def end_drill(
        self, actor: Actor, *, line: str | None = None
    ) -> tuple[DrillView, ...]: ...
    async def drill_report(self, line: str) -> DrillReport: ...
    def private_checks(self, *, language: str | None = None) -> tuple[PrivateCheckView, ...]: ...
    def private_check(self, proposal: str, *, language: str | None = None) -> PrivateCheckView: ...
    def private_sites(self, actor: Actor) -> SitesView: ...
    def set_private_sites(
        self, actor: Actor, sites: Sequence[HeldSite], *, decoys: int, caps: SiteCaps
    ) -> SitesView: ...
    def clear_private_sites(self, actor: Actor) -> SitesView: ...
    def consent_private_sites(self, actor: Actor, line: str, until_utc: str) -> SitesView: ...
    def withdraw_private_sites(self, actor: Actor, line: str) -> SitesView: ...
    def peer_of(self, line: str) -> str: ...
    async def propose_private_sites(
        self, actor: Actor, line: str, asked: SitesAsked, *, drill: bool | None = None
    ) -> Posted: ...
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
    ) -> Posted: ...
    def private_mediations(self, actor: Actor) -> MediationsView: ...
    def mediate_private(self, actor: Actor, line: str, most_bytes: int) -> MediationsView: ...
    def end_mediating_private(self, actor: Actor, line: str) -> MediationsView: ...
    def private_finding(
        self, proposal: str, run: int, *, language: str | None = None
    ) -> PrivateFindingView: ...
    def private_plan(self, actor: Actor, line: str) -> PlanView: ...
    def set_private_plan(
        self, actor: Actor, line: str, declarations: Sequence[Declaration]
    ) -> PlanView: ...
    def clear_private_plan(self, actor: Actor, line: str) -> PlanView: ...
    async def propose_private(
        self,
        actor: Actor,
        line: str,
        *,
        start_utc: str | None = None,
        runs: int = 1,
        refines: Refines | None = None,
        drill: bool | None = None,
    ) -> Posted: ...
    async def accept_private(self, actor: Actor, proposal: str) -> Posted: ...
    async def decline_private(
        self, actor: Actor, proposal: str, *, reason: int | None = None
    ) -> Posted: ...
    def run_private(
        self, actor: Actor, proposal: str, run: int | None = None
    ) -> PrivateFindingView: ...
    async def cancel_private(
        self, actor: Actor, proposal: str, run: int | None = None
    ) -> PrivateCheckView: ...
    async def open_private(self, actor: Actor, proposal: str, run: int) -> OpenedView: ...
