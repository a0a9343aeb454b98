"""Checks of gates and contracts by name."""

from __future__ import annotations

from typing import cast

from pipelines.catalogue.known import known
from pipelines.checks.contract import CheckFunction

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


def check(name: str) -> CheckFunction:
    """The check of that name; raises Unknown."""
    return cast(CheckFunction, known(CHECKS, name, "check"))
