"""Drift of columns of texts: how long they are, how many words are new, can they be told apart.

Length and share of unknown words become columns of numbers and are judged as such. The domain
classifier learns to tell window from reference by the words; texts it cannot tell apart have not
moved. Each different text counts once a side, else a text that is asked about twice would be
recognised and not judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from pipelines.operations.contract import Json, OperationError, finite
from pipelines.operations.learning import store
from pipelines.operations.learning.texts import TermWeights
from pipelines.operations.learning.words import words

Floats = npt.NDArray[np.float64]
Objects = npt.NDArray[np.object_]
MOST = 2_000  # different texts a side that the classifier sees
DRAWS = 500  # random labels, for what AUC chance gives
TOLD = 8  # words named
RED = 0.70  # AUC from which a shift is red: two of five cannot be mistaken any more (own)


@dataclass(frozen=True)
class TextLimits:
    """AUC from which a large window has moved, and how often chance may exceed its own limit."""

    auc: float = 0.55
    confidence: float = 0.95
    minimum_rows: int = 200


@dataclass(frozen=True)
class TextDrift:
    """What the classifier found; `auc` None where a side has too few different texts."""

    column: str
    reference_texts: int
    window_texts: int
    auc: float | None
    limit: float | None
    level: str
    more: tuple[str, ...] = ()
    fewer: tuple[str, ...] = ()

    def facts(self) -> dict[str, Json]:
        """The row as JSON."""
        return {
            "column": self.column,
            "reference_texts": self.reference_texts,
            "window_texts": self.window_texts,
            "auc": finite(self.auc, 6),
            "limit": finite(self.limit, 6),
            "level": self.level,
            "more_often": list[Json](self.more),
            "less_often": list[Json](self.fewer),
        }

    def alert(self) -> dict[str, Json]:
        """The alert of a column that has moved."""
        named = f"; more often now: {', '.join(self.more[:5])}" if self.more else ""
        return {
            "cause": "drift",
            "severity": self.level,
            "column": self.column,
            "auc": finite(self.auc, 4),
            "limit": finite(self.limit, 4),
            "since": None,
            "text": f"{self.column}: its words tell window from reference, AUC"
            f" {self.auc or 0:.2f}, limit {self.limit or 0:.2f}{named}",
        }


def vocabulary_of(path: Path | None) -> frozenset[str] | None:
    """The words that a model knows; None without a model, or for one that reads no texts."""
    if path is None:
        return None
    found = [part for part in _parts(store.load(path)) if isinstance(part, TermWeights)]
    if not found:
        return None
    return frozenset(term for part in found for term in part.places() if " " not in term)


def _parts(model: object) -> list[object]:
    if isinstance(model, Pipeline):
        return [part for _, step in model.steps for part in _parts(step)]
    if isinstance(model, ColumnTransformer):
        return [part for _, step, _ in model.transformers_ for part in _parts(step)]
    return [model]


def read_texts(values: pd.Series) -> list[str]:
    """The cells as texts; missing ones are empty."""
    pairs = zip(values, values.isna(), strict=True)
    return ["" if missing else str(value) for value, missing in pairs]


def as_numbers(
    reference: pd.Series, window: pd.Series, known: frozenset[str] | None, *, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Words and share of unknown words of each text, as columns of numbers, for both sides.

    Without a model's vocabulary each half of the reference is held against the words of the
    other, and the window against both in turn: so all rows are new to the words they are held to.
    """
    sides = [[words(text) for text in read_texts(values)] for values in (reference, window)]
    first = np.zeros(len(sides[0]), dtype=bool)
    first[np.random.default_rng(seed).permutation(len(first))[: len(first) // 2]] = True
    if known is None:
        halves = [
            frozenset(w for row, inside in zip(sides[0], first, strict=True) if inside == half
                      for w in row)
            for half in (False, True)
        ]  # fmt: skip
        against = [
            [halves[0 if inside else 1] for inside in first],
            [halves[place % 2] for place in range(len(sides[1]))],
        ]
    else:
        against = [[known] * len(side) for side in sides]
    name = str(reference.name)
    tables = [
        pd.DataFrame(
            {
                f"{name}: words": [float(len(row)) for row in side],
                f"{name}: unknown words": [
                    _unknown(row, seen) for row, seen in zip(side, lists, strict=True)
                ],
            },
            index=values.index,
        )
        for side, lists, values in zip(sides, against, (reference, window), strict=True)
    ]
    return tables[0], tables[1]


def _unknown(found: Sequence[str], known: frozenset[str]) -> float:
    if not found:
        return float("nan")
    return sum(word not in known for word in found) / len(found)


def text_drift(
    reference: pd.Series, window: pd.Series, limits: TextLimits, *, seed: int
) -> TextDrift:
    """Whether the words tell window from reference, on texts the classifier did not learn from."""
    rng = np.random.default_rng(seed)
    old, new = (_different(values, rng) for values in (reference, window))
    name = str(reference.name)
    if min(len(old), len(new)) < limits.minimum_rows:
        return TextDrift(name, len(old), len(new), None, None, "not enough data")
    texts = np.concatenate([old, new])
    labels = np.repeat([0, 1], [len(old), len(new)])
    first = _half(labels, rng)
    try:
        folds = [(labels[judged], _scores(texts, labels, judged)) for judged in (first, ~first)]
    except OperationError:  # texts without a word in common: nothing to learn, nothing to tell
        return TextDrift(name, len(old), len(new), None, None, "not enough data")
    auc = float(np.mean([_auc(truth, scores) for truth, scores in folds]))
    chance = [
        np.mean([_auc(rng.permutation(truth), scores) for truth, scores in folds])
        for _ in range(DRAWS)
    ]
    limit = max(limits.auc, float(np.quantile(chance, limits.confidence)))
    level = "quiet" if auc <= limit else "red" if auc > max(RED, limit) else "amber"
    more, fewer = _telling(texts, labels) if level != "quiet" else ((), ())
    return TextDrift(name, len(old), len(new), auc, limit, level, more, fewer)


def _different(values: pd.Series, rng: np.random.Generator) -> Objects:
    found = sorted({text for text in read_texts(values) if words(text)})
    if len(found) > MOST:
        found = [found[place] for place in np.sort(rng.choice(len(found), MOST, replace=False))]
    return np.asarray(found, dtype=object)


def _half(labels: npt.NDArray[np.int64], rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Half of each side."""
    chosen = np.zeros(labels.size, dtype=bool)
    for side in (0, 1):
        places = rng.permutation(np.flatnonzero(labels == side))
        chosen[places[: len(places) // 2]] = True
    return chosen


def _fitted(texts: Objects, labels: npt.NDArray[np.int64]) -> tuple[TermWeights, Floats]:
    weights = TermWeights()
    matrix = weights.fit(texts[:, None]).transform(texts[:, None])
    regression = LogisticRegression(C=1.0, max_iter=300, class_weight="balanced")
    return weights, np.asarray(regression.fit(matrix, labels).coef_[0], dtype=np.float64)


def _scores(texts: Objects, labels: npt.NDArray[np.int64], judged: npt.NDArray[np.bool_]) -> Floats:
    weights, slopes = _fitted(texts[~judged], labels[~judged])
    found: Floats = weights.transform(texts[judged][:, None]) @ slopes
    return found


def _auc(truth: npt.NDArray[np.int64], scores: Floats) -> float:
    """Area under the ROC curve by ranks; ties count half."""
    positives = int(truth.sum())
    wins = float(rankdata(scores)[truth == 1].sum()) - positives * (positives + 1) / 2
    return wins / (positives * (truth.size - positives))


def _telling(
    texts: Objects, labels: npt.NDArray[np.int64]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    weights, slopes = _fitted(texts, labels)
    names, order = list(weights.places()), np.argsort(slopes, kind="stable")
    return (
        tuple(names[place] for place in order[::-1][:TOLD] if slopes[place] > 0),
        tuple(names[place] for place in order[:TOLD] if slopes[place] < 0),
    )
