"""Parcels at the operators' door: bytes in, bytes out, and who may."""

from collections.abc import Iterator

import pytest
from api_parts import Client
from fastapi import FastAPI
from stand_in import LINE, StandInNode

from deconflict.api.accounts import Accounts
from deconflict.line.parcel import MAX_PARCEL_BYTES

MAKE = f"/api/v1/lines/{LINE}/parcel"
TAKE = f"{MAKE}/taken"
OCTETS = {"Content-Type": "application/octet-stream"}


@pytest.fixture
def watching(app: FastAPI, accounts: Accounts) -> Iterator[Client]:
    token = accounts.issue("watch_officer", by="test").token
    client = Client(app, {"Authorization": f"Bearer {token}"})
    yield client
    client.close()


def test_a_watch_officer_makes_and_takes_parcels(watching: Client, node: StandInNode) -> None:
    assert watching.post(MAKE, json={}).status_code == 200
    assert watching.post(MAKE, json={"since_seq": 3, "max_bytes": 500}).status_code == 200
    # Bytes that are no JSON, and would be read as some: they reach the node as they are.
    assert watching.post(TAKE, content=b'{"a": NaN}\x00', headers=OCTETS).status_code == 200
    assert [(name, what) for name, _, what in node.calls] == [
        ("make_parcel", (None, None, None)),
        ("make_parcel", (3, None, 500)),
        ("take_parcel", b'{"a": NaN}\x00'),
    ]


def test_what_is_no_parcel_never_reaches_the_node(watching: Client, node: StandInNode) -> None:
    too_long = b"x" * (MAX_PARCEL_BYTES + 1)
    for body, headers, status in (
        (b"{}", {"Content-Type": "application/json"}, 415),
        (b"parcel", {}, 415),
        (too_long, OCTETS, 413),
    ):
        assert watching.post(TAKE, content=body, headers=headers).status_code == status
    for wrong in (
        {"since_seq": 0},
        {"since_seq": "3"},
        {"message": "4f2a9c01"},
        {"max_bytes": 2**40},
        {"to": "x"},
    ):
        assert watching.post(MAKE, json=wrong).status_code == 400
    assert node.calls == []
