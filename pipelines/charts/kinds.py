"""The kinds of chart that go along an axis, each from values to a Figure. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pipelines.charts.figure import (
    NAME,
    NUMBER,
    TIME,
    Axis,
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
from pipelines.charts.theme import INK_3, LIMIT, MAIN, SERIES

HEIGHT: Final = 220
PANEL_WIDTH: Final = 160
PANEL_HEIGHT: Final = 90
PANELS_ABREAST: Final = 3
MOST_SERIES: Final = len(SERIES)


def line(
    words: Words, values: Sequence[Value], *, x: Axis, y: Axis, limits: Sequence[Limit] = ()
) -> Figure:
    """Return a line through values, with the band of their intervals and thresholds."""
    has_series = any(value.series for value in values)
    layers: list[Json] = [
        *_band(values, x, y, has_series=has_series),
        _layer({"type": "line"}, x, y, series=has_series),
        _layer({"type": "point"}, x, y, series=has_series, tooltip=_tooltip(words, values, x, y)),
        *([_own_limits(x, y)] if any(value.limit is not None for value in values) else []),
        *_limits(limits),
    ]
    return _figure(words, values, x, y, {"layer": layers})


def points(
    words: Words, values: Sequence[Value], *, x: Axis, y: Axis, limits: Sequence[Limit] = ()
) -> Figure:
    """Return values as points with their intervals: where a line between them would claim more."""
    x = replace(x, padding=14)
    has_series = any(value.series for value in values)
    layers: list[Json] = [
        *_whiskers(values, x, y, has_series=has_series),
        _layer({"type": "point", "size": 50}, x, y, series=has_series,
               tooltip=_tooltip(words, values, x, y)),
        *_limits(limits),
        *([_own_limits(x, y)] if any(value.limit is not None for value in values) else []),
    ]  # fmt: skip
    return _figure(words, values, x, y, {"layer": layers})


def multiples(
    words: Words, values: Sequence[Value], *, x: Axis, y: Axis, limits: Sequence[Limit] = ()
) -> Figure:
    """Return one small panel for each series, all on the same axes; a limit holds in its own."""
    columns, table = table_of(words, values, x, y)
    told = _tooltip(words, values, x, y)
    y = replace(y, title="", unit="")  # said once, in the figure's title
    layers = [
        *_band(values, x, y, has_series=False),
        _layer({"type": "line"}, x, y),
        _layer({"type": "point", "size": 25}, x, y, tooltip=told),
    ]
    by_series = {shown(limit.series): limit.value for limit in limits}
    rows = data_of(values)
    for row in rows:
        if isinstance(row, dict) and "limit" not in row:
            limit = by_series.get(str(row.get("series", "")), by_series.get(""))
            row |= {} if limit is None else {"limit": limit}
    if limits or any(value.limit is not None for value in values):
        layers.append(_own_limits(x, y))
    order: list[Json] = [*dict.fromkeys(shown(value.series) for value in values)]
    spec: Spec = {
        **head(fit="facet"),
        "data": {"values": rows},
        "columns": PANELS_ABREAST,
        "spacing": {"row": 14, "column": 18},
        "facet": {"field": "series", "type": "nominal", "title": None, "sort": order},
        "spec": {"width": PANEL_WIDTH, "height": PANEL_HEIGHT, "layer": list(layers)},
    }
    return Figure(words.key, words.title, words.text, spec, columns, table)


def stacked(
    words: Words, values: Sequence[Value], *, x: Axis, y: Axis, order: Sequence[str] = ()
) -> Figure:
    """Return amounts of several series on top of one another (a cumulative flow)."""
    names: list[Json] = [
        *dict.fromkeys(shown(name) for name in order or [value.series for value in values])
    ]
    rank = {name: index for index, name in enumerate(names)}
    colours: list[Json] = [SERIES[index % MOST_SERIES] for index in range(len(names))]
    rows = data_of(values)
    for row in rows:
        if isinstance(row, dict):
            row["rank"] = rank.get(row.get("series", ""), len(names))
    encoding: Spec = {
        "x": {**_channel(x), "field": "x"},
        "y": {**_channel(y), "field": "y", "stack": "zero"},
        "color": {"field": "series", "type": "nominal",
                  "scale": {"domain": names, "range": colours}},
        "order": {"field": "rank", "type": "quantitative"},
        "tooltip": _tooltip(words, values, x, y),
    }  # fmt: skip
    body: Spec = {"mark": {"type": "area", "opacity": 0.85}, "encoding": encoding}
    return _figure(words, values, x, y, body, data=rows)


def bars(
    words: Words, values: Sequence[Value], *, x: Axis, y: Axis, limits: Sequence[Limit] = ()
) -> Figure:
    """Return a bar for each name, in the given order, with its interval and thresholds."""
    return _across(words, values, x, y, limits, mark={"type": "bar", "height": {"band": 0.62}})


def dots(
    words: Words, values: Sequence[Value], *, x: Axis, y: Axis, limits: Sequence[Limit] = ()
) -> Figure:
    """Return a dot with its range for each name, in the given order, against thresholds."""
    return _across(words, values, x, y, limits, mark={"type": "point", "size": 60})


def _across(
    words: Words, values: Sequence[Value], x: Axis, y: Axis, limits: Sequence[Limit], *, mark: Spec
) -> Figure:
    """Names go down, their values across."""
    order: list[Json] = [*dict.fromkeys(shown(str(value.x)) for value in values)]
    place: Spec = {"field": "x", "type": "nominal", "sort": order, "title": None,
                   "axis": {"grid": False, "domain": False, "labelLimit": 160}}  # fmt: skip
    amount = {**_channel(y), "field": "y"}
    if mark["type"] != "bar":
        amount["scale"] = {**scale_of(y), "zero": False}
    encoding: Spec = {"y": place, "x": amount, "tooltip": _tooltip(words, values, x, y)}
    if any(value.series for value in values):
        encoding["color"] = {"field": "series", "type": "nominal"}
    layers: list[Spec] = [{"mark": mark, "encoding": encoding}]
    if any(value.low is not None for value in values):
        bar = mark["type"] == "bar"
        rule: Spec = {"type": "rule", "strokeWidth": 2, "color": INK_3 if bar else MAIN}
        ends: Spec = {"y": place, "x": {**amount, "field": "low"}, "x2": {"field": "high"}}
        layers.insert(1 if bar else 0, {"mark": rule, "encoding": ends})
    for limit in limits:
        layers += _limit(limit, "x")
    body: Spec = {"layer": list(layers), "height": max(ROW * len(order), 2 * ROW)}
    return _figure(words, values, x, y, body)


def _figure(
    words: Words,
    values: Sequence[Value],
    x: Axis,
    y: Axis,
    body: Spec,
    *,
    data: list[Json] | None = None,
) -> Figure:
    columns, rows = table_of(words, values, x, y)
    spec: Spec = {
        **head(fit="width"),
        "width": WIDTH,
        "height": HEIGHT,
        "data": {"values": data_of(values) if data is None else data},
        **body,
    }
    return Figure(words.key, words.title, words.text, spec, columns, rows)


def _channel(axis: Axis) -> Spec:
    kinds = {NUMBER: "quantitative", TIME: "temporal", NAME: "ordinal"}
    look: Spec = {"tickCount": 5}
    if axis.kind != NAME and axis.format:
        look["format"] = axis.format
    if axis.is_log:
        look["values"] = _decades(axis)
    if axis.kind == TIME:
        look |= {"labelOverlap": True, "format": axis.format or "%d %b"}
    found: Spec = {"type": kinds[axis.kind], "title": axis.label or None, "axis": look}
    if axis.kind == NAME:
        found |= {"sort": None, "axis": {"labelAngle": 0, "labelOverlap": True}}
    scale = scale_of(axis)
    return found | ({"scale": scale} if scale else {})


def _decades(axis: Axis) -> list[Json]:
    """The marks of a logarithmic axis, no lines between; none beyond its ends, where it clamps."""
    low, high = axis.low or 0.001, axis.high or 1000.0
    return [10.0**power for power in range(-6, 7) if low <= 10.0**power <= high]


def _layer(
    mark: Spec, x: Axis, y: Axis, *, series: bool = False, tooltip: list[Json] | None = None
) -> Spec:
    encoding: Spec = {"x": {**_channel(x), "field": "x"}, "y": {**_channel(y), "field": "y"}}
    if series:
        encoding["color"] = {"field": "series", "type": "nominal"}
    if tooltip:
        encoding["tooltip"] = tooltip
    return {"mark": mark, "encoding": encoding}


def _ends(x: Axis, y: Axis, *, series: bool) -> Spec:
    found: Spec = {
        "x": {**_channel(x), "field": "x"},
        "y": {**_channel(y), "field": "low"},
        "y2": {"field": "high"},
    }
    if series:
        found["color"] = {"field": "series", "type": "nominal"}
    return found


def _band(values: Sequence[Value], x: Axis, y: Axis, *, has_series: bool) -> list[Spec]:
    if all(value.low is None for value in values):
        return []
    return [{"mark": {"type": "area", "opacity": 0.18}, "encoding": _ends(x, y, series=has_series)}]


def _whiskers(values: Sequence[Value], x: Axis, y: Axis, *, has_series: bool) -> list[Spec]:
    if all(value.low is None for value in values):
        return []
    mark: Spec = {"type": "rule", "strokeWidth": 1.5, "opacity": 0.7}
    if not has_series:
        mark["color"] = MAIN
    return [{"mark": mark, "encoding": _ends(x, y, series=has_series)}]


def _own_limits(x: Axis, y: Axis) -> Spec:
    """A dashed line through the limits that values have of their own."""
    return {
        "mark": {"type": "line", "color": LIMIT, "strokeDash": [4, 3], "strokeWidth": 1.2,
                 "point": {"color": LIMIT, "size": 14}},
        "encoding": {
            "x": {**_channel(x), "field": "x"},
            "y": {**_channel(y), "field": "limit", "title": None},
        },
    }  # fmt: skip


def _limits(limits: Sequence[Limit]) -> list[Spec]:
    return [layer for limit in limits for layer in _limit(limit, "y")]


def _limit(limit: Limit, channel: str) -> list[Spec]:
    """A dashed line over the whole plot, with its name at the end."""
    place: Spec = {"datum": limit.value}
    if channel == "y":
        mark: Spec = {"align": "right", "baseline": "bottom", "dy": -3}
        at: Spec = {"y": place, "x": {"value": "width"}}
    else:
        mark = {"align": "left", "baseline": "top", "dx": 4}
        at = {"x": place, "y": {"value": 0}}
    once: Spec = {"values": [{}]}  # else it is drawn again for each row
    colour = INK_3 if limit.tone == "calm" else LIMIT
    rule: Spec = {"type": "rule", "color": colour, "strokeDash": [4, 3], "strokeWidth": 1.2}
    text: Spec = {"type": "text", "color": colour, "text": shown(limit.label), **mark}
    return [
        {"data": once, "mark": rule, "encoding": {channel: place}},
        {"data": once, "mark": text, "encoding": at},
    ]


def _tooltip(words: Words, values: Sequence[Value], x: Axis, y: Axis) -> list[Json]:
    """What is told of a value when it is pointed at: what the table's row says."""
    low, high = words.bounds
    kind = {NUMBER: "quantitative", TIME: "temporal", NAME: "nominal"}[x.kind]
    place: Spec = {"field": "x", "type": kind, "title": x.label}
    if x.kind == TIME:
        place |= {"timeUnit": "utcyearmonthdatehours", "format": "%d %b %Y"}
        if any("T" in str(value.x) and "T00:00" not in str(value.x) for value in values):
            place["format"] = "%d %b %Y %H:%M"
    form = y.format or ".4~g"
    found: list[Json] = [place, _told("y", y.label, form)]
    if any(value.series for value in values):
        found.insert(0, {"field": "series", "type": "nominal", "title": words.series or "series"})
    if any(value.low is not None for value in values):
        found += [_told("low", low, form), _told("high", high, form)]
    if any(value.limit is not None for value in values):
        found.append(_told("limit", words.limit, form))
    if any(value.note for value in values):
        found.append({"field": "note", "type": "nominal", "title": words.note})
    return found


def _told(field: str, title: str, form: str) -> Json:
    return {"field": field, "type": "quantitative", "title": title, "format": form}
