"""Inquiries of a running node: each in a process beside it, bounded, and gone when it ends."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from test_node_runtime import runtime_of

from deconflict.errors import (
    InvalidDocumentError,
    LineStateError,
    NotFoundError,
    StoreFullError,
    TooManyAttemptsError,
)
from deconflict.messages.kinds import Kind
from deconflict.node.actor import Actor, Role
from deconflict.node.bundle import export_bundle
from deconflict.node.inquiries import book
from deconflict.node.inquiries.book import MOST_BUNDLE_BYTES, Inquiries, InquiryFiles
from deconflict.node.inquiries.views import InquiryView
from deconflict.node.keeping.audit import Pins
from deconflict.node.service import Node
from deconflict.replay.world import DESKS
from node_pair import LATAKIA, NodePair, cease, declaration, node_pair
from record_samples import KEYS

OFFICER = Actor("olga", frozenset({Role.WATCH_OFFICER}), DESKS[0])
OTHER = Actor("omar", frozenset({Role.WATCH_OFFICER}), DESKS[0])
pytestmark = pytest.mark.timeout(120)

Work = Callable[[NodePair, Node, Path], Awaitable[None]]


@asynccontextmanager
async def asked(pair: NodePair, folder: Path) -> AsyncIterator[Node]:
    """Blue's node with inquiries."""
    async with runtime_of(pair) as runtime:
        node = Node(pair.blue.core, runtime, pair.blue.store)
        keys = {party: pair.station(party).core.key.verify_key for party in ("blue", "red")}
        pins = Pins("blue", [(pair.line_id, "red")], keys, {})
        record = folder / "record.sqlite"
        record.write_bytes(b"")
        files = InquiryFiles(folder / "inquiries", record, 0)
        node.inquiries = Inquiries(files, pins, os.urandom)
        running = asyncio.create_task(node.inquiries.run())
        await asyncio.sleep(0)
        try:
            yield node
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def told(folder: Path, work: Work, said: Callable[[NodePair], object] = lambda _: None) -> None:
    async def run(pair: NodePair) -> None:
        async with asked(pair, folder) as node:
            await work(pair, node, folder)

    with node_pair() as pair:
        said(pair)
        asyncio.run(run(pair))


def bundle(pair: NodePair) -> bytes:
    return b"".join(
        export_bundle(
            pair.blue.store,
            pair.line_id,
            signer=pair.blue.core.key,
            peer_key=pair.red.core.key.verify_key,
            exported_utc_ms=pair.world.now.utc_ms,
        )
    )


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(data), 1_000):
        yield data[at : at + 1_000]


async def over(node: Node, view: InquiryView) -> InquiryView:
    while (view := node.inquiry(OFFICER, view.inquiry_id)).state == "RUNNING":
        await asyncio.sleep(0.02)
    return view


async def brought(node: Node, data: bytes) -> InquiryView:
    announced = node.verify_file(OFFICER, len(data))
    await node.take_file(OFFICER, announced.inquiry_id, pieces(data))
    return await over(node, announced)


def result(view: InquiryView) -> Any:
    assert view.state == "DONE", view
    return msgspec.json.decode(view.result)


def test_what_each_side_knew_is_told_from_the_own_record(tmp_path: Path) -> None:
    def said(pair: NodePair) -> None:
        pair.declare("red", declaration(1))
        pair.run_for(60)
        pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(120)

    async def work(pair: NodePair, node: Node, folder: Path) -> None:
        at_ms = pair.world.now.utc_ms - 60_000
        found = result(await over(node, node.known_at(OFFICER, "red", at_ms)))
        sides = {side["party"]: side for side in found["instant"]["sides"]}
        assert sides["blue"]["own_record"]
        assert [each["party"] for each in sides["blue"]["declarations"]] == ["red"]
        (question,) = [each for each in sides["red"]["questions"] if each["kind"] == "CEASE"]
        assert "requests" in found["texts"][question["message"]]
        # Before anything was said, nobody knew of it.
        early = result(await over(node, node.known_at(OFFICER, "red", at_ms - 86_400_000)))
        assert all(not side["declarations"] for side in early["instant"]["sides"])
        assert list((folder / "inquiries").iterdir()) == []

    told(tmp_path, work, said)


def test_a_file_verifies_or_it_is_said_where_it_does_not(tmp_path: Path) -> None:
    async def work(pair: NodePair, node: Node, folder: Path) -> None:
        data = bundle(pair)
        proven = result(await brought(node, data))
        assert proven["kind"] == "RECORD"
        assert {chain["party"] for chain in proven["proven"]["chains"]} == {"blue", "red"}
        forged = await brought(node, data.replace(b'"delayed":false', b'"delayed":true', 1))
        assert forged.state == "NOT_VERIFIED"
        assert forged.refused is not None
        assert "changed" in forged.refused.problem
        broken_off = await brought(node, data[:-500])
        assert broken_off.state == "NOT_VERIFIED"
        assert list((folder / "inquiries").iterdir()) == []

    told(tmp_path, work, lambda pair: pair.declare("red", declaration(1)))


def test_a_file_is_proven_by_the_keys_pinned_here_and_no_others(tmp_path: Path) -> None:
    async def work(pair: NodePair, node: Node, folder: Path) -> None:
        assert node.inquiries is not None
        pins = node.inquiries._pins
        keys = {**pins.keys, "red": KEYS["red"]}
        node.inquiries._pins = Pins(pins.party, pins.lines, keys, {})
        view = await brought(node, bundle(pair))
        assert view.state == "NOT_VERIFIED"
        assert view.refused is not None
        assert view.refused.type == "UnknownKeyError"

    told(tmp_path, work)


def test_a_file_that_is_not_as_announced_is_deleted(tmp_path: Path) -> None:
    async def work(pair: NodePair, node: Node, folder: Path) -> None:
        for announced, sent in ((900, 1_000), (1_100, 1_000)):
            view = node.verify_file(OFFICER, announced)
            with pytest.raises(InvalidDocumentError, match="did not come as it was announced"):
                await node.take_file(OFFICER, view.inquiry_id, pieces(b"x" * sent))
            with pytest.raises(NotFoundError):
                node.inquiry(OFFICER, view.inquiry_id)
        for size in (0, MOST_BUNDLE_BYTES + 1):
            with pytest.raises(InvalidDocumentError, match="not verified here"):
                node.verify_file(OFFICER, size)
        view = node.verify_file(OFFICER, 1_000)
        await node.take_file(OFFICER, view.inquiry_id, pieces(b"x" * 1_000))
        with pytest.raises(LineStateError, match="has come"):
            await node.take_file(OFFICER, view.inquiry_id, pieces(b"x" * 1_000))
        assert (await over(node, view)).state == "NOT_VERIFIED"
        assert list((folder / "inquiries").iterdir()) == []

    told(tmp_path, work)


def test_an_inquiry_is_its_account_s_and_few_run_at_once(tmp_path: Path) -> None:
    async def work(pair: NodePair, node: Node, folder: Path) -> None:
        view = node.verify_file(OFFICER, 1_000)
        with pytest.raises(TooManyAttemptsError):
            node.verify_file(OFFICER, 1_000)
        with pytest.raises(NotFoundError):
            node.inquiry(OTHER, view.inquiry_id)
        with pytest.raises(NotFoundError):
            await node.end_inquiry(OTHER, view.inquiry_id)
        theirs = node.verify_file(OTHER, 1_000)
        with pytest.raises(TooManyAttemptsError):
            node.verify_file(Actor("third", OTHER.roles, OTHER.desk), 1_000)
        await node.end_inquiry(OFFICER, view.inquiry_id)
        assert node.verify_file(OFFICER, 1_000).inquiry_id != view.inquiry_id
        assert node.inquiry(OTHER, theirs.inquiry_id).state == "RUNNING"

    told(tmp_path, work)


def test_called_off_it_ends_with_its_process_and_its_file(tmp_path: Path) -> None:
    async def work(pair: NodePair, node: Node, folder: Path) -> None:
        view = node.known_at(OFFICER, "red", pair.world.now.utc_ms)
        while node.inquiry(OFFICER, view.inquiry_id).stage == "COPYING":
            await asyncio.sleep(0)
            if node.inquiry(OFFICER, view.inquiry_id).done:
                break
        ended = await node.end_inquiry(OFFICER, view.inquiry_id)
        assert ended.state == "FAILED"
        assert list((folder / "inquiries").iterdir()) == []
        assert result(await over(node, node.known_at(OFFICER, "red", pair.world.now.utc_ms)))

    told(tmp_path, work)


def test_a_disk_without_room_for_the_file_takes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book, "_LEFT_RESERVES", 1 << 60)

    async def work(pair: NodePair, node: Node, folder: Path) -> None:
        files = InquiryFiles(folder / "inquiries", folder / "record.sqlite", 1)
        node.inquiries = Inquiries(files, node.inquiries._pins, os.urandom)  # type: ignore[union-attr]
        with pytest.raises(StoreFullError, match="no room"):
            node.verify_file(OFFICER, 1_000)
        with pytest.raises(StoreFullError, match="no room"):
            node.known_at(OFFICER, "red", pair.world.now.utc_ms)

    told(tmp_path, work)


def test_what_a_killed_node_left_is_deleted(tmp_path: Path) -> None:
    (tmp_path / "inquiries").mkdir()
    (tmp_path / "inquiries" / "left").write_bytes(b"x")

    async def work(pair: NodePair, node: Node, folder: Path) -> None:
        assert list((folder / "inquiries").iterdir()) == []

    told(tmp_path, work)
