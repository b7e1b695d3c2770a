"""Which key of a party is in force where in its chain: one rule for hearing, start and bundle.

The first key is the one that a person compared. Each later one is brought by the EPOCH entry that
opens an epoch, and is in force in that epoch and those that follow it. So the key of a slot follows
from its epoch, and a record proves its keys from the first one and the root alone. Rules:
``specs/key-change.md`` §4.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from deconflict.errors import (
    BrokenChainError,
    InvalidInputError,
    UnknownKeyError,
    VerificationError,
)
from deconflict.line.envelope import Envelope, SealedEnvelope
from deconflict.line.epoch import EPOCH_KIND, opening_of
from deconflict.line.key_change import ChangeReason, KeyChange, open_change, read_unproven
from deconflict.line.keys import SigningKey, VerifyKey
from deconflict.line.root import Root
from deconflict.line.statement import ChainPoint

__all__ = ["KeyInForce", "KeyRing", "OwnKeys"]


@dataclass(frozen=True, slots=True)
class KeyInForce:
    """A key, and how it came in force.

    Attributes:
        key: it.
        number: 0 for the first, else that of the change that brought it.
        before: the one it replaced; None for the first.
        revokes: whether what the one before signs counts for nothing.
        change: which brought it; None for the first.
    """

    key: VerifyKey
    number: int = 0
    before: "KeyInForce | None" = None
    revokes: bool = False
    change: KeyChange | None = None

    def earlier(self) -> Iterator["KeyInForce"]:
        """Yield those before it on its way, the last one first."""
        found = self.before
        while found is not None:
            yield found
            found = found.before


class _Body(msgspec.Struct, frozen=True):
    key: KeyChange | None


class _Opening(msgspec.Struct, frozen=True):
    """What is read of an entry whose key is not known yet: nothing but the change it brings."""

    kind: str
    body: _Body


_OPENING: Final = msgspec.json.Decoder(_Opening)


class KeyRing(Mapping[str, VerifyKey]):
    """The keys of one party on one line, epoch by epoch.

    As a mapping it holds, by its id, the one key in force in the epoch entered last: what comes
    now is verified with that. It never forgets a key, and an id names one key for ever.

    Args:
        party: whose keys.
        first: with which the party was pinned.
        root: which was pinned with it; None for a party whose key can only be pinned anew.
    """

    def __init__(self, party: str, first: VerifyKey, root: Root | None = None) -> None:
        self.party: Final = party
        self.first: Final = first
        self.root: Final = root
        self._first: Final = KeyInForce(first)
        self._by_epoch: dict[str, KeyInForce] = {}
        self._ever: dict[str, VerifyKey] = {first.key_id: first}
        self._present = self._first

    @property
    def ever(self) -> Mapping[str, VerifyKey]:
        """Every key that is or was in force, by key id: what old proofs are verified with."""
        return self._ever

    @property
    def present(self) -> KeyInForce:
        """The key in force in the epoch entered last."""
        return self._present

    def of(self, epoch: str | None) -> KeyInForce:
        """Return the key in force in an epoch; of one that no EPOCH entry opened, the first."""
        return self._first if epoch is None else self._by_epoch.get(epoch, self._first)

    def after(self, point: ChainPoint | None) -> KeyInForce:
        """Return the key in force behind an entry; behind none, the first."""
        return self.of(None if point is None else point.epoch)

    def changes(self) -> tuple[KeyChange, ...]:
        """Return the changes on the way to the key in force, the first one first."""
        way = (self._present, *self._present.earlier())
        return tuple(held.change for held in reversed(way) if held.change is not None)

    def is_revoked(self, key_id: str) -> bool:
        """True exactly when a change revoked this key on the way to the present one."""
        chain = (self._present, *self._present.earlier())
        return any(
            held.revokes and held.before is not None and held.before.key.key_id == key_id
            for held in chain
        )

    def candidates(self, sealed: SealedEnvelope) -> Mapping[str, VerifyKey]:
        """Return the keys that an entry may be verified with, before a byte of it is believed.

        Of one signed by a key never heard of, the change that it brings is read, and nothing else;
        the root signed that, or the key stays unknown.
        """
        if sealed.signature.key_id in self._ever:
            return self._ever
        key = self._introduced(sealed.data)
        return self._ever if key is None else {**self._ever, key.key_id: key}

    def judge(self, envelope: Envelope, key_id: str) -> KeyInForce:
        """Return the key in force in an entry's epoch, when the entry is signed by the right one.

        Args:
            envelope: verified with the key it names.
            key_id: that key.

        Raises:
            UnknownKeyError: by another key than the one in force at its slot, or, if it brings a
                key, as :func:`~deconflict.line.key_change.open_change`, whose other errors come
                too.
            BrokenChainError: it brings a key whose change is not after the one in force, or one
                that was in force before.
        """
        opening = opening_of(envelope)
        held = self.of(envelope.epoch) if opening is None else self.after(opening.follows)
        signer = held
        if opening is not None and opening.key is not None:
            held = self._changed(signer, opening.key)
            signer = held if held.revokes else signer
        if key_id != signer.key.key_id:
            raise UnknownKeyError(
                f"an entry of {self.party} is signed by a key that is not in force there",
                given=f"slot {envelope.seq}, key {key_id[:16]}…",
                expected=f"key {signer.key.key_id[:16]}…",
                remedy="keep it as evidence; a key that was changed is not heard again",
            )
        return held

    def put(self, epoch: str, held: KeyInForce) -> None:
        """Remember which key is in force in an epoch, as :meth:`judge` found."""
        self._by_epoch[epoch] = held
        self._ever[held.key.key_id] = held.key

    def enter(self, epoch: str | None) -> None:
        """Make the key of an epoch the one in force now."""
        self._present = self.of(epoch)

    def take(self, envelope: Envelope, key_id: str) -> KeyInForce:
        """Judge an entry and remember what it opens; raises as :meth:`judge`."""
        held = self.judge(envelope, key_id)
        if envelope.seq == 1:
            self.put(envelope.epoch, held)
        return held

    def open_own(self, envelope: Envelope) -> KeyInForce:
        """Take an EPOCH entry that this node is about to make durable, and then to sign.

        Raises:
            VerificationError: the change that it brings would be refused.
        """
        opening = opening_of(envelope)
        before = self.after(None if opening is None else opening.follows)
        change = None if opening is None else opening.key
        held = before if change is None else self._changed(before, change)
        self.put(envelope.epoch, held)
        return held

    def signer_of(self, envelope: Envelope) -> VerifyKey:
        """Return the key that signs an entry of an epoch that was taken or put."""
        held = self.of(envelope.epoch)
        opening = opening_of(envelope)
        if opening is None or opening.key is None or held.revokes or held.before is None:
            return held.key
        return held.before.key

    def __getitem__(self, key_id: str) -> VerifyKey:
        if key_id != self._present.key.key_id:
            raise KeyError(key_id)
        return self._present.key

    def __iter__(self) -> Iterator[str]:
        yield self._present.key.key_id

    def __len__(self) -> int:
        return 1

    def _changed(self, before: KeyInForce, change: KeyChange) -> KeyInForce:
        opened = open_change(change, party=self.party, first=self.first.key_id, root=self.root)
        key, number = opened.key, opened.statement.number
        if number <= before.number:
            raise BrokenChainError(
                "the change of key is an old one",
                given=f"number {number}",
                expected=f"a number above {before.number}",
                remedy="keep it; whoever brings it back replays what was",
            )
        used = {held.key for held in (before, *before.earlier())}
        if key in used or (self.root is not None and self.root.holds(key)):
            raise BrokenChainError(
                "the change of key brings a key that was in use before",
                given=f"key {key.key_id[:16]}…",
                expected="a key that never signed for this party",
                remedy="draw another one: deconflict node key renew",
            )
        return KeyInForce(key, number, before, opened.revokes, change)

    def _introduced(self, data: bytes) -> VerifyKey | None:
        try:
            found = _OPENING.decode(data)
            change = found.body.key if found.kind == EPOCH_KIND else None
            if change is None or read_unproven(change).reason is not ChangeReason.REVOKED:
                return None
            opened = open_change(change, party=self.party, first=self.first.key_id, root=self.root)
        except (
            msgspec.DecodeError,
            UnicodeDecodeError,
            RecursionError,
            VerificationError,
            InvalidInputError,
        ):
            return None
        return opened.key


class OwnKeys:
    """The secret keys of this party that its lines may still need, and the change to the newest.

    One for all lines of a node, for each line comes to the newest key at its own time.

    Args:
        first: the key with which this party is pinned.
    """

    def __init__(self, first: SigningKey) -> None:
        self.first: Final = first
        self._change: KeyChange | None = None
        self._number = 0
        self._revokes = False
        self._by_id: Final = {first.key_id: first}

    @property
    def change(self) -> KeyChange | None:
        """The change that brings the newest key; None where there is only the first."""
        return self._change

    @property
    def number(self) -> int:
        """The number of the newest key."""
        return self._number

    @property
    def revokes(self) -> bool:
        """True exactly when the change to the newest key revokes the one before."""
        return self._revokes

    def add(self, key: SigningKey, change: KeyChange) -> None:
        """Take the next key, and the change that brings it.

        Raises:
            BrokenChainError: the change is not after the one taken last, or of another key.
        """
        statement = read_unproven(change)
        if statement.number <= self._number or statement.public != key.verify_key.to_base64():
            raise BrokenChainError(
                "this change of key does not follow the one that is here",
                given=f"number {statement.number}, key {key.key_id[:16]}…",
                expected=f"a number above {self._number}, of the key drawn for it",
                remedy="use the statement that the root signed for the newest request",
            )
        self._by_id[key.key_id] = key
        self._revokes = statement.reason is ChangeReason.REVOKED
        # Last, for another thread reads the number to know that there is something new.
        self._change, self._number = change, statement.number

    @property
    def public(self) -> Mapping[str, VerifyKey]:
        """The public halves by key id."""
        return {key_id: key.verify_key for key_id, key in self._by_id.items()}

    def of(self, key: VerifyKey) -> SigningKey:
        """Return the secret half of a key of this party.

        Raises:
            UnknownKeyError: it is not here.
        """
        return self.named(key.key_id)

    def named(self, key_id: str) -> SigningKey:
        """Return the secret key of this id; raises as :meth:`of`."""
        found = self._by_id.get(key_id)
        if found is None:
            raise UnknownKeyError(
                "the secret half of a key that this node signed with is not here",
                given=f"key {key_id[:16]}…",
                expected=", ".join(f"{known[:16]}…" for known in self._by_id),
                remedy="restore keys/ of the node folder from its newest backup",
            )
        return found
