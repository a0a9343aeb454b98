"""The abstain band: rows whose scores lie between two thresholds get no answer.

Chow's rule (1970): where the expected share of wrong answers is the larger of the two errors that
can be made, a row is answered when its own chance of a wrong answer is at most d. With scores p
and threshold t that leaves out min(d, t) < p < max(1 - d, t); d is chosen on the rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.operations.contract import Json, finite
from pipelines.operations.learning.calibration import wilson

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
STEPS = 51  # values of d tried, from no band (0.5) to answering only the certain (0)


@dataclass(frozen=True)
class Scored:
    """Rows with scores, truth (True = positive) and the threshold of the decision."""

    scores: Floats
    truth: Bools
    threshold: float

    def answered(self, most: float) -> Bools:
        """Which rows are answered when a wrong answer may be so likely."""
        low, high = self.band(most)
        return (self.scores <= low) | (self.scores >= high)

    def band(self, most: float) -> tuple[float, float]:
        """Scores strictly between these get no answer; none where both are the threshold."""
        if most >= 0.5:
            return self.threshold, self.threshold
        return min(most, self.threshold), max(1.0 - most, self.threshold)

    @property
    def wrong(self) -> Bools:
        """Which answers are wrong."""
        found: Bools = (self.scores >= self.threshold) != self.truth
        return found

    def part(self, rows: Bools) -> Scored:
        """Some of the rows."""
        return Scored(self.scores[rows], self.truth[rows], self.threshold)


def curve(rows: Scored) -> list[dict[str, Json]]:
    """Share of rows answered and share of wrong answers among them, by band."""
    found: list[dict[str, Json]] = []
    for most in np.linspace(0.5, 0.0, STEPS):
        answered = rows.answered(float(most))
        low, high = rows.band(float(most))
        count = int(answered.sum())
        error = float(rows.wrong[answered].mean()) if count else None
        point: dict[str, Json] = {
            "most": round(float(most), 6), "low": low, "high": high,
            "coverage": count / rows.scores.size, "error": error,
        }  # fmt: skip
        if not found or point["coverage"] != found[-1]["coverage"]:
            found.append(point)
    return found


def choose(rows: Scored, wanted: float) -> float | None:
    """The narrowest band that leaves at most that share of wrong answers; None where none does."""
    for most in np.linspace(0.5, 0.0, STEPS):
        answered = rows.answered(float(most))
        if answered.any() and float(rows.wrong[answered].mean()) <= wanted:
            return float(most)
    return None


def abstaining(rows: Scored, wanted: float, halves: Bools) -> dict[str, Json]:
    """The band chosen on all rows; coverage and error by bands that the other half chose."""
    most = choose(rows, wanted)
    facts: dict[str, Json] = {
        "wanted_error": wanted,
        "error_without": float(rows.wrong.mean()),
        "reachable": most is not None,
        "low": None, "high": None, "coverage": None, "error": None, "error_high": None,
        "curve": list[Json](curve(rows)),
    }  # fmt: skip
    if most is None:
        return facts
    facts["low"], facts["high"] = rows.band(most)
    answered = wrong = 0
    for half in (halves, ~halves):
        judged = rows.part(half)
        chosen = choose(rows.part(~half), wanted) if half.any() and not half.all() else most
        kept = judged.answered(chosen) if chosen is not None else np.zeros(half.sum(), dtype=bool)
        answered += int(kept.sum())
        wrong += int(judged.wrong[kept].sum())
    facts["coverage"] = answered / rows.scores.size
    if answered:
        facts["error"] = wrong / answered
        facts["error_high"] = finite(wilson(wrong / answered, answered)[1], 6)
    return facts
