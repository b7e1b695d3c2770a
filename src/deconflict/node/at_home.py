"""What only this node knows: own activities, notices in words, accounts from outside the line.

None of it is ever sent: to learn of a clash, no party reveals its activity (R20). It is kept in
the store's local notes, so that a restart forgets none of it.
"""

from collections.abc import Iterable
from typing import Any, Final

from deconflict.errors import LineStateError
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

__all__ = ["AtHome"]

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
        self._changed = False
        for account in self._accounts.values():
            teller.outside_accounts.setdefault(account.event, []).append(account)

    def activity(self, activity: Activity, now: Now) -> Work:
        """Take what our own side really does; the next look holds it against what was declared."""
        work = self._keep(_ACTIVITY, activity.activity_id, activity, now)
        self._activities[activity.activity_id] = activity
        self._changed = True
        return work

    def words_only(self, line: Line, notice: WordsOnly, now: Now) -> Work:
        """Take a notice of ours that was given in words: flagged, and it covers nothing (R10)."""
        name = f"{line.line_id}/{notice.notice_id}"
        work = self._keep(_WORDS, name, notice, now)
        self._words[name] = notice
        self._changed = True
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
        """Hold every activity against every line, when something changed or it is time to."""
        if not (sweep or self._changed):
            return
        self._changed = False
        for line in lines:
            words = self._words_of(line, now)
            for activity in self._activities.values():
                if activity.span.end_ms < now.utc_ms:
                    self._teller.activities.over(line, activity, now)
                elif activity.span.start_ms <= now.utc_ms:
                    self._teller.activities.tell(line, activity, words, now)
        for name, activity in tuple(self._activities.items()):
            if activity.span.end_ms < now.utc_ms:
                del self._activities[name]
                work.notes.append(note_of(_ACTIVITY, name, None))
        for name, notice in tuple(self._words.items()):
            if notice.told_ms + _WORDS_LAST_MS < now.utc_ms:
                del self._words[name]
                work.notes.append(note_of(_WORDS, name, None))

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
