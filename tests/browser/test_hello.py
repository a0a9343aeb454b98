"""Three people pass the baton by clicking: framed, sent back once, approved, handed over."""

import pytest
from playwright.sync_api import Browser, Locator

from portal.demo.cast import BY_PERSONA
from tests.browser.walking import DESK, Findings, Person
from tests.flows.baton import Baton, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
TITLE = "Hello by clicking"


def test_three_people_walk_the_relay(baton: Baton, browser: Browser, findings: Findings) -> None:
    people = {
        persona: Person(browser, baton.url, BY_PERSONA[persona], findings)
        for persona in ("BA", "DE", "DS")
    }
    for person in people.values():
        person.sign_in()
    frame(people["BA"])
    take(people["DE"])
    send_back(people["DS"])
    approve_without_script(browser, baton, people["DS"])
    hand_over(people["DE"], people["DS"])
    wait_for_text(people["BA"], "succeeded")
    for person in people.values():
        person.go("/use-cases/")
        person.go("/models/")
        person.go("/ledger/")
        person.context.close()


def frame(analyst: Person) -> None:
    """A new use case without files, on the smallest blueprint; everybody gets a seat."""
    page = analyst.page
    analyst.go("/use-cases/")
    page.get_by_role("link", name="New use case").first.click()
    page.wait_for_load_state("load")
    analyst.look()
    page.get_by_label("The question in one sentence").fill("Who says hello, and to whom?")
    page.get_by_label("Short title").fill(TITLE)
    analyst.press("Look at it")
    analyst.press("Give these seats and go on")
    page.get_by_label("Plan of stages and gates").select_option(label="Hello, relay")
    analyst.press("Show it")
    if not page.get_by_label("Seconds per step").is_visible():
        page.locator("details#rest summary").click()
    # A stage can be taken as long as its two steps run: looking and clicking must fit in.
    page.get_by_label("Seconds per step").fill("4")
    analyst.press("Start the run")
    assert page.get_by_role("heading", name=TITLE).is_visible()


def take(person: Person) -> None:
    """Take the stage that nobody owns, once it is offered."""
    wait_for_row(person)
    person.press("Take it")


def send_back(person: Person) -> None:
    """Open the gate from the inbox, and request changes with a reason."""
    wait_for_row(person).locator("[data-open]").click()
    page = person.page
    page.wait_for_url("**/gates/*/")
    person.look()
    page.get_by_label("Request changes").check()
    page.get_by_label("Send back to").select_option("prepare")
    page.locator("#f-reason_code").select_option("incomplete")
    page.get_by_label("Reason", exact=True).fill("Rows are missing.")
    person.press("Decide")


def approve_without_script(browser: Browser, baton: Baton, person: Person) -> None:
    """The same person at a browser without JavaScript reads the evidence and approves."""
    bare = browser.new_context(java_script_enabled=False, viewport=DESK, base_url=baton.url)
    bare.add_cookies(person.context.cookies())
    page = bare.new_page()

    def asked() -> Locator | None:
        page.goto("/")
        row = page.locator("#part-decide").locator("xpath=..").locator("[data-row]")
        mine = row.filter(has_text=TITLE)
        return mine if mine.count() else None

    mine = until(asked, what="the second round is to be decided")
    mine.locator("[data-open]").click()
    page.wait_for_url("**/gates/*/")
    page.get_by_label("Approve", exact=True).check()
    page.get_by_role("button", name="Decide", exact=True).click()
    page.wait_for_load_state("load")
    assert "approved" in page.locator("main").inner_text().lower()
    bare.close()


def hand_over(sender: Person, receiver: Person) -> None:
    """Offer with the gaps named; the receiver accepts from the inbox."""
    wait_for_row(sender).locator("[data-act]").first.click()
    page = sender.page
    page.wait_for_load_state("load")
    sender.look()
    if "/items/" in page.url:
        page.get_by_role("link", name="Open the hand-off").click()
        page.wait_for_url("**/hand-offs/*/")
        sender.look()
    page.get_by_label("Known gaps in what was prepared").fill("None that I know of.")
    sender.press("Offer to DS")
    row = wait_for_row(receiver)
    row.locator("[data-open]").click()
    receiver.page.wait_for_url("**/hand-offs/*/")
    receiver.look()
    receiver.press("Accept")


def wait_for_row(person: Person) -> Locator:
    """Return the row of the inbox on this use case, as soon as there is one."""
    try:
        found: Locator = until(lambda: person.asked(TITLE))
    except AssertionError:
        said = text_of(person, "/")
        raise AssertionError(f"nothing asks {person.player.name}: {said}") from None
    return found


def text_of(person: Person, path: str) -> str:
    person.go(path)
    return person.page.locator("main").inner_text()


def wait_for_text(person: Person, text: str) -> None:
    """Wait until the use case's page says something, and look at the run's page as well."""
    person.go("/use-cases/")
    person.page.get_by_role("link", name=TITLE).first.click()
    person.page.wait_for_load_state("load")

    def said() -> bool:
        person.page.reload()
        return text in person.page.locator("main").inner_text().lower()

    until(said, what=f"the page says {text}")
    person.look()
    person.page.get_by_role("link", name="Run 1").first.click()
    person.page.wait_for_url("**/runs/*/")
    person.look()
    assert text in person.page.locator("main").inner_text().lower()
