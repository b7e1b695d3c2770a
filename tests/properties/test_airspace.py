"""What holds for every geometry and every way to write a position."""

import json
from itertools import combinations
from random import Random

import pytest
import shapely
from hypothesis import assume, example, given
from hypothesis import strategies as st

from deconflict.airspace import (
    Geometry,
    Polygon,
    Position,
    format_utc,
    geometry_from_wire,
    geometry_to_wire,
    parse_utc,
    span_of,
)
from deconflict.airspace.geodesy import direct, farthest_mm, inverse
from deconflict.airspace.notation import echo, parse_position
from deconflict.airspace.quantity import (
    Altitude,
    format_altitude,
    format_distance,
    format_duration,
    format_height,
    parse_altitude,
    parse_distance,
    parse_duration,
    parse_height,
)
from deconflict.errors import InvalidGeometryError, InvalidInputError, InvalidPositionError
from deconflict.formats.pasted import read_pasted
from effort import examples
from geometry_strategies import LAST_MS, altitudes, geometries, positions, references, star_rings


@given(geometries)
@examples(150)
def test_the_signed_form_gives_back_an_equal_geometry(geometry: Geometry) -> None:
    said = json.loads(json.dumps(geometry_to_wire(geometry)))
    assert geometry_from_wire(said) == geometry
    assert span_of(geometry).duration_ms >= 1


@given(positions)
@example(Position(900_000_000, 0))
@example(Position(-900_000_000, -1_800_000_000))
@example(Position(840_000_000, 0))
@example(Position(-800_000_000, 60_000_000))
@example(Position(399_999_999, 359_999_999))
@examples(500)
def test_every_echo_is_read_back(position: Position) -> None:
    said = echo(position)
    assert parse_position(said.decimal) == position
    assert parse_position(said.dms) == position
    assert inverse(parse_position(said.mgrs), position).distance_m <= 0.75


@given(positions, positions)
@example(Position(900_000_000, 0), Position(899_999_999, 0))
@example(Position(900_000_000, 0), Position(-900_000_000, 0))
@example(Position(0, 0), Position(0, 1))
@example(Position(0, -1_800_000_000), Position(0, 1_799_999_999))
@examples(500)
def test_a_quick_length_is_never_below_the_true_one(a: Position, b: Position) -> None:
    assert farthest_mm(a, b) >= inverse(a, b).distance_m * 1_000
    assert farthest_mm(a, b) == farthest_mm(b, a)


@given(
    st.one_of(
        st.text(max_size=130), st.text("0123456789 .,-+°'\"NSEWnsewABYZlatlon:;/", max_size=40)
    )
)
@examples(600)
def test_no_text_raises_anything_but_a_refusal(text: str) -> None:
    try:
        read = parse_position(text)
    except InvalidPositionError:
        return
    assert isinstance(read, Position)


@given(
    st.integers(0, 99),
    st.sampled_from("CDEFGHJKLMNPQRSTUVWX"),
    st.text("ABCDEFGHJKLMNPQRSTUVWXYZ", min_size=2, max_size=2),
    st.text("0123456789", min_size=10, max_size=10),
)
@examples(400)
def test_a_grid_reference_is_refused_or_lies_in_its_own_zone(
    zone: int, band: str, square: str, digits: str
) -> None:
    reference = f"{zone:02d}{band}{square}{digits}"
    try:
        position = parse_position(reference)
    except InvalidPositionError:
        return
    said = echo(position).mgrs
    if said[:3] != reference[:3]:  # the middle of the square may lie just beyond its zone's edge
        south = -80.0 + 8.0 * "CDEFGHJKLMNPQRSTUVWX".index(band)
        edges_deg = (position.lat_deg - south, position.lat_deg - south - 8.0)
        west = 6.0 * zone - 186.0
        edges_deg += ((position.lon_deg - west), (position.lon_deg - west - 6.0))
        assert min(map(abs, edges_deg)) < 1e-3
    assert said[3:] == reference[3:] or said[:3] != reference[:3]


@given(st.text(max_size=70))
@examples(300)
def test_no_text_breaks_a_parser_of_times_and_quantities(text: str) -> None:
    for parse in (parse_utc, parse_altitude, parse_distance, parse_height, parse_duration):
        try:
            parse(text)  # type: ignore[operator]
        except InvalidInputError:
            continue


@given(st.integers(0, LAST_MS))
def test_every_instant_is_read_back(utc_ms: int) -> None:
    assert parse_utc(format_utc(utc_ms)) == utc_ms


@given(references, altitudes, st.integers(0, 5 * 10**9), st.integers(0, 10**8))
def test_every_quantity_is_read_back(
    reference: str, tmm: int, distance_mm: int, duration_ms: int
) -> None:
    altitude = Altitude(reference, tmm)  # type: ignore[arg-type]
    assert parse_altitude(format_altitude(altitude)) == altitude
    assert parse_distance(format_distance(distance_mm)) == distance_mm
    assert parse_height(format_height(abs(tmm))) == abs(tmm)
    assert parse_duration(format_duration(duration_ms)) == duration_ms


@given(star_rings(), st.integers(0, 11), st.booleans())
@examples(150)
def test_a_star_is_simple_from_any_vertex_either_way_round(
    ring: list[Position], first: int, backwards: bool
) -> None:
    turned = ring[first % len(ring) :] + ring[: first % len(ring)]
    assert Polygon(tuple(turned[::-1] if backwards else turned))


@given(star_rings(reach_m=3_000_000.0, least=5, least_share=1.0), st.integers(0, 10))
@examples(150)
def test_two_neighbours_exchanged_make_any_round_ring_cross(
    ring: list[Position], first: int
) -> None:
    k = first % (len(ring) - 1)
    ring[k], ring[k + 1] = ring[k + 1], ring[k]
    with pytest.raises(InvalidGeometryError, match="crosses itself"):
        Polygon(tuple(ring))


@given(
    st.integers(-700_000_000, 700_000_000),
    st.integers(-1_800_000_000, 1_799_999_999),
    st.floats(0.0, 360.0),
    st.floats(60_000.0, 12_000_000.0),
    st.floats(0.3, 0.7),
)
@examples(150)
def test_a_notch_is_judged_by_the_geodesic_to_a_metre(
    lat_e7: int, lon_e7: int, azimuth_deg: float, length_m: float, share: float
) -> None:
    start = Position(lat_e7, lon_e7)
    end = direct(start, azimuth_deg, length_m)
    whole_m, towards_deg, _ = inverse(start, end)

    def beside(part: float, left_m: float) -> Position:
        on_it = direct(start, towards_deg, whole_m * part)
        return direct(on_it, inverse(on_it, end).azimuth_ab_deg - 90.0, left_m)

    after, before = beside(share + 0.1, 10_000.0), beside(share - 0.1, 10_000.0)
    assert Polygon((start, end, after, beside(share, 1.0), before))
    with pytest.raises(InvalidGeometryError, match="crosses itself"):
        Polygon((start, end, after, beside(share, -1.0), before))


Cell = tuple[int, int]


def _side(a: Cell, b: Cell, c: Cell) -> float:
    """Distance of c from the line a-b in cells, signed."""
    (ax, ay), (bx, by), (cx, cy) = a, b, c
    length = ((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5
    return ((bx - ax) * (cy - ay) - (by - ay) * (cx - ax)) / length


def _deep_crossing(ring: list[Cell]) -> bool:
    edges = list(zip(ring, ring[1:] + ring[:1], strict=True))
    for (a, b), (c, d) in combinations(edges, 2):
        seen = (_side(a, b, c), _side(a, b, d), _side(c, d, a), _side(c, d, b))
        if seen[0] * seen[1] < 0 and seen[2] * seen[3] < 0 and min(map(abs, seen)) > 0.01:
            return True
    return False


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=3, max_size=9, unique=True
    ),
    st.floats(-70.0, 70.0),
    st.sampled_from([-180.0, -179.999, 0.0, 37.0, 179.999]),
)
@examples(400)
def test_small_rings_are_judged_as_in_the_plane(
    cells: list[Cell], lat_deg: float, lon_deg: float
) -> None:
    # One cell is 1e-4 degrees (11 m north); the ring spans 330 m, where a geodesic bows by at most
    # 4 cm, so what clears or crosses by more must come out the same.
    ring = shapely.Polygon(cells)
    clear = ring.is_valid and shapely.minimum_clearance(ring.exterior) > 0.2
    crossing = _deep_crossing(cells)
    assume(clear or crossing)
    lat_e7, lon_e7 = round(lat_deg * 1e7), round(lon_deg * 1e7)
    vertices = tuple(
        Position(
            lat_e7 + 1000 * y, (lon_e7 + 1000 * x + 1_800_000_000) % 3_600_000_000 - 1_800_000_000
        )
        for x, y in cells
    )
    if clear:
        assert Polygon(vertices)
    else:
        with pytest.raises(InvalidGeometryError, match="crosses itself"):
            Polygon(vertices)


@given(st.lists(positions, min_size=1, max_size=6), st.randoms(use_true_random=False))
@examples(60)
def test_a_pasted_column_in_any_mix_of_notations_is_the_places_it_says(
    places: list[Position], rng: Random
) -> None:
    lines = [rng.choice([echo(place).decimal, echo(place).dms]) for place in places]
    (draft,) = read_pasted("\n".join(lines).encode()).drafts
    assert draft.places == tuple(places)
    cells = ["lon;note;lat", *(f"{p.lon_deg:.7f};x;{p.lat_deg:.7f}" for p in places)]
    for text in ("\n".join(cells), "\n".join(cells).replace(".", ",")):
        (table,) = read_pasted(text.encode()).drafts
        assert table.places == tuple(places)
