"""Charts in a browser under the pages' own content security policy: not one message is allowed."""

import subprocess
import sys
from pathlib import Path

import pytest
from csp.constants import NONE, SELF
from django.conf import settings
from django.template import Context, Template
from django.test import RequestFactory
from playwright.sync_api import Browser, Page, Route

from pipelines.charts.drawing import Drawings
from pipelines.charts.figure import Figure
from portal.web import figures
from tests.unit.charts.samples import all_kinds

pytestmark = [pytest.mark.browser]
STATIC = Path(settings.BASE_DIR) / "static"
TYPES = {".css": "text/css", ".js": "text/javascript", ".html": "text/html"}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The browser's chart library, as `manage.py up` writes it."""
    place = tmp_path_factory.mktemp("library") / "vega.js"
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.charts.bundle", str(place)],
        cwd=settings.BASE_DIR, check=False, capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert place.with_name("vega.js.gz").stat().st_size < 330_000
    return place.read_bytes()


def policy() -> str:
    """The policy that every page of Baton is sent with."""
    quoted = {SELF: "'self'", NONE: "'none'"}
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    return "; ".join(
        f"{name} {' '.join(quoted.get(one, one) for one in allowed)}"
        for name, allowed in directives.items()
    )


def show(page: Page, shown: tuple[Figure, ...], *, library: bytes, folder: Path) -> list[str]:
    """Serve a page with the figures to this browser; what it complains about."""
    drawings = Drawings(folder)
    before, figures.drawings = figures.drawings, drawings
    try:
        template = Template(
            '{% load static %}<!doctype html><html lang="en"><title>c</title>'
            '<link rel="stylesheet" href="/static/css/base.css">'
            '<link rel="stylesheet" href="/static/css/components.css">'
            '<main class="chart-grid">{% for one in shown %}{% chart one %}{% endfor %}</main>'
        )
        request = RequestFactory().get("/")
        html = template.render(Context({"shown": shown, "request": request}))
    finally:
        figures.drawings = before

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix("http://baton.test")
        if path == "/":
            route.fulfill(body=html, content_type="text/html; charset=utf-8",
                          headers={"Content-Security-Policy": policy()})  # fmt: skip
        elif path.startswith("/static/charts/"):
            route.fulfill(body=library, content_type="text/javascript")
        elif path.startswith("/static/"):
            file = STATIC / path.removeprefix("/static/")
            route.fulfill(body=file.read_bytes(), content_type=TYPES[file.suffix])
        else:
            route.fulfill(status=200, body="<svg xmlns='http://www.w3.org/2000/svg'/>",
                          content_type="image/svg+xml")  # fmt: skip

    said: list[str] = []
    page.on("console", lambda one: said.append(one.text))
    page.on("pageerror", lambda one: said.append(str(one)))
    page.route("**/*", answer)
    page.goto("http://baton.test/")
    return said


def test_every_kind_comes_alive_without_a_message(
    browser: Browser, library: bytes, tmp_path: Path
) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 800})
    shown = all_kinds()
    said = show(page, shown, library=library, folder=tmp_path)
    for figure in shown:
        view = page.locator(f"#chart-{figure.key} [data-chart]")
        view.scroll_into_view_if_needed()
        page.locator(f"#chart-{figure.key} .is-live svg").wait_for()
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

    # Keys read the table, value by value.
    view = page.locator("#chart-line [data-chart]")
    view.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    told = page.locator("#chart-line output")
    assert told.inner_text().startswith("day: 2026-01-02 · PSI (nats): 1")
    page.keyboard.press("Escape")
    assert told.inner_text() == ""

    # Pointing at a value tells it; the theme is changed without drawing again.
    page.locator("#chart-line .mark-symbol path").first.hover()
    page.locator("#vg-tooltip-element.visible").wait_for()
    colour = "getComputedStyle(document.querySelector('#chart-line .mark-line path')).stroke"
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    light = page.evaluate(colour)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert page.evaluate(colour) != light
    assert said == []
    page.close()


def test_without_the_library_the_picture_stays(browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page()
    show(page, all_kinds()[:1], library=b"throw new Error('broken')", folder=tmp_path)
    page.locator("#chart-line [data-chart][tabindex]").wait_for()
    assert page.locator("#chart-line picture img").count() == 1
    page.close()
