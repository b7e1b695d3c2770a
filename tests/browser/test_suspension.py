"""A part of the line is suspended at one desk, seen at both, and ended where it was said."""

import time

import pytest
from desks import Desk, Watch
from test_access import violations

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

LINE = "li.line"


def ask_to_suspend(desk: Desk, scope: str, effective: str = "") -> str:
    """Fill in the dialog; return what it asks before it is signed."""
    desk.press(f'{LINE} button:has-text("Suspend")')
    desk.shows("dialog[open] select[name=scope]")
    desk.page.select_option("dialog[open] select[name=scope]", scope)
    desk.page.fill("dialog[open] input[name=effective]", effective)
    desk.page.click('dialog[open] button:has-text("Next")')
    return str(desk.shows("dialog[open] p.said").inner_text())


def send(desk: Desk) -> None:
    desk.page.click('dialog[open] button:has-text("Send")')
    desk.page.wait_for_selector("dialog[open]", state="detached")


def test_what_one_desk_suspends_both_see_and_only_that_one_can_end(
    desks: tuple[Desk, Desk],
) -> None:
    blue, red = desks
    asked = ask_to_suspend(blue, "DECLARATIONS")
    assert "You suspend DECLARATIONS from now on. It stops: declaration, changed plan." in asked
    blue.page.click('dialog[open] button:has-text("Back")')
    assert blue.page.query_selector(f'{LINE} p:has-text("SUSPENDED")') is None
    blue.page.click('dialog[open] button:has-text("Next")')
    send(blue)
    for desk in desks:
        said = desk.shows(f'{LINE} p:has-text("SUSPENDED: DECLARATIONS, by blue since")')
        assert "Safety messages and cease requests still pass" in said.inner_text()
        desk.alert("LINE SUSPENDED")
    assert violations(blue) == []
    blue.picture("suspended-night-en")
    assert red.page.query_selector(f'{LINE} button:has-text("Resume")') is None
    blue.press(f'{LINE} button:has-text("Resume")')
    blue.page.click('dialog[open] button:has-text("Next")')
    send(blue)
    for desk in desks:
        desk.page.wait_for_selector(f'{LINE} p:has-text("SUSPENDED")', state="detached")
    assert blue.page.query_selector(f'{LINE} button:has-text("Resume")') is None


def test_what_is_suspended_later_is_shown_before_it_holds_and_while_it_does(
    both: Watch, desks: tuple[Desk, Desk]
) -> None:
    _blue, red = desks
    begins = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 25))
    ask_to_suspend(red, "ALL", begins)
    send(red)
    for desk in desks:
        said = desk.shows(f'{LINE} p:has-text("red declared ALL suspended from")').inner_text()
        assert begins[11:19] in said
        assert "Until then it stops nothing" in said
    for desk in desks:  # no message comes then: the time does
        desk.shows(f'{LINE} p:has-text("SUSPENDED: ALL, by red since")')
    with both.members["red"].api() as api:
        assert api.line("blue")["suspended_scope"] == "ALL"
    red.press(f'{LINE} button:has-text("Resume")')
    red.page.click('dialog[open] button:has-text("Next")')
    send(red)
    for desk in desks:
        desk.page.wait_for_selector(f'{LINE} p:has-text("SUSPENDED")', state="detached")
