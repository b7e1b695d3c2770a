"""Who has no right to messages reads none, by any route of the API; and by no command either.

A real node with a full record: every route, every account without the right to read, and what the
same routes tell a watch officer, so that what is looked for is really there.
"""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from test_node_release import WRITER
from test_node_runtime import runtime_of

from deconflict.airspace.instant import format_utc
from deconflict.api.accounts import Accounts
from deconflict.api.app import build_operator_app
from deconflict.errors import LineStateError
from deconflict.messages.bodies import body_to_wire
from deconflict.messages.declaration import Declaration, Purpose
from deconflict.messages.kinds import Kind
from deconflict.node.actor import Actor, Role
from deconflict.node.service import Node
from deconflict.replay.world import DESKS
from node_pair import LATAKIA, NodePair, cease, circle, declaration, node_pair, query

PASSWORD = "a long evening at sea"
NOW_MS = 1_443_593_520_000
LABEL = "ZEBRA-ONE"
NOTE = "kittiwake over the harbour"
TEXT = "4711 0815 2342"
SECRETS = (LABEL, NOTE, TEXT, "354000000", "35.4", "ACTIVITY", "CEASE")


async def filled(pair: NodePair, node: Node) -> dict[str, str]:
    """Fill both chains, the held list and the alerts; return what stands in addresses."""
    flight = Declaration(f"{1:032x}", Purpose.ACTIVITY, (circle(),), label=LABEL)
    (held,) = await node.declare(WRITER, [flight], lines=None)
    second = Actor("second", WRITER.roles, WRITER.desk)
    (posted,) = await node.release(second, str(held.held_id))
    (waits,) = await node.declare(
        WRITER, [Declaration(f"{2:032x}", Purpose.ACTIVITY, (circle(),), label=LABEL)], lines=None
    )
    asked = pair.say("red", Kind.CEASE, cease(at=LATAKIA))
    pair.say("red", Kind.QUERY, query())
    pair.declare("red", declaration(9))
    pair.run_for(30)
    body = {"text": TEXT, "not_binding": NOTE}
    await node.send(WRITER, pair.line_id, "LINE_CHECK", body)
    await node.send(WRITER, pair.line_id, "CEASE", body_to_wire(cease(at=LATAKIA)))
    await node.ask_export(WRITER, pair.line_id, "RECORD")
    until = format_utc(pair.world.now.utc_ms + 3_600_000)
    entered = await node.enter_activity(WRITER, LATAKIA, pair.now_utc, until)
    assert node.alerts()
    assert asked
    return {
        "line": pair.line_id,
        "message_hash": posted.hash,
        "declaration_id": f"{1:032x}",
        "held_id": str(waits.held_id),
        "activity_id": entered.activity_id,
        "language": "ru",
        "name": "somebody",
        "incident_id": f"{7:032x}",
        "paper_id": "00000000",
        "passkey_id": "0000000000000000",
        "inquiry": "00000000000000000000000000000000",
        "conflict_id": "0000000000000000",
        "proposal": posted.hash,
        "run": "0",
    }


def routes(app: FastAPI) -> list[tuple[str, str]]:
    found = []
    for route in iter_route_contexts(app.routes):
        found += [(method, str(route.path)) for method in (route.methods or set()) - {"HEAD"}]
    return sorted(found)


def bodies_of(names: dict[str, str]) -> list[dict[str, Any]]:
    """Return bodies of which each route takes one at most."""
    return [
        {},
        {"what": "RECORD"},
        {"message": names["message_hash"]},
        {"kind": "ACK", "body": {"answer": "ROGER"}, "ref": names["message_hash"]},
    ]


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.HUMANITARIAN_NOTIFIER])
def test_who_has_no_right_to_messages_reads_none_by_any_route(tmp_path: Path, role: Role) -> None:
    async def inside(pair: NodePair) -> None:
        async with runtime_of(pair) as runtime:
            node = Node(pair.blue.core, runtime, pair.blue.store, release_persons=2)
            names = await filled(pair, node)
            accounts = Accounts(
                tmp_path / "accounts.sqlite", now=lambda: NOW_MS, random_bytes=os.urandom
            )
            for each in (role, Role.WATCH_OFFICER):
                accounts.add(each.value, PASSWORD, roles=[each], desk=DESKS[0], by="setup")
            accounts.add("somebody", PASSWORD, roles=["auditor"], desk=DESKS[0], by="setup")
            app = build_operator_app(
                node,
                accounts,
                now=lambda: NOW_MS,
                random_bytes=os.urandom,
                release_persons=2,
            )
            node.look_also(app.state.services.waiting)
            told = {}
            for who in (role, Role.WATCH_OFFICER):
                told[who] = await everything(app, accounts, who.value, names)
            # What is looked for is really there, for who may read it.
            seen = "".join(told[Role.WATCH_OFFICER].values())
            assert all(secret in seen for secret in SECRETS)
            for where, text in told[role].items():
                for secret in SECRETS:
                    assert secret not in text, (where, secret)
            app.state.services.close()
            accounts.close()

    with node_pair() as pair:
        pair.run_for(1)
        asyncio.run(inside(pair))


async def everything(
    app: FastAPI, accounts: Accounts, account: str, names: dict[str, str]
) -> dict[str, str]:
    """Return what every route answers to an account, by route."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    told: dict[str, str] = {}
    # The page about the API names all kinds; it is the same for everybody and holds no message.
    skipped = ("openapi", "/docs", "/phrases", "/session", "/me/password")
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        for method, path in routes(app):
            if any(part in path for part in skipped):
                continue
            headers = {"Authorization": f"Bearer {accounts.issue(account, by='test').token}"}
            address = path.format(**names)
            if path.endswith("/events"):
                if account == Role.WATCH_OFFICER:
                    continue  # it does not end; that it is refused is looked at for the others
                answers = [await client.get(address, headers=headers)]
                assert answers[0].status_code == 403
            else:
                contents = [None] if method in ("GET", "DELETE") else bodies_of(names)
                answers = [
                    await client.request(method, address, headers=headers, json=content)
                    for content in contents
                ]
            told[f"{method} {path}"] = "\n".join(
                answer.text if answer.is_success else _refusal(answer) for answer in answers
            )
    return told


def _refusal(answer: httpx.Response) -> str:
    assert answer.status_code < 500, answer.text
    return json.dumps(answer.json()["error"])


def test_a_record_is_refused_before_its_first_byte_and_given_once_it_is_released(
    tmp_path: Path,
) -> None:
    async def inside(pair: NodePair) -> None:
        async with runtime_of(pair) as runtime:
            node = Node(pair.blue.core, runtime, pair.blue.store, release_persons=2)
            accounts = Accounts(
                tmp_path / "accounts.sqlite", now=lambda: NOW_MS, random_bytes=os.urandom
            )
            for name in ("boris", "lev"):
                accounts.add(name, PASSWORD, roles=["releasing_officer"], desk="watch", by="setup")
            app = build_operator_app(
                node, accounts, now=lambda: NOW_MS, random_bytes=os.urandom, release_persons=2
            )
            boris, lev = (
                {"Authorization": f"Bearer {accounts.issue(name, by='test').token}"}
                for name in ("boris", "lev")
            )
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            line = f"/api/v1/lines/{pair.line_id}"
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
                refused = await http.get(f"{line}/bundle", headers=boris)
                assert refused.status_code == 409
                assert refused.json()["error"]["type"] == "NotReleasedError"
                wanted = {"what": "RECORD"}
                asked = (await http.post(f"{line}/exports", json=wanted, headers=boris)).json()
                assert asked["state"] == "HELD"
                release = f"/api/v1/held/{asked['held_id']}/release"
                assert (await http.post(release, headers=boris)).status_code == 403
                assert (await http.post(release, headers=lev)).json() == []
                given = await http.get(f"{line}/bundle", headers=boris)
                assert given.status_code == 200
                assert given.content
                assert (await http.get(f"{line}/bundle", headers=lev)).status_code == 409
            app.state.services.close()
            accounts.close()

    with node_pair() as pair:
        pair.run_for(1)
        asyncio.run(inside(pair))


def test_who_waits_to_be_let_in_stands_in_the_held_list_and_on_the_sheet(tmp_path: Path) -> None:
    async def inside(pair: NodePair) -> None:
        async with runtime_of(pair) as runtime:
            node = Node(pair.blue.core, runtime, pair.blue.store, release_persons=2)
            accounts = Accounts(
                tmp_path / "accounts.sqlite", now=lambda: NOW_MS, random_bytes=os.urandom
            )
            app = build_operator_app(
                node, accounts, now=lambda: NOW_MS, random_bytes=os.urandom, release_persons=2
            )
            services = app.state.services
            node.look_also(services.waiting)
            admin = Actor("admin", frozenset({Role.ADMINISTRATOR}), DESKS[0])
            asked = services.enrolments.ask_peer(admin, "green", b"invitation")
            (held,) = node.held()
            assert (held.held_id, held.what) == (asked.enrolment_id, "PEER")
            (item,) = [item for item in node.handover(DESKS[0]).items if item.part == "HELD"]
            assert item.about == asked.enrolment_id
            assert "party green, to be pinned" in item.text
            with pytest.raises(LineStateError, match="another place"):
                await node.release(WRITER, asked.enrolment_id)
            services.close()
            accounts.close()

    with node_pair() as pair:
        pair.run_for(1)
        asyncio.run(inside(pair))
