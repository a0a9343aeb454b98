"""W1 to W8 on data: of each a set on which it must speak, and one on which it must not."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pipelines.checks.worries import look, worry
from pipelines.operations.contract import Json
from pipelines.operations.detect_worries import columns as columns_of
from pipelines.operations.detect_worries.missing import adjusted
from pipelines.operations.detect_worries.relations import cramers_v
from pipelines.operations.detect_worries.spread import fences, medcouple
from tests.unit.operations.running import perform

DRAW = np.random.default_rng(26)
N = 400
CALM = {
    "a": DRAW.normal(size=N),
    "b": DRAW.exponential(size=N),
    "c": np.exp(DRAW.normal(size=N)),
    "d": DRAW.integers(0, 9, N),
    "kind": DRAW.choice(["oak", "elm", "ash"], N),
}
TWO = DRAW.integers(0, 2, N)
MANY = DRAW.choice([f"class {n}" for n in range(12)], N)
NUMBER = DRAW.normal(size=N)


def calm(**more: object) -> pd.DataFrame:
    """Columns that have nothing to do with each other, and a target of two classes."""
    return pd.DataFrame({**CALM, "y": TWO, **more})


def facts(
    folder: Path, frame: pd.DataFrame, contract: Json = None, **params: Json
) -> dict[str, Json]:
    """What `detect_worries` says of a frame."""
    path = folder / "table.parquet"
    frame.to_parquet(path)
    inputs = {"table": path}
    if contract is not None:
        inputs["contract"] = folder / "contract.json"
        inputs["contract"].write_text(pd.io.json.ujson_dumps(contract), "utf-8")
    return perform("detect_worries", folder, inputs, target="y", **params).facts


@pytest.mark.parametrize("target", [TWO, MANY, NUMBER, DRAW.integers(0, 60, N)])
def test_calm_data_of_any_kind_of_target_are_clear(tmp_path: Path, target: np.ndarray) -> None:
    found = facts(tmp_path, calm(y=target))
    assert found["findings"] == []
    assert set(found["worries"].values()) == {"clear"}


def rare(share: float, k: int) -> np.ndarray:
    """k classes, one of which has only this share; the others are equal."""
    few = max(1, round(share * N))
    rest = np.arange(N - few) % (k - 1) + 1
    return np.concatenate([np.zeros(few, dtype=int), rest])


Making = Callable[[], tuple[pd.DataFrame, Mapping[str, Json], tuple[str, ...]]]


def _missing_with(target: np.ndarray, high: np.ndarray) -> pd.DataFrame:
    """A column that is missing three times as often where `high`."""
    gone = np.random.default_rng(4).random(N) < np.where(high, 0.60, 0.06)
    return calm(y=target, x=np.where(gone, np.nan, NUMBER))


def _shifted() -> pd.DataFrame:
    """Rows that no single column finds odd, at a tenth of the rows and in four columns at once."""
    draw = np.random.default_rng(5)
    frame = pd.DataFrame(draw.normal(size=(N, 5)), columns=list("abcde"))
    frame.iloc[: N // 12] += 4 * draw.choice([-1, 1], size=(N // 12, 5))
    return frame.assign(y=TWO)


FIRES: dict[str, list[Making]] = {
    "W1": [
        lambda: (calm(y=rare(0.05, 2)), {}, ("y",)),
        lambda: (calm(y=rare(0.02, 4)), {}, ("y",)),
        lambda: (calm(y=np.where(np.arange(N) % 25, 0.0, NUMBER)), {"task": "regression"}, ("y",)),
    ],
    "W2": [
        lambda: (calm(far=np.where(np.arange(N) % 12, NUMBER, 1e6)), {}, ("far",)),
        lambda: (_shifted(), {}, ()),
    ],
    "W3": [
        lambda: (calm(x=np.where(np.arange(N) % 3, NUMBER, np.nan)), {}, ("x",)),
        lambda: (_missing_with(TWO, TWO == 1), {}, ("x",)),
        lambda: (_missing_with(MANY, MANY == "class 3"), {}, ("x",)),
        lambda: (_missing_with(NUMBER, NUMBER > 0), {}, ("x",)),
    ],
    "W4": [
        lambda: (calm(code=[f"u{n}" for n in range(N)]), {}, ("code",)),
        lambda: (calm(code=[f"u{n % 199}" for n in range(N)]), {"max_categories": 100}, ("code",)),
        lambda: (calm(number=np.arange(N)), {}, ("number",)),
    ],
    "W5": [
        lambda: (calm(twin=CALM["a"] ** 3), {}, ("a", "twin")),
        lambda: (calm(tree=pd.Series(CALM["kind"]).str.upper()), {}, ("kind", "tree")),
        lambda: (calm(sum=CALM["a"] + NUMBER, n=NUMBER), {"inflation": 3.0}, ("a", "sum", "n")),
    ],
    "W6": [
        lambda: (calm(told=TWO + DRAW.normal(size=N) / 9), {}, ("told",)),
        lambda: (calm(y=MANY, told=(MANY == "class 7") + DRAW.random(N) / 9), {}, ("told",)),
        lambda: (calm(y=NUMBER, told=NUMBER * 2 + DRAW.normal(size=N) / 99), {}, ("told",)),
    ],
    "W7": [
        lambda: (calm(same=CALM["a"]), {}, ("a", "same")),
        lambda: (calm(), {"contract": {"columns": [{"name": "a", "type": "text"}]}}, ("a",)),
    ],
    "W8": [lambda: (calm(text=["x" * 6000] * N), {"memory_mib": 4}, ())],
}
QUIET: dict[str, list[Making]] = {
    "W1": [
        lambda: (calm(y=rare(0.15, 2)), {}, ()),
        lambda: (calm(y=np.arange(N) % 12), {"task": "classification"}, ()),
        lambda: (calm(y=np.where(np.arange(N) % 2, 0.0, NUMBER)), {"task": "regression"}, ()),
    ],
    "W2": [lambda: (calm(skew=DRAW.exponential(size=N) ** 2, t=DRAW.poisson(0.4, N)), {}, ())],
    "W3": [lambda: (calm(x=np.where(DRAW.random(N) < 0.1, np.nan, NUMBER)), {}, ())],
    "W4": [
        lambda: (calm(code=[f"u{n % 150}" for n in range(N)]), {}, ()),
        lambda: (calm(key=np.arange(N)), {"key_column": "key"}, ()),
        lambda: (calm(said=[f"this is sentence number {n} of all" for n in range(N)]), {}, ()),
    ],
    "W5": [
        lambda: (calm(near=CALM["a"] + 0.6 * NUMBER), {}, ()),
        lambda: (calm(many=DRAW.choice([f"v{n}" for n in range(60)], N),
                      more=DRAW.choice([f"w{n}" for n in range(60)], N)), {}, ()),
    ],
    "W6": [lambda: (calm(told=TWO + DRAW.normal(size=N)), {}, ())],
    "W7": [
        lambda: (calm(one=1, two=1), {}, ()),
        lambda: (calm(), {"contract": {"columns": [{"name": "d", "type": "float"}]}}, ()),
    ],
    "W8": [lambda: (calm(text=["x" * 6000] * N), {"memory_mib": 64}, ())],
}  # fmt: skip


def _cases(table: dict[str, list[Making]]) -> list[object]:
    return [
        pytest.param(key, make, id=f"{key}-{n}")
        for key, makes in table.items()
        for n, make in enumerate(makes)
    ]


@pytest.mark.parametrize(("key", "make"), _cases(FIRES))
def test_it_speaks(tmp_path: Path, key: str, make: Making) -> None:
    frame, given_, columns = make()
    found = {"explore.worries": facts(tmp_path, frame, **given_)}
    seen = look(key, found)
    assert seen.level in ("note", "warn", "blocker")
    assert any(row["columns"] == list(columns) for row in seen.findings), seen.findings
    said = worry(found, {"id": key})
    assert said.verdict == ("pass" if seen.level == "note" else "fail")
    assert said.advice
    assert said.details[0]["severity"] in ("note", "warn", "blocker")


@pytest.mark.parametrize(("key", "make"), _cases(QUIET))
def test_it_keeps_quiet(tmp_path: Path, key: str, make: Making) -> None:
    frame, given_, _ = make()
    seen = look(key, {"explore.worries": facts(tmp_path, frame, **given_)})
    assert (seen.level, seen.findings) == ("clear", ())


def test_findings_name_rows_by_number_and_key(tmp_path: Path) -> None:
    values = np.where(np.isin(np.arange(N), range(10, 40)), 1e6 + np.arange(N), NUMBER)
    frame = calm(far=values, key=[f"k{n}" for n in range(N)])
    frame.loc[:4, "y"] = np.nan  # rows without a label are not judged, and still counted
    found = facts(tmp_path, frame, key_column="key")
    (row,) = [row for row in found["findings"] if row["columns"] == ["far"]]
    assert row["rows"] in (30, 31)  # a normal value in 400 may lie out by itself
    assert row["examples"][0] == {"row": 40, "key": "k39", "value": 1e6 + 39}
    detail = worry({"explore.worries": found}, {"id": "W2"}).details[0]
    assert "row 40 k39" in detail["examples"]


def test_few_rows_are_said_to_be_too_few(tmp_path: Path) -> None:
    found = facts(tmp_path, calm().head(12))["worries"]
    assert {found[key] for key in ("W1", "W2", "W4", "W5", "W6", "W7")} == {"not enough data"}
    assert "clear" in facts(tmp_path, calm().head(60))["worries"]["W1"]


def test_nothing_predicted_is_said(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    frame = calm(code=[f"u{n}" for n in range(N)], gone=np.where(np.arange(N) % 3, np.nan, NUMBER))
    frame.drop(columns="y").to_parquet(path)
    found = perform("screen_columns", tmp_path, {"rows": path}, memory_mib=1).facts
    assert found["worries"] == {
        "W1": "does not apply", "W2": "clear", "W3": "warn", "W4": "warn", "W5": "clear",
        "W6": "does not apply", "W7": "clear", "W8": "clear",
    }  # fmt: skip
    (gone,) = [row for row in found["findings"] if row["columns"] == ["gone"]]
    assert (gone["rows"], gone["examples"][0]) == (266, {"row": 2})


def test_a_wide_table_shows_the_worst_and_counts_the_rest(tmp_path: Path) -> None:
    gone = {f"g{n}": np.where(np.arange(N) % 2, np.nan, DRAW.normal(size=N)) for n in range(60)}
    found = facts(tmp_path, calm(**gone))
    assert len([row for row in found["findings"] if row["worry"] == "W3"]) == 40
    assert found["warnings"] == 60


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_corrected_p_values_agree_with_scipy(values: list[float]) -> None:
    assert adjusted(values) == pytest.approx(list(stats.false_discovery_control(values)))


def _medcouple_by_definition(values: np.ndarray) -> float:
    ordered, middle = np.sort(values), np.median(values)
    upper = [v - middle for v in ordered if v >= middle][::-1]
    lower = [v - middle for v in ordered if v <= middle][::-1]
    ties, kernel = int((ordered == middle).sum()), []
    first = len(upper) - ties
    for i, up in enumerate(upper):
        for j, low in enumerate(lower):
            if up == low == 0:
                kernel.append(np.sign(ties - 1 - (i - first) - j))
            else:
                kernel.append((up + low) / (up - low))
    return float(np.median(kernel))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-30, 30), min_size=3, max_size=60))
def test_the_medcouple_agrees_with_its_definition(values: list[int]) -> None:
    array = np.asarray(values, dtype=float)
    assert medcouple(array) == pytest.approx(_medcouple_by_definition(array))
    assert medcouple(-array) == pytest.approx(-medcouple(array))


def test_fences_follow_the_skew_and_leave_a_constant_alone() -> None:
    low, high = fences(CALM["b"])
    q1, q3 = np.quantile(CALM["b"], [0.25, 0.75])
    assert high > q3 + 1.5 * (q3 - q1)
    assert low == pytest.approx(q1 - 1.5 * (q3 - q1))
    assert fences(np.ones(50)) == (-np.inf, np.inf)


def test_a_value_per_row_is_no_association() -> None:
    left = pd.Series([f"a{n}" for n in range(50)])
    assert cramers_v(left, pd.Series([f"b{n}" for n in range(50)])) == 0.0


def test_texts_count_in_memory(tmp_path: Path) -> None:
    frame = pd.DataFrame({"text": ["x" * 10_000] * 500, "y": np.arange(500) % 2})
    found = facts(tmp_path, frame, memory_mib=8)
    assert found["worries"]["W8"] == "warn"
    assert columns_of.SAMPLE >= 1000
