"""Alerts about what our own side really does. They stay at this node (R20)."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from deconflict.airspace.wire import position_to_wire
from deconflict.line.moment import Now
from deconflict.messages.declaration import Purpose
from deconflict.node.alerts import AlertKey
from deconflict.node.line import Line
from deconflict.node.own_activity import Activity, WordsOnly, met_by, mismatch
from deconflict.node.tell.desk import Desk

__all__ = ["ACTIVITY_RULES", "ActivityTeller"]

ACTIVITY_RULES: Final = ("ACT_DIFFERS_FROM_NOTICE", "PRESENCE_OVERLAP", "PROTECTED_SITE_NEAR")


class ActivityTeller:
    """Holds an own activity against our notices and against what the peers declared."""

    def __init__(self, desk: Desk, party: str) -> None:
        self.desk = desk
        self._party = party

    def tell(
        self, line: Line, activity: Activity, words_only: Iterable[WordsOnly], now: Now
    ) -> None:
        """Tell what an activity that is to come, or goes on, means on one line.

        What was told of it and is so no more is closed: a notice was widened, a presence has ended.
        """
        present = {
            *self._against_notices(line, activity, tuple(words_only), now),
            *self._against_peer(line, activity, now),
        }
        for key in self._told_of(line, activity):
            if key not in present:
                self.desk.alerts.close(key, now_ms=now.utc_ms)

    def over(self, line: Line, activity: Activity, now: Now) -> None:
        """Close what was told about an activity that has ended, or was taken back."""
        for key in self._told_of(line, activity):
            self.desk.alerts.close(key, now_ms=now.utc_ms)

    def _told_of(self, line: Line, activity: Activity) -> list[AlertKey]:
        about = (line.line_id, activity.activity_id)
        return [
            key
            for rule in ACTIVITY_RULES
            for key in self.desk.alerts.keys(rule)
            if (key.line_id, key.subject) == about
        ]

    def words_only(self, line: Line, notice: WordsOnly, now: Now) -> None:
        """Tell that a notice given in words has no geometry and covers nothing."""
        self.desk.tell(
            AlertKey("PLACE_WITHOUT_GEOMETRY", line.line_id, notice.notice_id),
            {"party": self._party},
            drill=False,
            urgency="IMMEDIATE",
            now_ms=now.utc_ms,
        )

    def words_over(self, line: Line, notice: WordsOnly, now: Now) -> None:
        """Close what was told about a notice in words that is long past."""
        for rule in ("PLACE_WITHOUT_GEOMETRY", "LEAD_TIME_SHORT", "THIRD_PARTY_NOT_REACHED"):
            self.desk.close(rule, line.line_id, notice.notice_id, now.utc_ms)

    def _against_notices(
        self, line: Line, activity: Activity, words_only: tuple[WordsOnly, ...], now: Now
    ) -> Iterator[AlertKey]:
        rule = "ACT_DIFFERS_FROM_NOTICE"
        found = mismatch(activity, line.book.picture)
        if found is None:
            return
        facts: dict[str, Any] = {
            "distance_m": found.distance_m,
            "words_only": [notice.notice_id for notice in words_only],
        }
        values: dict[str, Any] = {
            "party": self._party,
            "where": position_to_wire(activity.position),
        }
        phrase = "ACT_WITHOUT_NOTICE"
        nearest: str | None = None
        if found.nearest is not None and found.distance_m is not None:
            phrase, nearest = rule, found.nearest.declaration.declaration_id
            values |= {"distance": round(found.distance_m * 1000), "declaration": nearest}
        key = AlertKey(rule, line.line_id, activity.activity_id, nearest)
        self.desk.tell(
            key,
            values,
            drill=False,  # what is really done is no exercise, whatever was declared
            urgency="IMMEDIATE",
            now_ms=now.utc_ms,
            phrase=phrase,
            facts=facts,
        )
        yield key

    def _against_peer(self, line: Line, activity: Activity, now: Now) -> Iterator[AlertKey]:
        # Who planned it has time to change it; once it goes on, people may be hit.
        urgency = "FLASH" if activity.span.start_ms <= now.utc_ms else "IMMEDIATE"
        for declared, _ in met_by(activity, line.book.picture, Purpose.OWN_PRESENCE):
            declaration_id = declared.declaration.declaration_id
            key = AlertKey("PRESENCE_OVERLAP", line.line_id, activity.activity_id, declaration_id)
            self.desk.tell(
                key,
                {
                    "party": declared.party,
                    "declaration": declaration_id,
                    "where": position_to_wire(activity.position),
                },
                drill=declared.drill,
                urgency=urgency,
                now_ms=now.utc_ms,
            )
            yield key
        for declared, apart_m in met_by(activity, line.book.picture, Purpose.PROTECTED_SITE):
            declaration_id = declared.declaration.declaration_id
            key = AlertKey(
                "PROTECTED_SITE_NEAR", line.line_id, activity.activity_id, declaration_id
            )
            self.desk.tell(
                key,
                {
                    "party": declared.party,
                    "declaration": declaration_id,
                    "distance": round(apart_m * 1000),
                },
                drill=declared.drill,
                urgency=urgency,
                now_ms=now.utc_ms,
            )
            yield key
