"""Two real nodes, one on a small real disk: what it refuses as it fills, and what it never does.

The disk is a file system in memory, so needs the right to mount; every figure is of that file
system itself, not of a stand-in.
"""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.processes.nodes import (
    SAFETY,
    Api,
    ApiError,
    Member,
    Process,
    Unreachable,
    make_nodes,
    wait_until,
)

from deconflict.line.precedence import Precedence
from deconflict.line.room import FIRST_REFUSED
from deconflict.node.disk import RESERVE_FILE, room_of
from deconflict.node.folder import NodeFolder
from deconflict.store.sqlite import SqliteStore

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]

MIB = 1024 * 1024
DISK_MIB = 320
RESERVE_MIB = 64
ALERTS = 1_000
# Free and held, when a class is the last one that is refused: between its limit and the next.
LEFT_MIB = {
    Precedence.ROUTINE: 120,
    Precedence.PRIORITY: 104,
    Precedence.IMMEDIATE: 80,
}


@dataclass
class Disk:
    """Red's small disk."""

    path: Path

    @property
    def _fill(self) -> Path:
        return self.path / "fill"

    def left_mib(self, folder: Path) -> float:
        return sum(room_of(folder)) / MIB

    def fill_until(self, folder: Path, left_mib: float) -> None:
        """Leave so much, free and held by the reserve, as another program on the disk would."""
        held = self._fill.stat().st_size if self._fill.exists() else 0
        with self._fill.open("ab") as stream:
            more = self.left_mib(folder) - left_mib
            os.posix_fallocate(stream.fileno(), held, max(1, round(more * MIB)))

    def fill(self) -> None:
        """Take all that is free."""
        held = self._fill.stat().st_size if self._fill.exists() else 0
        with self._fill.open("ab") as stream, contextlib.suppress(OSError):
            for size in (MIB, 4_096):
                with contextlib.suppress(OSError):
                    while True:
                        os.posix_fallocate(stream.fileno(), held, size)
                        held += size

    def empty(self) -> None:
        self._fill.unlink(missing_ok=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    path = tmp_path / "disk"
    path.mkdir()
    mounted = subprocess.run(
        ("mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", path),
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield Disk(path)
    finally:
        subprocess.run(("umount", "-l", path), check=True)


@pytest.fixture
def pair(tmp_path: Path, disk: Disk) -> tuple[Member, Member]:
    """Blue on a large disk, red on the small one."""
    members = make_nodes(tmp_path, ("blue", "red"))
    shutil.move(members["red"].path, disk.path / "red")
    red = replace(members["red"], folder=NodeFolder.open(disk.path / "red"))
    return members["blue"], red


class Patient(Api):
    """A caller that calls again when the node has closed a connection that was idle."""

    def raw(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        try:
            return super().raw(method, path, body)
        except Unreachable:
            return super().raw(method, path, body)


@contextlib.contextmanager
def running(blue: Member, red: Member) -> Iterator[tuple[Api, Api, Process]]:
    apis = [Patient(member.operators_port, member.token) for member in (blue, red)]
    with Process(blue) as one, Process(red) as other, apis[0] as api, apis[1] as of_red:
        one.ready()
        other.ready()
        wait_until(lambda: api.line("red")["state"] == "UP", 15, "UP")
        yield api, of_red, other


def say(api: Api, precedence: Precedence) -> str:
    if precedence is Precedence.FLASH:
        return str(api.send("red", "SAFETY", SAFETY)["hash"])
    body = {"text": "4821 0937"}
    return str(api.send("red", "LINE_CHECK", body, precedence=precedence.value)["hash"])


def state(api: Api, message: str) -> str:
    return str(api.get(f"/messages/{message}")["state"])


def wait_state(api: Api, message: str, *states: str, limit_s: float = 10) -> None:
    wait_until(lambda: state(api, message) in states, limit_s, f"one of {states}")


def refused_here(api: Api) -> set[str]:
    return {alert["subject"] for alert in api.alerts() if alert["rule"] == "NO_ROOM_HERE"}


def test_every_fill_level_with_a_thousand_alerts_on_the_full_disk_and_room_again(
    pair: tuple[Member, Member], disk: Disk
) -> None:
    blue, red = pair
    with running(blue, red) as (api, of_red, process):
        wait_until(lambda: room_of(red.path)[1] == RESERVE_MIB * MIB, 5, "the reserve")
        for precedence in Precedence:
            wait_state(api, say(api, precedence), "LACKED", "SEEN")

        for number, precedence in enumerate(FIRST_REFUSED, start=1):
            disk.fill_until(red.path, LEFT_MIB[precedence])
            expected = {one.value for one in FIRST_REFUSED[:number]}
            wait_until(lambda e=expected: refused_here(of_red) == e, 5, f"{expected} refused")
            message = say(api, precedence)
            wait_state(api, message, "REFUSED")
            told = wait_until(
                lambda: [one["text"] for one in api.alerts() if one["rule"] == "REFUSED"], 3, "told"
            )
            assert len(told) == 1
            assert "NO ROOM" in told[0]
            flash = say(api, Precedence.FLASH)
            wait_state(api, flash, "LACKED", limit_s=3)
            wait_state(api, message, "LACKED", limit_s=3)  # it stood before the FLASH

        disk.fill()
        assert room_of(red.path)[0] < MIB
        began = time.monotonic()
        alerts = [say(api, Precedence.FLASH) for _ in range(ALERTS)]
        wait_state(api, alerts[-1], "LACKED", limit_s=30)
        took_s = time.monotonic() - began
        assert process.running
        line = api.line("red")
        assert line["receipted_seq"] == line["own_seq"]
        left = disk.left_mib(red.path)
        print(
            f"{ALERTS} alerts on a full disk in {took_s:.0f} s; "
            f"{RESERVE_MIB - left:.1f} of {RESERVE_MIB} MiB of the reserve used"
        )
        assert left > RESERVE_MIB / 2

        disk.empty()
        wait_until(lambda: not refused_here(of_red), 5, "room again")
        wait_until(lambda: not refused_by_peer(api), 40, "blue to say ROUTINE again")
        wait_until(lambda: room_of(red.path)[1] == RESERVE_MIB * MIB, 5, "the whole reserve")


def refused_by_peer(api: Api) -> bool:
    """True exactly when blue's desk still cannot say ROUTINE; says it otherwise."""
    try:
        message = say(api, Precedence.ROUTINE)
    except ApiError as error:
        if error.status != 409:
            raise
        time.sleep(1)
        return True
    wait_state(api, message, "LACKED", "SEEN")
    return False


def test_a_node_killed_on_a_full_disk_starts_again_on_it_and_hears_alerts(
    pair: tuple[Member, Member], disk: Disk
) -> None:
    blue, red = pair
    with running(blue, red) as (api, _, process):
        disk.fill()
        for _ in range(20):
            message = say(api, Precedence.FLASH)
        wait_state(api, message, "LACKED")
        process.kill()
        disk.fill()
        missed = say(api, Precedence.FLASH)
        with Process(red) as again:
            again.ready()
            wait_state(api, missed, "LACKED", limit_s=15)
            with Patient(red.operators_port, red.token) as of_red:
                wait_until(lambda: len(refused_here(of_red)) == 3, 5, "all refused but FLASH")
            assert again.running


def test_own_messages_are_refused_like_the_peers_on_a_full_disk(
    pair: tuple[Member, Member], disk: Disk
) -> None:
    blue, red = pair
    with running(blue, red) as (_, of_red, process):
        disk.fill()
        wait_until(lambda: len(refused_here(of_red)) == 3, 5, "all refused but FLASH")
        for precedence in FIRST_REFUSED:
            status, body = of_red.raw(
                "POST",
                "/api/v1/lines/blue/messages",
                b'{"kind": "LINE_CHECK", "body": {"text": "1"}, "precedence": "%s"}'
                % precedence.value.encode(),
            )
            assert status == 409
            assert b"nearly full" in body
        message = of_red.send("blue", "SAFETY", SAFETY)["hash"]
        wait_state(of_red, message, "LACKED")
        assert process.running


def test_a_commit_that_finds_no_room_loses_nothing_receipted(
    pair: tuple[Member, Member], disk: Disk
) -> None:
    """The reserve is gone too: the node ends in words, and all it receipted is in its record."""
    blue, red = pair
    with running(blue, red) as (api, _, process):
        disk.fill()
        os.truncate(red.path / RESERVE_FILE, 0)
        disk.fill_until(red.path, 1)
        sent = 0

        def ended() -> bool:
            nonlocal sent
            if process.running:
                sent += 1
                say(api, Precedence.FLASH)
            return not process.running

        wait_until(ended, 60, "red to end")
        assert process.ended() != 0
        assert "no room" in process.said.decode() + process.words()
        disk.empty()
        receipted = api.line("red")["receipted_seq"]
        with SqliteStore.open(red.path / "record.sqlite") as store:
            (line,) = store.lines()
            logged = [row.hash for row in store.entries(line.line_id, "blue")]
        said = api.get(f"/lines/{line.line_id}/messages?direction=out&limit=1000")
        hashes = [message["hash"] for message in said]
        print(f"{sent} alerts until the disk was full, {receipted} receipted, {len(logged)} logged")
        assert logged == hashes[: len(logged)]
        assert len(logged) >= receipted > 5
        with Process(red) as again:
            again.ready()
            wait_until(lambda: api.line("red")["receipted_seq"] == len(hashes), 20, "delivery")
