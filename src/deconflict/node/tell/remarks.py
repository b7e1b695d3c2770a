"""What is remarkable in a declaration besides conflicts, as it is told: before it is sent or after.

A draft is looked at in the same words as what was sent, so that nobody learns only afterwards what
a look before would have said.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from deconflict.airspace.instant import format_utc
from deconflict.airspace.position import Position
from deconflict.airspace.wire import position_to_wire
from deconflict.messages.declaration import Declaration, Purpose
from deconflict.messages.never_shared import find_never_shared
from deconflict.messages.notice import (
    ImplausibleLeg,
    LeadTimeShortfall,
    OutsideTheatre,
    first_outside,
    implausible_leg,
    lead_time_shortfall,
    notice_shortfall,
    outside_theatre,
    third_parties_concerned,
)
from deconflict.messages.said import Said, said, say
from deconflict.messages.terms import Terms

__all__ = [
    "UNNAMED",
    "Remark",
    "not_checked",
    "remarks_on",
    "remarks_on_label",
    "remarks_on_part",
    "short_notice",
    "third_party",
]


UNNAMED: Final = "0" * 32  # the id of a declaration that has none yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One thing that its sender and its receiver should know.

    Attributes:
        rule: of the alert that tells it once it is sent.
        values: of its phrase.
        urgency: of the alert.
        phrase: the phrase, where it is not the rule's own.
        object: what the alert is about besides the declaration.
        facts: more for programs.
    """

    rule: str
    values: Mapping[str, Any]
    urgency: str
    phrase: str | None = None
    object: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def text(self, language: str) -> str:
        """Return it in words."""
        return say(self.said(), language)

    def said(self) -> Said:
        """Return it as it is told."""
        return said(self.phrase or self.rule, self.values)


def remarks_on(
    declaration: Declaration, *, party: str, sent_ms: int, terms: Terms, now_ms: int
) -> list[Remark]:
    """Return what is remarkable in a declaration that ``party`` sends, or would, at ``sent_ms``.

    What is over already has no notice that could be too short.
    """
    name = declaration.declaration_id
    found: list[Remark] = []
    short = lead_time_shortfall(declaration, sent_ms, terms)
    if short is not None and now_ms <= declaration.span.end_ms:
        found.append(short_notice(name, party, short))
    outside = outside_theatre(declaration, terms)
    if outside is not None:
        found.append(_outside(name, party, outside, terms))
    leg = implausible_leg(declaration)
    if leg is not None:
        found.append(_implausible(name, party, leg))
    concerned = third_parties_concerned(declaration, terms)
    return found + [third_party(name, party, third) for third in concerned]


def remarks_on_part(
    places: Iterable[Position],
    *,
    purpose: Purpose | None,
    start_ms: int | None,
    party: str,
    terms: Terms,
    now_ms: int,
) -> list[Remark]:
    """Return the same of a declaration that is not whole yet, as far as its parts say it."""
    found: list[Remark] = []
    if purpose is not None and start_ms is not None:
        short = notice_shortfall(purpose, start_ms, now_ms, terms)
        if short is not None:
            found.append(short_notice(UNNAMED, party, short))
    outside = first_outside(places, terms)
    if outside is not None:
        found.append(_outside(UNNAMED, party, outside, terms))
    return found


def remarks_on_label(label: str | None, known: Iterable[str]) -> list[Remark]:
    """Return what an own label says that nobody needs to share; ``known`` are agreed names."""
    return [
        Remark(
            rule=find.kind.value,
            values={"label": label, "words": find.written},
            urgency="PRIORITY",
            facts={"words": find.written},
        )
        for find in (find_never_shared(label, known) if label else ())
    ]


def short_notice(declaration_id: str, party: str, short: LeadTimeShortfall) -> Remark:
    """Return the remark that notice was shorter than the terms say, or came after the start."""
    started = short.notice_ms < 0
    return Remark(
        rule="LEAD_TIME_SHORT",
        values={
            "party": party,
            "declaration": declaration_id,
            "start": format_utc(short.start_ms),
            "least": short.least_ms,
            "late" if started else "notice": abs(short.notice_ms),
        },
        urgency="IMMEDIATE",
        phrase="STARTED_BEFORE_NOTICE" if started else None,
        facts={"notice_ms": short.notice_ms},
    )


def third_party(declaration_id: str, party: str, third: str) -> Remark:
    """Return the remark that a party without a line may be concerned."""
    return Remark(
        rule="THIRD_PARTY_NOT_REACHED",
        values={"third": third, "party": party, "declaration": declaration_id},
        urgency="PRIORITY",
        object=third,
    )


def not_checked(declaration_id: str, party: str) -> Remark:
    """Return the remark that a declaration could not be checked: unknown is never clear."""
    return Remark(
        rule="NOT_CHECKED",
        values={"party": party, "declaration": declaration_id},
        urgency="IMMEDIATE",
    )


def _outside(declaration_id: str, party: str, outside: OutsideTheatre, terms: Terms) -> Remark:
    values: dict[str, Any] = {
        "party": party,
        "declaration": declaration_id,
        "where": position_to_wire(outside.position),
        "theatre": terms.theatre.name,
    }
    if outside.swapped is not None:
        values["swapped"] = position_to_wire(outside.swapped)
    return Remark(
        rule="OUTSIDE_THEATRE",
        values=values,
        urgency="IMMEDIATE",
        phrase=None if outside.swapped is None else "OUTSIDE_THEATRE_SWAPPED",
    )


def _implausible(declaration_id: str, party: str, leg: ImplausibleLeg) -> Remark:
    values: dict[str, Any] = {
        "party": party,
        "declaration": declaration_id,
        "where": position_to_wire(leg.start.position),
        "at": format_utc(leg.start.at_ms),
        "time": leg.duration_ms,
    }
    if leg.too_steep:
        values["height"] = leg.height_tmm
    else:
        values["length"] = round(leg.length_m * 1_000)
        values["speed"] = round(leg.length_m * 1_000_000 / leg.duration_ms)
    return Remark(
        rule="LEG_TOO_FAST",
        values=values,
        urgency="IMMEDIATE",
        phrase="LEG_TOO_STEEP" if leg.too_steep else None,
    )
