"""Each bad file is refused with file, row, column, value and rule."""

import codecs
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.operations.contract import OperationError
from pipelines.operations.ingest.inspect import inspect
from pipelines.operations.ingest.sources import ReadOptions
from tests.unit.operations.running import perform


def refused(path: Path, tmp_path: Path, **params) -> OperationError:
    with pytest.raises(OperationError) as caught:
        perform("ingest", tmp_path, {"tables": {path.name: path}}, **params)
    assert path.name in caught.value.message
    assert not (tmp_path / "out-ingest" / "table.parquet").exists()
    return caught.value


def write(tmp_path: Path, content: bytes | str) -> Path:
    path = tmp_path / "given.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_empty_file(tmp_path) -> None:
    error = refused(write(tmp_path, ""), tmp_path)
    assert error.code == "empty_file"
    assert error.rule == "holds a header and rows"


def test_blank_lines_only(tmp_path) -> None:
    assert refused(write(tmp_path, "\n\n \n"), tmp_path).code == "empty_file"


def test_header_only(tmp_path) -> None:
    error = refused(write(tmp_path, "a,b\n"), tmp_path)
    assert (error.code, error.value, error.rule) == ("header_only", 0, "rows >= 1")
    assert "a, b" in error.message


def test_wrong_delimiter_when_one_is_named(tmp_path) -> None:
    path = write(tmp_path, "a;b;c\n1;2;3\n4;5;6\n")
    error = refused(path, tmp_path, delimiter=",")
    assert error.code == "wrong_delimiter"
    assert error.value == ","
    assert error.rule == "delimiter ';'"
    assert error.details[0]["row"] == 1
    assert error.field == "a;b;c"


def test_delimiter_that_is_not_supported_is_named(tmp_path) -> None:
    error = refused(write(tmp_path, "a^b^c\n1^2^3\n4^5^6\n"), tmp_path)
    assert error.rule == "delimiter '^'"


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_other_delimiters_are_found_and_told(tmp_path, mark) -> None:
    path = write(tmp_path, f"a{mark}b\n1{mark}2,5\n3{mark}4,5\n")
    found = inspect(path, "given.csv")
    assert [column.name for column in found.columns] == ["a", "b"]
    assert [problem.code for problem in found.problems] == ["delimiter"]
    assert found.problems[0].value == mark


@pytest.mark.parametrize(
    ("mark", "encoding"), [(codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le")]
)
def test_byte_order_mark_is_no_part_of_the_first_name(tmp_path, mark, encoding) -> None:
    path = write(tmp_path, mark + "größe,b\n1,ä\n2,ü\n".encode(encoding))
    found = inspect(path, "given.csv")
    assert [column.name for column in found.columns] == ["größe", "b"]
    assert found.columns[1].examples == ("ä", "ü")
    assert [problem.code for problem in found.problems] == ["byte_order_mark"]


def test_mixed_encodings_name_the_row(tmp_path) -> None:
    content = b"name,city\nJ\xc3\xbcrgen,Bern\nAnn,Ulm\nJos\xe9,Trier\n"
    error = refused(write(tmp_path, content), tmp_path)
    assert error.code == "mixed_encodings"
    assert error.value == "0xE9"
    assert error.details[0]["row"] == 4
    assert "row 2 holds UTF-8" in error.message
    assert error.rule == "one encoding in the whole file"


def test_mixed_encodings_far_into_the_file(tmp_path) -> None:
    rows = b"".join(b"%d,\xc3\xa9\n" % n for n in range(300_000))
    error = refused(write(tmp_path, b"n,letter\n" + rows + b"1,\xe9\n"), tmp_path)
    assert error.details[0]["row"] == 300_002


def test_windows_encoding_is_read_and_told(tmp_path) -> None:
    found = inspect(write(tmp_path, b"name,n\nJos\xe9,1\nAnn,2\n"), "given.csv")
    assert found.usable
    assert found.columns[0].examples == ("José", "Ann")
    assert found.problems[0].code == "assumed_encoding"
    assert found.problems[0].row == 2


def test_zero_bytes_are_no_text(tmp_path) -> None:
    error = refused(write(tmp_path, b"a,b\n1,\x002\n"), tmp_path)
    assert (error.code, error.details[0]["row"]) == ("not_text", 2)


def test_archive_is_named(tmp_path) -> None:
    error = refused(write(tmp_path, b"PK\x03\x04rest"), tmp_path)
    assert (error.code, error.value) == ("not_a_table", "a ZIP archive")


def test_duplicate_and_blank_names_are_told_at_once(tmp_path) -> None:
    error = refused(write(tmp_path, "a,,b,a,\n1,2,3,4,5\n"), tmp_path)
    assert [row["code"] for row in error.details] == [
        "blank_column",
        "blank_column",
        "duplicate_column",
    ]
    assert [row["column"] for row in error.details] == ["#2", "#5", "a"]
    assert {row["row"] for row in error.details} == {1}
    assert error.details[2]["rule"] == "column names are unique"
    assert "columns 1, 4" in str(error.details[2]["message"])


def test_infinities_name_column_and_rows(tmp_path) -> None:
    error = refused(write(tmp_path, "a,b\n1,2\n-inf,3\n4,4\nInfinity,5\n"), tmp_path)
    assert (error.code, error.field, error.rule) == ("infinity", "a", "numbers are finite")
    assert error.value == "-inf"
    assert "2 infinite values (rows 3, 5)" in error.message


def test_dates_in_three_formats_name_column_and_rows(tmp_path) -> None:
    dates = ["2024-01-31", "31.01.2024", "01/31/2024", "2024-02-01"]
    lines = "".join(f"{n},{date}\n" for n, date in enumerate(dates))
    error = refused(write(tmp_path, "n,day\n" + lines), tmp_path)
    assert (error.code, error.field) == ("mixed_dates", "day")
    assert error.rule == "one date format per column"
    for example in ("3 formats", "row 2 '2024-01-31'", "row 3 '31.01.2024'", "row 4 '01/31/2024'"):
        assert example in error.message


def test_day_first_and_month_first_are_two_formats(tmp_path) -> None:
    error = refused(write(tmp_path, "n,day\n1,31/01/2024\n2,01/31/2024\n3,02/03/2024\n"), tmp_path)
    assert error.code == "mixed_dates"
    assert error.value == ["31/01/2024", "01/31/2024"]


def test_rows_with_too_many_or_few_cells_are_named(tmp_path) -> None:
    error = refused(write(tmp_path, "a,b\n1,2\n1,2,3\n4,5\n6\n"), tmp_path)
    assert [row["code"] for row in error.details] == ["ragged_row", "ragged_row"]
    assert [row["row"] for row in error.details] == [3, 5]
    assert "3 cells, the header 2" in error.message


def test_csv_over_the_size_limit(tmp_path) -> None:
    error = refused(write(tmp_path, "a,b\n" + "1,2\n" * 1000), tmp_path, max_bytes=1024)
    assert (error.code, error.value) == ("too_large", 4004)
    assert error.rule == "size <= 1,024 bytes"


def test_zip_bomb_is_refused_by_its_footer(tmp_path) -> None:
    path = tmp_path / "bomb.parquet"
    rows = 20_000_000
    indices = pa.array([0] * 1_000_000, pa.int32())
    column = pa.DictionaryArray.from_arrays(indices, pa.array(["x"]))
    with pq.ParquetWriter(path, pa.schema([("a", column.type), ("b", pa.int64())])) as writer:
        zeros = pa.array([0] * 1_000_000)
        for _ in range(rows // 1_000_000):
            writer.write_table(pa.table({"a": column, "b": zeros}))
    assert path.stat().st_size < 200_000
    error = refused(path, tmp_path, max_bytes=100 << 20)
    assert error.code == "too_large_decoded"
    assert error.value == rows * (8 + 4)
    assert "20,000,000 rows" in error.message


def test_texts_that_blow_up_when_decoded_are_refused(tmp_path) -> None:
    path = tmp_path / "texts.parquet"
    column = pa.DictionaryArray.from_arrays(
        pa.array([0] * 10_000, pa.int32()), pa.array(["x" * 100_000])
    )
    pq.write_table(pa.table({"a": column}), path)
    error = refused(path, tmp_path, max_bytes=50 << 20)
    assert error.code == "too_large_decoded"
    assert "texts decode to more than" in error.message


def test_broken_parquet(tmp_path) -> None:
    path = tmp_path / "broken.parquet"
    path.write_bytes(b"PAR1 and nothing else")
    assert refused(path, tmp_path).code == "bad_parquet"


@pytest.mark.parametrize("cells", ["1\n2e80\n-1e300", "1.5\n1e999\n+3e75", "4\n 1e76 \n-1E90"])
def test_numbers_too_large_to_square_are_refused(tmp_path, cells) -> None:
    error = refused(write(tmp_path, f"a\n{cells}\n"), tmp_path)
    assert (error.code, error.field) == ("number_too_large", "a")
    assert error.rule == "numbers lie between -1e+75 and 1e+75"
    assert "2 numbers beyond 1e+75 (rows 3, 4)" in error.message


def test_one_number_too_large_in_parquet(tmp_path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": [1.0, 1e75, -2e75]}), path)
    error = refused(path, tmp_path)
    assert (error.code, error.field, error.value) == ("number_too_large", "a", "-2e+75")
    assert error.details[0]["row"] == 3


def test_a_column_without_type_or_value_is_read(tmp_path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": [1.0, 2.0], "void": pa.nulls(2)}), path)
    facts = perform("ingest", tmp_path, {"tables": {path.name: path}}).facts
    assert facts["column_names"] == ["a", "void"]


def test_parquet_infinities_and_nested_columns(tmp_path) -> None:
    path = tmp_path / "given.parquet"
    pq.write_table(pa.table({"a": [1.0, float("inf")]}), path)
    error = refused(path, tmp_path)
    assert (error.code, error.field, error.details[0]["row"]) == ("infinity", "a", 2)
    pq.write_table(pa.table({"a": [[1], [2]], "b": [1, 2]}), path)
    error = refused(path, tmp_path)
    assert (error.code, error.field) == ("unsupported_type", "a")


def test_parquet_without_rows(tmp_path) -> None:
    path = tmp_path / "given.parquet"
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), path)
    assert refused(path, tmp_path).code == "header_only"


@pytest.mark.parametrize(
    ("values", "code"), [([1, 1, 1, 1], "target_one_class"), ([None] * 4, "target_missing")]
)
@pytest.mark.parametrize("operation", ["split_data", "scan_leakage", "detect_worries"])
def test_target_with_one_class_or_none(tmp_path, operation, values, code) -> None:
    path = tmp_path / "table.parquet"
    pd.DataFrame({"x": range(4), "y": pd.array(values, dtype="Int64")}).to_parquet(path)
    with pytest.raises(OperationError) as caught:
        perform(operation, tmp_path, {"table": path}, target="y")
    assert caught.value.code == code
    assert caught.value.field == "target"
    assert "'y'" in caught.value.message


def test_three_hundred_categories_are_a_finding_with_column_and_limit(tmp_path) -> None:
    path = tmp_path / "table.parquet"
    frame = pd.DataFrame({"shop": [f"s{n % 300}" for n in range(900)], "y": [0, 1, 1] * 300})
    frame.to_parquet(path)
    facts = perform("detect_worries", tmp_path, {"table": path}, target="y").facts
    found = [row for row in facts["findings"] if row["worry"] == "W4"]
    assert [(row["columns"], row["value"], row["threshold"]) for row in found] == [
        (["shop"], 300.0, 255.0)
    ]


def test_odd_cells_keep_a_column_text_and_are_told(tmp_path) -> None:
    lines = "".join(f"{n},{n}\n" for n in range(50))
    found = inspect(write(tmp_path, "n,size\n" + lines + '50,"1,5"\n'), "given.csv")
    problem = found.problems[0]
    assert (problem.code, problem.column, problem.row) == ("nearly_numbers", "size", 52)
    assert problem.value == "1,5"
    assert [column.type for column in found.columns] == ["int", "text"]


def test_leading_zeros_are_not_lost(tmp_path) -> None:
    found = inspect(write(tmp_path, "zip,n\n01234,1\n99999,2\n"), "given.csv")
    assert found.columns[0].type == "text"
    assert found.problems[0].code == "kept_text"


def test_ambiguous_dates_stay_text_until_a_format_is_named(tmp_path) -> None:
    path = write(tmp_path, "day,n\n01/02/2024,1\n03/04/2024,2\n")
    found = inspect(path, "given.csv")
    assert (found.columns[0].type, found.problems[0].code) == ("text", "ambiguous_dates")
    named = inspect(path, "given.csv", ReadOptions(date_formats={"day": "%d/%m/%Y"}))
    assert named.columns[0].type == "time"
    assert named.problems == ()


def test_impossible_date_is_named(tmp_path) -> None:
    error = refused(write(tmp_path, "n,day\n1,31.01.2024\n2,31.02.2024\n"), tmp_path)
    assert (error.code, error.field, error.value) == ("bad_value", "day", "31.02.2024")
    assert error.details[0]["row"] == 3


def test_three_hundred_categories_are_told_on_upload(tmp_path) -> None:
    lines = "".join(f"s{n % 300},{n % 2},x\n" for n in range(900))
    found = inspect(write(tmp_path, "shop,y,same\n" + lines), "given.csv")
    assert [(row.code, row.column, row.value, row.rule) for row in found.problems] == [
        ("many_categories", "shop", 300, "<= 255 categories"),
        ("constant_column", "same", "x", ">= 2 values"),
    ]
    assert found.usable


@pytest.mark.parametrize(
    ("cell", "code", "value"), [("7", "target_one_class", "7"), ("", "target_missing", None)]
)
@pytest.mark.parametrize("drop", [True, False])
def test_target_is_refused_on_ingest(tmp_path, cell, code, value, drop) -> None:
    path = write(tmp_path, "x,y\n" + "".join(f"{n},{cell}\n" for n in range(9)))
    error = refused(path, tmp_path, target="y", drop_unlabelled=drop)
    assert (error.code, error.field, error.value) == (code, "y", value)
    assert error.rule == "has at least two values"
