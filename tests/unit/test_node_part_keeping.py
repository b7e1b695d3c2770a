"""How much a line takes in parts, and what stays how long: on a fold of a real pair of nodes."""

import asyncio
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from deconflict.errors import LineStateError, NoRoomError
from deconflict.line.moment import Now
from deconflict.line.room import ENOUGH
from deconflict.messages.kinds import Kind
from deconflict.messages.private_bodies import PrivateEndReason, PrivateStep, StepWord
from deconflict.node.part_door import NOTHING, PartDoor
from deconflict.node.private import part_keeping
from deconflict.node.private.part_keeping import PartKeeping
from node_pair import node_pair
from private_samples import CheckedPair, document, ended, mediation, proposal, submission

_W = StepWord
DAY_MS = 86_400_000
# 10 slots of 801 points: 256,320 bytes of POINTS, 256,960 of EVALUATED; a bucket whose chunks are
# too long for a message.
LARGE = document(points=801, cells_per_sortie_slot=160, bucket=65_536 * 2)
ONE_SIDE_BYTES = LARGE.bytes_of_run()
POINTS = bytes(256_320)


class Blue:
    """Blue's node as far as parts go, with a clock of its own."""

    def __init__(self, checked: CheckedPair, folder: Path) -> None:
        self.checked = checked
        self.line_id = checked.pair.line_id
        self.core = checked.pair.blue.core
        self.later_ms = 0
        self.door = PartDoor(folder, lambda: ENOUGH, lambda: self.now().monotonic_ms)
        self.folder = folder
        self.start()

    def start(self) -> None:
        self.mediates = 0  # bytes of lists that its people let red have it compare
        self.keeping = PartKeeping(
            self.folder, self.core.private_checks, self.door, self, lambda _: self.mediates
        )
        self.door.allowed = self.keeping.allowed

    def now(self) -> Now:
        return Now(self.checked.pair.world.now.utc_ms + self.later_ms, self.later_ms)

    def tidy(self) -> None:
        asyncio.run(self.keeping.tidy(self.line_id, self.core.private_checks()[self.line_id]))

    def take(self, data: bytes, *, at_ms: int | None = None) -> str:
        """Take a part as the door does, written by the clock of the test."""
        asyncio.run(self.door.take("red", self.line_id, data))
        name = hashlib.sha256(data).hexdigest()
        at_s = (self.now().utc_ms if at_ms is None else at_ms) / 1_000
        os.utime(self.folder / self.line_id / name, (at_s, at_s))
        return name

    def has(self, name: str) -> bool:
        return self.door.of(self.line_id).has(name)

    def says(self, party: str, step: StepWord, data: bytes, run: int = 0) -> None:
        self.checked.say(party, Kind.PRIVATE_STEP, PrivateStep.of(run, step, 0, data))


@pytest.fixture
def blue(tmp_path: Path) -> Iterator[Blue]:
    with node_pair(private_check=LARGE) as pair:
        checked = CheckedPair(pair)
        checked.propose(proposal(LARGE, runs=3))
        yield Blue(checked, tmp_path / "parts")


def test_nothing_is_taken_before_this_node_itself_begins_a_run(blue: Blue) -> None:
    assert blue.door.allowed(blue.line_id) == NOTHING  # proposed
    blue.checked.accept()
    assert blue.door.allowed(blue.line_id) == NOTHING  # accepted
    for run in range(3):  # the peer says HELLO wherever it may
        blue.checked.step("red", _W.HELLO, run=run)
    assert blue.door.allowed(blue.line_id) == NOTHING
    with pytest.raises(LineStateError):
        blue.take(POINTS)
    blue.checked.step("blue", _W.HELLO)
    assert blue.has(blue.take(POINTS))


def test_a_run_may_take_what_both_sides_say_in_it(blue: Blue) -> None:
    blue.checked.accept()
    blue.checked.step("blue", _W.HELLO)
    allowed = blue.door.allowed(blue.line_id)
    assert allowed.size_bytes == 2 * ONE_SIDE_BYTES
    assert allowed.parts == 2 * (1 + 1 + 64)  # points, evaluated, chunks; each in one part
    blue.checked.step("blue", _W.HELLO, run=1)
    assert blue.door.allowed(blue.line_id).size_bytes == 4 * ONE_SIDE_BYTES


def test_a_line_of_nobody_takes_nothing(blue: Blue) -> None:
    blue.checked.accept()
    blue.checked.step("blue", _W.HELLO)
    assert blue.door.allowed("0" * 32) == NOTHING


def test_parts_of_runs_that_are_over_use_up_nothing(blue: Blue) -> None:
    blue.checked.accept()
    for run in range(2):
        blue.checked.step("blue", _W.HELLO, run=run)
        blue.checked.step("red", _W.HELLO, run=run)
        for number in range(4):  # orphans among them
            blue.take(bytes([run, number]) * (ONE_SIDE_BYTES // 4))
        with pytest.raises(NoRoomError):
            blue.take(b"x")
        for number in (0, 1):
            blue.says("red", _W.POINTS, bytes([run, number]) * (ONE_SIDE_BYTES // 4), run=run)
        blue.checked.end("red", run)
        blue.later_ms += 2_000  # a pair's second is no second of the disk's


def test_a_run_that_ends_beside_another_leaves_it_its_room(blue: Blue) -> None:
    blue.checked.accept()
    for run in range(2):
        blue.checked.step("blue", _W.HELLO, run=run)
    data = bytes(ONE_SIDE_BYTES)
    blue.take(data)
    blue.says("red", _W.POINTS, data)
    blue.checked.end("red", 0)
    for number in range(2):
        blue.take(bytes([number + 1]) * ONE_SIDE_BYTES)
    with pytest.raises(NoRoomError):
        blue.take(b"x")


def test_named_parts_stay_as_long_as_was_agreed(blue: Blue) -> None:
    blue.checked.accept()
    blue.checked.step("blue", _W.HELLO)
    name = blue.take(POINTS)
    blue.says("red", _W.POINTS, POINTS)
    blue.checked.end("blue", 0, PrivateEndReason.CANCELLED)
    blue.tidy()
    blue.later_ms = 29 * DAY_MS
    blue.tidy()
    assert blue.has(name)
    blue.start()  # after a restart the list is read again
    blue.later_ms = 30 * DAY_MS + 3 * 3_600_000
    blue.tidy()
    assert not blue.has(name)


def test_what_is_listed_stays_also_when_the_fold_names_it_no_more(
    blue: Blue, monkeypatch: pytest.MonkeyPatch
) -> None:
    blue.checked.accept()
    blue.checked.step("blue", _W.HELLO)
    name = blue.take(POINTS)
    blue.says("red", _W.POINTS, POINTS)
    blue.checked.end("blue", 0)
    blue.tidy()
    monkeypatch.setattr("deconflict.node.private.part_keeping._until", lambda _: {})
    blue.start()
    blue.later_ms = 20 * DAY_MS
    blue.tidy()
    assert blue.has(name)


def test_what_no_step_names_goes_when_no_run_can_need_it(blue: Blue) -> None:
    blue.checked.accept()
    blue.checked.step("blue", _W.HELLO)
    name = blue.take(b"junk" * 10_000)
    blue.later_ms = DAY_MS
    blue.tidy()
    assert blue.has(name)  # the step that names it may still come
    blue.checked.end("blue", 0)
    blue.tidy()
    assert not blue.has(name)


def test_what_no_step_names_yet_is_not_swept_away_at_once(blue: Blue) -> None:
    blue.checked.accept()
    blue.checked.step("blue", _W.HELLO)
    name = blue.take(POINTS)
    blue.checked.end("blue", 0)
    blue.tidy()
    assert blue.has(name)


def test_a_list_that_is_damaged_lets_nothing_go(blue: Blue) -> None:
    blue.checked.accept()
    blue.checked.step("blue", _W.HELLO)
    name = blue.take(b"junk" * 10_000)
    blue.checked.end("blue", 0)
    (blue.folder / f"{blue.line_id}.json").write_bytes(b"{")
    blue.later_ms = DAY_MS
    blue.tidy()
    assert blue.has(name)
    blue.later_ms = 368 * DAY_MS
    blue.tidy()
    assert not blue.has(name)


def test_where_nothing_was_ever_kept_nothing_is_made(blue: Blue) -> None:
    blue.tidy()
    assert not blue.folder.exists()


def test_the_folder_is_looked_at_when_a_run_begins_or_ends_and_each_hour(
    blue: Blue, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []

    async def tidy(*_: object) -> None:
        looked.append(blue.later_ms)

    monkeypatch.setattr(blue.keeping, "tidy", tidy)
    monkeypatch.setattr(part_keeping, "_LOOK_S", 0.001)

    async def some_looks() -> None:
        task = asyncio.create_task(blue.keeping.run())
        await asyncio.sleep(0.05)
        task.cancel()

    for change in (
        lambda: None,
        lambda: None,
        lambda: blue.checked.accept(),
        lambda: blue.checked.step("blue", _W.HELLO),
        lambda: None,
        lambda: blue.checked.end("red", 0),
        lambda: setattr(blue, "later_ms", 3_600_001),
        lambda: None,
    ):
        change()
        asyncio.run(some_looks())
    assert looked == [0, 0, 0, 3_600_001]


# ---- lists for us as a mediator ---------------------------------------------------------------

LISTS = bytes(8 * 256 * 16)


def announced(blue: Blue, data: bytes = LISTS, number: int = 1) -> tuple[str, str]:
    """Red announces lists; return its message, and the name of their one part."""
    name = hashlib.sha256(data).hexdigest()
    body = msgspec.structs.replace(
        submission("green", number, minutes=600), sha256=name, parts=(name,)
    )
    return blue.checked.pair.say("red", Kind.PRIVATE_SUBMIT, body), name


def test_no_list_is_taken_without_consent_nor_before_it_is_announced(blue: Blue) -> None:
    with pytest.raises(LineStateError):
        blue.take(LISTS)
    blue.mediates = len(LISTS)
    with pytest.raises(LineStateError):
        blue.take(LISTS)  # consented to, and not announced
    blue.mediates = 0
    announced(blue)
    blue.checked.pair.run_for(1)
    assert blue.door.allowed(blue.line_id) == NOTHING  # announced, and not consented to
    with pytest.raises(LineStateError):
        blue.take(LISTS)
    blue.mediates = len(LISTS)
    assert blue.has(blue.take(LISTS))


def test_of_lists_those_are_taken_that_were_announced_and_no_byte_else(blue: Blue) -> None:
    blue.mediates = len(LISTS)
    announced(blue)
    blue.checked.pair.run_for(1)
    for other in (bytes(16), b"x" * len(LISTS), bytes(len(LISTS) + 1)):
        with pytest.raises(NoRoomError):
            blue.take(other)
    # A second one beside it is more than may wait at once: the first is taken still.
    announced(blue, b"y" * len(LISTS), 2)
    blue.checked.pair.run_for(1)
    with pytest.raises(NoRoomError):
        blue.take(b"y" * len(LISTS))
    assert blue.has(blue.take(LISTS))


def test_lists_stay_while_they_wait_and_go_when_they_are_answered(blue: Blue) -> None:
    blue.mediates = len(LISTS)
    message, name = announced(blue)
    blue.checked.pair.run_for(1)
    blue.take(LISTS)
    blue.later_ms = DAY_MS
    blue.tidy()
    assert blue.has(name)
    said = mediation(submission("green", minutes=600), "red")
    blue.checked.say("blue", Kind.PRIVATE_MEDIATION, said, ref=message)
    assert blue.door.allowed(blue.line_id) == NOTHING
    asyncio.run(blue.keeping.let_go(blue.line_id, (name,)))
    assert not blue.has(name)


def test_nobody_has_us_erase_a_step_by_announcing_it_as_a_list(blue: Blue) -> None:
    blue.checked.accept()
    blue.checked.step("blue", _W.HELLO)
    step = blue.take(LISTS)
    blue.says("red", _W.POINTS, LISTS)
    message, name = announced(blue)
    blue.checked.pair.run_for(1)
    assert name == step
    blue.checked.say("red", Kind.PRIVATE_END, ended(), ref=message)
    asyncio.run(blue.keeping.let_go(blue.line_id, (name,)))
    assert blue.has(step)


def test_a_disk_that_fails_while_tidying_ends_nothing(
    blue: Blue, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries: list[int] = []

    async def tidy(*_: object) -> None:
        tries.append(1)
        raise (NoRoomError("full") if len(tries) % 2 else OSError(5, "Input/output error"))

    monkeypatch.setattr(blue.keeping, "tidy", tidy)
    monkeypatch.setattr(part_keeping, "_LOOK_S", 0.001)

    async def some_looks() -> None:
        task = asyncio.create_task(blue.keeping.run())
        await asyncio.sleep(0.05)
        assert not task.done()
        task.cancel()

    asyncio.run(some_looks())
    assert len(tries) > 2
    assert "are not tidied" in caplog.text
