"""Hand-offs, gates, returns, cost of waiting, models: what is counted, and what is suggested."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import catalogue
from pipelines.insights.flow.dora import AlertRecord, DeploymentRecord, model_flows
from pipelines.insights.flow.gates import gate_values, suggest
from pipelines.insights.flow.hand_offs import hand_off_matrix
from pipelines.insights.flow.measures import Share
from pipelines.insights.flow.returns import DRAFTS, returns_by_reason
from pipelines.insights.flow.spread import Spread
from pipelines.insights.flow.waiting import cost_of_waiting
from pipelines.runs.actions.handoffs import RETURN_CODES
from tests.unit.flow.made import day, gate, hand_off, returned, run, visit, window

quick = settings(max_examples=30, deadline=None)
POSITIONS = {"frame": 0, "source": 1, "explore": 2}


def test_the_matrix_tells_wait_volume_and_returns() -> None:
    sent = [
        hand_off(0, 2),
        hand_off(1, 5),
        hand_off(2, 3, "RETURNED", code="unclear"),
        hand_off(4, None, "OFFERED"),
        hand_off(5, 5, "AUTO_ACCEPTED", pair=("DS", "MLR")),
    ]
    found = hand_off_matrix(sent, personas=("BA", "DE", "DS", "MLR"), now=day(10))
    cell = found.pair("BA", "DE")
    assert cell is not None
    assert (cell.n, cell.returned, cell.ping_pong) == (4, 1, 0.5)
    assert (cell.wait.n, cell.wait.p50) == (2, timedelta(days=3))
    assert (cell.open.n, cell.open.p50) == (1, timedelta(days=6))
    assert cell.complete == Share(2, 3)
    assert cell.by_code == {"unclear": 1}
    assert cell.records == (4000, 2000, 1000, 0)
    other = found.pair("DS", "MLR")
    assert other is not None
    assert (other.automatic, other.wait.n, other.ping_pong) == (1, 0, None)
    assert found.pair("DE", "BA") is None


@quick
@given(st.lists(st.sampled_from(["ACCEPTED", "RETURNED", "WITHDRAWN", "OFFERED"]), max_size=30))
def test_every_hand_off_is_in_one_cell(states: list[str]) -> None:
    personas = ("BA", "DE", "DS")
    sent = [
        hand_off(n, n + 1, state, pair=(personas[n % 3], personas[(n + 1) % 3]))
        for n, state in enumerate(states)
    ]
    found = hand_off_matrix(sent, personas=personas, now=day(99))
    assert sum(pair.n for pair in found.pairs) == found.n == len(states)
    assert sum(pair.returned for pair in found.pairs) == states.count("RETURNED")


def test_a_gates_value_is_what_it_stopped_against_its_wait() -> None:
    gates = [
        gate(0, 2),
        gate(3, 4, "CHANGES_REQUESTED", code="leakage"),
        gate(5, 8, "REJECTED", code="value"),
        gate(9, 10, "CLOSED_UNDECIDED"),
        gate(11, None, "OPEN"),
    ]
    late = returned(30, "explore", "frame", "leakage")
    later = returned(40, "explore", "frame", "quality", kind="hand_off")
    before = returned(1, "explore", "frame", "leakage")
    (found,) = gate_values(gates, [late, later, before], positions=POSITIONS)
    assert (found.n, found.approved, found.sent_back, found.stopped) == (3, 1, 1, 1)
    assert (found.open, found.undecided, found.missed) == (1, 1, 2)
    assert found.cost == timedelta(days=7)
    assert found.per_catch == timedelta(days=3.5)
    assert found.by_code == {"leakage": 1, "value": 1}
    assert found.suggestion == ""


@pytest.mark.parametrize(
    ("reviews", "caught", "missed", "said"),
    [(19, 0, 0, ""), (20, 0, 0, "drop"), (20, 0, 1, "automate"), (40, 1, 0, "automate"),
     (40, 8, 0, "keep")],
)  # fmt: skip
def test_what_is_suggested(reviews: int, caught: int, missed: int, said: str) -> None:
    assert suggest(reviews, caught, missed) == said
    assert suggest(reviews, caught, missed, people=False) in ("", "keep")


def test_a_reason_that_recurs_drafts_a_check() -> None:
    seen = [returned(n, "explore", "source", "leakage") for n in range(3)]
    rare = [returned(9, "explore", "source", "quality")] * 2
    reran = [returned(9, "source", "source", "rerun", kind="rerun")]
    found = returns_by_reason([*seen, *rare, *reran], positions=POSITIONS)
    assert [(one.code, one.n) for one in found] == [("leakage", 3), ("quality", 2)]
    draft = found[0].draft
    assert draft is not None
    assert (draft.check, draft.stage, draft.asked) == ("leakage_clean", "explore", False)
    assert found[1].draft is None
    assert found[0].pairs == (("explore", "source", 3),)
    present = {"explore": {"leakage_clean"}}
    (again, _) = returns_by_reason([*seen, *rare], positions=POSITIONS, present=present)
    assert again.draft is not None
    assert again.draft.asked


def test_a_draft_without_its_stage_goes_to_where_work_came_back() -> None:
    seen = [returned(n, "explore", "source", "fairness") for n in range(3)]
    (found,) = returns_by_reason(seen, positions=POSITIONS)
    assert found.draft is not None
    assert found.draft.stage == "source"


def test_drafts_name_checks_and_reasons_that_there_are() -> None:
    assert {check for check, *_ in DRAFTS.values() if check} <= set(catalogue.CHECKS)
    assert set(DRAFTS) == set(RETURN_CODES) - {"other"}


def test_waiting_costs_the_briefs_value_per_day() -> None:
    visits = [visit(2, 9, offered=0, accepted=2, taken=3, submitted=5)]
    dear = run(0, None, value_per_day=100.0, currency="EUR")
    found = cost_of_waiting([dear], visits, window(0, 20))
    (one,) = found.runs
    assert one.waited == timedelta(days=2 + 1 + 4)
    assert one.cost == pytest.approx(700)
    assert (one.worst, one.worst_kind, found.total) == ("frame", "review", (("EUR", 700.0),))


def test_two_waits_at_once_cost_once_and_the_window_cuts() -> None:
    visits = [visit(0, 10, submitted=2), visit(0, 10, submitted=6, stage="source")]
    (one,) = cost_of_waiting([run(0, None)], visits, window(4, 8)).runs
    assert one.waited == timedelta(days=4)
    assert one.cost is None


@quick
@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0.1, 20)), min_size=1, max_size=10))
def test_nobody_waits_longer_than_the_window(spans: list[tuple[float, float]]) -> None:
    visits = [visit(start, start + length, submitted=start) for start, length in spans]
    found = cost_of_waiting([run(0, None)], visits, window(10, 40))
    assert found.waited <= timedelta(days=30)


def test_doras_five_for_a_model() -> None:
    made = [
        DeploymentRecord(1, "late", 1, day(1), day(0), day(3), day(20)),
        DeploymentRecord(2, "late", 2, day(18), day(15), day(20), day(24), rolled_back=True),
        DeploymentRecord(3, "late", 3, day(28), day(25), day(30), answers_alert=True),
    ]
    alerts = [
        AlertRecord(1, "late", "red", day(22), onset=day(21)),
        AlertRecord(2, "late", "amber", day(31)),
    ]
    label = Spread(5, timedelta(days=1))
    (found,) = model_flows(made, alerts, {"late": label}, window(-1, 29.44 + 30.44 + 1))
    assert found.n == 3
    assert found.per_month == pytest.approx(3 / 2, rel=0.05)
    assert found.lead.p50 == timedelta(days=2)
    assert found.data_lead.p50 == timedelta(days=5)
    assert found.recovery.p50 == timedelta(days=2)
    assert found.failed == Share(1, 3)
    assert found.rework == Share(1, 3)
    assert (found.detect.n, found.detect.p50) == (1, timedelta(days=1))
    assert found.label_lag is label
