"""Draws what is planned and, beside it, the same changed: a map and the altitudes over time."""

from collections.abc import Sequence

from deconflict.airspace import format_utc
from deconflict.cli.output import when
from deconflict.cli.situation import Named, Situation
from deconflict.paper.picture import Mark, Shape, draw
from deconflict.separation import Extent, Finding, check
from deconflict.units import METRES_PER_NAUTICAL_MILE, feet_from_tmm

__all__ = ["draw_changes"]

CHANGED = "changed"


def draw_changes(situation: Situation, changed: Sequence[Extent]) -> str:
    """Return the picture as SVG: what is planned, where it conflicts, and what is changed."""
    known = situation.named()
    movable = [one.extent for one in situation.movable]
    moved = {extent.key for extent in changed}
    findings = check(
        [extent for extent in movable if extent.key in moved] or movable,
        others=[*movable, *(one.extent for one in situation.others)],
        minima=situation.minima,
        conversions=situation.conversions,
    )
    conflicting = {key for finding in findings for key in (finding.first, finding.second)}
    shapes = [
        _shape(one, one.extent, one.whose, in_conflict=one.extent.key in conflicting)
        for one in (*situation.others, *situation.movable)
    ]
    shapes += [
        _shape(known[e.key], e, f"{known[e.key].name} {CHANGED}", in_conflict=False, changed=True)
        for e in changed
    ]
    seen: dict[frozenset[str], Finding] = {}
    for finding in findings:
        seen.setdefault(frozenset((finding.first, finding.second)), finding)
    return draw(
        sorted(shapes, key=lambda shape: (shape.own, shape.party)),
        [_mark(finding, known) for finding in seen.values()],
        title="What is planned, and the same changed",
        subtitle="only what was declared · for one's own planner · not for navigation",
    )


def _shape(
    named: Named, extent: Extent, label: str, *, in_conflict: bool, changed: bool = False
) -> Shape:
    party = "planned" if named.own else named.shown_party
    return Shape(
        label=label,
        party=CHANGED if changed else party,
        own=changed,
        purpose=named.purpose,
        geometry=extent.geometry,
        in_conflict=in_conflict or changed,
    )


def _mark(finding: Finding, known: dict[str, Named]) -> Mark:
    at = when(format_utc(finding.cpa_time_ms))
    lateral = f"{finding.cpa_distance_m / METRES_PER_NAUTICAL_MILE:.2f} NM"
    vertical = (
        "altitudes do not compare"
        if finding.cpa_vertical_tmm is None
        else f"{abs(feet_from_tmm(finding.cpa_vertical_tmm)):,.0f} ft"
    )
    return Mark(
        places=(finding.position_first, finding.position_second),
        at_ms=finding.cpa_time_ms,
        label=f"{at[11:]} {lateral}",
        words=f"{at}  as planned, {known[finding.first].whose} and "
        f"{known[finding.second].whose}: {lateral} and {vertical} apart, minimum "
        f"{finding.minima.lateral_m / METRES_PER_NAUTICAL_MILE:.2f} NM and "
        f"{feet_from_tmm(finding.minima.vertical_tmm):,.0f} ft",
    )
