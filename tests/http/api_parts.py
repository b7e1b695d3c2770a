"""What the tests of the API share: a clock that is set, accounts' names, a client."""

import asyncio
from typing import Any

import httpx
from fastapi import FastAPI
from stand_in import START_MS

from deconflict.api.accounts import Accounts

PASSWORD = "a long evening at sea"
ROLES = (
    *("watch_officer", "releasing_officer", "auditor", "administrator"),
    *("senior", "interpreter", "legal_adviser"),
    *("senior_1", "senior_2", "senior_3", "humanitarian_notifier", "civil_liaison"),
)


def bearer(accounts: Accounts, role: str) -> dict[str, str]:
    """Return what a program sends that is logged in as the account of this role."""
    return {"Authorization": f"Bearer {accounts.issue(role, by='test').token}"}


def browser(accounts: Accounts, role: str) -> dict[str, str]:
    """Return what a browser sends that is logged in as the account of this role."""
    with accounts.file.write() as db:
        session = accounts.sessions.put(db, role, event="login", by="test", browser=True)
    return {
        "Cookie": f"deconflict-{accounts.file.tag}={session.token}",
        "Deconflict-CSRF": session.csrf_token,
    }


class Clock:
    def __init__(self) -> None:
        self.utc_ms = START_MS

    def __call__(self) -> int:
        return self.utc_ms


class Client:
    """Asks an app without a network, one request after the other."""

    def __init__(self, app: FastAPI, headers: dict[str, str] | None = None) -> None:
        # What the app raises beyond its answer is the server's to log, not the caller's to see.
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._loop = asyncio.new_event_loop()
        self._http = httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1", headers=headers, trust_env=False
        )

    def request(self, method: str, path: str, **content: Any) -> httpx.Response:
        return self._loop.run_until_complete(self._http.request(method, path, **content))

    def get(self, path: str, **content: Any) -> httpx.Response:
        return self.request("GET", path, **content)

    def post(self, path: str, **content: Any) -> httpx.Response:
        return self.request("POST", path, **content)

    def delete(self, path: str, **content: Any) -> httpx.Response:
        return self.request("DELETE", path, **content)

    def close(self) -> None:
        self._loop.run_until_complete(self._http.aclose())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()
