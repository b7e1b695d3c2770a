"""Roles and actions: the table says what design and requirements ask (R43, administrator)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deconflict.errors import InvalidInputError, NotPermittedError
from deconflict.node.actor import PERMISSIONS, Action, Actor, Role, allowed, parse_roles, require

MESSAGE_RIGHTS = {
    Action.READ,
    Action.CHECK,
    Action.SEND,
    Action.DECLARE,
    Action.TERMS,
    Action.EXPORT,
}


# Written again, so that nobody gains a right by a slip: a change here is a decision.
VIEW, READ, SITES, CHECK = Action.VIEW_NODE, Action.READ, Action.READ_SITES, Action.CHECK
SEND, WARN, TALK, OUT = Action.SEND, Action.WARN, Action.TALK, Action.READOUT
DECLARE, SITE, TERMS = Action.DECLARE, Action.DECLARE_SITE, Action.TERMS
READ_PAPERS, WRITE_PAPERS = Action.READ_PAPERS, Action.WRITE_PAPERS
EXPORT, TRAIL, ENROL = Action.EXPORT, Action.TRAIL, Action.ENROL
DESK = {VIEW, READ, SITES, CHECK, SEND, WARN, TALK, READ_PAPERS, WRITE_PAPERS}
EXPECTED = {
    "watch_officer": DESK,
    "releasing_officer": DESK | {OUT, DECLARE, SITE, TERMS, EXPORT, ENROL},
    "senior": DESK | {OUT},
    "senior_1": DESK | {OUT},
    "senior_2": DESK | {OUT},
    "senior_3": DESK | {OUT},
    "interpreter": {VIEW, READ, SITES, READ_PAPERS, WRITE_PAPERS},
    "legal_adviser": {VIEW, READ, SITES, READ_PAPERS},
    "auditor": {VIEW, READ, SITES, EXPORT, TRAIL},
    "humanitarian_notifier": {VIEW, SITES, SITE, WARN},
    "civil_liaison": {VIEW, READ, SITES, CHECK, WARN},
    "administrator": {VIEW, Action.HEALTH, TRAIL, Action.ADMINISTER, ENROL},
}


def test_every_role_has_the_rights_that_are_meant_and_no_other() -> None:
    assert {role.value: rights for role, rights in PERMISSIONS.items()} == EXPECTED


def test_nobody_who_keeps_accounts_or_speaks_for_a_site_reads_messages() -> None:
    for role in (Role.ADMINISTRATOR, Role.HUMANITARIAN_NOTIFIER):
        assert not PERMISSIONS[role] & {READ, EXPORT, CHECK, SEND, TALK, READ_PAPERS}


def test_every_role_stands_in_the_table() -> None:
    assert set(PERMISSIONS) == set(Role)


def test_every_action_is_somebodys() -> None:
    assert set().union(*PERMISSIONS.values()) == set(Action)


def test_the_administrator_has_no_message_rights() -> None:
    assert not PERMISSIONS[Role.ADMINISTRATOR] & MESSAGE_RIGHTS


def test_only_the_administrator_keeps_accounts() -> None:
    assert [role for role in Role if allowed({role}, Action.ADMINISTER)] == [Role.ADMINISTRATOR]


def test_a_watch_officer_sends_but_does_not_declare() -> None:
    assert allowed({Role.WATCH_OFFICER}, Action.SEND)
    assert not allowed({Role.WATCH_OFFICER}, Action.DECLARE)
    assert allowed({Role.RELEASING_OFFICER}, Action.DECLARE)


def test_an_auditor_reads_and_says_nothing() -> None:
    says = {Action.SEND, Action.DECLARE, Action.TERMS, Action.ADMINISTER}
    assert not PERMISSIONS[Role.AUDITOR] & says


def test_an_actor_without_roles_may_do_nothing() -> None:
    nobody = Actor("nobody", frozenset(), "watch")
    for action in Action:
        with pytest.raises(NotPermittedError, match="no role"):
            require(nobody, action)


@given(st.frozensets(st.sampled_from(Role)), st.sampled_from(Action))
def test_require_agrees_with_the_table(roles: frozenset[Role], action: Action) -> None:
    actor = Actor("somebody", roles, "watch")
    if action in set().union(*(PERMISSIONS[role] for role in roles)):
        assert require(actor, action) is actor
    else:
        with pytest.raises(NotPermittedError) as refused:
            require(actor, action)
        # Who may not even declare a site is told of declaring.
        named = Action.DECLARE if action is Action.DECLARE_SITE else action
        assert f"'{named.value}'" in refused.value.problem


@given(st.frozensets(st.sampled_from(Role)), st.sampled_from(Action))
def test_a_watch_that_is_signed_off_reads_and_does_nothing_else(
    roles: frozenset[Role], action: Action
) -> None:
    reading = {VIEW, READ, SITES, READ_PAPERS, CHECK, Action.HEALTH, TRAIL}
    actor = Actor("somebody", roles, "watch", signed_off_utc_ms=1_443_593_520_000)
    if allowed(roles, action) and action in reading:
        assert require(actor, action) is actor
        assert action in actor.actions
        return
    assert action not in actor.actions
    words = "signed off at 2015-09-30T06:12" if allowed(roles, action) else "do not allow"
    with pytest.raises(NotPermittedError, match=words):
        require(actor, action)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ((), "needs a role"),
        (("pilot",), "unknown role"),
        (("administrator", "watch_officer"), "no message rights"),
        (("administrator", "auditor"), "no message rights"),
    ],
)
def test_role_sets_that_no_account_may_hold_are_refused(names: tuple[str, ...], words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        parse_roles(names)


def test_who_may_declare_nothing_is_told_who_may_declare_all_and_who_sites_alone() -> None:
    watch = Actor("w1", frozenset({Role.WATCH_OFFICER}), "watch")
    with pytest.raises(NotPermittedError) as refused:
        require(watch, Action.DECLARE_SITE)
    assert "'declare'" in refused.value.problem
    assert refused.value.expected == (
        "one of releasing_officer; of protected sites alone also humanitarian_notifier"
    )
