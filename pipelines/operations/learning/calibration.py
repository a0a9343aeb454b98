"""Do probabilities mean what they say: bins, expected calibration error, noise floor."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from pipelines.operations.contract import Json
from pipelines.operations.learning.metrics import Floats, Labels

BINS = 10
# 95 % point of the error of a perfectly calibrated model, by number of rows (measured)
NOISE_FLOOR: Mapping[int, float] = {200: 0.088, 500: 0.055, 1000: 0.041, 2000: 0.029, 5000: 0.018}


def bins(scores: Floats, labels: Labels) -> list[dict[str, Json]]:
    """Up to ten bins of equally many rows, by rising score; equal scores stay together.

    Of scores that differ, in rows by the ten, they are those of scikit-learn's `calibration_curve`
    (quantile) and of MAPIE (array split). A cut inside a run of equal scores goes to the run's
    start; scikit-learn and MAPIE put the run below the cut, which is as good. Of other numbers of
    rows scikit-learn cuts at interpolated quantiles: bins differ by a row.
    """
    order = np.argsort(scores, kind="stable")
    ranked, truth = scores[order], labels[order]
    cuts = [ranked.size * place // BINS for place in range(1, BINS)]
    # a cut inside a run of equal scores moves back to the start of that run
    starts = sorted({0, *(int(np.searchsorted(ranked, ranked[cut])) for cut in cuts)})
    ends = [*starts[1:], ranked.size]
    return [_bin(ranked[a:b], truth[a:b]) for a, b in zip(starts, ends, strict=True) if b > a]


def _bin(scores: Floats, labels: Labels) -> dict[str, Json]:
    rows, share = int(scores.size), float(labels.mean())
    low, high = wilson(share, rows)
    return {
        "rows": rows,
        "from": float(scores[0]),
        "to": float(scores[-1]),
        "mean_score": float(scores.mean()),
        "share": share,
        "low": low,
        "high": high,
    }


def expected_error(found: list[dict[str, Json]]) -> float:
    """Mean distance between mean score and observed share, weighted by rows."""
    gaps = [(float(str(b["rows"])), abs(_gap(b))) for b in found]
    total = sum(rows for rows, _ in gaps)
    return sum(rows * gap for rows, gap in gaps) / total if total else float("nan")


def _gap(row: Mapping[str, Json]) -> float:
    return float(str(row["mean_score"])) - float(str(row["share"]))


def noise_floor(rows: int) -> float:
    """Error that a perfect model exceeds in 5 % of samples of this size.

    Between measured sizes interpolated on log scales, beyond them falling with 1/sqrt(rows).
    """
    sizes = sorted(NOISE_FLOOR)
    if rows <= sizes[0] or rows >= sizes[-1]:
        nearest = sizes[0] if rows <= sizes[0] else sizes[-1]
        return NOISE_FLOOR[nearest] * math.sqrt(nearest / max(rows, 1))
    logs = [math.log(size) for size in sizes]
    floors = [math.log(NOISE_FLOOR[size]) for size in sizes]
    return float(math.exp(np.interp(math.log(rows), logs, floors)))


def wilson(share: float, rows: float) -> tuple[float, float]:
    """95 % Wilson interval of a share; `rows` may be an effective number, NaN for none."""
    if not rows:
        return float("nan"), float("nan")
    z = 1.959963984540054
    centre = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z / (1 + z * z / rows) * math.sqrt(share * (1 - share) / rows + (z / (2 * rows)) ** 2)
    return max(0.0, centre - half), min(1.0, centre + half)
