"""Packages: equal bytes, proved on loading, clear about bad rows."""

import json
import zipfile
from pathlib import Path

import pytest
from sklearn.preprocessing import FunctionTransformer

from pipelines.operations.contract import Json, OperationError
from pipelines.operations.learning import store
from pipelines.operations.package_model.compute import run as package
from pipelines.operations.packages.archive import PackageError, read_archive, write_archive
from pipelines.operations.packages.environment import differences, pinned
from pipelines.operations.packages.example import write_package
from pipelines.operations.packages.loaded import load_package, plain_rows
from pipelines.operations.packages.signature import RowsError, rows_of
from pipelines.operations.tables import read_table
from tests.unit.operations.running import perform


def rebuilt(path: Path, target: Path, *, entry: str, data: bytes, stated: bool) -> Path:
    """The package with one entry replaced; `stated`: the manifest agrees with it."""
    manifest, entries = read_archive(path.read_bytes())
    if stated:
        write_archive(target, entries | {entry: data}, manifest)
        return target
    with zipfile.ZipFile(path) as given, zipfile.ZipFile(target, "w") as made:
        for name in given.namelist():
            made.writestr(name, data if name == entry else given.read(name))
    return target


def test_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, second = write_package(tmp_path / "a"), write_package(tmp_path / "b")
    assert first.package.read_bytes() == second.package.read_bytes()


def test_single_rows_and_batches_score_alike(tmp_path: Path) -> None:
    made = write_package(tmp_path)
    loaded = load_package(made.package)
    frame = read_table(made.holdout)[list(loaded.signature.names)]
    rows = plain_rows(frame, loaded.signature)
    single = [loaded.predict([row]).scores[0] for row in rows]
    whole = loaded.predict(rows)
    assert single == whole.scores
    assert single == loaded.score_frame(frame).tolist()
    assert whole.labels == [int(score >= 0.4) for score in single]


def test_another_digest_is_refused(tmp_path: Path) -> None:
    made = write_package(tmp_path)
    with pytest.raises(PackageError) as refused:
        load_package(made.package, digest="0" * 64)
    assert refused.value.code == "digest"


@pytest.mark.parametrize("stated", [True, False])
def test_altered_golden_rows_are_refused(tmp_path: Path, stated: bool) -> None:
    made = write_package(tmp_path)
    _, entries = read_archive(made.package.read_bytes())
    golden = json.loads(entries["golden.json"])
    golden["scores"][3] += 0.001
    changed = rebuilt(
        made.package, tmp_path / "x.zip", entry="golden.json",
        data=json.dumps(golden).encode(), stated=stated,
    )  # fmt: skip
    with pytest.raises(PackageError) as refused:
        load_package(changed)
    assert refused.value.code == ("golden_rows" if stated else "digest")


@pytest.mark.parametrize("data", [b"", b"PK nonsense", b"{}"])
def test_what_is_no_zip_is_refused(data: bytes) -> None:
    with pytest.raises(PackageError) as refused:
        load_package(data)
    assert refused.value.code == "no_zip"


def test_an_incomplete_package_is_refused(tmp_path: Path) -> None:
    made = write_package(tmp_path)
    manifest, entries = read_archive(made.package.read_bytes())
    del entries["golden.json"]
    write_archive(tmp_path / "x.zip", entries, manifest)
    with pytest.raises(PackageError) as refused:
        load_package(tmp_path / "x.zip")
    assert refused.value.code == "incomplete"


def test_a_model_with_foreign_types_is_refused(tmp_path: Path) -> None:
    made = write_package(tmp_path)
    model = store.load(made.model)
    model.steps.insert(0, ("call", FunctionTransformer(zipfile.is_zipfile)))
    path = store.dump(model, tmp_path / "foreign.skops", {})
    changed = rebuilt(
        made.package, tmp_path / "x.zip", entry="model.skops", data=path.read_bytes(), stated=True
    )
    with pytest.raises(PackageError) as refused:
        load_package(changed)
    assert refused.value.code == "untrusted_types"
    assert "is_zipfile" in str(refused.value)


def test_no_threshold_is_said(tmp_path: Path) -> None:
    made = write_package(tmp_path)
    with pytest.raises(OperationError) as refused:
        perform(
            "package_model", tmp_path, {"candidate": made.model, "holdout": made.holdout}, golden=50
        )
    assert refused.value.code == "no_threshold"
    assert package is not None


GOOD: dict[str, Json] = {
    "wind": 20.5, "seats": None, "place": "AMS", "vehicle": "N001", "holiday": True,
    "booked": "2024-01-02T00:00:00",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "column", "rule", "said"),
    [
        ({"wind": "strong"}, "wind", "type", "must be a number, got 'strong'"),
        ({"wind": True}, "wind", "type", "must be a number"),
        ({"wind": float("inf")}, "wind", "type", "must be finite"),
        ({"place": "XXX"}, "place", "category", "must be one of AMS, BRU, CDG, DUS, got 'XXX'"),
        ({"place": 3}, "place", "type", "must be a string, got 3"),
        ({"holiday": 1}, "holiday", "type", "must be true or false"),
        ({"booked": "soon"}, "booked", "type", "must be a time in ISO 8601"),
        ({"colour": "red"}, "colour", "extra", "is no input of the model"),
    ],
)
def test_bad_rows_name_row_column_rule_and_value(
    tmp_path: Path, change: dict[str, Json], column: str, rule: str, said: str
) -> None:
    loaded = load_package(write_package(tmp_path).package)
    with pytest.raises(RowsError) as refused:
        loaded.predict([GOOD, {**GOOD, **change}])
    problem = refused.value.problems[0]
    assert (problem.row, problem.column, problem.rule) == (1, column, rule)
    assert said in problem.message
    assert problem.message.startswith(f"row 1, column {column!r}")


def test_all_problems_at_once_and_unknown_many_categories_are_taken(tmp_path: Path) -> None:
    loaded = load_package(write_package(tmp_path).package)
    assert len(loaded.predict([{**GOOD, "vehicle": "never seen"}]).scores) == 1
    with pytest.raises(RowsError) as refused:
        loaded.predict([{"wind": "x"}, {}])
    assert len(refused.value.problems) == 12


def test_columns_of_different_lengths() -> None:
    with pytest.raises(RowsError) as refused:
        rows_of({"a": [1, 2], "b": [1]})
    assert refused.value.problems[0].column == "b"


def test_environments_are_compared() -> None:
    before: dict[str, Json] = {"python": "3.11.4", "packages": {"numpy": "2.0"}}
    after: dict[str, Json] = {"python": "3.12.0", "packages": {"numpy": "2.1"}}
    assert [row["package"] for row in differences(before, after)] == ["python", "numpy"]
    assert differences(before, {**before, "python": "3.11.9"}) == []


def test_a_lock_file_with_markers(tmp_path: Path) -> None:
    lock = tmp_path / "app.txt"
    lock.write_text(
        "numpy==2.4 ; python_full_version < '3' \\\n    --hash=sha256:00\n"
        "numpy==2.5 ; python_full_version >= '3' \\\n    --hash=sha256:00\n"
        "# via x==1\n"
    )
    assert pinned(lock) == {"numpy": "2.5"}
    assert pinned(tmp_path / "none.txt") == {}
