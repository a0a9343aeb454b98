"""Texts as numbers: read, weigh words and pairs of words (TF-IDF), fold them into topics.

scikit-learn's TfidfVectorizer gives the same weights (tested). The terms are kept here as one
string, for a vocabulary of 20,000 entries makes a skops file that takes seconds to open.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer

from pipelines.operations.contract import Json, OperationError
from pipelines.operations.learning.definition import FeatureSet
from pipelines.operations.learning.transformers import BadValueError, Floats, Stateless
from pipelines.operations.learning.words import MAX_TEXT, terms, words

Objects = npt.NDArray[np.object_]
MAX_TERMS = 20_000  # the most frequent ones; rarer ones seldom carry weight (own)
MIN_ROWS = 2  # a term of one row cannot help another row
TOPIC_DIGITS = 10  # of numbers up to 1: far finer than any split, coarser than rounding
KEYWORDS = 10
SURE = 3.0  # z value from which a word is told from chance, however many are looked at (own)
SUPPORT = 0.005  # share of rows a keyword occurs in at least (own)
STEPS = 3  # no keyword, one, two or more
PRIOR = 20.0  # rows of the overall share that each step starts from (own)


class Texts(Stateless):
    """Columns of texts as they are, cut to MAX_TEXT; a missing one is empty."""

    def transform(self, frame: pd.DataFrame) -> Objects:
        """rows x columns of str; raises BadValueError for what is no text."""
        columns = [_as_texts(frame[name]) for name in frame]
        if not columns:
            return np.empty((len(frame), 0), dtype=object)
        return np.column_stack(columns)


def _as_texts(values: pd.Series) -> Objects:
    found = np.empty(len(values), dtype=object)
    missing = values.isna().to_numpy()
    for place, value in enumerate(values.tolist()):
        if missing[place]:
            found[place] = ""
        elif isinstance(value, str):
            found[place] = value[:MAX_TEXT]
        else:
            shown = repr(value)[:80]
            raise BadValueError(column=str(values.name), value=shown, rule="is not a text")
    return found


class Plain(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Numbers that stand beside texts, as float64 again."""

    def fit(self, rows: Objects, y: object = None) -> Self:
        """Nothing to learn."""
        self.n_features_in_ = rows.shape[1]
        return self

    def transform(self, rows: Objects) -> Floats:
        """The same numbers."""
        return rows.astype(np.float64)


class TermWeights(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """TF-IDF of words and pairs of words in one column of texts.

    Weight = (1 + ln count) * (1 + ln((1 + rows) / (1 + rows with the term))), each row to
    length 1; a row without any known term is all zero.
    """

    def __init__(self, min_rows: int = MIN_ROWS, max_terms: int = MAX_TERMS) -> None:
        self.min_rows = min_rows
        self.max_terms = max_terms

    def fit(self, rows: Objects, y: object = None) -> Self:
        """Learn the terms and how rare each is; raises OperationError where there are none."""
        found, rare = _frequent(rows[:, 0], self.min_rows, self.max_terms)
        self.terms_ = "\n".join(found)
        self.weights_ = 1.0 + np.log((1.0 + len(rows)) / (1.0 + rare))
        self.n_features_in_ = 1
        self._places: dict[str, int] | None = None
        return self

    def transform(self, rows: Objects) -> sparse.csr_matrix:
        """rows x terms."""
        counts = _counter(self.places()).transform(rows[:, 0]).astype(np.float64)
        np.log(counts.data, out=counts.data)
        counts.data += 1.0
        weighted = sparse.csr_matrix(counts.multiply(self.weights_))
        lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
        lengths[lengths == 0.0] = 1.0
        return sparse.csr_matrix(sparse.diags(1.0 / lengths) @ weighted)

    def places(self) -> dict[str, int]:
        """Each known term's place."""
        if getattr(self, "_places", None) is None:
            self._places = {term: place for place, term in enumerate(self.terms_.split("\n"))}
        return self._places  # type: ignore[return-value]

    def __getstate__(self) -> dict[str, object]:
        # The places are made again from the terms: in the file they would be thousands of nodes.
        return {name: value for name, value in self.__dict__.items() if name != "_places"}


def _counter(places: dict[str, int]) -> CountVectorizer:
    return CountVectorizer(analyzer=terms, vocabulary=places)


def _frequent(texts: Iterable[str], least: int, most: int) -> tuple[list[str], Floats]:
    """Terms in at least so many rows, the most frequent ones, by name; and in how many rows."""
    vectorizer = CountVectorizer(analyzer=terms)
    try:
        counts = vectorizer.fit_transform(texts)
    except ValueError:  # scikit-learn's word for a vocabulary of nothing
        raise no_words() from None
    rows = np.asarray((counts > 0).sum(axis=0)).ravel()
    names = vectorizer.get_feature_names_out()
    kept = np.flatnonzero(rows >= least)
    if not kept.size:
        raise no_words()
    if kept.size > most:  # ties go to the name that comes first
        kept = np.sort(kept[np.argsort(-rows[kept], kind="stable")[:most]])
    return [str(name) for name in names[kept]], rows[kept].astype(np.float64)


def no_words() -> OperationError:
    return OperationError(
        "no_words",
        "no word occurs in two of the texts: they are empty, or every one is different",
        field="text",
        rule="some words occur in several rows",
    )


class Topics(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Term weights folded into few numbers (truncated SVD); fewer where terms are few.

    Rounded: a tree must not send a text left or right by the order in which a sum was made.
    """

    def __init__(self, components: int = 50, seed: int = 0) -> None:
        self.components = components
        self.seed = seed

    def fit(self, weights: sparse.csr_matrix, y: object = None) -> Self:
        """Learn the directions."""
        wanted = max(1, min(self.components, min(weights.shape) - 1))
        svd = TruncatedSVD(wanted, random_state=self.seed).fit(weights)
        self.components_ = svd.components_
        self.n_features_in_ = weights.shape[1]
        return self

    def transform(self, weights: sparse.csr_matrix) -> Floats:
        """rows x components."""
        return rounded(np.asarray(weights @ self.components_.T, dtype=np.float64))


def rounded(topics: Floats) -> Floats:
    """Topics as trees see them; no negative zero."""
    found: Floats = np.round(topics, TOPIC_DIGITS) + 0.0
    return found


class KeywordRule(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """The share of positives among rows with none, one, or more of up to ten telling words.

    Telling are the words whose rows are positive more often than all rows, by the z value of
    that difference; the model that a person would write down.
    """

    def __init__(self, column: int = 0) -> None:
        self.column = column

    def fit(
        self, rows: Objects, y: npt.NDArray[np.int64], sample_weight: Floats | None = None
    ) -> Self:
        """Choose the words and count; raises OperationError where there are no words."""
        texts, weights = rows[:, self.column], shares_of(sample_weight, len(rows))
        least = max(MIN_ROWS, int(np.ceil(SUPPORT * len(rows))))
        vectorizer = CountVectorizer(analyzer=words, binary=True)
        try:
            counts = vectorizer.fit_transform(texts)
        except ValueError:
            raise no_words() from None
        names = vectorizer.get_feature_names_out()
        chosen = telling(counts, np.asarray(y, dtype=np.float64), least, weights)
        self.keywords_ = "\n".join(sorted(str(names[place]) for place in chosen))
        self.classes_ = np.asarray([0, 1])
        steps, share = self._steps(texts), float(np.average(y, weights=weights))
        self.shares_ = np.asarray(
            [
                (float(np.sum((weights * y)[steps == step])) + PRIOR * share)
                / (float(np.sum(weights[steps == step])) + PRIOR)
                for step in range(STEPS)
            ]
        )
        return self

    def _steps(self, texts: Objects) -> npt.NDArray[np.int64]:
        known = frozenset(filter(None, self.keywords_.split("\n")))
        found = [min(len(known.intersection(words(text))), STEPS - 1) for text in texts]
        return np.asarray(found, dtype=np.int64)

    def predict_proba(self, rows: Objects) -> Floats:
        """rows x (other, positive)."""
        positive = self.shares_[self._steps(rows[:, self.column])]
        return np.column_stack([1.0 - positive, positive])

    def predict(self, rows: Objects) -> npt.NDArray[np.int64]:
        """The likelier class."""
        found: npt.NDArray[np.int64] = (self.predict_proba(rows)[:, 1] >= 0.5).astype(np.int64)
        return found


def shares_of(weights: Floats | None, rows: int) -> Floats:
    """Weights that add up to the number of rows, so that no row is counted that is not there."""
    if weights is None:
        return np.ones(rows)
    found: Floats = np.asarray(weights, dtype=np.float64) * (rows / float(np.sum(weights)))
    return found


def telling(
    counts: sparse.csr_matrix, y: Floats, least: int, weights: Floats
) -> npt.NDArray[np.int64]:
    """The places of words whose rows are positive more often, the surest first."""
    rows = np.asarray(counts.T @ weights).ravel()
    hits = np.asarray(counts.T @ (weights * y)).ravel()
    share = float(np.average(y, weights=weights))
    z = (hits - rows * share) / np.sqrt(np.maximum(rows * share * (1.0 - share), 1e-12))
    usable = np.flatnonzero((rows >= least) & (z > 0))
    ordered = usable[np.argsort(-z[usable], kind="stable")]
    sure = int(np.sum(z[ordered] >= SURE))
    return ordered[: min(max(sure, 1), KEYWORDS)]


def as_read(frame: pd.DataFrame, features: FeatureSet | None) -> pd.DataFrame:
    """Rows with each text cut to what is read of it; the scores are the same."""
    named = [] if features is None else features.columns
    texts = {c.name: frame[c.name].str[:MAX_TEXT] for c in named if c.role == "text"}
    return frame.assign(**texts) if texts else frame


def only_numbers(features: FeatureSet, matrix: Floats | Objects) -> Floats:
    """The encoder's matrix with each text as its count of words, for what reads numbers only."""
    places = features.positions("text")
    if not places:
        return matrix  # type: ignore[return-value]
    found = matrix.copy()
    for place in places:
        found[:, place] = [float(len(words(text))) for text in matrix[:, place]]
    numbers: Floats = found.astype(np.float64)
    return numbers


def described(values: pd.Series) -> dict[str, Json]:
    """What a column of texts holds: empty, of stop words alone, cut, how long. Worded counts."""
    from_cells = [str(value) for value in values.dropna()]
    found = [words(text) for text in from_cells]
    lengths = np.asarray([len(one) for one in found] or [0])
    return {
        "rows": len(values),
        "empty": int(values.isna().sum()) + sum(not one for one in found),
        "cut": sum(len(text) > MAX_TEXT for text in from_cells),
        "longest": max(map(len, from_cells), default=0),
        "words_mean": round(float(lengths.mean()), 3),
        "words_most": int(lengths.max()),
        "distinct_words": len({word for one in found for word in one}),
    }
