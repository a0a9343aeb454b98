"""DuckDB expressions that read a text cell exactly as the present code would, or stop.

A guard holds only for cells that both readers understand alike; a cell beyond it is
left to the cell-by-cell look, which names row and value.
"""

from pipelines.operations.ingest.cells import FALSE, LARGEST, TRUE
from pipelines.operations.ingest.plans import ColumnPlan
from pipelines.operations.streaming import literal

STOP = "unlike the head of its column: "
_DAY = r"[12]\d{3}-\d{2}-\d{2}"
_CLOCK = r"[ T]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?"
SQL_TYPES = {"int": "BIGINT", "float": "DOUBLE", "time": "TIMESTAMP"}
PATTERNS = {"": rf"{_DAY}({_CLOCK})?", "zone": rf"{_DAY}{_CLOCK}(Z|[+-]\d{{2}}:\d{{2}})"}
# Formats whose every part has a fixed width: read and written back, a cell is the same.
FIXED = ("%Y/%m/%d", "%d.%m.%Y", "%d.%m.%Y %H:%M", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y")


def has_guard(plan: ColumnPlan) -> bool:
    """Whether cells of that plan can be read by an expression."""
    return plan.kind != "time" or plan.time_format in (*PATTERNS, *FIXED)


def attempt(plan: ColumnPlan, cell: str) -> str:
    """The cell as its planned type, missing where that fails; "" for text, which stays as it is."""
    if plan.kind == "text":
        return ""
    if plan.kind == "bool":
        return f"{cell} IN ({_listed(TRUE)})"
    if plan.kind == "time" and plan.time_format not in PATTERNS:
        return f"try_strptime({cell}, {literal(plan.time_format)})"
    return f"TRY_CAST({cell} AS {SQL_TYPES[plan.kind]})"


def guard(plan: ColumnPlan, cell: str, tried: str) -> str:
    """A condition that holds where the cell is surely of the planned type; "" for text.

    `tried` names what `attempt` gave.
    """
    if plan.kind == "text":
        return ""
    if plan.kind == "bool":
        return f"{cell} IN ({_listed((*TRUE, *FALSE))})"
    if plan.kind == "int":
        return f"{tried}::VARCHAR = {cell} AND strlen({cell}) < 19"
    if plan.kind == "float":
        return _float_guard(cell, tried)
    if plan.time_format in PATTERNS:
        pattern = literal(PATTERNS[plan.time_format])
        return f"{tried} IS NOT NULL AND regexp_full_match({cell}, {pattern})"
    return f"strftime({tried}, {literal(plan.time_format)}) = {cell}"


def _float_guard(cell: str, tried: str) -> str:
    """Finite numbers without a leading zero, an underscore or more digits than a text keeps.

    Text ranges are compared instead of patterns: a quarter of the time. '0' and then a
    digit lies between '00' and '0:'; the characters from '-' to '9' are - . / and digits.
    """
    zeros = f"({cell} >= '00' AND {cell} < '0:') OR ({cell} >= '-00' AND {cell} < '-0:')"
    return (
        f"{cell} >= '-' AND {cell} < ':' AND NOT ({zeros}) AND NOT contains({cell}, '_') "
        f"AND (strlen({cell}) < 19 OR contains({cell}, '.')) AND abs({tried}) <= {LARGEST}"
    )


def typed(plan: ColumnPlan, cell: str, tried: str) -> str:
    """The cell as its planned type; the statement stops at a cell that the guard refuses."""
    holds = guard(plan, cell, tried)
    if not holds:
        return cell
    stop = literal(STOP + plan.name)
    return f"CASE WHEN {cell} IS NULL THEN NULL WHEN {holds} THEN {tried} ELSE error({stop}) END"


def _listed(texts: tuple[str, ...]) -> str:
    return ", ".join(literal(text) for text in texts)
