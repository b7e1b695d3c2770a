"""What an arbiter does: make one side of a check again from its plan and seed, byte for byte.

The steps of both sides were signed and receipted on the line, so nobody can deny them. Whoever is
given the plan and the seed of one side computes everything that it had to say, and finds the first
step that is another. That the plan is the one that flew, no computation shows; the commitment says
that it is the one that was checked.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deconflict.errors import DeconflictError
from deconflict.sealed.grid import Grid
from deconflict.sealed.hello import Hello, read_hello
from deconflict.sealed.order import merged
from deconflict.sealed.own import Drawn, read_plan, side_of
from deconflict.sealed.session import Finding, Session
from deconflict.sealed.steps import CHUNKS, Step, StepKind

__all__ = ["Audited", "Opened", "Said", "audit", "in_one_order"]


@dataclass(frozen=True, slots=True)
class Said:
    """One step of the transcript: whose it is, and it."""

    party: str
    step: Step


@dataclass(frozen=True, slots=True, repr=False)
class Opened:
    """What a party gives to the arbiter.

    Attributes:
        party: who.
        plan: the canonical bytes of what it checked.
        seed: of the session.
        coin: its half of the coin.
    """

    party: str
    plan: bytes
    seed: bytes
    coin: bytes

    def __repr__(self) -> str:
        """Say whose it is, and nothing of it."""
        return f"Opened({self.party!r}, ...)"


@dataclass(frozen=True, slots=True)
class Audited:
    """What came of it.

    Attributes:
        deviates: at which of the party's steps, and how, it said something else than it had to;
            None when every byte is the one that follows from its plan and seed.
        finding: what the check had to show that party.
        unsaid: whether it only stopped where something was due: it may have had to.
        refused: what the other side said that had to be refused, and why; None for nothing.
    """

    deviates: str | None
    finding: Finding | None
    unsaid: bool = False
    refused: str | None = None


def audit(transcript: Sequence[Said], opened: Opened, grid: Grid) -> Audited:
    """Compute one side again and compare each byte.

    Args:
        transcript: the steps of both sides in the order in which this side logged them.
        opened: what it gave.
        grid: the agreed one.
    """
    said = [each.step for each in transcript if each.party == opened.party]
    if not said:
        return Audited("it said nothing in this transcript", None)
    try:
        hello = read_hello(said[0].data)
        drawn = Drawn(opened.seed, opened.coin, bytes.fromhex(hello.nonce))
        plan = read_plan(opened.plan)
        own = side_of(opened.party, plan, grid, hello.shape, drawn, expires_utc=hello.expires_utc)
    except DeconflictError as error:
        return Audited(f"its HELLO cannot come from what it opened: {error.problem}", None)
    if own.hello != hello:
        return Audited(f"its HELLO commits to another {_differing(own.hello, hello)}", None)
    session = Session(own)
    return _replayed(session, transcript, opened.party)


def _replayed(session: Session, transcript: Sequence[Said], party: str) -> Audited:
    due: list[Step] = list(session.begin())
    for each in transcript:
        if each.party == party:
            if not due:
                return Audited(f"{_name(each.step)} was not due", session.finding)
            expected = due.pop(0)
            if each.step != expected:
                what = _name(each.step)
                return Audited(f"{what} is not what its plan and seed give", session.finding)
            continue
        try:
            due += session.hear(each.step)
        except DeconflictError as error:
            # The peer's fault: this side had to stop here, and must have said nothing more.
            refused = f"{_name(each.step)}: {error.problem}"
            later = list(_after(transcript, each, party))
            if later:
                went_on = f"it went on with {_name(later[0])} after {error.problem}"
                return Audited(went_on, None, refused=refused)
            return Audited(None, session.finding, refused=refused)
    if due:
        return Audited(f"it stopped before {_name(due[0])}", session.finding, unsaid=True)
    return Audited(None, session.finding)


def in_one_order(own: Sequence[Said], peers: Sequence[Said], *, whole: bool = True) -> list[Said]:
    """Return two chains of steps as the side audited had them; see :func:`.order.merged`."""
    hashes = [hashlib.sha256(chain[0].step.data).digest() for chain in (own, peers) if chain]
    first = len(hashes) > 1 and hashes[0] < hashes[1]
    return merged(own, peers, _Order(first=first), whole=whole)


class _Order:
    """How far both chains are, by kinds of steps alone; what they hold, the session judges.

    Args:
        first: whether the side audited shows its chunks first.
    """

    def __init__(self, *, first: bool) -> None:
        self._ahead = 1 if first else 0
        self._said: Counter[StepKind] = Counter()
        self._heard: Counter[StepKind] = Counter()

    def take(self, each: Said, *, own: bool) -> None:
        """Count one step."""
        (self._said if own else self._heard)[each.step.kind] += 1

    def allows(self, each: Said) -> bool:
        """True exactly when a side that heard so much says a step of this kind at once."""
        said, heard = self._said, self._heard
        match each.step.kind:
            case StepKind.HELLO:
                return True
            case StepKind.POINTS:
                return heard[StepKind.HELLO] > 0
            case StepKind.EVALUATED:
                return heard[StepKind.POINTS] > 0
            case StepKind.ROOT:
                return said[StepKind.EVALUATED] > 0 and heard[StepKind.EVALUATED] > 0
            case StepKind.CHUNK:
                both = said[StepKind.ROOT] > 0 and heard[StepKind.ROOT] > 0
                return both and said[StepKind.CHUNK] < heard[StepKind.CHUNK] + self._ahead
            case StepKind.DONE:
                return said[StepKind.CHUNK] == CHUNKS == heard[StepKind.CHUNK]


def _after(transcript: Sequence[Said], last: Said, party: str) -> Iterator[Step]:
    at = next(n for n, each in enumerate(transcript) if each is last)
    return (each.step for each in transcript[at + 1 :] if each.party == party)


def _differing(one: Hello, other: Hello) -> str:
    names = ("party", "shape", "key", "plan", "seed", "coin", "cells", "expires_utc")
    return ", ".join(name for name in names if getattr(one, name) != getattr(other, name))


def _name(step: Step) -> str:
    return f"{step.kind.name} {step.number}" if step.kind.name == "CHUNK" else step.kind.name
