"""The picture of a screening: the nearest conflicts on a map, in altitude, as they come near."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from deconflict.airspace import (
    AltitudeBand,
    AltitudeReference,
    Circle,
    Containment,
    Corridor,
    Geometry,
    Polygon,
    Position,
    TimeSpan,
    Trajectory,
    Volume,
    Waypoint,
    merge_repeated,
)
from deconflict.cli.approach import HEIGHT, Approach, draw_approach
from deconflict.cli.meeting import meeting_of
from deconflict.cli.output import feet, metres
from deconflict.cli.screen_explain import headline, if_late
from deconflict.cli.screen_margins import Margins, margins_of
from deconflict.cli.screen_words import utc
from deconflict.cli.written import write_file
from deconflict.errors import InvalidDocumentError, InvalidInputError, MissingExtraError
from deconflict.paper.picture import Mark, Shape, draw
from deconflict.paper.svg import shortened
from deconflict.separation.arrays import CIRCLE, CORRIDOR, SURFACE, UNLIMITED
from deconflict.separation.conflicts import NOT_DEFINED_TMM, Conflicts
from deconflict.separation.flights import Flights
from deconflict.separation.minima import AltitudeConversions
from deconflict.separation.volumes import Volumes
from deconflict.units import TMM_PER_METRE

__all__ = ["check_picture_file", "write_picture"]

DRAWN: Final = 12  # conflicts: as many as the list under the picture tells
MOST_WAYPOINTS: Final = 400  # of one flight; more are not to be seen
REFERENCES: Final = tuple(AltitudeReference)
SCALE: Final = 2  # pixels of a .png for each of the drawing
# What comes with Windows, macOS and Linux; the first that is there draws the words of a .png.
FONTS: Final = (
    *("Arial", "Helvetica", "Liberation Sans", "DejaVu Sans", "Noto Sans", "Nimbus Sans"),
    *("FreeSans", "Open Sans", "Ubuntu", "Cantarell", "Adwaita Sans", "Inter", "Roboto"),
)


def check_picture_file(path: Path) -> None:
    """Pass when a picture can be written under this name; asked before the work, not after.

    Raises:
        InvalidDocumentError: the ending is neither .svg nor .png.
        MissingExtraError: .png without the optional part that draws it, or without a font.
    """
    if path.suffix.lower() == ".png":
        _font(_resvg())
    elif path.suffix.lower() != ".svg":
        raise InvalidDocumentError(
            "the ending says no format that pictures are drawn in",
            given=path.name,
            expected=".svg or .png",
        )


def write_picture(
    found: Conflicts,
    path: Path,
    *,
    files: Sequence[str],
    pair: tuple[str, str] | None,
    conversions: AltitudeConversions,
) -> None:
    """Draw the nearest conflicts with the flights and volumes in them; of a pair, both.

    Raises:
        InvalidDocumentError, MissingExtraError: as `check_picture_file`.
    """
    nearest = found.taken(found.nearest_first()[:DRAWN])
    flights = len(found.flights)
    if pair is not None:
        indices = list(range(flights + len(found.volumes)))
    else:
        both = np.stack([nearest.first, nearest.second], axis=1).ravel().tolist()
        indices = list(dict.fromkeys(both))
    names = found.names(np.array(indices, dtype=np.int64)).tolist()
    in_conflict = {*nearest.first.tolist(), *nearest.second.tolist()}
    shapes = [
        shape
        for index, name in zip(indices, names, strict=True)
        if (shape := _shape(found, index, name, index in in_conflict, alone=pair is not None))
    ]
    shapes.sort(key=lambda shape: isinstance(shape.geometry, Trajectory))  # areas below flights
    approach = _approach(nearest, conversions)
    svg = draw(
        shapes,
        [_mark(nearest, row, conversions) for row in range(len(nearest))],
        title=_title(found, nearest, pair, conversions),
        subtitle=f"{', '.join(files[:3])}{' …' if len(files) > 3 else ''} · only what is in the "
        "files · not for navigation",
        below=None if approach is None else (HEIGHT, lambda top: draw_approach(approach, top)),
    )
    if path.suffix.lower() == ".png":
        resvg = _resvg()
        pixels = resvg.svg_to_bytes(svg_string=svg, zoom=SCALE, sans_serif_family=_font(resvg))
        write_file(path, bytes(pixels))
    else:
        write_file(path, svg.encode())


def _resvg() -> Any:
    try:
        import resvg_py
    except ImportError as error:
        raise MissingExtraError(
            "a .png needs resvg-py, which is not installed",
            expected="a name ending with .svg, which needs nothing, or the optional part 'png'",
            remedy="pip install 'deconflict[png]'",
        ) from error
    return resvg_py


def _font(resvg: Any) -> str:
    """Return a font that is installed here: resvg leaves out, in silence, words it has none for."""
    for family in FONTS:
        word, blank = (
            bytes(
                resvg.svg_to_bytes(
                    svg_string='<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20" '
                    f'font-family="sans-serif"><text y="15">{written}</text></svg>',
                    sans_serif_family=family,
                )
            )
            for written in ("A", "")
        )
        if word != blank:
            return family
    raise MissingExtraError(
        "no font is installed here that a .png could be written with",
        given=f"none of {', '.join(FONTS)}",
        expected="a name ending with .svg, which needs nothing, or one of these fonts",
        remedy="install one, such as the package fonts-dejavu-core",
    )


def _title(
    found: Conflicts,
    nearest: Conflicts,
    pair: tuple[str, str] | None,
    conversions: AltitudeConversions,
) -> str:
    if pair is not None:
        return headline(found, pair, conversions)
    if not len(found):
        among = found.summary.partition(" among ")[2]
        return f"No conflict found among {among}"
    if len(nearest) < len(found):
        return f"The {len(nearest)} nearest of {found.summary}"
    return found.summary


def _mark(found: Conflicts, row: int, conversions: AltitudeConversions) -> Mark:
    columns = found.taken(np.array([row])).columns()
    value: dict[str, Any] = {name: column[0] for name, column in columns.items()}
    tmm = int(found.cpa_vertical_tmm[row])
    vertical = None if tmm == NOT_DEFINED_TMM else tmm / TMM_PER_METRE
    at = utc(found.cpa_time_us[row])
    margins = margins_of(found, int(found.first[row]), int(found.second[row]), conversions)
    margins = replace(margins, names=(shortened(margins.names[0]), shortened(margins.names[1])))
    late = if_late(margins, meeting_of(found, row, conversions))
    added = (
        f", with margins {metres(value['minimum_lateral_m'] + value['margin_lateral_m'])} and "
        f"{feet(value['minimum_vertical_m'] + value['margin_vertical_m'])}"
        if any((*margins.lateral_m, *margins.vertical_tmm, margins.slack_tmm))
        else ""
    )
    return Mark(
        places=tuple(
            Position.from_degrees(value[f"{who}_lat_deg"], value[f"{who}_lon_deg"])
            for who in ("first", "second")
        ),
        at_ms=max(int(found.cpa_time_us[row]) // 1000, 0),
        label=f"{at[11:19]}Z {metres(value['cpa_distance_m'])}",
        words=f"{at[:19]}Z  {' and '.join(margins.names)}{late}: "
        f"{metres(value['cpa_distance_m'])} and "
        f"{_vertical_words(vertical, margins)}, "
        f"minimum {metres(value['minimum_lateral_m'])} and {feet(value['minimum_vertical_m'])}"
        f"{added}",
    )


def _vertical_words(vertical_m: float | None, margins: Margins) -> str:
    if not margins.matter:
        return "no altitude between them"
    if vertical_m is None:
        return "altitudes that do not compare"
    off = f" (give or take {feet(margins.slack_tmm / TMM_PER_METRE)})" if margins.slack_tmm else ""
    return f"{feet(vertical_m)} apart{off}"


def _shape(
    found: Conflicts, index: int, name: str, in_conflict: bool, *, alone: bool
) -> Shape | None:
    """Return one flight or volume to draw; None for what no drawing can show."""
    flights = len(found.flights)
    part: Flights | Volumes = found.flights if index < flights else found.volumes
    row = index if index < flights else index - flights
    try:
        geometry: Geometry = (
            _trajectory(found.flights, row) if index < flights else (_volume(found.volumes, row),)
        )
    except InvalidInputError:  # years before 1970, legs of no time: screened, not to be drawn
        return None
    kind = "flights" if index < flights else "volumes"
    whose = part.party.name(row)
    party = (f"{name}, {whose}" if whose else name) if alone else whose or kind
    return Shape(
        label=name,
        party=party,
        own=index == 0 if alone else party == "flights",
        purpose=part.purpose.name(row) or "FLIGHT",
        geometry=geometry,
        in_conflict=in_conflict,
    )


def _trajectory(flights: Flights, row: int) -> Trajectory:
    start, end = int(flights.offsets[row]), int(flights.offsets[row + 1])
    step = max((end - start) // MOST_WAYPOINTS, 1)
    points = [*range(start, end - 1, step), end - 1]
    return Trajectory(
        REFERENCES[int(flights.reference[row])],
        merge_repeated(
            [
                Waypoint(
                    round(float(flights.time_s[k]) * 1000),
                    Position.from_degrees(float(flights.lat_deg[k]), float(flights.lon_deg[k])),
                    int(flights.altitude_tmm[k]),
                )
                for k in points
            ]
        ),
        Containment(
            round(float(flights.lateral_m[row]) * 1000),
            int(flights.vertical_tmm[row]),
            round(float(flights.window_s[row]) * 1000),
        ),
    )


def _volume(volumes: Volumes, row: int) -> Volume:
    start, end = int(volumes.offsets[row]), int(volumes.offsets[row + 1])
    places = tuple(
        Position.from_degrees(float(volumes.lat_deg[k]), float(volumes.lon_deg[k]))
        for k in range(start, end)
    )
    reach_mm = round(float(volumes.reach_m[row]) * 1000)
    shape = int(volumes.shape[row])
    lower, upper = int(volumes.lower_tmm[row]), int(volumes.upper_tmm[row])
    return Volume(
        Circle(places[0], reach_mm)
        if shape == CIRCLE
        else Corridor(places, reach_mm)
        if shape == CORRIDOR
        else Polygon(places),
        AltitudeBand(
            REFERENCES[int(volumes.reference[row])],
            None if lower == SURFACE else lower,
            None if upper == UNLIMITED else upper,
        ),
        TimeSpan(
            round(float(volumes.start_s[row]) * 1000), round(float(volumes.end_s[row]) * 1000)
        ),
    )


def _approach(nearest: Conflicts, conversions: AltitudeConversions) -> Approach | None:
    """Return the nearest conflict in which something flies, if there is one."""
    flying = np.flatnonzero(nearest.first < len(nearest.flights))
    return (
        Approach(nearest, int(flying[0]), int(flying[0]) + 1, conversions) if len(flying) else None
    )
