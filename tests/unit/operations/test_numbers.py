"""Evaluation beyond scores where the answer is a number, against independent references."""

import math

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame
from hypothesis import given as examples
from hypothesis import settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error, mean_pinball_loss
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from pipelines.checks import numbers
from pipelines.operations.age_model.periods import calendar
from pipelines.operations.contract import OperationError
from pipelines.operations.learning import conformal, store, training
from pipelines.operations.learning.calibration import wilson
from pipelines.operations.learning.candidates import about_model
from pipelines.operations.learning.clustered import equal_means
from pipelines.operations.learning.definition import FeatureColumn, FeatureSet
from pipelines.operations.learning.example_values import TARGET, features, rows, write_model
from pipelines.operations.learning.families import build, encode, whole
from pipelines.operations.learning.weights import WEIGHT, fit_weighted
from pipelines.operations.measure_coverage.conformal import allowed
from pipelines.operations.measure_coverage.quantiles import predicted_ends, strays, widened
from pipelines.operations.tables import read_document, write_table
from tests.unit.operations.running import perform


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def linear(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("linear"), family="linear")


# --- groups -----------------------------------------------------------------------------


def with_place(trained, folder, change):
    """The holdout after a change of its table."""
    table = change(pd.read_parquet(trained.holdout).reset_index(drop=True))
    inputs = {"candidate": trained.model, "holdout": write_table(table, folder / "h.parquet")}
    return table, inputs


def test_means_of_groups_are_those_of_fairlearn(trained, tmp_path) -> None:
    table, inputs = with_place(trained, tmp_path, lambda frame: frame)
    predicted = store.load(trained.model).predict(table)
    found = perform("screen_fairness", tmp_path, inputs, sensitive=["place"], samples=50).facts
    frame = MetricFrame(
        metrics={
            "mae": mean_absolute_error,
            "bias": lambda truth, given: float(np.mean(given - truth)),
            "mean_prediction": lambda _, given: float(np.mean(given)),
            "mean_outcome": lambda truth, _: float(np.mean(truth)),
        },
        y_true=table[TARGET],
        y_pred=predicted,
        sensitive_features=table["place"].fillna("is missing"),
    )
    for row in found["groups"]:
        name = row["group"].removeprefix("place = ").removeprefix("place ")
        expected = frame.by_group.loc[name]
        for mean in frame.by_group.columns:
            assert row[mean] == pytest.approx(expected[mean], abs=1e-6)
            assert row[f"{mean}_low"] <= row[mean] <= row[f"{mean}_high"]
    judged = frame.by_group[frame.by_group.index != "is missing"]
    assert [row["judged"] for row in found["groups"]] == [True] * 4 + [False]
    (column,) = found["fairness"]
    bias = (judged["bias"].max() - judged["bias"].min()) / found["mae"]
    assert column["bias_difference"]["value"] == pytest.approx(bias, rel=1e-4)
    ratio = judged["mae"].max() / judged["mae"].min()
    assert column["error_ratio"]["value"] == pytest.approx(ratio, rel=1e-4)


def test_a_group_that_is_surely_wronged_is_flagged_and_one_by_chance_is_not(
    trained, tmp_path
) -> None:
    draw = np.random.default_rng(5)

    def worse(frame: pd.DataFrame) -> pd.DataFrame:
        sex = np.where(draw.random(len(frame)) < 0.5, "f", "m")
        frame[TARGET] += np.where(sex == "f", 6.0, 0.0)
        return frame.assign(sex=sex, coin=np.where(draw.random(len(frame)) < 0.5, "a", "b"))

    _, inputs = with_place(trained, tmp_path, worse)
    found = perform(
        "screen_fairness", tmp_path, inputs, sensitive=["sex", "coin"], samples=50
    ).facts
    sex, coin = found["fairness"]
    assert (sex["lowest"], sex["highest"]) == ("sex = f", "sex = m")
    assert sex["bias_difference"]["value"] > 0.5
    assert sex["p_bias"] < 0.01
    assert coin["p_bias"] > 0.05


def test_small_groups_are_shown_and_not_judged(trained, tmp_path) -> None:
    def few(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(sex=np.where(frame.index < 30, "f", "m"))

    _, inputs = with_place(trained, tmp_path, few)
    found = perform("screen_fairness", tmp_path, inputs, sensitive=["sex"], samples=50).facts
    assert [row["judged"] for row in found["groups"]] == [False, True]
    (column,) = found["fairness"]
    assert column["too_small"] == 1
    assert (column["error_ratio"]["value"], column["p_bias"]) == (None, None)


@pytest.mark.parametrize("kind", ["one group", "all missing", "no error"])
def test_nasty_groups_are_told_and_judged_by_nothing(kind, trained, tmp_path) -> None:
    def nasty(frame: pd.DataFrame) -> pd.DataFrame:
        sex = {"one group": "f", "all missing": None}.get(kind)
        frame["sex"] = np.where(frame.index % 2, "f", "m") if kind == "no error" else sex
        frame["sex"] = frame["sex"].astype("string")
        if kind == "no error":
            frame[TARGET] = store.load(trained.model).predict(frame)
        return frame

    _, inputs = with_place(trained, tmp_path, nasty)
    found = perform("screen_fairness", tmp_path, inputs, sensitive=["sex"], samples=50).facts
    (column,) = found["fairness"]
    assert column["error_ratio"]["value"] is None
    facts = {"evaluate.fairness": found}
    for judged in (numbers.group_bias_equal, numbers.group_errors_equal):
        assert judged(facts, {}).verdict == "insufficient"
        assert ("without any error" in judged(facts, {}).summary) == (kind == "no error")


def test_equal_means_of_independent_rows_is_welchs_test() -> None:
    draw = np.random.default_rng(1)
    codes = draw.integers(0, 3, 200)
    values = draw.normal(size=200) * (1 + codes) + 0.3 * codes
    parts = [values[codes == k] for k in range(3)]
    sizes, means = [p.size for p in parts], [p.mean() for p in parts]
    weights = np.asarray([p.size / p.var(ddof=1) for p in parts])
    middle = (weights * means).sum() / weights.sum()
    tail = ((1 - weights / weights.sum()) ** 2 / (np.asarray(sizes) - 1)).sum()
    statistic = (weights * (np.asarray(means) - middle) ** 2).sum() / 2 / (1 + 2 / 8 * tail)
    expected = stats.f.sf(statistic, 2, 8 / (3 * tail))
    assert equal_means(values, codes, None) == pytest.approx(expected, rel=1e-9)


def test_equal_means_of_blocks_is_a_regression_with_clustered_errors() -> None:
    """By the textbook's sandwich on a design matrix with an intercept, built anew."""
    draw = np.random.default_rng(2)
    blocks, codes = np.repeat(np.arange(30), 30), draw.integers(0, 3, 900)
    values = draw.normal(size=900) + draw.normal(size=30)[blocks]
    design = np.column_stack([np.ones(900), codes == 1, codes == 2]).astype(float)
    bread = np.linalg.inv(design.T @ design)
    beta = bread @ design.T @ values
    errors = values - design @ beta
    meat = sum(
        np.outer(part, part)
        for part in (design[blocks == block].T @ errors[blocks == block] for block in range(30))
    )
    covariance = 30 / 29 * 899 / 897 * bread @ meat @ bread
    statistic = beta[1:] @ np.linalg.solve(covariance[1:, 1:], beta[1:]) / 2
    expected = stats.f.sf(statistic, 2, 29)
    assert equal_means(values, codes, blocks) == pytest.approx(expected, rel=1e-9)


def test_days_that_stray_together_are_no_difference_of_groups() -> None:
    """Groups made of whole days: rows taken for independent would accuse three times of four."""
    draw = np.random.default_rng(3)
    blocks = np.repeat(np.arange(40), 20)
    codes = blocks % 2
    found: dict[str, int] = {"rows": 0, "blocks": 0}
    for _ in range(200):
        values = draw.normal(size=40)[blocks] + draw.normal(size=800)
        found["rows"] += (equal_means(values, codes, None) or 0.0) < 0.05
        found["blocks"] += (equal_means(values, codes, blocks) or 0.0) < 0.05
    assert found["rows"] > 80
    assert found["blocks"] <= 20


@pytest.mark.parametrize(("few", "most"), [(1, 0), (9, 0), (10, 20)])
def test_a_group_of_few_blocks_is_not_known_exactly(few: int, most: int) -> None:
    """Persons of one group each, no difference: what few of them stray by is no precision."""
    draw = np.random.default_rng(4)
    blocks = np.repeat(np.arange(100), 10)
    codes = (blocks < few).astype(np.int64)
    found = [
        equal_means(draw.normal(size=100)[blocks] + draw.normal(size=1000), codes, blocks)
        for _ in range(200)
    ]
    assert (most == 0) == all(p is None for p in found)
    assert sum(p is not None and p <= 0.05 for p in found) <= most


@examples(
    values=st.lists(st.floats(-1e6, 1e6), min_size=0, max_size=30),
    seed=st.integers(0, 1000),
    many=st.integers(1, 5),
)
@settings(max_examples=60, deadline=None)
def test_equal_means_is_a_probability_or_unknown(values, seed, many) -> None:
    draw, given = np.random.default_rng(seed), np.asarray(values, dtype=np.float64)
    codes = draw.integers(0, many, given.size)
    for blocks in (None, draw.integers(0, 6, given.size)):
        found = equal_means(given, codes, blocks) if given.size else None
        assert found is None or 0 <= found <= 1


# --- coverage ---------------------------------------------------------------------------


def test_intervals_by_row_are_those_of_the_paper(tmp_path) -> None:
    """Quantiles by boosting of the pinball loss; the cut by sorting, as Romano et al. write it."""
    frame = rows(900, seed=3)
    train, calibration, test = frame[:300], frame[300:600], frame[600:]
    rest = pd.concat([calibration, test], ignore_index=True)
    definition = features(train)
    settings_: dict = {"max_iter": 40}
    ends = predicted_ends(definition, train, rest, 0.2, settings=settings_, seed=1)
    truth = rest[TARGET].to_numpy()
    first = np.arange(600) < 300
    found = widened(ends, truth, first, 0.8)[~first]
    errors = np.sort(np.maximum(ends[:300, 0] - truth[:300], truth[:300] - ends[:300, 1]))
    added = errors[math.ceil(301 * 0.8) - 1]
    expected = ends[300:] + np.asarray([-added, added])
    assert np.allclose(found, expected)
    inside = (truth[300:] >= found[:, 0]) & (truth[300:] <= found[:, 1])
    assert 0.7 <= inside.mean() <= 0.9
    # the lower end loses less as a low quantile than the middle of the interval does
    middle = ends.mean(axis=1)
    low = mean_pinball_loss(truth[300:], ends[300:, 0], alpha=0.1)
    assert low < mean_pinball_loss(truth[300:], middle[300:], alpha=0.1)


@examples(seed=st.integers(0, 500), rows_=st.integers(2, 60), by=st.floats(-5, 5))
@settings(max_examples=60, deadline=None)
def test_ends_never_pass_each_other(seed, rows_, by) -> None:
    draw = np.random.default_rng(seed)
    ends = np.sort(draw.normal(size=(rows_, 2)), axis=1)
    truth = draw.normal(size=rows_) + by
    first = np.zeros(rows_, dtype=bool)
    first[: max(1, rows_ // 2)] = True
    found = widened(ends, truth, first, 0.7)
    assert (found[:, 0] <= found[:, 1]).all()
    assert (strays(ends, truth) <= 0).sum() == ((ends[:, 0] <= truth) & (truth <= ends[:, 1])).sum()


def test_coverage_is_counted_for_both_kinds_and_every_group(trained, tmp_path) -> None:
    train = write_table(rows(800), tmp_path / "train.parquet")
    inputs = {"candidate": trained.model, "holdout": trained.holdout, "train": train}
    found = perform(
        "measure_coverage", tmp_path, inputs, alpha=0.2, groups=["place"], samples=50
    ).facts
    assert found["confidence"] == 0.8
    assert [row["method"] for row in found["methods"]] == ["one margin", "by row"]
    assert found["coverage"] == found["methods"][0]["coverage"]
    assert found["calibrated_on"] + found["tested_on"] == 400
    for row in found["methods"]:
        assert row["allowed_low"] < 0.8 < row["allowed_high"]
        assert row["coverage"]["low"] <= row["coverage"]["value"] <= row["coverage"]["high"]
    for method in ("one margin", "by row"):
        groups = [row for row in found["groups"] if row["method"] == method]
        assert sum(row["rows"] for row in groups) == found["tested_on"]
        share = sum(row["rows"] * row["coverage"] for row in groups) / found["tested_on"]
        whole = next(row for row in found["methods"] if row["method"] == method)
        assert share == pytest.approx(whole["coverage"]["value"], abs=1e-5)
    widths = [row["width"] for row in found["levels"]]
    assert widths == sorted(widths)


def test_without_training_rows_the_reason_is_said(trained, tmp_path) -> None:
    inputs = {"candidate": trained.model, "holdout": trained.holdout}
    found = perform("measure_coverage", tmp_path, inputs, samples=50).facts
    assert found["by_row_absent"] == "no training rows were given"
    assert len(found["methods"]) == 1


def test_later_rows_that_err_more_break_the_promise(trained, tmp_path) -> None:
    def harder(frame: pd.DataFrame) -> pd.DataFrame:
        later = frame["leaves"] > frame["leaves"].median()
        frame.loc[later, TARGET] += 30
        return frame

    _, inputs = with_place(trained, tmp_path, harder)
    found = perform("measure_coverage", tmp_path, inputs, samples=50).facts
    assert found["coverage"]["value"] < found["allowed_low"]
    assert found["methods"][0]["holds"] is False


def test_the_band_allows_for_rows_that_stray_together() -> None:
    """Twenty groups on each side, each easier or harder than the next: no fault in the method."""
    draw = np.random.default_rng(6)
    blocks = np.repeat(np.arange(20), 25)
    broken = {"rows": 0, "groups": 0}
    for _ in range(300):
        errors = [
            draw.normal(size=500) * np.exp(0.8 * draw.normal(size=20))[blocks] for _ in range(2)
        ]
        margin = conformal.margin(errors[0], 0.1)
        assert margin is not None
        inside = ((errors[1] >= margin.low) & (errors[1] <= margin.high)).astype(float)
        before = ((errors[0] >= margin.low) & (errors[0] <= margin.high)).astype(float)
        effect = conformal.design_effect([(inside, blocks), (before, blocks)], 0.1)
        for name, size in (("rows", 1.0), ("groups", effect)):
            low, high = allowed(500, 500, 0.9, size)
            broken[name] += not low <= inside.mean() <= high
    assert broken["rows"] > 30  # a tenth and more, where 0.27 % is promised
    assert broken["groups"] <= 6


def test_effective_rows_narrow_to_the_plain_band() -> None:
    assert allowed(400, 300, 0.9, 1.0) == allowed(400, 300, 0.9)
    low, high = allowed(400, 300, 0.9)
    wide_low, wide_high = allowed(400, 300, 0.9, 4.0)
    assert wide_low < low < 0.9 < high < wide_high
    spread = math.sqrt(0.09 * 4 * (1 / 400 + 1 / 300))
    assert (wide_high - wide_low) / 6 == pytest.approx(spread, rel=0.12)


def test_caution_is_that_of_the_t_law() -> None:
    draw = np.random.default_rng(7)
    inside = (draw.random(60) < 0.9).astype(float)
    assert conformal.design_effect([(inside, np.arange(60))], 0.1) == 1.0
    assert conformal.design_effect([(inside, np.zeros(60, dtype=np.int64))], 0.1) is None
    expected = (stats.t.isf(stats.norm.sf(3), 11) / 3) ** 2
    assert conformal.caution(11) == pytest.approx(expected)
    assert conformal.caution(11) > 1.5 > 1.02 > conformal.caution(1000) > 1.0


def test_a_promise_broken_on_one_side_does_not_widen_the_band() -> None:
    blocks = np.repeat(np.arange(20), 20)
    inside, before = np.tile([1.0, 0.0], 200), np.tile([1.0] * 9 + [0.0], 40)
    found = conformal.design_effect([(inside, blocks), (before, blocks)], 0.1)
    assert found == conformal.caution(38)


def test_wilson_agrees_with_scipy_and_takes_effective_rows() -> None:
    for hits, count in ((0, 1), (1, 1), (3, 10), (400, 401)):
        expected = stats.binomtest(hits, count).proportion_ci(method="wilson")
        assert wilson(hits / count, count) == pytest.approx((expected.low, expected.high))
    wide, narrow = wilson(0.9, 12.5), wilson(0.9, 100)
    assert wide[0] < narrow[0] < 0.9 < narrow[1] < wide[1]


# --- stress -----------------------------------------------------------------------------


def test_what_is_done_to_a_linear_model_moves_it_by_its_slope(linear, tmp_path) -> None:
    inputs = {"candidate": linear.model, "holdout": linear.holdout}
    outcome = perform("stress_model", tmp_path, inputs)
    table, model = pd.read_parquet(linear.holdout), store.load(linear.model)
    before = model.predict(table)
    document = read_document(outcome.outputs["stress"])
    found = {(row["column"], row["kind"], row["size"]): row for row in document["disturbances"]}
    for size in (1000.0, 0.001):
        after = model.predict(table.assign(wind=table["wind"] * size))
        row = found["wind", "other unit", size]
        assert row["moved"] == pytest.approx(np.abs(after - before).mean(), abs=1e-5)
        change = np.abs(after - table[TARGET]).mean() / np.abs(before - table[TARGET]).mean() - 1
        assert row["worse"]["value"] == pytest.approx(change, rel=1e-5)
        assert row["worse"]["low"] <= row["worse"]["value"] <= row["worse"]["high"]
    assert found["wind", "other unit", 1000.0]["outside"] > 0.9
    assert outcome.facts["bad_scores"] == 0
    sizes = [row["worse"]["value"] for row in outcome.facts["noise"]]
    assert sizes[0] < sizes[-1]


def test_a_prediction_that_breaks_is_counted(tmp_path) -> None:
    """A plain linear model takes an infinite number as it is, and answers infinity."""
    frame = rows(200)[["wind", "seats", TARGET]].dropna()
    model = Pipeline([("model", Ridge())]).fit(frame[["wind", "seats"]], frame[TARGET])
    about = {"format": "baton/model/1", "target": TARGET}
    path = store.dump(model, tmp_path / "m.skops", about)
    inputs = {"candidate": path, "holdout": write_table(frame, tmp_path / "h.parquet")}
    facts = perform("stress_model", tmp_path, inputs).facts
    assert facts["refused"] > 0
    assert facts["bad_scores"] == 0
    assert facts["bad_undisturbed"] == 0


# --- age --------------------------------------------------------------------------------


def test_a_slope_that_turns_is_seen_to_age_and_one_that_stands_is_not(tmp_path) -> None:
    for turn, decays in ((3.0, True), (0.0, False)):
        folder = tmp_path / str(turn)
        folder.mkdir()
        facts = aged(turn, folder, metric="mae")
        losses = [row["loss"] for row in facts["curve"]]
        assert losses[0] == 0
        assert facts["decays"] is decays
        assert (facts["half_life_days"] is not None) is decays
        if decays:
            assert losses[6] > losses[4] > losses[2] > 0


def aged(turn: float, folder, **params):
    inputs = turning(turn, folder)
    return perform("age_model", folder, inputs, samples=50, **params).facts


def turning(turn: float, folder, *, weight: np.ndarray | None = None) -> dict:
    """A number whose slope turns from one column to another over the year."""
    count, draw = 3000, np.random.default_rng(1)
    a, b = draw.normal(size=(2, count))
    angle = np.linspace(0, turn, count)
    frame = pd.DataFrame(
        {
            "t": pd.date_range("2024-01-01", periods=count, freq="2h", tz="UTC"),
            "a": a,
            "b": b,
            "y": np.cos(angle) * a + np.sin(angle) * b + 0.2 * draw.normal(size=count),
        }
    )
    columns = (FeatureColumn("a", "number"), FeatureColumn("b", "number"))
    definition = FeatureSet("y", (), columns, (), "t", task="regression")
    encoder, matrix = encode(definition, frame, field="train")
    model = build("linear", definition, {}, 1).fit(matrix, frame["y"])
    about = about_model(definition, family="linear", settings={}, seed=1)
    train, holdout = frame[: count * 3 // 4], frame[count * 3 // 4 :]
    if weight is not None:
        train = train.assign(**{WEIGHT: weight[: len(train)]})
    return {
        "candidate": store.dump(whole(encoder, model), folder / "m.skops", about),
        "train": write_table(train, folder / "train.parquet"),
        "holdout": write_table(holdout, folder / "holdout.parquet"),
    }


def test_the_curve_is_that_of_models_fitted_by_hand(tmp_path) -> None:
    """Fresh and oldest model of the last period, with plain scikit-learn."""
    inputs = turning(3.0, tmp_path)
    params = {"ages": 2, "tests": 1, "window": 2}
    found = perform("age_model", tmp_path, inputs, samples=50, metric="mae", **params).facts
    frame = pd.concat([pd.read_parquet(inputs[port]) for port in ("train", "holdout")])
    moments = frame["t"].astype("int64").to_numpy().astype(float)
    place = np.minimum((5 * (moments - moments.min()) / np.ptp(moments)).astype(int), 4)
    last = frame[place == 4]
    for age in (0, 2):
        learned = frame[(place >= 2 - age) & (place <= 3 - age)]
        scaler = StandardScaler().fit(learned[["a", "b"]])
        model = Ridge().fit(scaler.transform(learned[["a", "b"]]), learned["y"])
        expected = mean_absolute_error(last["y"], model.predict(scaler.transform(last[["a", "b"]])))
        assert found["curve"][age]["value"] == pytest.approx(expected, rel=0.01)
    constant = mean_absolute_error(last["y"], np.full(len(last), last["y"].median()))
    skill = constant - found["curve"][0]["value"]
    assert found["curve"][0]["skill"] == pytest.approx(skill, abs=1e-5)


def test_weights_of_a_sample_count_and_rows_of_the_holdout_weigh_one(tmp_path, monkeypatch) -> None:
    """Before, the holdout's rows had no weight at all, and training's was not looked at."""
    weight = np.where(np.arange(3000) % 2, 3.0, 1.0)
    inputs = turning(1.0, tmp_path, weight=weight)
    seen = []

    def noted(model, matrix, truth, weights, groups):
        seen.append(weights)
        return fit_weighted(model, matrix, truth, weights, groups)

    monkeypatch.setattr(training, "fit_weighted", noted)
    facts = perform("age_model", tmp_path, inputs, samples=50, metric="mae").facts
    assert facts["aged"] is True
    assert {float(w) for weights in seen for w in weights} == {1.0, 3.0}


def test_a_metric_of_another_task_is_refused(tmp_path) -> None:
    with pytest.raises(OperationError) as caught:
        aged(0.0, tmp_path, metric="roc_auc")
    assert caught.value.code == "metric_of_another_task"


def test_forecasts_are_scored_that_were_made_after_all_that_was_learned() -> None:
    hours = pd.Series(pd.date_range("2024-01-01", periods=100, freq="h", tz="UTC"))
    origin = hours - pd.Timedelta(hours=15)
    found = calendar(hours, window=3, ages=3, tests=4, asked=origin)
    assert found is not None
    for period in found.scored:
        rows_ = found.scoring(period)
        learned = hours[found.training(period - 1)].max()
        assert (origin[rows_] > learned).all()


# --- single rows ------------------------------------------------------------------------


def test_parts_of_a_linear_model_are_slope_times_distance(tmp_path) -> None:
    """Shapley values of a sum are its terms: here by hand, from the coefficients."""
    inputs = turning(0.0, tmp_path)
    asked = {"candidate": inputs["candidate"], "holdout": inputs["holdout"]}
    outcome = perform(
        "explain_rows", tmp_path, asked, errors=5, close=4, others=3, orders=400, seed=2
    )
    facts = outcome.facts
    assert facts["largest_gap"] < 1e-12
    document = read_document(outcome.outputs["rows"])
    table = pd.read_parquet(inputs["holdout"])
    model = store.load(inputs["candidate"])[-1]
    slopes = model[-1].coef_ / model[0].named_transformers_["numbers"][-1].scale_
    predicted = store.load(inputs["candidate"]).predict(table)
    errors = predicted - table["y"]
    wrong = np.argsort(-np.abs(errors.to_numpy()), kind="stable")[:5]
    assert [row["row"] for row in document["rows"][:5]] == wrong.tolist()
    for row in document["rows"]:
        parts = {part["column"]: part["added"] for part in row["added"]}
        assert row["base"] + sum(parts.values()) == pytest.approx(row["score"], abs=1e-5)
        assert row["error"] == pytest.approx(errors.iloc[row["row"]], abs=1e-5)
        values = table.iloc[row["row"]]
        # other rows differ by their mean, the same for all: the difference of parts is exact
        distance = parts["a"] - slopes[0] * values["a"]
        assert distance == pytest.approx(-slopes[0] * table["a"].mean(), abs=0.15)
    whys = {row["why"] for row in document["rows"]}
    assert whys <= {
        "worst error, too high", "worst error, too low", "lowest", "highest", "drawn",
    }  # fmt: skip
    lowest = [row["score"] for row in document["rows"] if row["why"] == "lowest"]
    assert lowest == sorted(np.round(predicted, 6))[: len(lowest)]


def test_a_constant_has_no_spread_whatever_its_digits() -> None:
    values = np.array([0.1, 0.1, 0.1, 0.2, 0.2, 0.2, *np.linspace(0, 1, 41)])
    codes = np.repeat([0, 1, 2], [3, 3, 41])
    assert equal_means(values, codes, None) is None
