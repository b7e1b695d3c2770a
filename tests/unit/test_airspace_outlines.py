"""Outlines: simple rings of geodesics anywhere on the Earth, in bounded time."""

import math

import pytest

from deconflict.airspace import Circle, Corridor, Polygon, Position
from deconflict.errors import InvalidGeometryError


def _polygon(*places: tuple[float, float]) -> Polygon:
    return Polygon(tuple(Position.from_degrees(lat, lon) for lat, lon in places))


def test_the_fault_names_the_edges_that_cross() -> None:
    with pytest.raises(InvalidGeometryError, match="edge 0 crosses edge 2"):
        _polygon((35, 36), (36, 37), (36, 36), (35, 37))


def test_long_edges_that_cross_are_named_by_edge_not_by_piece() -> None:
    with pytest.raises(InvalidGeometryError, match="edge 0 crosses edge 2"):
        _polygon((0, 0), (40, 60), (40, 0), (0, 60))


def test_edges_that_cross_only_as_geodesics_are_found() -> None:
    # The geodesic along 60 N over 40 degrees reaches 61.5 N; on a flat map nothing crosses.
    with pytest.raises(InvalidGeometryError, match="crosses itself"):
        _polygon((60, 0), (60, 40), (63, 40), (61, 20), (63, 0))


def test_edges_that_cross_only_on_a_flat_map_are_allowed() -> None:
    assert _polygon((58, 0), (61, 20), (58, 40), (60, 40), (60, 0))


@pytest.mark.parametrize("lon", [-180.0, -90.0, 0.0, 37.0, 179.9])
def test_a_bow_tie_is_refused_at_every_longitude(lon: float) -> None:
    def at(lat: float, east: float) -> tuple[float, float]:
        return (lat, (lon + east + 540.0) % 360.0 - 180.0)

    assert _polygon(at(1, -1), at(1, 1), at(2, 1), at(2, -1))
    with pytest.raises(InvalidGeometryError, match="crosses itself"):
        _polygon(at(1, -1), at(2, 1), at(2, -1), at(1, 1))


@pytest.mark.parametrize("south", [1, -1])
def test_rings_around_and_through_a_pole_are_judged_right(south: int) -> None:
    assert _polygon(*((south * 80, lon) for lon in (0, 90, 180, -90)))
    assert _polygon((south * 90, 0), (south * 80, 90), (south * 80, 100))
    with pytest.raises(InvalidGeometryError, match="crosses itself"):
        _polygon(*((south * 80, lon) for lon in (0, 180, 90, -90)))


def test_a_notch_over_the_pole_is_found_though_the_chord_below_lies_deeper() -> None:
    # The edge through the pole bulges 31 m above its chord; the notch passes the pole by 5 m.
    beside, over = (89.99995, -90), (89.99995, 90)
    outer = [(89.82, 0), (89.82, 180), (89.9, -120)]
    assert _polygon(*outer, beside, (89.9, -60))
    with pytest.raises(InvalidGeometryError, match="edge 0 crosses edge 2"):
        _polygon(*outer, over, (89.9, -60))


@pytest.mark.parametrize(
    "ring", [[(0, 0), (0, 2), (0, 1)], [(0, 1), (0, 2), (0, 0)], [(5, 9), (40, 9), (7, 9)]]
)
def test_a_ring_that_encloses_nothing_is_refused(ring: list[tuple[float, float]]) -> None:
    for way in (ring, ring[::-1]):
        with pytest.raises(InvalidGeometryError, match="encloses no area"):
            _polygon(*way)


def test_the_equator_has_no_smaller_side() -> None:
    with pytest.raises(InvalidGeometryError, match="half the Earth"):
        _polygon((0, 0), (0, 90), (0, 180), (0, -90))


def test_touching_corners_and_spikes_are_refused() -> None:
    with pytest.raises(InvalidGeometryError, match="touches itself"):
        _polygon((0, 0), (0, 2), (1, 1), (2, 2), (2, 0), (1, 1))
    with pytest.raises(InvalidGeometryError, match="itself"):
        _polygon((0, 0), (0, 1), (1, 1), (2, 1), (1, 1), (1, 0))


def test_a_neck_of_one_grid_step_is_allowed() -> None:
    tiny = 1e-7
    assert _polygon((0, 0), (0, 2), (1, 1 + tiny), (2, 2), (2, 0), (1, 1))


@pytest.mark.parametrize("lat", [0.0, 0.01, -30.0, 48.0, 75.0])
@pytest.mark.parametrize("radius_m", [0.05, 0.1, 1.0])
def test_a_pad_or_a_mast_is_a_polygon_too(lat: float, radius_m: float) -> None:
    for corners in range(3, 9):
        for turn in range(8):
            lon = -179.9 + 45.0 * turn
            north, east = math.degrees(radius_m / 6.4e6), math.degrees(radius_m / 6.4e6)
            east /= math.cos(math.radians(lat))
            angles = [2 * math.pi * k / corners + 0.05 * turn for k in range(corners)]
            assert _polygon(
                *((lat + north * math.cos(a), lon + east * math.sin(a)) for a in angles)
            )


def test_the_smallest_square_is_one_step_of_the_grid() -> None:
    step = 1e-7
    assert _polygon((48, 9), (48, 9 + step), (48 + step, 9 + step), (48 + step, 9))
    with pytest.raises(InvalidGeometryError, match="one place") as refusal:
        _polygon((48, 9), (48, 9 + step / 3), (48 + step, 9 + step), (48 + step, 9))
    assert "11 mm" in refusal.value.remedy
    assert "circle" in refusal.value.remedy


def test_a_small_area_that_touches_itself_is_not_called_none() -> None:
    size = 5e-6  # half a metre
    with pytest.raises(InvalidGeometryError, match="touches itself"):
        _polygon(
            (0, 0), (0, 2 * size), (size, size), (2 * size, 2 * size), (2 * size, 0), (size, size)
        )


def test_a_closed_ring_is_refused_as_a_repeated_vertex() -> None:
    with pytest.raises(InvalidGeometryError, match="vertices 3 and 0 are one place"):
        _polygon((0, 0), (0, 1), (1, 1), (0, 0))


@pytest.mark.parametrize("count", [0, 2, 10_001])
def test_too_few_and_too_many_vertices_are_refused(count: int) -> None:
    with pytest.raises(InvalidGeometryError, match="vertices"):
        Polygon(tuple(Position(0, k) for k in range(count)))


def test_an_edge_to_the_antipode_is_refused() -> None:
    with pytest.raises(InvalidGeometryError, match="19,900 km"):
        _polygon((0, 0), (0.1, 179.6), (40, 90))


@pytest.mark.parametrize("at", [0, 17, 4_999, 9_900, 9_996])
def test_one_crossing_among_ten_thousand_vertices_is_found(at: int) -> None:
    turn = [2 * math.pi * k / 10_000 for k in range(10_000)]
    ring = [(40 + math.cos(angle), 40 + math.sin(angle)) for angle in turn]
    assert _polygon(*ring)
    ring[at + 1], ring[at + 2] = ring[at + 2], ring[at + 1]
    with pytest.raises(InvalidGeometryError, match=f"edge {at} crosses edge {at + 2}"):
        _polygon(*ring)


def test_rings_made_to_cost_time_are_refused_not_worked_through() -> None:
    scribble = [
        (30 + (k * 7919 % 10_007) / 1e5, 40 + (k * 104_729 % 9_973) / 1e5) for k in range(9_900)
    ]
    with pytest.raises(InvalidGeometryError, match="intricate"):
        _polygon(*scribble)
    lap = [(60.0 * (-1) ** k, k * 170.0 % 360 - 180) for k in range(200)]
    with pytest.raises(InvalidGeometryError, match="outline is too long"):
        _polygon(*lap)


def test_a_circle_needs_a_radius_within_bounds() -> None:
    for radius_mm in (0, -1, 5_000_000_001):
        with pytest.raises(InvalidGeometryError, match="the radius is out"):
            Circle(Position(0, 0), radius_mm)
    with pytest.raises(InvalidGeometryError, match="whole"):
        Circle(Position(0, 0), 1.5)  # type: ignore[arg-type]


def test_a_corridor_may_cross_itself_but_not_stand_still() -> None:
    cross = tuple(Position.from_degrees(*place) for place in ((0, 0), (1, 1), (1, 0), (0, 1)))
    assert Corridor(cross, 1)
    with pytest.raises(InvalidGeometryError, match="places 0 and 1 are one"):
        Corridor((cross[0], cross[0]), 1)
    with pytest.raises(InvalidGeometryError, match="the half width is out"):
        Corridor(cross, 0)
    with pytest.raises(InvalidGeometryError, match="too few"):
        Corridor(cross[:1], 1)
    with pytest.raises(InvalidGeometryError, match="19,900 km"):
        Corridor((Position(0, 0), Position(0, 1_799_000_000)), 1)
