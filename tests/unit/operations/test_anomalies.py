"""Detectors: agreement with the library, scores as shares, planted anomalies, alerts, bad input."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from sklearn.svm import OneClassSVM

from pipelines.operations.anomalies import alerts, example, forest
from pipelines.operations.anomalies.detector import FAMILIES, Detector
from pipelines.operations.anomalies.planting import KIND, KINDS, PLANTED, plant
from pipelines.operations.contract import Json, OperationError
from pipelines.operations.packages.example import write_window
from pipelines.operations.packages.loaded import load_package
from pipelines.operations.select_anomalies.compute import choose
from pipelines.operations.tables import read_document, read_table, write_document, write_table
from tests.unit.operations.running import perform

each_family = pytest.mark.parametrize("family", FAMILIES)


def ordinary(count: int = 400, *, seed: int = 1) -> np.ndarray:
    """Rows of a correlated normal, with a copied and a constant stretch."""
    rows = np.random.default_rng(seed).normal(size=(count, 4))
    rows[:, 1] += rows[:, 0]
    rows[:40, 2] = 0.0
    return rows


@pytest.mark.parametrize("count", [3, 50, 255, 256, 700])
def test_the_forest_is_the_librarys(count: int) -> None:
    rows, other = ordinary(max(count, 60))[:count], ordinary(80, seed=2)
    theirs = -IsolationForest(n_estimators=30, random_state=5).fit(rows).score_samples(other)
    ours = forest.strangeness(forest.grow(rows, trees=30, seed=5), other)
    assert np.allclose(ours, theirs, rtol=0, atol=1e-12)


def test_neighbours_one_class_and_rule_are_the_librarys() -> None:
    rows, other = ordinary(), ordinary(50, seed=3)
    for family, model in (
        ("neighbours", LocalOutlierFactor(n_neighbors=20, novelty=True)),
        ("one_class", OneClassSVM(gamma="scale", nu=0.05)),
    ):
        detector = Detector(family, 5000, seed=4).fit(rows)
        order = np.random.default_rng(4).permutation(len(rows))
        model.fit(rows[np.sort(order[120:])])
        assert np.allclose(detector.strangeness(other), -model.score_samples(other)), family
    rule = Detector("robust_z", 5000, seed=4).fit(rows)
    learned = rows[np.sort(np.random.default_rng(4).permutation(len(rows))[120:])]
    spread = stats.median_abs_deviation(learned, scale=1 / 1.4826)
    z = np.abs((other - np.median(learned, axis=0)) / spread).max(axis=1)
    assert np.allclose(rule.strangeness(other), z)


@each_family
def test_a_score_is_the_share_of_ordinary_rows_below(family: str) -> None:
    """On fresh rows of the same source, a share of 1 - t scores above t, but for luck.

    In many columns a row looks more ordinary to the detector that learned from it.
    """
    draw = np.random.default_rng(9)
    detector = Detector(family, 5000, seed=1).fit(draw.normal(size=(2000, 20)))
    fresh = detector.predict_proba(draw.normal(size=(2000, 20)))[:, 1]
    for t in (0.8, 0.95):
        # the held-back rows and the fresh ones both vary: three binomial deviations
        slack = 3 * math.sqrt(t * (1 - t) * (1 / 600 + 1 / 2000))
        assert abs(float((fresh >= t).mean()) - (1 - t)) < slack
    assert np.allclose(detector.predict_proba(draw.normal(size=(9, 20))).sum(axis=1), 1.0)


def test_far_rows_score_near_one() -> None:
    far = np.asarray([[50.0, -50.0, 50.0, -50.0], [90.0, -90.0, 90.0, -90.0]])
    for family in FAMILIES:
        scores = Detector(family, 5000, seed=1).fit(ordinary()).predict_proba(far)
        assert (scores[:, 1] > 0.98).all(), family


def test_beyond_the_strangest_the_score_still_ranks() -> None:
    detector = Detector("robust_z", 5000, seed=1).fit(ordinary())
    scores = detector.predict_proba(np.asarray([[10.0, 0, 0, 0], [12.0, 0, 0, 0]]))[:, 1]
    assert detector.ordinary_.size / (detector.ordinary_.size + 1) < scores[0] < scores[1] < 1


def test_planted_anomalies_are_what_their_kind_says() -> None:
    frame = example.rows(300)
    made = plant(frame, example.NAMES, kinds=KINDS, count=90, strength=8.0, seed=1)
    assert list(made[PLANTED].iloc[:300].unique()) == [0]
    again = plant(frame, example.NAMES, kinds=KINDS, count=90, strength=8.0, seed=1)
    pd.testing.assert_frame_equal(made, again)
    pd.testing.assert_frame_equal(made.iloc[:300][frame.columns], frame, check_dtype=False)
    for kind, changed in (("spike", 1), ("shift", 2)):
        rows = made[made[KIND] == kind]
        originals = frame.set_index("hour").loc[rows["hour"]]
        moved = sum(
            (~np.isclose(rows[name].to_numpy(), originals[name].to_numpy(), equal_nan=True)).astype(
                int
            )
            for name in ("load", "heat", "flow")
        )
        assert set(np.asarray(moved)) == {changed}, kind
    assert (made["flow"].dropna() >= 0).all()
    mixed = made[made[KIND] == "mix"]
    assert set(mixed["load"]) <= set(frame["load"])
    assert len(mixed) == 30


def test_the_threshold_fills_the_reviewers_day() -> None:
    assert alerts.threshold_for(5, 100, margin=0.8) == pytest.approx(0.96)
    assert alerts.threshold_for(500, 100, margin=1.0) == 0.5
    # two a day of a million rows: it was cut off at 0.9999, a hundred alerts a day
    assert 1 - alerts.threshold_for(2, 1e6, margin=1.0) == pytest.approx(2e-6)
    assert alerts.threshold_for(1e-9, 1e12, margin=0.5) < 1
    for capacity, volume in ((5.0, None), (0.0, 100.0)):
        with pytest.raises(OperationError) as refused:
            alerts.threshold_for(capacity, volume, margin=0.8)
        assert refused.value.code == "volume_unknown"


@pytest.mark.parametrize(
    ("stated", "planned"), [(None, 300 / 13), (10.0, 300 / 13), (24.0, 24.0), (2400.0, 2400.0)]
)
def test_a_capacity_is_a_rate_of_the_larger_volume(
    stated: float | None, planned: float, tmp_path: Path
) -> None:
    """At the data's 23 rows a day a brief of 10 let through more alerts than people review."""
    given = example.write_inputs(tmp_path)
    candidate = example.fitted(tmp_path, given)
    inputs = {"candidate": candidate, "holdout": given["holdout"], "checked": given["checked"]}
    facts = perform("judge_anomalies", tmp_path, inputs, capacity=2.0, volume=stated).facts
    assert facts["threshold"] == pytest.approx(1 - 0.8 * 2.0 / planned)
    assert (facts["stated_volume"], facts["measured_volume"]) == (stated, 23.077)
    assert facts["volume"] == pytest.approx(planned, abs=1e-3)
    rate, told = facts["alert_rate"], facts["alerts_at_volume"]
    assert isinstance(rate, dict)
    assert isinstance(told, dict)
    # as a rate it speaks of the planned day, not of the few rows at hand
    assert told["value"] == pytest.approx(float(str(rate["value"])) * planned, abs=1e-4)
    assert facts["beyond_held_back"] is (planned == 2400.0)
    both = {"checked": given["checked"], "models": {"one": candidate}}
    chosen = perform("select_anomalies", tmp_path, both, capacity=2.0, volume=stated).facts
    assert chosen["threshold"] == pytest.approx(float(str(facts["threshold"])), abs=0.02)


def test_no_alert_in_few_rows_promises_nothing() -> None:
    rate = alerts.alert_rate(np.zeros(200, dtype=bool), None, expected=1e-5)
    high = stats.binomtest(0, 200).proportion_ci(method="wilson").high
    assert (rate["value"], rate["high"]) == (0.0, pytest.approx(high, abs=1e-6))
    assert alerts.at_volume(rate, 1000.0)["high"] == pytest.approx(1000 * high, abs=1e-2)


def test_rows_a_day_of_a_sample_are_those_of_the_whole() -> None:
    frame = example.rows(480).assign(baton_weight=10.0)
    assert alerts.rows_per_day(frame["at"], frame["baton_weight"]) == pytest.approx(240.0)
    assert alerts.rows_per_day(frame["at"]) == pytest.approx(24.0)


def test_alerts_by_day_are_counted_and_their_rate_is_judged_by_days() -> None:
    times = pd.Series(pd.date_range("2024-01-01", periods=240, freq="h"))
    flags = np.zeros(240, dtype=bool)
    flags[:24] = True
    told = alerts.per_day(times, flags, 5.0)
    assert (told["days"], told["busiest_day"], told["busiest_alerts"]) == (10, "2024-01-01", 24)
    assert (told["days_above"], told["alerts_per_day"]["value"]) == (1, 2.4)  # type: ignore[index,call-overload]
    bunched = alerts.alert_rate(flags, times, expected=0.05)
    spread = alerts.alert_rate(np.tile([True] + [False] * 9, 24), times, expected=0.05)
    assert (bunched["value"], bunched["ratio"]) == (0.1, 2.0)
    assert float(str(bunched["high"])) > float(str(spread["high"]))
    # sums by day 24, 0, ..., 0: the ratio's standard error is that of the daily means
    daily = np.asarray([1.0] + [0.0] * 9)
    assert float(str(bunched["high"])) == pytest.approx(
        0.1 + 1.96 * daily.std(ddof=1) / math.sqrt(10), abs=1e-6
    )


def test_shares_have_wilson_intervals() -> None:
    found = alerts.share_of(8, 10)
    expected = stats.binomtest(8, 10).proportion_ci(method="wilson")
    assert (found["low"], found["high"]) == pytest.approx((expected.low, expected.high), abs=1e-6)
    assert alerts.share_of(0, 0)["value"] is None


def test_the_simplest_within_one_standard_error_is_chosen() -> None:
    def row(family: str, mean: float) -> dict[str, Json]:
        return {"family": family, "mean": mean, "standard_error": 0.02}

    assert choose([row("robust_z", 0.7), row("forest", 0.79), row("one_class", 0.8)]) == 1
    assert choose([row("one_class", 0.8), row("robust_z", 0.785)]) == 1


def test_cases_are_judged_by_label_and_by_people(tmp_path: Path) -> None:
    given = example.write_inputs(tmp_path)
    inputs = {
        "candidate": example.fitted(tmp_path, given, family="one_class"),
        "holdout": given["holdout"],
        "checked": given["checked"],
    }
    outcome = perform("judge_anomalies", tmp_path, inputs, capacity=2.0, k=10, label="strange")
    facts = outcome.facts
    truth = read_table(given["holdout"]).set_index("hour")["strange"]
    cases = [int(str(name)) for name in facts["case_names"]]  # type: ignore[union-attr]
    labelled = facts["labelled"]
    assert isinstance(labelled, dict)
    assert labelled["precision_at_k"]["value"] == truth.loc[cases].mean()  # type: ignore[call-overload,index]
    said: dict[str, Json] = {
        str(case): "anomaly" if truth.loc[case] else "ordinary" for case in cases
    }
    said[str(cases[0])] = "unclear"
    found = perform(
        "review_anomalies", tmp_path, {"cases": outcome.outputs["cases"]}, verdicts=said, k=10
    ).facts
    assert found["anomalies"] == sum(word == "anomaly" for word in said.values())
    assert (found["reviewed"], found["unclear"]) == (10, 1)
    for bad in ({"nobody": "anomaly"}, {str(cases[1]): "maybe"}):
        with pytest.raises(OperationError, match="verdicts"):
            perform(
                "review_anomalies",
                tmp_path,
                {"cases": outcome.outputs["cases"]},
                verdicts=dict(bad),
            )
    with pytest.raises(OperationError, match="'gone'"):
        perform("judge_anomalies", tmp_path, inputs, capacity=2.0, label="gone")


def test_a_detector_is_packed_and_served_like_a_classifier(tmp_path: Path) -> None:
    given = example.write_inputs(tmp_path)
    candidate = example.fitted(tmp_path, given)
    judged = {"candidate": candidate, "holdout": given["holdout"], "checked": given["checked"]}
    evaluation = perform("judge_anomalies", tmp_path, judged, capacity=2.0).outputs["evaluation"]
    packed = perform(
        "package_model",
        tmp_path,
        {"candidate": candidate, "holdout": given["checked"], "evaluation": evaluation},
    )
    loaded = load_package(packed.outputs["package"].read_bytes())
    document = read_document(evaluation)["facts"]
    assert isinstance(document, dict)
    assert loaded.decision.threshold == document["threshold"]
    far = read_table(given["checked"]).head(3).assign(heat=900.0)
    assert (loaded.score_frame(far[list(loaded.signature.names)]) > 0.9).all()
    card = perform(
        "write_card", tmp_path, {"package": packed.outputs["package"], "evaluation": evaluation}
    )
    assert "recall_over_kinds" in card.outputs["document"].read_text(encoding="utf-8")


def test_a_window_that_alerts_too_often_is_told(tmp_path: Path) -> None:
    facts: dict[str, Json] = {"facts": {"threshold": 0.01, "capacity": 1.0}}

    inputs = {
        "window": write_window(tmp_path, labels=100).window,
        "evaluation": write_document(tmp_path / "evaluation.json", facts),
    }
    found = perform("measure_alerts", tmp_path, inputs).facts
    assert (found["over_capacity"], found["enough"], found["alerts"]) == (True, True, 1)
    few = perform("measure_alerts", tmp_path, inputs, minimum=5000).facts
    assert few["enough"] is False


# --- bad input ------------------------------------------------------------------------------


def test_bad_tables_are_refused_by_name(tmp_path: Path) -> None:
    given = example.write_inputs(tmp_path)
    features = given["features"]
    two = write_table(example.rows(600).head(2), tmp_path / "two.parquet")
    with pytest.raises(OperationError) as refused:
        perform("fit_anomalies", tmp_path, {"train": two, "features": features})
    assert refused.value.code == "too_few_rows"
    short = write_table(example.rows(100).drop(columns="heat"), tmp_path / "short.parquet")
    with pytest.raises(OperationError, match="heat"):
        perform("fit_anomalies", tmp_path, {"train": short, "features": features})
    taken = write_table(example.rows(100).assign(injected=1), tmp_path / "taken.parquet")
    with pytest.raises(OperationError) as refused:
        perform("inject_anomalies", tmp_path, {"rows": taken, "features": features})
    assert refused.value.code == "column_taken"
    same = example.rows(100).assign(load=1.0, heat=2.0, flow=3.0)
    constant = write_table(same, tmp_path / "constant.parquet")
    with pytest.raises(OperationError) as refused:
        perform("inject_anomalies", tmp_path, {"rows": constant, "features": features})
    assert refused.value.code == "nothing_to_move"


@each_family
def test_one_crowd_of_equal_rows_is_learned_without_a_crash(family: str, tmp_path: Path) -> None:
    given = example.write_inputs(tmp_path)
    same = example.rows(120).assign(load=1.0, heat=2.0, flow=[3.0] * 119 + [9.0], pump="A")
    rows = write_table(same, tmp_path / "same.parquet")
    facts = perform(
        "fit_anomalies", tmp_path, {"train": rows, "features": given["features"]}, family=family
    ).facts
    assert facts["rows"] == 120


def test_a_label_column_is_never_compared_by(tmp_path: Path) -> None:
    rows = write_table(example.rows(200), tmp_path / "rows.parquet")
    stated: dict[str, Json] = {"columns": [], "key_column": "hour", "time_column": "at"}
    given = {"rows": rows, "contract": write_document(tmp_path / "contract.json", stated)}
    found = perform("build_inputs", tmp_path, given, hide="strange", label="injected")
    names = [column["column"] for column in found.facts["columns"]]  # type: ignore[index,union-attr,call-overload]
    assert names == ["load", "heat", "flow", "pump"]
    with pytest.raises(OperationError) as refused:
        perform("build_inputs", tmp_path, given, columns=["load", "strange"], hide="strange")
    assert refused.value.code == "column_not_usable"
