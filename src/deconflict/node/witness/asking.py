"""A node has its chains cosigned by a third witness, beside everything else that it does.

The checkpoints are those that the peer has cosigned and the record holds, so nothing is shown to
the witness that could still be said differently; the peer's own line below them is left out. Each
witness has a task of its own, one request at a time, a pause after each, a longer one after each
failure. Nothing on a line waits for it, and whatever it does or says, the line goes on.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from deconflict.errors import (
    BrokenTurnError,
    DeconflictError,
    StoreError,
    VerificationError,
)
from deconflict.line.checkpoint import Origin, entry_leaf
from deconflict.line.note import NoteKey, SignedNote, read_note
from deconflict.line.tlog_witness import (
    AddCheckpoint,
    add_checkpoint_bytes,
    read_size,
    with_cosignature,
)
from deconflict.line.tree import CompactRange, GrowingTree
from deconflict.node.core import NodeCore
from deconflict.node.line import Line
from deconflict.node.settings import ThirdWitness
from deconflict.node.witness.client import WitnessAnswer, WitnessClient, witness_context
from deconflict.node.witness.state import (
    Standing,
    WitnessState,
    cosignature_row,
    kept_standing,
    standing_row,
)
from deconflict.node.work import Driver
from deconflict.store.base import CheckpointRow, NoteRow, Store

__all__ = ["Asking"]

logger = logging.getLogger("deconflict.witness")

_LOOK_S: Final = 1.0  # how often it is looked whether something waits
_LEAST_PAUSE_S: Final = 10.0  # after a failure; doubled after each further one
_LONGEST_PAUSE_S: Final = 900.0
_AT_ONCE: Final = 500  # entries read in one go, some ten milliseconds; then others have their turn
_REST_S: Final = 0.1  # a tenth of a core, for as long as a whole chain has to be read
_LEAST_PATIENCE_MS: Final = 3_600_000
_OK, _CONFLICT, _UNPROVEN = 200, 409, 422
_TRIES: Final = 3  # the witness says where it stands, is proven it, and may have been asked before


@dataclass(slots=True)
class _Place:
    """One line, as one witness knows it."""

    line: Line
    standing: Standing | None  # as kept; of another epoch than the present one it counts for none
    asked_s: float | None = None  # on the loop's clock, when it signed last


@dataclass(frozen=True, slots=True)
class _Grown:
    """How a tree grew: from where, the proof of it, and what it is now."""

    old_size: int
    proof: tuple[bytes, ...]
    reached: CompactRange


class _Refused(Exception):  # noqa: N818  (never leaves this module: it ends one try)
    """The witness did not sign."""

    def __init__(self, problem: str, contradicts: int | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.contradicts = contradicts


class Asking:
    """Asks one third witness about every line of a node.

    Args:
        witness: as the settings name it.
        folder: the node's, from which the path of the trusted certificates goes on.
        core: whose lines.
        store: read only.
        driver: commits what the core makes of the answers.
    """

    def __init__(
        self, witness: ThirdWitness, folder: Path, *, core: NodeCore, store: Store, driver: Driver
    ) -> None:
        self._witness = witness
        self._key: NoteKey = witness.key
        self._trust = folder / witness.trust
        self._core = core
        self._store = store
        self._driver = driver
        self._client: WitnessClient | None = None
        self._places: Mapping[str, _Place] = {
            line.line_id: _Place(line, kept_standing(store, line.line_id, self._key))
            for line in core.lines.values()
        }
        for place in self._places.values():
            place.line.witnesses[self._key.name] = self._restored(place)

    async def run(self) -> None:
        """Ask for ever; end only when cancelled, or when the node's disk has failed."""
        failures = 0
        while True:
            await asyncio.sleep(_LOOK_S)
            for place in self._places.values():
                if not self._is_due(place):
                    continue
                if await self.ask(place.line.line_id):
                    failures = 0
                else:
                    failures += 1
                    # The witness as a whole rests: what one line gets, another would get as well.
                    pause_s = min(_LEAST_PAUSE_S * 2 ** (failures - 1), _LONGEST_PAUSE_S)
                    await asyncio.sleep(pause_s)

    def _is_due(self, place: _Place) -> bool:
        """True exactly when there is something to ask about, and it may be asked again.

        That is what both sides have fixed since it signed last. After a start it is all that they
        ever fixed: a node that was set back, with everything that could tell it so, learns it here.
        """
        own = place.line.machine.own_head
        fixed = place.line.machine.checkpoints.own_cosigned.size
        if place.asked_s is None:
            return fixed > 0
        seen = place.standing
        size = seen.size if seen is not None and own is not None and seen.epoch == own.epoch else 0
        if fixed <= size:
            return False
        return asyncio.get_running_loop().time() - place.asked_s >= self._witness.every_s

    async def ask(self, line_id: str) -> bool:
        """Ask about one line now, and tell the core what came of it.

        Returns:
            True exactly when the witness signed.

        Raises:
            StoreError, BrokenTurnError: of this node's own disk or core; the witness brings about
                neither.
        """
        place = self._places[line_id]
        asked = self._state(place)
        notes: Sequence[NoteRow] = ()
        try:
            standing, notes = await self._asked(place)
            place.standing = standing
            place.asked_s = asyncio.get_running_loop().time()
            told = self._restored(place)
            signed = True
        except (StoreError, BrokenTurnError):
            raise
        except Exception as error:  # whatever a witness brings about, the line goes on
            refused = error if isinstance(error, _Refused) else None
            if not isinstance(error, DeconflictError | _Refused):
                logger.exception("asking %s failed", self._key.name)
            problem = (
                refused.problem if refused else getattr(error, "problem", type(error).__name__)
            )
            contradicts = refused.contradicts if refused else None
            told = msgspec.structs.replace(
                asked,
                problem=problem,
                contradicts=asked.contradicts if contradicts is None else contradicts,
            )
            signed = False
        work = self._core.witnessed(line_id, told, notes, self._driver.now())
        if not work.is_empty():
            await self._driver.commit(work)
        return signed

    async def _asked(self, place: _Place) -> tuple[Standing, tuple[NoteRow, ...]]:
        """Have the newest checkpoint of a line cosigned; return what is to be kept.

        Raises:
            _Refused: it did not sign.
            PeerUnreachableError: it did not answer.
            VerificationError, InvalidDocumentError: what it answered proves nothing.
        """
        line = place.line
        row = await asyncio.to_thread(self._store.latest_checkpoint, line.line_id, line.book.own)
        if row is None:
            raise _Refused("there is no checkpoint yet")
        note = self._own_part(row)
        old = self._known(place, row)
        for _ in range(_TRIES):
            grown = await self._grown(row, old)
            request = AddCheckpoint(grown.old_size, grown.proof, note.to_bytes())
            answer = await self._open_client().ask(add_checkpoint_bytes(request))
            if answer.status == _OK:
                return self._signed(row, note, grown.reached, answer, place.standing)
            old = await self._other_beginning(line, row, grown.old_size, answer)
        raise _Refused("the witness says each time that it stands elsewhere")

    def _own_part(self, row: CheckpointRow) -> SignedNote:
        """Return the checkpoint with our signature alone: the peer's is not for others to see."""
        note, origin = read_note(row.note), Origin(row.line_id, row.party, row.epoch)
        # By its name, whichever of our keys made it: the record was verified when it was read.
        own = tuple(one for one in note.signatures if one.name == origin.name)
        return SignedNote(note.text, own)

    def _known(self, place: _Place, row: CheckpointRow) -> CompactRange:
        """Return the tree that the witness is known to have signed for; none of another epoch."""
        seen = place.standing
        if seen is None or seen.epoch != row.epoch or seen.size > row.size:
            return CompactRange()
        try:
            return seen.tree()
        except VerificationError:
            return CompactRange()  # it says where it stands, and the chain is read up to there

    async def _grown(self, row: CheckpointRow, old: CompactRange) -> "_Grown":
        """Return the proof that a checkpoint grew out of what the witness has.

        Raises:
            _Refused: this record is not what its own checkpoint covers.
        """
        if old.size:
            leaves = await self._leaves(row, old.size, row.size)
            # A witness that was away for long is far behind: off the loop.
            grown = await asyncio.to_thread(_proven, old, leaves, row.size)
            if grown.reached.head.root != row.root:
                # What was kept of where it stands is damaged: read the chain from its beginning.
                again = await self._range(row, old.size)
                grown = await asyncio.to_thread(_proven, again, leaves, row.size)
        else:
            grown = _Grown(0, (), await self._range(row, row.size))
        if grown.reached.head.root != row.root:
            raise _Refused("the record is not the one that its own checkpoint covers")
        return grown

    async def _range(self, row: CheckpointRow, size: int) -> CompactRange:
        found = CompactRange()
        while found.size < size:
            upto = min(size, found.size + _AT_ONCE)
            leaves = await self._leaves(row, found.size, upto)
            for place in range(0, len(leaves), 32):
                found.add(bytes(leaves[place : place + 32]))
        return found

    async def _leaves(self, row: CheckpointRow, after: int, upto: int) -> bytearray:
        """Return the leaves of entries of a chain, read a few at a time."""
        leaves = bytearray()
        while after < upto:
            count = min(_AT_ONCE, upto - after)
            leaves += await asyncio.to_thread(self._some_leaves, row, after, count)
            after += count
            if after < upto:
                await asyncio.sleep(_REST_S)
        return leaves

    def _some_leaves(self, row: CheckpointRow, after: int, count: int) -> bytes:
        entries = self._store.entries(
            row.line_id, row.party, epoch=row.epoch, after_seq=after, limit=count
        )
        return b"".join(entry_leaf(one.hash, one.signature or b"") for one in entries)

    def _signed(
        self,
        row: CheckpointRow,
        note: SignedNote,
        reached: CompactRange,
        answer: WitnessAnswer,
        before: Standing | None,
    ) -> tuple[Standing, tuple[NoteRow, ...]]:
        """Return what is kept of an answer, once its signature holds under the pinned key."""
        signed, time_s = with_cosignature(note, answer.body, self._key)
        if before is not None and (before.epoch, before.size) == (row.epoch, row.size):
            return before, ()  # the earlier time says more
        standing = Standing(row.epoch, row.size, reached.peaks, time_s * 1_000)
        kept = cosignature_row(row, self._key, signed)
        return standing, (kept, standing_row(row.line_id, self._key, standing))

    async def _other_beginning(
        self, line: Line, row: CheckpointRow, old_size: int, answer: WitnessAnswer
    ) -> CompactRange:
        """Return the tree at which the witness says it stands, when it is one of ours.

        Raises:
            _Refused: it is none of ours, or it refused for another reason.
        """
        if answer.status == _UNPROVEN:
            raise _Refused(
                f"it holds {old_size} messages of ours that are not those of this record", old_size
            )
        if answer.status != _CONFLICT:
            raise _Refused(_WHY.get(answer.status, f"it answers {answer.status}"))
        known = read_size(answer.body)
        if known == old_size:
            raise _Refused(f"it holds another chain of ours of {known} messages", known)
        if known > row.size:
            # Asked again: since the checkpoint was read, a longer one may have been signed for.
            newest = await asyncio.to_thread(
                self._store.latest_checkpoint, line.line_id, line.book.own
            )
            if newest is not None and newest.epoch == row.epoch and newest.size >= known:
                raise _Refused("a longer chain is fixed by now: it is shown next")
            raise _Refused(f"it holds {known} messages of ours, this record {row.size}", known)
        return await self._range(row, known)

    def _open_client(self) -> WitnessClient:
        if self._client is None:
            self._client = WitnessClient(self._witness.url, witness_context(self._trust))
        return self._client

    def _restored(self, place: _Place) -> WitnessState:
        seen = place.standing
        patience_ms = max(_LEAST_PATIENCE_MS, 3_000 * self._witness.every_s)
        if seen is None:
            return WitnessState(self._key.name, patience_ms=patience_ms)
        return WitnessState(
            self._key.name,
            epoch=seen.epoch,
            size=seen.size,
            seen_ms=seen.seen_ms,
            asked_ms=self._driver.now().utc_ms if place.asked_s is not None else None,
            patience_ms=patience_ms,
        )

    def _state(self, place: _Place) -> WitnessState:
        """Return how the witness stands now, while it is asked."""
        now_ms = self._driver.now().utc_ms
        held = place.line.witnesses[self._key.name]
        since_ms = now_ms if held.since_ms is None else held.since_ms
        return msgspec.structs.replace(held, since_ms=since_ms, asked_ms=now_ms)


def _proven(old: CompactRange, leaves: bytearray, size: int) -> _Grown:
    tree = GrowingTree(old, leaves)
    return _Grown(old.size, tree.consistency(size), tree.range_at(size))


_WHY: Final[Mapping[int, str]] = {
    400: "it cannot read what this node says",
    403: "it does not know the present key of this node: its owner has to add it "
    "(deconflict witness add-line --change)",
    404: "it does not know this line: its owner has to add it (deconflict witness add-line)",
    503: "it has too much to do",
}
