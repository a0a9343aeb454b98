"""Several classes: scores and calibration against scikit-learn, costs, names, folds, fairness."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame, selection_rate
from scipy import stats
from sklearn import metrics

from pipelines.checks.evaluation import calibrated
from pipelines.operations.contract import Json, OperationError
from pipelines.operations.evaluate_slices.answers import ByAnswers
from pipelines.operations.evaluate_slices.grouping import Slice
from pipelines.operations.evaluate_slices.judging import Limits
from pipelines.operations.frame_value.compute import flatten, several_worth
from pipelines.operations.learning import calibration, class_scores, class_tables
from pipelines.operations.learning.class_calibration import calibration_facts, class_errors
from pipelines.operations.learning.class_costs import (
    ClassCosts,
    constant_answer,
    equal_costs,
    parse_class_costs,
)
from pipelines.operations.learning.definition import from_json
from pipelines.operations.learning.example_classes import CLASSES, write_features
from pipelines.operations.learning.folds import BySeveralClasses, Fold, make_folds, thinned
from pipelines.operations.learning.resampling import Resampling
from pipelines.operations.learning.several import as_codes, judged_classes, several_classes
from pipelines.operations.learning.tasks import TASKS, task_for
from pipelines.operations.measure_coverage.multiclass import calibrate, sets
from pipelines.operations.packages.decisions import Abstain, parse_decision
from pipelines.operations.screen_fairness.rates import indicators, rates
from pipelines.operations.screen_fairness.screening import groups_of
from pipelines.operations.tables import read_document


def table(rows: int, classes: int, *, seed: int, nasty: bool) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and classes; nasty: ties, certainties, a rare class."""
    rng = np.random.default_rng(seed)
    scores = rng.dirichlet(np.full(classes, 0.5), rows)
    truth = np.asarray([rng.choice(classes, p=row) for row in scores])
    if nasty:
        scores = np.round(scores, 1) + 1e-3
        scores /= scores.sum(axis=1, keepdims=True)
        scores[: rows // 10] = np.eye(classes)[rng.integers(0, classes, rows // 10)]
        truth[truth == classes - 1] = 0
        truth[:2] = classes - 1
    return scores, truth.astype(np.int64)


@pytest.mark.parametrize("nasty", [False, True])
@pytest.mark.parametrize(("classes", "weighted"), [(3, False), (3, True), (7, False), (20, True)])
def test_scores_agree_with_scikit_learn(classes: int, *, weighted: bool, nasty: bool) -> None:
    scores, truth = table(400, classes, seed=classes, nasty=nasty)
    weights = np.random.default_rng(1).random(400) if weighted else None
    found = class_scores.all_scores(scores, truth, weights)
    hot, answers = np.eye(classes)[truth], scores.argmax(axis=1)
    given = {"sample_weight": weights}
    assert found == pytest.approx(
        {
            "roc_auc": metrics.roc_auc_score(hot, scores, average="macro", **given),
            "pr_auc": metrics.average_precision_score(hot, scores, average="macro", **given),
            "log_loss": metrics.log_loss(truth, scores, labels=range(classes), **given),
            "brier": metrics.brier_score_loss(truth, scores, labels=range(classes), **given),
            "macro_f1": metrics.f1_score(truth, answers, average="macro", **given),
            "balanced_accuracy": metrics.balanced_accuracy_score(truth, answers, **given),
            "accuracy": metrics.accuracy_score(truth, answers, **given),
        },
        abs=1e-12,
    )


def test_a_class_without_rows_leaves_the_means_to_the_others() -> None:
    scores, truth = table(300, 4, seed=2, nasty=False)
    truth[truth == 3] = 0
    found = class_scores.all_scores(scores, truth)
    kept = [metrics.roc_auc_score(truth == place, scores[:, place]) for place in range(3)]
    assert found["roc_auc"] == pytest.approx(np.mean(kept))
    recalls = metrics.recall_score(truth, scores.argmax(axis=1), labels=range(3), average=None)
    assert found["balanced_accuracy"] == pytest.approx(np.mean(recalls))
    answers = scores.argmax(axis=1)
    assert (answers == 3).any()  # answered and never true: its F1 of 0 counts
    assert found["macro_f1"] == pytest.approx(metrics.f1_score(truth, answers, average="macro"))
    assert all(np.isfinite(value) for value in found.values())


def test_bootstrap_samples_are_scores_of_the_rows_drawn() -> None:
    scores, truth = table(80, 3, seed=3, nasty=True)
    drawn = Resampling(np.arange(80), 5, 7, "row")
    found = class_scores.all_samples(scores, truth, drawn)
    weights = np.concatenate(list(drawn.weights(5)))
    for place, each in enumerate(weights):
        kept = each > 0
        again = class_scores.all_scores(scores[kept], truth[kept], each[kept])
        assert {name: values[place] for name, values in found.items()} == pytest.approx(again)


def test_each_class_and_the_matrix_agree_with_scikit_learn() -> None:
    scores, truth = table(300, 5, seed=4, nasty=True)
    answers, names = scores.argmax(axis=1), list("abcde")
    rows, _ = class_tables.decided(truth, answers, names, Resampling(np.arange(300), 50, 1, "row"))
    wanted = metrics.precision_recall_fscore_support(truth, answers, zero_division=0)
    for place, row in enumerate(rows):
        for kind, values in zip(("precision", "recall", "f1"), wanted, strict=False):
            found = row[kind]
            assert isinstance(found, dict)
            assert found["value"] == pytest.approx(values[place], abs=1e-6)
        assert row["rows"] == wanted[3][place]
    counts = class_tables.matrix(truth, answers, names)["counts"]
    assert counts == metrics.confusion_matrix(truth, answers).tolist()


def test_the_calibration_error_is_that_of_the_likeliest_class() -> None:
    scores, truth = table(500, 4, seed=5, nasty=True)
    found = class_errors(scores, truth, seed=1)
    alone = [
        calibration.expected_error(calibration.bins(scores[:, k], (truth == k).astype(np.int64)))
        for k in range(4)
    ]
    assert found.by_class == pytest.approx(alone)
    right = (scores.argmax(axis=1) == truth).astype(np.int64)
    top = calibration.expected_error(calibration.bins(scores.max(axis=1), right))
    assert found.error == pytest.approx(top)


def test_of_many_classes_a_sure_and_wrong_model_is_not_calibrated() -> None:
    """Says 90 % and is right in 45 %: the mean over 20 classes is below the 0.05 allowed."""
    rng, rows = np.random.default_rng(7), 1000
    guess = rng.integers(0, 20, rows)
    truth = np.where(rng.random(rows) < 0.45, guess, (guess + rng.integers(1, 20, rows)) % 20)
    scores = np.full((rows, 20), 0.1 / 19)
    scores[np.arange(rows), guess] = 0.9
    facts = calibration_facts(scores, truth, [str(place) for place in range(20)], seed=1)
    assert facts["mean_over_classes"] < 0.05
    found = calibrated({"evaluate.evaluate": {"calibration": facts}}, {})
    assert found.verdict == "fail"
    assert found.value == pytest.approx(0.45, abs=0.05)
    assert found.summary.startswith("probabilities of the likeliest class are off by 0.4")


def test_a_calibrated_model_exceeds_the_noise_floor_in_one_of_twenty() -> None:
    above = 0
    for seed in range(60):
        scores, truth = table(200, 3, seed=seed, nasty=False)
        found = class_errors(scores, truth, seed=seed)
        above += found.error > found.floor
    assert above <= stats.binom.ppf(0.999, 60, 0.05)
    scores, truth = table(200, 3, seed=1, nasty=False)
    wrong = class_errors(np.roll(scores, 1, axis=1), truth, seed=1)
    assert wrong.error > wrong.floor


# --- The target ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (["a", "b", "c"], ("a", "b", "c")),
        ([2, 10, 1], (1, 2, 10)),
        ([0.5, 1.0, 1.5], (0.5, 1, 1.5)),
        (["Zürich", "東京", "été"], ("Zürich", "été", "東京")),
        (["true", "false", "unknown"], ("false", "true", "unknown")),
    ],
)
def test_classes_may_be_texts_numbers_and_of_any_script(
    values: list[Json], classes: tuple[Json, ...]
) -> None:
    series = pd.Series(values * 10, name="kind")
    assert several_classes(series) == classes
    codes = as_codes(series, classes)
    assert [classes[code] for code in codes[:3]] == list(values)
    assert task_for("classification", series).name == "multiclass"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        (["a"] * 20 + ["b"] * 20 + ["c"], "class_too_small"),
        ([f"k{place}" for place in range(21)] * 10, "too_many_classes"),
        (["a", "b", ""] * 10, "class_without_name"),
        (["a", "b", " b"] * 10, "classes_alike"),
        (["a", "b", "c" * 201] * 10, "class_name_too_long"),
        ([None, None], "target_missing"),
        (["a"] * 20, "one_class"),
    ],
)
def test_a_target_that_will_not_do_is_refused(values: list[str | None], code: str) -> None:
    with pytest.raises(OperationError) as caught:
        several_classes(pd.Series(values, name="kind", dtype="object"))
    assert caught.value.code == code
    assert caught.value.rule


def test_rows_to_judge_on_may_lack_classes_but_hold_no_other() -> None:
    known: tuple[Json, ...] = ("a", "b", "c")
    assert judged_classes(pd.Series(["a", "b"], name="kind"), known) == known
    with pytest.raises(OperationError, match="holds 1 of 3 classes"):
        judged_classes(pd.Series(["a", "a"], name="kind"), known)
    with pytest.raises(OperationError) as caught:
        as_codes(pd.Series(["a", "d", "d"], name="kind"), known)
    assert (caught.value.code, caught.value.value) == ("class_unknown", "d")


def test_no_class_is_the_positive() -> None:
    with pytest.raises(OperationError) as caught:
        TASKS["multiclass"].classes(pd.Series(["a", "b", "c"] * 10), positive="a")
    assert caught.value.code == "positive_of_several"


def test_a_fold_that_would_train_without_a_class_is_named() -> None:
    truth = np.asarray([0, 1] * 50 + [0, 1, 2] * 20)
    time = pd.Series(pd.date_range("2024-01-01", periods=truth.size, freq="D"))
    with pytest.raises(OperationError) as caught:
        make_folds(truth, count=3, rows=1000, seed=0, time=time, dealer=BySeveralClasses())
    assert caught.value.code == "fold_lacks_class"
    assert "class number 3" in caught.value.message
    folds = make_folds(truth, count=3, rows=1000, seed=0, dealer=BySeveralClasses())
    assert all(np.unique(truth[fold.train]).size == 3 for fold in folds)


def test_a_thinned_fold_keeps_rows_of_every_class() -> None:
    truth = np.asarray([0] * 500 + [1] * 500 + [2] * 12)
    rows = np.random.default_rng(1).permutation(truth.size)
    fold = thinned(Fold(rows, rows[:100]), rows=60, seed=1, classes=truth)
    assert np.bincount(truth[fold.train])[2] >= 10
    assert fold.train.size <= 70
    place = {int(row): at for at, row in enumerate(rows)}
    assert all(place[int(a)] < place[int(b)] for a, b in pairwise(fold.train))


# --- Costs and answers -------------------------------------------------------------------------


def test_the_answer_is_the_one_of_least_expected_cost() -> None:
    rng = np.random.default_rng(6)
    for classes in (3, 5):
        matrix = rng.random((classes, classes)) * (1 - np.eye(classes))
        scores = rng.dirichlet(np.ones(classes), 100)
        found = ClassCosts(matrix).answers(scores)
        served = parse_decision({"classes": list(range(classes)), "costs": matrix.tolist()})
        for row, answer in zip(scores, found, strict=True):
            paid = [sum(row[i] * matrix[i, j] for i in range(classes)) for j in range(classes)]
            assert answer == int(np.argmin(paid))
            assert served.cheapest(row.tolist())[0] == answer
    scores, _ = table(200, 4, seed=8, nasty=True)
    assert (equal_costs(4).answers(scores) == scores.argmax(axis=1)).all()


def test_costs_are_read_from_arrows_and_from_maps() -> None:
    given: dict[str, Json] = {"a -> b": 5, "b > c": {"amount": "2.5"}, "other": 3}
    found = parse_class_costs({**given, "currency": "EUR"}, ("a", "b", "c"))
    assert found.matrix.tolist() == [[0, 5, 3], [3, 0, 2.5], [3, 3, 0]]
    assert (found.currency, found.given) == ("EUR", True)
    nested = parse_class_costs({"a": {"b": 5}}, ("a", "b", "c"))
    assert nested.matrix.tolist() == [[0, 5, 1], [1, 0, 1], [1, 1, 0]]
    assert not parse_class_costs({"currency": ""}, ("a", "b", "c")).given


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"a -> d": 1}, "cost_of_unknown_class"),
        ({"a -> b": -1}, "bad_cost"),
        ({"a -> b": "much"}, "bad_cost"),
        ({"ab": 1}, "bad_cost"),
        ({"b -> a": 0, "c -> a": 0}, "costs_one_sided"),
    ],
)
def test_costs_that_leave_no_choice_are_refused(given: dict[str, Json], code: str) -> None:
    with pytest.raises(OperationError) as caught:
        parse_class_costs(given, ("a", "b", "c"))
    assert caught.value.code == code


def test_the_best_single_answer_depends_on_costs() -> None:
    truth = np.asarray([0] * 6 + [1] * 3 + [2])
    assert constant_answer(equal_costs(3), truth) == 0
    costs = parse_class_costs({"2 -> 0": 90, "1 -> 0": 10}, (0, 1, 2))
    assert constant_answer(costs, truth) == 1


def test_rows_that_are_left_to_people_say_why() -> None:
    names = ["cat", "dog", "owl"]
    risk = Abstain("risk", most=0.4)
    assert risk.of_several([0.7, 0.2, 0.1], 0, 0.3, names) == ""
    assert "cat, would cost 0.5" in risk.of_several([0.5, 0.3, 0.2], 0, 0.5, names)
    cuts = Abstain("sets", cuts=(0.6, 0.6, None))
    assert cuts.of_several([0.9, 0.05, 0.05], 0, 0.1, names) == "possible are cat, owl"
    known = Abstain("sets", cuts=(0.6, 0.6, 0.6))
    assert known.of_several([0.9, 0.05, 0.05], 0, 0.1, names) == ""
    assert known.of_several([0.5, 0.45, 0.05], 0, 0.5, names) == "possible are cat, dog"
    assert "unlike those" in known.of_several([0.34, 0.33, 0.33], 0, 0.66, names)
    band = Abstain("band", low=0.4, high=0.6)
    assert "between 0.4 and 0.6" in band.of_score(0.5)
    assert (band.of_score(0.4), band.of_score(0.6)) == ("", "")


def test_a_brief_of_several_classes_is_worth_its_errors() -> None:
    costs: Json = {"a -> b": "4", "other": 2, "currency": "EUR"}
    brief = flatten({"class_costs": costs, "error_now": "0.1", "volume": 100, "running_cost": 50})
    assert several_worth(brief)["value_per_year"] == pytest.approx(3 * 0.1 * 100 * 365 - 50)


# --- Groups, sets, slices ----------------------------------------------------------------------


def test_selection_rates_of_each_class_agree_with_fairlearn() -> None:
    scores, truth = table(600, 3, seed=9, nasty=True)
    answers = scores.argmax(axis=1)
    people = pd.Series(np.random.default_rng(2).choice(["x", "y", "z"], 600), name="group")
    groups = groups_of(people)
    for place in range(3):
        counted = indicators(groups, answers == place, (truth == place).astype(np.int64))
        found = rates(counted.sum(axis=0).reshape(len(groups.names), -1))[:, 0]
        frame = MetricFrame(
            metrics=selection_rate,
            y_true=truth == place,
            y_pred=answers == place,
            sensitive_features=people,
        )
        wanted = [frame.by_group[name.split(" = ")[1]] for name in groups.names]
        assert found == pytest.approx(wanted)


def test_sets_hold_the_truth_as_often_as_promised() -> None:
    scores, truth = table(6000, 5, seed=10, nasty=False)
    half = np.arange(6000) < 3000
    for by_class in (False, True):
        cuts = calibrate(scores[half], truth[half], 0.9, by_class=by_class)
        found = sets(scores[~half], cuts)
        inside = found[np.arange(3000), truth[~half]]
        assert inside.mean() == pytest.approx(0.9, abs=0.025)
        if by_class:
            each = [inside[truth[~half] == place].mean() for place in range(5)]
            assert min(each) > 0.85
    few = calibrate(scores[:3], truth[:3], 0.9, by_class=True)
    assert sets(scores[:9], few).all()  # too few rows for any cut: every class is possible


def test_a_slice_is_worse_where_fewer_rows_are_told() -> None:
    rng = np.random.default_rng(11)
    scores, truth = table(800, 4, seed=11, nasty=False)
    inside = np.arange(800) < 200
    truth[inside] = rng.integers(0, 4, 200)
    judged = ByAnswers().measure(Slice("", "first", inside, found=False), scores, truth, Limits())
    right = scores.argmax(axis=1) == truth
    assert judged.value == pytest.approx(right[inside].mean())
    counts = [[right[part].sum(), (~right[part]).sum()] for part in (inside, ~inside)]
    assert judged.p_value == pytest.approx(stats.fisher_exact(counts, "less").pvalue)
    assert judged.p_value is not None
    assert judged.p_value < 1e-6
    small = ByAnswers().measure(
        Slice("", "few", np.arange(800) < 20, found=False), scores, truth, Limits()
    )
    assert small.verdict == "too small"


def test_a_definition_of_several_classes_is_read_back(tmp_path: Path) -> None:
    found = from_json(read_document(write_features(tmp_path)))
    assert (found.task, found.classes) == ("multiclass", CLASSES)
