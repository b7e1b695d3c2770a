"""The JSON of logins, sessions, passkeys and accounts, as OpenAPI shows it."""

from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field

from deconflict.airspace.instant import format_utc
from deconflict.api.accounts import Account, Session, TrailEntry
from deconflict.api.passkey_book import Passkey
from deconflict.api.schemas import Name, Request
from deconflict.messages.words import LANGUAGES
from deconflict.node.actor import Actor

Password = Annotated[str, Field(json_schema_extra={"format": "password"})]


class Login(Request):
    """Account and password of somebody who comes on watch."""

    account: Name
    password: Password
    browser: bool = Field(
        False, description="true: the session is a cookie and a CSRF token, for a page in a browser"
    )

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"account": "watch1", "password": "a long evening at sea"}]}
    )


class LanguageWanted(Request):
    """In which language the own account is told things."""

    language: Name | None = Field(description=f"{', '.join(LANGUAGES)}; null: the node's")


class OwnPassword(Request):
    """The old password and the new one."""

    old_password: Password
    new_password: Password


class PasskeyWanted(Request):
    """The password of who wants another way in."""

    password: Password


CREDENTIAL: Final = Field(description="toJSON() of what the browser's navigator.credentials gave")


class NewPasskey(Request):
    """A passkey that the browser has just made, and how its holder calls it."""

    name: Name
    credential: dict[str, Any] = CREDENTIAL


class PasskeyLogin(Request):
    """What a passkey has signed."""

    credential: dict[str, Any] = CREDENTIAL


class NewPassword(Request):
    """Another password for an account."""

    password: Password


class NewAccount(Request):
    """An account to be made."""

    name: Name
    password: Password
    roles: list[Name]
    desk: Name

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "watch2",
                    "password": "a long evening at sea",
                    "roles": ["watch_officer"],
                    "desk": "watch",
                }
            ]
        }
    )


@dataclass(frozen=True, slots=True)
class SessionView:
    """A login that was granted. The token is shown this once."""

    token: str
    expires_utc: str
    account: str
    roles: tuple[str, ...]
    desk: str
    language: str

    @staticmethod
    def of(session: Session) -> "SessionView":
        """Return what the caller gets to see of a session."""
        return SessionView(session.token, *_granted(session))


@dataclass(frozen=True, slots=True)
class BrowserSessionView:
    """A login that was granted to a browser, whose cookie has the other half of it.

    The page sends ``csrf_token`` as ``Deconflict-CSRF`` with each call; it is shown this once.
    """

    csrf_token: str
    expires_utc: str
    account: str
    roles: tuple[str, ...]
    desk: str
    language: str

    @staticmethod
    def of(session: Session) -> "BrowserSessionView":
        """Return what the page gets to see of a session: not what is in the cookie."""
        return BrowserSessionView(session.csrf_token, *_granted(session))


def _granted(session: Session) -> tuple[str, str, tuple[str, ...], str, str]:
    actor = session.actor
    roles = tuple(sorted(actor.roles))
    return (format_utc(session.expires_utc_ms), actor.account, roles, actor.desk, actor.language)


@dataclass(frozen=True, slots=True)
class MeView:
    """Whose session this is, and what it may do.

    ``signed_off_utc`` says since when its watch is signed off: it then reads, and nothing else.
    """

    account: str
    roles: tuple[str, ...]
    desk: str
    actions: tuple[str, ...]
    language: str
    signed_off_utc: str | None = None

    @staticmethod
    def of(actor: Actor) -> "MeView":
        """Return what an account is told of itself."""
        since = actor.signed_off_utc_ms
        return MeView(
            actor.account,
            tuple(sorted(actor.roles)),
            actor.desk,
            tuple(actor.actions),
            actor.language,
            None if since is None else format_utc(since),
        )


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account, without its secrets."""

    name: str
    roles: tuple[str, ...]
    desk: str
    disabled: bool
    created_utc: str
    language: str

    @staticmethod
    def of(account: Account) -> "AccountView":
        """Return what others may see of an account."""
        return AccountView(
            account.name,
            tuple(sorted(account.roles)),
            account.desk,
            account.disabled,
            format_utc(account.created_utc_ms),
            account.language,
        )


@dataclass(frozen=True, slots=True)
class PasskeyView:
    """A passkey: the host name it belongs to, and whether its maker copies it between devices."""

    passkey_id: str
    name: str
    rp_id: str
    synced: bool
    created_utc: str
    used_utc: str | None

    @staticmethod
    def of(passkey: Passkey) -> "PasskeyView":
        """Return the passkey with its times written out."""
        used = passkey.used_utc_ms
        return PasskeyView(
            passkey.passkey_id,
            passkey.name,
            passkey.rp_id,
            passkey.synced,
            format_utc(passkey.created_utc_ms),
            None if used is None else format_utc(used),
        )


@dataclass(frozen=True, slots=True)
class TrailView:
    """One login, refusal or change of an account."""

    entry_id: int
    at_utc: str
    account: str
    event: str
    by: str

    @staticmethod
    def of(entry: TrailEntry) -> "TrailView":
        """Return the entry with its time written out."""
        return TrailView(
            entry.entry_id, format_utc(entry.at_utc_ms), entry.account, entry.event, entry.by
        )
