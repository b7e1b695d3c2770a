"""Terms to begin with: the proposed values, which the parties change as they like.

Sources: limits and times, line.md section 4 and requirements section 6; flight minima, the common
radar and RVSM values, 5 NM and 1,000 ft. The rest was chosen here and says why.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations_with_replacement
from typing import Final

from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.landmark import Landmark
from deconflict.airspace.position import Position
from deconflict.line.precedence import DEFAULT_TIMERS, Precedence
from deconflict.messages.declaration import Purpose
from deconflict.messages.kinds import KINDS, Kind
from deconflict.messages.private_terms import PrivateCheckTerms
from deconflict.messages.terms import (
    TERMS_FORMAT,
    AltitudeConversion,
    LandmarkTerms,
    LeadTime,
    LimitTerms,
    MinimaTerms,
    Minimum,
    PairMinimum,
    PartyTerms,
    ReadbackTolerances,
    RungTerms,
    Scope,
    Terms,
    TheatreTerms,
    ThirdParty,
    TimerTerms,
    terms_from_wire,
    terms_to_wire,
)
from deconflict.messages.wire_form import Place
from deconflict.units import MILLIMETRES_PER_NAUTICAL_MILE, TMM_PER_METRE, tmm_from_feet

__all__ = ["default_terms"]

_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 3_600_000

_FLIGHTS: Final = Minimum(5 * MILLIMETRES_PER_NAUTICAL_MILE, tmm_from_feet(1000))
# To the edge of an area: 2.5 NM, what ICAO PANS-ATM (Doc 4444) 8.6.5.1 c) keeps to the limit of
# airspace in whose neighbour the other half is kept.
_AREA: Final = Minimum(5 * MILLIMETRES_PER_NAUTICAL_MILE // 2, tmm_from_feet(1000))
# Something may fall or fly out of an activity or hazard beyond its drawn edge. 2 km is a choice,
# with no standard behind it: parties who know what they use set their own.
_GROUND: Final = Minimum(2_000_000, tmm_from_feet(1000))
# Overflight of people and sites is no clash; entering what was declared for them is. 500 m and
# 500 ft were chosen so that skirting an edge by a navigation error is told.
_OVERFLIGHT: Final = Minimum(500_000, tmm_from_feet(500))

_ON_GROUND: Final = frozenset((Purpose.OWN_PRESENCE, Purpose.PROTECTED_SITE))

# Geoid heights (EGM96, EGM2008) lie between -107 m and +86 m anywhere; rounded outward. So AMSL
# and WGS84 always compare, widely. Pressure levels have no such bound, hence no default: parties
# name one from the pressures and temperatures of their theatre, or those levels do not compare.
_GEOID_LO_TMM: Final = -110 * TMM_PER_METRE
_GEOID_HI_TMM: Final = 90 * TMM_PER_METRE


def default_terms(
    *,
    line: str,
    parties: Sequence[PartyTerms],
    theatre: str,
    outline: Sequence[Position] | None = None,
    landmarks: Iterable[Landmark] = (),
    third_parties: Iterable[ThirdParty] = (),
    version: int = 1,
    replaces: str | None = None,
    private_check: PrivateCheckTerms | None = None,
) -> Terms:
    """Return terms with the proposed values, ready to be changed and proposed.

    The order of ``parties`` does not matter. Any field can be changed with
    ``msgspec.structs.replace`` or in the JSON form.

    Raises:
        InvalidInputError: a landmark outside the outline, other than two parties, and whatever
            else the terms refuse.
    """
    # Read back from the wire form, so that every field is checked as the peer will check it.
    terms = Terms(
        format=TERMS_FORMAT,
        line=line,
        version=version,
        replaces=replaces,
        parties=_two(parties),
        theatre=TheatreTerms(
            theatre,
            None if outline is None else tuple(Place.of(place) for place in outline),
            tuple(LandmarkTerms(known.name, Place.of(known.position)) for known in landmarks),
        ),
        minima=MinimaTerms(_FLIGHTS, _pairs()),
        lead_times=_lead_times(),
        timers=_timers(),
        altitude_conversions=(
            AltitudeConversion(
                AltitudeReference.AMSL, AltitudeReference.W84, _GEOID_LO_TMM, _GEOID_HI_TMM
            ),
        ),
        readback=ReadbackTolerances(
            position_mm=200_000,  # a tenth of a minute of arc, the coarsest spelling in use
            distance_mm=200_000,
            bearing_ddeg=10,
            altitude_tmm=5 * TMM_PER_METRE,  # rounding between feet and metres
            time_ms=1_000,
        ),
        time_tolerance_ms=_MINUTE_MS,
        clock_error_ms=2_000,
        third_parties=tuple(third_parties),
        suspension_scopes=_scopes(),
        retention_days=3_650,
        line_check_every_ms=_HOUR_MS,
        private_check=private_check,
    )
    return terms_from_wire(terms_to_wire(terms))


def _two(parties: Sequence[PartyTerms]) -> tuple[PartyTerms, PartyTerms]:
    first, second = sorted(parties, key=lambda party: party.party)
    return first, second


def _pairs() -> tuple[PairMinimum, ...]:
    pairs = []
    for one, other in combinations_with_replacement(sorted(Purpose), 2):
        minimum = _minimum(one, other)
        pairs.append(PairMinimum((one, other), minimum.lateral_mm, minimum.vertical_tmm))
    return tuple(pairs)


def _minimum(one: Purpose, other: Purpose) -> Minimum:
    both = {one, other}
    if both == {Purpose.FLIGHT}:
        return _FLIGHTS
    if not both & _ON_GROUND:
        return _AREA
    if both & {Purpose.ACTIVITY, Purpose.HAZARD}:
        return _GROUND
    return _OVERFLIGHT


def _lead_times() -> dict[Purpose, LeadTime]:
    notice = LeadTime(15 * _MINUTE_MS, 60 * _MINUTE_MS)
    return {
        Purpose.ACTIVITY: notice,
        Purpose.FLIGHT: notice,
        Purpose.HAZARD: notice,
        # People who are there already are told of as soon as can be; no notice is too short.
        Purpose.OWN_PRESENCE: LeadTime(0, 60 * _MINUTE_MS),
        Purpose.PROTECTED_SITE: LeadTime(24 * _HOUR_MS, 48 * _HOUR_MS),
    }


def _timers() -> TimerTerms:
    return TimerTerms(
        limits={
            precedence: LimitTerms(limits.lack_ms, limits.seen_ms, limits.answer_ms)
            for precedence, limits in DEFAULT_TIMERS.limits.items()
        },
        ladders={
            precedence: tuple(RungTerms(rung.after_ms, rung.steps) for rung in ladder)
            for precedence, ladder in DEFAULT_TIMERS.ladders.items()
        },
        # Chosen: a plea is stale in minutes, a plan after a day without contact is no news.
        expires_after_ms={
            Precedence.FLASH: 10 * _MINUTE_MS,
            Precedence.IMMEDIATE: _HOUR_MS,
            Precedence.PRIORITY: 24 * _HOUR_MS,
            Precedence.ROUTINE: 7 * 24 * _HOUR_MS,
        },
        answer_within_ms={
            kind: form.answer_within_ms
            for kind, form in KINDS.items()
            if form.answer_within_ms is not None
        },
    )


def _scopes() -> tuple[Scope, ...]:
    stoppable = tuple(kind for kind in Kind if not KINDS[kind].always_passes)
    return (
        Scope("ALL", stoppable),
        Scope("DECLARATIONS", (Kind.NOTIFY, Kind.UPDATE)),
    )
