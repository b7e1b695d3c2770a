"""Calls at two desks: countered, recorded by both and compared, told of in two languages."""

import time
from typing import Any

import pytest
from desks import Desk, Watch

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

Desks = tuple[Desk, Desk]
HOSTILE = "<img src=x onerror=alert(1)> Both sides spoke."
COMPARED = ".compared"


def ago(minutes: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime(time.time() - 60 * minutes))


def press(desk: Desk, *words: str) -> None:
    """Press a button of the dialog that is open, then the next."""
    for each in words:
        desk.page.click(f'dialog[open] button:has-text("{each}")')


def done(desk: Desk) -> None:
    desk.page.wait_for_selector("dialog[open]", state="detached")


def tick(desk: Desk, name: str, *values: str) -> None:
    for value in values:
        desk.page.check(f'dialog[open] input[name={name}][value="{value}"]')


def record(desk: Desk, start: str, end: str) -> None:
    desk.page.fill("dialog[open] input[name=starts]", start)
    desk.page.fill("dialog[open] input[name=ends]", end)
    for side in ("ours", "theirs"):
        tick(desk, side, "WATCH_OFFICER", "INTERPRETER")
    press(desk, "Next", "Record the call")
    done(desk)


def calls(both: Watch, party: str) -> list[dict[str, Any]]:
    with both.members[party].api() as api:
        found: list[dict[str, Any]] = api.get("/calls")
        return found


def test_an_offer_is_countered_with_what_is_not_changed_said_again(
    both: Watch, desks: Desks
) -> None:
    blue, red = desks
    blue.go("talks")
    blue.page.click('button:has-text("Ask for a call")')
    blue.page.select_option("dialog[open] select[name=subject]", "MAPS")
    tick(blue, "languages", "ru")
    tick(blue, "media", "VIDEO")
    press(blue, "Next", "Send")
    done(blue)
    red.go("talks")
    red.page.click('.alert:has-text("Waits for your answer") button:has-text("another time")')
    red.page.fill("dialog[open] input[name=minutes]", "45")
    press(red, "Next")
    assert "45 minutes" in red.page.inner_text("dialog[open]")
    press(red, "Send")
    done(red)
    blue.shows('.alert:has-text("Waits for your answer")')
    with both.members["blue"].api() as api:
        (talk,) = api.get("/talks")
    assert talk["offers"] == 2
    assert (talk["subject"], talk["languages"]) == ("MAPS", ["en", "ru"])
    assert talk["media"] == ["PHONE", "VIDEO"]


def test_both_sides_record_a_call_and_see_where_the_records_differ(
    both: Watch, desks: Desks
) -> None:
    blue, red = desks
    blue.go("talks")
    blue.page.click('button:has-text("nobody arranged")')
    record(blue, ago(40), ago(10))
    red.go("talks")
    red.page.click('[aria-labelledby="h-calls"] a:has-text("Open the call")')
    assert "not recorded yet" in red.shows(COMPARED).inner_text()
    red.page.click('button:has-text("Record the call")')
    record(red, ago(40), ago(5))
    blue.page.click('[aria-labelledby="h-calls"] a:has-text("Open the call")')
    for desk in desks:
        row = desk.shows(f"{COMPARED} tr.differs")
        assert "DIFFERS by 5:00" in row.inner_text()
        desk.shows(f'{COMPARED} tr:has-text("Who took part"):has-text("the same")')
    blue.picture("talks-compared")


def test_a_readout_is_drafted_at_home_proposed_in_two_languages_and_signed(
    both: Watch, desks: Desks
) -> None:
    blue, red = desks
    (call,) = [each for each in calls(both, "blue") if each["records"]]
    for desk in desks:
        desk.page.evaluate(f"location.hash = 'talks/{call['call_id']}'")
        desk.shows("#h-text")
    first, second = blue.page.query_selector_all('[aria-labelledby="h-text"] textarea')
    blue.page.select_option('[aria-labelledby="h-text"] select >> nth=1', "ru")
    first.fill(f"{HOSTILE}\n\nThey will\nspeak again.")
    second.fill("Стороны говорили.")
    blue.page.reload()
    blue.shows("#h-text")
    kept = blue.page.input_value('[aria-labelledby="h-text"] textarea >> nth=0')
    assert kept.startswith(HOSTILE)
    blue.page.click('button:has-text("Keep as a draft")')
    blue.shows('[aria-labelledby="h-papers"] li:has-text("Draft")')
    blue.page.fill('label:has-text("A note of the call") textarea', "They were in a hurry.")
    blue.page.click('button:has-text("Keep the note")')
    blue.shows('[aria-labelledby="h-papers"] li:has-text("hurry")')
    assert calls(both, "red")[-1]["readouts"] == []  # nothing of it was sent
    blue.page.click('button:has-text("Propose to both")')
    press(blue, "Next")
    assert "Стороны говорили." in blue.page.inner_text("dialog[open]")
    press(blue, "Propose to both")
    done(blue)
    red.page.click('button:has-text("Sign this text")')
    assert HOSTILE in red.page.inner_text("dialog[open]")
    press(red, "Next", "Sign this text")
    done(red)
    for desk in desks:
        agreed = desk.shows('article:has-text("Readout signed by both")')
        assert "They will speak again." in agreed.inner_text()
    (readout,) = calls(both, "red")[-1]["readouts"]  # type: ignore[misc]
    assert readout["texts"]["ru"] == ["Стороны говорили."]  # type: ignore[index]
    with both.members["red"].api() as api:
        assert api.get(f"/lines/{both.line_id}/papers") == []
    blue.picture("talks-readout")


def test_details_are_withheld_in_two_steps(both: Watch, desks: Desks) -> None:
    _blue, red = desks
    (call,) = [each for each in calls(both, "red") if each["records"]]
    red.page.evaluate(f"location.hash = 'talks/{call['call_id']}'")
    red.shows("#h-text")
    red.page.click('button:has-text("Withhold details")')
    press(red, "Next")
    red.page.keyboard.press("Escape")
    done(red)
    assert "WITHHELD" not in {each["state"] for each in calls(both, "red")[-1]["readouts"]}
    red.page.click('button:has-text("Withhold details")')
    press(red, "Next", "Withhold details")
    done(red)
    red.shows('article:has-text("Details withheld")')
