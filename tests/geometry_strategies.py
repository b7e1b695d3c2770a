"""Hypothesis strategies of every kind of geometry, poles and antimeridian included."""

from hypothesis import strategies as st

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
)
from deconflict.airspace.geodesy import direct

LAST_MS = 7_258_118_399_999

positions = st.builds(
    Position,
    st.integers(-900_000_000, 900_000_000),
    st.one_of(
        st.integers(-1_800_000_000, 1_799_999_999),
        st.integers(-1_800_000_000, -1_799_999_900),
        st.integers(1_799_999_900, 1_799_999_999),
    ),
)
references = st.sampled_from(AltitudeReference)
altitudes = st.one_of(
    st.integers(-100_000_000, 1_000_000_000),
    st.integers(0, 500).map(lambda level: level * 304_800),
    st.integers(-1_000, 60_000).map(lambda feet: feet * 3_048),
)
reaches = st.one_of(
    st.integers(1, 5_000_000_000), st.integers(1, 100).map(lambda miles: miles * 1_852_000)
)
spans = st.tuples(st.integers(0, LAST_MS - 1), st.integers(1, 10**10)).map(
    lambda drawn: TimeSpan(drawn[0], min(LAST_MS, drawn[0] + drawn[1]))
)


@st.composite
def bands(draw: st.DrawFn) -> AltitudeBand:
    lower, upper = sorted((draw(altitudes), draw(altitudes)))
    reference = draw(references)
    low = draw(st.sampled_from([lower, None]))
    high = draw(st.sampled_from([upper, None]))
    if low is None and high is None:
        reference = AltitudeReference.AMSL  # the one spelling that text has for SFC to UNL
    return AltitudeBand(reference, low, high)


@st.composite
def star_rings(
    draw: st.DrawFn, *, reach_m: float = 5_000_000.0, least: int = 3, least_share: float = 0.6
) -> list[Position]:
    """Vertices around a centre in order of azimuth: simple wherever the centre lies."""
    center = draw(positions)
    reach_m = draw(st.floats(10.0, reach_m))
    count = draw(st.integers(least, 12))
    step_deg = 360.0 / count
    start_deg = draw(st.floats(0.0, 360.0))
    shares = draw(st.lists(st.floats(least_share, 1.0), min_size=count, max_size=count))
    return [
        direct(center, start_deg + k * step_deg, reach_m * share) for k, share in enumerate(shares)
    ]


polygons = star_rings().map(lambda ring: Polygon(tuple(ring)))


@st.composite
def paths(draw: st.DrawFn) -> tuple[Position, ...]:
    places = [draw(positions)]
    for _ in range(draw(st.integers(1, 5))):
        azimuth_deg, distance_m = draw(st.floats(0.0, 360.0)), draw(st.floats(1.0, 19_000_000.0))
        places.append(direct(places[-1], azimuth_deg, distance_m))
    return tuple(places)


outlines = st.one_of(
    st.builds(Circle, positions, reaches), polygons, st.builds(Corridor, paths(), reaches)
)
volumes = st.builds(Volume, outlines, bands(), spans)


@st.composite
def trajectories(draw: st.DrawFn) -> Trajectory:
    at_ms = draw(st.integers(86_400_000, 4 * 10**12))
    waypoints = []
    for place in draw(paths()):
        waypoints.append(Waypoint(at_ms, place, draw(altitudes)))
        at_ms += draw(st.integers(1, 10**8))
    containment = Containment(
        draw(st.integers(0, 10**8)), draw(st.integers(0, 10**7)), draw(st.integers(0, 86_400_000))
    )
    return Trajectory(draw(references), tuple(waypoints), containment)


geometries: st.SearchStrategy[Geometry] = st.one_of(
    trajectories(), st.lists(volumes, min_size=1, max_size=3).map(tuple)
)
