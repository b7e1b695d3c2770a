"""What an arbiter does: make one side of a check again from its plan and seed, byte for byte.

The steps of both sides were signed and receipted on the line, so nobody can deny them. Whoever is
given the plan and the seed of one side computes everything that it had to say, and finds the first
step that is another. That the plan is the one that flew, no computation shows; the commitment says
that it is the one that was checked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deconflict.errors import DeconflictError
from deconflict.sealed.grid import Grid
from deconflict.sealed.hello import Hello, read_hello
from deconflict.sealed.own import Drawn, read_plan, side_of
from deconflict.sealed.session import Finding, Session
from deconflict.sealed.steps import Step

__all__ = ["Audited", "Opened", "Said", "audit"]


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
    """

    deviates: str | None
    finding: Finding | None


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
            later = list(_after(transcript, each, party))
            if later:
                return Audited(f"it went on with {_name(later[0])} after {error.problem}", None)
            return Audited(None, session.finding)
    if due and not session.ended:
        return Audited(f"it stopped before {_name(due[0])}", session.finding)
    return Audited(None, session.finding)


def _after(transcript: Sequence[Said], last: Said, party: str) -> Iterator[Step]:
    at = next(n for n, each in enumerate(transcript) if each is last)
    return (each.step for each in transcript[at + 1 :] if each.party == party)


def _differing(one: Hello, other: Hello) -> str:
    names = ("party", "shape", "key", "plan", "seed", "coin", "cells", "expires_utc")
    return ", ".join(name for name in names if getattr(one, name) != getattr(other, name))


def _name(step: Step) -> str:
    return f"{step.kind.name} {step.number}" if step.kind.name == "CHUNK" else step.kind.name
