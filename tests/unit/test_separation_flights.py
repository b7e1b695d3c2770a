"""Trajectory against trajectory: the traps that other checkers fall into, one by one."""

from dataclasses import replace

import pytest

from deconflict import _kernel
from deconflict.separation import Extent, Finding, FindingKind, Verdict
from oracle.builders import FIVE_NM, T0_MS, THOUSAND_FEET, flight, screened

HOUR = 3_600.0
NM = 1_852.0


def north(lat: float, lon: float, metres: float) -> float:
    return float(_kernel.geodesic_direct(lat, lon, 0.0, metres)[0])


def only(found: tuple[Finding, ...]) -> Finding:
    assert len(found) == 1
    return found[0]


def test_identical_velocities_inside_the_minimum_conflict_all_the_way() -> None:
    lat = north(48.0, 9.0, 0.6 * NM)
    a = flight("a", [(0, 48.0, 9.0, 35_000), (HOUR, 48.0, 12.0, 35_000)])
    b = flight("b", [(0, lat, 9.0, 35_000), (HOUR, lat, 12.0, 35_000)])
    finding = only(screened(a, b))
    assert (finding.start_ms, finding.end_ms) == (T0_MS, T0_MS + 3_600_000)
    assert finding.verdict is Verdict.CONFLICT
    assert finding.kind is FindingKind.PREDICTED_LOSS


def test_the_same_track_at_the_same_time_conflicts() -> None:
    points = [(0, 48.0, 9.0, 35_000), (HOUR, 50.0, 12.0, 35_000)]
    finding = only(screened(flight("a", points), flight("b", points)))
    assert finding.cpa_distance_m == 0.0
    assert finding.cpa_vertical_tmm == 0


@pytest.mark.parametrize("feet", [0, 1_000, 29_000, 34_000, 35_000])
def test_exactly_one_thousand_feet_apart_is_separated(feet: int) -> None:
    a = flight("a", [(0, 48.0, 9.0, feet), (HOUR, 48.0, 12.0, feet)])
    b = flight("b", [(0, 48.0, 9.0, feet + 1_000), (HOUR, 48.0, 12.0, feet + 1_000)])
    assert screened(a, b) == ()
    assert len(screened(a, b, vertical_tmm=THOUSAND_FEET + 1)) == 1


def test_climbing_in_parallel_one_thousand_feet_apart_is_separated() -> None:
    a = flight("a", [(0, 48.0, 9.0, 1_000), (HOUR, 48.0, 12.0, 31_000)])
    b = flight("b", [(0, 48.0, 9.0, 2_000), (HOUR, 48.0, 12.0, 32_000)])
    assert screened(a, b) == ()
    assert len(screened(a, b, vertical_tmm=THOUSAND_FEET + 1)) == 1


def test_touching_the_vertical_minimum_for_an_instant_is_separated() -> None:
    a = flight(
        "a", [(0, 48.0, 9.0, 30_000), (1_800, 48.0, 10.0, 34_000), (HOUR, 48.0, 11.0, 30_000)]
    )
    b = flight(
        "b", [(0, 48.0, 9.0, 35_000), (1_800, 48.0, 10.0, 35_000), (HOUR, 48.0, 11.0, 35_000)]
    )
    assert screened(a, b) == ()
    assert len(screened(a, b, vertical_tmm=THOUSAND_FEET + 30)) == 1


def test_hovering_exactly_at_the_lateral_minimum_is_separated() -> None:
    a = flight("a", [(0, 35.0, 36.0, 100), (HOUR, 35.0, 36.0, 100)])
    b = flight("b", [(0, 35.0, 36.1, 100), (HOUR, 35.0, 36.1, 100)])
    apart = _kernel.geodesic_inverse(35.0, 36.0, 35.0, 36.1)[0]
    assert screened(a, b, lateral_m=apart) == ()
    finding = only(screened(a, b, lateral_m=apart + 1e-4))
    assert finding.verdict is Verdict.CONFLICT
    assert finding.cpa_distance_m == apart


def test_hovering_and_zero_length_legs_are_legs() -> None:
    hover = flight("a", [(0, 35.0, 36.0, 100), (60, 35.0, 36.0, 100), (120, 35.0, 36.0, 400)])
    passing = flight("b", [(0, 35.0, 35.9, 150), (120, 35.0, 36.1, 150)])
    finding = only(screened(hover, passing, lateral_m=50.0, vertical_tmm=152_400 * 2))
    assert finding.cpa_time_ms == pytest.approx(T0_MS + 60_000, abs=2)


def test_a_loss_of_a_second_between_samples_is_found() -> None:
    a = flight("a", [(0, 0.0, 0.0, 10_000), (HOUR, 0.0, 8.0, 10_000)])
    b = flight("b", [(0, 0.0, 8.0, 10_000), (HOUR, 0.0, 0.0, 10_000)])
    finding = only(screened(a, b, lateral_m=200.0))
    assert finding.end_ms - finding.start_ms < 1_700
    assert finding.cpa_time_ms == T0_MS + 1_800_000
    assert finding.cpa_distance_m < 0.01


def test_a_loss_cut_by_a_leg_boundary_is_one_loss() -> None:
    a = flight("a", [(0, 48.0, 9.0, 9_000), (1_800, 48.0, 11.0, 9_000), (HOUR, 48.0, 13.0, 9_000)])
    b = flight("b", [(0, 46.0, 11.0, 9_000), (1_800, 48.0, 11.0, 9_000), (HOUR, 50.0, 11.0, 9_000)])
    finding = only(screened(a, b))
    assert finding.start_ms < T0_MS + 1_800_000 < finding.end_ms


def test_one_that_starts_where_and_when_the_other_ends_is_separated() -> None:
    a = flight("a", [(0, 48.0, 9.0, 9_000), (HOUR, 48.0, 11.0, 9_000)])
    b = flight("b", [(HOUR, 48.0, 11.0, 9_000), (2 * HOUR, 48.0, 9.0, 9_000)])
    assert screened(a, b) == ()


def test_a_microsecond_and_no_more_is_the_shortest_loss() -> None:
    a = flight("a", [(0, 48.0, 9.0, 9_000), (HOUR, 48.0, 11.0, 9_000)])
    b = flight("b", [(HOUR - 0.001, 48.0, 11.0, 9_000), (2 * HOUR, 48.0, 9.0, 9_000)])
    finding = only(screened(a, b))
    assert finding.end_ms - finding.start_ms == 1


@pytest.mark.parametrize(("west", "lon", "east"), [(179.0, 180.0, -179.0), (-1.0, 0.0, 1.0)])
def test_the_antimeridian_is_no_wall(west: float, lon: float, east: float) -> None:
    a = flight("a", [(0, 10.0, west, 9_000), (HOUR, 10.0, east, 9_000)])
    b = flight("b", [(0, 9.0, lon, 9_000), (HOUR, 11.0, lon, 9_000)])
    finding = only(screened(a, b))
    assert finding.cpa_time_ms == pytest.approx(T0_MS + 1_800_000, abs=5_000)


@pytest.mark.parametrize("pole", [90.0, -90.0])
def test_two_flights_over_a_pole_meet_there(pole: float) -> None:
    side = 1 if pole > 0 else -1
    a = flight("a", [(0, side * 88.0, 10.0, 9_000), (HOUR, side * 88.0, -170.0, 9_000)])
    b = flight("b", [(0, side * 88.0, 100.0, 9_000), (HOUR, side * 88.0, -80.0, 9_000)])
    finding = only(screened(a, b))
    assert finding.cpa_distance_m < 1.0
    assert abs(finding.position_first.lat_deg) > 89.99


def test_legs_of_a_second_and_of_twenty_hours_meet() -> None:
    long = flight("a", [(0, 51.5, -0.1, 35_000), (20 * HOUR, -33.9, 151.2, 35_000)])
    s12, azi, _ = _kernel.geodesic_inverse(51.5, -0.1, -33.9, 151.2)
    lat, lon, _ = _kernel.geodesic_direct(51.5, -0.1, azi, s12 * 0.5)
    short = flight("b", [(10 * HOUR, lat, lon, 35_000), (10 * HOUR + 1, lat, lon + 0.001, 35_000)])
    finding = only(screened(long, short, lateral_m=50.0))
    assert finding.verdict is Verdict.CONFLICT


def test_five_nautical_miles_far_from_any_projection_centre_are_five() -> None:
    # 4.995 NM apart at 66° N, 170° W: planar checkers read metres too long here.
    lat = north(66.0, -170.0, 4.995 * NM)
    a = flight("a", [(0, 66.0, -170.0, 9_000), (HOUR, 60.0, -170.0, 9_000)])
    b = flight("b", [(0, lat, -170.0, 9_000), (HOUR, lat, -170.0, 9_000)])
    assert only(screened(a, b)).verdict is Verdict.CONFLICT
    assert screened(a, b, lateral_m=4.994 * NM) == ()


def test_containment_widens_the_minima() -> None:
    lat = north(48.0, 9.0, FIVE_NM + 500.0)
    a = [(0, 48.0, 9.0, 9_000), (HOUR, 48.0, 9.0, 9_000)]
    b = [(0, lat, 9.0, 10_100), (HOUR, lat, 9.0, 10_100)]
    assert screened(flight("a", a), flight("b", b)) == ()
    wide = flight("a", a, lateral_m=501.0, vertical_ft=60)
    finding = only(screened(wide, flight("b", b, vertical_ft=41)))
    assert finding.margin_m == pytest.approx(501.0, abs=0.3)
    assert finding.margin_vertical_tmm == 101 * 3_048
    assert screened(wide, flight("b", b, vertical_ft=40)) == ()


def test_a_time_window_finds_the_shift_that_conflicts() -> None:
    a = [(0, 48.0, 9.0, 9_000), (HOUR, 48.0, 13.0, 9_000)]
    b = [(300, 46.0, 11.0, 9_000), (HOUR + 300, 50.0, 11.0, 9_000)]
    assert screened(flight("a", a), flight("b", b)) == ()
    found = only(screened(flight("a", a, window_s=120.0), flight("b", b, window_s=120.0)))
    assert found.verdict is Verdict.CONFLICT
    assert screened(flight("a", a, window_s=60.0), flight("b", b, window_s=60.0)) == ()


def test_a_wide_time_window_holds_the_whole_encounter() -> None:
    # Any shift up to 20 minutes: the meeting lies amid the windows, not at their rim.
    a = flight("a", [(0, 48.0, 9.0, 9_000), (HOUR, 48.0, 13.0, 9_000)], window_s=600.0)
    b = flight("b", [(0, 46.0, 11.0, 9_000), (HOUR, 50.0, 11.0, 9_000)], window_s=600.0)
    finding = only(screened(a, b))
    assert finding.verdict is Verdict.CONFLICT
    assert finding.cpa_distance_m < 1.0
    assert finding.start_ms < T0_MS + 1_200_000
    assert finding.end_ms > T0_MS + 2_400_000


def test_a_time_window_reaches_no_farther_back_than_it_is_wide() -> None:
    # b takes off later and is at the crossing 300 s earlier.
    a = [(0, 48.0, 9.0, 9_000), (HOUR, 48.0, 13.0, 9_000)]
    b = [(100, 46.0, 11.0, 9_000), (2_900, 50.0, 11.0, 9_000)]
    assert screened(flight("a", a, window_s=60.0), flight("b", b, window_s=60.0)) == ()
    assert len(screened(flight("a", a, window_s=150.0), flight("b", b, window_s=150.0))) == 1


@pytest.mark.parametrize("before_s", [0, 60, 7_000, 1_000_000])
def test_windows_that_touch_at_one_instant_are_judged_there_whatever_else_is_checked(
    before_s: int,
) -> None:
    def track(key: str, start_s: float, window_s: float) -> Extent:
        points = [(start_s + 300 * k, 35.4666667, 35.9 + k / 20, 10_000) for k in range(3)]
        return flight(key, points, window_s=window_s)

    # When the first ends, the other can have got no farther than its start, 9 km behind.
    pair = (track("a", 0, 0), track("b", 1_200, 600))
    far = flight("far", [(-before_s, -10.0, 10.0, 0), (-before_s + 1, -10.0, 10.001, 0)])
    assert screened(*pair, lateral_m=2_000.0) == ()
    assert screened(*pair, far, lateral_m=2_000.0) == ()
    # A wider search lets the pair through to the exact check, as greater minima in the set do.
    assert screened(*pair, lateral_m=9_000.0) == ()


def test_a_time_window_in_trail_closes_the_gap_on_one_track() -> None:
    # The same track 10 minutes behind, 5 NM are about 47 s at 200 m/s: 540 s shift is not enough.
    a = [(0, 0.0, 0.0, 9_000), (HOUR, 0.0, 6.468, 9_000)]
    b = [(600, 0.0, 0.0, 9_000), (HOUR + 600, 0.0, 6.468, 9_000)]
    assert screened(flight("a", a, window_s=270.0), flight("b", b, window_s=270.0)) == ()
    assert len(screened(flight("a", a, window_s=280.0), flight("b", b, window_s=280.0))) == 1


def test_one_party_has_no_conflicts_with_itself_but_others_have() -> None:
    a = flight("a", [(0, 48.0, 9.0, 9_000), (HOUR, 48.0, 13.0, 9_000)])
    b = replace(flight("b", [(0, 48.0, 9.0, 9_000), (HOUR, 48.0, 13.0, 9_000)]), party="a")
    assert screened(a, b) == ()


def test_nothing_against_nothing_is_nothing() -> None:
    assert screened() == ()
    assert screened(flight("a", [(0, 48.0, 9.0, 9_000), (HOUR, 48.0, 13.0, 9_000)])) == ()
