"""Charts as geometry: values in, places in pixels out; templates draw them as SVG. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.runs.queries.checks import CheckView

BAR_WIDTH = 260.0
BAR_MARGIN = 8.0
PLOT = 240.0  # px of a square plot's sides
PLOT_LEFT = 40.0
PLOT_TOP = 8.0
PLOT_BOTTOM = 32.0
TICKS = 5  # at most, besides zero
STEPS = (0.02, 0.05, 0.1, 0.2, 0.25)


@dataclass(frozen=True)
class Interval:
    """A value with its interval against a threshold; the side that passes is shaded."""

    check: CheckView
    value: float
    low: float
    high: float
    threshold: float
    pass_from: float
    pass_width: float
    was: float | None
    has_interval: bool
    label_end: bool


def interval(check: CheckView) -> dict[str, Interval | None]:
    """Return the places of a check's numbers on a line; None where there is nothing to draw."""
    if check.value is None or check.threshold is None:
        return {"bar": None}
    found = [check.value, check.threshold, check.low, check.high, check.was]
    values = [value for value in found if value is not None]
    least, most = min(values), max(values)
    room = (most - least) or abs(most) or 1.0
    least, most = least - room * 0.15, most + room * 0.15

    def place(value: float) -> float:
        share = (value - least) / (most - least)
        return round(BAR_MARGIN + share * (BAR_WIDTH - 2 * BAR_MARGIN), 1)

    edge = place(check.threshold)
    above = check.comparison == ">="
    start = edge if above else BAR_MARGIN
    end = BAR_WIDTH - BAR_MARGIN if above else edge
    bar = Interval(
        check=check,
        value=place(check.value),
        low=place(check.low if check.low is not None else check.value),
        high=place(check.high if check.high is not None else check.value),
        threshold=edge,
        pass_from=start,
        pass_width=round(max(end - start, 0.0), 1),
        was=place(check.was) if check.was is not None else None,
        has_interval=check.low is not None and check.high is not None,
        label_end=edge > BAR_WIDTH / 2,
    )
    return {"bar": bar}


@dataclass(frozen=True)
class Tick:
    """A mark on an axis."""

    place: float
    label: str


@dataclass(frozen=True)
class Point:
    """A point with its interval, and what is read out for it."""

    x: float
    y: float
    low: float
    high: float
    text: str


@dataclass(frozen=True)
class Plot:
    """A square plot: a line or points, against the diagonal where that means something."""

    title: str
    x_label: str
    y_label: str
    line: str
    points: tuple[Point, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    text: str
    diagonal: bool = True
    left: float = PLOT_LEFT
    top: float = PLOT_TOP
    side: float = PLOT
    width: float = PLOT_LEFT + PLOT + 12
    height: float = PLOT_TOP + PLOT + PLOT_BOTTOM

    @property
    def right(self) -> float:
        """The right end of the plot's area."""
        return self.left + self.side

    @property
    def bottom(self) -> float:
        """The lower end of the plot's area."""
        return self.top + self.side


def roc(curve: Sequence[Mapping[str, Any]]) -> Plot | None:
    """Return the ROC curve's plot; None where there is no curve."""
    pairs = [(row.get("fpr"), row.get("tpr")) for row in curve]
    found = [(x, y) for x, y in pairs if isinstance(x, int | float) and isinstance(y, int | float)]
    if len(found) < 2:
        return None
    line = " ".join(f"{_x(x, 1.0):.1f},{_y(y, 1.0):.1f}" for x, y in found)
    half = min(found, key=lambda pair: abs(pair[0] - 0.2))
    return Plot(
        title="Who is caught, and at which price",
        x_label="share of the others flagged",
        y_label="share of the positive caught",
        line=line,
        points=(),
        x_ticks=_ticks(1.0, across=True),
        y_ticks=_ticks(1.0, across=False),
        text=f"ROC curve: where {half[0]:.0%} of the others are flagged, {half[1]:.0%} of the"
        " positive are caught. The diagonal is chance.",
    )


def calibration(bins: Sequence[Mapping[str, Any]]) -> Plot | None:
    """Return the calibration plot: mean score of a bin against the share that came true."""
    rows = [
        row for row in bins if _is_number(row.get("mean_score")) and _is_number(row.get("share"))
    ]
    if len(rows) < 2:
        return None
    highest = max(max(row["mean_score"], row.get("high") or row["share"]) for row in rows)
    most = next(
        step for step in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0) if step >= min(highest, 1)
    )
    points = tuple(
        Point(
            x=_x(row["mean_score"], most),
            y=_y(row["share"], most),
            low=_y(row.get("low") or row["share"], most),
            high=_y(row.get("high") or row["share"], most),
            text=f"scores around {row['mean_score']:.3f}: {row['share']:.3f} came true"
            f" ({row.get('rows', 0):,} rows)",
        )
        for row in rows
    )
    over = sum(row["mean_score"] > row["share"] for row in rows)
    return Plot(
        title="Do scores mean what they say?",
        x_label="mean score",
        y_label="share that came true",
        line="",
        points=points,
        x_ticks=_ticks(most, across=True),
        y_ticks=_ticks(most, across=False),
        text=f"Calibration in {len(rows)} groups of rows: in {over} of them scores promise more"
        " than came true. On the diagonal they would be exact.",
    )


def outcomes(bins: Sequence[Mapping[str, Any]]) -> Plot | None:
    """Return the plot of a number's tenths: mean prediction against the mean that came out."""
    names = ("mean_prediction", "mean_truth", "bias", "low", "high")
    rows = [row for row in bins if all(_is_number(row.get(name)) for name in names)]
    if len(rows) < 2:
        return None
    # the interval is of prediction less outcome, so it turns over around the outcome
    ends = [(row["mean_prediction"] - row[name]) for row in rows for name in ("low", "high")]
    known = [*ends, *(row["mean_prediction"] for row in rows)]
    low, high = float(min(known)), float(max(known))
    width = (high - low) or 1.0

    def place(value: float) -> float:
        return float((value - low) / width)

    points = tuple(
        Point(
            x=_x(place(row["mean_prediction"]), 1.0),
            y=_y(place(row["mean_truth"]), 1.0),
            low=_y(place(row["mean_prediction"] - row["high"]), 1.0),
            high=_y(place(row["mean_prediction"] - row["low"]), 1.0),
            text=f"predictions around {row['mean_prediction']:.4g}: {row['mean_truth']:.4g} came"
            f" out ({row.get('rows', 0):,} rows)",
        )
        for row in rows
    )
    marks = [low + width * part / TICKS for part in range(TICKS + 1)]
    above = sum(row["mean_prediction"] > row["mean_truth"] for row in rows)
    return Plot(
        title="Do predictions come out?",
        x_label="mean prediction",
        y_label="mean that came out",
        line="",
        points=points,
        x_ticks=tuple(Tick(_x(place(mark), 1.0), f"{mark:.3g}") for mark in marks),
        y_ticks=tuple(Tick(_y(place(mark), 1.0), f"{mark:.3g}") for mark in marks),
        text=f"Predictions in {len(rows)} groups of rows: in {above} of them they are higher than"
        " what came out. On the diagonal they would be exact.",
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _x(value: float, most: float) -> float:
    return round(PLOT_LEFT + value / most * PLOT, 1)


def _y(value: float, most: float) -> float:
    return round(PLOT_TOP + PLOT - min(value / most, 1.0) * PLOT, 1)


def _ticks(most: float, *, across: bool) -> tuple[Tick, ...]:
    place = _x if across else _y
    step = next(step for step in STEPS if most / step <= TICKS)
    values = [step * index for index in range(round(most / step) + 1)]
    return tuple(Tick(place(value, most), f"{value:.2g}") for value in values)


@dataclass(frozen=True)
class Part:
    """A part of a bar, by kind."""

    kind: str
    label: str
    x: float
    width: float
    share: float


def parts(amounts: Sequence[tuple[str, str, float]], *, width: float = 600.0) -> tuple[Part, ...]:
    """Return a bar cut by amounts (kind, label, amount); empty where they are all nothing."""
    total = sum(amount for _, _, amount in amounts)
    if total <= 0:
        return ()
    found, x = [], 0.0
    for kind, label, amount in amounts:
        length = amount / total * width
        if amount > 0:
            found.append(Part(kind, label, round(x, 1), round(length, 1), amount / total))
        x += length
    return tuple(found)
