"""Rates by group and how far they lie apart: the measures that fairlearn's MetricFrame gives.

Selection rate, true positive rate and false positive rate per group; from them the selection
ratio (lowest by highest rate, "demographic parity ratio"), the equal-opportunity difference
(highest minus lowest true positive rate) and the equalised-odds difference (the larger of the
two differences, of true and of false positive rates). Hardt, Price and Srebro 2016.

A group without a row of a class has no rate of that class and takes no part in its differences;
fairlearn takes 0 for it (scikit-learn's zero_division), and would accuse it of never being right.
Where nobody is selected the ratio is 0 / 0, not a number in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from pipelines.operations.learning.clustered import equal_means
from pipelines.operations.learning.metrics import Floats, Labels
from pipelines.operations.learning.resampling import Blocks, Resampling

Codes = npt.NDArray[np.int64]
# per group: rows, selected; positives, of them selected; negatives, of them selected
COUNTS = 6
MEASURES = ("selection", "opportunity", "false_alarms")
EXPECTED = 5.0  # cells expected below it make the chi-squared approximation unsafe (Cochran; conv)
RESAMPLES = 2000


@dataclass(frozen=True)
class Groups:
    """The disjoint groups of one sensitive column: names, and the group of each row."""

    column: str
    names: tuple[str, ...]
    codes: Codes


@dataclass(frozen=True)
class Tied:
    """Who was selected, who deserved it, and the block (a person, a day) each row is tied to."""

    selected: npt.NDArray[np.bool_]
    labels: Labels
    blocks: Blocks

    def of(self, measure: str) -> npt.NDArray[np.bool_]:
        """The rows whose share of selected ones is the rate of one of MEASURES."""
        if measure == "selection":
            return np.ones(self.labels.size, dtype=np.bool_)
        found: npt.NDArray[np.bool_] = self.labels == (1 if measure == "opportunity" else 0)
        return found


def indicators(groups: Groups, selected: npt.NDArray[np.bool_], labels: Labels) -> Floats:
    """rows x (groups * COUNTS): what each row adds to the counts of its group."""
    rows = labels.size
    parts = np.column_stack(
        [
            np.ones(rows),
            selected,
            labels == 1,
            selected & (labels == 1),
            labels == 0,
            selected & (labels == 0),
        ]
    ).astype(np.float64)
    found = np.zeros((rows, len(groups.names), COUNTS))
    found[np.arange(rows), groups.codes] = parts
    return found.reshape(rows, -1)


def rates(counts: Floats) -> Floats:
    """(..., groups, COUNTS) -> (..., groups, 3): the rates of MEASURES; NaN for none of nothing."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = counts[..., 1::2] / counts[..., 0::2]
    return found


def ratio(values: Floats) -> Floats:
    """Lowest by highest of the last axis; NaN where nobody is selected, or groups are < 2."""
    low, high, known = _ends(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(known & (high > 0), low / high, np.nan)


def spread(values: Floats) -> Floats:
    """Highest minus lowest of the last axis; NaN where fewer than two groups have a rate."""
    low, high, known = _ends(values)
    return np.where(known, high - low, np.nan)


def _ends(values: Floats) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    present = np.isfinite(values)
    low = np.where(present, values, np.inf).min(axis=-1, initial=np.inf)
    high = np.where(present, values, -np.inf).max(axis=-1, initial=-np.inf)
    known = present.sum(axis=-1) >= 2
    return np.where(known, low, 0.0), np.where(known, high, 0.0), known


def larger(first: Floats, second: Floats) -> Floats:
    """The larger of two, NaN only where both are: the equalised-odds difference."""
    return np.fmax(first, second)


def p_value(cases: Sequence[float], of: Sequence[float], *, seed: int) -> float | None:
    """Could groups with these counts have one common rate? None for fewer than two groups.

    Pearson's chi-squared without correction; where a cell expects fewer than five, Fisher's
    exact test for two groups, or 2,000 tables of the same margins.
    """
    table = np.asarray([cases, np.asarray(of) - np.asarray(cases)])
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        return None
    if (table.sum(axis=1) == 0).any():
        return 1.0  # all groups have a rate of 0, or all of 1
    if stats.contingency.expected_freq(table).min() >= EXPECTED:
        return float(stats.chi2_contingency(table, correction=False).pvalue)
    if table.shape[1] == 2:
        return float(stats.fisher_exact(table.astype(np.int64)).pvalue)
    drawn = stats.PermutationMethod(n_resamples=RESAMPLES, rng=np.random.default_rng(seed))
    whole = table.astype(np.int64)
    return float(stats.chi2_contingency(whole, correction=False, method=drawn).pvalue)


def tied(selected: npt.NDArray[np.bool_], labels: Labels, resampling: Resampling) -> Tied | None:
    """The rows by the blocks they are drawn in; None where every row is drawn alone."""
    return None if resampling.unit == "row" else Tied(selected, labels, resampling.blocks)


def tied_p_value(
    groups: Groups, judged: npt.NDArray[np.bool_], told: Tied, measure: str
) -> float | None:
    """The same where rows of one block may stray together; None where blocks are too few.

    A chi-squared test over rows would accuse 40 persons of 25 rows in 13 % of cases, not 5 %.
    """
    kept = told.of(measure) & judged[groups.codes]
    return equal_means(
        told.selected[kept].astype(np.float64), groups.codes[kept], told.blocks[kept]
    )
