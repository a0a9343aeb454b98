"""The charts of flow: what the queries answer in, figures with their sentences out."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pipelines.charts.figure import NAME, TIME, Axis, Figure, Limit, Value, Words
from pipelines.charts.kinds import dots, line, points, stacked
from pipelines.insights.answers import CumulativeFlows
from pipelines.insights.flow.ageing import Ageing
from pipelines.insights.flow.calibration import Calibration
from pipelines.insights.flow.measures import Expectation, Throughput
from pipelines.insights.flow.records import DAY, StageVisit
from portal.web.tags import spell, words

MOST_DAYS: Final = 31  # of a cumulative flow: each day, or as many apart as it takes
MOST_POINTS: Final = 300  # of a scatter; the newest
WEEK: Final = 7
# A band for each stage: eight series, then hues that stay apart from their neighbours.
BANDS: Final = (
    *(f"var(--chart-{number})" for number in range(1, 9)),
    "var(--swe)", "var(--ops)", "var(--de)", "var(--mlr)",
)  # fmt: skip


def days_of(length: timedelta | None) -> float | None:
    """Return a length in days, to a hundredth."""
    return None if length is None else round(length / DAY, 2)


def stage_name(key: str) -> str:
    """Return a stage as people write it."""
    return words(key).capitalize()


def cumulative_figure(view: CumulativeFlows | None) -> Figure | None:
    """How many runs stood in each stage by each day; what is done lies below."""
    if view is None or not view.flow.n or not view.flow.days:
        return None
    found = view.flow
    last = len(found.days) - 1
    step = -(-len(found.days) // MOST_DAYS)
    kept = list(range(last % step, last + 1, step))
    done = _("done")
    bands = [band for band in reversed(found.bands) if any(band.wip)]
    values = [Value(_day(found.days[n]), found.left[n], series=done) for n in kept]
    for band in bands:
        name = stage_name(band.stage)
        values += [Value(_day(found.days[n]), max(band.wip[n], 0), series=name) for n in kept]
    widest = max(bands, key=lambda band: band.wip[last], default=None)
    text = ngettext(
        "%(n)s run in all; %(done)s done.", "%(n)s runs in all; %(done)s done.", found.n
    ) % {"n": found.n, "done": found.left[last]}
    if widest is not None and widest.wip[last]:
        text += " " + _("Most stand in %(stage)s now: %(count)s.") % {
            "stage": stage_name(widest.stage),
            "count": widest.wip[last],
        }
    said = Words("cumulative", _("Runs by the stage they stand in"), text, series=_("stage"))
    order = [done, *(stage_name(band.stage) for band in bands)]
    figure = stacked(said, values, x=Axis(_("day"), kind=TIME), y=Axis(_("runs")), order=order)
    return _coloured(figure, order)


def _coloured(figure: Figure, order: Sequence[str]) -> Figure:
    """Give each of up to thirteen bands a colour of its own; what is done is grey."""
    colours = ["var(--line-strong)", *(BANDS[n % len(BANDS)] for n in range(len(order) - 1))]
    spec: dict[str, Any] = {**figure.spec}
    encoding = {**spec["encoding"]}
    encoding["color"] = {
        **encoding["color"], "scale": {"domain": [*order], "range": colours},
    }  # fmt: skip
    return replace(figure, spec={**spec, "encoding": encoding})


def ageing_figure(ageing: Ageing) -> Figure | None:
    """What is open, each a dot over what half and 95 % of its stage's kind took, 85 % marked."""
    if not ageing.open:
        return None
    shown = sorted(ageing.open[:MOST_POINTS], key=lambda one: (one.visit.position, one.age))
    levels = {"": _("within"), "amber": _("over 85 %"), "red": _("over 95 %")}
    values = [
        Value(
            stage_name(one.visit.stage),
            days_of(one.age),
            days_of(one.expected.p50),
            days_of(one.expected.p95),
            series=levels[one.level],
            note=one.visit.use_case,
            limit=days_of(one.expected.p85),
        )
        for one in shown
    ]
    text = ngettext(
        "%(n)s round is open; %(late)s lasted longer than 85 %% of its kind, %(red)s longer than"
        " 95 %%.",
        "%(n)s rounds are open; %(late)s lasted longer than 85 %% of their kind, %(red)s longer"
        " than 95 %%.",
        ageing.n,
    ) % {"n": ageing.n, "late": ageing.amber + ageing.red, "red": ageing.red}
    text += " " + _("The line goes from what half took to what 95 % took; the mark on it is 85 %.")
    said = Words(
        "ageing",
        _("Age of what is open, by stage"),
        text,
        bounds=(_("50 %"), _("95 %")),
        limit=_("85 %"),
        series=_("against expectation"),
        note=_("use case"),
    )
    x, y = Axis(_("stage"), kind=NAME), Axis(_("age"), unit=_("days"), low=0)
    return _marked(dots(said, values, x=x, y=y), [*levels.values()])


def _marked(figure: Figure, levels: Sequence[str]) -> Figure:
    """Colour dots by their level, draw ranges calm, and mark each range's limit."""
    spec: dict[str, Any] = {**figure.spec}
    colours = {"domain": [*levels], "range": ["var(--chart-1)", "var(--warn)", "var(--bad)"]}
    *behind, last = spec["layer"]
    marks = {**last}
    marks["encoding"] = {
        **marks["encoding"],
        "color": {"field": "series", "type": "nominal", "title": None, "scale": colours},
    }
    if not behind:
        return replace(figure, spec={**spec, "layer": [marks]})
    ranges = {**behind[0]}
    ranges["mark"] = {**ranges["mark"], "strokeWidth": 6, "color": "var(--surface-3)"}
    places = ranges["encoding"]
    limit: Any = {
        "mark": {"type": "tick", "thickness": 2, "size": 14, "color": "var(--ink-3)"},
        "encoding": {"y": places["y"], "x": {**places["x"], "field": "limit"}},
    }
    return replace(figure, spec={**spec, "layer": [ranges, limit, marks]})


def throughput_figure(found: Throughput, *, title: str) -> Figure | None:
    """What was finished, week by week, counted back from now."""
    weeks = len(found.counts) // WEEK
    if not found.n or not weeks:
        return None
    first = len(found.counts) - weeks * WEEK
    values = [
        Value(_day(found.days[at]), sum(found.counts[at : at + WEEK]))
        for at in range(first, len(found.counts), WEEK)
    ]
    text = _("%(n)s finished, %(rate)s a week on average.") % {
        "n": found.n,
        "rate": f"{found.per_day * WEEK:.1f}",
    }
    x = Axis(_("week from"), kind=TIME)
    return line(Words("throughput", title, text), values, x=x, y=Axis(_("finished"), low=0))


def scatter_figure(visits: Sequence[StageVisit], expectation: Expectation) -> Figure | None:
    """How long each round took, by when it ended, against the expectation."""
    shown = visits[:MOST_POINTS]
    if not shown or expectation.within is None:
        return None
    within = days_of(expectation.within) or 0.0
    values = [
        Value(
            (one.finished or one.started).isoformat(timespec="minutes"),
            days_of(one.cycle),
            note=f"{stage_name(one.stage)}, {one.use_case}",
        )
        for one in reversed(shown)
    ]
    text = _("85 %% of rounds were done within %(within)s.") % {"within": spell(expectation.within)}
    if len(visits) > len(shown):
        text += " " + _("Shown are the newest %(most)s.") % {"most": MOST_POINTS}
    said = Words("cycle", _("Cycle time of each round of a stage"), text, note=_("round"))
    limits = [Limit(within, _("85 %"))]
    y = Axis(_("cycle time"), unit=_("days"))
    return points(said, values, x=Axis(_("ended"), kind=TIME), y=y, limits=limits)


def calibration_figure(found: Calibration) -> Figure | None:
    """What was forecast when each run began, from even chance to 85 %, and what came."""
    if not found.forecasts:
        return None
    values = [
        Value(
            f"{one.use_case}, {one.label}",
            days_of(one.actual),
            days_of(one.forecast.p50),
            days_of(one.forecast.p85),
        )
        for one in found.forecasts
    ]
    text = _(
        "Of %(n)s runs %(held)s were done by the date that should hold in 85 of 100, and %(half)s"
        " by the one that should hold in 50."
    ) % {"n": found.n, "held": found.held85.count, "half": found.held50.count}
    said = Words(
        "calibration",
        _("What was forecast, and what came"),
        text,
        bounds=(_("50 % forecast"), _("85 % forecast")),
    )
    return dots(said, values, x=Axis(_("run"), kind=NAME), y=Axis(_("took"), unit=_("days")))


def _day(at: datetime) -> str:
    return at.isoformat(timespec="minutes")
