"""Parameters are cleaned and refused by their declaration, all problems at once."""

import pytest

from pipelines.operations.contract import (
    Context,
    Json,
    Param,
    ParamErrors,
    Port,
    Spec,
    clean_params,
    finite,
)

SPEC = Spec(
    name="example",
    version=1,
    summary="For tests",
    outputs=(Port("table", "parquet"),),
    params=(
        Param("count", "int", 3, minimum=1, maximum=10),
        Param("share", "float", 0.5, minimum=0, maximum=1),
        Param("how", "str", "fast", choices=("fast", "slow")),
        Param("names", "list", []),
        Param("extra", "map", {}),
        Param("deep", "bool", False),
        Param("target", "str", required=True),
        Param("limit", "float", None, minimum=0),
    ),
)


def test_defaults_are_filled_in_and_copied() -> None:
    first = clean_params(SPEC, {"target": "y"})
    names = first["names"]
    assert isinstance(names, list)
    names.append("changed")
    second = clean_params(SPEC, {"target": "y"})
    assert second["names"] == []
    assert second["limit"] is None


def test_whole_numbers_for_floats_have_one_form() -> None:
    cleaned = clean_params(SPEC, {"target": "y", "share": 1})
    assert isinstance(cleaned["share"], float)


def test_every_problem_is_told_at_once() -> None:
    given: dict[str, Json] = {
        "count": 11,
        "share": "much",
        "how": "later",
        "unknown": 1,
        "deep": 1,
        "extra": {"a": float("nan")},
    }
    with pytest.raises(ParamErrors) as caught:
        clean_params(SPEC, given)
    fields = caught.value.fields
    assert set(fields) == {"count", "share", "how", "unknown", "deep", "extra", "target"}
    assert fields["count"] == ["must be <= 10, got 11"]
    assert "'fast', 'slow'" in fields["how"][0]
    assert "required" in fields["target"][0]


@pytest.mark.parametrize("value", [True, 1.5, "3"])
def test_int_takes_neither_bool_nor_float_nor_text(value: Json) -> None:
    with pytest.raises(ParamErrors, match="count: must be int"):
        clean_params(SPEC, {"target": "y", "count": value})


def test_required_text_may_not_be_empty() -> None:
    with pytest.raises(ParamErrors, match="target: is required"):
        clean_params(SPEC, {"target": ""})


def test_output_paths_carry_the_ending_of_their_media(tmp_path) -> None:
    context = Context(spec=SPEC, folder=tmp_path)
    assert context.output("table") == tmp_path / "table.parquet"
    with pytest.raises(KeyError):
        context.output("other")


def test_progress_stays_between_nothing_and_all(tmp_path) -> None:
    seen: list[float] = []
    context = Context(
        spec=SPEC, folder=tmp_path, report=lambda share, message, rows: seen.append(share)
    )
    for share in (-1.0, 0.5, 7.0):
        context.progress(share, "working")
    assert seen == [0.0, 0.5, 1.0]


def test_facts_hold_no_nan() -> None:
    assert finite(float("nan")) is None
    assert finite(float("inf")) is None
    assert finite(0.123456, 2) == 0.12
