"""Two real nodes over TLS, used through nothing but their HTTP API: the founding case.

Terms signed by both, a flight and an activity that meet, both desks told, a line check that is
seen, the record exported, the event stream, and an end in under 5 seconds.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from api_parts import PASSWORD
from bench.nodes import free_port

from deconflict.airspace.instant import format_utc
from deconflict.airspace.position import Position
from deconflict.api.accounts import Accounts
from deconflict.api.app import build_operator_app
from deconflict.api.server import build_operator_server
from deconflict.messages.kinds import Kind
from deconflict.messages.terms import PartyTerms, terms_to_wire
from deconflict.messages.terms_defaults import default_terms
from deconflict.node.folder import NodeFolder
from deconflict.node.opening import open_door, open_node, started
from deconflict.node.runtime import SystemClock
from deconflict.node.settings import Endpoint, Settings

OUTLINE = [
    Position.from_degrees(*corner) for corner in ((30, 35.5), (37, 35.5), (37, 42), (30, 42))
]
NOW_MS = time.time_ns() // 1_000_000


def make_folder(path: Path, party: str) -> NodeFolder:
    return NodeFolder.create(
        path,
        Settings(party=party, desks=("watch",), peer_listen=Endpoint("127.0.0.1", free_port())),
        passphrase=None,
        now_utc_ms=NOW_MS,
        random_bytes=os.urandom,
    )


def pin(folder: NodeFolder, other: NodeFolder) -> None:
    invitation = other.invite(other.unlock(None), now_utc_ms=NOW_MS)
    folder.peers().pin(invitation, invitation.verify_key.fingerprint())


@dataclass
class Side:
    """One party as its people see it."""

    watch: httpx.AsyncClient
    releasing: httpx.AsyncClient

    async def get(self, path: str) -> Any:
        return (await self.watch.get(path)).raise_for_status().json()

    async def post(self, path: str, body: dict[str, Any], *, release: bool = False) -> Any:
        answer = await (self.releasing if release else self.watch).post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()


@asynccontextmanager
async def running(folder: NodeFolder) -> AsyncIterator[Side]:
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(
            open_node(folder, folder.unlock(None), clock=clock, random_bytes=os.urandom)
        )

        def now() -> int:
            return clock.now().utc_ms

        accounts = Accounts(folder.accounts_path, now=now, random_bytes=os.urandom)
        stack.callback(accounts.close)
        app = build_operator_app(opened.node, accounts, now=now, random_bytes=os.urandom)
        server = build_operator_server(app)
        node = asyncio.create_task(opened.runtime.run())
        door = await open_door(opened.door)
        desk = await started(server)
        host, port = server.address
        clients = []
        for role in ("watch_officer", "releasing_officer"):
            accounts.add(role, PASSWORD, roles=[role], desk="watch", by="test")
            client = httpx.AsyncClient(
                base_url=f"http://{host}:{port}/api/v1",
                headers={"Authorization": f"Bearer {accounts.issue(role, by='test').token}"},
                timeout=20,
                trust_env=False,
            )
            clients.append(await stack.enter_async_context(client))
        try:
            yield Side(*clients)
        finally:
            opened.runtime.stop()
            server.should_exit = opened.door.should_exit = True
            await asyncio.gather(door, desk, node)


async def until(what: Callable[[], Awaitable[Any]], why: str) -> Any:
    deadline = time.monotonic() + 15
    while not (found := await what()):
        assert time.monotonic() < deadline, why
        await asyncio.sleep(0.05)
    return found


def circle(
    purpose: str, radius_mm: int, at: tuple[int, int] = (353300000, 401400000)
) -> dict[str, Any]:
    return {
        "purpose": purpose,
        "geometry": {
            "volumes": [
                {
                    "outline": {
                        "circle": {
                            "center": {"lat_e7": at[0], "lon_e7": at[1]},
                            "radius_mm": radius_mm,
                        }
                    },
                    "band": {"reference": "AMSL", "lower_tmm": 0, "upper_tmm": 60_000_000},
                    "span": {
                        "start_utc": format_utc(NOW_MS + 3_600_000),
                        "end_utc": format_utc(NOW_MS + 7_200_000),
                    },
                }
            ]
        },
    }


async def agree(blue: Side, red: Side) -> str:
    line: str = (await blue.get("/lines"))[0]["line_id"]
    parties = [PartyTerms(name, "watch", "watch", ("en",), 1) for name in ("blue", "red")]
    terms = terms_to_wire(
        default_terms(line=line, parties=parties, theatre="Deir ez-Zor", outline=OUTLINE)
    )
    await blue.post(f"/lines/{line}/terms/proposal", {"terms": terms}, release=True)

    async def proposed() -> Any:
        return (await red.get(f"/lines/{line}/terms"))["proposed_hash"]

    terms_hash = await until(proposed, "the proposal did not arrive")
    await red.post(f"/lines/{line}/terms/acceptance", {"terms_hash": terms_hash}, release=True)

    async def agreed() -> bool:
        return all(
            [(await side.get("/lines"))[0]["terms_state"] == "AGREED" for side in (blue, red)]
        )

    await until(agreed, "the terms were not agreed on both sides")
    return line


async def refuses_exchanged(side: Side) -> None:
    wrong = circle("HAZARD", 1_000, at=(401400000, 353300000))
    for path in ("/declarations", "/check"):
        answer = await side.releasing.post(path, json={"declarations": [wrong]})
        assert answer.status_code == 400
        assert answer.json()["error"]["type"] == "InvalidPositionError"
    body = {"declarations": [wrong], "as_written": True}
    (warning,) = (await side.post("/check", body))["warnings"]
    assert "SWAPPED?" in warning


def test_two_nodes_find_the_conflict_and_people_answer(tmp_path: Path) -> None:
    async def scenario() -> None:
        folders = [make_folder(tmp_path / name, name) for name in ("blue", "red")]
        pin(*folders)
        pin(*reversed(folders))
        async with running(folders[0]) as blue, running(folders[1]) as red:
            line = await agree(blue, red)
            await refuses_exchanged(blue)
            draft = circle("ACTIVITY", 9_000_000)
            await blue.post("/declarations", {"declarations": [circle("FLIGHT", 5_000_000)]},
                            release=True)  # fmt: skip

            async def heard() -> Any:
                return await red.get("/declarations")

            await until(heard, "the declaration did not arrive")
            found = await red.post("/check", {"declarations": [draft]})
            assert found["conflicts"], "a draft over the peer's flight conflicts"
            assert not await red.get("/conflicts"), "and a draft is nothing yet"
            await red.post("/declarations", {"declarations": [draft]}, release=True)
            for side in (blue, red):
                (conflict,) = await until(lambda side=side: side.get("/conflicts"), "no conflict")
                assert {conflict["first_party"], conflict["second_party"]} == {"blue", "red"}
                await until(lambda side=side: side.get("/alerts"), "no alert")

            check = await blue.post(
                f"/lines/{line}/messages", {"kind": "LINE_CHECK", "body": {"text": "4711 0815"}}
            )

            async def arrived() -> Any:
                read = await red.get(f"/lines/{line}/messages?direction=in&limit=1000")
                return [each for each in read if each["hash"] == check["hash"]]

            (message,) = await until(arrived, "the line check did not arrive")
            assert message["kind"] == Kind.LINE_CHECK
            await red.post(f"/messages/{check['hash']}/seen", {})

            async def seen() -> bool:
                return (await blue.get(f"/messages/{check['hash']}"))["state"] in ("SEEN", "CLOSED")

            await until(seen, "nobody told that it was seen")
            forbidden = await blue.watch.get(f"/lines/{line}/bundle")
            assert forbidden.status_code == 403
            bundle = await blue.releasing.get(f"/lines/{line}/bundle")
            assert bundle.content.startswith(b"{")
            async with blue.watch.stream("GET", "/events", params={"after": 0}) as events:
                ids = []
                async for text in events.aiter_lines():
                    if text.startswith("id:"):
                        ids.append(int(text[3:]))
                    if text == ": beat" or len(ids) >= 5:
                        break
                assert ids == sorted(set(ids))
            begun = time.monotonic()
        assert time.monotonic() - begun < 5

    asyncio.run(scenario())
