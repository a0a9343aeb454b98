"""Charts as geometry: values in, places in pixels out; templates draw them as SVG. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.runs.queries.checks import CheckView

BAR_WIDTH = 260.0
BAR_MARGIN = 8.0


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
