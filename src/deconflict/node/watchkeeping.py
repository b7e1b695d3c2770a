"""Who has the watch at each desk: signed off, taken over; kept across a restart, never sent.

What the peers are told is a role, a time and languages (WATCH_CHANGE). Which account it was stays
here: it decides that nobody takes over from themselves.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from deconflict.airspace.instant import format_utc
from deconflict.errors import LineStateError
from deconflict.line.moment import Now
from deconflict.node.actor import Actor
from deconflict.node.alerts import AlertKey
from deconflict.node.journal import Journal
from deconflict.node.notes import note_of, read_notes
from deconflict.node.tell.desk import Desk
from deconflict.node.work import Work
from deconflict.store.base import Store

__all__ = ["Shift", "Watchkeeping"]

_WATCH: Final = "watch/"
MOST_KEYS: Final = 10_000


class Shift(msgspec.Struct, frozen=True):
    """The last change at one desk.

    Attributes:
        desk: the desk.
        on: True exactly when somebody has the watch.
        account: who took over, or signed off.
        since_ms: when.
        taken_by_ms: signed off: by when the next watch is expected.
        keys: signed off: what stood on the sheet.
    """

    desk: str
    on: bool
    account: str
    since_ms: int
    taken_by_ms: int = 0
    keys: tuple[str, ...] = ()


class Watchkeeping:
    """Keeps who has the watch, and tells when nobody has.

    Args:
        store: read for what was kept before; never written here.
        journal: where events and alerts go.
        desk: who tells.
    """

    def __init__(self, *, store: Store, journal: Journal, desk: Desk) -> None:
        self._journal = journal
        self._desk = desk
        self._shifts = read_notes(store.notes(_WATCH), _WATCH, Shift)

    def shift(self, desk: str) -> Shift | None:
        """Return the last change at a desk; None when nobody ever took or left the watch there."""
        return self._shifts.get(desk)

    def sign_off(self, actor: Actor, keys: Iterable[str], taken_by_ms: int, now: Now) -> Work:
        """Note that the watch at the actor's desk is over; the next has to take it over.

        Raises:
            LineStateError: it is signed off already.
        """
        held = self._shifts.get(actor.desk)
        if held is not None and not held.on:
            raise LineStateError(
                f"the watch at desk {actor.desk} is signed off already",
                given=f"at {format_utc(held.since_ms)}",
                remedy="the next watch takes over: deconflict line handover --take",
            )
        kept = tuple(keys)[:MOST_KEYS]
        shift = Shift(actor.desk, False, actor.account, now.utc_ms, taken_by_ms, kept)
        return self._note(shift, actor, "SIGNED_OFF", now)

    def require_takeable(self, actor: Actor) -> None:
        """Return when the actor can take the watch at their desk.

        Raises:
            LineStateError: they signed it off, or have it.
        """
        held = self._shifts.get(actor.desk)
        if held is None or held.account != actor.account:
            return
        state = "has the watch" if held.on else "signed it off"
        raise LineStateError(
            "nobody takes over the watch from themselves",
            given=f"this account {state} at desk {actor.desk}",
            expected="another account of the same desk",
            remedy="the officer who comes on logs in: deconflict account login NAME",
        )

    def take_over(self, actor: Actor, now: Now) -> Work:
        """Note that the actor has the watch at their desk.

        Raises:
            LineStateError: as :meth:`require_takeable`.
        """
        self.require_takeable(actor)
        shift = Shift(actor.desk, True, actor.account, now.utc_ms)
        return self._note(shift, actor, "TAKEN_OVER", now)

    def look(self, now: Now) -> None:
        """Tell of each desk that was signed off and that nobody took over in time."""
        for shift in self._shifts.values():
            key = AlertKey("WATCH_NOT_TAKEN", None, shift.desk)
            if shift.on:
                self._desk.alerts.close(key, now_ms=now.utc_ms)
            elif now.utc_ms >= shift.taken_by_ms:
                self._desk.tell(
                    key,
                    {"desk": shift.desk, "since": format_utc(shift.since_ms)},
                    drill=False,
                    urgency="IMMEDIATE",
                    now_ms=now.utc_ms,
                )

    def _note(self, shift: Shift, actor: Actor, state: str, now: Now) -> Work:
        work = self._journal.new_work(now)
        self._shifts[shift.desk] = shift
        work.notes.append(note_of(_WATCH, shift.desk, shift))
        event: dict[str, Any] = {
            "desk": shift.desk,
            "state": state,
            "roles": sorted(role.value for role in actor.roles),
        }
        self._journal.event(work, now, "watch", event)
        self.look(now)
        self._journal.tell(work, now)
        return work
