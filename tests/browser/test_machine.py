"""What a machine needs looking after, and exercises, at the desk that may see to them."""

import pytest
from desks import PASSWORD, Desk, Watch, open_desk
from playwright.sync_api import Browser
from test_access import violations

from deconflict.api.accounts import Accounts

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]


def done(desk: Desk) -> None:
    desk.page.context.close()
    assert not desk.troubles


def test_an_administrator_makes_a_copy_and_sees_what_ends(both: Watch, browser: Browser) -> None:
    folder = both.members["blue"].folder
    accounts = Accounts(folder.accounts_path, now=lambda: 0, random_bytes=lambda n: b"\1" * n)
    accounts.add("root", PASSWORD, roles=["administrator"], desk="watch", by="setup")
    accounts.close()
    desk = open_desk(browser, both.members["blue"], account="root")
    desk.go("account")
    told = desk.shows('section[aria-labelledby="h-certificates"] tr:has-text("days")').inner_text()
    assert "certificate" in told
    desk.page.click('button:has-text("Make a copy now")')
    desk.shows('section[aria-labelledby="h-backups"] li:has-text(".sqlite")', timeout_ms=60_000)
    assert len(list((folder.path / "backups").glob("record-*.sqlite"))) == 1
    assert "Never put the guard back" in desk.page.inner_text("main")
    desk.picture("machine-night-en")
    assert violations(desk) == []
    done(desk)


def test_what_ends_soon_stands_on_the_watch(both: Watch, browser: Browser) -> None:
    desk = open_desk(browser, both.members["blue"])
    soon = [
        {
            "what": "CERTIFICATE",
            "name": "blue",
            "pin": "00",
            "until_utc": "2026-12-01T00:00:00.000Z",
            "days_left": 9,
            "soon": True,
            "problem": "",
        }
    ]
    desk.page.route("**/api/v1/certificates", lambda route: route.fulfill(json=soon))
    desk.go("handover")
    desk.go("watch")
    assert "9 days" in desk.shows("p.overdue[role=status]").inner_text()
    done(desk)


def test_an_exercise_is_begun_in_two_steps_marks_every_screen_and_ends(
    both: Watch, browser: Browser
) -> None:
    desk = open_desk(browser, both.members["blue"], theme="day")
    desk.go("account")
    desk.page.click('button:has-text("Begin an exercise")')
    desk.page.click('dialog[open] button:has-text("Next")')
    assert "the peer is told" in desk.page.inner_text("dialog[open]")
    assert desk.page.query_selector("body.drill") is None
    desk.page.click('dialog[open] button:has-text("Begin")')
    desk.shows("body.drill")
    for screen in ("watch", "declare", "record", "handover"):
        desk.go(screen)
        assert "DRILL with red" in desk.page.inner_text("#drill")
    desk.picture("drill-day-en")
    assert violations(desk) == []
    red = open_desk(browser, both.members["red"])
    red.shows('#drill:has-text("DRILL of blue")')
    done(red)
    desk.go("account")
    desk.page.click('section[aria-labelledby="h-exercise"] button:has-text("End it")')
    desk.page.click('dialog[open] button:has-text("Next")')
    desk.page.click('dialog[open] button:has-text("End it")')
    desk.page.wait_for_selector("body.drill", state="detached")
    done(desk)
