"""What one of two sides sends to a mediator, and what it answers, on the line of each with it.

Neither is ever said on the line of the two: the peer would have in its hands what it needs to read
the other's plan. The lists themselves travel beside the chain in parts, after the message that
announces them, because the mediator takes no byte that it has not consented to.
"""

import hashlib
from typing import Annotated, Final, TypeAlias

import msgspec

from deconflict.errors import InvalidDocumentError
from deconflict.messages.body import Body
from deconflict.messages.private_bodies import (
    MAX_PART_BYTES,
    MAX_PARTS,
    MediatedAnswer,
    cut,
)
from deconflict.messages.wire_form import Hash, Name, UtcText, WireForm
from deconflict.sealed.mediation import MEDIATED_TAG, Mediation, Submission, Submitted

__all__ = ["PrivateMediation", "PrivateSubmit", "SubmissionNamed"]

_BOTH: Final = 2
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=1 << 20)]


class PrivateSubmit(Body, frozen=True):
    """PRIVATE_SUBMIT: lists of tags that the receiver is asked to compare with those of another.

    Attributes:
        session: names the check, 64 hex digits.
        peer: the other of the two.
        answer: what is to be told.
        lists: how many.
        bucket: tags of each.
        sha256: of all lists one behind the other.
        parts: the hash of each part of them, in order: each full but the last.
        expires_utc: what is not answered by then is not wanted any more.
    """

    session: Hash
    peer: Name
    answer: MediatedAnswer
    lists: Annotated[int, msgspec.Meta(ge=4, le=256)]
    bucket: Annotated[int, msgspec.Meta(ge=16, le=1 << 20)]
    sha256: Hash
    parts: Annotated[tuple[Hash, ...], msgspec.Meta(min_length=1, max_length=MAX_PARTS)]
    expires_utc: UtcText

    def __post_init__(self) -> None:
        Body.__post_init__(self)
        due = -(-self.size // MAX_PART_BYTES)
        if len(self.parts) != due:
            raise InvalidDocumentError(
                "the lists for a mediator travel in full parts",
                given=f"{len(self.parts)} parts",
                expected=f"{due} parts of {self.size:,} bytes",
            )
        if due == 1 and self.parts[0] != self.sha256:
            raise InvalidDocumentError(
                "the one part of the lists is the lists",
                given=self.parts[0],
                expected=self.sha256,
            )

    @classmethod
    def of(cls, submitted: Submitted, expires_utc: str) -> "PrivateSubmit":
        """Return the body that announces lists."""
        said = submitted.submission
        return cls(
            session=said.session,
            peer=said.peer,
            answer=MediatedAnswer[said.mode.name],
            lists=said.runs,
            bucket=said.bucket,
            sha256=said.lists,
            parts=tuple(hashlib.sha256(part).hexdigest() for part in cut(submitted.lists)),
            expires_utc=expires_utc,
        )

    @property
    def size(self) -> int:
        """How many bytes the lists have."""
        return self.lists * self.bucket * MEDIATED_TAG

    def submission(self, party: str, mediator: str) -> Submission:
        """Return the same as it is hashed, said by one party to a mediator."""
        return Submission(
            v=1,
            session=self.session,
            party=party,
            peer=self.peer,
            mediator=mediator,
            mode=self.answer.mode,
            runs=self.lists,
            bucket=self.bucket,
            lists=self.sha256,
        )


class SubmissionNamed(WireForm, frozen=True):
    """Whose lists were compared.

    Attributes:
        party: who submitted them.
        submission: hash of what it submitted.
    """

    party: Name
    submission: Hash


class PrivateMediation(Body, frozen=True):
    """PRIVATE_MEDIATION: what a mediator answers, the same body to both.

    Attributes:
        session: of which check.
        answer: what is told.
        submissions: what was compared, by the names of the two, ascending.
        answers: of each pair of lists, in their order: 0 or 1, or the count.
    """

    session: Hash
    answer: MediatedAnswer
    submissions: Annotated[
        tuple[SubmissionNamed, ...], msgspec.Meta(min_length=_BOTH, max_length=_BOTH)
    ]
    answers: Annotated[tuple[Count, ...], msgspec.Meta(min_length=4, max_length=256)]

    def __post_init__(self) -> None:
        Body.__post_init__(self)
        first, second = (each.party for each in self.submissions)
        if first >= second:
            raise InvalidDocumentError(
                "the two of a mediated check are out of order",
                given=f"{first}, {second}",
                expected="ascending, two of them",
            )
        if self.answer is MediatedAnswer.YES_NO and max(self.answers) > 1:
            raise InvalidDocumentError(
                "yes is 1 and no is 0", given=str(max(self.answers)), expected="0 or 1"
            )

    @classmethod
    def of(cls, said: Mediation) -> "PrivateMediation":
        """Return the body that says an answer."""
        return cls(
            session=said.session,
            answer=MediatedAnswer[said.mode.name],
            submissions=tuple(
                SubmissionNamed(party, name) for party, name in sorted(said.submissions.items())
            ),
            answers=said.answers,
        )

    def mediation(self, mediator: str) -> Mediation:
        """Return the same as it is hashed, said by a mediator."""
        return Mediation(
            v=1,
            session=self.session,
            mediator=mediator,
            mode=self.answer.mode,
            submissions={each.party: each.submission for each in self.submissions},
            answers=self.answers,
        )
