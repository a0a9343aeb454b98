"""Rows told twice, and long times without a row: what is told of them, and what chance explains."""

import numpy as np
import pandas as pd
import pytest

from pipelines.checks.forecasts import series_sound
from pipelines.checks.soundness import rows_sound
from pipelines.operations.repeats import longest_gap, repeated_rows

RNG = np.random.default_rng(5)
HOURS = pd.Series(pd.date_range("2024-01-01", periods=400, freq="h"))


def judged(frame: pd.DataFrame, time: str = ""):
    gap = longest_gap(frame[time]) if time else {}
    return rows_sound({"source.validate": {"repeats": repeated_rows(frame), "times": gap}}, {})


def numbers(rows: int) -> pd.DataFrame:
    return pd.DataFrame({"size": RNG.normal(size=rows), "shop": RNG.choice(["n", "s"], rows)})


@pytest.mark.parametrize(("twice", "verdict"), [(0, "pass"), (20, "pass"), (30, "fail")])
def test_rows_told_twice(twice, verdict) -> None:
    frame = numbers(400)
    found = judged(pd.concat([frame, frame[:twice]]))
    assert found.verdict == verdict
    assert found.summary.startswith(f"{twice} rows (")
    assert (found.threshold, found.comparison) == (0.05, "<=")
    assert bool(found.advice) == (verdict == "fail")


def test_few_values_meet_by_chance() -> None:
    few = pd.DataFrame({name: RNG.integers(0, 5, 400) for name in ("a", "b", "c")})
    again = repeated_rows(few)
    kinds = 125
    assert again["by_chance"] == pytest.approx(
        1 - kinds / 400 * (1 - (1 - 1 / kinds) ** 400), abs=0.01
    )
    assert again["share"] == pytest.approx(again["by_chance"], abs=0.05)
    found = judged(few)
    assert found.verdict == "pass"
    assert "chance makes" in found.summary
    more = pd.DataFrame({name: RNG.integers(0, 40, 400) for name in ("a", "b", "c")})
    assert judged(pd.concat([more, more])).verdict == "fail"


@pytest.mark.parametrize("rows", [1, 2, 400])
def test_one_value_repeats_surely(rows) -> None:
    again = repeated_rows(pd.DataFrame({"a": [1.0] * rows}))
    assert again["share"] == pytest.approx((rows - 1) / rows, abs=1e-6)
    assert again["by_chance"] in (None, pytest.approx((rows - 1) / rows, abs=0.15))


@pytest.mark.parametrize(("until", "verdict"), [(110, "pass"), (150, "fail")])
def test_a_long_time_without_rows(until, verdict) -> None:
    frame = numbers(400).assign(at=HOURS).drop(index=range(100, until))
    found = judged(frame, "at")
    assert found.verdict == verdict
    if verdict == "fail":
        assert "no row from 2024-01-05T03:00 to 2024-01-07T06:00" in found.summary
        assert found.unit == "of the time"
        assert found.value == pytest.approx(51 / 399, abs=1e-5)


def test_rare_moments_have_no_gap() -> None:
    months = pd.date_range("2024-01-01", periods=12, freq="MS").to_series()
    assert judged(numbers(480).assign(at=np.repeat(months.to_numpy(), 40)), "at").verdict == "pass"
    for few in (0, 1, 2):
        assert longest_gap(HOURS[:few]) == {}


def test_order_and_missing_times_are_counted() -> None:
    mixed = HOURS.copy()
    mixed[5], mixed[9] = pd.NaT, HOURS[2]
    gap = longest_gap(mixed)
    assert (gap["missing"], gap["out_of_order"]) == (1, 1)


def test_nothing_is_known_before_the_step() -> None:
    assert rows_sound({}, {}).verdict == "insufficient"


def test_a_series_of_rows_told_twice_is_not_sound() -> None:
    frame = numbers(200).assign(at=HOURS[:200])
    made = {"steps": 200, "gap_steps": 0, "rows": 400, "missing_values": 0}
    for table, verdict in ((frame, "pass"), (pd.concat([frame, frame]), "fail")):
        facts = {"source.series": {**made, "repeats": repeated_rows(table), "duplicates": 200}}
        found = series_sound(facts, {})
        assert found.verdict == verdict
    assert found.value == 0.5
    assert "twice" in found.advice
