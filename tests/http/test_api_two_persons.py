"""Two persons over the API: nobody alone lets anybody in."""

import os
from collections.abc import Iterator

import pytest
from api_parts import PASSWORD, ROLES, Client, Clock
from fastapi import FastAPI
from stand_in import StandInNode

from deconflict.api.accounts import Accounts
from deconflict.api.services import Services
from deconflict.node.actor import Action, Role, allowed

NEW = {"name": "night", "password": PASSWORD, "roles": ["watch_officer"], "desk": "watch"}


@pytest.fixture
def two(
    built_app: FastAPI, node: StandInNode, accounts: Accounts, clock: Clock
) -> Iterator[FastAPI]:
    """The app of a party that wants two persons."""
    built_app.state.services = Services(node, accounts, clock, os.urandom, release_persons=2)
    yield built_app
    built_app.state.services.close()


@pytest.fixture
def asking(two: FastAPI) -> Iterator[Client]:
    made = Client(two)
    yield made
    made.close()


def as_role(accounts: Accounts, role: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {accounts.issue(role, by='test').token}"}


# ---- who is let in ---------------------------------------------------------------------------


def test_an_account_that_is_asked_for_waits_and_is_released_by_another(
    asking: Client, accounts: Accounts
) -> None:
    admin, releasing = (as_role(accounts, role) for role in ("administrator", "releasing_officer"))
    asked = asking.post("/api/v1/accounts", json=NEW, headers=admin)
    assert asked.status_code == 202
    assert (asked.json()["what"], asked.json()["written_by"]) == ("ACCOUNT", "administrator")
    assert PASSWORD not in asked.text
    path = f"/api/v1/enrolments/{asked.json()['held_id']}/release"
    assert asking.post(path, headers=admin).status_code == 403
    assert asking.get("/api/v1/enrolments", headers=releasing).json() == [asked.json()]
    assert asking.post(path, headers=releasing).status_code == 200
    assert asking.post(path, headers=releasing).status_code == 404
    login = {"account": "night", "password": PASSWORD}
    assert asking.post("/api/v1/session", json=login).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/accounts/auditor/enable", {}),
        ("/api/v1/accounts/auditor/password", {"password": "another long evening"}),
    ],
)
def test_an_account_is_not_taken_over_by_one_person(
    asking: Client, accounts: Accounts, path: str, body: dict[str, str]
) -> None:
    admin = as_role(accounts, "administrator")
    asked = asking.post(path, json=body, headers=admin)
    assert asked.status_code == 202
    login = {"account": "auditor", "password": "another long evening"}
    assert asking.post("/api/v1/session", json=login).status_code == 401
    gone = asking.post(f"/api/v1/enrolments/{asked.json()['held_id']}/withdraw", headers=admin)
    assert gone.status_code == 200
    assert asking.get("/api/v1/enrolments", headers=admin).json() == []


def test_shutting_out_takes_one_person(asking: Client, accounts: Accounts) -> None:
    admin = as_role(accounts, "administrator")
    assert asking.post("/api/v1/accounts/auditor/disable", headers=admin).status_code == 200


@pytest.mark.parametrize("role", ROLES)
def test_who_sees_and_releases_who_is_let_in_is_what_the_table_says(
    asking: Client, accounts: Accounts, role: str
) -> None:
    asked = asking.post("/api/v1/accounts", json=NEW, headers=as_role(accounts, "administrator"))
    path = f"/api/v1/enrolments/{asked.json()['held_id']}/release"
    headers = as_role(accounts, role)
    sees = asking.get("/api/v1/enrolments", headers=headers).status_code
    releases = asking.post(path, headers=headers).status_code
    assert (sees == 200) is allowed({Role(role)}, Action.ENROL)
    assert (releases == 200) is (sees == 200 and role != "administrator")
