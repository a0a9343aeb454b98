"""Feature definitions: roles, what is left out, tests on encoders, refusals."""

import numpy as np
import pandas as pd
import pytest

from pipelines.operations.build_features import probes
from pipelines.operations.contract import OperationError
from pipelines.operations.learning.definition import from_json
from pipelines.operations.learning.example import rows, write_contract
from pipelines.operations.learning.transformers import Codes
from pipelines.operations.tables import read_document, write_document, write_table
from tests.unit.operations.running import perform


def build(tmp_path, frame=None, contract=None, **params):
    given = {
        "train": write_table(rows() if frame is None else frame, tmp_path / "train.parquet"),
        "contract": contract or write_contract(tmp_path),
    }
    params = {"target": "late", "exclude": ["note"], **params}
    return perform("build_features", tmp_path, given, **params)


def refused(tmp_path, frame=None, **params) -> OperationError:
    with pytest.raises(OperationError) as caught:
        build(tmp_path, frame, **params)
    assert caught.value.rule
    return caught.value


def test_each_kind_of_column_gets_its_role(tmp_path) -> None:
    outcome = build(tmp_path)
    assert {row["column"]: row["role"] for row in outcome.facts["columns"]} == {
        "wind": "number",
        "seats": "number",
        "place": "category",
        "vehicle": "many_categories" if rows()["vehicle"].nunique() > 255 else "category",
        "holiday": "flag",
        "booked": "date",
    }
    left = {row["column"]: row["reason"] for row in outcome.facts["left_out"]}
    assert left == {"journey": "key", "leaves": "time", "late": "target", "note": "excluded"}
    assert outcome.facts["unmapped"] == []


def test_the_encoders_pass_their_tests(tmp_path) -> None:
    facts = build(tmp_path).facts
    assert [test["test"] for test in facts["tests"] if not test["passed"]] == []
    assert facts["tests_run"] == 5 * facts["columns_used"]


def test_a_broken_encoder_fails_its_tests(tmp_path, monkeypatch) -> None:
    """The probes must be able to see a fault: unknown categories coded as the first one."""
    sound = Codes.transform
    monkeypatch.setattr(Codes, "transform", lambda self, frame: np.nan_to_num(sound(self, frame)))
    facts = build(tmp_path).facts
    failed = {test["test"]: test["failures"] for test in facts["tests"] if test["failures"]}
    assert set(failed) == {"missing value", "unknown value"}
    assert {row["column"] for row in failed["unknown value"]} == {"place", "vehicle"}
    assert facts["tests_failed"] == 4


def test_the_probes_name_the_promise() -> None:
    assert len({promise for _, promise, _ in probes.PROBES}) == 5


def test_three_hundred_categories_are_encoded_by_target_means(tmp_path) -> None:
    frame = rows(900)
    frame["stop"] = [f"s{number % 300}" for number in range(900)]
    outcome = build(tmp_path, frame)
    assert "stop" in outcome.facts["many_categories"]
    definition = from_json(read_document(outcome.outputs["features"]))
    found = next(column for column in definition.columns if column.name == "stop")
    assert len(found.categories) == 300


def test_columns_that_only_name_rows_are_not_mapped(tmp_path) -> None:
    facts = build(tmp_path, exclude=[]).facts
    assert [(row["column"], row["worry"]) for row in facts["unmapped"]] == [("note", "W4")]


def test_lists_and_empty_columns_are_not_mapped(tmp_path) -> None:
    frame = rows().assign(tags=[["a"]] * 600, empty=np.nan)
    facts = build(tmp_path, frame).facts
    assert {row["column"]: row["worry"] for row in facts["unmapped"]} == {
        "tags": "W13",
        "empty": "W3",
    }


def test_constants_are_left_out_unless_listed(tmp_path) -> None:
    frame = rows().assign(year=2024)
    left = {row["column"]: row["reason"] for row in build(tmp_path, frame).facts["left_out"]}
    assert left["year"] == "one value only"
    facts = build(tmp_path, frame, columns=["wind", "year"]).facts
    assert [row["constant"] for row in facts["columns"]] == [False, True]


def test_columns_known_later_are_stated(tmp_path) -> None:
    contract = read_document(write_contract(tmp_path))
    for row in contract["columns"]:
        row["available"] = {"wind": "after", "seats": None}.get(row["name"], "before")
    facts = build(tmp_path, contract=write_document(tmp_path / "c.json", contract)).facts
    assert facts["known_after"] == ["wind"]
    assert facts["availability_undeclared"] == ["seats"]


def test_personal_data_to_be_dropped_is_no_feature(tmp_path) -> None:
    contract = read_document(write_contract(tmp_path))
    contract["columns"][2] |= {"pii": True, "treatment": "drop"}
    path = write_document(tmp_path / "c.json", contract)
    left = {
        row["column"]: row["reason"] for row in build(tmp_path, contract=path).facts["left_out"]
    }
    assert left["wind"] == "personal data that is to be dropped"
    with pytest.raises(OperationError) as caught:
        build(tmp_path, contract=path, columns=["wind"])
    assert caught.value.value == "wind"


def test_the_digest_names_what_decides_the_encoding(tmp_path) -> None:
    first = build(tmp_path).facts["digest"]
    assert build(tmp_path).facts["digest"] == first
    assert build(tmp_path, exclude=["note", "wind"]).facts["digest"] != first


def test_an_altered_definition_is_refused(tmp_path) -> None:
    document = read_document(build(tmp_path).outputs["features"])
    document["columns"][0]["role"] = "category"
    with pytest.raises(OperationError, match="own digest"):
        from_json(document)


def test_the_positive_class_can_be_named(tmp_path) -> None:
    frame = rows()
    frame["late"] = frame["late"].map({0: "no", 1: "delayed"})
    assert build(tmp_path, frame).facts["positive"] == "no"  # the greater one, by default
    assert build(tmp_path, frame, positive="").facts["positive"] == "no"
    assert build(tmp_path, frame, positive="delayed").facts["positive"] == "delayed"
    assert refused(tmp_path, frame, positive="late").field == "positive"


@pytest.mark.parametrize(
    ("late", "code", "value"),
    [
        (0, "target_not_binary", [0]),
        (np.nan, "target_missing", "late"),
        (list(range(600)), "too_many_classes", 600),
        ([1] * 5 + [0] * 595, "class_too_small", 1),
    ],
)
def test_a_target_without_two_classes_is_refused(late, code, value, tmp_path) -> None:
    error = refused(tmp_path, rows().assign(late=late))
    assert (error.code, error.field, error.value) == (code, "target", value)


def test_two_rows_are_refused(tmp_path) -> None:
    error = refused(tmp_path, rows(2).assign(late=[0, 1]))
    assert error.code == "class_too_small"
    assert "at least 10 rows" in error.rule


@pytest.mark.parametrize(
    ("params", "field", "value"),
    [
        ({"target": "latte"}, "target", "latte"),
        ({"columns": ["wind", "wnd"]}, "columns", "wnd"),
        ({"exclude": ["nte"]}, "exclude", "nte"),
        ({"columns": ["late"]}, "columns", "late"),
        ({"columns": ["note"]}, "columns", "note"),
    ],
)
def test_names_that_do_not_fit_are_refused(params, field, value, tmp_path) -> None:
    error = refused(tmp_path, **params)
    assert (error.field, error.value) == (field, value)


def test_a_listed_column_without_values_is_refused_when_nothing_else_is_left(tmp_path) -> None:
    error = refused(tmp_path, rows().assign(empty=np.nan), columns=["empty"], exclude=[])
    assert error.code == "no_features"
    assert error.details == ({"column": "empty", "problem": "has no value in any row"},)


def test_a_table_that_is_no_parquet_is_refused(tmp_path) -> None:
    path = tmp_path / "train.parquet"
    path.write_text("wind,late\n1,0\n")
    with pytest.raises(OperationError) as caught:
        perform(
            "build_features",
            tmp_path,
            {"train": path, "contract": write_contract(tmp_path)},
            target="late",
        )
    assert (caught.value.code, caught.value.field) == ("unreadable_table", "train")


def test_rows_without_a_label_are_left_out(tmp_path) -> None:
    frame = rows()
    frame["late"] = frame["late"].astype("Int64").mask(pd.Series(np.arange(600) < 100))
    assert build(tmp_path, frame).facts["rows"] == 500
