"""Chromium as benchmarks and tests drive it: without a window, a map drawn by the processor."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from playwright.sync_api import Browser, sync_playwright

__all__ = ["CHROMIUM", "chromium"]

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser")
_FLAGS: Final = (
    *("--no-sandbox", "--use-gl=angle"),
    *("--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
)


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
