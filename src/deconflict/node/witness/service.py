"""A third witness at work: one request in, one answer out, nothing signed before it is durable.

What may be cosigned decides :class:`deconflict.line.witness.Witness`, the same code by which two
parties cosign each other. Here it is given a disk (the ledger) and a clock.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from deconflict.errors import (
    BrokenProofError,
    DeconflictError,
    ForkedChainError,
    InvalidDocumentError,
    LineStateError,
    StaleCheckpointError,
    StoreSlotTakenError,
    UnknownKeyError,
    VerificationError,
)
from deconflict.line.checkpoint import Origin, author_signed, open_checkpoint
from deconflict.line.keys import SigningKey
from deconflict.line.note import NoteKey, NoteKind
from deconflict.line.tlog_witness import (
    AddCheckpoint,
    cosignature_lines,
    judged_request,
    origin_of,
    read_add_checkpoint,
    size_bytes,
)
from deconflict.line.witness import CosignedState, Witness
from deconflict.store.witness_ledger import Contradiction, WitnessLedger

__all__ = ["SIZE_TYPE", "Answer", "WitnessService"]

logger = logging.getLogger("deconflict.witness")

SIZE_TYPE: Final = "text/x.tlog.size"  # C2SP tlog-witness
_TEXT: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a witness says to one request, in the statuses of tlog-witness."""

    status: int
    content_type: str
    body: bytes

    @classmethod
    def refusal(cls, status: int, error: DeconflictError) -> "Answer":
        """Return why something was refused, in a line."""
        return cls(status, _TEXT, f"{error.problem}\n".encode())


class WitnessService:
    """Judges checkpoints of the lines it was told of, and cosigns what only grew.

    Blocks while it writes; call it from one thread. Two that write one ledger do no harm: the
    second is judged again.

    Args:
        ledger: what it must never forget.
        name: under which it signs.
        key: with what.
        now_s: its own clock, seconds since 1970.
    """

    def __init__(
        self, ledger: WitnessLedger, *, name: str, key: SigningKey, now_s: Callable[[], int]
    ) -> None:
        self._ledger = ledger
        self._key = key
        self._note_key = NoteKey(name, NoteKind.WITNESS, key.verify_key)
        self._now_s = now_s

    def add_checkpoint(self, body: bytes) -> Answer:
        """Return the answer to a request.

        Raises:
            StoreError: the disk failed, and nothing was cosigned; the witness must stop.
        """
        try:
            request = read_add_checkpoint(body)
            origin = origin_of(request)
        except InvalidDocumentError as error:
            return Answer.refusal(400, error)
        except UnknownKeyError as error:
            return Answer.refusal(404, error)
        while True:
            try:
                return self._answered(request, origin)
            except LineStateError as error:  # more epochs than are kept
                return Answer.refusal(403, error)
            except StoreSlotTakenError:
                continue  # somebody else's came in between: it is judged against that one

    def _answered(self, request: AddCheckpoint, origin: Origin) -> Answer:
        keys = self._ledger.keys_of(origin.line, origin.party)
        if not keys:
            unknown = UnknownKeyError("this witness was told of no such line and party")
            return Answer.refusal(404, unknown)
        kept = self._ledger.kept(origin)
        witness = Witness(
            name=self._note_key.name,
            key=self._key,
            line=origin.line,
            author=origin.party,
            author_keys=keys,
            kept=kept,
        )
        size = 0 if kept is None else kept.head.size
        try:
            state = judged_request(witness, request, keys, time_s=self._now_s())
        except InvalidDocumentError as error:
            return Answer.refusal(400, error)
        except StaleCheckpointError:
            return Answer(409, SIZE_TYPE, size_bytes(size))
        except (ForkedChainError, BrokenProofError) as error:
            self._keep_contradiction(request, origin, kept, error)
            if isinstance(error, ForkedChainError):
                return Answer(409, SIZE_TYPE, size_bytes(size))
            return Answer.refusal(422, error)
        except VerificationError as error:
            return Answer.refusal(403, error)
        if state is None:
            cosigned = witness.cosigned
        else:
            # Persist before signing: if we crash between the two, the author repeats it, it is a
            # duplicate, and the signature made then has the same bytes. (specs/checkpoint.md §5)
            self._ledger.keep(state)
            cosigned = witness.persisted(state)
        if cosigned is None:  # never: a request for a chain of which nothing is kept is judged new
            raise RuntimeError("nothing was cosigned")
        return Answer(200, _TEXT, cosignature_lines(cosigned, self._note_key))

    def _keep_contradiction(
        self,
        request: AddCheckpoint,
        origin: Origin,
        kept: CosignedState | None,
        error: VerificationError,
    ) -> None:
        """Keep what the author signed: beside what was cosigned it may prove that it forked."""
        keys = self._ledger.keys_of(origin.line, origin.party)
        checkpoint, note = open_checkpoint(request.note, keys)
        logger.warning("%s: %s", origin.name, error.problem)
        self._ledger.contradicted(
            Contradiction(
                origin=origin.name,
                reason=type(error).__name__,
                note=author_signed(note, checkpoint, keys).to_bytes(),
                kept=None if kept is None else kept.note,
                at_utc_ms=self._now_s() * 1_000,
            )
        )
