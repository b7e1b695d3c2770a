"""Alerts about declarations: notice, place, third parties, sites, expiry, what is unchecked."""

from collections.abc import Iterable
from typing import Any, Final

from deconflict.airspace.instant import format_utc
from deconflict.airspace.position import Position
from deconflict.line.moment import Now
from deconflict.messages.bodies import Declared as DeclaredBody
from deconflict.messages.declaration import Declaration, Purpose
from deconflict.messages.notice import (
    LeadTimeShortfall,
    lead_time_shortfall,
    notice_shortfall,
    outside_theatre,
    third_parties_concerned,
)
from deconflict.messages.terms import Terms
from deconflict.node.alerts import AlertKey
from deconflict.node.book import Taken
from deconflict.node.line import Line
from deconflict.node.own_activity import WordsOnly
from deconflict.node.picture import Declared
from deconflict.node.tell.desk import Desk, received_rule
from deconflict.node.threads import DECLARES

__all__ = ["DeclarationTeller"]

_EXPIRING_MS: Final = 600_000
_COVERS: Final = frozenset((Purpose.FLIGHT, Purpose.OWN_PRESENCE, Purpose.PROTECTED_SITE))


class DeclarationTeller:
    """Tells what is remarkable in a declaration besides conflicts."""

    def __init__(self, desk: Desk, party: str) -> None:
        self.desk = desk
        self._party = party

    def declared(self, line: Line, taken: Taken, now: Now) -> tuple[str, ...]:
        """Look at a declaration; return what its sender should know at once, in words."""
        if not isinstance(taken.body, DeclaredBody) or line.book.terms is None:
            return ()
        declaration = taken.body.value
        terms = line.book.terms
        party = self._party if taken.own else line.peer
        told = [
            self._lead_time(line, declaration, party, taken.envelope.created_utc_ms, terms, now),
            self._place(line, declaration, party, terms, now),
        ]
        told += [
            self._third(line, declaration.declaration_id, party, third, now)
            for third in third_parties_concerned(declaration, terms)
        ]
        if declaration.purpose is Purpose.PROTECTED_SITE and not taken.own:
            self.site(line, declaration, now)
        open_alerts = [self.desk.alerts.get(key) for key in told if key is not None]
        return tuple(alert.text for alert in open_alerts if alert is not None)

    def _third(self, line: Line, declaration_id: str, party: str, third: str, now: Now) -> AlertKey:
        key = AlertKey("THIRD_PARTY_NOT_REACHED", line.line_id, declaration_id, third)
        values = {"third": third, "party": party, "declaration": declaration_id}
        self.desk.tell(key, values, urgency="PRIORITY", now_ms=now.utc_ms)
        return key

    def _lead_time(
        self,
        line: Line,
        declaration: Declaration,
        party: str,
        sent_ms: int,
        terms: Terms,
        now: Now,
    ) -> AlertKey | None:
        short = lead_time_shortfall(declaration, sent_ms, terms)
        if short is None or now.utc_ms > declaration.span.end_ms:
            return None
        return self._short(line, declaration.declaration_id, party, short, now)

    def _short(
        self, line: Line, declaration_id: str, party: str, short: LeadTimeShortfall, now: Now
    ) -> AlertKey:
        key = AlertKey("LEAD_TIME_SHORT", line.line_id, declaration_id)
        values: dict[str, Any] = {
            "party": party,
            "declaration": declaration_id,
            "start": format_utc(short.start_ms),
            "least": short.least_ms,
        }
        started = short.notice_ms < 0
        values["late" if started else "notice"] = abs(short.notice_ms)
        self.desk.tell(
            key,
            values,
            urgency="IMMEDIATE",
            now_ms=now.utc_ms,
            phrase="STARTED_BEFORE_NOTICE" if started else None,
            facts={"notice_ms": short.notice_ms},
        )
        return key

    def words_only(self, line: Line, notice: WordsOnly, now: Now) -> None:
        """Tell that the notice in words came late, where it named a start, and whom it misses."""
        terms = line.book.terms
        if terms is None:
            return
        # Without a place, nobody can say whom it does not concern.
        for third in terms.third_parties:
            self._third(line, notice.notice_id, self._party, third.name, now)
        if notice.stated_start_ms is None:
            return
        short = notice_shortfall(notice.purpose, notice.stated_start_ms, notice.told_ms, terms)
        if short is not None:
            self._short(line, notice.notice_id, self._party, short, now)

    def _place(
        self, line: Line, declaration: Declaration, party: str, terms: Terms, now: Now
    ) -> AlertKey | None:
        outside = outside_theatre(declaration, terms)
        if outside is None:
            return None
        key = AlertKey("OUTSIDE_THEATRE", line.line_id, declaration.declaration_id)
        values: dict[str, Any] = {
            "party": party,
            "declaration": declaration.declaration_id,
            "where": _place_values(outside.position),
            "theatre": terms.theatre.name,
        }
        if outside.swapped is not None:
            values["swapped"] = _place_values(outside.swapped)
        self.desk.tell(
            key,
            values,
            urgency="IMMEDIATE",
            now_ms=now.utc_ms,
            phrase=None if outside.swapped is None else "OUTSIDE_THEATRE_SWAPPED",
        )
        return key

    def site(self, line: Line, declaration: Declaration, now: Now) -> None:
        """Tell that a protected site is held here and not yet by the unit that acts."""
        # Receipted by a headquarters is not held by the unit that acts (Kunduz, 2015): the desk is
        # told from the first moment, and until LOADED is said.
        self.desk.tell(
            AlertKey("SITE_NOT_LOADED", line.line_id, declaration.declaration_id),
            {"party": self._party, "declaration": declaration.declaration_id},
            urgency="PRIORITY",
            now_ms=now.utc_ms,
        )

    def over(self, line: Line, declared: Declared, now: Now) -> None:
        """Close what was told about a declaration that is cancelled or over."""
        declaration_id = declared.declaration.declaration_id
        other = line.peer if declared.own else line.book.own
        # Ids are drawn at random. Where both sides hold one, somebody took it: what is told about
        # the other declaration under it stays until that one is over as well.
        shared = line.book.picture.get(f"{other}/{declaration_id}") is not None
        for rule in (
            ()
            if shared
            else (
                "LEAD_TIME_SHORT",
                "OUTSIDE_THEATRE",
                "THIRD_PARTY_NOT_REACHED",
                "SITE_NOT_LOADED",
                "READBACK_WRONG",
                "DECLARATION_EXPIRING",
                "NOT_CHECKED",
            )
        ):
            self.desk.close(rule, line.line_id, declaration_id, now.utc_ms)
        for message_hash in line.book.messages_of(declared.key):
            for rule in ("READBACK_MISSING", *(received_rule(kind) for kind in DECLARES)):
                self.desk.alerts.close(
                    AlertKey(rule, line.line_id, message_hash), now_ms=now.utc_ms
                )

    def expiring(self, line: Line, declared: Iterable[Declared], now: Now) -> None:
        """Remind of own declarations that end soon and cover somebody still out there (R18).

        An activity or a hazard covers nobody: once it is over there is nothing to prolong.
        """
        for item in declared:
            left_ms = item.end_ms - now.utc_ms
            if item.own and 0 <= left_ms <= _EXPIRING_MS and item.declaration.purpose in _COVERS:
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
                    urgency="ROUTINE",
                    now_ms=now.utc_ms,
                    deadline_ms=item.end_ms,
                )

    def unchecked(self, line: Line, declared: Declared, now: Now) -> None:
        """Tell that a declaration could not be checked: unknown is never clear."""
        declaration_id = declared.declaration.declaration_id
        self.desk.tell(
            AlertKey("NOT_CHECKED", line.line_id, declaration_id),
            {"party": declared.party, "declaration": declaration_id},
            urgency="IMMEDIATE",
            now_ms=now.utc_ms,
        )


def _place_values(position: Position) -> dict[str, int]:
    return {"lat_e7": position.lat_e7, "lon_e7": position.lon_e7}
