"""What others published of distances, nearest approaches and conflicts, through the kernel."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from deconflict import _kernel
from deconflict.separation import Conflicts, Minima, screen
from deconflict.separation.flights import Flights
from deconflict.separation.volumes import Volumes

VECTORS = Path(__file__).parents[2] / "vectors"
GEODESICS, APPROACHES, INTENTS = (
    json.loads((VECTORS / f"{name}.json").read_text())
    for name in ("geodesics", "nearest-approach", "flight-intents")
)
MOST_LATERAL_M = 1_000_000.0
LONGEST_LEG_M = 19_900_000.0
SPEED_MPS = 250.0
Waypoint = Sequence[float]  # seconds, latitude, longitude


def screened(*ways: Sequence[Waypoint], lateral_m: float) -> Conflicts:
    flights = Flights.of(
        {
            "lat_deg": [point[1] for way in ways for point in way],
            "lon_deg": [point[2] for way in ways for point in way],
            "time_s": [float(point[0]) for way in ways for point in way],
            "altitude_ft": [1_000 for way in ways for _ in way],
        },
        offsets=[0, *(sum(map(len, ways[: k + 1])) for k in range(len(ways)))],
        reference="AMSL",
    )
    return screen(flights, minima=Minima(lateral_m, 3_048))


def hovering(place: Sequence[float], until_s: float = 60.0) -> list[Waypoint]:
    return [(at_s, *place) for at_s in (0.0, until_s)]


def cases(document: dict[str, Any]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", document["cases"], ids=lambda case: case["name"])


@cases(GEODESICS)
def test_a_published_geodesic_has_its_published_length(case: dict[str, Any]) -> None:
    one, other, length_m = case["first_deg"], case["second_deg"], case["distance_m"]
    for ends in ((one, other), (other, one)):
        told_m, _, _ = _kernel.geodesic_inverse(*ends[0], *ends[1])
        assert abs(told_m - length_m) <= max(case["within_m"], 2e-8)  # its own bound is 15 nm
    if "azimuth_deg" in case:
        lat, lon, _ = _kernel.geodesic_direct(*one, case["azimuth_deg"], length_m)
        assert abs(lat - other[0]) < 1e-12
        assert abs(math.remainder(lon - other[1], 360.0)) < 1e-12


@cases(GEODESICS)
def test_minima_just_over_a_published_length_conflict_and_just_under_do_not(
    case: dict[str, Any],
) -> None:
    length_m, room_m = case["distance_m"], case["within_m"] + 0.001
    if length_m > MOST_LATERAL_M:
        return
    both = hovering(case["first_deg"]), hovering(case["second_deg"])
    (told,) = screened(*both, lateral_m=length_m + room_m).cpa_distance_m
    assert told == pytest.approx(length_m, abs=room_m)
    assert len(screened(*both, lateral_m=length_m - room_m)) == 0


@cases(GEODESICS)
def test_a_flight_along_a_published_geodesic_comes_to_its_end(case: dict[str, Any]) -> None:
    length_m = case["distance_m"]
    if not 50_000.0 < length_m < LONGEST_LEG_M:
        return
    lasts_s = round(length_m / SPEED_MPS)
    way = [(0.0, *case["first_deg"]), (lasts_s, *case["second_deg"])]
    found = screened(way, hovering(case["second_deg"], lasts_s), lateral_m=10_000.0)
    assert len(found) == 1
    assert found.cpa_time_us[0] == lasts_s * 1_000_000
    assert found.cpa_distance_m[0] < 1e-5
    left_s = lasts_s - found.time_in_us[0] / 1e6
    assert left_s * length_m / lasts_s == pytest.approx(10_000.0, abs=1.0)


@cases(APPROACHES)
def test_a_published_nearest_approach_is_found_and_where(case: dict[str, Any]) -> None:
    both, nearest_m = (case["first"], case["second"]), case["distance_m"]
    found = screened(*both, lateral_m=nearest_m + 0.01)
    assert len(found) >= 1
    assert found.cpa_distance_m.min() == pytest.approx(nearest_m, abs=1.1e-5)
    if "at_s" in case:
        assert sorted(found.cpa_time_us.tolist()) == [at_s * 1_000_000 for at_s in case["at_s"]]
    if nearest_m:
        assert len(screened(*both, lateral_m=nearest_m - 0.01)) == 0


@pytest.mark.parametrize("case", INTENTS["sets"], ids=lambda case: case["name"])
def test_published_flight_intents_conflict_exactly_where_they_must(case: dict[str, Any]) -> None:
    names = list(case["volumes"])
    said = [case["volumes"][name] for name in names]
    corners = [corner for volume in said for corner in volume["outline_deg"]]
    volumes = Volumes.of(
        {
            "volume": names,
            "lat_deg": [lat for lat, _ in corners],
            "lon_deg": [lon for _, lon in corners],
            "lower_m": [float(volume["lower_m"]) for volume in said],
            "upper_m": [float(volume["upper_m"]) for volume in said],
            "start_s": [float(volume["start_s"]) for volume in said],
            "end_s": [float(volume["end_s"]) for volume in said],
        },
        offsets=[0, *(sum(len(v["outline_deg"]) for v in said[: k + 1]) for k in range(len(said)))],
        reference="W84",
    )
    found = screen(Flights.none(), volumes, minima=Minima(0.0, 0))
    meeting = {
        frozenset((names[one], names[other]))
        for one, other in zip(found.first.tolist(), found.second.tolist(), strict=True)
    }
    meet, apart = ({frozenset(pair) for pair in case[word]} for word in ("meet", "apart"))
    assert meet <= meeting
    assert not apart & meeting
    assert meet | apart


def test_every_published_vector_says_where_it_is_from_and_under_which_licence() -> None:
    for document in (GEODESICS, APPROACHES, INTENTS):
        assert document["licence"]
        assert all("commit" in each["source"] for each in document.get("sets", [document]))
