"""Sheets on paper: the readout, the handover sheet and the fallback card as page and as PDF."""

import re
import time
import unicodedata
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from axe_playwright_python.sync_playwright import Axe
from desks import Desk, Watch, flight, open_desk
from playwright.sync_api import Browser

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

HOSTILE = '#panic() <b onclick="x">both</b> sides spoke'
RUSSIAN = "Стороны говорили о событии."
GRAVE = ("serious", "critical")


def around(minutes: int) -> dict[str, Any]:
    """A declaration that is in force at the time of the call."""
    draft = flight(4_000_000, label="east")
    for waypoint, at in zip(draft["geometry"]["trajectory"]["waypoints"], (0, 60), strict=True):
        waypoint["at_utc"] = utc(minutes + at)
    return draft


def utc(minutes: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:00.000Z", time.gmtime(time.time() + 60 * minutes))


@pytest.fixture(scope="module")
def told(both: Watch) -> str:
    """A call that was held, and a readout that both signed; its name."""
    record = {
        "start_utc": utc(-50),
        "end_utc": utc(-20),
        "tier": "WATCH",
        "medium": "PHONE",
        "languages": ["en", "ru"],
        "participants": {"blue": ["WATCH_OFFICER"], "red": ["WATCH_OFFICER"]},
    }
    with both.members["blue"].api() as blue, both.members["red"].api() as red:
        lines = f"/lines/{both.line_id}"
        call = blue.post(f"{lines}/talks", {"kind": "CALL_RECORD", "body": record})["hash"]
        texts = {"en": [HOSTILE], "ru": [RUSSIAN]}
        body = {"readout": {"call": call, "texts": texts}}
        said = {"kind": "READOUT_PROPOSE", "ref": call, "body": body}
        proposed = blue.post(f"{lines}/readouts", said)["hash"]
        deadline = time.monotonic() + 30
        while not any(each["hash"] == proposed for each in red.get(f"{lines}/messages")):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        said = {"kind": "READOUT_AGREE", "ref": proposed, "body": body}
        red.post(f"{lines}/readouts", said)
        blue.post("/declarations", {"declarations": [around(-30)]})
        while not any(r["state"] == "AGREED" for c in blue.get("/calls") for r in c["readouts"]):
            assert time.monotonic() < deadline
            time.sleep(0.2)
    return str(call)


def pdf_text(path: Path) -> str:
    with pypdfium2.PdfDocument(path) as opened:
        found = []
        for page in opened:
            text = page.get_textpage()
            found.append(unicodedata.normalize("NFKC", text.get_text_range()))
            text.close()
            page.close()
    return "\n".join(found)


def taken(desk: Desk) -> str:
    with desk.page.expect_download() as download:
        desk.page.click('button:has-text("PDF")')
    path = download.value.path()
    assert path.read_bytes().startswith(b"%PDF-")
    return pdf_text(path)


def grave(desk: Desk) -> list[Any]:
    found = Axe().run(desk.page).response["violations"]
    return [each["id"] for each in found if each["impact"] in GRAVE]


def test_a_readout_is_a_page_and_a_pdf_with_the_text_both_signed(
    both: Watch, browser: Browser, told: str
) -> None:
    desk = open_desk(browser, both.members["blue"], theme="day")
    desk.page.evaluate(f"location.hash = 'talks/{told}'")
    desk.page.click('button:has-text("Paper")')
    sheet = desk.shows(".sheet")
    assert HOSTILE in sheet.inner_text()
    assert RUSSIAN in sheet.inner_text()
    assert "Both sides signed exactly this text." in sheet.inner_text()
    # The theatre of these terms has one landmark and no outline: a map has to have more on it.
    assert len(desk.page.query_selector_all(".sheet svg[role=img]")) == 1
    desk.page.select_option('select[aria-label="Map"]', "declared")
    desk.shows(".sheet .drawn svg[role=img]")
    assert grave(desk) == []
    desk.picture("sheet-readout")
    text = taken(desk)
    squeezed = re.sub(r"\s", "", text)
    assert re.sub(r"\s", "", HOSTILE) in squeezed
    assert re.sub(r"\s", "", RUSSIAN) in squeezed
    assert told in squeezed
    # The same in the language of the reader, who reads from right to left.
    desk.page.click('button:has-text("Back")')
    desk.shows("#h-text")
    desk.page.select_option("header select", "ar")
    desk.shows('html[lang="ar"]')
    desk.page.click('button:has-text("على ورق")')
    desk.shows('.sheet[dir="rtl"]')
    assert grave(desk) == []
    desk.picture("sheet-readout-ar")
    assert "المكالمة" in taken(desk)
    desk.page.select_option("header select", "en")
    desk.shows('html[lang="en"]')
    desk.page.context.close()
    assert not desk.troubles


def test_the_handover_sheet_and_the_card_are_printed_too(
    both: Watch, browser: Browser, told: str
) -> None:
    desk = open_desk(browser, both.members["blue"])
    desk.go("handover")
    desk.page.click('button:has-text("Print")')
    assert "Takes over" in desk.shows(".sheet").inner_text()
    assert "Takes over" in taken(desk)
    desk.page.click('button:has-text("Back")')
    desk.page.click('button:has-text("Fallback card for red")')
    card = desk.shows('.sheet:has-text("When the line with red is down")')
    assert "Firing in progress" in card.inner_text()
    assert grave(desk) == []
    desk.picture("sheet-fallback")
    assert "Check digits" in taken(desk)
    desk.page.context.close()
    assert not desk.troubles


def test_where_no_pdf_can_be_made_the_page_says_so_and_is_printed(
    both: Watch, browser: Browser
) -> None:
    desk = open_desk(browser, both.members["blue"])

    def without(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "pdf": False})

    desk.page.route("**/sheets/handover**", without)
    desk.go("handover")
    desk.page.click('button:has-text("Print")')
    assert "deconflict[pdf]" in desk.shows("[role=status].permission").inner_text()
    assert desk.page.query_selector('button:has-text("PDF")') is None
    desk.page.evaluate("window.print = () => (window.printed = true)")
    desk.page.click('button:has-text("Print this page")')
    assert desk.page.evaluate("window.printed")
    desk.page.context.close()
    assert not desk.troubles
