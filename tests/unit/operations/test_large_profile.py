"""The streamed profile against the one in memory; the engine sees no file but those named."""

import json
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from pipelines.operations.contract import Json
from pipelines.operations.profile import streamed
from pipelines.operations.profile.counted import weighted_quantile
from pipelines.operations.streaming import copy_to_parquet, engine, identifier
from tests.unit.operations.running import perform

ROWS = 6_000
ESTIMATED = ("distinct", "top", "quantiles", "distinct_exact", "top_exact", "quantiles_exact")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    draw = np.random.default_rng(4)
    number = draw.normal(size=ROWS)
    frame = pd.DataFrame(
        {
            "id": np.arange(ROWS),
            "normal": np.where(draw.random(ROWS) < 0.1, np.nan, number),
            "few": draw.integers(-3, 9, ROWS),
            "gaps": pd.array(np.where(draw.random(ROWS) < 0.2, pd.NA, 7), dtype="Int64"),
            "paid": draw.random(ROWS) < 0.4,
            "maybe": pd.array(np.where(draw.random(ROWS) < 0.5, pd.NA, True), dtype="boolean"),
            "at": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(ROWS) * 61, unit="s"),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(ROWS) % 9, unit="D"),
            "note": [f"note {n % 5000}" for n in range(ROWS)],
            "colour": [("red", "grün", None)[n % 3] for n in range(ROWS)],
            "empty": pd.array([None] * ROWS, dtype="string"),
            "nothing": pd.array([None] * ROWS, dtype="Int64"),
            'o"dd': 1,
        }
    )
    path = tmp_path / "table.parquet"
    pd.concat([frame, frame.head(40)]).to_parquet(path, index=False)
    return path


def profiled(table: Path, folder: Path, **params: Json) -> tuple[dict, dict[str, dict]]:
    outcome = perform("profile", folder, {"table": table}, **params)
    columns = json.loads(outcome.outputs["profile"].read_text())["columns"]
    return outcome.facts, {column["name"]: column for column in columns}


def without(row: dict, names: tuple[str, ...]) -> dict:
    return {name: value for name, value in row.items() if name not in names}


def test_columns_with_few_values_are_told_exactly(tmp_path, table) -> None:
    facts, small = profiled(table, tmp_path / "small")
    told, large = profiled(table, tmp_path / "large", exact_rows=0)
    assert large == small
    ours = ("sampled_rows", "quantile_rank_error", "memory_bytes")
    assert without(told, ours) == without(facts, ours)
    assert told["duplicate_rows"] == 40
    assert (facts["sampled_rows"], told["sampled_rows"]) == (None, ROWS + 40)


def test_columns_with_many_values_are_exact_but_where_it_says_so(
    tmp_path, table, monkeypatch
) -> None:
    monkeypatch.setattr(streamed, "FEW", 100)
    monkeypatch.setattr(streamed, "PART", 500)
    monkeypatch.setattr(streamed, "SAMPLE", 2_000)
    _, small = profiled(table, tmp_path / "small")
    facts, large = profiled(table, tmp_path / "large", exact_rows=0)
    many = {name for name, column in large.items() if not column["top_exact"]}
    assert many == {"id", "normal", "at", "note"}
    for name, column in large.items():
        ignored = ESTIMATED if name in many else ()
        assert without(column, ignored) == without(small[name], ignored)
    for name in many:
        assert large[name]["distinct"] == pytest.approx(small[name]["distinct"], rel=0.15)
        counts = {row["value"]: row["count"] for row in large[name]["top"]}
        assert all(count <= 3 for count in counts.values())
    assert facts["quantile_rank_error"] == pytest.approx(0.0304, abs=1e-3)
    assert not facts["duplicate_rows_exact"]


def test_sampled_quantiles_keep_their_error(tmp_path, table, monkeypatch) -> None:
    monkeypatch.setattr(streamed, "FEW", 100)
    monkeypatch.setattr(streamed, "SAMPLE", 2_000)
    values = pd.read_parquet(table)["normal"].dropna()
    for seed in range(3):
        outcome = perform(
            "profile", tmp_path / str(seed), {"table": table}, exact_rows=0, seed=seed
        )
        columns = json.loads(outcome.outputs["profile"].read_text())["columns"]
        for share, value in columns[1]["quantiles"].items():
            rank = float((values <= value).mean())
            assert abs(rank - float(share)) <= outcome.facts["quantile_rank_error"] + 1e-3


def test_the_same_table_gives_the_same_profile(tmp_path, table, monkeypatch) -> None:
    monkeypatch.setattr(streamed, "FEW", 100)
    monkeypatch.setattr(streamed, "SAMPLE", 2_000)
    made = {
        perform("profile", tmp_path / name, {"table": table}, exact_rows=0)
        .outputs["profile"]
        .read_bytes()
        for name in ("once", "twice", "again")
    }
    assert len(made) == 1


@pytest.mark.parametrize("share", [0.0, 0.01, 0.25, 0.5, 0.77, 1.0])
def test_weighted_quantiles_are_those_of_repeated_values(share) -> None:
    draw = np.random.default_rng(1)
    values, counts = np.sort(draw.normal(size=50)), draw.integers(1, 9, 50)
    expected = np.quantile(np.repeat(values, counts), share)
    assert weighted_quantile(values, counts, share) == pytest.approx(expected, abs=1e-12)


OUTSIDE = (
    "FROM read_csv('/etc/passwd')",
    "FROM read_text('{folder}/../secret.txt')",
    "COPY (SELECT 1) TO '{folder}/../stolen.csv'",
    "ATTACH '{folder}/../other.db'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "FROM 'http://127.0.0.1/data.csv'",
    "SET enable_external_access = true",
    "SET allowed_directories = ['/']",
    "FROM frame",
)


@pytest.mark.parametrize("statement", OUTSIDE)
def test_the_engine_reaches_nothing_outside(tmp_path, statement) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    folder = tmp_path / "room"
    frame = pd.DataFrame({"a": [1]})
    with (
        engine(folder, memory_mib=256) as connection,
        pytest.raises(duckdb.Error) as caught,
    ):
        connection.execute(statement.format(folder=folder))
    assert "secret" not in str(caught.value).replace("secret.txt", "")
    assert len(frame) == 1


def test_the_engine_spills_inside_its_folder_and_cleans_up(tmp_path) -> None:
    folder = tmp_path / "room"
    with engine(folder, memory_mib=128, threads=1) as connection:
        copy_to_parquet(
            connection,
            "SELECT i, hash(i)::VARCHAR AS t FROM range(600000) r(i) ORDER BY hash(i, 1)",
            folder / "out.parquet",
        )
        assert connection.execute("SELECT current_setting('memory_limit')").fetchone() == (
            "70.0 MiB",
        )
    assert [path.name for path in folder.iterdir()] == ["out.parquet"]


def test_identifiers_are_quoted() -> None:
    assert identifier('a"b') == '"a""b"'
