"""Flow: where work waits, what comes back, when it will be done, and what waiting costs.

The page opens with what most people ask; the other parts are fetched as they come near the window,
and each is a page of its own where no script runs. Every part has its numbers as CSV.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from personas.errors import NotFound
from personas.people import PERSONAS
from pipelines.insights import overview
from pipelines.insights.flow.walks import WhatIf
from pipelines.insights.reading import DAYS, LONGEST, Question, Scope
from portal import access
from portal.sheets import csv_file, sheet_of
from portal.web.errors import page
from portal.web.flow_parts import PARTS
from portal.web.flow_records import KINDS
from portal.web.flowing import cells_of, cumulative_figure, sentences, switch_of
from portal.web.forms import user_of

SLUG: Final = re.compile(r"[\w-]{1,60}", re.ASCII)
WINDOWS: Final = (
    (30, _("30 days")),
    (90, _("90 days")),
    (180, _("half a year")),
    (365, _("a year")),
)
MOST_ROWS: Final = 200  # of records in the page; the file has all


@dataclass(frozen=True)
class Asked:
    """What a request asks of flow: the question, whose, and its address's parameters."""

    question: Question
    scope: Scope
    query: str


def asked(request: HttpRequest) -> Asked:
    """Return what is asked; odd filters are left out. Raises NotFound for a use case that the
    person may not know of.
    """
    user = user_of(request)
    days = request.GET.get("days", "")
    question = Question(
        days=min(max(int(days), 1), LONGEST) if re.fullmatch("[0-9]{1,6}", days) else DAYS,
        use_case=slug_of(request, "use_case"),
        blueprint=slug_of(request, "blueprint"),
        persona=slug_of(request, "persona")[:8],
    )
    if question.use_case:
        access.use_case_for(user, question.use_case)
    names = ("use_case", "blueprint", "persona")
    told = {name: getattr(question, name) for name in names if getattr(question, name)}
    query = urlencode({"days": question.days, **told})
    return Asked(question, access.flow_scope(user), query)


def slug_of(request: HttpRequest, name: str) -> str:
    """Return a parameter that is a name of ours; empty where it cannot be one."""
    value = request.GET.get(name, "").strip()
    return value if SLUG.fullmatch(value) else ""


@page
def flow(request: HttpRequest) -> HttpResponse:
    """Show what to look at first, cumulative flow, hand-offs, ageing; the rest follows."""
    ask = asked(request)
    view = overview.overview(ask.question, ask.scope)
    shown = switch_of(request.GET.get("show", ""))
    context = {
        **_filters(ask),
        "view": view,
        "now": view.window.until,
        "sentences": sentences(view, ask.query),
        "cumulative": cumulative_figure(view.cumulative),
        "ageing": PARTS["ageing"].show(view, ask.query),
        "matrix": cells_of(view.matrix, shown, ask.query),
        "shown": shown,
        "use_cases": view.use_cases,
        "titles": dict(view.use_cases),
        "blueprints": view.blueprints,
        "later": [part for part in PARTS.values() if part.is_later],
    }
    return render(request, "flow/flow.html", context)


@page
def part(request: HttpRequest, part: str) -> HttpResponse:
    """Show one part: as a fragment of the page, as a page, or (`file=csv`) its numbers."""
    if part not in PARTS:
        raise NotFound("flow_part", "Flow has no such part.")
    wanted, ask = PARTS[part], asked(request)
    view = wanted.read(ask.question, ask.scope, change_of(request))
    if request.GET.get("file") == "csv":
        return csv_file(f"flow-{part}", wanted.sheet(view))
    shown = switch_of(request.GET.get("show", ""))
    context = {
        **_filters(ask),
        "part": wanted,
        "view": view,
        "now": view.window.until,
        wanted.name: wanted.show(view, ask.query),
        "shown": shown,
        "change": change_of(request),
        "titles": titles_of(request, wanted.named(view)),
    }
    if part == "hand-offs":
        context["matrix"] = cells_of(view.matrix, shown, ask.query)
    template = wanted.template if request.htmx else "flow/part.html"  # type: ignore[attr-defined]
    return render(request, template, context)


@page
def records(request: HttpRequest, kind: str) -> HttpResponse:
    """Show the records behind a figure, or (`file=csv`) all of them."""
    if kind not in KINDS:
        raise NotFound("flow_records", "Flow keeps no such records.")
    wanted, ask = KINDS[kind], asked(request)
    by = {name: slug_of(request, name) for name in wanted.by}
    view = wanted.read(ask.question, ask.scope, **by)
    if request.GET.get("file") == "csv":
        return csv_file(f"flow-{kind}", sheet_of(view.kind, view.rows))
    narrowed = urlencode({name: value for name, value in by.items() if value})
    context = {
        **_filters(ask),
        "kind": wanted,
        "by": [value for value in by.values() if value],
        "narrowed": narrowed,
        "view": view,
        "now": view.window.until,
        "rows": view.rows[:MOST_ROWS],
        "hidden_rows": max(len(view.rows) - MOST_ROWS, 0),
        "titles": titles_of(request, [row.use_case for row in view.rows[:MOST_ROWS]]),
    }
    return render(request, "flow/records.html", context)


def titles_of(request: HttpRequest, keys: Iterable[str]) -> dict[str, str]:
    """Return the titles of use cases that the person may see, by key."""
    wanted = sorted(set(keys))
    if not wanted:
        return {}
    found = access.use_cases_of(user_of(request)).filter(key__in=wanted)
    return dict(found.values_list("key", "title"))


def change_of(request: HttpRequest) -> WhatIf | None:
    """Return the change that is tried; None where none is named."""
    names = ("first", "second", "reviewer", "drop")
    first, second, reviewer, drop = (slug_of(request, name) for name in names)
    k = request.GET.get("reviewers", "")
    if not (first and second) and not reviewer and not drop:
        return None
    return WhatIf(
        parallel=(first, second) if first and second else (),
        reviewer=reviewer,
        reviewers=min(max(int(k), 1), 50) if re.fullmatch("[0-9]{1,3}", k) else 1,
        drop=drop,
    )


def _filters(ask: Asked) -> dict[str, Any]:
    return {
        "section": "flow",
        "question": ask.question,
        "query": ask.query,
        "windows": WINDOWS,
        "personas": PERSONAS,
    }
