"""What a check gets (facts, params) and what it answers (CheckResult). Only stdlib.

Facts map "stage.step" to the facts of that step's current round,
"item.<stage>.<item>" to what a person filled in, and "run" to the run's
parameters and seats. A check whose facts are missing answers "insufficient".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Facts: TypeAlias = Mapping[str, Mapping[str, Json]]
Params: TypeAlias = Mapping[str, Json]
Verdict = Literal["pass", "fail", "insufficient"]
Comparison = Literal[">=", "<="]
ThresholdClass = Literal["law", "tool", "conv", "meas", "own"]

MAX_DETAILS = 50  # rows shown under a result; the summary carries the full count


@dataclass(frozen=True)
class CheckResult:
    """A verdict with the number it rests on, its interval, threshold and evidence rows."""

    verdict: Verdict
    summary: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    threshold: float | None = None
    comparison: Comparison | None = None
    unit: str = ""
    threshold_class: ThresholdClass = "own"
    details: tuple[dict[str, Json], ...] = ()
    advice: str = ""
    previous: float | None = None

    def as_json(self) -> dict[str, Json]:
        """The result as plain data, for the Check row and the API."""
        data: dict[str, Json] = asdict(self)
        data["details"] = list(self.details)
        return data


CheckFunction = Callable[[Facts, Params], CheckResult]


def insufficient(summary: str, *, advice: str = "") -> CheckResult:
    """The third verdict: there is not enough to judge."""
    return CheckResult("insufficient", summary, advice=advice)


def passed(summary: str, *, value: float | None = None, unit: str = "") -> CheckResult:
    """A pass that needs no threshold."""
    return CheckResult("pass", summary, value=value, unit=unit)


def judge(value: float, comparison: Comparison, threshold: float) -> Verdict:
    """Compare a value with its threshold; equal passes."""
    holds = value >= threshold if comparison == ">=" else value <= threshold
    return "pass" if holds else "fail"


def step_facts(facts: Facts, params: Params, default: str) -> Mapping[str, Json] | None:
    """Facts of the step that `params["step"]` names, else of the default "stage.step"."""
    return facts.get(text(params, "step", default))


def item_data(facts: Facts, params: Params, default: str) -> Mapping[str, Json] | None:
    """Data of the work item that `params["item"]` names, else of "<stage>.<item>"."""
    return facts.get(f"item.{text(params, 'item', default)}")


def number(source: Mapping[str, Json] | None, key: str) -> float | None:
    """A number out of facts or params; None when absent or no number."""
    value = (source or {}).get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def limit(params: Params, key: str, default: float) -> float:
    """A threshold out of a check's params, else its default."""
    value = number(params, key)
    return default if value is None else value


def text(source: Mapping[str, Json] | None, key: str, default: str = "") -> str:
    """A text out of facts or params; the default when absent or no text."""
    value = (source or {}).get(key)
    return value if isinstance(value, str) else default


def rows(source: Mapping[str, Json] | None, key: str) -> list[dict[str, Json]]:
    """A list of objects out of facts; empty when absent."""
    value = (source or {}).get(key)
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def names(source: Mapping[str, Json] | None, key: str) -> list[str]:
    """A list of texts out of facts or params; empty when absent."""
    value = (source or {}).get(key)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def mapping(source: Mapping[str, Json] | None, key: str) -> dict[str, Json]:
    """An object out of facts or params; empty when absent."""
    value = (source or {}).get(key)
    return value if isinstance(value, dict) else {}


def decimals(value: float, digits: int) -> str:
    """So many decimals of a number; two significant digits where they would say it is zero."""
    text = f"{value:.{digits}f}"
    return f"{value:.2g}" if value and not float(text) else text


def shown(found: Iterable[dict[str, Json]]) -> tuple[dict[str, Json], ...]:
    """The first rows of evidence, as many as a page can show."""
    return tuple(list(found)[:MAX_DETAILS])
