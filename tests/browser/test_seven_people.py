"""The seven people walk a use case by clicking: from an uploaded table to a watched model.

At length; in the everyday suite three of them walk until the fourth is asked to decide.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser

from portal.demo import script
from portal.demo.cast import PLAYERS
from portal.demo.traffic import Caller
from tests.browser.walking import ASKING, Findings, Person, fill_in, items_of
from tests.flows import digits
from tests.flows.baton import Baton
from tests.long import only_long

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]
TITLE = "Odd digits by clicking"
ITEMS = items_of(script.BLUEPRINT)
LONGEST = 600.0  # seconds


class Walk:
    """One use case on its way: what was asked of whom, and what was refused."""

    def __init__(self, baton: Baton, people: Mapping[str, Person], caller: Caller) -> None:
        self.baton = baton
        self.people = people
        self.caller = caller
        self.run = 0
        self.passed: set[tuple[str, str]] = set()
        self.sent_back = 0
        self.refused = ""
        self.answered: set[tuple[int, int]] = set()
        self.open_when_idle: list[tuple[str, int, str]] | None = None

    def until_over(self) -> None:
        """Everybody does what their inbox asks, until the run has ended."""
        ended = self.until(lambda run: run["state"] != "RUNNING")
        assert ended["state"] == "SUCCEEDED"

    def until(self, done: Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any]:
        """The same, until something is true of the run, which is returned."""
        end = time.monotonic() + LONGEST
        newest = 0
        while time.monotonic() < end:
            before, newest = newest, self.newest()
            if newest != before or self.open_when_idle is None:
                if self.has_opened() and sum(self.turn(one) for one in self.people.values()):
                    self.open_when_idle = None
                    continue
                run = self.baton.desks["OPS"].get(f"runs/{self.run}")
                if done(run):
                    return dict(run)
                assert run["state"] == "RUNNING"
            self.callers(run)
        raise AssertionError([(s["key"], s["state"]) for s in run["stages"]])

    def newest(self) -> int:
        """The number of the run's last event."""
        found = self.baton.desks["OPS"].get(f"runs/{self.run}/events", page_size=1)
        return int(found["results"][0]["seq"])

    def has_opened(self) -> bool:
        """Whether somebody may be asked for something that nobody was when all looked last.

        Seven inboxes cost the web process half a second, and most events ask nothing of anybody.
        """
        is_open = [
            (noun, row["id"], row["state"])
            for noun in ("stages", "items", "gates", "hand-offs")
            for row in self.baton.desks["OPS"].all(f"runs/{self.run}/{noun}")
        ]
        before, self.open_when_idle = self.open_when_idle, is_open
        return is_open != before

    def callers(self, run: Mapping[str, Any]) -> None:
        """Programs call the model while it waits for callers, and report what became true."""
        active = {stage["key"] for stage in run["stages"] if stage["state"] == "ACTIVE"}
        if active & {"deploy", "serve"}:
            steps = self.baton.desks["OPS"].all(f"runs/{self.run}/steps")
            waits = {(one["id"], one["tries"]) for one in steps if one["state"] == "RETRY_WAIT"}
            if waits - self.answered:  # one batch each time that too few calls were found
                self.answered |= waits
                self.caller.call()
                for batch in self.caller.labels(until="2013-11-25"):
                    labels = f"models/{self.caller.model}/labels"
                    self.baton.desks["DE"].post(labels, {"labels": batch})
                self.baton.hurry(self.run)
        time.sleep(0.3)

    def turn(self, person: Person) -> bool:
        """Do the first thing that a person is asked for; whether there was one."""
        if not self.is_asked(person):
            # The analyst's page goes on following the run; of each more the web process feels it.
            if person.player.persona != "BA" and person.page.url != "about:blank":
                person.page.goto("about:blank")
            return False
        for row in person.rows(TITLE):
            asked = row.locator("[data-open]")
            name = (person.player.login, str(asked.get_attribute("href")))
            if name in self.passed:
                continue
            button = row.locator("button[data-act]")
            if button.count():
                button.click()
                person.page.wait_for_load_state("load")
                return True
            person.follow(asked)
            if not self.act(person):
                self.passed.add(name)
            return True
        return False

    def is_asked(self, person: Person) -> bool:
        """Whether to open the page: most of what happens asks nothing of most people."""
        inbox = self.baton.desks[person.player.persona].get("inbox")
        return any(
            row["run"] == self.run
            for part in inbox["sections"]
            if part["key"] in ASKING
            for row in part["rows"]
        )

    def act(self, person: Person) -> bool:
        """Do what the page at hand is for; False where there is nothing to do now."""
        page = person.page
        if "/items/" in page.url:
            return self.item(person)
        if "/gates/" in page.url:
            return self.decide(person)
        if "/hand-offs/" in page.url:
            return self.hand_over(person)
        return False

    def item(self, person: Person) -> bool:
        """Fill in and complete, or go where the item leads."""
        page = person.page
        title = page.get_by_role("heading", level=1).inner_text()
        if title not in ITEMS:
            link = page.get_by_role("link", name="Open the hand-off")
            if not link.count():
                return False
            person.follow(link)
            return self.hand_over(person)
        stage, definition = ITEMS[title]
        key = (stage, definition["key"])
        data = digits.form(key, round=1 + self.sent_back) or script.ITEMS[key]
        fill_in(page, definition, data)
        person.press("Sign" if definition["kind"] == "attestation" else "Complete")
        assert f"“{title}” is complete" in page.locator("main").inner_text()
        return True

    def decide(self, person: Person) -> bool:
        """Approve; request changes where the features are not available in time."""
        page = person.page
        if person.player.persona == "MLR" and not self.refused:
            self.look_at_own_gate(page.url)
        approve = page.locator("input[type=radio][name=verdict][value=approve]")
        if approve.is_disabled():
            if person.player.persona != "DS":
                return False
            assert (
                f"{digits.AFTER}: feature that is known only" in page.locator("main").inner_text()
            )
            self.request_changes(person)
            return True
        approve.check()
        page.locator("#f-reason").fill("The evidence holds.")
        person.press("Decide")
        return True

    def look_at_own_gate(self, url: str) -> None:
        """Who made what is under review sees the gate, and why it is not theirs to decide."""
        owner = self.people["DS"]
        owner.go(url)
        self.refused = owner.page.locator("#decide-title + p, .why-not").first.inner_text()
        assert owner.page.get_by_role("button", name="Decide", exact=True).count() == 0

    def request_changes(self, person: Person) -> None:
        page = person.page
        page.locator("input[type=radio][name=verdict][value=request_changes]").check()
        page.locator("#f-target").select_option("features")
        page.locator("#f-reason_code").select_option("not_available")
        page.locator("#f-reason").fill(f"{digits.AFTER} is known only afterwards.")
        person.press("Decide")
        self.sent_back += 1
        self.passed.clear()

    def hand_over(self, person: Person) -> bool:
        """Accept what is offered; offer what is ready, with the checklist filled in."""
        page = person.page
        accept = page.get_by_role("button", name="Accept", exact=True)
        if accept.count() and accept.first.is_enabled():
            person.press("Accept")
            return True
        offer = page.locator("button[name=do][value=offer]")
        if not offer.count():
            return False
        for box in page.locator("textarea[name^='answer.']").all():
            box.fill(f"{datetime.now(UTC):%Y-%m-%d}: {script.ANSWER}")
        offer.click()
        page.wait_for_load_state("load")
        return True


def test_three_people_carry_a_use_case_to_a_review_by_the_fourth(
    baton: Baton, browser: Browser, findings: Findings
) -> None:
    """Upload, forms, gates, a hand-off with its contract: all kinds of pages but the models'."""
    people = seated(baton, browser, findings, "BA", "DE", "DS")
    key = frame(people["BA"])
    caller = Caller(url=baton.serve_url, token=baton.tokens["SWE"], model=key, flights=[])
    walk = Walk(baton, people, caller)
    walk.run = baton.desks["OPS"].all("runs", use_case=key)[0]["id"]
    # None of the three may decide on what the third has found.
    run = walk.until(lambda run: run["stages"][2]["state"] == "IN_REVIEW")
    assert [(s["key"], s["state"]) for s in run["stages"][:4]] == [
        ("frame", "DONE"),
        ("source", "DONE"),
        ("explore", "IN_REVIEW"),
        ("features", "PENDING"),
    ]
    accepted = baton.desks["OPS"].all("hand-offs", run=walk.run, state="ACCEPTED")
    pairs = {(one["source_persona"], one["target_persona"]) for one in accepted}
    assert pairs == {("BA", "DE"), ("DE", "DS")}
    baton.desks["OPS"].post(f"runs/{walk.run}/cancel", {"reason": "Seen enough."})
    leave(people, caller)


@only_long
def test_seven_people_carry_a_use_case_to_a_watched_model(
    baton: Baton, browser: Browser, findings: Findings
) -> None:
    people = seated(baton, browser, findings, *(one.persona for one in PLAYERS))
    key = frame(people["BA"])
    asked = digits.later(4000, day=1)
    caller = Caller(url=baton.serve_url, token=baton.tokens["SWE"], model=key, flights=asked)
    walk = Walk(baton, people, caller)
    walk.run = baton.desks["OPS"].all("runs", use_case=key)[0]["id"]
    walk.until_over()
    assert walk.sent_back == 1
    assert "others decide" in walk.refused
    look_around(people, key, walk.run)
    leave(people, caller)


def seated(baton: Baton, browser: Browser, findings: Findings, *personas: str) -> dict[str, Person]:
    """People at browsers of their own, signed in, by persona."""
    people = {
        one.persona: Person(browser, baton.url, one, findings)
        for one in PLAYERS
        if one.persona in personas
    }
    for person in people.values():
        person.sign_in()
    return people


def leave(people: Mapping[str, Person], caller: Caller) -> None:
    caller.close()
    for person in people.values():
        person.context.close()


def frame(analyst: Person) -> str:
    """Upload the table, choose the target, give the seats, start; returns the use case's key."""
    page = analyst.page
    analyst.go("/use-cases/new/")
    page.get_by_label("The question in one sentence").fill(digits.QUESTION)
    page.get_by_label("Short title").fill(TITLE)
    file = {"name": "digits.csv", "mimeType": "text/csv", "buffer": digits.as_csv()}
    page.get_by_label("Tables").set_input_files(file)  # type: ignore[arg-type]
    analyst.press("Look at it")
    page.locator("#f-target").select_option("odd")
    page.locator("#f-time").select_option("")
    page.locator("#f-key").select_option("")
    for box in page.locator("input[name=exclude]:checked").all():
        box.uncheck()
    analyst.press("Keep and go on")
    analyst.press("Give these seats and go on")
    assert "Tabular classification" in page.locator("#f-bp option:checked").inner_text()
    if not page.get_by_label("Share to decide on").is_visible():
        page.locator("details#rest summary").click()
    for name, value in digits.PARAMETERS.items():
        page.locator(f"[name='p.{name}']").fill(str(value))
    analyst.press("Start the run")
    assert "Run 1 has started" in page.locator("main").inner_text()
    return page.url.rstrip("/").rsplit("/", 1)[-1]


def look_around(people: Mapping[str, Person], key: str, run: int) -> None:
    """Every page on what came of it."""
    analyst = people["BA"]
    for path in (
        f"/use-cases/{key}/",
        f"/use-cases/{key}/readiness/",
        f"/runs/{run}/",
        "/models/",
        f"/models/{key}/",
        "/ledger/",
    ):
        analyst.go(path)
        assert analyst.page.locator("h1").count() == 1
