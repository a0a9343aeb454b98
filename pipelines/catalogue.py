"""Every operation, check, effect and feed by name: explicit tables, resolved lazily.

`spec` imports an operation's light spec module; `resolve` imports its compute
module with the numeric libraries and is called in worker children only.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import cast

from pipelines.checks.contract import CheckFunction
from pipelines.operations.contract import Run, Spec

_HERE = "pipelines.operations"

OPERATIONS: dict[str, str] = {
    "noop": f"{_HERE}.noop",
    # frame, source, explore
    "frame_value": f"{_HERE}.frame_value",
    "inspect_upload": f"{_HERE}.inspect_upload",
    "ingest": f"{_HERE}.ingest",
    "profile": f"{_HERE}.profile",
    "infer_contract": f"{_HERE}.infer_contract",
    "seal_contract": f"{_HERE}.seal_contract",
    "validate_data": f"{_HERE}.validate_data",
    "detect_worries": f"{_HERE}.detect_worries",
    "scan_leakage": f"{_HERE}.scan_leakage",
    "split_data": f"{_HERE}.split_data",
    "score_baseline": f"{_HERE}.score_baseline",
    # features, tune, evaluate
    "build_features": f"{_HERE}.build_features",
    "train_candidate": f"{_HERE}.train_candidate",
    "search_candidate": f"{_HERE}.search_candidate",
    "select_candidate": f"{_HERE}.select_candidate",
    "evaluate_model": f"{_HERE}.evaluate_model",
    "evaluate_slices": f"{_HERE}.evaluate_slices",
    "explain_model": f"{_HERE}.explain_model",
    # operationalise, register, deploy
    "package_model": f"{_HERE}.package_model",
    "write_card": f"{_HERE}.write_card",
    "retrain_clean": f"{_HERE}.retrain_clean",
    "compare_champion": f"{_HERE}.compare_champion",
    "load_test": f"{_HERE}.load_test",
}

CHECKS: dict[str, str] = {
    # frame
    "brief_complete": "pipelines.checks.frame.brief_complete",
    "owners_named": "pipelines.checks.frame.owners_named",
    "go_no_go": "pipelines.checks.frame.go_no_go",
    "kpi_mapped": "pipelines.checks.frame.kpi_mapped",
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
}

EFFECTS: dict[str, str] = {}

FEEDS: dict[str, str] = {}


@cache
def spec(name: str) -> Spec:
    """The declaration of an operation; raises KeyError for an unknown name."""
    found = import_module(f"{OPERATIONS[name]}.spec").SPEC
    if not isinstance(found, Spec):
        raise TypeError(f"{OPERATIONS[name]}.spec.SPEC is no Spec")
    return found


def resolve(name: str) -> Run:
    """The compute function of an operation; imports the numeric libraries."""
    run: Run = import_module(f"{OPERATIONS[name]}.compute").run
    return run


def check(name: str) -> CheckFunction:
    """The check of that name; raises KeyError for an unknown one."""
    return cast(CheckFunction, _attribute(CHECKS[name]))


def effect(name: str) -> Callable[..., object]:
    """The action that a step or gate triggers outside its run; raises KeyError."""
    return _attribute(EFFECTS[name])


def feed(name: str) -> Callable[..., object]:
    """The function that makes a system artefact just before an attempt; raises KeyError."""
    return _attribute(FEEDS[name])


def _attribute(path: str) -> Callable[..., object]:
    module, _, attribute = path.rpartition(".")
    found: Callable[..., object] = getattr(import_module(module), attribute)
    return found
