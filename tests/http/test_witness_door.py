"""A third witness over HTTP: its statuses to the byte, its limits, and how a node asks it."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from witness_door import HOST, WitnessDoor

from deconflict.errors import ConfigurationError, PeerUnreachableError
from deconflict.line.note import read_note
from deconflict.line.tlog_witness import MAX_REQUEST_BYTES, with_cosignature
from deconflict.node.peer_protocol import DoorLimits
from deconflict.node.witness.client import WitnessClient, witness_context
from line_talk import BLUE, LINE
from witness_samples import note, request


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WitnessDoor]:
    with WitnessDoor(tmp_path_factory.mktemp("door") / "agency") as opened:
        opened.knows(LINE, "blue", BLUE.verify_key)
        yield opened


@pytest.fixture
def http(door: WitnessDoor) -> Iterator[httpx.Client]:
    context = ssl.create_default_context(cafile=str(door.folder.root_path))
    with httpx.Client(base_url=door.url, verify=context, trust_env=False) as client:
        yield client


def speak(door: WitnessDoor, said: bytes) -> bytes:
    """Everything that comes back for these bytes."""
    context = ssl.create_default_context(cafile=str(door.folder.root_path))
    with (
        socket.create_connection((HOST, door.port), 5) as plain,
        context.wrap_socket(plain, server_hostname=HOST) as tls,
    ):
        tls.sendall(said)
        heard = b""
        try:
            while data := tls.recv(4_096):
                heard += data
        except OSError:
            return heard
        return heard


def test_the_exchange_of_tlog_witness_to_the_byte(http: httpx.Client, door: WitnessDoor) -> None:
    first = http.post("/add-checkpoint", content=request(0, 5))
    assert first.status_code == 200
    signed, _ = with_cosignature(read_note(note(5)), first.content, door.folder.note_key)
    assert first.content.decode() == signed.signatures[-1].line()
    for old, new, status, kind, body in (
        (0, 9, 409, "text/x.tlog.size", b"5\n"),
        (6, 9, 409, "text/x.tlog.size", b"5\n"),
        (9, 5, 400, "text/plain; charset=utf-8", None),
    ):
        answer = http.post("/add-checkpoint", content=request(old, new))
        assert (answer.status_code, answer.headers["content-type"]) == (status, kind)
        if body is not None:
            assert answer.content == body
    assert http.post("/add-checkpoint", content=request(5, 9, fork_at=2)).status_code == 422
    again = http.post("/add-checkpoint", content=request(5, 5))
    assert again.content == first.content  # a replay


def test_other_paths_and_methods_are_refused_in_words(http: httpx.Client) -> None:
    assert http.get("/add-checkpoint").status_code == 405
    for path in ("/", "/add-checkpoint/", "/add-checkpoint?x=1", "//add-checkpoint", "/docs"):
        assert http.post(path, content=request(0, 5)).status_code == 404
    assert "server" not in http.get("/").headers


@pytest.mark.parametrize(
    "head",
    [
        "content-length: 999999999",
        f"content-length: {MAX_REQUEST_BYTES + 100_000}",
        "content-length: 5\r\ncontent-length: 6",
        "transfer-encoding: chunked",
        "content-length: +5",
        "x: " + "a" * 10_000,
        "",
    ],
)
def test_a_request_out_of_bounds_is_cut_without_an_answer(door: WitnessDoor, head: str) -> None:
    said = f"POST /add-checkpoint HTTP/1.1\r\nhost: x\r\n{head}\r\n\r\nhello".encode()
    assert speak(door, said) == b""


def test_a_request_that_trickles_in_is_cut(door: WitnessDoor) -> None:
    begun = time.monotonic()
    assert speak(door, b"POST /add-checkpoint HTTP/1.1\r\nhost: x\r\n") == b""
    assert speak(door, b"POST /add-checkpoint HTTP/1.1\r\ncontent-length: 9\r\n\r\nold") == b""
    assert time.monotonic() - begun < 6


def test_tls_before_1_3_and_plain_text_get_nothing(door: WitnessDoor) -> None:
    context = ssl.create_default_context(cafile=str(door.folder.root_path))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection((HOST, door.port), 5) as plain, pytest.raises(ssl.SSLError):
        context.wrap_socket(plain, server_hostname=HOST)
    with socket.create_connection((HOST, door.port), 5) as plain:
        plain.sendall(b"POST /add-checkpoint HTTP/1.1\r\ncontent-length: 0\r\n\r\n")
        assert not plain.recv(100).startswith(b"HTTP")


def test_an_address_that_takes_all_connections_is_turned_away(tmp_path: Path) -> None:
    limits = DoorLimits(connections_per_address=4, handshakes_per_second=100)
    with WitnessDoor(tmp_path / "agency", limits) as door:
        held = [socket.create_connection((HOST, door.port), 5) for _ in range(4)]
        time.sleep(0.2)
        with pytest.raises(PeerUnreachableError):
            door.client().ask_here(request(0, 5))
        for one in held:
            one.close()
        time.sleep(0.2)
        assert door.client().ask_here(request(0, 5)).status == 404


def test_of_two_clients_at_once_each_size_is_signed_for_one_root(tmp_path: Path) -> None:
    with WitnessDoor(tmp_path / "agency") as door:
        door.knows(LINE, "blue", BLUE.verify_key)
        door.client().ask_here(request(0, 1))
        answers: dict[bool, list[int]] = {True: [], False: []}

        def grow(forked: bool) -> None:
            client, fork_at = door.client(), 1 if forked else None
            for size in range(2, 12):
                old = size - 1
                answers[forked].append(client.ask_here(request(old, size, fork_at=fork_at)).status)

        threads = [threading.Thread(target=grow, args=(forked,)) for forked in (False, True)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        one, other = sorted((answers[True].count(200), answers[False].count(200)))
        assert (one, other) == (0, 10)
        assert set(answers[True] + answers[False]) <= {200, 409, 422}


# ---- how a node asks -----------------------------------------------------------------------------


def test_a_node_asks_a_witness_whose_root_it_was_given(door: WitnessDoor) -> None:
    answer = asyncio.run(door.client().ask(b"old 0\n\nx"))
    assert answer.status == 400


def test_a_node_trusts_a_certificate_that_is_pinned_itself(door: WitnessDoor) -> None:
    pinned = witness_context(door.folder.path / "keys" / "tls.pem")
    assert WitnessClient(door.url, pinned).ask_here(b"x").status == 400


def test_a_node_sends_nothing_to_a_witness_it_cannot_tell(
    door: WitnessDoor, tmp_path: Path
) -> None:
    with WitnessDoor(tmp_path / "other") as other:
        stranger = witness_context(other.folder.root_path)
        with pytest.raises(PeerUnreachableError, match="certificate"):
            WitnessClient(door.url, stranger).ask_here(b"x")
    named = WitnessClient(f"https://localhost:{door.port}", witness_context(door.folder.root_path))
    with pytest.raises(PeerUnreachableError, match="certificate"):
        named.ask_here(b"x")  # its certificate names 127.0.0.1
    with pytest.raises(ConfigurationError):
        witness_context(tmp_path / "missing.pem")


class Liar:
    """Something behind the certificate of a witness that answers what the test wants."""

    def __init__(self, door: WitnessDoor, said: bytes, *, every_s: float = 0.0) -> None:
        self._said, self._every_s = said, every_s
        self._listening = socket.create_server((HOST, 0))
        self._context = door.folder.tls_context()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._answer)
        self._root = door.folder.root_path

    def _answer(self) -> None:
        try:
            plain, _ = self._listening.accept()
            with self._context.wrap_socket(plain, server_side=True) as tls:
                tls.recv(65_536)
                for place in range(0, len(self._said), 1 if self._every_s else 1 << 20):
                    piece = self._said[place : place + (1 if self._every_s else 1 << 20)]
                    tls.sendall(piece)
                    if self._end.wait(self._every_s):
                        return
                if self._every_s:
                    self._end.wait(20)
        except OSError:
            return

    def __enter__(self) -> WitnessClient:
        self._thread.start()
        port = self._listening.getsockname()[1]
        return WitnessClient(f"https://{HOST}:{port}", witness_context(self._root))

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._listening.close()
        self._thread.join()


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n" + b"x" * 100_000,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"5\r\nhello\r\n" * 10_000,
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000,
    ],
)
def test_an_answer_that_is_none_is_no_answer(door: WitnessDoor, said: bytes) -> None:
    with Liar(door, said) as client, pytest.raises(PeerUnreachableError):
        client.ask_here(b"x", timeout_s=2)


def test_answers_of_either_length_are_read(door: WitnessDoor) -> None:
    for said in (
        b"HTTP/1.1 409 Conflict\r\ncontent-length: 2\r\n\r\n5\n",
        b"HTTP/1.1 409 Conflict\r\ntransfer-encoding: chunked\r\n\r\n2\r\n5\n\r\n0\r\n\r\n",
    ):
        with Liar(door, said) as client:
            answer = client.ask_here(b"x")
            assert (answer.status, answer.body) == (409, b"5\n")


def test_a_witness_that_drips_its_answer_is_left_in_time(door: WitnessDoor) -> None:
    with Liar(door, b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 100, every_s=0.1) as client:
        begun = time.monotonic()
        with pytest.raises(PeerUnreachableError):
            client.ask_here(b"x", timeout_s=1)
        assert time.monotonic() - begun < 3


def test_while_a_name_is_looked_up_for_ever_the_node_goes_on_and_asks_once(
    door: WitnessDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, asked = threading.Event(), []

    def hang(*name: object, **more: object) -> list[object]:
        asked.append(name)
        found.wait(20)
        raise OSError("no such name")

    async def both(client: WitnessClient) -> None:
        with pytest.raises(PeerUnreachableError, match="within"):
            await client.ask(b"x", timeout_s=0.2)
        with pytest.raises(PeerUnreachableError, match="still hangs"):
            await client.ask(b"x", timeout_s=5)

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    begun = time.monotonic()
    asyncio.run(both(WitnessClient("https://w.example", door.client()._context)))
    assert time.monotonic() - begun < 2
    assert len(asked) == 1
    found.set()


def test_nobody_who_listens_is_no_answer(door: WitnessDoor) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
    client = WitnessClient(f"https://{HOST}:{port}", witness_context(door.folder.root_path))
    with pytest.raises(PeerUnreachableError):
        client.ask_here(b"x")
