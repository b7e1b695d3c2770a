"""Agreed terms as the values that other rooms take: timers, minima, conversions, landmarks."""

from deconflict.airspace.landmark import Landmark
from deconflict.line.precedence import Limits, Rung, Timers
from deconflict.messages.kinds import Kind
from deconflict.messages.terms import Terms
from deconflict.separation import AltitudeConversions, Minima, MinimaTable

__all__ = ["answer_within_ms", "conversions_of", "landmarks_of", "minima_of", "timers_of"]


def timers_of(terms: Terms) -> Timers:
    """Return the line's timers; pauses between repetitions are the line's own."""
    return Timers(
        limits={
            precedence: Limits(limits.lack_ms, limits.seen_ms, limits.answer_ms)
            for precedence, limits in terms.timers.limits.items()
        },
        ladders={
            precedence: tuple(Rung(rung.after_ms, rung.steps) for rung in ladder)
            for precedence, ladder in terms.timers.ladders.items()
        },
        clock_tolerance_ms=terms.clock_error_ms,
    )


def answer_within_ms(kind: Kind, terms: Terms) -> int | None:
    """Return the kind's own limit for an answer; None where its precedence's holds."""
    return terms.timers.answer_within_ms.get(kind)


def minima_of(terms: Terms) -> MinimaTable:
    """Return the separation minima by pair of purposes."""
    default = terms.minima.default
    return MinimaTable(
        default=Minima(default.lateral_mm / 1000, default.vertical_tmm),
        pairs={
            frozenset(purpose.value for purpose in pair.between): Minima(
                pair.lateral_mm / 1000, pair.vertical_tmm
            )
            for pair in terms.minima.pairs
        },
    )


def conversions_of(terms: Terms) -> AltitudeConversions:
    """Return what is known of one altitude reference seen from another."""
    return AltitudeConversions(
        {
            (known.source, known.to): (known.lo_tmm, known.hi_tmm)
            for known in terms.altitude_conversions
        }
    )


def landmarks_of(terms: Terms) -> tuple[Landmark, ...]:
    """Return the agreed landmarks."""
    return tuple(Landmark(known.name, known.position.position) for known in terms.theatre.landmarks)
