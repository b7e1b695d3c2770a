"""The console page: what it loads, and that a peer's words can only ever be text."""

import os
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from api_parts import Client
from fastapi import FastAPI

from deconflict.api.app import build_operator_app
from deconflict.console import add_console
from deconflict.messages.words import LANGUAGES

STATIC = files("deconflict.console").joinpath("static")
OWN = [path for path in Path(str(STATIC)).rglob("*.js") if "vendored" not in path.parts]


@pytest.fixture
def console(built_app: FastAPI) -> Iterator[Client]:
    services = built_app.state.services
    app = build_operator_app(
        services.node, services.accounts, now=services.now, random_bytes=services.random_bytes
    )
    add_console(app)
    made = Client(app)
    yield made
    made.close()
    app.state.services.close()


def test_the_console_loads_only_what_the_node_serves(console: Client) -> None:
    page = console.get("/")
    assert page.headers["content-type"].startswith("text/html")
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert loaded
    for path in loaded:
        assert console.get(path).status_code == 200, path
    for script in OWN:
        own = script.relative_to(str(STATIC)).parent
        for imported in re.findall(r'(?:from|import|import\()\s*"(\.[^"]+)"', script.read_text()):
            path = os.path.normpath(own / imported)
            found = console.get(f"/console/{path}")
            assert found.status_code == 200, (script, imported)
            assert found.headers["content-type"].startswith("text/javascript")


def test_the_page_has_nothing_that_the_policy_would_stop(console: Client) -> None:
    page = console.get("/")
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert not re.search(r"<style|<script(?! type=\"module\" src=)|\son\w+=|\sstyle=", page.text)
    everything = page.text + "".join(path.read_text() for path in OWN)
    assert set(re.findall(r"https?://[^\s\"'`]+", everything)) == {"http://www.w3.org/2000/svg"}


def test_what_a_peer_wrote_is_never_markup() -> None:
    for path in OWN:
        script = path.read_text()
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", script)


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_says_that_acknowledged_is_not_permission(console: Client, language: str) -> None:
    words = console.get(f"/console/words/{language}.json").json()
    assert (
        words["watch.permission"]
        == {
            "en": "Acknowledged is not permission.",
            "ru": "Подтверждение получения не является разрешением.",
            "ar": "الإقرار بالاستلام ليس إذنا.",
        }[language]
    )


def test_every_file_of_the_console_is_served_and_nothing_else(console: Client) -> None:
    folder = Path(str(STATIC))
    for found in folder.rglob("*"):
        if found.is_file():
            path = found.relative_to(folder).as_posix()
            assert console.get(f"/console/{path}").content == found.read_bytes()
    assert console.get("/").content == (folder / "console.html").read_bytes()
    for outside in ("/console/", "/console/../api/app.py", "/console/%2e%2e/__init__.py"):
        assert console.get(outside).status_code == 404


def test_a_file_that_a_browser_has_is_not_sent_again(console: Client) -> None:
    first = console.get("/console/theme.css")
    again = console.get("/console/theme.css", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_an_exercise_is_marked_wherever_a_message_a_plan_or_a_conflict_is_shown() -> None:
    marking = {
        path.relative_to(str(STATIC)).as_posix()
        for path in OWN
        if 't("drill.mark")' in path.read_text()
    }
    assert marking == {
        "card/screen.js",
        "handover/screen.js",
        "incidents/one.js",
        "incidents/screen.js",
        "incidents/tally.js",
        "map/marks.js",
        "private/check.js",
        "record/search.js",
        "talks/call.js",
        "talks/offers.js",
        "talks/screen.js",
        "thread/screen.js",
        "watch/alerts.js",
        "watch/declarations.js",
        "watch/held.js",
    }
