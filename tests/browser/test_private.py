"""Private checks at two desks: each puts in what it flies, and is told its own hit and no more."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desks import PARTIES, PASSWORD, Desk, Watch, flight, open_desk, watch
from playwright.sync_api import Browser, Response, Route
from test_access import violations
from tests.private_nodes import CELL_MM, ORIGIN, check_terms, sortie
from tests.processes.nodes import ROLES

from deconflict.airspace.instant import format_utc
from deconflict.airspace.notation import echo
from deconflict.airspace.position import Position
from deconflict.api.accounts import Accounts
from deconflict.sealed.plane import Plane

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]

RUN_MS = 120_000  # of a small grid, on a machine that does much else
# Where each holds: cells beside each other, which is nearer than the minima.
CELLS = {"blue": (5, 5), "red": (6, 5)}
NAMES = {"blue": "viper", "red": "falcon"}
HOSTILE = '<img src=x onerror="alert(1)">"}'


@pytest.fixture(scope="module")
def checking(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Watch]:
    assert browser
    with watch(tmp_path_factory.mktemp("private"), private_check=check_terms()) as made:
        yield made


class Heard:
    """All that a page was given: every answer of its node, and every text that it showed."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._answers: list[str] = []
        desk.page.on("response", self._keep)

    def _keep(self, response: Response) -> None:
        # The stream of events has no end; what it says of a check is asked for again in full.
        if "/api/v1/" in response.url and not response.url.split("?")[0].endswith("/events"):
            self._answers.append(response.text())

    def all(self) -> str:
        shown = self._desk.page.evaluate("document.documentElement.outerHTML")
        return "\n".join((*self._answers, shown))


def place(party: str) -> Position:
    column, row = CELLS[party]
    middle = [(each - 10 + 0.5) * CELL_MM for each in (column, row)]
    return Position.from_degrees(*Plane(ORIGIN).position_of(*middle))


def traces(party: str) -> tuple[str, ...]:
    """How the place of a party's flight, and its name, would be written anywhere."""
    where = place(party)
    echoed = echo(where)
    # Both fly on one parallel: it is the longitude that tells them apart.
    return (
        NAMES[party],
        str(where.lon_e7)[:7],
        echoed.decimal.split(", ")[1][:7],
        echoed.dms.split(" ")[1][:10],
        echoed.mgrs[:10],
    )


def draft(desk: Desk, label: str) -> None:
    """Type a flight that holds in the middle of its cell for some hours."""
    desk.go("declare")
    desk.page.fill("#draft", echo(place(desk.party)).decimal)
    desk.page.select_option("select[name=purpose]", "FLIGHT")
    desk.page.select_option("select[name=shape]", "circles")
    now = time.time()
    for name, value in {
        "radius": "100m",
        "lower": "2400m AMSL",
        "upper": "2500m AMSL",
        "start_utc": time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime(now + 60)),
        "end_utc": time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime(now + 4 * 3_600)),
        "label": label,
    }.items():
        desk.page.fill(f"input[name={name}]", value)
    desk.shows("main button.first:not([disabled])")


def put_in(desk: Desk, *, how: str = "REPLACE") -> None:
    desk.page.click('[aria-labelledby="h-private"] button:not([disabled])')
    desk.page.select_option("dialog[open] select[name=how]", how)
    desk.page.click('dialog[open] button:has-text("Next")')
    told = desk.page.inner_text("dialog[open]")
    assert "What the peer learns" in told
    assert "Nothing is sent by this" in told
    desk.page.click('dialog[open] button:has-text("Put into")')
    desk.page.wait_for_selector("dialog[open]", state="detached")
    desk.shows('[aria-labelledby="h-private"] [role=status]:has-text("Nothing was sent")')


def confirm(desk: Desk, verb: str, *, steps: int = 2) -> None:
    if steps == 2:
        desk.page.click('dialog[open] button:has-text("Next")')
    desk.page.click(f'dialog[open] button:has-text("{verb}")')
    desk.page.wait_for_selector("dialog[open]", state="detached")


def seq(both: Watch, party: str) -> int:
    with both.members[party].api() as api:
        return int(api.line(*set(PARTIES) - {party})["own_seq"])


def test_both_desks_learn_their_own_hit_and_nothing_of_the_other(
    checking: Watch, browser: Browser
) -> None:
    desks = {party: open_desk(browser, checking.members[party]) for party in PARTIES}
    blue, red = desks["blue"], desks["red"]
    before = seq(checking, "blue")
    for desk in desks.values():
        draft(desk, NAMES[desk.party])
        put_in(desk)
    blue.picture("private-offer-night-en")
    assert violations(blue) == []
    assert seq(checking, "blue") == before  # nothing was said
    heard = {party: Heard(desk) for party, desk in desks.items()}

    blue.go("private")
    blue.page.click('button:has-text("Propose a private check to red")')
    blue.page.click('dialog[open] button:has-text("Next")')
    assert "What it does not learn" in blue.page.inner_text("dialog[open]")
    assert seq(checking, "blue") == before  # the first step says nothing
    blue.page.click('dialog[open] button.danger:has-text("Propose")')
    blue.page.wait_for_selector("dialog[open]", state="detached")
    blue.shows('[aria-labelledby="h-check"] :text("waits for red")')

    red.go("watch")
    red.press('.alert:has-text("private check") a[href^="#private/"]')
    red.shows('[aria-labelledby="h-check"] :text("WAITS FOR US")')
    red.page.click('button:has-text("Accept")')
    confirm(red, "Accept")
    for desk in desks.values():
        found = desk.shows('[aria-labelledby="h-finding"] td', timeout_ms=RUN_MS)
        assert found
        told = desk.page.inner_text('[aria-labelledby="h-finding"]')
        assert "▲ HIT" in told
        assert NAMES[desk.party] in told
        assert "nobody here knows" in told
        desk.picture(f"private-hit-{desk.party}")
        assert violations(desk) == []
    # The alert leads to it.
    blue.go("watch")
    blue.press('.alert:has-text("PRIVATE CHECK with red") a[href^="#private/"]')
    blue.shows('[aria-labelledby="h-finding"] td')
    for party, desk in desks.items():
        (other,) = set(PARTIES) - {party}
        given = heard[party].all()
        assert [
            trace for trace in traces(party) if trace not in given
        ] == []  # they find what is there
        assert [trace for trace in traces(other) if trace in given] == []
        desk.page.context.close()
        assert not desk.troubles


def test_a_closer_look_says_first_what_asking_shows(checking: Watch, browser: Browser) -> None:
    blue = open_desk(browser, checking.members["blue"])
    blue.go("private")
    closer = '[aria-labelledby="h-finding"] button:has-text("cells cut into 2")'
    blue.shows(closer, timeout_ms=RUN_MS)  # once the run is over
    before = seq(checking, "blue")
    blue.page.click(closer)
    blue.page.click('dialog[open] button:has-text("Next")')
    told = blue.page.inner_text("dialog[open]")
    assert "Asking shows red in which slot" in told
    blue.picture("private-closer-night-en")
    blue.page.keyboard.press("Escape")
    blue.page.wait_for_selector("dialog[open]", state="detached")
    assert seq(checking, "blue") == before
    blue.page.click(closer)
    confirm(blue, "Propose")
    blue.shows('[aria-labelledby="h-check"] dd:has-text("waits for red")')  # what was asked for
    red = open_desk(browser, checking.members["red"])
    red.go("private")
    row = 'a:has-text("closer look, cells cut into 2")'
    red.press(row)
    red.page.click('button:has-text("Decline")')
    confirm(red, "Decline")
    blue.shows('tr:has(a:has-text("closer look")):has-text("declined")')
    for desk in (blue, red):
        desk.page.context.close()
        assert not desk.troubles


def concerns(both: Watch, party: str) -> list[dict[str, Any]]:
    with both.members[party].api() as api:
        said = api.get(f"/lines/{both.line_id}/messages?direction=out&last=50")
    return [each for each in said if each["kind"] == "CONCERN"]


SENT = ("Raise a concern…", "About two declarations…")  # by who may send, from a hit
RAISE = '[aria-labelledby="h-finding"] button:has-text("Raise a concern")'
DECLARED = '[aria-labelledby="h-finding"] button:has-text("About two declarations")'


def test_a_concern_from_a_hit_tells_that_there_is_one_and_nothing_else(
    checking: Watch, browser: Browser
) -> None:
    blue = open_desk(browser, checking.members["blue"])
    blue.go("private")
    blue.page.click('[aria-labelledby="h-checks"] tbody tr:last-child a')
    blue.press(RAISE)
    offered = [each.inner_text() for each in blue.page.query_selector_all("dialog[open] option")]
    assert offered[0] == "that there is a hit, and nothing else"
    assert any("within 50 km" in each for each in offered)
    assert not [each for each in offered for trace in traces("blue")[2:] if trace in each]
    blue.page.click('dialog[open] button:has-text("Next")')
    told = blue.page.inner_text("dialog[open]")
    assert "shows red that you had a hit" in told
    assert "that there is a hit, and nothing else" in told
    blue.picture("private-concern-night-en")
    assert concerns(checking, "blue") == []
    confirm(blue, "Send", steps=1)
    (concern,) = concerns(checking, "blue")
    with checking.members["blue"].api() as api:
        checks = [each["proposal"] for each in api.get("/private")]
    assert concern["ref"] == checks[-1]
    assert concern["body"] == {"hit": {"check": checks[-1], "run": 0}}
    red = open_desk(browser, checking.members["red"])
    red.go("watch")
    received = red.alert("had a hit on its side")
    received.query_selector('a[href^="#thread/"]').click()  # where the check itself stands too
    red.shows('main :text("private check proposed")')
    red.go("watch")
    red.picture("private-concern-heard-night-en")
    for desk in (blue, red):
        assert violations(desk) == []
        desk.page.context.close()
        assert not desk.troubles


def test_a_concern_from_a_hit_may_tell_an_area_that_holds_it_and_not_its_middle(
    checking: Watch, browser: Browser
) -> None:
    blue = open_desk(browser, checking.members["blue"])
    blue.go("private")
    blue.page.click('[aria-labelledby="h-checks"] tbody tr:last-child a')
    blue.press(RAISE)
    blue.page.select_option("dialog[open] select[name=told]", "where 0")
    confirm(blue, "Send")
    hit = next(each for each in concerns(checking, "blue") if "position" in each["body"]["hit"])
    told, own = hit["body"]["hit"], place("blue")
    assert (told["position"]["lat_e7"] % 2_500_000, told["position"]["lon_e7"] % 2_500_000) == (
        0,
        0,
    )
    centre = Position(told["position"]["lat_e7"], told["position"]["lon_e7"])
    x_mm, y_mm = Plane(centre).place_mm(own.lat_e7 / 1e7, own.lon_e7 / 1e7) or (0, 0)
    assert 1_000_000 < (x_mm**2 + y_mm**2) ** 0.5 < told["reach_mm"] - CELL_MM
    assert told["start_utc"][14:16] in ("00", "30")
    blue.page.context.close()
    assert not blue.troubles


def test_a_concern_about_what_is_declared_cites_the_check_too(
    checking: Watch, browser: Browser
) -> None:
    blue = open_desk(browser, checking.members["blue"])
    blue.go("private")
    blue.page.click('[aria-labelledby="h-checks"] tbody tr:last-child a')
    blue.press(DECLARED)
    blue.shows('dialog[open]:has-text("names a declaration of each side")')  # and there is none
    blue.page.click('dialog[open] button:has-text("Cancel")')
    for party, east in (("blue", 4_000_000), ("red", -4_000_000)):
        with checking.members[party].api() as api:
            api.post("/declarations", {"declarations": [flight(east, label=f"by {party}")]})
    blue.go("watch")
    blue.shows('td:has-text("by red")')
    blue.page.evaluate("history.back()")
    blue.press(DECLARED)
    blue.page.click('dialog[open] button:has-text("Next")')
    assert "shows red that you had a hit" in blue.page.inner_text("dialog[open]")
    confirm(blue, "Send", steps=1)
    (concern,) = (each for each in concerns(checking, "blue") if "first" in each["body"])
    with checking.members["blue"].api() as api:
        checks = [each["proposal"] for each in api.get("/private")]
    assert concern["ref"] == checks[-1]
    blue.page.context.close()
    assert not blue.troubles


def test_hits_that_a_closer_look_did_not_see_are_shown_as_fallen(
    checking: Watch, browser: Browser
) -> None:
    """16.5 km apart: within the minima and a cell of 10 km, and not within them and one of 5 km."""
    ahead_ms = (time.time_ns() // 1_000_000 // 240_000 + 9) * 240_000
    for party, plan in (("blue", sortie("viper", 4.75, 5)), ("red", sortie("falcon", 6.4, 5))):
        with checking.members[party].api() as api:
            api.put(f"/private/plan/{checking.line_id}", {"declarations": [plan]})
    with checking.members["blue"].api() as api:
        wanted = {"line": checking.line_id, "start_utc": format_utc(ahead_ms)}
        name = api.post("/private/propose", wanted)["hash"]
    red = open_desk(browser, checking.members["red"])
    red.page.evaluate(f"location.hash = 'private/{name}'")
    red.press('[aria-labelledby="h-check"] button:has-text("Accept")')
    confirm(red, "Accept")
    blue = open_desk(browser, checking.members["blue"])
    # Its alert leads to a concern as well; it is left with nothing said.
    blue.go("watch")
    about = f'.alert:has(a[href="#private/{name}/0"])'
    said = len(concerns(checking, "blue"))
    blue.press(f'{about} button:has-text("Raise a concern")', timeout_ms=RUN_MS)
    assert "that there is a hit, and nothing else" in blue.shows("dialog[open]").inner_text()
    blue.page.keyboard.press("Escape")
    blue.page.wait_for_selector("dialog[open]", state="detached")
    assert len(concerns(checking, "blue")) == said
    blue.page.evaluate(f"location.hash = 'private/{name}'")
    blue.press(
        '[aria-labelledby="h-finding"] button:has-text("cells cut into 2")', timeout_ms=RUN_MS
    )
    confirm(blue, "Propose")
    # At the finding of the coarse run the peer's look stands with what it waits for.
    red.page.evaluate(f"location.hash = 'private/{name}/0'")
    red.press('[aria-labelledby="h-finding"] li:has-text("WAITS FOR US") a')
    red.press('[aria-labelledby="h-check"] button:has-text("Accept")')
    confirm(red, "Accept")
    blue.page.evaluate(f"location.hash = 'private/{name}/0'")
    fallen = '[aria-labelledby="h-finding"] td:has-text("fallen: the closer look found no meeting")'
    blue.shows(fallen, timeout_ms=RUN_MS)
    told = blue.page.inner_text('[aria-labelledby="h-finding"]')
    assert "HIT, AFTER CLOSER LOOKS NO HIT" in told.upper()
    assert "no consent of theirs" in told
    assert blue.page.query_selector(RAISE) is None
    blue.picture("private-fallen-night-en")
    for desk in (blue, red):
        assert violations(desk) == []
        desk.page.context.close()
        assert not desk.troubles


def test_without_a_plan_it_is_shown_as_unknown_and_never_as_calm(
    checking: Watch, browser: Browser
) -> None:
    with checking.members["red"].api() as api:
        api.put(f"/private/plan/{checking.line_id}", {"declarations": [sortie("falcon", 6, 5)]})
    red = open_desk(browser, checking.members["red"])
    red.go("private")
    red.page.click('button:has-text("Forget the plan")')
    confirm(red, "Forget the plan", steps=1)
    red.shows('.permission:has-text("NO PLAN IS SET")')
    with checking.members["blue"].api() as api:
        name = api.post("/private/propose", {"line": checking.line_id})["hash"]
    red.press(f'a[href="#private/{name}"]')
    red.page.click('button:has-text("Accept")')
    red.page.click('dialog[open] button:has-text("Next")')
    assert "NO PLAN IS SET" in red.page.inner_text("dialog[open]")
    red.page.click('dialog[open] button.danger:has-text("Accept")')
    finding = red.shows('[aria-labelledby="h-finding"] .alert', timeout_ms=RUN_MS)
    assert "■ NOT CHECKED" in finding.inner_text()
    assert "UNKNOWN" in finding.inner_text()
    assert finding.get_attribute("class") == "alert PRIORITY"
    red.picture("private-not-checked")
    assert violations(red) == []
    red.page.context.close()
    assert not red.troubles


@pytest.mark.parametrize(
    ("theme", "language", "direction"),
    [("day", "en", "ltr"), ("night", "ru", "ltr"), ("day", "ar", "rtl")],
)
def test_the_screen_reads_in_both_themes_and_every_language(
    checking: Watch, browser: Browser, theme: str, language: str, direction: str
) -> None:
    desk = open_desk(browser, checking.members["blue"], theme=theme)
    desk.page.select_option("header select", language)
    desk.shows(f'html[lang="{language}"][dir="{direction}"]')
    desk.page.keyboard.press("Alt+p")
    desk.shows('[aria-labelledby="h-checks"] table')
    desk.page.click('[aria-labelledby="h-checks"] tbody tr:last-child a')
    desk.shows('[aria-labelledby="h-finding"] td')
    desk.page.wait_for_timeout(1_000)
    desk.picture(f"private-found-{theme}-{language}")
    assert violations(desk) == []
    desk.page.select_option("header select", "en")
    desk.shows('html[lang="en"]')
    desk.page.context.close()
    assert not desk.troubles


def test_hostile_labels_are_words_in_a_plan_that_can_be_changed(
    checking: Watch, browser: Browser
) -> None:
    with checking.members["blue"].api() as api:
        api.put(
            f"/private/plan/{checking.line_id}",
            {"declarations": [sortie(HOSTILE, 15, 15), sortie("cobra", 16, 15)]},
        )
    desk = open_desk(browser, checking.members["blue"])
    desk.go("private")
    desk.shows('th:has-text("<img src=x")')
    assert desk.page.query_selector("main img") is None
    desk.page.click('tr:has-text("cobra") button')
    confirm(desk, "Take out", steps=1)
    desk.page.wait_for_selector('th:has-text("cobra")', state="detached")
    draft(desk, "boa")
    put_in(desk, how="ADD")
    desk.go("private")
    assert "boa" in desk.shows('th:has-text("boa")').inner_text()
    assert desk.page.query_selector('th:has-text("<img src=x")')
    desk.page.click('button:has-text("Nothing flies")')
    confirm(desk, "Nothing flies", steps=1)
    desk.shows(':text("That is checked like any plan")')
    desk.page.context.close()
    assert not desk.troubles


def test_plan_and_seed_come_as_two_files_once_the_terms_say_so(
    checking: Watch, browser: Browser
) -> None:
    desk = open_desk(browser, checking.members["blue"])

    def later(route: Route) -> None:
        """The node's answer, with periods of some days ago: the terms say that one has to wait."""
        answer: Any = route.fetch().json()
        for check in answer:
            for run in check["shown"]:
                run["end_utc"] = "2015-09-30T06:12:00.000Z"
        route.fulfill(json=answer)

    opened = {
        "party": "blue",
        "proposal": "a" * 64,
        "run": 0,
        "plan": '{"pieces":[]}',
        "seed": "b" * 64,
        "coin": "c" * 64,
    }
    desk.go("private")
    desk.page.click('[aria-labelledby="h-checks"] tbody tr:last-child a')
    desk.shows('small:has-text("can be opened from")')
    desk.page.route("**/api/v1/private", later)
    desk.page.route("**/api/v1/private/*/open", lambda route: route.fulfill(json=opened))
    desk.go("watch")
    desk.page.evaluate("history.back()")
    desk.press('button:has-text("Open for the arbiter")')
    desk.page.click('dialog[open] button:has-text("Next")')
    assert "knows what you flew" in desk.page.inner_text("dialog[open]")
    files: list[Any] = []
    desk.page.on("download", lambda file: files.append(file))
    confirm(desk, "Open for the arbiter", steps=1)
    desk.shows('main > [role=status]:has-text("plan and seed")')
    found = {
        file.suggested_filename.partition(".")[2]: Path(file.path()).read_text() for file in files
    }
    assert found["plan.json"] == opened["plan"]
    assert json.loads(found["seed.json"]) == {
        key: value for key, value in opened.items() if key != "plan"
    }
    desk.page.context.close()
    assert not desk.troubles


def test_a_run_shows_how_far_it_is_and_a_check_is_ended_in_two_steps(
    checking: Watch, browser: Browser
) -> None:
    cadence_ms = check_terms().cadence_ms
    tomorrow_ms = (time.time_ns() // 1_000_000 + 86_400_000) // cadence_ms * cadence_ms
    with checking.members["blue"].api() as api:
        wanted = {"line": checking.line_id, "start_utc": format_utc(tomorrow_ms), "runs": 3}
        name = api.post("/private/propose", wanted)["hash"]
    red = open_desk(browser, checking.members["red"])
    red.page.evaluate(f"location.hash = 'private/{name}'")
    red.press('[aria-labelledby="h-check"] button:has-text("Accept")')
    confirm(red, "Accept")
    waiting = red.shows('[aria-labelledby="h-check"] tbody tr')
    assert "not begun" in waiting.inner_text()

    def halfway(route: Route) -> None:
        answer: Any = route.fetch().json()
        (check,) = (each for each in answer if each["proposal"] == name)
        check["shown"][0] |= {"state": "RUNNING", "done": 65, "steps": 130}
        route.fulfill(json=answer)

    red.page.route("**/api/v1/private", halfway)
    red.go("watch")
    red.page.evaluate(f"location.hash = 'private/{name}'")
    bar = red.shows('[aria-labelledby="h-check"] progress')
    assert bar.evaluate("bar => bar.position") == 0.5
    assert bar.get_attribute("aria-label") == "How far run 0 is"
    red.page.unroute("**/api/v1/private")
    before = seq(checking, "red")
    red.page.click('[aria-labelledby="h-check"] button:has-text("End the check")')
    red.page.click('dialog[open] button:has-text("Next")')
    assert seq(checking, "red") == before
    red.page.click('dialog[open] button.danger:has-text("End the check")')
    red.page.wait_for_selector("dialog[open]", state="detached")
    red.shows('[aria-labelledby="h-check"] dd:has-text("ended")')
    red.page.context.close()
    assert not red.troubles


def test_two_persons_propose_where_the_party_wants_two_and_others_only_look(
    checking: Watch, browser: Browser
) -> None:
    folder = checking.members["blue"].folder
    settings = folder.path / "node.toml"
    settings.write_text(settings.read_text().replace("release_persons = 1", "release_persons = 2"))
    accounts = Accounts(
        folder.accounts_path, now=lambda: time.time_ns() // 1_000_000, random_bytes=os.urandom
    )
    desk_of = folder.settings.desks[0]
    accounts.add("second", PASSWORD, roles=ROLES, desk=desk_of, by="test")
    accounts.add("eyes", PASSWORD, roles=("watch_officer",), desk=desk_of, by="test")
    accounts.close()
    checking.restart("blue")
    blue = open_desk(browser, checking.members["blue"])
    before = seq(checking, "blue")
    blue.go("private")
    blue.page.click('button:has-text("Propose a private check to red")')
    confirm(blue, "Propose")
    blue.shows('main > [role=status]:has-text("waits for a second person")')
    assert seq(checking, "blue") == before
    second = open_desk(browser, checking.members["blue"], account="second")
    held = '[aria-labelledby="h-held"] .alert'
    assert "private check" in second.shows(held).inner_text()
    second.page.click(f'{held} button:has-text("Release")')
    confirm(second, "Release")
    blue.shows('td:has-text("waits for red")')
    eyes = open_desk(browser, checking.members["blue"], account="eyes")
    eyes.go("private")
    eyes.shows('p:has-text("Who may declare sees the plan")')
    eyes.shows('[aria-labelledby="h-checks"] table')
    offered = [each.inner_text() for each in eyes.page.query_selector_all("main button")]
    assert not [each for each in offered if each not in (*SENT, "On the map", *"+−◻")]
    for desk in (blue, second, eyes):
        desk.page.context.close()
        assert not desk.troubles
