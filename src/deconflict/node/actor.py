"""Who acts on a node, and what each role may do: one table, read by :func:`require`.

An administrator keeps accounts and watches the machine, and has no right to any message (so that
whoever runs the computer does not thereby speak or read for the desk).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from deconflict.errors import InvalidInputError, NotPermittedError
from deconflict.messages.words import LANGUAGES

__all__ = ["PERMISSIONS", "Action", "Actor", "Role", "allowed", "parse_roles", "require"]


class Role(StrEnum):
    """What an account is for."""

    WATCH_OFFICER = "watch_officer"
    RELEASING_OFFICER = "releasing_officer"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    SENIOR = "senior"  # of no tier in particular: holds calls and answers for what is said of them
    INTERPRETER = "interpreter"
    LEGAL_ADVISER = "legal_adviser"
    SENIOR_1 = "senior_1"
    SENIOR_2 = "senior_2"
    SENIOR_3 = "senior_3"
    HUMANITARIAN_NOTIFIER = "humanitarian_notifier"  # speaks of protected sites, and for them
    CIVIL_LIAISON = "civil_liaison"  # between the desk and civil air traffic


class Action(StrEnum):
    """What can be asked of a node; every use case names exactly one."""

    VIEW_NODE = "view_node"  # the node itself: party, version, clock
    READ = "read"  # lines, record, declarations, conflicts, alerts, events
    CHECK = "check"  # a draft against what is declared; sends nothing
    SEND = "send"  # every message but declarations and terms
    DECLARE = "declare"  # declare, update, correct, cancel: anything
    TERMS = "terms"  # propose, accept
    EXPORT = "export"  # the whole record of a line, to take away
    HEALTH = "health"  # clock, certificates, disk, database, lines up or down; no content
    TRAIL = "trail"  # who logged in and who changed accounts
    ADMINISTER = "administer"  # accounts
    TALK = "talk"  # ask for calls, answer, call off, record
    READOUT = "readout"  # propose, agree, state, withhold: what the party says of a call
    READ_PAPERS = "read_papers"  # own notes of calls and drafts of readouts, kept at home
    WRITE_PAPERS = "write_papers"
    WARN = "warn"  # SAFETY and CEASE alone
    DECLARE_SITE = "declare_site"  # protected sites alone
    READ_SITES = "read_sites"  # own protected sites, and who holds and has seen them
    ENROL = "enrol"  # ask for, release or withdraw that a peer or an account is let in


# What seniors may is the same in each tier: the tier says with whom they talk.
_SENIOR: Final = frozenset(
    {
        Action.VIEW_NODE,
        Action.READ,
        Action.READ_SITES,
        Action.CHECK,
        Action.SEND,
        Action.WARN,
        Action.TALK,
        Action.READOUT,
        Action.READ_PAPERS,
        Action.WRITE_PAPERS,
    }
)

PERMISSIONS: Final[Mapping[Role, frozenset[Action]]] = MappingProxyType(
    {
        Role.WATCH_OFFICER: frozenset(
            {
                Action.VIEW_NODE,
                Action.READ,
                Action.READ_SITES,
                Action.CHECK,
                Action.SEND,
                Action.WARN,
                Action.TALK,
                Action.READ_PAPERS,
                Action.WRITE_PAPERS,
            }
        ),
        Role.RELEASING_OFFICER: frozenset(
            {
                Action.VIEW_NODE,
                Action.READ,
                Action.READ_SITES,
                Action.CHECK,
                Action.SEND,
                Action.WARN,
                Action.DECLARE,
                Action.DECLARE_SITE,
                Action.TERMS,
                Action.EXPORT,
                Action.ENROL,
                Action.TALK,
                Action.READOUT,
                Action.READ_PAPERS,
                Action.WRITE_PAPERS,
            }
        ),
        Role.AUDITOR: frozenset(
            {Action.VIEW_NODE, Action.READ, Action.READ_SITES, Action.EXPORT, Action.TRAIL}
        ),
        Role.ADMINISTRATOR: frozenset(
            {Action.VIEW_NODE, Action.HEALTH, Action.TRAIL, Action.ADMINISTER, Action.ENROL}
        ),
        Role.SENIOR: _SENIOR,
        Role.SENIOR_1: _SENIOR,
        Role.SENIOR_2: _SENIOR,
        Role.SENIOR_3: _SENIOR,
        # Who translates writes down what was said; who advises reads it. Neither speaks here.
        Role.INTERPRETER: frozenset(
            {
                Action.VIEW_NODE,
                Action.READ,
                Action.READ_SITES,
                Action.READ_PAPERS,
                Action.WRITE_PAPERS,
            }
        ),
        Role.LEGAL_ADVISER: frozenset(
            {Action.VIEW_NODE, Action.READ, Action.READ_SITES, Action.READ_PAPERS}
        ),
        # Sees no flight and no activity of its own party: that is not for who speaks for a site.
        Role.HUMANITARIAN_NOTIFIER: frozenset(
            {Action.VIEW_NODE, Action.READ_SITES, Action.DECLARE_SITE, Action.WARN}
        ),
        Role.CIVIL_LIAISON: frozenset(
            {Action.VIEW_NODE, Action.READ, Action.READ_SITES, Action.CHECK, Action.WARN}
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: an account on watch at a desk. The account's name never leaves the node.

    Attributes:
        account: its name.
        roles: what it is for.
        desk: where it sits.
        language: in which it is told things, one of ``messages.words.LANGUAGES``.
    """

    account: str
    roles: frozenset[Role]
    desk: str
    language: str = LANGUAGES[0]


def allowed(roles: Iterable[Role], action: Action) -> bool:
    """Return True exactly when at least one of the roles permits the action.

    >>> allowed({Role.WATCH_OFFICER}, Action.SEND), allowed({Role.ADMINISTRATOR}, Action.READ)
    (True, False)
    """
    return any(action in PERMISSIONS[role] for role in roles)


def require(actor: Actor, action: Action) -> Actor:
    """Return the actor if one of its roles permits the action.

    Raises:
        NotPermittedError: none does; the error names the roles that would.

    >>> watch = Actor("w1", frozenset({Role.WATCH_OFFICER}), "watch")
    >>> require(watch, Action.DECLARE)
    Traceback (most recent call last):
    ...
    deconflict.errors.NotPermittedError: this account's roles do not allow 'declare'; given: \
watch_officer; expected: one of releasing_officer; to do: ask somebody with that role
    """
    if allowed(actor.roles, action):
        return actor
    allow = [role for role in Role if action in PERMISSIONS[role]]
    expected = "one of " + ", ".join(allow)
    named = action
    if action is Action.DECLARE_SITE:
        # The door asks for it before it knows what is declared: more is needed for most of it.
        named = Action.DECLARE
        whole = [role for role in allow if named in PERMISSIONS[role]]
        sites = ", ".join(role for role in allow if role not in whole)
        expected = f"one of {', '.join(whole)}; of protected sites alone also {sites}"
    raise NotPermittedError(
        f"this account's roles do not allow {named.value!r}",
        given=", ".join(sorted(actor.roles)) or "no role",
        expected=expected,
        remedy="ask somebody with that role",
    )


def parse_roles(names: Iterable[str]) -> frozenset[Role]:
    """Return the named roles as a set that one account may hold.

    Raises:
        InvalidInputError: no role, an unknown one, or administrator together with another: one
            account would then hold the accounts and the messages.

    >>> sorted(parse_roles(["auditor", "watch_officer"]))
    [<Role.AUDITOR: 'auditor'>, <Role.WATCH_OFFICER: 'watch_officer'>]
    """
    given = tuple(names)
    try:
        roles = frozenset(Role(name) for name in given)
    except ValueError:
        unknown = next(name for name in given if name not in tuple(Role))
        raise InvalidInputError(
            "unknown role", given=unknown[:40], expected="one of " + ", ".join(Role)
        ) from None
    if not roles:
        raise InvalidInputError(
            "an account needs a role", expected="one or more of " + ", ".join(Role)
        )
    if Role.ADMINISTRATOR in roles and len(roles) > 1:
        raise InvalidInputError(
            "an administrator has no message rights",
            given=", ".join(sorted(roles)),
            expected="administrator alone, or other roles without it",
            remedy="make two accounts",
        )
    return roles
