"""People at browsers: each has a context of their own, and does what their inbox asks of them."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page

from pipelines.blueprints.shipped import shipped_text
from portal.demo.cast import PASSWORD, Player

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
ASKING = ("decide", "offered", "mine")  # the parts of the inbox that ask something of a person
SERIOUS = ("serious", "critical")
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"

Form = Mapping[str, Any]


@dataclass
class Findings:
    """What browsers complained about, and which kinds of pages were looked at closely."""

    console: list[str] = field(default_factory=list)
    axe: list[str] = field(default_factory=list)
    wide: list[str] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)


class Person:
    """One person at a browser."""

    def __init__(self, browser: Browser, url: str, player: Player, findings: Findings) -> None:
        self.player = player
        self.url = url
        self.findings = findings
        self.context = browser.new_context(viewport=DESK, base_url=url)
        self.context.set_default_timeout(20_000)
        self.page = self.context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self._note(f"script error: {error}"))

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self._note(f"{message.type}: {message.text}")

    def _note(self, text: str) -> None:
        self.findings.console.append(f"{self.page.url}: {text}")

    def sign_in(self) -> None:
        """Type login and password."""
        self.go("/")
        self.page.get_by_label("Login name").fill(self.player.login)
        self.page.locator("#f-password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in", exact=True).click()
        self.page.wait_for_url(f"{self.url}/")

    def go(self, path: str) -> None:
        """Open an address, and look at the page."""
        self.page.goto(path)
        self.look()

    def look(self) -> None:
        """Hold a page of a kind not seen yet against axe and a telephone's width."""
        kind = kind_of(self.page.url)
        if kind in self.findings.kinds:
            return
        self.findings.kinds.add(kind)
        found = Axe().run(self.page).response["violations"]
        self.findings.axe += [
            f"{kind}: {one['id']} ({one['impact']}) {one['nodes'][0]['html'][:160]}"
            for one in found
            if one["impact"] in SERIOUS
        ]
        self.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        over = self.page.evaluate(WIDER)
        if over > 0:
            self.findings.wide.append(f"{kind}: {over} px too wide at {PHONE['width']} px")
        self.page.set_viewport_size(DESK)  # type: ignore[arg-type]

    def press(self, name: str, *, within: Locator | None = None) -> None:
        """Press a button that leads to another page, and look at it."""
        place = within or self.page.locator("main")
        place.get_by_role("button", name=name, exact=True).first.click()
        self.page.wait_for_load_state("load")
        self.look()

    def asked(self, title: str) -> Locator | None:
        """The first row of the inbox that asks something of this person on a use case."""
        rows = self.rows(title)
        return rows[0] if rows else None

    def rows(self, title: str) -> list[Locator]:
        """The rows of the inbox that ask something of this person on a use case."""
        self.go("/")
        use_case = self.page.locator("[data-use-case]", has_text=title)
        return [
            row
            for part in ASKING
            for row in self.page.locator(f"section[aria-labelledby=part-{part}] [data-row]")
            .filter(has=use_case)
            .all()
        ]

    def follow(self, link: Locator) -> None:
        """Follow a link to another page, and look at it."""
        before = self.page.url
        link.click()
        self.page.wait_for_url(lambda url: url != before)
        self.look()


def kind_of(url: str) -> str:
    """Return a page's address with the names of things left out."""
    path = re.sub(r"/\d+", "/1", urlsplit(url).path)
    return re.sub(r"^/(use-cases|models)/(?!new/)[^/]+/", r"/\1/key/", path)


def items_of(blueprint: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return a shipped blueprint's work items by title: stage and definition."""
    body = tomllib.loads(shipped_text(blueprint))
    return {
        item["title"]: (stage["key"], item)
        for stage in body["stages"]
        for item in stage.get("items", [])
    }


def fill_in(page: Page, item: Mapping[str, Any], data: Form) -> None:
    """Fill in a work item's form by its fields' kinds."""
    for definition in item["fields"]:
        if definition["key"] in data:
            fill_field(page, definition, data[definition["key"]])


def fill_field(page: Page, definition: Mapping[str, Any], value: Any) -> None:
    """Type, choose or tick one value."""
    name = f"f.{definition['key']}"
    kind = definition["kind"]
    if kind == "bool":
        page.locator(f"[name='{name}']").set_checked(bool(value))
    elif kind == "columns":
        page.locator(f"input[name='{name}']").evaluate_all(
            "(boxes, wanted) => boxes.forEach(box => { box.checked = wanted.includes(box.value) })",
            value,
        )
    elif kind == "map":
        fill_map(page, name, value)
    elif kind == "choice":
        radio = page.locator(f"input[type=radio][name='{name}'][value='{value}']")
        if radio.count():
            radio.check()
        else:
            page.locator(f"select[name='{name}']").select_option(str(value))
    else:
        text = "\n".join(map(str, value)) if isinstance(value, list) else str(value)
        page.locator(f"[name='{name}']").fill(text)


def fill_map(page: Page, name: str, value: Mapping[str, Any]) -> None:
    """Fill in the rows of a map that are on the page already."""
    for key, entry in value.items():
        row = page.locator("tr").filter(
            has=page.locator(f"input[name='{name}.key'][value='{key}']")
        )
        plain = entry["available"] if isinstance(entry, Mapping) else str(entry)
        control = row.locator(f"[name='{name}.value']")
        if control.evaluate("control => control.tagName") == "SELECT":
            control.select_option(plain)
        else:
            control.fill(plain)
