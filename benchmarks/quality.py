"""What Baton's chosen model scores beside a plain one on the same folds; prints JSON lines.

    python -m benchmarks.quality [name...]

Each question goes through the operations of its blueprint, S1 to S4. Beside it, on the same rows,
columns and folds: the plain model (HistGradientBoosting with its defaults; for texts TF-IDF and a
logistic regression, the field's usual start), the same with a random search for as long as Baton's
candidates took, and, for forecasts, the last season again. Folds have another share of rows for
training than the release has; the figures compare models, not releases.
"""

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import loguniform, randint
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import mean_absolute_error, roc_auc_score
from sklearn.model_selection import ParameterSampler
from sklearn.pipeline import make_pipeline

from benchmarks.flights import SEED, Plain, machine, say
from benchmarks.questions import QUESTIONS, TEXTS, Question
from pipelines.blueprints.shipped import shipped
from pipelines.operations.learning.folds import Fold
from pipelines.operations.learning.frames import read_features, read_training
from pipelines.operations.learning.training import open_training
from pipelines.operations.tables import read_document

STAGES = ("source", "explore", "features", "tune")
LOWER = ("mae",)  # metrics that are better when lower
SPACE = {
    "learning_rate": loguniform(0.01, 0.5),
    "max_iter": randint(50, 500),
    "max_leaf_nodes": randint(8, 128),
    "min_samples_leaf": randint(5, 100),
    "l2_regularization": loguniform(1e-6, 10),
}


class Rows:
    """The rows, columns and folds that Baton's candidates were scored on, for a plain script."""

    def __init__(self, plain: Plain, question: Question) -> None:
        tune = plain.plan.stage("tune")
        step = next(one for one in tune.all_steps() if one.operation == "train_candidate")
        context = plain.context("tune", step)
        training = open_training(context)
        features = read_features(context.inputs["features"])
        frame = read_training(context.inputs["train"], features, field="train")
        self.table = _typed(frame[list(features.names)])
        self.truth, self.folds = np.asarray(training.truth), training.folds
        self.metric, self.texts = question.metric, question.blueprint == TEXTS

    def models(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Settings without end: the defaults, then drawn ones."""
        yield "plain", {}
        space = {"C": loguniform(1e-2, 1e2)} if self.texts else SPACE
        yield from (
            ("searched", one) for one in ParameterSampler(space, 100_000, random_state=SEED)
        )

    def build(self, settings: Mapping[str, Any]) -> BaseEstimator:
        """The plain model."""
        if self.texts:
            words = [(TfidfVectorizer(), name) for name in self.table.columns]
            return make_pipeline(
                make_column_transformer(*words), LogisticRegression(max_iter=1000, **settings)
            )
        if self.metric in LOWER:
            return HistGradientBoostingRegressor(
                loss="absolute_error",
                categorical_features="from_dtype",
                random_state=SEED,
                **settings,
            )
        return HistGradientBoostingClassifier(
            categorical_features="from_dtype", random_state=SEED, **settings
        )

    def score(self, settings: Mapping[str, Any], folds: Sequence[Fold]) -> list[float]:
        """The metric on each fold."""
        found = []
        for fold in folds:
            model = self.build(settings).fit(self.table.iloc[fold.train], self.truth[fold.train])
            rows, truth = self.table.iloc[fold.test], self.truth[fold.test]
            found.append(
                mean_absolute_error(truth, model.predict(rows))
                if self.metric in LOWER
                else roc_auc_score(truth, model.predict_proba(rows)[:, 1])
            )
        return found


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns as HistGradientBoosting takes them: moments as numbers, many categories as codes."""
    found = {}
    for name in frame.columns:
        values = frame[name]
        if pd.api.types.is_datetime64_any_dtype(values):
            found[name] = values.astype("int64")
        elif pd.api.types.is_bool_dtype(values) or pd.api.types.is_numeric_dtype(values):
            found[name] = values.astype("float64")
        elif values.nunique() > 255:
            found[name] = values.astype("category").cat.codes
        else:
            found[name] = values.astype("category")
    return pd.DataFrame(found, index=frame.index)


def compare(question: Question, folder: Path) -> dict[str, Any]:
    """One row of the table."""
    tables = folder / "tables"
    tables.mkdir(parents=True)
    for name, content in question.files().items():
        (tables / f"{name}.{question.suffix}").write_bytes(content)
    plain = Plain(
        folder / "run",
        {path.stem: path for path in sorted(tables.iterdir())},
        parameters=question.parameters,
        plan=shipped(question.blueprint),
        items=question.forms(),
        stages=STAGES,
    )
    plain.run()
    budget = sum(row["wall"] for row in plain.times if row["step"].startswith("tune."))
    chosen, families = _chosen(plain, question.metric)
    rows = Rows(plain, question)
    if question.blueprint == TEXTS:
        texts = read_training(
            plain.made["explore", "split"].outputs["train"],
            read_features(plain.made["features", "build"].outputs["features"]),
            field="train",
        )
        rows.table = texts[list(rows.table.columns)].fillna("").astype(str)
    return {
        "question": question.name,
        "blueprint": question.blueprint,
        "rows": len(rows.truth),
        "columns": rows.table.shape[1],
        "metric": question.metric,
        "baton": chosen,
        "families": families,
        **_plain_scores(rows, budget),
        "budget_seconds": round(budget, 1),
    }


def _chosen(plain: Plain, metric: str) -> tuple[dict[str, Any], dict[str, float]]:
    """The chosen candidate's mean score over the folds, and every family's."""
    tune = plain.plan.stage("tune")
    step = next(one for one in tune.all_steps() if one.operation == "select_candidate")
    context = plain.context("tune", step)
    found = {}
    for key, path in context.many["scores"].items():
        document = read_document(path)
        found[key] = [fold[metric] for fold in document["folds"]]
    comparison = read_document(plain.made["tune", step.key].outputs["comparison"])
    name = comparison["chosen"]
    means = {key: round(float(np.mean(values)), 4) for key, values in found.items()}
    return {"chosen": name, "score": means[name], "folds": found[name]}, means


def _plain_scores(rows: Rows, budget: float) -> dict[str, Any]:
    found: dict[str, Any] = {}
    began, tried, better = time.perf_counter(), 0, min if rows.metric in LOWER else max
    for kind, settings in rows.models():
        scores = rows.score(settings, rows.folds)
        if kind == "plain":
            found["plain"] = {"score": round(float(np.mean(scores)), 4), "folds": scores}
            found["plain_seconds"] = round(time.perf_counter() - began, 2)
            best = (float(np.mean(scores)), scores)
        else:
            tried += 1
            best = better(best, (float(np.mean(scores)), scores), key=lambda one: one[0])
        if time.perf_counter() - began > budget:
            break
    return {**found, "searched": {"score": round(best[0], 4), "tried": tried}}


def verdict(row: Mapping[str, Any]) -> dict[str, Any]:
    """Baton's gain over the plain model, mean and standard error over the folds."""
    sign = -1.0 if row["metric"] in LOWER else 1.0
    gains = sign * (np.array(row["baton"]["folds"]) - np.array(row["plain"]["folds"]))
    error = float(gains.std(ddof=1) / np.sqrt(len(gains)))
    return {"gain": round(float(gains.mean()), 4), "standard_error": round(error, 4)}


def main(wanted: Sequence[str]) -> None:
    """Compare on every question, or on those named."""
    say(machine=machine())
    for question in QUESTIONS:
        if wanted and question.name not in wanted:
            continue
        folder = Path(tempfile.mkdtemp(prefix="baton-quality-"))
        try:
            row = compare(question, folder)
        finally:
            shutil.rmtree(folder)
        say(**row, **verdict(row))


if __name__ == "__main__":
    main(sys.argv[1:])
