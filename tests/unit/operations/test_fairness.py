"""Screening groups: equal to fairlearn's MetricFrame, and what it says of chance and small n."""

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import (
    MetricFrame,
    demographic_parity_ratio,
    equal_opportunity_difference,
    equalized_odds_difference,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.operations.contract import OperationError
from pipelines.operations.learning import store
from pipelines.operations.learning.example import features, rows, write_model
from pipelines.operations.learning.resampling import Resampling
from pipelines.operations.screen_fairness import rates
from pipelines.operations.screen_fairness.screening import Minimum, adjust, groups_of, screen
from pipelines.operations.tables import write_document, write_table
from tests.unit.operations.running import perform

ANY = Minimum(rows=1, cases=1)


@pytest.fixture(autouse=True, scope="module")
def _few_tables():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rates, "RESAMPLES", 99)
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("model"))


def screened(values: pd.Series, flags: np.ndarray, labels: np.ndarray, minimum: Minimum = ANY):
    groups = groups_of(values)
    counts = rates.indicators(groups, flags, labels).sum(axis=0)
    counts = counts.reshape(len(groups.names), rates.COUNTS)
    return screen(groups, counts, counts[None], minimum=minimum, seed=1)


@given(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.booleans(), st.booleans()), min_size=4, max_size=60
    )
)
@settings(max_examples=20, deadline=None)
def test_distances_agree_with_fairlearn(drawn) -> None:
    column, flags, labels = (np.asarray(part) for part in zip(*drawn, strict=True))
    labels = labels.astype(np.int64)
    found = screened(pd.Series(column, name="g"), flags, labels)
    counts = found.counts
    # fairlearn takes 0 for the rate of a class that a group lacks; here it is unknown
    whole = (counts[:, 2] > 0).all() and (counts[:, 4] > 0).all() and len(counts) > 1
    given_ = {"y_true": labels, "y_pred": flags.astype(int), "sensitive_features": column}
    frame = MetricFrame(
        metrics={"s": selection_rate, "t": true_positive_rate, "f": false_positive_rate}, **given_
    )
    names = [name.removeprefix("g = ") for name in found.groups.names]
    by_group = frame.by_group.loc[names].to_numpy()
    ours = rates.rates(counts)
    known = np.isfinite(ours)
    assert np.allclose(ours[known], by_group[known])
    if not whole:
        return
    gaps, apart = found.distances, frame.difference()
    if flags.any():
        assert gaps["selection_ratio"].value == pytest.approx(frame.ratio()["s"])
    assert gaps["opportunity_difference"].value == pytest.approx(apart["t"])
    assert gaps["odds_difference"].value == pytest.approx(max(apart["t"], apart["f"]))


def test_the_operation_agrees_with_fairlearn_on_a_table(trained, tmp_path) -> None:
    given_ = {"candidate": trained.model, "holdout": trained.holdout}
    facts = perform(
        "screen_fairness", tmp_path, given_, sensitive=["place"], threshold=0.4, minimum_rows=1,
        minimum_cases=1, samples=50,
    ).facts  # fmt: skip
    holdout = pd.read_parquet(trained.holdout)
    scores = store.load(trained.model).predict_proba(holdout[features(rows()).names])[:, 1]
    told = {
        "y_true": holdout["late"],
        "y_pred": (scores >= 0.4).astype(int),
        "sensitive_features": holdout["place"].fillna("missing"),
    }
    (found,) = facts["fairness"]
    ratio, odds = found["selection_ratio"], found["odds_difference"]
    assert ratio["value"] == pytest.approx(demographic_parity_ratio(**told), abs=1e-6)
    assert found["opportunity_difference"]["value"] == pytest.approx(
        equal_opportunity_difference(**told), abs=1e-6
    )
    assert odds["value"] == pytest.approx(equalized_odds_difference(**told), abs=1e-6)
    assert found["groups"] == 5
    assert any(row["group"] == "place is missing" for row in facts["groups"])


def test_turning_the_favourable_decision_turns_rates(trained, tmp_path) -> None:
    given_ = {"candidate": trained.model, "holdout": trained.holdout}
    params = {"sensitive": ["holiday"], "threshold": 0.4, "minimum_rows": 1, "samples": 50}
    one = perform("screen_fairness", tmp_path, given_, **params).facts
    two = perform("screen_fairness", tmp_path, given_, **params, favourable="not flagged").facts
    for first, second in zip(one["groups"], two["groups"], strict=True):
        assert first["selection_rate"] + second["selection_rate"] == pytest.approx(1, abs=1e-5)
        assert first["false_positive_rate"] + second["true_positive_rate"] == pytest.approx(
            1, abs=1e-5
        )


def test_the_threshold_is_that_of_the_evaluation(trained, tmp_path) -> None:
    told = write_document(tmp_path / "evaluation.json", {"facts": {"threshold": 0.123}})
    given_ = {"candidate": trained.model, "holdout": trained.holdout, "evaluation": told}
    facts = perform("screen_fairness", tmp_path, given_, sensitive=["place"], samples=50).facts
    assert (facts["threshold"], facts["threshold_from"]) == (0.123, "evaluation")
    write_document(told, {"facts": {}})
    with pytest.raises(OperationError, match="states no threshold"):
        perform("screen_fairness", tmp_path, given_, sensitive=["place"])


def test_small_groups_are_shown_and_not_judged() -> None:
    values = pd.Series(["big"] * 60 + ["also"] * 60 + ["tiny"] * 3, name="g")
    flags = np.r_[np.ones(60), np.ones(60), np.zeros(3)].astype(bool)
    labels = (np.arange(123) % 2).astype(np.int64)
    found = screened(values, flags, labels, Minimum(rows=50, cases=20))
    assert found.distances["selection_ratio"].value == 1.0
    assert found.judged[:, 0].tolist() == [True, True, False]
    assert screened(values, flags, labels).distances["selection_ratio"].value == 0.0


def test_one_group_only_has_no_distance() -> None:
    found = screened(
        pd.Series(["a"] * 80, name="g"), np.arange(80) % 2 == 0, (np.arange(80) % 2).astype("int64")
    )
    assert np.isnan(found.distances["selection_ratio"].value)
    assert found.p_values["selection"] is None


def test_numbers_become_quarters_and_what_is_no_number_a_group() -> None:
    ages = pd.Series([*range(20, 80), np.nan, np.inf], name="age", dtype="float64")
    groups = groups_of(ages)
    assert len(groups.names) == 5
    assert groups.names[-1] == "age is missing"
    assert (groups.codes == 4).sum() == 2


def test_p_values_agree_with_scipy_and_chance_is_rarely_flagged() -> None:
    assert rates.p_value([30, 50], [100, 100], seed=1) == pytest.approx(0.003892417)
    assert rates.p_value([0, 4], [5, 6], seed=1) == pytest.approx(0.06060606)  # Fisher
    assert rates.p_value([5, 5], [5, 5], seed=1) == 1.0
    assert rates.p_value([5], [9], seed=1) is None
    draw = np.random.default_rng(3)
    flagged = 0
    for seed in range(200):
        cases = draw.binomial(60, 0.3, 4)
        p = rates.p_value(cases, [60] * 4, seed=seed)
        flagged += p is not None and p <= 0.05
    assert 2 <= flagged <= 20


def test_adjusting_is_benjamini_hochberg_over_columns() -> None:
    draw = np.random.default_rng(5)
    found = [
        screened(
            pd.Series(draw.choice(["a", "b", "c"], 300), name=f"g{place}"),
            draw.random(300) < 0.4,
            (draw.random(300) < 0.5).astype("int64"),
        )
        for place in range(3)
    ]
    raw = sorted(p for one in found for p in one.p_values.values())
    adjusted = sorted(p for one in adjust(found) for p in one.adjusted.values())
    steps = [p * len(raw) / rank for rank, p in enumerate(raw, start=1)]
    wanted = [min(1.0, *steps[place:], 1.0) for place in range(len(raw))]
    assert adjusted == pytest.approx(wanted)


def test_without_sensitive_columns_nothing_is_compared(trained, tmp_path) -> None:
    given_ = {"candidate": trained.model, "holdout": trained.holdout}
    assert perform("screen_fairness", tmp_path, given_).facts["fairness"] == []
    with pytest.raises(OperationError, match="plce"):
        perform("screen_fairness", tmp_path, given_, sensitive=["plce"])


def test_a_sensitive_column_need_not_be_a_feature(trained, tmp_path) -> None:
    table = pd.read_parquet(trained.holdout)
    table["side"] = np.where(np.arange(len(table)) % 2, "left", "right")
    holdout = write_table(table, tmp_path / "h.parquet")
    given_ = {"candidate": trained.model, "holdout": holdout}
    (found,) = perform("screen_fairness", tmp_path, given_, sensitive=["side"]).facts["fairness"]
    low, value, high = (found["selection_ratio"][key] for key in ("low", "value", "high"))
    assert 0 < low <= value <= 1
    assert high <= 1


def test_equalised_odds_is_the_larger_of_both_differences() -> None:
    values = pd.Series(["a"] * 4 + ["b"] * 4, name="g")
    labels = np.asarray([1, 1, 0, 0] * 2)
    flags = np.asarray([1, 0, 0, 0, 1, 0, 1, 1]).astype(bool)  # equal chances, unequal alarms
    found = screened(values, flags, labels).distances
    assert found["opportunity_difference"].value == 0.0
    assert found["odds_difference"].value == 1.0


def test_rows_of_one_person_are_no_independent_witnesses() -> None:
    """40 persons of 25 rows and no difference of groups: the test over rows accuses too often."""
    rng, person = np.random.default_rng(11), np.repeat(np.arange(40), 25)
    groups = groups_of(pd.Series(np.where(person % 2, "a", "b"), name="g"))
    labels = (np.arange(1000) % 2).astype(np.int64)
    found: dict[str, int] = {"row": 0, "group": 0}
    for _ in range(80):
        chosen = rng.random(1000) < (1 / (1 + np.exp(-rng.normal(size=40))))[person]
        counts = rates.indicators(groups, chosen, labels).sum(axis=0).reshape(2, rates.COUNTS)
        for unit in found:
            told = rates.tied(chosen, labels, Resampling(person, 50, 1, unit))
            one = screen(groups, counts, counts[None], minimum=ANY, seed=1, told=told)
            found[unit] += min(p for p in one.p_values.values() if p is not None) <= 0.05 / 3
    assert found["row"] > 15
    assert found["group"] <= 8


def test_a_rate_of_few_persons_cannot_be_told_from_chance() -> None:
    person = np.repeat(np.arange(40), 25)
    groups = groups_of(pd.Series(np.where(person < 9, "a", "b"), name="g"))
    labels = (np.arange(1000) % 2).astype(np.int64)
    chosen = np.random.default_rng(1).random(1000) < np.where(person < 9, 0.9, 0.2)
    counts = rates.indicators(groups, chosen, labels).sum(axis=0).reshape(2, rates.COUNTS)
    told = rates.tied(chosen, labels, Resampling(person, 50, 1, "group"))
    one = screen(groups, counts, counts[None], minimum=ANY, seed=1, told=told)
    assert set(one.p_values.values()) == {None}
