"""With which keys a line is spoken: both parties' first ones, their roots, and our secret ones."""

from dataclasses import dataclass

from deconflict.line.key_ring import OwnKeys
from deconflict.line.keys import VerifyKey
from deconflict.line.restored import LineIdentity
from deconflict.line.root import Root
from deconflict.store.base import Store
from deconflict.store.rings import ring_of

__all__ = ["LineKeys"]


@dataclass(frozen=True, slots=True)
class LineKeys:
    """What a line's keys follow from, together with its record.

    Attributes:
        own: our secret keys, one set for all lines.
        peer: the key with which the peer was pinned.
        own_root: our root; None for a party that cannot change its key.
        peer_root: the peer's, as pinned.
    """

    own: OwnKeys
    peer: VerifyKey
    own_root: Root | None = None
    peer_root: Root | None = None

    def identity(self, store: Store, line_id: str, own: str, peer: str) -> LineIdentity:
        """Return who speaks on the line, under the keys that its record has come to.

        Raises:
            StoreDamagedError: the record brings a key in force that nobody vouches for.
            UnknownKeyError: our secret key of the present epoch is not here.
        """
        own_ring = ring_of(store, line_id, own, self.own.first.verify_key, self.own_root)
        return LineIdentity(
            line_id=line_id,
            own=own,
            peer=peer,
            own_key=self.own.of(own_ring.present.key),
            peer_ring=ring_of(store, line_id, peer, self.peer, self.peer_root),
            own_ring=own_ring,
            own_keys=self.own,
        )
