"""Texts of three classes through their families, and calibration that parts no author."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.svm import LinearSVC

from pipelines.operations.contract import Json, OperationError
from pipelines.operations.learning import store
from pipelines.operations.learning.candidates import about_model
from pipelines.operations.learning.definition import FeatureSet
from pipelines.operations.learning.families import build, encode, whole
from pipelines.operations.learning.keyword_votes import KeywordVotes
from pipelines.operations.learning.resampling import group_codes
from pipelines.operations.learning.settings import TEXT_FAMILIES
from pipelines.operations.learning.tasks import TASKS
from pipelines.operations.learning.weights import fit_weighted
from pipelines.operations.packages.loaded import load_package
from pipelines.operations.rowwise.compile import compile_pipeline, largest_difference
from pipelines.operations.tables import write_table
from tests.unit.operations import texts
from tests.unit.operations.running import perform

CLASSES = ("complaint", "praise", "question")
ASKING = ("when", "where", "how", "why", "possible")


def reviews(count: int = 300, *, seed: int = 1) -> pd.DataFrame:
    """Reviews, complaints and questions; a quarter of them tell nothing of which they are."""
    frame = texts.reviews(count, seed=seed)
    rng = np.random.default_rng([seed, 5])
    kind = rng.choice(CLASSES, count).astype(object)
    telling = {"praise": texts.GOOD, "complaint": texts.BAD, "question": ASKING}
    said = [
        " ".join([*rng.choice(texts.OTHER, 6), *rng.choice(telling[str(one)], 2 * (place % 4 > 0))])
        for place, one in enumerate(kind)
    ]
    return frame.drop(columns="praise").assign(review=said, kind=kind)


def definition() -> FeatureSet:
    return replace(
        texts.definition(), target="kind", classes=tuple[Json, ...](CLASSES), task="multiclass"
    )


def write_model(folder: Path, family: str) -> Path:
    frame, features = reviews(), definition()
    settings = dict(texts.QUICK) if family == "text_boosting" else {}
    columns, matrix = encode(features, frame, field="train")
    truth = TASKS["multiclass"].truth(frame["kind"], features.classes)
    model = build(family, features, settings, 1)
    fit_weighted(model, matrix, truth, None, group_codes(frame["author"]))
    about = about_model(features, family=family, settings=settings, seed=1)
    return store.dump(whole(columns, model), folder / f"{family}.skops", about)


@pytest.mark.parametrize("family", TEXT_FAMILIES)
def test_a_family_tells_three_classes_along_both_paths(family: str, tmp_path: Path) -> None:
    model = store.load(write_model(tmp_path, family))
    later = reviews(200, seed=2)
    scores = TASKS["multiclass"].predict(model, later)
    truth = TASKS["multiclass"].truth(later["kind"], tuple[Json, ...](CLASSES))
    assert scores.shape == (200, 3)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-12)
    found = TASKS["multiclass"].measure(scores, truth)
    assert found["roc_auc"] > 0.65
    assert found["macro_f1"] > 0.5
    columns = ["review", "stars", "shop"]
    scorer = compile_pipeline(model, later[columns])
    assert largest_difference(scorer, later[columns].to_dict("records"), scores) < 1e-12


@pytest.mark.parametrize("family", ["keywords", "text_svc"])
def test_it_is_evaluated_packed_and_left_to_people(family: str, tmp_path: Path) -> None:
    holdout = write_table(reviews(250, seed=3), tmp_path / "holdout.parquet")
    judged = {"candidate": write_model(tmp_path, family), "holdout": holdout}
    evaluated = perform("evaluate_model", tmp_path, judged, samples=50)
    assert evaluated.facts["interval"]["unit"] == "group"
    written = {**evaluated.outputs, "holdout": holdout}
    classes = perform("evaluate_classes", tmp_path, written, group_column="author", samples=60,
                      abstain_error=0.1)  # fmt: skip
    assert [row["class"] for row in classes.facts["classes"]] == list(CLASSES)
    assert classes.facts["macro_f1"]["low"] > classes.facts["majority"]["macro_f1"]
    band = classes.facts["abstain"]
    assert band["coverage"] < 1
    assert band["error"] <= band["error_without"]
    packed = perform("package_model", tmp_path, {
        **judged, "evaluation": evaluated.outputs["evaluation"],
        "band": classes.outputs["classes"],
    }, abstain=True, golden=20)  # fmt: skip
    loaded = load_package(packed.outputs["package"])
    rows = reviews(60, seed=4)[["review", "stars", "shop"]].to_dict("records")
    found = loaded.predict(rows)
    left = [label is None for label in found.labels]
    assert left == [bool(why) for why in found.reasons]
    assert {True, False} == set(left)
    for row, more in zip(found.probabilities, loaded.more(found), strict=True):
        risk = 1 - max(row)
        assert more["abstained"] is (risk > loaded.manifest["abstain"]["most"] + 1e-12)
        assert more["probabilities"] == dict(zip(CLASSES, row, strict=True))
    assert packed.facts["left_share"] == pytest.approx(1 - band_share(classes.facts), abs=0.02)


def band_share(facts: dict) -> float:
    """What the chosen cost answers of the rows it was chosen on."""
    most = facts["abstain"]["most"]
    return next(p["coverage"] for p in facts["abstain"]["curve"] if p["most"] == most)


def test_keywords_of_each_class_vote() -> None:
    rows = np.empty((240, 1), dtype=object)
    rows[:, 0] = ["good tea"] * 80 + ["bad tea"] * 80 + ["why tea"] * 60 + ["tea"] * 20
    truth = np.asarray([1] * 80 + [0] * 80 + [2] * 80)
    votes = KeywordVotes().fit(rows, truth)
    assert [sorted(words) for words in votes.known()] == [["bad"], ["good"], ["why"]]
    asked = np.empty((4, 1), dtype=object)
    asked[:, 0] = ["so good", "bad", "why good", ""]
    found = votes.predict_proba(asked)
    assert found[:2].argmax(axis=1).tolist() == [1, 0]
    # as many words of one class as of another: a part of its own, as where there are none
    np.testing.assert_allclose(found[2], found[3])
    np.testing.assert_allclose(found.sum(axis=1), 1)


# --- Calibration by group ----------------------------------------------------------------------


class Watched(LinearSVC):
    """Remembers which rows each of its fits has seen, by their first number."""

    seen: list[set[float]] = []

    def fit(self, rows, truth, sample_weight=None):
        Watched.seen.append({float(value) for value in np.asarray(rows)[:, 0]})
        return super().fit(rows, truth, sample_weight)


def test_no_author_lies_on_both_sides_of_a_fold_of_the_calibration() -> None:
    rng = np.random.default_rng(1)
    groups = rng.integers(0, 30, 300)
    rows = np.column_stack([groups.astype(float), rng.normal(size=300)])
    truth = (rng.random(300) < 0.4).astype(np.int64)
    folds = StratifiedGroupKFold(3, shuffle=True, random_state=0)
    model = build("text_svc", texts.definition(), {}, 0).steps[-1][1]
    model.estimator = Watched(max_iter=5000)
    Watched.seen = []
    fit_weighted(model, rows, truth, None, groups)
    wanted = [set(groups[train].astype(float)) for train, _ in folds.split(rows, truth, groups)]
    assert [seen for seen in Watched.seen if len(seen) < 30] == wanted
    assert isinstance(model.cv, StratifiedGroupKFold)  # and no row numbers stay in the file
    Watched.seen = []
    fit_weighted(build("text_svc", texts.definition(), {}, 0).steps[-1][1], rows, truth, None)
    assert isinstance(model, CalibratedClassifierCV)


@pytest.mark.parametrize(
    ("groups", "truth", "code"),
    [
        ([0, 1] * 30, [0, 1, 0] * 20, "too_few_groups_to_calibrate"),
        (list(range(6)) * 10, [0] * 58 + [1] * 2, "too_few_rows_to_calibrate"),
        ([0] * 10 + [1] * 10 + [2] * 10, [1] * 10 + [0] * 20, "calibration_lacks_class"),
    ],
)
def test_groups_that_cannot_be_parted_are_said(groups: list, truth: list, code: str) -> None:
    model = build("text_svc", texts.definition(), {}, 0).steps[-1][1]
    rows = np.random.default_rng(1).normal(size=(len(truth), 2))
    with pytest.raises(OperationError) as caught:
        fit_weighted(model, rows, np.asarray(truth), None, np.asarray(groups))
    assert caught.value.code == code
