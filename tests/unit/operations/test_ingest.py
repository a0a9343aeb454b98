"""Reading, joining, target and filters against known answers."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.operations.contract import Json, OperationError
from pipelines.operations.ingest.inspect import inspect
from pipelines.operations.ingest.sketch import KEPT, Sketch
from tests.unit.operations.running import perform

FLIGHTS = """origin,tailnum,hour,delay,when
EWR,N1,5,20,2013-01-01T05:00:00Z
JFK,N2,6,,2013-01-02T06:00:00Z
EWR,N9,7,15,2013-01-03T07:00:00Z
LGA,,8,16,2013-01-04T08:00:00Z
"""
PLANES = "tailnum,year,seats\nN2,2001,\nN1,1999,150\n"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    (tmp_path / "flights.csv").write_text(FLIGHTS)
    (tmp_path / "planes.csv").write_text(PLANES)
    return {"flights.csv": tmp_path / "flights.csv", "planes.csv": tmp_path / "planes.csv"}


def ingest(tmp_path: Path, files: dict[str, Path], **params: Json):
    outcome = perform("ingest", tmp_path, {"tables": files}, **{"base": "flights", **params})
    return pq.read_table(outcome.outputs["table"]), outcome.facts


JOIN: Json = [{"table": "planes", "on": ["tailnum"], "prefix": "plane_"}]


def test_types_are_told_from_every_cell(tmp_path, files) -> None:
    table, _ = ingest(tmp_path, files)
    assert table.schema.types == [
        pa.string(),
        pa.string(),
        pa.int64(),
        pa.int64(),
        pa.timestamp("us"),
    ]
    assert table.column("delay").to_pylist() == [20, None, 15, 16]


def test_join_keeps_rows_order_and_types(tmp_path, files) -> None:
    table, facts = ingest(tmp_path, files, joins=JOIN)
    assert table.column("tailnum").to_pylist() == ["N1", "N2", "N9", None]
    assert table.column("plane_year").to_pylist() == [1999, 2001, None, None]
    assert table.column("plane_seats").type == pa.int64()
    assert facts["joins"] == [
        {
            "table": "planes",
            "on": ["tailnum"],
            "columns": ["plane_year", "plane_seats"],
            "matched": 2,
            "share": 0.5,
        }
    ]


def test_lookup_may_have_rows_without_a_key(tmp_path, files) -> None:
    header, rows = PLANES.split("\n", 1)
    files["planes.csv"].write_text(f"{header}\n,1990,1\n,1991,2\n{rows}")
    table, _ = ingest(tmp_path, files, joins=JOIN)
    assert table.column("plane_year").to_pylist() == [1999, 2001, None, None]


def test_join_on_columns_with_other_names(tmp_path, files) -> None:
    files["planes.csv"].write_text(PLANES.replace("tailnum", "plane"))
    joins: Json = [{"table": "planes", "on": [["tailnum", "plane"]], "columns": ["year"]}]
    table, _ = ingest(tmp_path, files, joins=joins)
    assert table.column("year").to_pylist() == [1999, 2001, None, None]


def test_repeated_lookup_key_is_refused_with_rows(tmp_path, files) -> None:
    files["planes.csv"].write_text(PLANES + "N1,1980,9\n")
    with pytest.raises(OperationError, match="rows 3 and 4") as caught:
        ingest(tmp_path, files, joins=JOIN)
    assert caught.value.code == "join_not_unique"
    assert caught.value.value == {"tailnum": "N1"}


def test_a_lookup_larger_than_memory_is_refused_by_its_size(tmp_path, files, monkeypatch) -> None:
    monkeypatch.setattr("pipelines.operations.ingest.joins.LARGEST", 60)
    narrow: Json = [{"table": "planes", "on": ["tailnum"], "columns": ["year"]}]
    assert ingest(tmp_path, files, joins=narrow)[0].num_rows == 4
    monkeypatch.setattr("pipelines.operations.ingest.joins.LARGEST", 8)
    with pytest.raises(OperationError, match="tailnum, year") as caught:
        ingest(tmp_path, files, joins=narrow)
    assert caught.value.code == "lookup_too_large"


@pytest.mark.parametrize(
    ("joins", "code"),
    [
        ([{"table": "other", "on": ["tailnum"]}], "bad_join"),
        ([{"table": "planes", "on": []}], "bad_join"),
        ([{"table": "planes", "on": ["nothing"]}], "unknown_column"),
        ([{"table": "planes", "on": ["tailnum"], "columns": ["nothing"]}], "unknown_column"),
        ([{"table": "planes", "on": [["origin", "year"]]}], "join_key_type"),
        ([{"table": "planes", "on": ["tailnum"]}] * 2, "duplicate_column"),
    ],
)
def test_joins_that_do_not_fit_are_refused(tmp_path, files, joins, code) -> None:
    with pytest.raises(OperationError) as caught:
        ingest(tmp_path, files, joins=joins)
    assert caught.value.code == code


def test_target_rule_keeps_missing_missing(tmp_path, files) -> None:
    rule: Json = {"name": "late", "column": "delay", "op": ">", "value": 15}
    table, facts = ingest(tmp_path, files, target_rule=rule)
    assert table.column("late").to_pylist() == [1, None, 0, 1]
    assert facts["target"] == {
        "name": "late",
        "labelled": 3,
        "unlabelled": 1,
        "positives": 2,
        "share": 0.666667,
    }


def test_target_rule_takes_its_name_from_the_target(tmp_path, files) -> None:
    rule: Json = {"column": "delay", "op": ">", "value": 15}
    table, _ = ingest(tmp_path, files, target="late", target_rule=rule)
    assert "late" in table.column_names


@pytest.mark.parametrize(
    "change", [{"op": "~"}, {"column": "nothing"}, {"value": "much"}, {"name": "hour"}]
)
def test_target_rules_that_do_not_fit_are_refused(tmp_path, files, change) -> None:
    rule: Json = {"name": "late", "column": "delay", "op": ">", "value": 15, **change}
    with pytest.raises(OperationError) as caught:
        ingest(tmp_path, files, target_rule=rule)
    assert (caught.value.code, caught.value.field) == ("bad_target_rule", "target_rule")
    assert caught.value.value == next(iter(change.values()))


def test_dropped_rows_have_reasons(tmp_path, files) -> None:
    rule: Json = {"name": "late", "column": "delay", "op": ">", "value": 15}
    table, facts = ingest(
        tmp_path,
        files,
        target_rule=rule,
        time_column="when",
        drop_unlabelled=True,
        time_from="2013-01-02",
        time_until="2013-01-04",
    )
    assert table.num_rows == 1
    assert facts["dropped"] == {
        "before 2013-01-02T00:00:00": 1,
        "at or after 2013-01-04T00:00:00": 1,
        "late is missing": 1,
    }
    assert facts["time"] == {
        "column": "when",
        "first": "2013-01-03T07:00:00",
        "last": "2013-01-03T07:00:00",
    }


def test_no_row_left_is_an_error(tmp_path, files) -> None:
    with pytest.raises(OperationError, match="no row is left of 4"):
        ingest(tmp_path, files, time_column="when", time_from="2014-01-01")


@pytest.mark.parametrize(("column", "code"), [("origin", "not_a_time"), ("no", "unknown_column")])
def test_time_column_must_hold_times(tmp_path, files, column, code) -> None:
    with pytest.raises(OperationError) as caught:
        ingest(tmp_path, files, time_column=column)
    assert (caught.value.code, caught.value.field) == (code, "time_column")


def test_time_is_built_from_parts(tmp_path) -> None:
    path = tmp_path / "given.csv"
    path.write_text("year,month,day,x\n2013,2,28,1\n2013,2,31,2\n")
    parts: Json = {"year": "year", "month": "month", "day": "day"}
    outcome = perform(
        "ingest", tmp_path, {"tables": {"given.csv": path}}, time_column="on", time_parts=parts
    )
    times = pq.read_table(outcome.outputs["table"]).column("on").to_pylist()
    assert times == [pd.Timestamp("2013-02-28").to_pydatetime(), None]


def test_several_files_need_a_base(tmp_path, files) -> None:
    with pytest.raises(OperationError, match="the files are flights, planes"):
        ingest(tmp_path, files, base="")


def test_parquet_gives_what_the_csv_gives(tmp_path, files) -> None:
    table, _ = ingest(tmp_path, files)
    path = tmp_path / "blob"  # an artefact store gives no endings
    pq.write_table(table, path)
    again, facts = ingest(tmp_path / "again", {"flights": path})
    assert again.equals(table)
    assert facts["files"][0]["format"] == "parquet"


def test_quoted_cells_may_hold_delimiters_and_lines(tmp_path) -> None:
    path = tmp_path / "given.csv"
    path.write_text('a,b\n"1,5","two\nlines"\n"x ""y""",z\n')
    outcome = perform("ingest", tmp_path, {"tables": {"given.csv": path}})
    table = pq.read_table(outcome.outputs["table"])
    assert table.column("a").to_pylist() == ["1,5", 'x "y"']
    assert table.column("b").to_pylist() == ["two\nlines", "z"]


def test_types_hold_across_blocks(tmp_path) -> None:
    path = tmp_path / "given.csv"
    lines = [f"{n},{n}" for n in range(700_000)]
    path.write_text("n,m\n" + "\n".join(lines) + "\n700000,0.5\n")
    outcome = perform("ingest", tmp_path, {"tables": {"given.csv": path}})
    table = pq.read_table(outcome.outputs["table"])
    assert table.schema.types == [pa.int64(), pa.float64()]
    assert table.column("m")[-1].as_py() == 0.5


def test_upload_is_inspected_with_suggestions(tmp_path) -> None:
    path = tmp_path / "given.csv"
    lines = "".join(
        f"c{n},2024-01-{1 + n % 28:02d},{n},{'yes' if n % 3 else 'no'}\n" for n in range(50)
    )
    path.write_text("customer_id,since,spend,churn\n" + lines)
    facts = inspect(path, "given.csv").as_json()
    assert facts["suggested_target"] == "churn"
    assert facts["suggested_time"] == "since"
    assert facts["suggested_key"] == "customer_id"
    assert facts["suggested_blueprint"] == "tabular-classification"


def test_distinct_values_are_counted_then_estimated() -> None:
    sketch = Sketch()
    sketch.update(pa.array([f"v{n}" for n in range(KEPT)] * 2))
    assert (sketch.distinct, sketch.exact) == (KEPT, True)
    for start in range(0, 50_000, 5_000):
        sketch.update(pa.array([f"v{n}" for n in range(start, start + 5_000)]))
    assert not sketch.exact
    assert sketch.distinct == pytest.approx(50_000, rel=0.15)


def test_prose_and_its_authors_are_suggested(tmp_path) -> None:
    path = tmp_path / "given.csv"
    lines = "".join(
        f"t{n % 20},{'a' if n % 2 else 'b'},this is comment {n} on the tea,{n % 3 == 0}\n"
        for n in range(100)
    )
    path.write_text("thread,kind,said,spam\n" + lines)
    facts = inspect(path, "given.csv").as_json()
    assert facts["suggested_texts"] == ["said"]
    assert facts["suggested_group"] == "thread"
    assert facts["suggested_blueprint"] == "text-classification"


@pytest.mark.parametrize("metric", ["macro_f1", "balanced_accuracy", "f1-macro"])
def test_a_score_of_several_classes_is_refused_for_two(tmp_path, files, metric) -> None:
    rule: Json = {"name": "late", "column": "delay", "op": ">", "value": 15}
    with pytest.raises(OperationError) as caught:
        ingest(tmp_path, files, target_rule=rule, metric=metric)
    error = caught.value
    assert (error.code, error.field, error.value) == ("metric_of_another_task", "metric", metric)
    assert error.rule == "is one of roc_auc, pr_auc, log_loss, brier"
    assert "target 'late' is 1 or 0" in error.message
    assert not (tmp_path / "out-ingest" / "table.parquet").exists()


@pytest.mark.parametrize(("target", "metric"), [("origin", "macro_f1"), ("late", "ROC-AUC")])
def test_scores_that_suit_their_classes(tmp_path, files, target, metric) -> None:
    rule: Json = {"name": "late", "column": "delay", "op": ">", "value": 15}
    given: dict[str, Json] = {"target": target} if target == "origin" else {"target_rule": rule}
    _, facts = ingest(tmp_path, files, metric=metric, **given)
    assert facts["target"]["name"] == target
