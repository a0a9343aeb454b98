"""The ledger as people read it: who did what to which, when, what it was before and after."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

from personas.ledger import Break, verify_stream
from personas.models import Event, Stream
from pipelines.runs.models import Run
from pipelines.usecases.models import UseCase

PER_PAGE = 50


@dataclass(frozen=True)
class Wanted:
    """What somebody looks for: a stream, a kind of event ("gate" or "gate.approve"), a person."""

    stream: str = ""
    type: str = ""
    person: str = ""
    page: int = 1


@dataclass(frozen=True)
class Line:
    """One event, with what its stream is called."""

    event: Event
    stream: str
    noun: str
    pk: str


@dataclass(frozen=True)
class LedgerView:
    """One page of events."""

    page: Page  # type: ignore[type-arg]
    lines: tuple[Line, ...]


def ledger(events: QuerySet[Event], wanted: Wanted) -> LedgerView:
    """Return a page of what is wanted out of the events the person may read; four queries."""
    rows = events
    if wanted.type:
        rows = rows.filter(type__startswith=wanted.type)
    if wanted.person:
        rows = rows.filter(actor_name__icontains=wanted.person)
    page = Paginator(rows, PER_PAGE).get_page(wanted.page)
    found = list(page.object_list)
    titles = _titles(event.stream for event in found)
    return LedgerView(page, tuple(_line(event, titles) for event in found))


def _titles(streams: Iterable[Stream]) -> dict[tuple[str, str], tuple[str, str, str]]:
    """What the streams are called, with the page that shows them: (title, noun, key)."""
    keys: dict[str, set[int]] = {"run": set(), "use_case": set()}
    for stream in streams:
        if stream.kind in keys and stream.key.isdecimal():
            keys[stream.kind].add(int(stream.key))
    titles: dict[tuple[str, str], tuple[str, str, str]] = {}
    for run in Run.objects.filter(pk__in=keys["run"]).select_related("use_case"):
        titles["run", str(run.pk)] = (f"{run.use_case.title}, {run.label}", "run", str(run.pk))
    for use_case in UseCase.objects.filter(pk__in=keys["use_case"]):
        titles["use_case", str(use_case.pk)] = (use_case.title, "use_case", use_case.key)
    return titles


def _line(event: Event, titles: dict[tuple[str, str], tuple[str, str, str]]) -> Line:
    name = (event.stream.kind, event.stream.key)
    title, noun, key = titles.get(name, (str(event.stream).replace("_", " "), "", ""))
    return Line(event, title, noun, key)


def broken_row(stream: Stream) -> Break | None:
    """Recompute one stream's chain; return its first broken row, or None where it holds."""
    return verify_stream(stream)
