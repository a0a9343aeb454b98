"""A small example of `evaluate_forecast`: boosting on sixty days of two places."""

from dataclasses import dataclass
from pathlib import Path

from pipelines.operations.contract import Context, Json, clean_params
from pipelines.operations.learning import store
from pipelines.operations.learning.candidates import about_model
from pipelines.operations.learning.definition import FeatureColumn, FeatureSet
from pipelines.operations.learning.families import build, encode, whole
from pipelines.operations.learning.tasks import TASKS
from pipelines.operations.split_origins.compute import run
from pipelines.operations.split_origins.example import example as forecasts
from pipelines.operations.split_origins.spec import SPEC
from pipelines.operations.tables import read_table

NUMBERS = ("horizon", "lag_1", "mean_7", "season_1", "weekday")


@dataclass(frozen=True)
class Trained:
    """A model of forecasts, the rows it learned from and later ones."""

    model: Path
    train: Path
    holdout: Path


def write_model(folder: Path, *, family: str = "boosting", base: str = "") -> Trained:
    """A small model and both parts of its rows; `base` is what it predicts the difference from."""
    inputs, params = forecasts(folder)
    place = folder / "split"
    place.mkdir(exist_ok=True)
    given = clean_params(SPEC, params)
    parts = run(Context(spec=SPEC, folder=place, inputs=inputs, params=given)).outputs
    frame = read_table(parts["train"])
    columns = [FeatureColumn(name, "number", "float64", "before") for name in NUMBERS]
    places = tuple(sorted(frame["place"].unique()))
    columns.append(FeatureColumn("place", "category", "str", "before", places))
    features = FeatureSet(
        "value", (), tuple(columns), ("key",), "moment", task="regression", origin="origin",
        base=base,
    )  # fmt: skip
    encoder, matrix = encode(features, frame, field="train")
    settings: dict[str, Json] = {"max_iter": 30, "min_samples_leaf": 10}
    model = build(family, features, settings, 1).fit(matrix, frame["value"].to_numpy())
    about = about_model(features, family=family, settings=settings, seed=1)
    about |= TASKS["regression"].usual(frame["value"].to_numpy())
    path = store.dump(whole(encoder, model), folder / "forecast.skops", about)
    return Trained(path, parts["train"], parts["holdout"])


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    made = write_model(folder)
    inputs = {"candidate": made.model, "train": made.train, "holdout": made.holdout}
    return inputs, {"groups": ["place"], "samples": 60}
