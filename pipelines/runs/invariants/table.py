"""All invariants by their code, and what cannot be asked of the present tables."""

from typing import Final

from pipelines.runs.invariants.attempts import ATTEMPTS
from pipelines.runs.invariants.contract import Invariant
from pipelines.runs.invariants.gates import GATES
from pipelines.runs.invariants.records import RECORDS
from pipelines.runs.invariants.work import WORK

INVARIANTS: Final[tuple[Invariant, ...]] = tuple(
    sorted((*ATTEMPTS, *GATES, *WORK, *RECORDS), key=lambda one: int(one.code[1:]))
)

# Said beside every verdict: what is not looked at must not look as if it held.
NOT_YET: Final = {
    "I19": "erasure: there is no erasure event yet",
    "I20": "rows deleted from the outbox: events do not name their topic",
    "I22": "limits: what ran under a limit that was changed or taken away since",
}
