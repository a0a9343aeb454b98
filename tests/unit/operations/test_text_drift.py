"""Texts that have moved are found, texts that have not are left alone."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from pipelines.operations import windows
from pipelines.operations.measure_drift.texts import (
    TextLimits,
    _auc,
    as_numbers,
    text_drift,
    vocabulary_of,
)
from pipelines.operations.tables import write_table
from tests.unit.operations import texts as tables
from tests.unit.operations.running import perform

LIMITS = TextLimits(minimum_rows=100)


def worded(count: int, *, seed: int, news: bool = False) -> pd.Series:
    """Texts of a vocabulary of 300 words; news use 60 further ones."""
    rng = np.random.default_rng(seed)
    known = [f"word{number}" for number in range(300)]
    fresh = [f"news{number}" for number in range(60)]
    texts = []
    for _ in range(count):
        chosen = list(rng.choice(known, rng.integers(4, 12)))
        if news:
            chosen += list(rng.choice(fresh, 4))
        texts.append(" ".join(rng.permutation(chosen)))
    return pd.Series(texts, name="note")


def test_ranks_give_the_area_that_scikit_learn_gives() -> None:
    rng = np.random.default_rng(0)
    truth, scores = rng.integers(0, 2, 200), rng.integers(0, 9, 200).astype(float)
    assert _auc(truth, scores) == pytest.approx(roc_auc_score(truth, scores))


def test_quiet_windows_are_quiet() -> None:
    levels = [
        text_drift(worded(300, seed=n), worded(300, seed=100 + n), LIMITS, seed=n).level
        for n in range(3)
    ]
    assert levels == ["quiet"] * 3


def test_new_words_are_told_and_named() -> None:
    found = text_drift(worded(300, seed=1), worded(300, seed=2, news=True), LIMITS, seed=0)
    assert found.level == "red"
    assert found.auc is not None
    assert found.auc > 0.9
    assert all("news" in word for word in found.more)
    assert "more often now: news" in str(found.alert()["text"])


def test_a_small_window_has_a_wider_limit() -> None:
    limits = TextLimits(minimum_rows=20)
    few = text_drift(worded(40, seed=1), worded(40, seed=2), limits, seed=0)
    many = text_drift(worded(500, seed=1), worded(500, seed=2), limits, seed=0)
    assert few.limit is not None
    assert few.limit > 0.6
    assert many.limit == 0.55


def test_a_text_asked_about_again_is_not_recognised() -> None:
    texts = worded(400, seed=3)
    often = pd.concat([texts[200:]] * 10, ignore_index=True)
    found = text_drift(texts[:200], often, LIMITS, seed=1)
    assert (found.window_texts, found.level) == (200, "quiet")


@pytest.mark.parametrize("text", ["", "!?", None])
def test_texts_without_words_are_not_enough_data(text: str | None) -> None:
    window = pd.Series([text] * 300, name="note", dtype=object)
    assert text_drift(worded(300, seed=1), window, LIMITS, seed=0).level == "not enough data"


def test_unknown_words_by_the_other_half_or_by_the_model(tmp_path: Path) -> None:
    old, new = worded(300, seed=1), worded(300, seed=2, news=True)
    before, after = as_numbers(old, new, None, seed=0)
    assert list(before) == ["note: words", "note: unknown words"]
    assert before["note: unknown words"].mean() < 0.05 < after["note: unknown words"].mean()
    assert after["note: words"].mean() == pytest.approx(before["note: words"].mean() + 4, abs=0.5)
    known = vocabulary_of(tables.write_model(tmp_path, "text_linear"))
    assert known is not None
    assert "great" in known
    assert not any(" " in word for word in known)
    alien = as_numbers(old, new, known, seed=0)[0]
    assert alien["note: unknown words"].min() == 1.0
    assert vocabulary_of(tables.write_model(tmp_path, "keywords")) is None


def logged(texts: pd.Series) -> pd.DataFrame:
    at = pd.Timestamp("2024-01-01", tz="UTC")
    return pd.DataFrame(
        {
            windows.KEY: [str(n) for n in range(len(texts))],
            windows.EVENT_TIME: at + pd.to_timedelta(np.arange(len(texts)), unit="h"),
            windows.SERVED_BY: windows.MODEL,
            windows.SCORE: 0.5,
            "note": texts.to_numpy(),
        }
    )


@pytest.mark.parametrize(("news", "columns"), [(False, set()), (True, {"note"})])
def test_the_operation_reports_texts(news: bool, columns: set[str], tmp_path: Path) -> None:
    reference = worded(400, seed=1).to_frame()
    given = {
        "window": write_table(logged(worded(400, seed=2, news=news)), tmp_path / "w.parquet"),
        "reference": write_table(reference, tmp_path / "r.parquet"),
    }
    facts = perform("measure_drift", tmp_path, given).facts
    assert [row["column"] for row in facts["texts"]] == ["note"]
    named = {str(alert["column"]).partition(":")[0] for alert in facts["alert_list"]}
    assert named == columns
    assert {row["column"] for row in facts["columns"]} == {"note: words", "note: unknown words"}
    if news:
        since = {a["column"]: a["since"] for a in facts["alert_list"]}
        assert str(since["note: unknown words"]).startswith("2024-01-01")
