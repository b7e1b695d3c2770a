"""Chromium as benchmarks and tests drive it: without a window or a graphics card.

The page is put together by the processor, as Chromium does by itself on such a machine, and so is
the map. With the page put together by a graphics card that the processor plays
(`--use-angle=swiftshader`) every frame in which anything changed took 45 ms of processor time.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from playwright.sync_api import Browser, sync_playwright

__all__ = ["CHROMIUM", "chromium"]

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser")
_FLAGS: Final = ("--no-sandbox", "--enable-unsafe-swiftshader")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a browser; RuntimeError where there is none.

    While it runs an event loop runs in this thread, and no other can be begun here.
    """
    if CHROMIUM is None:
        raise RuntimeError("there is no Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_FLAGS))
        yield browser
        browser.close()
