"""A node that is down and a laptop that slept: the page comes back, with every alert once."""

import re
from typing import Any

import pytest
from desks import PASSWORD, SHOWN_MS, Desk, Watch, open_desk
from playwright.sync_api import Browser, Route
from tests.processes.nodes import Process

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]


def done(desk: Desk) -> None:
    desk.page.context.close()
    assert not desk.troubles


def check_line(both: Watch, text: str) -> None:
    with both.members["red"].api() as api:
        api.send(both.line_id, "LINE_CHECK", {"text": text})


def shown(desk: Desk) -> list[str]:
    found = desk.page.query_selector_all("[role=log] .alert")
    return [str(each.get_attribute("data-key")) for each in found]


def each_once(both: Watch, desk: Desk) -> None:
    with both.members["blue"].api() as api:
        wanted = {alert["alert_id"] for alert in api.alerts()}
    assert wanted
    for _ in range(100):
        if set(shown(desk)) == wanted:
            break
        desk.page.wait_for_timeout(100)
    assert sorted(shown(desk)) == sorted(wanted)


def test_a_reload_while_the_node_is_down_comes_back_by_itself(
    both: Watch, browser: Browser
) -> None:
    desk = open_desk(browser, both.members["blue"])
    page = desk.page
    page.evaluate("async () => { await navigator.serviceWorker.ready; }")
    both.processes["blue"].kill()
    page.reload(wait_until="domcontentloaded")
    desk.shows('h1:has-text("THE NODE DOES NOT ANSWER")')
    assert page.query_selector('h1[lang="ar"]')
    assert "No alert can be shown here" in page.inner_text("main")
    desk.picture("node-down")
    page.wait_for_timeout(5_000)  # it goes on looking
    desk.shows('h1:has-text("THE NODE DOES NOT ANSWER")')
    both.processes["blue"] = Process(both.members["blue"])
    both.processes["blue"].ready()
    check_line(both, "back again")
    desk.alert("back again")  # the login lasted, and nobody pressed anything
    each_once(both, desk)
    done(desk)


def test_the_worker_keeps_nothing_and_answers_for_the_page_alone(
    both: Watch, browser: Browser
) -> None:
    desk = open_desk(browser, both.members["blue"])
    page = desk.page
    page.evaluate("async () => { await navigator.serviceWorker.ready; }")
    page.reload()
    desk.shows("nav a[aria-current]")
    assert page.evaluate("async () => (await caches.keys()).length") == 0
    both.processes["blue"].kill()
    for path in ("/api/v1/node", "/console/shell/main.js"):
        refused = page.evaluate(
            "async (path) => { try { await fetch(path); return false; } catch { return true; } }",
            path,
        )
        assert refused, path
    both.processes["blue"] = Process(both.members["blue"])
    both.processes["blue"].ready()
    done(desk)


def slept(browser: Browser, both: Watch) -> Desk:
    """A desk whose browser's time the test moves."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    page = context.new_page()
    page.clock.install()
    desk = Desk("blue", page)
    page.on("pageerror", lambda error: desk.troubles.append(str(error)))
    page.goto(f"http://127.0.0.1:{both.members['blue'].operators_port}/")
    page.fill("input[name=account]", "watch")
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("nav a[aria-current]", timeout=SHOWN_MS)
    return desk


def minutes(desk: Desk) -> int:
    """The clock in the head, in minutes of its day."""
    found = re.search(r"(\d\d):(\d\d):\d\dZ", desk.page.inner_text("#clock"))
    assert found
    return int(found[1]) * 60 + int(found[2])


def apart(one: int, other: int) -> int:
    return min((one - other) % 1440, (other - one) % 1440)


def has_the_node_s_time(both: Watch, desk: Desk) -> bool:
    """Within some time, on a machine that does much else."""
    for _ in range(30):
        if apart(minutes(desk), told(both)) <= 2:
            return True
        desk.page.wait_for_timeout(1_000)
    return False


def told(both: Watch) -> int:
    with both.members["blue"].api() as api:
        now: dict[str, Any] = api.get("/node")
    return int(now["now_utc"][11:13]) * 60 + int(now["now_utc"][14:16])


def test_a_laptop_that_slept_shows_each_alert_once_and_the_node_s_time(
    both: Watch, browser: Browser
) -> None:
    desk = slept(browser, both)
    check_line(both, "before the sleep")
    desk.alert("before the sleep")
    desk.page.context.set_offline(True)
    check_line(both, "during the sleep")
    desk.page.clock.fast_forward("05:00:00")
    desk.page.context.set_offline(False)
    desk.alert("during the sleep")
    check_line(both, "after the sleep")
    desk.alert("after the sleep")
    each_once(both, desk)
    assert has_the_node_s_time(both, desk)
    done(desk)


def test_a_clock_that_is_set_moves_no_deadline(both: Watch, browser: Browser) -> None:
    desk = slept(browser, both)
    check_line(both, "by the node's clock")
    desk.alert("by the node's clock")
    ahead = desk.page.evaluate("Date.now()") + 3 * 3_600_000
    desk.page.clock.set_system_time(ahead)
    assert has_the_node_s_time(both, desk)
    each_once(both, desk)
    done(desk)


def test_a_file_that_does_not_come_is_tried_again(both: Watch, browser: Browser) -> None:
    desk = open_desk(browser, both.members["blue"])
    held = []
    desk.page.route("**/shell/world.js", lambda route: (held.append(1), route.abort())[1])
    desk.page.reload(wait_until="domcontentloaded")
    desk.shows('p[role=alert]:has-text("It is tried again")')
    desk.page.unroute("**/shell/world.js")
    desk.shows("nav a[aria-current]")
    assert held
    done(desk)


def test_a_list_that_does_not_come_is_asked_for_again(both: Watch, browser: Browser) -> None:
    desk = open_desk(browser, both.members["blue"])
    asked = []

    def first_lost(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) == 1:
            route.abort()
        else:
            route.continue_()

    desk.page.route("**/api/v1/conflicts", first_lost)
    desk.page.reload()
    desk.shows("nav a[aria-current]")
    for _ in range(100):
        if len(asked) > 1:
            break
        desk.page.wait_for_timeout(100)
    assert len(asked) > 1
    assert not desk.page.inner_text("#problem")  # nothing that a person has to do
    done(desk)


def test_a_screen_that_does_not_come_is_loaded_with_the_page(both: Watch, browser: Browser) -> None:
    desk = open_desk(browser, both.members["blue"])
    desk.page.route("**/record/screen.js", lambda route: route.abort())
    desk.page.evaluate("location.hash = 'record'")
    desk.shows('#problem:has-text("The node does not answer")')
    desk.page.unroute("**/record/screen.js")
    desk.shows("#main form")
    done(desk)
