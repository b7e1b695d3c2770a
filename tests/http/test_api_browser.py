"""A browser's session: a cookie that no script reads, and a token that no other port gets."""

from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any

import httpx
import pytest
from api_parts import PASSWORD, Client, browser
from fastapi import FastAPI
from test_api_direct import both_ways

from deconflict.api.accounts import Accounts
from deconflict.api.credentials import CSRF_HEADER

API = "/api/v1"
LOGIN = {"account": "watch_officer", "password": PASSWORD, "browser": True}


def cookie_of(answer: httpx.Response) -> Any:
    """Return the one cookie that an answer sets, with its attributes."""
    (header,) = answer.headers.get_list("set-cookie")
    (morsel,) = SimpleCookie(header).values()
    return morsel


def test_a_browser_gets_a_cookie_and_half_a_secret(client: Client, accounts: Accounts) -> None:
    granted = client.post(f"{API}/session", json=LOGIN)
    assert set(granted.json()) == {
        *("csrf_token", "expires_utc", "account", "roles", "desk", "language"),
    }
    cookie = cookie_of(granted)
    assert cookie.key == f"deconflict-{accounts.file.tag}"
    assert (cookie["path"], cookie["domain"], cookie["secure"]) == ("/", "", "")
    assert cookie["httponly"]
    assert cookie["samesite"].lower() == "strict"
    assert cookie["max-age"] == cookie["expires"] == ""
    assert cookie.value not in granted.text
    assert granted.json()["csrf_token"] not in granted.headers["set-cookie"]


def test_over_tls_the_cookie_is_locked_to_the_host(client: Client) -> None:
    cookie = cookie_of(client.post(f"https://127.0.0.1{API}/session", json=LOGIN))
    assert cookie.key.startswith("__Host-deconflict-")
    assert cookie["secure"]
    assert (cookie["path"], cookie["domain"]) == ("/", "")


def test_a_session_of_one_scheme_is_none_of_the_other(client: Client, accounts: Accounts) -> None:
    headers = browser(accounts, "watch_officer")
    assert client.get(f"{API}/me", headers=headers).status_code == 200
    assert client.get(f"https://127.0.0.1{API}/me", headers=headers).status_code == 401


def test_a_program_gets_no_cookie(client: Client) -> None:
    answer = client.post(f"{API}/session", json={**LOGIN, "browser": False})
    assert "set-cookie" not in answer.headers
    assert len(answer.json()["token"]) == 43


def test_a_refused_login_sets_no_cookie(client: Client) -> None:
    answer = client.post(f"{API}/session", json={**LOGIN, "password": "not it"})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/session", "/me/password"])
def test_what_ends_the_session_takes_the_cookie_back(
    client: Client, accounts: Accounts, path: str
) -> None:
    headers = browser(accounts, "watch_officer")
    if path == "/session":
        answer = client.delete(f"{API}{path}", headers=headers)
    else:
        passwords = {"old_password": PASSWORD, "new_password": "another long evening"}
        answer = client.post(f"{API}{path}", json=passwords, headers=headers)
    assert answer.json() == {"done": True}
    cookie = cookie_of(answer)
    assert (cookie.key, cookie.value) == (f"deconflict-{accounts.file.tag}", "")
    assert cookie["max-age"] == "0"
    assert (cookie["path"], cookie["samesite"].lower()) == ("/", "strict")
    assert client.get(f"{API}/me", headers=headers).status_code == 401


def test_logging_out_with_a_token_sets_no_cookie(client: Client, accounts: Accounts) -> None:
    headers = {"Authorization": f"Bearer {accounts.issue('auditor', by='test').token}"}
    assert "set-cookie" not in client.delete(f"{API}/session", headers=headers).headers


def test_cookies_of_other_nodes_are_nobodys_business(client: Client, accounts: Accounts) -> None:
    headers = browser(accounts, "watch_officer")
    others = "deconflict-00000000=AAAA; theme=night; deconflict=1"
    crowded = {**headers, "Cookie": f"{others}; {headers['Cookie']}; a=b=c"}
    assert client.get(f"{API}/me", headers=crowded).status_code == 200
    token = accounts.issue("auditor", by="test").token
    program = {"Cookie": others, "Authorization": f"Bearer {token}"}
    assert client.get(f"{API}/me", headers=program).json()["account"] == "auditor"


def test_two_cookies_of_one_name_open_nothing(client: Client, accounts: Accounts) -> None:
    # Another program of this host can set a cookie of ours, but not make it count.
    headers = browser(accounts, "watch_officer")
    planted = f"deconflict-{accounts.file.tag}={'A' * 43}"
    for both in (f"{planted}; {headers['Cookie']}", f"{headers['Cookie']}; {planted}"):
        answer = client.get(f"{API}/me", headers={**headers, "Cookie": both})
        assert answer.status_code == 401


def test_two_nodes_of_one_host_call_their_cookies_differently(
    accounts: Accounts, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("other") / "accounts.sqlite"
    other = Accounts(path, now=lambda: 0, random_bytes=bytes)
    tag = other.file.tag
    other.close()
    again = Accounts(path, now=lambda: 0, random_bytes=bytes)
    assert again.file.tag == tag != accounts.file.tag
    again.close()


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", "", "SAME-ORIGIN"])
def test_a_page_from_elsewhere_cannot_use_the_session(
    client: Client, accounts: Accounts, site: str
) -> None:
    headers = browser(accounts, "watch_officer")
    assert client.get(f"{API}/me", headers={**headers, "Sec-Fetch-Site": site}).status_code == 403
    own = {**headers, "Sec-Fetch-Site": "same-origin"}
    assert client.get(f"{API}/me", headers=own).status_code == 200


def test_the_guard_looks_at_the_origin_of_a_browser_too(client: Client, accounts: Accounts) -> None:
    headers = {**browser(accounts, "watch_officer"), "Origin": "http://127.0.0.1:9"}
    assert client.get(f"{API}/me", headers=headers).status_code == 403


@pytest.fixture
def at_browser(app: FastAPI, accounts: Accounts) -> Iterator[Client]:
    made = Client(app, browser(accounts, "releasing_officer"))
    yield made
    made.close()


@pytest.mark.parametrize("csrf", [None, "", "A" * 43])
@pytest.mark.parametrize("path", ["/lines", "/me", "/events", "/lines/{line}/messages"])
def test_both_ways_past_the_framework_and_through_it_ask_for_the_same(
    at_browser: Client, node: Any, path: str, csrf: str | None
) -> None:
    method = "POST" if path.endswith("messages") else "GET"
    content: dict[str, Any] = {"headers": {}}
    if csrf is not None:
        content["headers"][CSRF_HEADER] = csrf
    if path == "/events":
        content["headers"]["Last-Event-ID"] = "not a number"
    if method == "POST":
        content["json"] = {"kind": "LINE_CHECK", "body": {"text": "4711 0815 2342"}}
    address = API + path.replace("{line}", "red.example")
    directly, by_the_framework = both_ways(at_browser, node, method, address, **content)
    assert directly == by_the_framework
    expected = {None: 400 if path == "/events" else 200}.get(csrf, 401)
    assert directly[0][0] == expected


def test_the_openapi_document_names_cookie_and_header(client: Client) -> None:
    schemes = client.get(f"{API}/openapi.json").json()["components"]["securitySchemes"]
    assert schemes["BrowserToken"]["name"] == "Deconflict-CSRF"
    assert schemes["BrowserCookie"]["in"] == "cookie"
    assert schemes["BrowserCookie"]["name"].startswith("deconflict-")


@pytest.mark.parametrize("role", ["watch_officer", "administrator"])
def test_an_account_chooses_its_language(client: Client, accounts: Accounts, role: str) -> None:
    headers = browser(accounts, role)
    chosen = client.post(f"{API}/me/language", json={"language": "ru"}, headers=headers)
    assert chosen.json()["language"] == "ru"
    assert client.get(f"{API}/me", headers=headers).json()["language"] == "ru"
    later = client.post(f"{API}/session", json={**LOGIN, "account": role})
    assert later.json()["language"] == "ru"
    for wrong in ("xx", "", "RU", 7):
        refused = client.post(f"{API}/me/language", json={"language": wrong}, headers=headers)
        assert refused.status_code == 400
    back = client.post(f"{API}/me/language", json={"language": None}, headers=headers)
    assert back.json()["language"] == "en"
