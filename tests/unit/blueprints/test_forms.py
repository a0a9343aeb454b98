"""What people may fill in."""

import pytest

from pipelines.blueprints.forms import clean_item, clean_parameters, field_problems
from pipelines.blueprints.parse import parse
from pipelines.blueprints.spec import FieldDef, ItemDef
from pipelines.operations.contract import Json, ParamErrors
from tests.unit.blueprints.bodies import good

COSTS = FieldDef("costs", "Costs", "map", required=True, choices=("miss", "alarm"))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (FieldDef("a", "A", "text", required=True), "  ", "is required"),
        (FieldDef("a", "A", "text"), 3, "must be text, got 3"),
        (FieldDef("a", "A", "text", minimum=10), "short", "must be at least 10 characters, got 5"),
        (
            FieldDef("a", "A", "longtext"),
            "x" * 20_001,
            "must be at most 20000 characters, got 20001",
        ),
        (FieldDef("a", "A", "number", minimum=1), 0, "must be >= 1, got 0"),
        (FieldDef("a", "A", "money", maximum=5), 6.5, "must be <= 5, got 6.5"),
        (FieldDef("a", "A", "number"), True, "must be a finite number, got True"),
        (FieldDef("a", "A", "number"), float("nan"), "must be a finite number, got nan"),
        (FieldDef("a", "A", "choice", choices=("x", "y")), "z", "must be one of x, y, got 'z'"),
        (FieldDef("a", "A", "bool"), "yes", "must be true or false, got 'yes'"),
        (FieldDef("a", "A", "bool", required=True), False, "must be confirmed"),
        (FieldDef("a", "A", "date"), "2013-02-30", "must be YYYY-MM-DD, got '2013-02-30'"),
        (FieldDef("a", "A", "date"), "20130201", "must be YYYY-MM-DD, got '20130201'"),
        (FieldDef("a", "A", "columns", required=True), [], "is required"),
        (FieldDef("a", "A", "columns"), ["x", "x"], "names 'x' twice"),
        (FieldDef("a", "A", "columns"), [1], "must hold column names, got 1"),
        (FieldDef("a", "A", "list", maximum=1), [1, 2], "must have 0 to 1 entries, got 2"),
        (FieldDef("a", "A", "map"), [1], "must be a table of names and values, got [1]"),
        (COSTS, {"miss": 1}, "has no entry 'alarm'"),
        (COSTS, {"miss": 1, "alarm": 2, "x": 3}, "has an unknown entry 'x'"),
        (
            FieldDef("a", "A", "map", values=("before", "after")),
            {"col": "later"},
            "col: must be one of before, after, got 'later'",
        ),
    ],
)
def test_what_is_refused(field: FieldDef, value: Json, message: str) -> None:
    assert field_problems(field, value) == [message]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (FieldDef("a", "A", "text"), None),
        (FieldDef("a", "A", "bool"), False),
        (FieldDef("a", "A", "date"), "2013-11-01"),
        (FieldDef("a", "A", "money"), 12.5),
        (COSTS, {"miss": 1, "alarm": 2}),
    ],
)
def test_what_is_taken(field: FieldDef, value: Json) -> None:
    assert field_problems(field, value) == []


def test_an_item_gives_all_problems_at_once() -> None:
    item = parse(good()).stage("frame").item("brief")
    with pytest.raises(ParamErrors) as refused:
        clean_item(item, {"keep": ["a"], "mood": "bored", "size": 3})
    assert set(refused.value.fields) == {"costs", "mood", "size"}


def test_an_item_fills_its_defaults() -> None:
    item = parse(good()).stage("frame").item("brief")
    data: dict[str, Json] = {"costs": {"miss": 1, "alarm": 2}, "keep": ["a"]}
    assert clean_item(item, data) == {**data, "mood": "calm"}


def test_an_item_without_fields_takes_nothing() -> None:
    item = ItemDef("sign", "attestation", "Sign", "BA")
    assert clean_item(item, {}) == {}
    with pytest.raises(ParamErrors):
        clean_item(item, {"x": 1})


def test_parameters_of_a_run() -> None:
    blueprint = parse(good())
    assert clean_parameters(blueprint, {"target": "late"}) == {"target": "late"}
    with pytest.raises(ParamErrors) as refused:
        clean_parameters(blueprint, {"tarjet": "late"})
    assert set(refused.value.fields) == {"target", "tarjet"}
