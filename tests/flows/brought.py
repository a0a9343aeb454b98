"""Models trained outside Baton, by scikit-learn alone, and what comes with them to be admitted.

One is exported as ONNX by skl2onnx and asked whether a flight that has left will be late; one is
kept by skops and asked how late. Both were trained on the flights before August.
"""

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
import skops.io
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingClassifier, RandomForestRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

from portal.demo import script
from portal.demo.flights import Flight, Row
from tests.flows import arrivals
from tests.flows.quick import QuickPlay

# skl2onnx still names parts of onnx and of numpy that are on their way out.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

NUMBERS: Final = ("hour", "sched_arr_time", "dep_delay", "distance")
TEXTS: Final = ("carrier", "origin")
LATE: Final = 15
GOLDEN_ROWS: Final = 30
ORIGIN: Final[dict[str, Any]] = {
    "trained_with": "scikit-learn on a workstation",
    "trained_on": "Every ninetieth flight out of New York, January to July 2013.",
    "trained_until": "2013-07-31",
    "unseen": "none of them",
    "search": "None: the library's own settings, with few and shallow trees.",
    "again": "The research group keeps the script; it runs in seconds.",
}
FEATURES: Final = {"reason": "What is known when the flight leaves the ground."}
LATE_FORMS: Final[Mapping[tuple[str, str], Mapping[str, Any]]] = {
    ("source", "contract"): arrivals.FORMS["source", "contract"],
    ("explore", "report"): arrivals.FORMS["explore", "report"],
    ("tune", "origin"): ORIGIN,
    script.CHOICE: FEATURES,
}
VALUE_FORMS: Final = {**arrivals.FORMS, ("tune", "origin"): ORIGIN, script.CHOICE: FEATURES}
VALUE_PARAMETERS: Final = {
    name: value for name, value in arrivals.PARAMETERS.items() if name != "search_trials"
}
LATE_PARAMETERS: Final[dict[str, Any]] = {
    **VALUE_PARAMETERS,
    "target": "late",
    "target_rule": {"name": "late", "column": arrivals.TARGET, "op": ">", "value": LATE},
    "exclude": ["year", "air_time", arrivals.TARGET],
    "max_ece": 0.1,
}


class BroughtPlay(QuickPlay):
    """The seven people with the answers that fit a model that was brought."""

    forms: Mapping[tuple[str, str], Mapping[str, Any]] = LATE_FORMS

    def form(self, key: tuple[str, str], *, round: int) -> Mapping[str, Any] | None:
        """Return what is different here, or what the script says."""
        return self.forms.get(key) or super().form(key, round=round)


class LateArrivals(arrivals.Arrivals):
    """Reports whether each flight was late."""

    def labels(self, *, until: str) -> list[list[dict[str, Any]]]:
        """Return what became of the flights asked about, in batches."""
        return [
            [{**label, "value": label["value"] > LATE} for label in batch]
            for batch in super().labels(until=until)
        ]


@dataclass(frozen=True)
class Export:
    """A model file, and what its maker says of it."""

    name: str
    content: bytes
    declaration: dict[str, Any]
    golden: dict[str, Any]

    def files(self) -> dict[str, tuple[str, bytes]]:
        """File name and content by the name of the run's input."""
        return {
            "model": (self.name, self.content),
            "declaration": ("declaration.json", json.dumps(self.declaration).encode()),
            "golden": ("golden.json", json.dumps(self.golden).encode()),
        }


def table(rows: list[Row]) -> pd.DataFrame:
    """The flights before August, as a researcher would read them."""
    kept = pd.DataFrame([row for row in rows if int(row["month"]) < 8])
    numbers = {name: kept[name].astype(float) for name in (*NUMBERS, arrivals.TARGET)}
    return kept.assign(**numbers)


def _prepared(model: Any) -> Pipeline:
    encode = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_pipeline(
        make_column_transformer((encode, list(TEXTS)), remainder="passthrough"), model
    )


def _declaration(**more: Any) -> dict[str, Any]:
    kinds = {**dict.fromkeys(NUMBERS, "number"), **dict.fromkeys(TEXTS, "text")}
    columns = [{"name": name, "type": kind} for name, kind in kinds.items()]
    return {"format": "baton/brought/1", "columns": columns, **more}


def _golden(frame: pd.DataFrame, scores: Any) -> dict[str, Any]:
    few = frame[[*NUMBERS, *TEXTS]].head(GOLDEN_ROWS)
    return {"rows": few.to_dict("records"), "scores": [float(s) for s in scores[:GOLDEN_ROWS]]}


def as_onnx(rows: list[Row]) -> Export:
    """Boosting that says whether a flight will be late, as a graph."""
    frame = table(rows)
    given = frame[[*NUMBERS, *TEXTS]]
    model = _prepared(GradientBoostingClassifier(n_estimators=60, random_state=0))
    model.fit(given, (frame[arrivals.TARGET] > LATE).astype(int))
    types = [(name, FloatTensorType([None, 1])) for name in NUMBERS]
    types += [(name, StringTensorType([None, 1])) for name in TEXTS]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = to_onnx(model, initial_types=types)
    return Export(
        "late.onnx",
        graph.SerializeToString(),
        _declaration(task="classification", target="late", classes=[0, 1]),
        _golden(frame, model.predict_proba(given)[:, 1]),
    )


def as_skops(rows: list[Row]) -> Export:
    """A forest that says how late, as scikit-learn keeps it."""
    frame = table(rows)
    given = frame[[*NUMBERS, *TEXTS]]
    forest = RandomForestRegressor(30, max_depth=8, min_samples_leaf=5, random_state=0)
    model = _prepared(forest).fit(given, frame[arrivals.TARGET])
    return Export(
        "minutes.skops",
        skops.io.dumps(model),
        _declaration(task="regression", target=arrivals.TARGET),
        _golden(frame, model.predict(given)),
    )


def asked(rows: list[Row]) -> list[Flight]:
    """November's flights, which call."""
    return arrivals.later(rows)
