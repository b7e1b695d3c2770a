"""What the Python interface refuses: arrays and arguments of the wrong kind, each in words."""

import re
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

import deconflict
from deconflict.errors import InvalidInputError
from deconflict.separation import Flights, Minima

LAT = [48.0, 48.0, 47.8, 48.2]
INSTANTS = np.array([0, 600, 0, 600], "datetime64[s]")


class Series:
    """Stands for a column of pandas: no array, but makes one."""

    def __init__(self, values: Any) -> None:
        self.values = np.asarray(values)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.array(self.values, dtype=dtype, copy=copy)


def flights(**columns: Any) -> dict[str, Any]:
    made = {
        "offsets": [0, 2, 4],
        "lat_deg": LAT,
        "lon_deg": [8.0, 9.0, 8.5, 8.5],
        "time_s": [0.0, 600.0, 0.0, 600.0],
        "altitude_ft": [35000] * 4,
    }
    return {name: each for name, each in (made | columns).items() if each is not ...}


def screen(columns: Any, **more: Any) -> deconflict.Conflicts:
    return deconflict.screen(columns, **({"minima": "5NM,1000ft", "reference": "FL"} | more))


@pytest.mark.parametrize(
    "columns",
    [
        flights(lat_deg=np.repeat(LAT, 2)[::2]),
        flights(lat_deg=np.array(LAT, ">f8"), altitude_ft=np.array([35000] * 4, ">i4")),
        flights(offsets=np.array([0, 2, 4], ">u2")),
        flights(time_s=..., time=INSTANTS.astype(">M8[s]")),
        flights(time_s=..., time=np.repeat(INSTANTS, 2)[::2]),
        flights(lat_deg=np.ma.masked_array(LAT, [False] * 4)),
        flights(lat_deg=memoryview(np.array(LAT)), flight=np.array([b"A", "Ä".encode()])),
        flights(lat_deg=Series(LAT), flight=Series(["A", "B"]), offsets=Series([0, 2, 4])),
        flights(lat_deg=np.array(LAT, np.longdouble), flight=[1, 2]),
    ],
    ids=["strided", "big endian", "offsets", "instants", "strided instants", "unmasked", "bytes",
         "series", "names that are numbers"],
)  # fmt: skip
def test_whatever_says_the_same_finds_the_same(columns: dict[str, Any]) -> None:
    found, wanted = screen(columns), screen(flights())
    assert len(wanted) == 1
    assert found.cpa_distance_m.tolist() == wanted.cpa_distance_m.tolist()
    assert found.time_in_us.tolist() == wanted.time_in_us.tolist()


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (flights(offsets=[0.0, 2.0, 4.0]), "offsets are no whole numbers; given: float64"),
        (flights(offsets=[True, False]), "offsets are no whole numbers; given: bool"),
        (flights(offsets=[[0, 2, 4]]), "offsets has 2 dimensions; given: shape (1, 3)"),
        (flights(offsets=4), "offsets is one thing, no array; given: int 4"),
        (flights(offsets=np.array([0, 2, 2**63], np.uint64)), "offsets are too great"),
        (flights(offsets=[0, -2, 4]), "the offsets cannot be used"),
        (flights(lat_deg=[[48.0, 48.0], [47.8, 48.2]]), "lat_deg has 2 dimensions"),
        (flights(lat_deg=[[48.0, 48.0], [47.8]]), "lat_deg is no array; given: list"),
        (flights(lat_deg=np.array([*LAT[:3], None])), "lat_deg holds no numbers; given: text, or"),
        (flights(lat_deg=[True] * 4), "lat_deg holds no numbers; given: bool"),
        (flights(lat_deg=["48"] * 4), "lat_deg holds no numbers; given: text"),
        (flights(lat_deg=[1j] * 4), "lat_deg holds no numbers; given: complex128"),
        (flights(altitude_ft=[10**30] * 4), "altitude_ft holds no numbers"),
        (flights(lat_deg=np.ma.masked_array(LAT, [0, 0, 0, 1])), "masked array with 1 values"),
        (flights(lat_deg=(each for each in LAT)), "lat_deg is one thing, no array; given: gener"),
        (flights(party="red"), "party is one thing, no array; given: str 'red'"),
        (flights(party=[1.5, None]), "row 0, party: this is no text; given: 1.5"),
        (flights(party=np.array([1.5, None])), "row 0, party: this is no text; given: 1.5"),
        (flights(flight=np.array([1, 2], object)), "flight: this is no text; given: 1"),
        (flights(flight=["A", "B\0"]), "flight: row 1 ends with a NUL character; given: 'B\\x00'"),
        (flights(flight=["A", "B\0B"]), "flight: this cannot be a name; given: 'B\\x00B'"),
        (flights(flight=["A", "B" * 5000]), "a name of 5,000 characters is too long"),
        (flights(party=["A\nB", ""]), "party: this cannot be a name; given: 'A\\nB'"),
        (flights(flight=np.array([b"A", b"\xff"])), "flight holds bytes that are no UTF-8"),
        (flights(time_s=..., time=[datetime(2015, 9, 30, tzinfo=UTC)] * 4), "instants as Python"),
        (flights(time_s=..., time=[0, 600, 0, 600]), "nothing says which unit they are in"),
        (flights(time_s=INSTANTS - INSTANTS[0]), "time_s holds no times; given: timedelta64"),
        (flights(time_s=[1443592800e3, 1443593400e3] * 2), "these are milliseconds since 1970"),
        (
            flights(time_s=[1443592800e9, 1443593400e9] * 2),
            "these are nanoseconds since 1970",
        ),
        ({1: [2]}, "the name of a column is no text; given: int 1"),
        ([1, 2], "these are no columns; given: list [1, 2]"),
        ("lat_deg", "these are no columns"),
        (None, "these are no columns; given: None"),
        (np.zeros(3), "these are no columns; given: ndarray of float64, shape (3,)"),
    ],
)
def test_what_is_no_column_is_told_with_what_it_is(columns: Any, said: str) -> None:
    with pytest.raises(InvalidInputError, match=re.escape(said)) as caught:
        screen(columns)
    assert caught.value.expected


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"minima": (5, 1000)}, "these are no minima; given: tuple (5, 1000)"),
        ({"minima": (9260.0,)}, "these are no minima"),
        ({"minima": 9260}, "these are no minima; given: int 9260"),
        ({"minima": None}, "these are no minima"),
        ({"minima": b"5NM,1000ft"}, "these are no minima"),
        ({"minima": {"FLIGHT": 5}}, "these are no minima; given: int 5"),
        ({"minima": {5: "5NM,1000ft"}}, "whose minima are these?; given: int 5"),
        ({"minima": "5000NM,1000ft"}, "the lateral minimum is too great; given: 5000NM in"),
        ({"minima": "-5NM,1000ft"}, "the lateral minimum is below 0; given: -5NM in"),
        ({"minima": "5NM,400000ft"}, "the vertical minimum is too great; given: 400000ft in"),
        ({"minima": "5NM,"}, "the vertical minimum cannot be read; given: nothing in"),
        ({"threads": 0}, "threads cannot be used; given: int 0"),
        ({"threads": "2"}, "threads cannot be used; given: str '2'"),
        ({"threads": True}, "threads cannot be used; given: bool True"),
        ({"within_parties": "no"}, "within_parties is neither True nor False"),
        ({"conversions": {}}, "conversions cannot be used; given: dict {}"),
        ({"reference": 5}, "no altitude reference; given: 5"),
        ({"reference": None}, "--altitude-reference FL on the command line, reference='FL'"),
        ({"progress": 5}, "progress cannot be used; given: int 5"),
        ({"volumes": []}, "volumes: these are no columns"),
    ],
)
def test_a_wrong_argument_is_told_with_what_it_is(more: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInputError, match=re.escape(said)):
        screen(flights(), **more)


def test_minima_are_numbers_in_their_units() -> None:
    assert Minima(np.float32(5), np.int64(3)).vertical_tmm == 3
    for lateral_m, vertical_tmm in (("5", 1), (5.0, 1.5), (True, 1), (5.0, None)):
        with pytest.raises(InvalidInputError, match="minimum is no"):
            Minima(lateral_m, vertical_tmm)  # type: ignore[arg-type]


def test_a_value_with_other_columns_put_in_is_refused_in_words() -> None:
    from dataclasses import replace

    columns = flights()
    made = Flights.of(columns, offsets=columns.pop("offsets"), reference="FL")
    with pytest.raises(InvalidInputError, match="not as its class says"):
        screen(replace(made, lat_deg=[1.0, 2.0]))  # type: ignore[arg-type]
