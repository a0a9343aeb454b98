"""Single rows explained: equal to exact Shapley values, and the parts add up."""

import math
from itertools import combinations, permutations

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from pipelines.operations.explain_rows.shapley import Orders, draw, explain
from pipelines.operations.learning.example import rows, write_model
from pipelines.operations.tables import read_document, write_table
from tests.unit.operations.running import perform

WEIGHTS = np.asarray([1.0, -2.0, 0.5, 0.0])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("model"))


def mixer(mine: np.ndarray, others: np.ndarray, model):
    return lambda row, other, own: model(np.where(own, mine, others[other]))


def exact(mine: np.ndarray, others: np.ndarray, model) -> np.ndarray:
    """By the definition: weighted gains over all sets of columns, mean over the other rows."""
    count = mine.size
    found = np.zeros(count)
    for place in range(count):
        rest = [other for other in range(count) if other != place]
        for size in range(count):
            weight = math.factorial(size) * math.factorial(count - size - 1) / math.factorial(count)
            for chosen in combinations(rest, size):
                own = np.zeros(count, dtype=bool)
                own[list(chosen)] = True
                without = model(np.where(own, mine, others)).mean()
                own[place] = True
                found[place] += weight * (model(np.where(own, mine, others)).mean() - without)
    return found


def curved(table: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-(table @ WEIGHTS + table[:, 0] * table[:, 1] - table[:, 3] ** 2)))


def test_all_orders_give_exactly_the_shapley_values() -> None:
    rng = np.random.default_rng(1)
    mine, others = rng.normal(size=4), rng.normal(size=(3, 4))
    every = np.asarray(list(permutations(range(4))))
    # each order against each of the other rows
    orders = Orders(np.repeat(every, 3, axis=0))
    found = explain(0, orders, mixer(mine, np.tile(others, (24, 1)), curved))
    assert found.added == pytest.approx(exact(mine, others, curved))
    assert found.base == pytest.approx(curved(others).mean())


def test_drawn_orders_come_close_as_their_error_says() -> None:
    rng = np.random.default_rng(2)
    mine, others = rng.normal(size=4), rng.normal(size=(400, 4))
    orders = draw(4, orders=800, rng=rng)
    found = explain(0, orders, mixer(mine, others, curved))
    off = np.abs(found.added - exact(mine, others, curved))
    assert (off <= 4 * found.errors + 1e-12).all()
    assert found.errors.max() < 0.02
    total = curved(mine[None])[0] - curved(others).mean()
    assert found.added.sum() == pytest.approx(total)


def test_an_order_with_its_reverse_is_exact_for_pairs_of_columns() -> None:
    """A gain that only pairs of columns have is halved by every order and its reverse."""
    rng = np.random.default_rng(4)
    mine, others = rng.normal(size=4), rng.normal(size=(1, 4))

    def pairs(table: np.ndarray) -> np.ndarray:
        return table[:, 0] * table[:, 1] + 2 * table[:, 2] * table[:, 3] - table[:, 0]

    found = explain(0, draw(4, orders=2, rng=rng), mixer(mine, others, pairs))
    assert found.added == pytest.approx(exact(mine, others, pairs))


def test_a_linear_score_gives_weight_times_distance() -> None:
    rng = np.random.default_rng(3)
    mine, others = rng.normal(size=4), rng.normal(size=(16, 4))
    found = explain(
        0, draw(4, orders=32, rng=rng), mixer(mine, others, lambda table: table @ WEIGHTS)
    )
    assert found.added == pytest.approx(WEIGHTS * (mine - others.mean(axis=0)))
    assert found.added[3] == 0


def explained(trained, tmp_path, **params):
    given = {"candidate": trained.model, "holdout": trained.holdout}
    wanted = {"errors": 3, "close": 2, "others": 2, "orders": 8} | params
    return perform("explain_rows", tmp_path, given, **wanted)


def test_rows_are_the_worst_errors_near_misses_and_any(trained, tmp_path) -> None:
    outcome = explained(trained, tmp_path, threshold=0.4)
    found = read_document(outcome.outputs["rows"])["rows"]
    assert [row["why"] for row in found[:3]] == ["worst error"] * 3
    losses = [-math.log(row["score"] if row["label"] else 1 - row["score"]) for row in found]
    assert losses[0] >= losses[1] >= losses[2] >= max(losses[3:])
    near = [row for row in found if row["why"] == "near the threshold"]
    assert all(abs(row["score"] - 0.4) < 0.02 for row in near)
    assert len({row["row"] for row in found}) == len(found) == outcome.facts["explained"]
    for row in found:
        parts = sum(part["added"] for part in row["added"])
        assert row["base"] + parts == pytest.approx(row["score"], abs=1e-4)
        assert {part["column"] for part in row["added"]} == {
            "wind", "seats", "place", "vehicle", "holiday", "booked",
        }  # fmt: skip
    assert outcome.facts["largest_gap"] < 1e-9
    assert len({row["base"] for row in found}) == 1
    table = pd.read_parquet(trained.holdout)
    assert found[0]["key"] == {"journey": int(table["journey"][found[0]["row"]])}


def test_the_base_is_close_to_the_mean_score(trained, tmp_path) -> None:
    outcome = explained(trained, tmp_path, orders=64)
    table = pd.read_parquet(trained.holdout)
    base = read_document(outcome.outputs["rows"])["rows"][0]["base"]
    given = {"candidate": trained.model, "holdout": trained.holdout}
    scores = pd.read_parquet(
        perform("evaluate_model", tmp_path, given, samples=50).outputs["predictions"]
    )["score"]
    assert base == pytest.approx(scores.mean(), abs=0.01)
    assert len(table) == len(scores)


def test_a_model_brought_in_is_explained_by_raw_columns(tmp_path) -> None:
    table = rows(300)[["wind", "late"]].assign(hour=np.arange(300) % 24)
    model = LogisticRegression().fit(table[["wind", "hour"]], table["late"])
    path = tmp_path / "brought.skops"
    skops.io.dump(model, path)
    given = {"candidate": path, "holdout": write_table(table, tmp_path / "h.parquet")}
    outcome = perform(
        "explain_rows", tmp_path, given, target="late", errors=2, close=0, others=0, orders=8
    )
    (first, _) = outcome.facts["examples"]
    assert {part["column"] for part in first["added"]} == {"wind", "hour"}
    assert outcome.facts["largest_gap"] < 1e-9
