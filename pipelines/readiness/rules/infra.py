"""Infrastructure: Infra1 to Infra7. Pure."""

from collections.abc import Mapping
from typing import Final

from pipelines.readiness.evidence import Evidence
from pipelines.readiness.rules.findings import (
    FULL,
    HALF,
    ONCE,
    REPEATED,
    STATED,
    TWICE,
    Finding,
    Rule,
    checked,
    computed,
    nothing,
    red,
)

REPORTED: Final = checked(("rollback_ready",), by=())
MEASURED: Final = checked(("rollback_drilled",), by=("read_drill",))
TRAINS: Final = ("search_candidate", "train_candidate", "select_clusters", "select_anomalies")


def _spec_tested(evidence: Evidence) -> Finding:
    """Infra2: whether training converged; that its code is unit tested, people have to sign.

    No step trains on a tiny sample or measures the coverage of training code: never more than half.
    """
    if evidence.elsewhere:
        return nothing("Not computed: trained elsewhere, so nobody here saw it converge.")
    trained = evidence.fact("converged", "family")
    if not trained:
        return nothing("Nothing has been trained yet, or training does not say how it ended.")
    if not trained.get("converged"):
        return red("Training did not converge.", evidence, *TRAINS)
    signed = evidence.attested.get("Infra2", ())
    told = f" Its unit tests, as {signed[0].who} signed: {signed[0].statement}" if signed else ""
    text = f"Training converged; no step trains on a tiny sample.{told}"
    return Finding(
        HALF, text, ONCE, "run", evidence.run, evidence.step(*TRAINS), evidence.times(*TRAINS)
    )


def _debuggable(evidence: Evidence) -> Finding:
    """Infra5: single rows with the contribution of each column, kept with their values."""
    rows = evidence.fact("examples", "orders").get("examples")
    count = len(rows) if isinstance(rows, list) else 0
    if count:
        text = f"{count} single rows are kept: raw values, score, contribution of each column."
        return computed(text, evidence, "explain_rows")
    worst = evidence.fact("worst_errors", "importance").get("worst_errors")
    if worst:
        text = f"The {worst} worst errors are kept with the contribution of each column."
        return computed(text, evidence, "explain_model")
    cases = evidence.fact("cases", "case_names").get("cases")
    if isinstance(cases, list) and cases:
        text = f"The {len(cases)} strangest rows are kept with what is far out in them."
        return computed(text, evidence, "judge_anomalies")
    return nothing("No single prediction has been explained.")


def _rollback(evidence: Evidence) -> Finding:
    """Infra7: drills that were measured, and real rollbacks; a reported drill is one time more."""
    measured = "rollback_drilled" in evidence.checks
    if measured and not evidence.live.rollbacks:
        return MEASURED(evidence)
    drill = (MEASURED if measured else REPORTED)(evidence)
    reported = drill.points > 0
    told = "; ".join(evidence.checks[one.label].summary for one in drill.sources)
    back = evidence.live.rollbacks
    if back:
        times = len(back) + reported
        often = "once" if len(back) == 1 else f"{len(back)} times"
        text = f"Rolled back for real {often}, last: {back[0]}."
        full = times >= TWICE
        more = f" {told}." if reported else " No drill is on record beside it."
        return Finding(
            FULL if full else HALF,
            f"{text}{more}",
            REPEATED if full else ONCE,
            "model",
            evidence.model,
            drill.sources,
            times,
        )
    if reported:
        text = f"{told}. Nobody has rolled back for real."
        return Finding(HALF, text, STATED, drill.noun, drill.pk, drill.sources)
    return drill


RULES: Final[Mapping[str, Rule]] = {
    "Infra1": checked(
        ("reproducible",), ("assignments_hold",),
        by=("retrain_clean", "refit_anomalies", "assign_clusters"),
    ),
    "Infra2": _spec_tested,
    "Infra3": checked(("loads_in_clean_environment", "golden_rows_equal"), by=("load_test",)),
    "Infra4": checked(
        ("target_met", "champion_beaten"), ("injected_recall", "detector_not_worse"),
        by=("compare_champion",),
    ),
    "Infra5": _debuggable,
    "Infra6": checked(
        ("canary_enough", "canary_agrees"), ("canary_enough", "alert_rate_holds"),
        by=("measure_traffic:canary",),
    ),
    "Infra7": _rollback,
}  # fmt: skip
