"""Every operation, check, effect and feed by name: explicit tables, resolved lazily.

`spec` imports an operation's light spec module; `resolve` imports its compute
module with the numeric libraries and is called in worker children only.
What installed packages bring comes in beside the tables, through `brought`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import cast

from pipelines import brought
from pipelines.brought import Brought, Package
from pipelines.checks.contract import CheckFunction
from pipelines.operations.contract import Json, Run, Spec

_HERE = "pipelines.operations"

OPERATIONS: dict[str, str] = {
    "noop": f"{_HERE}.noop",
    # frame, source, explore
    "frame_value": f"{_HERE}.frame_value",
    "inspect_upload": f"{_HERE}.inspect_upload",
    "fetch": f"{_HERE}.fetch",
    "ingest": f"{_HERE}.ingest",
    "profile": f"{_HERE}.profile",
    "infer_contract": f"{_HERE}.infer_contract",
    "seal_contract": f"{_HERE}.seal_contract",
    "validate_data": f"{_HERE}.validate_data",
    "detect_worries": f"{_HERE}.detect_worries",
    "scan_leakage": f"{_HERE}.scan_leakage",
    "measure_age": f"{_HERE}.measure_age",
    "split_data": f"{_HERE}.split_data",
    "repeat_split": f"{_HERE}.repeat_split",
    "sample_rows": f"{_HERE}.sample_rows",
    "score_baseline": f"{_HERE}.score_baseline",
    # forecasting
    "make_series": f"{_HERE}.make_series",
    "make_horizons": f"{_HERE}.make_horizons",
    "split_origins": f"{_HERE}.split_origins",
    "evaluate_forecast": f"{_HERE}.evaluate_forecast",
    # features, tune, evaluate
    "build_features": f"{_HERE}.build_features",
    "train_candidate": f"{_HERE}.train_candidate",
    "search_candidate": f"{_HERE}.search_candidate",
    "select_candidate": f"{_HERE}.select_candidate",
    "declare_features": f"{_HERE}.declare_features",
    "admit_model": f"{_HERE}.admit_model",
    "compare_candidates": f"{_HERE}.compare_candidates",
    "evaluate_model": f"{_HERE}.evaluate_model",
    "evaluate_classes": f"{_HERE}.evaluate_classes",
    "evaluate_slices": f"{_HERE}.evaluate_slices",
    "explain_model": f"{_HERE}.explain_model",
    "screen_fairness": f"{_HERE}.screen_fairness",
    "measure_coverage": f"{_HERE}.measure_coverage",
    "stress_model": f"{_HERE}.stress_model",
    "age_model": f"{_HERE}.age_model",
    "explain_rows": f"{_HERE}.explain_rows",
    # operationalise, register, deploy
    "package_model": f"{_HERE}.package_model",
    "write_card": f"{_HERE}.write_card",
    "retrain_clean": f"{_HERE}.retrain_clean",
    "compare_champion": f"{_HERE}.compare_champion",
    "load_test": f"{_HERE}.load_test",
    "read_drill": f"{_HERE}.read_drill",
    # serve, monitor
    "measure_traffic": f"{_HERE}.measure_traffic",
    "measure_drift": f"{_HERE}.measure_drift",
    "measure_quality": f"{_HERE}.measure_quality",
    # without labels
    "screen_columns": f"{_HERE}.screen_columns",
    "build_inputs": f"{_HERE}.build_inputs",
    "fit_clusters": f"{_HERE}.fit_clusters",
    "select_clusters": f"{_HERE}.select_clusters",
    "judge_clusters": f"{_HERE}.judge_clusters",
    "assign_clusters": f"{_HERE}.assign_clusters",
    "pack_clusters": f"{_HERE}.pack_clusters",
    "rehearse_segments": f"{_HERE}.rehearse_segments",
    "measure_cluster_shares": f"{_HERE}.measure_cluster_shares",
    "fit_anomalies": f"{_HERE}.fit_anomalies",
    "inject_anomalies": f"{_HERE}.inject_anomalies",
    "select_anomalies": f"{_HERE}.select_anomalies",
    "judge_anomalies": f"{_HERE}.judge_anomalies",
    "review_anomalies": f"{_HERE}.review_anomalies",
    "refit_anomalies": f"{_HERE}.refit_anomalies",
    "measure_alerts": f"{_HERE}.measure_alerts",
    # reperform
    "compare_artefacts": f"{_HERE}.compare_artefacts",
}

CHECKS: dict[str, str] = {
    # frame
    "brief_complete": "pipelines.checks.frame.brief_complete",
    "owners_named": "pipelines.checks.frame.owners_named",
    "go_no_go": "pipelines.checks.frame.go_no_go",
    "kpi_mapped": "pipelines.checks.frame.kpi_mapped",
    "baseline_filled": "pipelines.checks.frame.baseline_filled",
    "value_positive": "pipelines.checks.frame.value_positive",
    # source
    "contract_signed": "pipelines.checks.source.contract_signed",
    "schema_holds": "pipelines.checks.source.schema_holds",
    "pii_resolved": "pipelines.checks.source.pii_resolved",
    "rows_enough": "pipelines.checks.source.rows_enough",
    "fresh_enough": "pipelines.checks.source.fresh_enough",
    "label_share": "pipelines.checks.source.label_share",
    "datasheet_filled": "pipelines.checks.source.datasheet_filled",
    "availability_declared": "pipelines.checks.source.availability_declared",
    # explore
    "no_open_blocker": "pipelines.checks.explore.no_open_blocker",
    "leakage_clean": "pipelines.checks.explore.leakage_clean",
    "no_overlap": "pipelines.checks.explore.no_overlap",
    "split_reproducible": "pipelines.checks.explore.split_reproducible",
    "events_enough": "pipelines.checks.explore.events_enough",
    "baseline_recorded": "pipelines.checks.explore.baseline_recorded",
    "worry": "pipelines.checks.worries.worry",
    "worries": "pipelines.checks.worries.worries",
    # features, tune, evaluate
    "columns_mapped": "pipelines.checks.features.columns_mapped",
    "feature_tests": "pipelines.checks.features.feature_tests",
    "features_available": "pipelines.checks.features.features_available",
    "features_beneficial": "pipelines.checks.features.features_beneficial",
    "three_families": "pipelines.checks.models.three_families",
    "search_logged": "pipelines.checks.models.search_logged",
    "beats_baseline": "pipelines.checks.models.beats_baseline",
    "target_met": "pipelines.checks.evaluation.target_met",
    "calibrated": "pipelines.checks.evaluation.calibrated",
    "coverage_holds": "pipelines.checks.evaluation.coverage_holds",
    "unbiased": "pipelines.checks.evaluation.unbiased",
    "slices_hold": "pipelines.checks.evaluation.slices_hold",
    "mase_below": "pipelines.checks.forecasts.mase_below",
    "beats_naive": "pipelines.checks.forecasts.beats_naive",
    "series_sound": "pipelines.checks.forecasts.series_sound",
    "cost_positive": "pipelines.checks.evaluation.cost_positive",
    # models that were brought
    "signature_holds": "pipelines.checks.brought.signature_holds",
    "golden_rows_brought": "pipelines.checks.brought.golden_rows_brought",
    "holdout_unseen": "pipelines.checks.brought.holdout_unseen",
    "scores_repeat": "pipelines.checks.brought.scores_repeat",
    # texts
    "groups_kept_apart": "pipelines.checks.classes.groups_kept_apart",
    "macro_f1_over_majority": "pipelines.checks.classes.macro_f1_over_majority",
    "classes_recalled": "pipelines.checks.classes.classes_recalled",
    "abstain_band_holds": "pipelines.checks.classes.abstain_band_holds",
    "selection_rates_equal": "pipelines.checks.fairness.selection_rates_equal",
    "error_rates_equal": "pipelines.checks.fairness.error_rates_equal",
    "sets_cover": "pipelines.checks.challenge.sets_cover",
    "group_bias_equal": "pipelines.checks.numbers.group_bias_equal",
    "group_errors_equal": "pipelines.checks.numbers.group_errors_equal",
    "intervals_cover": "pipelines.checks.intervals.intervals_cover",
    "groups_covered": "pipelines.checks.intervals.groups_covered",
    "predictions_steady": "pipelines.checks.numbers.predictions_steady",
    "numerically_stable": "pipelines.checks.challenge.numerically_stable",
    "decisions_steady": "pipelines.checks.challenge.decisions_steady",
    "age_known": "pipelines.checks.challenge.age_known",
    "rows_explained": "pipelines.checks.challenge.rows_explained",
    # operationalise, register, deploy
    "reproducible": "pipelines.checks.release.reproducible",
    "environment_locked": "pipelines.checks.release.environment_locked",
    "package_complete": "pipelines.checks.release.package_complete",
    "loads_in_clean_environment": "pipelines.checks.release.loads_in_clean_environment",
    "schema_matches_serving": "pipelines.checks.release.schema_matches_serving",
    "golden_rows_equal": "pipelines.checks.release.golden_rows_equal",
    "bad_input_refused": "pipelines.checks.release.bad_input_refused",
    "latency_within_slo": "pipelines.checks.release.latency_within_slo",
    "size_within_limit": "pipelines.checks.release.size_within_limit",
    "champion_beaten": "pipelines.checks.release.champion_beaten",
    "card_complete": "pipelines.checks.release.card_complete",
    "licence_ok": "pipelines.checks.release.licence_ok",
    "rollback_named": "pipelines.checks.release.rollback_named",
    "rollback_ready": "pipelines.checks.release.rollback_ready",
    "rollback_drilled": "pipelines.checks.drills.rollback_drilled",
    "alert_routes_set": "pipelines.checks.release.alert_routes_set",
    # deploy, serve, monitor
    "shadow_agrees": "pipelines.checks.monitoring.shadow_agrees",
    "canary_agrees": "pipelines.checks.monitoring.canary_agrees",
    "shadow_enough": "pipelines.checks.monitoring.shadow_enough",
    "canary_enough": "pipelines.checks.monitoring.canary_enough",
    "served_enough": "pipelines.checks.monitoring.served_enough",
    "error_rate_ok": "pipelines.checks.monitoring.error_rate_ok",
    "log_complete": "pipelines.checks.monitoring.log_complete",
    "reference_set": "pipelines.checks.monitoring.reference_set",
    "drift_quiet": "pipelines.checks.monitoring.drift_quiet",
    "quality_holds": "pipelines.checks.monitoring.quality_holds",
    "kpi_holds": "pipelines.checks.monitoring.kpi_holds",
    "card_in_words": "pipelines.checks.value.card_in_words",
    "kpi_live": "pipelines.checks.value.kpi_live",
    # without labels
    "rows_sound": "pipelines.checks.soundness.rows_sound",
    "rows_to_learn": "pipelines.checks.unlabelled.rows_to_learn",
    # segments
    "clusterings_compared": "pipelines.checks.clusters.clusterings_compared",
    "clusters_found": "pipelines.checks.clusters.clusters_found",
    "clusters_stable": "pipelines.checks.clusters.clusters_stable",
    "clusters_beat_chance": "pipelines.checks.clusters.clusters_beat_chance",
    "smallest_cluster": "pipelines.checks.clusters.smallest_cluster",
    "membership_clear": "pipelines.checks.clusters.membership_clear",
    "clusters_hold_on_other_rows": "pipelines.checks.clusters.clusters_hold_on_other_rows",
    "segments_named": "pipelines.checks.clusters.segments_named",
    "assignments_hold": "pipelines.checks.clusters.assignments_hold",
    "segments_packed": "pipelines.checks.clusters.segments_packed",
    "segments_stated": "pipelines.checks.clusters.segments_stated",
    "shares_hold": "pipelines.checks.clusters.shares_hold",
    # anomalies
    "detectors_compared": "pipelines.checks.anomalies.detectors_compared",
    "detector_beats_rule": "pipelines.checks.anomalies.detector_beats_rule",
    "injected_recall": "pipelines.checks.anomalies.injected_recall",
    "alerts_within_capacity": "pipelines.checks.anomalies.alerts_within_capacity",
    "cases_reviewed": "pipelines.checks.anomalies.cases_reviewed",
    "precision_at_k": "pipelines.checks.anomalies.precision_at_k",
    "alert_rate_holds": "pipelines.checks.anomalies.alert_rate_holds",
    "alerts_hold": "pipelines.checks.anomalies.alerts_hold",
    "detector_not_worse": "pipelines.checks.anomalies.detector_not_worse",
}

EFFECTS: dict[str, str] = {
    "register_version": "pipelines.registry.effects.register_version",
    "approve_version": "pipelines.registry.effects.approve_version",
    "deploy_shadow": "pipelines.registry.effects.deploy_shadow",
    "deploy_canary": "pipelines.registry.effects.deploy_canary",
    "go_live": "pipelines.registry.effects.go_live",
    "raise_alerts": "pipelines.monitoring.effects.raise_alerts",
}

# What undoes an effect when its stage is left: sent back, superseded, or ended with its run.
UNDOS: dict[str, str] = {
    "deploy_shadow": "pipelines.registry.effects.end_trial",
    "deploy_canary": "pipelines.registry.effects.end_trial",
}

# What learns that an overdue finding has lapsed the approval of a gate, in this order.
LAPSES: tuple[str, ...] = (
    "pipelines.registry.effects.lapse_versions",
    "pipelines.monitoring.effects.alert_lapse",
)

# What looks after things by itself beside the sweeper, every few seconds in each engine process.
LOOKOUTS: tuple[str, ...] = ("pipelines.readiness.lookout.look_out",)

FEEDS: dict[str, str] = {
    "now": "pipelines.serving.feeds.now",
    "rollback_drill": "pipelines.serving.drill.rollback_drill",
    "champion": "pipelines.serving.feeds.champion",
    "shadow_window": "pipelines.serving.feeds.shadow_window",
    "canary_window": "pipelines.serving.feeds.canary_window",
    "live_window": "pipelines.serving.feeds.live_window",
    "labelled_window": "pipelines.serving.feeds.labelled_window",
    "reference": "pipelines.serving.feeds.reference",
    "reference_predictions": "pipelines.serving.feeds.reference_predictions",
}


def spec(name: str) -> Spec:
    """The declaration of an operation; raises KeyError for an unknown or unusable name."""
    if name in OPERATIONS:
        return _own(name)
    one = brought.find(name)
    if one is None or one.spec is None:
        raise KeyError(f"{name}: {one.error}" if one else name)
    return one.spec


@cache
def _own(name: str) -> Spec:
    found = import_module(f"{OPERATIONS[name]}.spec").SPEC
    if not isinstance(found, Spec):
        raise TypeError(f"{OPERATIONS[name]}.spec.SPEC is no Spec")
    return found


def knows(name: str) -> bool:
    """Whether this process's code has the operation; while a new version comes in, not all do."""
    if name in OPERATIONS:
        return True
    return found(name) is not None


def names() -> list[str]:
    """Every operation that can be used here: Baton's own and what packages bring."""
    return [*OPERATIONS, *(one.name for one in brought_operations() if not one.error)]


def brought_operations() -> list[Brought]:
    """Every operation that installed packages bring, usable or not, by name."""
    every = [brought.find(name) for name in brought.names()]
    return [_own_comes_first(one) for one in every if one is not None]


def _own_comes_first(one: Brought) -> Brought:
    if one.name not in OPERATIONS:
        return one
    error = "Baton itself has an operation of this name; give yours another"
    return Brought(one.name, one.module, one.package, error=error)


def listed() -> list[dict[str, Json]]:
    """Every operation for people to look at: Baton's own first, then what packages bring."""
    own: list[dict[str, Json]] = [
        {"package": None, "error": "", **_shown(spec(name))} for name in sorted(OPERATIONS)
    ]
    for one in brought_operations():
        shown = _shown(one.spec) if one.spec else {"version": None, "summary": ""}
        own.append({**shown, **one.as_json()})
    return own


def _shown(one: Spec) -> dict[str, Json]:
    return {"name": one.name, "version": one.version, "summary": one.summary}


def found(name: str) -> Brought | None:
    """What a package brings under that name and can be used; None for Baton's own."""
    one = None if name in OPERATIONS else brought.find(name)
    return one if one is not None and one.spec is not None else None


def package(name: str) -> Package | None:
    """Whose code an operation is; None for Baton's own, and for what is not known."""
    one = found(name)
    return one.package if one else None


def same_code(name: str, version: int, whose: Mapping[str, Json]) -> bool:
    """Whether the code here is that of an attempt: version, and for a package its digest."""
    if not knows(name) or spec(name).version != version:
        return False
    mine = package(name)
    return dict(whose) == (mine.as_json() if mine else {})


def why_not(name: str) -> str:
    """Why an operation that a package brings cannot be used here; "" where there is no such."""
    one = None if name in OPERATIONS else brought.find(name)
    return f"{one.package}: {one.error}" if one and one.error else ""


def resolve(name: str) -> Run:
    """The compute function of an operation; imports the numeric libraries."""
    run: Run = import_module(f"{OPERATIONS[name]}.compute").run
    return run


class Unknown(KeyError):
    """A check, effect or feed that this process's code does not have; newer code may."""

    waits_for = "Newer code is coming in"

    def __str__(self) -> str:
        return str(self.args[0])


class OtherPackage(Unknown):
    """A package's operation that is not here as it was when the attempt was queued."""

    waits_for = "It waits for its package"


def check(name: str) -> CheckFunction:
    """The check of that name; raises Unknown."""
    return cast(CheckFunction, _known(CHECKS, name, "check"))


def effect(name: str) -> Callable[..., object]:
    """The action that a step or gate triggers outside its run; raises Unknown."""
    return _known(EFFECTS, name, "effect")


def undo(name: str) -> Callable[..., object] | None:
    """The action that undoes an effect, or None where nothing has to be undone."""
    path = UNDOS.get(name)
    return None if path is None else _attribute(path)


def on_lapse() -> tuple[Callable[..., object], ...]:
    """The actions that an approval's lapse calls, each with a LapseContext."""
    return tuple(_attribute(path) for path in LAPSES)


def lookouts() -> tuple[Callable[[], object], ...]:
    """The functions that an engine process calls every few seconds, apart from its sweeps."""
    return tuple(_attribute(path) for path in LOOKOUTS)


def feed(name: str) -> Callable[..., object]:
    """The function that makes a system artefact just before an attempt; raises Unknown."""
    return _known(FEEDS, name, "feed")


def _known(table: Mapping[str, str], name: str, noun: str) -> Callable[..., object]:
    if name not in table:
        raise Unknown(f"{noun} {name!r} is not known to this process's code")
    return _attribute(table[name])


def _attribute(path: str) -> Callable[..., object]:
    module, _, attribute = path.rpartition(".")
    found: Callable[..., object] = getattr(import_module(module), attribute)
    return found
