"""One message of a record: when it was said, by what it is proven to have been held, and answered.

Each time is somebody's signed word by that side's own clock, and the field says whose. The only
one that is not signed is ``holder_says_utc``: what the holder's own record says of itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from deconflict.line.moment import utc_text
from deconflict.messages.kinds import KIND_RULES, KINDS, Kind
from deconflict.node.knowledge.bounds import Proof
from deconflict.node.knowledge.chain import NONE, ChainColumns
from deconflict.node.knowledge.reading import Record

__all__ = ["HeldBy", "Replies", "Reply", "Told", "both_chains", "replies_in", "told"]


@dataclass(frozen=True, slots=True)
class HeldBy:
    """The first proof that the other side held a message.

    ``at_utc`` is what ``party`` signed; its clock may have been wrong by ``clock_error_ms``, so
    ``by_utc`` is what is proven. ``message``, ``seq`` and ``message_kind`` are of its own message,
    where that is the proof.
    """

    proof: str
    party: str
    at_utc: str
    clock_error_ms: int
    by_utc: str
    message: str | None = None
    seq: int | None = None
    message_kind: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A message of the other side that acts on one: SEEN, an answer.

    ``held`` is the first proof that it came back to who asked; None where there is none.
    """

    kind: str
    hash: str
    seq: int
    said_utc: str
    clock_error_ms: int
    said_by_utc: str
    held: HeldBy | None


@dataclass(frozen=True, slots=True)
class Told:
    """One message.

    Attributes:
        party: who said it.
        epoch: its epoch.
        seq: its number in that.
        hash: its name.
        kind: its kind.
        drill: exercise only.
        said_utc: its author's stamp.
        clock_error_ms: how wrong the author says its clock may have been.
        said_by_utc: by when it was said, by that word; a later stamp of the author can be earlier.
        expires_utc: when it is too late to act on it.
        held: the first proof that the other side held it; None where there is none.
        holder_says_utc: when the other side's own record says that it came. Nobody signed that at
            the time; None where that record is not at hand.
        delayed: that record says as well that it came past its expiry, and was not acted on.
        left_behind: a fresh epoch began before it, and it was said again there.
        seen: the first message that says it stood on a screen.
        answered: the first message that answers it.
    """

    party: str
    epoch: str
    seq: int
    hash: str
    kind: str
    drill: bool
    said_utc: str
    clock_error_ms: int
    said_by_utc: str
    expires_utc: str | None
    held: HeldBy | None
    holder_says_utc: str | None
    delayed: bool
    left_behind: bool
    seen: Reply | None
    answered: Reply | None


@dataclass(frozen=True, slots=True)
class Replies:
    """Of the messages of one chain: the first of the other side that shows, answers, extends."""

    seen: dict[int, int]
    answered: dict[int, int]
    extended: dict[int, int]


def replies_in(asked: ChainColumns, replier: ChainColumns) -> Replies:
    """Return what the messages of ``replier`` do to those of ``asked``.

    What its own side's record calls late acts on nothing, an exercise on nothing that is real.
    """
    found = Replies({}, {}, {})
    for index in range(len(replier)):
        cited = replier.refs[index]
        if cited == NONE or replier.delayed[index]:
            continue
        kind, about = replier.kind(index), asked.kind(cited)
        rule = KIND_RULES.get(kind)
        if rule is None or about not in KINDS[Kind(kind)].refers_to:
            continue
        if replier.drill[index] and not asked.drill[cited]:
            continue
        if rule.marks_seen or rule.extends or rule.closes:
            found.seen.setdefault(cited, index)
        if rule.closes:
            found.answered.setdefault(cited, index)
        if rule.extends:
            found.extended.setdefault(cited, index)
    return found


def told(record: Record, party: str, index: int, replies: Replies) -> Told:
    """Return all that the record says of one message, whenever that was."""
    bounds = record.bounds[party]
    chain = bounds.chain
    other = record.other(party)
    part = chain.part_of(index)
    expires, logged = chain.expires[index], chain.logged[index]
    proof = bounds.proof(index)
    return Told(
        party=party,
        epoch=part.epoch,
        seq=index - part.start + 1,
        hash=chain.hash(index),
        kind=chain.kind(index),
        drill=bool(chain.drill[index]),
        said_utc=utc_text(chain.created[index]),
        clock_error_ms=chain.error[index],
        said_by_utc=utc_text(bounds.stamps.said_by[index]),
        expires_utc=None if expires == NONE else utc_text(expires),
        held=None if proof is None else held_by(record, other, proof),
        holder_says_utc=None if logged == NONE else utc_text(logged),
        delayed=bool(chain.delayed[index]),
        left_behind=not any(index in stretch for stretch in chain.way(len(chain))),
        seen=_reply(record, other, replies.seen.get(index)),
        answered=_reply(record, other, replies.answered.get(index)),
    )


def held_by(record: Record, holder: str, proof: Proof) -> HeldBy:
    """Return a proof as it is shown."""
    chain = record.chain(holder)
    own = proof.entry != NONE
    return HeldBy(
        proof=proof.kind.value,
        party=holder,
        at_utc=utc_text(proof.at_ms),
        clock_error_ms=proof.error_ms,
        by_utc=utc_text(proof.by_ms),
        message=chain.hash(proof.entry) if own else None,
        seq=chain.seq(proof.entry) if own else None,
        message_kind=chain.kind(proof.entry) if own else None,
    )


def _reply(record: Record, party: str, index: int | None) -> Reply | None:
    if index is None:
        return None
    bounds = record.bounds[party]
    chain = bounds.chain
    proof = bounds.proof(index)
    return Reply(
        kind=chain.kind(index),
        hash=chain.hash(index),
        seq=chain.seq(index),
        said_utc=utc_text(chain.created[index]),
        clock_error_ms=chain.error[index],
        said_by_utc=utc_text(bounds.stamps.said_by[index]),
        held=None if proof is None else held_by(record, record.other(party), proof),
    )


def both_chains(record: Record) -> Iterator[tuple[str, int]]:
    """Yield each message of both sides, behind all that its author said to hold, then by stamps."""
    one, other = (record.chain(party) for party in record.parties)
    at = [0, 0]
    while True:
        left = [at[0] < len(one), at[1] < len(other)]
        if not any(left):
            return
        side = 0 if left[0] else 1
        if all(left):
            waits = one.heard[at[0]] >= at[1], other.heard[at[1]] >= at[0]
            earlier = one.created[at[0]] <= other.created[at[1]]
            # Two that each cite what comes later cannot be: the stamps decide, and nothing stops.
            side = (0 if earlier else 1) if waits[0] == waits[1] else int(waits[0])
        yield record.parties[side], at[side]
        at[side] += 1
