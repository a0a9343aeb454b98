"""The sections and bands of the ML Test Score (Breck et al. 2017), and the 26 worries. Pure."""

from dataclasses import dataclass
from typing import Final

SECTIONS: Final = {
    "data": "Features and data",
    "model": "Model development",
    "infra": "Infrastructure",
    "monitor": "Monitoring",
}
# Upper bounds of the score's bands, which are (low, high].
BANDS: Final = (
    (0.0, "a research project rather than a production system"),
    (1.0, "not totally untested, but serious holes are possible"),
    (2.0, "a first pass at production, more investment is needed"),
    (3.0, "reasonably tested, more tests could be automated"),
    (5.0, "strong levels of automated testing and monitoring"),
    (7.0, "exceptional levels of automated testing and monitoring"),
)


@dataclass(frozen=True)
class WorryDef:
    """One thing to worry about, with what looks for it."""

    id: str
    column: str
    title: str
    detector: str


_PREPARATION, _PREPROCESSING = "Data preparation", "Preprocessing"
_SEARCH, _ARCHITECTURE = "Parameters", "Architecture"
_COMBINATIONS, _EVALUATION = "Combinations", "Evaluation"
WORRIES: Final = (
    WorryDef("W1", _PREPARATION, "Imbalanced data", "share of the rarest class"),
    WorryDef("W2", _PREPARATION, "Outliers", "fences and an isolation forest"),
    WorryDef("W3", _PREPARATION, "Missing values", "share per column, and whether gaps tell"),
    WorryDef("W4", _PREPARATION, "High cardinality", "distinct values against rows"),
    WorryDef("W5", _PREPARATION, "Highly correlated columns", "rank correlation, Cramér's V"),
    WorryDef("W6", _PREPARATION, "Target leakage", "single-column AUC, times, duplicates"),
    WorryDef("W7", _PREPARATION, "Inconsistent definition", "definition digests"),
    WorryDef("W8", _PREPARATION, "Does not fit the memory", "bytes against the worker's limit"),
    WorryDef("W9", _PREPROCESSING, "Numbers", "an explicit transformer per column"),
    WorryDef("W10", _PREPROCESSING, "Classes", "an explicit transformer per column"),
    WorryDef("W11", _PREPROCESSING, "Strings", "an explicit transformer per column"),
    WorryDef("W12", _PREPROCESSING, "Dates", "an explicit transformer per column"),
    WorryDef("W13", _PREPROCESSING, "Lists", "columns that hold lists are named"),
    WorryDef("W14", _PREPROCESSING, "Nested fields", "columns that hold objects are named"),
    WorryDef("W15", _ARCHITECTURE, "Architecture", "three families on the same folds"),
    WorryDef("W16", _SEARCH, "Learning rate", "searched, and not on the border"),
    WorryDef("W17", _SEARCH, "Regularisation", "searched, and not on the border"),
    WorryDef("W18", _SEARCH, "Size of trees or layers", "searched, and not on the border"),
    WorryDef("W19", _SEARCH, "Leaves or hidden nodes", "searched, and not on the border"),
    WorryDef("W20", _SEARCH, "Shape of the function", "searched, and not on the border"),
    WorryDef("W21", _COMBINATIONS, "Thousands of combinations", "log of the search"),
    WorryDef("W22", _COMBINATIONS, "Ensembling", "gain against one standard error"),
    WorryDef("W23", _EVALUATION, "Evaluation of the whole data set", "bootstrap intervals"),
    WorryDef("W24", _EVALUATION, "Evaluation by feature", "permutation importance, slices"),
    WorryDef("W25", _EVALUATION, "Evaluation by prediction", "the worst errors, explained"),
    WorryDef("W26", _EVALUATION, "Behaviour fully understood", "a signed statement"),
)


def band(score: float) -> str:
    """Return what a score means."""
    return next(text for high, text in BANDS if score <= high)
