"""The two ways to search: TPE, which learns from each trial, and successive halving.

Both begin with the family's default. Every suggestion comes from a sampler with the seed, and
what is told to it are scores of seeded folds: equal content gives equal trials, in one attempt or
in several, on one thread or on many. Only a budget that runs out depends on the machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import optuna
from optuna.trial import TrialState

from pipelines.operations.contract import Context, Json
from pipelines.operations.learning.training import Training
from pipelines.operations.search_candidate.halving import Rung, best_of, rungs
from pipelines.operations.search_candidate.journal import Journal, Measured
from pipelines.operations.search_candidate.measuring import Bench
from pipelines.operations.search_candidate.trials import Found, Search, State, Trial, need_one

STARTUP_TRIALS = 5  # random ones before TPE has anything to learn from


def search(training: Training, asked: Search, context: Context) -> Found:
    """Run the trials; raises OperationError where none of them came to an end."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    bench = Bench(
        training=training,
        family=asked.family,
        metric=asked.metric,
        seed=asked.seed,
        threads=context.threads,
        journal=Journal(context.kept if context.spec.keeps else None),
    )
    way = {"tpe": _tpe, "halving": _halving}[asked.method]
    trials, stopped_by = way(bench, asked, context)
    need_one(trials)
    if bench.saved:
        context.log(f"trials worth {bench.saved:.1f} s were taken over from an attempt before")
    return Found(asked, tuple(trials), stopped_by, bench.saved)


def _tpe(bench: Bench, asked: Search, context: Context) -> tuple[list[Trial], str]:
    sampler = optuna.samplers.TPESampler(seed=asked.seed, n_startup_trials=STARTUP_TRIALS)
    study = _study(sampler, asked)
    trials: list[Trial] = []
    while len(trials) < asked.trials and bench.spent < asked.seconds:
        # the default is no point of the search space (l2 = 0 on a log scale), so TPE only
        # learns from the others
        wanted = study.ask() if trials else None
        settings = asked.fixed | (suggested(wanted, asked) if wanted else {})
        measured = bench.measure(f"trial-{len(trials)}", settings, asked.rows)
        trials.append(_trial(len(trials), settings, measured, asked.rows))
        if wanted:
            _tell(study, wanted, trials[-1])
        _report(context, trials[-1], len(trials) / asked.trials, asked)
    return trials, "trials" if len(trials) == asked.trials else "budget"


def _halving(bench: Bench, asked: Search, context: Context) -> tuple[list[Trial], str]:
    """The default is carried along through every rung, so that the gain over it is known."""
    study = _study(optuna.samplers.RandomSampler(seed=asked.seed), asked)
    settings = [asked.fixed]
    settings += [asked.fixed | suggested(study.ask(), asked) for _ in range(asked.trials - 1)]
    plan = rungs(asked.trials, rows=asked.rows, factor=asked.factor)
    total, done = sum(rung.candidates for rung in plan), 0
    climbed: list[dict[int, Trial]] = []
    for place, rung in enumerate(plan):
        alive = _promoted(climbed, rung, asked) if climbed else range(asked.trials)
        climbed.append({})
        for number in alive:
            if bench.spent >= asked.seconds and done:
                # a rung that is not complete compares those who came first with nobody
                return _settled(climbed[:-1] or climbed), "budget"
            measured = bench.measure(f"rung-{place}-trial-{number}", settings[number], rung.rows)
            trial = _trial(number, settings[number], measured, rung.rows)
            climbed[-1][number] = trial
            done += 1
            _report(context, trial, min(1.0, done / total), asked)
    return _settled(climbed), "trials"


def _promoted(climbed: Sequence[Mapping[int, Trial]], rung: Rung, asked: Search) -> list[int]:
    """Who goes on to a rung: the best of the rung before, and always the default."""
    before = climbed[-1]
    scored = [(n, asked.sign * t.score) for n, t in before.items() if t.state != "failed"]
    default = {number for number, _ in scored if number == 0}
    return sorted({*default, *best_of(scored, rung.candidates)})


def _settled(climbed: Sequence[Mapping[int, Trial]]) -> list[Trial]:
    """Every trial as it was on its last rung: who is not on the last one of all was dropped."""
    last: dict[int, Trial] = {}
    seconds: dict[int, float] = {}
    for rung in climbed:
        for number, trial in rung.items():
            last[number] = trial
            seconds[number] = seconds.get(number, 0.0) + trial.seconds
    return [
        replace(
            trial,
            seconds=round(seconds[number], 3),
            state="dropped"
            if trial.state == "complete" and number not in climbed[-1]
            else trial.state,
        )
        for number, trial in sorted(last.items())
    ]


def _study(sampler: optuna.samplers.BaseSampler, asked: Search) -> optuna.Study:
    directions = optuna.study.StudyDirection
    direction = directions.MAXIMIZE if asked.sign > 0 else directions.MINIMIZE
    return optuna.create_study(sampler=sampler, direction=direction)


def _tell(study: optuna.Study, wanted: optuna.Trial, trial: Trial) -> None:
    if trial.state == "failed":
        study.tell(wanted, state=TrialState.FAIL)
    else:
        study.tell(wanted, trial.score)


def _trial(number: int, settings: dict[str, Json], measured: Measured, rows: int) -> Trial:
    state: State = "failed" if measured.problem else "complete"
    return Trial(number, settings, measured.folds, rows, state, measured.problem, measured.seconds)


def _report(context: Context, trial: Trial, share: float, asked: Search) -> None:
    said = "failed" if trial.state == "failed" else f"{asked.metric} {trial.score:.4f}"
    context.progress(0.1 + 0.6 * share, f"trial {trial.number + 1} of {asked.trials}: {said}")


def suggested(trial: optuna.Trial, asked: Search) -> dict[str, Json]:
    """Parameters that the sampler wants to see tried."""
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
