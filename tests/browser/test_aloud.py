"""A message of ours as it is said over a telephone, from its thread."""

import pytest
from desks import Desk, Watch

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]


def test_an_own_message_has_its_script_in_its_thread(both: Watch, desks: tuple[Desk, Desk]) -> None:
    blue, red = desks
    with both.members["blue"].api() as api:
        values = {
            "where": {"lat_e7": 354_012_000, "lon_e7": 359_487_000},
            "reach": 2_000_000,
            "since": "2026-01-01T06:12:00.000Z",
        }
        body = {"phrase": 208, "values": values}
        said = api.post(f"/lines/{both.line_id}/messages", {"kind": "SAFETY", "body": body})
        script = api.get(f"/messages/{said['hash']}/script")
    for desk in desks:
        desk.page.evaluate(f"location.hash = 'thread/{both.line_id}/{said['hash']}'")
        desk.shows(f'article:has-text("{said["hash"][:16]}")')
    # Only who said it says it aloud.
    assert red.page.query_selector('button:has-text("Say aloud")') is None
    blue.page.click('button:has-text("Say aloud")')
    shown = blue.shows("dialog[open]").inner_text()
    assert script["check"] in shown
    assert said["hash"][:8] in shown
    assert "not authentic" in shown
    assert "three five" in shown.lower()
    assert len(script["scripts"]) >= 1
    blue.picture("aloud")
    blue.page.keyboard.press("Escape")
    blue.page.wait_for_selector("dialog[open]", state="detached")
