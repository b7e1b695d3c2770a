"""Protected sites at two desks: red holds and answers, blue asks, and neither sees the other's."""

from collections.abc import Iterator

import pytest
from desks import Desk, Watch, open_desk, watch
from playwright.sync_api import Browser
from test_access import violations
from tests.private_nodes import check_terms, sortie
from tests.site_nodes import site_at

from deconflict.airspace.notation import echo
from deconflict.airspace.position import Position

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]

RUN_MS = 120_000  # on a machine that does much else
SITES = '[aria-labelledby="h-sites"]'
FINDING = '[aria-labelledby="h-finding"]'
HOSTILE = '<img src=x onerror="alert(1)">'


@pytest.fixture(scope="module")
def checking(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Watch]:
    assert browser
    with watch(tmp_path_factory.mktemp("sites"), private_check=check_terms()) as made:
        with made.members["blue"].api() as api:
            plan = [sortie("viper", 5, 5), sortie("cobra", 12, 5)]
            api.put(f"/private/plan/{made.line_id}", {"declarations": plan})
        yield made


def place(column: int, row: int) -> Position:
    found = site_at(column, row)
    return Position(found["lat_e7"], found["lon_e7"])


def press(desk: Desk, words: str) -> None:
    desk.page.click(f'dialog[open] button:has-text("{words}")')


def sent(desk: Desk) -> None:
    desk.page.wait_for_selector("dialog[open]", state="detached")


def add(desk: Desk, label: str, column: int, row: int) -> None:
    desk.page.click(f'{SITES} button:has-text("Add a site")')
    for name, value in {
        "told": label,
        "place": echo(place(column, row)).decimal,
        "radius": "2 km",
    }.items():
        desk.page.fill(f"dialog[open] input[name={name}]", value)
    press(desk, "Next")
    desk.shows('dialog[open]:has-text("within 2000 m of it")')
    assert "Nothing is sent" in desk.page.inner_text("dialog[open]")
    press(desk, "Add it")
    sent(desk)


def ask(desk: Desk) -> None:
    desk.page.click('button:has-text("Ask about protected sites of red")')
    for name, value in {"points": "64", "bucket": "1024", "label": "32"}.items():
        desk.page.fill(f"dialog[open] input[name={name}]", value)
    press(desk, "Next")
    told = desk.page.inner_text("dialog[open]")
    assert "learns that you ask and how much, never what" in told
    assert "NO HIT is no consent" in told
    desk.page.click('dialog[open] button.danger:has-text("Ask")')
    sent(desk)


def test_a_list_is_held_and_a_peer_answered_until_a_time(checking: Watch, browser: Browser) -> None:
    red = open_desk(browser, checking.members["red"])
    red.go("private")
    red.shows(f'{SITES} .permission:has-text("NO LIST IS HELD")')
    assert violations(red) == []
    add(red, "hospital", 5, 5)
    add(red, HOSTILE, 18, 18)
    red.shows(f'{SITES} th:has-text("<img src=x")')
    assert red.page.query_selector("main img") is None
    red.shows(f'{SITES} p:has-text("Sites: 2")')
    red.page.click(f'{SITES} button:has-text("What may be asked")')
    red.page.fill("dialog[open] input[name=decoys]", "2")
    # A fourth part of the grid, ever, by one party.
    red.page.fill("dialog[open] input[name=share_per_mille]", "250")
    press(red, "Set it")
    sent(red)
    red.shows(f'{SITES} p:has-text("Decoys: 2")')
    red.page.click(f'{SITES} button:has-text("Answer until")')
    press(red, "Next")
    assert "learns where its own activity comes near a site" in red.page.inner_text("dialog[open]")
    red.picture("private-sites-consent-night-en")
    red.page.click('dialog[open] button.danger:has-text("Answer")')
    sent(red)
    red.shows(f'{SITES} td:has-text("answered")')
    red.page.click(f'{SITES} [aria-label*="<img"]')
    press(red, "Take out")
    sent(red)
    red.shows(f'{SITES} p:has-text("Sites: 1")')
    red.picture("private-sites-held-night-en")
    assert violations(red) == []
    with checking.members["red"].api() as api:
        held = api.get("/private/sites")
    assert [site["label"] for site in held["sites"]] == ["hospital"]
    assert (held["decoys"], held["share_per_mille"], held["points_a_query"]) == (2, 250, 1024)
    red.page.context.close()
    assert not red.troubles


def test_a_planner_is_warned_and_the_protector_sees_how_much_was_asked(
    checking: Watch, browser: Browser
) -> None:
    blue = open_desk(browser, checking.members["blue"])
    blue.go("private")
    ask(blue)
    finding = blue.shows(f'{FINDING} :text("hospital")', timeout_ms=RUN_MS)
    assert "viper" in finding.inner_text()
    told = blue.page.inner_text(FINDING)
    assert "▲ HIT" in told
    assert "within the radius of a protected site" in told
    assert "cobra" not in told
    blue.picture("private-sites-hit-night-en")
    assert violations(blue) == []
    red = open_desk(browser, checking.members["red"])
    red.go("private")
    red.shows(f'{SITES} td:has-text("squares in all: 64")')
    shown = red.page.inner_text("main")
    assert "NO PLAN IS SET" not in red.page.inner_text('[aria-labelledby="h-check"]')
    # The warning of a place that nobody but blue knows to be asked about.
    assert "viper" not in shown
    red.picture("private-sites-asked-night-en")
    for desk in (blue, red):
        desk.page.context.close()
        assert not desk.troubles


def test_who_is_answered_no_more_is_not_told_that_nothing_is_near(
    checking: Watch, browser: Browser
) -> None:
    red = open_desk(browser, checking.members["red"])
    red.go("private")
    red.page.click(f'{SITES} button:has-text("Answer no more")')
    press(red, "Answer no more")
    sent(red)
    red.shows(f'{SITES} td:has-text("withdrawn")')
    blue = open_desk(browser, checking.members["blue"])
    blue.go("private")
    ask(blue)
    blue.shows('[aria-labelledby="h-check"] :text("waits for red")')
    # A person who takes part all the same has given no consent.
    red.press('tr:has-text("WAITS FOR US") a')
    red.shows('[aria-labelledby="h-check"] :text("WAITS FOR US")')
    red.page.click('button:has-text("Accept")')
    press(red, "Next")
    assert "NO PLAN IS SET" not in red.page.inner_text("dialog[open]")
    red.page.click('dialog[open] button.danger:has-text("Accept")')
    finding = blue.shows(f"{FINDING} .alert.PRIORITY", timeout_ms=RUN_MS)
    assert "■ NOT CHECKED" in finding.inner_text()
    assert "UNKNOWN" in finding.inner_text()
    blue.picture("private-sites-not-checked-night-en")
    for desk in (blue, red):
        desk.page.context.close()
        assert not desk.troubles


@pytest.mark.parametrize("party", ["blue", "red"])
@pytest.mark.parametrize(("theme", "language"), [("day", "ar"), ("night", "ru")])
def test_the_screen_reads_in_every_language(
    checking: Watch, browser: Browser, party: str, theme: str, language: str
) -> None:
    desk = open_desk(browser, checking.members[party], theme=theme)
    desk.page.select_option("header select", language)
    desk.shows(f'html[lang="{language}"]')
    desk.page.keyboard.press("Alt+p")
    desk.shows(f"{SITES} td")
    desk.page.click('[aria-labelledby="h-checks"] tbody tr:last-child a')
    desk.page.wait_for_timeout(1_000)
    desk.picture(f"private-sites-{party}-{theme}-{language}")
    assert violations(desk) == []
    if party == "red":
        desk.page.click(f"{SITES} .row:last-of-type button")
        desk.shows("dialog[open]")
        assert violations(desk) == []
        desk.picture(f"private-sites-dialog-{theme}-{language}")
        desk.page.keyboard.press("Escape")
    desk.page.select_option("header select", "en")
    desk.shows('html[lang="en"]')
    desk.page.context.close()
    assert not desk.troubles


def test_a_list_is_forgotten_in_two_presses(checking: Watch, browser: Browser) -> None:
    red = open_desk(browser, checking.members["red"])
    red.go("private")
    red.page.click(f'{SITES} button:has-text("Forget the list")')
    assert "every consent" in red.page.inner_text("dialog[open]")
    press(red, "Forget the list")
    sent(red)
    red.shows(f'{SITES} .permission:has-text("NO LIST IS HELD")')
    with checking.members["red"].api() as api:
        held = api.get("/private/sites")
    assert (held["set_utc"], held["consents"][0]["state"]) == (None, "NONE")
    red.page.context.close()
    assert not red.troubles
