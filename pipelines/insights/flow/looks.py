"""What to look at first: the one worst of each kind, or nothing. (own)"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pipelines.insights.flow.ageing import Ageing, OpenVisit
from pipelines.insights.flow.gates import GateValue
from pipelines.insights.flow.hand_offs import HandOffMatrix, HandOffPair
from pipelines.insights.flow.records import ReturnRecord
from pipelines.insights.flow.waiting import WaitingCosts

LEAST: Final = 3  # own: a pair that answered fewer hand-offs is no pattern


@dataclass(frozen=True, slots=True)
class ReturnedPair:
    """The persona that sent work back, the one that got it again, how often, and the commonest
    reason with its share of these.
    """

    giver: str
    receiver: str
    n: int
    code: str
    of_code: int


@dataclass(frozen=True)
class Looks:
    """What to look at first; each is None where nothing of its kind is there.

    `slowest`: the pair whose median wait is longest; `returned`: the two personas between which
    most came back, by review or hand-off; `oldest`: what is furthest above its expectation;
    `gate`: the one with something to suggest; `costs`: what waiting cost.
    """

    slowest: HandOffPair | None
    returned: ReturnedPair | None
    oldest: OpenVisit | None
    gate: GateValue | None
    costs: WaitingCosts


def looks(
    matrix: HandOffMatrix,
    returns: Sequence[ReturnRecord],
    ageing: Ageing,
    gates: Sequence[GateValue],
    costs: WaitingCosts,
) -> Looks:
    """Return the worst of each kind."""
    waited = [pair for pair in matrix.pairs if pair.wait.n >= LEAST and pair.wait.p50 is not None]
    slowest = max(waited, key=lambda pair: (pair.wait.p50, pair.wait.n), default=None)
    late = [one for one in ageing.open if one.level]
    oldest = max(late, key=_beyond, default=None)
    changed = [gate for gate in gates if gate.suggestion in ("drop", "automate")]
    gate = max(changed, key=lambda one: one.cost, default=None)
    return Looks(slowest, returned_pair(returns), oldest, gate, costs)


def returned_pair(returns: Sequence[ReturnRecord]) -> ReturnedPair | None:
    """Return the two personas between which work came back most; what a persona sent back to
    itself or computed again is left out.
    """
    between = [one for one in returns if one.giver != one.receiver and one.kind != "rerun"]
    if not between:
        return None
    pairs = Counter((one.giver, one.receiver) for one in between)
    (giver, receiver), n = min(pairs.items(), key=lambda item: (-item[1], item[0]))
    codes = Counter(one.code for one in between if (one.giver, one.receiver) == (giver, receiver))
    code, of_code = min(codes.items(), key=lambda item: (-item[1], item[0]))
    return ReturnedPair(giver, receiver, n, code, of_code)


def _beyond(one: OpenVisit) -> tuple[float, int]:
    """How many times its expectation an open visit has lasted."""
    expected = one.expected.p85
    return (one.age / expected if expected else 0.0, one.visit.id)
