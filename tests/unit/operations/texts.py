"""Small tables of texts: praise and complaints by authors who repeat themselves."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.operations.contract import Json
from pipelines.operations.learning import store
from pipelines.operations.learning.candidates import about_model
from pipelines.operations.learning.definition import FeatureColumn, FeatureSet
from pipelines.operations.learning.families import build, encode, whole
from pipelines.operations.learning.labels import as_labels
from pipelines.operations.tables import write_document, write_table

GOOD = ("great", "lovely", "fresh", "tasty", "friendly")
BAD = ("stale", "broken", "late", "rude", "bland")
OTHER = ("the", "box", "of", "tea", "came", "with", "my", "order", "and", "a", "cup")
QUICK: dict[str, Json] = {"components": 5, "max_iter": 10, "min_samples_leaf": 5}


def reviews(count: int = 300, *, seed: int = 1) -> pd.DataFrame:
    """Reviews with a number, a place and an author beside the text."""
    rng = np.random.default_rng(seed)
    good = rng.random(count) < 0.5
    texts = []
    for liked in good:
        telling = GOOD if liked ^ (rng.random() < 0.1) else BAD
        chosen = [*rng.choice(OTHER, rng.integers(3, 9)), *rng.choice(telling, 2)]
        texts.append(" ".join(rng.permutation(chosen)))
    return pd.DataFrame(
        {
            "id": np.arange(count),
            "review": texts,
            "stars": rng.integers(1, 6, count).astype("float64"),
            "shop": rng.choice(["north", "south"], count),
            "author": [f"author {number}" for number in rng.integers(0, count // 5, count)],
            "praise": good,
        }
    )


def definition(*, beside: bool = True) -> FeatureSet:
    """The review, and beside it a number and a category."""
    text = FeatureColumn("review", "text", "str", "before")
    others = (
        FeatureColumn("stars", "number", "float64", "before"),
        FeatureColumn("shop", "category", "str", "before", ("north", "south")),
    )
    columns = (*others, text) if beside else (text,)
    return FeatureSet("praise", (False, True), columns, ("id",), group="author")


def write_contract(folder: Path, frame: pd.DataFrame) -> Path:
    """A contract that knows every column before the prediction."""
    columns: list[Json] = [{"name": name, "available": "before"} for name in frame]
    return write_document(folder / "contract.json", {"columns": columns, "key_column": "id"})


def write_reviews(folder: Path, frame: pd.DataFrame | None = None) -> dict[str, Path]:
    """Inputs of `build_features`."""
    rows = reviews() if frame is None else frame
    table = write_table(rows, folder / "train.parquet")
    return {"train": table, "contract": write_contract(folder, rows)}


def write_model(folder: Path, family: str, *, beside: bool = True) -> Path:
    """A fitted model file of a family that reads texts."""
    frame, features = reviews(), definition(beside=beside)
    settings = {name: QUICK[name] for name in QUICK} if family == "text_boosting" else {}
    columns, matrix = encode(features, frame, field="train")
    model = build(family, features, settings, 1)
    model.fit(matrix, as_labels(frame["praise"], features.classes))
    about = about_model(features, family=family, settings=settings, seed=1)
    return store.dump(whole(columns, model), folder / f"{family}.skops", about)
