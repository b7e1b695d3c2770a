"""What a verified bundle proves: of each chain, of calls, and what is left in doubt."""

from dataclasses import dataclass

from deconflict.line.statement import ChainPoint
from deconflict.node.bundle_parts import VerifiedParts
from deconflict.node.call_proof import VerifiedCall

__all__ = ["SeenBy", "UnfoundCitation", "VerifiedBundle", "VerifiedChain"]


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
    # Of each run of a private check whose steps travelled in parts: those that are not here may
    # have gone when their retention was over.
    parts: tuple[VerifiedParts, ...] = ()
