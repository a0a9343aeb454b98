"""The review's curves: what an evaluation measured in, figures with their sentences out."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _

from pipelines.charts.figure import Axis, Figure, Value, Words
from pipelines.charts.kinds import line
from pipelines.charts.squares import calibration as against_diagonal
from pipelines.charts.squares import pr as pr_figure
from pipelines.charts.squares import roc as roc_figure

Rows = Sequence[Mapping[str, Any]]
CERTAIN: Final = 1.96  # standard deviations of a 95 % interval (statistics)


def plots_of(curves: Mapping[str, Any], ageing: Mapping[str, Any]) -> tuple[Figure, ...]:
    """Return the figures of an evaluation, and of how fast its model ages: those there are."""
    facts = curves.get("facts") or {}
    found = (
        roc(curves.get("roc") or []),
        pr(curves.get("pr") or [], facts.get("positive_share")),
        calibration((facts.get("calibration") or {}).get("bins") or []),
        aged(ageing.get("curve") or [], str(ageing.get("metric") or "")),
        outcomes(facts.get("bias_bins") or []),
    )
    return tuple(figure for figure in found if figure is not None)


def roc(curve: Rows) -> Figure | None:
    """Return the ROC curve; None where there is none."""
    found = _pairs(curve, "fpr", "tpr")
    if len(found) < 2:
        return None
    near = min(found, key=lambda pair: abs(pair[0] - 0.2))
    text = _(
        "ROC curve: where %(flagged)s of the others are flagged, %(caught)s of the positive are"
        " caught. The dashed line is chance."
    ) % {"flagged": _percent(near[0]), "caught": _percent(near[1])}
    words = Words("roc", _("Who is caught, and at which price"), text)
    x = Axis(_("share of the others flagged"), low=0, high=1)
    return roc_figure(words, found, x=x, y=Axis(_("share of the positive caught"), low=0, high=1))


def pr(curve: Rows, positive_share: Any) -> Figure | None:
    """Return the precision-recall curve; None where there is none."""
    found = _pairs(curve, "recall", "precision")
    if len(found) < 2:
        return None
    near = min(found, key=lambda pair: abs(pair[0] - 0.5))
    base = float(positive_share) if is_number(positive_share) else found[-1][1]
    text = _(
        "Precision and recall: where %(caught)s of the positive are caught, %(right)s of those"
        " flagged are positive; chance would find %(chance)s."
    ) % {"caught": _percent(near[0]), "right": _percent(near[1]), "chance": _percent(base)}
    words = Words("pr", _("How many of those flagged are right"), text)
    x = Axis(_("share of the positive caught"), low=0, high=1)
    y = Axis(_("share of the flagged that is positive"), low=0, high=1)
    return pr_figure(words, found, x=x, y=y, base=base)


def calibration(bins: Rows) -> Figure | None:
    """Return mean scores against what came true, with where exact scores would lie by chance."""
    rows = [row for row in bins if is_number(row.get("mean_score")) and is_number(row.get("share"))]
    if len(rows) < 2:
        return None
    over = sum(row["mean_score"] > row["share"] for row in rows)
    text = _(
        "Calibration in %(groups)s groups of rows: in %(over)s of them scores promise more than"
        " came true. On the dashed line they would be exact; the band is chance."
    ) % {"groups": len(rows), "over": over}
    words = Words(
        "calibration",
        _("Do scores mean what they say?"),
        text,
        bounds=(_("low"), _("high")),
        note=_("rows"),
    )
    values = [
        Value(
            row["mean_score"],
            row["share"],
            _known(row.get("low"), row["share"]),
            _known(row.get("high"), row["share"]),
            note=f"{row.get('rows', 0):,}",
        )
        for row in rows
    ]
    x, y = Axis(_("mean score"), low=0), Axis(_("share that came true"), low=0)
    return against_diagonal(words, values, x=x, y=y, noise=[_chance(row) for row in rows])


def _chance(row: Mapping[str, Any]) -> Value:
    """The 95 % interval of a group's share, were its mean score exact (normal approximation)."""
    score, count = min(max(float(row["mean_score"]), 0.0), 1.0), row.get("rows") or 1
    spread = CERTAIN * math.sqrt(score * (1 - score) / count)
    return Value(score, None, max(score - spread, 0.0), min(score + spread, 1.0))


def outcomes(bins: Rows) -> Figure | None:
    """Return a number's tenths: mean prediction against the mean that came out."""
    names = ("mean_prediction", "mean_truth", "bias", "low", "high")
    rows = [row for row in bins if all(is_number(row.get(name)) for name in names)]
    if len(rows) < 2:
        return None
    above = sum(row["mean_prediction"] > row["mean_truth"] for row in rows)
    text = _(
        "Predictions in %(groups)s groups of rows: in %(above)s of them they are higher than what"
        " came out. On the dashed line they would be exact."
    ) % {"groups": len(rows), "above": above}
    words = Words(
        "outcomes", _("Do predictions come out?"), text, bounds=(_("low"), _("high")),
        note=_("rows"),
    )  # fmt: skip
    values = [
        # the interval is of prediction less outcome, so it turns over around the outcome
        Value(
            row["mean_prediction"],
            row["mean_truth"],
            row["mean_prediction"] - row["high"],
            row["mean_prediction"] - row["low"],
            note=f"{row.get('rows', 0):,}",
        )
        for row in rows
    ]
    x, y = Axis(_("mean prediction"), has_zero=False), Axis(_("mean outcome"), has_zero=False)
    return against_diagonal(words, values, x=x, y=y)


def aged(curve: Rows, metric: str) -> Figure | None:
    """Return the staleness curve: score by age of what was learned; None for no curve."""
    rows = [row for row in curve if is_number(row.get("age_days")) and is_number(row.get("value"))]
    if len(rows) < 2:
        return None
    text = _(
        "Fresh it scores %(first)s, at %(days)s days %(last)s: the same later rows, models of ever"
        " older windows."
    ) % {
        "first": f"{rows[0]['value']:.4f}",
        "days": f"{rows[-1]['age_days']:.0f}",
        "last": f"{rows[-1]['value']:.4f}",
    }
    words = Words("ageing", _("How fast does it age?"), text, bounds=(_("low"), _("high")))
    values = [
        Value(
            row["age_days"],
            row["value"],
            _known(row.get("value_low"), row["value"]),
            _known(row.get("value_high"), row["value"]),
        )
        for row in rows
    ]
    x = Axis(_("age of what it learned"), unit=_("days"))
    return line(words, values, x=x, y=Axis(metric.replace("_", " "), has_zero=False))


def is_number(value: Any) -> bool:
    """Whether a value of a document is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _known(value: Any, otherwise: float) -> float:
    return float(value) if is_number(value) else otherwise


def _pairs(curve: Rows, x: str, y: str) -> list[tuple[float, float]]:
    pairs = [(row.get(x), row.get(y)) for row in curve]
    return [(float(a), float(b)) for a, b in pairs if is_number(a) and is_number(b)]  # type: ignore[arg-type]


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
