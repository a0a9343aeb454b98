"""From scores to answers: a threshold, the cheapest of several classes, or no answer at all.

Light: what serving needs of a package's manifest, with plain numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeGuard

from pipelines.operations.contract import Json

Row = Sequence[float]
Ends = tuple[float | None, float | None]  # of an interval; None where none is promised
ROUNDING = 1e-12  # of the largest: sums in another order may differ so much, and still tie


def rounding(largest: float) -> float:
    """By how much equal sums of money may differ, the largest cost being this."""
    return ROUNDING * max(1.0, largest)


@dataclass(frozen=True)
class Abstain:
    """When a row gets no answer, by one of three rules.

    "band": the score lies strictly between `low` and `high`. "risk": the cheapest answer costs
    more than `most` on average. "sets": the classes with a probability of at least 1 - cut are
    not the answer alone.
    """

    rule: str
    low: float = 0.0
    high: float = 0.0
    most: float = 0.0
    cuts: tuple[float | None, ...] = ()

    def of_score(self, score: float) -> str:
        """Why a row of this score of two classes gets no answer; "" where it gets one."""
        if not self.low < score < self.high:
            return ""
        return (
            f"the score {score:.4g} lies between {self.low:.4g} and {self.high:.4g},"
            " where answers are too often wrong"
        )

    def of_several(self, shares: Row, answer: int, cost: float, names: Sequence[str]) -> str:
        """Why a row of several classes gets no answer; "" where it gets one."""
        if self.rule == "risk":
            if cost <= self.most + rounding(self.most):
                return ""
            return (
                f"the cheapest answer, {names[answer]}, would cost {cost:.4g} on average,"
                f" more than {self.most:.4g}"
            )
        possible = [
            place
            for place, (share, cut) in enumerate(zip(shares, self.cuts, strict=True))
            if cut is None or 1 - share <= cut + ROUNDING
        ]
        if possible == [answer]:
            return ""
        if not possible:
            return "no class is likely enough: the row is unlike those that were learned from"
        return "possible are " + ", ".join(names[place] for place in possible)


@dataclass(frozen=True)
class Decision:
    """How a score becomes a label: classes as (other, positive) and the threshold, or `several`
    classes in order with what each wrong answer costs.

    Where there are no classes, `margin` is what the interval adds to the value at both ends;
    `margins` is that for each value of the column `by`, such as the steps a forecast is ahead.
    """

    classes: tuple[Json, Json] | None
    threshold: float
    margin: tuple[float, float] | None = None
    by: str = ""
    margins: Mapping[float, tuple[float, float]] = field(default_factory=dict)
    several: tuple[Json, ...] = ()
    costs: tuple[tuple[float, ...], ...] = ()
    abstain: Abstain | None = None

    def label(self, score: float) -> Json:
        """The class of a score; for a regression the value itself."""
        if self.classes is None:
            return score
        return self.classes[1] if score >= self.threshold else self.classes[0]

    def intervals(self, scores: Sequence[float], rows: Sequence[Mapping[str, Json]]) -> list[Ends]:
        """(low, high) around each value; empty where none is promised for any row."""
        if self.by:
            found = [self._margin(row.get(self.by)) for row in rows]
            return [
                (None, None) if ends is None else (score + ends[0], score + ends[1])
                for score, ends in zip(scores, found, strict=True)
            ]
        if self.margin is None:
            return []
        low, high = self.margin
        return [(score + low, score + high) for score in scores]

    def _margin(self, step: Json) -> tuple[float, float] | None:
        number = isinstance(step, int | float) and not isinstance(step, bool)
        return self.margins.get(float(str(step))) if number else None

    def cheapest(self, shares: Row) -> tuple[int, float]:
        """(place of the answer of least expected cost, that cost); the likelier of equal ones."""
        expected = [
            sum(share * row[answer] for share, row in zip(shares, self.costs, strict=True))
            for answer in range(len(self.costs))
        ]
        least = min(expected) + rounding(max(map(max, self.costs)))
        answer = max(
            (place for place, cost in enumerate(expected) if cost <= least),
            key=lambda place: (shares[place], -place),
        )
        return answer, expected[answer]


def parse_decision(manifest: Mapping[str, Json]) -> Decision:
    """The manifest's decision; what is absent is as packages before it had it."""
    classes = manifest.get("classes")
    known = tuple(classes) if isinstance(classes, list) else ()
    pair = (known[0], known[1]) if len(known) == 2 else None
    given = manifest.get("interval")
    margin = (number(given, "low", 0.0), number(given, "high", 0.0)) if _both(given) else None
    abstain = _abstain(manifest.get("abstain"))
    threshold = number(manifest, "threshold", 0.5)
    if len(known) < 3:
        by, margins = _steps(given)
        return Decision(pair, threshold, margin, by, margins, abstain=abstain)
    return Decision(
        None, threshold, several=known, costs=_costs(manifest, len(known)), abstain=abstain
    )


def _steps(given: Json) -> tuple[str, dict[float, tuple[float, float]]]:
    """The column that tells how far ahead a row is, and the margins of each of its values."""
    if not isinstance(given, dict):
        return "", {}
    rows = given.get("steps")
    return str(given.get("by") or ""), {
        number(row, "step", 0.0): (number(row, "low", 0.0), number(row, "high", 0.0))
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict)
    }


def _costs(manifest: Mapping[str, Json], count: int) -> tuple[tuple[float, ...], ...]:
    """The matrix; every error costs 1 where there is none. Raises ValueError for another shape."""
    rows = manifest.get("costs")
    if rows is None:
        return tuple(tuple(float(i != j) for j in range(count)) for i in range(count))
    found = tuple(
        tuple(float(cell) for cell in row if isinstance(cell, int | float))
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, list)
    )
    if len(found) != count or any(len(row) != count for row in found):
        raise ValueError(f"costs are no matrix of {count} rows and columns")
    return found


def _abstain(given: Json) -> Abstain | None:
    if not isinstance(given, dict):
        return None
    cuts = given.get("cuts")
    return Abstain(
        str(given.get("rule")),
        number(given, "low", 0.0),
        number(given, "high", 0.0),
        number(given, "most", 0.0),
        tuple(
            float(cut) if isinstance(cut, int | float) else None
            for cut in (cuts if isinstance(cuts, list) else [])
        ),
    )


def _both(given: Json) -> TypeGuard[dict[str, Json]]:
    return isinstance(given, dict) and {"low", "high"} <= given.keys()


def number(data: Mapping[str, Json], key: str, default: float) -> float:
    """A number of a mapping, or its default."""
    value = data.get(key)
    return float(value) if isinstance(value, int | float) else default
