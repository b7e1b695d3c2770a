"""Hypothesis strategies for flights and volumes that lie near one another, anywhere on Earth."""

from hypothesis import assume
from hypothesis import strategies as st

from deconflict.errors import InvalidGeometryError
from deconflict.separation import Extent
from oracle.builders import area, circle, corridor, flight, polygon, volume
from oracle.twin import GEOD

__all__ = ["centres", "flights_near", "volumes_near"]

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
