"""What is said of a private check on the line: that it is to be, its steps, and how it ended.

The bytes of a step are those of ``specs/private-check.md``. What is small travels in the message;
what is large travels beside the chain in parts, and the message names each by its hash, so that it
is signed and receipted all the same.
"""

import base64
import binascii
import hashlib
from enum import StrEnum
from typing import Annotated, Final, TypeAlias

import msgspec

from deconflict.airspace.instant import parse_utc
from deconflict.errors import InvalidDocumentError
from deconflict.messages.body import Body
from deconflict.messages.phrases import check_reason
from deconflict.messages.wire_form import Hash, Name, UtcText, WireForm
from deconflict.sealed.mediation import MEDIATED_TAG, MediatedMode
from deconflict.sealed.steps import CHUNKS, StepKind

__all__ = [
    "MAX_INLINE_BYTES",
    "MAX_PARTS",
    "MAX_PART_BYTES",
    "MAX_REFINED",
    "MAX_RUNS",
    "MAX_STEP_BYTES",
    "MediatedAnswer",
    "MediatedAsked",
    "PrivateAccept",
    "PrivateCoin",
    "PrivateDecline",
    "PrivateEnd",
    "PrivateEndReason",
    "PrivateMode",
    "PrivatePropose",
    "PrivateStep",
    "Refines",
    "RunNumber",
    "SitesAsked",
    "StepWord",
    "cut",
]

MAX_RUNS: Final = 366
MAX_INLINE_BYTES: Final = 16_384  # 21,848 characters, a third of an envelope
MAX_PART_BYTES: Final = 4_194_304
MAX_PARTS: Final = 64  # of one step
MAX_STEP_BYTES: Final = MAX_PARTS * MAX_PART_BYTES
MAX_REFINED: Final = 4_096  # coarse slots, as in a shape

RunNumber: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=MAX_RUNS - 1)]
Coarse: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF_FFFF)]


class PrivateMode(StrEnum):
    """Who learns what.

    MUTUAL: both sides learn which of their own cells are hit. SITES: one side, the planner, learns
    which squares of its activity lie at protected sites of the other, the protector. MEDIATED: both
    sides learn whether, or in how many cells, they come near, from a third party that they name.
    """

    MUTUAL = "MUTUAL"
    SITES = "SITES"
    MEDIATED = "MEDIATED"


class MediatedAnswer(StrEnum):
    """What a mediator is asked: whether two plans come near anywhere, or in how many cells."""

    YES_NO = "YES_NO"
    COUNT = "COUNT"

    @property
    def mode(self) -> MediatedMode:
        """The same as the mediator computes it."""
        return MediatedMode[self.value]


class StepWord(StrEnum):
    """The steps of a run, in their order, as they are called in messages.

    LIST is said in a check of sites alone, ROOT and CHUNK in a mutual one alone, and in a mediated
    one nothing but HELLO and DONE.
    """

    HELLO = "HELLO"
    LIST = "LIST"
    POINTS = "POINTS"
    EVALUATED = "EVALUATED"
    ROOT = "ROOT"
    CHUNK = "CHUNK"
    DONE = "DONE"

    @property
    def step_kind(self) -> StepKind | None:
        """The same, as a mutual session counts it; None of LIST, which is never said in one."""
        return None if self is StepWord.LIST else StepKind[self.value]


class PrivateEndReason(StrEnum):
    """Why a run has ended before its end, or will not be: none of them is clear.

    The first ones are said by a node that could not go on. The rest are what a session refuses;
    ``specs/private-check.md`` says what each means.
    """

    CANCELLED = "CANCELLED"  # a person said so
    EXPIRED = "EXPIRED"
    SUSPENDED = "SUSPENDED"
    OVER_BUDGET = "OVER_BUDGET"  # a slot was asked about as often as was agreed
    PART_MISSING = "PART_MISSING"
    SEED_LOST = "SEED_LOST"
    NO_PLAN = "NO_PLAN"
    PLAN_TOO_LARGE = "PLAN_TOO_LARGE"
    PLAN_LEAVES_GRID = "PLAN_LEAVES_GRID"
    NO_SITES = "NO_SITES"  # the protector holds no list
    NO_CONSENT = "NO_CONSENT"  # of the protector's people: none, withdrawn, or over
    OVER_CAP = "OVER_CAP"  # more was asked than the protector answers
    ENDED = "ENDED"
    MALFORMED = "MALFORMED"
    OTHER_GRID = "OTHER_GRID"
    OTHER_SHAPE = "OTHER_SHAPE"
    REPLAYED_HELLO = "REPLAYED_HELLO"
    KEY_REUSED = "KEY_REUSED"
    OUT_OF_TURN = "OUT_OF_TURN"
    WRONG_LENGTH = "WRONG_LENGTH"
    WRONG_COUNT = "WRONG_COUNT"
    NOT_CANONICAL = "NOT_CANONICAL"
    IDENTITY = "IDENTITY"
    DUPLICATE = "DUPLICATE"
    PROOF_NOT_CANONICAL = "PROOF_NOT_CANONICAL"
    BAD_PROOF = "BAD_PROOF"
    BAD_KEY = "BAD_KEY"
    BAD_PATH = "BAD_PATH"
    UNSORTED_TAGS = "UNSORTED_TAGS"
    CANARY_LOST = "CANARY_LOST"
    TAGS_LOST = "TAGS_LOST"
    OTHER_TRANSCRIPT = "OTHER_TRANSCRIPT"
    BAD_LABEL = "BAD_LABEL"
    NO_MEDIATOR = "NO_MEDIATOR"  # no line with it
    MEDIATOR_ENDED = "MEDIATOR_ENDED"  # it refused, or gave up: it says why on its own line
    MEDIATOR_LIED = "MEDIATOR_LIED"
    OTHER_ANSWER = "OTHER_ANSWER"  # it did not say the same to both


class Refines(WireForm, frozen=True):
    """Which slots of an earlier check are looked at again, in finer cells.

    Attributes:
        of: the PRIVATE_PROPOSE of that check, which itself refines none.
        run: which of its runs.
        parts: into how many the sides of a cell are cut.
        slots: of that run, ascending.
    """

    of: Hash
    run: RunNumber
    parts: Annotated[int, msgspec.Meta(ge=2, le=64)]
    slots: Annotated[tuple[Coarse, ...], msgspec.Meta(min_length=1, max_length=MAX_REFINED)]

    def __post_init__(self) -> None:
        WireForm.__post_init__(self)
        if any(one >= other for one, other in zip(self.slots, self.slots[1:], strict=False)):
            raise InvalidDocumentError(
                "the slots to be looked at more finely are out of order",
                given=", ".join(map(str, self.slots))[:80],
                expected="ascending, each once",
            )


class SitesAsked(WireForm, frozen=True):
    """What a check of sites is of: whose sites, and how long everything is that will be sent.

    Attributes:
        protector: the party that holds the sites; the other one plans.
        points: exactly so many squares are asked, canaries and pads included.
        bucket: exactly so many tags are shown, canaries and pads included.
        label: bytes that what is said of a site may have; 0 where only that it is near is told.
    """

    protector: Name
    points: Annotated[int, msgspec.Meta(ge=17, le=65_535)]
    bucket: Annotated[int, msgspec.Meta(ge=64, le=1 << 20)]
    label: Annotated[int, msgspec.Meta(ge=0, le=1_024)]


class MediatedAsked(WireForm, frozen=True):
    """What a mediated check is: who is asked, for what, and how much each side sends.

    **The mediator together with either side learns the plan of the other.**

    Attributes:
        mediator: the third party.
        answer: what it says of each pair of lists.
        lists: that each side sends; all but two are of dummies.
        bucket: tags of each list.
    """

    mediator: Name
    answer: MediatedAnswer
    lists: Annotated[int, msgspec.Meta(ge=4, le=256)]
    bucket: Annotated[int, msgspec.Meta(ge=16, le=1 << 20)]

    def __post_init__(self) -> None:
        WireForm.__post_init__(self)
        if self.size > MAX_STEP_BYTES:
            raise InvalidDocumentError(
                "the lists of a mediated check are too long",
                given=f"{self.lists} lists of {self.bucket:,} tags, {self.size:,} bytes",
                expected=f"at most {MAX_STEP_BYTES:,} bytes",
            )

    @property
    def size(self) -> int:
        """How many bytes each side sends to the mediator."""
        return self.lists * self.bucket * MEDIATED_TAG


class PrivatePropose(Body, frozen=True):
    """PRIVATE_PROPOSE: a private check of a period, or of several in a row.

    Attributes:
        mode: who learns what.
        grid: hash of the document on private checks in the terms in force.
        start_utc: when the first period begins; each later one a cadence after the one before.
        runs: how many.
        refines: of which check it is a closer look; None for a coarse one.
        sites: what a check of sites is of; None of any other.
        mediated: who is asked in a mediated check, and for what; None of any other.
    """

    mode: PrivateMode
    grid: Hash
    start_utc: UtcText
    runs: Annotated[int, msgspec.Meta(ge=1, le=MAX_RUNS)]
    refines: Refines | None = None
    sites: SitesAsked | None = None
    mediated: MediatedAsked | None = None

    def __post_init__(self) -> None:
        Body.__post_init__(self)
        if (self.mode is PrivateMode.SITES) is not (self.sites is not None):
            raise InvalidDocumentError(
                "a check of sites says whose, and no other does",
                given=f"{self.mode}, {'no ' if self.sites is None else ''}sites",
            )
        if (self.mode is PrivateMode.MEDIATED) is not (self.mediated is not None):
            raise InvalidDocumentError(
                "a mediated check says by whom, and no other does",
                given=f"{self.mode}, {'no ' if self.mediated is None else 'a '}mediator",
            )
        alone = self.sites is not None or self.mediated is not None
        if alone and (self.refines is not None or self.runs != 1):
            raise InvalidDocumentError(
                f"a check of mode {self.mode} is one run, and no closer look",
                given=f"{self.runs} runs" + ("" if self.refines is None else ", refining"),
                expected="1 run",
            )
        if self.refines is not None and self.runs != 1:
            raise InvalidDocumentError(
                "a closer look is one run",
                given=f"{self.runs} runs",
                expected="1, over the period of the run that it refines",
            )

    @property
    def start_ms(self) -> int:
        """When the first period begins."""
        return parse_utc(self.start_utc)


class PrivateAccept(Body, frozen=True):
    """PRIVATE_ACCEPT: the runs of the check cited are taken part in."""


class PrivateDecline(Body, frozen=True):
    """PRIVATE_DECLINE: they are not. ``reason`` is a phrase number."""

    reason: int = 331

    def __post_init__(self) -> None:
        Body.__post_init__(self)
        check_reason(self.reason)


class PrivateStep(Body, frozen=True):
    """PRIVATE_STEP: one step of a run of the check cited, said by the node itself.

    Attributes:
        run: which run.
        step: which step.
        number: of a chunk; 0 else.
        size: bytes of the step.
        sha256: of all of them.
        data: they, in base64, where they are few.
        parts: else the hash of each part, in order: each full but the last.
    """

    run: RunNumber
    step: StepWord
    number: Annotated[int, msgspec.Meta(ge=0, le=CHUNKS - 1)]
    size: Annotated[int, msgspec.Meta(ge=1, le=MAX_STEP_BYTES)]
    sha256: Hash
    data: str | None = None
    parts: Annotated[tuple[Hash, ...], msgspec.Meta(max_length=MAX_PARTS)] = ()

    def __post_init__(self) -> None:
        Body.__post_init__(self)
        if self.number and self.step is not StepWord.CHUNK:
            raise InvalidDocumentError(
                "only chunks are numbered",
                given=f"{self.step} {self.number}",
                expected=f"{self.step} 0",
            )
        if self.size <= MAX_INLINE_BYTES:
            self._require_inline()
        else:
            self._require_in_parts()

    @classmethod
    def of(cls, run: int, step: StepWord, number: int, data: bytes) -> "PrivateStep":
        """Return the body that says these bytes: in itself, or in the parts of :func:`cut`."""
        inline = len(data) <= MAX_INLINE_BYTES
        return cls(
            run=run,
            step=step,
            number=number,
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            data=base64.b64encode(data).decode("ascii") if inline else None,
            parts=() if inline else tuple(hashlib.sha256(part).hexdigest() for part in cut(data)),
        )

    @property
    def inline(self) -> bytes | None:
        """The bytes where they stand in the message; None where they travel in parts."""
        return None if self.data is None else base64.b64decode(self.data)

    def _require_inline(self) -> None:
        data = b"" if self.data is None else _decoded(self.data)
        if self.parts or len(data) != self.size:
            raise InvalidDocumentError(
                "a small step stands in its message, whole",
                given=f"{len(data):,} bytes and {len(self.parts)} parts",
                expected=f"{self.size:,} bytes and no parts",
            )
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise InvalidDocumentError(
                "a step does not have the hash it is given",
                given=self.sha256,
                expected="the SHA-256 of its bytes",
            )

    def _require_in_parts(self) -> None:
        due = -(-self.size // MAX_PART_BYTES)
        if self.data is not None or len(self.parts) != due:
            raise InvalidDocumentError(
                "a large step travels in full parts, and none of it in its message",
                given=f"{len(self.parts)} parts" + ("" if self.data is None else ", and data"),
                expected=f"{due} parts of {self.size:,} bytes",
            )
        if due == 1 and self.parts[0] != self.sha256:
            raise InvalidDocumentError(
                "the one part of a step is the step", given=self.parts[0], expected=self.sha256
            )


class PrivateCoin(Body, frozen=True):
    """PRIVATE_COIN: opens the own half of the coin that picks runs to be audited."""

    run: RunNumber
    coin: Hash


class PrivateEnd(Body, frozen=True):
    """PRIVATE_END: a run is over before its end, or, without a number, all that are to come.

    What was not found by then is NOT CHECKED.
    """

    run: RunNumber | None
    reason: PrivateEndReason


def cut(data: bytes) -> tuple[bytes, ...]:
    """Return the parts in which the bytes of a step travel: each full but the last."""
    return tuple(data[at : at + MAX_PART_BYTES] for at in range(0, len(data), MAX_PART_BYTES))


def _decoded(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _no_base64(text) from error
    # Bits that stand for nothing may be set or not: one spelling only, as everywhere.
    if base64.b64encode(data).decode("ascii") != text:
        raise _no_base64(text)
    return data


def _no_base64(text: str) -> InvalidDocumentError:
    return InvalidDocumentError(
        "the data of a step is no base64",
        given=f"{text!r:.40}",
        expected="RFC 4648 section 4, padded",
    )
