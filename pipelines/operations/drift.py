"""How far a window of values has moved from its reference, judged by the size of both.

Population stability index, PSI = sum((q - p) * ln(q / p)) over ten quantile bins of the
reference. Without any drift its mean is (B-1)(1/n + 1/m), and PSI / (1/n + 1/m) follows a
chi-squared law with B-1 degrees of freedom; so a limit is never a bare 0.10 or 0.25.

evidently (0.7.23) computes the same PSI of other bins: numbers of more than twenty values in
Sturges' bins of both sides together, where an outlier empties nearly all bins and the bins follow
the window. The tenths of the reference (Siddiqi 2006, of whom the limits are) stay where they are.
It gives each category that the reference lacks a bin, here they share one, since their number is
not known beforehand and counts in the law; missing values are a bin here and lost there. Its
chi-squared test holds the reference for the law itself (goodness of fit): its statistic is
1 + m/n times what chance gives, so that with n = m 22 of 100 quiet windows are accused at 5 % with
three categories, 49 with ten; here both sides vary (Pearson). Distances of categories agree.
"""

import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from zlib import crc32

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from pipelines.operations.tables import deviation

BINS = 10
FLOOR = 1e-4  # share given to an empty bin: reproduces the measured mean of .49 at 50 rows
MINIMUM_ROWS = 200  # below, 37 % of quiet windows have a PSI over .10 (measured): refuse it
MAX_CATEGORIES = 20  # beyond, categories share bins

EXACT = 1_000_000  # pairs of rows up to which the KS p value is exact

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Limits:
    """The thresholds of a drift report; amber and red are floors under the size-aware limit."""

    amber: float = 0.10
    red: float = 0.25
    confidence: float = 0.99
    minimum_rows: int = MINIMUM_ROWS


@dataclass(frozen=True)
class ColumnDrift:
    """What was measured on one column; p values are of "no drift"."""

    column: str
    kind: str
    n_reference: int
    n_window: int
    psi: float | None
    limit: float | None
    p_value: float
    p_adjusted: float
    distance: float
    shift: float | None
    level: str

    def facts(self) -> dict[str, str | int | float | None]:
        """The row as JSON."""
        return asdict(self)


def psi(reference: Floats, window: Floats) -> float:
    """PSI of two arrays of counts over the same bins."""
    p = np.maximum(reference / reference.sum(), FLOOR)
    q = np.maximum(window / window.sum(), FLOOR)
    return float(np.sum((q - p) * np.log(q / p)))


def psi_limit(n: int, m: int, bins: int, confidence: float = 0.99) -> float:
    """The PSI that a window without drift exceeds with probability 1 - confidence."""
    return float(stats.chi2.ppf(confidence, max(bins - 1, 1)) * (1 / n + 1 / m))


def numeric_counts(reference: Floats, window: Floats) -> tuple[Floats, Floats]:
    """Counts in the quantile bins of the reference; missing values are a bin of their own."""
    known = np.unique(reference[np.isfinite(reference)])
    if known.size <= BINS:  # few values, such as a flag: a bin for each
        # of neighbouring floats the middle is one of the two, and of large ones the sum too large
        cuts = np.maximum(known[1:] / 2 + known[:-1] / 2, np.nextafter(known[:-1], np.inf))
    else:
        shares = np.linspace(0, 1, BINS + 1)[1:-1]
        cuts = np.unique(np.quantile(reference[np.isfinite(reference)], shares))
    return _binned(reference, cuts), _binned(window, cuts)


def _binned(values: Floats, cuts: Floats) -> Floats:
    known = values[np.isfinite(values)]
    counts = np.bincount(np.searchsorted(cuts, known, side="right"), minlength=cuts.size + 1)
    return np.append(counts, values.size - known.size).astype(float)


def category_counts(reference: pd.Series, window: pd.Series) -> tuple[Floats, Floats]:
    """Counts per category; a category that the reference does not know is one further bin.

    Many categories are dealt into buckets by a hash of their name: bins chosen for being
    frequent in the reference would look as if they had become rarer since.
    """
    if reference.nunique() > MAX_CATEGORIES:
        reference, window = _buckets(reference), _buckets(window)
    kept = pd.Index(sorted(reference.dropna().unique(), key=str))
    return _per_category(reference, kept), _per_category(window, kept)


def _buckets(values: pd.Series) -> pd.Series:
    bucket = {name: crc32(str(name).encode()) % MAX_CATEGORIES for name in values.dropna().unique()}
    return values.map(bucket)


def _per_category(values: pd.Series, kept: pd.Index) -> Floats:
    counts = values.value_counts().reindex(kept, fill_value=0).to_numpy(dtype=float)
    missing = float(values.isna().sum())
    return np.append(counts, [missing, len(values) - missing - counts.sum()])


def column_drift(reference: pd.Series, window: pd.Series, limits: Limits) -> ColumnDrift:
    """Measure one column; its level is given later, when all p values are known."""
    numeric = pd.api.types.is_numeric_dtype(reference) and pd.api.types.is_numeric_dtype(window)
    if numeric:
        return _numeric_drift(reference, window, limits)
    return _category_drift(reference.astype(object), window.astype(object), limits)


def _numeric_drift(reference: pd.Series, window: pd.Series, limits: Limits) -> ColumnDrift:
    old = reference.to_numpy(dtype=float, na_value=np.nan)
    new = window.to_numpy(dtype=float, na_value=np.nan)
    known_old, known_new = old[np.isfinite(old)], new[np.isfinite(new)]
    distance, exact = _kolmogorov_smirnov(known_old, known_new)
    shift = _shift(known_old, known_new)
    gaps = np.array(
        [[old.size - known_old.size, known_old.size], [new.size - known_new.size, known_new.size]]
    )
    # The bins follow the reference's own chance, so far out PSI's law promises too much: the
    # p value is of the values themselves, and of their gaps where there are any.
    p_value = min(1.0, 2 * min(exact, _same_shares(gaps))) if gaps[:, 0].any() else exact
    measured = _measured(*numeric_counts(old, new), limits)
    return _column(reference, window, "number", measured, (p_value, distance, shift))


def _shift(old: Floats, new: Floats) -> float | None:
    """By how many deviations of the reference the mean has moved; None where it has none."""
    if not old.size or not new.size:
        return None
    # a power of two divides without rounding, and then no square is too large
    _, power = np.frexp(max(np.abs(old).max(), np.abs(new).max()))
    old, new = np.ldexp(old, -power), np.ldexp(new, -power)
    spread = deviation(old)
    return (float(new.mean()) - float(old.mean())) / spread if spread else None


def _same_shares(counts: Floats) -> float:
    """P value of two rows of counts having the same shares (Pearson)."""
    used = counts[:, counts.sum(axis=0) > 0]
    if used.shape[1] < 2 or not used.sum(axis=1).all():
        return 1.0
    return float(stats.chi2_contingency(used, correction=False)[1])


def _kolmogorov_smirnov(old: Floats, new: Floats) -> tuple[float, float]:
    """KS distance and its p value, exact for small samples; (0, 1) where a side is empty."""
    if not old.size or not new.size:
        return 0.0, 1.0
    method = "exact" if old.size * new.size <= EXACT else "asymp"
    with warnings.catch_warnings():
        # Where ties make the exact sum fail, scipy says so and takes the other way by itself.
        warnings.simplefilter("ignore", RuntimeWarning)
        result = stats.ks_2samp(old, new, method=method)
    return float(result.statistic), float(result.pvalue)


def _category_drift(reference: pd.Series, window: pd.Series, limits: Limits) -> ColumnDrift:
    old, new = category_counts(reference, window)
    used = (old + new) > 0
    old, new = old[used], new[used]
    # Total variation distance: the share of rows that would have to change category.
    distance = float(np.abs(old / old.sum() - new / new.sum()).sum() / 2)
    p_value = _same_shares(np.vstack([old, new]))
    measured = _measured(old, new, limits)
    return _column(reference, window, "category", measured, (p_value, distance, None))


def _measured(old: Floats, new: Floats, limits: Limits) -> tuple[float, float] | None:
    """PSI and its size-aware limit; None where a side is too small for a PSI."""
    n, m = int(old.sum()), int(new.sum())
    if min(n, m) < limits.minimum_rows:
        return None
    used = (old + new) > 0
    return psi(old[used], new[used]), psi_limit(n, m, int(used.sum()), limits.confidence)


def _column(
    reference: pd.Series,
    window: pd.Series,
    kind: str,
    measured: tuple[float, float] | None,
    rest: tuple[float, float, float | None],
) -> ColumnDrift:
    p_value, distance, shift = rest
    value, limit = (None, None) if measured is None else measured
    return ColumnDrift(
        column=str(reference.name), kind=kind, n_reference=len(reference), n_window=len(window),
        psi=value, limit=limit,
        p_value=p_value, p_adjusted=p_value, distance=distance, shift=shift, level="",
    )  # fmt: skip


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """P values adjusted for the number of columns looked at (false discovery rate)."""
    if not p_values:
        return []
    return [
        float(value) for value in stats.false_discovery_control(np.asarray(p_values), method="bh")
    ]


def judge(columns: Sequence[ColumnDrift], limits: Limits) -> list[ColumnDrift]:
    """Give every column its level: quiet, amber, red or "not enough data"."""
    adjusted = benjamini_hochberg([column.p_value for column in columns])
    judged = []
    for column, p_adjusted in zip(columns, adjusted, strict=True):
        facts = {
            **asdict(column),
            "p_adjusted": p_adjusted,
            "level": _level(column, p_adjusted, limits),
        }
        judged.append(ColumnDrift(**facts))
    return judged


def _level(column: ColumnDrift, p_adjusted: float, limits: Limits) -> str:
    if column.psi is None or column.limit is None:
        return "not enough data"
    if p_adjusted > 1 - limits.confidence:
        return "quiet"
    if column.psi > max(limits.red, column.limit):
        return "red"
    return "amber" if column.psi > max(limits.amber, column.limit) else "quiet"


def table_drift(
    reference: pd.DataFrame, window: pd.DataFrame, limits: Limits | None = None
) -> list[ColumnDrift]:
    """Drift of every column that both tables have, the worst first."""
    rule = limits or Limits()
    shared = [name for name in reference.columns if name in window.columns]
    columns = judge([column_drift(reference[name], window[name], rule) for name in shared], rule)
    return sorted(columns, key=lambda column: (-(column.psi or 0.0), column.column))
