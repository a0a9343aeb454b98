"""What a life cycle is, and the one function that applies its moves."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class IllegalMove(Exception):
    """The life cycle knows no such move from this state."""

    def __init__(self, machine: str, state: str, event: str) -> None:
        super().__init__(f"{machine}: no move {event!r} from state {state or 'NEW'!r}")
        self.machine = machine
        self.state = state
        self.event = event


@dataclass(frozen=True, eq=False)
class Machine:
    """One life cycle. `terminal`: nothing is awaited any more; `final`: no move leads out."""

    name: str
    states: tuple[str, ...]
    moves: Mapping[tuple[str, str], str]
    terminal: frozenset[str]
    open: frozenset[str]
    final: frozenset[str]
    events: frozenset[str]

    def __str__(self) -> str:
        return self.name


def machine(
    name: str,
    states: type[StrEnum],
    *,
    terminal: Iterable[str],
    moves: Mapping[tuple[str, str], str],
) -> Machine:
    values = tuple(str(state.value) for state in states)
    leaving = {state for state, _ in moves}
    return Machine(
        name=name,
        states=values,
        moves=moves,
        terminal=frozenset(terminal),
        open=frozenset(values) - frozenset(terminal),
        final=frozenset(values) - leaving,
        events=frozenset(event for _, event in moves),
    )


def move(machine: Machine, state: str, event: str) -> str:
    """The state that `event` leads to from `state`. Raises IllegalMove."""
    try:
        return machine.moves[(str(state), event)]
    except KeyError:
        raise IllegalMove(machine.name, str(state), event) from None


def can_move(machine: Machine, state: str, event: str) -> bool:
    """Whether `event` is a legal move from `state`."""
    return (str(state), event) in machine.moves
