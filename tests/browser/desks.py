"""Two nodes and a browser at each: what the tests of the console stand on.

A ``Desk`` is one browser's page logged in at one node. Whatever the page reports as an error (an
exception, a refused load, a violation of its content policy) is kept; a test that ends with any
fails.
"""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.nodes import LANDMARK, Party, agree
from playwright.sync_api import Browser, BrowserContext, Page
from tests.processes.network import Network, make_networked
from tests.processes.nodes import Member, Process

from deconflict.messages.private_terms import PrivateCheckTerms

PARTIES = ("blue", "red")
SCREENS = (
    *("watch", "conflicts", "declare", "thread", "talks", "incidents"),
    *("handover", "record", "map", "account", "terms", "private"),
)
PASSWORD = "a long evening at sea"
SHOTS = Path(os.environ.get("DECONFLICT_SHOTS", "build/screenshots"))
SHOWN_MS = 30_000  # on a machine that does much else


@dataclass
class Watch:
    """Both nodes, running, with terms agreed and a network between them that can be cut."""

    network: Network
    members: dict[str, Member]
    processes: dict[str, Process]
    line_id: str

    def restart(self, party: str) -> None:
        """Kill a node as a power cut would, and start it again."""
        self.processes[party].kill()
        self.processes[party] = Process(self.members[party])
        self.processes[party].ready()


@dataclass
class Desk:
    """One browser at one node."""

    party: str
    page: Page
    troubles: list[str] = field(default_factory=list)

    def go(self, screen: str) -> None:
        self.page.click(f'nav a[data-screen="{screen}"]')
        self.page.wait_for_selector(f'nav a[data-screen="{screen}"][aria-current="page"]')

    def shows(self, selector: str, *, timeout_ms: int = SHOWN_MS) -> Any:
        """The first element of a kind, once it stands on the screen."""
        return self.page.wait_for_selector(selector, timeout=timeout_ms)

    def press(self, selector: str, *, timeout_ms: int = SHOWN_MS) -> None:
        """Press the first element of a kind, also where it is drawn anew meanwhile."""
        self.page.click(selector, timeout=timeout_ms)

    def alert(self, text: str) -> Any:
        """The alert that says this, once it is shown."""
        return self.shows(f'.alert:has-text("{text}")')

    def stand_up(self) -> None:
        """Leave the login, and nothing else, for whoever sits down next."""
        self.page.evaluate(
            """Object.keys(localStorage).filter((key) => key !== "session")
               .forEach((key) => localStorage.removeItem(key))"""
        )
        self.page.close()

    def picture(self, name: str) -> None:
        """Keep what is seen, for people who look."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png")


@contextmanager
def watch(directory: Path, *, private_check: PrivateCheckTerms | None = None) -> Iterator[Watch]:
    """Run two nodes that have agreed on terms."""
    network, members = make_networked(directory, PARTIES)
    with ExitStack() as stack:
        stack.enter_context(network.running())
        processes = {party: Process(member) for party, member in members.items()}
        made = Watch(network, members, processes, "")
        stack.callback(lambda: [process.kill() for process in made.processes.values()])
        for process in processes.values():
            process.ready()
        blue, red = (
            Party(m.party, m.path, m.folder.settings.operators_listen, m.token)
            for m in members.values()
        )
        made.line_id = agree(blue, red, private_check=private_check)
        yield made


def open_desk(
    browser: Browser,
    member: Member,
    *,
    language: str = "en",
    theme: str = "night",
    account: str = "watch",
) -> Desk:
    """Log in at a node's console as a person would, in a browser that has kept nothing."""
    context = new_context(browser)
    return sit_down(context, member, language=language, theme=theme, account=account)


def new_context(browser: Browser) -> BrowserContext:
    """A browser that has kept nothing."""
    return browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")


def sit_down(
    context: BrowserContext,
    member: Member,
    *,
    language: str = "en",
    theme: str = "night",
    account: str = "watch",
) -> Desk:
    """Open a node's console, and log in where nobody is."""
    page = context.new_page()
    desk = Desk(member.party, page)
    page.on("pageerror", lambda error: desk.troubles.append(str(error)))
    page.on("console", lambda said: _keep(desk, said.type, said.text))
    page.add_init_script(
        f"localStorage.setItem('language', '{language}'); localStorage.setItem('theme', '{theme}');"
    )
    page.goto(f"http://127.0.0.1:{member.operators_port}/")
    page.wait_for_selector("input[name=account], nav a[aria-current]", timeout=SHOWN_MS)
    if page.query_selector("input[name=account]"):
        page.fill("input[name=account]", account)
        page.fill("input[name=password]", PASSWORD)
        page.keyboard.press("Enter")
    page.wait_for_selector("nav a[aria-current]", timeout=SHOWN_MS)
    return desk


def flight(east_e7: int, *, label: str = "survey", altitude_ft: int = 20_000) -> dict[str, Any]:
    """A draft: a flight of half an hour across the landmark, in two hours."""
    place, feet = LANDMARK.position, 3_048
    start = time.time() + 7_200
    points = [
        {
            "at_utc": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(start + 1_800 * side)),
            "lat_e7": place.lat_e7 + (2 * side - 1) * 3_000_000,
            "lon_e7": place.lon_e7 + (2 * side - 1) * east_e7,
            "altitude_tmm": altitude_ft * feet,
        }
        for side in (0, 1)
    ]
    around = {"lateral_mm": 1_852_000, "vertical_tmm": 300 * feet, "time_ms": 60_000}
    shape = {"reference": "AMSL", "waypoints": points, "containment": around}
    return {"purpose": "FLIGHT", "label": label, "geometry": {"trajectory": shape}}


def read_back(desk: Desk, member: Member, typed: dict[str, str]) -> None:
    """Type a readback into the dialog that is open, seen from the landmark that lies nearest."""
    with member.api() as api:
        seen = api.post("/places/read", {"text": typed["position"]})
    dialog = "dialog[open]"
    desk.page.select_option(f"{dialog} select[name=landmark]", seen["landmark"])
    from_there = {
        "distance": str(seen["distance_mm"] / 1_000_000),
        "bearing": str(seen["bearing_ddeg"] / 10),
    }
    for name, value in {**typed, **from_there}.items():
        desk.page.fill(f"{dialog} input[name={name}]", value)


def _keep(desk: Desk, kind: str, text: str) -> None:
    # While a node is down its page says so; the browser notes each attempt as an error of its own.
    if kind == "error" and "net::ERR" not in text and "Failed to load resource" not in text:
        desk.troubles.append(text)


__all__ = [
    "PARTIES",
    "SCREENS",
    "Desk",
    "Watch",
    "flight",
    "new_context",
    "open_desk",
    "read_back",
    "sit_down",
    "watch",
]
