"""Figures: what they say, what they are drawn from, and what a drawing may hold."""

import json

import pytest

from pipelines.charts import theme
from pipelines.charts.figure import NAME, TIME, Axis, Figure, Limit, Value, Words, table_of
from pipelines.charts.kinds import bars, line, multiples, stacked
from pipelines.charts.squares import Place, heat
from pipelines.charts.svg import cleaned
from tests.unit.charts.samples import HOSTILE, MARKUP, all_kinds

DAY, AMOUNT = Axis("day", kind=TIME), Axis("drift", unit="nats")


@pytest.mark.parametrize("figure", all_kinds(), ids=lambda one: one.key)
def test_every_kind_carries_its_table_and_its_words(figure: Figure) -> None:
    assert figure.rows
    assert all(len(row) == len(figure.columns) for row in figure.rows)
    assert figure.text
    assert len(figure.digest) == 64
    assert figure.spec["config"] == theme.CONFIG
    # Names are data; a field or an expression made of one could act.
    structure = {key: part for key, part in figure.spec.items() if key != "data"}
    fields = [name for name in _fields(structure) if name not in ("x", "y")]
    assert set(fields) <= {"x2", "low", "high", "series", "note", "rank", "limit", "n", "value",
                           "step", "text"}  # fmt: skip


def _fields(part: object) -> list[str]:
    if isinstance(part, dict):
        own = [part["field"]] if isinstance(part.get("field"), str) else []
        return own + [name for one in part.values() for name in _fields(one)]
    return [name for one in part for name in _fields(one)] if isinstance(part, list) else []


def test_digest_is_that_of_the_specification() -> None:
    value = [Value("2026-01-01", 1.0)]
    one = line(Words("a", "One", "Text."), value, x=DAY, y=AMOUNT)
    same = line(Words("b", "Other words", "Other text."), value, x=DAY, y=AMOUNT)
    other = line(Words("a", "One", "Text."), [Value("2026-01-01", 2.0)], x=DAY, y=AMOUNT)
    assert one.digest == same.digest != other.digest


def test_a_number_that_is_none_cannot_be_drawn() -> None:
    figure = line(Words("a", "One", "Text."), [Value(0, float("nan"))], x=Axis("x"), y=AMOUNT)
    with pytest.raises(ValueError, match="Out of range float"):
        _ = figure.digest


def test_table_has_the_columns_that_hold_something() -> None:
    words = Words("a", "One", "Text.", bounds=("low end", "high end"), series="feature")
    columns, rows = table_of(
        words, [Value("a", 1.0), Value("b", None)], Axis("who", kind=NAME), AMOUNT
    )
    assert [column.label for column in columns] == ["who", "drift (nats)"]
    assert rows == (("a", 1.0), ("b", None))
    columns, rows = table_of(
        words, [Value("a", 1.0, 0.0, 2.0, "s", "n")], Axis("who", kind=NAME), AMOUNT
    )
    assert [column.label for column in columns] == [
        "feature", "who", "drift (nats)", "low end", "high end", "note",
    ]  # fmt: skip
    assert rows == (("s", "a", 1.0, 0.0, 2.0, "n"),)


def test_a_limit_of_a_panel_holds_in_that_panel_only() -> None:
    values = [Value("2026-01-01", 1.0, series=name) for name in ("a", "b", "c")]
    limits = [Limit(0.3, "own", series="a"), Limit(0.1, "for all")]
    figure = multiples(Words("a", "One", "Text."), values, x=DAY, y=AMOUNT, limits=limits)
    data = figure.spec["data"]
    assert isinstance(data, dict)
    rows = data["values"]
    assert isinstance(rows, list)
    assert [row["limit"] for row in rows if isinstance(row, dict)] == [0.3, 0.1, 0.1]


def test_names_keep_the_order_in_which_they_come() -> None:
    values = [Value("b", 1.0), Value("a", 2.0)]
    text = json.dumps(
        bars(Words("a", "One", "T."), values, x=Axis("who", kind=NAME), y=AMOUNT).spec
    )
    assert '"sort": ["b", "a"]' in text
    series = [Value("2026-01-01", 1.0, series=name) for name in ("done", "open")]
    figure = stacked(Words("a", "One", "T."), series, x=DAY, y=AMOUNT, order=("open", "done"))
    assert '"domain": ["open", "done"]' in json.dumps(figure.spec)


def test_shades_run_from_nothing_to_the_most() -> None:
    places = [Place("a", "b", value) for value in (0.0, 0.001, 5.0, 10.0)] + [Place("a", "c", None)]
    who = Axis("who")
    data = heat(Words("a", "One", "T."), places, x=who, y=who, amount=Axis("n")).spec["data"]
    assert isinstance(data, dict)
    rows = data["values"]
    assert isinstance(rows, list)
    assert [row.get("step") for row in rows if isinstance(row, dict)] == [0, 1, 4, 6, None]


def test_a_drawing_keeps_shapes_and_texts_and_nothing_that_acts() -> None:
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="3" '
        'xmlns:xlink="http://www.w3.org/1999/xlink">'
        '<script>alert(1)</script><a xlink:href="javascript:x"><text>in a link</text></a>'
        '<g onclick="x()" style="fill:red" clip-path="url(#clip0)"><clipPath id="clip0"/>'
        '<g clip-path="url(http://evil.example/#x)"/><text fill="var(--ink)">&lt;b&gt;</text></g>'
        "<image href='http://evil.example'/><foreignObject/></svg>"
    )
    kept = cleaned(drawing, prefix="c1")
    assert kept == (
        '<svg xmlns="http://www.w3.org/2000/svg" width="3"><g clip-path="url(#c1-clip0)">'
        '<clipPath id="c1-clip0" /><g /><text fill="var(--ink)">&lt;b&gt;</text></g></svg>'
    )
    for bad in ("", "<html/>", MARKUP):
        with pytest.raises(ValueError, match="not a drawing"):
            cleaned(bad, prefix="c")


def test_colours_come_from_the_style_sheet() -> None:
    css = ":root { --ink: light-dark(#171b22, #e9edf3); --s1: 4px;\n --a: light-dark(#fff ,#000); }"
    known = theme.tokens(css)
    assert known == {"ink": ("#171b22", "#e9edf3"), "a": ("#fff", "#000")}
    drawing = 'fill="var(--ink)" stroke="var(--a)"'
    assert theme.resolved(drawing, known) == 'fill="#171b22" stroke="#fff"'
    assert theme.resolved(drawing, known, theme="dark") == 'fill="#e9edf3" stroke="#000"'
    assert len(HOSTILE) == 4
