"""What the routes share: the node, the accounts, and the one thread that hashes passwords."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, ParamSpec, TypeVar

from starlette.requests import Request

from deconflict.api.accounts import Accounts
from deconflict.api.enrolments import Enrolments
from deconflict.api.node_face import NodeFace
from deconflict.errors import TooManyAttemptsError
from deconflict.node.views import HeldView

__all__ = ["Services", "services_of"]

_P = ParamSpec("_P")
_T = TypeVar("_T")

MOST_WAITING: Final = 16


@dataclass(slots=True)
class Services:
    """Everything a route may use; one for each app."""

    node: NodeFace
    accounts: Accounts
    now: Callable[[], int]
    random_bytes: Callable[[int], bytes]
    release_persons: int = 1
    enrolments: Enrolments = field(init=False)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    streams: dict[str, int] = field(default_factory=dict)  # open event streams by account
    _waiting: int = 0
    _thread: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="accounts")
    )

    def __post_init__(self) -> None:
        self.enrolments = Enrolments(
            self.accounts,
            persons=self.release_persons,
            now=self.now,
            random_bytes=self.random_bytes,
        )

    def waiting(self, language: str | None = None) -> tuple[HeldView, ...]:
        """Return who waits for a second person to be let in, in words of the node's language."""
        words = language or self.node.node().language
        return tuple(each.view(words) for each in self.enrolments.waiting())

    async def in_accounts_thread(
        self, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs
    ) -> _T:
        """Run a slow call of the accounts file: one at a time, and few waiting.

        Hashing a password takes 32 MiB and a core for tens of milliseconds; in one thread of its
        own it slows nothing else down, whoever asks how often.

        Raises:
            TooManyAttemptsError: too many calls are waiting already.
        """
        if self._waiting >= MOST_WAITING:
            raise TooManyAttemptsError("too many logins at once", retry_after_s=2)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._thread, lambda: call(*args, **kwargs)
            )
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the thread; the accounts file stays open, it is the caller's."""
        self._thread.shutdown(wait=False)


def services_of(request: Request) -> Services:
    """Return the services of the app that this request came to.

    No dependency of FastAPI's: each of those is worked out anew for each request, and this one took
    a tenth of the time that the API spends on a posted message.
    """
    found: Services = request.app.state.services
    return found
