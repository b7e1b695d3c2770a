"""One watch from end to end, at two nodes and in two browsers, with nothing but what stands there.

Declared on one side, in conflict on both; asked and answered; read back wrong and right; a cease
request that climbs; the line cut and back; the watch handed over; a readout signed by both and read
again out of its PDF; in three languages and both themes, with axe at every station.
"""

import os
import time

import pytest
from desks import PASSWORD, Desk, Watch, open_desk, read_back
from playwright.sync_api import Browser
from test_access import violations
from test_sheets import taken
from test_talks import ago, done, press, record
from tests.processes.nodes import ROLES

from deconflict.api.accounts import Accounts

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]

Desks = tuple[Desk, Desk]
PLACE = "36.10 36.20"
TEXTS = ("Both sides spoke of the survey.", "Стороны говорили о съёмке.")


@pytest.fixture(scope="module")
def watch(both: Watch) -> Watch:
    """Terms by which a FLASH that nobody answers climbs within seconds; who comes on watch next."""
    with both.members["blue"].api() as blue, both.members["red"].api() as red:
        path = f"/lines/{both.line_id}/terms"
        held = blue.get(path)
        terms = {**held["agreed"], "version": 2, "replaces": held["agreed_hash"]}
        limits = {"lack_ms": 2_000, "seen_ms": 3_000, "answer_ms": 4_000}
        timers = terms["timers"]
        terms["timers"] = {**timers, "limits": {**timers["limits"], "FLASH": limits}}
        terms["timers"]["answer_within_ms"].pop("CEASE", None)
        blue.post(f"{path}/proposal", {"terms": terms})
        until = time.monotonic() + 30
        while not (proposed := red.get(path)["proposed_hash"]):
            assert time.monotonic() < until
            time.sleep(0.1)
        red.post(f"{path}/acceptance", {"terms_hash": proposed})
        while blue.get(path)["agreed"]["version"] != 2:
            assert time.monotonic() < until
            time.sleep(0.1)
    folder = both.members["blue"].folder
    accounts = Accounts(
        folder.accounts_path, now=lambda: time.time_ns() // 1_000_000, random_bytes=os.urandom
    )
    accounts.add("relief", PASSWORD, roles=ROLES, desk=folder.settings.desks[0], by="setup")
    accounts.close()
    return both


def test_one_watch_from_the_declaration_to_the_readout(
    watch: Watch, browser: Browser, desks: Desks
) -> None:
    blue, red = desks
    for desk in desks:
        assert desk.page.get_attribute("html", "data-theme") == "night"
    span = a_conflict_of_two_declarations_stands_at_both_desks(desks)
    a_question_is_answered(desks)
    a_readback_is_wrong_and_then_right(watch, desks, span)
    a_cease_request_climbs_until_it_is_answered(desks)
    the_line_is_cut_and_comes_back(watch, desks)
    relief = the_watch_is_handed_over(watch, browser, desks)
    a_readout_is_signed_by_both_and_printed((relief, red))
    every_language_and_theme(relief)
    relief.page.context.close()
    assert not relief.troubles
    assert blue.page.query_selector("input[name=account]")  # its session ended with its watch


def looked_at(desk: Desk, name: str) -> None:
    desk.picture(f"story-{name}-{desk.party}")
    assert violations(desk) == [], name


def declare(desk: Desk, label: str, span: dict[str, str]) -> None:
    desk.go("declare")
    desk.page.fill("#draft", PLACE)
    desk.page.select_option("select[name=purpose]", "ACTIVITY")
    desk.page.select_option("select[name=shape]", "circles")
    typed = {"radius": "2NM", "lower": "1000m AMSL", "upper": "2000m AMSL", "label": label, **span}
    for name, value in typed.items():
        desk.page.fill(f"input[name={name}]", value)
    desk.shows("main button.first:not([disabled])")
    looked_at(desk, "declare")
    desk.page.click("main button.first")
    press(desk, "Next", "Send")
    done(desk)


def a_conflict_of_two_declarations_stands_at_both_desks(desks: Desks) -> dict[str, str]:
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 86_400))
    span = {"start_utc": f"{day}T12:00Z", "end_utc": f"{day}T13:00Z"}
    for desk in desks:
        declare(desk, f"survey by {desk.party}", span)
    for desk in desks:
        desk.go("watch")
        desk.press('.alert a[href^="#conflicts/"]')
        card = desk.shows('section[aria-labelledby="h-card"]').inner_text()
        assert "blue" in card
        assert "red" in card
        desk.shows("[data-ready=true]")
        looked_at(desk, "conflict")
        desk.go("watch")
    return span


def a_question_is_answered(desks: Desks) -> None:
    blue, red = desks
    red.page.click('button:has-text("Is this yours?")')
    seen = {"position": PLACE, "level": "AMSL 1500", "course": "90", "speed": "60"}
    seen["at"] = time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime())
    for name, value in seen.items():
        red.page.fill(f"dialog[open] input[name={name}]", value)
    press(red, "Send")
    done(red)
    blue.press('.alert:has-text("is this yours?") button:has-text("Answer")')
    blue.page.select_option("dialog[open] select[name=said]", "OURS")
    press(blue, "Next")
    looked_at(blue, "answer")
    press(blue, "Send")
    done(blue)
    red.go("thread")
    red.shows('article:has-text(": ours")')
    red.go("watch")


def say_back(watch: Watch, desk: Desk, reach: str, span: dict[str, str]) -> None:
    alert = desk.alert("survey by blue")
    alert.query_selector('button:has-text("Read back")').click()
    desk.page.select_option("dialog[open] select[name=purpose]", "ACTIVITY")
    typed = {"position": PLACE, "reach": reach, "altitudes": "AMSL 1000 2000", "parts": "1"}
    typed |= {"start": span["start_utc"], "end": span["end_utc"]}
    read_back(desk, watch.members[desk.party], typed)
    press(desk, "Next")


def a_readback_is_wrong_and_then_right(watch: Watch, desks: Desks, span: dict[str, str]) -> None:
    blue, red = desks
    say_back(watch, red, "5.5", span)
    assert "DIFFERENT" in red.shows("dialog[open] tr.differs").inner_text()
    looked_at(red, "readback-differs")
    press(red, "Send")
    done(red)
    for desk in desks:
        assert "IMMEDIATE" in desk.alert("READBACK WRONG").inner_text()
    looked_at(blue, "readback-wrong")
    say_back(watch, red, "2NM", span)
    red.shows("dialog[open] tr:not(.differs)")
    differing = red.page.query_selector_all("dialog[open] tr.differs")
    assert [each.inner_text() for each in differing] == []
    press(red, "Send")
    done(red)
    for desk in desks:
        desk.page.wait_for_selector('.alert:has-text("READBACK WRONG")', state="detached")


def a_cease_request_climbs_until_it_is_answered(desks: Desks) -> None:
    blue, red = desks
    red.page.click("button.danger")
    choice = "dialog[open] select[name=declaration]"
    theirs = red.page.wait_for_selector(f'{choice} option:has-text("blue")', state="attached")
    red.page.select_option(choice, theirs.get_attribute("value"))
    press(red, "Next", "Send the cease request")
    done(red)
    asked = blue.shows('.alert.FLASH:has(button:has-text("Report"))')
    assert "FLASH" in asked.inner_text()
    # Nobody answers: it climbs on both sides, and each says who has been asked besides.
    for desk in desks:
        desk.shows('.alert.FLASH .overdue:has-text("Escalated")')
        looked_at(desk, "escalated")
    asked = blue.shows('.alert.FLASH:has(button:has-text("Report"))')
    asked.query_selector('button:has-text("Report")').click()
    blue.page.select_option("dialog[open] select[name=report]", "CEASED")
    press(blue, "Next", "Send")
    done(blue)
    for desk in desks:
        desk.page.wait_for_selector('.alert.FLASH .overdue:has-text("Escalated")', state="detached")


def the_line_is_cut_and_comes_back(watch: Watch, desks: Desks) -> None:
    blue, red = desks
    watch.network.cut("blue", "red")
    for desk in desks:
        desk.shows(".line.DOWN")
    looked_at(red, "line-down")
    red.page.click('button:has-text("Line check")')  # said now, heard when it is back
    watch.network.mend()
    for desk in desks:
        desk.shows(".line.UP")
    assert "Retype" in blue.alert("Retype").inner_text()


def the_watch_is_handed_over(watch: Watch, browser: Browser, desks: Desks) -> Desk:
    blue, red = desks
    blue.go("handover")
    sheet = blue.shows('section[aria-labelledby="h-sheet"]')
    assert "blue" in sheet.inner_text()
    looked_at(blue, "handover")
    blue.page.click('button:has-text("Sign off")')
    press(blue, "Next", "Sign off")
    done(blue)
    blue.shows('.permission:has-text("Signed off at")')
    relief = open_desk(browser, watch.members["blue"], account="relief")
    relief.go("handover")
    relief.page.click('button:has-text("Take over the watch")')
    press(relief, "Next", "Take over")
    done(relief)
    blue.shows("input[name=account]")
    red.go("thread")
    red.shows('article:has-text("change of the watch"), li:has-text("change of the watch")')
    return relief


def a_readout_is_signed_by_both_and_printed(desks: Desks) -> None:
    relief, red = desks
    relief.go("talks")
    relief.page.click('button:has-text("nobody arranged")')
    record(relief, ago(40), ago(10))
    red.go("talks")
    for desk in desks:
        desk.page.click('[aria-labelledby="h-calls"] a:has-text("Open the call")')
        desk.shows("#h-text")
    relief.page.select_option('[aria-labelledby="h-text"] select >> nth=1', "ru")
    for at, text in enumerate(TEXTS):
        relief.page.fill(f'[aria-labelledby="h-text"] textarea >> nth={at}', text)
    relief.page.click('button:has-text("Propose to both")')
    press(relief, "Next", "Propose to both")
    done(relief)
    red.page.click('button:has-text("Sign this text")')
    press(red, "Next", "Sign this text")
    done(red)
    printed = []
    for desk in desks:
        desk.page.click('article:has-text("Readout signed by both") button:has-text("Paper")')
        assert "Both sides signed exactly this text." in desk.shows(".sheet").inner_text()
        looked_at(desk, "readout")
        printed.append(" ".join(taken(desk).split()))
    for text in TEXTS:
        assert all(text in each for each in printed)


def every_language_and_theme(desk: Desk) -> None:
    for language, direction, heading, day, night in (
        ("ru", "ltr", "Оповещения", "Дневная тема", "Ночная тема"),
        ("ar", "rtl", "التنبيهات", "مظهر النهار", "مظهر الليل"),
        ("en", "ltr", "Alerts", "Day theme", "Night theme"),
    ):
        desk.page.select_option("header select", language)
        desk.shows(f'html[lang="{language}"][dir="{direction}"]')
        desk.go("watch")
        assert desk.shows("#h-alerts").inner_text() == heading
        for theme, button in (("day", day), ("night", night)):
            desk.page.click(f'header button:has-text("{button}")')
            desk.shows(f'html[data-theme="{theme}"]')
            desk.picture(f"story-{language}-{theme}")
            assert violations(desk) == [], (language, theme)
