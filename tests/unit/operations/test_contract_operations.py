"""Operations of contracts: a split made again, an age, a drill read, segments rehearsed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipelines.operations.clusters.package import read_segments_package
from pipelines.operations.contract import Json, OperationError
from pipelines.operations.pack_clusters.compute import write_zip
from pipelines.operations.read_drill.example import example as drill_example
from pipelines.operations.rehearse_segments import probe as segments_probe
from pipelines.operations.rehearse_segments.example import example as segments_example
from pipelines.operations.repeat_split import probe as split_probe
from pipelines.operations.repeat_split.example import example as split_example
from pipelines.operations.tables import read_document, read_table, write_document, write_table
from tests.unit.operations.running import perform


def again(given: Mapping[str, Path], folder: Path) -> dict[str, Json]:
    """The comparison, in this process: the clean one costs two seconds."""
    return split_probe.probe({**{n: str(p) for n, p in given.items()}, "folder": str(folder)})


def test_a_split_comes_again_from_its_recipe(tmp_path: Path) -> None:
    given, _ = split_example(tmp_path)
    found = again(given, tmp_path)
    assert (found["reproducible"], found["differences"], found["seed"]) == (True, [], 3)
    assert found["compared"] == 5
    assert found["digest"] == read_document(given["split"])["digest"]


@pytest.mark.parametrize("part", ["train", "holdout"])
def test_a_part_that_was_touched_is_found(tmp_path: Path, part: str) -> None:
    given, _ = split_example(tmp_path)
    write_table(read_table(given[part]).iloc[1:], given[part])
    found = again(given, tmp_path)
    assert found["reproducible"] is False
    (difference,) = found["differences"]  # type: ignore[misc]
    assert difference["of"] == f"{part}, as a file"  # type: ignore[index, call-overload]


def test_another_table_or_seed_gives_other_rows(tmp_path: Path) -> None:
    given, _ = split_example(tmp_path)
    document = read_document(given["split"])
    frame = read_table(given["table"])
    write_table(pd.concat([frame.iloc[50:], frame.iloc[:50]]), given["table"])
    assert again(given, tmp_path)["reproducible"] is False
    write_table(frame, given["table"])
    recipe: dict[str, Any] = dict(document["recipe"])  # type: ignore[arg-type]
    random = {**recipe["params"], "time_column": "", "train_until": "", "decide_until": ""}
    write_document(given["split"], {**document, "recipe": {**recipe, "params": random}})
    assert again(given, tmp_path)["reproducible"] is False


def test_a_split_without_a_recipe_says_so(tmp_path: Path) -> None:
    given, _ = split_example(tmp_path)
    document = {k: v for k, v in read_document(given["split"]).items() if k != "recipe"}
    write_document(given["split"], document)
    assert again(given, tmp_path) == {"recipe": False}


def aged(folder: Path, time: Json, now: Json, **params: Json) -> Any:
    """The age of something."""
    report = write_document(folder / "report.json", {"freshness": {"newest": time}, "at": time})
    moment = write_document(folder / "moment.json", {"now": now})
    found = perform("measure_age", folder, {"report": report, "moment": moment}, **params)
    return found.facts["freshness"]


def test_an_age_is_days_between_two_written_moments(tmp_path: Path) -> None:
    found = aged(tmp_path, "2024-03-01T12:00:00", "2024-03-04T00:00:00+00:00")
    assert (found["age_days"], found["max_age_days"]) == (2.5, None)
    zoned = aged(tmp_path, "2024-03-01T14:00:00+02:00", "2024-03-04T00:00:00+00:00", newest="at")
    assert zoned["age_days"] == 2.5


@pytest.mark.parametrize("newest", [None, "yesterday", 7, {"at": 1}])
def test_what_is_no_time_has_no_age(tmp_path: Path, newest: Json) -> None:
    assert aged(tmp_path, newest, "2024-03-04T00:00:00+00:00")["age_days"] is None


def test_without_a_moment_nothing_is_measured(tmp_path: Path) -> None:
    with pytest.raises(OperationError, match="is no time"):
        aged(tmp_path, "2024-03-01T12:00:00", None)


@pytest.mark.parametrize(
    ("part", "change", "verdict"),
    [
        ("forward", {"right": 19}, (False, True)),
        ("forward", {"by": 1}, (False, True)),
        ("forward", {"asked": 0, "right": 0}, (False, True)),
        ("back", {"by": 2}, (True, False)),
        ("back", {"right": 0}, (True, False)),
    ],
)
def test_a_drill_holds_where_every_row_was_answered_as_it_should(
    tmp_path: Path, part: str, change: dict[str, Json], verdict: tuple[bool, bool]
) -> None:
    given, _ = drill_example(tmp_path)
    record: dict[str, Any] = read_document(given["record"])
    whole = perform("read_drill", tmp_path, given).facts
    assert (whole["switched"], whole["came_back"]) == (True, True)
    write_document(given["record"], {**record, part: {**record[part], **change}})
    facts = perform("read_drill", tmp_path, given).facts
    assert (facts["switched"], facts["came_back"]) == verdict


def test_a_drill_that_left_something_behind_did_not_come_back(tmp_path: Path) -> None:
    given, _ = drill_example(tmp_path)
    record = read_document(given["record"])
    write_document(given["record"], {**record, "untouched": False})
    assert perform("read_drill", tmp_path, given).facts["came_back"] is False
    write_document(given["record"], {"at": "2024-03-04"})
    with pytest.raises(OperationError, match="lacks to, forward, back, drill_seconds"):
        perform("read_drill", tmp_path, given)


def rehearsed(given: Mapping[str, Path], folder: Path) -> dict[str, Any]:
    """The rehearsal, in this process."""
    request: dict[str, Json] = {name: str(path) for name, path in given.items()}
    request |= {"count": 200, "singles": 20, "folder": str(folder)}
    return segments_probe.probe(request)


def test_packed_segments_come_again(tmp_path: Path) -> None:
    given, _ = segments_example(tmp_path)
    found = rehearsed(given, tmp_path)
    assert (found["loads"], found["golden_difference"], found["skew_rows"]) == (True, 0.0, 0)
    assert (found["rows"], found["schema_problems"]) == (200, [])
    assert found["environment_differences"] == []
    assert [row["refused"] for row in found["bad_input"]] == [True] * 3
    assert found["p95_seconds"] > 0


def test_assignments_that_were_altered_are_found(tmp_path: Path) -> None:
    given, _ = segments_example(tmp_path)
    _, entries = read_segments_package(given["package"])
    table = tmp_path / "altered.parquet"
    table.write_bytes(entries["assignments.parquet"])
    frame = pd.read_parquet(table)
    frame.loc[3, "segment"] = (frame.loc[3, "segment"] + 1) % 3
    write_table(frame, table)
    write_zip(given["package"], {**entries, "assignments.parquet": table.read_bytes()}, {})
    found = rehearsed(given, tmp_path)
    assert (found["golden_difference"], found["skew_rows"]) == (1.0, 1)


def test_rows_in_another_order_or_without_a_column_are_told(tmp_path: Path) -> None:
    given, _ = segments_example(tmp_path)
    frame = read_table(given["rows"])
    write_table(frame.iloc[::-1], given["rows"])
    assert "not those that were assigned" in rehearsed(given, tmp_path)["schema_problems"][0]
    write_table(frame.drop(columns=["speed"]), given["rows"])
    found = rehearsed(given, tmp_path)
    assert found["schema_problems"] == ["the rows have no column speed"]
    assert "bad_input" not in found


def test_a_damaged_package_does_not_load(tmp_path: Path) -> None:
    given, _ = segments_example(tmp_path)
    given["package"].write_bytes(given["package"].read_bytes()[:-200])
    found = rehearsed(given, tmp_path)
    assert (found["loads"], found["code"]) == (False, "no_zip")
