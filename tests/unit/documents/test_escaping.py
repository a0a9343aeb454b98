"""Hostile names and texts: in all three forms they read as themselves and do nothing."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from markdown_it import MarkdownIt

from pipelines.documents import html, library, markdown, pdf
from pipelines.documents.pack import Output
from pipelines.documents.safe import address, clean, one_line
from pipelines.documents.typeset import typeset
from tests.unit.documents.packs import FACTS, pack

NASTY = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title><style>*{display:none}</style>",
    "[click](javascript:alert(1))",
    "![pixel](https://evil.example/x.png)",
    "<https://evil.example> https://evil.example www.evil.example a@evil.example",
    "| cell | another |",
    "# heading",
    "- item",
    "1. one",
    "---",
    "`code` *strong* _em_ ~~gone~~ $x$ &amp; &lt;b&gt; \\*",
    '#panic("evaluated")',
    '#read("/etc/passwd")',
    "] #set page(fill: red) [ $ x $ @ref <label> // comment */",
    "```\nfence\n```",
    "two\nlines\n\n> quote\n    code",
    "right\u202eto left",
    "nul\x00 and bell\x07 and half \ud800",
    "x" * 300,
)
TAGS = {
    "a", "br", "code", "dd", "div", "dl", "dt", "h2", "h3", "p", "section", "span", "table",
    "tbody", "td", "th", "thead", "tr",
}  # fmt: skip
ATTRIBUTES = {
    "aria-label", "aria-labelledby", "class", "data-label", "href", "id", "role", "scope",
    "tabindex", "title",
}  # fmt: skip


def nasty(text: str) -> Any:
    """A pack in which everything that people can name has that text."""
    made = pack()
    facts = {
        place: {key: text if isinstance(value, str) else value for key, value in said.items()}
        for place, said in FACTS.items()
    }
    facts["features.build"] = {"columns_used": 1, "columns": [{"column": text, "role": text}]}
    return replace(
        made,
        use_case=text,
        facts=facts,
        inputs=(("tables", Output(text, "a" * 64, text, 1)),),
        stages=tuple(replace(part, title=text, owner=text) for part in made.stages),
        steps=tuple(replace(step, title=text, operation=text) for step in made.steps),
        items=tuple(
            replace(one, title=text, who=text, fields=tuple((f[0], text, text) for f in one.fields))
            for one in made.items
        ),
        checks=tuple(replace(check, summary=text, unit=text) for check in made.checks),
        reviews=tuple(
            replace(one, rulings=tuple(replace(r, who=text, reason=text) for r in one.rulings))
            for one in made.reviews
        ),
        passings=tuple(
            replace(one, note=text, return_reason=text, checklist=((text, text),), source=text)
            for one in made.passings
        ),
        alerts=((text, text, "OPEN"),),
    )  # fmt: skip


# Each text in one document, and all of them in each of the others.
CASES = [
    *(("model-card", text) for text in NASTY),
    *((kind, "\n".join(NASTY)) for kind in sorted(library.KINDS) if kind != "model-card"),
]


class Seen(HTMLParser):
    """Every tag, attribute, address and text of a fragment."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.hrefs: set[str] = set()
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.hrefs |= {value or "" for name, value in attrs if name == "href"}

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.mark.parametrize(("kind", "text"), CASES)
def test_html_has_our_tags_only(kind: str, text: str) -> None:
    document = library.build(kind, nasty(text))
    seen = Seen()
    seen.feed(html.fragment(document))
    assert seen.tags <= TAGS
    assert seen.attributes <= ATTRIBUTES
    assert all(href.startswith("/") for href in seen.hrefs)
    whole = html.page(document, base="https://baton.example")
    assert whole.count("<title>") == whole.count("<style>") == 1
    assert "<script" not in whole


@pytest.mark.parametrize("text", NASTY)
def test_html_shows_the_text_itself(text: str) -> None:
    seen = Seen()
    seen.feed(html.fragment(library.build("model-card", nasty(text))))
    assert one_line(text) in one_line(" ".join(seen.text))


@pytest.mark.parametrize(("kind", "text"), CASES)
def test_markdown_has_our_structure_only(kind: str, text: str) -> None:
    """The same blocks as with harmless texts, no HTML, no image, links to our own pages only."""
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    base = "https://baton.example"

    def structure(words: str) -> list[str]:
        tokens = reader.parse(markdown.page(library.build(kind, nasty(words)), base=base))
        return [token.type for token in tokens if token.type != "inline"]

    assert structure(text) == structure("plain words")
    tokens = reader.parse(markdown.page(library.build(kind, nasty(text)), base=base))
    inner = [child for token in tokens for child in token.children or ()]
    kinds = {token.type for token in (*tokens, *inner)}
    assert not kinds & {"html_block", "html_inline", "image", "fence", "s_open", "code_block"}
    links = {str(child.attrs["href"]) for child in inner if child.type == "link_open"}
    assert all(link.startswith(f"{base}/") for link in links)


@pytest.mark.parametrize("text", NASTY)
def test_markdown_reads_as_the_text_itself(text: str) -> None:
    reader = MarkdownIt("commonmark").enable("table")
    tokens = reader.parse(f"before {markdown.escape(text)} after")
    children = [child for token in tokens for child in token.children or ()]
    assert "".join(child.content for child in children) == f"before {one_line(text)} after"


def test_typst_evaluates_nothing() -> None:
    """Every hostile text at once: `#panic` and `#read` would end the typesetting."""
    document = library.build("model-card", nasty("\n".join(NASTY)))
    payload = pdf.as_payload(document, base="https://baton.example")
    payload["sections"] += [
        {"title": text, "lead": text, "blocks": []} for text in map(one_line, NASTY)
    ]
    made = typeset(payload)
    assert made.startswith(b"%PDF-")
    links = re.findall(rb"/URI ?\((.*?)\)", made)
    assert links
    assert all(link.startswith(b"https://baton.example/") for link in links)


def test_equal_documents_make_equal_pdfs() -> None:
    """No clock in it: a PDF can be told by its digest."""
    payload = pdf.as_payload(library.build("datasheet", pack()), base="https://baton.example")
    assert typeset(payload) == typeset(payload)


@pytest.mark.parametrize("kind", sorted(library.KINDS))
def test_every_document_can_be_typeset(kind: str) -> None:
    payload = pdf.as_payload(library.build(kind, pack()), base="https://baton.example")
    assert typeset(payload).startswith(b"%PDF-")


def test_the_child_makes_a_pdf() -> None:
    assert pdf.page(library.build("sr-26-2", pack()), base="https://x.example")[:5] == b"%PDF-"


@pytest.mark.parametrize(
    "path",
    ["javascript:alert(1)", "//evil.example", "https://evil.example", "/a b", '/"x', "/../etc", ""],
)
def test_only_our_own_addresses_become_links(path: str) -> None:
    found = address("", path)
    assert found in ("", path)
    assert found == "" or (found.startswith("/") and not found.startswith("//"))


def test_what_no_reader_sees_is_taken_out() -> None:
    assert clean("a\x00b\u202ec\r\nd\te") == "abc\nd\te"
