"""The proof of a bundle: bytes and two public keys in, what they prove out; no node, no clock."""

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

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
    seen_time_s,
)
from deconflict.line.envelope import Envelope, SealedEnvelope, open_envelope
from deconflict.line.epoch import opening_of
from deconflict.line.key_ring import KeyRing
from deconflict.line.keys import VerifyKey, key_named, line_id
from deconflict.line.log import ChainCheck
from deconflict.line.moment import utc_text
from deconflict.line.note import NoteKey, read_note
from deconflict.line.receipt import SealedReceipt, open_receipt
from deconflict.line.root import Root
from deconflict.line.statement import (
    ChainPoint,
    hash_of,
)
from deconflict.line.tree import HASH_BYTES, GrowingTree
from deconflict.messages.agreement import CONTEXT_TERMS
from deconflict.node.bundle_lines import (
    CONTEXT_BUNDLE,
    CheckpointItem,
    EntryItem,
    EvidenceItem,
    Manifest,
    ReceiptItem,
    Seal,
    TermsItem,
    decoded,
    malformed,
    whole_lines,
)
from deconflict.node.call_proof import CallProof, VerifiedCall

__all__ = ["SeenBy", "UnfoundCitation", "VerifiedBundle", "VerifiedChain", "verify_bundle"]

_ORDER: Final = (
    Manifest,
    TermsItem,
    EntryItem,
    ReceiptItem,
    CheckpointItem,
    EvidenceItem,
    Seal,
)
Look: TypeAlias = Callable[[Envelope, str, bool], None]  # an entry, its hash, whether it was late
_Taken: TypeAlias = TermsItem | EntryItem | ReceiptItem | CheckpointItem | EvidenceItem


@dataclass(frozen=True, slots=True)
class SeenBy:
    """How far a third witness signed to have seen one party's chain.

    ``messages`` is of the longest checkpoint that it signed, ``seen_utc`` when, by its clock;
    ``first_utc`` is of the earliest one.
    """

    witness: str
    vkey: str
    messages: int
    seen_utc: str
    checkpoints: int
    first_utc: str


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
    seen_by: tuple[SeenBy, ...] = ()  # of the third witnesses whose keys were given
    present_key_id: str = ""  # the key in force at the head; ``key_id`` is the first one
    key_changes: int = 0  # on the way to it


@dataclass(frozen=True, slots=True)
class UnfoundCitation:
    """An entry whose author signed that it holds what the record of the other party lacks.

    Either the author signed what is not so, or the exporter left the entry out. Who is accused can
    show the entry cited: it bears the other party's signature, or was never said.
    """

    party: str  # who cites
    citing: ChainPoint  # its entry; the first of those that say the same one after the other
    line_number: int  # of the file
    cited: ChainPoint  # of the exporter
    left_behind: bool  # it is in the record, and a later epoch begins before it


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
    # What the exporter's peer cites and the exporter does not show. All else is proven.
    unfound: tuple[UnfoundCitation, ...] = ()


def verify_bundle(
    chunks: Iterable[bytes],
    trusted: Mapping[str, VerifyKey],
    look: Look | None = None,
    roots: Mapping[str, Root] | None = None,
    *,
    witnesses: Sequence[NoteKey] = (),
) -> VerifiedBundle:
    """Return what the bundle proves, or raise at the first thing that does not hold.

    Pure: bytes and keys in, no clock, no network, no file. Memory stays small: one line of text
    and a hundred bytes an entry, some hundreds for one that cites the other chain.

    Args:
        chunks: the file's bytes in any pieces.
        trusted: each party's first key, obtained from that party; the bundle cannot vouch for its
            own. Which key was in force at each entry follows from it, the root and the chain.
        roots: each party's root, obtained with its key; needed where a key was changed.
        look: is shown each entry once its signature and place hold. What it makes of them counts
            for nothing unless the whole bundle verifies.
        witnesses: keys of third witnesses; the lines of others are not looked at.

    Raises:
        InvalidDocumentError: not a whole bundle in its one byte form.
        VerificationError: a leaf that says what does not hold.

        Either says in which line of the file, counted from 1, where it is of one line.
    """
    verifier: _Verifier | None = None
    digest = hashlib.sha256()
    sealed: str | None = None
    number = 0
    for number, line in enumerate(whole_lines(chunks), start=1):
        try:
            item = decoded(line)
            if sealed is not None:
                raise malformed("it stands behind the seal", "the seal as the last line")
            match item:
                case Manifest() if verifier is None:
                    verifier = _Verifier(item, trusted, roots or {}, look, witnesses)
                case Seal() if verifier is not None:
                    sealed = verifier.seal(item, digest)
                case _ if isinstance(item, _Taken) and verifier is not None:
                    verifier.take(item, number)
                case _:
                    raise malformed("it is out of place", "one manifest, as the first line")
        except (InvalidDocumentError, VerificationError) as error:
            raise _at_line(number, error) from error
        digest.update(line)
    if verifier is None or sealed is None:
        raise InvalidDocumentError(
            "the bundle is cut off: it has no seal",
            given=f"{number:,} lines",
            expected="a seal as the last line",
            remedy="export it again",
        )
    return verifier.report(sealed)


@dataclass(slots=True)
class _Chain:
    """What is known of one party's chain while it is read."""

    party: str
    ring: KeyRing
    check: ChainCheck | None = None
    epoch: str = ""
    hashes: dict[str, bytearray] = field(default_factory=dict)  # epoch -> hash of each entry
    follows: dict[str, ChainPoint | None] = field(default_factory=dict)  # epoch -> what before it
    trees: dict[str, GrowingTree] = field(default_factory=dict)  # epoch -> tree over its entries
    # What it says it holds of the other's, the line of the file that says so, and the entry.
    cited: list[tuple[ChainPoint, int, ChainPoint]] = field(default_factory=list)
    length: int = 0
    drills: int = 0
    delayed: int = 0
    cosigned: ChainPoint | None = None  # the last entry under the last cosigned checkpoint
    cosigned_s: int = 0
    checkpoints: int = 0
    seen: dict[str, list[tuple[ChainPoint, int]]] = field(default_factory=dict)  # by vkey
    _way: dict[str, int] | None = None

    @property
    def first(self) -> VerifyKey:
        return self.ring.first

    def holds(self, point: ChainPoint) -> bool:
        """True exactly when the slot is in this chain, with this very entry."""
        known = self.hashes.get(point.epoch, b"")
        start = (point.seq - 1) * HASH_BYTES
        return known[start : start + HASH_BYTES] == bytes.fromhex(point.hash)

    def way(self) -> dict[str, int]:
        """Its epochs, each with its last number on the way to the head, in their order.

        Asked for when all its entries were read.
        """
        if self._way is not None:
            return self._way
        way: dict[str, int] = {}
        epoch = self.epoch
        last = len(self.hashes.get(epoch, b"")) // HASH_BYTES
        while last:
            way[epoch] = last
            before = self.follows[epoch]
            epoch, last = ("", 0) if before is None else (before.epoch, before.seq)
        self._way = dict(reversed(way.items()))
        return self._way

    def seen_of(self, key: NoteKey) -> list[tuple[ChainPoint, int]]:
        """What a third witness signed to have seen of it, each with the time."""
        return self.seen.get(key.to_text(), [])

    def position(self, point: ChainPoint) -> int | None:
        """How many entries lie on the way up to and including a point; None: it is not on it."""
        before = 0
        for epoch, last in self.way().items():
            if epoch == point.epoch:
                return before + point.seq if point.seq <= last else None
            before += last
        return None


class _Verifier:
    """Takes a bundle's lines in order and keeps what they prove."""

    def __init__(
        self,
        manifest: Manifest,
        trusted: Mapping[str, VerifyKey],
        roots: Mapping[str, Root],
        look: Look | None,
        witnesses: Sequence[NoteKey],
    ) -> None:
        self._manifest = manifest
        self._look = look
        self._witnesses = witnesses
        self._chains = {
            party: _Chain(
                party, KeyRing(party, _trusted_key(party, stated, trusted), roots.get(party))
            )
            for party, stated in sorted(manifest.keys.items())
        }
        if len(self._chains) != 2 or manifest.by not in self._chains:
            raise InvalidDocumentError(
                "a bundle is of two parties and exported by one of them",
                given=f"{', '.join(self._chains)}, exported by {manifest.by}",
                remedy="export it again",
            )
        first, second = self._chains.values()
        derived = line_id(first.party, first.first.key_id, second.party, second.first.key_id)
        if manifest.line != derived:
            raise WrongLineError(
                "the line named is not the line of these parties and keys",
                given=manifest.line,
                expected=derived,
            )
        self._stage = 1  # index into _ORDER
        self._receipts: dict[str, ChainPoint] = {}  # author -> farthest entry receipted
        self._terms: dict[str, set[str]] = {}  # hash -> who signed
        self._later_terms: list[tuple[TermsItem, int]] = []
        self._evidence = 0
        self._unfound: list[UnfoundCitation] = []
        self._calls = CallProof()

    def take(self, item: _Taken, number: int) -> None:
        """Verify one line and keep what it proves."""
        stage = _ORDER.index(type(item))
        if stage < self._stage:
            raise malformed("it is out of order", "terms, entries, receipts, checkpoints, evidence")
        self._stage = stage
        match item:
            case TermsItem():
                self._look_at_terms(item, number)
            case EntryItem():
                self._take_entry(item, number)
            case ReceiptItem():
                self._take_receipt(item)
            case CheckpointItem():
                self._take_checkpoint(item)
            case EvidenceItem():
                self._evidence += 1

    def seal(self, seal: Seal, digest: "hashlib._Hash") -> str:
        """Return the digest that the exporter signed, when it is of the bytes read so far."""
        if seal.sha256 != digest.hexdigest():
            raise BadSignatureError(
                "the seal is of other bytes than stand before it: the bundle has changed",
                given=f"SHA-256 {digest.hexdigest()}",
                expected=seal.sha256,
                remedy="ask for the bundle again; keep this one if you suspect a hand in it",
            )
        exporter = self._chains[self._manifest.by]
        in_force = exporter.ring.of(exporter.epoch).key
        key = key_named({in_force.key_id: in_force}, seal.algorithm, seal.key_id)
        key.verify(CONTEXT_BUNDLE, digest.digest(), base64.b64decode(seal.signature))
        return seal.sha256

    def report(self, sha256: str) -> VerifiedBundle:
        """Return what all lines together prove, once the two chains' citations agree."""
        first, second = self._chains.values()
        for item, number in self._later_terms:
            try:
                self._take_terms(item)
            except VerificationError as error:
                raise _at_line(number, error) from error
        agreed = [name for name, signers in self._terms.items() if len(signers) == 2]
        chains = (self._chain_report(first, second), self._chain_report(second, first))
        return VerifiedBundle(
            line_id=self._manifest.line,
            by=self._manifest.by,
            exported_utc=self._manifest.exported_utc,
            chains=chains,
            agreed_terms=tuple(agreed),
            one_sided_terms=tuple(name for name in self._terms if name not in agreed),
            evidence=self._evidence,
            sha256=sha256,
            calls=self._calls.report(),
            unfound=tuple(self._unfound),
        )

    def _look_at_terms(self, item: TermsItem, number: int) -> None:
        if item.key_id == self._of(item.party).first.key_id:
            self._take_terms(item)
        else:  # a key that the entries, which come later, bring in force
            self._later_terms.append((item, number))

    def _take_terms(self, item: TermsItem) -> None:
        chain = self._of(item.party)
        signature = item.sealed_with
        key = key_named(chain.ring.ever, signature.algorithm, signature.key_id)
        key.verify(CONTEXT_TERMS, item.exact, signature.value)
        self._terms.setdefault(hash_of(item.exact), set()).add(item.party)

    def _take_entry(self, item: EntryItem, number: int) -> None:
        chain = self._of(item.party)
        sealed = SealedEnvelope(item.exact, item.sealed_with)
        envelope = open_envelope(sealed, chain.ring.candidates(sealed))
        if chain.check is None or envelope.epoch != chain.epoch:
            if envelope.epoch in chain.hashes:
                raise BrokenChainError(
                    f"{item.party}'s chain returns to an epoch it had left",
                    given=f"epoch {envelope.epoch}",
                )
            chain.follows[envelope.epoch] = self._followed(chain, envelope)
            chain.ring.take(envelope, item.key_id)
            chain.check = ChainCheck(line=self._manifest.line, party=item.party)
            chain.epoch = envelope.epoch
            chain.hashes[envelope.epoch] = bytearray()
            chain.trees[envelope.epoch] = GrowingTree()
        elif envelope.seq > 1:
            chain.ring.judge(envelope, item.key_id)
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
        self._calls.take(envelope, sealed.hash, item.party, late=item.delayed)
        heard = envelope.heard
        if heard is not None and (not chain.cited or chain.cited[-1][0] != heard):
            entry = ChainPoint(envelope.epoch, envelope.seq, sealed.hash)
            chain.cited.append((heard, number, entry))
        if self._look is not None:
            self._look(envelope, sealed.hash, item.delayed)

    def _followed(self, chain: _Chain, envelope: Envelope) -> ChainPoint | None:
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
        signers = {key: chain for chain in self._chains.values() for key in chain.ring.ever}
        signer = signers.get(item.key_id)
        receipt = open_receipt(sealed, {} if signer is None else signer.ring.ever)
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
        author = chain.ring.of(origin.epoch).key
        checkpoint, note = open_checkpoint(item.exact, {author.key_id: author})
        time_s = cosignature_time_s(note, other.party, other.ring.ever)
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
        for key in self._witnesses:
            if any((one.name, one.key_id) == (key.name, key.key_id) for one in note.signatures):
                seen = (point, seen_time_s(note, key))
                chain.seen.setdefault(key.to_text(), []).append(seen)

    def _chain_report(self, chain: _Chain, other: _Chain) -> VerifiedChain:
        points = [self._receipts[chain.party]] if chain.party in self._receipts else []
        cosigned = chain.cosigned
        if cosigned is not None:
            points.append(cosigned)
        for point, number, entry in other.cited:
            try:
                self._require_held(chain, point, f"an entry of {other.party}")
                self._place(chain, point, f"an entry of {other.party}")
            except VerificationError as error:
                if other.party == self._manifest.by:
                    # Who exported it signed to hold what its own record lacks.
                    raise _at_line(number, error) from error
                # Its peer can sign such a thing at any time: that must not spoil what is proven.
                self._unfound.append(
                    UnfoundCitation(other.party, entry, number, point, chain.holds(point))
                )
                continue
            points.append(point)
        receipted = max(points, key=lambda point: chain.position(point) or 0, default=None)
        way = sum(chain.way().values())
        in_force = chain.ring.of(chain.epoch)
        return VerifiedChain(
            party=chain.party,
            key_id=chain.first.key_id,
            length=chain.length,
            head=None if chain.check is None else chain.check.head,
            receipted=receipted,
            unreceipted=way - (0 if receipted is None else chain.position(receipted) or 0),
            drills=chain.drills,
            delayed=chain.delayed,
            cosigned=0 if cosigned is None else chain.position(cosigned) or 0,
            cosigned_utc=None if cosigned is None else utc_text(chain.cosigned_s * 1_000),
            checkpoints=chain.checkpoints,
            epochs=len(chain.hashes),
            left_behind=chain.length - way,
            seen_by=tuple(_seen_by(chain, key) for key in self._witnesses if chain.seen_of(key)),
            present_key_id=in_force.key.key_id,
            key_changes=len(list(in_force.earlier())),
        )

    @staticmethod
    def _place(author: _Chain, point: ChainPoint, who: str) -> int:
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
    def _require_held(author: _Chain, point: ChainPoint, who: str) -> None:
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

    def _of(self, party: str) -> _Chain:
        chain = self._chains.get(party)
        if chain is None:
            raise WrongSenderError(
                "a party that is not on this line", given=party, expected=" or ".join(self._chains)
            )
        return chain

    def _other(self, party: str) -> _Chain:
        first, second = self._chains.values()
        return second if party == first.party else first


def _seen_by(chain: _Chain, key: NoteKey) -> SeenBy:
    seen = [(chain.position(point) or 0, time_s) for point, time_s in chain.seen_of(key)]
    messages, time_s = max(seen)
    return SeenBy(
        witness=key.name,
        vkey=key.to_text(),
        messages=messages,
        seen_utc=utc_text(time_s * 1_000),
        checkpoints=len(seen),
        first_utc=utc_text(min(time_s for _, time_s in seen) * 1_000),
    )


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
