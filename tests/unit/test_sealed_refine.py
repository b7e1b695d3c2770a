"""From a coarse check to a finer one: nothing is lost on the way, and nothing falls too early."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.effort import examples

from deconflict.errors import InvalidInputError
from deconflict.sealed.cover import cover
from deconflict.sealed.grid import Cell, Reach, cell_id, cell_of
from deconflict.sealed.refine import Looked, closer_look, flagged_slots, joined, standing
from deconflict.sealed.session import Finding, Outcome
from deconflict.sealed.tubes import Tube
from sealed_talk import GRID, SHAPE, Table, side, stay

WIDE = replace(GRID, level_tmm=4_000, minima=Reach(6_000, 1_000, 1_000))
BLUE, NEAR = stay(-15_000, 5_000), stay(-2_000, 5_000)

places = st.builds(
    stay,
    st.integers(-38_000, 38_000),
    st.integers(-28_000, 28_000),
    level=st.integers(0, 7_000),
    from_ms=st.integers(0, 9_000),
    to_ms=st.integers(10_000, 20_000),
)
plans = st.lists(places, min_size=1, max_size=3)


def met(own: list[Tube], peers: list[Tube], parts: int) -> frozenset[Cell]:
    """The own cells that a check of the whole period would find, cut so finely."""
    fine = WIDE.refined(parts)
    return frozenset(cover(own, fine) & cover(peers, fine, WIDE.minima))


def found(cells: frozenset[Cell], *, whole: bool = True) -> Finding:
    outcome = Outcome.HIT if cells else Outcome.NO_HIT if whole else Outcome.NOT_CHECKED
    return Finding(outcome, whole, frozenset(map(cell_id, cells)), None if whole else "LATE")


@given(plans, plans, st.sampled_from([(1, 2), (2, 4), (1, 4)]))
@examples(60)
def test_whatever_a_finer_check_can_hit_lies_in_the_cells_and_slots_to_look_at(
    own: list[Tube], peers: list[Tube], steps: tuple[int, int]
) -> None:
    parts, closer = steps
    before, after = met(own, peers, parts), met(own, peers, closer)
    if not before:
        assert not after
        return
    look = closer_look(map(cell_id, before), own, WIDE, parts=parts, closer=closer)
    assert after <= look.cells <= cover(own, WIDE.refined(closer))
    assert {cell[0] // closer for cell in after} <= set(look.slots)
    assert look.slots == flagged_slots(map(cell_id, before), parts)
    ratio = closer // parts
    assert {tuple(n // ratio for n in cell) for cell in look.cells} <= before
    fullest = max(
        sum(1 for cell in cover(own, WIDE.refined(closer)) if cell[0] == slot)
        for slot in range(WIDE.slots * closer)
        if slot // closer in look.slots
    )
    assert look.fullest == fullest + 1


@given(plans, st.sets(st.integers(0, 3), min_size=1))
@examples(40)
def test_cells_of_some_slots_are_those_of_all_that_lie_in_them(
    plan: list[Tube], slots: set[int]
) -> None:
    some = cover(plan, GRID, GRID.minima, slots=slots)
    assert some == {cell for cell in cover(plan, GRID, GRID.minima) if cell[0] in slots}


def test_a_finer_session_of_the_flagged_slots_finds_what_a_plain_look_finds() -> None:
    coarse = Table({"blue": side("blue", [BLUE]), "red": side("red", [NEAR])}).play()
    looks = {
        party: closer_look(coarse[party].hits, plan, GRID, parts=1, closer=2)
        for party, plan in (("blue", [BLUE]), ("red", [NEAR]))
    }
    slots = joined(looks["blue"].slots, looks["red"].slots)
    shape = msgspec.structs.replace(SHAPE, parts=2, slots=slots, points=64, bucket=2_048)
    fine = Table(
        {"blue": side("blue", [BLUE], shape=shape), "red": side("red", [NEAR], shape=shape)}
    )
    for party, finding in fine.play().items():
        assert finding.whole
        assert {cell_of(hit) for hit in finding.hits} <= looks[party].cells
        assert (finding.outcome is Outcome.HIT) == bool(finding.hits)


# ---- what is refused -------------------------------------------------------------------------

HITS = [cell_id(cell) for cell in cover([BLUE], GRID)]


@pytest.mark.parametrize(("parts", "closer"), [(1, 1), (2, 1), (2, 3), (4, 6), (0, 2)])
def test_cells_that_do_not_nest_are_refused(parts: int, closer: int) -> None:
    with pytest.raises(InvalidInputError, match="do not nest"):
        closer_look(HITS, [BLUE], GRID, parts=parts, closer=closer)


def test_more_than_was_agreed_is_refused_and_nothing_is_left_out() -> None:
    with pytest.raises(InvalidInputError, match="more slots were hit") as slots:
        closer_look(HITS, [BLUE], GRID, parts=1, closer=2, most_slots=3)
    with pytest.raises(InvalidInputError, match="cells this small") as points:
        closer_look(HITS, [BLUE], GRID, parts=1, closer=2, most_points=2)
    for refused in (slots, points):
        assert "15000" not in str(refused.value)
    assert closer_look(HITS, [BLUE], GRID, parts=1, closer=2, most_slots=4).slots == (0, 1, 2, 3)


def test_without_a_hit_or_with_one_that_is_no_cell_there_is_nothing_to_look_at() -> None:
    for hits, why in (([], "nothing to look at"), ([b"short"], "no cell")):
        with pytest.raises(InvalidInputError, match=why):
            closer_look(hits, [BLUE], GRID, parts=1, closer=2)
    with pytest.raises(InvalidInputError, match="no slot of the grid"):
        closer_look([cell_id((4, 0, 0, 0))], [BLUE], GRID, parts=1, closer=2)


def test_a_closer_look_shows_nothing_of_the_plan_when_printed() -> None:
    look = closer_look(HITS, [BLUE], GRID, parts=1, closer=2)
    assert repr(look) == "CloserLook(parts=2, ...)"


# ---- what stands -----------------------------------------------------------------------------

COARSE = frozenset({(1, 2, 2, 1), (3, 2, 2, 1)})
FINE = frozenset({(2, 4, 5, 2)})


def test_a_hit_falls_only_by_a_whole_finer_check_of_its_slot() -> None:
    coarse = Looked(1, (), found(COARSE))
    for finer, left in (
        (Looked(2, (1, 3), found(frozenset())), frozenset()),
        (Looked(2, (1,), found(frozenset())), {(1, (3, 2, 2, 1))}),
        (Looked(2, (1, 3), found(frozenset(), whole=False)), {(1, cell) for cell in COARSE}),
        (Looked(2, (1,), found(FINE)), {(2, (2, 4, 5, 2)), (1, (3, 2, 2, 1))}),
        (
            Looked(2, (1,), found(FINE, whole=False)),
            {(2, (2, 4, 5, 2)), *((1, cell) for cell in COARSE)},
        ),
        (Looked(2, (0, 2), found(frozenset())), {(1, cell) for cell in COARSE}),
    ):
        for looks in ([coarse, finer], [finer, coarse]):
            stands = standing(looks)
            assert {(parts, cell_of(hit)) for parts, hit in stands.hits} == left
            assert stands.outcome is (Outcome.HIT if left else Outcome.NO_HIT)


def test_the_finest_of_three_checks_says_what_stands() -> None:
    looks = [
        Looked(1, (), found(COARSE)),
        Looked(2, (1, 3), found(FINE)),
        Looked(4, (1,), found(frozenset())),
    ]
    assert standing(looks).outcome is Outcome.NO_HIT
    assert standing(looks[:2]).outcome is Outcome.HIT


def test_a_finer_check_alone_clears_nothing() -> None:
    for looks in ([], [Looked(2, (1,), found(frozenset()))]):
        assert standing(looks).outcome is Outcome.NOT_CHECKED
    broken = Looked(1, (), found(COARSE, whole=False))
    cleared = Looked(2, (1, 3), found(frozenset()))
    assert standing([broken, cleared]).outcome is Outcome.NOT_CHECKED


def test_a_finer_hit_where_the_coarse_check_had_none_stands() -> None:
    looks = [Looked(1, (), found(frozenset())), Looked(2, (1,), found(FINE))]
    assert standing(looks).outcome is Outcome.HIT
