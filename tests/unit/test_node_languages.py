"""Every text that a node shows is in the language of who reads it, told once and kept once.

A real node with a full record behind the real API: each reader names the language of an account,
as the API has it of the account itself.
"""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import permutations
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from fastapi import FastAPI
from test_node_access import routes
from test_node_incidents import PERIOD
from test_node_runtime import runtime_of
from told_stories import deaf, heard_by_voice, story, suspect

from deconflict.airspace.instant import format_utc
from deconflict.api.accounts import Accounts
from deconflict.api.app import build_operator_app
from deconflict.cli.record import show_message
from deconflict.messages.bodies import LineCheck, body_to_wire
from deconflict.messages.declaration import Declaration, Purpose
from deconflict.messages.kinds import Kind
from deconflict.messages.phrases import wording
from deconflict.messages.words import LANGUAGES
from deconflict.node.actor import Actor, Role
from deconflict.node.alerts import AlertKey
from deconflict.node.journal import Journal
from deconflict.node.service import Node
from deconflict.node.tell.worded import AlertWording, messages_of
from deconflict.node.views import AlertView
from deconflict.replay.world import DESKS
from node_pair import NodePair, circle, declaration, node_pair, query

NOW_MS = 1_443_593_520_000
PASSWORD = "a long evening at sea"
ROLES = (Role.RELEASING_OFFICER, Role.ADMINISTRATOR, Role.AUDITOR)
FREE = "kittiwake over the harbour"
API = "/api/v1"
# Not JSON: a record, a proof, a page about the API; the stream and the sheets, most of which are in
# both desks' languages on purpose, have tests of their own; so have private checks, which need more
# of a node than this one.
APART = (
    *("/backups", "/bundle", "/proofs/", "/inquiries/", "/fork", "/readback"),
    *("/docs", "openapi", "/events", "/calendar", "/sheets/", "/private/"),
)
# What the author's desk reads is in the author's language, and so it says; a script names its own.
AUTHORS = ("text_author", "texts", "scripts")


class Readers:
    """The real API in front of blue's node, asked in any language."""

    def __init__(self, node: Node, app: FastAPI, accounts: Accounts, http: httpx.AsyncClient):
        self.node = node
        self.app = app
        self._accounts = accounts
        self._http = http

    async def ask(
        self, method: str, path: str, language: str | None, role: Role = ROLES[0], **content: Any
    ) -> httpx.Response:
        token = self._accounts.issue(role.value, by="test").token
        headers = {"Authorization": f"Bearer {token}"}
        if language is not None:
            headers["Deconflict-Language"] = language
        return await self._http.request(method, API + path, headers=headers, **content)

    async def read(self, path: str, language: str | None) -> Any:
        answer = await self.ask("GET", path, language)
        assert answer.status_code == 200, answer.text
        return answer.json()


@asynccontextmanager
async def readers(pair: NodePair, folder: Path, *, persons: int = 1) -> AsyncIterator[Readers]:
    async with runtime_of(pair) as runtime:
        node = Node(pair.blue.core, runtime, pair.blue.store, release_persons=persons)
        accounts = Accounts(folder / "accounts.sqlite", now=lambda: NOW_MS, random_bytes=os.urandom)
        for role in ROLES:
            accounts.add(role.value, PASSWORD, roles=[role], desk=DESKS[0], by="setup")
        app = build_operator_app(
            node,
            accounts,
            now=lambda: NOW_MS,
            random_bytes=os.urandom,
            release_persons=persons,
        )
        node.look_also(app.state.services.waiting)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            yield Readers(node, app, accounts, http)
        app.state.services.close()
        accounts.close()


def pieces(language: str) -> frozenset[str]:
    """Return what stands between the values of all phrases of a language, where it is a text."""
    texts = wording(language)["texts"].values()
    found = {piece.strip() for text in texts for piece in re.split(r"\{[^}]*\}", text)}
    return frozenset(each for each in found if len(each) > 12 and " " in each)


PIECES = {language: pieces(language) for language in LANGUAGES}


def strings(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text of an answer with where it stands, but what is in its author's language."""
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, dict):
        for key, each in value.items():
            if key not in AUTHORS:
                yield from strings(each, f"{at}.{key}")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from strings(each, f"{at}[{number}]")


def is_worded(where: str) -> bool:
    """True exactly when a text is put in words here; what was signed is the same for everybody."""
    named = where.rpartition(".")[2].partition("[")[0]
    as_it_is = any(part in where for part in (".body.", ".values.", ".said["))
    return not as_it_is and named in ("text", "words", "done", "standby_text")


def foreign(text: str, language: str) -> list[str]:
    """Return the pieces of phrases in a text that are of another language only."""
    return [
        piece
        for other in LANGUAGES
        if other != language
        for piece in PIECES[other] - PIECES[language]
        if piece in text
    ]


async def everything(desk: Readers, names: dict[str, str], language: str) -> dict[str, str]:
    """Return every text of every route that shows something, by where it stands."""
    told: dict[str, str] = {}
    period = {"start_utc": format_utc(PERIOD[0]), "end_utc": format_utc(PERIOD[1])}
    for method, path in routes(desk.app):
        if method != "GET" or not path.startswith(API) or any(part in path for part in APART):
            continue
        address = path.removeprefix(API).format(**names)
        params = period if path.endswith("/tally") else {}
        answers = [await desk.ask("GET", address, language, role, params=params) for role in ROLES]
        answer = next((each for each in answers if each.status_code == 200), None)
        assert answer is not None, (path, [each.text for each in answers])
        told |= {f"{path} {at}": text for at, text in strings(answer.json())}
    return told


def test_no_route_shows_a_text_in_another_language_than_the_readers(tmp_path: Path) -> None:
    async def inside(pair: NodePair, names: dict[str, str]) -> None:
        async with readers(pair, tmp_path, persons=2) as desk:
            flight = Declaration(f"{4:032x}", Purpose.ACTIVITY, (circle(),))
            writer = Actor("writer", frozenset({ROLES[0]}), DESKS[0])
            await desk.node.declare(writer, [flight], lines=None)
            await desk.node.ask_export(writer, pair.line_id, "RECORD")
            told = {each: await everything(desk, names, each) for each in LANGUAGES}
            for language, texts in told.items():
                for where, text in texts.items():
                    assert not foreign(text, language), (where, text)
            for one, other in permutations(LANGUAGES, 2):
                for where in filter(is_worded, told[one].keys() & told[other].keys()):
                    letters = re.sub(r"\{[^}]*\}|[\W\d_]", "", told[one][where])
                    assert not letters or told[one][where] != told[other][where], where
            # What is looked at is really there.
            rules = {alert.rule for alert in desk.node.alerts()}
            assert len(rules) > 12, sorted(rules)
            kinds = {path.partition(" ")[0] for path in told["en"]}
            assert {f"{API}/alerts", f"{API}/conflicts", f"{API}/held", f"{API}/watch"} <= kinds

    with node_pair() as pair:
        names = story(pair)
        asyncio.run(inside(pair, names))


def test_each_reads_the_same_alert_conflict_message_and_sheet_in_their_own(tmp_path: Path) -> None:
    async def inside(pair: NodePair, message: str) -> None:
        async with readers(pair, tmp_path) as desk:
            for path, pick in (
                ("/alerts", lambda all_: next(a for a in all_ if a["rule"] == "QUERY_RECEIVED")),
                ("/alerts", lambda all_: next(a for a in all_ if a["rule"] == "CONFLICT")),
                ("/conflicts", lambda all_: all_[0]),
                (f"/messages/{message}", lambda one: one),
                ("/watch", lambda sheet: sheet["items"][0]),
            ):
                told = {each: pick(await desk.read(path, each)) for each in LANGUAGES}
                texts = {each["text"] for each in told.values()}
                assert len(texts) == len(LANGUAGES), path
                for language, each in told.items():
                    assert not foreign(each["text"], language)
                # Nothing else of it hangs on who reads.
                same = [{**each, "text": "", "text_author": ""} for each in told.values()]
                assert all(each == same[0] for each in same)
            # Those that come first are the list's first, in the same words, and all are counted.
            for language in LANGUAGES:
                whole = await desk.read("/alerts", language)
                first = await desk.read("/alerts/first?most=1", language)
                assert len(whole) > 1
                urgent = [each for each in whole if each["urgency"] in ("FLASH", "IMMEDIATE")]
                assert first == {"open": len(whole), "urgent": len(urgent), "alerts": whole[:1]}
            # Without a language of the account, the node's.
            assert await desk.read("/conflicts", None) == await desk.read("/conflicts", "en")
            refused = await desk.ask("GET", "/alerts", "xx")
            assert refused.status_code == 400
            assert ", ".join(LANGUAGES) in refused.text

    with node_pair() as pair:
        pair.declare("blue", declaration(1))
        pair.declare("red", declaration(2))
        message = pair.say("red", Kind.QUERY, query())
        pair.run_for(1)
        asyncio.run(inside(pair, message))


def test_an_account_reads_in_the_language_that_it_has_chosen(tmp_path: Path) -> None:
    async def inside(pair: NodePair) -> None:
        async with readers(pair, tmp_path) as desk:
            own = {}
            for language in LANGUAGES:
                chosen = await desk.ask("POST", "/me/language", None, json={"language": language})
                assert chosen.status_code == 200, chosen.text
                own[language] = await desk.read("/alerts", None)
                assert own[language] == await desk.read("/alerts", language)
                assert await desk.read("/alerts", "en") == own["en"]  # as the command line asks
            assert len({each[0]["text"] for each in own.values()}) == len(LANGUAGES)

    with node_pair() as pair:
        pair.say("red", Kind.QUERY, query())
        pair.run_for(1)
        asyncio.run(inside(pair))


def test_what_was_told_before_a_restart_is_read_in_every_language(tmp_path: Path) -> None:
    async def inside(pair: NodePair) -> None:
        async with readers(pair, tmp_path) as desk:
            for path in ("/alerts", "/alerts?open=false"):
                rules = set()
                for language in LANGUAGES:
                    for alert in await desk.read(path, language):
                        assert not foreign(alert["text"], language), alert
                        rules.add(alert["rule"])
                assert {"READBACK_WRONG", "VOICE_DIFFERS", "LINE_CHECK_WRONG"} <= rules

    with node_pair() as pair:
        story(pair)
        before = {alert.alert_id for alert in pair.blue.core.alerts}
        pair.blue = pair.world.restart("blue")
        assert before & {alert.alert_id for alert in pair.blue.core.alerts}
        asyncio.run(inside(pair))


@pytest.mark.parametrize("play", [story, deaf, suspect, heard_by_voice])
def test_what_an_alert_says_in_no_language_says_it_whole(play: Callable[[NodePair], Any]) -> None:
    with node_pair() as pair:
        play(pair)
        core = pair.blue.core
        elsewhere = AlertWording("none", messages_of(core.envelope_of))
        for event in core.stored_events(0, 5_000):
            if event.kind == "alert":
                # From the record, as a reader of another language has it, in the node's own.
                told = msgspec.json.decode(event.data_json, type=AlertView)
                assert told.said
                assert elsewhere.one(told, core.language) == told
                for language in set(LANGUAGES) - {core.language}:
                    other = elsewhere.one(told, language)
                    for at, text in strings([other.text, msgspec.to_builtins(other.facts)]):
                        assert not foreign(text, language), (told.rule, at, text)


def test_why_a_line_is_silent_is_in_the_readers_language(tmp_path: Path) -> None:
    async def inside(pair: NodePair) -> None:
        async with readers(pair, tmp_path) as desk:
            told = {each: await desk.read("/lines", each) for each in LANGUAGES}
            reasons = {each: lines[0]["silent_because"] for each, lines in told.items()}
            assert len(set(reasons.values())) == len(LANGUAGES)
            assert not any(foreign(text, each) for each, text in reasons.items())

    with node_pair() as pair:
        deaf(pair)
        pair.blue = pair.world.stations["blue"]
        asyncio.run(inside(pair))


def test_an_alert_of_an_earlier_edition_stays_as_it_was_told(tmp_path: Path) -> None:
    async def inside(pair: NodePair) -> None:
        async with readers(pair, tmp_path) as desk:
            (alert,) = await desk.read("/alerts", "ru")
            assert alert["text"] == "The line to red is down."

    with node_pair() as pair:
        kept = {
            "alert_id": "1-1",
            "rule": "KEY_NOT_TAKEN",
            "urgency": "IMMEDIATE",
            "line_id": pair.line_id,
            "subject": "red",
            "object": None,
            "desk": DESKS[0],
            "raised_utc": pair.now_utc,
            "updated_utc": pair.now_utc,
            "deadline_utc": None,
            "level": 0,
            "open": True,
            "text": "The line to red is down.",
            "facts": {"party": "red"},
            "drill": False,
        }
        old = msgspec.convert(kept, AlertView)
        journal: Journal = pair.blue.core._journal
        key = AlertKey(old.rule, old.line_id, old.subject)
        journal.alerts._keep(key, old)
        asyncio.run(inside(pair))


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_says_something_is_warned_in_their_own_language(tmp_path: Path, language: str) -> None:
    async def inside(pair: NodePair, check: str) -> None:
        async with readers(pair, tmp_path) as desk:
            wrong = {"kind": "LINE_CHECK_REPLY", "body": {"text": "4711 0816"}, "ref": check}
            answer = await desk.ask("POST", f"/lines/{pair.line_id}/messages", language, json=wrong)
            (warning,) = answer.json()["warnings"]
            assert any(piece in warning for piece in PIECES[language])
            assert not foreign(warning, language)

    with node_pair() as pair:
        check = pair.say("red", Kind.LINE_CHECK, LineCheck(text="4711 0815"))
        pair.run_for(1)
        asyncio.run(inside(pair, check))


def test_what_the_authors_desk_reads_stands_beside_the_readers_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def inside(pair: NodePair) -> None:
        async with readers(pair, tmp_path) as desk:
            body = {**body_to_wire(query()), "not_binding": FREE}
            sent = await desk.ask(
                "POST",
                f"/lines/{pair.line_id}/messages",
                "ru",
                json={"kind": "QUERY", "body": body},
            )
            assert sent.status_code == 200, sent.text
            path = f"/messages/{sent.json()['hash']}"
            own, other = await desk.read(path, "ru"), await desk.read(path, "en")
            assert own["language"] == other["language"] == "ru"
            assert own["text_author"] is None
            assert other["text_author"] == own["text"] != other["text"]
            assert FREE in own["text"]
            assert FREE in other["text"]
            show_message(other, as_json=False)
            shown = " ".join(capsys.readouterr().out.split())
            assert "As the author's desk reads it (ru):" in shown
            assert shown.count(FREE) == 2

    with node_pair() as pair:
        pair.run_for(1)
        asyncio.run(inside(pair))


def test_a_live_event_is_worded_once_for_all_who_read_it_in_a_language(tmp_path: Path) -> None:
    async def inside(pair: NodePair) -> None:
        async with readers(pair, tmp_path) as desk:
            events = pair.blue.core.stored_events(0, 500)
            for event in events:
                own = desk.node.event_json(event, "en")
                assert own is event.data_json  # as it is in the record, and nothing was made of it
                assert json.loads(own) == event.data
                told = desk.node.event_json(event, "ru")
                assert told is desk.node.event_json(event, "ru")
                if event.kind != "alert":
                    assert told is own
                else:
                    assert not foreign(json.loads(told)["text"], "ru")
                    assert json.loads(told).keys() == event.data.keys()
            assert {"alert", "message"} <= {event.kind for event in events}

    with node_pair() as pair:
        pair.declare("blue", declaration(1))
        pair.declare("red", declaration(2))
        pair.run_for(1)
        asyncio.run(inside(pair))


def test_the_stream_of_events_is_in_the_readers_language(tmp_path: Path) -> None:
    async def first_alert(desk: Readers, language: str) -> dict[str, Any]:
        headers = {
            "authorization": f"Bearer {desk._accounts.issue(ROLES[0].value, by='test').token}",
            "deconflict-language": language,
            "host": "127.0.0.1",
        }
        scope = {
            "type": "http",
            "method": "GET",
            "path": f"{API}/events",
            "query_string": b"after=0",
            "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "scheme": "http",
            "http_version": "1.1",
        }
        found: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

        async def receive() -> dict[str, Any]:
            await found
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            for data in re.findall(rb"event: alert\ndata: (.*)\n", message.get("body", b"")):
                if not found.done():
                    found.set_result(json.loads(data))

        async with asyncio.timeout(20):
            await desk.app(scope, receive, send)
        return found.result()

    async def inside(pair: NodePair) -> None:
        async with readers(pair, tmp_path) as desk:
            told = {each: await first_alert(desk, each) for each in LANGUAGES}
            assert len({each["alert_id"] for each in told.values()}) == 1
            for language, each in told.items():
                assert any(piece in each["text"] for piece in PIECES[language])
                assert not foreign(each["text"], language)

    with node_pair() as pair:
        pair.say("red", Kind.QUERY, query())
        pair.run_for(1)
        asyncio.run(inside(pair))
