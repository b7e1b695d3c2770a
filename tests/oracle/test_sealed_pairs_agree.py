"""Some rounds of private checks beside the engine, and that they can fail (`make sealed-pairs`)."""

from collections.abc import Iterable

import pytest
from tests.oracle import sealed_pairs
from tests.oracle.sealed_pairs import one_round

from deconflict.sealed.cover import cover
from deconflict.sealed.grid import Cell, Grid, Reach
from deconflict.sealed.tubes import Area, Tube

NOT_WIDER = Reach()


@pytest.mark.parametrize("number", [0, 1, 3, 5, 9])
def test_whatever_the_engine_finds_is_flagged_and_nothing_beyond_one_cell(number: int) -> None:
    counted, wrong = one_round(1, number)
    assert wrong == []
    assert counted.pairs == 2_500
    assert counted.conflicts > 10


def narrower(
    tubes: Iterable[Tube | Area], grid: Grid, reach: Reach = NOT_WIDER, **_: object
) -> set[Cell]:
    """Widened by a cell less than the minima."""
    less = max(0, reach.horizontal_mm - grid.cell_mm)
    return cover(tubes, grid, Reach(less, reach.vertical_tmm, reach.time_ms))


def without_rims(
    tubes: Iterable[Tube | Area], grid: Grid, reach: Reach = NOT_WIDER, **_: object
) -> set[Cell]:
    """Cells that are not closed: of two that share a rim only one is taken."""
    found = cover(tubes, grid, reach)
    return {cell for cell in found if (cell[0] + 1, *cell[1:]) not in found} or found


def wider(
    tubes: Iterable[Tube | Area], grid: Grid, reach: Reach = NOT_WIDER, **_: object
) -> set[Cell]:
    """Widened by two cells more than the minima."""
    more = reach.horizontal_mm + 2 * grid.cell_mm if reach.horizontal_mm else 0
    return cover(tubes, grid, Reach(more, reach.vertical_tmm, reach.time_ms))


@pytest.mark.parametrize(
    ("fault", "what"), [(narrower, "missed"), (without_rims, "missed"), (wider, "too far")]
)
def test_a_cover_that_loses_cells_or_takes_too_many_is_found(
    monkeypatch: pytest.MonkeyPatch, fault: object, what: str
) -> None:
    monkeypatch.setattr(sealed_pairs, "cover", fault)
    said = [text for number in (0, 1) for text in one_round(1, number)[1]]
    assert any(what in text for text in said)


def test_a_round_follows_from_seed_and_number_alone() -> None:
    assert one_round(1, 1) == one_round(1, 1)
    assert one_round(1, 1)[0] != one_round(2, 1)[0]
