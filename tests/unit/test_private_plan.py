"""What a party flies in private: kept for its owner alone, and told as its own sorties."""

import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deconflict.airspace import Position
from deconflict.errors import ConfigurationError, InvalidDocumentError, InvalidInputError
from deconflict.node.private.files import PlanFile, PrivateFiles, RunFile
from deconflict.node.private.sorties import (
    Sortie,
    flown,
    met,
    named,
    plan_of,
    require_within,
)
from deconflict.sealed.cover import cover
from deconflict.sealed.grid import cell_id
from deconflict.sealed.own import plan_bytes
from deconflict.sealed.plane import Plane
from sealed_talk import GRID, stay

LINE = "ab" * 16
RUN = RunFile(
    line_id=LINE,
    proposal="cd" * 32,
    run=3,
    drawn_utc="2015-09-30T06:00:00.000Z",
    expires_utc="2015-09-30T07:00:00.000Z",
    start_ms=900_000,
    erase_ms=2_000_000,
    plan=plan_bytes([stay(0, 0)]).decode(),
    names=(("viper", 1),),
    seed="01" * 32,
    coin="02" * 32,
    nonce="03" * 32,
)


def test_what_a_run_was_begun_with_comes_back_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    files = PrivateFiles(tmp_path / "private")
    assert files.run(RUN.proposal, 3) is None
    files.keep_run(RUN)
    assert files.run(RUN.proposal, 3) == RUN
    assert list(files.runs()) == [("cd" * 8, 3)]
    (path,) = (tmp_path / "private").iterdir()
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert os.stat(path.parent).st_mode & 0o777 == 0o700


def test_what_was_kept_is_erased_when_its_retention_is_over(tmp_path: Path) -> None:
    files = PrivateFiles(tmp_path / "private")
    files.keep_run(RUN)
    files.keep_run(msgspec.structs.replace(RUN, run=4, erase_ms=3_000_000))
    files.set_plan(LINE, PlanFile.of((), "2015-09-30T06:00:00.000Z"))
    assert files.erase_old(2_000_000) == 0
    assert files.erase_old(2_000_001) == 1
    assert list(files.runs()) == [("cd" * 8, 4)]
    assert files.has_plan(LINE)


def test_a_damaged_file_is_refused_and_nothing_of_it_is_said(tmp_path: Path) -> None:
    files = PrivateFiles(tmp_path / "private")
    files.keep_run(RUN)
    (path,) = (tmp_path / "private").iterdir()
    path.write_bytes(path.read_bytes().replace(b'"run":3', b'"run":"01010101"'))
    with pytest.raises(InvalidDocumentError) as caught:
        files.run(RUN.proposal, 3)
    assert "0101" not in str(caught.value)
    path.chmod(0o644)
    with pytest.raises(ConfigurationError):
        files.run(RUN.proposal, 3)


def test_a_file_of_another_run_is_refused(tmp_path: Path) -> None:
    files = PrivateFiles(tmp_path / "private")
    files.keep_run(RUN)
    with pytest.raises(InvalidDocumentError):
        files.run("cd" * 8 + "ef" * 24, 3)


def test_no_plan_is_another_thing_than_an_empty_one(tmp_path: Path) -> None:
    files = PrivateFiles(tmp_path / "private")
    assert files.plan(LINE) is None
    files.set_plan(LINE, PlanFile.of((), "2015-09-30T06:00:00.000Z"))
    kept = files.plan(LINE)
    assert kept is not None
    assert kept.declarations() == ()
    assert files.clear_plan(LINE)
    assert files.plan(LINE) is None


def test_secrets_stand_in_no_text_of_a_value() -> None:
    for text in (repr(RUN), str(RUN), repr(PlanFile("now", ({"label": "viper"},)))):
        assert "viper" not in text
        assert "0101" not in text


@given(st.integers(-999_000_000, 999_000_000), st.integers(-999_000_000, 999_000_000))
def test_the_way_back_from_the_plane_is_the_way_there(x_mm: int, y_mm: int) -> None:
    for origin in (Position.from_degrees(35.0, 38.5), Position.from_degrees(-89.9, 179.9)):
        plane = Plane(origin)
        there = plane.place_mm(*plane.position_of(x_mm, y_mm))
        assert there is not None
        assert max(abs(there[0] - x_mm), abs(there[1] - y_mm)) <= 1


def test_a_hit_is_told_as_the_own_sortie_its_time_and_place() -> None:
    one, other = Sortie("viper", (stay(-15_000, 5_000),)), Sortie("cobra", (stay(31_000, -21_000),))
    hit = cell_id(min(cover(one.pieces, GRID)))
    (found,) = met([hit], (one, other), GRID)
    assert found.sorties == ("viper",)
    assert found.start_utc == "1970-01-01T00:15:00.000Z"
    assert found.end_utc == "1970-01-01T00:15:05.000Z"
    place = Plane(GRID.origin).place_mm(found.lat_e7 / 1e7, found.lon_e7 / 1e7)
    assert place is not None
    x, y = (int.from_bytes(hit[at : at + 2]) for at in (4, 6))
    assert abs(place[0] - (GRID.west_mm + x * GRID.cell_mm + 5_000)) < 20
    assert abs(place[1] - (GRID.south_mm + y * GRID.cell_mm + 5_000)) < 20
    assert (found.lower_tmm, found.upper_tmm) in {(1_300, 3_300), (3_300, 5_300)}


def test_sorties_come_back_from_their_names_and_the_plan() -> None:
    sorties = (Sortie("a", (stay(0, 0), stay(1, 1))), Sortie("b", ()), Sortie("c", (stay(2, 2),)))
    names = [(sortie.name, len(sortie.pieces)) for sortie in sorties]
    assert named(names, plan_of(sorties)) == sorties


def test_who_flies_more_than_was_agreed_is_refused_at_home() -> None:
    sorties = (Sortie("a", (stay(0, 0),)), Sortie("b", (stay(0, 0),)))
    require_within(sorties, GRID, most=2, cells_in_slot=8)
    with pytest.raises(InvalidInputError, match="more sorties"):
        require_within(sorties, GRID, most=1, cells_in_slot=None)
    with pytest.raises(InvalidInputError, match="fills more cells"):
        require_within(sorties, GRID, most=2, cells_in_slot=1)


def test_a_flight_just_before_the_period_is_in_it_when_the_minima_reach_so_far() -> None:
    from dataclasses import replace

    from deconflict.sealed.grid import Reach

    landed = Sortie("a", (stay(0, 0, from_ms=-20_000, to_ms=-4_000),))
    assert not landed.is_in(GRID)
    assert landed.is_in(replace(GRID, minima=Reach(10_000, 2_000, 5_000)))
    assert flown((), GRID, {}) == ()
