"""What the checks of groups of people share: who was compared, what chance explains, what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipelines.checks.contract import (
    CheckResult,
    Facts,
    Json,
    Params,
    Verdict,
    insufficient,
    names,
    number,
    rows,
    text,
)
from pipelines.checks.reading import facts_with, listed

FAIRNESS = "evaluate.fairness"
CERTAIN = 0.05  # p-value after Benjamini-Hochberg from which a distance is no chance (conv)


def screened(facts: Facts, params: Params) -> Mapping[str, Json] | CheckResult:
    """The facts of the comparison, or why there are none."""
    found = facts_with(facts, params, FAIRNESS, "fairness")
    if found is None:
        return insufficient("no groups were compared")
    if not names(found, "sensitive"):
        return insufficient(
            "nobody declared a sensitive column, so no groups were compared",
            advice="Declare sensitive columns in Explore, or state that there are none.",
        )
    return found


def sure(row: Mapping[str, Json], p_value: str, certain: float) -> bool:
    """Whether chance does not explain a distance."""
    found = number(row, p_value)
    return found is not None and found <= certain


def told(
    far: Sequence[Mapping[str, Json]], flagged: Sequence[Mapping[str, Json]], p_value: str
) -> tuple[Verdict, str]:
    """The verdict and what to say of chance; where chance cannot be told, neither red nor green."""
    if not far or flagged:
        return "fail" if flagged else "pass", ""
    if any(number(row, p_value) is None for row in far):
        return "insufficient", "; too few days or groups to tell chance"
    return "pass", "; so far apart could be chance"


def too_few(found: Mapping[str, Json], *, also: str = "") -> CheckResult:
    """Nothing was measured; `also` says what else may be the reason."""
    least = int(number(found, "minimum_rows") or 0)
    return insufficient(
        f"no two groups of {listed(names(found, 'sensitive'))} have {least} rows and more{also}",
        advice="Gather more rows of the small groups before anything is said about them.",
    )


def caveat(found: Mapping[str, Json]) -> str:
    """How a flag is to be read, and how many groups it does not speak of."""
    small = sum(int(number(row, "too_small") or 0) for row in rows(found, "fairness"))
    what = "group is" if small == 1 else "groups are"
    said = f"; {small} {what} too small to judge" if small else ""
    return f"{said}. A flag for people to look at, not a verdict."


def look(flagged: Sequence[Mapping[str, Json]], *, whether: str) -> str:
    """Who looks at flagged columns; `whether` names what might do without the difference."""
    if not flagged:
        return ""
    columns = listed([text(row, "column") for row in flagged])
    return (
        f"Let analyst and data scientist look at {columns}: why the groups differ, whom it harms, "
        f"whether {whether} without it, and write down what they decide."
    )
