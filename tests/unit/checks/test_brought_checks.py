"""What is attested of a brought model, and whether its dates agree."""

import pytest

from pipelines.checks.brought import holdout_unseen, scores_repeat, signature_holds
from pipelines.checks.contract import Facts, Json


def facts(first: str = "2013-08-01T05:00:00+00:00", **origin: Json) -> Facts:
    return {
        "item.tune.origin": {"unseen": "none of them", **origin},
        "explore.split": {"parts": {"holdout": {"first": first}}},
    }


@pytest.mark.parametrize(
    ("stated", "verdict", "text"),
    [
        ({"trained_until": "2013-07-31"}, "pass", "the dates agree"),
        ({"trained_until": "2013-08-01"}, "fail", "trained on data until 2013-08-01"),
        ({"trained_until": "2013-08-02"}, "fail", "trained on data until 2013-08-02"),
        ({}, "pass", "no dates to compare"),
        ({"unseen": "some of them"}, "fail", "some of them"),
        ({"unseen": "not known", "trained_until": "2013-07-31"}, "fail", "not known"),
    ],
)
def test_rows_it_saw_are_no_judges(stated: dict[str, Json], verdict: str, text: str) -> None:
    found = holdout_unseen(facts(**stated), {})
    assert found.verdict == verdict
    assert text in found.summary


def test_without_a_word_nothing_is_claimed() -> None:
    assert holdout_unseen({}, {}).verdict == "insufficient"
    assert signature_holds({}, {}).verdict == "insufficient"
    assert scores_repeat({"tune.admit": {"tests": []}}, {}).verdict == "insufficient"
