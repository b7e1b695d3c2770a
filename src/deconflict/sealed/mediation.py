"""What a mediator is sent, what it answers, and the HELLOs of the two who ask it.

The mediator compares lists of tags of which it has no key. Bytes: ``specs/private-check.md`` §11.
"""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from operator import lt
from typing import Annotated, Final, TypeVar

import msgspec

from deconflict.errors import CheckRefusedError, InvalidDocumentError
from deconflict.line.canonical import parse_canonical
from deconflict.line.statement import Hash, UtcText, Version
from deconflict.sealed.document import Document
from deconflict.sealed.hello import MAX_HELLO_BYTES

__all__ = [
    "MEDIATED_TAG",
    "MediatedHello",
    "MediatedMode",
    "MediatedTerms",
    "Mediation",
    "Submission",
    "Submitted",
    "mediate",
    "mediated_session_id",
    "read_mediated_hello",
    "read_mediation",
    "read_submission",
]

MEDIATED_TAG: Final = 16
_SESSION: Final = b"deconflict/1 sealed mediated\n"
_T = TypeVar("_T", bound=msgspec.Struct)

Runs = Annotated[int, msgspec.Meta(ge=4, le=256)]
ListLength = Annotated[int, msgspec.Meta(ge=16, le=1 << 20)]
Said = Annotated[int, msgspec.Meta(ge=0, le=1 << 20)]


class MediatedMode(StrEnum):
    """What the mediator says of each run: whether there is an overlap, or of how many."""

    YES_NO = "yes_no"
    COUNT = "count"


class MediatedTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was agreed: the same on both sides, or nothing is sent to anybody.

    Attributes:
        mediator: who is asked: a third party.
        grid: hash of the grid document in the terms.
        parts: into how many the sides of its cells are cut.
        mode: what is told.
        runs: lists that each sends; all but two are of dummies.
        bucket: tags of each list.
    """

    mediator: str
    grid: Hash
    parts: Annotated[int, msgspec.Meta(ge=1, le=64)]
    mode: MediatedMode
    runs: Runs
    bucket: ListLength


class MediatedHello(Document, frozen=True, forbid_unknown_fields=True):
    """What one of the two fixes before a mediated check; said to the other, not to the mediator.

    Attributes:
        v: 1.
        party: who says it.
        terms: what was agreed.
        nonce: 32 random bytes, never used before.
        key: its X25519 key of this check.
        plan: commitment to its plan.
        seed: commitment to its seed.
        expires_utc: when it gives up: what comes later is NOT CHECKED.
    """

    v: Version
    party: str
    terms: MediatedTerms
    nonce: Hash
    key: Hash
    plan: Hash
    seed: Hash
    expires_utc: UtcText


class Submission(Document, frozen=True, forbid_unknown_fields=True):
    """What one of the two sends to the mediator, beside the lists themselves.

    Attributes:
        v: 1.
        session: names the check.
        party: who sends it.
        peer: the other of the two.
        mediator: to whom.
        mode: what is to be told.
        runs: how many lists.
        bucket: tags of each.
        lists: SHA-256 of all lists one behind the other.
    """

    v: Version
    session: Hash
    party: str
    peer: str
    mediator: str
    mode: MediatedMode
    runs: Runs
    bucket: ListLength
    lists: Hash


@dataclass(frozen=True, slots=True, repr=False)
class Submitted:
    """A submission with its lists: ``runs`` of them, each ``bucket`` ascending tags of 16 bytes."""

    submission: Submission
    lists: bytes

    def __repr__(self) -> str:
        """Say whose it is, and not its megabytes."""
        return f"Submitted({self.submission.party!r}, ...)"


class Mediation(Document, frozen=True, forbid_unknown_fields=True):
    """What the mediator says, the same bytes to both.

    Attributes:
        v: 1.
        session: of which check.
        mediator: who says it.
        mode: what is told.
        submissions: of both parties, by name: the hash of what each sent.
        answers: of each run, in their order: 0 or 1, or the count.
    """

    v: Version
    session: Hash
    mediator: str
    mode: MediatedMode
    submissions: dict[str, Hash]
    answers: tuple[Said, ...]


def mediate(
    one: Submitted, other: Submitted, *, mediator: str, served: Collection[str] = ()
) -> Mediation:
    """Return what the mediator says of two submissions. It keeps neither.

    Args:
        one: of one party, its signature checked before.
        other: of the other.
        mediator: who we are.
        served: sessions that were answered before: asked again with other lists, one of the two
            would learn more than a count.

    Raises:
        CheckRefusedError: the two do not belong together, are not for us, were answered before, or
            a list is not what was announced.
    """
    a, b = one.submission, other.submission
    if mediator in (a.party, b.party):
        raise CheckRefusedError("nobody mediates a check of its own", reason="OTHER_SHAPE")
    if (a.party, a.peer) != (b.peer, b.party) or a.party == b.party:
        raise CheckRefusedError("these are not two parties of one check", reason="OTHER_SHAPE")
    for what in ("session", "mediator", "mode", "runs", "bucket"):
        if getattr(a, what) != getattr(b, what) or a.mediator != mediator:
            raise CheckRefusedError(f"the two did not agree on one {what}", reason="OTHER_SHAPE")
    if a.session in served:
        raise CheckRefusedError("this check was answered before", reason="REPLAYED_HELLO")
    # One pair at a time: all lists at once take six times as much room as their bytes.
    counts = [len(mine & yours) for mine, yours in zip(_lists(one), _lists(other), strict=True)]
    yes_no = a.mode is MediatedMode.YES_NO
    return Mediation(
        v=1,
        session=a.session,
        mediator=mediator,
        mode=a.mode,
        submissions={each.party: each.hash.hex() for each in (a, b)},
        answers=tuple(min(count, 1) if yes_no else count for count in counts),
    )


def mediated_session_id(one: MediatedHello, other: MediatedHello) -> bytes:
    """Return the name of the check of two HELLOs, whichever way round; 32 bytes."""
    first, second = sorted((one.hash, other.hash))
    return hashlib.sha256(_SESSION + first + second).digest()


def read_mediated_hello(data: bytes) -> MediatedHello:
    """Return what one of the two says in exact bytes.

    Raises:
        InvalidDocumentError, NotCanonicalError: it has another form or spelling.
    """
    return _read(data, MediatedHello)


def read_submission(data: bytes) -> Submission:
    """Return what is sent to the mediator in exact bytes; raises as above."""
    return _read(data, Submission)


def read_mediation(data: bytes) -> Mediation:
    """Return what the mediator says in exact bytes; raises as above."""
    return _read(data, Mediation)


def _read(data: bytes, kind: type[_T]) -> _T:
    value = parse_canonical(data, max_bytes=MAX_HELLO_BYTES)
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise InvalidDocumentError(
            f"this is no {kind.__name__}: {error}", expected="see specs/private-check.md"
        ) from error


def _lists(submitted: Submitted) -> Iterator[frozenset[bytes]]:
    said, data = submitted.submission, submitted.lists
    due = said.runs * said.bucket * MEDIATED_TAG
    if len(data) != due:
        raise CheckRefusedError(
            "the lists have another length than was agreed",
            reason="WRONG_LENGTH",
            given=f"{len(data):,} bytes of {said.party!r:.80}",
            expected=f"{due:,} bytes",
        )
    if hashlib.sha256(data).hexdigest() != said.lists:
        raise CheckRefusedError(
            "the lists are not those that were signed",
            reason="OTHER_TRANSCRIPT",
            given=f"of {said.party!r:.80}",
        )
    length = said.bucket * MEDIATED_TAG
    for begin in range(0, due, length):
        own = [data[at : at + MEDIATED_TAG] for at in range(begin, begin + length, MEDIATED_TAG)]
        if not all(map(lt, own, own[1:])):
            raise CheckRefusedError(
                "the tags of a list are not in ascending order, each once",
                reason="UNSORTED_TAGS",
                given=f"of {said.party!r:.80}",
            )
        yield frozenset(own)
