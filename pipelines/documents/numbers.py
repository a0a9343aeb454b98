"""Tables of a predicted number that was challenged: groups, intervals, steps ahead, age."""

from collections.abc import Mapping
from typing import Any, Final

from pipelines.documents.cells import listed_row
from pipelines.documents.tree import Block, table
from pipelines.documents.writer import Writer

MOST_ROWS: Final = 40
PEOPLE: Final = {
    "group": "Group", "rows": "Rows", "mean_prediction": "Mean prediction",
    "mean_outcome": "Mean outcome", "bias": "Mean error", "mae": "Mean absolute error",
    "judged": "Judged",
}  # fmt: skip
KINDS: Final = {
    "method": "Interval", "coverage": "Coverage", "low": "95 %", "allowed_low": "Allowed from",
    "allowed_high": "Allowed to", "mean_width": "Mean width",
}  # fmt: skip
COVERED: Final = {
    "group": "Group", "method": "Interval", "rows": "Rows", "coverage": "Coverage",
    "low": "95 %", "p_adjusted": "p, adjusted",
}  # fmt: skip
AHEAD: Final = {
    "step": "Steps ahead", "low": "Added to the prediction", "coverage": "Coverage",
    "checked_rows": "Rows that counted",
}  # fmt: skip
NOISE: Final = {
    "size": "Standard deviations", "moved": "Predictions move by", "worse": "Errors change by",
    "low": "95 %",
}  # fmt: skip
AGES: Final = {"age_days": "Days old", "value": "Score", "loss": "Lost"}


def number_tables(writer: Writer) -> list[Block]:
    """What was tried beyond scores; none where the answer is no number, or nothing was tried."""
    screened = writer.saying("fairness", "mae")
    blocks = _listed(writer, screened, "groups", (PEOPLE, "Groups of people"))
    counted = writer.saying("methods", "levels")
    blocks += _listed(writer, counted, "methods", (KINDS, "Intervals and what they hold"))
    blocks += _listed(writer, counted, "groups", (COVERED, "Coverage by group"))
    promised = writer.evaluated().get("prediction_interval")
    blocks += _listed(writer, promised, "steps", (AHEAD, "An interval for each step ahead"))
    stressed = writer.saying("noise", "mae")
    blocks += _listed(writer, stressed, "noise", (NOISE, "Noise on all numbers at once"))
    if blocks:
        aged = writer.saying("curve", "oldest_days")
        blocks += _listed(writer, aged, "curve", (AGES, "The same rows, models ever older"))
    return blocks


def _listed(
    writer: Writer, source: Any, key: str, how: tuple[Mapping[str, str], str]
) -> list[Block]:
    """A list of the facts as a table with its evidence; a value beside its interval."""
    columns, title = how
    found = source.get(key) if isinstance(source, Mapping) else None
    rows = [_flat(row) for row in found if isinstance(row, Mapping)] if found else []
    evidence = writer.evidence()
    if len(rows) > MOST_ROWS:
        title = f"{title} (the first {MOST_ROWS} of {len(rows)})"
    made = [listed_row(row, columns) for row in rows[:MOST_ROWS]]
    return [table(columns.values(), made, title=title, evidence=evidence)] if made else []


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with the value of what has an interval; the interval's ends as the row's own."""
    plain = dict(row)
    for key, value in row.items():
        if isinstance(value, Mapping) and "value" in value:
            plain |= {key: value["value"], "low": value.get("low"), "high": value.get("high")}
    return plain
