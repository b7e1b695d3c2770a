"""What an officer is shown before answering: what differs, what would end it, why it is asked."""

import time
from typing import Any

import pytest
from desks import Desk, Watch, flight, open_desk, read_back
from playwright.sync_api import Browser
from test_access import violations

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

LONG_MS = 60_000


@pytest.fixture
def desk(both: Watch, browser: Browser) -> Desk:
    return open_desk(browser, both.members["blue"])


def done(desk: Desk) -> None:
    desk.page.context.close()
    assert not desk.troubles


def area() -> dict[str, Any]:
    """A draft: a circle around the landmark."""
    start = time.time() + 3_600
    utc = [time.strftime("%Y-%m-%dT%H:%M:00.000Z", time.gmtime(start + k * 3_600)) for k in (0, 1)]
    return {
        "purpose": "ACTIVITY",
        "label": "survey area",
        "geometry": {
            "volumes": [
                {
                    "outline": {
                        "circle": {
                            "center": {"lat_e7": 354_000_000, "lon_e7": 360_000_000},
                            "radius_mm": 5_000_000,
                        }
                    },
                    "band": {
                        "reference": "AMSL",
                        "lower_tmm": 10_000_000,
                        "upper_tmm": 20_000_000,
                    },
                    "span": {"start_utc": utc[0], "end_utc": utc[1]},
                }
            ]
        },
    }


def test_a_readback_shows_what_differs_before_it_is_sent_and_afterwards(
    both: Watch, desk: Desk
) -> None:
    with both.members["red"].api() as api:
        draft = area()
        api.post("/declarations", {"declarations": [draft]})
    alert = desk.alert("survey area")
    alert.query_selector('button:has-text("Read back")').click()
    volume = draft["geometry"]["volumes"][0]
    typed = {
        "position": "35°24'00\"N 036°00'00\"E",  # as it stands on a map
        "reach": "6.5",  # and it is 5
        "altitudes": "AMSL 1000 6561.68ft",  # 2,000 m and less than a millimetre
        "start": volume["span"]["start_utc"],
        "end": volume["span"]["end_utc"],
        "parts": "1",
    }
    desk.page.select_option("dialog[open] select[name=purpose]", "ACTIVITY")
    read_back(desk, both.members["blue"], typed)
    desk.page.click('dialog[open] button:has-text("Next")')
    desk.shows("dialog[open] tr.differs")
    (differing,) = desk.page.query_selector_all("dialog[open] tr.differs")
    assert "DIFFERENT" in differing.inner_text()
    assert "3.51 NM (6.50 km)" in differing.inner_text()
    desk.picture("readback-night-en")
    assert violations(desk) == []
    with both.members["blue"].api() as api:
        before = api.line("red")["own_seq"]
    desk.page.click('dialog[open] button:has-text("Back")')
    with both.members["blue"].api() as api:
        assert api.line("red")["own_seq"] == before
    desk.page.click('dialog[open] button:has-text("Next")')
    desk.shows("dialog[open] tr.differs")
    desk.page.click('dialog[open] button:has-text("Send")')
    desk.page.wait_for_selector("dialog[open]", state="detached")
    # At the other desk the same, once the machines have compared it.
    red = open_desk(desk.page.context.browser, both.members["red"])
    red.go("thread")
    red.press('article:has(summary:has-text("Compare")) summary:has-text("Compare")')
    assert "DIFFERENT" in red.shows("article tr.differs").inner_text()
    done(red)
    done(desk)


def test_a_card_tells_its_own_planner_what_would_end_the_conflict(both: Watch, desk: Desk) -> None:
    for party, east in (("blue", 4_000_000), ("red", -4_000_000)):
        with both.members[party].api() as api:
            api.post("/declarations", {"declarations": [flight(east, label=f"by {party}")]})
    found = desk.alert("will come closer than the agreed minimum")
    found.query_selector('a[href^="#conflicts/"]').click()
    with both.members["blue"].api() as api:
        before = api.line("red")["own_seq"]
    desk.page.click('button:has-text("Look for it")')
    desk.shows('th[scope=row]:has-text("higher")', timeout_ms=LONG_MS)
    told = desk.page.inner_text('section[aria-labelledby="h-card"]')
    assert "to the right" in told
    assert "later" in told
    desk.page.locator('h3:has-text("What change would end it")').scroll_into_view_if_needed()
    desk.picture("ways-out-night-en")
    assert violations(desk) == []
    with both.members["blue"].api() as api:
        assert api.line("red")["own_seq"] == before
    done(desk)


def test_a_concern_is_raised_from_the_card_of_a_conflict(both: Watch, desk: Desk) -> None:
    desk.go("conflicts")
    desk.press('section[aria-labelledby="h-card"] button:has-text("Raise a concern")')
    desk.page.click('dialog[open] button:has-text("Next")')
    desk.page.click('dialog[open] button:has-text("Send")')
    desk.page.wait_for_selector("dialog[open]", state="detached")
    red = open_desk(desk.page.context.browser, both.members["red"])
    red.go("thread")
    red.shows('a:has-text("concern")')
    done(red)
    done(desk)


def test_a_cease_request_says_its_reason(both: Watch, desk: Desk) -> None:
    desk.page.click("button.danger")
    desk.page.fill("dialog[open] input[name=position]", "35.0 36.0")
    desk.page.fill("dialog[open] input[name=reach]", "5")
    desk.page.select_option("dialog[open] select[name=reason]", "313")
    desk.page.click('dialog[open] button:has-text("Next")')
    assert "near a protected site" in desk.page.inner_text("dialog[open]")
    desk.page.click('dialog[open] button:has-text("Send the cease request")')
    desk.page.wait_for_selector("dialog[open]", state="detached")
    red = open_desk(desk.page.context.browser, both.members["red"])
    assert "near a protected site" in red.alert("requests that activity").inner_text()
    done(red)
    done(desk)
