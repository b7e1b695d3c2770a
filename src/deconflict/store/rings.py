"""The keys of a party on a line, as the entries of a record that open epochs brought them."""

from deconflict.errors import InvalidInputError, StoreDamagedError, VerificationError
from deconflict.line.envelope import read_envelope
from deconflict.line.key_ring import KeyRing
from deconflict.line.keys import VerifyKey
from deconflict.line.root import Root
from deconflict.store.base import Store

__all__ = ["ring_of"]


def ring_of(store: Store, line_id: str, party: str, first: VerifyKey, root: Root | None) -> KeyRing:
    """Return a party's keys on a line, entered as far as its chain has come.

    Of each epoch one entry is read. That the entries are signed, and follow, is for the proof of
    the record to say; who may sign them is decided here.

    Args:
        store: the record.
        line_id: the line.
        party: whose keys.
        first: with which it was pinned.
        root: pinned with it.

    Raises:
        StoreDamagedError: an epoch was opened by a key that was not in force, or brings one that
            the root did not sign.
    """
    ring = KeyRing(party, first, root)
    for head in store.epochs(line_id, party):
        row = store.entry_at(line_id, party, head.epoch, 1)
        if row is None:  # the walk along the chain names what is missing
            continue
        try:
            ring.take(read_envelope(row.data), row.key_id)
        except (VerificationError, InvalidInputError) as error:
            raise StoreDamagedError(
                f"the key of {party} at an epoch of line {line_id} does not verify: {error}",
                given=f"line {line_id}, party {party}, epoch {row.epoch}",
                remedy="stop the node, keep the file as it is, and restore a verified copy; if the "
                "pinned root was removed, bring it back",
            ) from error
        ring.enter(row.epoch)
    return ring
