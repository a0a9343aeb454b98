"""Disturbing inputs: nothing moves without a reason, what moves is said, nothing breaks."""

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from pipelines.operations.contract import OperationError
from pipelines.operations.learning import store
from pipelines.operations.learning.definition import FeatureColumn
from pipelines.operations.learning.example import rows, write_model
from pipelines.operations.stress_model import compute
from pipelines.operations.stress_model.disturbing import disturbances, roles_of
from pipelines.operations.tables import read_document, write_table
from tests.unit.operations.running import perform


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def stressed(trained, tmp_path_factory):
    given = {"candidate": trained.model, "holdout": trained.holdout}
    return perform("stress_model", tmp_path_factory.mktemp("s"), given, rows=200, threshold=0.4)


def by_kind(outcome) -> dict:
    document = read_document(outcome.outputs["stress"])
    return {(row["column"], row["kind"], row["size"]): row for row in document["disturbances"]}


def test_every_column_is_disturbed_in_every_way_that_suits_it(stressed) -> None:
    kinds: dict[str, set] = {}
    for column, kind, _ in by_kind(stressed):
        kinds.setdefault(column, set()).add(kind)
    numbers = {"noise", "missing", "far above", "far below", "infinite"}
    assert kinds == {
        "wind": numbers,
        "seats": numbers,
        "place": {"unknown", "missing"},
        "vehicle": {"unknown", "missing"},
        "holiday": {"turned", "missing"},
        "booked": {"a day later", "missing"},
        "all at once": {"noise", "missing"},
    }
    assert stressed.facts["tried"] == len(by_kind(stressed))
    assert (stressed.facts["bad_scores"], stressed.facts["refused"]) == (0, 0)


def test_more_noise_moves_more_and_the_strong_column_most(stressed) -> None:
    found = by_kind(stressed)
    moved = [found["all at once", "noise", size]["moved"] for size in (0.01, 0.05, 0.2)]
    assert moved == sorted(moved)
    assert found["wind", "far above", 10.0]["moved"] > found["seats", "far above", 10.0]["moved"]
    # an unknown category, an infinite number: told to the model as missing
    assert found["place", "unknown", 0.0]["moved"] == found["place", "missing", 0.0]["moved"]
    assert found["wind", "infinite", 0.0]["moved"] == found["wind", "missing", 0.0]["moved"]


def test_decisions_turn_as_counted_by_hand(trained, tmp_path) -> None:
    given = {"candidate": trained.model, "holdout": trained.holdout}
    outcome = perform("stress_model", tmp_path, given, rows=400, threshold=0.4)
    table = pd.read_parquet(trained.holdout)
    model = store.load(trained.model)
    names = list(model.feature_names_in_)
    before = model.predict_proba(table[names])[:, 1] >= 0.4
    after = model.predict_proba(table[names].assign(wind=np.nan))[:, 1] >= 0.4
    found = by_kind(outcome)["wind", "missing", 0.0]
    assert found["flipped"] == pytest.approx((before != after).mean(), abs=1e-6)


def test_scores_that_are_no_probability_are_counted() -> None:
    assert compute._bad(np.asarray([0.0, 1.0, 0.5])) == 0
    assert compute._bad(np.asarray([np.nan, np.inf, -0.1, 1.1, 0.5])) == 4


def test_a_model_that_refuses_gaps_says_so_and_the_rest_is_measured(tmp_path) -> None:
    table = rows(300)[["wind", "late"]].assign(hour=np.arange(300) % 24)
    model = LogisticRegression().fit(table[["wind", "hour"]], table["late"])
    path = tmp_path / "brought.skops"
    skops.io.dump(model, path)
    given = {"candidate": path, "holdout": write_table(table, tmp_path / "h.parquet")}
    outcome = perform("stress_model", tmp_path, given, target="late", rows=100)
    refused = {key for key, row in by_kind(outcome).items() if row["refused"]}
    assert {kind for _, kind, _ in refused} == {"missing", "infinite"}
    assert outcome.facts["refused"] == len(refused)
    assert by_kind(outcome)["wind", "noise", 0.2]["moved"] > 0


def test_constant_and_empty_columns_get_no_noise() -> None:
    frame = pd.DataFrame({"same": np.ones(60), "gone": np.full(60, np.nan), "n": np.arange(60.0)})
    columns = [FeatureColumn(name, "number") for name in frame]
    roles = roles_of(frame, list(frame), columns)
    kinds = [(d.column, d.kind) for d in disturbances(frame, roles, [0.1], seed=1)]
    assert ("same", "noise") not in kinds
    assert ("gone", "noise") not in kinds
    assert ("n", "noise") in kinds
    for one in disturbances(frame, roles, [0.1], seed=1):
        assert list(one.apply(frame)) == list(frame)


def test_noise_has_the_size_it_says() -> None:
    draw = np.random.default_rng(1)
    frame = pd.DataFrame({"n": draw.normal(5, 3, 4000)})
    (noise,) = [
        one
        for one in disturbances(frame, {"n": "number"}, [0.5], seed=1)
        if (one.column, one.kind) == ("n", "noise")
    ]
    moved = noise.apply(frame)["n"] - frame["n"]
    assert moved.std() == pytest.approx(0.5 * frame["n"].std(), rel=0.05)
    assert abs(moved.mean()) < 0.1


@pytest.mark.parametrize("bad", [0, -1, 11, "much", True])
def test_fractions_that_make_no_sense_are_named(trained, tmp_path, bad) -> None:
    given = {"candidate": trained.model, "holdout": trained.holdout}
    with pytest.raises(OperationError) as caught:
        perform("stress_model", tmp_path, given, fractions=[0.1, bad])
    assert caught.value.field == "fractions"
