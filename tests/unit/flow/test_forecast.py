"""Forecasts: deterministic, ordered, calibrated on processes that are known."""

import random
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.insights.flow.calibration import PastForecast, calibration, judged
from pipelines.insights.flow.forecast import Forecast, how_many, when
from pipelines.insights.flow.measures import Share
from pipelines.insights.flow.records import StageVisit
from pipelines.insights.flow.walks import Place, WhatIf, past, remaining, road, whole
from tests.unit.flow.made import day, run, visit

STAGES = ("a", "b", "c")
LONG = timedelta(days=365)  # for no date at all: a history of which next to nothing happened
counts = st.lists(st.integers(0, 6), min_size=1, max_size=60)


def days(length: timedelta | None) -> float:
    assert length is not None
    return length / timedelta(days=1)


def test_a_steady_rate_has_one_date() -> None:
    found = when([2] * 40, 10, trials=50)
    assert (days(found.p50), days(found.p85), days(found.p95)) == (5, 5, 5)
    assert (found.n, found.history, found.widened) == (10, 40, False)
    assert how_many([2] * 40, 7, trials=50).p5 == 14


def test_no_history_no_date() -> None:
    assert when([0, 0], 3, trials=10).p50 is None
    assert when([], 3, trials=10).p50 is None
    assert days(when([], 0, trials=10).p95) == 0
    assert how_many([], 5, trials=10).p50 is None


@settings(max_examples=40, deadline=None)
@given(counts, st.integers(1, 40))
def test_surer_is_later_and_the_same_seed_is_the_same(history: list[int], remaining: int) -> None:
    found = when(history, remaining, trials=60)
    assert found == when(history, remaining, trials=60)
    if found.p95 is not None:
        assert days(found.p50) <= days(found.p85) <= days(found.p95)
        assert days(found.p50) >= remaining / max(history)
    more = how_many(history, 10, trials=60)
    assert (more.p50 or 0) >= (more.p15 or 0) >= (more.p5 or 0)


def poisson(rng: random.Random, rate: float) -> int:
    found, left = 0, rng.expovariate(rate)
    while left < 1:
        found, left = found + 1, left + rng.expovariate(rate)
    return found


def test_a_short_history_is_widened() -> None:
    rng = random.Random(1)
    short = full = 0.0
    for _ in range(12):
        history = [poisson(rng, 0.5) for _ in range(15)]
        # Twice the same days: as likely each, but thirty of them are drawn from as they are.
        one, two = when(history, 12, trials=300), when(history * 2, 12, trials=300)
        assert (one.widened, two.widened) == (True, False)
        short += days(one.p95 or LONG) - days(one.p50 or LONG)
        full += days(two.p95 or LONG) - days(two.p50 or LONG)
    assert short > 1.25 * full


def chain(number: int, rng: random.Random, *, begin: float = 0.0) -> list[StageVisit]:
    """One run through three stages; a quarter of what b finishes goes back to a."""
    found, at, index, rounds = [], begin, 0, dict.fromkeys(STAGES, 1)
    while index < len(STAGES):
        stage = STAGES[index]
        submitted = at + rng.uniform(1, 3)
        end = submitted + rng.uniform(0.5, 1.5)
        back = stage == "b" and rng.random() < 0.25
        found.append(
            visit(
                at,
                end,
                stage=stage,
                run=number,
                position=index,
                submitted=submitted,
                state="SENT_BACK" if back else "DONE",
                sent_to="a" if back else "",
                round=rounds[stage],
                handed=None if back else end,
            )
        )
        rounds[stage] += 1
        at = end if back else end + rng.uniform(0, 2)
        index = 0 if back else index + 1
    return found


@pytest.fixture(scope="module")
def visits() -> list[StageVisit]:
    rng = random.Random(3)
    return [one for number in range(150) for one in chain(number, rng)]


def test_walks_take_as_long_as_the_runs_they_are_drawn_from(visits: list[StageVisit]) -> None:
    way = road(past(visits), STAGES, None)
    assert way is not None
    ends: dict[int, float] = {}
    for one in visits:
        assert one.finished is not None
        ends[one.run] = max(ends.get(one.run, 0.0), days(one.finished - day(0)))
    took = sorted(ends.values())
    found = whole(way)
    assert days(found.p50) == pytest.approx(took[75], rel=0.1)
    assert days(found.p85) == pytest.approx(took[127], rel=0.12)
    assert way.returns == pytest.approx(1 / 3, abs=0.1)


def test_what_is_further_on_takes_less(visits: list[StageVisit]) -> None:
    way = road(past(visits), STAGES, None)
    assert way is not None
    left = [days(remaining(way, Place(index, 0.0)).p50) for index in range(3)]
    assert left == sorted(left, reverse=True)
    hour = 3600.0
    old = remaining(way, Place(2, 60 * hour))
    assert days(old.p50) < left[2]
    waiting = remaining(way, Place(2, 0.0, begun=False))
    assert days(waiting.p50) > left[2]
    ancient = remaining(way, Place(2, 1e9))
    assert days(ancient.p50) == pytest.approx(left[2], rel=0.1)


@pytest.mark.parametrize(
    "change",
    [WhatIf(drop="b"), WhatIf(reviewer="b", reviewers=1), WhatIf(parallel=("a", "b"))],
)
def test_each_change_saves_time(visits: list[StageVisit], change: WhatIf) -> None:
    known = past(visits)
    now, then = road(known, STAGES, None), road(known, STAGES, None, change=change)
    assert now is not None
    assert then is not None
    saved = days(whole(now).p50) - days(whole(then).p50)
    assert saved > 0.05
    if change.drop:
        assert then.returns == 0


def test_one_more_reviewer_is_the_first_of_two() -> None:
    # Reviews of 0 to 10 days, each as likely; the median of the first of two is 10 (1 - 0.5^0.5).
    seen = [visit(0, n / 10, stage="a", run=n, submitted=0) for n in range(1, 101)]
    change = WhatIf(reviewer="a", reviewers=1)
    alone, both = road(past(seen), ("a",), None), road(past(seen), ("a",), None, change=change)
    assert alone is not None
    assert both is not None
    assert days(whole(alone).p50) == pytest.approx(5, abs=0.5)
    assert days(whole(both).p50) == pytest.approx(2.93, abs=0.4)


def test_fewer_than_ten_samples_are_pooled_and_of_none_nothing_is_said() -> None:
    few = [visit(n, n + 1, stage="a", run=n) for n in range(9)]
    assert road(past(few), STAGES, None) is None
    enough = [*few, visit(0, 5, stage="b", run=99, position=1)]
    way = road(past(enough), STAGES, None)
    assert way is not None
    assert all(len(seen) == 10 for seen in way.samples)


def test_a_tier_of_its_own_is_drawn_from_where_there_is_enough() -> None:
    quick = [visit(0, 1, stage="a", run=n, tier=3) for n in range(12)]
    slow = [visit(0, 9, stage="a", run=50 + n, tier=1) for n in range(12)]
    known = past([*quick, *slow])
    one, other = road(known, ("a",), 3), road(known, ("a",), 1)
    assert one is not None
    assert other is not None
    assert (days(whole(one).p95), days(whole(other).p50)) == (1, 9)


def test_past_forecasts_are_made_from_what_was_known(visits: list[StageVisit]) -> None:
    rng = random.Random(8)
    later = [one for n in range(200, 212) for one in chain(n, rng, begin=400)]
    runs = []
    for number in range(200, 212):
        mine = [one.finished for one in later if one.run == number]
        end = max(days(at - day(0)) for at in mine if at is not None)
        runs.append(run(400, end, number))
    found = calibration([*runs, run(-5, -1, 999)], [*visits, *later], STAGES)
    assert (found.n, found.skipped) == (12, 1)
    assert found.held95.count >= 10
    assert found.held50.count < 12
    assert found.forecasts[0].forecast == found.forecasts[1].forecast


def test_calibration_counts_what_held() -> None:
    def told(p50: float, actual: float) -> PastForecast:
        lengths = [timedelta(days=p50 * n) for n in (1, 2, 3)]
        return PastForecast(
            1, "c", "Run 1", Forecast(20, 90, 10, False, *lengths), timedelta(actual)
        )

    found = judged([told(5, 5), told(5, 8), told(5, 99)])
    assert (found.held50, found.held85, found.held95) == (Share(1, 3), Share(2, 3), Share(2, 3))
