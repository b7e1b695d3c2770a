"""The console in a browser: first view, a new alert, thousands of declarations, what it weighs.

    python -m bench.bench_console [--declarations 5000] [--moving 1000]

Two nodes and Chromium on one machine. *First view* is from the navigation to the frame after the
first line stands in the page, in a browser that is logged in and has kept nothing, at a node that
is not still answering the view before. *An alert* is from when the node raised it to the frame
after it stands in the page; both clocks are this machine's. *Frames* are counted while a table
scrolls from its top to its end, and while the slider of the map goes through fifteen minutes in
which so many flights are under way, all in sight. Chromium has no graphics card here: the
processors that the nodes run on draw page and map.
"""

import argparse
import calendar
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import BrowserContext, Page

from bench.chromium import chromium
from bench.nodes import PASSWORD, Party, agree, make_pair, running
from bench.report import Row, percentile, print_rows, progress
from bench.traffic import flight
from deconflict.console.assets import Assets

__all__ = ["measure"]

VIEWS: Final = 10
ALERTS: Final = 40
SCROLL_S: Final = 5
ASKED_VIEW_MS: Final = 1_000
ASKED_ALERT_MS: Final = 300
ASKED_FRAMES: Final = 30
ASKED_BYTES: Final = 1_200_000
MOST_AT_ONCE: Final = 500
_HOUR_MS: Final = 3_600_000
_JITTER_MS: Final = 300_000  # flights that are to be under way together begin within this
# When the first line, and when each alert, stood in the page: in the frame after.
WATCHING: Final = """
window.firstLine = null;
window.alertsAt = {};
new MutationObserver(() => {
  if (window.firstLine === null && document.querySelector('.line')) {
    window.firstLine = Infinity;
    requestAnimationFrame(() => { window.firstLine = performance.now(); });
  }
  for (const { dataset: { key } } of document.querySelectorAll('[role=log] .alert')) {
    if (key in window.alertsAt) continue;
    window.alertsAt[key] = null;
    requestAnimationFrame(() => { window.alertsAt[key] = Date.now(); });
  }
}).observe(document, { childList: true, subtree: true });
"""
FIRST_LINE: Final = """
new Promise((done) => {
  const look = () => {
    if (Number.isFinite(window.firstLine)) done(window.firstLine);
    else setTimeout(look, 20);
  };
  look();
})
"""
SCROLLING: Final = """
([seconds, selector]) => new Promise((done) => {
  const box = document.querySelector(selector);
  const from = performance.now();
  const gaps = [];
  let last = from;
  const step = (now) => {
    gaps.push(now - last);
    last = now;
    const share = (now - from) / (seconds * 1000);
    if (share >= 1) return done(gaps.slice(1));
    box.scrollTop = share * box.scrollHeight;
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})
"""
SLIDING: Final = """
([seconds, first, last]) => new Promise((done) => {
  const slider = document.querySelector('main input[type=range]');
  const from = performance.now();
  const gaps = [];
  let before = from;
  const step = (now) => {
    gaps.push(now - before);
    before = now;
    const share = (now - from) / (seconds * 1000);
    if (share >= 1) return done(gaps.slice(1));
    slider.value = first + share * (last - first);
    slider.dispatchEvent(new Event('input'));
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})
"""


def measure(root: Path, declarations: int = 5_000, moving: int = 1_000) -> list[Row]:
    """Return the rows of the table; raises RuntimeError where there is no Chromium."""
    west, east = make_pair(root)
    with running(west, east), chromium() as browser:
        agree(west, east)
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.add_init_script(WATCHING)
        page = _log_in(context, west)
        rows = [
            _first_view(page, west, "First view, nothing declared"),
            _alerts(page, west, east),
        ]
        together_ms = _declare(east, declarations, moving)
        rows.append(_first_view(page, west, f"First view, {declarations:,} declarations"))
        rows.append(_scrolling(page, ".declared", f"the watch's table of {declarations:,}"))
        rows.append(_alerts(page, west, east, f", {declarations:,} declarations"))
        rows += _map(page, declarations, moving, together_ms)
    return [*rows, _weight()]


def _log_in(context: BrowserContext, party: Party) -> Page:
    page = context.new_page()
    page.goto(f"http://{party.operators}/")
    page.fill("input[name=account]", "boris")
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(".line")
    return page


def _first_view(page: Page, party: Party, what: str) -> Row:
    took = []
    session = page.context.new_cdp_session(page)
    for number in range(VIEWS):
        progress(f"first view {number} of {VIEWS}")
        session.send("Network.clearBrowserCache")
        page.goto(f"http://{party.operators}/")
        page.wait_for_selector(".line", timeout=120_000)
        took.append(float(page.evaluate(FIRST_LINE)))
        # What follows the first view is read before the next one begins, as at any desk.
        page.wait_for_selector('main:not(:has-text("Reading"))', timeout=120_000)
        page.wait_for_timeout(1_000)
    median = statistics.median(took)
    return Row(
        what,
        f"≤ {ASKED_VIEW_MS} ms",
        f"{median:.0f} ms, slowest {max(took):.0f}",
        median <= ASKED_VIEW_MS,
    )


def _alerts(page: Page, shown_at: Party, sender: Party, what: str = "") -> Row:
    line_id = sender.line_with(shown_at)["line_id"]
    begun_ms = time.time_ns() // 1_000_000
    for number in range(ALERTS):
        progress(f"alert {number} of {ALERTS}")
        body = {"kind": "LINE_CHECK", "body": {"text": f"{number:04d} 4711"}}
        sender.post(f"/lines/{line_id}/messages", body)
        time.sleep(0.4)
    page.wait_for_timeout(2_000)
    seen: dict[str, float | None] = page.evaluate("window.alertsAt")
    took = []
    for alert in shown_at.get("/alerts"):
        at = seen.get(alert["alert_id"])
        raised_ms = _utc_ms(alert["raised_utc"])
        if alert["rule"] == "LINE_CHECK_RECEIVED" and raised_ms >= begun_ms and at is not None:
            took.append(at - raised_ms)
    if len(took) != ALERTS:
        raise RuntimeError(f"{len(took)} of {ALERTS} alerts stood on the screen")
    worst, p95 = max(took), percentile(took, 0.95)
    return Row(
        f"A new alert from the node to the screen{what}",
        f"≤ {ASKED_ALERT_MS} ms",
        f"{statistics.median(took):.0f} ms, 95 % {p95:.0f}, slowest {worst:.0f} of {len(took)}",
        worst <= ASKED_ALERT_MS,
    )


def _declare(party: Party, declarations: int, moving: int) -> int:
    """Declare flights; return when ``moving`` of them are all under way, for 15 minutes."""
    chance = random.Random(1)
    begin_ms = time.time_ns() // 1_000_000 + _HOUR_MS
    made = 0
    while made < declarations:
        progress(f"{made:,} declarations")
        count = min(MOST_AT_ONCE, declarations - made)
        drafts = [
            _draft(chance, begin_ms, _JITTER_MS if number < moving else 20 * _HOUR_MS)
            for number in range(made, made + count)
        ]
        party.post("/declarations", {"declarations": drafts})
        made += count
    time.sleep(10)  # until the other side holds and has looked at them
    return begin_ms + _JITTER_MS


def _draft(chance: random.Random, begin_ms: int, within_ms: int) -> dict[str, Any]:
    start_ms = begin_ms + chance.randrange(within_ms)
    place = {
        "lat_e7": chance.randrange(340_000_000, 370_000_000),
        "lon_e7": chance.randrange(350_000_000, 410_000_000),
    }
    return {"purpose": "FLIGHT", "geometry": flight(chance, start_ms, place, waypoints=12)}


def _map(page: Page, declarations: int, moving: int, together_ms: int) -> list[Row]:
    page.click('nav a[data-screen="map"]')
    page.wait_for_selector("[data-ready=true]", timeout=120_000)
    page.evaluate(SLIDING, [0.1, together_ms, together_ms])  # every symbol is drawn once
    page.wait_for_timeout(10_000)  # areas and ways are drawn
    under = int(page.inner_text("[data-under-way]").split()[0].replace(",", ""))
    if under < moving:
        raise RuntimeError(f"{under} of {moving} symbols are under way")
    what = f"The map's time moved, {under:,} symbols of {declarations:,} declarations"
    return [
        _frames(page, what, SLIDING, [SCROLL_S, together_ms, together_ms + 15 * 60_000]),
        _scrolling(page, ".listed", f"the map's table of {declarations:,}"),
    ]


def _scrolling(page: Page, selector: str, what: str) -> Row:
    return _frames(page, f"Scrolling {what}", SCROLLING, [SCROLL_S, selector])


def _frames(page: Page, what: str, script: str, given: list[Any]) -> Row:
    begun_s = _processor_s(page)
    gaps = [float(gap) for gap in page.evaluate(script, given)]
    spent_ms = 1_000 * (_processor_s(page) - begun_s) / len(gaps)
    rate = 1_000 * len(gaps) / sum(gaps)
    return Row(
        what,
        f"≥ {ASKED_FRAMES} frames/s",
        f"{rate:.0f} frames/s; a frame {statistics.median(gaps):.0f} ms, "
        f"95 % {percentile(gaps, 0.95):.0f}, worst {max(gaps):.0f}; "
        f"{spent_ms:.0f} ms of processor time each",
        rate >= ASKED_FRAMES,
    )


def _processor_s(page: Page) -> float:
    """Processor time that all of the browser's processes have taken."""
    browser = page.context.browser
    if browser is None:
        raise RuntimeError("the page is of no browser")
    session = browser.new_browser_cdp_session()
    found = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    return sum(float(process["cpuTime"]) for process in found)


def _weight() -> Row:
    assets = Assets()
    size = sum(len(assets.get(path).packed) for path in assets)
    return Row(
        "All files of the console, gzipped",
        f"≤ {ASKED_BYTES:,} bytes",
        f"{size:,} bytes",
        size <= ASKED_BYTES,
    )


def _utc_ms(text: str) -> float:
    whole = time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")
    return calendar.timegm(whole) * 1_000 + int(text[20:23])


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--declarations", type=int, default=5_000)
    options.add_argument("--moving", type=int, default=1_000)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        rows = measure(Path(temporary), chosen.declarations, chosen.moving)
    print_rows("The console", rows)


if __name__ == "__main__":
    main()
