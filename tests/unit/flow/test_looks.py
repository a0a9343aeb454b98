"""What to look at first: the worst of each kind, and nothing where there is none."""

from dataclasses import replace

from pipelines.insights.flow.ageing import ageing
from pipelines.insights.flow.cumulative import cumulative_flow
from pipelines.insights.flow.gates import gate_values
from pipelines.insights.flow.hand_offs import hand_off_matrix
from pipelines.insights.flow.looks import Looks, looks, returned_pair
from pipelines.insights.flow.records import HandOffRecord, ReturnRecord
from pipelines.insights.flow.waiting import cost_of_waiting
from tests.unit.flow.made import day, hand_off, returned, visit, window

LONG = window(0, 60)


def back(at: float, giver: str, receiver: str, code: str) -> ReturnRecord:
    return replace(returned(at, "tune", "explore", code), giver=giver, receiver=receiver)


def only(sent: list[HandOffRecord]) -> Looks:
    """What is said where there is nothing but these hand-offs."""
    matrix = hand_off_matrix(sent, personas=("BA", "DE", "DS", "MLR"), now=day(60))
    aged = ageing([], now=day(60), window=LONG)
    costs = cost_of_waiting([], [], LONG)
    return looks(matrix, [], aged, gate_values([], [], positions={}), costs)


def test_of_nothing_there_is_nothing_to_look_at() -> None:
    found = only([])
    assert (found.slowest, found.returned, found.oldest, found.gate) == (None,) * 4


def test_the_longest_wait_needs_three_answers() -> None:
    sent = [hand_off(0, 1), hand_off(1, 3), hand_off(2, 3)]
    rare = [hand_off(0, 30, pair=("DS", "MLR"))]
    found = only([*sent, *rare])
    assert found.slowest is not None
    assert found.slowest.wait.n == 3


def test_what_is_furthest_above_its_expectation_counts_not_what_is_oldest() -> None:
    past = [visit(n, n + 1, run=n, stage="tune", position=2) for n in range(20)]
    slow = [visit(n, n + 20, run=n, stage="frame") for n in range(20)]
    late = visit(50, stage="tune", position=2, run=90)
    older = visit(35, stage="frame", run=91)
    aged = ageing([*past, *slow, late, older], now=day(60), window=LONG)
    matrix = hand_off_matrix([], personas=(), now=day(60))
    found = looks(matrix, [], aged, (), cost_of_waiting([], [], LONG))
    assert found.oldest is not None
    assert found.oldest.visit.run == 90


def test_what_a_persona_sent_back_to_itself_is_no_pair() -> None:
    assert returned_pair([back(1, "DS", "DS", "leakage")]) is None


def test_the_pair_names_its_commonest_reason() -> None:
    found = returned_pair(
        [
            back(1, "MLR", "DS", "leakage"),
            back(2, "MLR", "DS", "unclear"),
            back(3, "MLR", "DS", "unclear"),
            back(4, "DS", "DE", "data_problem"),
        ]
    )
    assert found is not None
    assert (found.giver, found.receiver, found.n) == ("MLR", "DS", 3)
    assert (found.code, found.of_code) == ("unclear", 2)


def test_of_no_stage_there_is_no_band() -> None:
    found = cumulative_flow("plan", [day(1), day(2)], [], {})
    assert found.bands == ()
    assert found.left == (0, 0)
