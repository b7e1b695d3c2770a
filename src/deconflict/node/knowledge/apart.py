"""Signed times of a record that cannot both be so."""

from dataclasses import dataclass

from deconflict.node.knowledge.chain import NONE
from deconflict.node.knowledge.reading import Record

__all__ = ["Apart", "apart"]


@dataclass(frozen=True, slots=True)
class Apart:
    """Signed words that cannot both be so: two stamps of one side, or those of both.

    ``messages`` of ``party`` are concerned; of the worst, ``hash``, the two are ``apart_ms`` apart
    beyond what both clocks admit. ``by`` is whose other word it is: the same party's, where its own
    stamps go back; the other's, where that signed to hold what was not said yet.
    """

    party: str
    by: str
    messages: int
    hash: str
    seq: int
    apart_ms: int


def apart(record: Record) -> tuple[Apart, ...]:
    """Return what was signed of times that cannot be, by party; empty where all stamps agree."""
    found = []
    for party in record.parties:
        bounds = record.bounds[party]
        for by, latest in (
            (party, bounds.stamps.said_by),
            (record.other(party), bounds.held_by),
        ):
            gaps = (
                (bounds.stamps.not_before[index] - latest[index], index)
                for index in range(len(bounds.chain))
                if latest[index] < bounds.stamps.not_before[index]
            )
            count, worst = 0, (0, NONE)
            for gap in gaps:
                count, worst = count + 1, gap if gap[0] > worst[0] else worst
            if count:
                apart_ms, index = worst
                chain = bounds.chain
                found.append(Apart(party, by, count, chain.hash(index), chain.seq(index), apart_ms))
    return tuple(found)
