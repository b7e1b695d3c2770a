"""`deconflict.screen`: arrays in, arrays out, nothing copied, nothing taken for granted."""

import doctest
import importlib
import subprocess
import sys
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest

import deconflict
from deconflict.airspace.altitude import AltitudeReference
from deconflict.errors import BadRowsError, InvalidDocumentError, InvalidInputError
from deconflict.separation import Verdict
from deconflict.separation.conflicts import NOT_DEFINED_TMM, VERDICTS
from screen_samples import MINIMA, area_columns, arrow_tables, flight_columns

MODULES = ["batch", "flights", "labels", "minima_classes", "said_minima", "screening", "volumes"]


def pair(**changed: Any) -> dict[str, Any]:
    return {
        "offsets": [0, 2, 4],
        "lat_deg": np.array([48.0, 48.0, 47.8, 48.2]),
        "lon_deg": np.array([8.0, 9.0, 8.5, 8.5]),
        "time_s": np.array([0.0, 600.0, 0.0, 600.0]),
        "altitude_ft": np.array([35000, 35000, 35900, 35900]),
        "altitude_reference": ["FL", "FL"],
    } | changed


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_of_the_documentation_run(module: str) -> None:
    ran = doctest.testmod(importlib.import_module(f"deconflict.separation.{module}"))
    assert ran.attempted > 0
    assert ran.failed == 0


def test_importing_the_package_imports_nothing_else() -> None:
    code = (
        "import sys, deconflict\n"
        "assert not {m for m in sys.modules if m.startswith(('numpy', 'deconflict.'))}\n"
        "deconflict.screen\n"
        "assert 'pyarrow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    with pytest.raises(AttributeError, match="no attribute 'screem'"):
        _ = deconflict.screem  # type: ignore[attr-defined]


def test_columns_of_the_right_types_are_not_copied() -> None:
    columns = pair(altitude_tmm=np.array([0, 0, 0, 0]))
    del columns["altitude_ft"]
    offsets = np.array(columns.pop("offsets"), dtype=np.int64)
    made = deconflict.Flights.of(columns, offsets=offsets)
    for name in ("lat_deg", "lon_deg", "time_s", "altitude_tmm"):
        assert np.shares_memory(getattr(made, name), columns[name]), name
    assert np.shares_memory(made.offsets, offsets)


def test_the_witness_is_told_with_minima_and_margins() -> None:
    found = deconflict.screen(pair(lateral_m=[100.0, 0.0]), minima="5NM,1000ft")
    assert (found.first.tolist(), found.second.tolist()) == ([0], [1])
    assert VERDICTS[found.verdict[0]] is Verdict.CONFLICT
    assert abs(found.cpa_time_us[0] - 300_000_000) < 1_000_000
    assert found.time_in_us[0] < found.cpa_time_us[0] < found.time_out_us[0]
    assert 103.0 < found.cpa_distance_m[0] < 104.0
    assert found.cpa_vertical_tmm[0] == 900 * 3_048
    assert found.minimum_lateral_m[0] == 9_260.0
    assert found.minimum_vertical_tmm[0] == 3_048_000
    assert 100.0 <= found.margin_lateral_m[0] < 101.0
    columns = found.columns()
    assert columns["first"].tolist() == ["0"]
    assert columns["cpa_vertical_m"].tolist() == [274.32]
    assert repr(found) == "<1 conflict among 2 flights>"


def test_exactly_at_the_minimum_is_separated_in_feet_and_in_metres() -> None:
    level = pair(altitude_ft=np.array([35000, 35000, 36000, 36000]))
    assert len(deconflict.screen(level, minima="5NM,1000ft")) == 0
    metres = pair(altitude_m=np.array([10363.2, 10363.2, 10668.0, 10668.0]))
    del metres["altitude_ft"]
    assert len(deconflict.screen(metres, minima="5NM,1000ft")) == 0
    assert len(deconflict.screen(metres, minima="5NM,304.8001m")) == 1


def test_a_party_is_not_held_against_itself_and_no_party_is_nobody() -> None:
    for party, many in (
        (["red", "blue"], 1),
        (["red", "red"], 0),
        ([None, None], 1),
        (["", ""], 1),
        ([None, "red"], 1),
    ):
        found = deconflict.screen(pair(party=party), minima="5NM,1000ft")
        assert len(found) == many, party
    both = deconflict.screen(pair(party=["red", "red"]), minima="5NM,1000ft", within_parties=True)
    assert len(both) == 1


def test_references_that_do_not_compare_are_found_and_never_left_out() -> None:
    mixed = pair(altitude_reference=["FL", "AMSL"], altitude_ft=np.array([0, 0, 40000, 40000]))
    found = deconflict.screen(mixed, minima="5NM,1000ft")
    assert VERDICTS[found.verdict[0]] is Verdict.INCOMPARABLE
    assert found.cpa_vertical_tmm[0] == NOT_DEFINED_TMM
    assert np.isnan(found.columns()["cpa_vertical_m"][0])
    known = deconflict.AltitudeConversions(
        {(AltitudeReference.FL, AltitudeReference.AMSL): (-4_572_000, 6_096_000)}
    )
    assert len(deconflict.screen(mixed, minima="5NM,1000ft", conversions=known)) == 0


@pytest.mark.parametrize(
    ("minima", "said"),
    [
        ([], "how near is too near"),
        ("5NM", "cannot be read"),
        ("5,1000ft", "the lateral minimum cannot be read; given: 5 in"),
        ("5NM,1000", "the vertical minimum cannot be read"),
        (["5NM,1000ft", "3NM,500ft"], "minima for all are said twice"),
        (["FLIGHT=5NM,1000ft", "FLIGHT:FLIGHT=3NM,500ft"], "said twice"),
        (["A:B:C=5NM,1000ft"], "whose minima"),
        (["FLIGHT=5NM,1000ft"], "no minima are given between some"),
    ],
)
def test_minima_are_asked_for_and_not_guessed(minima: Any, said: str) -> None:
    columns, offsets = area_columns()
    with pytest.raises(InvalidInputError, match=said):
        deconflict.screen(pair(), {**columns, "offsets": offsets}, minima=minima)


def test_minima_are_chosen_by_purpose() -> None:
    columns, offsets = flight_columns()
    areas, corners = area_columns()
    flights = {**columns, "offsets": offsets}
    volumes = {**areas, "offsets": corners}
    assert len(deconflict.screen(flights, volumes, minima=MINIMA)) == 5
    named = {"FLIGHT": "5NM,1000ft", ("ACTIVITY", "FLIGHT"): "1NM,500ft", "ACTIVITY": "1m,1m"}
    assert len(deconflict.screen(flights, volumes, minima=named)) == 5
    wide = deconflict.screen(flights, volumes, minima=[*MINIMA[:1], "ACTIVITY:FLIGHT=20NM,1ft"])
    assert len(wide) > 5
    assert set(wide.minimum_lateral_m.tolist()) == {9_260.0, 37_040.0}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"lat_deg": [48.0, np.nan, 47.8, 48.2]}, "flights: row 0, waypoint 1, lat_deg"),
        ({"lon_deg": [8.0, 9.0, 8.5, np.inf]}, "flights: row 1, waypoint 1, lon_deg"),
        ({"time_s": [0.0, 600.0, 600.0, 0.0]}, "flights: row 1, waypoint 1, time_s"),
        ({"altitude_ft": [1.0, np.nan, 1.0, 1.0]}, "flights: row 0, waypoint 1, altitude_ft"),
        ({"window_s": [0.0, -1.0]}, "flights: row 1, window_s"),
        ({"altitude_reference": ["FL", "QFE"]}, "flights: row 1, altitude_reference"),
    ],
)
def test_a_bad_value_is_named_by_flight_and_waypoint(changed: Any, said: str) -> None:
    with pytest.raises(BadRowsError) as refusal:
        deconflict.screen(pair(**changed), minima="5NM,1000ft")
    assert refusal.value.problem.startswith(said)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"lat_deg": [48.0, 48.0]}, "lat_deg has another length"),
        ({"lat_deg": np.zeros((2, 2))}, "lat_deg has 2 dimensions"),
        ({"offsets": [0, 3]}, "has another length"),
        ({"offsets": [1, 2, 4]}, "the offsets cannot be used"),
        ({"offsets": [0, 5, 4]}, "the offsets cannot be used"),
        ({"offsets": []}, "the offsets cannot be used"),
        ({"speed": [1, 2]}, "columns that mean nothing here"),
        ({"time": np.zeros(4, "datetime64[s]")}, "one thing is said twice"),
        ({"lat_deg": ["a", "b", "c", "d"]}, "lat_deg holds no numbers"),
        ({"party": [1, 2]}, "party holds no text"),
    ],
)
def test_columns_that_do_not_fit_are_refused(changed: Any, said: str) -> None:
    with pytest.raises(InvalidDocumentError, match=said):
        deconflict.screen(pair(**changed), minima="5NM,1000ft")


def test_a_missing_column_is_named() -> None:
    for name in ("lat_deg", "lon_deg", "time_s", "altitude_ft"):
        columns = pair()
        del columns[name]
        with pytest.raises(InvalidDocumentError, match=f"{name[:4]}.* is missing"):
            deconflict.screen(columns, minima="5NM,1000ft")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"radius_m": [5000.0]}, "4 places"),
        ({"half_width_m": [-1.0]}, "half_width_m: out of range"),
        ({"radius_m": [1.0], "half_width_m": [1.0]}, "both said"),
        ({"lower_ft": [31000], "upper_ft": [30000]}, "the floor is above the ceiling"),
        ({"end_s": [0.0]}, "the end is not after the start"),
        ({"lat_deg": [47.9, 48.1, 47.9, 48.1]}, "the polygon crosses itself"),
        ({"lat_deg": [47.9, np.nan, 48.1, 48.1]}, "volume range.*lat_deg: not a number"),
    ],
)
def test_a_volume_that_cannot_be_is_refused(changed: Any, said: str) -> None:
    columns, offsets = area_columns()
    with pytest.raises(BadRowsError, match=said):
        deconflict.Volumes.of({**columns, **changed}, offsets=offsets)


def test_circles_need_no_offsets_and_open_limits_no_reference() -> None:
    made = deconflict.Volumes.of(
        {
            "lat_deg": [48.0, 10.0],
            "lon_deg": [8.5, 10.0],
            "radius_m": [5_000.0, 5_000.0],
            "start_s": [0.0, 0.0],
            "end_s": [600.0, 600.0],
        }
    )
    found = deconflict.screen(pair(), made, minima=["5NM,1000ft", "FLIGHT:ACTIVITY=0m,0m"])
    assert found.second.tolist() == [1, 2, 2]
    assert found.names(found.second).tolist() == ["1", "volume 0", "volume 0"]


class Capsule:
    """Only what the PyCapsule interface asks for."""

    def __init__(self, held: Any) -> None:
        self._held = held

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._held.__arrow_c_stream__(requested_schema)


def test_arrow_comes_in_by_its_capsules_and_goes_out_as_a_table() -> None:
    pa = pytest.importorskip("pyarrow")
    columns, offsets = flight_columns()
    areas, corners = area_columns()
    wanted = deconflict.screen(
        {**columns, "offsets": offsets}, {**areas, "offsets": corners}, minima=MINIMA
    )
    flights, volumes = arrow_tables()
    pieces = pa.Table.from_batches(flights.to_batches(max_chunksize=2))
    one = flights.combine_chunks().to_batches()[0]
    for table in (flights, pieces, Capsule(flights), one):
        found = deconflict.screen(table, volumes, minima=MINIMA)
        assert found.to_arrow() == wanted.to_arrow()
    empty = deconflict.screen(flights.slice(0, 0), volumes.slice(0, 0), minima=MINIMA)
    assert empty.to_arrow().num_rows == 0
    assert empty.to_arrow().schema == wanted.to_arrow().schema


def test_arrow_numbers_are_read_where_they_lie() -> None:
    pa = pytest.importorskip("pyarrow")
    lists = {
        name: pa.ListArray.from_arrays(pa.array([0, 2, 4], pa.int32()), pa.array(values))
        for name, values in pair().items()
        if name in ("lat_deg", "lon_deg", "time_s", "altitude_ft")
    }
    table = pa.table({**lists, "altitude_reference": ["FL", "FL"]})
    found = deconflict.screen(table, minima="5NM,1000ft")
    held = table["lat_deg"].chunk(0).values.to_numpy()
    assert np.shares_memory(found.flights.lat_deg, held)


def test_a_notebook_shows_a_picture() -> None:
    columns, offsets = flight_columns()
    areas, corners = area_columns()
    found = deconflict.screen(
        {**columns, "offsets": offsets}, {**areas, "offsets": corners}, minima=MINIMA
    )
    picture = ET.fromstring(found._repr_svg_())
    words = " ".join(text.text or "" for text in picture.iter("{http://www.w3.org/2000/svg}text"))
    assert "5 conflicts among 5 flights and 1 volume" in words
    assert len(list(picture.iter("{http://www.w3.org/2000/svg}circle"))) == 5 + 5
    ET.fromstring(found._repr_html_())
    nothing = found.taken(np.zeros(0, dtype=np.int64))
    ET.fromstring(nothing._repr_svg_())
    ET.fromstring(deconflict.screen(pair(offsets=[0], **{
        name: [] for name in ("lat_deg", "lon_deg", "time_s", "altitude_ft", "altitude_reference")
    }), minima="5NM,1000ft")._repr_svg_())  # fmt: skip


def test_names_are_escaped_in_a_notebook() -> None:
    found = deconflict.screen(pair(flight=["<script>", "B&B"]), minima="5NM,1000ft")
    assert "<script>" not in found._repr_html_()
    ET.fromstring(found._repr_html_())
