"""How a node ends: soon and clean when told to, at once and loudly when its disk fails."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from tests.processes.nodes import (
    HOST,
    ApiError,
    Member,
    Nursery,
    Process,
    Unreachable,
    free_port,
    make_nodes,
    wait_until,
)

from deconflict.node.folder import NodeFolder
from deconflict.node.settings import Endpoint
from deconflict.store.sqlite import SqliteStore

pytestmark = pytest.mark.processes

SAID = {"event": "a word", "fields": {"number": 1}}
STOP_S = 5.0


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Member, Member]:
    blue, red = make_nodes(tmp_path, ("blue", "red")).values()
    return blue, red


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as opened:
        yield opened


def test_a_node_with_open_streams_ends_within_five_seconds(
    pair: tuple[Member, Member], nursery: Nursery, tmp_path: Path
) -> None:
    blue, red = pair
    with ExitStack() as stack:
        peer = nursery.start(red, tmp_path / "red.out")
        stack.callback(peer.kill)
        node = stack.enter_context(Process(blue))
        peer.ready()
        node.ready()
        api = stack.enter_context(blue.api())
        streams = [stack.enter_context(api.events()) for _ in range(8)]
        wait_until(lambda: api.line("red")["state"] == "UP", 10, "UP")
        began = time.monotonic()
        assert node.stop() == 0
        took_s = time.monotonic() - began
        assert all(stream.ended.wait(1) for stream in streams)
        assert node.words() == ""
    print(f"ended after {took_s:.2f} s with 8 open streams and the peer connected")
    assert took_s < STOP_S


def test_a_node_told_to_end_under_load_loses_nothing(
    pair: tuple[Member, Member], nursery: Nursery, tmp_path: Path
) -> None:
    blue, red = pair
    line = blue.line_with(red)
    durable: list[tuple[int, str]] = []

    def post() -> None:
        with blue.api() as api:
            try:
                while True:
                    posted = api.send(line, "ACCOUNT", SAID)
                    durable.append((posted["seq"], posted["hash"]))
            except (Unreachable, ApiError):
                return

    peer = nursery.start(red, tmp_path / "red.out")
    try:
        peer.ready()
        with Process(blue) as node:
            node.ready()
            posters = [threading.Thread(target=post) for _ in range(4)]
            for poster in posters:
                poster.start()
            wait_until(lambda: len(durable) > 100, 20, "load")
            began = time.monotonic()
            assert node.stop() == 0
            took_s = time.monotonic() - began
            for poster in posters:
                poster.join()
            assert "Traceback" not in node.words()
        assert took_s < STOP_S
        with SqliteStore.open(blue.folder.record_path) as store:
            kept = {row.seq: row.hash for row in store.entries(line, "blue")}
        assert {seq: kept.get(seq) for seq, _ in durable} == dict(durable)
        again = nursery.start(blue, tmp_path / "blue.out")
        try:
            assert again.ready()["entries_verified"] == len(kept)
            with red.api() as api:
                wait_until(lambda: api.line("blue")["peer_seq"] == len(kept), 20, "delivery")
        finally:
            again.kill()
    finally:
        peer.kill()


def test_a_second_node_on_the_same_folder_refuses_and_the_first_goes_on(
    pair: tuple[Member, Member], nursery: Nursery, tmp_path: Path
) -> None:
    blue, _ = pair
    first = nursery.start(blue, tmp_path / "blue.out")
    try:
        first.ready()
        # With ports of its own: it is the record that must refuse, not a taken address.
        settings = replace(
            blue.folder.settings,
            peer_listen=Endpoint(HOST, free_port()),
            operators_listen=Endpoint(HOST, free_port()),
        )
        (blue.path / "node.toml").write_text(settings.render())
        with Process(Member(NodeFolder.open(blue.path), blue.token)) as second:
            assert second.ended() != 0
            said = second.said.decode() + second.words()
        assert "StoreInUseError" in said
        assert "Traceback" not in said
        with blue.api() as api:
            assert api.get("/node")["party"] == "blue"
    finally:
        first.kill()


def test_a_taken_port_is_said_in_words(
    pair: tuple[Member, Member], nursery: Nursery, tmp_path: Path
) -> None:
    blue, red = pair
    first = nursery.start(blue, tmp_path / "blue.out")
    try:
        first.ready()
        for clash in (
            {"peer_listen": blue.folder.settings.peer_listen},
            {"operators_listen": blue.folder.settings.operators_listen},
        ):
            (red.path / "node.toml").write_text(replace(red.folder.settings, **clash).render())
            with Process(red) as second:
                assert second.ended() != 0
                said = second.said.decode() + second.words()
            assert "free port" in said, said
            assert "Traceback" not in said
    finally:
        first.kill()


@pytest.mark.parametrize(("disk", "words"), [("full_disk", "no room"), ("broken_disk", "failed")])
def test_a_node_whose_disk_fails_ends_and_says_so(
    disk: str, words: str, pair: tuple[Member, Member], nursery: Nursery, tmp_path: Path
) -> None:
    blue, red = pair
    line = blue.line_with(red)
    with Process(blue, ("-m", "tests.faults.node_taps", disk, "400")) as node:
        node.ready()
        durable = 0
        with blue.api() as api, pytest.raises((Unreachable, ApiError)):  # noqa: PT012
            for _ in range(200):
                api.send(line, "ACCOUNT", SAID)
                durable += 1
        assert node.ended() not in (0, -signal.SIGKILL)
        said = node.said.decode() + node.words()
    assert words in said, said
    assert "Traceback" not in said, said
    # On a disk that works again it starts, with all that it called durable.
    again = nursery.start(blue, tmp_path / "blue.out")
    try:
        assert again.ready()["entries_verified"] >= durable > 5
    finally:
        again.kill()
