"""A flight's planned motion: waypoints with times, and how far from it the flight may be."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from deconflict.airspace.altitude import (
    MAX_ALTITUDE_TMM,
    AltitudeReference,
    check_altitude_tmm,
    feet_and_metres,
)
from deconflict.airspace.instant import MAX_UTC_MS, TimeSpan, check_utc_ms, format_utc
from deconflict.airspace.outline import check_leg, check_reach_mm
from deconflict.airspace.position import Position
from deconflict.errors import InvalidAltitudeError, InvalidGeometryError, InvalidTimeError

__all__ = [
    "MAX_TIME_CONTAINMENT_MS",
    "MAX_WAYPOINTS",
    "Containment",
    "Trajectory",
    "Waypoint",
    "merge_repeated",
    "of_sound_plan",
]

MAX_WAYPOINTS: Final = 10_000
MAX_TIME_CONTAINMENT_MS: Final = 86_400_000  # one day


@dataclass(frozen=True, slots=True)
class Waypoint:
    """Where the flight is at one instant; the altitude is in its trajectory's reference.

    Raises:
        InvalidTimeError: the instant is out of range.
        InvalidAltitudeError: the altitude is out of range.
    """

    at_ms: int
    position: Position
    altitude_tmm: int

    def __post_init__(self) -> None:
        check_utc_ms(self.at_ms, "at_ms")
        check_altitude_tmm(self.altitude_tmm, "altitude_tmm")


@dataclass(frozen=True, slots=True)
class Containment:
    """How far the flight may be from its plan: aside, above or below, and early or late.

    ``time_ms`` moves the whole plan: the flight may be that much early or late, all of it alike.

    Raises:
        InvalidGeometryError: ``lateral_mm`` is not 0 to 5,000 km.
        InvalidAltitudeError: ``vertical_tmm`` is not 0 to 100 km.
        InvalidTimeError: ``time_ms`` is not 0 to one day.
    """

    lateral_mm: int = 0
    vertical_tmm: int = 0
    time_ms: int = 0

    def __post_init__(self) -> None:
        check_reach_mm(self.lateral_mm, "lateral_mm", minimum=0)
        if type(self.vertical_tmm) is not int or not 0 <= self.vertical_tmm <= MAX_ALTITUDE_TMM:
            raise InvalidAltitudeError(
                "the distance above and below is out of range",
                given=feet_and_metres(self.vertical_tmm)
                if type(self.vertical_tmm) is int
                else f"{self.vertical_tmm!r:.40}",
                expected="0 to 100 km, in whole tenths of a millimetre",
            )
        if type(self.time_ms) is not int or not 0 <= self.time_ms <= MAX_TIME_CONTAINMENT_MS:
            raise InvalidTimeError(
                "time_ms of the containment is out of range",
                given=f"{self.time_ms!r:.40}",
                expected="whole milliseconds, 0 to one day",
            )


@dataclass(frozen=True, slots=True)
class Trajectory:
    """A flight along geodesic legs at constant ground speed and constant rate of climb each.

    2 to 10,000 waypoints, times strictly increasing. A leg without length is hovering and allowed.

    Raises:
        InvalidGeometryError: too few or too many waypoints, times that do not increase, a jump
            (one time, two places), a leg of 19,900 km or more.
        InvalidAltitudeError: the reference is unknown.
        InvalidTimeError: with its time containment it would leave the years 1970 to 2199.
    """

    reference: AltitudeReference
    waypoints: tuple[Waypoint, ...]
    containment: Containment = Containment()

    def __post_init__(self) -> None:
        if not isinstance(self.reference, AltitudeReference):
            raise InvalidAltitudeError(
                "unknown altitude reference",
                given=f"{self.reference!r:.40}",
                expected="W84, AMSL, FL or AGL",
            )
        if not 2 <= len(self.waypoints) <= MAX_WAYPOINTS:
            raise InvalidGeometryError(
                "a trajectory has too few or too many waypoints",
                given=f"{len(self.waypoints)} waypoints",
                expected=f"2 to {MAX_WAYPOINTS}",
                remedy="declare one place as a circle with a time span"
                if len(self.waypoints) < 2
                else "split the flight, or leave out waypoints",
            )
        for index, (start, end) in enumerate(pairwise(self.waypoints)):
            if start.at_ms >= end.at_ms:
                raise _not_later(start, end, index)
            check_leg(start.position, end.position, index)
        first_ms, last_ms = self.waypoints[0].at_ms, self.waypoints[-1].at_ms
        window_ms = self.containment.time_ms
        if first_ms < window_ms or last_ms + window_ms > MAX_UTC_MS:
            raise InvalidTimeError(
                "with its time containment the trajectory leaves the years 1970 to 2199",
                given=f"{format_utc(first_ms)} to {format_utc(last_ms)}, ±{window_ms} ms",
                expected="the years 1970 to 2199",
            )

    @property
    def span(self) -> TimeSpan:
        """From the earliest to the latest instant the flight may be up, containment included."""
        window_ms = self.containment.time_ms
        return TimeSpan(self.waypoints[0].at_ms - window_ms, self.waypoints[-1].at_ms + window_ms)


def of_sound_plan(
    reference: AltitudeReference,
    rows: Iterable[tuple[int, int, int, int]],
    containment: Containment,
) -> Trajectory:
    """Return the trajectory that ``Trajectory`` would make of a plan found sound; unchecked.

    For plans that ``_kernel.sound_plan`` gave out: it has looked at every number, and to look again
    at each of a flight costs ten times what making it does.

    Args:
        reference: of the altitudes.
        rows: of each waypoint instant, latitude, longitude and altitude, in their units.
        containment: how far from the plan the flight may be.
    """
    new, put = object.__new__, object.__setattr__  # the way round what frozen values check
    waypoints = []
    for at_ms, lat_e7, lon_e7, altitude_tmm in rows:
        position = new(Position)
        put(position, "lat_e7", lat_e7)
        put(position, "lon_e7", lon_e7)
        waypoint = new(Waypoint)
        put(waypoint, "at_ms", at_ms)
        put(waypoint, "position", position)
        put(waypoint, "altitude_tmm", altitude_tmm)
        waypoints.append(waypoint)
    trajectory = new(Trajectory)
    put(trajectory, "reference", reference)
    put(trajectory, "waypoints", tuple(waypoints))
    put(trajectory, "containment", containment)
    return trajectory


def merge_repeated(waypoints: Sequence[Waypoint]) -> tuple[Waypoint, ...]:
    """Return the waypoints with each repetition (same time, place and altitude) said once.

    Formats repeat a point where two segments join; nothing is lost by dropping it. The same time
    at another place stays, for ``Trajectory`` to refuse as a jump.
    """
    kept: list[Waypoint] = []
    for waypoint in waypoints:
        if kept and waypoint == kept[-1]:
            continue
        kept.append(waypoint)
    return tuple(kept)


def _not_later(start: Waypoint, end: Waypoint, index: int) -> InvalidGeometryError:
    given = f"waypoint {index} at {format_utc(start.at_ms)}, {index + 1} at {format_utc(end.at_ms)}"
    if start.at_ms > end.at_ms:
        return InvalidGeometryError(
            "the waypoints' times run backwards",
            given=given,
            expected="each waypoint later than the one before",
            remedy="put them in order of time",
        )
    if start.position.is_same_place(end.position) and start.altitude_tmm == end.altitude_tmm:
        return InvalidGeometryError(
            "a waypoint is repeated", given=given, expected="each once", remedy="remove one"
        )
    return InvalidGeometryError(
        "the trajectory jumps: two places at one time",
        given=given,
        expected="each waypoint later than the one before",
        remedy="correct the time of one of them",
    )
