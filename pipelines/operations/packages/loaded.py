"""A package in memory, proved against its own golden rows, that scores rows.

This is the one scoring path: load tests, the prediction endpoint and batch scoring use it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipelines.operations.contract import Json
from pipelines.operations.learning.class_names import texts_of
from pipelines.operations.packages.archive import (
    GOLDEN,
    MODEL,
    SIGNATURE,
    PackageError,
    load,
    read_archive,
)
from pipelines.operations.packages.decisions import Decision, Ends, number, parse_decision
from pipelines.operations.packages.signature import (
    Column,
    Row,
    RowCheck,
    Signature,
    parse_signature,
)
from pipelines.operations.packages.trusted import UntrustedTypesError, load_model
from pipelines.operations.rowwise.compile import RowScorer, compile_pipeline
from pipelines.operations.rowwise.stages import NotCompilableError

Scores = npt.NDArray[np.float64]

# Up to so many rows the row form is faster than one call of the pipeline (measured: 0.1 ms a
# row against 10 ms a call and 0.01 ms a row).
ROW_FORM_LIMIT = 100
TOLERANCE = 1e-12  # sums of linear models may be ordered differently; trees are bit-equal


class Estimator(Protocol):
    """What a loaded model can do."""

    def predict(self, frame: pd.DataFrame) -> npt.NDArray[np.float64]: ...


@dataclass(frozen=True)
class Prediction:
    """Scores (probability of the positive class, or the value) and labels, one per row.

    `intervals` are (low, high) around values; empty where the package promises none. With several
    classes scores are the probabilities of the answers, and `probabilities` those of all classes.
    `reasons` say why a row has no label ("" where it has one); empty where all rows are answered.
    """

    scores: list[float]
    labels: list[Json]
    intervals: list[Ends] = field(default_factory=list)
    probabilities: list[list[float]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


class Loaded:
    """A package ready to score. Made by `load_package`; safe to share between threads."""

    def __init__(self, *, digest: str, manifest: Mapping[str, Json], parts: "Parts") -> None:
        self.digest = digest
        self.manifest = manifest
        self.signature = parts.signature
        self.decision = parts.decision
        self.model = parts.model
        self.row_form = parts.row_form
        self.names = texts_of(parts.decision.several)
        self._check = RowCheck(parts.signature)

    def predict(self, rows: Sequence[Row]) -> Prediction:
        """Scores and labels of rows. Raises RowsError with every problem of every row."""
        cleaned = self._check.clean(rows)
        if self.decision.several:
            return self._several(self.vectors(cleaned))
        scores = self.score(cleaned)
        labels = [self.decision.label(score) for score in scores]
        if self.decision.abstain is None:
            return Prediction(scores, labels, self.decision.intervals(scores, cleaned))
        reasons = [self.decision.abstain.of_score(score) for score in scores]
        left = [None if why else label for label, why in zip(labels, reasons, strict=True)]
        return Prediction(scores, left, reasons=reasons)

    def _several(self, table: list[list[float]]) -> Prediction:
        """The cheapest answer to each row of probabilities, or none."""
        decided = [self.decision.cheapest(shares) for shares in table]
        scores = [shares[answer] for shares, (answer, _) in zip(table, decided, strict=True)]
        labels = [self.decision.several[answer] for answer, _ in decided]
        abstain = self.decision.abstain
        if abstain is None:
            return Prediction(scores, labels, probabilities=table)
        reasons = [
            abstain.of_several(shares, answer, cost, self.names)
            for shares, (answer, cost) in zip(table, decided, strict=True)
        ]
        left = [None if why else label for label, why in zip(labels, reasons, strict=True)]
        return Prediction(scores, left, probabilities=table, reasons=reasons)

    def more(self, found: Prediction) -> list[dict[str, Json]]:
        """Outputs of the signature beside score and label, row by row; empty without any."""
        if self.decision.classes is not None or self.decision.several:
            return self._more_of_classes(found)
        if not found.intervals:
            return [{"prediction": score, "low": None, "high": None} for score in found.scores]
        return [
            {"prediction": score, "low": low, "high": high}
            for score, (low, high) in zip(found.scores, found.intervals, strict=True)
        ]

    def _more_of_classes(self, found: Prediction) -> list[dict[str, Json]]:
        """Probabilities of several classes; whether a row was left to people, and why."""
        more: list[dict[str, Json]] = [{} for _ in found.scores if found.reasons or self.names]
        for row, shares in zip(more, found.probabilities, strict=False):
            row["probabilities"] = dict(zip(self.names, shares, strict=True))
        for row, why in zip(more, found.reasons, strict=False):
            row |= {"abstained": bool(why), "reason": why or None}
        return more

    def vectors(self, rows: Sequence[Row]) -> list[list[float]]:
        """Probabilities of all classes, of rows that are known to suit."""
        if self.row_form is not None and len(rows) <= ROW_FORM_LIMIT:
            return [self.row_form(row) for row in rows]
        found: list[list[float]] = self.score_frame(frame_of(rows, self.signature)).tolist()
        return found

    def served(self, row: Row) -> float | list[float]:
        """The score of one row, or its probabilities, along the path that serves it."""
        cleaned = self._check.clean([row])
        return self.vectors(cleaned)[0] if self.decision.several else self.score(cleaned)[0]

    def score(self, rows: Sequence[Row]) -> list[float]:
        """Scores of rows that are known to suit."""
        if self.row_form is not None and len(rows) <= ROW_FORM_LIMIT:
            return [self.row_form(row)[-1] for row in rows]
        found: list[float] = self.score_frame(frame_of(rows, self.signature)).tolist()
        return found

    def score_frame(self, frame: pd.DataFrame) -> Scores:
        """Scores by the pipeline itself."""
        return scores_of(self.model, frame)

    @property
    def path(self) -> str:
        """Which path serves single rows, in words for people."""
        return (
            "compiled row form, equal on the golden rows"
            if self.row_form
            else str(getattr(self.model, "engine", "scikit-learn pipeline"))
        )


@dataclass(frozen=True)
class Parts:
    """What a package is made of, once read."""

    signature: Signature
    decision: Decision
    model: object
    row_form: RowScorer | None


def scores_of(model: object, frame: pd.DataFrame) -> Scores:
    """Probability of the last of two classes, those of all of several, or the predicted value."""
    if hasattr(model, "predict_proba"):
        shares = np.asarray(model.predict_proba(frame), dtype=np.float64)
        return shares if shares.shape[1] > 2 else shares[:, -1]
    return np.asarray(model.predict(frame), dtype=np.float64)  # type: ignore[attr-defined]


def load_package(source: bytes | Path, *, digest: str = "") -> Loaded:
    """Read a package and prove it: digest, allowed types, golden rows on both paths.

    Raises PackageError naming the rule that is broken.
    """
    data = source if isinstance(source, bytes) else source.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if digest and found != digest:
        raise PackageError("digest", f"the package has digest {found}, {digest} was asked for")
    manifest, entries = read_archive(data)
    parts = _parts(manifest, entries)
    loaded = Loaded(digest=found, manifest=manifest, parts=parts)
    worst = golden_difference(loaded, load(entries, GOLDEN))
    tolerance = number(manifest, "tolerance", TOLERANCE)
    if not worst <= tolerance:
        raise PackageError(
            "golden_rows", f"golden rows differ by {worst:g}, tolerance {tolerance:g}"
        )
    return loaded


def _parts(manifest: Mapping[str, Json], entries: Mapping[str, bytes]) -> Parts:
    signature = parse_signature(load(entries, SIGNATURE))
    try:
        model = load_model(entries[MODEL])
    except UntrustedTypesError as problem:
        raise PackageError("untrusted_types", str(problem)) from problem
    golden = _rows(load(entries, GOLDEN), "rows")
    row_form = None
    if manifest.get("row_form") is True:
        try:
            row_form = compile_pipeline(model, frame_of(golden, signature))
        except NotCompilableError as problem:
            raise PackageError("row_form", f"the row form cannot be built: {problem}") from problem
    return Parts(signature, parse_decision(manifest), model, row_form)


def _rows(data: Mapping[str, Json], key: str) -> list[dict[str, Json]]:
    found = data.get(key)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def golden_difference(loaded: Loaded, golden: Mapping[str, Json]) -> float:
    """Largest difference of both paths to the stored scores; infinite where there are none.

    Of scores beyond 1 it is relative: the last bit of 300 minutes is no error.
    """
    rows = _rows(golden, "rows")
    scores = golden.get("scores")
    if not rows or not isinstance(scores, list) or len(scores) != len(rows):
        return float("inf")
    stored = np.asarray(scores, dtype=np.float64)
    paths = [loaded.score_frame(frame_of(rows, loaded.signature))]
    if loaded.row_form is not None:
        found = [loaded.row_form(row) for row in rows]
        one = not loaded.decision.several
        paths.append(np.asarray([shares[-1] for shares in found] if one else found))
    if any(path.shape != stored.shape for path in paths):
        return float("inf")
    size = np.maximum(1.0, np.abs(stored))
    worst = max(float(np.max(np.abs(path - stored) / size)) for path in paths)
    return worst if worst == worst else float("inf")


def frame_of(rows: Sequence[Row], signature: Signature) -> pd.DataFrame:
    """Rows as the table that training read: same columns, order and types."""
    columns = {
        column.name: _series([row.get(column.name) for row in rows], column)
        for column in signature.inputs
    }
    return pd.DataFrame(columns, columns=list(signature.names))


def _series(values: list[Json], column: Column) -> pd.Series:
    if column.type in ("number", "integer"):
        exact = column.dtype.lower().startswith(("int", "uint")) and None not in values
        # A missing value in a column of integers makes it a column of floats, as in training.
        return pd.Series(values, dtype=column.dtype if exact else "float64")
    if column.type == "boolean":
        return pd.Series(values, dtype="bool" if None not in values else "object")
    if column.type == "datetime":
        return pd.Series(
            pd.to_datetime(pd.Series(values, dtype="object"), format="ISO8601", utc=True)
        )
    return pd.Series(values, dtype="str")


def plain_rows(frame: pd.DataFrame, signature: Signature) -> list[dict[str, Json]]:
    """Rows of a table as JSON values, such as a client would send them."""
    columns = {column.name: _plain(frame[column.name], column) for column in signature.inputs}
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def _plain(series: pd.Series, column: Column) -> list[Json]:
    missing = series.isna().to_numpy()
    if column.type == "datetime":
        moments = pd.to_datetime(series, format="ISO8601", utc=True)
        found: list[Json] = [
            None if gone else moment.isoformat()
            for moment, gone in zip(moments, missing, strict=True)
        ]
        return found
    read = {"string": str, "boolean": bool, "integer": int, "number": float}[column.type]
    return [
        None if gone else read(value) for value, gone in zip(series.tolist(), missing, strict=True)
    ]
