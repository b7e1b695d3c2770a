"""Minima of a pair of parties: for these two, whatever they fly for, and for nobody else."""

from itertools import combinations_with_replacement
from typing import Any

import numpy as np
import pytest

import deconflict
from deconflict.errors import InvalidInputError
from deconflict.separation.minima_classes import MAX_CLASSES

PARTIES = ("red", "blue", "grey", None)
PURPOSES = ("FLIGHT", "ACTIVITY")


def crowd(seed: int, count: int = 90) -> dict[str, Any]:
    """Return flights of some parties and purposes, all in one small piece of sky."""
    rng = np.random.default_rng(seed)
    starts = np.stack([48 + rng.uniform(-0.4, 0.4, count), 9 + rng.uniform(-0.6, 0.6, count)])
    ends = starts + rng.uniform(-0.3, 0.3, (2, count))
    lat, lon = np.stack([starts, ends], axis=2)
    begin = rng.uniform(0, 900, count)
    return {
        "offsets": 2 * np.arange(count + 1),
        "lat_deg": lat.ravel(),
        "lon_deg": lon.ravel(),
        "time_s": np.stack([begin, begin + 600], axis=1).ravel(),
        "altitude_ft": np.repeat(rng.integers(300, 330, count) * 100.0, 2),
        "altitude_reference": ["FL"] * count,
        "party": [PARTIES[k] for k in rng.integers(0, len(PARTIES), count)],
        "purpose": [PURPOSES[k] for k in rng.integers(0, len(PURPOSES), count)],
    }


def rows_of(found: deconflict.Conflicts, keep: Any) -> list[tuple[Any, ...]]:
    columns = (found.first, found.second, found.time_in_us, found.time_out_us, found.verdict)
    columns += (found.minimum_lateral_m, found.minimum_vertical_tmm)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [row for row in rows if keep(row[0], row[1])]


@pytest.mark.parametrize("within", [False, True])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_each_pair_is_found_as_if_its_minima_were_those_of_all(seed: int, within: bool) -> None:
    flights = crowd(seed)
    rules = {
        frozenset(("red", "blue")): "2NM,500ft",
        frozenset(("red", "grey")): "9NM,1500ft",
        frozenset(("blue",)): "7NM,2000ft",
    }
    said = [f"{':'.join(sorted(pair))}={minima}" for pair, minima in rules.items()]
    by_purpose = ["5NM,1000ft", "FLIGHT:ACTIVITY=3NM,700ft"]
    found = deconflict.screen(flights, minima=[*by_purpose, *said], within_parties=within)
    seen = 0
    for a, b in combinations_with_replacement(PARTIES, 2):
        minima = rules.get(frozenset((a, b)), by_purpose)
        alone = deconflict.screen(flights, minima=minima, within_parties=within)

        def of_these(i: int, j: int, pair: tuple[Any, Any] = (a, b)) -> bool:
            return sorted(str(flights["party"][k]) for k in (i, j)) == sorted(map(str, pair))

        assert rows_of(found, of_these) == rows_of(alone, of_these)
        seen += len(rows_of(found, of_these))
    assert seen == len(found) > 30


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ("red:grean=3NM,500ft", "a purpose or a party that is not there"),
        ("red:FLIGHT=3NM,500ft", "a purpose and a party together"),
        ("purple=3NM,500ft", "a purpose or a party that is not there"),
    ],
)
def test_minima_of_who_is_not_there_are_refused(said: str, says: str) -> None:
    with pytest.raises(InvalidInputError, match=says) as refused:
        deconflict.screen(crowd(1), minima=["5NM,1000ft", said])
    assert "blue, grey, red" in refused.value.expected


def test_minima_of_two_parties_are_none_for_the_others() -> None:
    with pytest.raises(InvalidInputError, match="some pairs of parties only") as refused:
        deconflict.screen(crowd(1), minima=["red:blue=3NM,500ft"])
    assert refused.value.given == "blue:red"


def test_a_party_called_as_a_purpose_is_refused() -> None:
    flights = crowd(1) | {"party": ["FLIGHT"] * 90}
    with pytest.raises(InvalidInputError, match="that of a party and of a purpose"):
        deconflict.screen(flights, minima=["5NM,1000ft", "FLIGHT:ACTIVITY=3NM,500ft"])


def test_more_parties_than_the_kernel_tells_apart_are_refused() -> None:
    count = MAX_CLASSES + 2
    flights = crowd(1, count) | {"party": [f"p{k}" for k in range(count)]}
    said = [f"p{k}:p{k + 1}=3NM,500ft" for k in range(0, count, 2)]
    with pytest.raises(InvalidInputError, match="too many parties"):
        deconflict.screen(flights, minima=["5NM,1000ft", *said])
