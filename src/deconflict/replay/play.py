"""A case played: every declaration, message, activity and account through the doors of a node.

What a case leaves open is decided as ``scenarios/README.md`` says (how to replay): nobody answers
unless an item says so; a declaration is read back correctly unless its ``readback`` says
otherwise; an activity is known to its own party's node from its start.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from deconflict.airspace.altitude import AltitudeBand, AltitudeReference
from deconflict.airspace.instant import TimeSpan, format_utc, parse_utc
from deconflict.airspace.outline import Circle
from deconflict.airspace.position import Position
from deconflict.airspace.volume import Volume
from deconflict.errors import DeconflictError
from deconflict.messages.agreement import sign_terms
from deconflict.messages.bodies import (
    Account,
    Ack,
    AnswerWord,
    Body,
    Cancel,
    Cease,
    CeaseReport,
    Declared,
    Loaded,
    Readback,
    Resume,
    Suspend,
    TermsMessage,
)
from deconflict.messages.declaration import Declaration, Purpose, new_declaration_id
from deconflict.messages.in_force import landmarks_of
from deconflict.messages.kinds import Kind
from deconflict.messages.readback import readback_of
from deconflict.messages.wire_form import Place
from deconflict.node import incidents
from deconflict.node.core import Say
from deconflict.node.own_activity import Activity, WordsOnly
from deconflict.replay.case import CARRIED, Case, Common
from deconflict.replay.items import AccountItem, DeclarationItem, MessageItem, SiteItem
from deconflict.replay.played import Played, Refusal, gather
from deconflict.replay.said import query_of, safety_of, unplayable
from deconflict.replay.terms import case_terms
from deconflict.replay.world import DESKS, Station, World
from deconflict.units import MILLIMETRES_PER_NAUTICAL_MILE

__all__ = ["Player", "play"]

# Long before the case, and in good time for every lead time: terms first, then what has no time.
_TERMS_BEFORE_MS: Final = 50 * 3_600_000
_UNDATED_BEFORE_MS: Final = 48 * 3_600_000
_READBACK_AFTER_MS: Final = 30_000
_FILED_APART_MS: Final = 10_000
_TAIL_MS: Final = 60_000
# A caller who asks to cease activity at a place without a size means about so far around it.
_CEASE_REACH_MM: Final = 1_000_000
_SAFE_DAY_MS: Final = 86_400_000
_SITES, _DECLARATIONS, _MESSAGES, _ACTIVITY = range(1, 5)  # order within one instant


Extra = Callable[["Player"], None]


def play(
    case: Case,
    common: Common,
    *,
    seed: int = 0,
    without_activity_of: str | None = None,
    extra: Extra | None = None,
) -> Played:
    """Play a case to its end.

    Args:
        case: what happens.
        common: limits.
        seed: of delays and of the order inside a second; 0 for the plain order.
        without_activity_of: leaves out what this party really did, everything else the same.
        extra: called with the player before time begins, to have more said.

    Raises:
        InvalidDocumentError: the case asks for something that cannot be played.
    """
    player = Player(case, common, seed=seed, without_activity_of=without_activity_of)
    if extra is not None:
        extra(player)
    return player.run()


class Player:
    """Puts everything a case says on the agenda of a world, then lets time pass."""

    def __init__(
        self, case: Case, common: Common, *, seed: int, without_activity_of: str | None
    ) -> None:
        self.case = case
        self._common = common
        self._hidden = without_activity_of
        first_ms, last_ms = _times(case)
        filed = [
            parse_utc(account.filed) if account.filed else last_ms + _FILED_APART_MS * (number + 1)
            for number, account in enumerate(case.accounts)
        ]
        self.world = World(first_ms - _TERMS_BEFORE_MS, seed=seed)
        self.played = Played(case, seed, self.world, max([last_ms, *filed]) + _TAIL_MS)
        self._declared: dict[str, Declaration] = {}
        self._sent: list[tuple[str, str, Kind, str, str | None]] = []  # from, to, kind, hash, ref
        for party in case.connected:
            self.world.add_party(party)
        self.world.connect_all()
        self._undated_ms = first_ms - _UNDATED_BEFORE_MS
        self._schedule(filed)

    def run(self) -> Played:
        """Play to the end and gather what was raised."""
        self._agree_terms()
        self.world.run_until(self.played.end_ms)
        for station in self.world.stations.values():
            if station.errors:
                raise station.errors[0]
            gather(self.played, station)
        self.played.stories.sort(key=lambda story: (story.raised_ms, story.party, story.rule))
        return self.played

    # ---- the agenda ------------------------------------------------------------------------

    def _schedule(self, filed: list[int]) -> None:
        case, world = self.case, self.world
        for link in case.links:
            until = None if link.down_until is None else parse_utc(link.down_until)
            world.cut(*link.between, parse_utc(link.down_from), until)
        for site in case.protected_sites:
            world.at(self._undated_ms, _call(self._declare_site, site), rank=_SITES)
        for item in case.declarations:
            at_ms = self._sent_ms(item)
            world.at(at_ms, _call(self._declare, item), rank=_DECLARATIONS)
            if item.volume is not None:
                world.look_at(item.volume.span.start_ms)
                world.look_at(item.volume.span.end_ms + 1)
        for message in case.messages:
            if message.type in CARRIED and message.type != "NOTIFY_ACTIVITY":
                action = _call(self._message, message)
                world.at(parse_utc(message.t), action, rank=_MESSAGES)
            elif message.type == "PATROL_LEAVES":
                world.at(parse_utc(message.t), _call(self._leave, message), rank=_MESSAGES)
        for activity in case.activity:
            world.look_at(parse_utc(activity.start))
            world.look_at(parse_utc(activity.end) + 1)
            if activity.party in world.stations:
                action = _call(self._act, activity.id)
                world.at(parse_utc(activity.start), action, rank=_ACTIVITY)
        for account, at_ms in zip(case.accounts, filed, strict=True):
            world.at(at_ms, _call(self._file, account), rank=_MESSAGES)
        self._schedule_offers()

    def _schedule_offers(self) -> None:
        """Have a query that a case expects to be offered taken up at its latest time.

        The offer itself comes from a live track; what follows from asking does not.
        """
        for expected in self.case.expected:
            if expected.rule != "UNKNOWN_TRACK_QUERY" or expected.by is None:
                continue
            asked = (expected.to,) if isinstance(expected.to, str) else expected.to or ()
            for to in asked:
                message = MessageItem(
                    t=expected.by,
                    from_=expected.from_ or "",
                    to=to,
                    type="UNKNOWN_TRACK_QUERY",
                    ref=expected.subject,
                )
                self.world.at(parse_utc(expected.by), _call(self._message, message), rank=_MESSAGES)

    def _sent_ms(self, item: DeclarationItem) -> int:
        """Return when a declaration is sent: at its own time, or with the notice that cites it."""
        notices = [
            message.t
            for message in self.case.messages
            if message.type == "NOTIFY_ACTIVITY" and message.ref == item.id
        ]
        times = {parse_utc(time) for time in (item.sent, *notices) if time is not None}
        if len(times) > 1:
            raise unplayable(item.id, "sent at two times", "one time, said once or alike")
        return times.pop() if times else self._undated_ms

    def _agree_terms(self) -> None:
        for line, one, other in self._lines():
            terms = case_terms(self.case, self._common, line, (one.party, other.party))
            body = TermsMessage(terms=terms, signature=sign_terms(terms, one.core.key))
            (posted,) = self.say(one.party, other.party, Kind.TERMS_PROPOSE, body)
            self.world.run_for(10)
            proposal = other.line(one.party).book.proposal
            if proposal is None:
                raise unplayable("terms", "not delivered", "a line that is up to begin with")
            body = TermsMessage(terms=terms, signature=sign_terms(terms, other.core.key))
            self.say(other.party, one.party, Kind.TERMS_ACCEPT, body, ref=posted)
        self.world.run_for(10)

    def _lines(self) -> Iterator[tuple[str, Station, Station]]:
        for station in self.world.stations.values():
            for line in station.core.lines.values():
                if station.party < line.peer:
                    yield line.line_id, station, self.world.stations[line.peer]

    # ---- declaring -------------------------------------------------------------------------

    def _declare_site(self, site: SiteItem) -> None:
        others = [party for party in self.case.connected if party != site.by]
        volume = Volume(
            Circle(Position.from_degrees(site.lat, site.lon), round(site.radius_m * 1000)),
            AltitudeBand(AltitudeReference.AMSL, None, None),
            TimeSpan(
                self._undated_ms + 30 * 3_600_000,
                self.played.end_ms + _SAFE_DAY_MS,
            ),
        )
        self._send_declaration(
            site.id,
            site.by,
            others,
            Purpose.PROTECTED_SITE,
            volume,
            read_back=self.world.now.utc_ms + _READBACK_AFTER_MS if site.acks else None,
            loaded=site.loaded_by_executing_unit,
        )

    def _declare(self, item: DeclarationItem) -> None:
        others = [party for party in self.case.connected if party != item.from_]
        to = others if item.to == "ALL" else [party for party in others if party == item.to]
        if item.from_ not in self.world.stations:
            return  # a party without a node declares nothing here
        if item.volume is None:
            self._words_only(item, to)
            return
        if item.purpose not in tuple(Purpose):
            self._try_without_purpose(item)
            return
        read_back: int | None = self.world.now.utc_ms + _READBACK_AFTER_MS
        if item.readback is None:
            read_back = None
        elif isinstance(item.readback, str):
            read_back = parse_utc(item.readback)
        self._send_declaration(
            item.id,
            item.from_,
            to,
            Purpose(item.purpose),
            item.volume.volume,
            read_back=read_back,
            delivered_to=item.delivered_to,
        )

    def _send_declaration(
        self,
        name: str,
        party: str,
        to: list[str],
        purpose: Purpose,
        volume: Volume,
        *,
        read_back: int | None,
        loaded: bool = False,
        delivered_to: tuple[str, ...] | None = None,
    ) -> None:
        station = self.world.stations[party]
        declaration = Declaration(new_declaration_id(station.core.random_bytes), purpose, (volume,))
        self._declared[name] = declaration
        self.played.names[declaration.declaration_id] = name
        for peer in to:
            body = Declared.of(declaration)
            for message in self.say(party, peer, Kind.NOTIFY, body, about=name):
                if delivered_to is not None and peer not in delivered_to:
                    self.world.lost.add(message)
                if read_back is not None:
                    action = _call(self._read_back, declaration, party, peer, message)
                    self.world.at(read_back, action, rank=_MESSAGES)
                if loaded:
                    action = _call(self._load, declaration, party, peer, message)
                    self.world.at(
                        self.world.now.utc_ms + _READBACK_AFTER_MS, action, rank=_MESSAGES
                    )

    def _read_back(self, declaration: Declaration, author: str, reader: str, message: str) -> None:
        line = self.world.stations[reader].line(author)
        terms = line.book.terms
        if line.book.picture.get(f"{author}/{declaration.declaration_id}") is None:
            return  # it has not arrived, so nobody there reads it
        landmarks = () if terms is None else landmarks_of(terms)
        body = Readback(values=readback_of(declaration, landmarks))
        self.say(reader, author, Kind.READBACK, body, ref=message)

    def _load(self, declaration: Declaration, author: str, holder: str, message: str) -> None:
        body = Loaded(
            declaration_id=declaration.declaration_id, at_utc=format_utc(self.world.now.utc_ms)
        )
        self.say(holder, author, Kind.LOADED, body, ref=message)

    def _words_only(self, item: DeclarationItem, to: list[str]) -> None:
        station = self.world.stations[item.from_]
        if item.purpose not in tuple(Purpose):
            self._try_without_purpose(item)
            return
        notice = WordsOnly(
            notice_id=new_declaration_id(station.core.random_bytes),
            purpose=Purpose(item.purpose),
            told_ms=self.world.now.utc_ms,
            stated_start_ms=None if item.stated_start is None else parse_utc(item.stated_start),
        )
        self.played.names[notice.notice_id] = item.id
        for peer in to:
            line_id = station.line(peer).line_id
            work = station.core.note_words_only(line_id, notice, self.world.now)
            self.world.commit(station, work)

    def _try_without_purpose(self, item: DeclarationItem) -> None:
        volume = None if item.volume is None else item.volume.volume
        try:
            Declaration("0" * 32, item.purpose, () if volume is None else (volume,))  # type: ignore[arg-type]
        except DeconflictError as error:
            self._refused(item.from_, item.id, error)

    # ---- messages --------------------------------------------------------------------------

    def say(
        self,
        party: str,
        peer: str,
        kind: Kind,
        body: Body,
        *,
        ref: str | None = None,
        about: str | None = None,
    ) -> tuple[str, ...]:
        """Say one message; return its hash, or nothing when the node refuses it."""
        say = Say(kind=kind, body=body, desk=DESKS[0], ref=ref)
        try:
            posted = self.world.say(party, peer, [say])
        except DeconflictError as error:
            self._refused(party, about or kind.value, error)
            return ()
        message_hash = posted[0].hash
        self.played.names[message_hash] = about or kind.value
        self._sent.append((party, peer, kind, message_hash, about))
        return (message_hash,)

    def _message(self, item: MessageItem) -> None:
        if not {item.from_, item.to} <= set(self.world.stations):
            return  # one of them has no line
        kind, body, ref = self._spoken(item)
        about = item.ref or f"{item.type} {item.t}"
        for message in self.say(item.from_, item.to, kind, body, ref=ref, about=about):
            if not item.delivered:
                self.world.lost.add(message)

    def _leave(self, item: MessageItem) -> None:
        """Withdraw the declaration of own cover that departs; what is not declared, no node knows.

        Nothing tells a node of an aircraft but what its own party declared.
        """
        declared = self._declared.get(item.ref or "")
        if declared is None:
            return
        body = Cancel(declaration_id=declared.declaration_id)
        for party, peer, kind, message_hash, about in tuple(self._sent):
            if (party, kind, about) == (item.from_, Kind.NOTIFY, item.ref):
                self.say(party, peer, Kind.CANCEL, body, ref=message_hash, about=item.ref)

    def _spoken(self, item: MessageItem) -> tuple[Kind, Body, str | None]:
        at_ms = parse_utc(item.t)
        at_utc = format_utc(at_ms)
        effective = at_utc if item.effective is None else format_utc(parse_utc(item.effective))
        match item.type:
            case "ACK":
                return Kind.ACK, Ack(answer=AnswerWord.ROGER), self._cited(item, None)
            case "CEASE_REQUEST":
                body, ref = self._cease(item, effective)
                return Kind.CEASE, body, ref
            case "CEASED":
                report = CeaseReport(desk=DESKS[0], at_utc=at_utc)
                return Kind.CEASED, report, self._cited(item, Kind.CEASE)
            case "SAFETY_OF_FLIGHT":
                return Kind.SAFETY, safety_of(self.case, item.from_, at_ms, item.note), None
            case "UNKNOWN_TRACK_QUERY":
                return Kind.QUERY, query_of(self.case, item, at_ms), None
            case "SUSPEND":
                return Kind.SUSPEND, Suspend(scope="ALL", effective_utc=effective), None
            case "RESUME":
                return Kind.RESUME, Resume(scope="ALL", effective_utc=effective), None
        raise unplayable(item.type, "no message of the line", ", ".join(CARRIED))

    def _cited(self, item: MessageItem, kind: Kind | None) -> str:
        """Return the latest message of the addressee that this one answers."""
        for party, peer, said, message_hash, about in reversed(self._sent):
            if (party, peer) == (item.to, item.from_) and said is not Kind.READBACK_RESULT:
                if kind is not None and said is not kind:
                    continue
                if item.ref is None or about == item.ref:
                    return message_hash
        raise unplayable(
            f"{item.type} at {item.t}", f"nothing said about {item.ref}", "an answer to a message"
        )

    def _cease(self, item: MessageItem, effective_utc: str) -> tuple[Cease, str | None]:
        declared = self._declared.get(item.ref or "")
        if declared is not None:
            body = Cease(effective_utc=effective_utc, declaration_id=declared.declaration_id)
            said = [
                message_hash
                for party, peer, kind, message_hash, about in self._sent
                if (party, peer, kind) == (item.to, item.from_, Kind.NOTIFY) and about == item.ref
            ]
            return body, said[-1] if said else None
        for activity in self.case.activity:
            if activity.id == item.ref:
                reach_mm = round((activity.radius_nm or 0) * MILLIMETRES_PER_NAUTICAL_MILE)
                body = Cease(
                    effective_utc=effective_utc,
                    position=Place.of(activity.center.position),
                    reach_mm=reach_mm or _CEASE_REACH_MM,
                )
                return body, None
        raise unplayable(f"{item.type} at {item.t}", f"ref {item.ref}", "what is to cease")

    # ---- what stays at home, and accounts -----------------------------------------------------

    def _act(self, activity_id: str) -> None:
        item = next(held for held in self.case.activity if held.id == activity_id)
        if item.party == self._hidden:
            return
        station = self.world.stations[item.party]
        activity = Activity(
            activity_id=item.id,
            position=item.center.position,
            span=TimeSpan(parse_utc(item.start), parse_utc(item.end)),
            reach_mm=None
            if item.radius_nm is None
            else round(item.radius_nm * MILLIMETRES_PER_NAUTICAL_MILE),
        )
        self.world.commit(station, station.core.record_activity(activity, self.world.now))

    def _file(self, account: AccountItem) -> None:
        filed = [held for held in self.case.accounts if held.event == account.event]
        if len(filed) > 1 and filed[1] is account:
            self.played.second_filed_ms[account.event] = self.world.now.utc_ms
        fields: dict[str, str | int | bool] = {}
        for name, value in account.fields.items():
            if isinstance(value, float):
                raise unplayable(f"account of {account.event}", f"{name} {value}", "whole numbers")
            fields[name] = value
        if account.by in self.world.stations:
            body = Account(
                event=account.event,
                fields=fields,
                object_kind=account.object_kind,
                as_published=account.as_published,
            )
            for peer in self.case.connected:
                if peer != account.by:
                    self.say(account.by, peer, Kind.ACCOUNT, body, about=account.event)
            return
        told = incidents.Account(
            account.event, account.by, fields, account.object_kind, account.as_published
        )
        for station in self.world.stations.values():
            self.world.commit(station, station.core.note_account(told, self.world.now))

    # ---- the end -----------------------------------------------------------------------------

    def _refused(self, party: str, item: str, error: DeconflictError) -> None:
        self.played.refusals.append(Refusal(self.world.now.utc_ms, party, item, error))


def _call(action: Callable[..., None], *values: Any) -> Callable[[], None]:
    return lambda: action(*values)


def _times(case: Case) -> tuple[int, int]:
    """Return the first and last instant of a case."""
    spans = [item.volume.span for item in case.declarations if item.volume is not None]
    said = [
        *(item.sent for item in case.declarations),
        *(item.stated_start for item in case.declarations),
        *(message.t for message in case.messages),
        *(time for activity in case.activity for time in (activity.start, activity.end)),
        *(seen.t for seen in case.observations),
        *(point.t for track in case.tracks for point in track.points),
        *(time for link in case.links for time in (link.down_from, link.down_until)),
        *(expected.by for expected in case.expected),
    ]
    instants = [parse_utc(time) for time in said if time is not None]
    if not instants:
        raise unplayable(case.name, "nothing with a time", "an item with a time")
    return min([*instants, *(span.start_ms for span in spans)]), max(instants)
