"""What is searched, every trial of it, and what the search found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from pipelines.operations.contract import Context, Json, OperationError, finite
from pipelines.operations.learning.metrics import HIGHER_IS_BETTER
from pipelines.operations.learning.settings import Tunable
from pipelines.operations.learning.tasks import Task

BORDER = 0.02  # of a range's width: a best value this near its end asks for a wider range (own)
SHOWN = 60  # trials in facts; the log has all
State = Literal["complete", "dropped", "failed"]
METHODS = {"tpe": "TPE", "halving": "successive halving"}


@dataclass(frozen=True)
class Search:
    """What is searched: family, metric, method, trials at most, seconds, sample size."""

    task: Task
    family: str
    metric: str
    method: str
    trials: int
    factor: int
    seconds: float
    rows: int
    seed: int

    @classmethod
    def of(cls, context: Context, task: Task, metric: str) -> Self:
        """The search that an attempt's params ask for."""
        return cls(
            task=task,
            family=context.text("family"),
            metric=metric,
            method=context.text("method"),
            trials=context.whole("n_trials"),
            factor=context.whole("factor"),
            seconds=context.number("budget_seconds"),
            rows=context.whole("sample_rows"),
            seed=context.seed,
        )

    @property
    def tunables(self) -> tuple[Tunable, ...]:
        """The parameters searched."""
        return self.task.space(self.family).tunables

    @property
    def fixed(self) -> dict[str, Json]:
        """Settings that every trial has: what makes the family minimise the metric."""
        return self.task.fitting(self.family, self.metric)

    @property
    def space(self) -> int:
        """Combinations, at the stated number of steps per parameter."""
        return math.prod(tunable.steps for tunable in self.tunables)

    @property
    def sign(self) -> int:
        """1 where a higher metric is better, else -1."""
        return 1 if HIGHER_IS_BETTER[self.metric] else -1


@dataclass(frozen=True)
class Trial:
    """One set of parameters: scores on each fold at the most rows it was measured on."""

    number: int
    settings: dict[str, Json]
    folds: tuple[float, ...]
    rows: int
    state: State
    problem: str = ""
    seconds: float = 0.0

    @property
    def score(self) -> float:
        """The mean over folds; NaN for a failed trial."""
        return float(np.mean(self.folds)) if self.folds else float("nan")

    @property
    def error(self) -> float:
        """The standard error of that mean; NaN for fewer than two folds."""
        if len(self.folds) < 2:
            return float("nan")
        return float(np.std(self.folds, ddof=1) / math.sqrt(len(self.folds)))

    def as_json(self) -> dict[str, Json]:
        """The row of the log: equal for equal content, so without the seconds it took."""
        return {
            "trial": self.number,
            "settings": self.settings,
            "state": self.state,
            "score": finite(self.score),
            "standard_error": finite(self.error),
            "folds": list(self.folds),
            "rows": self.rows,
            "problem": self.problem,
            "default": self.number == 0,
        }


@dataclass(frozen=True)
class Found:
    """All trials, in order, and why the search ended."""

    search: Search
    trials: tuple[Trial, ...]
    stopped_by: str
    saved: float = 0.0

    @property
    def best(self) -> Trial:
        """The best trial on the most rows; the earlier one where two are equal."""
        sign = self.search.sign
        complete = [trial for trial in self.trials if trial.state == "complete"]
        return max(complete, key=lambda trial: (sign * trial.score, -trial.number))

    def as_json(self) -> dict[str, Json]:
        """The log artefact."""
        rows: list[Json] = [trial.as_json() for trial in self.trials]
        ranges: list[Json] = [
            {
                "name": t.name,
                "from": t.search[0],
                "to": t.search[1],
                "log": t.log,
                "default": t.default,
            }
            for t in self.search.tunables
        ]
        return {
            "format": "baton/search/2",
            "method": METHODS[self.search.method],
            "family": self.search.family,
            "metric": self.search.metric,
            "space": ranges,
            "trials": rows,
            "best": self.best.number,
            "borders": list[Json](borders(self.best, self.search)),
            "stopped_by": self.stopped_by,
        }

    def facts(self) -> dict[str, Json]:
        """Tried, of how many, the best, what it gained, and whether a range was too narrow."""
        best, found = self.best, borders(self.best, self.search)
        return {
            "family": self.search.family,
            "method": METHODS[self.search.method],
            "tried": len(self.trials),
            "failed": sum(trial.state == "failed" for trial in self.trials),
            "dropped": sum(trial.state == "dropped" for trial in self.trials),
            "space_size": self.search.space,
            "tunables_searched": [tunable.name for tunable in self.search.tunables],
            "best_trial": best.number,
            "settings": best.settings,
            "best_score": round(best.score, 6),
            "best_standard_error": finite(best.error, 6),
            **self._gain(),
            "border_hits": [str(row["name"]) for row in found],
            "borders": list[Json](found),
            "stopped_by": self.stopped_by,
            "repeatable": self.stopped_by == "trials",
            "sample_rows": self.search.rows,
            "trials": [_short(trial) for trial in self.trials[:SHOWN]],
            "budget": self.search.seconds,
            "trial_seconds": [trial.seconds for trial in self.trials],
            "taken_over_seconds": round(self.saved, 3),
        }

    def _gain(self) -> dict[str, Json]:
        """Over the family's default, pair by pair of folds; unknown where the default failed."""
        default, best = self.trials[0], self.best
        if len(default.folds) != len(best.folds) or default.rows != best.rows:
            return {"default_score": None, "gain": None, "gain_standard_error": None}
        gains = self.search.sign * (np.asarray(best.folds) - np.asarray(default.folds))
        error = float(gains.std(ddof=1) / math.sqrt(gains.size)) if gains.size > 1 else math.nan
        return {
            "default_score": round(default.score, 6),
            "gain": round(float(gains.mean()), 6),
            "gain_standard_error": finite(error, 6),
        }


def _short(trial: Trial) -> dict[str, Json]:
    row = trial.as_json()
    kept = ("trial", "state", "score", "standard_error", "rows", "settings", "problem")
    # by fold: whether a border hit matters is asked pair by pair of folds (checks.worries)
    return {key: row[key] for key in kept} | {"folds": [round(v, 6) for v in trial.folds]}


def need_one(trials: Sequence[Trial]) -> None:
    """Raise OperationError where not one trial came to an end."""
    if not any(trial.state == "complete" for trial in trials):
        raise OperationError(
            "no_trial_succeeded",
            f"none of {len(trials)} trials could be fitted and scored",
            field="train",
            rule="at least one set of parameters fits",
            details=[{"trial": t.number, "problem": t.problem} for t in trials[:20]],
        )


def borders(best: Trial, asked: Search) -> list[dict[str, Json]]:
    """Parameters whose best value lies at an end of the range; hard limits do not count."""
    found: list[dict[str, Json]] = []
    for tunable in asked.tunables:
        value = best.settings.get(tunable.name)
        if not isinstance(value, int | float):
            continue
        place = _place(float(value), tunable)
        at_low = place < BORDER and tunable.search[0] > tunable.limits[0]
        at_high = place > 1 - BORDER and tunable.search[1] < tunable.limits[1]
        if at_low or at_high:
            found.append(
                {
                    "name": tunable.name,
                    "value": value,
                    "end": "low" if at_low else "high",
                    "from": tunable.search[0],
                    "to": tunable.search[1],
                }
            )
    return found


def _place(value: float, tunable: Tunable) -> float:
    """Where in its range a value lies, 0 to 1, on the scale that was searched."""
    low, high = tunable.search
    if tunable.log:
        value, low, high = math.log(value), math.log(low), math.log(high)
    return (value - low) / (high - low)
