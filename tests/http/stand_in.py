"""A node in memory with the face the API uses: no keys, no peer, no disk."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import Any

from deconflict.airspace.instant import format_utc
from deconflict.airspace.landmark import Landmark
from deconflict.airspace.position import Position
from deconflict.airspace.wire import geometry_to_wire
from deconflict.errors import LineStateError, NotFoundError
from deconflict.messages.declaration import Declaration, Purpose
from deconflict.messages.private_bodies import MediatedAnswer, Refines, SitesAsked
from deconflict.messages.readback import ReadbackRow
from deconflict.messages.terms_rows import TermsRow
from deconflict.node.acting import ActivityView
from deconflict.node.actor import Actor
from deconflict.node.call_views import CallView, PaperView, TalkView
from deconflict.node.drill_report import DrillReport
from deconflict.node.handover import AHEAD_MS, GAP_MS, Sheet, hand_over_sheet
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
    PlaceView,
    Posted,
    SiteLineView,
    TakenView,
    TermsText,
    TermsTexts,
    TermsView,
)
from deconflict.node.watchkeeping import Shift
from deconflict.node.ways_out.asking import WaysOut

LINE = "0123456789abcdef0123456789abcdef"
PEER = "red.example"
START_MS = 1_443_593_520_000  # 2015-09-30T06:12:00Z


NO_SITES = SitesView(None, (), 0, None, None, None, None, (), 0)


class StandInNode:
    """Remembers what it is told, as a node would, and tells it back."""

    def __init__(self) -> None:
        self.sent: list[MessageView] = []
        self.calls: list[tuple[str, Actor, Any]] = []
        self.declared: dict[str, Declaration] = {}
        self.stored: list[EventView] = []
        self.readers: set[asyncio.Queue[EventView | None]] = set()
        self.state = "UP"
        self.defect: Exception | None = None
        self.open: list[AlertView] = []
        self.found: list[ConflictView] = []
        self.drilling: str | None = None
        self.shifts: dict[str, Shift] = {}
        self.asked: dict[str, InquiryView] = {}
        self.acted: dict[str, ActivityView] = {}

    # -- what is shown

    def node(self) -> NodeView:
        self._fail()
        return NodeView(
            party="blue.example",
            version="0.1.0",
            now_utc=format_utc(START_MS),
            started_utc=format_utc(START_MS),
            desks=("watch", "planning"),
            language="en",
            signing_key_fingerprint="1f2e 3d4c 5b6a 7988",
            lines=1,
            drill=False,
        )

    def lines(self, *, language: str | None = None) -> tuple[LineView, ...]:
        return (self.line(LINE),)

    def line(self, line: str, *, language: str | None = None) -> LineView:
        if line not in (LINE, PEER):
            raise NotFoundError("there is no such line", given=line[:40], expected=PEER)
        return LineView(
            line_id=LINE,
            peer=PEER,
            state=self.state,
            since_utc=format_utc(START_MS),
            last_heard_utc=format_utc(START_MS),
            last_reached_utc=format_utc(START_MS),
            clock_offset_ms=12,
            suspended=False,
            suspended_scope=None,
            terms_state="AGREED",
            terms_hash="ab" * 32,
            own_epoch="e1",
            own_seq=len(self.sent),
            receipted_seq=len(self.sent),
            peer_epoch="e1",
            peer_seq=0,
            open_alerts=len(self.open),
        )

    def terms(self, line: str) -> TermsView:
        self.line(line)
        theatre = {"name": "theatre", "outline": None, "landmarks": []}
        agreed = {"parties": [], "theatre": theatre}
        return TermsView(LINE, "AGREED", agreed, "ab" * 32, None, None, None)

    def terms_texts(self, line: str, *, language: str | None = None) -> TermsTexts:
        self.line(line)
        text = TermsText("ab" * 32, 1, (TermsRow("Document", "version", "1"),), None)
        return TermsTexts(LINE, "AGREED", text, None, None)

    def read_terms(self, actor: Actor, line: str, terms: dict[str, Any]) -> TermsText:
        self.line(line)
        self.calls.append(("read_terms", actor, terms))
        return TermsText("cd" * 32, 2, (TermsRow("Document", "version", "2"),), ())

    async def reopen(self, actor: Actor, line: str) -> LineView:
        return self.line(line)

    async def find_messages(self, actor: Actor, **wanted: Any) -> Found:
        self.calls.append(("search", actor, wanted))
        return Found(tuple(self.sent), None, 0, len(self.sent))

    async def try_readback(
        self, actor: Actor, message_hash: str, values: dict[str, Any]
    ) -> tuple[ReadbackRow, ...]:
        await self.message(message_hash)
        self.calls.append(("readback", actor, values))
        return ()

    async def compared_readback(self, actor: Actor, message_hash: str) -> tuple[ReadbackRow, ...]:
        await self.message(message_hash)
        return ()

    async def ways_out(self, actor: Actor, conflict_id: str) -> WaysOut:
        raise NotFoundError("no such conflict stands now", given=conflict_id)

    async def certificates(self) -> tuple[CertificateView, ...]:
        return ()

    async def copies(self, actor: Actor) -> BackupsView:
        return BackupsView("/backups", ())

    def make_copy(self, actor: Actor) -> BackupsView:
        self.calls.append(("copy", actor, None))
        return BackupsView("/backups", (), running=True)

    def known_at(self, actor: Actor, line: str, at_ms: int) -> InquiryView:
        self.line(line)
        self.calls.append(("known at", actor, at_ms))
        return self._asked("KNOWN_AT")

    def verify_file(self, actor: Actor, size: int) -> InquiryView:
        self.calls.append(("verify", actor, size))
        return self._asked("VERIFY")

    async def take_file(
        self, actor: Actor, inquiry_id: str, chunks: AsyncIterator[bytes]
    ) -> InquiryView:
        found = self.inquiry(actor, inquiry_id)
        self.calls.append(("file", actor, b"".join([chunk async for chunk in chunks])))
        return found

    def inquiry(self, actor: Actor, inquiry_id: str) -> InquiryView:
        if inquiry_id not in self.asked:
            raise NotFoundError("there is no such inquiry of this account", given=inquiry_id)
        return self.asked[inquiry_id]

    async def end_inquiry(self, actor: Actor, inquiry_id: str) -> InquiryView:
        found = self.inquiry(actor, inquiry_id)
        del self.asked[inquiry_id]
        return found

    def _asked(self, what: str) -> InquiryView:
        inquiry_id = f"{len(self.asked):032x}"
        self.asked[inquiry_id] = InquiryView(inquiry_id, what, "RUNNING", "VERIFYING", 1, 2)
        return self.asked[inquiry_id]

    async def translate(
        self, actor: Actor, message_hash: str, language: str, lines: Sequence[str]
    ) -> MessageView:
        self.calls.append(("translate", actor, (message_hash, language, lines)))
        return await self.message(message_hash)

    async def untranslate(self, actor: Actor, message_hash: str, language: str) -> MessageView:
        self.calls.append(("untranslate", actor, (message_hash, language)))
        return await self.message(message_hash)

    def activities(self, *, language: str | None = None) -> tuple[ActivityView, ...]:
        return tuple(self.acted.values())

    async def enter_activity(
        self,
        actor: Actor,
        position: Position,
        start_utc: str,
        end_utc: str,
        *,
        reach_mm: int | None = None,
    ) -> ActivityView:
        self.calls.append(("activity", actor, (position, start_utc, end_utc, reach_mm)))
        name = f"{len(self.acted):032x}"
        self.acted[name] = ActivityView(name, 35.0, 40.0, None, start_utc, end_utc, ())
        return self.acted[name]

    async def remove_activity(self, actor: Actor, activity_id: str) -> None:
        if self.acted.pop(activity_id, None) is None:
            raise NotFoundError("no activity of this id is held", given=activity_id[:32])

    def exercises(self) -> tuple[DrillView, ...]:
        if self.drilling is None:
            return ()
        until_utc = self.drilling
        return (DrillView(LINE, PEER, format_utc(START_MS), until_utc, True, None),)

    def private_checks(self, *, language: str | None = None) -> tuple[PrivateCheckView, ...]:
        return ()

    def private_check(self, proposal: str, *, language: str | None = None) -> PrivateCheckView:
        raise NotFoundError("no private check has this name", given=proposal[:16])

    def private_finding(
        self, proposal: str, run: int, *, language: str | None = None
    ) -> PrivateFindingView:
        raise NotFoundError("no private check has this name", given=proposal[:16])

    def private_plan(self, actor: Actor, line: str) -> PlanView:
        return PlanView(LINE, PEER, None, ())

    def set_private_plan(
        self, actor: Actor, line: str, declarations: Sequence[Declaration]
    ) -> PlanView:
        self.calls.append(("private plan", actor, tuple(declarations)))
        return PlanView(LINE, PEER, format_utc(START_MS), ())

    def clear_private_plan(self, actor: Actor, line: str) -> PlanView:
        self.calls.append(("private plan", actor, None))
        return PlanView(LINE, PEER, None, ())

    async def propose_private(
        self,
        actor: Actor,
        line: str,
        *,
        start_utc: str | None = None,
        runs: int = 1,
        refines: Refines | None = None,
        drill: bool | None = None,
    ) -> Posted:
        self.calls.append(("private propose", actor, (start_utc, runs, refines, drill)))
        return Posted("ab" * 32, LINE, "ab" * 16, 1, "PRIVATE_PROPOSE", "QUEUED")

    def private_sites(self, actor: Actor) -> SitesView:
        return NO_SITES

    def set_private_sites(
        self, actor: Actor, sites: Sequence[HeldSite], *, decoys: int, caps: SiteCaps
    ) -> SitesView:
        self.calls.append(("private sites", actor, (tuple(sites), decoys, caps)))
        return NO_SITES

    def clear_private_sites(self, actor: Actor) -> SitesView:
        self.calls.append(("private sites", actor, None))
        return NO_SITES

    def consent_private_sites(self, actor: Actor, line: str, until_utc: str) -> SitesView:
        self.calls.append(("private consent", actor, until_utc))
        return NO_SITES

    def withdraw_private_sites(self, actor: Actor, line: str) -> SitesView:
        self.calls.append(("private consent", actor, None))
        return NO_SITES

    def peer_of(self, line: str) -> str:
        return PEER

    async def propose_private_sites(
        self, actor: Actor, line: str, asked: SitesAsked, *, drill: bool | None = None
    ) -> Posted:
        self.calls.append(("private propose sites", actor, asked))
        return Posted("ab" * 32, LINE, "ab" * 16, 1, "PRIVATE_PROPOSE", "QUEUED")

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
        self.calls.append(("private propose mediated", actor, (mediator, answer, lists, bucket)))
        return Posted("ab" * 32, LINE, "ab" * 16, 1, "PRIVATE_PROPOSE", "QUEUED")

    def private_mediations(self, actor: Actor) -> MediationsView:
        return MediationsView((), ())

    def mediate_private(self, actor: Actor, line: str, most_bytes: int) -> MediationsView:
        self.calls.append(("private mediate", actor, (line, most_bytes)))
        return MediationsView((), ())

    def end_mediating_private(self, actor: Actor, line: str) -> MediationsView:
        self.calls.append(("private mediate", actor, (line, 0)))
        return MediationsView((), ())

    async def accept_private(self, actor: Actor, proposal: str) -> Posted:
        raise NotFoundError("no private check has this name", given=proposal[:16])

    async def decline_private(
        self, actor: Actor, proposal: str, *, reason: int | None = None
    ) -> Posted:
        raise NotFoundError("no private check has this name", given=proposal[:16])

    def run_private(
        self, actor: Actor, proposal: str, run: int | None = None
    ) -> PrivateFindingView:
        raise NotFoundError("no private check has this name", given=proposal[:16])

    async def cancel_private(
        self, actor: Actor, proposal: str, run: int | None = None
    ) -> PrivateCheckView:
        raise NotFoundError("no private check has this name", given=proposal[:16])

    async def open_private(self, actor: Actor, proposal: str, run: int) -> OpenedView:
        raise NotFoundError("no private check has this name", given=proposal[:16])

    async def begin_drill(
        self, actor: Actor, until_utc: str, *, line: str | None = None, announced: bool = True
    ) -> tuple[DrillView, ...]:
        self.calls.append(("drill", actor, (until_utc, line, announced)))
        self.drilling = until_utc
        return self.exercises()

    async def end_drill(self, actor: Actor, *, line: str | None = None) -> tuple[DrillView, ...]:
        self.calls.append(("drill end", actor, line))
        self.drilling = None
        return (DrillView(LINE, PEER, None, None, False, None),)

    async def drill_report(self, line: str) -> DrillReport:
        self.line(line)
        at = format_utc(START_MS)
        return DrillReport(LINE, PEER, "blue.example", at, at, at, True, None, ())

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
        self.line(line)
        fitting = [
            message
            for message in self.sent
            if message.seq > after_seq and outgoing in (None, message.outgoing)
        ]
        return tuple(fitting[-(last or len(fitting)) :][:limit])

    async def message(self, message_hash: str, *, language: str | None = None) -> MessageView:
        for message in self.sent:
            if message.hash == message_hash:
                return message
        raise NotFoundError("there is no such message", given=message_hash[:80])

    def declarations(self, *, active_only: bool = True) -> tuple[DeclarationView, ...]:
        return tuple(self._view(declaration) for declaration in self.declared.values())

    def site_lines(self) -> tuple[SiteLineView, ...]:
        one = self.line(LINE)
        since, heard = one.since_utc, one.last_heard_utc
        return (SiteLineView(LINE, PEER, one.state, since, heard, None, one.terms_state),)

    def sites(self, *, active_only: bool = True) -> tuple[DeclarationView, ...]:
        site = Purpose.PROTECTED_SITE
        return tuple(self._view(one) for one in self.declared.values() if one.purpose is site)

    async def site_messages(
        self, *, limit: int = 50, language: str | None = None
    ) -> tuple[MessageView, ...]:
        return tuple(self.sent[-limit:])

    async def site_message(self, message_hash: str, *, language: str | None = None) -> MessageView:
        return await self.message(message_hash)

    async def site_alerts(self, *, language: str | None = None) -> tuple[AlertView, ...]:
        return tuple(self.open)

    async def conflicts(self, *, language: str | None = None) -> tuple[ConflictView, ...]:
        return tuple(self.found)

    def alerts(self, *, language: str | None = None) -> tuple[AlertView, ...]:
        return tuple(alert for alert in self.open if alert.open)

    async def told_alerts(self, *, language: str | None = None) -> tuple[AlertView, ...]:
        return tuple(self.open)

    async def word_alerts(self, language: str) -> None:
        pass

    async def first_alerts(self, most: int, *, language: str | None = None) -> FirstAlerts:
        found = self.alerts(language=language)
        return FirstAlerts(len(found), 0, found[:most])

    async def health(self) -> dict[str, Any]:
        return {"ok": True}

    # -- what is done

    async def send(
        self, actor: Actor, line: str, kind: str, body: dict[str, Any], **options: Any
    ) -> Posted:
        self.line(line)
        self.calls.append(("send", actor, {"kind": kind, "body": body, **options}))
        return self.say(kind, body, precedence=options.get("precedence") or "ROUTINE")

    def held(self, *, language: str | None = None) -> tuple[HeldView, ...]:
        return (HeldView("3f9a01cc", "boris", "2015-09-30T06:00:00Z", ()),)

    async def release(
        self, actor: Actor, held_id: str, *, places: Sequence[Position] = ()
    ) -> tuple[Posted, ...]:
        self.calls.append(("release", actor, held_id))
        return (self.say("NOTIFY", {}),)

    async def withdraw(self, actor: Actor, held_id: str) -> HeldView:
        self.calls.append(("withdraw", actor, held_id))
        return self.held()[0]

    async def ask_export(
        self, actor: Actor, line: str, what: str, message: str | None = None
    ) -> ExportView:
        self.line(line)
        return ExportView("FREE")

    def require_exportable(
        self, actor: Actor, line: str, what: str, message: str | None = None
    ) -> object:
        return self.line(line)

    async def seen(self, actor: Actor, message_hash: str) -> Posted:
        await self.message(message_hash)
        self.calls.append(("seen", actor, message_hash))
        return self.say("SEEN", {})

    async def propose_terms(self, actor: Actor, line: str, terms: dict[str, Any]) -> Posted:
        self.calls.append(("propose_terms", actor, terms))
        return self.say("TERMS_PROPOSE", {"terms": terms})

    async def accept_terms(self, actor: Actor, line: str, terms_hash: str) -> Posted:
        self.calls.append(("accept_terms", actor, terms_hash))
        raise LineStateError("no terms are proposed on this line", given=terms_hash)

    async def declare(
        self, actor: Actor, declarations: Sequence[Declaration], **options: Any
    ) -> tuple[Posted, ...]:
        self.calls.append(("declare", actor, options))
        posted = []
        for declaration in declarations:
            self.declared[declaration.declaration_id] = declaration
            posted.append(self.say("NOTIFY", {"declaration_id": declaration.declaration_id}))
        return tuple(posted)

    async def update(
        self, actor: Actor, declaration: Declaration, **options: Any
    ) -> tuple[Posted, ...]:
        self._known(declaration.declaration_id)
        self.calls.append(("update", actor, declaration))
        self.declared[declaration.declaration_id] = declaration
        return (self.say("UPDATE", {}),)

    async def correct(
        self, actor: Actor, declaration: Declaration, **options: Any
    ) -> tuple[Posted, ...]:
        self._known(declaration.declaration_id)
        self.calls.append(("correct", actor, declaration))
        return (self.say("CORRECTION", {}),)

    async def tell(self, actor: Actor, declaration_id: str, **options: Any) -> tuple[Posted, ...]:
        self._known(declaration_id)
        self.calls.append(("tell", actor, options["lines"]))
        return (self.say("NOTIFY", {}),)

    async def cancel(
        self, actor: Actor, declaration_id: str, *, reason_number: int | None = None
    ) -> tuple[Posted, ...]:
        self._known(declaration_id)
        self.calls.append(("cancel", actor, reason_number))
        del self.declared[declaration_id]
        return (self.say("CANCEL", {}),)

    async def check(
        self,
        actor: Actor,
        drafts: Sequence[Declaration] | None,
        *,
        line: str | None = None,
        as_written: bool = False,
    ) -> Checked:
        self.calls.append(("check", actor, drafts))
        return Checked(tuple(self.found))

    async def look(
        self, actor: Actor, drafts: Sequence[PartialDraft], *, line: str | None = None
    ) -> Looked:
        self.calls.append(("look", actor, drafts))
        if line is not None:
            self.line(line)
        airfield = Landmark("the airfield", Position(350_000_000, 400_000_000))
        return Looked(tuple(() for _ in drafts), (airfield,), "en")

    async def export(self, actor: Actor, line: str) -> AsyncIterator[bytes]:
        for part in (b"manifest\n", b"entry\n", b"seal\n"):
            yield part

    async def disclose(self, actor: Actor, line: str, message_hash: str) -> bytes:
        self.line(line)
        return b"disclosure of " + message_hash.encode()

    async def fork(self, actor: Actor, line: str) -> bytes:
        self.line(line)
        raise NotFoundError("no fork")

    # -- calls

    def talks(
        self, line: str | None = None, *, ahead_only: bool = False, language: str | None = None
    ) -> tuple[TalkView, ...]:
        if line is not None:
            self.line(line)
        return ()

    def heads(self, line: str) -> tuple[HeadView, ...]:
        self.line(line)
        return (HeadView("blue", "ab" * 16, 3, "cd" * 32),)

    def call_log(self, line: str | None = None) -> tuple[CallView, ...]:
        if line is not None:
            self.line(line)
        return ()

    def calendar(self, line: str, talk_id: str, *, language: str | None = None) -> bytes:
        self.line(line)
        return b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"

    async def talk(
        self, actor: Actor, line: str, kind: str, body: dict[str, Any], **options: Any
    ) -> Posted:
        self.line(line)
        self.calls.append(("talk", actor, {"kind": kind, "body": body, **options}))
        return self.say(kind, body)

    async def readout(
        self, actor: Actor, line: str, kind: str, body: dict[str, Any], **options: Any
    ) -> Posted:
        self.line(line)
        self.calls.append(("readout", actor, {"kind": kind, "body": body, **options}))
        return self.say(kind, body)

    def papers(self, actor: Actor, line: str, call: str | None = None) -> tuple[PaperView, ...]:
        self.line(line)
        return ()

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
        self.line(line)
        self.calls.append(("write_paper", actor, dict(texts)))
        written = {language: tuple(lines) for language, lines in texts.items()}
        return PaperView(
            paper_id or "3f9a01cc", kind, LINE, call, actor.account, format_utc(START_MS), written
        )

    async def drop_paper(self, actor: Actor, paper_id: str) -> PaperView:
        raise NotFoundError("no note or draft has this name", given=paper_id[:20])

    # -- incidents, tallies, the watch

    def incidents(self, *, language: str | None = None) -> tuple[IncidentRow, ...]:
        return ()

    def incident(
        self, incident_id: str, *, line: str | None = None, language: str | None = None
    ) -> IncidentView:
        raise NotFoundError("no incident of this id is open", given=incident_id[:40])

    async def outside_account(
        self, actor: Actor, incident_id: str, by: str, fields: Any, **options: Any
    ) -> IncidentView:
        self.calls.append(("outside_account", actor, (by, fields)))
        return self.incident(incident_id)

    def own_count(
        self,
        line: str,
        start_utc: str,
        end_utc: str,
        *,
        drill: bool = False,
        language: str | None = None,
    ) -> TallyView:
        self.line(line)
        self.counted = (start_utc, end_utc, drill)
        return TallyView(LINE, PEER, None, None, None, start_utc, end_utc, drill, {}, (), ())

    def tallies(self, line: str, *, language: str | None = None) -> tuple[TallyView, ...]:
        self.line(line)
        return ()

    async def tally(
        self, actor: Actor, line: str, start_utc: str, end_utc: str, *, drill: bool = False
    ) -> Posted:
        self.line(line)
        self.calls.append(("tally", actor, (start_utc, end_utc, drill)))
        return self.say("TALLY", {})

    def handover(
        self,
        desk: str,
        *,
        ahead_ms: int = AHEAD_MS,
        gap_ms: int = GAP_MS,
        language: str | None = None,
    ) -> Sheet:
        return hand_over_sheet(
            party="blue.example",
            desk=desk,
            language="en",
            now_ms=START_MS,
            ahead_ms=ahead_ms,
            gap_ms=gap_ms,
            lines=self.lines(),
            opened=(),
            alerts=self.alerts(),
            declarations=self.declarations(),
            held=self.held(),
            checks=(),
        )

    def shift(self, desk: str) -> Shift | None:
        return self.shifts.get(desk)

    async def sign_off(self, actor: Actor, **options: Any) -> Sheet:
        self.calls.append(("sign_off", actor, options))
        self.shifts[actor.desk] = Shift(actor.desk, False, actor.account, START_MS)
        return self.handover(actor.desk)

    async def take_over(self, actor: Actor, languages: Sequence[str] = (), **options: Any) -> Sheet:
        self.calls.append(("take_over", actor, (list(languages), options)))
        before = self.shifts.get(actor.desk)
        if before is not None and before.account == actor.account:
            raise LineStateError("nobody takes over the watch from themselves")
        self.shifts[actor.desk] = Shift(actor.desk, True, actor.account, START_MS)
        return self.handover(actor.desk)

    async def make_parcel(
        self,
        actor: Actor,
        line: str,
        *,
        since_seq: int | None = None,
        message: str | None = None,
        max_bytes: int | None = None,
    ) -> ParcelView:
        self.line(line)
        self.calls.append(("make_parcel", actor, (since_seq, message, max_bytes)))
        return ParcelView(
            line_id=LINE,
            from_party="blue.example",
            to_party=PEER,
            made_utc=format_utc(START_MS),
            data="",
            languages=("en",),
            messages=(),
            receipt_seq=0,
            checkpoint=False,
            cosignature=False,
            left_out=0,
            left_out_from_seq=None,
            left_out_bytes=0,
        )

    async def take_parcel(self, actor: Actor, line: str, data: bytes) -> TakenView:
        self.line(line)
        self.calls.append(("take_parcel", actor, data))
        return TakenView(
            line_id=LINE,
            from_party=PEER,
            made_utc=format_utc(START_MS),
            messages=(),
            newly_receipted=0,
            own_seq=0,
            receipted_seq=0,
            peer_seq=0,
            missing_first_seq=None,
            missing_last_seq=None,
            refused=None,
            not_looked_at=0,
        )

    # -- events

    def last_event_id(self) -> int:
        return len(self.stored)

    async def events(self, after_id: int) -> AsyncGenerator[Sequence[EventView], None]:
        queue: asyncio.Queue[EventView | None] = asyncio.Queue()
        self.readers.add(queue)
        try:
            last = after_id
            if stored := self.stored[after_id:]:
                yield stored
                last = stored[-1].event_id
            while (live := await queue.get()) is not None:
                if live.event_id > last:
                    yield [live]
                    last = live.event_id
        finally:
            self.readers.discard(queue)

    def event_json(self, event: EventView, language: str) -> bytes:
        return event.data_json

    def happen(self, kind: str, data: dict[str, Any]) -> EventView:
        event = EventView(len(self.stored) + 1, format_utc(START_MS), kind, data)
        self.stored.append(event)
        for reader in self.readers:
            reader.put_nowait(event)
        return event

    def stop(self) -> None:
        for reader in self.readers:
            reader.put_nowait(None)

    # -- inside

    def say(
        self,
        kind: str,
        body: dict[str, Any],
        *,
        outgoing: bool = True,
        text: str = "",
        precedence: str = "ROUTINE",
        state: str = "SENT",
    ) -> Posted:
        seq = len(self.sent) + 1
        own, peer = ("blue.example", "watch"), (PEER, "watch")
        sender, receiver = (own, peer) if outgoing else (peer, own)
        message = MessageView(
            hash=f"{seq:064x}",
            line_id=LINE,
            outgoing=outgoing,
            from_party=sender[0],
            from_desk=sender[1],
            to_party=receiver[0],
            to_desk=receiver[1],
            epoch="e1",
            seq=seq,
            kind=kind,
            precedence=precedence,
            ref=None,
            drill=False,
            release="OWN_FORCES",
            release_now="OWN_FORCES",
            created_utc=format_utc(START_MS + seq * 1000),
            logged_utc=format_utc(START_MS + seq * 1000),
            state=state,
            escalation=0,
            delayed=False,
            language="en",
            text=text or kind.replace("_", " ").lower(),
            body=body,
            position=seq,
        )
        self.sent.append(message)
        self.happen("message", {"hash": message.hash, "kind": kind})
        return Posted(message.hash, LINE, "e1", seq, kind, "QUEUED")

    def _fail(self) -> None:
        if self.defect is not None:
            raise self.defect

    def _known(self, declaration_id: str) -> None:
        if declaration_id not in self.declared:
            raise NotFoundError("there is no such declaration", given=declaration_id[:80])

    def _view(self, declaration: Declaration) -> DeclarationView:
        span = declaration.span
        return DeclarationView(
            declaration_id=declaration.declaration_id,
            party="blue.example",
            own=True,
            line_ids=(LINE,),
            purpose=declaration.purpose.value,
            label=declaration.label,
            revision=declaration.revision,
            state="ACTIVE",
            start_utc=format_utc(span.start_ms),
            end_utc=format_utc(span.end_ms),
            declared_utc=format_utc(START_MS),
            message_hashes=(),
            delivery={LINE: "LACKED"},
            readback={LINE: "MISSING"},
            loaded={LINE: False},
            geometry=dict(geometry_to_wire(declaration.geometry)),
            peers=(PEER,),
        )


def a_conflict() -> ConflictView:
    place = PlaceView(
        35.33,
        40.14,
        "35.3300000 40.1400000",
        "35°19'48\"N 40°08'24\"E",
        "37SEV1272609761",
        "4.1 km, 038° true from Deir ez-Zor",
    )
    return ConflictView(
        conflict_id="c1",
        line_id=LINE,
        kind="PREDICTED_LOSS",
        verdict="CONFLICT",
        first_declaration="11" * 16,
        first_party="blue.example",
        first_purpose="FLIGHT",
        second_declaration="22" * 16,
        second_party=PEER,
        second_purpose="FLIGHT",
        start_utc="2015-09-30T12:14:05.000Z",
        end_utc="2015-09-30T12:15:11.000Z",
        cpa_utc="2015-09-30T12:14:38.000Z",
        cpa_distance_m=412.0,
        cpa_vertical_m=0.0,
        place_first=place,
        place_second=place,
        minimum_lateral_m=9260.0,
        minimum_vertical_m=609.6,
        known_since_utc="2015-09-30T06:12:07.000Z",
        unanswered=("CONCERN of 06:12:09Z",),
        text="FLIGHT of blue.example and FLIGHT of red.example come within 412 m at 12:14:38Z.",
    )


def an_alert(text: str = "Two flights come under the minimum.") -> AlertView:
    return AlertView(
        alert_id="a1",
        rule="CONFLICT",
        urgency="FLASH",
        line_id=LINE,
        subject="11" * 16,
        object="22" * 16,
        desk="watch",
        raised_utc="2015-09-30T06:12:07.000Z",
        updated_utc="2015-09-30T06:12:07.000Z",
        deadline_utc="2015-09-30T06:13:07.000Z",
        level=0,
        open=True,
        text=text,
    )
