"""What is kept of a disk, and which messages get no room as it fills."""

from pathlib import Path

import pytest

from deconflict.line.precedence import Precedence
from deconflict.line.room import FIRST_REFUSED
from deconflict.node.disk import RESERVE_FILE, DiskReserve, _bytes_of, room_of, shortage_at
from deconflict.store.base import Batch, EventRow, NoteRow

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("left", "refused"),
    [(1_000, 0), (200, 0), (199, 1), (175, 1), (174, 2), (150, 2), (149, 3), (1, 3), (0, 3)],
)
def test_the_least_urgent_is_refused_first_as_room_falls(left: int, refused: int) -> None:
    assert shortage_at(left, 100) == frozenset(FIRST_REFUSED[:refused])


def test_flash_is_in_no_shortage() -> None:
    assert not any(Precedence.FLASH in shortage_at(left, 100) for left in range(300))


def test_a_little_more_room_than_ended_it_begins_it_again() -> None:
    refused = shortage_at(199, 100)
    assert shortage_at(211, 100, refused) == refused
    assert shortage_at(213, 100, refused) == frozenset()
    assert shortage_at(201, 100) == frozenset()


def test_the_reserve_is_on_the_disk_and_stays_when_the_node_stops(tmp_path: Path) -> None:
    reserve = DiskReserve(tmp_path, 4 * MIB)
    held = (tmp_path / RESERVE_FILE).stat()
    assert held.st_size == 4 * MIB
    assert held.st_blocks * 512 >= 4 * MIB  # not a hole
    assert held.st_mode & 0o777 == 0o600
    reserve.close()
    assert room_of(tmp_path)[1] == 4 * MIB


def test_a_reserve_that_was_used_is_filled_up_with_the_next_commit(tmp_path: Path) -> None:
    reserve = DiskReserve(tmp_path, 4 * MIB)
    with (tmp_path / RESERVE_FILE).open("r+b") as file:
        file.truncate(MIB)
    reserve.make_room(Batch())
    assert room_of(tmp_path)[1] == 4 * MIB
    reserve.close()


def test_room_is_made_for_all_that_a_row_holds() -> None:
    long = bytes(100_000)
    for batch in (
        Batch(events=[EventRow(1, 0, "message", long)]),
        Batch(notes=[NoteRow("held/1", long)]),
    ):
        assert _bytes_of(batch) > 200_000  # into the log and from there into the database
    assert _bytes_of(Batch(notes=[NoteRow("held/1", None)])) > 0


def test_a_node_without_the_right_to_a_reserve_goes_on_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / RESERVE_FILE).mkdir()  # no file can be opened under this name, not even by root
    reserve = DiskReserve(tmp_path, 4 * MIB)
    reserve.make_room(Batch())
    assert "there is no reserve" in caplog.text
    reserve.close()
