"""What coverage may be off by: rows that stray together, few groups, rare classes, steps."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipelines.checks.challenge import sets_cover
from pipelines.checks.evaluation import coverage_holds
from pipelines.checks.intervals import intervals_cover
from pipelines.operations.contract import Context, clean_params
from pipelines.operations.evaluate_model.margins import margin_by, margins_json
from pipelines.operations.learning.candidates import Holdout
from pipelines.operations.learning.class_costs import ClassCosts
from pipelines.operations.learning.conformal import counted, design_effect
from pipelines.operations.measure_coverage import compute, conformal, multiclass
from pipelines.operations.measure_coverage.conformal import Cuts, allowed
from pipelines.operations.measure_coverage.groups import Counted, coverage_by_group
from pipelines.operations.measure_coverage.spec import SPEC
from pipelines.operations.measure_quality.values import _expected
from pipelines.operations.package_model.abstaining import _band as package_band
from pipelines.operations.packages.decisions import Abstain, Decision
from pipelines.operations.tables import write_document


def several(
    tmp_path: Any,
    scores: np.ndarray,
    truth: np.ndarray,
    groups: np.ndarray,
    inputs: dict[str, Any] | None = None,
    **params: Any,
) -> dict[str, Any]:
    """Facts of three classes by scores given, the first half of the groups calibrating."""
    frame = pd.DataFrame({"g": groups})
    holdout = Holdout(frame, truth, scores, ("a", "b", "c"))
    candidate: Any = SimpleNamespace(group="g", time="", origin="", grouped=("g",))
    parts = multiclass.Halves(groups < np.median(groups), "groups")
    return multiclass._facts(context(tmp_path, inputs, **params), candidate, holdout, parts)


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
    scores, truth, codes = grouped_scores(1, 30, 30)
    tied = several(tmp_path, scores, truth, codes)
    free = allowed(tied["tested_on"], tied["calibrated_on"], 0.9)
    assert tied["design_effect"] > 2
    assert tied["allowed_low"] < free[0] - 0.02
    assert several(tmp_path, scores, truth, np.arange(codes.size))["design_effect"] == 1


def test_margins_of_few_rows_each_are_not_blamed_for_their_ranks() -> None:
    """38 rows set each step's ends, so 37 of 39 are expected inside, not 9 of 10."""
    draw, m, steps = np.random.default_rng(3), 38, 24
    day = np.repeat(np.arange(2 * m), steps)
    step, first = np.tile(np.arange(steps), 2 * m).astype(float), day < m
    found: list[Any] = []
    for _ in range(8):
        errors = draw.normal(size=day.size)
        made = margin_by(step, errors, first, blocks=np.arange(day.size), alpha=0.1)
        found.append(margins_json(made, errors, first, blocks=np.arange(day.size), by="step"))
        facts: Any = {"evaluate.evaluate": {"prediction_interval": found[-1]}}
        assert coverage_holds(facts, {}).verdict == "pass"
    assert all(one["expected"] == round(37 / 39, 6) and one["holds"] for one in found)
    assert max(one["strictly_inside"] - 0.9 - one["tolerance"] for one in found) > 0
    low, high = allowed(912, 912, 0.9, expected=37 / 39)
    assert low == allowed(912, 912, 0.9)[0]
    assert high > max(one["coverage"] for one in found)


def test_late_outcomes_are_expected_inside_by_the_rows_of_their_step() -> None:
    promised = pd.DataFrame(
        {"interval_by": "ahead", "step": [1.0] * 38 + [2.0] * 19, "calibrates": True}
    )
    served = pd.DataFrame({"ahead": [1, 1, 2, 2]})
    assert _expected(promised, served, 0.9) == pytest.approx((37 / 39 + 18 / 20) / 2)
    assert _expected(promised.drop(columns="interval_by"), served, 0.9) == pytest.approx(54 / 58)


@pytest.mark.parametrize("many", [1, 2, 3, 4])
def test_so_few_groups_allow_and_forbid_nothing(tmp_path, many) -> None:
    blocks = np.repeat(np.arange(many), 200)
    cut = max(1, many // 2)
    inside = np.tile([1.0, 0.0], 100 * many)
    sides = [
        (inside[blocks >= cut], blocks[blocks >= cut]),
        (inside[blocks < cut], blocks[blocks < cut]),
    ]
    sides = [side for side in sides if side[0].size]
    assert design_effect(sides, 0.1) is None
    found = counted(sides, 0.5, 0.9, 200, expected=0.9)
    assert (found.effective_rows, found.tolerance, found.holds) == (None, None, None)
    facts: Any = {"evaluate.coverage": {
        "coverage": {"value": 0.5, "low": 0.4, "high": 0.6}, "confidence": 0.9, "methods": [],
        "allowed_low": None, "allowed_high": None,
    }}  # fmt: skip
    for check in (sets_cover, intervals_cover):
        answer = check(facts, {})
        assert answer.verdict == "insufficient"
        assert "too few groups" in answer.summary
    scores, truth, codes = grouped_scores(2, max(2, many), 100)
    told = several(tmp_path, scores, truth, codes)
    assert told["allowed_low"] is told["allowed_high"] is told["design_effect"] is None


def test_a_group_of_few_persons_is_not_judged() -> None:
    persons = np.repeat(np.arange(12), 60)
    frame = pd.DataFrame({"sex": np.where(persons < 3, "f", "m")})
    ends = {"m": np.column_stack([np.full(720, -1.0), np.full(720, 1.0)])}
    truth = np.random.default_rng(5).normal(size=720)
    rows = coverage_by_group(frame, ends, Counted(truth, persons, 0.9, 500), minimum=50)
    assert {row["group"]: row["judged"] for row in rows} == {"sex = f": False, "sex = m": True}
    assert next(row["p_adjusted"] for row in rows if row["group"] == "sex = f") is None


def test_the_abstain_band_ends_at_the_very_scores_of_the_cuts() -> None:
    """A rounded end would move all rows of a tree's leaf across it."""
    leaf = 0.1234564999
    facts = compute._abstaining(Cuts(leaf, leaf, (100, 100)))
    band = package_band(facts, {"threshold": 0.5})
    assert band is not None
    rule = Abstain("band", float(str(band["low"])), float(str(band["high"])))
    for score in (leaf, 1 - leaf):
        assert rule.of_score(score)
    assert not rule.of_score(math.nextafter(leaf, 0.0))


def test_groups_are_not_accused_of_what_calibration_rows_drew() -> None:
    """Rows of every group are alike; 60 rows set the interval that covers them all too little."""
    draw, accused = np.random.default_rng(8), 0
    for _ in range(60):
        end = conformal.cut(np.abs(draw.normal(size=60)), 0.9)
        truth = draw.normal(size=1000)
        frame = pd.DataFrame({"g": np.arange(1000) % 2})
        ends = {"m": np.column_stack([np.full(1000, -end), np.full(1000, end)])}
        told = Counted(truth, np.arange(1000), 0.9, 60)
        rows = coverage_by_group(frame, ends, told, minimum=50)
        accused += any(float(str(row["p_adjusted"])) <= 0.05 for row in rows)
    assert accused <= 6  # binomial p-values, which take the interval for known, accuse 20


def test_chance_of_fewer_is_the_law_of_the_band() -> None:
    low, high = allowed(400, 300, 0.9, 2.0)
    assert low is not None
    assert high is not None
    at, below = (conformal.chance_of_fewer(end, 400, 300, 0.9, 2.0) for end in (low, low - 0.005))
    assert below < conformal.OUTSIDE / 2 <= at
    assert conformal.chance_of_fewer(0.0, 400, 5, 0.9, 1.0) == 1.0


def test_a_class_too_rare_for_a_cut_demands_no_more_of_the_others(tmp_path) -> None:
    draw = np.random.default_rng(9)
    truth = draw.choice(3, 1000, p=[0.6, 0.396, 0.004])
    truth[:2] = 2
    scores = draw.dirichlet([1, 1, 1], 1000)
    scores[np.arange(1000), truth] += 1
    scores /= scores.sum(axis=1, keepdims=True)
    found = several(tmp_path, scores, truth, np.arange(1000), by_class=True)
    assert found["cuts"][2] is None
    assert found["allowed_low"] < 0.9
    assert found["coverage"]["value"] >= found["allowed_low"]
    assert Cuts(0.2, math.inf, (200, 3)).fewest == 200
    assert Cuts(math.inf, math.inf, (4, 3)).fewest == 3


def test_answers_of_equal_cost_are_the_same_measured_and_served() -> None:
    """Sums of money differ by more than 1e-12 in another order: they tie all the same."""
    draw = np.random.default_rng(10)
    matrix = np.asarray([[0.0, 3e6, 1e6], [1e6, 0.0, 3e6], [3e6, 1e6, 0.0]])
    costs = ClassCosts(matrix)
    served = Decision(None, 0.5, several=("a", "b", "c"), costs=tuple(map(tuple, matrix.tolist())))
    near = np.full((200, 3), 1 / 3) + draw.normal(size=(200, 3)) * 1e-16
    for shares, answer in zip(near, costs.answers(near), strict=True):
        assert answer == int(np.argmax(shares))  # all cost the same: the likeliest
        assert served.cheapest(shares.tolist())[0] == answer
    left = Abstain("risk", most=4e6 / 3)
    assert left.of_several([1 / 3] * 3, 0, math.nextafter(4e6 / 3, math.inf), "abc") == ""


def test_answered_are_the_rows_whose_only_class_is_answered_at_the_costs(tmp_path) -> None:
    draw = np.random.default_rng(11)
    scores = draw.dirichlet([1, 1, 1], 1200)
    truth = np.asarray([draw.choice(3, p=row) for row in scores])
    costs: list[Any] = [[0, 1, 1], [1, 0, 1], [10, 10, 0]]
    facts: Any = {"decision": {"costs": costs, "costs_given": True}}
    path = write_document(tmp_path / "evaluation.json", {"facts": facts})
    inputs, rows = {"evaluation": path}, np.arange(1200)
    found = several(tmp_path, scores, truth, rows, inputs=inputs, confidence=0.7)
    plain = several(tmp_path, scores, truth, rows, confidence=0.7)
    rule = Abstain("sets", cuts=tuple(found["cuts"]))
    served = Decision(None, 0.5, several=("a", "b", "c"), costs=tuple(map(tuple, costs)))
    right = []
    for shares, true in zip(scores[600:].tolist(), truth[600:], strict=True):
        answer, cost = served.cheapest(shares)
        if not rule.of_several(shares, answer, cost, "abc"):
            right.append(answer == true)
    assert found["answered"] == len(right) / found["tested_on"]
    assert found["answered_right"] == pytest.approx(np.mean(right))
    assert found["answered"] < plain["answered"] - 0.05
    assert found["answered"] + found["undecided"] + found["strange"] == pytest.approx(1)
    assert (found["costs_from"], plain["costs_from"]) == ("evaluation", "every error is 1")
