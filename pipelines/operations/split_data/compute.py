"""Time-aware, grouped or stratified split, the same for the same seed and rows."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from pipelines.operations.contract import Context, Json, OperationError, Outcome, finite
from pipelines.operations.ingest.target import parse_time
from pipelines.operations.learning.resampling import group_codes
from pipelines.operations.learning.spanning import kept_apart, spanning
from pipelines.operations.learning.values import as_values
from pipelines.operations.split_data.groups import draw_groups, proposed
from pipelines.operations.tables import (
    digest_of,
    need_column,
    need_target,
    plain,
    read_table,
    recipe,
    row_hashes,
    write_document,
    write_table,
)


@dataclass(frozen=True)
class Split:
    """Row numbers (from 0) of both parts, the rule, its boundaries, and what is left out."""

    rule: str
    train: np.ndarray
    holdout: np.ndarray
    boundaries: dict[str, Json] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)


def run(context: Context) -> Outcome:
    """Split; raises OperationError for an empty part, a missing column, a target of no numbers."""
    frame = read_table(context.inputs["table"])
    if context.text("task") == "regression" and context.text("target"):
        as_values(need_target(frame, context.text("target")).dropna())
    split = choose(context, frame)
    again = choose(context, frame)
    _refuse_empty(split)
    parts = {"train": frame.iloc[split.train], "holdout": frame.iloc[split.holdout]}
    context.progress(0.4, "split chosen", len(frame))
    target, time_column = context.text("target"), context.text("time_column")
    classed = context.text("task") == "classification"
    described: dict[str, Json] = {
        name: _describe(part, rows, time_column) | _target_facts(part, target, classed=classed)
        for (name, part), rows in zip(parts.items(), (split.train, split.holdout), strict=True)
    }
    same = np.array_equal(split.train, again.train) and np.array_equal(split.holdout, again.holdout)
    facts: dict[str, Json] = {
        "rule": split.rule,
        "rows": len(frame),
        "boundaries": split.boundaries,
        "left_out": dict(split.left_out),
        "seed": context.seed,
        "parts": described,
        "holdout_share": finite(len(split.holdout) / (len(split.train) + len(split.holdout)), 6),
        "digest": digest_of(np.concatenate([split.train, [-1], split.holdout]).astype("int64")),
        "reproducible": bool(same),
        "overlap_rows": _overlap(parts["train"], parts["holdout"]),
        **_repeats(parts, time_column),
        "groups_shared": _groups_shared(parts, context.text("group_column")),
        "group_rows_shared": _rows_shared(parts, context.text("group_column")),
        "groups_proposed": list[Json](proposed(frame, [target, time_column], parts)),
    }
    outputs = {name: write_table(part, context.output(name)) for name, part in parts.items()}
    outputs["split"] = write_document(context.output("split"), facts | {"recipe": recipe(context)})
    context.progress(1.0, "split written", len(frame))
    return Outcome(outputs=outputs, facts=facts)


def choose(context: Context, frame: pd.DataFrame) -> Split:
    """Row numbers of both parts by the first rule that the params name."""
    rows = np.arange(len(frame))
    left_out: dict[str, int] = {}
    if context.text("target"):
        labelled = need_target(frame, context.text("target")).notna().to_numpy()
        if not labelled.all():
            left_out[f"{context.text('target')} is missing"] = int((~labelled).sum())
        rows = rows[labelled]
    if context.text("time_column"):
        return by_time(context, frame, rows, left_out)
    if context.text("group_column"):
        return by_group(context, frame, rows, left_out)
    return at_random(context, frame, rows, left_out)


def by_time(
    context: Context, frame: pd.DataFrame, rows: np.ndarray, left_out: dict[str, int]
) -> Split:
    """Earlier rows train, later rows decide; rows of one moment are never parted."""
    name = context.text("time_column")
    column = need_column(frame, name, "time_column")
    if not pd.api.types.is_datetime64_any_dtype(column.dtype):
        raise OperationError(
            "not_a_time",
            f"time_column {name!r} holds {column.dtype}, not times",
            field="time_column",
            value=str(column.dtype),
            rule="holds times",
        )
    times = column.to_numpy(dtype="datetime64[us]")[rows]
    if np.isnat(times).any():
        left_out[f"{name} is missing"] = int(np.isnat(times).sum())
        rows, times = rows[~np.isnat(times)], times[~np.isnat(times)]
    until = parse_time(context.text("train_until"), "train_until")
    end = parse_time(context.text("decide_until"), "decide_until")
    if until is None:
        _refuse_one_moment(times, name)
        place = int(len(times) * (1 - context.number("holdout_share")))
        boundary = np.sort(times)[min(place, len(times) - 1)]
    else:
        boundary = np.datetime64(until, "us")
    late = np.zeros(len(times), dtype=bool) if end is None else times >= np.datetime64(end, "us")
    if late.any():
        left_out[f"at or after {end.isoformat()}" if end else ""] = int(late.sum())
    boundaries: dict[str, Json] = {
        "time_column": name,
        "train_until": plain(pd.Timestamp(boundary)),
        "decide_until": None if end is None else end.isoformat(),
    }
    learn = times < boundary
    split = Split("time", rows[learn & ~late], rows[~learn & ~late], boundaries, left_out)
    return _apart(context, frame, split) if context.text("group_column") else split


def _refuse_one_moment(times: np.ndarray, name: str) -> None:
    moments = np.unique(times)
    if moments.size < 2:
        one = f"one moment only ({plain(pd.Timestamp(moments[0]))})" if moments.size else ""
        raise OperationError(
            "one_moment",
            f"time_column {name!r} holds {one or 'no time at all'}: nothing is earlier or later",
            field="time_column",
            value=name,
            rule="has at least two moments",
        )


def _apart(context: Context, frame: pd.DataFrame, split: Split) -> Split:
    """The same with no group on both sides, where that is possible: see `learning.spanning`."""
    name = context.text("group_column")
    every = np.concatenate([split.train, split.holdout])
    codes = group_codes(need_column(frame, name, "group_column").iloc[every])
    early = np.arange(every.size) < split.train.size
    both = spanning(codes, early).size
    kept = kept_apart(codes, early, seed=context.seed)
    left_out = dict(split.left_out)
    for side, said in ((early, "earlier row of a group that decides"),
                       (~early, "later row of a group that trains")):  # fmt: skip
        gone = int((side & ~kept).sum())
        left_out |= {said: gone} if gone else {}
    boundaries = split.boundaries | {"group_column": name, "groups_spanning": both}
    rule = "time" if both and kept.all() else "time and group"
    return Split(rule, every[early & kept], every[~early & kept], boundaries, left_out)


def by_group(
    context: Context, frame: pd.DataFrame, rows: np.ndarray, left_out: dict[str, int]
) -> Split:
    """Whole groups go to one side, drawn until the holdout is large enough.

    Of several draws the one whose holdout has its classes in the likest shares.
    """
    name = context.text("group_column")
    groups = need_column(frame, name, "group_column").iloc[rows]
    codes = group_codes(groups)
    count = np.unique(codes).size
    if count < 2:
        raise OperationError(
            "one_group",
            f"group_column {name!r} has one group only, so it cannot be on two sides",
            field="group_column",
            value=name,
            rule="has at least two groups",
        )
    held, chosen = draw_groups(codes, _classes(context, frame, rows), context)
    boundaries: dict[str, Json] = {
        "group_column": name,
        "groups": count,
        "rows_without_group": int(groups.isna().sum()),
        "holdout_groups": chosen,
    }
    return Split("group", rows[~held], rows[held], boundaries, left_out)


def _classes(context: Context, frame: pd.DataFrame, rows: np.ndarray) -> np.ndarray | None:
    """The class of each row; None for a target of many values."""
    if not context.text("target"):
        return None
    codes, uniques = pd.factorize(frame[context.text("target")].iloc[rows], sort=True)
    return codes if len(uniques) <= 20 else None


def at_random(
    context: Context, frame: pd.DataFrame, rows: np.ndarray, left_out: dict[str, int]
) -> Split:
    """A share of each class (of all rows when the target has many values)."""
    draw = np.random.default_rng(context.seed)
    strata = np.zeros(len(rows), dtype="int64")
    rule = "random"
    if context.text("target") and context.text("task") == "classification":
        codes, uniques = pd.factorize(frame[context.text("target")].iloc[rows], sort=True)
        if len(uniques) <= 20:
            strata, rule = codes, "stratified"
    held = np.zeros(len(rows), dtype=bool)
    for stratum in range(int(strata.max()) + 1):
        members = np.flatnonzero(strata == stratum)
        size = round(len(members) * context.number("holdout_share"))
        held[draw.permutation(members)[:size]] = True
    boundaries: dict[str, Json] = {"strata": int(strata.max()) + 1}
    return Split(rule, rows[~held], rows[held], boundaries, left_out)


def _refuse_empty(split: Split) -> None:
    for name, rows in (("train", split.train), ("holdout", split.holdout)):
        if not len(rows):
            raise OperationError(
                "empty_part",
                f"the {name} part is empty: rule {split.rule}, boundaries {split.boundaries}, "
                f"left out {split.left_out}",
                field="train_until" if split.rule == "time" else "holdout_share",
                value=0,
                rule="both parts have rows",
            )


def _describe(part: pd.DataFrame, rows: np.ndarray, time_column: str) -> dict[str, Json]:
    found: dict[str, Json] = {
        "rows": len(part),
        "digest": digest_of(rows.astype("int64")),
        "content_digest": digest_of(row_hashes(part)),
    }
    if time_column:
        found["first"], found["last"] = (
            plain(part[time_column].min()),
            plain(part[time_column].max()),
        )
    return found


def _target_facts(part: pd.DataFrame, target: str, *, classed: bool) -> dict[str, Json]:
    """Classes with their rows; of a number its middle and ends."""
    if not target:
        return {}
    found: dict[str, Json] = {}
    if not classed and pd.api.types.is_numeric_dtype(part[target].dtype):
        marks = part[target].quantile([0, 0.25, 0.5, 0.75, 1]).tolist()
        found["quantiles"] = [finite(float(mark), 6) for mark in marks]
        found["mean"] = finite(float(part[target].mean()), 6)
        return found
    counts = part[target].value_counts()
    if len(counts) <= 20:
        classes = {str(plain(value)): int(count) for value, count in sorted(counts.items())}
        found["classes"] = dict(classes)
        found["rarest"] = int(counts.min())
    found["positives"] = _positives(part[target])
    found["positive_share"] = finite(_positives(part[target]) / len(part), 6)
    return found


def _positives(target: pd.Series) -> int:
    """Rows of class 1; 0 when the target is not 0 and 1."""
    return int((target == 1).sum()) if pd.api.types.is_numeric_dtype(target.dtype) else 0


def _overlap(train: pd.DataFrame, holdout: pd.DataFrame) -> int:
    return int(np.isin(row_hashes(holdout), row_hashes(train)).sum())


def _repeats(parts: dict[str, pd.DataFrame], time_column: str) -> dict[str, Json]:
    """Rows to decide on that are a training row at another time.

    Tables of few values repeat by chance, within training as much: that share is told beside it.
    """
    if not time_column:
        return {}
    train, holdout = (
        row_hashes(parts[name].drop(columns=time_column)) for name in ("train", "holdout")
    )
    own = pd.Series(train).duplicated(keep=False).mean()
    return {
        "repeated_rows": int(np.isin(holdout, train).sum()),
        "repeated_share_train": finite(float(own), 6),
    }


def _groups_shared(parts: dict[str, pd.DataFrame], group_column: str) -> Json:
    if not group_column:
        return None
    return len(_shared(parts, group_column))


def _shared(parts: dict[str, pd.DataFrame], group_column: str) -> set[object]:
    """Groups on both sides; rows without a group are each their own."""
    train, holdout = (parts[name][group_column].dropna() for name in ("train", "holdout"))
    return set(train) & set(holdout)


def _rows_shared(parts: dict[str, pd.DataFrame], group_column: str) -> Json:
    """Share of the deciding rows whose group has trained."""
    if not group_column:
        return None
    mine = parts["holdout"][group_column].isin(_shared(parts, group_column))
    return finite(float(mine.mean()), 6)
