"""What a passkey has to sign: drawn here, good once, and not for long."""

import threading
from collections.abc import Callable
from typing import Final

__all__ = ["CHALLENGE_MS", "MOST_CHALLENGES", "Challenges"]

CHALLENGE_MS: Final = 300_000  # W3C WebAuthn level 3, 15.1: five minutes where a person is verified
MOST_CHALLENGES: Final = 1_024
_BYTES: Final = 32


class Challenges:
    """The challenges that wait for an answer. Every method may be called from any thread.

    They are kept in memory: a node that starts anew has asked nobody for anything.

    Args:
        random_bytes: a source fit for keys.
        monotonic_ms: a clock that nobody sets.
    """

    def __init__(
        self, *, random_bytes: Callable[[int], bytes], monotonic_ms: Callable[[], int]
    ) -> None:
        self._random_bytes = random_bytes
        self._monotonic_ms = monotonic_ms
        self._lock = threading.Lock()
        self._waiting: dict[bytes, tuple[str, int]] = {}  # what for and until when, oldest first

    def draw(self, purpose: str) -> bytes:
        """Return a fresh challenge; when too many wait, the oldest is forgotten."""
        challenge = self._random_bytes(_BYTES)
        with self._lock:
            if len(self._waiting) >= MOST_CHALLENGES:
                del self._waiting[next(iter(self._waiting))]
            self._waiting[challenge] = (purpose, self._monotonic_ms() + CHALLENGE_MS)
        return challenge

    def take(self, challenge: bytes, purpose: str) -> bool:
        """Return True exactly when it waited for this purpose; it never does again."""
        with self._lock:
            drawn_for, until_ms = self._waiting.pop(challenge, ("", 0))
        return drawn_for == purpose and self._monotonic_ms() < until_ms
