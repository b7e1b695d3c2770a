"""The side view of a picture: altitude over time, every altitude in the reference it came in."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from deconflict.airspace import AltitudeReference, format_utc
from deconflict.airspace.instant import nearest_utc_ms
from deconflict.paper.svg import Box, Labels, Point, element, path, shortened, text, width_of
from deconflict.units import TMM_PER_FOOT, TMM_PER_METRE

__all__ = ["Band", "Level", "draw_profile"]

At = Callable[[float, float], Point]  # from instant (ms) and altitude to pixels
ALARM = "#c4122f"
FAINT = "#8a9099"
NAMED = 12  # more flights than this, and their names would cover them
GRID = "#d5d8dc"
APART = 44.0  # pixels between the views of two references
HIGH = 0.4  # of the highest: an axis whose lowest lies above this does not begin at 0
NAMES = {
    AltitudeReference.W84: "above the ellipsoid",
    AltitudeReference.AMSL: "above mean sea level",
    AltitudeReference.FL: "pressure altitude",
    AltitudeReference.AGL: "above ground",
}


@dataclass(frozen=True, slots=True)
class Level:
    """A flight over time: ``(at_ms, altitude_tmm)`` and how far it may be from that."""

    points: tuple[tuple[int, int], ...]
    vertical_tmm: int
    time_ms: int
    reference: AltitudeReference
    colour: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Band:
    """A volume over time; None is the surface below and unlimited above."""

    start_ms: int
    end_ms: int
    lower_tmm: int | None
    upper_tmm: int | None
    reference: AltitudeReference
    colour: str
    dash: str | None


def draw_profile(box: Box, levels: Sequence[Level | Band], marks: Sequence[tuple[int, int]]) -> str:
    """Return the side view as SVG.

    Args:
        box: where in the picture.
        levels: what to draw. Bands that last longer than the flights are cut at the edges.
        marks: number and instant (ms) of each conflict.
    """
    if not levels:
        return text("nothing is declared", (box.left, box.top + 20), fill=FAINT)
    start_ms, end_ms = _time_window(levels, marks)
    # One axis for each reference: on a common one, what does not compare would look as if it did.
    references = sorted({level.reference for level in levels if not _everywhere(level)})
    groups = [
        [level for level in levels if level.reference == one or _everywhere(level)]
        for one in references
    ] or [list(levels)]
    names = [NAMES[one] for one in references] or ["from the surface to unlimited"]
    each = (box.height - APART * (len(groups) - 1)) / len(groups)
    parts = []
    for n, (name, group) in enumerate(zip(names, groups, strict=True)):
        top = box.top + n * (each + APART)
        part = Box(box.left, top, box.right, top + each)
        heading = f"Altitude and time (UTC), {name}" if n == 0 else f"Altitude, {name}"
        parts += [
            text(heading, (box.left - 48, top - 14), size=13, fill=FAINT),
            *_side_view(part, group, marks, (start_ms, end_ms), last=n == len(groups) - 1),
        ]
    return "\n".join(parts)


def _side_view(
    box: Box,
    levels: Sequence[Level | Band],
    marks: Sequence[tuple[int, int]],
    times_ms: tuple[int, int],
    *,
    last: bool,
) -> list[str]:
    """Return what is measured from one reference; the last of several says the times."""
    start_ms, end_ms = times_ms
    low, high = _altitudes(levels)

    def at(instant_ms: float, altitude_tmm: float) -> Point:
        return (
            box.left + (instant_ms - start_ms) / (end_ms - start_ms) * box.width,
            box.bottom - (altitude_tmm - low) / (high - low) * box.height,
        )

    frame = f"profile{box.top:.0f}"
    return [
        element("clipPath", _rect(box), id=frame),
        *_time_axis(box, start_ms, end_ms, at, labelled=last),
        *_altitude_axis(box, low, high, at),
        element(
            "g",
            "".join(_drawn(level, low, high, at) for level in levels),
            clip_path=f"url(#{frame})",
        ),
        *_names(box, levels, at),
        *_marks(box, marks, at, high),
        _rect(box, stroke=FAINT),
    ]


def _everywhere(level: Level | Band) -> bool:
    """Return True exactly when this reaches over all altitudes of every reference."""
    return isinstance(level, Band) and level.lower_tmm is None and level.upper_tmm is None


def _drawn(level: Level | Band, low: float, high: float, at: At) -> str:
    if isinstance(level, Band):
        floor = low if level.lower_tmm is None else level.lower_tmm
        ceiling = high if level.upper_tmm is None else level.upper_tmm
        corners = [
            at(level.start_ms, floor),
            at(level.start_ms, ceiling),
            at(level.end_ms, ceiling),
            at(level.end_ms, floor),
        ]
        return element(
            "path",
            d=path(corners, closed=True),
            fill=level.colour,
            fill_opacity=0.1,
            stroke=level.colour,
            stroke_width=1.5,
            stroke_dasharray=level.dash,
        )
    way = [at(*point) for point in level.points]
    # Early or late, above or below: the flight may be anywhere in this strip.
    around = [
        [
            at(t + early, a + above)
            for early in (-level.time_ms, level.time_ms)
            for above in (-level.vertical_tmm, level.vertical_tmm)
        ]
        for t, a in level.points
    ]
    legs = [path(_hull([*start, *end]), closed=True) for start, end in pairwise(around)]
    strip = element("path", d="".join(legs), fill=level.colour, fill_opacity=0.13)
    return strip + element("path", d=path(way), fill="none", stroke=level.colour, stroke_width=2)


def _hull(points: Sequence[Point]) -> list[Point]:
    """Return the corners of the smallest convex outline, always the same way round."""

    def half(ordered: Sequence[Point]) -> list[Point]:
        kept: list[Point] = []
        for x, y in ordered:
            while len(kept) > 1:
                (x0, y0), (x1, y1) = kept[-2:]
                if (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) > 0:
                    break
                kept.pop()
            kept.append((x, y))
        return kept[:-1]

    ordered = sorted(set(points))
    return half(ordered) + half(ordered[::-1]) or ordered


def _names(box: Box, levels: Sequence[Level | Band], at: At) -> list[str]:
    """Return the flights' names, each above the beginning of its line; none where many fly."""
    flights = [one for one in levels if isinstance(one, Level) and one.name]
    if len(flights) > NAMED:
        return []
    labels = Labels(box)
    for flight in flights:
        labels.shun(at(*point) for point in flight.points)
    drawn = []
    for flight in flights:
        x, y = at(*flight.points[0])
        name = shortened(flight.name)
        width = width_of(name, 11)
        # Asked for above its middle, so that it begins where the line begins.
        middle = (max(x, box.left) + width / 2 + 2, y)
        drawn.append(labels.place(name, middle, size=11, away=3, fill=flight.colour))
    return drawn


def _time_axis(box: Box, start_ms: int, end_ms: int, at: At, *, labelled: bool) -> list[str]:
    minutes = (end_ms - start_ms) / 60_000
    step_min = next(
        (s for s in (1, 2, 5, 10, 15, 30, 60, 120, 240, 720, 1440) if minutes / s <= 6), 10_080
    )
    step_ms = step_min * 60_000
    first = math.ceil(start_ms / step_ms) * step_ms
    drawn = []
    for instant in range(first, end_ms + 1, step_ms):
        x, _ = at(instant, 0)
        stamp = format_utc(instant)
        words = f"{stamp[11:16]}Z" if step_min < 1440 else stamp[5:10]
        drawn.append(element("path", d=path([(x, box.top), (x, box.bottom)]), stroke=GRID))
        if not labelled:
            continue
        drawn += [
            text(words, (x, box.bottom + 18), size=11, fill=FAINT, text_anchor="middle"),
        ]
    day = f"{format_utc(start_ms)[:10]}"
    last = f"{format_utc(end_ms)[:10]}"
    words = day if day == last else f"{day} to {last}"
    middle = (box.left + box.right) / 2
    if not labelled:
        return drawn
    return [
        *drawn,
        text(words, (middle, box.bottom + 38), size=12, fill=FAINT, text_anchor="middle"),
    ]


def _altitude_axis(box: Box, low: float, high: float, at: At) -> list[str]:
    feet = (high - low) / TMM_PER_FOOT
    step = next(
        (s for s in (100, 200, 500, 1000, 2000, 5000, 10_000, 50_000) if feet / s <= 9), 100_000
    )
    drawn = []
    for n in range(math.ceil(low / TMM_PER_FOOT / step), int(high / TMM_PER_FOOT / step) + 1):
        altitude = n * step * TMM_PER_FOOT
        _, y = at(0, altitude)
        drawn += [
            element("path", d=path([(box.left, y), (box.right, y)]), stroke=GRID),
            text(f"{n * step:,} ft", (box.left - 6, y + 4), size=11, fill=FAINT, text_anchor="end"),
            text(f"{altitude / TMM_PER_METRE:,.0f} m", (box.right + 6, y + 4), size=11, fill=FAINT),
        ]
    return drawn


def _marks(box: Box, marks: Sequence[tuple[int, int]], at: At, high: float) -> list[str]:
    labels = Labels(Box(box.left, box.top, box.right + 20, box.bottom))
    drawn = []
    for number, instant in marks:
        x, _ = at(instant, high)
        drawn.append(
            element(
                "path",
                d=path([(x, box.top), (x, box.bottom)]),
                stroke=ALARM,
                stroke_width=1.2,
                stroke_dasharray="4 3",
            )
        )
        drawn.append(
            labels.place(
                str(number), (x, box.top + 10), size=13, away=4, fill=ALARM, font_weight=600
            )
        )
    return drawn


def _time_window(
    levels: Sequence[Level | Band], marks: Sequence[tuple[int, int]]
) -> tuple[int, int]:
    """Return the flights' times with the conflicts', else the bands', with a little room."""
    instants = [
        p[0] + s * one.time_ms
        for one in levels
        if isinstance(one, Level)
        for p in one.points
        for s in (-1, 1)
    ]
    if not instants:
        instants = [
            t for one in levels if isinstance(one, Band) for t in (one.start_ms, one.end_ms)
        ]
    instants += [instant for _, instant in marks]
    room = max((max(instants) - min(instants)) // 20, 30_000)
    return nearest_utc_ms(min(instants) - room), nearest_utc_ms(max(instants) + room)


def _altitudes(levels: Sequence[Level | Band]) -> tuple[float, float]:
    known: list[float] = []
    for one in levels:
        if isinstance(one, Level):
            known += [a + s * one.vertical_tmm for _, a in one.points for s in (-1, 1)]
        else:
            known += [0.0 if one.lower_tmm is None else one.lower_tmm]
            known += [] if one.upper_tmm is None else [one.upper_tmm]
    low, high = min(known), max(known)
    room = max(0.12 * (high - low), 300 * TMM_PER_METRE)
    if low - room > HIGH * high:
        return low - room, high + room
    low = min(low, 0.0)
    return low, high + max(0.12 * (high - low), 300 * TMM_PER_METRE)


def _rect(box: Box, **attributes: object) -> str:
    attributes.setdefault("fill", "none")
    return element("rect", x=box.left, y=box.top, width=box.width, height=box.height, **attributes)
