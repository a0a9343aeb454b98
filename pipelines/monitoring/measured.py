"""Measured windows of a use case: what its monitoring steps found, window by window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from pipelines.lifecycles import AttemptState
from pipelines.runs.models import Attempt
from pipelines.runs.queries.facts import number, rows
from pipelines.usecases.models import UseCase

DRIFT, QUALITY = "measure_drift", "measure_quality"
MOST_ATTEMPTS = 60  # of both: some thirty windows
SCORE = "score"  # the column of the report that holds the model's own answers
FLOORS: Mapping[str, float] = {"amber": 0.10, "red": 0.25}  # the operation's defaults


@dataclass(frozen=True)
class Window:
    """A measured window: by which run, and until which event."""

    run: int
    label: str
    until: datetime
    rows: int


@dataclass(frozen=True)
class Drift:
    """One column in one window: its PSI, and the limit that the window's size asks for."""

    window: Window
    column: str
    psi: float
    limit: float
    level: str
    shift: float | None

    @property
    def share(self) -> float:
        """How many times the limit it is."""
        return self.psi / self.limit if self.limit else 0.0


@dataclass(frozen=True)
class Quality:
    """The metric on late labels in one window, and its worth in money where costs are known."""

    window: Window
    metric: str
    value: float | None
    low: float | None
    high: float | None
    control: float | None
    reference: float | None
    higher_is_better: bool
    labelled: int
    worth: float | None
    worth_low: float | None
    worth_high: float | None
    currency: str
    lag_hours: float | None

    @property
    def missing(self) -> int:
        """Answers whose outcome was not known when the window was measured."""
        return self.window.rows - self.labelled


def measured_of(use_case: UseCase) -> tuple[tuple[Drift, ...], tuple[Quality, ...]]:
    """Return what the latest windows found, oldest first; one query."""
    found = list(
        Attempt.objects.filter(
            run__use_case=use_case, operation__in=(DRIFT, QUALITY), state=AttemptState.SUCCEEDED
        )
        .select_related("run")
        .only("operation", "facts", "params", "finished_at", "run__number", "run__kind")
        .order_by("-id")[:MOST_ATTEMPTS]
    )[::-1]
    ends = {
        one.run_id: parse_datetime(str(one.facts.get("last_event") or ""))
        for one in found
        if one.operation == DRIFT
    }
    drift: list[Drift] = []
    quality: list[Quality] = []
    for attempt in found:
        until = ends.get(attempt.run_id) or attempt.finished_at
        if until is None:
            continue
        window = Window(
            attempt.run_id, attempt.run.label, until, int(number(attempt.facts, "rows") or 0)
        )
        if attempt.operation == DRIFT:
            drift += _drift(window, attempt)
        else:
            quality.append(_quality(window, attempt.facts))
    return tuple(drift), tuple(quality)


def _drift(window: Window, attempt: Attempt) -> list[Drift]:
    floor = _floor(attempt.params)
    found = []
    for row in rows(attempt.facts, "columns"):
        psi = number(row, "psi")
        if psi is None:  # too few rows
            continue
        limit = max(floor, number(row, "limit") or 0.0)
        level, shift = str(row.get("level", "")), number(row, "shift")
        found.append(Drift(window, str(row.get("column", "")), psi, limit, level, shift))
    return found


def _floor(params: Mapping[str, Any]) -> float:
    level = "red" if params.get("alert_from") == "red" else "amber"
    given = number(params, level)
    return FLOORS[level] if given is None else given


def _quality(window: Window, facts: Mapping[str, Any]) -> Quality:
    return Quality(
        window=window,
        metric=str(facts.get("metric", "")),
        value=number(facts, "value"),
        low=number(facts, "low"),
        high=number(facts, "high"),
        control=number(facts, "control_limit"),
        reference=number(facts, "reference"),
        higher_is_better=facts.get("higher_is_better") is not False,
        labelled=int(number(facts, "labelled") or 0),
        worth=number(facts, "worth_per_1000"),
        worth_low=number(facts, "worth_low"),
        worth_high=number(facts, "worth_high"),
        currency=str(facts.get("currency") or ""),
        lag_hours=number(facts, "lag_p50_hours"),
    )


def worst_first(drift: Sequence[Drift]) -> list[str]:
    """Return the latest window's columns, the one furthest beyond its limit first."""
    last = drift[-1].window if drift else None
    latest = {one.column: one.share for one in drift if one.window == last and one.column != SCORE}
    return sorted(latest, key=lambda column: (-latest[column], column))
