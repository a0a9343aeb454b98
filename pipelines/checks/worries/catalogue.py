"""The 26 worries in six columns: what looks for each, and when it speaks up. Data only.

Counts, columns and worries after L. Suzuki, "MLOps: a use case overview" (docs/worries.md);
detectors and thresholds are ours where nothing else is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pipelines.checks.contract import ThresholdClass

PREPARATION, PREPROCESSING = "Data preparation", "Preprocessing"
ARCHITECTURE, PARAMETERS = "Architecture", "Parameters"
COMBINATIONS, EVALUATION = "Combinations", "Evaluation"
GROUPS: Final = (
    PREPARATION, PREPROCESSING, ARCHITECTURE, PARAMETERS, COMBINATIONS, EVALUATION,
)  # fmt: skip


@dataclass(frozen=True)
class WorryDef:
    """One worry: its column, its detector, and its alarm with the threshold's class."""

    id: str
    group: str
    title: str
    detector: str
    alarm: str
    threshold_class: ThresholdClass = "own"


WORRIES: Final = (
    WorryDef("W1", PREPARATION, "Imbalanced data", "share of the rarest class",
             "under a fifth of an equal share warns (10 % of two), a fiftieth blocks"),
    WorryDef("W2", PREPARATION, "Outliers", "fences that follow the skew; isolation forest",
             "over 5 % of the rows"),
    WorryDef("W3", PREPARATION, "Missing values", "share per column, and whether gaps tell",
             "over 20 % warns, over 60 % asks to drop; p below 0.001 after correction"),
    WorryDef("W4", PREPARATION, "High cardinality", "distinct values against rows",
             "over half of the rows, or over 255 categories", "tool"),
    WorryDef("W5", PREPARATION, "Highly correlated columns",
             "rank correlation, Cramér's V corrected for chance, variance inflation",
             "0.95, 0.9, 10", "conv"),
    WorryDef("W6", PREPARATION, "Target leakage",
             "score of each column alone, times after the prediction, rows in both parts",
             "AUC or R² over 0.95, or any later time, blocks"),
    WorryDef("W7", PREPARATION, "Inconsistent definition",
             "types against the contract, digests of the features, rows sent along serving",
             "any mismatch blocks", "conv"),
    WorryDef("W8", PREPARATION, "Does not fit the memory", "bytes against the worker's limit",
             "over half of the worker's memory"),
    WorryDef("W9", PREPROCESSING, "Numbers", "an explicit transformer per column",
             "any column without one"),
    WorryDef("W10", PREPROCESSING, "Classes", "a transformer and a policy for unknown ones",
             "any column without either"),
    WorryDef("W11", PREPROCESSING, "Strings", "an explicit transformer per column",
             "any column without one"),
    WorryDef("W12", PREPROCESSING, "Dates", "an explicit transformer per column",
             "any column without one"),
    WorryDef("W13", PREPROCESSING, "Lists", "columns that hold lists are named", "any such column"),
    WorryDef("W14", PREPROCESSING, "Nested fields", "columns that hold objects are named",
             "any such column"),
    WorryDef("W15", ARCHITECTURE, "Architecture", "families on the same folds",
             "fewer than three, or folds that differ"),
    WorryDef("W16", PARAMETERS, "Learning rate", "searched, and where its best value lies",
             "better at the end of its range than inside, by one standard error"),
    WorryDef("W17", PARAMETERS, "Regularisation", "searched, and where its best value lies",
             "better at the end of its range than inside, by one standard error"),
    WorryDef("W18", PARAMETERS, "Size of trees or layers",
             "searched, and where its best value lies",
             "better at the end of its range than inside, by one standard error"),
    WorryDef("W19", PARAMETERS, "Leaves or hidden nodes",
             "searched, and where its best value lies",
             "better at the end of its range than inside, by one standard error"),
    WorryDef("W20", PARAMETERS, "Shape of the function",
             "searched, and where its best value lies",
             "better at the end of its range than inside, by one standard error"),
    WorryDef("W21", COMBINATIONS, "Thousands of combinations", "log of the search",
             "no log, or fewer than ten trials"),
    WorryDef("W22", COMBINATIONS, "Ensembling", "gain of the best ensemble over the best single",
             "a chosen ensemble that gains less than one standard error", "conv"),
    WorryDef("W23", EVALUATION, "Evaluation of the whole data set", "intervals by resampling",
             "the worse end misses the target, or there is no interval"),
    WorryDef("W24", EVALUATION, "Evaluation by feature", "permutation importance, slices",
             "a harmful column, or a slice that is surely worse"),
    WorryDef("W25", EVALUATION, "Evaluation by prediction", "the worst errors, explained",
             "fewer than 50 of them, or parts that do not add up"),
    WorryDef("W26", EVALUATION, "Behaviour fully understood", "a signed statement",
             "none, or one that says no"),
)  # fmt: skip
BY_ID: Final = {worry.id: worry for worry in WORRIES}
