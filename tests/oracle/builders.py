"""Short spellings of extents for the separation tests: degrees, seconds, feet, metres."""

from collections.abc import Sequence

from deconflict.airspace import (
    AltitudeBand,
    AltitudeReference,
    Circle,
    Containment,
    Corridor,
    Outline,
    Polygon,
    Position,
    TimeSpan,
    Trajectory,
    Volume,
    Waypoint,
)
from deconflict.separation import (
    AltitudeConversions,
    Extent,
    Finding,
    Minima,
    MinimaTable,
    check,
)
from deconflict.units import TMM_PER_FOOT

T0_MS = 1_443_593_520_000  # 2015-09-30T06:12:00Z
FIVE_NM = 9_260.0
THOUSAND_FEET = 3_048_000
AMSL = AltitudeReference.AMSL

Point = tuple[float, float, float, float]


def place(lat_deg: float, lon_deg: float) -> Position:
    return Position.from_degrees(lat_deg, lon_deg)


def flight(
    key: str,
    points: Sequence[Point],
    *,
    reference: AltitudeReference = AMSL,
    lateral_m: float = 0.0,
    vertical_ft: int = 0,
    window_s: float = 0.0,
) -> Extent:
    """Return a flight through points (seconds, latitude, longitude, feet)."""
    waypoints = tuple(
        Waypoint(T0_MS + round(t * 1000), place(lat, lon), round(feet * TMM_PER_FOOT))
        for t, lat, lon, feet in points
    )
    containment = Containment(
        round(lateral_m * 1000), vertical_ft * TMM_PER_FOOT, round(window_s * 1000)
    )
    return Extent(key, key, "FLIGHT", Trajectory(reference, waypoints, containment))


def volume(
    outline: Outline,
    *,
    feet: tuple[float | None, float | None] = (None, None),
    seconds: tuple[float, float] = (0.0, 3600.0),
    reference: AltitudeReference = AMSL,
) -> Volume:
    lower, upper = (None if f is None else round(f * TMM_PER_FOOT) for f in feet)
    start, end = (T0_MS + round(t * 1000) for t in seconds)
    return Volume(outline, AltitudeBand(reference, lower, upper), TimeSpan(start, end))


def area(key: str, *volumes: Volume) -> Extent:
    return Extent(key, key, "ACTIVITY", volumes)


def circle(lat_deg: float, lon_deg: float, radius_m: float) -> Circle:
    return Circle(place(lat_deg, lon_deg), round(radius_m * 1000))


def polygon(*vertices: tuple[float, float]) -> Polygon:
    return Polygon(tuple(place(*vertex) for vertex in vertices))


def corridor(half_width_m: float, *path: tuple[float, float]) -> Corridor:
    return Corridor(tuple(place(*point) for point in path), round(half_width_m * 1000))


def unusable(key: str) -> Extent:
    """Return an area that fits within no hemisphere: a check refuses it."""
    return area(key, volume(polygon((-80.0, 0.0), (80.0, 0.0), (0.0, 170.0))))


def minima(lateral_m: float = FIVE_NM, vertical_tmm: int = THOUSAND_FEET) -> MinimaTable:
    return MinimaTable(Minima(lateral_m, vertical_tmm))


def screened(
    *extents: Extent,
    lateral_m: float = FIVE_NM,
    vertical_tmm: int = THOUSAND_FEET,
    conversions: AltitudeConversions | None = None,
) -> tuple[Finding, ...]:
    return check(
        extents,
        minima=minima(lateral_m, vertical_tmm),
        conversions=conversions or AltitudeConversions(),
    )
