"""A passkey made and used in a real browser, with a virtual authenticator behind it."""

import pytest
from desks import PASSWORD, Watch
from playwright.sync_api import Browser

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]


def test_a_passkey_is_added_and_logs_in(both: Watch, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
            }
        },
    )
    page.goto(f"http://localhost:{both.members['blue'].operators_port}/")
    page.fill("input[name=account]", "watch")
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.click('nav a[data-screen="account"]')
    page.click('button:has-text("Add a passkey")')
    page.fill("dialog[open] input[name=name]", "desk key")
    page.fill("dialog[open] input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector('li:has-text("desk key")')
    page.click('button:has-text("Log out")')
    page.wait_for_selector("form.login")
    # The address stays on the screen where one was; who logs in again comes back to it.
    page.click('button:has-text("Log in by passkey")')
    page.wait_for_selector('nav a[data-screen="account"][aria-current="page"]')
    page.click('button[aria-label="Remove the passkey desk key"]')
    page.click('dialog[open] button:has-text("Next")')
    page.click('dialog[open] button:has-text("Remove")')
    page.wait_for_selector('li:has-text("desk key")', state="detached")
    context.close()


def test_at_an_address_in_figures_no_passkey_is_offered(both: Watch, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{both.members['blue'].operators_port}/")
    page.wait_for_selector("form.login")
    assert page.query_selector('button:has-text("passkey")') is None
    context.close()
