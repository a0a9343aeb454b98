"""Operations by name: Baton's own, and beside them what installed packages bring."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module

from pipelines import brought
from pipelines.brought import Brought, Package
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
