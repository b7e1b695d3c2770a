"""Passkeys: made by who holds the password, used by who holds the key, and by nobody else."""

from collections.abc import Iterator
from typing import Any

import cbor2
import httpx
import pytest
from api_parts import PASSWORD, ROLES, Client, Clock, bearer, browser
from authenticator import BACKED_UP, ELIGIBLE, PRESENT, VERIFIED, Authenticator, b64, unb64
from fastapi import FastAPI
from stand_in import StandInNode

from deconflict.api.accounts import Accounts
from deconflict.api.challenges import CHALLENGE_MS, MOST_CHALLENGES, Challenges
from deconflict.api.passkey_book import MOST_PASSKEYS
from deconflict.api.passkeys import RelyingParty
from deconflict.api.services import Services
from deconflict.errors import InvalidInputError

SITE = "http://localhost:8080"
API = f"{SITE}/api/v1"
Json = dict[str, Any]


class Ticks:
    """A clock that nobody sets but the test."""

    ms = 0

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def ticks(app: FastAPI, node: StandInNode, accounts: Accounts, clock: Clock) -> Iterator[Ticks]:
    made = Ticks()
    before = app.state.services
    app.state.services = Services(node, accounts, clock, before.random_bytes, monotonic_ms=made)
    yield made
    app.state.services.close()
    app.state.services = before


@pytest.fixture
def key() -> Authenticator:
    return Authenticator(SITE)


def asked(client: Client, headers: Json, password: str = PASSWORD) -> httpx.Response:
    path = f"{API}/me/passkeys/options"
    return client.post(path, json={"password": password}, headers=headers)


def keep(client: Client, headers: Json, credential: Json, name: str = "blue key") -> httpx.Response:
    content = {"name": name, "credential": credential}
    return client.post(f"{API}/me/passkeys", json=content, headers=headers)


def register(
    client: Client, headers: Json, key: Authenticator, name: str = "blue key"
) -> httpx.Response:
    options = asked(client, headers)
    assert options.status_code == 200, options.text
    return keep(client, headers, key.make(options.json()), name)


def login_options(client: Client) -> Json:
    answer = client.post(f"{API}/session/passkey/options")
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def present(client: Client, credential: Json) -> httpx.Response:
    return client.post(f"{API}/session/passkey", json={"credential": credential})


def log_in(client: Client, key: Authenticator, **wrong: Any) -> httpx.Response:
    return present(client, key.sign(login_options(client), **wrong))


def why(answer: httpx.Response) -> str:
    error = answer.json()["error"]
    return f"{error['type']}: {error['given']}"


@pytest.fixture
def watch(accounts: Accounts) -> dict[str, str]:
    return browser(accounts, "watch_officer")


@pytest.fixture
def registered(client: Client, watch: dict[str, str], key: Authenticator) -> Authenticator:
    assert register(client, watch, key).status_code == 200
    return key


# -- what works


def test_a_passkey_logs_in_as_a_password_does_in_a_browser(
    client: Client, accounts: Accounts, registered: Authenticator
) -> None:
    granted = log_in(client, registered)
    assert granted.status_code == 200
    assert granted.json()["account"] == "watch_officer"
    (cookie,) = granted.headers.get_list("set-cookie")
    assert "HttpOnly" in cookie
    session = {
        "Cookie": cookie.partition(";")[0],
        "Deconflict-CSRF": granted.json()["csrf_token"],
    }
    assert client.get(f"{API}/me", headers=session).json()["account"] == "watch_officer"
    again = log_in(client, registered)
    assert again.status_code == 200
    assert accounts.trail(limit=1)[0].event == "login by passkey blue key"


def test_what_a_browser_is_asked_for(client: Client, watch: dict[str, str]) -> None:
    made = asked(client, watch).json()
    assert made["rp"] == {"id": "localhost", "name": "deconflict blue.example"}
    assert made["user"]["name"] == "watch_officer (blue.example)"
    assert made["authenticatorSelection"]["userVerification"] == "required"
    assert made["authenticatorSelection"]["residentKey"] == "required"
    assert made["attestation"] == "none"
    assert len(unb64(made["challenge"])) == 32
    used = login_options(client)
    assert (used["rpId"], used["userVerification"]) == ("localhost", "required")
    assert used["allowCredentials"] == []  # nobody learns who has one


def test_an_account_has_several_lists_and_removes_them(
    client: Client,
    accounts: Accounts,
    clock: Clock,
    watch: dict[str, str],
    registered: Authenticator,
) -> None:
    clock.utc_ms += 1
    other = Authenticator(SITE, flags=PRESENT | VERIFIED | ELIGIBLE | BACKED_UP, counter=None)
    options = asked(client, watch).json()
    assert [each["id"] for each in options["excludeCredentials"]] == [b64(registered.credential_id)]
    assert keep(client, watch, other.make(options), "phone").json()["synced"] is True
    assert log_in(client, other).status_code == 200
    assert log_in(client, other).status_code == 200  # it counts nothing, and need not
    first, second = client.get(f"{API}/me/passkeys", headers=watch).json()
    assert (first["name"], first["synced"], first["used_utc"]) == ("blue key", False, None)
    assert second["used_utc"] == "2015-09-30T06:12:00.001Z"
    gone = client.delete(f"{API}/me/passkeys/{first['passkey_id']}", headers=watch)
    assert gone.json() == {"done": True}
    assert "no account" in why(log_in(client, registered))
    assert log_in(client, other).status_code == 200
    events = [entry.event for entry in accounts.trail()]
    assert "passkey added: blue key, for localhost" in events
    assert "passkey removed: blue key" in events


def test_a_key_that_vouches_for_itself_is_taken(
    client: Client, watch: dict[str, str], key: Authenticator
) -> None:
    credential = key.vouch_for_itself(asked(client, watch).json())
    assert keep(client, watch, credential).status_code == 200
    assert log_in(client, key).status_code == 200


def test_a_program_with_a_token_registers_too(
    client: Client, accounts: Accounts, key: Authenticator
) -> None:
    assert register(client, bearer(accounts, "auditor"), key).status_code == 200


def test_wrong_passwords_shut_no_passkey_out(client: Client, registered: Authenticator) -> None:
    wrong = {"account": "watch_officer", "password": "not it"}
    answers = [client.post(f"{API}/session", json=wrong).status_code for _ in range(6)]
    assert answers[-1] == 429
    assert log_in(client, registered).status_code == 200


# -- who may add and remove


def test_another_way_in_takes_the_password(client: Client, watch: dict[str, str]) -> None:
    assert asked(client, watch, "not it").status_code == 401
    answers = [asked(client, watch, "not it").status_code for _ in range(5)]
    assert answers[-1] == 429
    assert client.get(f"{API}/me/passkeys", headers=watch).json() == []


def test_with_two_persons_the_holder_adds_a_passkey_as_they_change_their_password(
    app: FastAPI, client: Client, watch: dict[str, str], key: Authenticator
) -> None:
    app.state.services.release_persons = 2
    assert register(client, watch, key).status_code == 200
    assert log_in(client, key).status_code == 200


def test_an_administrator_sees_and_removes_passkeys_and_adds_none(
    client: Client, accounts: Accounts, registered: Authenticator
) -> None:
    session = log_in(client, registered)
    admin = browser(accounts, "administrator")
    path = f"{API}/accounts/watch_officer/passkeys"
    (found,) = client.get(path, headers=admin).json()
    assert client.post(path, json={}, headers=admin).status_code == 405
    elsewhere = f"{API}/accounts/auditor/passkeys/{found['passkey_id']}"
    assert client.delete(elsewhere, headers=admin).status_code == 404
    removed = client.delete(f"{path}/{found['passkey_id']}", headers=admin)
    assert removed.json() == {"done": True}
    opened = {
        "Cookie": session.headers["set-cookie"].partition(";")[0],
        "Deconflict-CSRF": session.json()["csrf_token"],
    }
    assert client.get(f"{API}/me", headers=opened).status_code == 401
    entry = accounts.trail(limit=1)[0]
    assert (entry.account, entry.by) == ("watch_officer", "administrator")


def test_nobody_removes_the_passkey_of_another(
    client: Client, accounts: Accounts, registered: Authenticator, watch: dict[str, str]
) -> None:
    (found,) = client.get(f"{API}/me/passkeys", headers=watch).json()
    other = browser(accounts, "senior")
    path = f"{API}/me/passkeys/{found['passkey_id']}"
    assert client.delete(path, headers=other).status_code == 404
    assert log_in(client, registered).status_code == 200


def test_a_disabled_account_does_not_log_in_by_passkey(
    client: Client, accounts: Accounts, registered: Authenticator
) -> None:
    accounts.disable("watch_officer", by="administrator")
    assert "no account that may log in" in why(log_in(client, registered))
    accounts.enable("watch_officer", by="administrator")
    assert log_in(client, registered).status_code == 200


@pytest.mark.parametrize("name", ["", " ", "a" * 65, "a\nb", " key", "key\u202e"])
def test_a_passkey_has_a_name_that_can_be_read(
    client: Client, watch: dict[str, str], key: Authenticator, name: str
) -> None:
    assert register(client, watch, key, name).status_code == 400


def test_one_name_one_key_and_not_too_many(
    client: Client, accounts: Accounts, watch: dict[str, str], registered: Authenticator
) -> None:
    assert "passkey of that name" in register(client, watch, Authenticator(SITE)).text
    assert "registered already" in register(client, watch, registered, "again").text
    other = browser(accounts, "senior")
    assert "registered already" in register(client, other, registered).text
    for number in range(MOST_PASSKEYS - 1):
        assert register(client, watch, Authenticator(SITE), f"key {number}").status_code == 200
    assert asked(client, watch).status_code == 409


# -- hostile registrations


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"origin": "http://localhost:9999"}, "origin"),
        ({"origin": "http://evil.example"}, "origin"),
        ({"rp_id": "evil.example"}, "RP ID"),
        ({"flags": PRESENT}, "not verified"),
        ({"flags": VERIFIED}, "presence"),
        ({"type": "webauthn.get"}, "client data type"),
        ({"challenge": b64(bytes(32))}, "challenge"),
        ({"cross_origin": True}, "page of another origin"),
        ({"attestation": cbor2.dumps({"fmt": "none", "attStmt": {}})}, "authData"),
        ({"attestation": cbor2.dumps([1])}, "not a dict"),
        ({"attestation": b"\x81" * 5_000}, "CBOR"),
        ({"attestation": b"\xd9\xd9\xf7" * 5_000}, "CBOR"),
    ],
)
def test_what_was_not_asked_for_is_not_registered(
    client: Client, watch: dict[str, str], key: Authenticator, wrong: Json, words: str
) -> None:
    answer = keep(client, watch, key.make(asked(client, watch).json(), **wrong))
    assert answer.status_code == 400
    assert words in why(answer)
    assert client.get(f"{API}/me/passkeys", headers=watch).json() == []


def test_no_length_of_a_truncated_attestation_is_a_defect(
    client: Client, watch: dict[str, str], key: Authenticator
) -> None:
    whole = unb64(key.make(asked(client, watch).json())["response"]["attestationObject"])
    options = asked(client, watch).json()
    for length in range(len(whole)):
        credential = key.make(options, attestation=whole[:length])
        assert keep(client, watch, credential).status_code == 400, length
    assert keep(client, watch, key.make(options, attestation=whole)).status_code == 200


@pytest.mark.parametrize(
    "attested",
    [{}, {1: 2}, {1: 2, 3: -7}, {1: 2, 3: -65535, -1: 1, -2: b"", -3: b""}, {1: 9, 3: -7}, [], 7],
)
def test_a_key_that_is_none_is_no_defect(
    client: Client,
    watch: dict[str, str],
    key: Authenticator,
    attested: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    odd = bytes(16) + (32).to_bytes(2, "big") + key.credential_id + cbor2.dumps(attested)
    monkeypatch.setattr(Authenticator, "_attested", lambda _: odd)
    assert register(client, watch, key).status_code == 400


@pytest.mark.parametrize("certificates", [[], [b"no certificate"]])
def test_an_attestation_by_others_is_not_read(
    client: Client, watch: dict[str, str], key: Authenticator, certificates: list[bytes]
) -> None:
    credential = key.vouch_for_itself(asked(client, watch).json(), x5c=certificates)
    answer = keep(client, watch, credential)
    assert answer.status_code == 400
    assert "none was asked for" in why(answer)


def test_a_registration_is_answered_once(
    client: Client, watch: dict[str, str], key: Authenticator
) -> None:
    options = asked(client, watch).json()
    assert keep(client, watch, key.make(options)).status_code == 200
    other = Authenticator(SITE)
    assert "answered already" in why(keep(client, watch, other.make(options), "other"))


def test_a_registration_belongs_to_the_session_that_asked(
    client: Client, accounts: Accounts, watch: dict[str, str], key: Authenticator
) -> None:
    for headers in (browser(accounts, "watch_officer"), browser(accounts, "senior")):
        answer = keep(client, headers, key.make(asked(client, watch).json()))
        assert "another's" in why(answer)


def test_a_login_challenge_registers_nothing_and_the_other_way_round(
    client: Client, watch: dict[str, str], registered: Authenticator
) -> None:
    challenge = login_options(client)["challenge"]
    made = Authenticator(SITE).make(asked(client, watch).json(), challenge=challenge)
    assert "another's" in why(keep(client, watch, made, "other"))
    challenge = asked(client, watch).json()["challenge"]
    assert "answered already" in why(log_in(client, registered, challenge=challenge))


# -- hostile logins


def test_a_replayed_answer_opens_nothing(client: Client, registered: Authenticator) -> None:
    credential = registered.sign(login_options(client))
    assert present(client, credential).status_code == 200
    answer = present(client, credential)
    assert answer.status_code == 401
    assert "answered already" in why(answer)


def test_a_challenge_is_good_once_even_for_a_refused_answer(
    client: Client, registered: Authenticator
) -> None:
    options = login_options(client)
    assert present(client, registered.sign(options, origin="http://evil")).status_code == 401
    assert "answered already" in why(present(client, registered.sign(options)))


def test_a_challenge_is_not_good_for_long(
    client: Client, ticks: Ticks, watch: dict[str, str], key: Authenticator
) -> None:
    assert register(client, watch, key).status_code == 200
    late, in_time = login_options(client), login_options(client)
    ticks.ms += CHALLENGE_MS - 1
    assert present(client, key.sign(in_time)).status_code == 200
    ticks.ms += 1
    assert "too old" in why(present(client, key.sign(late)))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"origin": "http://localhost:9999"}, "origin"),
        ({"origin": "https://localhost:8080"}, "origin"),
        ({"origin": "http://localhost"}, "origin"),
        ({"rp_id": "evil.example"}, "RP ID"),
        ({"rp_id": "127.0.0.1"}, "RP ID"),
        ({"flags": PRESENT}, "not verified"),
        ({"flags": VERIFIED}, "not present"),
        ({"flags": PRESENT | VERIFIED | BACKED_UP}, "backed up"),
        ({"type": "webauthn.create"}, "client data type"),
        ({"challenge": b64(bytes(32))}, "answered already"),
        ({"cross_origin": True}, "page of another origin"),
        ({"user_handle": None}, "another account"),
        ({"user_handle": b"x" * 32}, "another account"),
        ({"data": b"\x00" * 36}, "malformed"),
        ({"extension": b"\xa1"}, "malformed"),
        ({"extension": b"\x81" * 5_000}, "malformed"),
        ({"extension": b"\xa1\x61a\x01\x00"}, "malformed"),
    ],
)
def test_what_was_not_asked_for_opens_nothing(
    client: Client, registered: Authenticator, wrong: Json, words: str
) -> None:
    answer = log_in(client, registered, **wrong)
    assert answer.status_code == 401
    assert words in why(answer)
    assert "set-cookie" not in answer.headers
    assert log_in(client, registered).status_code == 200


def test_the_key_of_another_account_opens_nothing(
    client: Client, accounts: Accounts, registered: Authenticator
) -> None:
    own = Authenticator(SITE)
    assert register(client, browser(accounts, "auditor"), own).status_code == 200
    # An auditor who knows how the watch officer's passkey calls itself, and whose handle it has.
    forged = Authenticator(SITE, credential_id=registered.credential_id, key=own.key)
    forged.user_handle = registered.user_handle
    assert "signature" in why(log_in(client, forged))
    assert "another account" in why(log_in(client, own, user_handle=registered.user_handle))
    assert log_in(client, own).json()["account"] == "auditor"


def test_an_unknown_key_opens_nothing(client: Client, registered: Authenticator) -> None:
    stranger = Authenticator(SITE, user_handle=registered.user_handle)
    assert "no account" in why(log_in(client, stranger))


def test_a_counter_that_goes_back_is_refused_and_told(
    client: Client, accounts: Accounts, registered: Authenticator
) -> None:
    assert log_in(client, registered).status_code == 200
    copied = Authenticator(
        SITE,
        counter=0,
        credential_id=registered.credential_id,
        key=registered.key,
        user_handle=registered.user_handle,
    )
    assert log_in(client, registered).status_code == 200
    answer = log_in(client, copied)
    assert answer.status_code == 401
    assert "from 2 to 1" in why(answer)
    assert "may have been copied" in why(answer)
    entry = accounts.trail(limit=1)[0]
    assert entry.account == "watch_officer"
    assert entry.event == "passkey blue key refused: its counter went from 2 to 1"
    assert "from 2 to 2" in why(log_in(client, copied))
    assert "from 2 to 0" in why(log_in(client, registered, step=-2))


def test_an_unsigned_counter_writes_nothing_into_the_trail(
    client: Client, accounts: Accounts, registered: Authenticator
) -> None:
    assert log_in(client, registered).status_code == 200
    before = accounts.trail(limit=1)[0]
    forged = Authenticator(SITE, credential_id=registered.credential_id)
    forged.user_handle = registered.user_handle
    assert "signature" in why(log_in(client, forged, step=0))
    assert accounts.trail(limit=1)[0] == before


@pytest.mark.parametrize("broken", [{}, {"id": 1}, {"response": []}, {"response": {}}])
def test_an_answer_of_another_shape_is_refused(
    client: Client, watch: dict[str, str], registered: Authenticator, broken: Json
) -> None:
    good = registered.sign(login_options(client))
    bad = {**good, **broken} if broken else {}
    assert present(client, bad).status_code == 401
    assert keep(client, watch, bad, "other").status_code == 400


@pytest.mark.parametrize("field", ["clientDataJSON", "authenticatorData", "signature"])
@pytest.mark.parametrize("text", ["", "A", "*", "AAAA", "é", "W10", "bnVsbA"])
def test_a_field_of_noise_is_refused(
    client: Client, registered: Authenticator, field: str, text: str
) -> None:
    credential = registered.sign(login_options(client))
    credential["response"][field] = text
    assert present(client, credential).status_code == 401


# -- for whom


@pytest.mark.parametrize("site", ["http://127.0.0.1:8080", "http://[::1]:8080"])
def test_an_address_has_no_passkeys_and_the_error_says_what_to_open(
    client: Client, watch: dict[str, str], site: str
) -> None:
    for path, content in (
        ("/session/passkey/options", None),
        ("/session/passkey", {"credential": {}}),
        ("/me/passkeys/options", {"password": PASSWORD}),
        ("/me/passkeys", {"name": "x", "credential": {}}),
    ):
        answer = client.post(f"{site}/api/v1{path}", json=content, headers=watch)
        assert answer.status_code == 400
        assert answer.json()["error"]["remedy"].startswith("open http://localhost:8080 instead")


def test_the_port_is_that_of_the_server_whatever_the_request_says(
    client: Client, registered: Authenticator
) -> None:
    # A page of another program at port 9999, which passes on what it got signed for itself.
    options = client.post(
        f"{API}/session/passkey/options", headers={"Host": "localhost:9999"}
    ).json()
    there = registered.sign(options, origin="http://localhost:9999")
    answer = client.post(
        f"{API}/session/passkey", json={"credential": there}, headers={"Host": "localhost:9999"}
    )
    assert answer.status_code == 401
    assert "origin" in why(answer)


@pytest.mark.parametrize(
    ("scheme", "host", "port", "origin"),
    [
        ("http", "localhost", 8080, "http://localhost:8080"),
        ("http", "LOCALHOST", 80, "http://localhost"),
        ("https", "desk.blue.example", 443, "https://desk.blue.example"),
        ("https", "desk.blue.example", 8443, "https://desk.blue.example:8443"),
        ("http", "localhost", None, "http://localhost"),
    ],
)
def test_a_relying_party_is_a_name_and_a_page(
    scheme: str, host: str, port: int | None, origin: str
) -> None:
    relying = RelyingParty.of(scheme, host, port)
    assert (relying.rp_id, relying.origin) == (host.lower(), origin)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "10.0.0.7"])
def test_no_relying_party_is_an_address(host: str) -> None:
    with pytest.raises(InvalidInputError, match="open at an address"):
        RelyingParty.of("http", host, 8080)


def test_two_accounts_and_two_nodes_have_handles_of_their_own(
    client: Client, accounts: Accounts
) -> None:
    handles = {asked(client, bearer(accounts, role)).json()["user"]["id"] for role in ROLES[:3]}
    assert len(handles) == 3
    again = asked(client, bearer(accounts, ROLES[0])).json()["user"]["id"]
    assert again in handles


def test_a_flood_of_questions_forgets_the_oldest_and_no_more() -> None:
    numbers = iter(range(10**6))
    drawn = Challenges(
        random_bytes=lambda size: next(numbers).to_bytes(size, "big"), monotonic_ms=lambda: 0
    )
    first = drawn.draw("log in")
    second = drawn.draw("log in")
    for _ in range(MOST_CHALLENGES - 1):
        drawn.draw("log in")
    assert not drawn.take(first, "log in")
    assert drawn.take(second, "log in")
    assert not drawn.take(second, "log in")
