"""The proof of a bundle: bytes and two public keys in, what they prove out; no node, no clock."""

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain as _chained
from typing import Final, TypeAlias

import msgspec

from deconflict.errors import (
    BadSignatureError,
    BrokenChainError,
    ForkedChainError,
    InvalidDocumentError,
    UnknownKeyError,
    VerificationError,
    WrongLineError,
    WrongSenderError,
)
from deconflict.line.checkpoint import (
    cosignature_time_s,
    entry_leaf,
    open_checkpoint,
    read_checkpoint,
)
from deconflict.line.envelope import Envelope, SealedEnvelope, open_envelope
from deconflict.line.epoch import opening_of
from deconflict.line.keys import VerifyKey, key_named, line_id
from deconflict.line.log import ChainCheck
from deconflict.line.moment import utc_text
from deconflict.line.note import read_note
from deconflict.line.receipt import SealedReceipt, open_receipt
from deconflict.line.statement import (
    ChainPoint,
    hash_of,
)
from deconflict.line.tree import HASH_BYTES, GrowingTree
from deconflict.messages.agreement import CONTEXT_TERMS
from deconflict.node.bundle_chain import RecordedChain
from deconflict.node.bundle_entries import EntryStretch, QuickEntries, Stretch
from deconflict.node.bundle_lines import (
    CONTEXT_BUNDLE,
    CheckpointItem,
    EntryItem,
    EvidenceItem,
    Item,
    Manifest,
    ReceiptItem,
    Seal,
    TermsItem,
    decoded,
    lines_of,
    malformed,
    proven_entry,
    whole_pieces,
)
from deconflict.node.call_proof import CALL_KINDS, CallProof, VerifiedCall

__all__ = ["VerifiedBundle", "VerifiedChain", "verify_bundle"]

_ORDER: Final = (
    Manifest,
    TermsItem,
    EntryItem,
    ReceiptItem,
    CheckpointItem,
    EvidenceItem,
    Seal,
)
_ENTRIES: Final = _ORDER.index(EntryItem)
_ENVELOPE: Final = msgspec.json.Decoder(Envelope)  # for bytes that were proven to be one
Look: TypeAlias = Callable[[Envelope, str, bool], None]  # an entry, its hash, whether it was late
_Taken: TypeAlias = TermsItem | EntryItem | ReceiptItem | CheckpointItem | EvidenceItem


@dataclass(frozen=True, slots=True)
class VerifiedChain:
    """One party's side of a verified record.

    The peer's signed receipts, citations and cosignatures prove that it held the first ``length -
    unreceipted`` entries; for the rest this record has no such proof. The first ``cosigned`` are
    fixed by a checkpoint that both signed: no other record of them can be shown.
    """

    party: str
    key_id: str
    length: int
    head: ChainPoint | None
    receipted: ChainPoint | None  # the last entry that the peer signed to hold
    unreceipted: int
    drills: int  # entries marked as exercise
    delayed: int  # entries the exporter logged after they had expired
    cosigned: int = 0  # entries under the last checkpoint that the peer cosigned
    cosigned_utc: str | None = None  # when, by the peer's clock
    checkpoints: int = 0
    epochs: int = 0
    left_behind: int = 0  # said before a fresh epoch, not held by the peer then, and said again


@dataclass(frozen=True, slots=True)
class VerifiedBundle:
    """What a bundle proves. Only `verify_bundle` makes one."""

    line_id: str
    by: str  # who exported and sealed it
    exported_utc: str  # the exporter's word
    chains: tuple[VerifiedChain, VerifiedChain]
    agreed_terms: tuple[str, ...]  # hashes of the terms that both signed, oldest first
    one_sided_terms: tuple[str, ...]  # signed by one party only
    evidence: int  # pieces kept beside the record; nothing is proven about them
    sha256: str  # of everything before the seal: names this bundle
    calls: tuple[VerifiedCall, ...] = ()  # what was recorded and said to others of each call


def verify_bundle(
    chunks: Iterable[bytes],
    trusted: Mapping[str, VerifyKey],
    look: Look | None = None,
    *,
    kinds: frozenset[str] | None = None,
) -> VerifiedBundle:
    """Return what the bundle proves, or raise at the first thing that does not hold.

    Pure: bytes and keys in, no clock, no network, no file. Memory stays small: a few MiB of text
    and a hundred bytes an entry, fifty more for one that cites the other chain.

    Args:
        chunks: the file's bytes in any pieces.
        trusted: each party's key, obtained from that party; the bundle cannot vouch for its own.
        look: is shown each entry once its signature and place hold. What it makes of them counts
            for nothing unless the whole bundle verifies.
        kinds: it is shown entries of these kinds, and the first of each epoch at least; None: each.

    Raises:
        InvalidDocumentError: not a whole bundle in its one byte form.
        VerificationError: a leaf that says what does not hold.

        Either says in which line of the file, counted from 1, where it is of one line.
    """
    reading = _Reading(trusted, look, kinds)
    pieces = whole_pieces(chunks)
    first = next(pieces, b"")
    end = first.find(b"\n") + 1
    reading.read_lines(first[:end])
    if end:
        with reading.quick() as quick:
            for stretch in quick.stretches(_chained((first[end:],), pieces)):
                reading.take(stretch)
    return reading.report()


class _Reading:
    """A bundle line by line: a manifest, what it announces, a seal, and nothing behind it."""

    def __init__(
        self, trusted: Mapping[str, VerifyKey], look: Look | None, kinds: frozenset[str] | None
    ) -> None:
        self._trusted = trusted
        self._look = look
        self._kinds = kinds
        self._verifier: _Verifier | None = None
        self._digest = hashlib.sha256()
        self._sealed: str | None = None
        self._number = 0

    def quick(self) -> QuickEntries:
        """Return what reads entries quickly, once the manifest was read."""
        return self._manifested().quick()

    def take(self, stretch: Stretch) -> None:
        """Take lines, all at once where they are entries that go on where their chain stands."""
        entries = stretch.entries
        if (
            entries is not None
            and self._sealed is None
            and self._manifested().take_stretch(entries, stretch.text, self._number + 1)
        ):
            self._number += entries.count
            self._digest.update(stretch.text)
        else:
            self.read_lines(stretch.text)

    def read_lines(self, text: bytes) -> None:
        """Take lines one by one."""
        for line in lines_of(text):
            self._number += 1
            try:
                self._read(decoded(line))
            except (InvalidDocumentError, VerificationError) as error:
                raise _at_line(self._number, error) from error
            self._digest.update(line)

    def report(self) -> VerifiedBundle:
        """Return what all of it proves, once it was read to its end."""
        if self._verifier is None or self._sealed is None:
            raise InvalidDocumentError(
                "the bundle is cut off: it has no seal",
                given=f"{self._number:,} lines",
                expected="a seal as the last line",
                remedy="export it again",
            )
        return self._verifier.report(self._sealed)

    def _read(self, item: Item) -> None:
        if self._sealed is not None:
            raise malformed("it stands behind the seal", "the seal as the last line")
        verifier = self._verifier
        match item:
            case Manifest() if verifier is None:
                self._verifier = _Verifier(item, self._trusted, self._look, self._kinds)
            case Seal() if verifier is not None:
                self._sealed = verifier.seal(item, self._digest)
            case _ if isinstance(item, _Taken) and verifier is not None:
                verifier.take(item, self._number)
            case _:
                raise malformed("it is out of place", "one manifest, as the first line")

    def _manifested(self) -> "_Verifier":
        if self._verifier is None:
            raise malformed("it is out of place", "one manifest, as the first line")
        return self._verifier


class _Verifier:
    """Takes a bundle's lines in order and keeps what they prove."""

    def __init__(
        self,
        manifest: Manifest,
        trusted: Mapping[str, VerifyKey],
        look: Look | None,
        kinds: frozenset[str] | None,
    ) -> None:
        self._manifest = manifest
        self._look = look
        # Whoever looks at each entry reads each: nothing can be taken many at once.
        self._one_by_one = look is not None and kinds is None
        self._shown = CALL_KINDS | (kinds or frozenset())
        self._chains = {
            party: RecordedChain(party, _trusted_key(party, stated, trusted))
            for party, stated in sorted(manifest.keys.items())
        }
        if len(self._chains) != 2 or manifest.by not in self._chains:
            raise InvalidDocumentError(
                "a bundle is of two parties and exported by one of them",
                given=f"{', '.join(self._chains)}, exported by {manifest.by}",
                remedy="export it again",
            )
        first, second = self._chains.values()
        derived = line_id(first.party, first.key.key_id, second.party, second.key.key_id)
        if manifest.line != derived:
            raise WrongLineError(
                "the line named is not the line of these parties and keys",
                given=manifest.line,
                expected=derived,
            )
        self._stage = 1  # index into _ORDER
        self._receipts: dict[str, ChainPoint] = {}  # author -> farthest entry receipted
        self._terms: dict[str, set[str]] = {}  # hash -> who signed
        self._evidence = 0
        self._calls = CallProof()

    def take(self, item: _Taken, number: int) -> None:
        """Verify one line and keep what it proves."""
        stage = _ORDER.index(type(item))
        if stage < self._stage:
            raise malformed("it is out of order", "terms, entries, receipts, checkpoints, evidence")
        self._stage = stage
        match item:
            case TermsItem():
                self._take_terms(item)
            case EntryItem():
                self._take_entry(item, number)
            case ReceiptItem():
                self._take_receipt(item)
            case CheckpointItem():
                self._take_checkpoint(item)
            case EvidenceItem():
                self._evidence += 1

    def quick(self) -> QuickEntries:
        """Return what reads this record's entries quickly."""
        keys = {each.party: each.key for each in self._chains.values()}
        return QuickEntries(self._manifest.line, keys, self._shown)

    def take_stretch(self, entries: EntryStretch, text: bytes, number: int) -> bool:
        """Take entries that were proven, if they go on where their chain stands.

        Args:
            entries: one behind the other, each signed and of this line.
            text: their lines.
            number: of the first of these.

        Returns:
            False where they do not, and nothing was taken.
        """
        author = self._chains[entries.party]
        check = author.check
        before = ChainPoint(entries.epoch, entries.seq - 1, entries.prev.hex())
        if self._one_by_one or self._stage > _ENTRIES or check is None or check.head != before:
            return False
        self._stage = _ENTRIES
        last, _ = _entry_at(text, entries.last - entries.start)
        name = entries.hashes[-HASH_BYTES:].hex()
        check.pass_to(ChainPoint(entries.epoch, entries.seq + entries.count - 1, name), last)
        author.hashes[entries.epoch] += entries.hashes
        author.trees[entries.epoch].add_all(entries.leaves)
        author.length += entries.count
        author.drills += entries.drills
        author.delayed += entries.delayed
        for place, epoch, seq, heard in entries.heard:
            author.cited.add(ChainPoint(epoch, seq, heard.hex()), number + place)
        for _, start in entries.shown:
            sealed, late = _entry_at(text, start - entries.start)
            self._show(_ENVELOPE.decode(sealed.data), sealed.hash, author.party, late=late)
        return True

    def seal(self, seal: Seal, digest: "hashlib._Hash") -> str:
        """Return the digest that the exporter signed, when it is of the bytes read so far."""
        if seal.sha256 != digest.hexdigest():
            raise BadSignatureError(
                "the seal is of other bytes than stand before it: the bundle has changed",
                given=f"SHA-256 {digest.hexdigest()}",
                expected=seal.sha256,
                remedy="ask for the bundle again; keep this one if you suspect a hand in it",
            )
        key = key_named(self._chains[self._manifest.by].keys, seal.algorithm, seal.key_id)
        key.verify(CONTEXT_BUNDLE, digest.digest(), base64.b64decode(seal.signature))
        return seal.sha256

    def report(self, sha256: str) -> VerifiedBundle:
        """Return what all lines together prove, once the two chains' citations agree."""
        first, second = self._chains.values()
        agreed = [name for name, signers in self._terms.items() if len(signers) == 2]
        return VerifiedBundle(
            line_id=self._manifest.line,
            by=self._manifest.by,
            exported_utc=self._manifest.exported_utc,
            chains=(self._chain_report(first, second), self._chain_report(second, first)),
            agreed_terms=tuple(agreed),
            one_sided_terms=tuple(name for name in self._terms if name not in agreed),
            evidence=self._evidence,
            sha256=sha256,
            calls=self._calls.report(),
        )

    def _take_terms(self, item: TermsItem) -> None:
        chain = self._of(item.party)
        signature = item.sealed_with
        key = key_named(chain.keys, signature.algorithm, signature.key_id)
        key.verify(CONTEXT_TERMS, item.exact, signature.value)
        self._terms.setdefault(hash_of(item.exact), set()).add(item.party)

    def _take_entry(self, item: EntryItem, number: int) -> None:
        chain = self._of(item.party)
        sealed = SealedEnvelope(item.exact, item.sealed_with)
        envelope = open_envelope(sealed, chain.keys)
        if chain.check is None or envelope.epoch != chain.epoch:
            if envelope.epoch in chain.hashes:
                raise BrokenChainError(
                    f"{item.party}'s chain returns to an epoch it had left",
                    given=f"epoch {envelope.epoch}",
                )
            chain.follows[envelope.epoch] = self._followed(chain, envelope)
            chain.check = ChainCheck(line=self._manifest.line, party=item.party)
            chain.epoch = envelope.epoch
            chain.hashes[envelope.epoch] = bytearray()
            chain.trees[envelope.epoch] = GrowingTree()
        chain.check.add(sealed)
        if envelope.to.party != self._other(item.party).party:
            raise WrongSenderError(
                "an entry is addressed to somebody who is not on this line",
                given=f"{item.party}'s number {envelope.seq}, to {envelope.to.party}",
                expected=self._other(item.party).party,
            )
        chain.hashes[envelope.epoch] += bytes.fromhex(sealed.hash)
        chain.trees[envelope.epoch].add(entry_leaf(sealed.hash, sealed.signature.value))
        chain.length += 1
        chain.drills += envelope.drill
        chain.delayed += item.delayed
        if envelope.heard is not None:
            chain.cited.add(envelope.heard, number)
        self._show(envelope, sealed.hash, item.party, late=item.delayed)

    def _show(self, envelope: Envelope, message_hash: str, party: str, *, late: bool) -> None:
        self._calls.take(envelope, message_hash, party, late=late)
        if self._look is not None:
            self._look(envelope, message_hash, late)

    def _followed(self, chain: RecordedChain, envelope: Envelope) -> ChainPoint | None:
        """Return the entry behind which an epoch begins; None for the first one."""
        opening = opening_of(envelope)
        if chain.check is None:
            if opening is not None and opening.follows is not None:
                raise BrokenChainError(
                    f"the record lacks what {chain.party} had said before its first epoch here",
                    given=f"slot {opening.follows.seq} of epoch {opening.follows.epoch}",
                    remedy="the record was shortened: ask the other party for its own",
                )
            return None
        if opening is None or (opening.follows is not None and not chain.holds(opening.follows)):
            raise BrokenChainError(
                f"{chain.party}'s chain goes on in another epoch, behind no entry of the record",
                given=f"epoch {envelope.epoch}",
                expected="an EPOCH entry that names an entry of an earlier epoch",
                remedy="the record was shortened: ask the other party for its own",
            )
        return opening.follows

    def _take_receipt(self, item: ReceiptItem) -> None:
        sealed = SealedReceipt(item.exact, item.sealed_with)
        signers = {chain.key.key_id: chain for chain in self._chains.values()}
        signer = signers.get(item.key_id)
        receipt = open_receipt(sealed, {} if signer is None else signer.keys)
        author = self._of(receipt.to)
        if signer is None or receipt.sender != signer.party or author is signer:
            raise WrongSenderError(
                "a receipt is not signed by the party it names",
                given=f"from {receipt.sender} to {receipt.to}",
            )
        if receipt.line != self._manifest.line:
            raise WrongLineError(
                "a receipt belongs to another line",
                given=receipt.line,
                expected=self._manifest.line,
            )
        self._require_held(author, receipt.point, f"{signer.party}'s receipt")
        place = self._place(author, receipt.point, f"{signer.party}'s receipt")
        farthest = self._receipts.get(author.party)
        if farthest is None or place > self._place(author, farthest, ""):
            self._receipts[author.party] = receipt.point

    def _take_checkpoint(self, item: CheckpointItem) -> None:
        origin = read_checkpoint(read_note(item.exact).text).origin
        chain = self._of(origin.party)
        other = self._other(origin.party)
        checkpoint, note = open_checkpoint(item.exact, chain.keys)
        time_s = cosignature_time_s(note, other.party, other.keys)
        if origin.line != self._manifest.line:
            raise WrongLineError(
                "a checkpoint belongs to another line",
                given=origin.line,
                expected=self._manifest.line,
            )
        size = checkpoint.head.size
        tree = chain.trees.get(origin.epoch, GrowingTree())
        if size > tree.size:
            raise BrokenChainError(
                f"both signed that {chain.party} had said {size} messages, of which the record"
                f" lacks {size - tree.size}",
                given=f"{tree.size} messages in epoch {origin.epoch}",
                remedy="the record was shortened, or the other party signed what was never said: "
                "ask it for its own record, and for the signed entry",
            )
        if size <= tree.agreed.size:
            raise malformed("a checkpoint is out of order", "each larger than the one before")
        tree.agree(size)
        if tree.agreed != checkpoint.head:
            raise ForkedChainError(
                f"both signed another record of {chain.party}'s first {size} messages",
                given=f"root {tree.agreed.root.hex()}",
                expected=checkpoint.head.root.hex(),
                remedy="keep this bundle, and ask the other party for its own",
            )
        start = (size - 1) * HASH_BYTES
        last = chain.hashes[origin.epoch][start : start + HASH_BYTES].hex()
        point = ChainPoint(origin.epoch, size, last)
        place = self._place(chain, point, f"a checkpoint that {other.party} cosigned")
        if chain.cosigned is None or place > self._place(chain, chain.cosigned, ""):
            chain.cosigned, chain.cosigned_s = point, time_s
        chain.checkpoints += 1

    def _chain_report(self, chain: RecordedChain, other: RecordedChain) -> VerifiedChain:
        cosigned = chain.cosigned
        signed_for = [point for point in (self._receipts.get(chain.party), cosigned) if point]
        receipted = max(signed_for, key=lambda point: chain.position(point) or 0, default=None)
        reached = 0 if receipted is None else chain.position(receipted) or 0
        for epoch, seq, name, number in other.cited.packed():
            place = chain.place_of(epoch, seq)
            if place is None or not chain.holds_at(epoch, seq, name):
                self._refuse_citation(chain, other, ChainPoint(epoch, seq, name.hex()), number)
            elif place > reached or receipted is None:
                receipted, reached = ChainPoint(epoch, seq, name.hex()), place
        way = sum(chain.way().values())
        return VerifiedChain(
            party=chain.party,
            key_id=chain.key.key_id,
            length=chain.length,
            head=None if chain.check is None else chain.check.head,
            receipted=receipted,
            unreceipted=way - reached,
            drills=chain.drills,
            delayed=chain.delayed,
            cosigned=0 if cosigned is None else chain.position(cosigned) or 0,
            cosigned_utc=None if cosigned is None else utc_text(chain.cosigned_s * 1_000),
            checkpoints=chain.checkpoints,
            epochs=len(chain.hashes),
            left_behind=chain.length - way,
        )

    def _refuse_citation(
        self, chain: RecordedChain, other: RecordedChain, point: ChainPoint, number: int
    ) -> None:
        try:
            self._require_held(chain, point, f"an entry of {other.party}")
            self._place(chain, point, f"an entry of {other.party}")
        except VerificationError as error:
            raise _at_line(number, error) from error

    @staticmethod
    def _place(author: RecordedChain, point: ChainPoint, who: str) -> int:
        """Return how far along its author's chain a point lies; what is held cannot be left."""
        place = author.position(point)
        if place is None:
            raise BrokenChainError(
                f"{who} names an entry that {author.party}'s later epoch leaves behind",
                given=f"slot {point.seq} of epoch {point.epoch}",
                expected="no epoch that begins before what the other side held",
                remedy="keep this bundle, and ask the other party for its own",
            )
        return place

    @staticmethod
    def _require_held(author: RecordedChain, point: ChainPoint, who: str) -> None:
        if author.holds(point):
            return
        slot = f"slot {point.seq} of {author.party}"
        if point.seq * HASH_BYTES <= len(author.hashes.get(point.epoch, b"")):
            raise ForkedChainError(
                f"{who} names another entry in {slot} than the record holds",
                given=point.hash,
                remedy="keep this bundle, and ask the other party for its own",
            )
        raise BrokenChainError(
            f"{who} names {slot}, which the record lacks",
            given=point.hash,
            remedy="the record was shortened: ask the other party for its own",
        )

    def _of(self, party: str) -> RecordedChain:
        chain = self._chains.get(party)
        if chain is None:
            raise WrongSenderError(
                "a party that is not on this line", given=party, expected=" or ".join(self._chains)
            )
        return chain

    def _other(self, party: str) -> RecordedChain:
        first, second = self._chains.values()
        return second if party == first.party else first


def _entry_at(text: bytes, start: int) -> tuple[SealedEnvelope, bool]:
    """Return the entry whose line begins there, and whether it was late; the kernel proved it."""
    item = proven_entry(text[start : text.index(b"\n", start)])
    return SealedEnvelope(item.exact, item.sealed_with), item.delayed


def _trusted_key(party: str, stated: str, trusted: Mapping[str, VerifyKey]) -> VerifyKey:
    key = trusted.get(party)
    if key is None or key.to_base64() != stated:
        raise UnknownKeyError(
            f"the bundle's key of {party} is not the one you trust",
            given=stated[:60],
            expected="no key was given" if key is None else key.to_base64(),
            remedy=f"obtain {party}'s invitation from {party} itself, and compare the fingerprint",
        )
    return key


def _at_line(
    number: int, error: InvalidDocumentError | VerificationError
) -> InvalidDocumentError | VerificationError:
    """Return the same refusal, saying in which line of the file it arose."""
    located = type(error)(
        f"line {number:,} of the bundle: {error.problem}",
        given=error.given,
        expected=error.expected,
        remedy=error.remedy,
    )
    if isinstance(error, VerificationError) and isinstance(located, VerificationError):
        located.evidence = error.evidence
    return located
