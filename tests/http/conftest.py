"""An API with real accounts in a real file, in front of a node in memory."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_parts import PASSWORD, ROLES, Client, Clock
from fastapi import FastAPI
from stand_in import StandInNode

from deconflict.api.accounts import Accounts
from deconflict.api.app import build_operator_app
from deconflict.api.services import Services


@pytest.fixture(scope="session")
def accounts_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("accounts") / "accounts.sqlite"
    made = Accounts(path, now=Clock(), random_bytes=os.urandom)
    for role in ROLES:
        made.add(role, PASSWORD, roles=[role], desk="watch", by="setup")
    made.close()
    return path.read_bytes()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def node() -> StandInNode:
    return StandInNode()


@pytest.fixture
def accounts(tmp_path: Path, clock: Clock, accounts_file: bytes) -> Iterator[Accounts]:
    path = tmp_path / "accounts.sqlite"
    path.touch(mode=0o600)
    path.write_bytes(accounts_file)
    opened = Accounts(path, now=clock, random_bytes=os.urandom)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def built_app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    path = tmp_path_factory.mktemp("unused") / "accounts.sqlite"
    accounts = Accounts(path, now=Clock(), random_bytes=os.urandom)
    made = build_operator_app(StandInNode(), accounts, now=Clock(), random_bytes=os.urandom)
    accounts.close()
    return made


@pytest.fixture
def app(
    built_app: FastAPI, node: StandInNode, accounts: Accounts, clock: Clock
) -> Iterator[FastAPI]:
    """The app, built once because that takes a while, before this test's node and accounts."""
    built_app.state.services = Services(node, accounts, clock, os.urandom)
    yield built_app
    built_app.state.services.close()


@pytest.fixture
def client(app: FastAPI) -> Iterator[Client]:
    """A client without a login."""
    made = Client(app)
    yield made
    made.close()


@pytest.fixture
def releasing(app: FastAPI, accounts: Accounts) -> Iterator[Client]:
    """A client whose account is a releasing officer's."""
    token = accounts.issue("releasing_officer", by="test").token
    made = Client(app, {"Authorization": f"Bearer {token}"})
    yield made
    made.close()
