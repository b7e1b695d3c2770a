"""The console in a browser: first view, a new alert, thousands of declarations, what it weighs.

    python -m bench.bench_console [--declarations 5000]

Two nodes and Chromium on one machine. *First view* is from the navigation to the frame after the
first line stands in the page, in a browser that is logged in and has kept nothing. *An alert* is
from when the node raised it to the frame after it stands in the page; both clocks are this
machine's. *Frames* are counted while the table of declarations scrolls from its top to its end.
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
SCROLLING: Final = """
(seconds) => new Promise((done) => {
  const box = document.querySelector('.declared');
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


def measure(root: Path, declarations: int = 5_000) -> list[Row]:
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
        _declare(east, declarations)
        rows.append(_first_view(page, west, f"First view, {declarations:,} declarations"))
        rows.append(_frames(page, declarations))
        rows.append(_alerts(page, west, east, f", {declarations:,} declarations"))
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
        page.wait_for_timeout(300)
        took.append(float(page.evaluate("window.firstLine")))
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


def _declare(party: Party, declarations: int) -> None:
    chance = random.Random(1)
    now_ms = time.time_ns() // 1_000_000
    made = 0
    while made < declarations:
        progress(f"{made:,} declarations")
        count = min(MOST_AT_ONCE, declarations - made)
        party.post(
            "/declarations", {"declarations": [_draft(chance, now_ms) for _ in range(count)]}
        )
        made += count
    time.sleep(10)  # until the other side holds and has looked at them


def _draft(chance: random.Random, now_ms: int) -> dict[str, Any]:
    start_ms = now_ms + _HOUR_MS + chance.randrange(20 * _HOUR_MS)
    place = {
        "lat_e7": chance.randrange(340_000_000, 370_000_000),
        "lon_e7": chance.randrange(350_000_000, 410_000_000),
    }
    return {"purpose": "FLIGHT", "geometry": flight(chance, start_ms, place, waypoints=12)}


def _frames(page: Page, declarations: int) -> Row:
    gaps = [float(gap) for gap in page.evaluate(SCROLLING, SCROLL_S)]
    rate = 1_000 * len(gaps) / sum(gaps)
    slowest = 1_000 / percentile(gaps, 0.99)
    return Row(
        f"Scrolling the table of {declarations:,} declarations",
        f"≥ {ASKED_FRAMES} frames/s",
        f"{rate:.0f} frames/s, 1 % of frames below {slowest:.0f}",
        rate >= ASKED_FRAMES,
    )


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
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        rows = measure(Path(temporary), chosen.declarations)
    print_rows("The console", rows)


if __name__ == "__main__":
    main()
