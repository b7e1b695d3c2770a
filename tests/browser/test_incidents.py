"""An incident at two desks: both accounts side by side, evidence, risk, a breach, tallies."""

import hashlib
import time
from pathlib import Path
from typing import Any

import pytest
from desks import Desk, Watch

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

Desks = tuple[Desk, Desk]
HOSTILE = "<script>document.title = 'owned'</script>"


def press(desk: Desk, *words: str) -> None:
    for each in words:
        desk.page.click(f'dialog[open] button:has-text("{each}")')


def done(desk: Desk) -> None:
    desk.page.wait_for_selector("dialog[open]", state="detached")


def look(desk: Desk) -> None:
    desk.go("incidents")
    desk.page.click('[aria-labelledby="h-incidents"] a:has-text("Look at it")')
    desk.shows("#h-incident")


def account(desk: Desk, text: str) -> None:
    desk.page.fill('[aria-labelledby="h-accounts"] textarea', text)
    desk.page.click('button:has-text("Give this account")')
    press(desk, "Next", "Send")
    done(desk)


def test_an_incident_is_opened_in_two_steps_and_said_to_be_undetermined(desks: Desks) -> None:
    blue, red = desks
    blue.go("incidents")
    blue.page.click('button:has-text("Open an incident")')
    blue.page.fill("dialog[open] input[name=at]", time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime()))
    blue.page.fill("dialog[open] input[name=position]", "35.2 40.0")
    press(blue, "Next")
    assert "risk D, undetermined" in blue.page.inner_text("dialog[open]")
    press(blue, "Open an incident")
    done(blue)
    for desk in desks:
        look(desk)
        assert "close pass" in desk.page.inner_text("#h-incident")
    assert "blue" in red.page.inner_text('[aria-labelledby="h-risk"]')
    assert "D, undetermined" in red.page.inner_text('[aria-labelledby="h-risk"]')


def test_accounts_stand_side_by_side_and_what_differs_is_marked(both: Watch, desks: Desks) -> None:
    blue, red = desks
    for desk in desks:
        look(desk)
    account(blue, f"closest_m = 805\nthere = 35.2 40.0\nseen_by = {HOSTILE}")
    red.page.fill('[aria-labelledby="h-accounts"] textarea', "closest_m = 500\nthere = 35.2 40.835")
    red.page.reload()  # what is typed and not sent is still there
    red.shows("#h-incident")
    account(red, red.page.input_value('[aria-labelledby="h-accounts"] textarea'))
    for desk in desks:
        row = desk.shows('.compared tr.differs:has-text("closest_m")').inner_text()
        assert "805" in row
        assert "500" in row
        place = desk.shows('.compared tr.differs:has-text("there")').inner_text()
        assert "DIFFERS by 76" in place
        assert HOSTILE in desk.page.inner_text(".compared")
    # A source without a line is kept here alone.
    with both.members["red"].api() as api:
        before = api.line("blue")["own_seq"]
    red.page.fill('[aria-labelledby="h-accounts"] textarea', "closest_m = 900")
    red.page.fill('label:has-text("source without a line") input', "newspaper")
    red.page.click('button:has-text("Give this account")')
    press(red, "Next", "Keep here")
    done(red)
    red.shows('.compared th:has-text("newspaper")')
    with both.members["red"].api() as api:
        assert api.line("blue")["own_seq"] == before
    blue.picture("incidents-accounts")


def test_a_file_is_named_by_its_hash_and_found_again(desks: Desks, tmp_path: Path) -> None:
    blue, red = desks
    file = tmp_path / "radar.png"
    file.write_bytes(b"what the radar showed")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    for desk in desks:
        look(desk)
    blue.page.set_input_files("input[type=file]", file)
    blue.page.click('button:has-text("Name it as evidence")')
    press(blue, "Next")
    assert digest in blue.page.inner_text("dialog[open]")
    press(blue, "Send")
    done(blue)
    red.shows(f'[aria-labelledby="h-evidence"] td:has-text("{digest}")')
    red.page.set_input_files("input[type=file]", file)
    red.shows('p:has-text("Named by blue. This is the very file.")')
    file.write_bytes(b"what somebody changed")
    red.page.set_input_files("input[type=file]", file)
    red.shows('p:has-text("Nobody named this file, or it was changed.")')


def test_risk_breach_and_tally_are_each_one_sides_word(desks: Desks) -> None:
    blue, red = desks
    for desk in desks:
        look(desk)
    red.page.click('button:has-text("Give a class of risk")')
    red.page.select_option("dialog[open] select[name=risk]", "SAFETY_NOT_ASSURED")
    press(red, "Next", "Send")
    done(red)
    blue.shows('[aria-labelledby="h-risk"] dd:has-text("B, safety not assured")')
    blue.shows('[aria-labelledby="h-risk"] dd:has-text("D, undetermined")')
    blue.page.click('button:has-text("Note a breach")')
    blue.page.select_option("dialog[open] select[name=breach]", "UNDER_MINIMA")
    blue.page.fill("dialog[open] input[name=named]", "the river line")
    press(blue, "Next", "Send")
    done(blue)
    red.shows('[aria-labelledby="h-breaches"] li:has-text("closer than the agreed minima")')
    blue.page.click('button:has-text("Say our count")')
    press(blue, "Next", "Say our count")
    done(blue)
    for desk in desks:
        said = desk.shows('[aria-labelledby="h-tallies"] .alert:has-text("blue")').inner_text()
        assert "The record here gives the same." in said
        assert "close pass" in said
    blue.page.click('[aria-labelledby="h-breaches"] button:has-text("Take back")')
    press(blue, "Next", "Take back")
    done(blue)
    for desk in desks:
        desk.shows('[aria-labelledby="h-breaches"] li:has-text("taken back")')
    # What was said of the time before stays as true as it was; a count now has no breach any more.
    blue.page.click('button:has-text("Count here")')
    ours = blue.shows('[aria-labelledby="h-tallies"] .alert:has-text("Our count now")').inner_text()
    assert "close pass" in ours
    assert "minima" not in ours
    blue.picture("incidents-tally")


def test_each_entry_in_which_a_tally_differs_is_named_with_the_reason(desks: Desks) -> None:
    blue, _red = desks
    entry = {"message": "ab" * 32, "word": "CLOSE_PASS", "words": "close pass"}

    def differing(route: Any) -> None:
        answer = route.fetch()
        more = {"differences": [{**entry, "in_tally": True, "why": "NOT_HELD"}]}
        route.fulfill(response=answer, json=[{**each, **more} for each in answer.json()])

    blue.page.route("**/tallies", differing)
    blue.go("incidents")
    said = blue.shows('[aria-labelledby="h-tallies"] .overdue').inner_text()
    assert said == f"Only in the tally: close pass {'ab' * 5} · no such message is in this record"
