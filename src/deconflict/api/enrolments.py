"""Who is let in: accounts and peers, each by one person, or asked by one and released by another.

With two persons wanted, nobody alone makes, reopens or takes over an account, or pins a peer: who
could would be both persons of everything else, and would read what an administrator does not read.
What is asked for is kept in the accounts file, so it works with the node stopped; it lapses after a
day. Shutting out waits for nobody: disabling an account and removing a peer take one person.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import apsw
import msgspec

from deconflict.airspace.instant import format_utc
from deconflict.api.accounts import Account, Accounts, NewAccount
from deconflict.errors import LineStateError, NotFoundError, NotPermittedError
from deconflict.messages.phrases import render_named
from deconflict.node.actor import Action, Actor, require
from deconflict.node.views import HeldView

__all__ = ["Enrolment", "Enrolments"]

ASKED_MS: Final = 24 * 3_600_000  # the next watch finds it, the one after does not
MOST_ASKED: Final = 100
_ID_BYTES: Final = 4
_ROWS: Final = (
    "SELECT enrolment_id, what, subject, data, by, at_utc_ms, expires_utc_ms FROM enrolment"
)

What: TypeAlias = Literal["ACCOUNT", "ENABLE", "PASSWORD", "PEER"]
_PHRASES: Final[Mapping[What, tuple[str, str]]] = {
    "ACCOUNT": ("HELD_ACCOUNT", "account"),
    "ENABLE": ("HELD_ENABLE", "account"),
    "PASSWORD": ("HELD_PASSWORD", "account"),
    "PEER": ("HELD_PEER", "party"),
}


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Somebody who is to be let in, once a second person has released it.

    Attributes:
        enrolment_id: how people name it.
        what: a new account, one let in again, one with another password, or a peer.
        subject: the account or the party.
        data: what is let in; the invitation of a peer, byte for byte.
        by: the account that asked.
    """

    enrolment_id: str
    what: What
    subject: str
    data: bytes
    by: str
    at_utc_ms: int
    expires_utc_ms: int

    def view(self, language: str) -> HeldView:
        """Return it as people see it."""
        name, subject = _PHRASES[self.what]
        written, expires = format_utc(self.at_utc_ms), format_utc(self.expires_utc_ms)
        values: dict[str, Any] = {subject: self.subject, "written": written, "expires": expires}
        text = render_named(name, values, language)
        if self.what == "ACCOUNT":
            new = msgspec.json.decode(self.data, type=NewAccount)
            text += f" ({', '.join(new.roles).replace('_', ' ')}; {new.desk})"
        return HeldView(
            self.enrolment_id,
            self.by,
            written,
            (),
            what=self.what,
            text=text,
            expires_utc=expires,
        )

    def require_releasable(self, actor: Actor) -> None:
        """Return when this person may release it.

        Raises:
            NotPermittedError: they asked for it themselves, or their role lets nobody in.
        """
        require(actor, Action.ENROL)
        if actor.account == self.by:
            raise NotPermittedError(
                "who asked for this cannot release it",
                given=f"{self.enrolment_id}, asked for by {self.by}",
                expected="another account of a releasing officer or an administrator",
                remedy="ask a second person to look at it and release it",
            )


class Enrolments:
    """Everybody who is to be let in.

    Args:
        accounts: where they are kept, and where accounts are let in.
        persons: how many this party wants for it, 1 or 2.
        now: the time in UTC milliseconds.
        random_bytes: makes names.
    """

    def __init__(
        self,
        accounts: Accounts,
        *,
        persons: int,
        now: Callable[[], int],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._accounts = accounts
        self._persons = persons
        self._now = now
        self._random_bytes = random_bytes

    @property
    def takes_two(self) -> bool:
        """True exactly when a second person has to release who is let in."""
        return self._persons > 1

    # -- asked for -------------------------------------------------------------------------

    def add_account(
        self, actor: Actor, name: str, password: str, *, roles: Iterable[str], desk: str
    ) -> Account | Enrolment:
        """Make an account, or ask for it.

        Raises:
            InvalidInputError: as :meth:`Accounts.add`.
        """
        require(actor, Action.ADMINISTER)
        if not self.takes_two:
            return self._accounts.add(name, password, roles=roles, desk=desk, by=actor.account)
        new = self._accounts.prepare(name, password, roles=roles, desk=desk)
        return self._ask(actor, "ACCOUNT", name, msgspec.json.encode(new))

    def enable(self, actor: Actor, name: str) -> Enrolment | None:
        """Let a disabled account in again, or ask for it; None when it is done."""
        require(actor, Action.ADMINISTER)
        if not self.takes_two:
            self._accounts.enable(name, by=actor.account)
            return None
        self._known(name)
        return self._ask(actor, "ENABLE", name, b"")

    def set_password(self, actor: Actor, name: str, password: str) -> Enrolment | None:
        """Give another's account a password, or ask for it; None when it is done.

        Who sets the password of an account can act as it: that is letting somebody in.
        """
        require(actor, Action.ADMINISTER)
        if not self.takes_two:
            self._accounts.set_password(name, password, by=actor.account)
            return None
        self._known(name)
        return self._ask(actor, "PASSWORD", name, self._accounts.hashed(name, password))

    def ask_peer(self, actor: Actor, party: str, invitation: bytes) -> Enrolment:
        """Ask that a peer be pinned, whose invitation this person has compared by voice."""
        require(actor, Action.ENROL)
        return self._ask(actor, "PEER", party, invitation)

    # -- released --------------------------------------------------------------------------

    def waiting(self) -> tuple[Enrolment, ...]:
        """Return what waits, the oldest first."""
        now = self._now()
        rows = self._accounts.file.read(f"{_ROWS} ORDER BY at_utc_ms, enrolment_id")
        found = (Enrolment(*row) for row in rows)
        return tuple(each for each in found if each.expires_utc_ms > now)

    def get(self, enrolment_id: str) -> Enrolment:
        """Return what waits under this name.

        Raises:
            NotFoundError: nothing does.
        """
        waiting = self.waiting()
        for each in waiting:
            if each.enrolment_id == enrolment_id:
                return each
        raise NotFoundError(
            "nobody waits to be let in under this name: released, withdrawn, lapsed or never there",
            given=enrolment_id[:20],
            expected=", ".join(each.enrolment_id for each in waiting)[:120] or "nobody waits",
            remedy="deconflict enrol list",
        )

    def release(
        self, actor: Actor, enrolment_id: str, *, pin: Callable[[bytes], None] | None = None
    ) -> Enrolment:
        """Let in whom another person asked for.

        Args:
            actor: the second person.
            enrolment_id: what it is named.
            pin: pins a peer from its invitation, which this person has compared as well. It is done
                before it is written down: a crash between the two leaves a peer that is pinned and
                still waits, and pinning it again changes nothing.

        Raises:
            NotPermittedError: as :meth:`Enrolment.require_releasable`; or who asked is shut out.
            LineStateError: a peer, and nobody here can pin it.
        """
        asked = self.get(enrolment_id)
        asked.require_releasable(actor)
        if asked.what == "PEER" and pin is None:
            raise LineStateError(
                "a peer is pinned at the machine, where its fingerprint is typed as it was heard",
                given=asked.subject,
                remedy=f"deconflict enrol release {asked.enrolment_id}",
            )
        with self._accounts.file.write() as db:
            self._require_waiting(db, asked)
            both = f"{asked.by}, {actor.account}"
            match asked.what:
                case "ACCOUNT":
                    new = msgspec.json.decode(asked.data, type=NewAccount)
                    self._accounts.put(db, new, by=both)
                case "ENABLE":
                    self._accounts.put_enabled(db, asked.subject, by=both)
                case "PASSWORD":
                    self._accounts.put_password(db, asked.subject, asked.data, by=both)
                case _:
                    if pin is not None:
                        pin(asked.data)
            self._drop(db, asked, "released", actor.account)
        return asked

    def withdraw(self, actor: Actor, enrolment_id: str) -> Enrolment:
        """Forget that somebody was to be let in.

        Raises:
            NotPermittedError: this person's role lets nobody in.
        """
        asked = self.get(enrolment_id)
        require(actor, Action.ENROL)
        with self._accounts.file.write() as db:
            self._drop(db, asked, "withdrawn", actor.account)
        return asked

    # -- inside ----------------------------------------------------------------------------

    def _ask(self, actor: Actor, what: What, subject: str, data: bytes) -> Enrolment:
        now = self._now()
        asked = Enrolment(
            self._random_bytes(_ID_BYTES).hex(),
            what,
            subject,
            data,
            actor.account,
            now,
            now + ASKED_MS,
        )
        with self._accounts.file.write() as db:
            self._forget_lapsed(db, now)
            count = len(db.execute("SELECT 1 FROM enrolment").fetchall())
            if count >= MOST_ASKED:
                raise LineStateError(
                    "too many wait to be let in",
                    given=f"{count} asked for",
                    remedy="release or withdraw some: deconflict enrol list",
                )
            db.execute(
                "INSERT INTO enrolment VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    *(asked.enrolment_id, what, subject, data, asked.by),
                    *(asked.at_utc_ms, asked.expires_utc_ms),
                ),
            )
            self._accounts.file.note(db, asked.by, _event(asked, "asked for"), asked.by)
        return asked

    def _forget_lapsed(self, db: apsw.Connection, now: int) -> None:
        rows: list[Any] = db.execute(f"{_ROWS} WHERE expires_utc_ms <= ?", (now,)).fetchall()
        for row in rows:
            lapsed = Enrolment(*row)
            self._drop(db, lapsed, "lapsed", "")

    def _require_waiting(self, db: apsw.Connection, asked: Enrolment) -> None:
        """Refuse what another process released meanwhile, and what a shut-out account asked for."""
        found: list[Any] = db.execute(
            "SELECT (SELECT disabled FROM account WHERE name = enrolment.by) FROM enrolment"
            " WHERE enrolment_id = ?",
            (asked.enrolment_id,),
        ).fetchall()
        if not found:
            raise NotFoundError("this was released or withdrawn", given=asked.enrolment_id)
        if found[0][0] != 0:
            raise NotPermittedError(
                "who asked for this is shut out meanwhile",
                given=f"{asked.enrolment_id}, asked for by {asked.by}",
                expected="an account that is enabled",
                remedy="withdraw it, and let another account ask",
            )

    def _drop(self, db: apsw.Connection, asked: Enrolment, what: str, by: str) -> None:
        db.execute("DELETE FROM enrolment WHERE enrolment_id = ?", (asked.enrolment_id,))
        self._accounts.file.note(db, asked.by, _event(asked, what), by)

    def _known(self, name: str) -> None:
        if all(account.name != name for account in self._accounts.list()):
            raise NotFoundError("there is no such account", given=name[:40])


def _event(asked: Enrolment, state: str) -> str:
    return f"{asked.what.lower()} {asked.subject} {state}: {asked.enrolment_id}"
