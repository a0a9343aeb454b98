"""A document as HTML: every text escaped, no style attribute, no script. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator
from html import escape

from pipelines.documents.safe import address, clean, one_line
from pipelines.documents.tree import Block, Cell, Document, Evidence, Figure, Figures, Section, Text
from pipelines.documents.wording import interval_of, value_of

TONES = {"computed": "good", "attested": "busy", "missing": "warn"}
# The look of a saved file; the portal's pages have their own and never get this.
STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}
h1,h2,h3{line-height:1.25}
table{border-collapse:collapse;width:100%;font-size:.875rem}
th,td{text-align:left;vertical-align:top;padding:.35rem .6rem .35rem 0}
th,td{border-bottom:1px solid #8886}
td.num{text-align:right}
dl.figures{display:grid;gap:1rem;grid-template-columns:repeat(auto-fill,minmax(13rem,1fr))}
dt{font-size:.8rem;opacity:.75} dd{margin:0}
.figures__value{font-weight:650;font-size:1.1rem}
.state{font-size:.75rem;border:1px solid;border-radius:1rem;padding:0 .5rem}
.evidence{font-size:.75rem} .evidence a{margin-right:.6rem}
.small{font-size:.875rem} .table-wrap{overflow-x:auto}
"""


def page(document: Document, *, base: str) -> str:
    """Return a whole HTML file that can be saved and opened anywhere."""
    title = _text(f"{document.title}: {document.subject}")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head><body>"
        f"<h1>{_text(document.title)}</h1><p>{_text(document.about)}</p>{meta(document)}"
        f"{fragment(document, base=base)}</body></html>\n"
    )


def meta(document: Document) -> str:
    """Return what the document is of, as a list of terms."""
    rows = "".join(f"<dt>{_text(k)}</dt><dd>{_text(v)}</dd>" for k, v in document.meta.items())
    return f'<dl class="facts">{rows}</dl>'


def fragment(document: Document, *, base: str = "") -> str:
    """Return the sections; headings begin at the second level."""
    return "".join(_section(section, base) for section in document.sections)


def _section(section: Section, base: str) -> str:
    key = escape(section.key, quote=True)
    lead = f'<p class="muted">{_text(section.lead)}</p>' if section.lead else ""
    names = _names(section)
    body = "".join(_block(block, base, names.get(i, "")) for i, block in enumerate(section.blocks))
    return (
        f'<section class="card section" id="{key}" aria-labelledby="{key}-title">'
        f'<h2 id="{key}-title">{_text(section.title)}</h2>{lead}{body}</section>'
    )


def _names(section: Section) -> dict[int, str]:
    """What a reader who cannot see is told of each table: no two of a document sound alike."""
    told: dict[int, str] = {}
    seen: Counter[str] = Counter()
    for place, block in enumerate(section.blocks):
        if isinstance(block, Figures | Text):
            continue
        name = block.title or ", ".join(name for name in block.columns if name)
        seen[name] += 1
        more = f" ({seen[name]})" if seen[name] > 1 else ""
        told[place] = f"{section.title}: {name}{more}"
    return told


def _block(block: Block, base: str, label: str) -> str:
    if isinstance(block, Figures):
        return f'<dl class="figures">{"".join(_figure(one, base) for one in block.figures)}</dl>'
    if isinstance(block, Text):
        return _paragraph(block, base)
    head = "".join(f'<th scope="col">{_text(name)}</th>' for name in block.columns)
    rows = "".join(f"<tr>{_cells(row, block.columns, base)}</tr>" for row in block.rows)
    title = f"<h3>{_text(block.title)}</h3>" if block.title else ""
    return (
        f'{title}<div class="table-wrap" tabindex="0" role="region" aria-label="{_text(label)}">'
        f'<table class="table table--cards"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{_evidence(block.evidence, base)}"
    )


def _figure(figure: Figure, base: str) -> str:
    parts = [_text(part) for part in (interval_of(figure), figure.note) if part]
    small = "".join(f'<dd class="figures__small">{part}</dd>' for part in parts)
    kind = "" if isinstance(figure.value, int | float) else " figures__text"
    return (
        f"<div><dt>{_text(figure.label)}</dt>"
        f'<dd class="figures__value{kind}">{_text(value_of(figure))}</dd>{small}'
        f"<dd>{_evidence(figure.evidence, base)}</dd></div>"
    )


def _paragraph(block: Text, base: str) -> str:
    title = f"<h3>{_text(block.title)}{_state(block.status)}</h3>" if block.title else ""
    lines = "<br>".join(escape(line) for line in clean(block.text).split("\n"))
    who = f'<p class="small muted">{_text(block.who)}</p>' if block.who else ""
    tone = " muted" if block.status == "missing" else ""
    return f'{title}<p class="said{tone}">{lines}</p>{who}{_evidence(block.evidence, base)}'


def _state(status: str) -> str:
    if not status:
        return ""
    return f' <span class="state tone-{TONES[status]}">{escape(status)}</span>'


def _cells(row: Iterable[Cell], columns: Iterable[str], base: str) -> str:
    return "".join(_cell(cell, name, base) for cell, name in zip(row, columns, strict=True))


def _cell(cell: Cell, column: str, base: str) -> str:
    kind = ' class="num"' if cell.numeric else ""
    tone = f'<span class="tone-{TONES[cell.status]}">' if cell.status == "missing" else "<span>"
    return (
        f'<td{kind} data-label="{_text(column)}">{tone}{_text(cell.text)}</span>'
        f"{_evidence(cell.evidence, base)}</td>"
    )


def _evidence(found: Iterable[Evidence], base: str) -> str:
    links = "".join(_links(found, base))
    return f'<span class="evidence">{links}</span>' if links else ""


def _links(found: Iterable[Evidence], base: str) -> Iterator[str]:
    for one in found:
        href = address(base, one.path)
        label = _text(one.label)
        digest = (
            f' <code class="digest" title="{_text(one.digest)}">{_text(one.digest[:12])}</code>'
        )
        shown = f"{label}{digest if one.digest else ''}"
        yield f'<a href="{escape(href, quote=True)}">{shown}</a> ' if href else f"{shown} "


def _text(text: str) -> str:
    return escape(one_line(text), quote=True)
