"""The live index and the check of all anew say the same, whatever came and went before."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deconflict.airspace import AltitudeReference
from deconflict.errors import InvalidGeometryError, InvalidInputError
from deconflict.separation import (
    AltitudeConversions,
    Extent,
    LiveIndex,
    Minima,
    MinimaTable,
    check,
)
from effort import examples
from oracle.builders import area, circle, minima, unusable, volume
from oracle.strategies import centres, extents_near

QUICK = examples(200, alike=True)
SIZE_M = 30_000.0
KEYS = [f"west/{k}" for k in range(4)] + [f"east/{k}" for k in range(4)]
PURPOSES = ("FLIGHT", "ACTIVITY", "HAZARD", "")
DAYS = (0, 0, 0, 1, 20_000, -10_000)
offsets = st.tuples(st.integers(-3_000_000, 0), st.integers(0, 3_000_000))


@st.composite
def extents(draw: st.DrawFn, centre: tuple[float, float]) -> Extent:
    key = draw(st.sampled_from(KEYS))
    return draw(extents_near(centre, SIZE_M, key, purposes=PURPOSES, days=DAYS))


@st.composite
def tables(draw: st.DrawFn) -> MinimaTable:
    def one() -> Minima:
        return Minima(draw(st.floats(0.0, 20_000.0)), draw(st.integers(0, 6_096_000)))

    # Of some purposes no pair is named: they have the default.
    pairs = st.frozensets(st.sampled_from(PURPOSES[:3]), min_size=1, max_size=2)
    named = draw(st.lists(pairs, max_size=3))
    return MinimaTable(one(), {pair: one() for pair in named})


@QUICK
@given(st.data(), centres, tables(), st.none() | offsets)
def test_after_every_step_the_index_finds_what_a_check_finds(data, centre, table, known) -> None:
    amsl, w84 = AltitudeReference.AMSL, AltitudeReference.W84
    conversions = AltitudeConversions({} if known is None else {(amsl, w84): known})
    index = LiveIndex(table, conversions, purposes=PURPOSES)
    held: dict[str, Extent] = {}
    for _ in range(data.draw(st.integers(1, 6))):
        if data.draw(st.integers(0, 3)):
            some = data.draw(st.lists(extents(centre), max_size=3))
            index.put(some)
            held |= {extent.key: extent for extent in some}
        else:
            gone = data.draw(st.sampled_from(KEYS))
            assert index.remove(gone) == (held.pop(gone, None) is not None)
        assert len(index) == len(held)
        asked = data.draw(st.lists(extents(centre), max_size=2))
        asked += data.draw(st.permutations(list(held.values())))[:2]
        others = [held[key] for key in sorted(held)]
        assert index.check(asked) == check(
            asked, others=others, minima=table, conversions=conversions
        )


def test_what_is_refused_changes_nothing_and_is_named_as_a_check_names_it() -> None:
    index = LiveIndex(minima(), AltitudeConversions(), purposes=PURPOSES)
    here, asked = area("here", volume(circle(48.0, 9.0, 1_000.0))), area("asked")
    asked = replace(here, key="asked")
    index.put([here])
    before = index.check([asked])
    assert before
    with pytest.raises(InvalidGeometryError) as refusal:
        check(
            [asked, unusable("worse")],
            others=[here],
            minima=minima(),
            conversions=index.conversions,
        )
    for attempt in (index.put, index.check):
        with pytest.raises(InvalidGeometryError) as refused:
            attempt([asked, unusable("worse")])
        assert str(refused.value) == str(refusal.value)
    with pytest.raises(InvalidGeometryError):
        index.put([replace(asked, key="new"), unusable("here")])
    for attempt in (index.put, index.check):
        with pytest.raises(InvalidInputError, match="purpose"):
            attempt([replace(asked, purpose="WEATHER")])
    assert len(index) == 1
    assert index.check([asked]) == before
    assert not index.remove("new")


def test_one_volume_put_in_the_place_of_three_leaves_one() -> None:
    index = LiveIndex(minima(0.0, 0), AltitudeConversions(), purposes=PURPOSES)
    places = [volume(circle(48.0 + k, 9.0, 1_000.0)) for k in range(3)]
    index.put([area("here", *places)])
    asked = [area(f"asked {k}", place) for k, place in enumerate(places)]
    assert [finding.first for finding in index.check(asked)] == ["asked 0", "asked 1", "asked 2"]
    index.put([area("here", places[1])])
    assert [finding.first for finding in index.check(asked)] == ["asked 1"]
    assert index.remove("here")
    assert index.check(asked) == ()


def test_numbers_of_what_is_gone_are_used_again() -> None:
    index = LiveIndex(minima(), AltitudeConversions(), purposes=PURPOSES)
    place = volume(circle(48.0, 9.0, 1_000.0))
    for k in range(10):
        index.put([area(f"e{k}", place)])
        assert [finding.second for finding in index.check([area("asked", place)])] == [f"e{k}"]
        assert index.check([area(f"e{k}", place)]) == ()
        assert index.remove(f"e{k}")
