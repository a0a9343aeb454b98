"""The data contract: proposed, sealed with declarations, held against data."""

import json
from pathlib import Path

import pandas as pd
import pytest

from pipelines.operations.contract import Json, OperationError
from pipelines.operations.infer_contract.pii import luhn, pii_suspicion
from tests.unit.operations.running import perform


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": range(1, 101),
            "colour": ["red", "green"] * 50,
            "size": [float(n) for n in range(100)],
            "gap": [None if n % 4 == 0 else n for n in range(100)],
            "email": [f"p{n}@example.org" for n in range(100)],
            "seen": pd.date_range("2024-01-01", periods=100, freq="D"),
            "y": [0, 0, 0, 1] * 25,
        }
    )


def propose(tmp_path: Path, frame: pd.DataFrame) -> Path:
    table = tmp_path / "table.parquet"
    frame.to_parquet(table)
    profile = perform("profile", tmp_path, {"table": table}).outputs["profile"]
    outcome = perform(
        "infer_contract",
        tmp_path,
        {"table": table, "profile": profile},
        target="y",
        time_column="seen",
        key_column="id",
    )
    return outcome.outputs["contract"]


def columns(path: Path) -> dict[str, dict[str, Json]]:
    return {entry["name"]: entry for entry in json.loads(path.read_text())["columns"]}


def test_expectations_come_from_the_table(tmp_path, frame) -> None:
    found = columns(propose(tmp_path, frame))
    assert found["id"]["unique"] is True
    assert found["colour"]["categories"] == ["green", "red"]
    assert (found["size"]["minimum"], found["size"]["maximum"]) == (0.0, 123.75)
    assert (found["gap"]["type"], found["gap"]["nullable"]) == ("int", True)
    assert found["gap"]["max_null_share"] == pytest.approx(0.30)
    assert [found[name]["role"] for name in ("id", "seen", "y", "colour")] == [
        "key",
        "time",
        "target",
        "category",
    ]


def test_a_table_keeps_its_own_contract(tmp_path, frame) -> None:
    contract = propose(tmp_path, frame)
    facts = perform(
        "validate_data",
        tmp_path,
        {"table": tmp_path / "table.parquet", "contract": contract},
        as_of="2024-04-19T12:00",
    ).facts
    assert facts["violations"] == []
    assert facts["freshness"]["age_days"] == 10.5
    assert facts["labels"]["classes"] == {"0": 75, "1": 25}
    assert facts["labels"]["rarest"] == 25


def test_every_broken_rule_is_named_with_rows(tmp_path, frame) -> None:
    contract = propose(tmp_path, frame)
    frame.loc[3, "size"] = 999.0
    frame.loc[[5, 6], "colour"] = "blue"
    frame.loc[8, "id"] = 1
    frame.loc[7, "y"] = None
    frame = frame.drop(columns="email").assign(extra=1, seen="yesterday")
    frame.to_parquet(tmp_path / "later.parquet")
    facts = perform(
        "validate_data", tmp_path, {"table": tmp_path / "later.parquet", "contract": contract}
    ).facts
    found = {(row["column"], row["rule"]): row for row in facts["violations"]}
    assert set(found) == {
        ("id", "unique"),
        ("colour", "category"),
        ("size", "maximum"),
        ("email", "missing_column"),
        ("seen", "type"),
        ("y", "not_null"),
        ("extra", "extra_column"),
    }
    assert found["size", "maximum"]["rows"] == [4]
    assert found["size", "maximum"]["values"] == [999.0]
    assert found["colour", "category"]["count"] == 2
    assert found["id", "unique"]["rows"] == [1, 9]
    assert facts["blocking"] == 4
    assert facts["warnings"] == 3


def test_declarations_are_sealed(tmp_path, frame) -> None:
    contract = propose(tmp_path, frame)
    outcome = perform(
        "seal_contract",
        tmp_path,
        {"contract": contract},
        declarations={"size": "after", "email": {"pii": True, "treatment": "drop"}},
        default_available="before",
        origin="shop",
    )
    assert outcome.facts["unavailable"] == ["size", "y"]
    assert outcome.facts["undeclared"] == []
    assert outcome.facts["pii"] == ["email"]
    assert outcome.facts["pii_unresolved"] == []
    assert "rights" in outcome.facts["datasheet_missing"]
    assert columns(outcome.outputs["contract"])["size"]["available"] == "after"


def test_undecided_personal_data_and_columns_are_told(tmp_path, frame) -> None:
    facts = perform("seal_contract", tmp_path, {"contract": propose(tmp_path, frame)}).facts
    assert [row["column"] for row in facts["pii_unresolved"]] == ["email"]
    assert facts["undeclared"] == ["id", "colour", "size", "gap", "email", "seen"]


def test_keeping_personal_data_needs_a_reason(tmp_path, frame) -> None:
    contract = propose(tmp_path, frame)
    keep: Json = {"email": {"pii": True, "treatment": "keep"}}
    facts = perform("seal_contract", tmp_path, {"contract": contract}, declarations=keep).facts
    assert [row["column"] for row in facts["pii_unresolved"]] == ["email"]


def test_declarations_that_do_not_fit_are_told_at_once(tmp_path, frame) -> None:
    given: Json = {"nothing": "after", "size": "later", "colour": {"pii": "perhaps"}}
    with pytest.raises(OperationError) as caught:
        perform(
            "seal_contract", tmp_path, {"contract": propose(tmp_path, frame)}, declarations=given
        )
    assert [row["column"] for row in caught.value.details] == ["nothing", "size", "colour"]
    assert caught.value.field == "declarations"


@pytest.mark.parametrize(
    ("name", "values", "suspect"),
    [
        ("contact", ["a@b.org", "c@d.net"], True),
        ("ref", ["4111 1111 1111 1111", "5500-0000-0000-0004"], True),
        ("ref", ["4111 1111 1111 1112", "5500-0000-0000-0005"], False),
        ("last_name", ["x", "y"], True),
        ("date_of_birth", [1, 2], True),
        ("size", [1, 2], False),
        ("carrier_name", ["Delta", "United"], False),
        ("host", ["10.0.0.1", "10.0.0.2"], True),
    ],
)
def test_personal_data_are_suspected_by_name_and_value(name, values, suspect) -> None:
    assert bool(pii_suspicion(pd.Series(values, name=name))) is suspect


def test_check_sum_of_payment_cards() -> None:
    assert luhn("4111 1111 1111 1111")
    assert not luhn("4111 1111 1111 1112")
