"""Whether the shares of the segments have moved: PSI, judged by the size of both tables."""

from __future__ import annotations

import numpy as np

from pipelines.operations.clusters.segmenter import OUTSIDE
from pipelines.operations.clusters.stability import Labels
from pipelines.operations.contract import Json, finite
from pipelines.operations.drift import MINIMUM_ROWS, Limits, psi, psi_limit


def share_drift(
    reference: Labels, window: Labels, *, limits: Limits | None = None
) -> dict[str, Json]:
    """PSI of the shares and its level: quiet, amber, red, or "not enough data" (catalogue 6.4).

    Amber above max(0.10, the size's own 99 % limit), red above max(0.25, the same).
    """
    rule = limits or Limits()
    numbers = np.union1d(reference, window)
    old = np.asarray([(reference == number).sum() for number in numbers], dtype=np.float64)
    new = np.asarray([(window == number).sum() for number in numbers], dtype=np.float64)
    rows: list[Json] = [
        {
            "segment": "outside" if number == OUTSIDE else f"segment {int(number)}",
            "share_before": finite(float(before / old.sum()), 6),
            "share_now": finite(float(now / new.sum()), 6),
        }
        for number, before, now in zip(numbers, old, new, strict=True)
    ]
    value, limit = None, None
    level = "not enough data"
    if min(old.sum(), new.sum()) >= rule.minimum_rows:
        value = psi(old, new)
        limit = psi_limit(int(old.sum()), int(new.sum()), len(numbers), rule.confidence)
        amber, red = max(rule.amber, limit), max(rule.red, limit)
        level = "red" if value > red else "amber" if value > amber else "quiet"
    return {
        "psi": finite(value, 6),
        "psi_limit": finite(limit, 6),
        "level": level,
        "minimum_rows": MINIMUM_ROWS if limits is None else rule.minimum_rows,
        "shares": rows,
    }
