"""What is different between two packs of evidence."""

from typing import Any

import pytest

from pipelines.runs.queries.differences import differences


def pack(value: float, low: float | None = None, high: float | None = None, **run: Any) -> Any:
    metric = {"value": value, "low": low, "high": high}
    return {
        "run": {"parameters": run},
        "evaluate.evaluate": {"metrics": {"roc_auc": metric}},
        "watch.quality": {"metrics": {"roc_auc": 0.5}},  # a plain number is no interval
    }


@pytest.mark.parametrize(
    ("now", "then", "apart"),
    [
        ((0.8, 0.7, 0.9), (0.75, 0.65, 0.85), False),
        ((0.8, 0.79, 0.81), (0.7, 0.69, 0.71), True),
        ((0.7, 0.69, 0.71), (0.8, 0.79, 0.81), True),
        ((0.8, 0.7, 0.9), (0.6, 0.5, 0.7), False),
        ((0.8, None, None), (0.7, 0.69, 0.71), None),
    ],
)
def test_values_are_apart_where_their_intervals_are(now: Any, then: Any, apart: Any) -> None:
    [found] = differences(pack(*now), pack(*then)).metrics
    assert found.name == "roc auc"
    assert found.apart is apart
    assert found.change == pytest.approx(now[0] - then[0])


def test_parameters_that_differ_are_named_and_the_others_counted() -> None:
    found = differences(pack(1, a=1, b=[2], gone="x"), pack(1, a=1, b=[3]))
    assert [(t.what, t.now, t.then) for t in found.parameters] == [
        ("b", "[2]", "[3]"),
        ("gone", "x", "nothing"),
    ]
    assert found.same == 1


def slices(*worse: str, found: bool = False) -> Any:
    rows = [{"slice": name, "verdict": "worse", "found": found} for name in worse]
    said = {"worse": len(worse), "overall": {}, "slices": rows, "looked_at": 9}
    return {"evaluate.slices": said}


def test_slices_that_got_worse_and_better() -> None:
    found = differences(slices("JFK", "LGA"), slices("LGA", "EWR"))
    assert (found.worse, found.better) == (("JFK",), ("EWR",))


def test_what_a_search_found_is_counted_only() -> None:
    found = differences(slices("wind > 3", "x", found=True), slices("wind > 4", found=True))
    assert (found.worse, found.better) == ((), ())
    assert [(t.what, t.now, t.then) for t in found.counts] == [
        ("slices worse than all rows", "2", "1")
    ]


@pytest.mark.parametrize("broken", [{}, {"run": {}}, {"a.b": {"metrics": ["x"]}}, {"a.b": {}}])
def test_nothing_to_compare_is_nothing(broken: Any) -> None:
    assert differences(broken, pack(1, 0, 2)).metrics == ()
    assert differences(broken, broken).nothing
