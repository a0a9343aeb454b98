"""Coverage of each group of rows: an interval that holds over all may fail some of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from pipelines.operations.contract import Json, finite
from pipelines.operations.learning.calibration import wilson
from pipelines.operations.learning.conformal import design_effect
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.learning.resampling import Blocks
from pipelines.operations.measure_coverage.conformal import chance_of_fewer
from pipelines.operations.screen_fairness.screening import groups_of


@dataclass(frozen=True)
class Counted:
    """The rows that count: what came out, what ties them together, what was promised."""

    truth: Floats
    blocks: Blocks
    confidence: float
    calibrated: int  # rows that set the intervals


def inside_ends(ends: Floats, truth: Floats) -> tuple[Floats, Floats]:
    """Per row: within the ends, and strictly so."""
    closed = (truth >= ends[:, 0]) & (truth <= ends[:, 1])
    strict = (truth > ends[:, 0]) & (truth < ends[:, 1])
    return closed.astype(np.float64), strict.astype(np.float64)


def coverage_by_group(
    frame: pd.DataFrame, ends: Mapping[str, Floats], counted: Counted, *, minimum: int
) -> list[dict[str, Json]]:
    """Every column's groups by each kind of interval, least covered first.

    p-values (of so few or fewer by what both parts draw) are after Benjamini-Hochberg over all.
    """
    rows: list[dict[str, Json]] = []
    for name in map(str, frame.columns):
        groups = groups_of(frame[name])
        for place, group in enumerate(groups.names):
            for method, found in ends.items():
                mine = (groups.codes == place) & np.isfinite(found[:, 0])
                about: dict[str, Json] = {"column": name, "group": group, "method": method}
                if mine.any():
                    rows.append(about | _group(found[mine], counted, mine, minimum=minimum))
    known = [row for row in rows if isinstance(row["p_adjusted"], float)]
    given = [float(str(row["p_adjusted"])) for row in known]
    adjusted = stats.false_discovery_control(given, method="bh") if given else []
    for row, value in zip(known, adjusted, strict=True):
        row["p_adjusted"] = finite(float(value), 6)
    return sorted(rows, key=lambda row: (not row["judged"], float(str(row["coverage"]))))


def _group(ends: Floats, counted: Counted, mine: np.ndarray, *, minimum: int) -> dict[str, Json]:
    """Share with its Wilson interval, at the effective number of rows; p before adjustment.

    Not judged where the rows come of too few days or persons to tell chance.
    """
    inside, _ = inside_ends(ends, counted.truth[mine])
    effect = design_effect([(inside, counted.blocks[mine])], 1 - counted.confidence)
    rows, share = inside.size, float(inside.mean())
    effective = rows / effect if effect is not None else None
    low, high = wilson(share, effective) if effective is not None else (None, None)
    judged = rows >= minimum and effective is not None
    below = None
    if effect is not None:
        below = chance_of_fewer(share, rows, counted.calibrated, counted.confidence, effect)
    return {
        "rows": rows,
        "effective_rows": finite(effective, 1),
        "coverage": finite(share, 6),
        "low": finite(low, 6),
        "high": finite(high, 6),
        "mean_width": finite(float(np.diff(ends, axis=1).mean()), 6),
        "judged": judged,
        "p_adjusted": below if judged else None,
    }
