"""Compute of `admit_model`: a model that was brought becomes a candidate, or is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from pipelines.operations.admit_model.golden import Golden, read_golden
from pipelines.operations.admit_model.trials import Test, Tried, gap, try_model
from pipelines.operations.brought import kinds
from pipelines.operations.brought.declaration import Declaration, parse
from pipelines.operations.brought.estimators import (
    BroughtClasses,
    BroughtClassifier,
    BroughtRegressor,
    engine_of,
    spelled,
)
from pipelines.operations.brought.matching import graph_of
from pipelines.operations.brought.skopsfile import read_skops
from pipelines.operations.clean import run_clean
from pipelines.operations.contract import Context, Json, OperationError, Outcome
from pipelines.operations.learning import store
from pipelines.operations.learning.definition import FeatureSet
from pipelines.operations.learning.frames import read_columns, read_features
from pipelines.operations.package_model.signature import not_null_of
from pipelines.operations.tables import read_document, write_document, write_table

MIB = 1024 * 1024
CLEAN_SECONDS = 120
# What is made of other models and cannot be made of this one.
NOT_COMPUTED: Sequence[tuple[str, str]] = (
    ("scores on folds", "it cannot be trained again on a part of the rows"),
    ("search of its parameters", "they were chosen elsewhere"),
    ("training it again", "its recipe did not come with it"),
    ("staleness curve", "it cannot be trained again on older windows"),
)


@dataclass(frozen=True)
class Brought:
    """A model file that was read: what it is, and the estimator in front of it."""

    kind: str
    model: BaseEstimator
    declared: Declaration
    features: FeatureSet


def run(context: Context) -> Outcome:
    """Admit the model; raises OperationError with everything for which it is not."""
    brought = _read(context)
    context.progress(0.2, f"read as {brought.kind}")
    frame = _rows(context, brought.features)
    golden = _golden(context, brought, frame)
    tried = try_model(
        brought.model, frame, nullable=_nullable(context, brought.features), context=context
    )
    candidate = store.dump(brought.model, context.output("candidate"), _about(brought, context))
    clean = _in_clean_process(context, candidate, frame, golden)
    tests = [*tried.tests, _again(tried, clean["scores"], context)]
    if golden is not None:
        tests.append(golden.against(clean["golden"], context.number("golden_tolerance")))
    facts = _facts(brought, context, tests, golden)
    document: dict[str, Json] = {"format": "baton/admission/1", "facts": facts}
    report = write_document(context.output("report"), document)
    context.progress(1.0, f"{facts['tests_failed']} of {len(tests)} promises broken", len(frame))
    return Outcome({"candidate": candidate, "report": report}, facts)


def _read(context: Context) -> Brought:
    path = context.inputs["model"]
    size, limit = path.stat().st_size, context.whole("max_mib") * MIB
    if size > limit:
        raise OperationError(
            "model_too_large",
            f"the model file has {size / MIB:.1f} MiB, the limit is {limit // MIB} MiB",
            field="model", value=size, rule=f"at most {limit} bytes",
        )  # fmt: skip
    kind = kinds.kind_of(path)
    if kind.refusal:
        raise OperationError(
            "model_refused", f"the model file is not taken: {kind.refusal}",
            field="model", value=kind.name, rule="is ONNX or skops, by its content",
        )  # fmt: skip
    declared = parse(read_document(context.inputs["declaration"]))
    features = read_features(context.inputs["features"])
    _same_columns(declared, features)
    inner = graph_of(path, declared) if kind.name == kinds.ONNX else read_skops(path, declared)
    return Brought(kind.name, _wrapped(inner, declared, features), declared, features)


def _same_columns(declared: Declaration, features: FeatureSet) -> None:
    if list(declared.names) != features.names or declared.kind != features.task:
        absent = [name for name in declared.names if name not in features.names]
        raise OperationError(
            "features_differ",
            f"the feature definition is not of this declaration; it lacks {', '.join(absent)}"
            if absent
            else "the feature definition is not of this declaration",
            field="features", value=list[Json](absent), rule="has every declared column, in order",
        )  # fmt: skip


def _wrapped(inner: BaseEstimator, declared: Declaration, features: FeatureSet) -> BaseEstimator:
    columns = declared.as_json()["columns"]
    if declared.task == "regression":
        return BroughtRegressor(inner, columns)  # type: ignore[arg-type]
    names = [spelled(value) for value in declared.classes]
    places = [names.index(spelled(value)) for value in features.classes]
    if len(places) > 2:
        return BroughtClasses(inner, columns, list(declared.classes), places)  # type: ignore[arg-type]
    return BroughtClassifier(inner, columns, list(declared.classes), places[1])  # type: ignore[arg-type]


def _rows(context: Context, features: FeatureSet) -> pd.DataFrame:
    """Rows to try it on: drawn by the seed, in the table's order."""
    frame = read_columns(context.inputs["holdout"], features.names, field="holdout")
    order = np.random.default_rng(context.seed).permutation(len(frame))
    picked = np.sort(order[: context.whole("rows")])
    return frame.iloc[picked].reset_index(drop=True)


def _golden(context: Context, brought: Brought, frame: pd.DataFrame) -> Golden | None:
    """The rows that came with it; scores of several classes come in the declaration's order."""
    features, places = brought.features, getattr(brought.model, "places", ())
    path = context.inputs.get("golden")
    return None if path is None else read_golden(path, features, frame, places)


def _nullable(context: Context, features: FeatureSet) -> list[str]:
    closed = not_null_of(read_document(context.inputs["contract"]))
    return [name for name in features.names if name not in closed]


def _about(brought: Brought, context: Context) -> dict[str, Json]:
    features = brought.features
    return {
        "format": "baton/model/1",
        "family": "brought in",
        "target": features.target,
        "classes": list(features.classes),
        "key": list(features.key),
        "time": features.time,
        "features": features.as_json(),
        "brought": {
            "kind": brought.kind,
            "sha256": _digest(context.inputs["model"]),
            "declaration": brought.declared.as_json(),
        },
    }


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _in_clean_process(
    context: Context, candidate: Path, frame: pd.DataFrame, golden: Golden | None
) -> dict[str, np.ndarray]:
    """Scores of the rows and of the golden rows by a process that knows nothing else."""
    context.progress(0.6, "scoring in a clean process", len(frame))
    tables = {"scores": frame} | ({"golden": golden.frame} if golden else {})
    paths = {
        name: write_table(table, context.folder / f"asked-{name}.parquet")
        for name, table in tables.items()
    }
    request: dict[str, Json] = {"candidate": str(candidate.resolve())}
    request |= {name: str(path.resolve()) for name, path in paths.items()}
    found = run_clean("pipelines.operations.admit_model.probe", request, seconds=CLEAN_SECONDS)
    for path in paths.values():
        path.unlink()
    return {name: np.asarray(found[name], dtype=np.float64) for name in tables}


def _again(tried: Tried, scores: np.ndarray, context: Context) -> Test:
    return Test(
        "clean process",
        "a process that knows nothing else gives the same answers",
        gap(scores, tried.scores),
        context.number("tolerance"),
        len(scores),
    )


def _facts(
    brought: Brought, context: Context, tests: Sequence[Test], golden: Golden | None
) -> dict[str, Json]:
    model: object = getattr(brought.model, "model", None)
    failed = [test for test in tests if test.broken]
    feeds = getattr(model, "feeds", ())
    told: Mapping[str, Json] | None = None
    if golden is not None:
        told = next(test for test in tests if test.name == "golden rows").as_json()
    return {
        "kind": brought.kind,
        "engine": engine_of(model),
        "type": type(model).__name__,
        "sha256": _digest(context.inputs["model"]),
        "bytes": context.inputs["model"].stat().st_size,
        "task": brought.declared.task,
        "target": brought.declared.target,
        "classes": list(brought.declared.classes),
        "positive": brought.features.classes[-1] if len(brought.features.classes) == 2 else None,
        "columns_used": len(brought.declared.columns),
        "inputs": [
            {"name": feed["name"], "dtype": feed["dtype"], "columns": len(feed["columns"])}
            for feed in feeds
        ],
        "output": getattr(model, "output", ""),
        "features_digest": brought.features.digest(),
        "tests": [test.as_json() for test in tests],
        "tests_run": len(tests),
        "tests_failed": len(failed),
        "golden": dict(told) if told is not None else None,
        "not_computed": [{"what": what, "why": why} for what, why in NOT_COMPUTED],
    }
