"""Searching: TPE and halving as their references do it, resumed, on threads, cut by a budget."""

import json
import warnings
from pathlib import Path

import numpy as np
import optuna
import pytest
from sklearn.datasets import make_classification
from sklearn.experimental import enable_halving_search_cv  # noqa: F401 - allows the next import
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import HalvingRandomSearchCV

from pipelines import catalogue
from pipelines.operations.contract import Context, OperationError, Outcome, clean_params
from pipelines.operations.learning import training as trainings
from pipelines.operations.learning.example import write_features, write_rows
from pipelines.operations.learning.folds import thinned
from pipelines.operations.learning.tasks import TASKS
from pipelines.operations.search_candidate import measuring, searching
from pipelines.operations.search_candidate.halving import best_of, rungs
from pipelines.operations.search_candidate.journal import Journal, Measured
from pipelines.operations.search_candidate.trials import Search, Trial, borders
from pipelines.operations.tables import read_document

SPEC = catalogue.spec("search_candidate")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("search")
    return {"train": write_rows(folder / "train.parquet"), "features": write_features(folder)}


def context(inputs, folder: Path, *, kept=None, threads=1, report=None, **params) -> Context:
    folder.mkdir(parents=True, exist_ok=True)
    given = {"family": "linear", "n_trials": 6, "folds": 2, **params}
    watched = {} if report is None else {"report": report}
    return Context(
        spec=SPEC, folder=folder, inputs=inputs, params=clean_params(SPEC, given), seed=3,
        threads=threads, kept=kept, **watched,
    )  # fmt: skip


def search(inputs, folder: Path, **given) -> Outcome:
    outcome = catalogue.resolve("search_candidate")(context(inputs, folder, **given))
    assert isinstance(outcome, Outcome)
    return outcome


def contents(outcome: Outcome) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in outcome.outputs.items()}


def timeless(outcome: Outcome) -> dict:
    return {name: v for name, v in outcome.facts.items() if not name.endswith("_seconds")}


# --- the trials are those of the references ------------------------------------------------------


def test_trials_are_those_of_a_plain_optuna_study(inputs, tmp_path) -> None:
    log = read_document(search(inputs, tmp_path / "a", n_trials=9).outputs["log"])
    asked = context(inputs, tmp_path / "b", n_trials=9)
    known = trainings.open_training(asked)
    folds = [thinned(fold, rows=8000, seed=3 + n) for n, fold in enumerate(known.folds)]

    def objective(trial: optuna.Trial) -> float:
        settings = {"C": trial.suggest_float("C", 1e-3, 1e2, log=True)}
        found = trainings.score_folds(known, "linear", settings, folds=folds, done=lambda n: None)
        return float(np.mean([score["roc_auc"] for score in found]))

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=3, n_startup_trials=5)
    study = optuna.create_study(sampler=sampler, direction="maximize")
    study.optimize(objective, n_trials=8)
    ours = log["trials"][1:]
    assert [row["settings"] for row in ours] == [trial.params for trial in study.trials]
    assert [row["score"] for row in ours] == [trial.value for trial in study.trials]


@pytest.mark.parametrize(
    ("candidates", "rows", "factor"), [(12, 8000, 3), (27, 5400, 3), (60, 8000, 2), (10, 5000, 4)]
)
def test_rungs_are_those_of_scikit_learn(candidates, rows, factor) -> None:
    x, y = make_classification(rows, 4, random_state=1)
    reference = HalvingRandomSearchCV(
        LogisticRegression(tol=1.0, max_iter=1), {"C": np.logspace(-3, 2, 500)},
        n_candidates=candidates, factor=factor, min_resources="exhaust", cv=2, refit=False,
        random_state=1,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reference.fit(x, y)
    ours = rungs(candidates, rows=rows, factor=factor)
    assert [rung.candidates for rung in ours] == reference.n_candidates_
    assert [rung.rows for rung in ours] == reference.n_resources_


def test_few_rows_make_fewer_rungs() -> None:
    assert [(r.candidates, r.rows) for r in rungs(27, rows=500, factor=3)] == [(27, 500)]
    assert [(r.candidates, r.rows) for r in rungs(9, rows=50, factor=3)] == [(9, 50)]
    assert best_of([(0, 0.5), (1, 0.7), (2, 0.7), (3, 0.1)], 2) == [1, 2]


def test_halving_drops_the_worse_and_carries_the_default_along(inputs, tmp_path) -> None:
    outcome = search(
        inputs, tmp_path / "a", method="halving", n_trials=9, sample_rows=2000, factor=3
    )
    log = read_document(outcome.outputs["log"])
    states = [row["state"] for row in log["trials"]]
    assert log["method"] == "successive halving"
    assert outcome.facts["dropped"] == states.count("dropped") >= 6
    assert states[0] == "complete"
    complete = [row for row in log["trials"] if row["state"] == "complete"]
    assert {row["rows"] for row in complete} == {1998}
    assert log["trials"][log["best"]]["score"] == max(row["score"] for row in complete)
    assert outcome.facts["gain"] >= 0
    again = search(
        inputs, tmp_path / "b", method="halving", n_trials=9, sample_rows=2000, factor=3, threads=2
    )
    assert contents(outcome) == contents(again)


# --- the log, threads, what fails ----------------------------------------------------------------


def test_every_trial_is_on_record(inputs, tmp_path) -> None:
    outcome = search(inputs, tmp_path / "a")
    log = read_document(outcome.outputs["log"])
    assert len(log["trials"]) == outcome.facts["tried"] == len(outcome.facts["trial_seconds"]) == 6
    for row in log["trials"]:
        folds = np.asarray(row["folds"])
        assert row["state"] == "complete"
        assert row["score"] == pytest.approx(folds.mean())
        assert row["standard_error"] == pytest.approx(folds.std(ddof=1) / np.sqrt(2))
    assert all(seconds > 0 for seconds in outcome.facts["trial_seconds"])


def test_threads_change_nothing_but_time(inputs, tmp_path) -> None:
    before = list(warnings.filters)
    one = search(inputs, tmp_path / "a", folds=3)
    many = search(inputs, tmp_path / "b", folds=3, threads=3)
    assert contents(one) == contents(many)
    assert timeless(one) == timeless(many)
    assert warnings.filters == before


def failing(monkeypatch, bad) -> list:
    """Let parameters that `bad` picks fail; returns what was fitted."""
    fitted: list = []
    real = trainings.score_folds

    def score(training, family, settings, **rest):
        fitted.append(dict(settings))
        if bad(settings):
            raise ValueError("it does not fit")
        return real(training, family, settings, **rest)

    monkeypatch.setattr(measuring, "score_folds", score)
    return fitted


def test_a_trial_that_fails_is_logged_and_the_search_goes_on(inputs, tmp_path, monkeypatch) -> None:
    failing(monkeypatch, lambda settings: settings.get("C", 1.0) > 1.5)
    outcome = search(inputs, tmp_path / "a", n_trials=8)
    log = read_document(outcome.outputs["log"])
    failed = [row for row in log["trials"] if row["state"] == "failed"]
    assert 0 < len(failed) == outcome.facts["failed"] < 8
    assert all(row["score"] is None for row in failed)
    assert failed[0]["problem"] == "ValueError: it does not fit"
    assert log["trials"][log["best"]]["state"] == "complete"


def test_rows_without_words_fail_a_trial_and_not_the_search(inputs, tmp_path, monkeypatch) -> None:
    refused = searching.Bench._scores

    def wordless(self, settings, folds):
        if settings.get("C", 1.0) > 1:
            raise OperationError("no_words", "the texts hold no word")
        return refused(self, settings, folds)

    monkeypatch.setattr(searching.Bench, "_scores", wordless)
    found = search(inputs, tmp_path, n_trials=10)
    failed = [row for row in found.facts["trials"] if row["state"] == "failed"]
    assert found.facts["failed"] == len(failed) > 0
    assert failed[0]["problem"] == "no_words: the texts hold no word"


def test_where_the_default_fails_there_is_no_gain_over_it(inputs, tmp_path, monkeypatch) -> None:
    failing(monkeypatch, lambda settings: not settings)
    for method in ("tpe", "halving"):
        facts = search(inputs, tmp_path / method, method=method).facts
        assert (facts["gain"], facts["default_score"]) == (None, None)
        assert facts["best_trial"] > 0


def test_where_all_fail_the_reasons_are_told(inputs, tmp_path, monkeypatch) -> None:
    failing(monkeypatch, lambda settings: True)
    with pytest.raises(OperationError, match="none of 6 trials") as caught:
        search(inputs, tmp_path / "a")
    assert caught.value.details[0]["problem"] == "ValueError: it does not fit"


# --- another attempt goes on ---------------------------------------------------------------------


class Died(BaseException):
    """The child is killed."""


@pytest.mark.parametrize("method", ["tpe", "halving"])
def test_the_next_attempt_goes_on_where_one_died(inputs, tmp_path, monkeypatch, method) -> None:
    given = {"method": method, "n_trials": 8, "sample_rows": 600}
    whole = search(inputs, tmp_path / "whole", **given)
    kept = tmp_path / "kept"
    seen: list[str] = []

    def die(share: float, message: str, rows: int | None) -> None:
        seen.append(message)
        if sum(text.startswith("trial") for text in seen) == 5:
            raise Died

    with pytest.raises(Died):
        search(inputs, tmp_path / "first", kept=kept, report=die, **given)
    assert len(list(kept.iterdir())) == 5
    fitted = failing(monkeypatch, lambda settings: False)
    second = search(inputs, tmp_path / "second", kept=kept, **given)
    assert contents(second) == contents(whole)
    assert timeless(second) == timeless(whole)
    assert second.facts["taken_over_seconds"] > 0
    log = read_document(second.outputs["log"])
    trials = sum(2 if row["rows"] == 600 and method == "halving" else 1 for row in log["trials"])
    assert 0 < len(fitted) <= 2 * (trials - 5 + 2)


def test_taken_over_trials_use_up_the_budget_as_well(inputs, tmp_path, monkeypatch) -> None:
    kept = tmp_path / "kept"
    search(inputs, tmp_path / "a", kept=kept)
    for note in kept.iterdir():
        told = json.loads(note.read_text())
        note.write_text(json.dumps({**told, "seconds": 10.0}))
    fitted = failing(monkeypatch, lambda settings: False)
    outcome = search(inputs, tmp_path / "b", kept=kept, budget_seconds=25.0)
    assert fitted == []
    assert outcome.facts["stopped_by"] == "budget"
    assert (outcome.facts["tried"], outcome.facts["repeatable"]) == (3, False)


def test_halving_that_is_cut_compares_the_last_whole_rung(inputs, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(searching, "Bench", Slow)
    given = {"method": "halving", "n_trials": 9, "sample_rows": 1800, "factor": 3}
    outcome = search(inputs, tmp_path / "a", budget_seconds=10.5, **given)
    log = read_document(outcome.outputs["log"])
    assert outcome.facts["stopped_by"] == log["stopped_by"] == "budget"
    assert {row["rows"] for row in log["trials"] if row["state"] == "complete"} == {200}
    assert len(log["trials"]) == 9
    first = search(inputs, tmp_path / "b", budget_seconds=2.5, **given)
    assert first.facts["tried"] == 3


class Slow(measuring.Bench):
    """Every trial takes a second."""

    def _compute(self, settings, rows) -> Measured:
        found = super()._compute(settings, rows)
        return Measured(found.folds, found.problem, 1.0)


@pytest.mark.parametrize(
    "note", ["", "{", "[]", '{"folds": [0.5]}', '{"folds": ["x"], "problem": "", "seconds": 1}']
)
def test_a_note_that_is_cut_off_counts_for_nothing(tmp_path, note) -> None:
    (tmp_path / "trial-0.json").write_text(note)
    assert Journal(tmp_path).find("trial-0", {}, 10) is None


def test_notes_hold_for_the_same_trial_only(tmp_path) -> None:
    journal = Journal(tmp_path / "new")
    journal.write("trial-1", {"C": 0.1 + 0.2}, 10, Measured((0.5, 1 / 3), "", 2.0))
    found = journal.find("trial-1", {"C": 0.1 + 0.2}, 10)
    assert found is not None
    assert found.folds == (0.5, 1 / 3)
    assert found.taken_over
    assert journal.find("trial-1", {"C": 0.3}, 10) is None
    assert journal.find("trial-1", {"C": 0.1 + 0.2}, 11) is None
    assert journal.find("trial-2", {"C": 0.1 + 0.2}, 10) is None
    nowhere = Journal(None)
    nowhere.write("trial-1", {}, 10, Measured((), "", 1.0))
    assert nowhere.find("trial-1", {}, 10) is None


def test_a_folder_that_cannot_be_written_stops_nothing(inputs, tmp_path) -> None:
    (tmp_path / "file").write_text("no folder")
    outcome = search(inputs, tmp_path / "a", kept=tmp_path / "file" / "kept")
    assert outcome.facts["tried"] == 6


# --- borders -------------------------------------------------------------------------------------


def test_a_best_value_at_an_end_is_told_with_its_range() -> None:
    asked = Search(TASKS["classification"], "boosting", "roc_auc", "tpe", 10, 3, 60.0, 1000, 1)
    best = Trial(
        1, {"learning_rate": 0.0201, "max_iter": 159, "max_features": 1.0}, (0.7,), 1000, "complete"
    )
    found = {row["name"]: row for row in borders(best, asked)}
    assert set(found) == {"learning_rate", "max_iter"}  # max_features 1.0 is a hard limit
    assert (found["learning_rate"]["end"], found["max_iter"]["end"]) == ("low", "high")
    assert (found["max_iter"]["from"], found["max_iter"]["to"]) == (40, 160)
