"""Compute of `build_features`: roles, definition, tests and cost of each column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter

import pandas as pd

from pipelines.operations.build_features.probes import Probe, run_probes
from pipelines.operations.build_features.roles import Unmapped, map_column, text_column
from pipelines.operations.build_features.texts import read_as_text, text_facts
from pipelines.operations.contract import Context, Json, OperationError, Outcome
from pipelines.operations.learning.contracts import DataContract, parse_contract
from pipelines.operations.learning.definition import FeatureColumn, FeatureSet, LeftOut
from pipelines.operations.learning.families import encode
from pipelines.operations.learning.frames import column_names, read_columns
from pipelines.operations.learning.labels import labelled
from pipelines.operations.learning.tasks import task_for
from pipelines.operations.learning.weights import WEIGHT
from pipelines.operations.tables import read_document, write_document

COST_ROWS = 10_000


def run(context: Context) -> Outcome:
    """Define the features of the training table; raises OperationError."""
    contract = parse_contract(read_document(context.inputs["contract"]))
    names = column_names(context.inputs["train"], field="train")
    chosen, left_out = choose(names, context, contract)
    key, time, target = _key(context, contract), _time(context, contract), context.text("target")
    group, origin = context.text("group_column"), context.text("origin_column")
    _require([group] if group else [], names, "group_column")
    _require([origin] if origin else [], names, "origin_column")
    extra = [target, *(name for name in [*key, time, group, origin] if name in names)]
    frame = read_columns(context.inputs["train"], [*chosen, *extra], field="train")
    task = task_for(context.text("task"), frame[target])
    classes = task.classes(frame[target], positive=context.text("positive") or None)
    frame = labelled(frame, target)
    context.progress(0.3, f"mapping {len(chosen)} columns", len(frame))
    as_text = read_as_text(frame, chosen, context)
    mapped, unmapped = _map(frame, chosen, contract, as_text)
    base = context.text("base_column")
    _require_number(base, mapped, context.text("task"))
    if not context.names("columns"):
        constant = [
            column for column in mapped if frame[column.name].nunique() == 1 and column.name != base
        ]
        left_out += [LeftOut(column.name, "one value only", decided=True) for column in constant]
        mapped = [column for column in mapped if column not in constant]
    _refuse_none(mapped, unmapped, left_out)
    features = FeatureSet(
        target=target,
        classes=classes,
        columns=tuple(mapped),
        key=tuple(name for name in key if name in names),
        time=time if time in names else "",
        task=task.name,
        group=group,
        origin=origin,
        base=base,
        left_out=tuple(left_out + [LeftOut(u.name, u.reason, decided=False) for u in unmapped]),
    )
    context.progress(0.6, "testing the encoders", len(frame))
    probes = run_probes(features, frame)
    encode(features, frame, field="train")
    path = write_document(context.output("features"), features.as_json())
    facts = _facts(features, frame, unmapped, probes)
    facts |= text_facts(features, frame)
    return Outcome({"features": path}, facts)


def choose(
    names: Sequence[str], context: Context, contract: DataContract
) -> tuple[list[str], list[LeftOut]]:
    """Columns to map, and those left out on purpose.

    Raises OperationError for names that are not in the table or must be no feature.
    """
    target, listed, excluded = (
        context.text("target"),
        context.names("columns"),
        context.names("exclude"),
    )
    texts = context.names("text_columns")
    for field, wanted in (
        ("target", [target]),
        ("columns", listed),
        ("exclude", excluded),
        ("text_columns", texts),
    ):
        _require(wanted, names, field)
    reasons = {
        name: "personal data that is to be dropped"
        for name, column in contract.columns.items()
        if column.treatment == "drop"
    }
    reasons |= dict.fromkeys(excluded, "excluded")
    reasons |= dict.fromkeys(_key(context, contract), "key")
    reasons |= {_time(context, contract): "time", target: "target", WEIGHT: "weight of a sample"}
    if context.text("group_column"):
        reasons[context.text("group_column")] = "group"
    reasons |= {context.text("origin_column"): "time"}
    for name in listed:
        if reasons.get(name, "time") not in ("time", "key"):
            raise OperationError(
                "column_not_usable",
                f"columns lists {name!r}, which is {reasons[name]}",
                field="columns",
                value=name,
                rule="is not the target, not excluded, and may be kept",
            )
    if listed:
        rest = [name for name in names if name not in listed]
        return list(dict.fromkeys(listed)), [
            LeftOut(name, reasons.get(name, "not listed"), decided=True) for name in rest
        ]
    left = [LeftOut(name, reasons[name], decided=True) for name in names if name in reasons]
    return [name for name in names if name not in reasons], left


def _require(wanted: Sequence[str], names: Sequence[str], field: str) -> None:
    for name in wanted:
        if name not in names:
            raise OperationError(
                "unknown_column",
                f"{field} names {name!r}, which is not in train; columns: {', '.join(names)}",
                field=field,
                value=name,
                rule="names a column of the table",
            )


def _refuse_none(
    mapped: Sequence[object], unmapped: Sequence[Unmapped], left_out: Sequence[LeftOut]
) -> None:
    if mapped or unmapped:  # unmapped columns are a finding of their own
        return
    told = "; ".join(f"{one.name}: {one.reason}" for one in left_out[:20])
    raise OperationError(
        "no_features",
        f"no column tells rows apart ({told})",
        field="columns",
        value=[one.name for one in left_out[:20]],
        rule="at least one column has two values of a plain type",
    )


def _require_number(base: str, mapped: Sequence[FeatureColumn], task: str) -> None:
    numbers = [column.name for column in mapped if column.role == "number"]
    if base and (base not in numbers or task != "regression"):
        raise OperationError(
            "bad_base",
            f"base_column names {base!r}, which is no number among the features of a regression",
            field="base_column",
            value=base,
            rule=f"is one of {', '.join(numbers)}" if task == "regression" else "is empty",
        )


def _key(context: Context, contract: DataContract) -> tuple[str, ...]:
    return (context.text("key_column"),) if context.text("key_column") else contract.key


def _time(context: Context, contract: DataContract) -> str:
    return context.text("time_column") or contract.time


def _map(
    frame: pd.DataFrame, chosen: Sequence[str], contract: DataContract, texts: Sequence[str]
) -> tuple[list[FeatureColumn], list[Unmapped]]:
    found = [
        (text_column if name in texts else map_column)(frame[name], contract.columns.get(name))
        for name in chosen
    ]
    mapped = [column for column in found if isinstance(column, FeatureColumn)]
    if not mapped:
        raise OperationError(
            "no_features",
            "no column can be used as a feature",
            field="columns",
            value=list[Json](chosen),
            rule="at least one column has values of one plain type",
            details=[
                {"column": u.name, "problem": u.reason} for u in found if isinstance(u, Unmapped)
            ],
        )
    return mapped, [column for column in found if isinstance(column, Unmapped)]


def _facts(
    features: FeatureSet, frame: pd.DataFrame, unmapped: Sequence[Unmapped], probes: Sequence[Probe]
) -> dict[str, Json]:
    columns: list[Json] = [_column_facts(features, column, frame) for column in features.columns]
    after: list[Json] = [c.name for c in features.columns if c.availability == "after"]
    undeclared: list[Json] = [c.name for c in features.columns if c.availability == "unknown"]
    return {
        "rows": len(frame),
        "target": features.target,
        "task": features.task,
        "positive": features.classes[-1] if len(features.classes) == 2 else None,
        "classes": list(features.classes),
        "columns_used": len(columns),
        "numbers_made": len(features.outputs),
        "columns": columns,
        "unmapped": [{"column": u.name, "worry": u.worry, "problem": u.reason} for u in unmapped],
        "left_out": [
            {"column": c.name, "reason": c.reason} for c in features.left_out if c.decided
        ],
        "known_after": after,
        "availability_undeclared": undeclared,
        "many_categories": [c.name for c in features.columns if c.role == "many_categories"],
        "digest": features.digest(),
        "tests": [probe.as_json() for probe in probes],
        "tests_run": len(probes) * len(columns),
        "tests_failed": sum(len(probe.failed) for probe in probes),
    }


def _column_facts(
    features: FeatureSet, column: FeatureColumn, frame: pd.DataFrame
) -> dict[str, Json]:
    values = frame[column.name]
    sample = frame[[column.name]].head(COST_ROWS)
    start = perf_counter()
    encode(replace(features, columns=(column,)), sample, field="train")
    spent = perf_counter() - start
    distinct = int(values.nunique())
    return {
        "column": column.name,
        "role": column.role,
        "transformer": column.as_json()["transformer"],
        "unknown": column.as_json()["unknown"],
        "availability": column.availability,
        "distinct": distinct,
        "constant": distinct < 2,
        "missing_share": round(float(values.isna().mean()), 6),
        "per_1000_rows_seconds": round(1000 * spent / max(len(sample), 1), 6),
    }
