"""Advice and plans for small skies that can be checked by head."""

from dataclasses import replace

import numpy as np
import pytest

from deconflict import _kernel
from deconflict.advise import Advice, Change, ChangeKind, SearchLimits, advise, plan
from deconflict.advise.change import changed
from deconflict.advise.packing import sky_of
from deconflict.advise.sky import Sky
from deconflict.airspace import AltitudeReference
from deconflict.airspace.instant import MAX_UTC_MS
from deconflict.errors import InvalidGeometryError, InvalidInputError
from deconflict.separation import AltitudeConversions, Extent, Minima, MinimaTable, check
from oracle.builders import T0_MS, area, circle, corridor, flight, minima, polygon, volume

FEET = 3_048
NM = 1_852_000
KNOWN = {"minima": minima(), "conversions": AltitudeConversions()}
# East along the equator at 222.6 m/s, and north across its middle at 176.9 m/s.
EAST = flight("east", [(0, 0.0, 39.0, 30_000), (1000, 0.0, 41.0, 30_000)])
NORTH = flight("north", [(0, -0.8, 40.0, 30_000), (1000, 0.8, 40.0, 30_000)])


def one(movable: Extent, *others: Extent, **limits: int) -> Advice:
    (found,) = advise([movable], others=others, limits=SearchLimits(**limits), **KNOWN)
    return found


def changes(found: Advice) -> list[Change]:
    return [option.change for option in found.options]


def holds(extent: Extent, found: Advice, *others: Extent) -> None:
    for option in found.options:
        assert not check([replace(extent, geometry=option.geometry)], others=others, **KNOWN)


def test_a_crossing_is_ended_each_way() -> None:
    found = one(EAST, NORTH)
    assert found.conflicts == ("north",)
    shifts, levels, offsets = changes(found)[:2], changes(found)[2:4], changes(found)[4:]
    # The least distance is |shift|·u·w/√(u² + w²): 9,260 m at 66.9 s.
    assert sorted(c.shift_ms for c in shifts) == [-67_000, 67_000]
    assert sorted(c.level_tmm for c in levels) == [-1_000 * FEET, 1_000 * FEET]
    # Aside, the crossing is reached at another time: 9,260 m·√(u² + w²)/u, 11.8 km or 6.4 NM.
    assert sorted(c.offset_mm for c in offsets) == [-7 * NM, 7 * NM]
    holds(EAST, found, NORTH)


def test_what_conflicts_with_nothing_gets_no_advice() -> None:
    above = flight("above", [(0, -0.8, 40.0, 31_000), (1000, 0.8, 40.0, 31_000)])
    assert advise([EAST], others=[above], **KNOWN) == ()


def test_none_within_the_limits_is_said_so() -> None:
    found = one(EAST, NORTH, earlier_ms=60_000, later_ms=60_000, up_tmm=0, down_tmm=0,
                left_mm=0, right_mm=0)  # fmt: skip
    assert found.options == ()
    assert not found.under_way


def test_two_kinds_together_where_no_single_one_does() -> None:
    # Level with it and above for good: it must go down, which a second one keeps it from for long.
    shadow = flight("shadow", [(0, 0.0, 39.0, 29_000), (1000, 0.0, 41.0, 29_000)])
    roof = flight("roof", [(0, 0.0, 39.0, 31_000), (1000, 0.0, 41.0, 31_000)])
    narrow = {"earlier_ms": 60_000, "later_ms": 60_000, "up_tmm": 1_000 * FEET,
              "down_tmm": 1_000 * FEET, "left_mm": 0, "right_mm": 0}  # fmt: skip
    found = one(EAST, NORTH, shadow, roof, **narrow)
    assert found.options, found
    assert all(c.kinds == (ChangeKind.SHIFT, ChangeKind.LEVEL) for c in changes(found))
    holds(EAST, found, NORTH, shadow, roof)


def test_eta_windows_are_kept() -> None:
    window = flight("east", [(0, 0.0, 39.0, 30_000), (1000, 0.0, 41.0, 30_000)], window_s=30)
    shifts = sorted(c.shift_ms for c in changes(one(window, NORTH)) if c.shift_ms)
    assert shifts == [-97_000, 97_000]


def test_containment_is_kept() -> None:
    wide = flight("east", [(0, 0.0, 39.0, 30_000), (1000, 0.0, 41.0, 30_000)], vertical_ft=500)
    levels = {c.level_tmm for c in changes(one(wide, NORTH)) if c.level_tmm}
    assert levels == {2_000 * FEET, -2_000 * FEET}


def test_areas_are_passed_before_or_after_above_or_beside() -> None:
    hold = area("hold", volume(circle(0.0, 40.0, 20_000), feet=(29_000, 31_000), seconds=(0, 3600)))
    found = one(EAST, hold, earlier_ms=3_600_000, later_ms=3_600_000, up_tmm=6_000 * FEET)
    by_kind = {
        c.kinds[0]: [d for d in changes(found) if d.kinds == c.kinds] for c in changes(found)
    }
    # In at 368.6 s and out at 631.4 s: earlier by more than that, or later than to 3,600 s.
    assert sorted(c.shift_ms for c in by_kind[ChangeKind.SHIFT]) == [-632_000, 3_232_000]
    # Closed: exactly 1,000 ft from the band is still a conflict.
    assert {c.level_tmm for c in by_kind[ChangeKind.LEVEL]} == {3_000 * FEET, -3_000 * FEET}
    assert {abs(c.offset_mm) for c in by_kind[ChangeKind.OFFSET]} <= {16 * NM, 17 * NM}
    holds(EAST, found, hold)


@pytest.mark.parametrize(
    "outline",
    [
        circle(0.0, 40.0, 20_000),
        corridor(9_000, (-0.5, 40.0), (0.5, 40.1)),
        polygon((-0.2, 39.8), (-0.2, 40.2), (0.2, 40.2), (0.2, 39.8)),
    ],
    ids=["circle", "corridor", "polygon"],
)
def test_an_own_area_moves_in_time_and_height(outline) -> None:
    own = area("own", volume(outline, feet=(29_000, 31_000), seconds=(200, 900)))
    other = area("other", volume(circle(0.1, 40.1, 5_000), feet=(30_000, 40_000), seconds=(0, 700)))
    for others in ([EAST], [other], [EAST, other]):
        found = one(own, *others, down_tmm=10_000 * FEET, up_tmm=20_000 * FEET)
        assert {c.kinds[0] for c in changes(found)} == {ChangeKind.SHIFT, ChangeKind.LEVEL}
        holds(own, found, *others)


def test_a_flight_within_an_area_from_end_to_end_gets_no_offset_into_it() -> None:
    wide = area(
        "wide", volume(circle(0.0, 40.0, 400_000), feet=(29_000, 31_000), seconds=(-7200, 7200))
    )
    assert {c.kinds[0] for c in changes(one(EAST, wide))} == {ChangeKind.LEVEL}


def test_nothing_is_brought_below_zero() -> None:
    low = [flight(k, [(t, lat, lon, 500) for t, lat, lon, _ in points]) for k, points in (
        ("a", [(0, 0.0, 39.0, 0), (1000, 0.0, 41.0, 0)]),
        ("b", [(0, -0.8, 40.0, 0), (1000, 0.8, 40.0, 0)]),
    )]  # fmt: skip
    assert {c.level_tmm for c in changes(one(*low)) if c.level_tmm} == {1_000 * FEET}


def test_an_area_without_ceiling_has_no_level_to_change() -> None:
    own = area("own", volume(circle(0.0, 40.0, 20_000), feet=(1_000, None), seconds=(0, 900)))
    assert {c.kinds[0] for c in changes(one(own, EAST))} == {ChangeKind.SHIFT}


def test_altitudes_that_do_not_compare_are_never_free_by_level() -> None:
    other = flight("north", [(0, -0.8, 40.0, 9_000), (1000, 0.8, 40.0, 9_000)],
                   reference=AltitudeReference.W84)  # fmt: skip
    kinds = {c.kinds[0] for c in changes(one(EAST, other))}
    assert kinds == {ChangeKind.SHIFT, ChangeKind.OFFSET}


def test_what_began_is_let_alone_and_nothing_begins_before_now() -> None:
    began = one(EAST, NORTH, not_before_ms=T0_MS + 1)
    assert began.under_way
    assert began.options == ()
    soon = one(EAST, NORTH, not_before_ms=T0_MS - 60_000)
    assert [c.shift_ms for c in changes(soon) if c.shift_ms] == [67_000]


def test_nothing_begins_before_1970_nor_ends_after_2199() -> None:
    for to, kept in (
        ((30_000 - T0_MS), 67_000),
        ((MAX_UTC_MS - 30_000 - T0_MS - 1_000_000), -67_000),
    ):
        east, north = (
            replace(each, geometry=changed(each.geometry, Change(shift_ms=to)))
            for each in (EAST, NORTH)
        )
        found = one(east, north)
        assert [c.shift_ms for c in changes(found) if c.shift_ms] == [kept]
        made = plan([north, east], others=[], **KNOWN)
        assert made.not_freed == ()
        assert made.changes["east"].shift_ms == kept


def test_own_flights_that_conflict_as_planned_are_let_be_but_no_other_pair_is_made() -> None:
    def mine(extent: Extent) -> Extent:
        return replace(extent, party="mine")

    wing = flight("wing", [(0, 0.01, 39.0, 30_000), (1000, 0.01, 41.0, 30_000)])
    assert advise([mine(EAST), mine(wing)], others=[], **KNOWN) == ()
    # A thousand feet above is one's own: the change of level goes elsewhere.
    roof = flight("roof", [(0, 0.0, 39.0, 31_000), (1000, 0.0, 41.0, 31_000)])
    found = advise([mine(EAST), mine(wing), mine(roof)], others=[NORTH], **KNOWN)
    levels = {c.level_tmm for c in changes(found[0]) if c.level_tmm}
    assert levels == {-1_000 * FEET, 2_000 * FEET}


def test_a_key_twice_and_a_geometry_that_cannot_be_checked_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="one name"):
        advise([EAST], others=[EAST], **KNOWN)
    slow = flight("slow", [(0, 0.0, 39.0, 30_000), (116 * 86_400, 0.0, 41.0, 30_000)])
    with pytest.raises(InvalidGeometryError, match="slow"):
        advise([EAST], others=[slow], **KNOWN)


def test_a_plan_frees_all_and_changes_the_less_important() -> None:
    late = flight("late", [(500, -0.8, 40.5, 30_000), (1500, 0.8, 40.5, 30_000)])
    made = plan([EAST, NORTH, late], others=[], **KNOWN)
    assert made.remaining == ()
    assert made.not_freed == ()
    assert "east" not in made.changes
    assert not check(made.extents, **KNOWN)


def test_what_cannot_be_freed_is_named_and_the_rest_is_freed() -> None:
    wall = area(
        "wall", volume(circle(0.0, 40.0, 400_000), feet=(29_500, 30_500), seconds=(-7200, 7200))
    )
    far = flight("far", [(0, 55.0, 39.0, 30_000), (1000, 55.0, 41.0, 30_000)])
    near = flight("near", [(0, 55.01, 39.0, 30_000), (1000, 55.01, 41.0, 30_000)])
    only = SearchLimits(up_tmm=0, down_tmm=0)
    made = plan([EAST, far, near], others=[wall], limits=only, **KNOWN)
    assert made.not_freed == ("east",)
    assert {key for f in made.remaining for key in (f.first, f.second)} == {"east", "wall"}
    assert list(made.changes) == ["near"]


def test_the_more_important_moves_where_the_less_important_cannot() -> None:
    roof, floor = (
        flight(k, [(0, -0.8, 40.0, feet), (1000, 0.8, 40.0, feet)])
        for k, feet in (("roof", 31_000), ("floor", 29_000))
    )
    only = SearchLimits(later_ms=0, earlier_ms=0, left_mm=0, right_mm=0, up_tmm=1_000 * FEET,
                        down_tmm=1_000 * FEET)  # fmt: skip
    made = plan([EAST, NORTH], others=[roof, floor], limits=only, **KNOWN)
    # North is held between the two, and so is east where they cross: neither has a level.
    assert made.not_freed == ("east", "north")
    made = plan([EAST, NORTH], others=[roof], limits=only, **KNOWN)
    assert made.not_freed == ()
    assert made.changes["north"] == Change(level_tmm=-1_000 * FEET)


def test_kinds_are_tried_in_the_order_asked_for() -> None:
    for kind in ChangeKind:
        made = plan([EAST, NORTH], others=[], order=(kind, *ChangeKind), **KNOWN)
        assert [c.kinds for c in made.changes.values()] == [(kind,)]


def test_a_closed_form_that_forbids_too_little_is_caught_by_the_screen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A planted fault: every forbidden span loses 20 s at both ends."""
    honest = Sky.forbidden

    def careless(self, *args, **kwargs):
        found = honest(self, *args, **kwargs)
        for by_kind in found:
            if ChangeKind.SHIFT in by_kind:
                spans = by_kind[ChangeKind.SHIFT].spans
                by_kind[ChangeKind.SHIFT] = type(by_kind[ChangeKind.SHIFT])(
                    (start + 20_000, end - 20_000) for start, end in spans
                )
        return found

    monkeypatch.setattr(Sky, "forbidden", careless)
    found = one(EAST, NORTH, shift_step_ms=5_000)
    holds(EAST, found, NORTH)
    assert {abs(c.shift_ms) for c in changes(found) if c.shift_ms} == {70_000}


def test_a_screen_that_passes_everything_is_caught_by_the_certificate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Planted faults: nothing is forbidden, and every candidate holds."""
    monkeypatch.setattr(Sky, "hold", lambda self, candidates: [True] * len(candidates))
    honest = Sky.forbidden

    def blind(self, *args, **kwargs):
        return [
            {kind: type(held)([]) for kind, held in by_kind.items()}
            for by_kind in honest(self, *args, **kwargs)
        ]

    monkeypatch.setattr(Sky, "forbidden", blind)
    assert one(EAST, NORTH).options == ()


def test_minima_of_the_purposes_hold() -> None:
    table = MinimaTable(Minima(0.0, 0), {frozenset({"FLIGHT"}): Minima(1_000.0, 500 * FEET)})
    (found,) = advise([EAST], others=[NORTH], minima=table, conversions=AltitudeConversions())
    assert {abs(c.shift_ms) for c in changes(found) if c.shift_ms} == {8_000}


def test_an_offset_that_would_need_too_many_waypoints_is_not_offered() -> None:
    # 9,999 legs of 150 km would each get a place in between.
    there = [(100 * k, 0.0, 39.0 + 1.35 * (k % 2), 30_000) for k in range(10_000)]
    long = flight("long", there)
    found = one(long, NORTH, offset_step_mm=20 * NM, up_tmm=0, down_tmm=0, later_ms=0, earlier_ms=0)
    assert found.options == ()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, 1e300])
def test_the_kernel_takes_any_number_for_a_limit(value: float) -> None:
    sky, _ = sky_of([EAST], [NORTH], **KNOWN)
    found = _kernel.forbidden(
        sky.table.trajectories,
        sky.table.volumes,
        sky.minima,
        sky.references,
        {"movers": np.array([0], np.uint32), "offsets_m": np.array([value])},
        early_s=value,
        late_s=value,
        down_tmm=-(2**63),
        up_tmm=2**63 - 1,
    )
    assert set(found) == {"shift", "level", "offset"}


def test_the_kernel_refuses_a_mover_that_is_no_row_and_paths_that_do_not_fit() -> None:
    sky, _ = sky_of([EAST], [NORTH], **KNOWN)
    columns = sky.table.trajectories
    with pytest.raises(_kernel.RefusedInput, match="movers"):
        _kernel.forbidden(
            columns,
            sky.table.volumes,
            sky.minima,
            sky.references,
            {"movers": np.array([2], np.uint32), "offsets_m": np.zeros(0)},
        )
    at_ms = np.zeros(4, np.int64)
    with pytest.raises(ValueError, match="do not fit"):
        _kernel.moved_aside(columns | {"at_ms": at_ms}, np.zeros(1))
    with pytest.raises(ValueError, match="do not fit"):
        _kernel.moved_aside(columns | {"at_ms": at_ms[:3]}, np.ones(2))
    wrong = columns | {"at_ms": at_ms, "lat_deg": np.full(4, np.nan)}
    with pytest.raises(ValueError, match="lat"):
        _kernel.moved_aside(wrong, np.ones(2))
