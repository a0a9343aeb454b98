"""A number that was challenged, in the documents: what was counted, with its evidence."""

from typing import Any

import pytest

from pipelines.documents import card, validation
from pipelines.documents.html import fragment
from pipelines.runs.queries.brief import brief
from tests.unit.documents.packs import FACTS, pack

INTERVAL = {"value": 0.905, "low": 0.88, "high": 0.93}
NUMBERS: dict[str, Any] = {
    "explore.split": {"parts": {"train": {"rows": 10}}, "rule": "time and group"},
    "evaluate.evaluate": {
        "rows": 400, "target": "delay", "metrics": {"mae": {"value": 9.9, "low": 9, "high": 11}},
        "bias_bins": [], "prediction_interval": {
            "level": 0.9, "coverage": 0.9, "by": "horizon",
            "steps": [{"step": 3, "low": -7.5, "high": 8.25, "coverage": 0.91,
                       "checked_rows": 77}],
        },
    },
    "evaluate.fairness": {
        "fairness": [], "mae": 9.9,
        "groups": [{"group": "sex = f", "rows": 81, "mean_prediction": 12.5, "mean_outcome": 10.5,
                    "bias": 2.0, "mae": 9.5, "judged": True}],
    },
    "evaluate.coverage": {
        "levels": [], "confidence": 0.9, "coverage": INTERVAL,
        "methods": [{"method": "by row", "coverage": INTERVAL, "allowed_low": 0.87,
                     "allowed_high": 0.93, "mean_width": 31.5}],
        "groups": [{"group": "sex = f", "method": "by row", "rows": 40, "coverage": 0.8125,
                    "low": 0.7, "high": 0.9, "p_adjusted": 0.04}],
    },
    "evaluate.stress": {
        "mae": 9.9, "noise": [{"size": 0.05, "moved": 0.75, "worse": {
            "value": 0.0325, "low": 0.01, "high": 0.06}}],
    },
    "evaluate.age": {"oldest_days": 60, "curve": [
        {"age_days": 20.5, "value": 10.125, "loss": 0.2},
    ]},
}  # fmt: skip


@pytest.mark.parametrize("document", [card, validation])
def test_what_was_tried_stands_in_the_document(document) -> None:
    text = fragment(document.build(pack(facts=NUMBERS)))
    for said in (
        "Groups of people", "sex = f", "12.5", "by row", "0.905", "0.880 to 0.930", "31.5",
        "0.8125", "An interval for each step ahead", " to 8.25", "0.0325", "0.010",
        "20.5", "10.125",
    ):  # fmt: skip
        assert said in text, said


@pytest.mark.parametrize("document", [card, validation])
def test_decisions_have_no_such_tables(document) -> None:
    assert "Groups of people" not in fragment(document.build(pack(facts=FACTS)))


def test_the_brief_speaks_of_intervals_and_not_of_sets() -> None:
    found = {figure.label: figure for figure in brief("DS", NUMBERS).figures}
    assert found["outcomes inside later intervals"].value == 0.905
    assert found["errors change under noise"].high == 0.06
    assert "sets that hold the truth" not in found
