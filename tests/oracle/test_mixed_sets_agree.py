"""Flights and volumes together against the slow twin, every pair: a share of `make oracle`."""

import pytest
from tests.oracle.mixed_sets import PLACES, contradictions, mixed, screened_mixed

SEED = 4


@pytest.mark.parametrize("place", PLACES)
def test_flights_and_volumes_together_are_screened_as_the_twin_does(place: str) -> None:
    everyone = mixed(place, SEED, flights=6, volumes=6)
    found = screened_mixed(everyone)
    wrong, close = contradictions(everyone, found)
    assert wrong == []
    assert close >= 1
    gone = found[len(found) // 2]
    left = tuple(f for f in found if (f.first, f.second) != (gone.first, gone.second))
    assert len(contradictions(everyone, left)[0]) == 1
