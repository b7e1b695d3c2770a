"""Anything against a volume: closed in outline, altitude and time."""

import math

import pytest

from deconflict import _kernel
from deconflict.separation import Extent, Finding, FindingKind, Verdict
from oracle.builders import T0_MS, area, circle, corridor, flight, polygon, screened, volume

HOUR = 3_600.0
SQUARE = polygon((35.0, 36.0), (35.0, 37.0), (36.0, 37.0), (36.0, 36.0))


def exact(*extents: Extent) -> tuple[Finding, ...]:
    return screened(*extents, lateral_m=0.0, vertical_tmm=0)


def only(found: tuple[Finding, ...]) -> Finding:
    assert len(found) == 1
    return found[0]


def test_volumes_that_touch_in_time_conflict_for_that_instant() -> None:
    a = area("a", volume(SQUARE, seconds=(0, 600)))
    finding = only(exact(a, area("b", volume(SQUARE, seconds=(600, 900)))))
    assert finding.start_ms == finding.end_ms == T0_MS + 600_000
    assert finding.kind is FindingKind.STRATEGIC_CONFLICT
    assert exact(a, area("b", volume(SQUARE, seconds=(600.001, 900)))) == ()


def test_volumes_that_touch_in_altitude_conflict() -> None:
    a = area("a", volume(SQUARE, feet=(1_000, 2_000)))
    assert len(exact(a, area("b", volume(SQUARE, feet=(2_000, 3_000))))) == 1
    assert exact(a, area("b", volume(SQUARE, feet=(2_001, 3_000)))) == ()


def test_volumes_that_share_an_edge_conflict() -> None:
    east = polygon((35.0, 37.0), (35.0, 38.0), (36.0, 38.0), (36.0, 37.0))
    finding = only(exact(area("a", volume(SQUARE)), area("b", volume(east))))
    assert finding.verdict is Verdict.CONFLICT
    gap = polygon((35.0, 37.0000002), (35.0, 38.0), (36.0, 38.0), (36.0, 37.0000002))
    assert exact(area("a", volume(SQUARE)), area("b", volume(gap))) == ()


def test_circles_touch_at_the_sum_of_their_radii() -> None:
    apart = _kernel.geodesic_inverse(35.0, 36.0, 35.0, 36.5)[0]
    a, b = circle(35.0, 36.0, 20_000.0), circle(35.0, 36.5, apart - 20_000.0 + 0.001)
    assert only(exact(area("a", volume(a)), area("b", volume(b)))).verdict is Verdict.CONFLICT
    b = circle(35.0, 36.5, apart - 20_000.0 - 0.01)
    assert exact(area("a", volume(a)), area("b", volume(b))) == ()


def test_a_small_polygon_inside_a_large_one_conflicts() -> None:
    triangle = polygon((35.5, 36.5), (35.5, 36.501), (35.501, 36.501))
    pentagon = polygon((35.5, 36.5), (35.5, 36.6), (35.55, 36.6), (35.6, 36.55), (35.55, 36.5))
    for pair in ((SQUARE, triangle), (triangle, SQUARE), (SQUARE, pentagon), (pentagon, SQUARE)):
        finding = only(exact(area("a", volume(pair[0])), area("b", volume(pair[1]))))
        assert finding.cpa_distance_m == 0.0
        assert finding.verdict is Verdict.CONFLICT


def test_crossing_polygons_without_a_vertex_in_one_another_conflict() -> None:
    tall = polygon((34.0, 36.4), (34.0, 36.6), (37.0, 36.6), (37.0, 36.4))
    wide = polygon((35.4, 35.0), (35.4, 38.0), (35.6, 38.0), (35.6, 35.0))
    assert only(exact(area("a", volume(tall)), area("b", volume(wide)))).verdict is Verdict.CONFLICT


def test_a_circle_inside_a_polygon_and_around_one_conflicts() -> None:
    for radius in (10.0, 400_000.0):
        inner = area("b", volume(circle(35.5, 36.5, radius)))
        assert len(exact(area("a", volume(SQUARE)), inner)) == 1
    assert exact(area("a", volume(SQUARE)), area("b", volume(circle(37.0, 36.5, 100_000.0)))) == ()


def test_a_polygon_over_the_pole_holds_the_pole() -> None:
    cap = area("a", volume(polygon((80.0, 0.0), (80.0, 90.0), (80.0, -180.0), (80.0, -90.0))))
    assert len(exact(cap, area("b", volume(circle(90.0, 0.0, 10.0))))) == 1
    assert len(exact(cap, flight("c", [(0, 89.0, 0.0, 0), (60, 89.0, 120.0, 0)]))) == 1
    assert exact(cap, flight("c", [(0, 79.0, 0.0, 0), (60, 79.0, 10.0, 0)])) == ()


def test_a_polygon_over_the_antimeridian_holds_it() -> None:
    ring = area("a", volume(polygon((-1.0, 179.0), (-1.0, -179.0), (1.0, -179.0), (1.0, 179.0))))
    assert len(exact(ring, area("b", volume(circle(0.0, 180.0, 10.0))))) == 1
    assert len(exact(ring, flight("c", [(0, 0.0, 178.0, 0), (600, 0.0, -178.0, 0)]))) == 1
    assert exact(ring, area("b", volume(circle(0.0, 0.0, 10.0)))) == ()


def test_a_corridor_goes_around_its_corner() -> None:
    bend = area("a", volume(corridor(5_000.0, (35.0, 36.0), (35.0, 37.0), (36.0, 37.0))))
    assert len(exact(bend, area("b", volume(circle(34.965, 37.03, 1_000.0))))) == 1
    assert exact(bend, area("b", volume(circle(35.5, 36.5, 1_000.0)))) == ()
    # Rounded, not mitred: the outer corner of the bounding box is outside.
    assert exact(bend, area("b", volume(circle(34.959, 37.05, 10.0)))) == ()


def test_a_flight_through_a_polygon_conflicts_from_edge_to_edge() -> None:
    finding = only(
        exact(area("a", volume(SQUARE)), flight("b", [(0, 35.5, 35.5, 0), (HOUR, 35.5, 37.5, 0)]))
    )
    assert finding.start_ms == pytest.approx(T0_MS + 900_000, abs=2_000)
    assert finding.end_ms == pytest.approx(T0_MS + 2_700_000, abs=2_000)
    assert finding.verdict is Verdict.CONFLICT
    assert (finding.first, finding.second) == ("a", "b")


def test_a_flight_that_stays_inside_conflicts_all_the_time() -> None:
    inside = flight("b", [(10, 35.4, 36.4, 0), (600, 35.6, 36.6, 0)])
    finding = only(exact(area("a", volume(SQUARE)), inside))
    assert (finding.start_ms, finding.end_ms) == (T0_MS + 10_000, T0_MS + 600_000)
    assert finding.cpa_distance_m == 0.0


def test_a_flight_that_touches_the_floor_conflicts_for_that_instant() -> None:
    block = area("a", volume(SQUARE, feet=(2_000, 3_000)))
    peak = [(0, 35.5, 36.4, 1_000), (60, 35.5, 36.5, 2_000), (120, 35.5, 36.6, 1_000)]
    finding = only(exact(block, flight("b", peak)))
    assert finding.start_ms <= T0_MS + 60_000 <= finding.end_ms
    assert finding.end_ms - finding.start_ms <= 2
    peak[1] = (60, 35.5, 36.5, 1_999.9)
    assert exact(block, flight("b", peak)) == ()


def test_a_flight_that_ends_as_the_volume_begins_conflicts() -> None:
    block = area("a", volume(SQUARE, seconds=(600, 900)))
    assert len(exact(block, flight("b", [(0, 35.5, 36.4, 0), (600, 35.5, 36.5, 0)]))) == 1
    assert exact(block, flight("b", [(0, 35.5, 36.4, 0), (599.999, 35.5, 36.5, 0)])) == ()


def test_a_time_window_reaches_a_volume_that_begins_later() -> None:
    block = area("a", volume(SQUARE, seconds=(600, 900)))
    points = [(0, 35.5, 36.4, 0), (590, 35.5, 36.5, 0)]
    assert exact(block, flight("b", points)) == ()
    finding = only(exact(block, flight("b", points, window_s=10.0)))
    assert finding.start_ms == finding.end_ms == T0_MS + 600_000
    assert exact(block, flight("b", points, window_s=9.0)) == ()


def test_a_hovering_flight_on_the_rim_of_a_circle_conflicts() -> None:
    apart = _kernel.geodesic_inverse(35.0, 36.0, 35.0, 36.1)[0]
    hover = flight("b", [(0, 35.0, 36.1, 0), (60, 35.0, 36.1, 0)])
    rim = area("a", volume(circle(35.0, 36.0, apart + 0.0005)))
    assert only(exact(rim, hover)).verdict is Verdict.CONFLICT
    assert exact(area("a", volume(circle(35.0, 36.0, apart - 0.01))), hover) == ()


def test_minima_apply_around_volumes_too() -> None:
    # A degree of longitude at 35.5° is about 90.7 km; the flight passes 1° east of the square.
    away = flight("b", [(0, 35.2, 38.0, 0), (600, 35.8, 38.0, 0)])
    assert exact(area("a", volume(SQUARE)), away) == ()
    finding = only(screened(area("a", volume(SQUARE)), away, lateral_m=91_500.0))
    assert 90_000.0 < finding.cpa_distance_m < 91_500.0
    assert finding.position_first.lon_deg == pytest.approx(37.0, abs=1e-3)


def test_several_volumes_of_one_declaration_are_one_conflict_where_they_touch_in_time() -> None:
    a = area("a", volume(SQUARE, seconds=(0, 600)), volume(SQUARE, seconds=(600, 1_200)))
    finding = only(exact(a, area("b", volume(circle(35.5, 36.5, 10.0)))))
    assert (finding.start_ms, finding.end_ms) == (T0_MS, T0_MS + 1_200_000)


def test_a_polygon_of_ten_thousand_vertices_is_exact() -> None:
    ring = [
        (35.0 + 0.5 * math.sin(k * math.tau / 10_000), 36.0 + 0.5 * math.cos(k * math.tau / 10_000))
        for k in range(10_000)
    ]
    round_area = area("a", volume(polygon(*ring)))
    crossing = flight("b", [(0, 35.0, 35.0, 0), (HOUR, 35.0, 37.0, 0)])
    finding = only(exact(round_area, crossing))
    assert finding.start_ms == pytest.approx(T0_MS + 900_000, abs=100)
    assert finding.verdict is Verdict.CONFLICT
    assert exact(round_area, flight("b", [(0, 35.51, 35.0, 0), (HOUR, 35.51, 37.0, 0)])) == ()
