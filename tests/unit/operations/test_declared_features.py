"""The columns that a brought model takes, held against the table, the contract and the run."""

from pathlib import Path
from typing import Any

import pytest

from pipelines.checks.features import columns_mapped, features_available
from pipelines.operations.brought.example import PLACES, declaration, write_all
from pipelines.operations.contract import Context, Json, OperationError, Outcome, clean_params
from pipelines.operations.declare_features.compute import run
from pipelines.operations.declare_features.spec import SPEC
from pipelines.operations.learning.frames import read_features
from pipelines.operations.tables import read_document, write_document


def declare(folder: Path, stated: dict[str, Json] | None = None, **params: Any) -> Outcome:
    made = write_all(folder)
    write_document(made.declaration, stated or declaration())
    inputs = {"declaration": made.declaration, "train": made.train, "contract": made.contract}
    given = clean_params(SPEC, {"target": "late", **params})
    return run(Context(SPEC, folder, inputs=inputs, params=given))


def refusal(folder: Path, stated: dict[str, Json] | None = None, **params: Any) -> OperationError:
    with pytest.raises(OperationError) as caught:
        declare(folder, stated, **params)
    return caught.value


def columns(*kinds: tuple[str, str]) -> list[Json]:
    return [{"name": name, "type": kind} for name, kind in kinds]


def test_declared_columns_become_the_definition(tmp_path: Path) -> None:
    found = read_features(declare(tmp_path, positive="0").outputs["features"])
    assert found.names == ["wind", "seats", "place"]
    assert found.columns[2].categories == PLACES
    assert (found.classes, found.key, found.time) == ((1, 0), ("journey",), "leaves")
    assert {column.name for column in found.left_out} >= {"note", "vehicle"}


def test_what_is_known_too_late_is_seen_by_the_same_check(tmp_path: Path) -> None:
    made = write_all(tmp_path)
    contract = read_document(made.contract)
    assert isinstance(contract["columns"], list)
    for column in contract["columns"]:
        assert isinstance(column, dict)
        column["available"] = "after" if column["name"] == "wind" else "before"
    write_document(made.contract, contract)
    inputs = {"declaration": made.declaration, "train": made.train, "contract": made.contract}
    facts = run(
        Context(SPEC, tmp_path, inputs=inputs, params=clean_params(SPEC, {"target": "late"}))
    )
    found = features_available({"features.build": facts.facts}, {})
    assert (found.verdict, found.details[0]["column"]) == ("fail", "wind")


def test_a_column_that_names_rows_is_mapped_to_nothing(tmp_path: Path) -> None:
    facts = declare(tmp_path, declaration(columns=columns(("wind", "number"), ("note", "text"))))
    found = columns_mapped({"features.build": facts.facts}, {})
    assert (found.verdict, found.details[0]["column"]) == ("fail", "note")


@pytest.mark.parametrize(
    ("stated", "params", "text"),
    [
        ({"columns": columns(("speed", "number"))}, {}, "speed: is not in the table"),
        ({"columns": columns(("wind", "integer"))}, {}, "wind: is declared integer, and holds"),
        ({"columns": columns(("place", "number"))}, {}, "place: is declared number, and holds"),
        ({"columns": columns(("leaves", "text"))}, {}, "leaves: is declared text, and holds"),
        ({}, {"exclude": ["wind"]}, "wind: is excluded in this run"),
        ({"classes": ["no", "yes"]}, {}, "late: has the classes 0, 1"),
    ],
)
def test_what_is_not_of_this_table_is_refused(
    stated: dict[str, Any], params: dict[str, Any], text: str, tmp_path: Path
) -> None:
    refused = refusal(tmp_path, declaration(**stated), **params)
    assert refused.code == "declaration_differs"
    assert text in refused.message


@pytest.mark.parametrize("stated", [{"target": "holiday"}, {"task": "regression", "classes": []}])
def test_an_answer_to_another_question_is_refused(stated: dict[str, Any], tmp_path: Path) -> None:
    assert refusal(tmp_path, declaration(**stated)).code == "another_question"
