"""Who gets in: every route of the app's own table, asked by every role and by those with none."""

import re
from collections.abc import Callable

import pytest
from api_parts import PASSWORD, ROLES, Client, Clock, bearer, browser
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from deconflict.api.accounts import SESSION_MS, Accounts
from deconflict.api.permit import OperatorRoute, PublicRoute, needs
from deconflict.node.actor import AFTER_THE_WATCH, Action, Role, allowed

Way = Callable[[Accounts, str], dict[str, str]]
WAYS = pytest.mark.parametrize("way", [bearer, browser])

# All that answers without a login. A new line here is a decision, not a formality.
OPEN_TO_ALL = {
    ("POST", "/api/v1/session"),
    ("POST", "/api/v1/session/passkey/options"),
    ("POST", "/api/v1/session/passkey"),
    ("GET", "/docs"),
    ("GET", "/docs/docs.css"),
    ("GET", "/api/v1/openapi.json"),
}


def table(app: FastAPI) -> list[tuple[str, str, Action | None]]:
    """Return method, path and action of every route that the app would answer."""
    found: list[tuple[str, str, Action | None]] = []
    for route in iter_route_contexts(app.routes):
        action = getattr(route.original_route, "action", None)
        found += [
            (method, str(route.path), action) for method in (route.methods or set()) - {"HEAD"}
        ]
    return found


def ask(client: Client, method: str, path: str, headers: dict[str, str]) -> int:
    address = re.sub(r"\{\w+\}", "nothing-of-that-name", path)
    # An answer to an event stream does not end; one that ends was a refusal.
    if path.endswith("/events"):
        headers = {**headers, "Last-Event-ID": "not a number"}
    return client.request(method, address, headers=headers).status_code


def test_the_table_is_whole(app: FastAPI) -> None:
    assert len(table(app)) > 30
    assert {row[:2] for row in table(app) if row[2] is None} == OPEN_TO_ALL


def test_every_route_in_openapi_names_its_roles(app: FastAPI) -> None:
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            if (method.upper(), path) not in OPEN_TO_ALL:
                assert operation["x-roles"], path
                assert operation["security"] == [
                    {"HTTPBearer": []},
                    {"BrowserCookie": [], "BrowserToken": []},
                ]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer " + "A" * 43},
        {"Authorization": "Basic d2F0Y2g6d2F0Y2g="},
        {"Cookie": "token=" + "A" * 43},
    ],
    ids=["none", "empty", "blank", "unknown", "basic", "cookie"],
)
def test_without_a_valid_token_nothing_answers(
    app: FastAPI, client: Client, headers: dict[str, str]
) -> None:
    for method, path, action in table(app):
        if action is not None:
            assert ask(client, method, path, headers) == 401, (method, path)


@WAYS
def test_an_expired_session_opens_nothing(
    app: FastAPI, client: Client, accounts: Accounts, clock: Clock, way: Way
) -> None:
    logins = [way(accounts, role) for role in ROLES]
    clock.utc_ms += SESSION_MS
    for headers in logins:
        for method, path, action in table(app):
            if action is not None:
                assert ask(client, method, path, headers) == 401, (method, path)


@WAYS
def test_a_disabled_account_opens_nothing(
    app: FastAPI, client: Client, accounts: Accounts, way: Way
) -> None:
    logins = [way(accounts, role) for role in ROLES[:3]]
    for role in ROLES[:3]:
        accounts.disable(role, by="administrator")
    for headers in logins:
        for method, path, action in table(app):
            if action is not None:
                assert ask(client, method, path, headers) == 401, (method, path)


@WAYS
@pytest.mark.parametrize("role", ROLES)
def test_each_role_reaches_what_the_table_says_and_nothing_else(
    app: FastAPI, client: Client, accounts: Accounts, role: str, way: Way
) -> None:
    headers = way(accounts, role)
    for method, path, action in table(app):
        if action is None:
            continue
        status = ask(client, method, path, headers)
        assert status != 401, (method, path)
        assert (status != 403) == allowed({Role(role)}, action), (method, path, status)
        assert status < 500, (method, path, status)
        if (method, path) == ("DELETE", "/api/v1/session"):
            headers = way(accounts, role)


@WAYS
@pytest.mark.parametrize("role", ["watch_officer", "releasing_officer", "auditor", "senior_1"])
def test_a_watch_that_is_signed_off_reads_and_does_nothing_else(
    app: FastAPI, client: Client, accounts: Accounts, role: str, way: Way
) -> None:
    headers = way(accounts, role)
    accounts.sessions.sign_off([role])
    for method, path, action in table(app):
        if action is None or (method, path) == ("DELETE", "/api/v1/session"):
            continue
        may = allowed({Role(role)}, action) and action in AFTER_THE_WATCH
        status = ask(client, method, path, headers)
        assert status != 401, (method, path)
        assert (status != 403) == may, (method, path, status)
    anew = way(accounts, role)
    assert client.get("/api/v1/me", headers=anew).json()["signed_off_utc"] is None


def test_a_cookie_alone_opens_nothing(app: FastAPI, client: Client, accounts: Accounts) -> None:
    for role in ROLES:
        whole = browser(accounts, role)
        another = browser(accounts, role)["Deconflict-CSRF"]
        cookie = {"Cookie": whole["Cookie"]}
        for given in (
            cookie,
            {**cookie, "Deconflict-CSRF": ""},
            {**cookie, "Deconflict-CSRF": another},
            {**cookie, "Deconflict-CSRF": whole["Deconflict-CSRF"][:-1]},
            {"Deconflict-CSRF": whole["Deconflict-CSRF"]},
        ):
            for method, path, action in table(app):
                if action is not None:
                    assert ask(client, method, path, given) == 401, (method, path, given)
            if role != ROLES[0]:
                break  # which half is wrong makes no difference by role
        assert client.get("/api/v1/me", headers=whole).json()["account"] == role


def test_what_a_browser_holds_is_no_token(app: FastAPI, client: Client, accounts: Accounts) -> None:
    held = browser(accounts, "watch_officer")
    cookie, csrf = held["Cookie"].partition("=")[2], held["Deconflict-CSRF"]
    for token in (cookie, csrf, f"{cookie}.{csrf}"):
        for method, path, action in table(app):
            if action is not None:
                headers = {"Authorization": f"Bearer {token}"}
                assert ask(client, method, path, headers) == 401, (method, path)


def test_a_token_is_no_cookie(app: FastAPI, client: Client, accounts: Accounts) -> None:
    token = accounts.issue("watch_officer", by="test").token
    for csrf in ({}, {"Deconflict-CSRF": token}):
        headers = {"Cookie": f"deconflict-{accounts.file.tag}={token}", **csrf}
        for method, path, action in table(app):
            if action is not None:
                assert ask(client, method, path, headers) == 401, (method, path)


def test_a_login_proven_in_two_ways_is_refused(
    app: FastAPI, client: Client, accounts: Accounts
) -> None:
    both = {**browser(accounts, "watch_officer"), **bearer(accounts, "watch_officer")}
    for method, path, action in table(app):
        if action is not None:
            assert ask(client, method, path, both) == 400, (method, path)


def test_a_route_without_its_permission_cannot_be_built() -> None:
    async def careless() -> None: ...

    @needs(Action.READ)
    async def careful() -> None: ...

    with pytest.raises(TypeError, match="does not say which action"):
        OperatorRoute("/careless", careless)
    assert OperatorRoute("/careful", careful).action is Action.READ


def test_every_route_is_of_a_strict_class(app: FastAPI) -> None:
    for route in iter_route_contexts(app.routes):
        if isinstance(route.original_route, APIRoute):
            assert isinstance(route.original_route, PublicRoute), route.path


def test_a_token_is_looked_at_before_the_body(client: Client) -> None:
    not_json = client.post(
        "/api/v1/declarations", content=b"{" * 1000, headers={"Content-Type": "application/json"}
    )
    assert not_json.status_code == 401


def test_logging_in_and_out(client: Client) -> None:
    granted = client.post(
        "/api/v1/session", json={"account": "watch_officer", "password": PASSWORD}
    )
    assert granted.status_code == 200
    session = granted.json()
    assert session["roles"] == ["watch_officer"]
    assert session["expires_utc"] == "2015-09-30T18:12:00.000Z"
    headers = {"Authorization": f"Bearer {session['token']}"}
    me = client.get("/api/v1/me", headers=headers).json()
    assert me["account"] == "watch_officer"
    assert me["actions"] == [
        *("view_node", "read", "check", "send"),
        *("talk", "read_papers", "write_papers", "warn", "read_sites"),
    ]
    assert me["language"] == session["language"] == "en"
    assert client.delete("/api/v1/session", headers=headers).json() == {"done": True}
    assert client.get("/api/v1/me", headers=headers).status_code == 401


def test_guessing_is_told_to_wait(client: Client) -> None:
    answers = [
        client.post("/api/v1/session", json={"account": "auditor", "password": "wrong"})
        for _ in range(6)
    ]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert answers[-1].headers["Retry-After"] == "1"
    assert answers[0].headers["WWW-Authenticate"] == "Bearer"


def test_own_password_is_changed_with_the_old_one(client: Client, accounts: Accounts) -> None:
    headers = {"Authorization": f"Bearer {accounts.issue('auditor', by='test').token}"}
    wrong = client.post(
        "/api/v1/me/password",
        json={"old_password": "not it", "new_password": "another long evening"},
        headers=headers,
    )
    assert wrong.status_code == 401
    right = client.post(
        "/api/v1/me/password",
        json={"old_password": PASSWORD, "new_password": "another long evening"},
        headers=headers,
    )
    assert right.status_code == 200
    assert client.get("/api/v1/me", headers=headers).status_code == 401


def test_the_administrator_keeps_accounts(client: Client, accounts: Accounts) -> None:
    headers = {"Authorization": f"Bearer {accounts.issue('administrator', by='test').token}"}
    new = {
        "name": "night",
        "password": PASSWORD,
        "roles": ["watch_officer", "auditor"],
        "desk": "planning",
    }
    made = client.post("/api/v1/accounts", json=new, headers=headers)
    assert made.json()["roles"] == ["auditor", "watch_officer"]
    assert "password" not in made.text
    for bad in ({"desk": "elsewhere"}, {"roles": ["administrator", "auditor"]}, {"name": "night"}):
        assert client.post("/api/v1/accounts", json=new | bad, headers=headers).status_code == 400
    assert client.post("/api/v1/accounts/night/disable", headers=headers).status_code == 200
    assert client.post("/api/v1/accounts/night/enable", headers=headers).status_code == 200
    changed = client.post(
        "/api/v1/accounts/night/password",
        json={"password": "another long evening"},
        headers=headers,
    )
    assert changed.status_code == 200
    listed = {each["name"]: each for each in client.get("/api/v1/accounts", headers=headers).json()}
    assert listed["night"]["desk"] == "planning"
    last = client.post("/api/v1/accounts/administrator/disable", headers=headers)
    assert last.status_code == 409
    trail = client.get("/api/v1/accounts/trail?limit=2", headers=headers).json()
    assert [entry["event"] for entry in trail] == ["password changed", "account enabled"]
    older = client.get(f"/api/v1/accounts/trail?before={trail[-1]['entry_id']}", headers=headers)
    assert older.json()[0]["event"] == "account disabled"
