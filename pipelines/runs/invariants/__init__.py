"""What must always hold, as SQL that must return no row (docs/invariants.md).

`check_all` asks, `record` keeps what was found, `Checker` does both in the engine every minute.
"""

from pipelines.runs.invariants.check import Scope, check_all
from pipelines.runs.invariants.checker import Checker
from pipelines.runs.invariants.contract import Invariant, Offender, Result
from pipelines.runs.invariants.table import INVARIANTS, NOT_YET

__all__ = [
    "INVARIANTS",
    "NOT_YET",
    "Checker",
    "Invariant",
    "Offender",
    "Result",
    "Scope",
    "check_all",
]
