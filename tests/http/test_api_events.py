"""The event stream over a real server: nothing lost, nothing twice, nobody left hanging."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from stand_in import StandInNode

from deconflict.api import event_stream
from deconflict.api.accounts import Accounts
from deconflict.api.server import OperatorServer, build_operator_server
from deconflict.errors import ConfigurationError


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[OperatorServer]:
    server = build_operator_server(app)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield server
    finally:
        server.should_exit = True
        await running


def client_of(server: OperatorServer, accounts: Accounts) -> httpx.AsyncClient:
    token = accounts.issue("watch_officer", by="test").token
    host, port = server.address
    return httpx.AsyncClient(
        base_url=f"http://{host}:{port}/api/v1",
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
        trust_env=False,
    )


async def frames(response: httpx.Response) -> AsyncIterator[dict[str, str]]:
    """Yield events and comments as they come (WHATWG HTML §9.2.6)."""
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.strip()
        elif fields:
            yield fields
            fields = {}


async def read(response: httpx.Response, count: int) -> list[int]:
    ids: list[int] = []
    async for frame in frames(response):
        if "id" in frame and frame["event"] != "resume":
            ids.append(int(frame["id"]))
            assert json.loads(frame["data"]) == {"n": ids[-1]}
        if len(ids) == count:
            break
    return ids


def happen(node: StandInNode) -> None:
    node.happen("message", {"n": len(node.stored) + 1})


def test_what_is_stored_comes_first_then_what_happens(
    app: FastAPI, node: StandInNode, accounts: Accounts
) -> None:
    async def scenario() -> None:
        for _ in range(3):
            happen(node)
        async with (
            serving(app) as server,
            client_of(server, accounts) as client,
            client.stream("GET", "/events", params={"after": 1}) as response,
        ):
            assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
            reading = asyncio.create_task(read(response, 4))
            await asyncio.sleep(0.1)
            happen(node)
            happen(node)
            assert await reading == [2, 3, 4, 5]

    asyncio.run(scenario())


def test_reconnecting_again_and_again_loses_nothing_and_repeats_nothing(
    app: FastAPI, node: StandInNode, accounts: Accounts
) -> None:
    total = 400

    async def speak() -> None:
        while len(node.stored) < total:
            happen(node)
            await asyncio.sleep(0.001)

    async def scenario() -> None:
        async with serving(app) as server, client_of(server, accounts) as client:
            speaking = asyncio.create_task(speak())
            seen: list[int] = []
            connections = 0
            while len(seen) < total:
                headers = {"Last-Event-ID": str(seen[-1] if seen else 0)}
                async with client.stream("GET", "/events", headers=headers) as response:
                    assert response.status_code == 200
                    seen += await read(response, min(13 + connections, total - len(seen)))
                connections += 1
            await speaking
            assert seen == list(range(1, total + 1))
            assert connections > 10
            for _ in range(100):  # the server notices that a reader is gone
                if not node.readers and not app.state.services.streams:
                    break
                await asyncio.sleep(0.02)
            assert not node.readers
            assert not app.state.services.streams

    asyncio.run(scenario())


def test_without_a_place_to_resume_the_stream_begins_now(
    app: FastAPI, node: StandInNode, accounts: Accounts
) -> None:
    async def scenario() -> None:
        happen(node)
        async with (
            serving(app) as server,
            client_of(server, accounts) as client,
            client.stream("GET", "/events") as response,
        ):
            reading = asyncio.create_task(read(response, 1))
            await asyncio.sleep(0.1)
            happen(node)
            assert await reading == [2]

    asyncio.run(scenario())


def test_the_header_is_stronger_than_the_query(
    app: FastAPI, node: StandInNode, accounts: Accounts
) -> None:
    async def scenario() -> None:
        for _ in range(5):
            happen(node)
        async with (
            serving(app) as server,
            client_of(server, accounts) as client,
            client.stream(
                "GET", "/events", params={"after": 1}, headers={"Last-Event-ID": "4"}
            ) as response,
        ):
            assert await read(response, 1) == [5]

    asyncio.run(scenario())


def test_a_silent_stream_beats_and_ends_with_its_session(
    app: FastAPI, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "BEAT_S", 0.1)

    async def scenario() -> None:
        async with (
            serving(app) as server,
            client_of(server, accounts) as client,
            client.stream("GET", "/events") as response,
        ):
            beats = 0
            lines: list[str] = []
            async for line in response.aiter_lines():
                lines.append(line)
                beats += line == ": beat"
                if line == ": beat" and beats == 2:
                    assert (await client.delete("/session")).status_code == 200
            # The loop ended by itself: the stream did, and said why.
            assert "event: session_ended" in lines[-4:]

    asyncio.run(asyncio.wait_for(scenario(), 10))


def test_a_busy_stream_ends_with_its_session_too(
    app: FastAPI, node: StandInNode, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "BEAT_S", 0.1)

    async def speak() -> None:
        while True:
            happen(node)
            await asyncio.sleep(0.01)

    async def scenario() -> None:
        async with (
            serving(app) as server,
            client_of(server, accounts) as client,
            client.stream("GET", "/events") as response,
        ):
            speaking = asyncio.create_task(speak())
            accounts.disable("watch_officer", by="test")
            async for _ in response.aiter_lines():
                pass
            speaking.cancel()

    asyncio.run(asyncio.wait_for(scenario(), 10))


def test_a_stopping_server_ends_its_streams_at_once(
    app: FastAPI, node: StandInNode, accounts: Accounts
) -> None:
    async def scenario() -> float:
        async with serving(app) as server, client_of(server, accounts) as client:
            async with (
                client.stream("GET", "/events") as one,
                client.stream("GET", "/events") as two,
            ):
                readers = [
                    asyncio.create_task(read(response, 1_000_000)) for response in (one, two)
                ]
                await asyncio.sleep(0.1)
                begun = time.monotonic()
                server.should_exit = True
                assert await asyncio.gather(*readers) == [[], []]
            while server.servers and any(each.is_serving() for each in server.servers):
                await asyncio.sleep(0.01)
        return time.monotonic() - begun

    assert asyncio.run(scenario()) < 2.0


def test_a_stopping_node_sends_its_readers_away_with_their_place(
    app: FastAPI, node: StandInNode, accounts: Accounts
) -> None:
    async def scenario() -> list[dict[str, str]]:
        happen(node)
        async with (
            serving(app) as server,
            client_of(server, accounts) as client,
            client.stream("GET", "/events", params={"after": 0}) as response,
        ):
            got: list[dict[str, str]] = []
            async for frame in frames(response):
                if "id" in frame:
                    got.append(frame)
                    node.stop()
            return got

    message, resume = asyncio.run(scenario())
    assert message["id"] == "1"
    assert (resume["event"], resume["data"]) == ("resume", '{"after":1}')


def test_a_reader_that_does_not_read_is_let_go(
    app: FastAPI, node: StandInNode, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "SEND_TIMEOUT_S", 0.3)

    async def scenario() -> None:
        for n in range(400):
            node.happen("message", {"n": n, "text": "x" * 50_000})
        token = accounts.issue("watch_officer", by="test").token
        async with serving(app) as server:
            reader, writer = await asyncio.open_connection(*server.address)
            writer.write(
                f"GET /api/v1/events?after=0 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                f"Authorization: Bearer {token}\r\n\r\n".encode()
            )
            await reader.readuntil(b"\r\n\r\n")
            reader._transport.pause_reading()  # type: ignore[attr-defined]
            begun = time.monotonic()
            while app.state.services.streams or time.monotonic() - begun < 0.2:
                assert time.monotonic() - begun < 5, "still held"
                await asyncio.sleep(0.02)
            assert not node.readers
            writer.transport.abort()

    asyncio.run(scenario())


def test_one_account_holds_a_bounded_number_of_streams(
    app: FastAPI, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "MOST_STREAMS_OF_ONE", 2)

    async def scenario() -> None:
        async with (
            serving(app) as server,
            client_of(server, accounts) as client,
            client.stream("GET", "/events"),
            client.stream("GET", "/events"),
        ):
            refused = await client.get("/events")
            assert refused.status_code == 429
            assert "Retry-After" in refused.headers

    asyncio.run(scenario())


def test_what_was_not_done_when_the_node_had_to_stop_is_told_in_words(
    app: FastAPI, accounts: Accounts, node: StandInNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asyncio.Event()

    async def never(*_: object) -> None:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(node, "seen", never)

    async def scenario() -> httpx.Response:
        async with serving(app) as server:
            client = client_of(server, accounts)
            asked = asyncio.create_task(client.post("/messages/" + "a" * 64 + "/seen", json={}))
            await begun.wait()
        told = await asked
        await client.aclose()
        return told

    told = asyncio.run(scenario())
    assert told.status_code == 503
    assert told.json()["error"]["type"] == "NodeStoppedError"
    assert "whether it was done is not known" in told.json()["error"]["remedy"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "node.example"])
def test_beyond_loopback_the_server_needs_tls(app: FastAPI, host: str) -> None:
    with pytest.raises(ConfigurationError, match="without TLS"):
        build_operator_server(app, host, 0)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.1.2.3"])
def test_on_loopback_it_does_not(app: FastAPI, host: str) -> None:
    assert build_operator_server(app, host, 0).address == (host, 0)


def test_old_tls_is_refused(app: FastAPI) -> None:
    import ssl

    old: Any = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    old.minimum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ConfigurationError, match="old TLS"):
        build_operator_server(app, "192.0.2.1", 0, tls=old)
