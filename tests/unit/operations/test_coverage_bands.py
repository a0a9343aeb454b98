"""What coverage may be off by: rows that stray together, few groups, rare classes, steps."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from pipelines.operations.contract import Context, clean_params
from pipelines.operations.learning.candidates import Holdout
from pipelines.operations.measure_coverage import multiclass
from pipelines.operations.measure_coverage.spec import SPEC


def several(
    tmp_path: Any, scores: np.ndarray, truth: np.ndarray, groups: np.ndarray, **params: Any
) -> dict[str, Any]:
    """Facts of three classes by scores given, the first half of the groups calibrating."""
    frame = pd.DataFrame({"g": groups})
    holdout = Holdout(frame, truth, scores, ("a", "b", "c"))
    candidate: Any = SimpleNamespace(group="g", time="", origin="", grouped=("g",))
    parts = multiclass.Halves(groups < np.median(groups), "groups")
    return multiclass._facts(context(tmp_path, **params), candidate, holdout, parts)


def context(tmp_path: Any, inputs: dict[str, Any] | None = None, **params: Any) -> Context:
    given = clean_params(SPEC, {"samples": 50, **params})
    return Context(SPEC, tmp_path, inputs=inputs or {}, params=given, seed=1)


def grouped_scores(seed: int, groups: int, each: int) -> tuple[np.ndarray, ...]:
    """Scores, truth and groups, some groups being harder than others."""
    draw = np.random.default_rng(seed)
    codes = np.repeat(np.arange(groups), each)
    strange = 1 / (1 + np.exp(-draw.normal(size=groups)[codes] - draw.normal(size=codes.size)))
    truth = draw.integers(0, 3, codes.size)
    scores = np.repeat(strange[:, None] / 2, 3, axis=1)
    scores[np.arange(codes.size), truth] = 1 - strange
    return scores, truth, codes


def test_rows_of_one_group_count_for_fewer_with_several_classes(tmp_path) -> None:
    outside = {"allowed": 0, "rows": 0}
    for seed in range(12):
        scores, truth, codes = grouped_scores(seed, 30, 30)
        tied = several(tmp_path, scores, truth, codes)
        free = multiclass.allowed(tied["tested_on"], tied["calibrated_on"], 0.9)
        assert tied["design_effect"] > 2
        outside["rows"] += tied["coverage"]["value"] < free[0]
        outside["allowed"] += tied["coverage"]["value"] < tied["allowed_low"]
    assert outside["rows"] >= 2
    assert outside["allowed"] == 0
