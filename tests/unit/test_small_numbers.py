"""A threshold as small as it is: never written as zero on a page, in a document or a summary."""

import pytest

from pipelines.checks.contract import decimals
from pipelines.checks.evaluation import calibrated
from pipelines.checks.monitoring import error_rate_ok
from pipelines.documents import wording
from pipelines.documents.tree import Figure
from portal.web import tags


@pytest.mark.parametrize("write", [tags.number, wording.number])
@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0004, "0.0004"),
        (0.00012345, "0.00012"),
        (0.0015, "0.0015"),
        (0.05, "0.050"),
        (0.0, "0"),
        (1.25, "1.250"),
    ],
)
def test_pages_and_documents_say_small_numbers(write, value, shown) -> None:
    assert write(value) == shown


def test_negative_ones_too() -> None:
    assert tags.number(-0.0004) == "-0.0004"
    assert wording.number(-0.0004) == f"{wording.MINUS}0.0004"


def test_with_so_many_digits() -> None:
    assert [tags.number(value, 3) for value in (0.0004, 0.0006, 0.0)] == [
        "0.0004",
        "0.001",
        "0.000",
    ]
    assert tags.percent(0.0004) == "0.04 %"
    assert tags.percent(0.0) == "0.0 %"
    assert tags.percent(0.00001, 2) == "0.001 %"
    assert [decimals(value, 4) for value in (0.05, 0.00002, 0.0)] == ["0.0500", "2e-05", "0.0000"]


def test_a_share_in_a_document() -> None:
    assert wording.value_of(Figure("errors", 0.00002, unit="share")) == "0.002 %"
    assert wording.value_of(Figure("errors", 0.0, unit="share")) == "0.00 %"


def test_summaries_of_checks() -> None:
    canary = {"deploy.canary": {"error_share": 0.00002}}
    told = error_rate_ok(canary, {"max_share": 0.00001})
    assert told.summary == "0.002% of answers failed; 0.001% are allowed."
    found = {"evaluate.evaluate": {"calibration": {"error": 3e-5, "noise_floor": 0.0, "bins": []}}}
    told = calibrated(found, {"maximum": 2e-5})
    assert "off by 3e-05 on average, at most 2e-05 is allowed" in told.summary
