"""Packages that leave rows to people: two classes, by the bands that were measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipelines.operations.contract import OperationError
from pipelines.operations.learning.example import Trained, write_model
from pipelines.operations.packages.loaded import load_package, plain_rows
from pipelines.operations.tables import read_table, write_document
from tests.unit.operations.running import perform


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Trained, Path]:
    folder = tmp_path_factory.mktemp("left")
    made = write_model(folder, family="linear")
    judged = {"candidate": made.model, "holdout": made.holdout}
    done = perform("evaluate_model", folder, judged, samples=50)
    written = dict(done.outputs)
    perform("evaluate_classes", folder, {**written, "holdout": made.holdout}, abstain_error=0.2)
    perform("measure_coverage", folder, judged, samples=50)
    return made, folder


def packed(trained: tuple[Trained, Path], band: str | None, folder: Path, **more):
    made, kept = trained
    evaluation = kept / "out-evaluate_model" / "evaluation.json"
    inputs = {"candidate": made.model, "holdout": made.holdout, "evaluation": evaluation}
    bands = {
        "classes": kept / "out-evaluate_classes" / "classes.json",
        "coverage": kept / "out-measure_coverage" / "coverage.json",
    }
    given = {**inputs, "band": bands[band]} if band else inputs
    return perform("package_model", folder, given, golden=20, **more)


@pytest.mark.parametrize("band", ["classes", "coverage"])
def test_rows_in_the_band_get_no_label_and_a_reason(trained, tmp_path, band) -> None:
    done = packed(trained, band, tmp_path, abstain=True)
    loaded = load_package(done.outputs["package"])
    rule = loaded.manifest["abstain"]
    assert rule["low"] <= loaded.decision.threshold <= rule["high"]
    frame = read_table(trained[0].holdout)[list(loaded.signature.names)]
    found = loaded.predict(plain_rows(frame, loaded.signature))
    scores = np.asarray(found.scores)
    left = (scores > rule["low"]) & (scores < rule["high"])
    assert 0 < left.sum() < left.size
    assert [label is None for label in found.labels] == left.tolist()
    for label, score, more in zip(found.labels, scores, loaded.more(found), strict=True):
        assert more["abstained"] is (label is None)
        assert bool(more["reason"]) is more["abstained"]
        if label is not None:
            assert label == loaded.decision.label(score)
    assert done.facts["left_share"] == pytest.approx(left.mean())
    assert [one.name for one in loaded.signature.outputs][-2:] == ["abstained", "reason"]


def test_rows_outside_the_coverage_band_are_those_with_one_possible_class(trained, tmp_path):
    done = packed(trained, "coverage", tmp_path, abstain=True)
    rule = load_package(done.outputs["package"]).manifest["abstain"]
    facts = perform(
        "measure_coverage",
        tmp_path,
        {"candidate": trained[0].model, "holdout": trained[0].holdout},
        samples=50,
    ).facts
    # widened by one float, and to the threshold: never narrower than what was measured
    assert rule["low"] < facts["abstain_from"] + 1e-6
    assert rule["high"] > facts["abstain_to"] - 1e-6


@pytest.mark.parametrize(
    ("threshold", "low", "high"), [(0.5, 0.4, 0.6), (0.3, 0.3, 0.6), (0.8, 0.4, 0.8)]
)
def test_a_band_reaches_to_the_threshold(trained, tmp_path, threshold, low, high) -> None:
    made, _ = trained
    band = write_document(tmp_path / "band.json", {"facts": {"abstain": {"low": 0.4, "high": 0.6}}})
    given = {"candidate": made.model, "holdout": made.holdout, "band": band}
    done = perform("package_model", tmp_path, given, golden=20, abstain=True, threshold=threshold)
    assert done.facts["abstain"] == {"rule": "band", "low": low, "high": high}


def test_nothing_changes_for_who_did_not_ask_for_it(trained, tmp_path) -> None:
    loaded = load_package(packed(trained, "classes", tmp_path / "a").outputs["package"])
    plain = load_package(packed(trained, None, tmp_path / "b").outputs["package"])
    assert loaded.digest == plain.digest
    assert "abstain" not in loaded.manifest
    frame = read_table(trained[0].holdout)[list(loaded.signature.names)].head(5)
    assert loaded.more(loaded.predict(plain_rows(frame, loaded.signature))) == []


def test_a_package_is_not_made_to_abstain_without_a_band(trained, tmp_path) -> None:
    with pytest.raises(OperationError) as caught:
        packed(trained, None, tmp_path, abstain=True)
    assert caught.value.code == "no_band"
