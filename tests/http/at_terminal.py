"""A person at a command line of a node in memory: the real commands, the real API, no network."""

import asyncio
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from fastapi import FastAPI

from deconflict.api.accounts import Accounts
from deconflict.cli import main
from deconflict.cli.client import NodeClient

__all__ = ["AtTerminal"]

HOST = "http://127.0.0.1"


class _InProcess(httpx.BaseTransport):
    """Asks the app itself, with no network between."""

    def __init__(self, app: FastAPI) -> None:
        self._inner = httpx.ASGITransport(app)
        self._loop = asyncio.new_event_loop()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def asked() -> httpx.Response:
            answer = await self._inner.handle_async_request(request)
            return httpx.Response(
                answer.status_code, headers=answer.headers, content=await answer.aread()
            )

        return self._loop.run_until_complete(asked())

    def stop(self) -> None:
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


class AtTerminal:
    """Types commands as an account of one role.

    Args:
        app: of the node.
        accounts: of the node.
        role: whose account is logged in.
        patch: has the commands find this node.
    """

    def __init__(
        self, app: FastAPI, accounts: Accounts, role: str, patch: pytest.MonkeyPatch
    ) -> None:
        self._token = accounts.issue(role, by="test").token
        self._transport = _InProcess(app)
        patch.setattr(NodeClient, "of", self._logged_in)

    def types(self, *words: str) -> str:
        """Return what a command prints; it must succeed."""
        result = CliRunner().invoke(main, list(words), catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    def leave(self) -> None:
        """Give back what was opened."""
        self._transport.stop()

    def _logged_in(self, *_: Any) -> NodeClient:
        made = NodeClient(HOST, self._token)
        made._http.close()
        made._http = httpx.Client(
            base_url=f"{HOST}/api/v1",
            headers={"Authorization": f"Bearer {self._token}"},
            transport=self._transport,
        )
        return made
