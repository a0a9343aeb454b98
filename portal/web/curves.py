"""Plots whose axes are not shares: values in, places in pixels out. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.web.charts import PLOT, PLOT_LEFT, PLOT_TOP, TICKS, Plot, Point, Tick


def ageing(curve: Sequence[Mapping[str, Any]], metric: str) -> Plot | None:
    """Return the staleness curve's plot: score by age of what was learned; None for no curve."""
    rows = [row for row in curve if is_number(row.get("age_days")) and is_number(row.get("value"))]
    if len(rows) < 2:
        return None
    ends = [value for row in rows for value in _bounds_of(row)]
    y = _Axis.over(min(ends), max(ends))
    x = _Axis.over(0.0, max(row["age_days"] for row in rows))
    points = []
    for row in rows:
        low, high = _bounds_of(row)
        points.append(
            Point(
                x=x.across(row["age_days"]),
                y=y.up(row["value"]),
                low=y.up(low),
                high=y.up(high),
                text=f"{row['age_days']:.0f} days old: {row['value']:.4f}"
                f" ({low:.4f} to {high:.4f})",
            )
        )
    first, last = rows[0]["value"], rows[-1]["value"]
    name = metric.replace("_", " ")
    return Plot(
        title="How fast does it age?",
        x_label="age of what it learned, in days",
        y_label=name,
        line=" ".join(f"{point.x},{point.y}" for point in points),
        points=tuple(points),
        x_ticks=tuple(Tick(x.across(v), f"{v:g}") for v in x.marks),
        y_ticks=tuple(Tick(y.up(v), f"{v:.3g}") for v in y.marks),
        text=f"Fresh it scores {first:.4f}, at {rows[-1]['age_days']:.0f} days {last:.4f}: the same"
        " later rows, models of ever older windows.",
        diagonal=False,
    )


def is_number(value: Any) -> bool:
    """Whether a value of a document is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _bounds_of(row: Mapping[str, Any]) -> tuple[float, float]:
    ends = (row.get("value_low"), row.get("value_high"))
    low, high = (float(end) if end is not None else float(row["value"]) for end in ends)
    return low, high


@dataclass(frozen=True)
class _Axis:
    """A range of values with round marks, and where they lie in the plot."""

    least: float
    most: float
    step: float

    @classmethod
    def over(cls, least: float, most: float) -> "_Axis":
        """Return an axis that holds both values, from one round mark to another."""
        room = (most - least) or abs(most) or 1.0
        rough = room / TICKS
        ten = 10.0 ** math.floor(math.log10(rough))
        step = next(ten * times for times in (1, 2, 5, 10) if ten * times >= rough)
        return cls(math.floor(least / step) * step, math.ceil(most / step) * step, step)

    @property
    def marks(self) -> tuple[float, ...]:
        """The round values from end to end."""
        count = round((self.most - self.least) / self.step)
        return tuple(round(self.least + self.step * index, 10) for index in range(count + 1))

    def _share(self, value: float) -> float:
        return (value - self.least) / ((self.most - self.least) or 1.0)

    def across(self, value: float) -> float:
        """Return a value's place from the left."""
        return round(PLOT_LEFT + self._share(value) * PLOT, 1)

    def up(self, value: float) -> float:
        """Return a value's place from the top."""
        return round(PLOT_TOP + PLOT - self._share(value) * PLOT, 1)
