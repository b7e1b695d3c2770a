"""The terms of a case: the limits of the scenario set as two parties would sign them."""

from typing import Final

import msgspec

from deconflict.line.precedence import Precedence, Step
from deconflict.messages.declaration import Purpose
from deconflict.messages.kinds import Kind
from deconflict.messages.terms import (
    LeadTime,
    LimitTerms,
    MinimaTerms,
    Minimum,
    PairMinimum,
    PartyTerms,
    RungTerms,
    Terms,
    ThirdParty,
    TimerTerms,
    terms_from_wire,
    terms_to_wire,
)
from deconflict.messages.terms_defaults import default_terms
from deconflict.replay.case import Case, Common
from deconflict.replay.items import TestParameters
from deconflict.replay.world import DESKS
from deconflict.units import MILLIMETRES_PER_NAUTICAL_MILE, TMM_PER_FOOT

__all__ = ["case_terms"]

_UNCHECKED_MS: Final = 7 * 24 * 3_600_000  # no case tells of checks by people
_DECLARES: Final = (Kind.NOTIFY, Kind.UPDATE, Kind.CORRECTION)


def case_terms(case: Case, common: Common, line: str, parties: tuple[str, str]) -> Terms:
    """Return the terms of one line of a case; what the set does not name stays as proposed.

    Parties of the case without a line are its third parties, wherever they are.
    """
    limits = common.test_parameters
    terms = default_terms(
        line=line,
        parties=[PartyTerms(party, *DESKS, ("en",), 1) for party in parties],
        theatre=case.place,
        third_parties=[ThirdParty(p.id, None) for p in case.parties if not p.connected],
    )
    flights = Minimum(
        round(limits.separation_horizontal_nm * MILLIMETRES_PER_NAUTICAL_MILE),
        round(limits.separation_vertical_ft * TMM_PER_FOOT),
    )
    pairs = tuple(
        PairMinimum(pair.between, flights.lateral_mm, flights.vertical_tmm)
        if set(pair.between) == {Purpose.FLIGHT}
        else pair
        for pair in terms.minima.pairs
    )
    least_ms = limits.min_lead_s * 1_000
    lead_times = {
        purpose: lead
        if purpose is Purpose.OWN_PRESENCE
        else LeadTime(least_ms, max(least_ms, lead.aim_ms))
        for purpose, lead in terms.lead_times.items()
    }
    changed = msgspec.structs.replace(
        terms,
        minima=MinimaTerms(flights, pairs),
        lead_times=lead_times,
        timers=_timers(terms.timers, limits),
        time_tolerance_ms=limits.time_tolerance_s * 1_000,
        line_check_every_ms=_UNCHECKED_MS,
    )
    return terms_from_wire(terms_to_wire(changed))  # so every field is checked, as by a peer


def _timers(proposed: TimerTerms, limits: TestParameters) -> TimerTerms:
    lack_ms = limits.delivery_receipt_s * 1_000
    answer_ms = limits.cease_ack_limit_s * 1_000
    by_precedence = {
        precedence: msgspec.structs.replace(held, lack_ms=lack_ms)
        for precedence, held in proposed.limits.items()
    }
    flash = by_precedence[Precedence.FLASH]
    by_precedence[Precedence.FLASH] = LimitTerms(lack_ms, flash.seen_ms, answer_ms)
    escalate_ms = limits.cease_escalate_s * 1_000 - answer_ms
    own, *_ = proposed.ladders[Precedence.FLASH]
    tier = RungTerms(escalate_ms, (Step.VOICE, Step.NEXT_TIER, Step.HOLD))
    return msgspec.structs.replace(
        proposed,
        limits=by_precedence,
        ladders={**proposed.ladders, Precedence.FLASH: (own, tier)},
        answer_within_ms={
            **proposed.answer_within_ms,
            **dict.fromkeys(_DECLARES, limits.readback_limit_s * 1_000),
            Kind.QUERY: limits.query_limit_s * 1_000,
        },
    )
