"""For which peers this party compares lists as a mediator: for none, until its people say so.

In the folder of what private checks keep for the owner's eyes::

    private/mediates-<line>.json    that the peer of a line is answered, and how much it may send
"""

from pathlib import Path
from typing import Final

import msgspec

from deconflict.node.private.files import SecretFolder, line_name

__all__ = ["DEFAULT_MOST_BYTES", "MediatesFor", "MediatorFiles"]

# Sixteen lists of a day at the default bucket of tags.
DEFAULT_MOST_BYTES: Final = 16 * (1 << 18) * 16


class MediatesFor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """That lists of the peer of a line are compared.

    Attributes:
        peer: whose.
        set_utc: since when.
        by: the account that said so.
        most_bytes: of lists that wait at once.
    """

    peer: str
    set_utc: str
    by: str
    most_bytes: int


class MediatorFiles(SecretFolder):
    """The consents of this party to mediate."""

    def get(self, line_id: str) -> MediatesFor | None:
        """Return the consent for a line; None where there is none.

        Raises:
            ConfigurationError: others than the owner may read the file.
            InvalidDocumentError: it is damaged.
        """
        return self.read(self._path(line_id), MediatesFor)

    def put(self, line_id: str, given: MediatesFor) -> None:
        """Keep a consent.

        Raises:
            ConfigurationError: the disk refuses it.
        """
        self.write(self._path(line_id), given)

    def withdraw(self, line_id: str) -> bool:
        """Compare nothing of a line any more; True exactly when something was until now."""
        return self.folder.is_dir() and self.erase(self._path(line_id))

    def most_bytes(self, line_id: str, peer: str) -> int:
        """Return how much the peer of a line may send in lists; 0 without consent."""
        given = self.get(line_id)
        return given.most_bytes if given is not None and given.peer == peer else 0

    def _path(self, line_id: str) -> Path:
        return self.folder / f"mediates-{line_name(line_id)}.json"
