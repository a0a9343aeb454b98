"""Every life cycle, walked over every pair of state and event."""

from itertools import product

import pytest

from pipelines.lifecycles import (
    ATTEMPT,
    GATE,
    HAND_OFF,
    MACHINES,
    NEW,
    RUN,
    STAGE,
    STEP,
    WORK_ITEM,
    IllegalMove,
    Machine,
    can_move,
    move,
)

every_machine = pytest.mark.parametrize("machine", MACHINES, ids=str)


def reach(machine: Machine, start: str) -> set[str]:
    found, front = set(), [start]
    while front:
        here = front.pop()
        for (state, _), target in machine.moves.items():
            if state == here and target not in found:
                found.add(target)
                front.append(target)
    return found


@every_machine
def test_every_pair_is_a_move_or_refused(machine: Machine) -> None:
    for state, event in product((NEW, *machine.states), machine.events):
        if can_move(machine, state, event):
            assert move(machine, state, event) in machine.states
        else:
            with pytest.raises(IllegalMove) as refused:
                move(machine, state, event)
            assert (refused.value.machine, refused.value.state) == (machine.name, state)
            assert refused.value.event == event


@every_machine
def test_every_state_can_be_reached(machine: Machine) -> None:
    assert reach(machine, NEW) == set(machine.states)


@every_machine
def test_every_open_state_can_end(machine: Machine) -> None:
    for state in machine.open:
        assert reach(machine, state) & machine.terminal, state


@every_machine
def test_no_state_is_both_open_and_terminal(machine: Machine) -> None:
    assert machine.open | machine.terminal == set(machine.states)
    assert not machine.open & machine.terminal


@every_machine
def test_an_open_state_is_never_final(machine: Machine) -> None:
    assert not machine.open & machine.final


def test_unknown_event_is_refused() -> None:
    with pytest.raises(IllegalMove, match="gate: no move 'smile' from state 'OPEN'"):
        move(GATE, "OPEN", "smile")


def test_no_deadline_approves() -> None:
    assert move(GATE, "OPEN", "expire") == "EXPIRED"
    approving = {event for (_, event), target in GATE.moves.items() if target == "APPROVED"}
    assert approving == {"approve", "override_approve"}


def test_end_states_never_change() -> None:
    assert RUN.final == {"SUCCEEDED", "REJECTED", "CANCELLED"}
    assert STAGE.final == {"SENT_BACK", "SUPERSEDED", "CANCELLED"}
    assert ATTEMPT.final == ATTEMPT.terminal
    assert GATE.final == GATE.terminal
    assert HAND_OFF.final == HAND_OFF.terminal
    assert WORK_ITEM.final == WORK_ITEM.terminal


@pytest.mark.parametrize(
    ("machine", "state", "event", "target"),
    [
        (RUN, "FAILED", "retry_failed", "RUNNING"),
        (RUN, "PAUSED", "migrate", "PAUSED"),
        (STAGE, NEW, "reopen", "ACTIVE"),
        (STAGE, "READY", "hand_off_lost", "PENDING"),
        (STAGE, "FAILED", "send_back", "SENT_BACK"),
        (STAGE, "SKIPPED", "supersede", "SUPERSEDED"),
        (STEP, "RUNNING", "requeue", "QUEUED"),
        (STEP, "PENDING", "cache_hit", "SUCCEEDED"),
        (ATTEMPT, "RUNNING", "not_yet", "DEFERRED"),
        (WORK_ITEM, "ON_HOLD", "resume", "IN_PROGRESS"),
        (HAND_OFF, "ESCALATED", "accept", "ACCEPTED"),
    ],
)
def test_moves_of_the_tables(machine: Machine, state: str, event: str, target: str) -> None:
    assert move(machine, state, event) == target


@pytest.mark.parametrize(
    ("machine", "state", "event"),
    [
        (STAGE, "PENDING", "supersede"),
        (WORK_ITEM, "COMPLETED", "unclaim"),
        (WORK_ITEM, "ON_HOLD", "complete"),
        (HAND_OFF, "PREPARING", "accept"),
        (HAND_OFF, "ESCALATED", "auto_accept"),
        (RUN, "SUCCEEDED", "cancel"),
        (ATTEMPT, "LOST", "complete"),
    ],
)
def test_moves_the_tables_do_not_have(machine: Machine, state: str, event: str) -> None:
    assert not can_move(machine, state, event)
