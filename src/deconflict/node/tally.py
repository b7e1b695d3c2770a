"""Counting incidents and notes of breaches: one function, which both sides run over one record.

What is counted follows from signed bytes alone: the time in the body and not the time of arrival,
the hash of a message and not the order in which it was read. How far a tally counts is what its
author had said and heard when it was signed, which its envelope states; so whoever holds the two
chains up to there counts the same, and what differs is named entry by entry (R31).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import msgspec

from deconflict.airspace.instant import format_utc, parse_utc
from deconflict.messages.incident_bodies import (
    BreachWord,
    IncidentWord,
    Tally,
)

__all__ = [
    "Counted",
    "Difference",
    "Reach",
    "Replaced",
    "Why",
    "compare",
    "count",
    "named_as",
    "replaced_by",
    "tally_of",
]

# The message replaced, its author, whether it is an incident, an exercise, and of which id.
Replaced: TypeAlias = tuple[str | None, str, bool, bool, str | None]


class Counted(msgspec.Struct, frozen=True):
    """What a tally needs to know of an INCIDENT or a BREACH_NOTE."""

    party: str
    hash: str
    ref: str | None
    epoch: str
    seq: int
    drill: bool
    at_ms: int
    word: IncidentWord | BreachWord
    incident_id: str | None  # of an incident alone: a correction keeps it


@dataclass(frozen=True, slots=True)
class Reach:
    """How far each chain is counted.

    Attributes:
        epochs: of each party, in the order in which they began.
        last: of each party, the epoch and number of its last entry that counts; None for no entry.
    """

    epochs: Mapping[str, tuple[str, ...]]
    last: Mapping[str, tuple[str, int] | None]

    def holds(self, item: Counted) -> bool:
        """True exactly when the entry is one of those that count."""
        last, epochs = self.last.get(item.party), self.epochs.get(item.party, ())
        if last is None or item.epoch not in epochs or last[0] not in epochs:
            return False
        place, end = epochs.index(item.epoch), epochs.index(last[0])
        return place < end or (place == end and item.seq <= last[1])


class Why(StrEnum):
    """Why an entry of one tally is not in the other."""

    NOT_HELD = "NOT_HELD"  # no such incident or breach note is in the record
    OTHER_CODE = "OTHER_CODE"  # it is there under another code
    TAKEN_BACK = "TAKEN_BACK"  # its author corrected or withdrew it
    OUTSIDE_PERIOD = "OUTSIDE_PERIOD"
    EXERCISE = "EXERCISE"  # it is of an exercise and the tally is not, or the other way round
    NOT_REACHED = "NOT_REACHED"  # the tally's author had not said or heard it then
    NOT_NAMED = "NOT_NAMED"  # the record has it, and the tally does not name it


@dataclass(frozen=True, slots=True)
class Difference:
    """One entry that a tally and the record give differently.

    Attributes:
        message: the entry, by its hash.
        word: the code it is named or counted under.
        in_tally: True exactly when the tally names it and the record does not give it.
        why: as the record shows.
    """

    message: str
    word: IncidentWord | BreachWord
    in_tally: bool
    why: Why


def count(
    items: Iterable[Counted], *, start_ms: int, end_ms: int, drill: bool, reach: Reach
) -> dict[str, Counted]:
    """Return what counts in ``[start_ms, end_ms)``, by hash; in whatever order it comes.

    What its own author corrected or withdrew, within reach, is not counted; exercises and what is
    real are counted apart.
    """
    reached = [item for item in items if reach.holds(item)]
    replaced = {replaced_by(item) for item in reached}
    return {
        item.hash: item
        for item in reached
        if item.drill is drill
        and start_ms <= item.at_ms < end_ms
        and item.word is not BreachWord.WITHDRAWN
        and named_as(item) not in replaced
    }


def tally_of(counted: Mapping[str, Counted], *, start_ms: int, end_ms: int) -> Tally:
    """Return the tally that says what was counted.

    Raises:
        InvalidDocumentError: an empty period, or more than one message can hold.
    """
    incidents: dict[IncidentWord, tuple[str, ...]] = {}
    breaches: dict[BreachWord, tuple[str, ...]] = {}
    for message in sorted(counted):
        word = counted[message].word
        if isinstance(word, IncidentWord):
            incidents[word] = (*incidents.get(word, ()), message)
        else:
            breaches[word] = (*breaches.get(word, ()), message)
    return Tally(
        start_utc=format_utc(start_ms),
        end_utc=format_utc(end_ms),
        incidents=incidents,
        breaches=breaches,
    )


def compare(
    tally: Tally, items: Iterable[Counted], *, drill: bool, reach: Reach
) -> tuple[Difference, ...]:
    """Return every entry in which a tally differs from what the record gives, by hash."""
    known = {item.hash: item for item in items}
    start_ms, end_ms = parse_utc(tally.start_utc), parse_utc(tally.end_utc)
    ours = count(known.values(), start_ms=start_ms, end_ms=end_ms, drill=drill, reach=reach)
    theirs: dict[str, IncidentWord | BreachWord] = {
        message: word for word, named in tally.incidents.items() for message in named
    }
    theirs |= {message: word for word, named in tally.breaches.items() for message in named}
    found = []
    for message, word in theirs.items():
        held = ours.get(message)
        if held is not None and held.word is word:
            continue
        if held is not None:
            why = Why.OTHER_CODE
        else:
            period_ms = range(start_ms, end_ms)
            why = _why_not_counted(
                known.get(message), period_ms=period_ms, drill=drill, reach=reach
            )
        found.append(Difference(message, word, in_tally=True, why=why))
    for message, item in ours.items():
        if message not in theirs:
            found.append(Difference(message, item.word, in_tally=False, why=Why.NOT_NAMED))
        elif theirs[message] is not item.word:
            found.append(Difference(message, item.word, in_tally=False, why=Why.OTHER_CODE))
    return tuple(sorted(found, key=lambda one: (one.message, not one.in_tally)))


def _why_not_counted(item: Counted | None, *, period_ms: range, drill: bool, reach: Reach) -> Why:
    if item is None:
        return Why.NOT_HELD
    if not reach.holds(item):
        return Why.NOT_REACHED
    if item.drill is not drill:
        return Why.EXERCISE
    return Why.TAKEN_BACK if item.at_ms in period_ms else Why.OUTSIDE_PERIOD


def replaced_by(item: Counted) -> Replaced:
    """Return what a message takes the place of, if it cites one of its own author and sort."""
    return (item.ref, item.party, isinstance(item.word, IncidentWord), item.drill, item.incident_id)


def named_as(item: Counted) -> Replaced:
    """Return what a message in whose place another stands would say in :func:`replaced_by`."""
    return (
        item.hash,
        item.party,
        isinstance(item.word, IncidentWord),
        item.drill,
        item.incident_id,
    )
