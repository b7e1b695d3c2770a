"""A declaration as it stands on a line."""

from dataclasses import dataclass
from typing import NamedTuple

from deconflict.messages.declaration import Declaration, SoundDeclaration
from deconflict.separation import Extent

__all__ = ["Cancelled", "Declared"]


class Cancelled(NamedTuple):
    """A declaration that was cancelled: whose, and which."""

    party: str
    declaration_id: str
    own: bool

    @property
    def key(self) -> str:
        """As of the declaration."""
        return f"{self.party}/{self.declaration_id}"


@dataclass(frozen=True, slots=True)
class Declared:
    """A declaration as it stands on a line: whose, since when, by which message."""

    sound: SoundDeclaration
    party: str
    own: bool
    message_hash: str
    seq: int
    declared_ms: int
    drill: bool = False

    @property
    def declaration(self) -> Declaration:
        """What is declared."""
        return self.sound.value

    @property
    def declaration_id(self) -> str:
        """Its id; nothing else of it is read for that."""
        return self.sound.declaration_id

    @property
    def key(self) -> str:
        """Name it among all parties: an id alone could be taken by the other side as well."""
        return f"{self.party}/{self.sound.declaration_id}"

    @property
    def start_ms(self) -> int:
        """When it begins."""
        return self.sound.start_ms

    @property
    def end_ms(self) -> int:
        """When it is over."""
        return self.sound.end_ms

    @property
    def extent(self) -> Extent:
        """What the separation check sees of it."""
        return Extent(
            key=self.key,
            party=self.party,
            purpose=self.declaration.purpose,
            geometry=self.declaration.geometry,
        )
