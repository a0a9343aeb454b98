"""A small package for the examples of the release operations."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.operations import windows
from pipelines.operations.contract import Context, Json, clean_params
from pipelines.operations.learning.example import rows as example_rows
from pipelines.operations.learning.example import write_model
from pipelines.operations.learning.metrics import Floats
from pipelines.operations.package_model.compute import run
from pipelines.operations.package_model.spec import SPEC
from pipelines.operations.packages.loaded import Loaded, load_package
from pipelines.operations.tables import read_table, write_table


@dataclass(frozen=True)
class Packaged:
    """A package, the model file in it, and rows that the model never saw."""

    package: Path
    model: Path
    holdout: Path


def write_package(folder: Path, *, family: str = "boosting", seed: int = 1) -> Packaged:
    """A package of a small model, with threshold 0.4."""
    place = folder / f"package-{family}-{seed}"
    place.mkdir()
    trained = write_model(place, family=family, seed=seed)
    params: dict[str, Json] = {"threshold": 0.4, "golden": 50}
    outcome = run(
        Context(
            spec=SPEC,
            folder=place,
            inputs={"candidate": trained.model, "holdout": trained.holdout},
            params=clean_params(SPEC, params),
            seed=seed,
        )
    )
    return Packaged(outcome.outputs["package"], trained.model, trained.holdout)


@dataclass(frozen=True)
class Logged:
    """A window of logged predictions, and the evaluation's scores and rows to hold it against."""

    window: Path
    predictions: Path
    holdout: Path


def write_window(folder: Path, *, rows: int = 400, shift: float = 0.0, labels: int = 0) -> Logged:
    """A window whose wind blows `shift` harder than the holdout's; the first `labels` came out."""
    made = write_package(folder)
    loaded = load_package(made.package)
    holdout = read_table(made.holdout)
    scores = loaded.score_frame(holdout[list(loaded.signature.names)])
    offline = pd.DataFrame(
        {"journey": holdout["journey"], "score": scores, "label": holdout["late"]}
    )
    later = example_rows(rows, seed=3, start="2024-04-01")
    later["wind"] += shift
    served = loaded.score_frame(later[list(loaded.signature.names)])
    return Logged(
        write_table(_logged(later, served, loaded, labels), folder / "window.parquet"),
        write_table(offline, folder / "predictions.parquet"),
        made.holdout,
    )


def _logged(later: pd.DataFrame, served: Floats, loaded: Loaded, labels: int) -> pd.DataFrame:
    known = pd.Series(np.arange(len(later)) < labels)
    flagged = pd.Series(served >= loaded.decision.threshold)
    logged = pd.DataFrame(
        {
            windows.KEY: later["journey"].astype(str),
            windows.EVENT_TIME: later["leaves"],
            windows.AT: later["leaves"],
            windows.MODE: "canary",
            windows.SERVED_BY: windows.MODEL,
            windows.VERSION: 1,
            windows.SCORE: served,
            windows.LABEL: flagged.astype(int).astype(str),
            windows.FAILED: False,
            windows.LATENCY: 0.002,
            windows.ACTUAL: later["late"].astype(str).where(known, None),
            windows.OBSERVED_AT: (later["leaves"] + pd.Timedelta(hours=2)).where(known),
            windows.RECEIVED_AT: (later["leaves"] + pd.Timedelta(days=3)).where(known),
        }
    )
    return pd.concat([logged, later[list(loaded.signature.names)]], axis=1)
