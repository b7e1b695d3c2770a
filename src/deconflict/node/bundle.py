"""The record of a line as one text file, for anybody to prove without any node.

Whoever exports seals the whole file; what it holds is proven by the signatures of both parties
inside, so the exporter need not be believed for what was said, only for when it came. Bytes:
``specs/bundle.md``; the proof: :mod:`.bundle_proof`.
"""

import hashlib
import logging
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from deconflict.errors import (
    NotFoundError,
    PartMissingError,
)
from deconflict.line.checkpoint import cosign_checkpoint
from deconflict.line.envelope import read_envelope, seal_envelope
from deconflict.line.key_ring import OwnKeys
from deconflict.line.keys import ALGORITHM, SigningKey, VerifyKey
from deconflict.line.moment import utc_text
from deconflict.line.note import SignedNote, read_note
from deconflict.node.bundle_lines import (
    BUNDLE_FORMAT,
    CONTEXT_BUNDLE,
    CheckpointItem,
    EntryItem,
    EvidenceItem,
    Item,
    Manifest,
    PartItem,
    ReceiptItem,
    Seal,
    TermsItem,
    base64_text,
    encoded,
)
from deconflict.node.bundle_parts import named_parts
from deconflict.node.witness.state import with_lines, witness_lines
from deconflict.store.base import (
    CheckpointRow,
    EntryRow,
    EvidenceRow,
    LineRow,
    ReceiptRow,
    Store,
    TermsRow,
)
from deconflict.store.parts import Parts

__all__ = ["cosigned_note", "export_bundle"]

logger = logging.getLogger("deconflict.node")

_STEP: Final = b'"PRIVATE_STEP"'


def export_bundle(
    store: Store,
    line: str,
    *,
    signer: SigningKey,
    peer_key: VerifyKey,
    exported_utc_ms: int,
    own_keys: OwnKeys | None = None,
    parts: Parts | None = None,
) -> Iterator[bytes]:
    """Yield the bundle of one line, a line of text at a time.

    It holds what the record holds when the first line is read; what is committed later is left for
    the next one. Own entries whose signature is not stored yet are signed here: their slots are
    durable, and the same bytes give the same signature.

    Args:
        store: the verified record.
        line: the line's id.
        signer: the own key in force.
        peer_key: with which the peer was pinned.
        exported_utc_ms: now.
        own_keys: all own keys, where there was another before; None for ``signer`` alone.
        parts: of the line's private checks; those that are there and whole go along.

    Raises:
        NotFoundError: there is no such line.
        StoreError: the record cannot be read.
    """
    row = store.line(line)
    if row is None:
        raise NotFoundError("there is no such line", given=line, remedy="see the list of lines")
    keys = own_keys or OwnKeys(signer)
    items = _items(store, row, signer, keys, peer_key, exported_utc_ms, parts)
    return _sealed_lines(items, signer)


def _items(
    store: Store,
    line: LineRow,
    signer: SigningKey,
    own_keys: OwnKeys,
    peer_key: VerifyKey,
    exported_utc_ms: int,
    parts: Parts | None,
) -> Iterator[Item]:
    keys = {line.own_party: own_keys.first.verify_key, line.peer_party: peer_key}
    lengths = {head.party: head.length for head in store.heads(line.line_id)}
    yield Manifest(
        format=BUNDLE_FORMAT,
        line=line.line_id,
        keys={party: key.to_base64() for party, key in keys.items()},
        by=line.own_party,
        exported_utc=utc_text(exported_utc_ms),
    )
    for terms in store.terms(line.line_id):
        yield TermsItem(
            *_signed(terms), party=terms.party, stored_utc=utc_text(terms.stored_utc_ms)
        )
    last: dict[tuple[str, str], int] = {}  # author and epoch -> highest number in the bundle
    here: set[str] = set()  # no more than lie on the disk, however many a peer names
    for party in sorted(keys):
        for entry in islice(store.entries(line.line_id, party), lengths.get(party, 0)):
            yield EntryItem(
                *_signed(entry, own_keys),
                party=party,
                logged_utc=utc_text(entry.logged_utc_ms),
                delayed=entry.delayed,
            )
            last[party, entry.epoch] = entry.seq
            if parts is not None and _STEP in entry.data:
                here.update(name for name in _named_by(entry.data) if parts.has(name))
    for author in sorted(keys):
        (receipter,) = keys.keys() - {author}
        for receipt in store.receipts(line.line_id, receipter):
            if receipt.seq <= last.get((author, receipt.epoch), 0):
                yield ReceiptItem(*_signed(receipt), stored_utc=utc_text(receipt.stored_utc_ms))
    for author in sorted(keys):
        third = witness_lines(store, line.line_id, author)
        for checkpoint in store.checkpoints(line.line_id, author):
            if checkpoint.size <= last.get((author, checkpoint.epoch), 0):
                note = cosigned_note(checkpoint, line, signer)
                note = with_lines(note, third.get((checkpoint.epoch, checkpoint.size)))
                yield CheckpointItem(
                    base64_text(note.to_bytes()), stored_utc=utc_text(checkpoint.stored_utc_ms)
                )
    for kept in store.evidence(line.line_id):
        yield EvidenceItem(
            *_signed(kept), reason=kept.reason, stored_utc=utc_text(kept.stored_utc_ms)
        )
    if parts is not None:
        yield from _part_items(parts, here)


def _part_items(parts: Parts, names: set[str]) -> Iterator[Item]:
    for name in sorted(names):
        try:
            data = parts.read(name)
        except PartMissingError as error:  # gone meanwhile, or damaged: it counts as missing
            logger.warning("a part of a private check is not in the record: %s", error)
            continue
        yield PartItem(name, base64_text(data))


def _named_by(data: bytes) -> tuple[str, ...]:
    found = named_parts(read_envelope(data))
    return () if found is None else found[2]


def cosigned_note(row: CheckpointRow, line: LineRow, signer: SigningKey) -> SignedNote:
    """Return a stored checkpoint with both signatures.

    Of the peer's chain the record holds the state that was made durable before it was cosigned;
    the cosignature follows from it, to the same bytes each time.
    """
    note = read_note(row.note)
    if row.party == line.own_party:
        return note
    return cosign_checkpoint(note, line.own_party, signer, time_s=row.cosigned_utc_s)


def _signed(
    row: TermsRow | EntryRow | ReceiptRow | EvidenceRow, own_keys: OwnKeys | None = None
) -> tuple[str, str, str, str]:
    signature = row.signature
    if signature is None and own_keys is not None:
        signature = seal_envelope(row.data, own_keys.named(row.key_id)).signature.value
    return base64_text(row.data), row.algorithm, row.key_id, base64_text(signature or b"")


def _sealed_lines(items: Iterable[Item], signer: SigningKey) -> Iterator[bytes]:
    digest = hashlib.sha256()
    for item in items:
        line = encoded(item)
        digest.update(line)
        yield line
    signature = signer.sign(CONTEXT_BUNDLE, digest.digest())
    yield encoded(Seal(digest.hexdigest(), ALGORITHM, signer.key_id, base64_text(signature)))
