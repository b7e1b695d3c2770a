"""What the demo says while it runs; how it looks is up to whoever shows it."""

from collections.abc import Sequence
from typing import Protocol

__all__ = ["Teller"]


class Teller(Protocol):
    """Whoever tells the demo to a person."""

    def step(self, number: int, title: str) -> None:
        """Begin a step."""

    def says(self, words: str) -> None:
        """Say why or what, in a sentence or two."""

    def typed(self, party: str, words: Sequence[str]) -> None:
        """Show a command that somebody of a party types now."""

    def desk(self, party: str, text: str) -> None:
        """Show what a desk of a party reads on its screen now."""

    def proven(self, words: str) -> None:
        """Say that something came out as promised, with its figures."""
