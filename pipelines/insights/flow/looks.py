"""What to look at first: the one worst of each kind, or nothing. (own)"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pipelines.insights.flow.ageing import Ageing, OpenVisit
from pipelines.insights.flow.gates import GateValue
from pipelines.insights.flow.hand_offs import HandOffMatrix, HandOffPair
from pipelines.insights.flow.waiting import WaitingCosts

LEAST: Final = 3  # own: a pair that answered fewer hand-offs is no pattern


@dataclass(frozen=True)
class Looks:
    """What to look at first; each is None where nothing of its kind is there.

    `slowest`: the pair whose median wait is longest; `returned`: the pair most often returned,
    with its commonest reason; `oldest`: what is furthest above its expectation; `gate`: the one
    with something to suggest; `costs`: what waiting cost.
    """

    slowest: HandOffPair | None
    returned: HandOffPair | None
    reason: str
    oldest: OpenVisit | None
    gate: GateValue | None
    costs: WaitingCosts


def looks(
    matrix: HandOffMatrix, ageing: Ageing, gates: Sequence[GateValue], costs: WaitingCosts
) -> Looks:
    """Return the worst of each kind."""
    waited = [pair for pair in matrix.pairs if pair.wait.n >= LEAST and pair.wait.p50 is not None]
    slowest = max(waited, key=lambda pair: (pair.wait.p50, pair.wait.n), default=None)
    back = [pair for pair in matrix.pairs if pair.returned]
    returned = max(back, key=lambda pair: (pair.returned, pair.giver, pair.receiver), default=None)
    reason = next(iter(returned.by_code), "") if returned is not None else ""
    late = [one for one in ageing.open if one.level]
    oldest = max(late, key=_beyond, default=None)
    changed = [gate for gate in gates if gate.suggestion in ("drop", "automate")]
    gate = max(changed, key=lambda one: one.cost, default=None)
    return Looks(slowest, returned, reason, oldest, gate, costs)


def _beyond(one: OpenVisit) -> tuple[float, int]:
    """How many times its expectation an open visit has lasted."""
    expected = one.expected.p85
    return (one.age / expected if expected else 0.0, one.visit.id)
