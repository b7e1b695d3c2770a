"""The map beside its table, and drawing: what is on one is on the other, by pointer and by keys."""

import time
from typing import Any

import pytest
from desks import Desk, Watch, flight, open_desk
from playwright.sync_api import Browser

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

READY_MS = 60_000
SETTLED_MS = 1_500  # the slider rests, the figures of the table follow
HOSTILE = "<b>now</b>"
PASTED = """{"type": "Feature", "properties": {"name": "box", "lower": "SFC", "upper": "FL100",
 "start_utc": "2031-01-01T00:00:00Z", "end_utc": "2031-01-01T01:00:00Z"}, "geometry": {"type":
 "Polygon", "coordinates": [[[36, 35], [37, 35], [37, 36], [36, 36], [36, 35]]]}}"""


def area(lon_e7: int, purpose: str) -> dict[str, Any]:
    """A circle of 20 km around a place, for two hours from now on."""
    span = {
        name: time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + ahead))
        for name, ahead in (("start_utc", 60), ("end_utc", 7_200))
    }
    circle = {"center": {"lat_e7": 350_000_000, "lon_e7": lon_e7}, "radius_mm": 20_000_000}
    band = {"reference": "AMSL", "lower_tmm": None, "upper_tmm": 30_480_000}
    volume = {"outline": {"circle": circle}, "band": band, "span": span}
    return {"purpose": purpose, "label": HOSTILE, "geometry": {"volumes": [volume]}}


@pytest.fixture(scope="module")
def declared(both: Watch) -> Watch:
    """A flight and an area of each side; the flights come too close."""
    for party, east, purpose in (("blue", 4_000_000, "ACTIVITY"), ("red", -4_000_000, "HAZARD")):
        with both.members[party].api() as api:
            drafts = [flight(east, label=f"of {party}"), area(385_000_000 + 3 * east, purpose)]
            api.post("/declarations", {"declarations": drafts})
    with both.members["blue"].api() as api:
        for _ in range(60):
            if api.get("/conflicts"):
                return both
            time.sleep(0.5)
    raise RuntimeError("the two flights were not found to be in conflict")


@pytest.fixture
def blue(declared: Watch, browser: Browser) -> Any:
    desk = open_desk(browser, declared.members["blue"])
    yield desk
    desk.page.context.close()
    assert not desk.troubles


def open_map(desk: Desk) -> None:
    desk.go("map")
    desk.shows("[data-ready=true]", timeout_ms=READY_MS)
    desk.shows("tr.finding")


def keys_of_rows(desk: Desk) -> list[str]:
    found: list[str] = desk.page.eval_on_selector_all(
        ".listed tr[data-key]", "rows => rows.map((row) => row.dataset.key)"
    )
    return found


def draw_at(desk: Desk, kind: str, *places: tuple[float, float]) -> None:
    desk.page.click(f'button[data-kind="{kind}"]')
    box = desk.page.query_selector(".picture canvas").bounding_box()
    for x, y in places:
        desk.page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
        desk.page.wait_for_timeout(100)


def text_of(desk: Desk) -> str:
    return str(desk.page.input_value("#draft"))


def lines_of(desk: Desk, count: int) -> list[str]:
    """The positions in the text, once there are so many."""
    desk.page.wait_for_function(
        "(count) => document.querySelector('#draft').value.split('\\n').filter(Boolean).length"
        " === count",
        arg=count,
    )
    return text_of(desk).splitlines()


def test_everything_on_the_map_has_a_row_and_keys_go_through_them(blue: Desk) -> None:
    open_map(blue)
    rows = keys_of_rows(blue)
    assert len(rows) == len(set(rows)) == 5  # a finding, two flights, two areas
    table = blue.page.inner_text(".listed")
    for words in ("finding", "own", "red", "of blue", "of red", "activity", "hazard"):
        assert words in table
    assert HOSTILE in table  # what a peer writes is text and nothing else
    blue.page.focus("table[role=grid]")
    seen = []
    for _ in rows:
        blue.page.keyboard.press("ArrowDown")
        (chosen,) = blue.page.query_selector_all('tr[aria-selected="true"]')
        active = blue.page.get_attribute("table[role=grid]", "aria-activedescendant")
        assert chosen.get_attribute("id") == active
        seen.append(chosen.get_attribute("data-key"))
    assert seen == rows
    blue.page.keyboard.press("Home")
    link = blue.shows(".chosen a")
    assert link.get_attribute("href") == f"#conflicts/{rows[0]}"


def test_what_is_pressed_on_the_map_is_selected_in_the_table(blue: Desk) -> None:
    open_map(blue)
    # The map goes where what was selected is, if that is not in sight: its middle is the area's.
    blue.page.click('.listed tr:has-text("activity")')
    for _ in range(4):
        blue.page.click(".zoom button:nth-child(1)")
    blue.page.click('.listed tr:has-text("hazard")')
    blue.page.wait_for_timeout(SETTLED_MS)
    box = blue.page.query_selector(".picture").bounding_box()
    blue.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert "hazard" in blue.page.inner_text('tr[aria-selected="true"]')
    blue.page.mouse.click(box["x"] + 4, box["y"] + 4)  # nothing lies there
    blue.page.wait_for_selector('tr[aria-selected="true"]', state="detached")


def test_one_time_says_where_and_how_high_each_is(blue: Desk) -> None:
    open_map(blue)
    own = '.listed tr:has-text("of blue")'
    blue.page.wait_for_timeout(SETTLED_MS)
    assert "ft" not in blue.page.inner_text(own)  # it begins in two hours
    slider = "main input[type=range]"
    blue.page.focus(slider)
    blue.page.keyboard.press("ArrowRight")
    first = int(blue.page.input_value(slider))
    blue.page.keyboard.press("ArrowRight")
    assert int(blue.page.input_value(slider)) - first == 60_000
    middle = f"(s) => {{ s.value = {(time.time() + 8_100) * 1000:.0f}; "
    middle += "s.dispatchEvent(new Event('input')); s.dispatchEvent(new Event('change')); }"
    blue.page.eval_on_selector(slider, middle)
    blue.page.wait_for_timeout(SETTLED_MS)
    assert "20000 ft AMSL" in blue.page.inner_text(own)
    assert "2 under way" in blue.page.inner_text("[data-under-way]")
    blue.picture("map-time")
    blue.page.check(".listed >> xpath=.. >> input[type=checkbox]")
    blue.page.wait_for_timeout(SETTLED_MS)
    assert "hazard" not in blue.page.inner_text(".listed")  # its two hours are over then


def test_military_symbols_are_loaded_only_when_asked_for_and_stay_chosen(
    blue: Desk, declared: Watch
) -> None:
    asked: list[str] = []
    blue.page.on("request", lambda request: asked.append(request.url))
    open_map(blue)
    assert not [url for url in asked if "milsymbol" in url]
    blue.page.select_option("main label select", "mil2525")
    blue.page.wait_for_function("() => globalThis.ms !== undefined")
    blue.picture("map-mil2525")
    blue.page.reload()
    blue.shows("[data-ready=true]", timeout_ms=READY_MS)
    assert blue.page.input_value("main label select") == "mil2525"
    assert blue.page.evaluate("localStorage.getItem('symbols:watch')") == "mil2525"


def test_what_is_drawn_becomes_the_text_and_what_is_moved_changes_it(blue: Desk) -> None:
    blue.go("declare")
    blue.shows("[data-ready=true]", timeout_ms=READY_MS)
    draw_at(blue, "polygon", (0.3, 0.3), (0.6, 0.35), (0.5, 0.7))
    blue.page.keyboard.press("Shift+Enter")
    before = lines_of(blue, 3)
    assert blue.page.input_value("select[name=shape]") == "polygon"
    blue.shows('article:has-text("Polygon")')  # the node read it, in all notations
    assert "MGRS" in blue.page.inner_text("section[aria-labelledby=h-read]") or "37S" in str(
        blue.page.text_content("section[aria-labelledby=h-read]")
    )
    box = blue.page.query_selector(".picture canvas").bounding_box()
    start = box["x"] + 0.3 * box["width"], box["y"] + 0.3 * box["height"]
    blue.page.mouse.move(*start)
    blue.page.mouse.down()
    blue.page.mouse.move(start[0] - 20, start[1] - 15, steps=3)
    blue.page.mouse.up()
    moved = lines_of(blue, 3)
    assert moved[0] != before[0]
    assert moved[1:] == before[1:]
    blue.picture("declare-drawn")
    blue.page.click('button:has-text("Undo")')
    assert lines_of(blue, 3) == before


def test_an_area_is_drawn_and_moved_by_keys_alone(blue: Desk) -> None:
    blue.go("declare")
    blue.shows("[data-ready=true]", timeout_ms=READY_MS)
    blue.page.focus('button[data-kind="circle"]')
    blue.page.keyboard.press("Enter")
    blue.page.keyboard.press("Enter")  # at the cross
    blue.page.keyboard.press("Shift+ArrowRight")
    blue.page.keyboard.press("Enter")
    (center,) = lines_of(blue, 1)
    radius_m = float(blue.page.input_value("input[name=radius]").removesuffix(" m"))
    assert radius_m > 1_000
    blue.page.focus(".points button")
    blue.page.keyboard.press("ArrowDown")
    south = lines_of(blue, 1)[0]
    assert south != center
    assert float(south[:8]) < float(center[:8])
    blue.page.keyboard.press("+")
    assert float(blue.page.input_value("input[name=radius]").removesuffix(" m")) > radius_m


def test_what_is_pasted_stands_on_the_map_and_keeps_what_it_says_when_moved(blue: Desk) -> None:
    blue.go("declare")
    blue.shows("[data-ready=true]", timeout_ms=READY_MS)
    blue.page.fill("#draft", PASTED)
    blue.shows(".points li:nth-child(4) button")
    blue.page.focus(".points li:nth-child(3) button")
    blue.page.keyboard.press("Shift+ArrowUp")
    text = text_of(blue)
    assert text != PASTED
    says = ('"name":"box"', '"lower":"SFC"', '"upper":"FL100"', "2031-01-01T01:00:00", "[36,35]")
    for kept in says:
        assert kept in text
    blue.page.wait_for_timeout(SETTLED_MS)
    assert blue.page.inner_text(".problem") == ""
    # A text that is not understood is not drawn over.
    blue.page.fill("#draft", "no place at all")
    blue.page.wait_for_selector('button[data-kind="polygon"]:disabled')
