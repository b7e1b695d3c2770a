"""What a private check puts into cells: nothing that meets is lost, little more is in them."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.effort import examples
from tests.oracle import cover_twin

from deconflict.airspace import (
    AltitudeBand,
    AltitudeReference,
    Circle,
    Containment,
    Corridor,
    Geometry,
    Outline,
    Polygon,
    Position,
    TimeSpan,
    Trajectory,
    Volume,
    Waypoint,
)
from deconflict.airspace.geodesy import along, direct, distance
from deconflict.errors import InvalidAltitudeError, InvalidGeometryError
from deconflict.sealed import cover as covering
from deconflict.sealed.cover import cover
from deconflict.sealed.grid import Grid, Reach
from deconflict.sealed.plane import CURVATURE_RADIUS_M, Plane
from deconflict.sealed.tubes import Area, Knot, Tube, filled
from deconflict.separation import (
    AltitudeConversions,
    Extent,
    Minima,
    MinimaTable,
    Verdict,
    check,
)

START_MS = 1_443_571_200_000
NM_MM = 1_852_000
FOOT_TMM = 3_048
MANNED = Reach(5 * NM_MM, 1_000 * FOOT_TMM, 0)
PLACES = (
    Position.from_degrees(35.0, 38.5),
    Position.from_degrees(-17.0, 179.9),
    Position.from_degrees(89.9, 0.0),
)


def theatre(
    origin: Position = PLACES[0],
    *,
    cell_mm: int = 5 * NM_MM,
    across: int = 60,
    slots: int = 240,
    slot_ms: int = 30_000,
    minima: Reach = MANNED,
) -> Grid:
    half = across * cell_mm // 2
    return Grid(
        origin,
        -half,
        -half,
        cell_mm,
        across,
        across,
        AltitudeReference.AMSL,
        -500 * FOOT_TMM,
        1_000 * FOOT_TMM,
        45,
        START_MS,
        slot_ms,
        slots,
        minima,
    )


# ---- whole numbers: the cover beside every cell looked at --------------------------------------

SMALL = Grid(
    PLACES[0], -40_000, -30_000, 10_000, 8, 6,
    AltitudeReference.AMSL, -700, 2_000, 4, 900_000, 5_000, 4,
    Reach(),
)  # fmt: skip
xs, ys = st.integers(-32_000, 32_000), st.integers(-22_000, 22_000)
levels = st.integers(600, 6_000)
reaches = st.builds(Reach, st.integers(0, 25_000), st.integers(0, 4_000), st.integers(0, 12_000))


@st.composite
def tubes(draw: st.DrawFn) -> Tube:
    instants = sorted(draw(st.sets(st.integers(894_000, 926_000), min_size=2, max_size=4)))
    knots = tuple(Knot(at, draw(xs), draw(ys), draw(levels)) for at in instants)
    return Tube(
        knots,
        aside_mm=draw(st.integers(3, 7_000)),
        below_tmm=draw(st.integers(0, 1_000)),
        above_tmm=draw(st.integers(0, 1_000)),
        shift_ms=draw(st.integers(0, 6_000)),
    )


@st.composite
def areas(draw: st.DrawFn) -> Area:
    points = draw(st.lists(st.tuples(xs, ys), min_size=3, max_size=6, unique=True))
    middle = (sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points))
    points.sort(key=lambda p: math.atan2(p[1] - middle[1], p[0] - middle[0]))  # a simple ring
    start = draw(st.integers(891_000, 921_000))
    lower, upper = sorted((draw(levels), draw(levels)))
    return Area(
        tuple(zip(points, [*points[1:], points[0]], strict=True)),
        tuple(points),
        draw(st.integers(3, 7_000)),
        lower,
        upper,
        start,
        start + draw(st.integers(0, 20_000)),
    )


@given(st.one_of(tubes(), areas()), reaches)
@examples(80)
def test_the_cells_are_those_that_the_tube_touches_and_none_a_hand_further(
    tube: Tube | Area, reach: Reach
) -> None:
    found = cover([tube], SMALL, reach)
    assert cover_twin.touched(tube, SMALL, reach) <= found
    assert found <= cover_twin.touched(tube, SMALL, reach, slack_mm=5)


@given(st.one_of(tubes(), areas()), st.sampled_from([1, 2]))
@examples(50)
def test_a_cell_of_a_finer_grid_lies_in_one_of_the_coarse(tube: Tube | Area, parts: int) -> None:
    fine = SMALL.refined(parts)
    coarse = cover([tube], SMALL)
    assert {tuple(n // parts for n in cell) for cell in cover([tube], fine)} <= coarse


@given(tubes(), st.integers(-3, 3), st.integers(-3, 3), st.integers(-2, 2))
@examples(50)
def test_moved_by_whole_cells_the_cells_move_with_it(
    tube: Tube, columns: int, rows: int, slots: int
) -> None:
    wide = replace(
        SMALL, west_mm=-200_000, south_mm=-200_000, columns=40, rows=40, start_ms=800_000, slots=60
    )
    moved = replace(
        tube,
        knots=tuple(
            replace(
                knot,
                at_ms=knot.at_ms + 5_000 * slots,
                x_mm=knot.x_mm + 10_000 * columns,
                y_mm=knot.y_mm + 10_000 * rows,
            )
            for knot in tube.knots
        ),
    )
    here, there = cover([tube], wide), cover([moved], wide)
    assert {(s + slots, x + columns, y + rows, z) for s, x, y, z in here} == there


# ---- the plane -------------------------------------------------------------------------------


@given(
    st.sampled_from(PLACES),
    *[st.floats(0, 360, exclude_max=True)] * 2,
    *[st.floats(0, 1_000_000)] * 2,
)
@examples(300)
def test_two_places_are_never_farther_apart_on_the_plane_than_on_the_ground(
    origin: Position, one_deg: float, other_deg: float, one_m: float, other_m: float
) -> None:
    one, other = direct(origin, one_deg, one_m), direct(origin, other_deg, other_m)
    plane = Plane(origin)
    (x0, y0), (x1, y1) = (plane.place_mm(p.lat_deg, p.lon_deg) or (0, 0) for p in (one, other))
    apart_m = math.hypot(x1 - x0, y1 - y0) / 1e3
    ground_m = distance(one, other)
    assert apart_m <= ground_m + 0.002
    # And not much nearer either: towards the rim the plane shortens, at 1,000 km by 1.3 %.
    assert apart_m >= ground_m * 0.987 - 0.002


def test_the_other_half_of_the_earth_is_not_on_the_plane() -> None:
    plane = Plane(Position.from_degrees(0, 0))
    assert plane.place_mm(0, 91) is None
    assert plane.place_mm(-89.9, 0) is not None
    assert plane.place_mm(45, 180) is None


@given(
    st.sampled_from(PLACES),
    st.floats(0, 360),
    st.floats(0, 500_000),
    st.floats(0, 360),
    st.floats(1, 60_000),
    st.floats(0, 1),
)
@examples(300)
def test_a_piece_bends_no_farther_from_straight_than_is_added(
    origin: Position, at_deg: float, at_m: float, to_deg: float, length_m: float, share: float
) -> None:
    start = direct(origin, at_deg, at_m)
    plane = Plane(origin)
    (x0, y0), (x1, y1), (x, y) = (
        plane.place_mm(*along(start, to_deg, length_m * part)) or (0, 0) for part in (0, 1, share)
    )
    off_mm = math.hypot(x - x0 - (x1 - x0) * share, y - y0 - (y1 - y0) * share)
    assert off_mm <= length_m**2 / (8 * CURVATURE_RADIUS_M) * 1e3 + 3


# ---- the engine: whatever conflicts openly meets in a cell -------------------------------------


def near(origin: Position, draw: st.DrawFn) -> Position:
    return direct(origin, draw(st.floats(0, 360)), draw(st.floats(0, 60_000)))


@st.composite
def flights(draw: st.DrawFn, origin: Position) -> Trajectory:
    at_ms = START_MS + draw(st.integers(0, 1_800_000))
    waypoints = []
    for _ in range(draw(st.integers(2, 4))):
        altitude = draw(st.integers(5, 9)) * 1_000 * FOOT_TMM + draw(st.integers(-999, 999))
        waypoints.append(Waypoint(at_ms, near(origin, draw), altitude))
        at_ms += draw(st.integers(60_000, 900_000))
    containment = Containment(
        draw(st.integers(0, 5_000_000)),
        draw(st.integers(0, 500)) * FOOT_TMM,
        draw(st.integers(0, 120_000)),
    )
    return Trajectory(AltitudeReference.AMSL, tuple(waypoints), containment)


@st.composite
def volumes(draw: st.DrawFn, origin: Position) -> Volume:
    middle = near(origin, draw)
    outline: Outline = Circle(middle, draw(st.integers(1, 30_000_000)))
    match draw(st.integers(0, 2)):
        case 1:
            end = direct(middle, draw(st.floats(0, 360)), draw(st.floats(1_000, 60_000)))
            outline = Corridor((middle, end), draw(st.integers(1, 9_000_000)))
        case 2:
            count = draw(st.integers(3, 6))  # no gap of half a turn: the middle is inside
            turns = [360 * n / count + draw(st.floats(-20, 20)) for n in range(count)]
            outline = Polygon(
                tuple(direct(middle, turn, draw(st.floats(5_000, 40_000))) for turn in turns)
            )
    lower = draw(st.integers(5, 8)) * 1_000 * FOOT_TMM
    start_ms = START_MS + draw(st.integers(0, 1_800_000))
    return Volume(
        outline,
        AltitudeBand(
            AltitudeReference.AMSL,
            draw(st.sampled_from([lower, None])),
            draw(st.sampled_from([lower + draw(st.integers(0, 3)) * 500 * FOOT_TMM, None])),
        ),
        TimeSpan(start_ms, start_ms + draw(st.integers(1, 1_800_000))),
    )


def plans(origin: Position) -> st.SearchStrategy[Geometry]:
    return st.one_of(flights(origin), volumes(origin).map(lambda volume: (volume,)))


def conflict(one: Geometry, other: Geometry, minima: Reach) -> bool:
    table = MinimaTable(Minima(minima.horizontal_mm / 1e3, minima.vertical_tmm))
    found = check(
        [Extent("one", "blue", "FLIGHT", one), Extent("other", "red", "FLIGHT", other)],
        minima=table,
        conversions=AltitudeConversions(),
    )
    return any(each.verdict is Verdict.CONFLICT for each in found)


@pytest.mark.parametrize("origin", PLACES, ids=["Syria", "antimeridian", "pole"])
@pytest.mark.parametrize("refined", [1, 2])
def test_whatever_conflicts_openly_is_flagged_both_ways(origin: Position, refined: int) -> None:
    grid = theatre(origin).refined(refined)
    met = [0]

    @given(plans(origin), plans(origin))
    @examples(60)
    def look(one: Geometry, other: Geometry) -> None:
        if not conflict(one, other, grid.minima):
            return
        met[0] += 1
        tubes = [filled(each, grid, {}) for each in (one, other)]
        ours, theirs = (cover(each, grid) for each in tubes)
        around = [cover(each, grid, grid.minima) for each in tubes]
        assert around[0] & theirs
        assert around[1] & ours

    look()
    assert met[0] > 5


def test_a_flight_exactly_on_the_rim_of_cells_is_in_those_on_both_sides() -> None:
    level = 9_500 * FOOT_TMM  # the rim of two levels, and along the rim of two rows
    knots = (Knot(START_MS, 0, 0, level), Knot(START_MS + 30_000, 5 * NM_MM, 0, level))
    tube = Tube(knots, aside_mm=0, below_tmm=0, above_tmm=0, shift_ms=0)
    found = cover([tube], theatre())
    assert {y for _, _, y, _ in found} == {29, 30}
    assert {9, 10} <= {z for _, _, _, z in found}
    assert {slot for slot, *_ in found} == {0, 1}


# ---- what is refused -------------------------------------------------------------------------

LEVEL = 7_000 * FOOT_TMM


def flown(
    *places: tuple[float, float], altitude: int = LEVEL, start_ms: int = START_MS
) -> Geometry:
    waypoints = [
        Waypoint(start_ms + 600_000 * n, direct(PLACES[0], *place), altitude)
        for n, place in enumerate(places)
    ]
    return Trajectory(AltitudeReference.AMSL, tuple(waypoints))


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        (flown((90, 0), (90, 290_000)), "leaves the grid"),
        (flown((90, 0), (90, 20_000), altitude=60_000 * FOOT_TMM), "outside the levels"),
        (flown((90, 0), (90, 20_000), altitude=-600 * FOOT_TMM), "outside the levels"),
        (flown((90, 0), (90, 9_900_000)), "leaves the grid"),
        (flown((90, 0), (90, 11_000_000)), "other half of the Earth"),
    ],
)
def test_a_plan_that_leaves_the_grid_is_refused_and_not_cut_off(plan: Geometry, why: str) -> None:
    grid = theatre()
    with pytest.raises(InvalidGeometryError, match=why):
        cover(filled(plan, grid, {}), grid)


def test_what_is_widened_over_the_rim_and_what_is_outside_the_period_is_left_out() -> None:
    grid = theatre()
    rim = filled(flown((90, 270_000), (0, 270_000)), grid, {})
    ends = (grid.slots, grid.columns, grid.rows, grid.levels)
    for cell in cover(rim, grid, grid.minima):
        assert all(0 <= number < end for number, end in zip(cell, ends, strict=True))
    for start_ms in (START_MS - 3_600_000, grid.end_ms + 1):
        outside = flown((90, 0), (90, 20_000), start_ms=start_ms)
        assert cover(filled(outside, grid, {}), grid) == set()


def test_altitudes_that_do_not_compare_are_not_checked_and_never_clear() -> None:
    grid = theatre()
    waypoints = flown((90, 0), (90, 20_000)).waypoints
    above_ground = Trajectory(AltitudeReference.AGL, waypoints)
    with pytest.raises(InvalidAltitudeError, match="cannot be compared"):
        filled(above_ground, grid, {})
    (tube,) = filled(above_ground, grid, {AltitudeReference.AGL: (-100, 9_000_000)})
    assert isinstance(tube, Tube)
    assert (tube.below_tmm, tube.above_tmm) == (100, 9_000_001)


def test_more_cells_than_can_be_checked_are_refused_before_they_are_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    grid = theatre()
    wide = Volume(
        Circle(PLACES[0], 200_000_000),
        AltitudeBand(AltitudeReference.AMSL, None, None),
        TimeSpan(START_MS, grid.end_ms),
    )
    monkeypatch.setattr(covering, "MOST_CELLS", 100_000)
    with pytest.raises(InvalidGeometryError, match="more cells than can be checked"):
        cover(filled((wide,), grid, {}), grid)


def test_hour_long_sorties_fill_as_many_cells_as_computed_beforehand() -> None:
    """A level flight of an hour at 220 m/s and r = 1; expected were 233 and 5,454 on average."""
    grid = theatre(slots=120, minima=Reach(5 * NM_MM, 1_000 * FOOT_TMM, 30_000))
    start = direct(PLACES[0], 230, 200_000)
    places = [along(start, 50, 220.0 * 60 * minute / 2) for minute in range(61)]
    waypoints = tuple(
        Waypoint(START_MS + minute * 60_000, Position.from_degrees(*place), 12_000 * FOOT_TMM)
        for minute, place in enumerate(places)
    )
    tubes = filled(Trajectory(AltitudeReference.AMSL, waypoints), grid, {})
    assert 150 <= len(cover(tubes, grid)) <= 300
    assert 4_000 <= len(cover(tubes, grid, grid.minima)) <= 6_500
