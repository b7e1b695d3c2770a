"""That everybody can use the console: by rules of axe-core, by keyboard alone, in both themes."""

from itertools import product

import pytest
from axe_playwright_python.sync_playwright import Axe
from desks import SCREENS, Desk, Watch, flight, open_desk
from playwright.sync_api import Browser

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

GRAVE = ("serious", "critical")


@pytest.fixture(scope="module")
def busy(both: Watch) -> Watch:
    for party, east in (("blue", 4_000_000), ("red", -4_000_000)):
        with both.members[party].api() as api:
            api.post("/declarations", {"declarations": [flight(east)]})
    with both.members["red"].api() as api:
        api.send(both.line_id, "LINE_CHECK", {"text": "4711 0815"})
    return both


def violations(desk: Desk) -> list[str]:
    found = Axe().run(desk.page).response["violations"]
    return [
        f"{each['id']}: {node['target']} {node['failureSummary'][:200]}"
        for each in found
        if each["impact"] in GRAVE
        for node in each["nodes"][:3]
    ]


@pytest.mark.parametrize(
    ("theme", "language"), [*product(("night", "day"), ("en",)), ("day", "ar")]
)
def test_axe_finds_nothing_grave_on_any_screen(
    busy: Watch, browser: Browser, theme: str, language: str
) -> None:
    desk = open_desk(browser, busy.members["blue"], theme=theme)
    desk.page.select_option("header select", language)  # the account's decides, once logged in
    desk.shows(f'html[lang="{language}"]')
    for screen in SCREENS:
        desk.go(screen)
        desk.page.wait_for_timeout(500)
        desk.picture(f"{screen}-{theme}-{language}")
        assert violations(desk) == [], screen
    desk.page.select_option("header select", "en")
    desk.shows('html[lang="en"]')
    desk.page.context.close()
    assert not desk.troubles


def test_a_line_check_is_retyped_by_keyboard_alone(busy: Watch, browser: Browser) -> None:
    desk = open_desk(browser, busy.members["blue"])
    desk.alert("4711 0815")
    desk.page.keyboard.press("Alt+3")
    desk.shows("#draft")
    desk.page.keyboard.press("Alt+a")
    desk.alert("4711 0815")
    desk.page.focus('.alert:has-text("4711 0815") button')
    desk.page.keyboard.press("Enter")
    desk.shows("dialog[open] input[name=text]")
    desk.page.keyboard.type("4711 0815")
    desk.page.keyboard.press("Enter")
    desk.page.wait_for_selector("dialog[open]", state="detached")
    desk.page.wait_for_selector('.alert:has-text("4711 0815")', state="detached")
    desk.page.context.close()
    assert not desk.troubles


def test_a_screen_that_comes_late_does_not_take_the_place_of_the_next(
    busy: Watch, browser: Browser
) -> None:
    desk = open_desk(browser, busy.members["blue"])
    held = []
    desk.page.route("**/handover/screen.js", lambda route: held.append(route))
    desk.page.evaluate("location.hash = 'handover'")
    desk.page.wait_for_timeout(300)
    desk.go("declare")
    desk.shows("#draft")
    assert len(held) == 1
    held[0].continue_()
    desk.page.wait_for_timeout(1_000)
    assert desk.page.query_selector("#draft")
    desk.page.context.close()
    assert not desk.troubles
