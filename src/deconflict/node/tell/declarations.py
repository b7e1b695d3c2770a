"""Alerts about declarations: notice, place, third parties, sites, expiry, what is unchecked."""

from collections.abc import Collection, Iterable
from typing import Any, Final

from deconflict.airspace.instant import format_utc
from deconflict.line.moment import Now
from deconflict.messages.bodies import Cancel, Resume, ScopeChange
from deconflict.messages.bodies import Declared as DeclaredBody
from deconflict.messages.declaration import Declaration, Purpose
from deconflict.messages.kinds import KINDS
from deconflict.messages.notice import notice_shortfall
from deconflict.messages.said import Said
from deconflict.node.alerts import AlertKey
from deconflict.node.book import NotTaken, Taken
from deconflict.node.declared import Cancelled
from deconflict.node.line import Line
from deconflict.node.own_activity import WordsOnly
from deconflict.node.picture import Declared
from deconflict.node.tell.desk import Desk, received_rule
from deconflict.node.tell.remarks import Remark, not_checked, remarks_on, short_notice, third_party
from deconflict.node.tell.worded import marked
from deconflict.node.threads import DECLARES

__all__ = ["EXPIRING_MS", "DeclarationTeller"]

EXPIRING_MS: Final = 600_000
_REMARKS: Final = (
    "LEAD_TIME_SHORT",
    "OUTSIDE_THEATRE",
    "LEG_TOO_FAST",
    "THIRD_PARTY_NOT_REACHED",
)
_UNTIL_READ: Final = (
    NotTaken.NOTHING_TO_CANCEL,
    NotTaken.NOTHING_TO_RESUME,
    NotTaken.NOTHING_TO_CHANGE,
    NotTaken.EXERCISE_OF_REAL,
    "ANSWER_CHANGED",
    "NOT_CEASED",
    "CAME_LATE",
    "DELAYED",
    "SUSPECT_CLOCK",
    "LINE_CHECK_LATE",
    "CAME_AFTER_ITS_TIME",
    "UNREADABLE",
)
_COVERS: Final = frozenset((Purpose.FLIGHT, Purpose.OWN_PRESENCE, Purpose.PROTECTED_SITE))


class DeclarationTeller:
    """Tells what is remarkable in a declaration besides conflicts."""

    def __init__(self, desk: Desk, party: str) -> None:
        self.desk = desk
        self._party = party

    def declared(self, line: Line, taken: Taken, now: Now) -> tuple[Said, ...]:
        """Look at a declaration; return what its sender should know at once."""
        if not isinstance(taken.body, DeclaredBody) or line.book.terms is None:
            return ()
        declaration, drill = taken.body.value, taken.envelope.drill
        if not taken.own:
            for rule in NotTaken:
                self.desk.close(rule, line.line_id, declaration.declaration_id, now.utc_ms)
        if taken.not_taken is None:
            # What is replaced waits for nothing more: one matter is open, the newest (R27).
            author = line.book.party_of(own=taken.own)
            told = line.book.messages_of(f"{author}/{declaration.declaration_id}")
            self._close_messages(line, told[:-1], now)
        found = remarks_on(
            declaration,
            party=self._party if taken.own else line.peer,
            sent_ms=taken.envelope.created_utc_ms,
            terms=line.book.terms,
            now_ms=now.utc_ms,
        )
        if taken.not_taken is None:
            if declaration.revision > 1 and not self._shared(
                line, declaration.declaration_id, own=taken.own
            ):
                self._close_remarks(line, declaration, found, now)
            for remark in found:
                self._tell(line, declaration.declaration_id, remark, now, drill=drill)
        if declaration.purpose is Purpose.PROTECTED_SITE and not taken.own:
            self.site(line, declaration, now, drill=drill)
        return tuple(marked(remark.said(), drill=drill) for remark in found)

    def not_taken(self, line: Line, taken: Taken, why: NotTaken, now: Now) -> None:
        """Tell that what the peer says of something held changed nothing: the two sides differ.

        An older revision is told until a newer one comes or the declaration is over; a cancel or a
        resumption of nothing until a desk here says that it has read it.
        """
        values: dict[str, Any] = {"peer": line.peer, "sent": taken.envelope.created_utc}
        if why is NotTaken.EXERCISE_OF_REAL:
            self.desk.tell(
                AlertKey(why, line.line_id, taken.hash),
                {**values, "kind": taken.kind.value},
                drill=True,
                urgency="IMMEDIATE",
                now_ms=now.utc_ms,
                facts={"message": taken.hash},
            )
            return
        match taken.body:
            case DeclaredBody() as body:
                name = body.value.declaration_id
                held = line.book.picture.get(f"{line.peer}/{name}")
                values |= {
                    "declaration": name,
                    "kind": taken.kind.value,
                    "revision": body.value.revision,
                    "held": body.value.revision if held is None else held.declaration.revision,
                }
            case Cancel() as body:
                name = body.declaration_id
                values |= {"declaration": name}
            case Resume() | ScopeChange() as body:
                name = body.scope
                values |= {"scope": name}
            case _:
                return  # nothing else names what it may fail to change
        self.desk.tell(
            AlertKey(why, line.line_id, name),
            values,
            drill=taken.envelope.drill,
            urgency="IMMEDIATE",
            now_ms=now.utc_ms,
            facts={"message": taken.hash},
        )

    def answered(self, taken: Taken, now: Now) -> None:
        """Close what is told only until a desk here has read it, once one has."""
        rule = KINDS[taken.kind].rule
        if not (rule.marks_seen or rule.closes) or taken.envelope.ref is None:
            return
        for key in (key for rule in _UNTIL_READ for key in self.desk.alerts.keys(rule)):
            alert = self.desk.alerts.get(key)
            # An alert kept by an earlier edition names the message in its subject alone.
            if alert is not None and taken.envelope.ref in (
                alert.facts.get("message"),
                alert.subject,
            ):
                self.desk.alerts.close(key, now_ms=now.utc_ms)

    def words_only(self, line: Line, notice: WordsOnly, now: Now) -> None:
        """Tell that the notice in words came late, where it named a start, and whom it misses."""
        terms = line.book.terms
        if terms is None:
            return
        # Without a place, nobody can say whom it does not concern.
        for third in terms.third_parties:
            remark = third_party(notice.notice_id, self._party, third.name)
            self._tell(line, notice.notice_id, remark, now, drill=False)
        if notice.stated_start_ms is None:
            return
        short = notice_shortfall(notice.purpose, notice.stated_start_ms, notice.told_ms, terms)
        if short is not None:
            remark = short_notice(notice.notice_id, self._party, short)
            self._tell(line, notice.notice_id, remark, now, drill=False)

    def reached(self, lines: Collection[Line], changed: Iterable[str], now: Now) -> None:
        """Close what named a party that has been told over a line of its own meanwhile.

        Args:
            lines: all lines of this node.
            changed: the keys of own declarations that came, changed or went on any of them.
        """
        naming = [
            line for line in lines if line.book.terms is not None and line.book.terms.third_parties
        ]
        for key in changed if naming else ():
            held = {
                line.peer: declared
                for line in lines
                if (declared := line.book.picture.own_of(key)) is not None
            }
            for line in naming:
                here = held.get(line.peer)
                if here is None or self._shared(line, here.declaration.declaration_id, own=True):
                    continue
                for third, there in held.items():
                    # Told of an older plan, or in an exercise of a real one, is not told of this.
                    if _tells(there, here):
                        name = here.declaration.declaration_id
                        told = AlertKey("THIRD_PARTY_NOT_REACHED", line.line_id, name, third)
                        self.desk.alerts.close(told, now_ms=now.utc_ms)

    def _tell(self, line: Line, subject: str, remark: Remark, now: Now, *, drill: bool) -> None:
        self.desk.tell(
            AlertKey(remark.rule, line.line_id, subject, remark.object),
            remark.values,
            drill=drill,
            urgency=remark.urgency,
            now_ms=now.utc_ms,
            phrase=remark.phrase,
            facts=remark.facts,
        )

    def _close_remarks(
        self, line: Line, declaration: Declaration, still: Iterable[Remark], now: Now
    ) -> None:
        """Close what was remarkable in the revision before, and is not in this one (R27)."""
        kept = {(remark.rule, remark.object) for remark in still}
        for key in [key for rule in _REMARKS for key in self.desk.alerts.keys(rule)]:
            of_this = (key.line_id, key.subject) == (line.line_id, declaration.declaration_id)
            if of_this and (key.rule, key.object) not in kept:
                self.desk.alerts.close(key, now_ms=now.utc_ms)

    def site(self, line: Line, declaration: Declaration, now: Now, *, drill: bool) -> None:
        """Tell that a protected site is held here and not yet by the unit that acts."""
        # Receipted by a headquarters is not held by the unit that acts (Kunduz, 2015): the desk is
        # told from the first moment, and until LOADED is said.
        self.desk.tell(
            AlertKey("SITE_NOT_LOADED", line.line_id, declaration.declaration_id),
            {"party": self._party, "declaration": declaration.declaration_id},
            drill=drill,
            urgency="PRIORITY",
            now_ms=now.utc_ms,
        )

    def put_back(self, line: Line, declared: Declared, sent_ms: int, now: Now) -> None:
        """Tell again what stands about a declaration that a clock ahead of its time had over."""
        declaration, terms = declared.declaration, line.book.terms
        found = (
            []
            if terms is None
            else remarks_on(
                declaration, party=declared.party, sent_ms=sent_ms, terms=terms, now_ms=now.utc_ms
            )
        )
        for remark in found:
            self._tell(line, declared.declaration_id, remark, now, drill=declared.drill)
        site = declaration.purpose is Purpose.PROTECTED_SITE and not declared.own
        if site and declared.key not in line.book.loaded:
            self.site(line, declaration, now, drill=declared.drill)

    def loaded(self, line: Line, declaration_id: str, now: Now) -> None:
        """Close SITE NOT LOADED once our unit holds the revision in force."""
        if f"{line.peer}/{declaration_id}" in line.book.loaded:
            self.desk.close("SITE_NOT_LOADED", line.line_id, declaration_id, now.utc_ms)

    def over(self, line: Line, declared: Declared | Cancelled, now: Now) -> None:
        """Close what was told about a declaration that is cancelled or over."""
        declaration_id = declared.declaration_id
        shared = self._shared(line, declaration_id, own=declared.own)
        for rule in (
            ()
            if shared
            else (
                *_REMARKS,
                "SITE_NOT_LOADED",
                "READBACK_WRONG",
                "DECLARATION_EXPIRING",
                "NOT_CHECKED",
                *NotTaken,
            )
        ):
            self.desk.close(rule, line.line_id, declaration_id, now.utc_ms)
        self._close_messages(line, line.book.messages_of(declared.key), now)

    def _shared(self, line: Line, declaration_id: str, *, own: bool) -> bool:
        """Whether both sides hold a declaration of this id.

        Ids are drawn at random, so somebody took it: what is told about the other declaration
        under it stays until that one is over as well.
        """
        other = line.peer if own else line.book.own
        return line.book.picture.get(f"{other}/{declaration_id}") is not None

    def _close_messages(self, line: Line, hashes: Iterable[str], now: Now) -> None:
        for message_hash in hashes:
            for rule in (
                "READBACK_MISSING",
                "CAME_LATE",
                *(received_rule(kind) for kind in DECLARES),
            ):
                self.desk.alerts.close(
                    AlertKey(rule, line.line_id, message_hash), now_ms=now.utc_ms
                )

    def expiring(self, line: Line, declared: Iterable[Declared], now: Now) -> None:
        """Remind of own declarations that end soon and cover somebody still out there (R18).

        An activity or a hazard covers nobody: once it is over there is nothing to prolong.
        """
        for item in declared:
            left_ms = item.end_ms - now.utc_ms
            if item.own and 0 <= left_ms <= EXPIRING_MS and item.declaration.purpose in _COVERS:
                self.desk.tell(
                    AlertKey(
                        "DECLARATION_EXPIRING",
                        line.line_id,
                        item.declaration.declaration_id,
                    ),
                    {
                        "party": item.party,
                        "declaration": item.declaration.declaration_id,
                        "end": format_utc(item.end_ms),
                        # Whole minutes: the text would otherwise be another one each second.
                        "left": max(60_000, left_ms // 60_000 * 60_000),
                    },
                    drill=item.drill,
                    urgency="ROUTINE",
                    now_ms=now.utc_ms,
                    deadline_ms=item.end_ms,
                )

    def unchecked(self, line: Line, now: Now) -> None:
        """Tell which declarations could not be checked, for as long as that is so."""
        unchecked = {d.declaration.declaration_id: d for d in line.book.picture.unchecked()}
        for declaration_id, declared in unchecked.items():
            remark = not_checked(declaration_id, declared.party)
            self._tell(line, declaration_id, remark, now, drill=declared.drill)
        for key in self.desk.alerts.keys("NOT_CHECKED"):
            if key.line_id == line.line_id and key.subject not in unchecked:
                self.desk.alerts.close(key, now_ms=now.utc_ms)


def _tells(there: Declared, here: Declared) -> bool:
    newer = there.sound.revision >= here.sound.revision
    return newer and (here.drill or not there.drill)
