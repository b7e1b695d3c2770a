"""Real Chromium, where it is installed; without it every test here skips, loudly."""

from collections.abc import Iterator

import pytest
from bench.chromium import CHROMIUM, chromium
from desks import PARTIES, Desk, Watch, new_context, sit_down, watch
from playwright.sync_api import Browser, BrowserContext


# Not of the session: while it lives tests of other files that run an event loop would fail.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("THE CONSOLE IS NOT TESTED: there is no Chromium (apt-get install chromium)")
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Watch]:
    with watch(tmp_path_factory.mktemp("console")) as made:
        yield made


# Logged in once for all tests of a file: a login is slow on purpose, and the files are cached then.
@pytest.fixture(scope="module")
def seats(both: Watch, browser: Browser) -> Iterator[dict[str, BrowserContext]]:
    made = {party: new_context(browser) for party in PARTIES}
    yield made
    for context in made.values():
        context.close()


@pytest.fixture
def desks(both: Watch, seats: dict[str, BrowserContext]) -> Iterator[tuple[Desk, Desk]]:
    one, other = (sit_down(seats[party], both.members[party]) for party in PARTIES)
    yield one, other
    for desk in (one, other):
        desk.stand_up()
    troubles = {desk.party: desk.troubles for desk in (one, other) if desk.troubles}
    assert not troubles, troubles
