"""What our own side does, or is about to do, as its watch enters it: kept here and never sent.

The node of the side that acts holds it against what it declared and against what the peers declared
(R12, R20): that a place is kilometres off the notice, or at somebody's people, shows to who can
still change it, and nobody else learns that anything is done there.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from deconflict.airspace.instant import TimeSpan, format_utc, parse_utc
from deconflict.airspace.position import Position
from deconflict.errors import InvalidInputError
from deconflict.messages.declaration import new_declaration_id
from deconflict.node.actor import Action, Actor, require
from deconflict.node.own_activity import Activity
from deconflict.node.releasing import Releasing
from deconflict.node.tell.activity import ACTIVITY_RULES
from deconflict.node.views import AlertView

__all__ = ["Acting", "ActivityView"]

_MOST_REACH_MM = 500_000_000  # chosen: what reaches 500 km is no activity at a place


@dataclass(frozen=True, slots=True)
class ActivityView:
    """One own activity, and the open alerts about it: what it differs from, whom it would meet."""

    activity_id: str
    lat_deg: float
    lon_deg: float
    reach_m: float | None
    start_utc: str
    end_utc: str
    alerts: tuple[AlertView, ...]


class Acting(Releasing):
    """A running node whose watch enters what its own side does."""

    def activities(self, *, language: str | None = None) -> tuple[ActivityView, ...]:
        """Return the own activities that are not over, what begins first before the rest."""
        open_ones, wanted = self._core.alerts, self._language(language)
        return tuple(self._activity_view(each, open_ones, wanted) for each in self._core.activities)

    async def enter_activity(
        self,
        actor: Actor,
        position: Position,
        start_utc: str,
        end_utc: str,
        *,
        reach_mm: int | None = None,
    ) -> ActivityView:
        """Keep what our own side does at a place; return it with all that it meets.

        Nothing of it is sent, whatever it meets.

        Raises:
            InvalidInputError: the times or the reach can be no activity's.
            LineStateError: it is over, or too many are held.
        """
        require(actor, Action.SEND)
        if reach_mm is not None and not 0 < reach_mm <= _MOST_REACH_MM:
            raise InvalidInputError(
                "so far no activity reaches",
                given=f"{reach_mm} mm",
                expected=f"more than 0, at most {_MOST_REACH_MM // 1_000_000} km",
            )
        activity = Activity(
            activity_id=new_declaration_id(self._core.random_bytes),
            position=position,
            span=TimeSpan(parse_utc(start_utc), parse_utc(end_utc)),
            reach_mm=reach_mm,
        )
        await self._runtime.commit(self._core.record_activity(activity, self._now))
        return self._activity_view(activity, self._core.alerts, actor.language)

    async def remove_activity(self, actor: Actor, activity_id: str) -> None:
        """Forget an activity that is not done, or ended early, and close what was told of it.

        Raises:
            NotFoundError: none of this id is held.
        """
        require(actor, Action.SEND)
        await self._runtime.commit(self._core.forget_activity(activity_id, self._now))

    def _activity_view(
        self, activity: Activity, alerts: Iterable[AlertView], language: str
    ) -> ActivityView:
        return ActivityView(
            activity_id=activity.activity_id,
            lat_deg=activity.position.lat_deg,
            lon_deg=activity.position.lon_deg,
            reach_m=None if activity.reach_mm is None else activity.reach_mm / 1000,
            start_utc=format_utc(activity.span.start_ms),
            end_utc=format_utc(activity.span.end_ms),
            alerts=tuple(
                self._wording.worded(alert, language)
                for alert in alerts
                if alert.rule in ACTIVITY_RULES and alert.subject == activity.activity_id
            ),
        )
