"""What the routes share: the node, the accounts, and the one thread that hashes passwords."""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, ParamSpec, Protocol, TypeVar

from starlette.requests import Request

from deconflict.api.accounts import Accounts
from deconflict.api.enrolments import Enrolments
from deconflict.api.node_face import NodeFace
from deconflict.api.passkeys import Passkeys
from deconflict.api.sessions import monotonic_ms
from deconflict.errors import TooManyAttemptsError
from deconflict.node.views import HeldView
from deconflict.paper.press import Press

__all__ = ["Services", "services_of"]

_P = ParamSpec("_P")
_T = TypeVar("_T")

MOST_WAITING: Final = 16


class Stream(Protocol):
    """An open event stream."""

    def wake(self) -> None: ...


@dataclass(slots=True)
class Services:
    """Everything a route may use; one for each app."""

    node: NodeFace
    accounts: Accounts
    now: Callable[[], int]
    random_bytes: Callable[[int], bytes]
    release_persons: int = 1
    monotonic_ms: Callable[[], int] = monotonic_ms
    enrolments: Enrolments = field(init=False)
    passkeys: Passkeys = field(init=False)
    stopping: bool = False
    streams: dict[str, set[Stream]] = field(default_factory=dict)  # open event streams by account
    # One change of the watch after the other: each has to know who had it before.
    watch: asyncio.Lock = field(default_factory=asyncio.Lock)
    press: Press = field(default_factory=Press)
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
        self.passkeys = Passkeys(
            self.accounts,
            party=lambda: self.node.node().party,
            random_bytes=self.random_bytes,
            monotonic_ms=self.monotonic_ms,
        )

    def end_streams(self) -> None:
        """Let every event stream end: the server stops."""
        self.stopping = True
        self.wake_streams(tuple(self.streams))

    def wake_streams(self, accounts: Iterable[str]) -> None:
        """Let the streams of these accounts look now whether their session still lasts."""
        for account in accounts:
            for stream in self.streams.get(account, ()):
                stream.wake()

    def waiting(self, language: str) -> tuple[HeldView, ...]:
        """Return who waits for a second person to be let in, in words of this language."""
        return tuple(each.view(language) for each in self.enrolments.waiting())

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
