"""Each kind of use case against each bad table: a clear refusal or a finding, never green silence.

What is asserted here is what docs/acceptance/bad-input.md says.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines.operations.contract import Json, OperationError
from tests.long import only_long
from tests.unit.operations.bad_tables import KINDS
from tests.unit.operations.stages import Stages

ALL = tuple(KINDS)
TABULAR = ("two classes", "several classes", "regression")
LABELLED = (*TABULAR, "texts")
TIMED = (*TABULAR, "anomalies")
UNLABELLED = ("clustering", "anomalies")


def given(kind: str) -> pd.DataFrame:
    return KINDS[kind].table()


def play(
    kind: str, folder: Path, table: pd.DataFrame, until: str = "features", **more: Json
) -> Stages:
    return KINDS[kind].play(folder, table, until, **more)


def refusal(stages: Stages, code: str, *, at: str) -> OperationError:
    """The refusal, which names field, rule and value."""
    error = stages.error
    assert error is not None
    assert (error.code, stages.at) == (code, at)
    assert error.field
    assert error.rule
    assert error.message
    return error


def red(stages: Stages, check: str, *words: str) -> None:
    """The check is not green, and says the words."""
    assert stages.error is None, stages.error
    found = stages.checks()[check]
    assert found.verdict != "pass"
    told = f"{found.summary} {found.details}"
    assert all(word in told for word in words), told


def left_out(stages: Stages) -> dict[str, str]:
    """Columns that no model gets, with the reason."""
    rows = stages.facts("features.build")["left_out"]
    assert isinstance(rows, list)
    return {str(row["column"]): str(row["reason"]) for row in rows if isinstance(row, dict)}


def varied(kind: str) -> str:
    """A feature of the kind's table."""
    return {"texts": "note", "forecasting": "sold"}.get(kind, "size")


@pytest.mark.parametrize("kind", [*LABELLED, *UNLABELLED])
def test_a_test_set_that_leaks(tmp_path, kind) -> None:
    table = given(kind)
    if not KINDS[kind].time:
        table = pd.concat([table, table])
    else:
        late = int(len(table) * 0.8)
        names = [name for name in table if name != "at"]
        table.loc[late:, names] = table.loc[: len(table) - late - 1, names].to_numpy()
    red(play(kind, tmp_path, table, "explore"), "no_overlap", "rows")


def test_a_series_whose_end_is_a_copy_of_its_begin(tmp_path) -> None:
    table = given("forecasting")
    table.loc[192:, "sold"] = table["sold"][:48].to_numpy()
    stages = play("forecasting", tmp_path, table, "source")
    red(stages, "series_sound", "20.0% of the steps repeat", "from 2023-07-12T00:00")


@pytest.mark.parametrize("kind", LABELLED)
def test_a_target_that_is_a_copy_of_a_feature(tmp_path, kind) -> None:
    table = given(kind)
    stages = play(kind, tmp_path, table.assign(twin=table[KINDS[kind].target]), "explore")
    red(stages, "leakage_clean", "twin")
    red(stages, "no_open_blocker", "twin")


@pytest.mark.parametrize("kind", [*LABELLED, *UNLABELLED])
def test_constant_columns_are_named_and_become_no_features(tmp_path, kind) -> None:
    stages = play(kind, tmp_path, given(kind).assign(same=1.0, word="x"))
    assert stages.facts("source.profile")["constant_columns"] == ["same", "word"]
    assert {left_out(stages)[name] for name in ("same", "word")} == {"one value only"}


@pytest.mark.parametrize("kind", [*LABELLED, *UNLABELLED])
def test_duplicate_columns_are_named(tmp_path, kind) -> None:
    table = given(kind)
    stages = play(kind, tmp_path, table.assign(again=table[varied(kind)]), "explore")
    red(stages, "worries:explore", "again", varied(kind))


@pytest.mark.parametrize("kind", TABULAR)
def test_one_group_only_beside_time(tmp_path, kind) -> None:
    stages = play(kind, tmp_path, given(kind).assign(team="a"), "explore", group_column="team")
    red(stages, "no_overlap", "1 groups")


def test_one_group_only(tmp_path) -> None:
    stages = play("texts", tmp_path, given("texts").assign(team="a"), group_column="team")
    assert "team" in refusal(stages, "one_group", at="explore.split").message


@pytest.mark.parametrize("kind", [*TIMED, "forecasting"])
def test_times_out_of_order_are_put_in_order(tmp_path, kind) -> None:
    stages = play(kind, tmp_path, given(kind).sample(frac=1, random_state=1), "explore")
    assert stages.error is None
    parts = stages.facts("explore.split")["parts"]
    if kind == "forecasting":
        assert stages.facts("source.series")["out_of_order"] > 0
    else:
        assert parts["train"]["last"] < parts["holdout"]["first"]


@pytest.mark.parametrize("kind", ALL)
def test_rows_told_twice(tmp_path, kind) -> None:
    table = pd.concat([given(kind), given(kind)])
    check = "series_sound" if kind == "forecasting" else "rows_sound"
    red(play(kind, tmp_path, table, "source"), check, f"{len(table) // 2} rows", "equal another")


@pytest.mark.parametrize("kind", TIMED)
def test_a_gap_in_the_times(tmp_path, kind) -> None:
    table = given(kind).drop(index=range(100, 150))
    said = ("no row from 2024-01-05T03:00 to 2024-01-07T06:00", "14.2% of the time")
    red(play(kind, tmp_path, table, "source"), "rows_sound", *said)


@pytest.mark.parametrize("kind", [*LABELLED, *UNLABELLED])
def test_columns_that_only_name_rows(tmp_path, kind) -> None:
    table = given(kind)
    rows = len(table)
    named = table.assign(code=[f"id-{n}" for n in range(rows)], counter=np.arange(rows))
    red(play(kind, tmp_path, named, "explore"), "worries:explore", "'code'", "'counter'")


def test_gaps_and_duplicates_in_a_series(tmp_path) -> None:
    table = given("forecasting")
    broken = pd.concat([table[:100], table[140:], table[150:170]])
    red(play("forecasting", tmp_path, broken, "source"), "series_sound", "20 rows equal another")


@pytest.mark.parametrize("kind", TIMED)
def test_rows_without_a_time_are_left_out_and_counted(tmp_path, kind) -> None:
    table = given(kind)
    table.loc[::3, "at"] = pd.NaT
    stages = play(kind, tmp_path, table, "explore")
    assert stages.facts("explore.split")["left_out"] == {"at is missing": 120}


@pytest.mark.parametrize("kind", TIMED)
@pytest.mark.parametrize("moment", [pd.Timestamp("2024-01-01"), pd.NaT])
def test_one_moment_or_none(tmp_path, kind, moment) -> None:
    times = pd.Series([moment] * 360, dtype="datetime64[us]")
    stages = play(kind, tmp_path, given(kind).assign(at=times), "explore")
    assert refusal(stages, "one_moment", at="explore.split").field == "time_column"


def test_a_series_without_values_or_times(tmp_path) -> None:
    table = given("forecasting")
    for name, code in (("sold", "no_values"), ("at", "no_times")):
        (tmp_path / name).mkdir()
        void = table.assign(**{name: pd.Series([None] * len(table), dtype=table[name].dtype)})
        stages = play("forecasting", tmp_path / name, void, "source")
        assert refusal(stages, code, at="source.series").value == name


def test_times_missing_in_a_third_of_a_series(tmp_path) -> None:
    table = given("forecasting")
    table.loc[::3, "at"] = pd.NaT
    stages = play("forecasting", tmp_path, table, "source")
    red(stages, "series_sound", "33.1% of 239 steps")
    assert stages.facts("source.series")["left_out"] == 80


def test_a_series_of_one_group_is_one_series(tmp_path) -> None:
    table = given("forecasting").assign(team="a")
    stages = play("forecasting", tmp_path, table, "source", groups=["team"])
    assert stages.error is None
    assert stages.facts("source.series")["groups"] == 1


def test_values_missing_in_a_third_of_a_series(tmp_path) -> None:
    table = given("forecasting")
    table.loc[:80, "sold"] = np.nan
    stages = play("forecasting", tmp_path, table, "source")
    red(stages, "series_sound", "33.8% of the rows have no value")


TWO = {
    "two classes": ("target_one_class", "explore.worries"),
    "several classes": ("metric_of_another_task", "source.ingest"),  # two rows are of two classes
    "regression": ("target_one_class", "explore.worries"),
    "forecasting": ("series_too_short", "source.horizons"),
    "clustering": ("empty_part", "explore.split"),
    "anomalies": ("too_few_rows", "features.build"),
    "texts": ("empty_part", "explore.split"),
}


@pytest.mark.parametrize("kind", ALL)
def test_two_rows(tmp_path, kind) -> None:
    table, target = given(kind), KINDS[kind].target
    if kind in ("two classes", "several classes", "texts"):
        table = table.drop_duplicates(target)
    code, at = TWO[kind]
    refusal(play(kind, tmp_path, table[:2]), code, at=at)


@pytest.mark.parametrize("kind", [*LABELLED, *UNLABELLED])
def test_a_column_without_any_value(tmp_path, kind) -> None:
    void = pd.array([None] * len(given(kind)), dtype="Float64")
    stages = play(kind, tmp_path, given(kind).assign(void=void))
    red(stages, "worries:explore", "void")
    red(stages, "columns_mapped", "void")


@pytest.mark.parametrize("kind", [*LABELLED, *UNLABELLED])
def test_a_slice_in_which_a_column_is_missing(tmp_path, kind) -> None:
    table = given(kind)
    table.loc[: len(table) // 3, varied(kind)] = None
    red(play(kind, tmp_path, table, "explore"), "worries:explore", varied(kind), "missing")


@pytest.mark.parametrize("kind", LABELLED)
@pytest.mark.parametrize("one", [True, False])
def test_a_target_of_one_value_or_none(tmp_path, kind, one) -> None:
    table, name = given(kind), KINDS[kind].target
    value = table[name].iloc[0] if one else None
    table[name] = pd.Series([value] * len(table), dtype=table[name].dtype)
    stages = play(kind, tmp_path, table)
    code = "target_one_class" if one else "target_missing"
    assert refusal(stages, code, at="source.ingest").field == name


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(("value", "code"), [(np.inf, "infinity"), (-1e80, "number_too_large")])
def test_infinite_values_and_numbers_too_large(tmp_path, kind, value, code) -> None:
    table = given(kind)
    name = varied(kind) if kind != "texts" else "share"
    table[name] = np.where(np.arange(len(table)) == 5, value, 1.0)
    error = refusal(play(kind, tmp_path, table), code, at="source.ingest")
    assert error.field == name
    assert "rows 6" in error.message


@pytest.mark.parametrize("kind", [*LABELLED, "forecasting", "anomalies"])
def test_a_named_column_that_is_not_there(tmp_path, kind) -> None:
    name = KINDS[kind].target or KINDS[kind].time
    stages = play(kind, tmp_path, given(kind).drop(columns=name))
    at = "source.series" if kind == "forecasting" else "source.ingest"
    assert refusal(stages, "unknown_column", at=at).value == name


@pytest.mark.parametrize("kind", [*LABELLED, *UNLABELLED])
def test_features_of_one_value_only(tmp_path, kind) -> None:
    table = given(kind)
    for name in set(table) - {KINDS[kind].target, KINDS[kind].time}:
        table[name] = table[name].iloc[0]
    error = refusal(play(kind, tmp_path, table), "no_features", at="features.build")
    assert f"{varied(kind)}: one value only" in error.message


@pytest.mark.parametrize("kind", ["two classes", "texts"])
def test_a_score_that_two_classes_do_not_have(tmp_path, kind) -> None:
    asked = replace(KINDS[kind], brief={**KINDS[kind].brief, "metric": "macro_f1"})
    error = refusal(
        asked.play(tmp_path, given(kind), "source"), "metric_of_another_task", at="source.ingest"
    )
    assert (error.field, error.value) == ("metric", "macro_f1")


@pytest.mark.parametrize("kind", ["clustering", "anomalies"])
@pytest.mark.parametrize("field", ["key_column", "exclude", "drop_columns", "time_column"])
def test_a_parameter_that_names_no_column(tmp_path, kind, field) -> None:
    value: Json = ["nope"] if field in ("exclude", "drop_columns") else "nope"
    stages = play(kind, tmp_path, given(kind), **{field: value})
    assert stages.error is not None
    assert (stages.error.code, stages.error.field) == ("unknown_column", field)
    assert stages.error.value == "nope"


@only_long
@pytest.mark.parametrize("kind", ["two classes", "clustering", "anomalies", "texts"])
def test_cells_of_a_megabyte(tmp_path, kind) -> None:
    table = given(kind)[:30].copy()
    table["note"] = [f"word{n} pump " * 90_000 for n in range(30)]
    stages = play(kind, tmp_path, table)
    if kind in UNLABELLED:
        refusal(stages, "too_few_rows", at="features.build")
    else:
        red(stages, "rows_enough", "rarest class")


@only_long
@pytest.mark.slow
def test_five_thousand_columns(tmp_path) -> None:
    table = given("two classes")[:40]
    noise = np.random.default_rng(0).normal(size=(40, 5000))
    wide = pd.DataFrame(noise, columns=[f"c{n}" for n in range(5000)])
    stages = play("two classes", tmp_path, pd.concat([table, wide], axis=1), "source")
    assert stages.facts("source.profile")["column_count"] == 5005
    red(stages, "rows_enough", "rarest class")
