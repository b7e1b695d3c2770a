"""How two come near: distance over the ground and between altitudes, over time.

Flights with a time window are drawn shifted as the witness says, since unshifted they may never be
near; what is planned stands beside it in grey.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from deconflict.airspace.geodesy import distance
from deconflict.airspace.position import Position
from deconflict.cli.meeting import flown_at, meeting_of, middle_of
from deconflict.cli.output import feet
from deconflict.cli.screen_explain import height_words, if_late
from deconflict.cli.screen_margins import Margins, margins_of
from deconflict.cli.screen_words import utc
from deconflict.paper.svg import Box, Point, element, fitting, path, shortened, text
from deconflict.separation.arrays import SURFACE, UNLIMITED
from deconflict.separation.conflicts import NOT_DEFINED_TMM, Conflicts
from deconflict.separation.flights import Flights
from deconflict.separation.labels import Labels
from deconflict.separation.minima import AltitudeConversions, Minima
from deconflict.separation.screening import screen
from deconflict.units import METRES_PER_NAUTICAL_MILE, TMM_PER_FOOT, TMM_PER_METRE

__all__ = ["HEIGHT", "Approach", "draw_approach"]

HEIGHT: Final = 250.0
LATERAL: Final = (64.0, 600.0)
VERTICAL: Final = (704.0, 1216.0)
STEPS: Final = 120
ALARM: Final = "#c4122f"
LINE: Final = "#1f5fa8"
FAINT: Final = "#8a9099"
GRID: Final = "#d5d8dc"
AROUND: Final = 1.0  # how much of the conflict's length is shown before and after it
LEAST_AROUND_S: Final = 60.0
FARTHEST_M: Final = 1_000_000.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Approach:
    """Row ``row`` of the conflicts, drawn as ``number``: a flight, and a flight or a volume."""

    found: Conflicts
    row: int
    number: int
    conversions: AltitudeConversions


@dataclass(frozen=True, slots=True)
class _Curve:
    """What a chart draws: values, how far they may be off, the minimum, and what is planned."""

    heading: str
    values: Floats
    minimum: float
    least: float
    off: float = 0.0
    planned: Floats | None = None


def draw_approach(approach: Approach, top: float) -> str:
    """Return both curves as SVG, from ``top`` down."""
    found, row = approach.found, approach.row
    one, other = int(found.first[row]), int(found.second[row])
    margins = margins_of(found, one, other, approach.conversions)
    meeting = meeting_of(found, row, approach.conversions)
    late_s = meeting.late_s or (0.0, 0.0)
    in_s, out_s = found.time_in_us[row] / 1e6, found.time_out_us[row] / 1e6
    around = max(AROUND * (out_s - in_s), LEAST_AROUND_S)
    spans = [_span(found, which) for which in (one, other)]
    shifted = [(a + late, b + late) for (a, b), late in zip(spans, late_s, strict=True)]
    begin = max(in_s - around, *(span[0] for span in shifted))
    end = min(out_s + around, *(span[1] for span in shifted))
    if end <= begin:
        return ""
    cpa_s = found.cpa_time_us[row] / 1e6
    times = np.unique(np.append(np.linspace(begin, end, STEPS), np.clip(cpa_s, begin, end)))
    lateral_m, vertical_tmm = _apart(approach, times, late_s)
    planned_m, planned_tmm = None, None
    if any(late_s):
        planned_m, planned_tmm = _apart(approach, times, (0.0, 0.0))
        out = (times < max(span[0] for span in spans)) | (times > min(span[1] for span in spans))
        planned_m[out] = planned_tmm[out] = np.nan
    # A heading has a line: of a long name it holds both ends, by which people tell it from others.
    margins = replace(margins, names=(shortened(margins.names[0]), shortened(margins.names[1])))
    names = " and ".join(margins.names)
    heading = f"{approach.number}   {names}, as they come near{if_late(margins, meeting)}"
    told = (in_s, out_s, cpa_s)
    lateral = _Curve(
        ("From the outline" if margins.closed else "Apart")
        + " over the ground, NM"
        + _key(any(late_s)),
        lateral_m / METRES_PER_NAUTICAL_MILE,
        float(found.minimum_lateral_m[row] + found.margin_lateral_m[row])
        / METRES_PER_NAUTICAL_MILE,
        1.0,
        planned=None if planned_m is None else planned_m / METRES_PER_NAUTICAL_MILE,
    )
    boxes = [
        Box(*LATERAL[:1], top + 50, LATERAL[1], top + HEIGHT - 36),
        Box(*VERTICAL[:1], top + 50, VERTICAL[1], top + HEIGHT - 36),
    ]
    parts = [
        text(
            heading,
            (24, top + 20),
            size=fitting(heading, 15, VERTICAL[1] - 24, bold=True),
            font_weight=600,
        ),
        *_chart(boxes[0], times, lateral, told),
    ]
    why = _no_curve(found, row, margins)
    if why:
        heights = height_words(found, row, margins, meeting)
        return "\n".join([*parts, *_words(boxes[1], [why, *heights])])
    off = margins.slack_tmm / TMM_PER_FOOT
    vertical = _Curve(
        ("From the band, ft" if margins.closed else "Between their altitudes, ft")
        + (f" (give or take {feet(margins.slack_tmm / TMM_PER_METRE)})" if off else "")
        + _key(any(late_s)),
        vertical_tmm / TMM_PER_FOOT,
        float(found.minimum_vertical_tmm[row] + found.margin_vertical_tmm[row]) / TMM_PER_FOOT,
        100.0,
        off=off,
        planned=None if planned_tmm is None else planned_tmm / TMM_PER_FOOT,
    )
    return "\n".join([*parts, *_chart(boxes[1], times, vertical, told)])


def _key(late: bool) -> str:
    return "; dashed: minimum with margins" + ("; grey: as planned" if late else "")


def _no_curve(found: Conflicts, row: int, margins: Margins) -> str:
    """Return why no distance between altitudes can be drawn; nothing where it can."""
    if int(found.cpa_vertical_tmm[row]) == NOT_DEFINED_TMM:
        return "Their altitudes do not compare:"
    return "" if margins.matter else "No altitude keeps them apart:"


def _words(box: Box, lines: Sequence[str]) -> list[str]:
    return [
        text(
            line,
            (box.left - 40, box.top - 10 + 22 * n),
            size=fitting(line, 13, box.width + 40),
            fill=FAINT if n == 0 else None,
        )
        for n, line in enumerate(lines)
    ]


def _span(found: Conflicts, which: int) -> tuple[float, float]:
    flights = found.flights
    if which >= len(flights):
        row = which - len(flights)
        return float(found.volumes.start_s[row]), float(found.volumes.end_s[row])
    start, end = int(flights.offsets[which]), int(flights.offsets[which + 1])
    return float(flights.time_s[start]), float(flights.time_s[end - 1])


def _apart(approach: Approach, times: Floats, late_s: tuple[float, float]) -> tuple[Floats, Floats]:
    """Return how far apart they are over the ground (m) and in altitude (tmm)."""
    found, row = approach.found, approach.row
    flights = found.flights
    one, other = int(found.first[row]), int(found.second[row])
    middle = middle_of(found, row, approach.conversions)
    way = [flown_at(flights, one, at - late_s[0]) for at in times.tolist()]
    own = np.array([altitude + middle for _, altitude in way])
    if other >= len(flights):
        volume = other - len(flights)
        from_outline = _from_outline(found, volume, [place for place, _ in way])
        lower, upper = int(found.volumes.lower_tmm[volume]), int(found.volumes.upper_tmm[volume])
        below = 0.0 if lower == SURFACE else np.maximum(lower - own, 0.0)
        above = 0.0 if upper == UNLIMITED else np.maximum(own - upper, 0.0)
        return from_outline, np.zeros(len(own)) + below + above
    theirs = [flown_at(flights, other, at - late_s[1]) for at in times.tolist()]
    apart = [distance(a, b) for (a, _), (b, _) in zip(way, theirs, strict=True)]
    return np.array(apart), np.abs(np.array([altitude for _, altitude in theirs]) - own)


def _from_outline(found: Conflicts, volume: int, places: Sequence[Position]) -> Floats:
    """Return how far places are from a volume's outline; NaN beyond 1,000 km.

    Asked of the screening itself: something that hovers at each place, whenever the volume is.
    """
    count = len(places)
    hovering = Flights.of(
        {
            "lat_deg": np.repeat([place.lat_deg for place in places], 2),
            "lon_deg": np.repeat([place.lon_deg for place in places], 2),
            "time_s": np.tile([0.0, 1.0], count),
            "altitude_fl": np.zeros(2 * count),
            "party": ["hovering"] * count,
        },
        offsets=np.arange(0, 2 * count + 1, 2),
    )
    outline = replace(
        found.volumes.taken(np.array([volume])),
        lower_tmm=np.array([SURFACE]),
        upper_tmm=np.array([UNLIMITED]),
        start_s=np.array([0.0]),
        end_s=np.array([1.0]),
        party=Labels.none(1),
        ids=None,
    )
    near = screen(hovering, outline, minima=Minima(FARTHEST_M, 0))
    from_outline = np.full(count, np.nan)
    from_outline[near.first] = near.cpa_distance_m
    return from_outline


def _chart(box: Box, times: Floats, curve: _Curve, marks: tuple[float, float, float]) -> list[str]:
    drawn_values = [curve.values, *([] if curve.planned is None else [curve.planned])]
    highest = max(float(np.nanmax(values, initial=0.0)) for values in drawn_values) + curve.off
    most = max(highest, curve.minimum, curve.least) * 1.12

    def at(time_s: float, value: float) -> Point:
        return (
            box.left + (time_s - times[0]) / (times[-1] - times[0]) * box.width,
            box.bottom - value / most * box.height,
        )

    left, right = (min(max(at(mark, 0)[0], box.left), box.right) for mark in marks[:2])
    middle = min(max(at(marks[2], 0)[0], box.left), box.right)
    sizes = [s * 10.0**power for power in range(-3, 9) for s in (1, 2, 5)]
    step = next(size for size in sizes if most / size <= 5)
    drawn = [
        text(
            curve.heading, (box.left - 40, box.top - 10), fill=FAINT,
            size=fitting(curve.heading, 12, box.width + 40),
        ),
        element(
            "rect", x=left, y=box.top, width=max(right - left, 1.0), height=box.height,
            fill=ALARM, fill_opacity=0.1,
        ),
    ]  # fmt: skip
    for n in range(int(most / step) + 1):
        y = at(times[0], n * step)[1]
        drawn += [
            element("path", d=path([(box.left, y), (box.right, y)]), stroke=GRID),
            text(f"{n * step:,.6g}", (box.left - 6, y + 4), size=11, fill=FAINT, text_anchor="end"),
        ]
    if curve.off:
        upper = [at(t, v + curve.off) for t, v in _points(times, curve.values)]
        lower = [at(t, max(v - curve.off, 0.0)) for t, v in _points(times, curve.values)]
        strip = path([*upper, *reversed(lower)], closed=True)
        drawn.append(element("path", d=strip, fill=LINE, fill_opacity=0.13))
    floor = at(times[0], curve.minimum)[1]
    return [
        *drawn,
        element(
            "path", d=path([(box.left, floor), (box.right, floor)]), stroke=ALARM,
            stroke_width=1.4, stroke_dasharray="6 4",
        ),
        element("path", d=path([(middle, box.top), (middle, box.bottom)]), stroke=ALARM),
        *(
            element(
                "path", fill="none", stroke=colour, stroke_width=width,
                d=path(at(t, v) for t, v in _points(times, values)),
            )
            for values, colour, width in ((curve.planned, FAINT, 1.4), (curve.values, LINE, 2))
            if values is not None and not np.all(np.isnan(values))
        ),
        element(
            "rect", x=box.left, y=box.top, width=box.width, height=box.height,
            fill="none", stroke=FAINT,
        ),
        *(
            text(
                f"{utc(round(when * 1e6))[11:19]}Z", (x, box.bottom + 16), size=11, fill=FAINT,
                text_anchor=anchor,
            )
            for when, x, anchor in (
                (float(times[0]), box.left, "start"),
                (marks[2], middle, "middle"),
                (float(times[-1]), box.right, "end"),
            )
            if anchor == "middle" or abs(x - middle) > 60
        ),
    ]  # fmt: skip


def _points(times: Floats, values: Floats) -> list[tuple[float, float]]:
    known = ~np.isnan(values)
    return list(zip(times[known].tolist(), values[known].tolist(), strict=True))
