"""Model development: Model1 to Model7. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from pipelines.readiness.correlation import FEWEST, critical, spearman
from pipelines.readiness.evidence import Evidence
from pipelines.readiness.rules.findings import (
    ALWAYS,
    FULL,
    HALF,
    ONCE,
    REPEATED,
    STATED,
    Finding,
    Rule,
    checked,
    chosen,
    computed,
    nothing,
    red,
    stated,
)

# Metrics of which less is better; of all others more is.
LOWER: Final = frozenset(
    {"log_loss", "brier", "mae", "rmse", "mse", "mape", "wape", "smape", "mase", "pinball", "loss"}
)
SCREENED: Final = (
    ("selection_rates_equal", "error_rates_equal"),
    ("group_bias_equal", "group_errors_equal"),
)
FAIR: Final = checked(*SCREENED, by=("screen_fairness",))
SLICES: Final = checked(
    ("slices_hold",), ("injected_recall",), by=("evaluate_slices", "judge_anomalies")
)


def _reviewed(evidence: Evidence) -> Finding:
    """Model1: the plan has a digest, and others than the author approved what it made.

    Automated at every use: no run goes past the gate, and the database refuses its own author.
    """
    if not evidence.blueprint:
        return nothing("There is no run yet.")
    if not evidence.reviewers:
        text = f"Versioned as {evidence.blueprint}; nobody has approved an evaluation."
        return Finding(HALF, text, ONCE, "run", evidence.run)
    text = f"{evidence.blueprint}; approved by {', '.join(evidence.reviewers)}, not its author."
    return Finding(FULL, text, ALWAYS, "gate", evidence.review, times=len(evidence.reviewers))


def _correlates(evidence: Evidence) -> Finding:
    """Model2: rank correlation of the metric at release with the KPI reported after it."""
    reported = [one for one in evidence.releases if one.kpi is not None]
    pairs = [(one.offline, one.kpi) for one in reported if one.offline is not None]
    known = f"{len(reported)} of {FEWEST} releases have a reported KPI"
    if len(pairs) < FEWEST:
        if not reported:
            return nothing(f"{known}.")
        return stated(f"{known}: the last is {reported[-1].kpi:g}.", evidence)
    metric = str(evidence.said("metric") or "metric")
    sign = _direction(evidence, metric)
    rho = spearman([sign * float(a) for a, _ in pairs], [float(b or 0.0) for _, b in pairs])
    if rho is None:
        return stated(f"{known}, but they are all alike: nothing can be told.", evidence)
    needed = critical(len(pairs))
    text = f"Spearman of {metric} and the KPI over {len(pairs)} releases: {rho:+.2f}"
    if rho <= 0:
        return red(f"{text}: a better metric did not bring a better KPI.", evidence)
    if rho < needed:
        text = f"{text}; chance alone reaches {needed:.2f} in 1 of 20 cases."
        return Finding(HALF, text, ONCE, "run", evidence.run, times=len(pairs))
    text = f"{text}, beyond what chance reaches in 1 of 20 cases ({needed:.2f})."
    return Finding(FULL, text, REPEATED, "run", evidence.run, times=len(pairs))


def _direction(evidence: Evidence, metric: str) -> int:
    """Whether a better metric is the larger one, and so for the KPI, by the brief."""
    brief = next(
        (data for data in evidence.facts.values() if "kpi_target" in data and "kpi_now" in data), {}
    )
    target, now = brief.get("kpi_target"), brief.get("kpi_now")
    falls = isinstance(target, int | float) and isinstance(now, int | float) and target < now
    return (-1 if metric in LOWER else 1) * (-1 if falls else 1)


def _stale_curve(evidence: Evidence) -> Finding:
    """Model4: a curve of score by age."""
    found = evidence.fact("half_life_days")
    if not found or found.get("aged") is False:
        return nothing("Nobody knows how fast it ages.")
    days = found["half_life_days"]
    none = f"No decay is shown within {found.get('oldest_days')} days."
    text = f"Half-life {days} days." if days is not None else none
    return computed(text, evidence, "age_model")


def _inclusion(evidence: Evidence) -> Finding:
    """Model7: computed rates or errors by group, else a statement of who could be harmed."""
    known = [
        evidence.checks[name].verdict
        for name in chosen(evidence, SCREENED)
        if name in evidence.checks
    ]
    if "fail" in known or (known and "insufficient" not in known):
        return FAIR(evidence)
    ethics: Any = evidence.said("ethics")
    if ethics:
        return Finding(HALF, f"Stated: {ethics}", STATED, "run", evidence.run)
    if "pass" in known:
        return FAIR(evidence)
    return nothing("Nobody stated who could be harmed.")


RULES: Final[Mapping[str, Rule]] = {
    "Model1": _reviewed,
    "Model2": _correlates,
    "Model3": checked(
        ("search_logged",), ("clusterings_compared",), ("detectors_compared",),
        by=("search_candidate", "select_clusters", "select_anomalies"),
    ),
    "Model4": _stale_curve,
    "Model5": checked(
        ("three_families", "beats_baseline"), ("clusters_beat_chance",), ("detector_beats_rule",),
        by=("select_candidate", "select_clusters", "select_anomalies"),
    ),
    "Model6": SLICES,
    "Model7": _inclusion,
}  # fmt: skip
