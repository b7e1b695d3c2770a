"""A door at two addresses: the same door at both, also while one of them is not there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from door import BUSY, HOST, Handler, make_folder, pin

from deconflict.errors import ConfigurationError, WrongSenderError
from deconflict.node.folder import NodeFolder
from deconflict.node.invitation import Invitation
from deconflict.node.opening import addresses_of, open_door, started
from deconflict.node.peer_client import PeerClient
from deconflict.node.peer_server import PeerServer, build_peer_server
from deconflict.node.tls import client_context, server_context

ABSENT = "198.51.100.77"  # RFC 5737: of no machine
LINE = "0" * 32


def door_of(folder: NodeFolder, hosts: tuple[str, ...]) -> PeerServer:
    book = folder.peers()
    first, *more = ((host, 0) for host in hosts)
    return build_peer_server(
        Handler(),
        context=server_context(
            folder.unlock().chain, [peer.invitation.tls_root_der for peer in book.list()]
        ),
        party_of=book.party_by_spki,
        host=first[0],
        port=first[1],
        more=more,
        limits=BUSY,
    )


@asynccontextmanager
async def opened(server: PeerServer) -> AsyncIterator[list[tuple[str, int]]]:
    task = await open_door(server)
    try:
        yield addresses_of(server)
    finally:
        server.should_exit = True
        await task


@pytest.fixture
def pair(tmp_path: Path) -> tuple[NodeFolder, NodeFolder]:
    blue, red = make_folder(tmp_path / "blue", "blue"), make_folder(tmp_path / "red", "red")
    pin(blue, red)
    pin(red, blue)
    return blue, red


def client(own: NodeFolder, peer: NodeFolder, port: int, pinned: str | None = None) -> PeerClient:
    root = Invitation.parse(peer.invitation_path.read_bytes()).tls_root_der
    context = client_context(own.unlock().chain, root)
    return PeerClient(context, f"https://{HOST}:{port}", pinned or peer.tls_spki_sha256)


def test_the_pinned_peer_is_answered_at_both_and_its_beats_keep_their_path(
    pair: tuple[NodeFolder, NodeFolder],
) -> None:
    async def run() -> None:
        blue, red = pair
        async with opened(door_of(blue, (HOST, HOST))) as addresses:
            assert len(addresses) == 2
            for _, port in addresses:
                async with client(red, blue, port) as link:
                    assert await link.post(f"/line/{LINE}/packets", b"x", 2) == b"red said x"
                    for path in ("beat", "beat/2", "beat/4"):
                        assert await link.post(f"/line/{LINE}/{path}", b"x", 2) == b"beat"

    asyncio.run(run())


def test_at_the_second_address_too_no_byte_leaves_before_the_key_is_compared(
    pair: tuple[NodeFolder, NodeFolder],
) -> None:
    async def run() -> None:
        blue, red = pair
        async with (
            opened(door_of(blue, (HOST, HOST))) as addresses,
            client(red, blue, addresses[1][1], pinned="0" * 64) as link,
        ):
            with pytest.raises(WrongSenderError):
                await link.post(f"/line/{LINE}/packets", b"x", 2)

    asyncio.run(run())


def test_a_door_opens_while_one_of_its_addresses_is_not_there(
    pair: tuple[NodeFolder, NodeFolder], caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        blue, red = pair
        async with (
            opened(door_of(blue, (ABSENT, HOST))) as addresses,
            client(red, blue, addresses[1][1]) as link,
        ):
            assert await link.post(f"/line/{LINE}/packets", b"x", 2) == b"red said x"
        assert ABSENT in caplog.text

    asyncio.run(run())


@pytest.mark.parametrize("hosts", [(ABSENT,), (ABSENT, "198.51.100.78")])
def test_a_door_does_not_open_where_no_address_is_there(
    hosts: tuple[str, ...], pair: tuple[NodeFolder, NodeFolder]
) -> None:
    async def run() -> None:
        with pytest.raises(ConfigurationError):
            await started(door_of(pair[0], hosts))

    asyncio.run(run())
