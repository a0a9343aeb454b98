"""W6: columns that alone tell the target. W7: one thing defined twice, or otherwise than agreed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from pipelines.operations.contract import Context, Json
from pipelines.operations.detect_worries.findings import Finding, Found, Unjudged, examples
from pipelines.operations.detect_worries.targets import Target
from pipelines.operations.signals import Signal, closest, make_folds
from pipelines.operations.tables import column_type, digest_of, plain

LEAST_CLASS = 10  # rows of a class: with two, one column in fifty ranks them first by chance (own)
LEAST_ROWS = 50
MOST_LOOKS = 2000  # columns times classes looked at; then fewer classes, the rarest first


def leaking(
    context: Context, frame: pd.DataFrame, names: list[str], target: Target
) -> Iterator[Found]:
    """Each column alone against the number, or each class. The leakage scan looks closer."""
    truths = _truths(target, len(names))
    if not truths:
        least = (
            f"{LEAST_ROWS} rows" if target.kind == "number" else f"{LEAST_CLASS} rows of a class"
        )
        yield Unjudged("W6", "not enough data", f"under {least}: any column could fit by chance")
        return
    folds = make_folds(len(frame), context.seed)
    limit = context.number("leak_score")
    for name in names:
        best, said = Signal(name, 0.0, ""), ""
        for label, truth in truths:
            binary = target.kind == "classes"
            found = closest(frame[name], truth, binary=binary, folds=folds)
            if found.score > best.score:
                best, said = found, label
        if best.score > limit:
            whom = f" (class {said})" if len(truths) > 1 else ""
            yield Finding(
                "W6", "blocker", (name,), best.score, limit,
                f"{name!r} alone predicts the target{whom} ({best.measure} {best.score:.3f})",
                "Known only afterwards? Declare it so in the data contract, or exclude it",
                rows=len(frame),
                examples=examples(frame, range(min(3, len(frame))), key="", value=name),
            )  # fmt: skip


def _truths(target: Target, columns: int) -> list[tuple[str, np.ndarray]]:
    """What is to be told: the number, or for each class with enough rows whether it is that one."""
    if target.kind == "number":
        return [("", target.numbers)] if target.numbers.size >= LEAST_ROWS else []
    counts = np.bincount(target.codes)
    usable = [
        code
        for code in np.argsort(counts, kind="stable")
        if LEAST_CLASS <= counts[code] <= counts.sum() - LEAST_CLASS
    ]
    if len(target.classes) == 2:
        usable = usable[:1]
    most = max(1, MOST_LOOKS // max(1, columns))
    return [
        (repr(plain(target.classes[code])), (target.codes == code).astype("float64"))
        for code in usable[:most]
    ]


def inconsistent(frame: pd.DataFrame, contract: Mapping[str, Json]) -> Iterator[Found]:
    """One content under two names, and types other than the contract's."""
    if len(frame) < LEAST_ROWS:
        yield Unjudged("W7", "not enough data", f"{len(frame)} rows, fewer than {LEAST_ROWS}")
    else:
        yield from _twice(frame)
    columns = contract.get("columns")
    for entry in columns if isinstance(columns, list) else []:
        if isinstance(entry, dict) and str(entry["name"]) in frame.columns:
            yield from _other_type(frame[str(entry["name"])], str(entry["type"]))


def _twice(frame: pd.DataFrame) -> Iterator[Finding]:
    """Columns that vary and hold the same in every row."""
    seen: dict[str, str] = {}
    for name in frame.columns:
        values = frame[name]
        try:
            hashed = pd.util.hash_pandas_object(values, index=False).to_numpy()
        except TypeError:  # lists and objects: W13 and W14 speak of them
            continue
        if (hashed == hashed[0]).all():  # one value only
            continue
        key = digest_of(hashed)
        if key in seen and values.equals(frame[seen[key]].rename(name)):
            yield Finding(
                "W7", "warn", (seen[key], str(name)), 1.0, 0.0,
                f"{seen[key]!r} and {name!r} hold the same values",
                "Keep one of them and say where it is defined",
                rows=len(frame),
            )  # fmt: skip
        seen.setdefault(key, str(name))


def _other_type(series: pd.Series, expected: str) -> Iterator[Finding]:
    found = column_type(series)
    if found != expected and not series.isna().all() and {found, expected} != {"int", "float"}:
        yield Finding(
            "W7", "blocker", (str(series.name),), 1.0, 0.0,
            f"{series.name!r} holds {found}, its definition in the contract says {expected}",
            "Correct the source, or sign a new data contract",
            rows=int(series.notna().sum()),
        )  # fmt: skip
