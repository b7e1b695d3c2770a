"""The record at a desk: found, asked what each side knew, taken away, verified."""

import re
from pathlib import Path

import pytest
from desks import Desk, Watch, flight, open_desk
from playwright.sync_api import Browser
from test_access import violations

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

LONG_MS = 60_000  # a process is begun beside the node, which is kind to all others


@pytest.fixture(scope="module")
def said(both: Watch) -> Watch:
    for party, east in (("blue", 4_000_000), ("red", -4_000_000)):
        with both.members[party].api() as api:
            api.post("/declarations", {"declarations": [flight(east, label=f"by {party}")]})
    with both.members["red"].api() as api:
        for number in range(60):
            api.send(both.line_id, "LINE_CHECK", {"text": f"4711 {number:04}"})
    return both


@pytest.fixture
def desk(said: Watch, browser: Browser) -> Desk:
    made = open_desk(browser, said.members["blue"])
    made.go("record")
    return made


def done(desk: Desk) -> None:
    desk.page.context.close()
    assert not desk.troubles


def test_messages_are_found_by_pages_and_the_browser_never_has_them_all(
    said: Watch, desk: Desk
) -> None:
    asked = []
    desk.page.on("request", lambda request: asked.append(request.url))
    desk.page.select_option('select[name="kind"]', "LINE_CHECK")
    desk.page.click('section[aria-labelledby="h-search"] button.first')
    rows = desk.page.locator('section[aria-labelledby="h-search"] tbody tr')
    desk.shows("[aria-labelledby=h-search] tbody tr:nth-child(50):last-child")
    assert "4711 0059" in rows.first.inner_text()
    desk.page.click('button:has-text("Show more")')
    desk.shows("[aria-labelledby=h-search] tbody tr:nth-child(60):last-child")
    assert not any("/lines/" in url for url in asked)
    desk.page.fill('[aria-labelledby="h-search"] input[name="text"]', "4711 0007")
    desk.page.click('section[aria-labelledby="h-search"] button.first')
    desk.shows("[aria-labelledby=h-search] tbody tr:only-child")
    rows.first.locator("a").click()
    desk.shows('article:has-text("4711 0007")')
    done(desk)


def test_both_sides_knowledge_at_a_minute_stands_side_by_side(said: Watch, desk: Desk) -> None:
    part = 'section[aria-labelledby="h-known"]'
    desk.page.click(f"{part} button.first")
    desk.shows(f"{part} .halves", timeout_ms=LONG_MS)
    blue, red = (desk.page.inner_text(f'{part} section[aria-label="{p}"]') for p in ("blue", "red"))
    assert "As far as blue knew" in blue
    assert "by red" in blue  # the label of what red had declared
    assert "no readback known" in red
    desk.page.click(f'{part} section[aria-label="blue"] details:last-of-type summary')
    desk.picture("record-known-night-en")
    desk.page.evaluate("document.documentElement.dataset.theme = 'day'")
    assert violations(desk) == []
    # Before there was anything, nobody knew of it.
    desk.page.fill(f"{part} input", "2015-09-30T06:12Z")
    desk.page.click(f"{part} button.first")
    desk.shows(f'{part} h3:has-text("2015-09-30")', timeout_ms=LONG_MS)
    assert "by red" not in desk.page.inner_text(f'{part} section[aria-label="blue"]')
    desk.page.fill(f"{part} input", "half past six")
    desk.page.click(f"{part} button.first")
    desk.shows('#problem:has-text("half past six")')
    done(desk)


def test_the_record_is_exported_and_verified_and_a_changed_file_is_not(
    said: Watch, desk: Desk, tmp_path: Path
) -> None:
    part = 'section[aria-labelledby="h-file"]'
    with desk.page.expect_download() as coming:
        desk.page.click('button:has-text("Export the record")')
    file = tmp_path / "red.deconflict"
    coming.value.save_as(file)
    desk.page.click('button:has-text("Verify what was exported")')
    desk.shows(f"{part} .verified", timeout_ms=LONG_MS)
    assert "62" in desk.page.inner_text(f'{part} tr:has(th:text-is("red"))')
    desk.picture("record-verified-night-en")
    assert violations(desk) == []
    data = file.read_bytes()
    cut = tmp_path / "cut.deconflict"
    cut.write_bytes(re.sub(rb'"logged_utc":"20', b'"logged_utc":"19', data, count=1))
    desk.page.set_input_files(f"{part} input[type=file]", cut)
    desk.page.click('button:has-text("Verify the file")')
    desk.shows(f"{part} .overdue", timeout_ms=LONG_MS)
    assert "NOT VERIFIED" in desk.page.inner_text(part)
    assert "cut.deconflict" in desk.page.inner_text(part)
    done(desk)


def test_what_is_called_off_ends_and_another_one_may_begin(said: Watch, desk: Desk) -> None:
    part = 'section[aria-labelledby="h-known"]'
    desk.page.click(f"{part} button.first")
    desk.page.click(f'{part} button:has-text("Call off")')
    desk.shows(f'{part} p:has-text("Called off")')
    desk.page.wait_for_timeout(1_000)
    desk.page.click(f"{part} button.first")
    desk.shows(f"{part} .halves", timeout_ms=LONG_MS)
    done(desk)


def test_the_record_reads_from_right_to_left(said: Watch, browser: Browser) -> None:
    desk = open_desk(browser, said.members["blue"], theme="day")
    desk.page.select_option("header select", "ar")
    desk.shows("html[dir=rtl]")
    desk.go("record")
    desk.page.click('section[aria-labelledby="h-known"] button.first')
    desk.shows(".halves", timeout_ms=LONG_MS)
    desk.picture("record-known-day-ar")
    assert violations(desk) == []
    desk.page.select_option("header select", "en")
    desk.shows("html[dir=ltr]")
    done(desk)
