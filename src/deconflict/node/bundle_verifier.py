"""What a bundle's lines prove: taken in order, one by one or many that were proven before."""

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
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
    seen_time_s,
)
from deconflict.line.envelope import Envelope, SealedEnvelope, open_envelope
from deconflict.line.epoch import opening_of
from deconflict.line.key_ring import KeyRing
from deconflict.line.keys import VerifyKey, key_named, line_id
from deconflict.line.log import ChainCheck
from deconflict.line.moment import utc_text
from deconflict.line.note import NoteKey, NoteKind, read_note
from deconflict.line.receipt import SealedReceipt, open_receipt
from deconflict.line.root import Root
from deconflict.line.statement import (
    ChainPoint,
    hash_of,
)
from deconflict.line.tree import HASH_BYTES, TreeHead
from deconflict.messages.agreement import CONTEXT_TERMS
from deconflict.node.bundle_chain import RecordedChain
from deconflict.node.bundle_citations import Citation
from deconflict.node.bundle_lines import (
    CONTEXT_BUNDLE,
    CheckpointItem,
    EntryItem,
    EvidenceItem,
    Manifest,
    PartItem,
    ReceiptItem,
    Seal,
    TermsItem,
    malformed,
    proven_entry,
)
from deconflict.node.bundle_parts import PART_KINDS, PartProof
from deconflict.node.bundle_quick import (
    EntryColumns,
    QuickReader,
    RecordStretch,
    RecordTree,
)
from deconflict.node.bundle_verified import (
    SeenBy,
    UnfoundCitation,
    VerifiedBundle,
    VerifiedChain,
)
from deconflict.node.call_proof import CALL_KINDS, CallProof

__all__ = ["Look", "Taken", "Verifier", "at_line"]

_ORDER: Final = (
    Manifest,
    TermsItem,
    EntryItem,
    ReceiptItem,
    CheckpointItem,
    EvidenceItem,
    PartItem,
    Seal,
)
_IN_ORDER: Final = "terms, entries, receipts, checkpoints, evidence, parts"
_ENTRIES: Final = _ORDER.index(EntryItem)
_RECEIPTS: Final = _ORDER.index(ReceiptItem)
_CHECKPOINTS: Final = _ORDER.index(CheckpointItem)
_ENVELOPE: Final = msgspec.json.Decoder(Envelope)  # for bytes that were proven to be one
Look: TypeAlias = Callable[[Envelope, str, bool], None]  # an entry, its hash, whether it was late
Taken: TypeAlias = TermsItem | EntryItem | ReceiptItem | CheckpointItem | EvidenceItem | PartItem


class Verifier:
    """Takes a bundle's lines in order and keeps what they prove."""

    def __init__(
        self,
        manifest: Manifest,
        trusted: Mapping[str, VerifyKey],
        roots: Mapping[str, Root],
        look: Look | None,
        kinds: frozenset[str] | None,
        witnesses: Sequence[NoteKey],
    ) -> None:
        self._manifest = manifest
        self._look = look
        self._witnesses = witnesses
        # Whoever looks at each entry reads each: nothing can be taken many at once.
        self._one_by_one = look is not None and kinds is None
        self._shown = CALL_KINDS | PART_KINDS | (kinds or frozenset())
        self._chains = {
            party: RecordedChain(
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
        self._parts = PartProof()
        self._quick: QuickReader | None = None

    def take(self, item: Taken, number: int) -> None:
        """Verify one line and keep what it proves."""
        stage = _ORDER.index(type(item))
        if stage < self._stage:
            raise malformed("it is out of order", _IN_ORDER)
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
            case PartItem():
                self._parts.hold(item)

    def quick(self) -> QuickReader:
        """Return what reads this record's lines quickly; it is told of each key that is used."""
        self._quick = QuickReader(self._manifest.line, self._chains, self._shown)
        for chain in self._chains.values():
            self._quick.learn(chain.party, chain.first)
        return self._quick

    @property
    def epochs(self) -> int:
        """How many epochs of both chains began so far."""
        return sum(len(chain.hashes) for chain in self._chains.values())

    def take_stretch(self, found: RecordStretch, text: bytes, number: int) -> int:
        """Take lines that were proven, if they go on where the record stands.

        Args:
            found: what they say.
            text: the lines.
            number: of the first of these.

        Returns:
            How many lines were taken: all, or none where they do not.

        Raises:
            VerificationError: a receipt or checkpoint that says what does not hold.
        """
        if found.entries is not None:
            return self._take_entries(found.entries, text, number)
        if not self._told_apart():
            return 0
        if found.receipts:
            return self._take_receipts(found, number)
        return self._take_checkpoints(found, number)

    def _take_entries(self, entries: EntryColumns, text: bytes, number: int) -> int:
        author = self._chains[entries.party]
        check = author.check
        before = ChainPoint(entries.epoch, entries.seq - 1, entries.prev.hex())
        if self._one_by_one or self._stage > _ENTRIES or check is None or check.head != before:
            return 0
        if author.ring.of(entries.epoch).key.key_id != entries.key_id:
            return 0  # signed by a key of its author that is not in force there
        self._stage = _ENTRIES
        last, _ = _entry_at(text, entries.last)
        name = entries.hashes[-HASH_BYTES:].hex()
        check.pass_to(ChainPoint(entries.epoch, entries.seq + entries.count - 1, name), last)
        author.hashes[entries.epoch] += entries.hashes
        author.trees[entries.epoch].add_all(entries.leaves)
        author.length += entries.count
        author.drills += entries.drills
        author.delayed += entries.delayed
        for place, epoch, seq, heard in entries.heard:
            slot = (entries.epoch, entries.seq + place)
            author.cited.add_named(epoch, seq, heard, number + place, slot)
        for start in entries.shown:
            sealed, late = _entry_at(text, start)
            self._show(_ENVELOPE.decode(sealed.data), sealed.hash, author.party, late=late)
        return entries.count

    def _take_receipts(self, found: RecordStretch, number: int) -> int:
        if self._stage > _RECEIPTS:
            return 0
        self._stage = _RECEIPTS
        for place, (party, epoch, seq, name) in enumerate(found.receipts):
            author = self._chains[party]
            try:
                self._keep_receipt(author, self._other(party), ChainPoint(epoch, seq, name.hex()))
            except VerificationError as error:
                raise at_line(number + place, error) from error
        return len(found.receipts)

    def _take_checkpoints(self, found: RecordStretch, number: int) -> int:
        in_force = (
            self._chains[party].ring.of(epoch).key.key_id == key_id
            for party, key_id, epoch, _, _, _ in found.checkpoints
        )
        # A third witness's line is looked at where its key was given.
        if self._stage > _CHECKPOINTS or self._witnesses or not all(in_force):
            return 0
        self._stage = _CHECKPOINTS
        for place, (party, _, epoch, size, root, time_s) in enumerate(found.checkpoints):
            try:
                self._keep_checkpoint(self._chains[party], epoch, TreeHead(size, root), time_s)
            except (InvalidDocumentError, VerificationError) as error:
                raise at_line(number + place, error) from error
        return len(found.checkpoints)

    def _told_apart(self) -> bool:
        """True exactly when each key is one party's, and no two have one hint in a note.

        Then one signature that holds is all there is to judge: no other key is asked before it.
        """
        first, second = self._chains.values()
        if not first.ring.ever.keys().isdisjoint(second.ring.ever):
            return False
        for chain in (first, second):
            keys = chain.ring.ever.values()
            if len(keys) > 1:
                hints = {NoteKey(chain.party, NoteKind.WITNESS, key).key_id for key in keys}
                if len(hints) != len(keys):
                    return False
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
                raise at_line(number, error) from error
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
            parts=self._parts.report(),
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
            held = chain.ring.take(envelope, item.key_id)
            if self._quick is not None and held.key.key_id not in chain.told:
                self._quick.learn(chain.party, held.key)
                chain.told.add(held.key.key_id)
            chain.check = ChainCheck(line=self._manifest.line, party=item.party)
            chain.epoch = envelope.epoch
            chain.hashes[envelope.epoch] = bytearray()
            chain.trees[envelope.epoch] = RecordTree()
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
        chain.trees[envelope.epoch].add_all(entry_leaf(sealed.hash, sealed.signature.value))
        chain.length += 1
        chain.drills += envelope.drill
        chain.delayed += item.delayed
        if envelope.heard is not None:
            chain.cited.add(envelope.heard, number, (envelope.epoch, envelope.seq))
        self._show(envelope, sealed.hash, item.party, late=item.delayed)

    def _show(self, envelope: Envelope, message_hash: str, party: str, *, late: bool) -> None:
        self._calls.take(envelope, message_hash, party, late=late)
        self._parts.take(envelope)
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
        self._keep_receipt(author, signer, receipt.point)

    def _keep_receipt(
        self, author: RecordedChain, signer: RecordedChain, point: ChainPoint
    ) -> None:
        author.require_held(point, f"{signer.party}'s receipt")
        place = author.require_place(point, f"{signer.party}'s receipt")
        farthest = self._receipts.get(author.party)
        if farthest is None or place > author.require_place(farthest, ""):
            self._receipts[author.party] = point

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
        point = self._keep_checkpoint(chain, origin.epoch, checkpoint.head, time_s)
        for key in self._witnesses:
            if any((one.name, one.key_id) == (key.name, key.key_id) for one in note.signatures):
                seen = (point, seen_time_s(note, key))
                chain.seen.setdefault(key.to_text(), []).append(seen)

    def _keep_checkpoint(
        self, chain: RecordedChain, epoch: str, head: TreeHead, time_s: int
    ) -> ChainPoint:
        """Return the last entry under a checkpoint that both signed, when the record bears it out.

        Raises:
            BrokenChainError: the record has not so many entries, or a later epoch leaves them.
            ForkedChainError: it has others.
            InvalidDocumentError: it is out of order.
        """
        other = self._other(chain.party)
        size = head.size
        tree = chain.trees.get(epoch, RecordTree())
        if size > tree.size:
            raise BrokenChainError(
                f"both signed that {chain.party} had said {size} messages, of which the record"
                f" lacks {size - tree.size}",
                given=f"{tree.size} messages in epoch {epoch}",
                remedy="the record was shortened, or the other party signed what was never said: "
                "ask it for its own record, and for the signed entry",
            )
        if size <= tree.agreed_size:
            raise malformed("a checkpoint is out of order", "each larger than the one before")
        tree.agree(size)
        if tree.agreed_root != head.root:
            raise ForkedChainError(
                f"both signed another record of {chain.party}'s first {size} messages",
                given=f"root {tree.agreed_root.hex()}",
                expected=head.root.hex(),
                remedy="keep this bundle, and ask the other party for its own",
            )
        start = (size - 1) * HASH_BYTES
        last = chain.hashes[epoch][start : start + HASH_BYTES].hex()
        point = ChainPoint(epoch, size, last)
        place = chain.require_place(point, f"a checkpoint that {other.party} cosigned")
        if chain.cosigned is None or place > chain.require_place(chain.cosigned, ""):
            chain.cosigned, chain.cosigned_s = point, time_s
        chain.checkpoints += 1
        return point

    def _chain_report(self, chain: RecordedChain, other: RecordedChain) -> VerifiedChain:
        cosigned = chain.cosigned
        signed_for = [point for point in (self._receipts.get(chain.party), cosigned) if point]
        receipted = max(signed_for, key=lambda point: chain.position(point) or 0, default=None)
        reached = 0 if receipted is None else chain.position(receipted) or 0
        for cited in other.cited.packed():
            place = chain.place_of(cited.epoch, cited.seq)
            if place is None or not chain.holds_at(cited.epoch, cited.seq, cited.name):
                self._not_found(chain, other, cited)
            elif place > reached or receipted is None:
                receipted, reached = cited.point, place
        way = sum(chain.way().values())
        in_force = chain.ring.of(chain.epoch)
        return VerifiedChain(
            party=chain.party,
            key_id=chain.first.key_id,
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
            seen_by=tuple(_seen_by(chain, key) for key in self._witnesses if chain.seen_of(key)),
            present_key_id=in_force.key.key_id,
            key_changes=len(list(in_force.earlier())),
        )

    def _not_found(self, chain: RecordedChain, other: RecordedChain, cited: Citation) -> None:
        """Refuse what the exporter cites in vain; note what its peer does."""
        if other.party == self._manifest.by:
            try:
                chain.require_held(cited.point, f"an entry of {other.party}")
                chain.require_place(cited.point, f"an entry of {other.party}")
            except VerificationError as error:
                raise at_line(cited.line_number, error) from error
        # Its peer can sign such a thing at any time: that must not spoil what is proven.
        citing = other.entry_at(cited.by_epoch, cited.by_seq)
        held = chain.holds(cited.point)
        self._unfound.append(
            UnfoundCitation(other.party, citing, cited.line_number, cited.point, held)
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


def _seen_by(chain: RecordedChain, key: NoteKey) -> SeenBy:
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


def at_line(
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
