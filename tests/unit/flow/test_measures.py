"""WIP, times, yields, Little's law, cumulative flow: the sources' figures and what must hold."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.insights.flow import measures
from pipelines.insights.flow.ageing import ageing, level
from pipelines.insights.flow.cumulative import StageEntries, cumulative_flow
from pipelines.insights.flow.little import alike, average_wip, littles_law, time_in_system
from pipelines.insights.flow.measures import Share
from pipelines.insights.flow.spread import Spread, percentile, spread
from tests.unit.flow.made import day, hand_off, run, visit, window

quick = settings(max_examples=30, deadline=None)
lengths = st.lists(st.floats(0.01, 50), min_size=1, max_size=40)


def test_rolled_yield_as_in_the_source() -> None:
    assert round(measures.rolled([0.8] * 7), 2) == 0.21
    assert round(measures.rolled([0.9] * 7), 2) == 0.48


@pytest.mark.parametrize(("load", "times"), [(0.5, 2), (0.8, 5), (0.9, 10), (0.95, 20)])
def test_what_utilisation_does(load: float, times: float) -> None:
    assert time_in_system(load) == pytest.approx(times)


def test_no_time_in_a_full_system() -> None:
    with pytest.raises(ValueError, match="below 1"):
        time_in_system(1.0)


def test_percentiles_are_those_of_numpy() -> None:
    # numpy.percentile([1, 2, 3, 4, 10], [50, 85, 95]) == [3, 6.4, 8.8]
    assert [percentile([1, 2, 3, 4, 10], q) for q in (0.5, 0.85, 0.95)] == pytest.approx(
        [3, 6.4, 8.8]
    )
    with pytest.raises(ValueError, match="percentile"):
        percentile([], 0.5)


@quick
@given(lengths)
def test_a_spread_is_ordered_and_within_its_values(values: list[float]) -> None:
    found = spread(timedelta(days=value) for value in values)
    assert found.n == len(values)
    assert found.p50 is not None
    assert found.p85 is not None
    assert found.p95 is not None
    low, high = timedelta(days=min(values)), timedelta(days=max(values))
    assert low <= found.p50 <= found.p85 <= found.p95 <= high


def test_of_nothing_nothing_is_said() -> None:
    assert spread([]) == Spread(0)
    assert Share(0, 0).value is None
    assert measures.rolled_complete_and_accurate([]) is None
    assert littles_law([], window(0, 10)).residual is None


def test_wip_counts_from_the_start_to_before_the_end() -> None:
    spans = [(day(0), day(2)), (day(1), None)]
    assert [measures.wip(spans, day(at)) for at in (0, 1, 2, 9)] == [1, 2, 1, 1]


def test_throughput_has_its_zeros() -> None:
    found = measures.throughput([day(0.5), day(2.2), day(2.9), None, day(-1)], window(0, 4))
    assert found.counts == (1, 0, 2, 0)
    assert (found.n, found.per_day) == (3, 0.75)
    assert found.days[0] == day(0)


@quick
@given(lengths, st.integers(1, 60))
def test_throughput_adds_up(ends: list[float], days: int) -> None:
    found = measures.throughput([day(end) for end in ends], window(0, days))
    assert sum(found.counts) == found.n == sum(1 for end in ends if end <= days)


def test_lead_time_is_from_accept_to_hand_on() -> None:
    done = visit(2, 5, accepted=1.5, handed=6)
    assert measures.stage_lead_time(done) == timedelta(days=4.5)
    assert measures.stage_lead_time(visit(2, 5)) == timedelta(days=3)
    assert measures.stage_lead_time(visit(2)) is None
    runs = [run(0, 30, committed=day(3)), run(0, None), run(0, 99, committed=day(4))]
    assert measures.use_case_lead_times(runs, window(0, 40)).p50 == timedelta(days=27)


def test_complete_and_accurate_is_one_less_returns_over_receipts() -> None:
    sent = [hand_off(n, n + 1) for n in range(8)] + [hand_off(9, 10, "RETURNED")] * 2
    sent += [hand_off(11, None, "OFFERED"), hand_off(12, 13, "WITHDRAWN")]
    assert measures.complete_and_accurate(sent) == Share(8, 10)
    other = [hand_off(1, 2, stages=("source", "explore"))]
    assert measures.rolled_complete_and_accurate([*sent, *other]) == pytest.approx(0.8)


def test_first_pass_yield_leaves_reruns_and_later_rounds_out() -> None:
    visits = [
        visit(0, 1),
        visit(1, 2, state="SENT_BACK", returned=2, code="quality"),
        visit(2, 3, state="SUPERSEDED", returned=3, code="rerun"),
        visit(3, 4, round=2),
        visit(4, 5, state="CANCELLED"),
    ]
    assert measures.first_pass_yield(visits, window(0, 9)) == Share(2, 3)


def test_flow_efficiency_counts_from_the_offer() -> None:
    found = measures.flow_efficiency([visit(4, 10, offered=0, active=1.5)], window(0, 20))
    assert found.value == pytest.approx(0.15)
    assert measures.flow_efficiency([visit(4, 10)], window(0, 20)).value is None


@quick
@given(lengths)
def test_flow_efficiency_is_a_share(values: list[float]) -> None:
    visits = [visit(0, value, active=value / 3) for value in values]
    share = measures.flow_efficiency(visits, window(0, 60)).value
    assert share is not None
    assert 0 <= share <= 1


def test_the_expectation_is_the_85th_percentile() -> None:
    found = measures.expectation(
        measures.cycle_times([visit(0, n) for n in range(1, 101)], window(0, 200))
    )
    assert (found.n, found.share) == (100, 0.85)
    assert found.within is not None
    assert found.within / timedelta(days=1) == pytest.approx(85.15)


def test_littles_law_holds_where_one_comes_as_one_goes() -> None:
    # Two a day, each for three days: WIP 6 = 2 a day x 3 days.
    spans = [(day(n / 2), day(n / 2 + 3)) for n in range(-20, 120)]
    found = littles_law(spans, window(0, 40))
    assert (found.wip, found.throughput, found.cycle) == (6.0, 2.0, timedelta(days=3))
    assert found.residual == pytest.approx(0)
    assert (found.shown, found.balanced, found.same_wip, found.ages_steady) == (True,) * 4


def test_littles_law_is_hidden_where_work_only_comes_in() -> None:
    spans = [(day(n), day(n + 1) if n < 3 else None) for n in range(40)]
    found = littles_law(spans, window(0, 40))
    assert not found.shown
    assert not found.balanced
    assert not found.same_wip


@quick
@given(st.lists(st.tuples(st.floats(0, 40), st.floats(0.1, 9)), max_size=30))
def test_average_wip_is_the_time_under_way(spans: list[tuple[float, float]]) -> None:
    made = [(day(start), day(start + length)) for start, length in spans]
    total = sum(length for _, length in spans)
    assert average_wip(made, window(0, 50)) == pytest.approx(total / 50, abs=1e-6)


@quick
@given(st.floats(0, 1000), st.floats(0, 1000))
def test_alike_knows_no_order(one: float, two: float) -> None:
    assert alike(one, two) == alike(two, one)


def test_cumulative_flow_is_arrivals_less_the_next() -> None:
    entries = [StageEntries("b", 1, "DE", {2: 1}), StageEntries("a", 0, "BA", {0: 2, 1: 1})]
    found = cumulative_flow("plan", [day(1), day(2)], entries, {2: 1})
    assert [band.stage for band in found.bands] == ["a", "b"]
    assert found.bands[0].entered == (3, 3)
    assert found.bands[0].wip == (3, 2)
    assert (found.bands[1].wip, found.left, found.n) == ((0, 0), (0, 1), 3)


@quick
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5), st.integers(0, 5)), max_size=20))
def test_no_band_is_ever_negative_and_totals_never_fall(runs: list[tuple[int, int, int]]) -> None:
    entries: tuple[dict[int, int], ...] = ({}, {}, {})
    for first, second, third in runs:
        for found, at in zip(entries, (first, first + second, first + second + third), strict=True):
            found[at] = found.get(at, 0) + 1
    stages = [StageEntries(str(n), n, "BA", found) for n, found in enumerate(entries[:2])]
    flow = cumulative_flow("plan", [day(n) for n in range(1, 21)], stages, entries[2])
    for band in flow.bands:
        assert min(band.wip) >= 0
        assert list(band.entered) == sorted(band.entered)
    assert flow.left[-1] == len(runs)


def test_ageing_warns_above_p85_and_p95() -> None:
    past = [visit(0, n / 10, stage="tune") for n in range(1, 101)]
    open_ = [visit(100 - age, stage="tune") for age in (9.9, 9, 1)]
    found = ageing([*open_, *past], now=day(100), window=window(-1, 100))
    assert [one.level for one in found.open] == ["red", "amber", ""]
    assert (found.n, found.red, found.amber) == (3, 1, 1)
    assert not found.open[0].pooled


def test_a_stage_with_a_short_past_is_judged_by_all() -> None:
    past = [visit(0, 1, stage="tune") for _ in range(30)]
    found = ageing([visit(90, stage="deploy"), *past], now=day(100), window=window(-1, 100))
    assert found.open[0].pooled
    assert found.open[0].level == "red"
    alone = ageing([visit(90, stage="deploy")], now=day(100), window=window(-1, 100))
    assert alone.open[0].level == ""


@quick
@given(st.floats(0, 100), st.floats(0, 100))
def test_older_is_never_less_urgent(one: float, two: float) -> None:
    expected = Spread(20, None, timedelta(1), timedelta(30), timedelta(60))
    order = {"": 0, "amber": 1, "red": 2}
    young, old = sorted((one, two))
    assert order[level(timedelta(young), expected)] <= order[level(timedelta(old), expected)]
