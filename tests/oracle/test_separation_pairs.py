"""The kernel against its slow twin on generated pairs of every kind."""

import itertools

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from deconflict.separation import Extent, Finding, Minima, Verdict
from effort import examples
from oracle.builders import flight, screened
from oracle.strategies import centres, flights_near, moved, volumes_near
from oracle.twin import GEOD, intrusion, losses, overlap

# What the kernel may add: ε of at most 0.25 m or a ten-thousandth, the polygon's pad, and the
# twin's own sampling.
SLACK_M = 0.3
CERTAIN_M = 0.02
HIGH = 1_000_000_000  # 100 km: only the lateral distance decides
# Sampling is slow, and a machine at a third of its pace is no failure of what is tested.
pytestmark = pytest.mark.timeout(600)
SLOW = examples(50, alike=True)
laterals = st.sampled_from([0.0, 50.0, 9_260.0, 40_000.0])
verticals = st.sampled_from([0, 152_400, 3_048_000])


def fastest_mps(extent: Extent) -> float:
    """The greatest speed over the ground of a flight."""
    points = extent.geometry.waypoints
    _, _, metres = GEOD.inv(
        [p.position.lon_deg for p in points[:-1]],
        [p.position.lat_deg for p in points[:-1]],
        [q.position.lon_deg for q in points[1:]],
        [q.position.lat_deg for q in points[1:]],
    )
    lasts_ms = [q.at_ms - p.at_ms for p, q in itertools.pairwise(points)]
    return max(1_000 * way / ms for way, ms in zip(metres, lasts_ms, strict=True))


def beside(data: st.DataObject, centre: tuple[float, float], size: float) -> tuple[float, float]:
    """A centre far enough away that what lies round the two seldom overlaps: the least distance
    of two that do decides nothing, and the twin takes long to see that they do."""
    return moved(centre, data.draw(st.floats(0, 360)), data.draw(st.floats(0.8, 2.0)) * size)


def judge(found: tuple[Finding, ...], shortfall: float, lateral_m: float) -> None:
    """Nothing missed, nothing extra beyond the stated slack, certain only when certain."""
    slack = max(SLACK_M, lateral_m * 1e-5)
    if shortfall < -1e-4:
        assert found, shortfall
    if shortfall > slack:
        assert not found, (shortfall, found)
    for finding in found:
        if finding.verdict is Verdict.CONFLICT:
            assert shortfall < CERTAIN_M, (shortfall, finding)


@SLOW
@given(st.data(), centres, st.sampled_from([500.0, 20_000.0, 400_000.0]), laterals, verticals)
def test_two_flights(data, centre, size, lateral_m, vertical_tmm) -> None:
    a = data.draw(flights_near(centre, size, "a"))
    b = data.draw(flights_near(centre, size, "b"))
    found = screened(a, b, lateral_m=lateral_m, vertical_tmm=vertical_tmm)
    approach = losses(a.geometry, b.geometry, Minima(lateral_m, vertical_tmm), step_s=5.0)
    if lateral_m == 0.0 or vertical_tmm == 0:
        assert not found
        return
    judge(found, approach.least, lateral_m)


@SLOW
@given(st.data(), centres, st.sampled_from([500.0, 20_000.0, 200_000.0]), laterals, verticals)
def test_a_flight_and_a_volume(data, centre, size, lateral_m, vertical_tmm) -> None:
    a = data.draw(flights_near(centre, size, "a"))
    b = data.draw(volumes_near(centre, size, "b"))
    found = screened(a, b, lateral_m=lateral_m, vertical_tmm=vertical_tmm)
    approach = intrusion(a.geometry, b.geometry[0], Minima(lateral_m, vertical_tmm), step_s=30.0)
    judge(found, approach.least, lateral_m)


@examples(20, alike=True)
@given(st.data(), centres, st.sampled_from([500.0, 20_000.0, 200_000.0]), laterals, verticals)
def test_two_volumes(data, centre, size, lateral_m, vertical_tmm) -> None:
    a = data.draw(volumes_near(centre, size, "a"))
    b = data.draw(volumes_near(centre, size, "b"))
    found = screened(a, b, lateral_m=lateral_m, vertical_tmm=vertical_tmm)
    judge(found, overlap(a.geometry[0], b.geometry[0], Minima(lateral_m, vertical_tmm)), lateral_m)


@SLOW
@given(st.data(), centres, st.sampled_from([500.0, 20_000.0, 400_000.0]), st.booleans())
def test_flights_at_the_very_minimum(data, centre, size, under) -> None:
    a = data.draw(flights_near(centre, size, "a"))
    b = data.draw(flights_near(centre, size, "b"))
    nearest = losses(a.geometry, b.geometry, Minima(0.0, HIGH), step_s=5.0).least
    assume(1.0 < nearest < 900_000.0)
    # A loss is told when it lasts longer than a microsecond: one that begins as a flight ends needs
    # so much more than the nearest distance as the two close in two.
    lasting_m = 1e-4 + 2e-6 * (fastest_mps(a) + fastest_mps(b))
    lateral_m = nearest + lasting_m if under else nearest - max(5e-3, nearest * 1e-4)
    assert bool(screened(a, b, lateral_m=lateral_m, vertical_tmm=HIGH)) is under


@examples(25, alike=True)
@given(st.data(), centres, st.sampled_from([500.0, 20_000.0, 200_000.0]), st.booleans())
def test_a_flight_and_a_volume_at_the_very_minimum(data, centre, size, under) -> None:
    a = data.draw(flights_near(centre, size, "a"))
    b = data.draw(volumes_near(beside(data, centre, size), size / 8, "b"))
    nearest = intrusion(a.geometry, b.geometry[0], Minima(0.0, HIGH), step_s=30.0).least
    assume(1.0 < nearest < 900_000.0)
    lateral_m = nearest + 1e-4 if under else nearest - max(1e-2, nearest * 1e-4)
    assert bool(screened(a, b, lateral_m=lateral_m, vertical_tmm=HIGH)) is under


@examples(15, alike=True)
@given(st.data(), centres, st.sampled_from([500.0, 20_000.0, 200_000.0]), st.booleans())
def test_two_volumes_at_the_very_minimum(data, centre, size, under) -> None:
    a = data.draw(volumes_near(centre, size / 4, "a"))
    b = data.draw(volumes_near(beside(data, centre, size), size / 4, "b"))
    nearest = overlap(a.geometry[0], b.geometry[0], Minima(0.0, HIGH))
    assume(1.0 < nearest < 900_000.0)
    lateral_m = nearest + 1e-3 if under else nearest - max(1e-2, nearest * 1e-4)
    assert bool(screened(a, b, lateral_m=lateral_m, vertical_tmm=HIGH)) is under


@examples(30, alike=True)
@given(st.data(), centres, st.sampled_from([2_000.0, 100_000.0]), st.floats(0.5, 900.0))
def test_two_flights_either_of_which_may_be_late(data, centre, size, window_s) -> None:
    a = data.draw(flights_near(centre, size, "a"))
    b = data.draw(flights_near(centre, size, "b"))

    def with_window(extent: Extent, seconds: float) -> Extent:
        points = [
            (
                (w.at_ms - a.geometry.waypoints[0].at_ms) / 1000,
                w.position.lat_deg,
                w.position.lon_deg,
                w.altitude_tmm / 3048,
            )
            for w in extent.geometry.waypoints
        ]
        return flight(extent.key, points, window_s=seconds)

    lateral_m, vertical_tmm = size / 20, 152_400
    found = screened(with_window(a, window_s), b, lateral_m=lateral_m, vertical_tmm=vertical_tmm)
    minima = Minima(lateral_m, vertical_tmm)
    for share in (-1.0, -0.5, -0.1, 0.0, 0.3, 0.7, 1.0):
        shift = round(share * round(window_s, 3), 3)
        points = [
            (
                (w.at_ms - a.geometry.waypoints[0].at_ms) / 1000 + shift,
                w.position.lat_deg,
                w.position.lon_deg,
                w.altitude_tmm / 3048,
            )
            for w in a.geometry.waypoints
        ]
        early = flight("a", points)
        if losses(early.geometry, b.geometry, minima, step_s=20.0).least < -0.01:
            assert found
            return
    if any(finding.verdict is Verdict.CONFLICT for finding in found):
        # Some shift in between must show it: look finely.
        least = min(
            losses(
                flight(
                    "a",
                    [
                        (
                            (w.at_ms - a.geometry.waypoints[0].at_ms) / 1000 + share * window_s,
                            w.position.lat_deg,
                            w.position.lon_deg,
                            w.altitude_tmm / 3048,
                        )
                        for w in a.geometry.waypoints
                    ],
                ).geometry,
                b.geometry,
                minima,
                step_s=20.0,
            ).least
            for share in [k / 20 for k in range(-20, 21)]
        )
        assert least < max(20.0, window_s / 20 * 60_000 / 3.6)


@pytest.mark.parametrize("window_s", [0.0, 60.0])
def test_the_twin_itself_sees_a_head_on_pass(window_s: float) -> None:
    a = flight("a", [(0, 0.0, 0.0, 1_000), (1_000, 0.0, 2.0, 1_000)])
    b = flight("b", [(0, 0.05, 2.0, 1_000), (1_000, 0.05, 0.0, 1_000)], window_s=window_s)
    least = losses(a.geometry, b.geometry, Minima(9_260.0, 1)).least
    passing = GEOD.inv(1.0, 0.0, 1.0, 0.05)[2]
    assert least == pytest.approx(passing - 9_260.0, abs=1e-3) or least > passing - 9_260.0
