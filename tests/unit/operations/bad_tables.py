"""Small tables of the six kinds of use case, and what can be wrong with them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.operations.contract import Json
from tests.unit.operations.stages import LEFT_OUT, Stages, played

ROWS = 360
CONTRACT: dict[str, Json] = {
    "default_available": "before",
    "origin": "made up",
    "rights": "free",
    "refresh": "daily",
    "retention": "a year",
    "contact": "desk@example.org",
    "gaps": "none known",
    "null_meaning": "unknown",
    "signed": True,
}
WORDS = [
    "pump",
    "leak",
    "valve",
    "noise",
    "heat",
    "belt",
    "motor",
    "fuse",
    "panel",
    "cable",
    "screen",
    "crack",
    "oil",
    "dust",
]


@dataclass(frozen=True)
class Kind:
    """A kind of use case: its blueprint, its parameters, a sound table."""

    blueprint: str
    parameters: Mapping[str, Json]
    brief: Mapping[str, Json]
    table: Callable[[], pd.DataFrame]
    target: str = ""
    time: str = ""

    def play(
        self,
        folder: Path,
        table: pd.DataFrame | Path,
        until: str = "evaluate",
        *,
        left_out: tuple[str, ...] = LEFT_OUT,
        **parameters: Json,
    ) -> Stages:
        """Run the kind's blueprint on the table."""
        items = {
            "frame.brief": {"currency": "EUR", **self.brief},
            "source.contract": CONTRACT,
            "explore.report": {"slices": [], "sensitive": []},
            "features.choose_features": {"columns": []},
        }
        given = {**self.parameters, **parameters}
        return played(
            folder, self.blueprint, table,
            parameters=given, items=items, until=until, left_out=left_out,
        )  # fmt: skip


def columns(rows: int, seed: int = 3) -> pd.DataFrame:
    """Two numbers, one category, a time: rows in order."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "at": pd.date_range("2024-01-01", periods=rows, freq="h"),
            "size": rng.normal(50, 10, rows),
            "weight": rng.gamma(3, 2, rows),
            "shop": rng.choice(["north", "south", "east"], rows),
        }
    )


def yes_or_no(rows: int = ROWS) -> pd.DataFrame:
    table = columns(rows)
    noise = np.random.default_rng(1).normal(0, 8, rows)
    return table.assign(bad=np.where(table["size"] + noise > 52, "yes", "no"))


def several(rows: int = ROWS) -> pd.DataFrame:
    table = columns(rows)
    noise = np.random.default_rng(1).normal(0, 6, rows)
    grades = pd.cut(table["size"] + noise, [-1e9, 44, 55, 1e9], labels=["low", "mid", "high"])
    return table.assign(grade=grades.astype(str))


def number(rows: int = ROWS) -> pd.DataFrame:
    table = columns(rows)
    noise = np.random.default_rng(1).normal(0, 5, rows)
    return table.assign(price=3 * table["size"] + 2 * table["weight"] + noise)


def series(rows: int = 240) -> pd.DataFrame:
    days = np.arange(rows)
    noise = np.random.default_rng(1).normal(0, 2, rows)
    return pd.DataFrame(
        {
            "at": pd.date_range("2023-01-01", periods=rows, freq="D"),
            "sold": 40 + 8 * np.sin(days * 2 * np.pi / 7) + noise,
        }
    )


def groups(rows: int = 210) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    centre = rng.integers(0, 3, rows)
    return pd.DataFrame(
        {
            "size": centre * 10 + rng.normal(0, 1, rows),
            "weight": (centre == 1) * 8 + rng.normal(0, 1, rows),
            "age": rng.normal(40, 9, rows),
        }
    )


def usual(rows: int = ROWS) -> pd.DataFrame:
    return columns(rows)


def texts(rows: int = ROWS) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    first = rng.random(rows) < 0.5
    words = [
        " ".join(rng.choice(WORDS[:8] if one else WORDS[6:], 12)) + f" case {n}"
        for n, one in enumerate(first)
    ]
    return pd.DataFrame({"note": words, "area": np.where(first, "works", "office")})


MODEL = {"costs": {"cost_fp": 1.0, "cost_fn": 5.0, "benefit_tp": 5.0}}
KINDS: dict[str, Kind] = {
    "two classes": Kind(
        "tabular-classification",
        {"target": "bad", "positive": "yes", "time_column": "at"},
        {"metric": "roc_auc", "target_value": 0.6, **MODEL},
        yes_or_no,
        "bad",
        "at",
    ),
    "several classes": Kind(
        "tabular-classification",
        {"target": "grade", "time_column": "at"},
        {"metric": "macro_f1", "target_value": 0.4, "class_costs": {"other": 2.0}},
        several,
        "grade",
        "at",
    ),
    "regression": Kind(
        "tabular-regression",
        {"target": "price", "time_column": "at"},
        {"metric": "mae", "target_value": 9, "costs": {"unit_cost": 1.0}, "error_now": 20},
        number,
        "price",
        "at",
    ),
    "forecasting": Kind(
        "forecasting",
        {"time_column": "at", "measure": "sum", "value_column": "sold", "horizons": 2},
        {"metric": "mae", "target_value": 4, "costs": {"unit_cost": 1.0}, "error_now": 9},
        series,
        "sold",
        "at",
    ),
    "clustering": Kind(
        "clustering",
        {"resamples": 10},
        {"metric": "stability", "fewest": 2, "most": 4, "smallest_share": 0.05, **MODEL},
        groups,
    ),
    "anomalies": Kind(
        "anomaly-detection",
        {"time_column": "at"},
        {"metric": "precision_at_k", "target_value": 0.5, "capacity": 2, **MODEL},
        usual,
        "",
        "at",
    ),
    "texts": Kind(
        "text-classification",
        {"target": "area", "positive": "works", "text_columns": ["note"]},
        {"metric": "roc_auc", "target_value": 0.6, **MODEL},
        texts,
        "area",
    ),
}


def everything_at_once(kind: str) -> pd.DataFrame:
    """The kind's table with all that a table can have and still be read; in no order."""
    known = KINDS[kind]
    table, rng = known.table(), np.random.default_rng(9)
    rows = len(table)
    some = rng.random(rows) < 0.1
    name = {"texts": "note", "forecasting": "sold"}.get(kind, "size")
    if known.time:
        table.loc[some, known.time] = pd.NaT
    table.loc[rng.random(rows) < 0.15, name] = None
    table = table.assign(
        **{
            "same": 1.0,
            "word": "x",
            "void": None,
            "again": table[name],
            "code": [f"id-{n}" for n in range(rows)],
            "counter": np.arange(rows),
            "far out": np.where(rng.random(rows) < 0.02, 1e74, rng.normal(size=rows)),
            "tiny": rng.normal(size=rows) * 1e-300,
            "whole": rng.choice([-(2**62), 2**62], rows),
            'gr\u00f6\u00dfe \u2603 [m,"]': rng.normal(size=rows),
            "flag": pd.array(rng.choice([True, False, None], rows), dtype="boolean"),
            "day": pd.Series(pd.Timestamp("1700-01-01"), index=range(rows)).where(some),
            "blank": np.where(some, " ", ""),
        }
    )
    if known.target and kind != "forecasting":
        table["twin"] = table[known.target]
        table.loc[~some & (rng.random(rows) < 0.02), known.target] = None
    return pd.concat([table, table[:15]]).sample(frac=1, random_state=2).reset_index(drop=True)
