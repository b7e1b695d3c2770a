"""What one person writes waits on the watch of another, who reads it and says it."""

import os
import time

import pytest
from desks import PASSWORD, Watch, flight, open_desk
from playwright.sync_api import Browser
from tests.processes.nodes import ROLES

from deconflict.api.accounts import Accounts

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def two_persons(both: Watch) -> Watch:
    """Terms were agreed by one; from now on blue wants two."""
    folder = both.members["blue"].folder
    settings = folder.path / "node.toml"
    text = settings.read_text()
    assert "release_persons = 1" in text
    settings.write_text(text.replace("release_persons = 1", "release_persons = 2"))
    accounts = Accounts(
        folder.accounts_path, now=lambda: time.time_ns() // 1_000_000, random_bytes=os.urandom
    )
    accounts.add("second", PASSWORD, roles=ROLES, desk=folder.settings.desks[0], by="test")
    accounts.close()
    both.restart("blue")
    return both


def test_a_second_person_reads_and_releases_what_the_first_wrote(
    two_persons: Watch, browser: Browser
) -> None:
    first = open_desk(browser, two_persons.members["blue"])
    second = open_desk(browser, two_persons.members["blue"], account="second")
    with two_persons.members["blue"].api() as api:
        before = api.line("red")["own_seq"]
        api.post("/declarations", {"declarations": [flight(4_000_000, label="two persons")]})
    held = '[aria-labelledby="h-held"] .alert'
    assert "Another person has to release it" in first.shows(held).inner_text()
    assert first.page.query_selector(f'{held} button:has-text("Release")') is None
    assert "two persons" in second.shows(held).inner_text()
    second.picture("watch-held")
    second.page.click(f'{held} button:has-text("Release")')
    second.page.click('dialog[open] button:has-text("Next")')
    with two_persons.members["blue"].api() as api:
        assert api.line("red")["own_seq"] == before  # the first step says nothing
    second.page.click('dialog[open] button:has-text("Release")')
    for desk in (first, second):
        desk.page.wait_for_selector(held, state="detached")
        desk.shows("td:has-text('two persons')")
        desk.page.context.close()
        assert not desk.troubles
