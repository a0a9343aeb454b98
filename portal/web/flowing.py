"""What the page of flow says: its sentences, the cells of its matrix, what its parts show."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pipelines.insights.answers import WaitingFlow
from pipelines.insights.flow.hand_offs import HandOffMatrix, HandOffPair
from pipelines.insights.flow.looks import ReturnedPair
from pipelines.insights.overview import Outlook, Overview, Times
from portal.web import flow_figures
from portal.web.flow_figures import cumulative_figure, stage_name
from portal.web.tags import money, spell, words

__all__ = [
    "ageing_shown",
    "cells_of",
    "cumulative_figure",
    "forecast_shown",
    "sentences",
    "switch_of",
    "times_shown",
    "waiting_shown",
]

Switch = Literal["wait", "volume", "returns"]
SWITCHES: Final = (
    ("wait", gettext_lazy("Wait")),
    ("volume", gettext_lazy("Volume")),
    ("returns", gettext_lazy("Returns")),
)
SHADES: Final = 6  # --heat-1 to --heat-6
MOST_ROWS: Final = 50  # of a part's table; the file has all


@dataclass(frozen=True)
class Sentence:
    """One thing to look at, with where its records are; `tone` says whether it is bad."""

    what: str
    text: str
    href: str
    label: str
    tone: str = "calm"


@dataclass(frozen=True)
class MatrixCell:
    """One giver and receiver: what is written, how strong its shade is, and where it leads."""

    giver: str
    receiver: str
    text: str
    shade: int
    href: str
    label: str


@dataclass(frozen=True)
class MatrixRow:
    """One giver's cells."""

    giver: str
    cells: tuple[MatrixCell, ...]


@dataclass(frozen=True)
class Matrix:
    """The matrix as it is shown by one of its three measures."""

    shown: Switch
    switches: tuple[tuple[str, Any], ...]
    personas: tuple[str, ...]
    rows: tuple[MatrixRow, ...]


def switch_of(value: str) -> Switch:
    """Return the measure that the matrix shows; the wait where none is named."""
    return "volume" if value == "volume" else "returns" if value == "returns" else "wait"


def on(at: datetime | None) -> str:
    """Return a date as the reader writes it."""
    return date_format(timezone.localtime(at), "j M Y") if at is not None else ""


def records_at(kind: str, query: str, **by: str) -> str:
    """Return where the records of a figure are."""
    return f"{reverse('web:flow_records', args=[kind])}?{urlencode(by)}&{query}"


def sentences(view: Overview, query: str) -> list[Sentence]:
    """Return what to look at first: the longest wait, what comes back, what is late, the money,
    the forecast, and a review that is worth a thought.
    """
    found = (_slowest, _returned, _oldest, _costs, _forecast, _gate)
    told = (each(view, query) for each in found)
    return [one for one in told if one is not None]


def _slowest(view: Overview, query: str) -> Sentence | None:
    pair = view.looks.slowest
    if pair is None:
        return None
    text = _(
        "Hand-offs from %(giver)s to %(receiver)s wait longest for an answer: half of them more"
        " than %(p50)s, 15 in 100 more than %(p85)s (%(n)s accepted)."
    ) % {
        **_people(view, pair),
        "p50": spell(pair.wait.p50),
        "p85": spell(pair.wait.p85),
        "n": pair.wait.n,
    }
    href = records_at("hand-offs", query, giver=pair.giver, receiver=pair.receiver)
    return Sentence(_("Longest wait"), text, href, _("These hand-offs"), "warn")


def _returned(view: Overview, query: str) -> Sentence | None:
    pair = view.looks.returned
    if pair is None:
        return None
    text = ngettext(
        "Most comes back from %(giver)s to %(receiver)s: %(n)s time, most often for the reason"
        " \u201c%(reason)s\u201d (%(of)s).",
        "Most comes back from %(giver)s to %(receiver)s: %(n)s times, most often for the reason"
        " \u201c%(reason)s\u201d (%(of)s).",
        pair.n,
    ) % {
        **_people(view, pair),
        "n": pair.n,
        "of": pair.of_code,
        "reason": words(pair.code) or _("none given"),
    }
    href = records_at("returns", query, giver=pair.giver, receiver=pair.receiver)
    return Sentence(_("Comes back"), text, href, _("These returns"), "warn")


def _people(view: Overview, pair: HandOffPair | ReturnedPair) -> dict[str, str]:
    names = dict(view.personas)
    return {
        "giver": names.get(pair.giver, pair.giver),
        "receiver": names.get(pair.receiver, pair.receiver),
    }


def _oldest(view: Overview, query: str) -> Sentence | None:
    one = view.looks.oldest
    if one is None:
        if not view.ageing.n:
            return None
        text = _("Nothing that is open has lasted longer than 85 in 100 of its kind did.")
        return Sentence(_("Late"), text, "#ageing", _("What is open"), "good")
    title = dict(view.use_cases).get(one.visit.use_case, one.visit.use_case)
    text = _(
        "%(stage)s of \u201c%(use_case)s\u201d is furthest above expectation: open for %(age)s,"
        " while 85 in 100 of its kind took at most %(p85)s."
    ) % {
        "stage": stage_name(one.visit.stage),
        "use_case": _clipped(title),
        "age": spell(one.age),
        "p85": spell(one.expected.p85),
    }
    return Sentence(_("Late"), text, reverse("web:run", args=[one.visit.run]), _("This run"), "bad")


def _clipped(title: str) -> str:
    return title if len(title) <= 80 else f"{title[:79]}\u2026"


def _costs(view: Overview, query: str) -> Sentence | None:
    costs = view.looks.costs
    if not costs.n:
        return None
    href = f"{reverse('web:flow_part', args=['waiting'])}?{query}"
    days = {"waited": spell(costs.waited), "n": costs.n}
    if not costs.total:
        text = ngettext(
            "%(n)s run waited %(waited)s in all; its brief names no value.",
            "%(n)s runs waited %(waited)s in all; their briefs name no value.",
            costs.n,
        )
        text %= days
        return Sentence(_("Cost"), text, href, _("Run by run"))
    amounts = ", ".join(money(amount, currency) for currency, amount in costs.total)
    text = ngettext(
        "Waiting cost %(money)s: %(n)s run waited %(waited)s.",
        "Waiting cost %(money)s: %(n)s runs waited %(waited)s between them.",
        costs.n,
    ) % {**days, "money": amounts}
    return Sentence(_("Cost"), text, href, _("Run by run"), "warn")


def _forecast(view: Overview, query: str) -> Sentence | None:
    flow = view.summary
    if not flow.runs:
        return None
    href = f"{reverse('web:flow_part', args=['forecast'])}?{query}"
    p50, p85, _p95 = flow.finishing.dates(view.window.until)
    if p50 is None or p85 is None:
        text = ngettext(
            "%(n)s run is under way; too little was finished in this window to say when it will"
            " be done.",
            "%(n)s runs are under way; too little was finished in this window to say when they"
            " will be done.",
            flow.runs,
        ) % {"n": flow.runs}
        return Sentence(_("Forecast"), text, href, _("Forecasts"))
    text = ngettext(
        "%(n)s run is under way. At the pace of this window it is done by %(p50)s as likely as"
        " not, and with 85 %% chance by %(p85)s.",
        "%(n)s runs are under way. At the pace of this window the last of them is done by %(p50)s"
        " as likely as not, and with 85 %% chance by %(p85)s.",
        flow.runs,
    ) % {"n": flow.runs, "p50": on(p50), "p85": on(p85)}
    return Sentence(_("Forecast"), text, href, _("Use case by use case"))


def _gate(view: Overview, query: str) -> Sentence | None:
    gate = view.looks.gate
    if gate is None:
        return None
    text = _(
        "The review of %(stage)s stopped or sent back %(caught)s of %(n)s and took %(cost)s of"
        " waiting in all: a check could do its work."
    ) % {
        "stage": stage_name(gate.stage),
        "caught": gate.caught,
        "n": gate.n,
        "cost": spell(gate.cost),
    }
    href = records_at("gates", query, stage=gate.stage)
    return Sentence(_("Review"), text, href, _("These reviews"))


def cells_of(matrix: HandOffMatrix, shown: Switch, query: str) -> Matrix:
    """Return the matrix by one of its measures, each cell with its shade and its records."""
    known = {(pair.giver, pair.receiver): pair for pair in matrix.pairs}
    most = max((_amount(pair, shown) or 0.0 for pair in matrix.pairs), default=0.0)
    codes = tuple(dict.fromkeys([*matrix.personas, *(code for pair in known for code in pair)]))
    rows = tuple(
        MatrixRow(giver, tuple(_cell(giver, to, known.get((giver, to)), shown, most, query)
                               for to in codes))
        for giver in codes
    )  # fmt: skip
    return Matrix(shown, SWITCHES, codes, rows)


def _amount(pair: HandOffPair, shown: Switch) -> float | None:
    if shown == "wait":
        return pair.wait.p50.total_seconds() if pair.wait.p50 is not None else None
    return float(pair.n if shown == "volume" else pair.returned)


def _cell(
    giver: str, receiver: str, pair: HandOffPair | None, shown: Switch, most: float, query: str
) -> MatrixCell:
    if pair is None:
        return MatrixCell(giver, receiver, "", 0, "", "")
    amount = _amount(pair, shown)
    shade = min(SHADES, 1 + int(SHADES * amount / most)) if amount and most else 0
    text = spell(pair.wait.p50) if shown == "wait" else str(int(amount or 0))
    label = ngettext(
        "%(giver)s to %(receiver)s: %(n)s hand-off, half answered within %(p50)s, 85 in 100 within"
        " %(p85)s; %(returned)s returned.",
        "%(giver)s to %(receiver)s: %(n)s hand-offs, half answered within %(p50)s, 85 in 100"
        " within %(p85)s; %(returned)s returned.",
        pair.n,
    ) % {
        "giver": giver,
        "receiver": receiver,
        "n": pair.n,
        "p50": spell(pair.wait.p50),
        "p85": spell(pair.wait.p85),
        "returned": pair.returned,
    }
    href = records_at("hand-offs", query, giver=giver, receiver=receiver)
    return MatrixCell(giver, receiver, text, shade, href, label)


def ageing_shown(view: Any, query: str) -> Mapping[str, Any]:
    """Return what is late, with its picture."""
    found = view.ageing
    late = [one for one in found.open if one.level]
    return {
        "figure": flow_figures.ageing_figure(found),
        "late": late[:MOST_ROWS],
        "more": max(len(late) - MOST_ROWS, 0),
    }


def forecast_shown(view: Outlook, query: str) -> Mapping[str, Any]:
    """Return the dates, what the change does, and how past dates held."""
    found = view.forecast
    tried = found.what_if
    return {
        "rows": found.use_cases[:MOST_ROWS],
        "more": max(found.n - MOST_ROWS, 0),
        "tried": tried,
        "is_tried": tried is not None and tried.change != type(tried.change)(),
        "calibration": flow_figures.calibration_figure(found.calibration),
    }


def times_shown(view: Times, query: str) -> Mapping[str, Any]:
    """Return throughput, the scatter of cycle times, and why Little's law holds or not."""
    flow = view.summary
    return {
        "runs": flow_figures.throughput_figure(flow.throughput, title=_("Runs done, by week")),
        "cycle": flow_figures.scatter_figure(view.visits, flow.expectation),
    }


def waiting_shown(view: WaitingFlow, query: str) -> Mapping[str, Any]:
    """Return the dearest runs."""
    found = view.waiting
    kinds = {
        "hand_off": _("for a hand-off to be answered"),
        "owner": _("for somebody to take it"),
        "review": _("for a review"),
    }
    rows = [(one, kinds.get(one.worst_kind, "")) for one in found.runs[:MOST_ROWS]]
    return {"rows": rows, "more": max(found.n - MOST_ROWS, 0)}
