"""Sessions: who is logged in, by token or by cookie, and what ends it.

A session is found by the SHA-256 of what proves it and by nothing else. A browser proves it by two
secrets at once, its cookie and a token in a header that its page sends, and the hash is over both:
neither half opens anything, and no time of an answer tells how much of a guess was right.
"""

import hashlib
import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import apsw

from deconflict.airspace.instant import format_utc
from deconflict.api.accounts_file import AccountsFile
from deconflict.errors import NotAuthenticatedError, NotFoundError, SessionEndedError
from deconflict.node.actor import Actor, Role

__all__ = ["SESSION_MS", "Session", "Sessions", "browser_proof", "monotonic_ms", "roles_of"]

SESSION_MS: Final = 12 * 3600 * 1000  # the longest watch

# A token that was good a moment ago is good while nobody has changed the file. Times of files are
# coarse, so it is looked up again after a second whatever they say.
_SEEN_MS: Final = 1_000
_MOST_SEEN: Final = 1_024
_CLOCKS_APART_MS: Final = 60_000  # a session may begin so much later than now: clocks are slewed
_FOR_EVER_MS: Final = 2**52
_SECRET_BYTES: Final = 32

_PROOF = re.compile(r"[A-Za-z0-9_-]{43}(?:\.[A-Za-z0-9_-]{43})?")


def monotonic_ms() -> int:
    """Return the milliseconds of a clock that nobody sets."""
    return time.monotonic_ns() // 1_000_000


def browser_proof(cookie: str, csrf_token: str) -> str:
    """Return what proves a browser's session: both secrets, neither of which is worth anything."""
    return f"{cookie}.{csrf_token}"


def roles_of(joined: str | None) -> frozenset[Role]:
    """Return the roles of one account, as the file joins them."""
    return frozenset(Role(role) for role in (joined or "").split(",") if role)


@dataclass(frozen=True, slots=True)
class Session:
    """A login that was granted; its secrets are shown here once and stored nowhere in clear.

    Attributes:
        token: proves the session alone; of a browser's session, what its cookie holds.
        csrf_token: of a browser's session, what each of its calls has to bring besides.
    """

    token: str
    expires_utc_ms: int
    actor: Actor
    csrf_token: str = ""

    def __repr__(self) -> str:
        return f"Session(account={self.actor.account!r}, expires_utc_ms={self.expires_utc_ms})"

    @property
    def proof(self) -> str:
        """What :meth:`Sessions.authenticate` takes."""
        return browser_proof(self.token, self.csrf_token) if self.csrf_token else self.token


@dataclass(frozen=True, slots=True)
class _Seen:
    """A session that was looked up a moment ago, and how the file stood then."""

    actor: Actor
    stamp: tuple[int, int, int]
    at_utc_ms: int
    until_utc_ms: int

    def holds(self, stamp: tuple[int, int, int], now: int) -> bool:
        return self.stamp == stamp and self.at_utc_ms <= now < self.until_utc_ms


class Sessions:
    """The sessions of all accounts. Every method may be called from any thread.

    Args:
        file: where they are kept.
        random_bytes: a source fit for keys.
        monotonic_ms: a clock that nobody sets.
        language: in which an account is told things that has chosen none.
    """

    def __init__(
        self,
        file: AccountsFile,
        *,
        random_bytes: Callable[[int], bytes],
        monotonic_ms: Callable[[], int],
        language: str,
    ) -> None:
        self._file = file
        self._random_bytes = random_bytes
        self._monotonic_ms = monotonic_ms
        self._language = language
        # When each session seen here ends, whatever is made of the other clock meanwhile.
        self._ends_ms: dict[bytes, int] = {}
        self._seen: dict[bytes, _Seen] = {}

    # -- begun ----------------------------------------------------------------------------

    def put(
        self,
        db: apsw.Connection,
        name: str,
        *,
        event: str,
        by: str,
        browser: bool = False,
        passkey_id: str | None = None,
    ) -> Session:
        """Begin a session within a change; its account has proven itself.

        Raises:
            NotFoundError: there is no such account, or it is disabled.
        """
        now = self._file.now()
        row: Any = db.execute(
            "SELECT desk, language,"
            " (SELECT group_concat(role) FROM account_role WHERE account = name)"
            " FROM account WHERE name = ? AND NOT disabled",
            (name,),
        ).fetchone()
        if row is None:
            raise NotFoundError("there is no such account, or it is disabled", given=name[:40])
        desk, language, roles = row
        actor = Actor(name, roles_of(roles), desk, language or self._language)
        session = Session(
            self._secret(), now + SESSION_MS, actor, self._secret() if browser else ""
        )
        digest = _digest(session.proof)
        db.execute("DELETE FROM session WHERE expires_utc_ms <= ?", (now,))
        db.execute(
            "INSERT INTO session"
            " (token_sha256, account, created_utc_ms, expires_utc_ms, passkey_id)"
            " VALUES (?, ?, ?, ?, ?)",
            (digest, name, now, session.expires_utc_ms, passkey_id),
        )
        self._file.note(db, name, event, by)
        self._begins(digest, SESSION_MS)
        return session

    # -- looked up ------------------------------------------------------------------------

    def authenticate(self, proof: str) -> Actor:
        """Return whose session this token, or cookie and token, proves.

        A session ends when either clock says so: setting the UTC clock back prolongs none. One that
        this process did not begin is given what the UTC clock leaves of it, and none is believed
        that would begin only later.

        Raises:
            NotAuthenticatedError: it is unknown, ended or expired, or its account disabled;
                SessionEndedError where it ended with the watch.
        """
        actor = self._found(_digest(proof)) if _PROOF.fullmatch(proof) else None
        if actor is None:
            raise NotAuthenticatedError(
                "this login is not valid or has expired", remedy="log in again"
            )
        return actor

    # -- ended ----------------------------------------------------------------------------

    def log_out(self, proof: str) -> None:
        """End this session; nothing happens if it has ended already."""
        with self._file.write() as db:
            row: Any = db.execute(
                "DELETE FROM session WHERE token_sha256 = ? RETURNING account", (_digest(proof),)
            ).fetchone()
            if row is not None:
                self._file.note(db, row[0], "logout", row[0])

    def sign_off(self, accounts: Iterable[str]) -> None:
        """Leave the sessions of a watch that was signed off nothing but reading.

        They stay open: until somebody else has the watch, an alert may be on no other screen.
        """
        now = self._file.now()
        with self._file.write() as db:
            for name in set(accounts):
                db.execute(
                    "UPDATE session SET signed_off_utc_ms = ?"
                    " WHERE account = ? AND signed_off_utc_ms IS NULL",
                    (now, name),
                )

    def end_watch(self, account: str, at_utc_ms: int) -> None:
        """End the sessions of a watch that another account has taken over."""
        with self._file.write() as db:
            # Kept until they would have expired, so that who held them is told why.
            ended = db.execute(
                "UPDATE session SET taken_over_utc_ms = ?"
                " WHERE account = ? AND taken_over_utc_ms IS NULL RETURNING account",
                (at_utc_ms, account),
            ).fetchall()
            if ended:
                self._file.note(db, account, "sessions ended with the watch", "")

    # -- inside ---------------------------------------------------------------------------

    def _found(self, digest: bytes) -> Actor | None:
        """Return whose session it is; None where there is none that may be believed."""
        now, stamp = self._file.now(), self._file.stamp()
        seen = self._seen.get(digest)
        if self._is_over(digest):
            with self._file.write() as db:
                db.execute("DELETE FROM session WHERE token_sha256 = ?", (digest,))
        elif seen is not None and seen.holds(stamp, now):
            return seen.actor
        self._seen.pop(digest, None)
        most_ms = _FOR_EVER_MS if digest in self._ends_ms else SESSION_MS + _CLOCKS_APART_MS
        rows = self._file.read(
            "SELECT name, desk,"
            " (SELECT group_concat(role) FROM account_role WHERE account = name),"
            " language, signed_off_utc_ms, taken_over_utc_ms, expires_utc_ms"
            " FROM session JOIN account ON name = session.account"
            " WHERE token_sha256 = ? AND expires_utc_ms > ? AND expires_utc_ms <= ?"
            " AND NOT disabled",
            digest,
            now,
            now + most_ms,
        )
        if not rows:
            return None
        name, desk, roles, language, off_utc_ms, taken_utc_ms, expires_utc_ms = rows[0]
        if taken_utc_ms is not None:
            raise SessionEndedError(
                "this session ended with its watch: another account took the watch over",
                given=f"at desk {desk}, {format_utc(taken_utc_ms)}",
                remedy="log in again to read, or to take the watch over",
            )
        self._begins(digest, expires_utc_ms - now)
        actor = Actor(name, roles_of(roles), desk, language or self._language, off_utc_ms)
        if len(self._seen) >= _MOST_SEEN:
            self._seen.clear()
        self._seen[digest] = _Seen(actor, stamp, now, min(now + _SEEN_MS, expires_utc_ms))
        return actor

    def _secret(self) -> str:
        return urlsafe_b64encode(self._random_bytes(_SECRET_BYTES)).rstrip(b"=").decode()

    def _begins(self, digest: bytes, left_ms: int) -> None:
        """Note for how long a session seen for the first time may last."""
        at_ms = self._monotonic_ms()
        if digest not in self._ends_ms:
            self._ends_ms[digest] = at_ms + min(left_ms, SESSION_MS)

    def _is_over(self, digest: bytes) -> bool:
        ends_ms = self._ends_ms.get(digest)
        return ends_ms is not None and self._monotonic_ms() >= ends_ms


def _digest(proof: str) -> bytes:
    return hashlib.sha256(proof.encode()).digest()
