"""The console page: what it loads, and that a peer's words can only ever be text."""

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from api_parts import Client
from fastapi import FastAPI

from deconflict.api.app import build_operator_app
from deconflict.console import add_console

STATIC = files("deconflict.console").joinpath("static")
SCRIPTS = ("console.js", "events.js", "fields.js", "map.js")


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
    for name in SCRIPTS:
        script = console.get(f"/console/{name}")
        assert script.headers["content-type"].startswith("text/javascript")
        for imported in re.findall(r'from "\./([^"]+)"', script.text):
            assert console.get(f"/console/{imported}").status_code == 200


def test_the_page_has_nothing_that_the_policy_would_stop(console: Client) -> None:
    page = console.get("/")
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert not re.search(r"<style|<script(?! type=\"module\" src=)|\son\w+=|\sstyle=", page.text)
    everything = page.text + "".join(STATIC.joinpath(name).read_text() for name in SCRIPTS)
    assert set(re.findall(r"https?://[^\s\"'`]+", everything)) == {"http://www.w3.org/2000/svg"}


def test_what_a_peer_wrote_is_never_markup() -> None:
    for name in SCRIPTS:
        script = STATIC.joinpath(name).read_text()
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", script)


def test_it_says_that_acknowledged_is_not_permission(console: Client) -> None:
    assert "Acknowledged is not permission." in console.get("/").text


def test_every_file_of_the_console_is_served(console: Client) -> None:
    for found in Path(str(STATIC)).iterdir():
        path = {"console.html": "/", "icon.svg": "/favicon.ico"}.get(
            found.name, f"/console/{found.name}"
        )
        assert console.get(path).content == found.read_bytes()
    for outside in ("/console/", "/console/../api/app.py", "/console/%2e%2e/__init__.py"):
        assert console.get(outside).status_code == 404


@pytest.mark.parametrize(("script", "marks"), [("console.js", 3), ("map.js", 2)])
def test_an_exercise_is_marked_wherever_the_page_shows_one(script: str, marks: int) -> None:
    shown = re.findall(r'\.drill \? "DRILL "', STATIC.joinpath(script).read_text())
    assert len(shown) == marks
