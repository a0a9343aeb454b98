"""The value of each gate: what it stopped, what it let through, and what it cost. (own)"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Literal

from pipelines.insights.flow.records import DAY, GateRecord, ReturnRecord
from pipelines.insights.flow.spread import Spread, spread

ENOUGH: Final = 20  # own: fewer reviews say nothing on a gate's worth
SELDOM: Final = 0.05  # own: a gate that stops less often than this may be a check's work
Suggestion = Literal["", "keep", "automate", "drop"]


@dataclass(frozen=True)
class GateValue:
    """One stage's gate. `n`: reviews that ended; `stopped`: rejected, `sent_back`: changes asked.

    `missed`: what it had approved and a later gate or receiver sent back to it or before it;
    `wait`: opened to closed; `cost`: all of these together; `per_catch`: cost of each thing it
    stopped or sent back; `by_code`: why; `records`: ids of its gates, newest first. `suggestion`:
    empty while there are fewer than 20 reviews.
    """

    stage: str
    position: int
    persona: str
    n: int
    approved: int
    stopped: int
    sent_back: int
    undecided: int
    overridden: int
    open: int
    missed: int
    wait: Spread
    cost: timedelta
    per_catch: timedelta | None
    suggestion: Suggestion
    by_code: Mapping[str, int] = field(default_factory=dict)
    records: tuple[int, ...] = ()

    @property
    def caught(self) -> int:
        """What it stopped or sent back."""
        return self.stopped + self.sent_back


def gate_values(
    gates: Sequence[GateRecord],
    returns: Sequence[ReturnRecord],
    *,
    positions: Mapping[str, int],
) -> tuple[GateValue, ...]:
    """Return each gate's value, in the stages' order."""
    by_stage: dict[str, list[GateRecord]] = {}
    for gate in gates:
        by_stage.setdefault(gate.stage, []).append(gate)
    missed = _missed(by_stage, returns, positions)
    found = [_value(stage, seen, missed.get(stage, 0)) for stage, seen in by_stage.items()]
    return tuple(sorted(found, key=lambda one: (one.position, one.stage)))


def suggest(n: int, caught: int, missed: int, *, people: bool = True) -> Suggestion:
    """Return what to do with a gate: drop one that stops nothing, automate one that seldom does or
    that misses what others find; keep one that no `people` decide in, for it costs nothing. (own)
    """
    if n < ENOUGH:
        return ""
    if not people:
        return "keep"
    if caught == 0:
        return "automate" if missed else "drop"
    return "automate" if caught / n < SELDOM else "keep"


def _missed(
    gates: Mapping[str, Sequence[GateRecord]],
    returns: Sequence[ReturnRecord],
    positions: Mapping[str, int],
) -> dict[str, int]:
    """Count returns from behind a gate to its stage or before, after it had approved that run."""
    found: dict[str, int] = {}
    for one in returns:
        if one.kind not in ("gate", "hand_off"):
            continue
        source, target = positions.get(one.source), positions.get(one.target)
        if source is None or target is None:
            continue
        for stage, seen in gates.items():
            if not target <= positions.get(stage, -1) < source:
                continue
            approved = (g for g in seen if g.run == one.run and g.state == "APPROVED")
            if any(gate.closed is not None and gate.closed <= one.at for gate in approved):
                found[stage] = found.get(stage, 0) + 1
    return found


def _value(stage: str, seen: Sequence[GateRecord], missed: int) -> GateValue:
    by_state = {state: [g for g in seen if g.state == state] for state in {g.state for g in seen}}
    approved = len(by_state.get("APPROVED", ()))
    stopped = len(by_state.get("REJECTED", ()))
    sent_back = len(by_state.get("CHANGES_REQUESTED", ()))
    waits = [gate.closed - gate.opened for gate in seen if gate.closed is not None]
    cost = sum(waits, timedelta(0))
    codes: dict[str, int] = {}
    for gate in by_state.get("REJECTED", []) + by_state.get("CHANGES_REQUESTED", []):
        codes[gate.code] = codes.get(gate.code, 0) + 1
    n = approved + stopped + sent_back
    newest = sorted(seen, key=lambda gate: (gate.opened, gate.id), reverse=True)
    return GateValue(
        stage=stage,
        position=newest[0].position,
        persona=newest[0].persona,
        n=n,
        approved=approved,
        stopped=stopped,
        sent_back=sent_back,
        undecided=len(waits) - n,
        overridden=sum(1 for gate in seen if gate.overridden),
        open=sum(1 for gate in seen if gate.closed is None),
        missed=missed,
        wait=spread(waits),
        cost=cost,
        per_catch=cost / (stopped + sent_back) if stopped + sent_back else None,
        suggestion=suggest(
            n, stopped + sent_back, missed, people=any(gate.deciders for gate in seen)
        ),
        by_code=dict(sorted(codes.items(), key=lambda item: (-item[1], item[0]))),
        records=tuple(gate.id for gate in newest),
    )


def wait_days(value: GateValue) -> float:
    """Return the gate's cost in days of waiting."""
    return value.cost / DAY
