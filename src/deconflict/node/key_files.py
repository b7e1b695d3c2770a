"""The keys of a node folder that came after its first one, and the root that vouches for them.

::

    keys/root.json          the root: public, as the peers pin it
    keys/signing-<n>.key    key number n, drawn for a request; sealed as the first one is
    keys/change-<n>.json    what the root signed for it; once it is here, the key is in force

The first key stays: its public half names the lines, and its secret half opens the TLS key. A key
number n without its change is a request that waits for the root.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from deconflict.errors import ConfigurationError, DeconflictError, NotFoundError
from deconflict.line.canonical import canonical_bytes, parse_canonical
from deconflict.line.key_change import (
    MAX_KEY_CHANGE_BYTES,
    ChangeReason,
    KeyChange,
    OpenedChange,
    asked_change,
    open_change,
    read_change,
    read_unproven,
)
from deconflict.line.key_ring import OwnKeys
from deconflict.line.keys import RandomBytes, SigningKey, VerifyKey
from deconflict.line.moment import utc_ms_from_text, utc_text
from deconflict.line.root import Root
from deconflict.node.files import refuse_readable_by_others, write_atomically

__all__ = ["MAX_ROOT_BYTES", "KeyFiles", "read_root", "root_bytes"]

MAX_ROOT_BYTES: Final = 1_024
_CHANGE = re.compile(r"change-([1-9][0-9]{0,8})\.json")

Unseal = Callable[[bytes], SigningKey]
Seal = Callable[[SigningKey], bytes]


class _KeyName(msgspec.Struct, frozen=True):
    """What a key file says in the clear."""

    key_id: str


class KeyFiles:
    """The later keys of one node folder.

    Args:
        path: its ``keys`` directory.
        party: whose node it is.
        first: its first key.
    """

    def __init__(self, path: Path, party: str, first: VerifyKey) -> None:
        self._path: Final = path
        self._party: Final = party
        self._first: Final = first

    def root(self) -> Root | None:
        """Return the root; None for a node that has none.

        Raises:
            ConfigurationError: the file is there and cannot be used.
        """
        file = self._path / "root.json"
        if not file.exists():
            return None
        try:
            return read_root(_bytes_of(file, MAX_ROOT_BYTES))
        except DeconflictError as error:
            raise ConfigurationError(
                "the root of this node cannot be read",
                given=f"{file}: {error.problem}",
                remedy="restore keys/ from its backup",
            ) from error

    def set_root(self, root: Root) -> None:
        """Keep a root. One that is there stays: peers have pinned it.

        Raises:
            ConfigurationError: another one is there.
        """
        known = self.root()
        if known is not None and known != root:
            raise ConfigurationError(
                "this node has another root already, which its peers pinned",
                given=f"root {root.root_id[:16]}…",
                expected=f"root {known.root_id[:16]}…",
                remedy="keep it; another root begins with a new node, pinned anew by every peer",
            )
        write_atomically(self._path / "root.json", root_bytes(root), mode=0o644)

    def changes(self) -> tuple[KeyChange, ...]:
        """Return the changes in force, by number.

        Raises:
            ConfigurationError: one of them cannot be read.
        """
        numbers = sorted(
            int(found[1])
            for file in self._path.glob("change-*.json")
            if (found := _CHANGE.fullmatch(file.name)) is not None
        )
        return tuple(self._read(number) for number in numbers)

    @property
    def number(self) -> int:
        """The number of the key in force; 0 for the first."""
        changes = self.changes()
        return read_unproven(changes[-1]).number if changes else 0

    def since_utc_ms(self, begun_utc_ms: int) -> int:
        """Return when the key in force was drawn; the first one when the node was made."""
        changes = self.changes()
        if not changes:
            return begun_utc_ms
        return utc_ms_from_text(read_unproven(changes[-1]).created_utc)

    def ask(
        self,
        *,
        reason: ChangeReason,
        seal: Seal,
        unseal: Unseal,
        now_utc_ms: int,
        random_bytes: RandomBytes,
    ) -> KeyChange:
        """Return what the root is to sign: the change to the next key, drawn and kept here.

        Asked again, the same key; but for a revocation one is drawn in any case, for whoever took
        the key in force may have taken the one that waits.

        Raises:
            NotFoundError: this node has no root.
            ConfigurationError: the key that waits cannot be opened.
        """
        root = self.root()
        if root is None:
            raise NotFoundError(
                "this node has no root, so nobody can vouch for another key of it",
                expected=str(self._path / "root.json"),
                remedy="make one offline with deconflict node root create, bring its public file "
                "here with deconflict node root set, and have the peers pin it",
            )
        number = self.number + 1
        file = self._path / f"signing-{number}.key"
        if file.exists() and reason is not ChangeReason.REVOKED:
            key = unseal(_bytes_of(file, MAX_KEY_CHANGE_BYTES))
        else:
            key = SigningKey.generate(random_bytes)
            write_atomically(file, seal(key), mode=0o600)
        return asked_change(
            party=self._party,
            first=self._first.key_id,
            root=root,
            number=number,
            key=key,
            reason=reason,
            created_utc=utc_text(now_utc_ms),
        )

    def install(self, change: KeyChange) -> OpenedChange:
        """Put a change in force: a node that runs, or starts, takes the key up.

        Installed a second time it stays as it is.

        Raises:
            VerificationError: the root did not sign it, or it is not for this node.
            ConfigurationError: it is not for the key that waits here.
        """
        opened = open_change(change, party=self._party, first=self._first.key_id, root=self.root())
        number = opened.statement.number
        if number <= self.number and self._read(number) == change:
            return opened
        waiting = self._path / f"signing-{number}.key"
        if number != self.number + 1 or not waiting.exists():
            raise ConfigurationError(
                "the statement is for a key that does not wait here",
                given=f"number {number}",
                expected=f"number {self.number + 1}, drawn with deconflict node key renew",
                remedy="have the root sign the newest request of this node",
            )
        named = msgspec.json.decode(_bytes_of(waiting, MAX_KEY_CHANGE_BYTES), type=_KeyName)
        if named.key_id != opened.key.key_id:
            raise ConfigurationError(
                "the statement is for another key than the one that waits here",
                given=f"key {opened.key.key_id[:16]}…",
                expected=f"key {named.key_id[:16]}…",
                remedy="have the root sign the newest request of this node",
            )
        write_atomically(self._path / f"change-{number}.json", change.export(), mode=0o644)
        return opened

    def add_to(self, keys: OwnKeys, unseal: Unseal) -> None:
        """Give a node the keys in force that it does not have yet.

        Raises:
            ConfigurationError: a file is missing or cannot be opened.
            VerificationError: a change is not what the root signed.
        """
        for change in self.changes():
            number = read_unproven(change).number
            if number <= keys.number:
                continue
            file = self._path / f"signing-{number}.key"
            refuse_readable_by_others(file)
            open_change(change, party=self._party, first=self._first.key_id, root=self.root())
            keys.add(unseal(_bytes_of(file, MAX_KEY_CHANGE_BYTES)), change)

    def _read(self, number: int) -> KeyChange:
        file = self._path / f"change-{number}.json"
        try:
            return read_change(_bytes_of(file, MAX_KEY_CHANGE_BYTES))
        except DeconflictError as error:
            raise ConfigurationError(
                "a change of this node's key cannot be read",
                given=f"{file}: {error.problem}",
                remedy="restore keys/ from its newest backup",
            ) from error


def read_root(data: bytes) -> Root:
    """Return the root in a file.

    Raises:
        InvalidDocumentError, NotCanonicalError, WeakKeyError: it holds none.
    """
    return Root.from_plain(parse_canonical(data.removesuffix(b"\n"), max_bytes=MAX_ROOT_BYTES))


def root_bytes(root: Root) -> bytes:
    """Return the file of a root: canonical JSON and a newline."""
    return canonical_bytes(root.to_plain()) + b"\n"


def _bytes_of(file: Path, most: int) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(most + 2)
    except OSError as error:
        raise ConfigurationError(
            "a key file of the node folder cannot be read",
            given=f"{file}: {error.strerror}",
            remedy="restore keys/ from its newest backup",
        ) from error
