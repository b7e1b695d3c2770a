"""A session ends with its watch, and no alert is left without a screen before that."""

import asyncio
import json
from collections.abc import Callable

import pytest
from api_parts import PASSWORD, Client, bearer, browser
from fastapi import FastAPI
from stand_in import StandInNode
from test_api_events import client_of, frames, serving

from deconflict.api.accounts import Accounts

API = "/api/v1"
Way = Callable[[Accounts, str], dict[str, str]]
WAYS = pytest.mark.parametrize("way", [bearer, browser])


def status(client: Client, headers: dict[str, str], path: str = "/watch") -> int:
    return client.get(API + path, headers=headers).status_code


def leave(client: Client, headers: dict[str, str]) -> int:
    return client.post(f"{API}/watch/sign-off", json={}, headers=headers).status_code


def take(client: Client, headers: dict[str, str]) -> int:
    return client.post(f"{API}/watch/take-over", json={}, headers=headers).status_code


@WAYS
def test_who_signs_off_reads_until_another_account_takes_over(
    client: Client, accounts: Accounts, way: Way
) -> None:
    leaves, comes = way(accounts, "watch_officer"), way(accounts, "senior")
    assert leave(client, leaves) == 200
    assert status(client, leaves) == status(client, leaves, "/alerts") == 200
    me = client.get(f"{API}/me", headers=leaves).json()
    assert me["signed_off_utc"] == "2015-09-30T06:12:00.000Z"
    assert set(me["actions"]) == {"view_node", "read", "check", "read_papers", "read_sites"}
    refused = client.post(f"{API}/lines/red.example/messages", json={}, headers=leaves)
    assert refused.status_code == 403
    assert refused.json()["error"]["remedy"].startswith("log in again")
    assert take(client, comes) == 200
    ended = client.get(f"{API}/watch", headers=leaves)
    assert ended.status_code == 401
    error = ended.json()["error"]
    assert error["type"] == "SessionEndedError"
    assert "2015-09-30T06:12:00.000Z" in error["given"]
    assert status(client, comes) == 200


@WAYS
def test_a_watch_that_is_taken_over_ends_without_a_sign_off(
    client: Client, accounts: Accounts, way: Way
) -> None:
    first, second = way(accounts, "watch_officer"), way(accounts, "senior")
    assert take(client, first) == 200
    assert take(client, second) == 200
    assert status(client, first) == 401
    assert take(client, way(accounts, "watch_officer")) == 200
    assert status(client, second) == 401


def test_others_at_the_desk_and_at_other_desks_go_on(client: Client, accounts: Accounts) -> None:
    accounts.add("planner", PASSWORD, roles=["releasing_officer"], desk="planning", by="test")
    elsewhere, beside = bearer(accounts, "planner"), browser(accounts, "releasing_officer")
    assert take(client, bearer(accounts, "watch_officer")) == 200
    assert leave(client, elsewhere) == 200  # another desk: no matter of this one
    assert take(client, bearer(accounts, "senior")) == 200
    assert status(client, beside) == 200
    assert client.get(f"{API}/me", headers=beside).json()["signed_off_utc"] is None
    assert status(client, elsewhere) == 200


def test_a_desk_signed_off_by_another_account_leaves_both_reading(
    client: Client, accounts: Accounts
) -> None:
    had, signs = bearer(accounts, "watch_officer"), bearer(accounts, "senior")
    assert take(client, had) == 200
    assert leave(client, signs) == 200
    for headers in (had, signs):
        assert client.get(f"{API}/me", headers=headers).json()["signed_off_utc"]
        assert status(client, headers) == 200


def test_who_logs_in_again_after_signing_off_acts_again(client: Client, accounts: Accounts) -> None:
    assert leave(client, bearer(accounts, "watch_officer")) == 200
    anew = bearer(accounts, "watch_officer")
    assert client.get(f"{API}/me", headers=anew).json()["signed_off_utc"] is None


def test_a_refused_change_of_the_watch_ends_nothing(
    client: Client, accounts: Accounts, node: StandInNode
) -> None:
    holds = bearer(accounts, "watch_officer")
    assert take(client, holds) == 200
    assert take(client, holds) == 409
    assert client.get(f"{API}/me", headers=holds).json()["signed_off_utc"] is None


def test_the_trail_says_that_sessions_ended(client: Client, accounts: Accounts) -> None:
    assert leave(client, bearer(accounts, "watch_officer")) == 200
    assert take(client, bearer(accounts, "senior")) == 200
    entry = accounts.trail(limit=1)[0]
    assert (entry.account, entry.event) == ("watch_officer", "sessions ended with the watch")


def test_the_stream_of_an_ended_session_says_so_at_once(app: FastAPI, accounts: Accounts) -> None:
    senior = bearer(accounts, "senior")

    async def follow() -> tuple[list[dict[str, str]], float]:
        async with (
            serving(app) as server,
            client_of(server, accounts) as http,
            http.stream("GET", "/events") as response,
        ):
            heard = frames(response)
            await anext(heard)
            begun = asyncio.get_running_loop().time()
            assert (await http.post("/watch/sign-off", json={})).status_code == 200
            taken = await http.post("/watch/take-over", json={}, headers=senior)
            assert taken.status_code == 200
            rest = [frame async for frame in heard]
            return rest, asyncio.get_running_loop().time() - begun

    rest, seconds = asyncio.run(follow())
    assert rest[-1]["event"] == "session_ended"
    assert json.loads(rest[-1]["data"])["error"]["type"] == "SessionEndedError"
    assert seconds < 5  # a beat would have been ten


@pytest.mark.parametrize("ends", ["logout", "password", "disabled"])
def test_a_stream_ends_at_once_with_whatever_ends_its_session(
    app: FastAPI, accounts: Accounts, ends: str
) -> None:
    administrator = bearer(accounts, "administrator")

    async def follow() -> tuple[list[dict[str, str]], float]:
        async with (
            serving(app) as server,
            client_of(server, accounts) as http,
            http.stream("GET", "/events") as response,
        ):
            heard = frames(response)
            await anext(heard)
            begun = asyncio.get_running_loop().time()
            if ends == "logout":
                await http.delete("/session")
            elif ends == "password":
                new = {"old_password": PASSWORD, "new_password": "another long evening"}
                assert (await http.post("/me/password", json=new)).status_code == 200
            else:
                path = "/accounts/watch_officer/disable"
                await http.post(path, headers=administrator)
            rest = [frame async for frame in heard]
            return rest, asyncio.get_running_loop().time() - begun

    rest, seconds = asyncio.run(follow())
    assert rest[-1]["event"] == "session_ended"
    assert json.loads(rest[-1]["data"])["error"]["type"] == "NotAuthenticatedError"
    assert seconds < 5


def test_a_stream_of_another_session_goes_on(app: FastAPI, accounts: Accounts) -> None:
    other = bearer(accounts, "watch_officer")

    async def follow() -> dict[str, str]:
        async with (
            serving(app) as server,
            client_of(server, accounts) as http,
            http.stream("GET", "/events") as response,
        ):
            heard = frames(response)
            await anext(heard)
            assert (await http.delete("/session", headers=other)).status_code == 200
            return await anext(heard)  # the beat by which it looked

    assert list(asyncio.run(follow())) == [""]
