"""Real Chromium, where it is installed; without it every test here skips, loudly."""

import shutil
from collections.abc import Iterator

import pytest
from desks import PARTIES, Desk, Watch, open_desk, watch
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# A map is drawn by the processor where there is no graphics card.
FLAGS = ("--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")


# Not of the session: while it lives an event loop runs in this thread, and tests of other files
# that run one of their own would fail.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("THE CONSOLE IS NOT TESTED: there is no Chromium (apt-get install chromium)")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield found
        found.close()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Watch]:
    with watch(tmp_path_factory.mktemp("console")) as made:
        yield made


@pytest.fixture
def desks(both: Watch, browser: Browser) -> Iterator[tuple[Desk, Desk]]:
    one, other = (open_desk(browser, both.members[party]) for party in PARTIES)
    yield one, other
    for desk in (one, other):
        desk.page.context.close()
    troubles = {desk.party: desk.troubles for desk in (one, other) if desk.troubles}
    assert not troubles, troubles
