"""Of many alerts the first are shown at once, all are counted, and none of the rest is lost."""

import pytest
from desks import Desk, Watch, open_desk
from playwright.sync_api import Browser, Route

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

ALERTS = 4
ALERTS_PART = 'section[aria-labelledby="h-alerts"]'


@pytest.fixture(scope="module")
def many(both: Watch) -> Watch:
    with both.members["red"].api() as api:
        for number in range(ALERTS):
            api.send(both.line_id, "LINE_CHECK", {"text": f"47{number} 0815"})
    return both


def shown(desk: Desk) -> int:
    return len(desk.page.query_selector_all("[role=log] .alert"))


def opened(watch: Watch) -> int:
    with watch.members["blue"].api() as api:
        return len(api.alerts())


def logged_in(browser: Browser, watch: Watch) -> Desk:
    desk = open_desk(browser, watch.members["blue"])
    desk.alert("470 0815")
    return desk


def test_the_first_are_shown_before_the_rest_and_the_count_is_of_all(
    many: Watch, browser: Browser
) -> None:
    desk = logged_in(browser, many)
    held: list[Route] = []
    desk.page.route("**/alerts/first?*", lambda route: route.continue_(url=few(route)))
    desk.page.route("**/api/v1/alerts", lambda route: held.append(route))
    desk.page.reload()
    desk.shows("[role=log] .alert")
    of_all = opened(many)
    assert shown(desk) == 1
    assert f"{of_all - 1} more alerts" in desk.page.inner_text(ALERTS_PART)
    # What is raised before the rest is here is shown at once, and counted.
    with many.members["red"].api() as api:
        api.send(many.line_id, "LINE_CHECK", {"text": "4799 0815"})
    desk.alert("4799 0815")
    assert f"{of_all - 1} more alerts" in desk.page.inner_text(ALERTS_PART)
    held[0].continue_()
    desk.alert(f"47{ALERTS - 1} 0815")
    assert shown(desk) == opened(many)
    assert "more alert" not in desk.page.inner_text(ALERTS_PART)
    done(desk)


def few(route: Route) -> str:
    return route.request.url.replace("most=200", "most=1")


def test_what_is_raised_while_an_older_answer_is_on_its_way_is_not_lost(
    many: Watch, browser: Browser
) -> None:
    desk = logged_in(browser, many)
    said: list[str] = []

    def older(route: Route) -> None:
        answer = route.fetch()  # as the node has it now
        with many.members["red"].api() as api:
            api.send(many.line_id, "LINE_CHECK", {"text": "4788 0815"})
        said.append("4788 0815")
        desk.page.wait_for_timeout(2_000)  # the stream is quicker
        route.fulfill(response=answer)

    desk.page.route("**/alerts/first?*", older)
    desk.page.reload()
    desk.alert("4788 0815")
    assert said
    desk.page.wait_for_timeout(500)
    assert shown(desk) == opened(many)
    done(desk)


def test_a_rest_that_cannot_be_read_is_said_and_read_again(many: Watch, browser: Browser) -> None:
    desk = logged_in(browser, many)
    refused: list[Route] = []

    def once(route: Route) -> None:
        if refused:
            return route.continue_()
        refused.append(route)
        error = {"type": "StoreError", "problem": "planted", "given": "", "expected": ""}
        return route.fulfill(status=503, json={"error": {**error, "remedy": ""}})

    desk.page.route("**/alerts/first?*", lambda route: route.continue_(url=few(route)))
    desk.page.route("**/api/v1/alerts", once)
    desk.page.reload()
    desk.shows('#problem:has-text("planted")')
    desk.alert(f"47{ALERTS - 1} 0815")
    assert shown(desk) == opened(many)
    done(desk)


def test_what_was_not_read_yet_is_not_called_none(many: Watch, browser: Browser) -> None:
    desk = logged_in(browser, many)
    held: list[Route] = []
    desk.page.route("**/api/v1/conflicts", lambda route: held.append(route))
    desk.page.reload()
    watch = desk.shows('section[aria-labelledby="h-lines"]:has-text("Reading")')
    assert "No conflict" not in watch.inner_text()
    desk.go("conflicts")
    assert "No conflict" not in desk.shows("main:has-text('Reading')").inner_text()
    held[0].continue_()
    desk.shows("main:has-text('No conflict found')")
    done(desk)


def test_marks_on_letters_are_drawn_over_no_other_alert(many: Watch, browser: Browser) -> None:
    """A line refuses such a text; what comes another way stays within its lines all the same."""
    desk = logged_in(browser, many)
    upper, lower = desk.page.query_selector_all("[role=log] .alert .said")[:2]
    seen = upper.screenshot()
    lower.evaluate("(said, text) => { said.textContent = text; }", "HELP" + "\u0301" * 400)
    assert upper.screenshot() == seen
    done(desk)


def done(desk: Desk) -> None:
    desk.page.context.close()
    assert not desk.troubles
