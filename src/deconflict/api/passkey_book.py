"""Passkeys as the accounts file keeps them: whose they are, their public keys, their counters."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import apsw

from deconflict.api.accounts_file import AccountsFile
from deconflict.errors import InvalidInputError, LineStateError, NotFoundError

__all__ = ["MOST_PASSKEYS", "KeptPasskey", "Passkey", "PasskeyBook"]

MOST_PASSKEYS: Final = 16  # of one account: two keys a person, and what the desks' machines hold
MOST_CHARACTERS: Final = 64
_ID_BYTES: Final = 8
_HANDLE_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey as its holder sees it.

    Attributes:
        passkey_id: how this node names it.
        name: how its holder does.
        rp_id: the host name that it belongs to; a browser offers it there alone.
        synced: True exactly when its maker may copy it to other devices of the holder.
    """

    passkey_id: str
    name: str
    rp_id: str
    synced: bool
    created_utc_ms: int
    used_utc_ms: int | None


@dataclass(frozen=True, slots=True)
class KeptPasskey:
    """A passkey as a login is checked against it."""

    passkey_id: str
    account: str
    name: str
    user_handle: bytes
    public_key: bytes
    sign_count: int


class PasskeyBook:
    """The passkeys of all accounts. Every method may be called from any thread.

    Args:
        file: where they are kept.
        random_bytes: a source fit for keys.
    """

    def __init__(self, file: AccountsFile, *, random_bytes: Callable[[int], bytes]) -> None:
        self._file = file
        self._random_bytes = random_bytes

    def of(self, account: str) -> tuple[Passkey, ...]:
        """Return the passkeys of an account, the oldest first."""
        rows = self._file.read(
            "SELECT passkey_id, name, rp_id, synced, created_utc_ms, used_utc_ms FROM passkey"
            " WHERE account = ? ORDER BY created_utc_ms, passkey_id",
            account,
        )
        return tuple(
            Passkey(passkey_id, name, rp_id, bool(synced), created, used)
            for passkey_id, name, rp_id, synced, created, used in rows
        )

    def find(self, credential_id: bytes) -> KeptPasskey | None:
        """Return the passkey that calls itself so, of an account that may log in."""
        rows = self._file.read(
            "SELECT passkey_id, passkey.account, passkey.name, user_handle, public_key, sign_count"
            " FROM passkey JOIN account ON account.name = passkey.account"
            " JOIN passkey_holder ON passkey_holder.account = passkey.account"
            " WHERE credential_id = ? AND NOT disabled",
            credential_id,
        )
        return KeptPasskey(*rows[0]) if rows else None

    def credential_ids(self, account: str) -> tuple[bytes, ...]:
        """Return how the passkeys of an account call themselves."""
        rows = self._file.read("SELECT credential_id FROM passkey WHERE account = ?", account)
        return tuple(row[0] for row in rows)

    def user_handle(self, account: str) -> bytes:
        """Return how an authenticator knows this account: at random, so two nodes' never meet.

        An authenticator keeps one passkey for each handle of a host name. If two nodes of one
        machine drew it from the account's name, the second would overwrite the first one's.
        """
        with self._file.write() as db:
            db.execute(
                "INSERT INTO passkey_holder VALUES (?, ?) ON CONFLICT (account) DO NOTHING",
                (account, self._random_bytes(_HANDLE_BYTES)),
            )
            row: Any = db.execute(
                "SELECT user_handle FROM passkey_holder WHERE account = ?", (account,)
            ).fetchone()
        handle: bytes = row[0]
        return handle

    def add(
        self,
        account: str,
        name: str,
        *,
        rp_id: str,
        credential_id: bytes,
        public_key: bytes,
        sign_count: int,
        synced: bool,
    ) -> Passkey:
        """Keep a passkey that its holder has just made.

        Raises:
            InvalidInputError: its name cannot be used, or it is kept already.
            LineStateError: the account has too many.
        """
        now = self._file.now()
        self.check_name(name)
        with self._file.write() as db:
            held: list[Any] = db.execute(
                "SELECT name FROM passkey WHERE account = ?", (account,)
            ).fetchall()
            self._require_room(len(held))
            if any(row[0] == name for row in held):
                raise InvalidInputError(
                    "this account has a passkey of that name", given=name, expected="another name"
                )
            passkey = Passkey(self._random_bytes(_ID_BYTES).hex(), name, rp_id, synced, now, None)
            added = db.execute(
                "INSERT INTO passkey VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)"
                " ON CONFLICT (credential_id) DO NOTHING RETURNING 1",
                (
                    *(credential_id, passkey.passkey_id, account, name, rp_id),
                    *(public_key, sign_count, synced, now),
                ),
            ).fetchone()
            if added is None:
                raise InvalidInputError(
                    "this passkey is registered already", expected="a passkey that was just made"
                )
            self._file.note(db, account, f"passkey added: {name}, for {rp_id}", account)
        return passkey

    def require_room(self, account: str) -> None:
        """Return when the account can have another passkey; raises LineStateError when not."""
        self._require_room(len(self.credential_ids(account)))

    def used(self, db: apsw.Connection, passkey: KeptPasskey, sign_count: int) -> bool:
        """Note within a change that it logged in; False where it did so elsewhere meanwhile."""
        row: Any = db.execute(
            "UPDATE passkey SET sign_count = ?, used_utc_ms = ?"
            " WHERE passkey_id = ? AND sign_count = ? RETURNING 1",
            (sign_count, self._file.now(), passkey.passkey_id, passkey.sign_count),
        ).fetchone()
        return row is not None

    def remove(self, account: str, passkey_id: str, *, by: str) -> None:
        """Forget a passkey, and end the sessions that it opened.

        Raises:
            NotFoundError: the account has none of this id.
        """
        with self._file.write() as db:
            row: Any = db.execute(
                "DELETE FROM passkey WHERE account = ? AND passkey_id = ? RETURNING name",
                (account, passkey_id),
            ).fetchone()
            if row is None:
                raise NotFoundError("this account has no such passkey", given=passkey_id[:40])
            db.execute(
                "DELETE FROM session WHERE account = ? AND passkey_id = ?", (account, passkey_id)
            )
            self._file.note(db, account, f"passkey removed: {row[0]}", by)

    def refused(self, passkey: KeptPasskey, why: str) -> None:
        """Write into the trail that a login by it was refused."""
        with self._file.write() as db:
            self._file.note(db, passkey.account, f"passkey {passkey.name} refused: {why}", "")

    @staticmethod
    def check_name(name: str) -> None:
        """Return when a passkey may be called so; raises InvalidInputError when not."""
        if not (1 <= len(name) <= MOST_CHARACTERS and name.isprintable() and name == name.strip()):
            raise InvalidInputError(
                "a passkey cannot be called so",
                given=ascii(name[:40]),
                expected=f"1 to {MOST_CHARACTERS} printable characters, such as blue key",
            )

    @staticmethod
    def _require_room(held: int) -> None:
        if held >= MOST_PASSKEYS:
            raise LineStateError(
                "this account has too many passkeys",
                given=f"{held} of them",
                expected=f"at most {MOST_PASSKEYS}",
                remedy="remove one that is not used",
            )
