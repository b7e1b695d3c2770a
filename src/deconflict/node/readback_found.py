"""A readback that is held, and is compared when somebody asks."""

from collections.abc import Callable

import msgspec

from deconflict.messages.declaration import SoundDeclaration
from deconflict.messages.in_force import landmarks_of
from deconflict.messages.readback import Difference, ReadbackValues, compare_readback
from deconflict.messages.terms import Terms

__all__ = ["KeptReadback", "ReadbackFound", "compared"]


class KeptReadback(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A readback as values: the attributes of a :class:`ReadbackFound`, compared."""

    declaration_key: str
    message_hash: str
    told: bool
    differences: tuple[Difference, ...]


class ReadbackFound:
    """What a readback said of a declaration, compared by machine when somebody asks.

    Attributes:
        declaration_key: the declaration's.
        message_hash: the readback.
        told: True exactly when the declarer's result of it is in the record.
    """

    __slots__ = ("_compare", "_differences", "declaration_key", "message_hash", "told")

    def __init__(
        self,
        declaration_key: str,
        message_hash: str,
        compare: Callable[[], tuple[Difference, ...]],
    ) -> None:
        self.declaration_key = declaration_key
        self.message_hash = message_hash
        self.told = False
        self._compare: Callable[[], tuple[Difference, ...]] | None = compare
        self._differences: tuple[Difference, ...] = ()

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Where it differs by more than the terms of its time allow."""
        if self._compare is not None:
            self._differences, self._compare = self._compare(), None
        return self._differences

    def kept(self) -> KeptReadback:
        """Return it as values, compared."""
        return KeptReadback(self.declaration_key, self.message_hash, self.told, self.differences)

    @classmethod
    def of(cls, kept: KeptReadback) -> "ReadbackFound":
        """Return what was kept of one."""
        found = cls(kept.declaration_key, kept.message_hash, lambda: kept.differences)
        found.told = kept.told
        return found


def compared(
    sound: SoundDeclaration, values: ReadbackValues, terms: Terms
) -> tuple[Difference, ...]:
    """Return in what a readback differs from a declaration, by the terms' landmarks and limits."""
    return compare_readback(
        sound.value, values, landmarks=landmarks_of(terms), tolerances=terms.readback
    )
