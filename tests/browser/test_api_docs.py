"""The interactive API documents and the console under the strict content policy."""

import pytest
from playwright.sync_api import Browser, expect

from portal.demo.cast import BY_PERSONA
from tests.browser.walking import Findings, Person
from tests.flows.baton import Baton

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def test_a_signed_in_person_tries_the_api(
    baton: Baton, browser: Browser, findings: Findings
) -> None:
    person = Person(browser, baton.url, BY_PERSONA["OPS"], findings)
    person.sign_in()
    page = person.page
    page.goto("/api/v1/docs/")
    block = page.locator("#operations-me-me_get")
    page.locator("#operations-tag-me").click()
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    block.get_by_role("button", name="Execute").click()
    expect(block.locator(".live-responses-table tbody .response-col_status").first).to_contain_text(
        "200"
    )
    expect(block.locator(".live-responses-table")).to_contain_text("priya")
    person.context.close()


def test_the_console_needs_no_inline_anything(
    baton: Baton, browser: Browser, findings: Findings
) -> None:
    person = Person(browser, baton.url, BY_PERSONA["OPS"], findings)
    person.sign_in()
    page = person.page
    page.goto("/console/")
    expect(page.get_by_role("heading", name="Workers heard within the hour")).to_be_visible()
    for table in ("runs/run", "personas/user", "personas/event"):
        page.goto(f"/console/{table}/")
        expect(page.locator("#changelist")).to_be_visible()
    page.locator("#result_list tbody th a").first.click()
    expect(page.locator("#content-main")).to_be_visible()
    person.context.close()
