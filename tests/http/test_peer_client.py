"""A node's client speaks to the pinned peer only, and says in words when it gets no answer."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import hostile
import pytest
from door import HOST, Door, make_folder, pin
from hostile import PATH

from deconflict.errors import ConfigurationError, PeerUnreachableError, WrongSenderError
from deconflict.node.folder import NodeFolder, read_validity
from deconflict.node.peer_client import PeerClient
from deconflict.node.tls import client_context


@pytest.fixture(scope="module")
def blue(tmp_path_factory: pytest.TempPathFactory) -> NodeFolder:
    return make_folder(tmp_path_factory.mktemp("blue") / "node", "blue")


@pytest.fixture(scope="module")
def red(tmp_path_factory: pytest.TempPathFactory, blue: NodeFolder) -> NodeFolder:
    folder = make_folder(tmp_path_factory.mktemp("red") / "node", "red")
    pin(blue, folder)
    return folder


@pytest.fixture(scope="module")
def door(blue: NodeFolder, red: NodeFolder) -> Iterator[Door]:
    with Door(blue) as opened:
        yield opened


def ask(client: PeerClient, body: bytes = b"hello", timeout_s: float = 5) -> bytes:
    async def once() -> bytes:
        async with client:
            return await client.post(PATH, body, timeout_s)

    return asyncio.run(once())


def root_of(node: NodeFolder) -> bytes:
    pem = (node.path / "keys" / "tls-root.pem").read_text()
    return ssl.PEM_cert_to_DER_cert(pem)


def test_the_peer_answers(door: Door, red: NodeFolder) -> None:
    client = door.client(red)
    assert client.shown_until_ms is None
    assert ask(client) == b"red said hello"
    assert client.shown_until_ms == read_validity(door.folder.path).end_ms


def test_large_bodies_go_and_come_whole(door: Door, red: NodeFolder) -> None:
    body = bytes(range(256)) * 30_000
    assert ask(door.client(red), body) == b"red said " + body


def test_a_beat_does_not_wait_behind_a_slow_answer(door: Door, red: NodeFolder) -> None:
    async def both() -> bytes:
        async with door.client(red) as client:
            slow = asyncio.create_task(client.post(PATH, b"hang", 5))
            await asyncio.sleep(0.1)
            beat = await client.post(PATH.replace("packets", "beat"), b"", 1)
            slow.cancel()
            await asyncio.gather(slow, return_exceptions=True)
            return beat

    assert asyncio.run(both()) == b"beat"


def test_more_requests_than_connections_are_all_answered(door: Door, red: NodeFolder) -> None:
    async def many() -> list[bytes]:
        async with door.client(red) as client:
            bodies = [str(number).encode() for number in range(40)]
            return await asyncio.gather(*(client.post(PATH, body, 5) for body in bodies))

    assert asyncio.run(many()) == [f"red said {number}".encode() for number in range(40)]


def test_another_key_under_the_right_root_gets_no_request(
    door: Door, blue: NodeFolder, red: NodeFolder
) -> None:
    said = len(door.handler.calls)
    with pytest.raises(WrongSenderError, match="another key than the pinned one"):
        ask(door.client(red, pin="0" * 64))
    assert len(door.handler.calls) == said


def test_a_certificate_under_another_root_gets_no_request(door: Door, red: NodeFolder) -> None:
    said = len(door.handler.calls)

    client = PeerClient(
        client_context(red.unlock().chain, root_of(red)),
        f"https://{HOST}:{door.port}",
        door.folder.tls_spki_sha256,
    )
    with pytest.raises(WrongSenderError, match="does not verify"):
        ask(client)
    assert len(door.handler.calls) == said


def test_an_expired_certificate_gets_no_request(
    blue: NodeFolder, red: NodeFolder, tmp_path: Path
) -> None:
    expired = hostile.expired_credentials(blue.path, tmp_path)
    with Door(blue) as door:
        door.context.load_cert_chain(expired.certificate, expired.key)
        with pytest.raises(WrongSenderError, match="has expired"):
            ask(door.client(red))
        assert door.handler.calls == []


def test_a_refusal_is_no_answer(door: Door, red: NodeFolder) -> None:
    with pytest.raises(PeerUnreachableError, match="without an answer"):
        ask(door.client(red), b"wrong sender")


def test_a_caller_who_is_not_pinned_gets_no_answer(door: Door, tmp_path: Path) -> None:
    with pytest.raises(PeerUnreachableError):
        ask(door.client(make_folder(tmp_path / "node", "grey")))


def test_an_answer_that_takes_too_long_is_none(door: Door, red: NodeFolder) -> None:
    with pytest.raises(PeerUnreachableError, match=r"within 0\.2 s"):
        ask(door.client(red), b"hang", timeout_s=0.2)


def test_after_a_late_answer_the_next_one_is_the_right_one(door: Door, red: NodeFolder) -> None:
    async def two() -> bytes:
        async with door.client(red) as client:
            with pytest.raises(PeerUnreachableError):
                await client.post(PATH, b"hang", 0.1)
            return await client.post(PATH, b"next", 5)

    assert asyncio.run(two()) == b"red said next"


def test_nobody_there_is_said_so(red: NodeFolder, door: Door) -> None:
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    client = PeerClient(
        client_context(red.unlock().chain, root_of(red)), f"https://{HOST}:{port}", "0" * 64
    )
    with pytest.raises(PeerUnreachableError, match="refused"):
        ask(client)


def test_a_peer_that_started_again_is_reached_at_the_first_try(
    blue: NodeFolder, red: NodeFolder
) -> None:
    async def before_and_after() -> list[bytes]:
        with Door(blue) as door:
            client = door.client(red)
            answers = [await client.post(PATH, b"one", 5)]
        again = await asyncio.to_thread(Door(blue, port=door.port).__enter__)
        try:
            async with client:
                answers.append(await client.post(PATH, b"two", 5))
        finally:
            await asyncio.to_thread(again.stop)
        return answers

    assert asyncio.run(before_and_after()) == [b"red said one", b"red said two"]


@pytest.fixture
def faulty(blue: NodeFolder) -> Iterator[Callable[[bytes], int]]:
    """Opens a port with blue's certificate that gives the same bytes to whatever it hears."""
    listening = socket.create_server((HOST, 0))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    chain = blue.unlock().chain
    context.load_cert_chain(chain.certificate_path, chain.key_path)
    threads: list[threading.Thread] = []

    def serve(answer: bytes) -> None:
        with listening.accept()[0] as plain, context.wrap_socket(plain, server_side=True) as tls:
            tls.recv(65_536)
            tls.sendall(answer)

    def start(answer: bytes) -> int:
        threads.append(threading.Thread(target=serve, args=(answer,)))
        threads[0].start()
        return int(listening.getsockname()[1])

    yield start
    threads[0].join()
    listening.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell",
        b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\ntransfer-encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"a" * 300_000,
    ],
)
def test_what_is_no_answer_of_a_node_is_none(
    answer: bytes, faulty: Callable[[bytes], int], blue: NodeFolder, red: NodeFolder
) -> None:
    client = PeerClient(
        client_context(red.unlock().chain, root_of(blue)),
        f"https://{HOST}:{faulty(answer)}",
        blue.tls_spki_sha256,
    )
    with pytest.raises(PeerUnreachableError):
        ask(client)


@pytest.mark.parametrize("url", ["http://node:8443", "https://", "https://node:8443/path", "node"])
def test_a_url_of_another_form_is_refused(url: str, red: NodeFolder) -> None:
    with pytest.raises(ConfigurationError, match="URL"):
        PeerClient(client_context(red.unlock().chain, root_of(red)), url, "0" * 64)
