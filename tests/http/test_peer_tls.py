"""The door between nodes lets no one in but the pinned peer, and says nothing to anybody else."""

import asyncio
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import hostile
import pytest
from door import BUSY, HOST, Door, make_folder, pin
from hostile import post

from deconflict.errors import ConfigurationError
from deconflict.node.door_probe import probe_refuses_strangers
from deconflict.node.folder import NodeFolder
from deconflict.node.invitation import Invitation
from deconflict.node.peer_server import DoorLimits, build_peer_server
from deconflict.node.tls import server_context, trust


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


@pytest.fixture
def reasons(caplog: pytest.LogCaptureFixture) -> Callable[[str], None]:
    """Waits until the door has logged a refusal for this reason."""
    caplog.set_level(logging.INFO, logger="deconflict.door")

    def wait_for(reason: str) -> None:
        deadline = time.monotonic() + 5
        while not any(reason in record.getMessage() for record in caplog.records):
            assert time.monotonic() < deadline, [r.getMessage() for r in caplog.records]
            time.sleep(0.01)

    return wait_for


def test_the_pinned_peer_gets_an_answer(door: Door, red: NodeFolder) -> None:
    heard = hostile.call(HOST, door.port, post(), hostile.own_credentials(red.path))
    assert heard.data.endswith(b"\r\n\r\nred said hello")


def test_an_answer_tells_nothing_of_the_server(door: Door, red: NodeFolder) -> None:
    heard = hostile.call(HOST, door.port, post(), hostile.own_credentials(red.path))
    head = heard.data.lower().split(b"\r\n\r\n")[0].split(b"\r\n")
    assert {line.split(b":")[0] for line in head[1:]} == {
        b"content-type",
        b"content-length",
        b"connection",
    }


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("none", "peer did not return a certificate"),
        ("foreign", "unable to get local issuer"),
        ("impostor", "certificate signature failure"),
        ("expired", "certificate has expired"),
        ("future", "certificate is not yet valid"),
        ("unpinned", "its key is not pinned"),
        ("server-only", "unsuitable certificate purpose"),
    ],
)
def test_a_wrong_certificate_gets_no_byte(
    name: str,
    reason: str,
    door: Door,
    red: NodeFolder,
    tmp_path: Path,
    reasons: Callable[[str], None],
) -> None:
    said = len(door.handler.calls)
    credentials = hostile.STRANGERS[name](red.path, tmp_path)
    heard = hostile.call(HOST, door.port, post(), credentials)
    assert (heard.data, heard.ended) == (b"", "closed")
    reasons(reason)
    assert len(door.handler.calls) == said


def test_tls_1_2_gets_no_byte(door: Door, red: NodeFolder, reasons: Callable[[str], None]) -> None:
    own = hostile.own_credentials(red.path)
    heard = hostile.call(HOST, door.port, post(), own, version=ssl.TLSVersion.TLSv1_2)
    assert heard.data == b""
    reasons("unsupported protocol")


def test_plain_text_gets_no_byte(door: Door, reasons: Callable[[str], None]) -> None:
    assert hostile.call_plain(HOST, door.port, post()).data == b""
    reasons("http request")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("get", "not POST"),
        ("put", "not POST"),
        ("connect", "not POST"),
        ("http 1.0", "not POST of HTTP/1.1"),
        ("no http", "HttpParser"),
        ("tls in tls", "HttpParser"),
        ("root", "no such path"),
        ("docs page", "no such path"),
        ("operators' api", "no such path"),
        ("path and slash", "no such path"),
        ("query", "no such path"),
        ("no line id", "no such path"),
        ("escaped line id", "no such path"),
        ("dots", "no such path"),
        ("absolute url", "no such path"),
        ("forwarded for", "no node sends"),
        ("certificate in a header", "no node sends"),
        ("forwarded", "no node sends"),
        ("expect", "no node sends"),
        ("websocket", "no node sends"),
        ("http 2 upgrade", "no node sends"),
        ("host twice", "no node sends"),
        ("chunked and length", "HttpParser"),
        ("two lengths", "HttpParser"),
        ("bare newline", "HttpParser"),
        ("signed length", "HttpParser"),
        ("listed length", "HttpParser"),
        ("too long", "too long"),
        ("no length", "no length"),
        ("endless head", "head too large"),
    ],
)
def test_another_request_of_the_pinned_peer_gets_no_byte(
    name: str,
    reason: str,
    door: Door,
    red: NodeFolder,
    reasons: Callable[[str], None],
) -> None:
    said = len(door.handler.calls)
    request = hostile.BAD_REQUESTS[name]
    heard = hostile.call(HOST, door.port, request, hostile.own_credentials(red.path))
    assert heard.data == b""
    reasons(reason)
    assert len(door.handler.calls) == said


def test_every_bad_request_is_tried_for_its_own_reason() -> None:
    tried = test_another_request_of_the_pinned_peer_gets_no_byte.pytestmark[0].args[1]
    assert {name for name, _ in tried} == set(hostile.BAD_REQUESTS)


def test_a_request_behind_an_unanswered_one_is_refused(
    door: Door, red: NodeFolder, reasons: Callable[[str], None]
) -> None:
    twice = post(keep=True) * 2
    heard = hostile.call(HOST, door.port, twice, hostile.own_credentials(red.path))
    assert heard.data == b""
    reasons("pipelined")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"wrong sender", "WrongSenderError"),
        (b"no document", "InvalidDocumentError"),
        (b"own failure", "own failure"),
    ],
)
def test_what_the_handler_refuses_gets_no_byte(
    body: bytes, reason: str, door: Door, red: NodeFolder, reasons: Callable[[str], None]
) -> None:
    heard = hostile.call(HOST, door.port, post(body=body), hostile.own_credentials(red.path))
    assert (heard.data, heard.ended) == (b"", "closed")
    reasons(reason)


def test_a_body_of_eight_mebibytes_arrives(door: Door, red: NodeFolder) -> None:
    body = bytes(8 * 1024 * 1024)
    own = hostile.own_credentials(red.path)
    heard = hostile.call(HOST, door.port, post(body=body), own)
    assert len(heard.data) > len(body)


def test_a_stranger_does_not_learn_whose_door_it_is(door: Door) -> None:
    wire = hostile.issuers_asked_for(HOST, door.port)
    assert b"deconflict node" in wire  # the certificate was seen
    assert b"blue" not in wire
    assert b"red" not in wire


def test_no_session_is_resumed(door: Door, red: NodeFolder) -> None:
    assert not hostile.resumes(HOST, door.port, hostile.own_credentials(red.path))


def test_a_request_that_drips_is_cut_off(
    door: Door, red: NodeFolder, reasons: Callable[[str], None]
) -> None:
    heard, after_s = hostile.drip(
        HOST, door.port, hostile.own_credentials(red.path), post(), pause_s=0.05, for_s=5
    )
    assert heard.data == b""
    assert heard.ended != "waiting"
    assert after_s < BUSY.request_s + 1
    reasons("did not arrive in time")


def test_a_connection_without_a_request_is_cut_off(door: Door, red: NodeFolder) -> None:
    heard, after_s = hostile.drip(
        HOST, door.port, hostile.own_credentials(red.path), b"\r\n" * 500, pause_s=0.05, for_s=5
    )
    assert heard.ended != "waiting"
    assert after_s < BUSY.request_s + 1


def test_a_handshake_that_hangs_is_cut_off(door: Door) -> None:
    assert hostile.hold_handshake(HOST, door.port, for_s=5) < BUSY.handshake_s + 1


def test_a_sixth_handshake_in_a_second_is_turned_away(
    blue: NodeFolder, red: NodeFolder, reasons: Callable[[str], None]
) -> None:
    with Door(blue, DoorLimits()) as door:
        for _ in range(6):
            socket.create_connection((HOST, door.port)).close()
        reasons("turned away")
        # Waits its turn, so a peer that reconnects too fast gets in a second later.
        own = hostile.own_credentials(red.path)
        assert hostile.call(HOST, door.port, post(), own).data.endswith(b"red said hello")


def test_an_address_holds_so_many_connections_and_no_more(
    blue: NodeFolder, red: NodeFolder, reasons: Callable[[str], None]
) -> None:
    limits = DoorLimits(connections_per_address=2, handshakes_per_second=100)
    with Door(blue, limits) as door:
        held = [socket.create_connection((HOST, door.port)) for _ in range(3)]
        reasons("turned away")
        for connection in held:
            connection.close()
        own = hostile.own_credentials(red.path)
        assert hostile.call(HOST, door.port, post(), own).data.endswith(b"red said hello")


def test_a_party_holds_so_many_connections_and_no_more(
    blue: NodeFolder, red: NodeFolder, reasons: Callable[[str], None]
) -> None:
    limits = DoorLimits(connections_per_party=1, handshakes_per_second=100)
    own = hostile.own_credentials(red.path)
    with Door(blue, limits) as door, hostile.connection(HOST, door.port, own) as first:
        assert isinstance(first, ssl.SSLSocket)
        assert hostile.ask(first, post(keep=True)).endswith(b"red said hello")
        assert hostile.call(HOST, door.port, post(), own).data == b""
        reasons("too many connections of this party")


def test_a_removed_peer_is_out_at_its_next_request(tmp_path: Path) -> None:
    blue, red = make_folder(tmp_path / "b", "blue"), make_folder(tmp_path / "r", "red")
    pin(blue, red)
    own = hostile.own_credentials(red.path)
    with Door(blue) as door, hostile.connection(HOST, door.port, own) as opened:
        assert isinstance(opened, ssl.SSLSocket)
        assert hostile.ask(opened, post(keep=True)).endswith(b"red said hello")
        door.book.remove("red")
        assert hostile.ask(opened, post(keep=True)) == b""
        assert hostile.call(HOST, door.port, post(), own).data == b""
        assert len(door.handler.calls) == 1


def test_a_peer_pinned_while_the_door_is_open_gets_in(tmp_path: Path) -> None:
    blue, red = make_folder(tmp_path / "b", "blue"), make_folder(tmp_path / "r", "red")
    own = hostile.own_credentials(red.path)
    with Door(blue) as door:
        assert hostile.call(HOST, door.port, post(), own).data == b""
        pin(blue, red)  # as another process would
        door.book.reload()
        trust(door.context, door.book.get("red").invitation.tls_root_der)
        assert hostile.call(HOST, door.port, post(), own).data.endswith(b"red said hello")


def test_a_renewed_certificate_needs_no_new_pin(door: Door, tmp_path: Path) -> None:
    green = make_folder(tmp_path / "node", "green")
    before = hostile.own_credentials(green.path).certificate.read_bytes()
    later_ms = time.time_ns() // 1_000_000 + 3_600_000
    green.renew_certificate(green.unlock(), now_utc_ms=later_ms, random_bytes=bytes_counted)
    assert hostile.own_credentials(green.path).certificate.read_bytes() != before
    blue = make_folder(tmp_path / "blue", "blue")
    pin(blue, green)
    with Door(blue) as renewed:
        own = hostile.own_credentials(green.path)
        assert hostile.call(HOST, renewed.port, post(), own).data.endswith(b"green said hello")


def bytes_counted(count: int) -> bytes:
    return bytes(range(1, count + 1))


def test_the_door_shuts_at_once_on_an_idle_peer(blue: NodeFolder, red: NodeFolder) -> None:
    own = hostile.own_credentials(red.path)
    with Door(blue) as door, hostile.connection(HOST, door.port, own) as opened:
        assert isinstance(opened, ssl.SSLSocket)
        assert hostile.ask(opened, post(keep=True)).endswith(b"red said hello")
        assert door.stop() < 1.5


def test_the_door_shuts_within_four_seconds_on_a_hung_request(
    blue: NodeFolder, red: NodeFolder
) -> None:
    own = hostile.own_credentials(red.path)
    with Door(blue) as door, ThreadPoolExecutor(1) as pool:
        heard = pool.submit(hostile.call, HOST, door.port, post(body=b"hang"), own)
        while not door.handler.calls:
            time.sleep(0.01)
        assert door.stop() < 4
        assert heard.result().data == b""


def test_the_probe_is_content_with_the_door(door: Door) -> None:
    asyncio.run(probe_refuses_strangers(HOST, door.port, set()))
    asyncio.run(probe_refuses_strangers("0.0.0.0", door.port, set()))


def test_a_node_looks_at_its_door_also_while_others_beside_it_call_too_often(
    blue: NodeFolder, reasons: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    with Door(blue, DoorLimits()) as door:
        for _ in range(6):
            socket.create_connection((HOST, door.port)).close()
        reasons("turned away")
        asyncio.run(probe_refuses_strangers(HOST, door.port, door.own_knocks))
        assert not door.own_knocks
        # A knock that is turned away says nothing of the door behind.
        assert sum("turned away" in record.getMessage() for record in caplog.records) == 1


@pytest.fixture
def careless(blue: NodeFolder) -> Iterator[Callable[[ssl.SSLContext | None], int]]:
    """Opens a port that answers everybody, under the given TLS context or none."""
    listening = socket.create_server((HOST, 0))
    threads: list[threading.Thread] = []

    def serve(context: ssl.SSLContext | None) -> None:
        while True:
            try:
                plain, _ = listening.accept()
            except OSError:
                return
            with plain:
                plain.settimeout(2)
                try:
                    stream = context.wrap_socket(plain, server_side=True) if context else plain
                    with stream:
                        stream.recv(4096)
                        stream.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                except OSError:
                    continue

    def start(context: ssl.SSLContext | None) -> int:
        threads.append(threading.Thread(target=serve, args=(context,)))
        threads[0].start()
        return int(listening.getsockname()[1])

    yield start
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    threads[0].join()


@pytest.mark.parametrize("change", ["certificate optional", "TLS 1.2 taken", "plain text"])
def test_the_probe_finds_an_open_door(
    change: str, blue: NodeFolder, careless: Callable[[ssl.SSLContext | None], int]
) -> None:
    context = server_context(blue.unlock().chain, [])
    context.verify_mode = ssl.CERT_OPTIONAL
    if change == "TLS 1.2 taken":
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    port = careless(None if change == "plain text" else context)
    with pytest.raises(ConfigurationError, match="stands open"):
        asyncio.run(probe_refuses_strangers(HOST, port, set()))


def test_the_probe_needs_somebody_to_listen() -> None:
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ConfigurationError, match="cannot make sure"):
        asyncio.run(probe_refuses_strangers(HOST, port, set()))


def test_a_context_that_asks_for_no_certificate_is_refused(door: Door, blue: NodeFolder) -> None:
    context = server_context(blue.unlock().chain, [])
    context.verify_mode = ssl.CERT_OPTIONAL
    with pytest.raises(ConfigurationError, match="open without a certificate"):
        build_peer_server(
            door.handler, context=context, party_of=lambda spki: None, host=HOST, port=0
        )


def test_a_node_that_pinned_nobody_lets_nobody_in(tmp_path: Path, red: NodeFolder) -> None:
    with Door(make_folder(tmp_path / "lone", "lone")) as door:
        own = hostile.own_credentials(red.path)
        assert hostile.call(HOST, door.port, post(), own).data == b""


def test_a_taken_port_is_said_in_words(door: Door, blue: NodeFolder) -> None:
    server = build_peer_server(
        door.handler, context=door.context, party_of=lambda spki: None, host=HOST, port=door.port
    )
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        asyncio.run(server.serve())


def test_the_invitation_names_the_key_that_the_door_shows(door: Door, blue: NodeFolder) -> None:
    invitation = Invitation.parse(blue.invitation_path.read_bytes())
    assert invitation.tls_spki_sha256 == door.folder.tls_spki_sha256
