"""Every page held against axe, in light and dark, from a telephone to a wall; also at 200 %."""

from collections.abc import Iterator, Mapping, Sequence

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page

from portal.demo.cast import BY_PERSONA, PASSWORD
from tests.browser.places import PLACES, Finder, Place

# px of the window; 640 is what a window of 1280 px has at 200 %
WIDTHS = (360, 640, 2560)
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Not ours: pages of Swagger and of Django's admin have contrasts of their own; they are looked at
# for errors only.
FOREIGN = ("api-docs", "console")
ELSEWHERE = ("not-found",)  # answers 404, as it should
Options = Mapping[str, Mapping[str, str | Sequence[str]]]
IN_THE_DARK: Options = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}


def complaints(browser: Browser, url: str) -> Iterator[str]:
    """Say what is wrong with any page, and which pages these data do not have."""
    for persona in dict.fromkeys(place.persona for place in PLACES):
        context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 900})
        context.set_default_timeout(20_000)
        page = context.new_page()
        heard = _listen(page)
        sign_in(page, persona)
        finder = Finder(context.request)
        for place in (one for one in PLACES if one.persona == persona):
            address = finder.address(place)
            if address is not None:
                yield from of_page(page, place, address)
                if place.name not in ELSEWHERE:
                    yield from (f"{place.name}: {text}" for text in heard)
                heard.clear()
        context.close()


def _listen(page: Page) -> list[str]:
    """What the page's console and its scripts complain about, as it comes."""
    heard: list[str] = []

    def hear(said: ConsoleMessage) -> None:
        if said.type == "error":
            heard.append(said.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: heard.append(str(error)))
    return heard


def sign_in(page: Page, persona: str) -> None:
    """Sign in as the demo's person of this persona."""
    page.goto("/sign-in/")
    page.locator("#f-username").fill(BY_PERSONA[persona].login)
    page.locator("#f-password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_load_state("load")


def of_page(page: Page, place: Place, address: str) -> Iterator[str]:
    """Say what is wrong with one page."""
    answer = page.goto(address)
    status = answer.status if answer else 0
    if status >= 400 and place.name not in ELSEWHERE:
        yield f"{place.name}: {address} answered {status}"
        return
    if place.name in FOREIGN:
        return
    page.emulate_media(color_scheme="light")
    yield from _axe(page, place, "light", {})
    page.emulate_media(color_scheme="dark")
    yield from _axe(page, place, "dark", IN_THE_DARK)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        over = page.evaluate(WIDER)
        if over > 0:
            yield f"{place.name}: {over} px too wide at {width} px"
    page.set_viewport_size({"width": 1280, "height": 900})


def _axe(page: Page, place: Place, scheme: str, options: Options) -> Iterator[str]:
    for one in Axe().run(page, options=dict(options) or None).response["violations"]:
        where = one["nodes"][0]
        yield (
            f"{place.name}, {scheme}: {one['id']} ({one['impact']}), {len(one['nodes'])} times, "
            f"such as {where['html'][:160]}"
        )
