"""Altitude references: what compares, what widens, and what is never clear."""

import pytest

from deconflict.airspace import AltitudeReference
from deconflict.errors import InvalidAltitudeError, InvalidGeometryError
from deconflict.separation import (
    AltitudeConversions,
    Finding,
    FindingKind,
    Minima,
    MinimaTable,
    Verdict,
    check,
)
from oracle.builders import area, circle, flight, minima, screened, volume

FT = 3_048
W84, AMSL, FL, AGL = (
    AltitudeReference.W84,
    AltitudeReference.AMSL,
    AltitudeReference.FL,
    AltitudeReference.AGL,
)
NEAR = ((0, 48.0, 9.0), (3_600, 48.0, 12.0))


def level(key: str, feet: float, reference: AltitudeReference, shift_deg: float = 0.0):
    return flight(
        key, [(t, lat + shift_deg, lon, feet) for t, lat, lon in NEAR], reference=reference
    )


def only(found: tuple[Finding, ...]) -> Finding:
    assert len(found) == 1
    return found[0]


def test_references_without_a_conversion_are_never_clear() -> None:
    finding = only(screened(level("a", 35_000, AMSL), level("b", 1_000, FL)))
    assert finding.verdict is Verdict.INCOMPARABLE
    assert finding.kind is FindingKind.INCOMPARABLE
    assert finding.cpa_vertical_tmm is None


def test_references_without_a_conversion_are_clear_when_apart_in_place_or_time() -> None:
    assert screened(level("a", 35_000, AMSL), level("b", 35_000, FL, shift_deg=1.0)) == ()
    later = flight("b", [(4_000, 48.0, 9.0, 35_000), (5_000, 48.0, 9.1, 35_000)], reference=FL)
    assert screened(level("a", 35_000, AMSL), later) == ()


def test_heights_above_ground_do_not_compare_with_one_another_unless_named() -> None:
    pair = (level("a", 1_000, AGL), level("b", 9_000, AGL))
    assert only(screened(*pair)).verdict is Verdict.INCOMPARABLE
    flat = AltitudeConversions({(AGL, AGL): (-100 * FT, 100 * FT)})
    assert screened(*pair, conversions=flat) == ()


def test_a_conversion_widens_by_what_it_leaves_open() -> None:
    # AMSL to W84 here: 40 to 60 ft higher.
    known = AltitudeConversions({(AMSL, W84): (40 * FT, 60 * FT)})
    assert len(screened(level("a", 1_000, AMSL), level("b", 2_059, W84), conversions=known)) == 1
    assert screened(level("a", 1_000, AMSL), level("b", 2_060, W84), conversions=known) == ()
    assert len(screened(level("a", 2_941, W84), level("b", 3_900, AMSL), conversions=known)) == 1
    assert len(screened(level("a", 2_961, W84), level("b", 3_900, AMSL), conversions=known)) == 1
    assert screened(level("a", 2_940, W84), level("b", 3_900, AMSL), conversions=known) == ()


def test_the_same_conversion_named_the_other_way_round_gives_the_same() -> None:
    forward = AltitudeConversions({(AMSL, W84): (40 * FT, 61 * FT + 1)})
    backward = AltitudeConversions({(W84, AMSL): (-61 * FT - 1, -40 * FT)})
    pair = (level("a", 1_000, AMSL), level("b", 2_059, W84))
    assert screened(*pair, conversions=forward) == screened(*pair, conversions=backward)


def test_surface_and_unlimited_compare_with_anything() -> None:
    column = area("b", volume(circle(48.0, 10.0, 10_000.0), reference=AGL))
    finding = only(screened(level("a", 35_000, FL), column))
    assert finding.verdict is Verdict.CONFLICT
    assert finding.cpa_vertical_tmm == 0


def test_a_ceiling_in_another_reference_is_unknown() -> None:
    low = area("b", volume(circle(48.0, 10.0, 10_000.0), feet=(None, 500), reference=AGL))
    assert only(screened(level("a", 35_000, FL), low)).verdict is Verdict.INCOMPARABLE


def test_two_volumes_from_the_surface_meet_there_in_any_reference() -> None:
    a = area("a", volume(circle(48.0, 10.0, 1_000.0), feet=(None, 500), reference=AGL))
    b = area("b", volume(circle(48.0, 10.0, 1_000.0), feet=(None, 5_000), reference=AMSL))
    assert only(screened(a, b)).verdict is Verdict.CONFLICT


def test_minima_are_chosen_by_purpose_whichever_way_round() -> None:
    a = level("a", 9_000, AMSL)
    b = area("b", volume(circle(48.5, 10.0, 1_000.0)))
    table = MinimaTable(Minima(0.0, 0), {frozenset({"ACTIVITY", "FLIGHT"}): Minima(60_000.0, 0)})
    for pair in ((a, b), (b, a)):
        found = check(pair, minima=table, conversions=AltitudeConversions())
        assert only(found).minima == Minima(60_000.0, 0)
    assert check((a, b), minima=minima(0.0, 0), conversions=AltitudeConversions()) == ()


@pytest.mark.parametrize("lateral_m", [float("nan"), -1.0, float("inf"), 2e6])
def test_minima_that_mean_nothing_are_refused(lateral_m: float) -> None:
    with pytest.raises(InvalidGeometryError):
        Minima(lateral_m, 0)


def test_conversions_that_contradict_themselves_are_refused() -> None:
    with pytest.raises(InvalidAltitudeError):
        AltitudeConversions({(AMSL, W84): (5, 1)})
    with pytest.raises(InvalidAltitudeError):
        AltitudeConversions({(AMSL, W84): (0, 0), (W84, AMSL): (0, 0)})


def test_a_candidate_is_checked_against_others_only() -> None:
    a, b, c = level("a", 9_000, AMSL), level("b", 9_000, AMSL), level("c", 9_000, AMSL)
    found = check((a,), others=(b, c, a), minima=minima(), conversions=AltitudeConversions())
    assert [(f.first, f.second) for f in found] == [("a", "b"), ("a", "c")]
