"""Segments: agreement with independent references, planted groups, crowds, nasty tables."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.mixture import GaussianMixture

from pipelines.operations.clusters import example
from pipelines.operations.clusters.profiles import profile
from pipelines.operations.clusters.segmenter import Segmenter
from pipelines.operations.clusters.shares import share_drift
from pipelines.operations.clusters.stability import Crowd, chance, separation, stability
from pipelines.operations.contract import Json, OperationError
from pipelines.operations.drift import psi
from pipelines.operations.tables import read_document, read_table, write_document, write_table
from tests.unit.operations.running import perform

FAMILIES = ("kmeans", "mixture", "density")
each_family = pytest.mark.parametrize("family", FAMILIES)


def blobs(count: int = 240, *, seed: int = 3) -> np.ndarray:
    """Three round groups of 120, 80 and 40 rows."""
    draw = np.random.default_rng(seed)
    centres = np.repeat([[0, 0], [7, 0], [0, 7]], [count // 2, count // 3, count // 6], axis=0)
    return centres + draw.normal(size=centres.shape)


@each_family
def test_planted_groups_are_found_and_numbered_by_size(family: str) -> None:
    matrix = blobs()
    labels = Segmenter(family, 3, 15).fit(matrix).predict(matrix)
    inside = labels > 0
    truth = np.repeat([1, 2, 3], [120, 80, 40])
    assert inside.mean() > 0.9
    assert adjusted_rand_score(truth[inside], labels[inside]) > 0.98
    sizes = [(labels == number).sum() for number in (1, 2, 3)]
    assert sizes == sorted(sizes, reverse=True)


def test_partitions_are_those_of_the_library() -> None:
    matrix = blobs(seed=8)
    kmeans = KMeans(3, n_init=3, random_state=0).fit(matrix)
    mixture = GaussianMixture(3, reg_covar=1e-2, random_state=0).fit(matrix)
    density = HDBSCAN(min_cluster_size=15, copy=True).fit(matrix)
    for family, labels in (
        ("kmeans", kmeans.labels_),
        ("mixture", mixture.predict(matrix)),
        ("density", density.labels_),
    ):
        found = Segmenter(family, 3, 15).fit(matrix).predict(matrix)
        assert adjusted_rand_score(labels, found) == 1.0, family
    assert Segmenter("mixture", 3).fit(matrix).criterion(matrix) == pytest.approx(
        mixture.bic(matrix)
    )


def test_membership_of_kmeans_is_the_posterior_of_round_gaussians() -> None:
    matrix = blobs(seed=4)
    segmenter = Segmenter("kmeans", 3).fit(matrix)
    centres, spread = segmenter.model_.cluster_centers_, segmenter.spread_
    density = np.stack(
        [np.exp(-((matrix - c) ** 2).sum(axis=1) / (2 * spread)) for c in centres], axis=1
    )
    expected = density / density.sum(axis=1, keepdims=True)
    found = segmenter.predict_proba(matrix)
    assert np.allclose(np.sort(found, axis=1), np.sort(expected, axis=1), atol=1e-9)
    inertia = ((matrix - centres[segmenter.model_.labels_]) ** 2).sum()
    assert spread == pytest.approx(inertia / ((len(matrix) - 3) * 2))


@each_family
def test_membership_adds_up_and_names_the_segment(family: str) -> None:
    matrix = blobs(seed=5)
    segmenter = Segmenter(family, 3, 15).fit(matrix)
    other = np.random.default_rng(1).normal(scale=5, size=(50, 2))
    shares = segmenter.predict_proba(other)
    assert np.allclose(shares.sum(axis=1), 1.0)
    assert (segmenter.classes_[shares.argmax(axis=1)] == segmenter.predict(other)).all()


def test_stability_tells_groups_from_a_crowd() -> None:
    crowd = np.random.default_rng(2).normal(size=(200, 3))
    steady = stability(Segmenter("kmeans", 3), blobs(), resamples=10, seed=1)
    loose = stability(Segmenter("kmeans", 5), crowd, resamples=10, seed=1)
    assert steady.mean is not None
    assert loose.mean is not None
    assert steady.mean > 0.95
    assert loose.mean < 0.6


def test_one_group_has_no_stability_although_it_always_comes_again() -> None:
    assert stability(Segmenter("mixture", 1), blobs(), resamples=5, seed=1).mean is None


def test_separation_is_the_librarys() -> None:
    matrix = blobs(seed=6)
    labels = Segmenter("kmeans", 3).fit(matrix).predict(matrix)
    assert separation(matrix, labels)["silhouette"] == pytest.approx(
        silhouette_score(matrix, labels), abs=1e-6
    )
    assert separation(matrix, np.ones(len(matrix), dtype=np.int64))["silhouette"] is None


def test_shuffled_columns_make_no_groups() -> None:
    found = chance(Segmenter("kmeans", 3), blobs(), shuffles=19, seed=1)
    assert found["p_value"] == pytest.approx(1 / 20)
    crowd = np.random.default_rng(2).normal(size=(200, 3))
    other = chance(Segmenter("kmeans", 3), crowd, shuffles=19, seed=1)
    assert float(str(other["p_value"])) > 0.05


def test_columns_that_rise_together_make_no_groups_either() -> None:
    """One long crowd: better separated than its shuffled columns, and still no groups."""
    draw = np.random.default_rng(3)
    crowd = draw.multivariate_normal([0, 0, 0], 0.1 * np.eye(3) + 0.9, size=200)
    found = chance(Segmenter("kmeans", 2), crowd, shuffles=19, seed=1)
    assert found["shuffled_p"] == pytest.approx(1 / 20)  # was called significant
    assert float(str(found["one_crowd_p"])) > 0.05
    assert found["p_value"] == found["one_crowd_p"]


def test_a_crowd_has_the_shape_of_the_rows() -> None:
    draw = np.random.default_rng(4)
    rows = draw.multivariate_normal([5, -3], [[4.0, 3.8], [3.8, 4.0]], size=400)
    drawn = Crowd.of(rows).draw(draw)
    assert drawn.shape == rows.shape
    assert np.allclose(drawn.mean(axis=0), rows.mean(axis=0), atol=1.0)
    assert np.corrcoef(drawn.T)[0, 1] > 0.9


def test_shares_that_moved_are_told_by_psi() -> None:
    before, now = np.repeat([1, 2, 3], [300, 200, 100]), np.repeat([1, 2, 3], [100, 200, 300])
    moved = share_drift(before, now)
    assert moved["psi"] == pytest.approx(
        psi(np.asarray([300.0, 200, 100]), np.asarray([100.0, 200, 300])), abs=1e-6
    )
    assert (moved["level"], share_drift(before, before)["level"]) == ("red", "quiet")
    assert share_drift(before, now[:100])["level"] == "not enough data"


def test_a_profile_says_in_words_what_sets_a_segment_apart() -> None:
    frame = example.rows(300)
    labels = (frame["kind"] + 1).to_numpy()
    (_, second, _) = profile(frame, labels, np.ones(300), ["length", "hull"])
    assert "much higher length" in str(second["sentence"])
    assert "more often hull wood (100%" in str(second["sentence"])


@pytest.mark.parametrize(
    ("held", "eligible", "against"),
    [(0.7, 2, []), (0.5, 1, ["stability 0.50 below 0.6"])],
)
def test_a_stable_model_is_taken_before_a_handsome_one(
    held: float, eligible: int, against: list[str], tmp_path: Path
) -> None:
    given = example.write_inputs(tmp_path)
    models = {name: example.fitted(tmp_path, given, family=name) for name in ("kmeans", "density")}
    scores = {}
    for name, value in (("kmeans", 0.9), ("density", held)):
        document = read_document(models[name].outputs["scores"])
        document |= {"silhouette": 0.9 if name == "density" else 0.4}
        document["stability"] = {"value": value}
        scores[name] = write_document(tmp_path / f"{name}.json", document)
    paths = {name: found.outputs["model"] for name, found in models.items()}
    chosen = perform("select_clusters", tmp_path, {"models": paths, "scores": scores}).facts
    assert (chosen["family"], chosen["eligible"]) == ("kmeans", eligible)
    both = chosen["candidates"]
    assert isinstance(both, list)
    assert both[1]["against"] == against  # type: ignore[call-overload,index]


@pytest.mark.parametrize(
    ("outside", "eligible", "against"),
    [(0.28, 2, []), (0.6, 1, ["60.0% in no group, above 30.0%"])],
)
def test_rows_in_no_group_count_against_a_model(
    outside: float, eligible: int, against: list[str], tmp_path: Path
) -> None:
    """0.6 over 72 % of the rows is less than 0.5 over all; 60 % in no group is no answer."""
    given = example.write_inputs(tmp_path)
    models = {name: example.fitted(tmp_path, given, family=name) for name in ("kmeans", "density")}
    scores = {}
    for name, silhouette, share in (("kmeans", 0.5, 0.0), ("density", 0.6, outside)):
        document = read_document(models[name].outputs["scores"])
        document |= {"silhouette": silhouette, "outside_share": share, "stability": {"value": 0.9}}
        scores[name] = write_document(tmp_path / f"{name}.json", document)
    paths = {name: found.outputs["model"] for name, found in models.items()}
    chosen = perform("select_clusters", tmp_path, {"models": paths, "scores": scores}).facts
    assert (chosen["family"], chosen["eligible"]) == ("kmeans", eligible)
    assert chosen["candidates"][1]["against"] == against  # type: ignore[call-overload,index]


def test_later_rows_may_come_as_csv(tmp_path: Path) -> None:
    given = example.write_candidate(tmp_path)
    before = pd.DataFrame({"segment": np.repeat([1, 2, 3], [30, 90, 180]), "membership": 1.0})
    later = tmp_path / "later.csv"
    example.rows(250, seed=4).to_csv(later, index=False)
    inputs = {
        "candidate": given["candidate"],
        "assignments": write_table(before, tmp_path / "before.parquet"),
        "rows": later,
    }
    facts = perform("measure_cluster_shares", tmp_path, inputs).facts
    assert (facts["window"], facts["rows"], facts["level"]) == ("later rows", 250, "red")
    with pytest.raises(OperationError, match="neither later rows"):
        perform("measure_cluster_shares", tmp_path, {k: inputs[k] for k in list(inputs)[:2]})


# --- nasty tables ---------------------------------------------------------------------------

CONTRACT: dict[str, Json] = {"columns": [], "key_column": "", "time_column": ""}
SPREAD = np.random.default_rng(0).normal(size=120)
NASTY: dict[str, tuple[Callable[[], pd.DataFrame], str, str]] = {
    "two rows": (lambda: pd.DataFrame({"a": [1.0, 2.0]}), "too_few_rows", "no group or habit"),
    "constant": (
        lambda: pd.DataFrame({"a": [1.0] * 120, "b": ["x"] * 120}),
        "no_features",
        "none of the 2 columns",
    ),
    "all missing": (
        lambda: pd.DataFrame({"a": [np.nan] * 120, "b": [None] * 120}),
        "no_features",
        "none of the 2 columns",
    ),
    "5,000 columns": (
        lambda: pd.DataFrame({f"c{i}": SPREAD for i in range(5000)}),
        "too_many_columns",
        "5,000 columns",
    ),
}


@pytest.mark.parametrize("name", NASTY)
def test_nasty_tables_are_found_and_then_refused(name: str, tmp_path: Path) -> None:
    make, code, told = NASTY[name]
    rows = write_table(make(), tmp_path / "rows.parquet")
    screened = perform("screen_columns", tmp_path, {"rows": rows}).facts
    findings = screened["findings"]
    assert isinstance(findings, list)
    blockers = [row for row in findings if isinstance(row, dict) and row["severity"] == "blocker"]
    assert any(told in str(row["message"]) for row in blockers)
    contract = write_document(tmp_path / "contract.json", dict(CONTRACT))
    with pytest.raises(OperationError) as refused:
        perform("build_inputs", tmp_path, {"rows": rows, "contract": contract})
    assert refused.value.code == code


@each_family
def test_one_crowd_ends_in_a_finding_not_in_a_crash(family: str, tmp_path: Path) -> None:
    """Equal rows, and rows of two values: fewer groups than asked for, and no error."""
    frame = pd.DataFrame({"length": [1.0] * 100 + [2.0] * 20, "boat": range(120)})
    definition = example.features(example.rows(50))
    alone = definition.__class__(
        target="", classes=(0, 1), columns=definition.columns[:1], key=("boat",)
    )
    given = {
        "rows": write_table(frame, tmp_path / "rows.parquet"),
        "features": write_document(tmp_path / "features.json", alone.as_json()),
    }
    found = example.fitted(tmp_path, given, family=family)
    assert int(str(found.facts["groups"])) <= 2
    judged = perform(
        "judge_clusters",
        tmp_path,
        {"candidate": found.outputs["model"], "rows": given["rows"]},
        resamples=5,
        shuffles=9,
    )
    assert isinstance(judged.facts["segments"], list)


def test_columns_worth_a_warning_are_named(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    base = draw.normal(size=300)
    far = np.where(draw.random(300) < 0.1, 1e6, base)
    gone = np.where(draw.random(300) < 0.7, np.nan, base)
    frame = pd.DataFrame(
        {
            "a": base,
            "copy": base * 3 + 1,
            "far": far,
            "gone": gone,
            "id": [f"x{i}" for i in range(300)],
        }
    )
    rows = write_table(frame, tmp_path / "rows.parquet")
    findings = perform("screen_columns", tmp_path, {"rows": rows}).facts["findings"]
    assert isinstance(findings, list)
    told = {(f["worry"], tuple(f["columns"])) for f in findings if isinstance(f, dict)}  # type: ignore[arg-type]
    assert {("W5", ("a", "copy")), ("W2", ("far",)), ("W3", ("gone",)), ("W4", ("id",))} <= told
    quiet = write_table(
        pd.DataFrame({"a": base, "b": draw.normal(size=300)}), tmp_path / "q.parquet"
    )
    assert perform("screen_columns", tmp_path, {"rows": quiet}).facts["found"] == 0


def test_keys_that_repeat_and_unknown_columns_are_told(tmp_path: Path) -> None:
    given = example.write_candidate(tmp_path)
    frame = read_table(given["rows"])
    frame["boat"] = "same"
    repeated = write_table(frame, tmp_path / "repeated.parquet")
    facts = perform(
        "assign_clusters", tmp_path, {"candidate": given["candidate"], "rows": repeated}, singles=5
    ).facts
    assert facts["repeated_keys"] == len(frame) - 1
    short = write_table(frame.drop(columns="speed"), tmp_path / "short.parquet")
    with pytest.raises(OperationError, match="speed"):
        perform("assign_clusters", tmp_path, {"candidate": given["candidate"], "rows": short})
