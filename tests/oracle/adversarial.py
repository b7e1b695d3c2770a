"""Sets of flights that index, filter, float and quadratic get wrong first. Same seed, same flights.

Each is a plain `bench.workloads.Flights`, so that the kernel, `all_pairs`, PostGIS and whatever
else can be asked about the very same numbers. Times are whole milliseconds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from bench.bench_screen import TMM_PER_FOOT, tables_of
from bench.flown import WGS84
from bench.workloads import WORKLOADS, Flights
from numpy.typing import NDArray

from deconflict import _kernel

__all__ = ["SETS", "AdversarialSet", "crowd", "flights_through", "screened_at"]

Waypoint = tuple[float, float, float, float]  # seconds, latitude, longitude, feet

FIVE_NM: Final = 9_260.0
FAR_S: Final = 3_600.0


@dataclass(frozen=True)
class AdversarialSet:
    """Flights, the minima they are meant for, and how many stretches are lost at least.

    ``open_pairs`` is how many pairs float64 cannot tell from the minimum.
    """

    made: Flights
    lateral_m: float = FIVE_NM
    vertical_ft: int = 1_000
    losses: int = 1
    open_pairs: int = 0

    @property
    def vertical_tmm(self) -> int:
        return self.vertical_ft * TMM_PER_FOOT


def screened_at(made: Flights, lateral_m: float, vertical_tmm: int) -> dict[str, NDArray[Any]]:
    """Return the kernel's findings at these minima."""
    trajectories, volumes, minima, references = tables_of(made, WORKLOADS["r1k"])
    minima = {
        "lateral_m": np.array([lateral_m]),
        "vertical_tmm": np.array([vertical_tmm], np.int64),
    }
    return _kernel.screen(trajectories, volumes, minima, references)


def flights_through(waypoints: Sequence[Sequence[Waypoint]]) -> Flights:
    """Return flights through these waypoints, times rounded to whole milliseconds."""
    rows = np.array([point for flight in waypoints for point in flight], dtype=np.float64)
    offsets = np.concatenate(([0], np.cumsum([len(flight) for flight in waypoints])))
    time_s, lat, lon, feet = rows.T
    return Flights(
        offsets.astype(np.int64), np.round(time_s * 1e3) / 1e3, lat.copy(), lon.copy(), feet.copy()
    )


def moved(lat: float, lon: float, azimuth_deg: float, metres: float) -> tuple[float, float]:
    """Return the point this far along a geodesic."""
    lon, lat, _ = WGS84.fwd(lon, lat, azimuth_deg, metres)
    return lat, lon


def straight(
    at: tuple[float, float],
    azimuth_deg: float,
    speed_mps: float,
    *,
    feet: tuple[float, float] = (30_000.0, 30_000.0),
    start_s: float = 0.0,
    lasts_s: float = 1_800.0,
    legs: int = 3,
) -> list[Waypoint]:
    """Return a flight along one geodesic that is over ``at`` halfway through its time."""
    share = np.linspace(0.0, 1.0, legs + 1)
    along = (share - 0.5) * speed_mps * lasts_s
    points = [moved(*at, azimuth_deg, float(metres)) for metres in along]
    climb = feet[1] - feet[0]
    return [
        (start_s + s * lasts_s, *point, feet[0] + climb * s)
        for s, point in zip(share.tolist(), points, strict=True)
    ]


def co_speed() -> AdversarialSet:
    """Identical velocity, side by side and in trail: 0.6 NM apart, and on both sides of 5 NM."""
    flights = []
    for lat in (-60.0, 0.0, 35.0, 60.0):
        for apart in (0.0, 1_111.2, 9_200.0, 9_259.0, 9_261.0, 9_400.0):
            beside = moved(lat, 10.0 + apart / 1e3, 90.0, apart)
            flights += [
                straight((lat, 10.0 + apart / 1e3), 0.0, 220.0),
                straight(beside, 0.0, 220.0),
                straight((lat, 40.0 + apart / 1e3), 0.0, 220.0),
                straight(moved(lat, 40.0 + apart / 1e3, 0.0, apart), 0.0, 220.0),
            ]
    return AdversarialSet(flights_through(flights), losses=24)


def parallel() -> AdversarialSet:
    """Overtaking on one track or beside it, velocities parallel or nearly so."""
    rng = np.random.default_rng(7)
    flights = []
    for group in range(12):
        at = (float(rng.uniform(-70, 70)), float(group * 20 - 110))
        course = float(rng.uniform(0, 360))
        for k in range(5):
            beside = moved(*at, course + 90.0, k * 4_500.0)
            turn = float(rng.choice([0.0, 1e-7, 1e-4]))
            flights.append(straight(beside, course + turn, 200.0 + 5.0 * k, lasts_s=5_400.0))
    return AdversarialSet(flights_through(flights), losses=12)


def hovering() -> AdversarialSet:
    """Nobody moves, or one does: zero-length legs, at distances to a millimetre of D."""
    flights = []
    for lat in (-89.0, -45.0, 0.0, 52.0):
        for k, off in enumerate((-9_260.0, -1.0, -1e-2, -1e-3, 1e-3, 1e-2, 1.0)):
            here = (lat, 20.0 * k - 60.0)
            there = moved(*here, 37.0, FIVE_NM + off)
            flights.append([(0.0, *here, 100.0), (300.0, *here, 100.0), (600.0, *here, 100.0)])
            flights.append([(100.0, *there, 100.0), (500.0, *there, 100.0)])
    here = (10.0, 150.0)
    flights.append([(0.0, *here, 100.0), (600.0, *here, 100.0), (900.0, *here, 5_000.0)])
    flights.append(straight(here, 45.0, 100.0, feet=(0.0, 4_000.0), lasts_s=1_200.0))
    return AdversarialSet(flights_through(flights), losses=17)


def relays() -> AdversarialSet:
    """One starts where and when another ends: they share an instant, a millisecond, or a gap."""
    flights = []
    for k, early in enumerate((-1.0, -0.001, 0.0, 0.001, 0.002, 1.0)):
        at = (45.0, 10.0 * k)
        flights.append([(0.0, *at, 9_000.0), (600.0, *moved(*at, 80.0, 90_000.0), 9_000.0)])
        flights.append(
            [
                (600.0 - early, *moved(*at, 80.0, 90_000.0), 9_000.0),
                (1_200.0, *moved(*at, 80.0, 180_000.0), 9_000.0),
            ]
        )
    return AdversarialSet(flights_through(flights), losses=3)


def at_height() -> AdversarialSet:
    """Exactly 1,000 ft apart, a tenth of a millimetre less, touching it, crossing it."""
    tmm = 1 / TMM_PER_FOOT
    pairs = [
        ((30_000.0, 30_000.0), (31_000.0, 31_000.0)),
        ((30_000.0, 30_000.0), (31_000.0 - tmm, 31_000.0 - tmm)),
        ((30_000.0, 30_000.0), (29_000.0, 29_000.0)),
        ((10_000.0, 30_000.0), (11_000.0, 31_000.0)),
        ((10_000.0, 30_000.0), (11_000.0 - tmm, 31_000.0 - tmm)),
        ((30_000.0, 30_000.0), (31_000.0, 33_000.0)),
        ((30_000.0, 30_000.0), (31_000.0, 28_000.0)),
        ((30_000.0, 30_000.0), (34_000.0, 31_000.0)),
        ((30_000.0, 30_000.0), (34_000.0, 31_000.0 - tmm)),
        ((0.0, 40_000.0), (40_000.0, 0.0)),
    ]
    flights = []
    for k, (one, two) in enumerate(pairs):
        at = (20.0, 30.0 * k - 150.0)
        flights += [straight(at, 10.0, 200.0, feet=one), straight(at, 10.0, 200.0, feet=two)]
    return AdversarialSet(flights_through(flights), losses=4, open_pairs=1)


def antimeridian() -> AdversarialSet:
    """Across ±180°, along it, and with longitudes said on either side of it."""
    rng = np.random.default_rng(11)
    flights = []
    for _ in range(60):
        at = (float(rng.uniform(-2, 2)), 180.0 + float(rng.uniform(-2, 2)))
        flights.append(straight(at, float(rng.uniform(0, 360)), 230.0, legs=6))
    flights += [straight((0.0, 180.0), 0.0, 200.0), straight((0.0, -180.0), 180.0, 200.0)]
    return AdversarialSet(flights_through(flights), losses=50)


def pole(north: bool) -> AdversarialSet:
    """Over a pole, exactly and nearly, from all sides."""
    rng = np.random.default_rng(13)
    sign = 1.0 if north else -1.0
    flights = []
    for k in range(40):
        lat = 90.0 - (float(rng.uniform(0, 0.5)) if k % 4 else 0.0)
        at = (sign * lat, float(rng.uniform(-180, 180)))
        flights.append(straight(at, float(rng.uniform(0, 360)), 230.0, legs=5))
    stands = (sign * 90.0, 0.0)
    flights.append([(0.0, *stands, 30_000.0), (1_800.0, sign * 90.0, 120.0, 30_000.0)])
    return AdversarialSet(flights_through(flights), losses=200)


def short_legs() -> AdversarialSet:
    """Legs of a second, many of a few metres, jittering about crossing tracks; 50 m and 50 ft."""
    rng = np.random.default_rng(17)
    flights = []
    for _ in range(40):
        lat, lon = moved(51.0, 7.0, float(rng.uniform(0, 360)), float(rng.uniform(0, 800)))
        course, start_s = rng.uniform(0, 360), float(rng.integers(0, 60))
        flight = []
        for k in range(240):
            flight.append((start_s + k, lat, lon, float(100 + rng.integers(0, 3) * 25)))
            lat, lon = moved(lat, lon, course + rng.normal(0, 40), float(rng.uniform(0, 20)))
        flights.append(flight)
    return AdversarialSet(flights_through(flights), 50.0, 50, losses=10)


def long_legs() -> AdversarialSet:
    """Single legs of up to 20 hours and 19,000 km among legs of minutes."""
    rng = np.random.default_rng(19)
    flights = []
    for _ in range(10):
        at = (float(rng.uniform(-60, 60)), float(rng.uniform(-180, 180)))
        flights.append(straight(at, float(rng.uniform(0, 360)), 260.0, lasts_s=72_000.0, legs=1))
    # Others meet them on the way, anywhere along.
    for k in range(60):
        flight = flights[k % 10]
        (t0, lat0, lon0, _), (t1, lat1, lon1, _) = flight
        azimuth, _, length = WGS84.inv(lon0, lat0, lon1, lat1)
        share = float(rng.uniform(0.05, 0.95))
        at = moved(lat0, lon0, azimuth, share * length)
        at = moved(*at, float(rng.uniform(0, 360)), float(rng.uniform(0, 2 * FIVE_NM)))
        start_s = t0 + share * (t1 - t0) - 900.0
        flights.append(straight(at, float(rng.uniform(0, 360)), 200.0, start_s=start_s))
    return AdversarialSet(flights_through(flights), losses=20)


def near_tangent() -> AdversarialSet:
    """Passing at 5 NM less or more than a few centimetres, at every angle."""
    rng = np.random.default_rng(23)
    flights = []
    for k in range(120):
        at = (float(rng.uniform(-75, 75)), 3.0 * k - 178.0)
        course = float(rng.uniform(0, 360))
        # Both are nearest at the middle when the line between them is square to both motions'
        # difference: fly one against the other, or let one hover.
        passing = FIVE_NM + float(rng.choice([-0.5, -0.05, -0.005, 0.005, 0.05, 0.5]))
        beside = moved(*at, course + 90.0, passing)
        flights.append(straight(at, course, 220.0, legs=1 + k % 3))
        if k % 2:
            flights.append([(0.0, *beside, 30_000.0), (1_800.0, *beside, 30_000.0)])
        else:
            back, _, _ = WGS84.inv(beside[1], beside[0], at[1], at[0])
            flights.append(straight(beside, back + 90.0, 240.0, legs=1 + k % 2))
    return AdversarialSet(flights_through(flights), losses=40)


def crowd(count: int = 2_000) -> AdversarialSet:
    """Many drones within three kilometres and a minute: one cell of any index holds them all."""
    rng = np.random.default_rng(29)
    flights = []
    for _ in range(count):
        at = moved(48.0, 9.0, float(rng.uniform(0, 360)), 1_500.0 * float(np.sqrt(rng.random())))
        feet = float(rng.integers(4, 200) * 25)
        flights.append(
            straight(
                at,
                float(rng.uniform(0, 360)),
                float(rng.uniform(0, 20)),
                feet=(feet, feet + float(rng.integers(0, 2) * 50)),
                start_s=float(rng.integers(0, 30)),
                lasts_s=30.0,
                legs=2,
            )
        )
    return AdversarialSet(flights_through(flights), 50.0, 50, count // 12, count // 100)


def twins() -> AdversarialSet:
    """The same flight said several times, and waypoints said twice."""
    flight = straight((48.0, 9.0), 77.0, 220.0, legs=4)
    stutter = [point for point in flight for _ in range(2)]
    return AdversarialSet(flights_through([flight, flight, stutter, stutter]), losses=6)


SETS: Final[dict[str, Callable[[], AdversarialSet]]] = {
    "identical velocity": co_speed,
    "parallel": parallel,
    "hovering": hovering,
    "one starts as the other ends": relays,
    "exactly at the vertical minimum": at_height,
    "antimeridian": antimeridian,
    "north pole": lambda: pole(north=True),
    "south pole": lambda: pole(north=False),
    "one-second legs": short_legs,
    "twenty-hour legs": long_legs,
    "near tangent": near_tangent,
    "a crowd in one cell": crowd,
    "said twice": twins,
}
