"""The keyword rule for several classes: each class has its words, and the most words win."""

from __future__ import annotations

from typing import Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.feature_extraction.text import CountVectorizer

from pipelines.operations.learning.metrics import Floats
from pipelines.operations.learning.texts import (
    MIN_ROWS,
    PRIOR,
    SUPPORT,
    Objects,
    no_words,
    shares_of,
    telling,
)
from pipelines.operations.learning.words import words


class KeywordVotes(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """The shares of classes among rows whose text holds most words of one class.

    Each class has up to ten telling words, chosen as by `KeywordRule` against all other classes.
    Rows with no such word, or as many of one class as of another, are a part of their own.
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
        self.classes_ = np.unique(y)
        hot = (np.asarray(y)[:, None] == self.classes_[None, :]).astype(np.float64)
        self.keywords_ = "\n\n".join(
            "\n".join(sorted(str(names[place]) for place in telling(counts, of, least, weights)))
            for of in hot.T
        )
        parts, share = self._parts(texts), np.average(hot, axis=0, weights=weights)
        weighed = hot * weights[:, None]
        self.shares_ = np.asarray(
            [
                (weighed[parts == part].sum(axis=0) + PRIOR * share)
                / (weights[parts == part].sum() + PRIOR)
                for part in range(self.classes_.size + 1)
            ]
        )
        return self

    def known(self) -> list[frozenset[str]]:
        """The words of each class."""
        return [frozenset(filter(None, part.split("\n"))) for part in self.keywords_.split("\n\n")]

    def _parts(self, texts: Objects) -> npt.NDArray[np.int64]:
        known = self.known()
        return np.asarray([winner(known, str(text)) for text in texts], dtype=np.int64)

    def predict_proba(self, rows: Objects) -> Floats:
        """rows x classes."""
        found: Floats = self.shares_[self._parts(rows[:, self.column])]
        return found

    def predict(self, rows: Objects) -> npt.NDArray[np.int64]:
        """The likeliest class."""
        found: npt.NDArray[np.int64] = self.classes_[self.predict_proba(rows).argmax(axis=1)]
        return found


def winner(known: list[frozenset[str]], text: str) -> int:
    """The place of the class with most of its words in the text; their number where none has."""
    found = frozenset(words(text))
    counts = [len(own & found) for own in known]
    most = max(counts)
    return counts.index(most) if most and counts.count(most) == 1 else len(known)
