"""What a node knows, as the views that people and programs read."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final

import msgspec

from deconflict.airspace.geometry import span_of
from deconflict.airspace.instant import format_utc
from deconflict.airspace.landmark import Landmark, bearing_from
from deconflict.airspace.notation import echo
from deconflict.airspace.position import Position
from deconflict.airspace.wire import geometry_to_wire
from deconflict.line.envelope import Envelope
from deconflict.line.moment import Now
from deconflict.line.statement import ChainPoint
from deconflict.messages.bodies import Declared as DeclaredBody
from deconflict.messages.in_force import landmarks_of
from deconflict.messages.kinds import Kind
from deconflict.messages.message_text import message_text
from deconflict.messages.notice import third_parties_concerned
from deconflict.messages.phrases import render_named
from deconflict.messages.terms import terms_to_wire
from deconflict.messages.words import LANGUAGES
from deconflict.node.book import LineBook
from deconflict.node.line import Line, cited_by, read_body
from deconflict.node.picture import Conflict, Declared
from deconflict.node.tell.conflicts import IN_FULL, card_of
from deconflict.node.tell.silence import reason_text
from deconflict.node.views import (
    ConflictView,
    DeclarationView,
    LineView,
    MessageView,
    PathView,
    PlaceView,
    SuspensionView,
    TermsView,
    WitnessView,
)
from deconflict.node.witness.state import WitnessState
from deconflict.separation import Verdict
from deconflict.store.base import EntryRow
from deconflict.units import METRES_PER_NAUTICAL_MILE, metres_from_tmm

__all__ = [
    "conflict_view",
    "conflict_views",
    "declaration_view",
    "line_view",
    "message_view",
    "past_declaration_view",
    "place_view",
    "suspension_views",
    "terms_view",
]

_DECODER: Final = msgspec.json.Decoder(Envelope)


def line_view(
    line: Line,
    open_alerts: int,
    now: Now,
    language: str = "en",
    *,
    drill_until_ms: int | None = None,
    peers: Collection[str] = (),
) -> LineView:
    """Return a line as it stands now.

    Args:
        line: the line.
        open_alerts: how many are open about it.
        now: the present.
        language: of its texts.
        drill_until_ms: while this side holds an exercise: its end.
        peers: the parties that this node has a line to.
    """
    state = line.monitor.state(now)
    book, machine = line.book, line.machine
    own, peer, receipted = machine.own_head, machine.peer_logged, machine.receipted_on_way
    silence, identity = machine.resync.silence, machine.identity
    suspensions = suspension_views(book, now.utc_ms)
    # An exercise stops nothing that is real.
    scopes = sorted({each.scope for each in suspensions if each.in_effect and not each.drill})
    return LineView(
        line_id=line.line_id,
        peer=line.peer,
        state=state.status.value,
        since_utc=format_utc(state.since_utc_ms),
        last_heard_utc=_utc(state.last_heard_utc_ms),
        last_reached_utc=_utc(line.last_reached_ms),
        clock_offset_ms=state.clock_offset_ms,
        suspended=bool(scopes),
        suspended_scope=", ".join(scopes) or None,
        terms_state=line.terms_state(),
        terms_hash=book.terms_hash,
        own_epoch=None if own is None else own.epoch,
        own_seq=line.position(own),
        receipted_seq=line.position(receipted),
        peer_epoch=None if peer is None else peer.epoch,
        peer_seq=line.position(peer),
        open_alerts=open_alerts,
        declarations_unseen=0 if book.terms is None else book.picture.unseen,
        paths=tuple(
            PathView(
                number=number,
                state=path.status.value,
                reason=path.reason.value,
                since_utc=format_utc(path.since_utc_ms),
                last_heard_utc=_utc(path.last_heard_utc_ms),
                round_trip_ms=path.round_trip_ms,
            )
            for number, path in line.monitor.states(now).items()
        ),
        mute=silence.mute,
        deaf=silence.deaf,
        silent_because=(None if silence.reason is None else reason_text(silence.reason, language)),
        witnesses=tuple(_witness_view(line, one) for one in line.witnesses.values()),
        suspensions=suspensions,
        drill_until_utc=_utc(drill_until_ms),
        without_line=tuple(
            third.name
            for third in (() if book.terms is None else book.terms.third_parties)
            if third.name not in peers
        ),
        peer_drill_until_utc=_utc(book.announced.until_ms(line.peer, now.utc_ms)),
        own_key_number=identity.own_ring.present.number,
        peer_key_number=identity.peer_ring.present.number,
        key_change_waits=identity.own_keys.number > identity.own_ring.present.number,
    )


def suspension_views(book: LineBook, at_ms: int) -> tuple[SuspensionView, ...]:
    """Return what is suspended at an instant, and what is to be later, by when it begins."""
    standing = [each for each in book.suspensions if not each.is_over(at_ms)]
    return tuple(
        SuspensionView(
            scope=each.scope,
            by=each.by,
            effective_utc=format_utc(each.effective_ms),
            resumed_utc=_utc(each.resumed_ms),
            in_effect=each.holds(at_ms),
            drill=each.drill,
        )
        for each in sorted(standing, key=lambda each: (each.effective_ms, each.scope, each.by))
    )


def _witness_view(line: Line, one: WitnessState) -> WitnessView:
    own = line.machine.own_head
    fixed = 0 if own is None else line.machine.checkpoints.own_cosigned.size
    here = own is not None and own.epoch == one.epoch
    seen = ChainPoint(one.epoch, one.size, "") if one.size else None
    return WitnessView(
        name=one.name,
        messages=line.position(seen),
        seen_utc=_utc(one.seen_ms),
        waiting=max(0, fixed - (one.size if here else 0)),
        asked_utc=_utc(one.asked_ms),
        problem=one.problem,
        contradicts=one.contradicts is not None,
    )


def terms_view(line: Line) -> TermsView:
    """Return the terms of a line, in force and proposed."""
    book = line.book
    proposal = book.proposal
    return TermsView(
        line_id=line.line_id,
        state=line.terms_state(),
        agreed=None if book.terms is None else terms_to_wire(book.terms),
        agreed_hash=book.terms_hash,
        proposed=None if proposal is None else terms_to_wire(proposal.terms),
        proposed_hash=None if proposal is None else proposal.terms_hash,
        proposed_by=None if proposal is None else proposal.by,
    )


def message_view(
    line: Line, row: EntryRow, language: str, envelope_of: Callable[[str], Envelope | None]
) -> MessageView:
    """Return one message of the record, with how far it has come."""
    envelope = _DECODER.decode(row.data)
    body = read_body(envelope)
    own = row.party == line.book.own
    delivery = line.delivery(row.hash, (row.epoch, row.seq)) if own else None
    cited = cited_by(envelope, envelope_of)

    def text_in(language: str) -> str:
        if body is None:
            values = {"peer": row.party, "sent": envelope.created_utc}
            return render_named("UNREADABLE", values, language)
        kind, drill = Kind(envelope.kind), envelope.drill
        return message_text(
            kind, body, party=row.party, language=language, drill=drill, cited=cited
        )

    other = envelope.lang != language and envelope.lang in LANGUAGES
    return MessageView(
        hash=row.hash,
        line_id=row.line_id,
        outgoing=own,
        from_party=envelope.sender.party,
        from_desk=envelope.sender.desk,
        to_party=envelope.to.party,
        to_desk=envelope.to.desk,
        epoch=row.epoch,
        seq=row.seq,
        kind=envelope.kind,
        precedence=envelope.prec.value,
        ref=envelope.ref,
        drill=envelope.drill,
        release=envelope.release,
        release_now=line.book.consent(row.hash, row.party) or envelope.release,
        created_utc=envelope.created_utc,
        logged_utc=format_utc(row.logged_utc_ms),
        state=_incoming_state(line, row) if delivery is None else delivery.state.value,
        escalation=0 if delivery is None else delivery.escalated,
        delayed=row.delayed,
        language=envelope.lang,
        text=text_in(language),
        body=envelope.body,
        position=line.position(ChainPoint(row.epoch, row.seq, row.hash)),
        late_ms=_late_ms(line, row, envelope, envelope_of),
        text_author=text_in(envelope.lang) if other else None,
    )


def _late_ms(
    line: Line, row: EntryRow, envelope: Envelope, envelope_of: Callable[[str], Envelope | None]
) -> int | None:
    """Return how long past its limit a line check was answered; None for in time, and others."""
    if envelope.kind != Kind.LINE_CHECK_REPLY or envelope.ref is None:
        return None
    asked = envelope_of(envelope.ref)
    if asked is None or asked.kind != Kind.LINE_CHECK:
        return None
    limit_ms = line.limits(asked.prec).answer_ms
    limit_ms = min(asked.answer_within_ms or limit_ms, limit_ms)
    own = row.party == line.book.own
    had_ms = envelope.created_utc_ms if own else row.logged_utc_ms
    late_ms = had_ms - asked.created_utc_ms - limit_ms
    return late_ms if late_ms > 0 else None


def declaration_view(items: Iterable[tuple[Line, Declared]]) -> DeclarationView:
    """Return one declaration as it stands on the lines that carry it."""
    carried = list(items)
    declared = carried[0][1]
    declaration = declared.declaration
    return DeclarationView(
        declaration_id=declaration.declaration_id,
        party=declared.party,
        own=declared.own,
        line_ids=tuple(line.line_id for line, _ in carried),
        purpose=declaration.purpose.value,
        label=declaration.label,
        revision=declaration.revision,
        state="ACTIVE",
        start_utc=format_utc(declaration.span.start_ms),
        end_utc=format_utc(declaration.span.end_ms),
        declared_utc=format_utc(min(item.declared_ms for _, item in carried)),
        message_hashes=tuple(
            message_hash
            for line, item in carried
            for message_hash in line.book.messages_of(item.key)
        ),
        delivery={line.line_id: _delivery(line, item) for line, item in carried},
        readback={line.line_id: _readback(line, item) for line, item in carried},
        loaded={line.line_id: item.key in line.book.loaded for line, item in carried},
        geometry=geometry_to_wire(declaration.geometry),
        drill=declared.drill,
        not_reached=_not_reached(carried),
        peers=tuple(line.peer for line, _ in carried),
    )


def _not_reached(carried: Sequence[tuple[Line, Declared]]) -> tuple[str, ...]:
    """Return the third parties concerned by a declaration that no line carries it to (R26)."""
    told = {line.peer for line, _ in carried}
    concerned = dict.fromkeys(
        name
        for line, item in carried
        if line.book.terms is not None
        for name in third_parties_concerned(item.declaration, line.book.terms)
    )
    return tuple(name for name in concerned if name not in told)


def past_declaration_view(line: Line, row: EntryRow, state: str) -> DeclarationView | None:
    """Return a declaration that is over or cancelled, from its message; None if it is none."""
    envelope = _DECODER.decode(row.data)
    body = read_body(envelope)
    if not isinstance(body, DeclaredBody):
        return None
    declaration = body.value
    span = span_of(declaration.geometry)
    return DeclarationView(
        declaration_id=declaration.declaration_id,
        party=row.party,
        own=row.party == line.book.own,
        line_ids=(line.line_id,),
        purpose=declaration.purpose.value,
        label=declaration.label,
        revision=declaration.revision,
        state=state,
        start_utc=format_utc(span.start_ms),
        end_utc=format_utc(span.end_ms),
        declared_utc=format_utc(row.logged_utc_ms),
        message_hashes=(row.hash,),
        delivery={},
        readback={},
        loaded={},
        geometry=geometry_to_wire(declaration.geometry),
        drill=envelope.drill,
        peers=(line.peer,),
    )


def conflict_view(
    line: Line, conflict: Conflict, now_ms: int, language: str, *, in_full: bool = True
) -> ConflictView:
    """Return a conflict in figures and in plain words.

    ``in_full`` is that of :func:`deconflict.separation.shifts_of`.
    """
    finding = conflict.current(now_ms)
    card = card_of(line, conflict, now_ms, in_full=in_full)
    sides = {declared.key: declared for declared in (conflict.own, conflict.peer)}
    first, second = sides[finding.first], sides[finding.second]
    terms = line.book.terms
    landmarks = () if terms is None else landmarks_of(terms)
    shifts = card.shifts
    window_ms = (0, 0) if shifts is None else shifts.window_ms
    late_ms = (0, 0) if shifts is None else shifts.late_ms or (None, None)
    return ConflictView(
        conflict_id=conflict.conflict_id,
        line_id=line.line_id,
        kind=finding.kind.value,
        verdict=finding.verdict.value,
        first_declaration=first.declaration.declaration_id,
        first_party=first.party,
        first_purpose=first.declaration.purpose.value,
        second_declaration=second.declaration.declaration_id,
        second_party=second.party,
        second_purpose=second.declaration.purpose.value,
        start_utc=format_utc(finding.start_ms),
        end_utc=format_utc(finding.end_ms),
        cpa_utc=format_utc(finding.cpa_time_ms),
        cpa_distance_m=finding.cpa_distance_m,
        cpa_vertical_m=(
            None if finding.cpa_vertical_tmm is None else metres_from_tmm(finding.cpa_vertical_tmm)
        ),
        place_first=place_view(finding.position_first, landmarks),
        place_second=place_view(finding.position_second, landmarks),
        minimum_lateral_m=finding.minima.lateral_m,
        minimum_vertical_m=metres_from_tmm(finding.minima.vertical_tmm),
        known_since_utc=format_utc(conflict.known_since_ms),
        unanswered=tuple(
            f"{item.kind.value} {item.peer} {format_utc(item.sent_ms)}" for item in card.unanswered
        ),
        text=card.text(language),
        again_utc=tuple(
            (format_utc(later.start_ms), format_utc(later.end_ms))
            for later in conflict.after(finding)
        ),
        drill=conflict.drill,
        unchecked_since_utc=_utc(min((d.declared_ms for d in conflict.unchecked), default=None)),
        told=conflict.told,
        window_first_s=window_ms[0] / 1000,
        window_second_s=window_ms[1] / 1000,
        late_first_s=_seconds(late_ms[0]),
        late_second_s=_seconds(late_ms[1]),
        as_planned=(finding.verdict is Verdict.CONFLICT or None)
        if shifts is None
        else shifts.as_planned,
    )


def conflict_views(lines: Iterable[Line], now_ms: int, language: str) -> tuple[ConflictView, ...]:
    """Return the present conflicts of some lines, the earliest of each line first.

    Only for the first of them it is looked for by which shifts they come about.
    """
    present = [(line, conflict) for line in lines for conflict in line.book.picture.conflicts()]
    return tuple(
        conflict_view(line, conflict, now_ms, language, in_full=number < IN_FULL)
        for number, (line, conflict) in enumerate(present)
    )


def place_view(position: Position, landmarks: Iterable[Landmark]) -> PlaceView:
    """Return a place in every notation, and from the nearest of the landmarks."""
    written = echo(position)
    near = bearing_from(landmarks, position)
    return PlaceView(
        lat_deg=position.lat_deg,
        lon_deg=position.lon_deg,
        decimal=written.decimal,
        dms=written.dms,
        mgrs=written.mgrs,
        from_landmark=(
            None
            if near is None
            else f"{near.distance_m / METRES_PER_NAUTICAL_MILE:.1f} NM, "
            f"{round(near.bearing_deg, 1) % 360:05.1f}° {near.landmark.name}"
        ),
    )


def _delivery(line: Line, item: Declared) -> str:
    if not item.own:
        return "LOGGED"
    return line.delivery(item.message_hash).state.value


def _readback(line: Line, item: Declared) -> str:
    found = line.book.readbacks.get(item.key)
    if found is None:
        return "MISSING"
    return "DIFFERS" if found.differences else "AGREES"


def _incoming_state(line: Line, row: EntryRow) -> str:
    if row.delayed:
        return "DELAYED"
    handled = line.book.handled(row.hash)
    return "LOGGED" if handled is None else handled.value


def _seconds(ms: int | None) -> float | None:
    return None if ms is None else ms / 1000


def _utc(utc_ms: int | None) -> str | None:
    return None if utc_ms is None else format_utc(utc_ms)
