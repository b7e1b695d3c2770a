"""A quick picture of a screening for notebooks: a map, and altitude over time.

Drawn from whole columns, so that a million flights take no longer than a few: of the flights in no
conflict a few hundred stand for all. ``deconflict screen --picture`` draws single conflicts.
"""

import math
from collections.abc import Iterator
from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray

from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.instant import format_utc, nearest_utc_ms
from deconflict.separation.arrays import CIRCLE
from deconflict.separation.conflicts import Conflicts
from deconflict.units import TMM_PER_FOOT

__all__ = ["sketch", "sketch_page"]

Floats = NDArray[np.float64]

WIDTH, HEIGHT = 1120, 520
MAP: Final = (20.0, 60.0, 620.0, 490.0)
SIDE: Final = (700.0, 60.0, 1100.0, 470.0)
QUIET, LOUD, SPOTS, AREAS = 300, 200, 1_000, 500
LEAST_STEP = 2.0  # pixels: a waypoint nearer to the one before is not to be seen
NAMES: Final = {
    AltitudeReference.W84: "above the ellipsoid",
    AltitudeReference.AMSL: "above mean sea level",
    AltitudeReference.FL: "pressure altitude",
    AltitudeReference.AGL: "above ground",
}
GREY, BLUE, RED, INK, FAINT = "#c9ced6", "#1f5fa8", "#c4122f", "#222831", "#6b7280"
GRID = "#eceef1"
METRES_PER_DEGREE: Final = 111_195.0  # of a great circle, mean sphere: for drawing only
LISTED: Final = 10
CHARACTER_WIDTH: Final = 0.58  # of the font size: a wide guess for sans-serif
LOW_FT: Final = 5_000.0  # lower than this is near the ground, and the ground is then drawn


def sketch(found: Conflicts) -> str:
    """Return the picture as SVG text."""
    rows = found.nearest_first()[:SPOTS]
    shown = found.taken(rows)
    loud = _flights_in(found, rows, LOUD)
    calm = np.flatnonzero(~_involved(found))
    quiet = calm[np.linspace(0, max(len(calm) - 1, 0), num=min(QUIET, len(calm))).astype(np.int64)]
    areas = np.arange(min(len(found.volumes), AREAS))
    to_map = _Map(found, np.concatenate([loud, quiet]), areas)
    parts = [
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        _text(found.summary, 20, 22, 17, INK, "600"),
        # Over the whole width, so above what stands over the altitudes.
        _fitted(_subtitle(found, len(rows), len(loud), len(quiet)), 20, 38),
        _frame(MAP),
        '<clipPath id="m">' + _frame(MAP) + '</clipPath><g clip-path="url(#m)">',
        *to_map.grid(),
        _ways(to_map, quiet, GREY, 0.7),
        "".join(_area(to_map, int(area)) for area in areas),
        _ways(to_map, loud, BLUE, 1.1),
        *(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{RED}" fill-opacity="0.8"/>'
            for x, y in zip(*to_map(shown.first_lat_deg, shown.first_lon_deg), strict=True)
        ),
        "</g>",
        to_map.scale_bar(),
        *_side(found, shown, loud),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="system-ui, Segoe UI, Helvetica, Arial, sans-serif" role="img">'
        f"<title>{escape(found.summary)}</title>" + "\n".join(parts) + "</svg>"
    )


def sketch_page(found: Conflicts) -> str:
    """Return the picture with the nearest conflicts as a table, as HTML."""
    shown = found.taken(found.nearest_first()[:LISTED])
    columns = shown.columns()
    head = ("first", "second", "verdict", "cpa_time", "cpa_distance_m", "cpa_vertical_m")
    cells = "".join(
        "<tr>" + "".join(f"<td>{escape(_said(columns[name][row]))}</td>" for name in head) + "</tr>"
        for row in range(len(shown))
    )
    table = (
        f"<table><thead><tr>{''.join(f'<th>{name}</th>' for name in head)}</tr></thead>"
        f"<tbody>{cells}</tbody></table>"
        if len(shown)
        else ""
    )
    return f"<div>{sketch(found)}{table}</div>"


def _said(value: object) -> str:
    return f"{value:,.1f}" if isinstance(value, float) else str(value)


def _subtitle(found: Conflicts, spots: int, loud: int, quiet: int) -> str:
    """Return how much of it all is drawn: a share must not pass for the whole."""
    involved = int(np.count_nonzero(_involved(found)))
    said = [
        _share(spots, len(found), "conflict", "red"),
        _share(loud, involved, "flight in conflict", "blue"),
        _share(quiet, len(found.flights) - involved, "flight in none", "grey"),
        _share(min(len(found.volumes), AREAS), len(found.volumes), "volume", "outlined"),
    ]
    return " · ".join([*filter(None, said), "not for navigation"])


def _fitted(words: str, x: float, y: float) -> str:
    """Return words that end before the edge of the picture."""
    size = int((WIDTH - 2 * x) / (len(words) * CHARACTER_WIDTH))
    return _text(words, x, y, max(min(12, size), 8), FAINT)


def _involved(found: Conflicts) -> NDArray[np.bool_]:
    """Return of each flight whether it is in a conflict."""
    involved = np.zeros(len(found.flights) + len(found.volumes), dtype=np.bool_)
    involved[found.first] = involved[found.second] = True
    return involved[: len(found.flights)]


def _share(drawn: int, of: int, what: str, how: str) -> str:
    if not of:
        return ""
    one, _, rest = what.partition(" in ")
    noun = f"{one}{'s' if of != 1 else ''}{f' in {rest}' if rest else ''}"
    return f"{of:,} {noun} ({how})" if drawn == of else f"{drawn:,} of {of:,} {noun} drawn ({how})"


def _flights_in(found: Conflicts, rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    both = np.stack([found.first[rows], found.second[rows]], axis=1).ravel()
    _, at = np.unique(both, return_index=True)
    in_order = both[np.sort(at)]
    return in_order[in_order < len(found.flights)][:most]


class _Map:
    """Degrees to pixels, east-west shortened for the middle latitude, cut nowhere near ±180."""

    def __init__(
        self, found: Conflicts, flights: NDArray[np.int64], areas: NDArray[np.int64]
    ) -> None:
        self.found = found
        ways = [self._way(int(flight)) for flight in flights]
        places = [self._places(int(area)) for area in areas]
        lat = np.concatenate([w[0] for w in (*ways, *places)] or [np.zeros(1)])
        lon = np.concatenate([w[1] for w in (*ways, *places)] or [np.zeros(1)])
        around = np.radians(lon)
        self.lon0 = math.degrees(math.atan2(float(np.sin(around).mean()), np.cos(around).mean()))
        self.lat0 = float((lat.min() + lat.max()) / 2)
        self.shrink = max(math.cos(math.radians(self.lat0)), 0.05)
        east = self._east(lon)
        left, top, right, bottom = MAP
        wide = max(float(east.max() - east.min()), 0.02)
        tall = max(float(lat.max() - lat.min()), 0.02)
        self.scale = 0.92 * min((right - left) / wide, (bottom - top) / tall)
        self.middle = float((east.min() + east.max()) / 2)

    def __call__(self, lat: Floats, lon: Floats) -> tuple[list[float], list[float]]:
        left, top, right, bottom = MAP
        x = (left + right) / 2 + (self._east(lon) - self.middle) * self.scale
        y = (top + bottom) / 2 - (lat - self.lat0) * self.scale
        return x.tolist(), y.tolist()

    def way(self, flight: int) -> str:
        """Return the path of a flight, broken where it crosses to the other edge of the map."""
        x, y = self(*self._way(flight))
        wide = 180 * self.shrink * self.scale
        steps, last = [f"M{x[0]:.0f} {y[0]:.0f}"], (x[0], y[0])
        for k in range(1, len(x)):
            if abs(x[k] - x[k - 1]) > wide:
                steps.append("M")
            elif k + 1 < len(x) and math.dist((x[k], y[k]), last) < LEAST_STEP:
                continue
            else:
                steps.append("L")
            steps.append(f"{x[k]:.0f} {y[k]:.0f}")
            last = (x[k], y[k])
        return "".join(steps)

    def grid(self) -> Iterator[str]:
        """Yield meridians and parallels, with their degrees at the frame."""
        left, top, right, bottom = MAP
        wide, tall = (right - left) / self.scale / self.shrink, (bottom - top) / self.scale
        steps = (1 / 60, 1 / 12, 0.25, 0.5, 1, 2, 5, 10, 30)
        across, up = (
            next((step for step in steps if span / step <= 6), 60) for span in (wide, tall)
        )
        lon0 = self.lon0 + self.middle / self.shrink
        for n in range(math.ceil((lon0 - wide / 2) / across), int((lon0 + wide / 2) // across) + 1):
            x = (left + right) / 2 + (n * across - lon0) * self.shrink * self.scale
            yield f'<path d="M{x:.1f} {top}V{bottom}" stroke="{GRID}"/>'
            yield _text(_degrees((n * across + 180) % 360 - 180, "EW"), x + 3, top + 12, 10, FAINT)
        for n in range(
            math.ceil((self.lat0 - tall / 2) / up), int((self.lat0 + tall / 2) // up) + 1
        ):
            if abs(n * up) <= 90:
                y = (top + bottom) / 2 - (n * up - self.lat0) * self.scale
                yield f'<path d="M{left} {y:.1f}H{right}" stroke="{GRID}"/>'
                yield _text(_degrees(n * up, "NS"), left + 4, y - 3, 10, FAINT)

    def area(self, volume: int) -> str:
        """Return the outline of a volume."""
        lat, lon = self._places(volume)
        volumes = self.found.volumes
        if volumes.shape[volume] == CIRCLE:
            turn = np.linspace(0, 2 * np.pi, 49)
            reach = float(volumes.reach_m[volume]) / METRES_PER_DEGREE
            shrink = max(math.cos(math.radians(float(lat[0]))), 0.05)
            lat, lon = lat[0] + reach * np.sin(turn), lon[0] + reach * np.cos(turn) / shrink
        x, y = self(lat, lon)
        points = "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True))
        return f"M{points}" + ("Z" if volumes.shape[volume] != 1 else "")

    def scale_bar(self) -> str:
        """Return a bar of a round number of nautical miles."""
        pixels_per_mile = self.scale * 1_852 / METRES_PER_DEGREE
        miles = next(
            (m for m in (1000, 500, 200, 100, 50, 20, 10, 5, 2, 1) if m * pixels_per_mile < 160), 1
        )
        left, bottom = MAP[0] + 12, MAP[3] - 12
        right = left + miles * pixels_per_mile
        return (
            f'<path d="M{left} {bottom - 5}V{bottom}H{right:.1f}V{bottom - 5}" fill="none" '
            f'stroke="{INK}" stroke-width="1.3"/>' + _text(f"{miles} NM", left + 4, bottom - 7, 11)
        )

    def _way(self, flight: int) -> tuple[Floats, Floats]:
        flights = self.found.flights
        part = slice(int(flights.offsets[flight]), int(flights.offsets[flight + 1]))
        return flights.lat_deg[part], flights.lon_deg[part]

    def _places(self, volume: int) -> tuple[Floats, Floats]:
        volumes = self.found.volumes
        part = slice(int(volumes.offsets[volume]), int(volumes.offsets[volume + 1]))
        return volumes.lat_deg[part], volumes.lon_deg[part]

    def _east(self, lon: Floats) -> Floats:
        return np.asarray((lon - self.lon0 + 180.0) % 360.0 - 180.0) * self.shrink


def _ways(to_map: _Map, flights: NDArray[np.int64], colour: str, width: float) -> str:
    paths = "".join(to_map.way(int(flight)) for flight in flights)
    return f'<path d="{paths}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def _area(to_map: _Map, volume: int) -> str:
    is_line = to_map.found.volumes.shape[volume] == 1
    fill = "none" if is_line else BLUE
    return (
        f'<path d="{to_map.area(volume)}" fill="{fill}" fill-opacity="0.08" stroke="{BLUE}" '
        f'stroke-width="{4 if is_line else 1.2}" stroke-opacity="{0.3 if is_line else 1}"/>'
    )


def _side(found: Conflicts, shown: Conflicts, loud: NDArray[np.int64]) -> Iterator[str]:
    """Yield altitude over time: flights in conflict, and where in it they are nearest."""
    left, top, right, bottom = SIDE
    yield _frame(SIDE)
    flights = found.flights
    if not len(loud):
        yield _text("Altitude and time (UTC)", left, top - 7, 12, FAINT)
        yield _text("no flight is in a conflict", left + 12, top + 24, 12, FAINT)
        return
    # What does not compare has no place on one axis: the reference that most have.
    main = int(np.bincount(flights.reference[loud]).argmax())
    others = int(np.count_nonzero(flights.reference[loud] != main))
    loud = loud[flights.reference[loud] == main]
    heading = f"Altitude and time (UTC), {NAMES[tuple(AltitudeReference)[main]]}"
    left_out = f"; {others:,} measured otherwise not drawn here" if others else ""
    yield _text(heading + left_out, left, top - 7, 12, FAINT)
    parts = [slice(int(flights.offsets[f]), int(flights.offsets[f + 1])) for f in loud]
    times = np.concatenate([flights.time_s[part] for part in parts])
    heights = np.concatenate([flights.altitude_tmm[part] for part in parts]) / TMM_PER_FOOT
    t0, t1 = float(times.min()), float(times.max())
    h0, h1 = _heights(float(heights.min()), float(heights.max()))

    def x(time_s: Floats) -> Floats:
        return left + (time_s - t0) / max(t1 - t0, 1.0) * (right - left)

    def y(feet: Floats) -> Floats:
        return bottom - (feet - h0) / (h1 - h0) * (bottom - top)

    step = next((s for s in (50, 100, 200, 500, 1_000, 2_000, 5_000) if (h1 - h0) / s <= 9), 10_000)
    for n in range(math.ceil(h0 / step), math.floor(h1 / step) + 1):
        at = float(y(np.array(n * step, dtype=np.float64)))
        yield f'<path d="M{left} {at:.1f}H{right}" stroke="#e5e7eb"/>'
        yield _text(f"{n * step:,} ft", left - 6, at + 4, 11, FAINT, anchor="end")
    for share in (0.0, 0.5, 1.0):
        stamp = format_utc(nearest_utc_ms(round((t0 + share * (t1 - t0)) * 1000)))
        anchor = ("start", "middle", "end")[round(2 * share)]
        words = f"{stamp[:10]} {stamp[11:16]}Z" if share != 0.5 else f"{stamp[11:16]}Z"
        yield _text(words, left + share * (right - left), bottom + 17, 11, FAINT, anchor=anchor)
    paths = "".join(
        _thinned(x(flights.time_s[part]), y(flights.altitude_tmm[part] / TMM_PER_FOOT))
        for part in parts
    )
    yield f'<path d="{paths}" fill="none" stroke="{BLUE}" stroke-width="0.9" opacity="0.6"/>'
    known = set(loud.tolist())
    for row in range(len(shown)):
        flight = int(shown.first[row])
        if flight in known:
            part = slice(int(flights.offsets[flight]), int(flights.offsets[flight + 1]))
            at_s = np.array(shown.cpa_time_us[row] / 1e6)
            feet = np.interp(at_s, flights.time_s[part], flights.altitude_tmm[part] / TMM_PER_FOOT)
            yield (
                f'<circle cx="{float(x(at_s)):.1f}" cy="{float(y(np.asarray(feet))):.1f}" r="3" '
                f'fill="{RED}" fill-opacity="0.8"/>'
            )


def _heights(lowest: float, highest: float) -> tuple[float, float]:
    """Return where the axis of altitudes begins and ends, feet.

    At 0, or lower where something is; near the lowest where nothing comes near the ground: cruise
    traffic has all of the height.

    >>> _heights(29_300.0, 41_000.0), _heights(800.0, 41_000.0)
    ((28000.0, 42000.0), (0.0, 44280.0))
    """
    if lowest <= LOW_FT:
        return min(0.0, lowest), max(highest * 1.08, 100.0)
    return (math.ceil(lowest / 1_000) - 2) * 1_000.0, (math.floor(highest / 1_000) + 1) * 1_000.0


def _thinned(x: Floats, y: Floats) -> str:
    """Return a line through points, without those that bend it by less than half a pixel."""
    kept = [0]
    for k in range(1, len(x) - 1):
        a, b = kept[-1], k + 1
        share = (x[k] - x[a]) / (x[b] - x[a]) if x[b] > x[a] else 0.0
        if abs(y[a] + (y[b] - y[a]) * share - y[k]) > 0.5:
            kept.append(k)
    kept.append(len(x) - 1)
    return "M" + "L".join(f"{x[k]:.1f} {y[k]:.0f}" for k in kept)


def _degrees(value: float, sides: str) -> str:
    minutes = round(abs(value) * 60)
    rest = f"{minutes % 60:02d}′" if minutes % 60 else ""
    return f"{minutes // 60}°{rest}{sides[value < 0]}"


def _frame(box: tuple[float, float, float, float]) -> str:
    left, top, right, bottom = box
    return (
        f'<rect x="{left}" y="{top}" width="{right - left}" height="{bottom - top}" '
        f'fill="none" stroke="{FAINT}"/>'
    )


def _text(
    words: str,
    x: float,
    y: float,
    size: int,
    colour: str = INK,
    weight: str = "400",
    anchor: str = "start",
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" '
        f'font-weight="{weight}" text-anchor="{anchor}">{escape(words)}</text>'
    )
