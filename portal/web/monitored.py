"""The figures of the monitor: what was watched in, charts with their sentences out."""

import math
from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pipelines.charts.figure import TIME, Axis, Figure, Limit, Value, Words
from pipelines.charts.kinds import line, multiples, points, stacked
from pipelines.monitoring.measured import SCORE, Drift, Quality, worst_first
from pipelines.monitoring.watching import Watching
from pipelines.serving.daily import Day

MOST_PANELS = 12
LEAST_PSI = 0.001  # the low end of the axis: nothing lies below it


def figures_of(view: Watching) -> dict[str, Figure | None]:
    """Return the figures by name; None where there is nothing to draw."""
    days = view.traffic.days
    return {
        "drift": _drift(view.drift),
        "answers": _answers(view.drift),
        "scores": _scores(days),
        "quality": _quality(view.quality),
        "labels": _labels(days),
        "worth": _worth(view.quality),
        "traffic": _traffic(days),
        "latency": _latency(days),
    }


def _drift(drift: Sequence[Drift]) -> Figure | None:
    """One panel for each feature, the worst first, against what the window's size asks for."""
    order = worst_first(drift)
    if not order:
        return None
    last = drift[-1].window
    beyond = sum(one.window == last and one.share > 1 and one.column != SCORE for one in drift)
    text = ngettext(
        "In the latest window (%(window)s, %(rows)s answers) %(beyond)s of %(count)s feature is"
        " beyond its limit.",
        "In the latest window (%(window)s, %(rows)s answers) %(beyond)s of %(count)s features are"
        " beyond their limit.",
        len(order),
    ) % {
        "window": last.label,
        "rows": f"{last.rows:,}",
        "beyond": beyond,
        "count": len(order),
    }
    if len(order) > MOST_PANELS:
        text += " " + _("Shown are the worst %(most)s.") % {"most": MOST_PANELS}
    shown = order[:MOST_PANELS]
    rank = {column: place for place, column in enumerate(shown)}
    kept = sorted(
        (one for one in drift if one.column in rank),
        key=lambda one: (rank[one.column], one.window.until),
    )
    words = Words(
        "drift",
        _("Drift of the inputs, by feature"),
        text,
        series=_("feature"),
        note=_("window"),
        limit=_("limit"),
    )
    values = [_psi(one, series=one.column) for one in kept]
    return multiples(words, values, x=_until(), y=_psi_axis(kept))


def _answers(drift: Sequence[Drift]) -> Figure | None:
    """How far the model's own answers have moved from those it was judged on."""
    found = [one for one in drift if one.column == SCORE]
    if not found:
        return None
    last = found[-1]
    said = (
        _("beyond the limit of %(limit)s") if last.share > 1 else _("within the limit of %(limit)s")
    ) % {"limit": f"{last.limit:.2f}"}
    text = _("The latest window's scores have a PSI of %(psi)s, %(said)s.") % {
        "psi": f"{last.psi:.2f}",
        "said": said,
    }
    words = Words("answers", _("Drift of the answers"), text, note=_("window"), limit=_("limit"))
    return line(words, [_psi(one) for one in found], x=_until(), y=_psi_axis(found))


def _psi(one: Drift, *, series: str = "") -> Value:
    return Value(
        one.window.until.isoformat(), one.psi, series=series, note=one.window.label, limit=one.limit
    )


def _psi_axis(drift: Sequence[Drift]) -> Axis:
    """From as good as nothing up to the decade above the largest."""
    most = max((max(one.psi, one.limit) for one in drift), default=1.0)
    high = 10.0 ** math.ceil(math.log10(max(most, 1.0)))
    return Axis(_("PSI"), low=LEAST_PSI, high=high, is_log=True, format="~g")


def _until() -> Axis:
    return Axis(_("window until"), kind=TIME)


def _scores(days: Sequence[Day]) -> Figure | None:
    """The mean score of each day."""
    known = [day for day in days if day.mean_score is not None]
    if not known:
        return None
    last = known[-1].mean_score or 0.0
    means = [day.mean_score or 0.0 for day in known]
    text = _("On the latest day it was %(last)s; over the days shown %(least)s to %(most)s.") % {
        "last": f"{last:.3f}",
        "least": f"{min(means):.3f}",
        "most": f"{max(means):.3f}",
    }
    words = Words("scores", _("Mean score by day"), text)
    values = [Value(day.day.isoformat(), day.mean_score) for day in known]
    return line(words, values, x=_day(), y=Axis(_("mean score")))


def _quality(quality: Sequence[Quality]) -> Figure | None:
    """The metric on late labels, window by window, against its control limit."""
    known = [one for one in quality if one.value is not None]
    if not known:
        return None
    last = known[-1]
    name = last.metric.replace("_", " ")
    text = _("%(metric)s was %(value)s (%(low)s to %(high)s) in the latest window") % {
        "metric": name,
        "value": _said(last.value),
        "low": _said(last.low),
        "high": _said(last.high),
    }
    if last.control is not None:
        text += ", " + _("with a control limit of %(limit)s") % {"limit": _said(last.control)}
    text += ". " + _("%(missing)s of its %(rows)s answers had no outcome yet.") % {
        "missing": f"{last.missing:,}",
        "rows": f"{last.window.rows:,}",
    }
    words = Words(
        "quality",
        _("Quality on late labels"),
        text,
        bounds=(_("low"), _("high")),
        note=_("window"),
        limit=_("control limit"),
    )
    values = [
        Value(
            one.window.until.isoformat(),
            one.value,
            one.low,
            one.high,
            note=_("%(window)s: %(labelled)s of %(rows)s known")
            % {
                "window": one.window.label,
                "labelled": f"{one.labelled:,}",
                "rows": f"{one.window.rows:,}",
            },
            limit=one.control,
        )
        for one in known
        if one.metric == last.metric
    ]
    limits = []
    if last.reference is not None:
        limits.append(Limit(last.reference, _("when approved"), tone="calm"))
    return points(words, values, x=_until(), y=Axis(name, has_zero=False), limits=limits)


def _said(value: float | None) -> str:
    return "\u2013" if value is None else f"{value:.3f}"


def _labels(days: Sequence[Day]) -> Figure | None:
    """Answers by day, with those whose outcome is still missing."""
    if not any(day.by_model for day in days):
        return None
    known, missing = _("outcome known"), _("outcome missing")
    total = sum(day.by_model for day in days)
    lacking = sum(day.unlabelled for day in days)
    text = _("%(missing)s of %(total)s answers have no outcome yet (%(share)s %%).") % {
        "missing": f"{lacking:,}",
        "total": f"{total:,}",
        "share": f"{100 * lacking / total:.0f}",
    }
    words = Words("labels", _("Outcomes by day"), text, series=_("outcome"))
    values = [
        Value(day.day.isoformat(), count, series=name)
        for name, counted in ((known, "labelled"), (missing, "unlabelled"))
        for day in days
        if (count := getattr(day, counted)) is not None
    ]
    return stacked(words, values, x=_day(), y=Axis(_("answers")), order=(known, missing))


def _worth(quality: Sequence[Quality]) -> Figure | None:
    """What the answers were worth, window by window."""
    known = [one for one in quality if one.worth is not None]
    if not known:
        return None
    last = known[-1]
    text = _("In the latest window 1,000 answers were worth %(worth)s %(currency)s") % {
        "worth": f"{last.worth or 0:,.0f}",
        "currency": last.currency,
    }
    if last.worth_low is not None and last.worth_high is not None:
        text = (
            text.strip()
            + " "
            + _("(%(low)s to %(high)s)")
            % {
                "low": f"{last.worth_low:,.0f}",
                "high": f"{last.worth_high:,.0f}",
            }
        )
    words = Words(
        "worth",
        _("Worth of 1,000 answers"),
        f"{text.strip()}.",
        bounds=(_("low"), _("high")),
        note=_("window"),
    )
    values = [
        Value(
            one.window.until.isoformat(),
            one.worth,
            one.worth_low,
            one.worth_high,
            note=one.window.label,
        )
        for one in known
    ]
    nothing = [Limit(0.0, _("worth nothing"), tone="calm")]
    axis = Axis(_("worth"), unit=last.currency, format=",.0f")
    return points(words, values, x=_until(), y=axis, limits=nothing)


def _traffic(days: Sequence[Day]) -> Figure | None:
    """Who answered, by day."""
    if not days:
        return None
    model, fallback = _("by the model"), _("by the fallback")
    total, failed = sum(day.rows for day in days), sum(day.failed for day in days)
    text = _(
        "%(total)s answers in %(days)s days, %(fallback)s of them by the fallback;"
        " %(failed)s failed."
    ) % {
        "total": f"{total:,}",
        "days": len(days),
        "fallback": f"{sum(day.by_fallback for day in days):,}",
        "failed": f"{failed:,}",
    }
    words = Words("traffic", _("Answers by day"), text, series=_("who"))
    values = [
        Value(day.day.isoformat(), count, series=name)
        for name, counted in ((model, "by_model"), (fallback, "by_fallback"))
        for day in days
        if (count := getattr(day, counted)) is not None
    ]
    return stacked(words, values, x=_day(), y=Axis(_("answers")), order=(model, fallback))


def _latency(days: Sequence[Day]) -> Figure | None:
    """How long a request took in the server, by day: half of them, and all but one in twenty."""
    known = [day for day in days if day.p50_seconds is not None and day.p95_seconds is not None]
    if not known:
        return None
    last = known[-1]
    text = _("On the latest day half took up to %(p50)s ms, and 95 %% up to %(p95)s ms.") % {
        "p50": f"{1000 * (last.p50_seconds or 0):.0f}",
        "p95": f"{1000 * (last.p95_seconds or 0):.0f}",
    }
    words = Words("latency", _("Latency by day"), text, series=_("share of requests"))
    values = [
        Value(day.day.isoformat(), round(1000 * seconds, 1), series=name)
        for name, taken in ((_("50 %"), "p50_seconds"), (_("95 %"), "p95_seconds"))
        for day in known
        if (seconds := getattr(day, taken)) is not None
    ]
    return line(words, values, x=_day(), y=Axis(_("latency"), unit="ms", low=0))


def _day() -> Axis:
    return Axis(_("day of the event"), kind=TIME)
