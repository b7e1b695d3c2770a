"""One private check between two sides: what is said when, what is believed, and what it found.

Decisions alone: steps in, steps out. Both directions run at once, each with a key of its own; A
learns which of its cells the other's widened plan holds, and so does B. Nothing is believed before
it is checked, and whatever is wrong ends the check for good: what was found until then stays found,
and everything else is NOT CHECKED. All randomness comes from the seed, so after a crash the same
seed, cells and steps heard give the same bytes again.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from deconflict.errors import CheckRefusedError, DeconflictError
from deconflict.sealed.hello import Hello, read_hello, session_id
from deconflict.sealed.oprf import Evaluation, Question, Receiver, Sender, pad_tags
from deconflict.sealed.own import OwnSide
from deconflict.sealed.steps import CHUNKS, Step, StepKind, require_length
from deconflict.sealed.tags import HeardTags, ShownTags

__all__ = ["Finding", "Outcome", "Session"]

_TAG: Final = 12
_TRANSCRIPT: Final = b"deconflict/1 sealed transcript\n"


class Outcome(StrEnum):
    """What a check says of one's own plan.

    NO_HIT is said only at the end of a whole check; everything that ended otherwise is NOT_CHECKED,
    which is not clear.
    """

    HIT = "HIT"
    NO_HIT = "NO_HIT"
    NOT_CHECKED = "NOT_CHECKED"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found, as far as it came.

    Attributes:
        outcome: of the whole check; HIT also of one that was broken off after a hit.
        whole: whether it came to its end on both sides.
        hits: own cells, as ten bytes each, that the peer's widened plan holds.
        reason: why it was broken off; None where it was not.
    """

    outcome: Outcome
    whole: bool
    hits: frozenset[bytes]
    reason: str | None = None


@dataclass
class _Said:
    """The steps of one side."""

    steps: dict[tuple[StepKind, int], Step] = field(default_factory=dict)
    chunks: int = 0

    def add(self, step: Step) -> None:
        self.steps[step.kind, step.number] = step
        self.chunks += step.kind is StepKind.CHUNK

    def has(self, kind: StepKind, number: int = 0) -> bool:
        return (kind, number) in self.steps


class Session:
    """One side of one check.

    Args:
        own: what this side brings: its HELLO, its cells, its seed.
        seen: hashes of the peer's HELLOs that served before; none of them is taken again.
        keys: public keys, as HELLOs spell them, that the peer showed before, in whichever session:
            a key that serves twice lets answers of one session be used in the other.
        threads: of the kernel; None for one a processor.
    """

    def __init__(
        self,
        own: OwnSide,
        *,
        seen: frozenset[bytes] = frozenset(),
        keys: frozenset[str] = frozenset(),
        threads: int | None = None,
    ) -> None:
        self._own, self._seen, self._keys, self._threads = own, seen, keys, threads
        self._said, self._heard = _Said(), _Said()
        self._peer: Hello | None = None
        self._hashes = (own.hello.hash, b"")  # of the own HELLO and the peer's
        self._ssid = b""
        self._asked: list[Question] = []  # what opens the peer's answer, until it came
        self._shown: ShownTags | None = None
        self._tags = HeardTags(bytes(32))  # under no root yet, so no chunk can be under it
        self._by_tag: Mapping[bytes, bytes] = {}
        self._missing: set[bytes] = set()  # canaries that did not come back yet
        self._hits: set[bytes] = set()
        self._reason: str | None = None

    # ---- what is known -------------------------------------------------------------------------

    @property
    def finding(self) -> Finding:
        """What is found so far."""
        whole = self._said.has(StepKind.DONE) and self._heard.has(StepKind.DONE)
        if self._hits:
            outcome = Outcome.HIT
        else:
            outcome = Outcome.NO_HIT if whole and not self._reason else Outcome.NOT_CHECKED
        return Finding(outcome, whole and not self._reason, frozenset(self._hits), self._reason)

    @property
    def ended(self) -> bool:
        """True exactly when nothing more is said or heard."""
        return self._reason is not None or self.finding.whole

    @property
    def progress(self) -> tuple[int, int]:
        """How many steps were said and heard, and how many a whole check has."""
        done = len(self._said.steps) + len(self._heard.steps)
        return done, 2 * (len(StepKind) - 1 + CHUNKS)

    @property
    def transcript(self) -> bytes:
        """Hash of all that was said by both, but for the DONE steps; the same on both sides."""
        if self._peer is None:
            return b""
        sides = sorted(
            zip(self._hashes, (self._said, self._heard), strict=True),
            key=lambda side: side[0],
        )
        running = hashlib.sha256(_TRANSCRIPT)
        for kind in StepKind:
            for number in range(CHUNKS if kind is StepKind.CHUNK else 1):
                for _, side in sides:
                    step = side.steps.get((kind, number))
                    if step is not None and kind is not StepKind.DONE:
                        running.update(step.hash)
        return running.digest()

    # ---- what is said and heard ----------------------------------------------------------------

    def begin(self) -> tuple[Step, ...]:
        """Say HELLO."""
        return tuple(self._say(Step(StepKind.HELLO, 0, self._own.hello.data)))

    def hear(self, step: Step) -> tuple[Step, ...]:
        """Take the peer's next step; return what is said upon it.

        Raises:
            CheckRefusedError, RefusedBatchError, InvalidDocumentError, NotCanonicalError: the step
                is not what was agreed or due. The check has ended then, and stays so.
        """
        if self.ended:
            raise CheckRefusedError("the check has ended", reason="ENDED")
        try:
            return tuple(self._taken(step))
        except CheckRefusedError as error:
            self.abort(error.reason)
            raise
        except DeconflictError:
            self.abort("MALFORMED")
            raise

    def prepare(self) -> None:
        """Work out the own tags before they are due, once the peer's HELLO was heard.

        That takes longest, and how long it takes depends on the plan: so it is done ahead, and what
        it makes leaves when it is due and not when it is ready.

        Raises:
            CheckRefusedError: the kernel lost some of them. The check has ended then.
        """
        if self._peer is None or self.ended:
            return
        try:
            _ = self._own_tags
        except CheckRefusedError as error:
            self.abort(error.reason)
            raise

    def abort(self, reason: str) -> None:
        """End the check: what was not found is NOT CHECKED."""
        if not self.ended:
            self._reason = reason
        self._asked.clear()
        self._shown = None

    def _say(self, *steps: Step) -> Iterator[Step]:
        for step in steps:
            self._said.add(step)
            yield step

    def _taken(self, step: Step) -> Iterator[Step]:
        self._require_due(step)
        if step.kind is not StepKind.HELLO:
            require_length(step, self._own.hello.shape, len(self._own.cells.slots))
        match step.kind:
            case StepKind.HELLO:
                peer = self._hear_hello(step)
                self._heard.add(step)
                yield from self._ask(peer)
            case StepKind.POINTS:
                answer = self._evaluate(step.data)
                self._heard.add(step)
                yield from self._say(Step(StepKind.EVALUATED, 0, answer.points + answer.proofs))
                yield from self._root_when_due()
            case StepKind.EVALUATED:
                self._open(step.data)
                self._heard.add(step)
                yield from self._root_when_due()
            case StepKind.ROOT:
                self._tags = HeardTags(step.data)
                self._heard.add(step)
                yield from self._chunk_when_due()
            case StepKind.CHUNK:
                self._hear_chunk(step)
                self._heard.add(step)
                yield from self._chunk_when_due()
            case StepKind.DONE:
                self._hear_done(step)
                self._heard.add(step)

    # ---- order ---------------------------------------------------------------------------------

    def _require_due(self, step: Step) -> None:
        """Return when a step is the one that the peer may say now."""
        heard, said = self._heard, self._said
        again = heard.has(step.kind, step.number)
        match step.kind:
            case StepKind.HELLO:
                due = said.has(StepKind.HELLO)
            case StepKind.POINTS:
                due = heard.has(StepKind.HELLO)
            case StepKind.EVALUATED:
                due = said.has(StepKind.POINTS) and heard.has(StepKind.POINTS)
            case StepKind.ROOT:
                due = heard.has(StepKind.EVALUATED) and said.has(StepKind.EVALUATED)
            case StepKind.CHUNK:
                # One after the other: nobody is more than one chunk ahead.
                turn = said.chunks + (0 if self._first else 1)
                due = heard.has(StepKind.ROOT) and said.has(StepKind.ROOT)
                due = due and step.number == heard.chunks and heard.chunks < turn
            case StepKind.DONE:
                due = heard.chunks == CHUNKS == said.chunks
        if again or not due:
            raise CheckRefusedError(
                f"{step.kind.name} {step.number} is not due" + (" again" if again else ""),
                reason="OUT_OF_TURN",
            )

    @property
    def _first(self) -> bool:
        """Whether this side shows its chunks first."""
        return self._hashes[0] < self._hashes[1]

    def _root_when_due(self) -> Iterator[Step]:
        ready = self._said.has(StepKind.EVALUATED) and self._heard.has(StepKind.EVALUATED)
        if ready and not self._said.has(StepKind.ROOT):
            yield from self._say(self._own_tags.root)
            yield from self._chunk_when_due()

    def _chunk_when_due(self) -> Iterator[Step]:
        if not (self._said.has(StepKind.ROOT) and self._heard.has(StepKind.ROOT)):
            return
        said, heard = self._said.chunks, self._heard.chunks
        if said < CHUNKS and said < heard + (1 if self._first else 0):
            yield from self._say(self._own_tags.chunk(said))
            said += 1
        if said == heard == CHUNKS and not self._said.has(StepKind.DONE):
            self._require_canaries()
            yield from self._say(Step(StepKind.DONE, 0, self.transcript))

    # ---- the steps -----------------------------------------------------------------------------

    def _hear_hello(self, step: Step) -> Hello:
        own, peer = self._own.hello, read_hello(step.data)
        for what, reason in (
            ("grid", "OTHER_GRID"),
            ("parts", "OTHER_SHAPE"),
            ("slots", "OTHER_SHAPE"),
            ("points", "OTHER_SHAPE"),
            ("bucket", "OTHER_SHAPE"),
        ):
            theirs, ours = getattr(peer.shape, what), getattr(own.shape, what)
            if theirs != ours:
                raise CheckRefusedError(
                    f"the peer's {what} is another one",
                    reason=reason,
                    given=str(theirs)[:80],
                    expected=str(ours)[:80],
                )
        if peer.party == own.party or peer.nonce == own.nonce or peer.key == own.key:
            raise CheckRefusedError("this HELLO is our own", reason="REPLAYED_HELLO")
        if peer.hash in self._seen:
            raise CheckRefusedError("this HELLO has served before", reason="REPLAYED_HELLO")
        if peer.key in self._keys:
            raise CheckRefusedError(
                "the peer's key has served before: a session has a key of its own",
                reason="KEY_REUSED",
            )
        self._peer = peer
        self._hashes = (self._hashes[0], peer.hash)
        self._ssid = session_id(own, peer)
        return peer

    def _ask(self, peer: Hello) -> Iterator[Step]:
        own = self._own
        receiver = Receiver(own.seed, self._ssid, bytes.fromhex(peer.key))
        question = receiver.ask(own.cells, own.hello.shape.points, threads=self._threads)
        self._asked.append(question)
        yield from self._say(Step(StepKind.POINTS, 0, question.points))

    def _evaluate(self, points: bytes) -> Evaluation:
        own = self._own
        return Sender(own.seed, self._ssid).evaluate(
            own.cells.slots, own.hello.shape.points, points, threads=self._threads
        )

    def _open(self, data: bytes) -> None:
        """Verify the peer's proofs, and only then have the tags of own cells."""
        own = self._own
        cut = 32 * own.hello.shape.points * len(own.cells.slots)
        answer = Evaluation(data[:cut], data[cut:])
        tags = self._asked.pop().finalize(answer, threads=self._threads)
        _require_tags(tags, len(own.cells))
        by_tag = {}
        for at, (slot, cell) in enumerate(own.cells):
            tag = tags[at * _TAG : (at + 1) * _TAG]
            by_tag[tag] = cell
            if cell == own.canary(slot):
                self._missing.add(tag)
        self._by_tag = by_tag

    @property
    def _own_tags(self) -> ShownTags:
        if self._shown is None:
            own, bucket = self._own, self._own.hello.shape.bucket
            tags = Sender(own.seed, self._ssid).tags(own.widened, threads=self._threads)
            _require_tags(tags, len(own.widened))
            pads = pad_tags(own.seed, self._ssid, bucket - len(tags) // _TAG)
            self._shown = ShownTags(tags, pads, bucket)
        return self._shown

    def _hear_chunk(self, step: Step) -> None:
        for tag in self._by_tag.keys() & self._tags.hear(step):
            if tag in self._missing:
                self._missing.discard(tag)
            else:
                self._hits.add(self._by_tag[tag])

    def _require_canaries(self) -> None:
        """Return when every canary came back: what loses cells by a fault loses some of these."""
        if self._missing:
            raise CheckRefusedError(
                "a canary that both sides put in did not come back: tags were lost on the way",
                reason="CANARY_LOST",
            )

    def _hear_done(self, step: Step) -> None:
        if step.data != self.transcript:
            raise CheckRefusedError(
                "the two sides do not have the same transcript", reason="OTHER_TRANSCRIPT"
            )


def _require_tags(tags: bytes, cells: int) -> None:
    """Return when there is a tag for every cell: pads would hide a batch that lost its tail."""
    if len(tags) != _TAG * cells:
        raise CheckRefusedError(
            "the kernel gave another number of tags than there are cells", reason="TAGS_LOST"
        )
