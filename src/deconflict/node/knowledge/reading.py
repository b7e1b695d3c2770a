"""The second reading of a bundle: what was proven at the first is laid into columns."""

import hashlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from deconflict.errors import ForkedChainError, InvalidDocumentError, WrongLineError
from deconflict.line.checkpoint import cosignature_time_s, read_checkpoint
from deconflict.line.envelope import Envelope
from deconflict.line.key_ring import KeyRing
from deconflict.line.keys import VerifyKey
from deconflict.line.moment import utc_ms_from_text
from deconflict.line.note import read_note
from deconflict.line.receipt import Receipt
from deconflict.line.root import Root
from deconflict.line.statement import hash_of
from deconflict.node.bundle_lines import (
    CheckpointItem,
    EntryItem,
    Item,
    ReceiptItem,
    Seal,
    lines_of,
    proven_item,
    whole_pieces,
)
from deconflict.node.bundle_verified import VerifiedBundle
from deconflict.node.knowledge.bounds import (
    Bounds,
    ProofKind,
    Proofs,
    Stamps,
    bounds_of,
    stamps_of,
)
from deconflict.node.knowledge.chain import NONE, ChainColumns

__all__ = ["Missing", "OneRecord", "Record", "join_records", "proven_envelope", "read_record"]

_ENVELOPE = msgspec.json.Decoder(Envelope)
_RECEIPT = msgspec.json.Decoder(Receipt)
_SECOND_MS = 1_000


@dataclass(slots=True)
class _Signed:
    """What a side signed of the other's chain beside its messages: slots, and when."""

    epochs: dict[str, int] = field(default_factory=dict)
    slots: "array[int]" = field(default_factory=lambda: array("q"))  # epoch, number, instant

    def add(self, epoch: str, seq: int, at_ms: int) -> None:
        self.slots.extend((self.epochs.setdefault(epoch, len(self.epochs)), seq, at_ms))

    def give(self, chain: ChainColumns, kind: ProofKind, proofs: Proofs) -> None:
        """Turn each into a proof."""
        epochs = list(self.epochs)
        for at in range(0, len(self.slots), 3):
            epoch, seq, at_ms = self.slots[at : at + 3]
            index = chain.slot(epochs[epoch], seq)
            if index is not None:
                proofs.add_signed(index, kind, at_ms)


class OneRecord:
    """What one exporter's bundle says, in columns.

    Args:
        proven: what the bundle proves.
        trusted: each party's first key.
        roots: of those that have one.
        file: its number among those that are read together.
    """

    def __init__(
        self,
        proven: VerifiedBundle,
        trusted: Mapping[str, VerifyKey],
        roots: Mapping[str, Root],
        file: int = 0,
    ) -> None:
        self.proven = proven
        parties = [chain.party for chain in proven.chains]
        self.chains = {party: ChainColumns(party, file) for party in parties}
        self.rings = {party: KeyRing(party, trusted[party], roots.get(party)) for party in parties}
        self._receipts = {party: _Signed() for party in parties}  # by the chain's author
        self._cosigned = {party: _Signed() for party in parties}

    def take(self, item: Item, offset: int) -> None:
        """Take one item of the bundle, whose line begins at this byte."""
        match item:
            case EntryItem():
                self._take_entry(item, offset)
            case ReceiptItem():
                receipt = _RECEIPT.decode(item.exact)
                signed = self._receipts[receipt.to]
                signed.add(receipt.epoch, receipt.seq, utc_ms_from_text(receipt.received_utc))
            case CheckpointItem():
                self._take_checkpoint(item)

    def give(self, chain: ChainColumns, proofs: Proofs) -> None:
        """Give what the other side signed of an author's chain beside its messages."""
        self._receipts[chain.party].give(chain, ProofKind.RECEIPT, proofs)
        self._cosigned[chain.party].give(chain, ProofKind.COSIGNED, proofs)

    def _take_entry(self, item: EntryItem, offset: int) -> None:
        data = item.exact
        envelope = _ENVELOPE.decode(data)
        ring = self.rings[item.party]
        chain = self.chains[item.party]
        if not chain.parts or chain.parts[-1].epoch != envelope.epoch:
            ring.take(envelope, item.key_id)
        in_force = ring.of(envelope.epoch)
        # Of its own messages the exporter says when it said them, which their stamps say as well.
        came = item.party != self.proven.by
        chain.add(
            envelope,
            hash_of(data),
            offset=offset,
            logged_ms=utc_ms_from_text(item.logged_utc) if came else NONE,
            delayed=item.delayed and came,
            key=(in_force.key.key_id, in_force.number),
        )

    def _take_checkpoint(self, item: CheckpointItem) -> None:
        note = read_note(item.exact)
        checkpoint = read_checkpoint(note.text)
        author = checkpoint.origin.party
        (other,) = self.chains.keys() - {author}
        time_s = cosignature_time_s(note, other, self.rings[other].ever)
        # It was signed within the second that it names.
        at_ms = (time_s + 1) * _SECOND_MS - 1
        self._cosigned[author].add(checkpoint.origin.epoch, checkpoint.head.size, at_ms)


def read_record(
    chunks: Iterable[bytes],
    proven: VerifiedBundle,
    trusted: Mapping[str, VerifyKey],
    roots: Mapping[str, Root],
    file: int = 0,
) -> OneRecord:
    """Read a bundle again that was verified, and return what it says in columns.

    Raises:
        InvalidDocumentError: these are not the bytes that were verified.
    """
    record = OneRecord(proven, trusted, roots, file)
    digest = hashlib.sha256()
    offset = 0
    for piece in whole_pieces(chunks):
        for line in lines_of(piece):
            try:
                item = proven_item(line)
            except msgspec.DecodeError as error:
                raise _changed() from error
            if isinstance(item, Seal):
                break
            digest.update(line)
            record.take(item, offset)
            offset += len(line)
    if digest.hexdigest() != proven.sha256:
        raise _changed()
    return record


def proven_envelope(line: bytes) -> Envelope:
    """Return the envelope of an entry's line, of a bundle that was verified."""
    item = proven_item(line)
    if not isinstance(item, EntryItem):
        raise _changed()
    return _ENVELOPE.decode(item.exact)


def _changed() -> InvalidDocumentError:
    return InvalidDocumentError(
        "the file changed while it was read",
        expected="the bytes that were verified",
        remedy="copy the file to where nobody writes, and give the command again",
    )


@dataclass(frozen=True, slots=True)
class Missing:
    """What one record has of a chain and the other has not.

    ``held`` of these messages are proven to have been held by the side whose record has them not.
    """

    party: str  # whose messages
    record_of: str  # who exported the record that lacks them
    messages: int
    first_seq: int
    held: int


@dataclass(frozen=True, slots=True)
class Record:
    """One line as one exporter shows it, or both.

    Attributes:
        line_id: the line.
        parties: both, in order of alphabet.
        exporters: whose bundles these are.
        bounds: by author: when its messages were said, and by when the other side held them.
        rings: every key of both.
        missing: how two bundles differ.
        exported_ms: by exporter, when it says that it wrote its bundle.
    """

    line_id: str
    parties: tuple[str, str]
    exporters: tuple[str, ...]
    bounds: Mapping[str, Bounds]
    rings: Mapping[str, KeyRing]
    missing: tuple[Missing, ...] = ()
    exported_ms: Mapping[str, int] = field(default_factory=dict)

    def other(self, party: str) -> str:
        """Return the other party."""
        return self.parties[1] if party == self.parties[0] else self.parties[0]

    def chain(self, party: str) -> ChainColumns:
        """Return a party's chain."""
        return self.bounds[party].chain

    def stamps(self, party: str) -> Stamps:
        """Return when a party's messages were said, by its word."""
        return self.bounds[party].stamps


def join_records(records: Sequence[OneRecord]) -> Record:
    """Return what one bundle says, or two of the same line by both sides together.

    Of each chain the record that holds more of it is taken; what either side signed counts, from
    whichever bundle it comes. Each exporter's word counts for what came to itself.

    Raises:
        WrongLineError: they are of two lines.
        ForkedChainError: one side signed two messages for one place.
    """
    first = records[0]
    for record in records[1:]:
        if record.proven.line_id != first.proven.line_id:
            raise WrongLineError(
                "these are records of two lines",
                given=record.proven.line_id,
                expected=first.proven.line_id,
                remedy="give both sides' records of one line",
            )
    parties = sorted(first.chains)
    chains: dict[str, ChainColumns] = {}
    fullest: dict[str, OneRecord] = {}
    differences: list[tuple[str, OneRecord, array[int]]] = []
    for party in parties:
        full, *rest = sorted(records, key=lambda one: -len(one.chains[party]))
        fullest[party] = full
        chains[party] = full.chains[party]
        for record in rest:
            missing = _laid_beside(chains[party], record)
            if missing:
                differences.append((party, record, missing))
    one, other = (chains[party] for party in parties)
    one.join(other)
    other.join(one)
    stamps = {party: stamps_of(chains[party]) for party in parties}
    bounds = {}
    for author, holder in ((one, other), (other, one)):
        proofs = Proofs(holder, stamps[holder.party])
        for record in records:
            record.give(author, proofs)
        bounds[author.party] = bounds_of(author, stamps[author.party], proofs)
    return Record(
        line_id=first.proven.line_id,
        parties=(parties[0], parties[1]),
        exporters=tuple(dict.fromkeys(record.proven.by for record in records)),
        bounds=bounds,
        rings={party: fullest[party].rings[party] for party in parties},
        missing=tuple(
            _missing(bounds[party], record, missing) for party, record, missing in differences
        ),
        exported_ms={
            record.proven.by: utc_ms_from_text(record.proven.exported_utc) for record in records
        },
    )


def _missing(bounds: Bounds, record: OneRecord, missing: "array[int]") -> Missing:
    chain = bounds.chain
    held = sum(bounds.first[index] != NONE for index in missing)
    return Missing(
        party=chain.party,
        record_of=record.proven.by,
        messages=len(missing),
        first_seq=chain.seq(missing[0]),
        held=0 if record.proven.by == chain.party else held,
    )


def _laid_beside(full: ChainColumns, record: OneRecord) -> "array[int]":
    """Take over what a second record says of a chain; return the entries that it lacks.

    Raises:
        ForkedChainError: it has another entry in a slot.
    """
    chain = record.chains[full.party]
    found = bytearray(len(full))
    for number, part in enumerate(chain.parts):
        end = chain.parts[number + 1].start if number + 1 < len(chain.parts) else len(chain)
        for index in range(part.start, end):
            seq = index - part.start + 1
            twin = full.slot(part.epoch, seq)
            if twin is None or full.name(twin) != chain.name(index):
                raise _forked(full.party, part.epoch, seq, lacks=twin is None)
            found[twin] = 1
            if chain.logged[index] != NONE:
                full.logged[twin] = chain.logged[index]
                full.delayed[twin] = chain.delayed[index]
    return array("q", (index for index in range(len(full)) if not found[index]))


def _forked(party: str, epoch: str, seq: int, *, lacks: bool) -> ForkedChainError:
    what = "goes on where the other ends otherwise" if lacks else "holds another message there"
    return ForkedChainError(
        f"the two records differ in what {party} said: one {what}",
        given=f"slot {seq} of epoch {epoch}",
        expected="the same signed messages for as far as both reach",
        remedy="keep both files, they are the proof; replay each of them alone",
    )
