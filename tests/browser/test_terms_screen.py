"""Terms at the desk: read in words, what is changed first, signed as read, proposed by a file."""

import json
import os
import time
from pathlib import Path

import pytest
from desks import PASSWORD, Desk, Watch, open_desk
from playwright.sync_api import Browser

from deconflict.api.accounts import Accounts

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

AGREED = '[aria-labelledby="h-agreed"]'
PROPOSED = '[aria-labelledby="h-proposed"]'
OWN = '[aria-labelledby="h-own"]'


def said(desk: Desk, selector: str) -> str:
    """What stands there; a figure is held to its unit by a space that does not break."""
    return str(desk.shows(selector).inner_text()).replace("\xa0", " ")


def terms_of(both: Watch, party: str) -> dict[str, object]:
    with both.members[party].api() as api:
        found: dict[str, object] = api.get(f"/lines/{both.line_id}/terms")
    return found


def test_terms_are_proposed_by_a_file_read_change_by_change_and_signed(
    both: Watch, desks: tuple[Desk, Desk], tmp_path: Path
) -> None:
    blue, red = desks
    blue.page.click('.line dl a[href^="#terms/"]')
    whole = said(blue, f"{AGREED} .agreed")
    assert "flight and flight" in whole
    assert "9,260 m (5.00 NM) lateral, 304.8 m (1,000 ft) vertical" in whole
    blue.picture("terms-agreed")
    # As a file that would follow them; changed; and read in words before anything is sent.
    with blue.page.expect_download() as download:
        blue.page.click(f'{OWN} button:has-text("Those in force, as a file")')
    terms = json.loads(download.value.path().read_text())
    assert (terms["version"], terms["replaces"]) == (2, terms_of(both, "blue")["agreed_hash"])
    terms["readback"]["position_mm"] = 9_000_000
    terms["timers"]["limits"]["FLASH"]["answer_ms"] = 45_000
    changed = tmp_path / "terms.json"
    changed.write_text(json.dumps(terms))
    blue.page.set_input_files(f"{OWN} input[type=file]", changed)
    read = said(blue, f"{OWN} table.compared")
    assert "4 changes against version 1" in read  # with its number and what it replaces
    assert "200 m (0.11 NM)" in read
    assert "9,000 m (4.86 NM)" in read
    assert terms_of(both, "blue")["proposed"] is None  # read here alone
    blue.page.click('button:has-text("Propose these terms")')
    assert "answered within: was 30 s, proposed 45 s" in blue.page.inner_text("dialog[open]")
    blue.page.click('dialog[open] button:has-text("Next")')
    assert "propose it to red" in blue.page.inner_text("dialog[open]")
    blue.page.click('dialog[open] button:has-text("Propose")')
    assert "Waits for red" in blue.shows(PROPOSED).inner_text()
    # The other side comes to it from its watch; the changes stand first, the rest is folded.
    red.page.click('.alert a:has-text("Read the terms")')
    table = red.shows(f"{PROPOSED} table.compared")
    assert "position" in table.inner_text()
    red.picture("terms-proposed")
    assert red.page.query_selector(f"{PROPOSED} .agreed").is_hidden()
    red.page.click(f'{PROPOSED} button:has-text("Sign these terms")')
    red.page.click('dialog[open] button:has-text("Next")')
    assert "You sign version 2" in red.page.inner_text("dialog[open]")
    assert terms_of(both, "red")["agreed"]["version"] == 1  # the first step signs nothing
    red.picture("terms-second-step")
    red.page.click('dialog[open] button:has-text("Sign")')
    for desk in desks:
        assert "version 2" in desk.shows(f'{AGREED} p:has-text("version 2")').inner_text()
        desk.page.wait_for_selector(PROPOSED, state="detached")
    assert terms_of(both, "blue")["agreed_hash"] == terms_of(both, "red")["agreed_hash"]


def test_terms_that_do_not_follow_or_are_no_terms_are_refused_where_they_are_read(
    both: Watch, desks: tuple[Desk, Desk], tmp_path: Path
) -> None:
    blue, _ = desks
    blue.page.keyboard.press("Alt+t")
    blue.shows(f"{OWN} button")
    held = terms_of(both, "blue")["agreed"]
    for text, problem in (
        ("{", "is no JSON"),
        (json.dumps({**held, "version": 9}), "do not follow those in force"),
        (json.dumps({**held, "retention_days": 0}), "retention_days"),
    ):
        file = tmp_path / "bad.json"
        file.write_text(text)
        blue.page.set_input_files(f"{OWN} input[type=file]", file)
        blue.shows(f'#problem:has-text("{problem}")')
        assert blue.page.query_selector('button:has-text("Propose these terms")').is_hidden()
        blue.page.set_input_files(f"{OWN} input[type=file]", [])


def test_who_may_not_sign_reads_all_of_it_and_is_told_who_signs(
    both: Watch, browser: Browser
) -> None:
    with both.members["blue"].api() as api:
        held = api.get(f"/lines/{both.line_id}/terms")
        number = held["agreed"]["version"]
        terms = {**held["agreed"], "version": number + 1, "replaces": held["agreed_hash"]}
        api.post(f"/lines/{both.line_id}/terms/proposal", {"terms": {**terms, "retention_days": 9}})
    folder = both.members["red"].folder
    accounts = Accounts(
        folder.accounts_path, now=lambda: time.time_ns() // 1_000_000, random_bytes=os.urandom
    )
    accounts.add("officer", PASSWORD, roles=["watch_officer"], desk="watch", by="setup")
    accounts.close()
    watch = open_desk(browser, both.members["red"], account="officer")
    watch.go("terms")
    assert "9 days" in said(watch, f"{PROPOSED} table.compared")
    assert "A releasing officer signs terms" in watch.page.inner_text(PROPOSED)
    assert watch.page.query_selector(f"{PROPOSED} button.first") is None
    assert watch.page.query_selector(OWN) is None
    watch.page.context.close()
    assert not watch.troubles
