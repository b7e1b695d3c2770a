"""What only this node knows: own activities, notices in words, accounts from outside the line.

None of it is ever sent: to learn of a clash, no party reveals its activity (R20). It is kept in
the store's local notes, so that a restart forgets none of it.
"""

from collections.abc import Iterable
from typing import Any, Final

from deconflict.airspace.instant import format_utc
from deconflict.errors import LineStateError, NotFoundError
from deconflict.line.moment import Now
from deconflict.node import incidents
from deconflict.node.incidents import Account
from deconflict.node.journal import Journal
from deconflict.node.line import Line
from deconflict.node.notes import note_of, read_notes
from deconflict.node.own_activity import Activity, WordsOnly
from deconflict.node.tell.messages import Teller
from deconflict.node.work import Work
from deconflict.store.base import Store

__all__ = ["MOST_ACTIVITIES", "AtHome"]

# Each is held against every line again whenever one of its plans changes.
MOST_ACTIVITIES: Final = 200

_ACTIVITY: Final = "activity/"
_WORDS: Final = "words/"
_ACCOUNT: Final = "account/"
# A notice in words says no end, so it is held against what happens for a day.
_WORDS_LAST_MS: Final = 86_400_000


class AtHome:
    """Keeps what is known here alone and holds it against what was declared.

    Args:
        store: read for what was kept before; never written here.
        journal: where alerts go.
        teller: who turns it into alerts.
    """

    def __init__(self, *, store: Store, journal: Journal, teller: Teller) -> None:
        self._journal = journal
        self._teller = teller
        self._activities = read_notes(store.notes(_ACTIVITY), _ACTIVITY, Activity)
        self._words = read_notes(store.notes(_WORDS), _WORDS, WordsOnly)
        self._accounts = read_notes(store.notes(_ACCOUNT), _ACCOUNT, Account)
        # As what each activity was last told on each line: the picture's version, and begun or not.
        self._told: dict[tuple[str, str], tuple[int, bool]] = {}
        for account in self._accounts.values():
            teller.outside_accounts.setdefault(account.event, []).append(account)

    @property
    def activities(self) -> tuple[Activity, ...]:
        """What our own side does or is about to do, what begins first before the rest."""
        return tuple(sorted(self._activities.values(), key=lambda each: each.span.start_ms))

    def activity(self, lines: Iterable[Line], activity: Activity, now: Now) -> Work:
        """Take what our own side does, or is about to do, and tell at once what it meets.

        Raises:
            LineStateError: it is over, or as many are held as are looked at.
        """
        if activity.span.end_ms < now.utc_ms:
            raise LineStateError(
                "this activity is over",
                given=f"until {format_utc(activity.span.end_ms)}",
                expected=f"an end after {format_utc(now.utc_ms)}",
                remedy="what was done is told in an account: deconflict incident account",
            )
        known = activity.activity_id in self._activities
        if not known and len(self._activities) >= MOST_ACTIVITIES:
            raise LineStateError(
                "no more activities are held",
                expected=f"at most {MOST_ACTIVITIES} that are not over",
                remedy="take back what is not done: deconflict activity remove ID",
            )
        work = self._keep(_ACTIVITY, activity.activity_id, activity, now)
        self._activities[activity.activity_id] = activity
        for line in lines:
            self._tell(line, activity, self._words_of(line, now), now)
        self._journal.tell(work, now)
        return work

    def forget_activity(self, lines: Iterable[Line], activity_id: str, now: Now) -> Work:
        """Take back an activity that is not done, or is over before its time.

        Raises:
            NotFoundError: none of this id is held.
        """
        activity = self._activities.pop(activity_id, None)
        if activity is None:
            raise NotFoundError(
                "no activity of this id is held",
                given=activity_id[:32],
                remedy="list them: deconflict activity list",
            )
        work = self._keep(_ACTIVITY, activity_id, None, now)
        for line in lines:
            self._over(line, activity, now)
        self._journal.tell(work, now)
        return work

    def words_only(self, line: Line, notice: WordsOnly, now: Now) -> Work:
        """Take a notice of ours that was given in words: flagged, and it covers nothing (R10)."""
        name = f"{line.line_id}/{notice.notice_id}"
        work = self._keep(_WORDS, name, notice, now)
        self._words[name] = notice
        self._told.clear()
        self._teller.activities.words_only(line, notice, now)
        self._teller.declarations.words_only(line, notice, now)
        self._journal.tell(work, now)
        return work

    def account(self, lines: Iterable[Line], account: Account, now: Now) -> Work:
        """Take what a source without a line says of an event, beside what the parties say (R29).

        Raises:
            LineStateError: as many are held as are laid side by side.
        """
        name = f"{account.event}/{account.by}"
        events = {held.event for held in self._accounts.values()}
        sources = [held for held in self._accounts.values() if held.event == account.event]
        full = len(sources) >= incidents.SOURCES_HELD or (
            account.event not in events and len(events) >= incidents.EVENTS_COMPARED
        )
        if name not in self._accounts and full:
            raise LineStateError(
                "no more accounts of sources without a line are held",
                given=f"{account.event:.64}, by {account.by:.40}",
                expected=f"at most {incidents.SOURCES_HELD} sources of an event, and "
                f"{incidents.EVENTS_COMPARED} events",
                remedy="name it as evidence of the incident instead: deconflict incident evidence",
            )
        work = self._keep(_ACCOUNT, name, account, now)
        self._accounts[name] = account
        told = self._teller.outside_accounts.setdefault(account.event, [])
        told[:] = [*(held for held in told if held.by != account.by), account]
        for line in lines:
            if account.event in line.book.accounts or line.book.incidents.get(account.event):
                self._teller.accounts(line, account.event, now)
        self._journal.tell(work, now)
        return work

    def look(self, lines: Iterable[Line], work: Work, now: Now, *, sweep: bool) -> None:
        """Hold every activity against each line whose plans have changed, from time to time."""
        if not sweep:
            return
        for line in lines:
            words = self._words_of(line, now)
            for activity in self._activities.values():
                if activity.span.end_ms < now.utc_ms:
                    self._over(line, activity, now)
                else:
                    self._tell(line, activity, words, now)
        for name, activity in tuple(self._activities.items()):
            if activity.span.end_ms < now.utc_ms:
                del self._activities[name]
                work.notes.append(note_of(_ACTIVITY, name, None))
        for name, notice in tuple(self._words.items()):
            if notice.told_ms + _WORDS_LAST_MS < now.utc_ms:
                del self._words[name]
                work.notes.append(note_of(_WORDS, name, None))

    def _tell(self, line: Line, activity: Activity, words: Iterable[WordsOnly], now: Now) -> None:
        name = (line.line_id, activity.activity_id)
        stands = (line.book.picture.version, activity.span.start_ms <= now.utc_ms)
        if self._told.get(name) != stands:
            self._teller.activities.tell(line, activity, words, now)
            self._told[name] = stands

    def _over(self, line: Line, activity: Activity, now: Now) -> None:
        self._teller.activities.over(line, activity, now)
        self._told.pop((line.line_id, activity.activity_id), None)

    def _words_of(self, line: Line, now: Now) -> list[WordsOnly]:
        mine = [w for name, w in self._words.items() if name.startswith(f"{line.line_id}/")]
        for notice in mine:
            if notice.told_ms + _WORDS_LAST_MS < now.utc_ms:
                self._teller.activities.words_over(line, notice, now)
        return mine

    def _keep(self, prefix: str, name: str, value: Any, now: Now) -> Work:
        work = self._journal.new_work(now)
        work.notes.append(note_of(prefix, name, value))
        return work
