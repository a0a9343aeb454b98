"""A Chromium for the browser tests of one module, and what it complains about."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.walking import Findings


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Headless Chromium; closed with the module, for its event loop must not outlive it."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def findings() -> Iterator[Findings]:
    """What the browsers of a test complain about: nothing may."""
    found = Findings()
    yield found
    assert found.console == []
    assert found.axe == []
    assert found.wide == []
