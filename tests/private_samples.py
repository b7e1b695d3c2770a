"""Private checks for tests: a document on them that the default terms allow, and what is said."""

import hashlib
from typing import Any

from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.instant import format_utc
from deconflict.messages.bodies import Body
from deconflict.messages.kinds import Kind
from deconflict.messages.mediated_bodies import PrivateMediation, PrivateSubmit, SubmissionNamed
from deconflict.messages.private_bodies import (
    MediatedAnswer,
    MediatedAsked,
    PrivateAccept,
    PrivateCoin,
    PrivateEnd,
    PrivateEndReason,
    PrivateMode,
    PrivatePropose,
    PrivateStep,
    Refines,
    StepWord,
)
from deconflict.messages.private_terms import CheckMinima, PrivateCheckTerms
from deconflict.messages.wire_form import Place
from deconflict.sealed.steps import CHUNKS
from node_pair import START_MS, NodePair

MINUTE_MS = 60_000
PERIOD_MS = 10 * MINUTE_MS
FIRST_MS = START_MS + 6 * PERIOD_MS  # a period begins then, an hour after the pairs' begin


def document(**other: Any) -> PrivateCheckTerms:
    """A small document: ten slots of a minute, 400 km each way, which the default minima allow."""
    values: dict[str, Any] = {
        "origin": Place(354_000_000, 359_000_000),
        "west_mm": -200_000_000,
        "south_mm": -200_000_000,
        "cell_mm": 10_000_000,
        "columns": 40,
        "rows": 40,
        "reference": AltitudeReference.AMSL,
        "floor_tmm": -7_000_000,
        "level_tmm": 4_000_000,
        "levels": 60,
        "slot_ms": MINUTE_MS,
        "slots": 10,
        "minima": CheckMinima(9_260_000, 3_048_000, 2_000),
        "cadence_ms": PERIOD_MS,
        "ahead_ms": PERIOD_MS,
        "run_limit_ms": 5 * MINUTE_MS,
        "tags_after_ms": 1_000,
        "refinements": (2, 4),
        "points": 8,
        "bucket": 256,
        "cells_per_sortie_slot": 4,
        "sorties": 5,
        "runs_per_slot": 3,
        "audit_per_mille": 0,
        "arbiter": None,
        "opened_after_days": 1,
        "retention_days": 30,
    }
    return PrivateCheckTerms(**{**values, **other})


def proposal(
    terms: PrivateCheckTerms | None = None,
    *,
    start_ms: int = FIRST_MS,
    runs: int = 2,
    refines: Refines | None = None,
) -> PrivatePropose:
    return PrivatePropose(
        mode=PrivateMode.MUTUAL,
        grid=(terms or document()).document_hash,
        start_utc=format_utc(start_ms),
        runs=runs,
        refines=refines,
    )


MEDIATED = MediatedAsked(mediator="white", answer=MediatedAnswer.COUNT, lists=8, bucket=256)


def mediated_proposal(
    terms: PrivateCheckTerms | None = None, asked: MediatedAsked = MEDIATED
) -> PrivatePropose:
    return PrivatePropose(
        mode=PrivateMode.MEDIATED,
        grid=(terms or document()).document_hash,
        start_utc=format_utc(FIRST_MS),
        runs=1,
        mediated=asked,
    )


def submission(peer: str = "green", number: int = 1, *, minutes: int = 5) -> PrivateSubmit:
    """What somebody announces to a mediator; the lists are not there."""
    name = hashlib.sha256(f"lists {peer} {number}".encode()).hexdigest()
    return PrivateSubmit(
        session=hashlib.sha256(f"session {number}".encode()).hexdigest(),
        peer=peer,
        answer=MediatedAnswer.COUNT,
        lists=8,
        bucket=256,
        sha256=name,
        parts=(name,),
        expires_utc=format_utc(START_MS + minutes * MINUTE_MS),
    )


def mediation(said: PrivateSubmit, party: str = "blue") -> PrivateMediation:
    """What a mediator answers to it, whatever the lists."""
    both = ((party, said.submission(party, "red").hash.hex()), (said.peer, "cd" * 32))
    return PrivateMediation(
        session=said.session,
        answer=said.answer,
        submissions=tuple(SubmissionNamed(*each) for each in sorted(both)),
        answers=(0, 3, 0, 17, 2, 0, 0, 1),
    )


def ended(reason: PrivateEndReason = PrivateEndReason.CANCELLED) -> PrivateEnd:
    """The end of all of it."""
    return PrivateEnd(run=None, reason=reason)


def bytes_of(step: StepWord, party: str, run: int, number: int = 0) -> bytes:
    return hashlib.sha256(f"{step} {party} {run} {number}".encode()).digest()


def coin_of(party: str, run: int) -> PrivateCoin:
    return PrivateCoin(run=run, coin=hashlib.sha256(f"coin {party} {run}".encode()).hexdigest())


class CheckedPair:
    """A pair of nodes on whose line private checks are said, with steps of a few bytes."""

    def __init__(self, pair: NodePair) -> None:
        self.pair = pair
        self.proposal = ""

    def say(self, party: str, kind: Kind, body: Body, *, ref: str | None = None) -> str:
        said = self.pair.say(party, kind, body, ref=ref or self.proposal)
        self.pair.run_for(1)
        return said

    def propose(self, body: PrivatePropose | None = None, *, by: str = "blue") -> str:
        self.proposal = self.pair.say(by, Kind.PRIVATE_PROPOSE, body or proposal())
        self.pair.run_for(1)
        return self.proposal

    def accept(self, *, by: str = "red") -> str:
        return self.say(by, Kind.PRIVATE_ACCEPT, PrivateAccept())

    def step(self, party: str, step: StepWord, *, run: int = 0, number: int = 0) -> str:
        data = bytes_of(step, party, run, number)
        return self.say(party, Kind.PRIVATE_STEP, PrivateStep.of(run, step, number, data))

    def steps(self, *steps: StepWord, run: int = 0) -> None:
        for step in steps:
            for number in range(CHUNKS if step is StepWord.CHUNK else 1):
                for party in ("blue", "red"):
                    self.step(party, step, run=run, number=number)

    def end(
        self,
        party: str,
        run: int | None,
        reason: PrivateEndReason = PrivateEndReason.CANCELLED,
    ) -> str:
        return self.say(party, Kind.PRIVATE_END, PrivateEnd(run=run, reason=reason))
