"""Comparing an artefact with the same computed again: what is equal, near enough, or different."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipelines.operations.compare_artefacts.compute import run
from pipelines.operations.compare_artefacts.numbers import Tolerance, compare
from pipelines.operations.compare_artefacts.spec import RELATIVE, SE_SHARE, SPEC
from pipelines.operations.contract import Context, Json, OperationError, clean_params

TOLERANCE = Tolerance(RELATIVE, SE_SHARE)


def facts(folder: Path, kept: bytes, again: bytes, media: str, **more: Json) -> dict[str, Any]:
    """What the operation says of two contents."""
    paths = {"kept": folder / "kept", "again": folder / "again"}
    paths["kept"].write_bytes(kept)
    paths["again"].write_bytes(again)
    params = clean_params(SPEC, {"media": media, **more})
    return run(Context(spec=SPEC, folder=folder, inputs=paths, params=params)).facts


def as_json(value: Any, **more: Any) -> bytes:
    return json.dumps(value, **more).encode()


def parquet(**columns: Any) -> bytes:
    sink = io.BytesIO()
    pd.DataFrame(columns).to_parquet(sink)
    return sink.getvalue()


def archive(**entries: bytes) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as made:
        for name, data in entries.items():
            made.writestr(zipfile.ZipInfo(name.replace("__", ".")), data)
    return sink.getvalue()


def array(*values: float, dtype: str = "float64") -> bytes:
    sink = io.BytesIO()
    np.save(sink, np.array(values, dtype))
    return sink.getvalue()


@pytest.mark.parametrize(
    ("kept", "again", "verdict"),
    [
        ({"a": 1, "b": [1.5, None]}, {"a": 1, "b": [1.5, None]}, "equal"),
        ({"a": 0.1 + 0.2}, {"a": 0.3}, "within"),
        ({"a": 1.0}, {"a": 1.0 + 1e-8}, "different"),
        ({"a": 1.0}, {"a": 1}, "equal"),
        ({"a": 1}, {"a": 2}, "different"),
        ({"a": 1}, {"a": True}, "different"),
        ({"a": 0.0}, {"a": False}, "different"),
        ({"a": None}, {"a": 0.0}, "different"),
        ({"a": "x"}, {"a": "y"}, "different"),
        ({"a": [1, 2]}, {"a": [1]}, "different"),
        ({"a": 1}, {"b": 1}, "different"),
        ({"took_seconds": 1.0, "a": 1}, {"took_seconds": 9.0, "a": 1}, "equal"),
        ({"environment": {"lock": "a"}, "a": 1}, {"environment": {"lock": "b"}, "a": 1}, "within"),
    ],
)  # fmt: skip
def test_values(kept: Json, again: Json, verdict: str) -> None:
    assert compare(kept, again, TOLERANCE).verdict == verdict


@pytest.mark.parametrize(("moved", "verdict"), [(0.0101, "within"), (0.0103, "different")])
def test_a_metric_may_move_by_a_tenth_of_its_standard_error(moved: float, verdict: str) -> None:
    """0.1 of (1.0 - 0.6) / (2 * 1.96) is 0.0102."""
    kept: Json = {"roc_auc": {"value": 0.8, "low": 0.6, "high": 1.0}}
    again: Json = {"roc_auc": {"value": 0.8 + moved, "low": 0.6, "high": 1.0}}
    assert compare(kept, again, TOLERANCE).verdict == verdict


def test_an_interval_without_a_value_gives_no_room() -> None:
    kept: Json = {"low": 0.0, "high": 10.0}
    assert compare(kept, {"low": 0.1, "high": 10.0}, TOLERANCE).verdict == "different"


def test_it_names_where_and_by_how_much(tmp_path: Path) -> None:
    kept, again = {"a": {"b": [1.0, 2.0]}, "c": 1}, {"a": {"b": [1.0, 2.5]}, "c": 1}
    found = facts(tmp_path, as_json(kept), as_json(again), "json")
    assert found["verdict"] == "different"
    assert found["first"] == ["a.b[1]: 2.0 became 2.5"]
    assert found["largest_share"] == pytest.approx(0.2)
    assert json.loads((tmp_path / "report.json").read_text())["verdict"] == "different"


def test_other_bytes_of_the_same_values_are_never_called_equal(tmp_path: Path) -> None:
    one, other = as_json({"a": 1, "b": 2}), as_json({"b": 2, "a": 1}, indent=2)
    assert facts(tmp_path, one, other, "json")["verdict"] == "within"
    assert facts(tmp_path, one, one, "json")["verdict"] == "equal"


@pytest.mark.parametrize(
    ("kept", "again", "verdict"),
    [
        ({"x": [1.0, np.nan]}, {"x": [1.0 + 1e-12, np.nan]}, "within"),
        ({"x": [1.0, 2.0]}, {"x": [1.0, 2.1]}, "different"),
        ({"x": [1.0, 2.0]}, {"x": [2.0, 1.0]}, "different"),
        ({"x": [1.0]}, {"y": [1.0]}, "different"),
        ({"x": [1.0]}, {"x": [1.0, 2.0]}, "different"),
        ({"x": [1]}, {"x": [1.0]}, "different"),
        ({"x": ["a", None]}, {"x": ["a", "b"]}, "different"),
        ({"x": [np.inf, 1.0]}, {"x": [1.0, np.inf]}, "different"),
        ({"x": [0.0]}, {"x": [1e-300]}, "different"),
    ],
)  # fmt: skip
def test_tables(tmp_path: Path, kept: Any, again: Any, verdict: str) -> None:
    found = facts(tmp_path, parquet(**kept), parquet(**again), "parquet")
    assert found["verdict"] == verdict
    assert bool(found["first"]) == (verdict == "different")


@pytest.mark.parametrize(
    ("again", "verdict"),
    [
        ({"a__npy": array(1.0, 2.0 + 1e-12), "b__txt": b"x"}, "within"),
        ({"a__npy": array(1.0, 2.1), "b__txt": b"x"}, "different"),
        ({"a__npy": array(1.0, 2.0, dtype="float32"), "b__txt": b"x"}, "different"),
        ({"a__npy": array(1.0, 2.0), "b__txt": b"y"}, "different"),
        ({"a__npy": array(1.0, 2.0)}, "different"),
        ({"a__npy": array(1.0), "b__txt": b"x"}, "different"),
    ],
)
def test_models_are_compared_number_by_number(
    tmp_path: Path, again: dict[str, bytes], verdict: str
) -> None:
    kept = archive(a__npy=array(1.0, 2.0), b__txt=b"x")
    assert facts(tmp_path, kept, archive(**again), "skops")["verdict"] == verdict


def test_a_package_of_another_lock_file_is_told_and_within(tmp_path: Path) -> None:
    def package(lock: str, score: float, threshold: float = 0.5) -> bytes:
        manifest = {"threshold": threshold, "digests": {"environment.json": lock}}
        return archive(
            environment__json=as_json({"lock_sha256": lock}),
            golden__json=as_json({"scores": [score]}),
            manifest__json=as_json(manifest),
        )

    found = facts(tmp_path, package("a", 0.7), package("b", 0.7), "zip")
    assert found["verdict"] == "within"
    assert found["surroundings"] == ["lock_sha256: 'a' became 'b'"]
    assert facts(tmp_path, package("a", 0.7), package("b", 0.8), "zip")["verdict"] == "different"
    other = package("b", 0.7, threshold=0.6)
    assert facts(tmp_path, package("a", 0.7), other, "zip")["verdict"] == "different"


def test_what_is_not_what_it_is_said_to_be_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OperationError, match="cannot be read as json"):
        facts(tmp_path, b"{}", b"no json", "json")
    with pytest.raises(OperationError, match="cannot be read as zip"):
        facts(tmp_path, archive(a=b"1"), b"no zip", "zip")


def test_anything_else_is_compared_by_its_bytes(tmp_path: Path) -> None:
    found = facts(tmp_path, b"abc", b"abcd", "bytes")
    assert (found["verdict"], found["first"]) == ("different", ["all: 3 bytes became 4 others"])
