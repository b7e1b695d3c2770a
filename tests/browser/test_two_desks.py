"""A watch at two desks: each test is a piece of the story, in a browser at each node."""

import re
import time

import pytest
from desks import SCREENS, Desk, Watch, flight

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

Desks = tuple[Desk, Desk]
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><b>now</b>"


def post(both: Watch, party: str, path: str, body: dict[str, object]) -> object:
    with both.members[party].api() as api:
        return api.post(path, body)


def alert_ids(both: Watch, party: str) -> set[str]:
    with both.members[party].api() as api:
        return {alert["alert_id"] for alert in api.alerts()}


def shown_ids(desk: Desk) -> list[str]:
    return [
        str(each.get_attribute("data-key"))
        for each in desk.page.query_selector_all("[role=log] .alert")
    ]


def test_a_conflict_of_two_plans_is_shown_at_both_desks_with_map_and_profile(
    both: Watch, desks: Desks
) -> None:
    blue, _red = desks
    post(both, "blue", "/declarations", {"declarations": [flight(4_000_000, label="east")]})
    post(both, "red", "/declarations", {"declarations": [flight(-4_000_000, label="west")]})
    for desk in desks:
        found = desk.alert("will come closer than the agreed minimum")
        found.query_selector('a[href^="#conflicts/"]').click()
        desk.shows("[data-ready=true]")
        card = desk.shows('section[aria-labelledby="h-card"]').inner_text()
        assert "blue" in card
        assert "red" in card
        assert "begins in" in card
        desk.page.locator(".profile .band").nth(1).wait_for(state="attached")
        assert len(desk.page.query_selector_all(".profile .band")) == 2
        desk.picture(f"conflict-{desk.party}")
    # One slider moves what is shown: its time stands beside it, and the profile's line moves.
    before = blue.page.get_attribute(".profile .now", "x1")
    blue.page.focus("input[type=range]")
    for _ in range(60):
        blue.page.keyboard.press("ArrowRight")
    assert blue.page.get_attribute(".profile .now", "x1") != before
    assert "after" in blue.page.inner_text('section[aria-labelledby="h-card"]')


def test_a_query_is_answered_in_two_steps_and_the_asker_sees_it(both: Watch, desks: Desks) -> None:
    blue, red = desks
    place = {"lat_e7": 350_000_000, "lon_e7": 360_000_000}
    level = {"reference": "AMSL", "tmm": 60_000_000}
    body = {
        "position": place,
        "level": level,
        "course_ddeg": 900,
        "speed_mmps": 200_000,
        "at_utc": "2026-01-01T00:00:00.000Z",
    }
    post(both, "blue", f"/lines/{both.line_id}/messages", {"kind": "QUERY", "body": body})
    alert = red.alert("is this yours?")
    alert.query_selector('button:has-text("Answer")').click()
    red.page.select_option("dialog[open] select[name=said]", "NOT_OURS")
    red.page.click('dialog[open] button:has-text("Next")')
    assert "You answer: Not ours" in red.page.inner_text("dialog[open]")
    red.page.click('dialog[open] button:has-text("Send")')
    red.page.wait_for_selector("dialog[open]", state="detached")
    red.page.wait_for_selector('.alert:has-text("is this yours?")', state="detached")
    blue.go("thread")
    blue.shows('article:has-text("not ours")')


def test_a_cease_request_takes_two_steps_and_escape_sends_nothing(
    both: Watch, desks: Desks
) -> None:
    blue, red = desks
    with both.members["blue"].api() as api:
        before = api.line("red")["own_seq"]

    def prepare() -> None:
        blue.page.click("button.danger")
        blue.page.fill("dialog[open] input[name=position]", "35.0 36.0")
        blue.page.fill("dialog[open] input[name=reach]", "5")
        blue.page.click('dialog[open] button:has-text("Next")')
        blue.shows('dialog[open]:has-text("You ask red to cease activity within 5 km")')

    prepare()
    # What the hand rests on after the first step sends nothing.
    blue.page.keyboard.press("Enter")
    assert blue.page.query_selector("dialog[open] input[name=position]")
    blue.page.keyboard.press("Escape")
    with both.members["blue"].api() as api:
        assert api.line("red")["own_seq"] == before
    prepare()
    blue.picture("cease-second-step")
    blue.page.click('dialog[open] button:has-text("Send the cease request")')
    alert = red.alert("requests that activity")
    assert "FLASH" in alert.inner_text()
    red.picture("watch-cease")
    alert.query_selector('button:has-text("Report")').click()
    red.page.select_option("dialog[open] select[name=report]", "CEASED")
    red.page.click('dialog[open] button:has-text("Next")')
    red.page.click('dialog[open] button:has-text("Send")')
    red.page.wait_for_selector("dialog[open]", state="detached")


def test_what_a_peer_writes_is_text_and_nothing_else(both: Watch, desks: Desks) -> None:
    _, red = desks
    post(both, "blue", "/declarations", {"declarations": [flight(9_000_000, label=HOSTILE)]})
    red.shows("td:has-text('now')")
    assert HOSTILE in red.page.inner_text(".declared")
    red.go("thread")
    red.shows(f"text={HOSTILE}")
    assert red.page.query_selector("img") is None
    assert "owned" not in red.page.title()


def test_a_cut_line_is_shown_down_and_up_again(both: Watch, desks: Desks) -> None:
    for desk in desks:
        desk.shows(".line.UP")
    both.network.cut("blue", "red")
    for desk in desks:
        desk.shows(".line.DOWN", timeout_ms=15_000)
    desks[0].picture("watch-line-down")
    both.network.mend()
    for desk in desks:
        desk.shows(".line.UP")


def test_a_node_that_dies_and_comes_back_loses_and_doubles_no_alert(
    both: Watch, desks: Desks
) -> None:
    blue, _red = desks
    blue.shows("[role=log] .alert")
    both.processes["blue"].kill()
    blue.shows("body.stale")
    assert "NOT LIVE" in blue.page.inner_text("#live")
    # Said while the console sees nothing.
    post(
        both,
        "red",
        f"/lines/{both.line_id}/messages",
        {"kind": "LINE_CHECK", "body": {"text": "4711"}},
    )
    both.restart("blue")
    blue.page.wait_for_selector("body:not(.stale)")
    blue.alert("4711")
    blue.page.wait_for_timeout(1_000)
    shown = shown_ids(blue)
    assert len(shown) == len(set(shown))
    assert set(shown) == alert_ids(both, "blue")


def test_what_is_pasted_is_read_asked_about_and_sent_in_two_steps(
    both: Watch, desks: Desks
) -> None:
    blue, red = desks
    with both.members["blue"].api() as api:
        before = api.line("red")["own_seq"]
    blue.go("declare")
    blue.page.fill("#draft", "36.10N 036.20E")
    blue.shows("[aria-labelledby=h-read] .permission")  # of what it leaves open
    blue.page.select_option("select[name=purpose]", "ACTIVITY")
    blue.page.select_option("select[name=shape]", "circles")
    tomorrow = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 86_400))
    for name, value in {
        "radius": "2NM",
        "lower": "SFC",
        "upper": "FL100",
        "start_utc": f"{tomorrow}T12:00Z",
        "end_utc": f"{tomorrow}T13:00Z",
        "label": "pasted",
    }.items():
        blue.page.fill(f"input[name={name}]", value)
    blue.shows("main button.first:not([disabled])")
    blue.page.click("[aria-labelledby=h-read] summary")
    read = blue.page.inner_text("[aria-labelledby=h-read]")
    assert "36°06'00" in read  # in every notation,
    assert "true from Deir ez-Zor airfield" in read  # and as a readback says it
    blue.picture("declare")
    blue.page.reload()
    blue.shows("main button.first:not([disabled])")  # the draft is still there
    assert blue.page.input_value("input[name=label]") == "pasted"
    with both.members["blue"].api() as api:
        assert api.line("red")["own_seq"] == before  # and nothing was sent
    blue.page.click("main button.first")
    blue.page.click('dialog[open] button:has-text("Next")')
    assert "sent to red" in blue.page.inner_text("dialog[open]")
    blue.page.click('dialog[open] button:has-text("Send")')
    red.alert("pasted")


@pytest.mark.parametrize(("language", "direction"), [("ru", "ltr"), ("ar", "rtl")])
def test_every_screen_speaks_the_language_that_is_chosen(
    desks: Desks, language: str, direction: str
) -> None:
    blue, _ = desks
    blue.page.select_option("header select", language)
    blue.shows(f'html[lang="{language}"]')
    assert blue.page.get_attribute("html", "dir") == direction
    letters = {"ru": r"[а-я]", "ar": r"[ء-ي]"}[language]
    for screen in SCREENS:
        blue.go(screen)
        blue.page.wait_for_timeout(300)
        headings = blue.page.locator("h2, th, nav a, header button")
        for text in (each.strip() for each in headings.all_inner_texts()):
            if text and not re.fullmatch(r"[a-z :·]+", text):
                assert re.search(letters, text, re.IGNORECASE), (screen, text)
        blue.picture(f"{screen}-{language}")
    blue.page.select_option("header select", "en")  # the account keeps it otherwise
    blue.shows('html[lang="en"]')


def test_a_call_is_asked_for_and_accepted_in_two_steps_each(desks: Desks) -> None:
    blue, red = desks
    blue.go("talks")
    blue.page.click('button:has-text("Ask for a call")')
    blue.page.click('dialog[open] button:has-text("Next")')
    assert "You ask red for a call" in blue.page.inner_text("dialog[open]")
    blue.page.click('dialog[open] button:has-text("Send")')
    blue.shows('.alert:has-text("Waits for red")')
    red.go("talks")
    red.shows('.alert:has-text("Waits for your answer")')
    red.page.click('.alert button:has-text("Accept")')
    red.page.click('dialog[open] button:has-text("Next")')
    assert "You accept" in red.page.inner_text("dialog[open]")
    red.page.click('dialog[open] button:has-text("Accept")')
    for desk in desks:
        desk.shows('.alert:has-text("ARRANGED")')
    blue.picture("talks")
    with blue.page.expect_download() as calendar:
        blue.page.click('button:has-text("Calendar file")')
    assert "BEGIN:VCALENDAR" in calendar.value.path().read_text()
