"""The kinds of chart on two axes of their own: curves, calibration, histogram, heat map. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pipelines.charts.figure import (
    Axis,
    Cell,
    Column,
    Figure,
    Json,
    Limit,
    Spec,
    Value,
    Words,
    data_of,
    shown,
    table_of,
)
from pipelines.charts.parts import ROW, WIDTH, head
from pipelines.charts.parts import scale as scale_of
from pipelines.charts.theme import HEAT, INK, INK_3, LIMIT, MAIN, SURFACE

SIDE: Final = 280  # px of a square plot


@dataclass(frozen=True)
class Bin:
    """A class of a histogram: from its low end up to its high end."""

    low: float
    high: float
    count: float
    series: str = ""


@dataclass(frozen=True)
class Place:
    """A cell of a heat map; `text` is written into it."""

    x: str
    y: str
    value: float | None
    text: str = ""


def roc(words: Words, curve: Sequence[tuple[float, float]], *, x: Axis, y: Axis) -> Figure:
    """Return a ROC curve of (false positives, true positives), against chance."""
    return _curve(words, curve, x, y, [(0.0, 0.0), (1.0, 1.0)])


def pr(
    words: Words, curve: Sequence[tuple[float, float]], *, x: Axis, y: Axis, base: float
) -> Figure:
    """Return a curve of (recall, precision), against the share that chance would find."""
    return _curve(words, curve, x, y, [(0.0, base), (1.0, base)])


def _curve(
    words: Words,
    curve: Sequence[tuple[float, float]],
    x: Axis,
    y: Axis,
    chance: Sequence[tuple[float, float]],
) -> Figure:
    values = [Value(across, up) for across, up in curve]
    return _square(
        words,
        values,
        (x, y),
        [
            _reference(chance),
            {
                "mark": {"type": "line", "interpolate": "linear"},
                "encoding": {"order": {"field": "n", "type": "quantitative"}},
            },
            {
                "mark": {"type": "point", "opacity": 0, "size": 80},
                "encoding": {"tooltip": _told(x, y)},
            },
        ],
    )


def calibration(
    words: Words, bins: Sequence[Value], *, x: Axis, y: Axis, noise: Sequence[Value] = ()
) -> Figure:
    """Return mean scores against what came true, on the diagonal they would be exact.

    `noise` holds the band in which an exact model's groups would lie, by mean score.
    """
    ends = [end for one in (*bins, *noise) for end in (one.x, one.y, one.high) if end is not None]
    most = max((float(end) for end in ends), default=1.0)
    layers: list[Spec] = []
    if noise:
        layers.append(
            {
                "data": {"values": data_of(noise)},
                "mark": {"type": "area", "color": INK_3, "opacity": 0.16},
                "encoding": {"y": _field(y, "low"), "y2": {"field": "high"}},
            }
        )
    layers.append(_reference([(0.0, 0.0), (most, most)]))
    if any(one.low is not None for one in bins):
        layers.append(
            {
                "mark": {"type": "rule", "color": MAIN, "strokeWidth": 1.5, "opacity": 0.7},
                "encoding": {"y": _field(y, "low"), "y2": {"field": "high"}},
            }
        )
    layers.append({"mark": {"type": "point", "size": 50}, "encoding": {"tooltip": _told(x, y)}})
    return _square(words, bins, (x, y), layers)


def histogram(
    words: Words, bins: Sequence[Bin], *, x: Axis, y: Axis, limits: Sequence[Limit] = ()
) -> Figure:
    """Return counted classes; several series lie over one another."""
    has_series = any(one.series for one in bins)
    data: list[Json] = [
        {"x": one.low, "x2": one.high, "y": one.count, "series": shown(one.series)} for one in bins
    ]
    encoding: Spec = {
        "x": {"field": "x", "type": "quantitative", "bin": {"binned": True}, "title": x.label},
        "x2": {"field": "x2"},
        "y": {**_field(y, "y"), "stack": None},
        "tooltip": [
            {"field": "x", "type": "quantitative", "title": words.bounds[0], "format": ".4~g"},
            {"field": "x2", "type": "quantitative", "title": words.bounds[1], "format": ".4~g"},
            {"field": "y", "type": "quantitative", "title": y.label},
        ],
    }
    if has_series:
        encoding["color"] = {"field": "series", "type": "nominal"}
    layers: list[Json] = [
        {"mark": {"type": "bar", "opacity": 0.6 if has_series else 1}, "encoding": encoding}
    ]
    layers += [
        {
            "data": {"values": [{}]},
            "mark": {"type": "rule", "color": LIMIT, "strokeDash": [4, 3]},
            "encoding": {"x": {"datum": limit.value}},
        }
        for limit in limits
    ]
    columns = [Column(words.bounds[0], is_number=True), Column(words.bounds[1], is_number=True)]
    columns += [Column(y.label, is_number=True)]
    rows: list[tuple[Cell, ...]] = [(one.low, one.high, one.count) for one in bins]
    if has_series:
        columns.insert(0, Column(words.series, is_number=False))
        rows = [(one.series, *row) for one, row in zip(bins, rows, strict=True)]
    spec: Spec = {
        **head(fit="width"),
        "width": WIDTH,
        "height": 180,
        "data": {"values": data},
        "layer": layers,
    }
    return Figure(words.key, words.title, words.text, spec, tuple(columns), tuple(rows))


def heat(words: Words, places: Sequence[Place], *, x: Axis, y: Axis, amount: Axis) -> Figure:
    """Return a matrix: the more, the stronger; names in the order in which they come."""
    known = [place.value for place in places if place.value is not None]
    most = max(known, default=0.0)
    across: list[Json] = [*dict.fromkeys(shown(place.x) for place in places)]
    down: list[Json] = [*dict.fromkeys(shown(place.y) for place in places)]
    data: list[Json] = []
    for place in places:
        row: dict[str, Json] = {
            "x": shown(place.x),
            "y": shown(place.y),
            "text": place.text[:12],
        }
        if place.value is not None:
            row |= {"value": place.value, "step": _step(place.value, most)}
        data.append(row)
    steps: list[Json] = [*range(len(HEAT))]
    shades: list[Json] = [*HEAT]
    at: Spec = {
        "x": {"field": "x", "type": "nominal", "sort": across, "title": x.label,
              "axis": {"orient": "top", "labelAngle": 0, "domain": False, "ticks": False}},
        "y": {"field": "y", "type": "nominal", "sort": down, "title": y.label,
              "axis": {"domain": False, "titleY": -6}},
        "tooltip": [
            {"field": "y", "type": "nominal", "title": y.label},
            {"field": "x", "type": "nominal", "title": x.label},
            {"field": "value", "type": "quantitative", "title": amount.label, "format": ".4~g"},
        ],
    }  # fmt: skip
    shade: Spec = {"field": "step", "type": "ordinal", "legend": None,
                   "scale": {"domain": steps, "range": shades}}  # fmt: skip
    spec: Spec = {
        **head(fit="width"),
        "width": WIDTH,
        "height": max(len(down), 2) * (ROW + 8),
        "data": {"values": data},
        "encoding": at,
        "layer": [
            {"mark": {"type": "rect", "stroke": SURFACE, "strokeWidth": 2},
             "encoding": {"color": shade}},
            {"mark": {"type": "text", "color": INK}, "encoding": {"text": {"field": "text"}}},
        ],
    }  # fmt: skip
    columns = (Column(y.label, False), Column(x.label, False), Column(amount.label, True))
    rows = tuple((place.y, place.x, place.value) for place in places)
    return Figure(words.key, words.title, words.text, spec, columns, rows)


def _step(value: float, most: float) -> int:
    """Return the shade of an amount: nothing is the lightest, the most the strongest."""
    if value <= 0 or most <= 0:
        return 0
    return min(1 + int((len(HEAT) - 1) * value / most), len(HEAT) - 1)


def _square(
    words: Words, values: Sequence[Value], axes: tuple[Axis, Axis], layers: Sequence[Spec]
) -> Figure:
    x, y = axes
    columns, rows = table_of(words, values, x, y)
    data = data_of(values)
    for number, row in enumerate(data):
        if isinstance(row, dict):
            row["n"] = number
    drawn: list[Json] = []
    for layer in layers:
        encoding = layer["encoding"]
        own = encoding if isinstance(encoding, dict) else {}
        drawn.append({**layer, "encoding": {"x": _field(x, "x"), "y": _field(y, "y"), **own}})
    spec: Spec = {
        **head(fit="square"),
        "width": SIDE,
        "height": SIDE,
        "data": {"values": data},
        "layer": drawn,
    }
    return Figure(words.key, words.title, words.text, spec, columns, rows)


def _reference(ends: Sequence[tuple[float, float]]) -> Spec:
    data: list[Json] = [{"x": across, "y": up} for across, up in ends]
    mark: Spec = {"type": "line", "color": INK_3, "strokeDash": [4, 3], "strokeWidth": 1}
    return {"data": {"values": data}, "mark": mark, "encoding": {}}


def _field(axis: Axis, field: str) -> Spec:
    look: Spec = {"tickCount": 5}
    if axis.format:
        look["format"] = axis.format
    found: Spec = {"field": field, "type": "quantitative", "title": axis.label, "axis": look}
    scale = scale_of(axis)
    return found | ({"scale": scale} if scale else {})


def _told(x: Axis, y: Axis) -> list[Json]:
    return [
        {"field": name, "type": "quantitative", "title": axis.label, "format": ".3~g"}
        for name, axis in (("x", x), ("y", y))
    ]
