"""A node without network, disk or clock: every decision, in the order that makes it safe.

Whoever drives a core (the runtime with sockets and threads, the replay with a virtual clock) keeps
one rule: a :class:`Work` it hands out is made durable before ``finish`` is called, works are
finished in the order given, and after a failed commit nothing more is asked of the core. One
thread at a time.

Here is the one door to it all; behind it stand ``saying``, ``hearing``, ``passing`` (of time) and
``at_home`` (what is never sent), which share one ``journal``.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from deconflict.airspace.instant import format_utc, parse_utc
from deconflict.errors import (
    DeconflictError,
    LineStateError,
    NoRoomError,
    NotFoundError,
    WrongLineError,
)
from deconflict.line.envelope import Envelope, SealedEnvelope, read_envelope
from deconflict.line.key_ring import OwnKeys
from deconflict.line.keys import RandomBytes, SigningKey
from deconflict.line.link import LinkState, LinkStatus, decode_beat, encode_beat
from deconflict.line.moment import Now
from deconflict.line.packets import Packet
from deconflict.line.room import ENOUGH, Shortage
from deconflict.node.at_home import AtHome
from deconflict.node.drills import Drills
from deconflict.node.hearing import Heard, Hearing
from deconflict.node.incidents import Account
from deconflict.node.journal import Journal
from deconflict.node.keeping.standing import AuditStanding
from deconflict.node.key_changing import KeyChanging
from deconflict.node.line import Line, read_body
from deconflict.node.own_activity import Activity, WordsOnly
from deconflict.node.passing import Passing
from deconflict.node.private.checks import PrivateChecks
from deconflict.node.private.findings import PrivateFinding, PrivateFindings
from deconflict.node.resyncing import Resyncing
from deconflict.node.saying import Say, Saying
from deconflict.node.tell.audit import tell_audit
from deconflict.node.tell.certificates import tell_own_certificate, tell_peer_certificate
from deconflict.node.tell.desk import Desk
from deconflict.node.tell.messages import Teller
from deconflict.node.tell.witnesses import forget_witnesses, tell_witness
from deconflict.node.tell.worded import words_of
from deconflict.node.turn import done_whole
from deconflict.node.views import AlertView, EventView, Posted
from deconflict.node.watchkeeping import Watchkeeping
from deconflict.node.witness.state import WitnessState
from deconflict.node.work import Work
from deconflict.store.base import NoteRow, Store

__all__ = ["Heard", "NodeCore", "Say"]


class NodeCore:
    """Everything one node decides.

    Args:
        party: whose node this is.
        desks: its desks, the main one first.
        language: of its desks' screens.
        key: with which this party is pinned, and signs until it is changed.
        store: read for old entries; never written here.
        random_bytes: for ids and epochs (``os.urandom`` in service).
        keys: with all that came after it; None for ``key`` alone.

    Attributes:
        shortage: which classes of messages get no room here now; whoever drives the core knows.
    """

    def __init__(
        self,
        *,
        party: str,
        desks: Sequence[str],
        language: str,
        key: SigningKey,
        store: Store,
        random_bytes: RandomBytes,
        keys: OwnKeys | None = None,
    ) -> None:
        self.party = party
        self.desks = tuple(desks)
        self.language = language
        self.key = key
        self.keys = keys or OwnKeys(key)
        self.random_bytes = random_bytes
        self.lines: dict[str, Line] = {}
        self.shortage: Shortage = ENOUGH
        self._store = store
        self._journal = journal = Journal(self.desks[0], store)
        self._teller = teller = Teller(
            Desk(journal.alerts, language), party, journal.envelope_of, journal.message_at
        )
        self.drills = drills = Drills(store=store, journal=journal, desk=teller.desk)
        self.private = PrivateFindings(store=store, journal=journal, desk=teller.desk)
        self._saying = Saying(
            party=party,
            drills=drills,
            private=self.private,
            store=store,
            journal=journal,
            teller=teller,
        )
        self._resyncing = Resyncing(store=store, journal=journal, teller=teller, drills=drills)
        self._hearing = Hearing(
            store=store,
            journal=journal,
            teller=teller,
            resyncing=self._resyncing,
            drills=drills,
        )
        self._key_changing = KeyChanging(self._resyncing.reopen)
        self._at_home = AtHome(store=store, journal=journal, teller=teller)
        self.watch = Watchkeeping(store=store, journal=journal, desk=teller.desk)
        self._passing = Passing(self.lines, journal=journal, teller=teller, at_home=self._at_home)

    # ---- lines ---------------------------------------------------------------------------

    def add_line(self, line: Line, now: Now) -> None:
        """Take up a line whose record was read and verified; its alerts are what it implies."""
        self.lines[line.line_id] = line
        self._take_up(line, now)

    def _take_up(self, line: Line, now: Now) -> None:
        for alert in self.alerts:
            if alert.rule == "CONFLICT" and alert.line_id == line.line_id and alert.subject:
                line.book.picture.known_since_ms[alert.subject] = parse_utc(alert.raised_utc)
        # The record has every declaration ever made. What is over was told when it was over.
        for ended in line.book.end_past(now.utc_ms):
            self._teller.declarations.over(line, ended, now)
        line.book.take_put_back()  # while the record was read: nobody was told that it was over
        for cancelled in line.book.take_cancelled():
            self._teller.declarations.over(line, cancelled, now)
        self._teller.restored(line, now)
        self._hearing.restored(line)

    def line_named(self, name: str) -> Line:
        """Return the line of this id or with this peer.

        Raises:
            NotFoundError: there is none.
        """
        line = self.lines.get(name)
        if line is None:
            line = next((held for held in self.lines.values() if held.peer == name), None)
        if line is None:
            raise NotFoundError(
                "this node has no such line",
                given=name[:64],
                expected=", ".join(held.peer for held in self.lines.values()) or "none yet",
                remedy="pin the peer first: deconflict peer add",
            )
        return line

    def peer_of(self, line_id: str) -> str:
        """Return the peer of a line."""
        return self.lines[line_id].peer

    def private_checks(self) -> dict[str, PrivateChecks]:
        """Return the private checks of each line by its id."""
        return {line_id: line.book.private_checks for line_id, line in self.lines.items()}

    def require_line_of(self, peer_party: str, line_id: str) -> Line:
        """Return a line of this peer.

        Raises:
            WrongLineError: the party has no such line here.
        """
        line = self.lines.get(line_id)
        if line is None or line.peer != peer_party:
            raise WrongLineError(
                "this connection's party has no such line", given=f"{peer_party}, {line_id[:32]}"
            )
        return line

    # ---- saying and hearing --------------------------------------------------------------

    def say(self, line_id: str, says: Sequence[Say], now: Now) -> tuple[Work, tuple[Posted, ...]]:
        """Take slots for messages of one line, all or none.

        Raises:
            BrokenTurnError: it broke off after a slot was taken; the core is done for.
            BannedWordError, InvalidDocumentError: the text or the reference cannot be sent.
            LineStateError: the line is suspended for this kind, or has no terms for it yet; or
                our disk, or the peer's, has no room for it (NoRoomError).
        """
        return self._saying.say(self.line_named(line_id), says, now, self.shortage)

    def require_sayable(self, line_id: str, says: Sequence[Say], now: Now) -> None:
        """Return when these could be said on a line now; raises as :meth:`say`, takes no slot."""
        self._saying.require_sayable(self.line_named(line_id), says, now, self.shortage)

    def require_writable(self, line_id: str, says: Sequence[Say], now: Now) -> None:
        """Return when nothing in what these say is in the way of saying them on a line.

        Raises:
            BannedWordError, InvalidDocumentError: as :meth:`say`.
        """
        self._saying.require_writable(self.line_named(line_id), says, now)

    def is_drill(self, line_id: str, say: Say, now: Now) -> bool:
        """True exactly when this, said on a line now, would be marked as exercise.

        Raises:
            InvalidDocumentError, NotFoundError: what it cites is not in the record of the line.
        """
        return self._saying.is_drill(self.line_named(line_id), say, now)

    def begin_drill(
        self, line_id: str, desk: str, until_ms: int, now: Now, *, announced: bool
    ) -> Work:
        """Begin an exercise on a line: what is written there from now on is marked (R9).

        Raises:
            LineStateError: as :meth:`Drills.require_beginnable`.
        """
        line = self.line_named(line_id)
        self.drills.require_beginnable(line, until_ms, now)
        work = self._journal.new_work(now)
        self.drills.begin(line, desk, until_ms, work, now, announced=announced)
        self._journal.tell(work, now)
        return work

    def end_drill(self, line_id: str, now: Now) -> Work:
        """End the exercise of a line.

        Raises:
            LineStateError: none lasts.
        """
        work = self._journal.new_work(now)
        self.drills.end(self.line_named(line_id), work, now)
        self._journal.tell(work, now)
        return work

    def hear(self, peer_party: str, line_id: str, packets: Iterable[Packet], now: Now) -> Heard:
        """Take packets that came by the connection of ``peer_party``, in their order.

        The first that does not verify ends it: what came before is kept, the rest is not looked
        at, and ``error`` says why.

        Raises:
            BrokenTurnError: it broke off, by no fault of a packet; the core is done for.
        """
        heard = Heard(self._journal.new_work(now))
        line = self.lines.get(line_id)
        if line is None or line.peer != peer_party:
            heard.error = WrongLineError(
                "this connection's party has no such line",
                given=f"{peer_party}, line {line_id[:32]}",
                expected="its own line",
                remedy="pin the peer, or look who calls",
            )
            return heard
        with done_whole("it heard the peer"):
            self._hearing.hear(line, packets, heard, now, self.shortage)
        return heard

    # ---- the connection ------------------------------------------------------------------

    def to_send(self, line_id: str, now: Now) -> list[Packet]:
        """Return what is to be sent to the peer now, and count it as sent."""
        machine = self.lines[line_id].machine
        question = machine.question(now)
        if question is not None:
            return [question]
        packets = machine.transmittable(now)
        machine.mark_sent([packet.hash for packet in packets], now)
        if packets:
            return list(packets)
        # Only when there is nothing to say; what is said next waits for no more than this request.
        submission = machine.checkpoints.due(now) if machine.speaks else None
        if submission is None:
            return []
        machine.checkpoints.sent(now)
        return [submission]

    def goes_everywhere(self, line_id: str, packets: Sequence[Packet]) -> bool:
        """True exactly when packets of :meth:`to_send` are to go on every path at once."""
        sealed = [packet.hash for packet in packets if isinstance(packet, SealedEnvelope)]
        return self.lines[line_id].machine.is_pressing(sealed)

    def has_flash_to_send(self, line_id: str, now: Now) -> bool:
        """True exactly when :meth:`to_send` would give a FLASH that was never sent."""
        return self.lines[line_id].machine.flash_waits(now)

    def path_states(self, line_id: str, now: Now) -> dict[int, LinkState]:
        """Return the state of each path of a line by its number."""
        return self.lines[line_id].monitor.states(now)

    def next_beat_ms(self, line_id: str, path: int, now: Now) -> int:
        """Return the monotonic time of the next beat on a path."""
        return self.lines[line_id].monitor.path(path, now).next_beat_ms

    def next_send_ms(self, line_id: str) -> int | None:
        """Return the monotonic time of the next sending."""
        machine = self.lines[line_id].machine
        checkpoint_ms = machine.checkpoints.next_ms() if machine.speaks else None
        times = (machine.next_deadline_ms(), checkpoint_ms)
        return min((time for time in times if time is not None), default=None)

    def send_failed(self, line_id: str, error: DeconflictError) -> None:
        """Note why the peer could not be reached; the screen shows it."""
        self.lines[line_id].last_problem = error.problem

    def beat(self, line_id: str, now: Now, path: int = 1) -> bytes:
        """Return the next beat of a line on one of its paths."""
        return encode_beat(self.lines[line_id].monitor.path(path, now).beat(now))

    def heard_beat(
        self, peer_party: str, line_id: str, body: bytes, now: Now, path: int = 1
    ) -> bytes:
        """Take the peer's beat on a path; return our own as the answer.

        Raises:
            WrongLineError, WrongSenderError, InvalidDocumentError: it is not the peer's beat.
        """
        line = self.require_line_of(peer_party, line_id)
        beat = decode_beat(body)
        monitor = line.monitor.path(path, now)
        monitor.heard_beat(beat, now)
        return encode_beat(monitor.beat(now))

    def beat_answered(self, line_id: str, body: bytes, now: Now, path: int = 1) -> None:
        """Take the beat that answered ours on a path."""
        line = self.lines[line_id]
        was_up = line.monitor.state(now).status is LinkStatus.UP
        line.monitor.path(path, now).heard_beat(decode_beat(body), now)
        line.last_reached_ms = now.utc_ms
        line.last_problem = None
        if not was_up and line.monitor.state(now).status is LinkStatus.UP:
            line.machine.hurry(now)

    # ---- as time passes ------------------------------------------------------------------

    def rest(self) -> Work:
        """Return what is still to be written when the node stops: its last signatures."""
        work = Work()
        self._journal.save_signatures(work)
        return work

    def advance(self, now: Now) -> Work:
        """Look at everything that changed or came due; return what follows from it.

        Raises:
            BrokenTurnError: it broke off; the core is done for.
        """
        work = self._journal.new_work(now)
        with done_whole("time passed"):
            self._resyncing.begin_without(work)
            for line in self._resyncing.take_begun():
                self._take_up(line, now)
                self._resyncing.begun(line, work, now)
            for line in self.lines.values():
                self._key_changing.look(line, work, now)
            self.watch.look(now)
            self.drills.look(self.lines.values(), work, now)
            self.private.look(now)
            self._passing.advance(work, now, self.shortage)
        for line, say in self._hearing.take_owed():
            try:
                more, _ = self.say(line.line_id, [say], now)
            except (NoRoomError, NotFoundError):
                # A disk is nearly full: once it has room again. Or the record holds what is
                # answered and the machine does not count it as heard yet, after a start that has
                # still to hear where its peer stands: once it does. Neither may stop a node.
                self._hearing.owe(line, say)
                continue
            except LineStateError:
                # Suspended, or no terms: the result of a readback is not said then. The peer
                # decides when it reads back, so this must never be what stops a node.
                if line.machine.resync.unasked or line.machine.resync.changing_key:
                    self._hearing.owe(line, say)
                continue
            work.merge(more)
        return work

    def next_deadline_ms(self) -> int | None:
        """Return the monotonic time at which :meth:`advance` is due, maybe too early."""
        return self._passing.next_deadline_ms()

    def next_limit_ms(self) -> int | None:
        """Return the same without the beats, for a driver whose beats do not need the clock."""
        return self._passing.next_limit_ms()

    def reopen(self, line_id: str, now: Now) -> Work:
        """Open a fresh epoch on a mute line without the peer's word.

        Raises:
            LineStateError: this node is not mute there.
            BrokenTurnError: it broke off; the core is done for.
        """
        work = self._journal.new_work(now)
        self._resyncing.reopen(self.line_named(line_id), work, now)
        return work

    # ---- known here, never sent ------------------------------------------------------------

    def record_activity(self, activity: Activity, now: Now) -> Work:
        """Take what our own side does; it is held against what was declared (R12, R20).

        Raises:
            LineStateError: it is over, or too many are held.
        """
        return self._at_home.activity(self.lines.values(), activity, now)

    def forget_activity(self, activity_id: str, now: Now) -> Work:
        """Take back what our own side does not do after all; raises NotFoundError."""
        return self._at_home.forget_activity(self.lines.values(), activity_id, now)

    @property
    def activities(self) -> tuple[Activity, ...]:
        """What our own side does or is about to do, as this node alone knows it."""
        return self._at_home.activities

    def note_words_only(self, line_id: str, notice: WordsOnly, now: Now) -> Work:
        """Take a notice of ours that was given in words: flagged, and it covers nothing (R10)."""
        return self._at_home.words_only(self.line_named(line_id), notice, now)

    def note_account(self, account: Account, now: Now) -> Work:
        """Take what a source without a line says of an event, beside what the parties say (R29)."""
        return self._at_home.account(self.lines.values(), account, now)

    def outside_accounts(self, event: str) -> tuple[Account, ...]:
        """Return what sources without a line say of an event or an incident."""
        return tuple(self._teller.outside_accounts.get(event, ()))

    def note_held(self, changed: Iterable[tuple[NoteRow, dict[str, Any]]], now: Now) -> Work:
        """Keep or forget what waits for a second person; each event says what became of it."""
        work = self._journal.new_work(now)
        for note, event in changed:
            work.notes.append(note)
            self._journal.event(work, now, "held", event)
        return work

    def note_export(self, event: dict[str, Any], now: Now) -> Work:
        """Tell that something was taken away in a file, and by whom."""
        work = self._journal.new_work(now)
        self._journal.event(work, now, "export", event)
        return work

    def note_mediation(self, event: dict[str, Any], now: Now) -> Work:
        """Tell what this party answered, or refused, as the mediator of two others."""
        work = self._journal.new_work(now)
        self._journal.event(work, now, "mediation", event)
        return work

    def note_paper(self, note: NoteRow, now: Now) -> Work:
        """Keep or forget a note or a draft that is this party's own; no event tells of it."""
        work = self._journal.new_work(now)
        work.notes.append(note)
        return work

    def note_private(self, finding: PrivateFinding, now: Now) -> Work:
        """Take what a run of a private check came to, as far as it came; the desk is told."""
        work = self._journal.new_work(now)
        self.private.keep(finding, work, now)
        return work

    def tell_private_plan(
        self, line: Line, at_utc: str | None, now: Now, *, drill: bool = False
    ) -> Work:
        """Take whether a private check is due on a line soon for which no plan is set."""
        work = self._journal.new_work(now)
        self.private.plan_missing(line.line_id, line.peer, at_utc, work, now, drill=drill)
        return work

    def forget_private(self, now: Now) -> Work:
        """Forget what private checks found, as soon as the retention of their terms is over."""
        work = self._journal.new_work(now)
        self.private.forget(work, now)
        return work

    def witnessed(
        self, line_id: str, state: WitnessState, notes: Sequence[NoteRow], now: Now
    ) -> Work:
        """Take what a third witness did, or failed to do, for our chain on a line."""
        line = self.lines[line_id]
        line.witnesses[state.name] = state
        work = self._journal.new_work(now)
        work.notes.extend(notes)
        tell_witness(self._teller.desk, line, state, now)
        self._journal.tell(work, now)
        return work

    def asks_witnesses(self, names: Collection[str], now: Now) -> None:
        """Take which third witnesses are asked; what was open about others is over."""
        forget_witnesses(self._teller.desk, names, now)

    def audit_stands(self, standing: AuditStanding, now: Now) -> Work:
        """Take how the audit of this node's record stands; the desk is told where it failed."""
        work = self._journal.new_work(now)
        tell_audit(self._teller.desk, standing, now)
        self._journal.tell(work, now)
        return work

    def certificates_end(self, own_end_ms: int, peers_end_ms: Mapping[str, int], now: Now) -> Work:
        """Take until when the certificates are good that this node and its peers show."""
        work = self._journal.new_work(now)
        tell_own_certificate(self._teller.desk, self.party, own_end_ms, now)
        for line_id, end_ms in peers_end_ms.items():
            tell_peer_certificate(self._teller.desk, self.lines[line_id], end_ms, now)
        self._journal.tell(work, now)
        return work

    def note_parcel(self, event: dict[str, Any], now: Now) -> Work:
        """Tell that a parcel was made or taken: what left or came by no network."""
        work = self._journal.new_work(now)
        self._journal.event(work, now, "parcel", event)
        return work

    def show_brought(self, line_id: str, sealed: Sequence[SealedEnvelope], now: Now) -> Work:
        """Show what is urgent of what people carried here and the record cannot take yet."""
        work = self._journal.new_work(now)
        line = self.line_named(line_id)
        for each in sealed:
            self._teller.brought_unlogged(line, read_envelope(each.data), each.hash, now)
        self._journal.tell(work, now)
        return work

    def words_of(self, envelope: Envelope, language: str) -> str:
        """Return a message of the peer in a language, whether it is logged or not."""
        return words_of(envelope, read_body(envelope), None, language)

    # ---- what is shown -----------------------------------------------------------------------

    @property
    def alerts(self) -> tuple[AlertView, ...]:
        """The open alerts, the most urgent first."""
        return self._journal.alerts.open_alerts()

    def envelope_of(self, message_hash: str) -> Envelope | None:
        """Return a message of the record, None when it is not there."""
        return self._journal.envelope_of(message_hash)

    def stored_events(self, after_id: int, limit: int) -> tuple[EventView, ...]:
        """Return events of the record after an id, in order."""
        return tuple(
            EventView(
                row.event_id, format_utc(row.at_utc_ms), row.kind, msgspec.json.decode(row.data)
            )
            for row in self._store.events(after_id, limit=limit)
        )
