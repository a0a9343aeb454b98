"""The forms a document can be had in, by suffix and by media type."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from pipelines.documents import html, markdown, pdf
from pipelines.documents.tree import Document


@dataclass(frozen=True)
class Form:
    """One form: its suffix, its media type and what writes it (`base`: the portal's address)."""

    suffix: str
    media: str
    title: str
    write: Callable[..., str | bytes]


FORMS: Final[Mapping[str, Form]] = {
    form.suffix: form
    for form in (
        Form("html", "text/html", "HTML", html.page),
        Form("md", "text/markdown", "Markdown", markdown.page),
        Form("pdf", "application/pdf", "PDF", pdf.page),
    )
}


def write(document: Document, form: Form, *, base: str) -> bytes:
    """Return the document's bytes in a form. Raises Busy where PDFs are asked for too fast."""
    made = form.write(document, base=base)
    return made if isinstance(made, bytes) else made.encode("utf-8", "replace")


def name_of(document: Document, form: Form, *, run: int) -> str:
    """Return the file name of a download."""
    return f"{document.kind}-run-{run}.{form.suffix}"
