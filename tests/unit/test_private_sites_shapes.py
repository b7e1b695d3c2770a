"""What a planner may ask about: every geometry that can be declared, at any time and altitude."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deconflict.airspace.altitude import AltitudeBand, AltitudeReference
from deconflict.airspace.geometry import Geometry
from deconflict.airspace.instant import TimeSpan, format_utc
from deconflict.airspace.outline import Circle, Corridor, Outline, Polygon
from deconflict.airspace.position import Position
from deconflict.airspace.trajectory import Trajectory, Waypoint
from deconflict.airspace.volume import Volume
from deconflict.messages.private_bodies import PrivateMode, PrivatePropose
from deconflict.node.private.site_files import SiteCaps, SiteFiles, SitesFile, given_until
from deconflict.sealed.plane import Plane
from deconflict.sealed.session import Outcome
from node_pair import node_pair
from private_samples import FIRST_MS, CheckedPair
from private_talk import RunPair, sortie
from site_pair import ASKED, TERMS, hospital, propose_sites

_HOUR_MS = 3_600_000
_PLANE = Plane(Position(354_000_000, 359_000_000))
_CAPS = SiteCaps(points_a_query=64, queries_a_day=9, share_per_mille=900, share_all_per_mille=900)
# Long over, and of heights above the ground, which no terms convert: neither counts for sites.
_LONG_AGO = TimeSpan(FIRST_MS - 1_000 * _HOUR_MS, FIRST_MS - 999 * _HOUR_MS)
_BAND = AltitudeBand(AltitudeReference.AGL, 900_000, 90_000_000)


def at(x_km: float, y_km: float) -> Position:
    return Position.from_degrees(*_PLANE.position_of(x_km * 1e6, y_km * 1e6))


def volume(outline: Outline) -> Geometry:
    return (Volume(outline, _BAND, _LONG_AGO),)


def square(half_km: float) -> Polygon:
    """Around the middle of the grid."""
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return Polygon(tuple(at(x * half_km, y * half_km) for x, y in corners))


def flight(*places: tuple[float, float]) -> Geometry:
    points = tuple(
        Waypoint(_LONG_AGO.start_ms + number * 600_000, at(*place), 900_000)
        for number, place in enumerate(places)
    )
    return Trajectory(AltitudeReference.AGL, points)


SHAPES: dict[str, Geometry] = {
    "circle": volume(Circle(at(0, 0), 20_000_000)),
    "polygon": volume(square(25)),
    "corridor": volume(Corridor((at(-30, 0), at(30, 0)), 2_000_000)),
    "trajectory": flight((-60, 0), (60, 0)),
}


@pytest.fixture
def checked() -> Iterator[CheckedPair]:
    with node_pair(private_check=TERMS) as pair:
        yield CheckedPair(pair)


def asked(
    checked: CheckedPair, folder: Path, geometry: Geometry, site: tuple[float, float]
) -> RunPair:
    pair = RunPair(checked, folder)
    pair.fly("blue", replace(sortie("viper", 0.0, 0.0), geometry=geometry))
    now_ms = checked.pair.world.now.utc_ms
    files = SiteFiles(pair.files["red"].folder)
    files.set_sites(SitesFile(format_utc(now_ms), (hospital(*site),), 0, "07" * 32, _CAPS))
    files.set_consent(pair.line_id, given_until("blue", "anna", now_ms, now_ms + _HOUR_MS))
    pair.run()
    return pair


@pytest.mark.parametrize("shape", SHAPES)
def test_a_site_within_any_shape_is_a_hit(checked: CheckedPair, tmp_path: Path, shape: str) -> None:
    propose_sites(checked)
    # In the middle, which no edge of the polygon comes near.
    found = asked(checked, tmp_path, SHAPES[shape], (5.0, 5.0)).finding("blue")
    assert (found.outcome, found.whole) == (Outcome.HIT, True)
    assert {met.sorties for met in found.at_sites} == {("viper",)}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_site_away_from_any_shape_is_none(
    checked: CheckedPair, tmp_path: Path, shape: str
) -> None:
    propose_sites(checked)
    found = asked(checked, tmp_path, SHAPES[shape], (5.0, 155.0)).finding("blue")
    assert (found.outcome, found.whole) == (Outcome.NO_HIT, True)


def test_a_shape_of_more_squares_than_points_is_not_checked_and_says_so(
    checked: CheckedPair, tmp_path: Path
) -> None:
    propose_sites(checked)
    found = asked(checked, tmp_path, volume(square(45)), (5.0, 5.0)).finding("blue")
    assert (found.outcome, found.reason) == (Outcome.NOT_CHECKED, "PLAN_TOO_LARGE")
    assert found.ended_by == "blue"


def test_a_shape_that_leaves_the_grid_is_not_checked_and_says_so(
    checked: CheckedPair, tmp_path: Path
) -> None:
    propose_sites(checked)
    corridor = volume(Corridor((at(0, 0), at(260, 0)), 2_000_000))
    found = asked(checked, tmp_path, corridor, (5.0, 5.0)).finding("blue")
    assert (found.outcome, found.reason) == (Outcome.NOT_CHECKED, "PLAN_LEAVES_GRID")


def test_who_protects_may_propose_and_the_other_plans(checked: CheckedPair, tmp_path: Path) -> None:
    checked.propose(
        PrivatePropose(
            mode=PrivateMode.SITES,
            grid=TERMS.document_hash,
            start_utc=format_utc(FIRST_MS),
            runs=1,
            sites=ASKED,
        ),
        by="red",
    )
    checked.accept(by="blue")
    pair = asked(checked, tmp_path, SHAPES["polygon"], (5.0, 5.0))
    found = pair.finding("blue")
    assert (found.outcome, found.whole) == (Outcome.HIT, True)
    assert pair.finding("red").outcome is None
