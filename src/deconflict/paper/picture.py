"""Draws what is declared and where it conflicts: a map, and altitude over time beside it.

The map is an azimuthal equidistant projection about the middle of what is shown: distances from
there are true, and neither the antimeridian nor a pole is special. Colour says whose; the kind of
stroke and the words say what, so the picture also reads in grey.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from deconflict.airspace import (
    Circle,
    Corridor,
    Geometry,
    Outline,
    Polygon,
    Position,
    Trajectory,
    format_utc,
)
from deconflict.airspace.geodesy import direct, inverse
from deconflict.paper.profile import Band, Level, draw_profile
from deconflict.paper.projection import MAP, Projection
from deconflict.paper.svg import Box, Labels, Point, element, fitting, path, text, width_of
from deconflict.units import METRES_PER_NAUTICAL_MILE

__all__ = ["Mark", "Shape", "draw", "draw_map"]


def _scale_room(box: Box) -> Box:
    """Return where the bar and its words stand in a map."""
    return Box(box.left, box.bottom - 46, box.left + 240, box.bottom - 16)


def _north_room(box: Box) -> Box:
    """Return where the arrow and its letter stand in a map."""
    return Box(box.right - 32, box.top + 10, box.right - 12, box.top + 50)


WIDTH, HEIGHT = 1280.0, 760.0
SHEET_MAP = Box(0, 0, 640, 250)  # across A4 its words are as large as the text beside them
SCALE, NORTH = _scale_room(MAP), _north_room(MAP)
PROFILE = Box(868, 84, 1216, 664)
OWN = "#1f5fa8"
PEERS = ("#b3541e", "#6a3d9a", "#2a7f62", "#8c6d1f")
ALARM = "#c4122f"
INK = "#222831"
FAINT = "#8a9099"
DASHES = {
    "FLIGHT": None,
    "ACTIVITY": None,
    "HAZARD": "9 5",
    "OWN_PRESENCE": "2 4",
    "PROTECTED_SITE": "12 3 2 3",
}
LABELLED = 30  # more shapes than this: only those in a conflict are named
LISTED = 12
EARTH_RADIUS_M = 6_371_008.8  # mean radius, for choosing steps only
NORTH_IS_UP_DEG = 35.0  # where it is farther off in a corner, one arrow would say something wrong
MERIDIANS_APART = (1 / 60, 1 / 12, 1 / 6, 0.25, 0.5, 1, 2, 5, 10, 30)
MERIDIANS = 14  # at most so many: near a pole they run together
POINTS_PER_LEG = 24
POINTS_PER_CIRCLE = 72


@dataclass(frozen=True, slots=True)
class Shape:
    """One declaration to draw."""

    label: str
    party: str
    own: bool
    purpose: str
    geometry: Geometry
    in_conflict: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """One conflict to draw: where both are at the closest approach, and what to say of it."""

    places: tuple[Position, ...]
    at_ms: int
    label: str
    words: str


def draw(
    shapes: Sequence[Shape],
    marks: Sequence[Mark],
    *,
    landmarks: Sequence[tuple[str, Position]] = (),
    theatres: Sequence[tuple[str, Sequence[Position]]] = (),
    title: str,
    subtitle: str,
    below: tuple[float, Callable[[float], str]] | None = None,
) -> str:
    """Return the picture as SVG text.

    Args:
        shapes: what is declared; there may be none.
        marks: the conflicts, the most important first; numbered in this order.
        landmarks: agreed places, drawn where they fall into the picture.
        theatres: agreed names and outlines, of which what falls into the picture is drawn.
        title: above the picture.
        subtitle: under the title, such as the time of drawing.
        below: the height of what else is drawn under it all, and what draws it from there down.
    """
    colours = _colours(shapes)
    project = Projection([*_places(shapes), *(p for mark in marks for p in mark.places)])
    listed = marks[:LISTED]
    height = HEIGHT + 22 * (len(listed) + (len(marks) > LISTED)) + (16 if marks else 0)
    more = "" if below is None else below[1](height)
    height += 0 if below is None else below[0]
    parts = [
        element("rect", width=WIDTH, height=height, fill="#fff"),
        text(title, (MAP.left, 38), size=_fitting(title, 22, bold=True), font_weight=600),
        text(subtitle, (MAP.left, 62), size=13, fill=FAINT),
        *_map(shapes, marks, landmarks, theatres, colours, project),
        *_legend(shapes, colours),
        draw_profile(
            PROFILE,
            [level for shape in shapes for level in _levels(shape, colours[shape.party])],
            [(number, mark.at_ms) for number, mark in enumerate(marks, 1)],
        ),
        *_list(listed, len(marks) - len(listed)),
        more,
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:g}" '
        f'font-family="system-ui, Segoe UI, Helvetica, Arial, sans-serif" fill="{INK}">'
        + "\n".join(part for part in parts if part)
        + "</svg>\n"
    )


def draw_map(
    shapes: Sequence[Shape],
    *,
    landmarks: Sequence[tuple[str, Position]] = (),
    theatres: Sequence[tuple[str, Sequence[Position]]] = (),
) -> str:
    """Return the map alone as SVG text, with nothing beside it: for a sheet that says the rest.

    Args:
        shapes: what is declared; where there is none the map shows the theatres.
        landmarks: agreed places, drawn where they fall into the picture.
        theatres: agreed names and outlines.
    """
    colours = _colours(shapes)
    around = [place for _, outline in theatres for place in outline]
    project = Projection(_places(shapes) or around or [place for _, place in landmarks], SHEET_MAP)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 '
        f'{SHEET_MAP.width:g} {SHEET_MAP.height:g}" font-family="sans-serif" fill="{INK}">'
        + "\n".join(_map(shapes, (), landmarks, theatres, colours, project))
        + "</svg>\n"
    )


def _map(
    shapes: Sequence[Shape],
    marks: Sequence[Mark],
    landmarks: Sequence[tuple[str, Position]],
    theatres: Sequence[tuple[str, Sequence[Position]]],
    colours: dict[str, str],
    project: Projection,
) -> list[str]:
    labels = Labels(project.box)
    labels.keep_free(_scale_room(project.box))
    north = _north(project)
    if north:
        labels.keep_free(_north_room(project.box))
    drawn = [way for shape in shapes for way in _ways(shape)]
    for way in [*drawn, *(_geodesic([*outline, outline[0]]) for _, outline in theatres)]:
        labels.shun(map(project, way))
    return [
        element("clipPath", _rect(project.box), id="map"),
        _rect(project.box, fill="#fbfaf7", stroke=FAINT),
        element(
            "g",
            "".join(
                [
                    *_graticule(project),
                    *(_theatre(outline, project) for _, outline in theatres),
                    *(_shape(shape, colours[shape.party], project) for shape in shapes),
                    *(_mark(number, mark, project, labels) for number, mark in enumerate(marks, 1)),
                    *(_landmark(name, place, project, labels) for name, place in landmarks),
                    *_names(shapes, colours, project, labels),
                    *(_theatre_name(name, outline, project, labels) for name, outline in theatres),
                ]
            ),
            clip_path="url(#map)",
        ),
        *_scale_bar(project),
        *north,
    ]


def _fitting(words: str, size: int, *, bold: bool = False) -> int:
    """Return the greatest size, at most the one asked for, in which words fit across a picture."""
    return fitting(words, size, PROFILE.right - MAP.left, bold=bold)


def _places(shapes: Iterable[Shape]) -> list[Position]:
    found: list[Position] = []
    for shape in shapes:
        if isinstance(shape.geometry, Trajectory):
            found += [waypoint.position for waypoint in shape.geometry.waypoints]
        else:
            for volume in shape.geometry:
                found += _extent(volume.outline)
    return found


def _extent(outline: Outline) -> list[Position]:
    if isinstance(outline, Circle):
        return [
            direct(outline.center, azimuth, outline.radius_mm / 1000)
            for azimuth in (0, 90, 180, 270)
        ]
    return list(outline.path if isinstance(outline, Corridor) else outline.vertices)


def _geodesic(places: Sequence[Position]) -> list[Position]:
    """Return the places with points between, so that a long leg is drawn curved."""
    found = list(places[:1])
    for start, end in pairwise(places):
        way = inverse(start, end)
        steps = POINTS_PER_LEG if way.distance_m > 50_000 else 1
        found += [
            direct(start, way.azimuth_ab_deg, way.distance_m * step / steps)
            for step in range(1, steps)
        ]
        found.append(end)
    return found


def _shape(shape: Shape, colour: str, project: Projection) -> str:
    if isinstance(shape.geometry, Trajectory):
        way = [
            project(place) for place in _geodesic([w.position for w in shape.geometry.waypoints])
        ]
        swath = 2 * shape.geometry.containment.lateral_mm / 1000 * project.pixels_per_m
        return (
            _swath(way, swath, colour)
            + element("path", d=path(way), fill="none", stroke=colour, stroke_width=2)
            + _arrow(way, colour)
        )
    return "".join(
        _outline(volume.outline, colour, DASHES.get(shape.purpose), project)
        for volume in shape.geometry
    )


def _ways(shape: Shape) -> list[list[Position]]:
    """Return the lines that are drawn of a shape."""
    if isinstance(shape.geometry, Trajectory):
        return [_geodesic([waypoint.position for waypoint in shape.geometry.waypoints])]
    return [
        _geodesic(volume.outline.path)
        if isinstance(volume.outline, Corridor)
        else _rim(volume.outline)
        for volume in shape.geometry
    ]


def _rim(outline: Circle | Polygon) -> list[Position]:
    """Return the rim of an area, its first place again at the end."""
    if isinstance(outline, Circle):
        return [
            direct(outline.center, 360 * step / POINTS_PER_CIRCLE, outline.radius_mm / 1000)
            for step in range(POINTS_PER_CIRCLE + 1)
        ]
    return _geodesic([*outline.vertices, outline.vertices[0]])


def _theatre(outline: Sequence[Position], project: Projection) -> str:
    rim = map(project, _geodesic([*outline, outline[0]]))
    return element("path", d=path(rim), fill="none", stroke=FAINT, stroke_width=1.2)


def _theatre_name(
    name: str, outline: Sequence[Position], project: Projection, labels: Labels
) -> str:
    x, y = min(map(project, outline), key=lambda point: point[1] + 0.2 * point[0])
    width = width_of(name, 11)
    return labels.place(name, (x + width / 2, y), size=11, away=5, fill=FAINT)


def _outline(outline: Outline, colour: str, dash: str | None, project: Projection) -> str:
    if isinstance(outline, Corridor):
        way = [project(place) for place in _geodesic(outline.path)]
        width = 2 * outline.half_width_mm / 1000 * project.pixels_per_m
        centre = element(
            "path", d=path(way), fill="none", stroke=colour, stroke_width=1.2, stroke_dasharray=dash
        )
        return _swath(way, max(width, 3.0), colour) + centre
    return element(
        "path",
        d=path(map(project, _rim(outline)), closed=True),
        fill=colour,
        fill_opacity=0.1,
        stroke=colour,
        stroke_width=1.8,
        stroke_dasharray=dash,
    )


def _swath(way: Sequence[Point], width: float, colour: str) -> str:
    if width < 1:
        return ""
    return element(
        "path",
        d=path(way),
        fill="none",
        stroke=colour,
        stroke_opacity=0.13,
        stroke_width=width,
        stroke_linecap="round",
        stroke_linejoin="round",
    )


def _arrow(way: Sequence[Point], colour: str) -> str:
    (x0, y0), (x1, y1) = way[-2], way[-1]
    length = math.hypot(x1 - x0, y1 - y0)
    if length == 0:
        return element("circle", cx=x1, cy=y1, r=4, fill=colour)
    ux, uy = (x1 - x0) / length, (y1 - y0) / length
    wings = [(x1 - 11 * ux + s * 5 * uy, y1 - 11 * uy - s * 5 * ux) for s in (1, -1)]
    return element("path", d=path([wings[0], (x1, y1), wings[1]], closed=True), fill=colour)


def _names(
    shapes: Sequence[Shape], colours: dict[str, str], project: Projection, labels: Labels
) -> list[str]:
    named = shapes if len(shapes) <= LABELLED else [s for s in shapes if s.in_conflict][:LABELLED]
    drawn, ends = [], []
    for shape in named:
        colour = colours[shape.party]
        if isinstance(shape.geometry, Trajectory):
            first, last = shape.geometry.waypoints[0], shape.geometry.waypoints[-1]
            words = f"{shape.label} {_clock(first.at_ms)}"
            drawn.append(labels.place(words, project(first.position), fill=colour))
            ends.append((_clock(last.at_ms), project(last.position), colour))
        else:
            extent = [project(place) for place in _extent(shape.geometry[0].outline)]
            top = min(extent, key=lambda point: point[1])
            middle = sum(x for x, _ in extent) / len(extent)
            drawn.append(labels.place(shape.label, (middle, top[1]), away=6, fill=colour))
    # Times of arrival last: they are short, and a name matters more.
    return drawn + [labels.place(words, at, fill=colour) for words, at, colour in ends]


def _landmark(name: str, place: Position, project: Projection, labels: Labels) -> str:
    x, y = project(place)
    if not project.box.holds((x, y)):
        return ""
    spot = element(
        "path", d=path([(x, y - 5), (x + 5, y + 4), (x - 5, y + 4)], closed=True), fill=FAINT
    )
    return spot + labels.place(name, (x, y), fill=FAINT, size=11)


def _mark(number: int, mark: Mark, project: Projection, labels: Labels) -> str:
    points = [project(place) for place in mark.places]
    if not points:
        return ""
    between = (
        element("path", d=path(points), stroke=ALARM, stroke_width=2) if len(points) > 1 else ""
    )
    rings = "".join(
        element("circle", cx=x, cy=y, r=6, fill="none", stroke=ALARM, stroke_width=2)
        for x, y in points
    )
    x, y = points[0]
    for px, py in points:
        labels.keep_free(Box(px - 7, py - 7, px + 7, py + 7))
    words = labels.place(
        f"{number}  {mark.label}", (x, y), size=13, away=12, fill=ALARM, font_weight=600
    )
    return between + rings + words


def _levels(shape: Shape, colour: str) -> list[Level | Band]:
    """Return what the profile draws of a declaration."""
    dash = DASHES.get(shape.purpose)
    if isinstance(shape.geometry, Trajectory):
        return [
            Level(
                tuple((w.at_ms, w.altitude_tmm) for w in shape.geometry.waypoints),
                shape.geometry.containment.vertical_tmm,
                shape.geometry.containment.time_ms,
                shape.geometry.reference,
                colour,
                shape.label,
            )
        ]
    return [
        Band(
            volume.span.start_ms,
            volume.span.end_ms,
            volume.band.lower_tmm,
            volume.band.upper_tmm,
            volume.band.reference,
            colour,
            dash,
        )
        for volume in shape.geometry
    ]


def _graticule(project: Projection) -> list[str]:
    """Return meridians and parallels with their degrees at the frame."""
    span_deg = math.degrees(project.box.width / project.pixels_per_m / EARTH_RADIUS_M)
    step = next((s for s in MERIDIANS_APART if span_deg / s <= 7), 30)
    lat0, lon0 = project.centre.lat_deg, project.centre.lon_deg
    tall = span_deg * 0.75 + step
    around = abs(lat0) + tall >= 90.0  # a pole is near: meridians all around it
    wide = min(span_deg / max(math.cos(math.radians(lat0)), 0.05), 250) * 0.75 + step
    wide = 180.0 if around else min(wide, 180.0)
    apart = next((s for s in MERIDIANS_APART if s >= step and 2 * wide / s <= MERIDIANS), 30)
    lats = _steps(max(lat0 - tall, -89.9), min(lat0 + tall, 89.9), step)
    lons = [30.0 * n for n in range(-6, 6)] if around else _steps(lon0 - wide, lon0 + wide, apart)
    room = [_scale_room(project.box)]
    drawn = []
    for lat in lats:
        way = [project(_place(lat, lon0 - wide + 2 * wide * i / 96)) for i in range(97)]
        drawn += _grid_line(
            way, _degrees(lat, "N", "S"), axis=0, box=project.box, room=room, anywhere=around
        )
    low, high = max(lat0 - tall, -90.0), min(lat0 + tall, 90.0)
    if around:  # not into the pole itself, where they would be one
        low, high = max(low, -90.0 + step / 4), min(high, 90.0 - step / 4)
    for lon in lons:
        way = [project(_place(low + (high - low) * i / 48, lon)) for i in range(49)]
        drawn += _grid_line(
            way,
            _degrees((lon + 180) % 360 - 180, "E", "W"),
            axis=1,
            box=project.box,
            room=room,
            anywhere=around,
        )
    if around:
        drawn.append(_pole(project))
    return drawn


def _pole(project: Projection) -> str:
    """Return a cross at the pole, with its name, where it is on the map."""
    south = project.centre.lat_deg < 0
    x, y = project(Position.from_degrees(-90.0 if south else 90.0, 0.0))
    if not project.box.holds((x, y)):
        return ""
    cross = path([(x - 6, y), (x + 6, y)]) + path([(x, y - 6), (x, y + 6)])
    name = "south pole" if south else "north pole"
    return element("path", d=cross, stroke=FAINT, stroke_width=1.2) + text(
        name, (x + 12, y + 24), size=11, fill=FAINT
    )


def _grid_line(
    way: Sequence[Point],
    words: str,
    *,
    axis: int,
    box: Box,
    room: list[Box],
    anywhere: bool = False,
) -> list[str]:
    """Return a line of the grid, named at an edge of the frame; at any, where it runs all ways."""
    line = element("path", d=path(way), fill="none", stroke="#d5d8dc", stroke_width=1)
    edges = [(axis, box.left if axis == 0 else box.bottom)]
    if anywhere:
        edges += [(1, box.top), (0, box.left), (0, box.right)]
    for along, at_edge in edges:
        for a, b in pairwise(way):
            low, high = sorted((a[along], b[along]))
            if not (low <= at_edge <= high and high > low):
                continue
            share = (at_edge - a[along]) / (b[along] - a[along])
            across = a[1 - along] + share * (b[1 - along] - a[1 - along])
            width = width_of(words, 10)
            x, y = (at_edge, across) if along == 0 else (across, at_edge)
            x += -width - 4 if (along, at_edge) == (0, box.right) else 4 if along == 0 else 3
            y += 14 if (along, at_edge) == (1, box.top) else -3 if along == 0 else -5
            taken = Box(x, y - 10, x + width, y + 2)
            inside = box.holds((taken.left, taken.top)) and box.holds((taken.right, y))
            if inside and not any(taken.meets(other) for other in room):
                room.append(taken)
                return [line, text(words, (x, y), size=10, fill=FAINT)]
    return [line]


def _place(lat_deg: float, lon_deg: float) -> Position:
    return Position.from_degrees(min(max(lat_deg, -89.999), 89.999), (lon_deg + 180) % 360 - 180)


def _steps(low: float, high: float, step: float) -> list[float]:
    return [step * n for n in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _degrees(value: float, positive: str, negative: str) -> str:
    minutes = round(abs(value) * 60)
    hemisphere = positive if value >= 0 else negative
    return f"{minutes // 60}°{f'{minutes % 60:02d}′' if minutes % 60 else ''}{hemisphere}"


def _scale_bar(project: Projection) -> list[str]:
    pixels = METRES_PER_NAUTICAL_MILE * project.pixels_per_m
    miles = next((m for m in (500, 200, 100, 50, 20, 10, 5, 2, 1) if m * pixels < 220), 1)
    width = miles * pixels
    scale = _scale_room(project.box)
    left, y = scale.left + 14, scale.bottom - 8
    ends = [(left, y - 5), (left, y), (left + width, y), (left + width, y - 5)]
    words = f"{miles} NM ({miles * 1.852:g} km)"
    return [
        element("path", d=path(ends), fill="none", stroke=INK, stroke_width=1.5),
        text(
            words,
            (left + 4, y - 6),
            size=11,
            paint_order="stroke",
            stroke="#fbfaf7",
            stroke_width=3,
        ),
    ]


def _north(project: Projection) -> list[str]:
    """Return an arrow to the north, where one direction is north all over the map."""
    box = project.box
    corners = [(x, y) for x in (box.left, box.right) for y in (box.top, box.bottom)]
    if any(project.north_deg(corner) > NORTH_IS_UP_DEG for corner in corners):
        return []
    arrow = _north_room(box)
    x, y = arrow.left + 10, arrow.top + 6
    tip = path([(x, y), (x + 5, y + 15), (x - 5, y + 15)], closed=True)
    return [
        element("path", d=tip, fill=INK),
        text("N", (x - 4, y + 29), size=12, font_weight=600),
    ]


def _legend(shapes: Sequence[Shape], colours: dict[str, str]) -> list[str]:
    drawn, x, y = [], MAP.left, MAP.bottom + 26
    for party, colour in colours.items():
        width = width_of(party, 13)
        if x > MAP.left and x + 52 + width > MAP.right:
            x, y = MAP.left, y + 16
        drawn.append(element("rect", x=x, y=y - 10, width=22, height=11, fill=colour))
        drawn.append(text(party, (x + 28, y), size=13))
        x += 52 + width
    for purpose in dict.fromkeys(shape.purpose for shape in shapes):
        if purpose == "FLIGHT":
            way = [(x, y - 4.0), (x + 26, y - 4.0)]
            line = element("path", d=path(way), stroke=INK, stroke_width=2) + _arrow(way, INK)
        else:
            frame = Box(x, y - 10, x + 26, y + 2)
            line = _rect(frame, stroke=INK, stroke_width=1.5, stroke_dasharray=DASHES.get(purpose))
        words = purpose.replace("_", " ").lower()
        drawn += [line, text(words, (x + 32, y), size=13)]
        x += 56 + width_of(words, 13)
    return drawn


def _list(marks: Sequence[Mark], left_out: int) -> list[str]:
    y = HEIGHT + 8
    lines = [f"{number}   {mark.words}" for number, mark in enumerate(marks, 1)]
    if left_out:
        lines.append(f"and {left_out} more")
    return [
        text(line, (MAP.left, y + 22 * row), size=_fitting(line, 13))
        for row, line in enumerate(lines)
    ]


def _colours(shapes: Sequence[Shape]) -> dict[str, str]:
    own = [shape.party for shape in shapes if shape.own]
    peers = sorted({shape.party for shape in shapes if not shape.own} - set(own))
    found = dict.fromkeys(own, OWN)
    found.update((party, PEERS[n % len(PEERS)]) for n, party in enumerate(peers))
    return found


def _clock(at_ms: int) -> str:
    return f"{format_utc(at_ms)[11:16]}Z"


def _rect(box: Box, **attributes: object) -> str:
    attributes.setdefault("fill", "none")
    return element("rect", x=box.left, y=box.top, width=box.width, height=box.height, **attributes)
