"""`make screenshots`: every page in light, dark and on a phone, and a contact sheet of them all.

It looks at a Baton that serves already (URL=, by default http://127.0.0.1:8000) and has the people
of the demo. Files go to var/screenshots; nothing there is committed.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from portal.demo.cast import BY_PERSONA, PASSWORD
from tests.browser.places import PLACES, Finder, Place

FOLDER = Path("var/screenshots")
SETTLED = 400  # ms for a page's live parts and charts to come


@dataclass(frozen=True)
class View:
    """One way of looking."""

    name: str
    scheme: str
    width: int
    height: int


VIEWS = (
    View("light", "light", 1280, 900),
    View("dark", "dark", 1280, 900),
    View("phone", "light", 390, 844),
)
ON_A_SHEET = 4
SHEET = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Contact sheet</title>
<style>body{font:14px system-ui;margin:24px;background:#777;color:#fff}
section{display:grid;grid-template-columns:3fr 3fr 1fr;gap:12px;margin-bottom:32px}
h2{grid-column:1/-1;margin:0}img{width:100%;max-height:1400px;object-fit:cover;object-position:top}
</style><h1>Contact sheet</h1>"""


def main() -> int:
    """Take the pictures; returns 1 when a page answered with an error that was not asked for."""
    url = os.environ.get("URL", "http://127.0.0.1:8000")
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not chromium:
        print("No Chromium: set CHROMIUM to its path.", file=sys.stderr)
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        said = [line for view in VIEWS for line in pictures(browser, url, view)]
        sheet(browser)
        browser.close()
    for line in sorted(set(said)):
        print(line)
    return 1 if any(line.startswith("!") for line in said) else 0


def pictures(browser: Browser, url: str, view: View) -> Iterator[str]:
    """Take every page in one view; yields what is missing, and with a "!" what went wrong."""
    for persona in dict.fromkeys(place.persona for place in PLACES):
        size = {"width": view.width, "height": view.height}
        context = browser.new_context(
            base_url=url,
            viewport=size,  # type: ignore[arg-type]
            color_scheme=view.scheme,  # type: ignore[arg-type]
        )
        page = context.new_page()
        sign_in(page, persona)
        finder = Finder(context.request)
        for place in PLACES:
            if place.persona == persona:
                yield from picture(page, finder, place, view)
        context.close()


def sign_in(page: Page, persona: str) -> None:
    """Sign in as the demo's person of this persona."""
    page.goto("/sign-in/")
    page.locator("#f-username").fill(BY_PERSONA[persona].login)
    page.locator("#f-password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_load_state("load")


def picture(page: Page, finder: Finder, place: Place, view: View) -> Iterator[str]:
    """Take one page."""
    address = finder.address(place)
    if address is None:
        yield f"  {place.name}: nothing of the kind in these data"
        return
    answer = page.goto(address)
    page.wait_for_timeout(SETTLED)
    status = answer.status if answer else 0
    if status >= 400 and place.name != "not-found":
        yield f"! {place.name}: {address} answered {status}"
    page.screenshot(path=FOLDER / f"{place.name}.{view.name}.png", full_page=True)


def sheet(browser: Browser) -> None:
    """Put all pictures side by side, a row for each place, a few rows to a sheet."""
    taken = [place for place in PLACES if (FOLDER / f"{place.name}.light.png").exists()]
    (FOLDER / "index.html").write_text(SHEET + "".join(map(row, taken)), encoding="utf-8")
    page = browser.new_page(viewport={"width": 1600, "height": 900})
    for number, first in enumerate(range(0, len(taken), ON_A_SHEET), start=1):
        file = FOLDER / f"sheet-{number}.html"
        file.write_text(SHEET + "".join(map(row, taken[first : first + ON_A_SHEET])))
        page.goto(file.resolve().as_uri())
        page.screenshot(path=file.with_suffix(".png"), full_page=True, timeout=120_000)
    page.close()


def row(place: Place) -> str:
    """Return the pictures of one place."""
    images = "".join(f'<img src="{place.name}.{view.name}.png" alt="">' for view in VIEWS)
    return f"<section><h2>{place.name}</h2>{images}</section>"


if __name__ == "__main__":
    sys.exit(main())
