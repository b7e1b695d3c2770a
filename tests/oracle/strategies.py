"""Hypothesis strategies for flights and volumes that lie near one another, anywhere on Earth."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import assume
from hypothesis import strategies as st

from deconflict.airspace import AltitudeReference, Containment, Geometry, Trajectory
from deconflict.errors import InvalidGeometryError
from deconflict.separation import Extent
from oracle.builders import area, circle, corridor, flight, polygon, volume
from oracle.twin import GEOD

__all__ = ["centres", "extents_near", "flights_near", "moved", "volumes_near"]

DAY_MS = 86_400_000
references = st.sampled_from(AltitudeReference)

centres = st.tuples(
    st.one_of(st.floats(-89.9, 89.9), st.sampled_from([89.99, -89.99, 0.0, 48.0])),
    st.one_of(st.floats(-180.0, 179.9), st.sampled_from([179.99, -179.99, 0.0])),
)


def moved(centre: tuple[float, float], azimuth: float, metres: float) -> tuple[float, float]:
    lon, lat, _ = GEOD.fwd(centre[1], centre[0], azimuth, metres)
    return lat, lon


@st.composite
def flights_near(draw: st.DrawFn, centre: tuple[float, float], size: float, key: str) -> Extent:
    t, points = 0.0, []
    for _ in range(draw(st.integers(2, 5))):
        spot = moved(centre, draw(st.floats(0, 360)), draw(st.floats(0, size)))
        points.append((round(t, 3), *spot, draw(st.integers(0, 40)) * 100.0))
        t += draw(st.floats(1.0, 1_800.0))
    return flight(key, points)


@st.composite
def outlines_near(draw: st.DrawFn, centre: tuple[float, float], size: float):
    middle = moved(centre, draw(st.floats(0, 360)), draw(st.floats(0, size)))
    kind = draw(st.sampled_from(["circle", "corridor", "polygon"]))
    if kind == "circle":
        return circle(*middle, draw(st.floats(1.0, size)))
    if kind == "corridor":
        path = [
            moved(middle, draw(st.floats(0, 360)), draw(st.floats(1.0, size))) for _ in range(3)
        ]
        return corridor(draw(st.floats(1.0, size / 2)), *path)
    corners = draw(st.integers(3, 7))
    ring = [
        moved(
            middle, (k + draw(st.floats(0.0, 0.8))) * 360 / corners, draw(st.floats(0.2, 1)) * size
        )
        for k in range(corners)
    ]
    return polygon(*ring)


@st.composite
def volumes_near(draw: st.DrawFn, centre: tuple[float, float], size: float, key: str) -> Extent:
    try:
        outline = draw(outlines_near(centre, size))
    except InvalidGeometryError:
        assume(False)
    floor = draw(st.one_of(st.none(), st.integers(0, 40)))
    ceiling = draw(st.one_of(st.none(), st.integers(floor or 0, 45)))
    start = draw(st.floats(0, 1_800))
    return area(
        key,
        volume(
            outline,
            feet=(
                None if floor is None else floor * 100,
                None if ceiling is None else ceiling * 100,
            ),
            seconds=(start, start + draw(st.floats(1.0, 1_800))),
        ),
    )


@st.composite
def extents_near(
    draw: st.DrawFn,
    centre: tuple[float, float],
    size: float,
    key: str,
    *,
    purposes: Sequence[str],
    days: Sequence[int] = (0,),
) -> Extent:
    """A flight with windows, or some volumes: of any purpose, reference and day."""
    geometry: Geometry
    if draw(st.booleans()):
        made = draw(flights_near(centre, size, key)).geometry
        held = Containment(
            draw(st.integers(0, 5_000_000)),
            draw(st.integers(0, 1_000_000)),
            draw(st.sampled_from([0, 1, 90_000])),
        )
        geometry = replace(made, reference=draw(references), containment=held)
    else:
        parts = draw(st.lists(volumes_near(centre, size, key), min_size=1, max_size=3))
        if draw(st.booleans()):
            parts.append(parts[0])  # alike in everything: which of the two is told?
        geometry = tuple(
            replace(one, band=replace(one.band, reference=draw(references)))
            for part in parts
            for one in part.geometry
        )
    shifted = later(geometry, draw(st.sampled_from(days)) * DAY_MS)
    return Extent(key, key.partition("/")[0], draw(st.sampled_from(purposes)), shifted)


def later(geometry: Geometry, by_ms: int) -> Geometry:
    if isinstance(geometry, Trajectory):
        moved = tuple(replace(w, at_ms=w.at_ms + by_ms) for w in geometry.waypoints)
        return replace(geometry, waypoints=moved)
    spans = [(v.span.start_ms + by_ms, v.span.end_ms + by_ms) for v in geometry]
    return tuple(
        replace(v, span=replace(v.span, start_ms=start, end_ms=end))
        for v, (start, end) in zip(geometry, spans, strict=True)
    )
