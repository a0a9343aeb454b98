"""Hand-offs between personas: how long they wait, how many, how often they come back. (own)"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pipelines.insights.flow.measures import Share, complete_and_accurate
from pipelines.insights.flow.records import HandOffRecord
from pipelines.insights.flow.spread import Spread, spread


@dataclass(frozen=True)
class HandOffPair:
    """What passes from one persona to another.

    `n`: offered; `wait`: accepted - offered, of those that a person accepted; `ages` of those that
    wait now; `complete`: %C/A; `by_code`: returns by reason; `records`: ids, newest offer first.
    """

    giver: str
    receiver: str
    n: int
    wait: Spread
    open: Spread
    automatic: int
    returned: int
    withdrawn: int
    complete: Share
    ping_pong: float | None
    by_code: Mapping[str, int] = field(default_factory=dict)
    records: tuple[int, ...] = ()


@dataclass(frozen=True)
class HandOffMatrix:
    """Every pair of personas that handed something over; `personas` in lane order."""

    n: int
    personas: tuple[str, ...]
    pairs: tuple[HandOffPair, ...]
    ping_pong: float | None
    by_code: Mapping[str, int]

    def pair(self, giver: str, receiver: str) -> HandOffPair | None:
        """The cell of two personas; None where nothing passed."""
        return next((p for p in self.pairs if (p.giver, p.receiver) == (giver, receiver)), None)


def ping_pong(hand_offs: Sequence[HandOffRecord]) -> float | None:
    """Return returns per accepted hand-off; None where none was accepted. (own)"""
    accepted = sum(1 for one in hand_offs if one.accepted)
    return sum(1 for one in hand_offs if one.returned) / accepted if accepted else None


def returns_by_code(hand_offs: Sequence[HandOffRecord]) -> dict[str, int]:
    """Return how many came back for each reason, the most frequent first."""
    found: dict[str, int] = {}
    for one in hand_offs:
        if one.returned:
            found[one.code] = found.get(one.code, 0) + 1
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def hand_off_matrix(
    hand_offs: Sequence[HandOffRecord], *, personas: Sequence[str], now: datetime
) -> HandOffMatrix:
    """Return the matrix of giver x receiver: wait, volume, returns."""
    cells: dict[tuple[str, str], list[HandOffRecord]] = {}
    for one in hand_offs:
        cells.setdefault((one.giver, one.receiver), []).append(one)
    order = {code: n for n, code in enumerate(personas)}
    known = sorted(cells, key=lambda cell: tuple(order.get(code, len(order)) for code in cell))
    return HandOffMatrix(
        n=len(hand_offs),
        personas=tuple(personas),
        pairs=tuple(_pair(cell, cells[cell], now) for cell in known),
        ping_pong=ping_pong(hand_offs),
        by_code=returns_by_code(hand_offs),
    )


def _pair(cell: tuple[str, str], found: Sequence[HandOffRecord], now: datetime) -> HandOffPair:
    newest = sorted(found, key=lambda one: (one.offered, one.id), reverse=True)
    return HandOffPair(
        *cell,
        n=len(found),
        wait=spread(one.answered - one.offered for one in found if one.accepted and one.answered),
        open=spread(now - one.offered for one in found if one.open),
        automatic=sum(1 for one in found if one.state == "AUTO_ACCEPTED"),
        returned=sum(1 for one in found if one.returned),
        withdrawn=sum(1 for one in found if one.state == "WITHDRAWN"),
        complete=complete_and_accurate(found),
        ping_pong=ping_pong(found),
        by_code=returns_by_code(found),
        records=tuple(one.id for one in newest),
    )
