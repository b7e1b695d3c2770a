"""Parts of private checks by a real door: as much as a running check needs, and nothing else."""

import asyncio
import hashlib
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import hostile
import pytest
from door import BUSY, HOST, Door, Handler, make_folder, pin
from hostile import post

from deconflict.errors import PeerUnreachableError, WrongLineError
from deconflict.line.precedence import Precedence
from deconflict.line.room import ENOUGH, Shortage
from deconflict.node import part_door
from deconflict.node.folder import NodeFolder
from deconflict.node.part_door import Allowed, PartDoor, push
from deconflict.node.peer_server import DoorLimits
from deconflict.node.ration import SAVED_UP, UNITS_PER_S
from deconflict.store.parts import MOST_PART_BYTES, HeldParts

LINE = "1" * 32  # red's
OTHERS = "2" * 32  # green's
PATH = f"/line/{LINE}/part"
MIB = 1024 * 1024
RUNS = Allowed(parts=8, size_bytes=6 * MIB)


class Taking(Handler):
    """A handler with real parts; which lines are whose, and what runs, the test says."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.parts = PartDoor(folder, lambda: self.short, lambda: time.monotonic_ns() // 1_000_000)
        self.parts.allowed = lambda line_id: self.runs if line_id == LINE else Allowed()
        self.short: Shortage = ENOUGH
        self.runs = RUNS
        self.read = 0  # bodies that were read

    def expect_part(self, peer_party: str, line_id: str, size: int) -> None:
        if {LINE: "red", OTHERS: "green"}.get(line_id) != peer_party:
            raise WrongLineError("this connection's party has no such line")
        self.parts.require_wanted(line_id, size)

    async def part(self, peer_party: str, line_id: str, body: bytes) -> bytes:
        self.read += 1
        return await self.parts.take(peer_party, line_id, body)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, NodeFolder]:
    root = tmp_path_factory.mktemp("parts")
    made = {party: make_folder(root / party, party) for party in ("blue", "red", "green")}
    for peer in ("red", "green"):
        pin(made["blue"], made[peer])
    return made


Open = Callable[..., Door]


@pytest.fixture
def opened(folders: dict[str, NodeFolder], tmp_path: Path) -> Iterator[Open]:
    doors: list[Door] = []

    def open_door(*, limits: DoorLimits = BUSY, parts: Path = tmp_path / "parts") -> Door:
        taking = Taking(parts)
        door = Door(folders["blue"], limits, answers=taking)
        door.handler = taking
        doors.append(door.__enter__())
        return door

    yield open_door
    for door in doors:
        door.stop()


@pytest.fixture
def door(opened: Open) -> Door:
    return opened()


@pytest.fixture
def taking(door: Door) -> Taking:
    assert isinstance(door.handler, Taking)
    return door.handler


@pytest.fixture
def red(folders: dict[str, NodeFolder]) -> NodeFolder:
    return folders["red"]


def said(door: Door, caller: NodeFolder, body: bytes, path: str = PATH, **how: object) -> bytes:
    request = post(path, body, **how)  # type: ignore[arg-type]
    return hostile.call(HOST, door.port, request, hostile.own_credentials(caller.path)).data


def pushed(door: Door, caller: NodeFolder, *parts: bytes) -> None:
    """Push as a node does."""

    async def run() -> None:
        async with door.client(caller) as client:
            for part in parts:
                await push(LINE, [client], part)

    asyncio.run(run())


def held(taking: Taking) -> HeldParts:
    return taking.parts.of(LINE).held()


def test_a_part_is_there_before_it_is_answered(door: Door, taking: Taking, red: NodeFolder) -> None:
    data = bytes(range(256)) * 4_096
    name = hashlib.sha256(data).hexdigest()
    assert said(door, red, data).endswith(b'\r\n\r\n{"kept":"' + name.encode() + b'"}')
    assert taking.parts.of(LINE).read(name) == data


def test_a_part_as_long_as_one_may_be_is_pushed(
    door: Door, taking: Taking, red: NodeFolder
) -> None:
    pushed(door, red, bytes(MOST_PART_BYTES))
    assert held(taking) == HeldParts(1, MOST_PART_BYTES)


def test_no_part_is_read_while_no_check_runs(door: Door, taking: Taking, red: NodeFolder) -> None:
    taking.runs = Allowed()
    assert said(door, red, b"x") == b""
    assert (taking.read, held(taking)) == (0, HeldParts(0, 0))


def test_nobody_knowing_what_runs_is_nothing_runs(tmp_path: Path) -> None:
    parts = PartDoor(tmp_path, lambda: ENOUGH, lambda: 0)
    assert parts.allowed(LINE) == Allowed(0, 0)


def test_another_party_pushes_nothing_on_this_line(
    door: Door, taking: Taking, folders: dict[str, NodeFolder]
) -> None:
    assert said(door, folders["green"], b"x") == b""
    assert said(door, folders["green"], b"x", f"/line/{OTHERS}/part") == b""  # nothing runs there
    assert said(door, folders["red"], b"x", f"/line/{OTHERS}/part") == b""
    assert said(door, folders["red"], b"x", f"/line/{'3' * 32}/part") == b""
    assert (taking.read, held(taking)) == (0, HeldParts(0, 0))


@pytest.mark.parametrize("length", [0, MOST_PART_BYTES + 1, 99_999_999, "+1", "1, 1", -1])
def test_a_length_that_no_part_has_is_refused_unread(
    length: int | str, door: Door, taking: Taking, red: NodeFolder
) -> None:
    assert said(door, red, b"x", length=length) == b""
    assert (taking.read, held(taking)) == (0, HeldParts(0, 0))


def test_a_part_longer_than_the_check_needs_is_refused_unread(
    door: Door, taking: Taking, red: NodeFolder
) -> None:
    taking.runs = Allowed(parts=8, size_bytes=1_000)
    assert said(door, red, bytes(1_001)) == b""
    assert taking.read == 0


def test_a_part_shorter_than_its_head_says_is_nothing(
    opened: Open, folders: dict[str, NodeFolder]
) -> None:
    door = opened()
    assert isinstance(door.handler, Taking)
    assert said(door, folders["red"], bytes(100), length=101) == b""
    assert (door.handler.read, held(door.handler)) == (0, HeldParts(0, 0))


def test_what_comes_behind_a_part_is_no_part_of_it(
    door: Door, taking: Taking, red: NodeFolder
) -> None:
    said(door, red, bytes(101), length=100)
    assert held(taking) in (HeldParts(1, 100), HeldParts(0, 0))  # never 101


def test_parts_beyond_what_the_check_needs_are_refused(
    door: Door, taking: Taking, red: NodeFolder
) -> None:
    for number in range(6):
        pushed(door, red, bytes([number]) * MIB)
    with pytest.raises(PeerUnreachableError):
        pushed(door, red, b"x")
    assert held(taking) == HeldParts(6, 6 * MIB)


def test_all_at_once_are_no_more_than_one_after_the_other(
    door: Door, taking: Taking, red: NodeFolder
) -> None:
    taking.runs = Allowed(parts=100, size_bytes=6_000)

    async def run() -> list[BaseException | None]:
        async with door.client(red) as one, door.client(red) as two:
            pushes = [push(LINE, [(one, two)[n % 2]], bytes([n]) * 1_000) for n in range(12)]
            return await asyncio.gather(*pushes, return_exceptions=True)

    failed = [error for error in asyncio.run(run()) if error is not None]
    assert held(taking) == HeldParts(6, 6_000)
    assert len(failed) == 6


def test_ten_thousand_tiny_parts_are_as_few_as_the_check_needs(
    door: Door, taking: Taking, red: NodeFolder
) -> None:
    taking.runs = Allowed(parts=50, size_bytes=6 * MIB)

    async def run() -> int:
        refused = 0
        async with door.client(red) as client:
            for number in range(10_000):
                try:
                    await push(LINE, [client], b"%d" % number)
                except PeerUnreachableError:
                    refused += 1
                if refused == 3:  # each costs a handshake, and tells no more than these
                    return number
        return 10_000

    assert asyncio.run(run()) == 52
    assert held(taking).parts == 50


def test_a_part_said_again_takes_no_more_room(door: Door, taking: Taking, red: NodeFolder) -> None:
    taking.runs = Allowed(parts=1, size_bytes=1_000)
    pushed(door, red, bytes(1_000), bytes(1_000))
    pushed(door, red, bytes(1_000))
    assert held(taking) == HeldParts(1, 1_000)


def test_a_damaged_part_is_mended_by_saying_it_again(
    door: Door, taking: Taking, red: NodeFolder, tmp_path: Path
) -> None:
    taking.runs = Allowed(parts=1, size_bytes=1_000)
    pushed(door, red, bytes(1_000))
    name = hashlib.sha256(bytes(1_000)).hexdigest()
    (tmp_path / "parts" / LINE / name).write_bytes(bytes([1]) * 1_000)
    pushed(door, red, bytes(1_000))
    assert taking.parts.of(LINE).read(name) == bytes(1_000)


def test_a_disk_with_room_for_what_is_urgent_alone_takes_no_part(
    door: Door, taking: Taking, red: NodeFolder
) -> None:
    taking.short = frozenset({Precedence.ROUTINE})
    assert said(door, red, b"x") == b""
    assert taking.read == 0
    taking.short = ENOUGH
    pushed(door, red, b"x")


def test_a_slow_sender_is_cut_and_leaves_nothing(
    door: Door, taking: Taking, red: NodeFolder
) -> None:
    request = post(PATH, bytes(64), keep=True)
    own = hostile.own_credentials(red.path)
    heard, took_s = hostile.drip(HOST, door.port, own, request, pause_s=0.05, for_s=8)
    assert heard.data == b""
    assert took_s < 6
    assert (taking.read, held(taking)) == (0, HeldParts(0, 0))


def test_a_party_that_pushes_much_waits_for_its_ration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_ms = 0
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        nonlocal now_ms
        slept.append(seconds)
        now_ms += round(seconds * 1_000)

    monkeypatch.setattr(part_door, "cost_of_body", lambda _: SAVED_UP // 2 + 50)
    monkeypatch.setattr(part_door.asyncio, "sleep", sleep)
    parts = PartDoor(tmp_path, lambda: ENOUGH, lambda: now_ms)
    parts.allowed = lambda _: RUNS

    async def run() -> None:
        for number in range(3):
            await parts.take("red", LINE, bytes([number]))
        await parts.take("green", LINE, b"green waits for nothing of red's")

    asyncio.run(run())
    assert slept == [pytest.approx(101 / UNITS_PER_S, abs=0.002)]  # 100 owed, and one


def test_a_disk_that_fills_in_the_middle_of_a_part_keeps_nothing_of_it(
    opened: Open, red: NodeFolder, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk)
    mounted = subprocess.run(mount, capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        door = opened(parts=disk / "parts")
        assert isinstance(door.handler, Taking)
        with pytest.raises(PeerUnreachableError):
            pushed(door, red, bytes(3 * MIB))
        assert held(door.handler) == HeldParts(0, 0)
        pushed(door, red, bytes(MIB))
        assert held(door.handler) == HeldParts(1, MIB)
    finally:
        subprocess.run(("umount", disk), check=True)


def test_a_link_in_the_folder_leads_no_part_elsewhere(
    door: Door, taking: Taking, red: NodeFolder, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"precious")
    name = hashlib.sha256(b"x").hexdigest()
    pushed(door, red, b"another")
    (tmp_path / "parts" / LINE / name).symlink_to(elsewhere)
    pushed(door, red, b"x")
    assert elsewhere.read_bytes() == b"precious"
    assert taking.parts.of(LINE).read(name) == b"x"


class Answering:
    """A way whose peer says what the test wants; None for nobody there."""

    def __init__(self, answer: bytes | None) -> None:
        self.answer = answer
        self.posted: list[str] = []

    async def post(self, path: str, body: bytes, timeout_s: float) -> bytes:
        self.posted.append(path)
        if self.answer is None:
            raise PeerUnreachableError("the peer's node gave no answer")
        return self.answer

    async def close(self) -> None:
        pass


def test_pushing_takes_the_next_way_where_one_does_not_carry() -> None:
    kept = b'{"kept":"' + hashlib.sha256(b"x").hexdigest().encode() + b'"}'
    down, up, spare = Answering(None), Answering(kept), Answering(kept)
    asyncio.run(push(LINE, [down, up, spare], b"x"))
    assert (down.posted, up.posted, spare.posted) == ([PATH], [PATH], [])


@pytest.mark.parametrize("answer", [b"", b"{}", b'{"kept":"' + b"0" * 64 + b'"}', None])
def test_what_the_peer_does_not_say_to_keep_is_not_pushed(answer: bytes | None) -> None:
    with pytest.raises(PeerUnreachableError):
        asyncio.run(push(LINE, [Answering(answer)], b"x"))
    with pytest.raises(PeerUnreachableError):
        asyncio.run(push(LINE, [], b"x"))
