"""Detectors of W1 imbalance, W4 high cardinality and W8 memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipelines.operations.contract import Context
from pipelines.operations.detect_worries.findings import (
    Finding,
    Found,
    Severity,
    Unjudged,
    examples,
)
from pipelines.operations.detect_worries.targets import Target
from pipelines.operations.prose import looks_like_prose
from pipelines.operations.tables import column_type, plain

ID_SHARE = 0.5  # distinct values per row from which a column is like an ID (own)
LEAST_ROWS = 50  # rows below which many different values say nothing (own)
FEW_ROWS = 200  # below, sixty plain categories pass half of the rows (meas): nearly all must differ
FEW_SHARE = 0.95
LEAST_PER_CLASS = 10.0  # rows per class, were all equal, below which shares are chance (own)
SAMPLE = 2000  # rows by which the bytes of texts are estimated


def imbalance(context: Context, frame: pd.DataFrame, target: Target) -> Iterator[Found]:
    """W1: the rarest class against equal shares; of a number, one value that nearly all rows have.

    10 % of two classes is a fifth of an equal share, and a fifth it is for any number of classes:
    of twelve equal ones each has less than 10 %.
    """
    warn, block = context.number("minority_warn"), context.number("minority_block")
    if target.kind == "number":
        yield from _one_value(context, frame, target, warn)
        return
    counts, k = np.bincount(target.codes), len(target.classes)
    if counts.sum() / k < LEAST_PER_CLASS:
        yield Unjudged(
            "W1", "not enough data",
            f"{int(counts.sum())} rows for {k} classes: under {LEAST_PER_CLASS:.0f} rows for each",
        )  # fmt: skip
        return
    rarest = int(np.argmin(counts))
    share, few = float(counts[rarest] / counts.sum()), 2 / k
    if share < warn * few:
        places = np.flatnonzero(target.codes == rarest)
        limit = block * few if share < block * few else warn * few
        yield Finding(
            "W1", "blocker" if share < block * few else "warn", (target.name,), share, limit,
            f"class {plain(target.classes[rarest])!r} has {share:.2%} of the labelled rows",
            "Judge by PR-AUC and balanced accuracy, not by accuracy; weight the classes",
            rows=int(counts[rarest]),
            examples=examples(frame, places[:5], key=context.text("key_column")),
        )  # fmt: skip


def _one_value(
    context: Context, frame: pd.DataFrame, target: Target, warn: float
) -> Iterator[Found]:
    if len(frame) < LEAST_ROWS:
        yield Unjudged("W1", "not enough data", f"{len(frame)} rows, fewer than {LEAST_ROWS}")
        return
    counts = frame[target.name].value_counts()
    rest = 1 - float(counts.iloc[0]) / len(frame)
    if rest < warn:
        other = np.flatnonzero((frame[target.name] != counts.index[0]).to_numpy())
        yield Finding(
            "W1", "warn", (target.name,), rest, warn,
            f"{target.name!r} is {plain(counts.index[0])!r} in all but {rest:.2%} of the rows",
            "Predict first whether it differs at all, then by how much",
            rows=int(other.size),
            examples=examples(
                frame, other[:5], key=context.text("key_column"), value=target.name
            ),
        )  # fmt: skip


def cardinality(context: Context, frame: pd.DataFrame, names: list[str]) -> Iterator[Found]:
    """W4: too many categories, a value of its own for most rows, or a row's number."""
    stated = {context.text("time_column"), context.text("key_column")}
    free = set(context.names("text_columns")) | stated
    looked = [name for name in names if name not in free]
    if len(frame) < LEAST_ROWS:
        yield Unjudged("W4", "not enough data", f"{len(frame)} rows, fewer than {LEAST_ROWS}")
        return
    for name in looked:
        kind = column_type(frame[name])
        if kind == "text" and not looks_like_prose(frame[name]):
            yield from _texts(context, frame, name)
        elif kind == "int":
            yield from numbered(frame, name)


def _texts(context: Context, frame: pd.DataFrame, name: str) -> Iterator[Finding]:
    values = frame[name].dropna()
    values = values.map(str) if len(values) and not isinstance(values.iloc[0], str) else values
    distinct, limit = values.nunique(), context.whole("max_categories")
    share = distinct / max(1, len(values))
    most = ID_SHARE if len(values) >= FEW_ROWS else FEW_SHARE
    if len(values) >= LEAST_ROWS and share > most:
        once = np.flatnonzero(~frame[name].map(str).duplicated(keep=False).to_numpy())
        yield Finding(
            "W4", "warn", (name,), share, most,
            f"{name!r} has {distinct:,} values in {len(values):,} rows, like an identifier",
            "Leave it out, or derive what it stands for",
            rows=int(once.size),
            examples=examples(frame, once[:3], key="", value=name),
        )  # fmt: skip
    elif distinct > limit:
        yield Finding(
            "W4", "warn", (name,), float(distinct), float(limit),
            f"{name!r} has {distinct:,} categories; histogram boosting takes {limit}",
            "Encode by target mean or hash, or group the rare ones", "tool",
        )  # fmt: skip


def numbered(
    frame: pd.DataFrame, name: str, *, severity: Severity = "note", harm: str = "it counts rows"
) -> Iterator[Finding]:
    """Whole numbers without a gap or a repeat only count the rows."""
    values = frame[name].dropna()
    if len(values) < LEAST_ROWS or values.nunique() < len(values):
        return
    spread = float(values.max()) - float(values.min()) + 1
    if spread <= 2 * len(values):
        yield Finding(
            "W4", severity, (name,), 1.0, ID_SHARE,
            f"{name!r} has a number of its own for every row, nearly without gaps: {harm}",
            "Leave it out, unless the order of the rows means something",
            rows=len(values),
            examples=examples(frame, range(2), key="", value=name),
        )  # fmt: skip


def memory(context: Context, frame: pd.DataFrame) -> Iterator[Finding]:
    """W8: bytes of the table, texts included, against half of the worker's memory."""
    texts = [name for name in frame.columns if frame[name].dtype == object]
    used = float(frame.memory_usage(deep=False).sum())
    if texts:
        places = np.linspace(0, len(frame) - 1, min(SAMPLE, len(frame))).astype(int)
        some = frame[texts].iloc[places]
        flat, deep = some.memory_usage(deep=False).sum(), some.memory_usage(deep=True).sum()
        used += float(deep - flat) * len(frame) / len(some)
    used, limit = used / 2**20, context.whole("memory_mib") / 2
    if used > limit:
        yield Finding(
            "W8", "warn", (), used, limit,
            f"the table takes {used:,.0f} MiB, more than half of the worker's memory",
            "Sample, use fewer columns, or a worker with more memory",
            rows=len(frame),
        )  # fmt: skip
