"""How two flights come near: distance over the ground and between altitudes, over time."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from deconflict.airspace.geodesy import direct, inverse
from deconflict.airspace.position import Position
from deconflict.cli.screen_words import utc
from deconflict.cli.svg import Box, Point, element, path, text
from deconflict.separation.conflicts import Conflicts
from deconflict.units import METRES_PER_NAUTICAL_MILE, TMM_PER_FOOT

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

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Approach:
    """Row ``row`` of the conflicts, between flights ``one`` and ``other``, drawn as ``number``."""

    found: Conflicts
    row: int
    one: int
    other: int
    number: int


def draw_approach(approach: Approach, top: float) -> str:
    """Return both curves as SVG, from ``top`` down."""
    found, row = approach.found, approach.row
    in_s, out_s = found.time_in_us[row] / 1e6, found.time_out_us[row] / 1e6
    around = max(AROUND * (out_s - in_s), LEAST_AROUND_S)
    spans = [_span(found, flight) for flight in (approach.one, approach.other)]
    begin = max(in_s - around, *(span[0] for span in spans))
    end = min(out_s + around, *(span[1] for span in spans))
    if end <= begin:  # windows: no common time as planned
        return ""
    cpa_s = found.cpa_time_us[row] / 1e6
    times = np.unique(np.append(np.linspace(begin, end, STEPS), np.clip(cpa_s, begin, end)))
    lateral_m, vertical_tmm = _apart(approach, times)
    minimum_m = float(found.minimum_lateral_m[row] + found.margin_lateral_m[row])
    minimum_tmm = float(found.minimum_vertical_tmm[row] + found.margin_vertical_tmm[row])
    names = found.names(np.array([approach.one, approach.other])).tolist()
    heading = f"{approach.number}   {names[0]} and {names[1]}, as they come near"
    return "\n".join(
        [
            text(heading, (24, top + 20), size=15, font_weight=600),
            *_chart(
                Box(LATERAL[0], top + 50, LATERAL[1], top + HEIGHT - 36),
                times,
                lateral_m / METRES_PER_NAUTICAL_MILE,
                minimum_m / METRES_PER_NAUTICAL_MILE,
                (in_s, out_s, cpa_s),
                "Apart over the ground, NM; the minimum with margins dashed",
                1.0,
            ),
            *_chart(
                Box(VERTICAL[0], top + 50, VERTICAL[1], top + HEIGHT - 36),
                times,
                vertical_tmm / TMM_PER_FOOT,
                minimum_tmm / TMM_PER_FOOT,
                (in_s, out_s, cpa_s),
                "Between their altitudes, ft; the minimum with margins dashed",
                100.0,
            ),
        ]
    )


def _span(found: Conflicts, flight: int) -> tuple[float, float]:
    flights = found.flights
    start, end = int(flights.offsets[flight]), int(flights.offsets[flight + 1])
    return float(flights.time_s[start]), float(flights.time_s[end - 1])


def _apart(approach: Approach, times: Floats) -> tuple[Floats, Floats]:
    ways = [_flown(approach.found, flight, times) for flight in (approach.one, approach.other)]
    lateral = [inverse(a, b).distance_m for a, b in zip(ways[0][0], ways[1][0], strict=True)]
    return np.array(lateral), np.abs(ways[1][1] - ways[0][1])


def _flown(found: Conflicts, flight: int, times: Floats) -> tuple[list[Position], Floats]:
    """Return where a flight is at these times: along geodesics, each leg at one speed."""
    flights = found.flights
    part = slice(int(flights.offsets[flight]), int(flights.offsets[flight + 1]))
    time_s, lat, lon = flights.time_s[part], flights.lat_deg[part], flights.lon_deg[part]
    legs = np.clip(np.searchsorted(time_s, times, side="right") - 1, 0, len(time_s) - 2)
    places = []
    for leg, at in zip(legs.tolist(), times.tolist(), strict=True):
        start, end = (Position.from_degrees(float(lat[k]), float(lon[k])) for k in (leg, leg + 1))
        way = inverse(start, end)
        length = float(time_s[leg + 1] - time_s[leg])
        share = min(max((at - float(time_s[leg])) / length, 0.0), 1.0) if length > 0 else 0.0
        places.append(direct(start, way.azimuth_ab_deg, way.distance_m * share))
    return places, np.interp(times, time_s, flights.altitude_tmm[part].astype(np.float64))


def _chart(
    box: Box,
    times: Floats,
    values: Floats,
    minimum: float,
    marks: tuple[float, float, float],
    heading: str,
    least: float,
) -> list[str]:
    most = max(float(values.max()), minimum, least) * 1.12

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
        text(heading, (box.left - 40, box.top - 10), size=12, fill=FAINT),
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
    floor = at(times[0], minimum)[1]
    return [
        *drawn,
        element(
            "path", d=path([(box.left, floor), (box.right, floor)]), stroke=ALARM,
            stroke_width=1.4, stroke_dasharray="6 4",
        ),
        element("path", d=path([(middle, box.top), (middle, box.bottom)]), stroke=ALARM),
        element(
            "path", fill="none", stroke=LINE, stroke_width=2,
            d=path(at(t, v) for t, v in zip(times.tolist(), values.tolist(), strict=True)),
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
