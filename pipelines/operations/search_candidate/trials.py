"""The trials of a search: seeded TPE, the default first, every trial on the same thin folds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from time import perf_counter
from typing import Self

import numpy as np
import optuna

from pipelines.operations.contract import Context, Json
from pipelines.operations.learning.folds import thinned
from pipelines.operations.learning.metrics import HIGHER_IS_BETTER
from pipelines.operations.learning.settings import Tunable
from pipelines.operations.learning.tasks import Task
from pipelines.operations.learning.training import Training, score_folds

STARTUP_TRIALS = 5  # random ones before TPE has anything to learn from
BORDER = 0.02  # of a range's width: a best value this near its end asks for a wider range (own)


@dataclass(frozen=True)
class Search:
    """What is searched: family, metric, trials at most, seconds as a guard, sample size."""

    task: Task
    family: str
    metric: str
    trials: int
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
            trials=context.whole("n_trials"),
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


@dataclass(frozen=True)
class Trial:
    """One set of parameters with its mean score, and the score on each fold."""

    number: int
    settings: dict[str, Json]
    score: float
    folds: tuple[float, ...]

    def as_json(self) -> dict[str, Json]:
        """The row of the log."""
        return {
            "trial": self.number,
            "settings": self.settings,
            "score": self.score,
            "folds": list(self.folds),
            "default": self.number == 0,
        }


@dataclass(frozen=True)
class Found:
    """All trials, in order, and why the search ended."""

    search: Search
    trials: tuple[Trial, ...]
    stopped_by: str

    @property
    def best(self) -> Trial:
        """The best trial; the earlier one where two are equal."""
        sign = 1 if HIGHER_IS_BETTER[self.search.metric] else -1
        return max(self.trials, key=lambda trial: (sign * trial.score, -trial.number))

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
            "format": "baton/search/1",
            "method": "TPE",
            "family": self.search.family,
            "metric": self.search.metric,
            "space": ranges,
            "trials": rows,
            "best": self.best.number,
        }

    def facts(self) -> dict[str, Json]:
        """Tried, of how many, the best, what it gained, and whether a range was too narrow."""
        default, best = self.trials[0], self.best
        sign = 1 if HIGHER_IS_BETTER[self.search.metric] else -1
        gains = sign * (np.asarray(best.folds) - np.asarray(default.folds))
        return {
            "family": self.search.family,
            "method": "TPE",
            "tried": len(self.trials),
            "space_size": self.search.space,
            "tunables_searched": [tunable.name for tunable in self.search.tunables],
            "best_trial": best.number,
            "settings": best.settings,
            "best_score": round(best.score, 6),
            "default_score": round(default.score, 6),
            "gain": round(float(gains.mean()), 6),
            "gain_standard_error": round(float(gains.std(ddof=1) / math.sqrt(gains.size)), 6),
            "border_hits": list[Json](border_hits(best, self.search)),
            "stopped_by": self.stopped_by,
            "repeatable": self.stopped_by == "trials",
            "sample_rows": self.search.rows,
        }


def search(training: Training, asked: Search, context: Context) -> Found:
    """Run the trials; the first one is the family's default."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=asked.seed, n_startup_trials=STARTUP_TRIALS)
    study = optuna.create_study(sampler=sampler, direction=_direction(asked.metric))
    folds = [thinned(f, rows=asked.rows, seed=asked.seed + n) for n, f in enumerate(training.folds)]
    trials: list[Trial] = []
    start = perf_counter()
    while len(trials) < asked.trials and perf_counter() - start < asked.seconds:
        # the default is no point of the search space (l2 = 0 on a log scale), so TPE only
        # learns from the others
        asked_trial = study.ask() if trials else None
        settings = asked.fixed | (_suggested(asked_trial, asked) if asked_trial else {})
        scores = score_folds(training, asked.family, settings, folds=folds, done=lambda n: None)
        values = tuple(score[asked.metric] for score in scores)
        trials.append(Trial(len(trials), settings, float(np.mean(values)), values))
        if asked_trial:
            study.tell(asked_trial, trials[-1].score)
        context.progress(
            0.1 + 0.6 * len(trials) / asked.trials,
            f"trial {len(trials)} of {asked.trials}: {asked.metric} {trials[-1].score:.4f}",
        )
    return Found(asked, tuple(trials), "trials" if len(trials) == asked.trials else "budget")


def _direction(metric: str) -> optuna.study.StudyDirection:
    higher = HIGHER_IS_BETTER[metric]
    return optuna.study.StudyDirection.MAXIMIZE if higher else optuna.study.StudyDirection.MINIMIZE


def _suggested(trial: optuna.Trial, asked: Search) -> dict[str, Json]:
    settings: dict[str, Json] = {}
    for tunable in asked.tunables:
        low, high = tunable.search
        if tunable.whole:
            settings[tunable.name] = trial.suggest_int(
                tunable.name, int(low), int(high), log=tunable.log
            )
        else:
            settings[tunable.name] = trial.suggest_float(tunable.name, low, high, log=tunable.log)
    return settings


def border_hits(best: Trial, asked: Search) -> list[str]:
    """Parameters whose best value lies at an end of the range; hard limits do not count."""
    hits = []
    for tunable in asked.tunables:
        value = best.settings.get(tunable.name)
        if not isinstance(value, int | float):
            continue
        place = _place(float(value), tunable)
        at_low = place < BORDER and tunable.search[0] > tunable.limits[0]
        at_high = place > 1 - BORDER and tunable.search[1] < tunable.limits[1]
        if at_low or at_high:
            hits.append(tunable.name)
    return hits


def _place(value: float, tunable: Tunable) -> float:
    """Where in its range a value lies, 0 to 1, on the scale that was searched."""
    low, high = tunable.search
    if tunable.log:
        value, low, high = math.log(value), math.log(low), math.log(high)
    return (value - low) / (high - low)
