"""Charts on pages: the tag that shows a figure, its picture, and its table as CSV.

{% chart figure %}      title, drawing, sentence, table; scripts make it answer to the pointer
if (found := table_asked(request, figures)) is not None: return found    # in the page's view
"""

import csv
import io
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template import Context
from django.templatetags.static import static
from django.utils.safestring import mark_safe

from personas.errors import NotFound
from pipelines.charts.drawing import Drawings
from pipelines.charts.figure import Cell, Figure
from pipelines.charts.theme import resolved, tokens
from portal import bundle
from portal.web.errors import page

ASKED: Final = "table"  # ?table=<key of the figure>
MOST_ROWS: Final = 200  # in the page; the file has all
THEMES: Final = ("light", "dark")
DIGEST: Final = re.compile(r"[0-9a-f]{64}")
ACTING: Final = ("=", "+", "-", "@", "\t", "\r")  # how a spreadsheet's formula begins

drawings = Drawings(settings.VAR / "charts")


def chart(context: Context, figure: Figure, file: str = "yes") -> dict[str, Any]:
    """Show a figure; `file="no"` where the page's view does not answer `?table=`.

    What was drawn before stands in the page; else a picture that is drawn when it is fetched.
    """
    request = context.get("request")
    drawn = drawings.kept(figure)
    first = request is not None and not hasattr(request, "has_charts")
    if request is not None:
        request.has_charts = True
    return {
        "figure": figure,
        # It was made by our own child, and reduced to shapes and texts before it was kept.
        "svg": mark_safe(drawn) if drawn else "",  # noqa: S308
        "digest": figure.digest if drawn else drawings.order(figure),
        "rows": figure.rows[:MOST_ROWS],
        "hidden_rows": max(len(figure.rows) - MOST_ROWS, 0),
        "library": static(bundle.name()),
        "first": first,
        "asked": ASKED if file == "yes" else "",
        "request": request,
    }


@page
def drawing(request: HttpRequest, digest: str, theme: str) -> HttpResponse:
    """Answer the picture of a figure that a page has shown, for its reader's light or dark."""
    found = drawings.deliver(digest) if theme in THEMES and DIGEST.fullmatch(digest) else None
    if found is None:
        raise NotFound("chart", "There is no such chart; load its page again.")
    answer = HttpResponse(resolved(found, _colours(), theme=theme), content_type="image/svg+xml")
    answer["Cache-Control"] = "private, max-age=31536000, immutable"
    return answer


def table_asked(request: HttpRequest, figures: Iterable[Figure | None]) -> HttpResponse | None:
    """Answer the table behind one of the page's figures as CSV; None where none is asked for."""
    wanted = request.GET.get(ASKED)
    for figure in figures if wanted else ():
        if figure is not None and figure.key == wanted:
            answer = HttpResponse(as_csv(figure), content_type="text/csv; charset=utf-8")
            answer["Content-Disposition"] = f'attachment; filename="{figure.key}.csv"'
            return answer
    return None


def as_csv(figure: Figure) -> str:
    """Return the table behind a figure; texts cannot act as formulas."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([_safe(column.label) for column in figure.columns])
    for row in figure.rows:
        writer.writerow([_safe(cell) for cell in row])
    return text.getvalue()


def _safe(cell: Cell) -> Cell:
    """Return a cell that a spreadsheet shows and does not perform."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(ACTING) else cell


@cache
def _colours() -> dict[str, tuple[str, str]]:
    """The tokens of the style sheet: one place says what a colour is."""
    return tokens((Path(settings.BASE_DIR) / "static/css/base.css").read_text(encoding="utf-8"))
