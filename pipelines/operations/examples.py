"""Tables for the examples of the operations: small, made from a seed, like flights."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.operations.contract import Context, clean_params
from pipelines.operations.infer_contract.compute import run as infer
from pipelines.operations.infer_contract.spec import SPEC as INFER
from pipelines.operations.profile.compute import describe
from pipelines.operations.tables import read_document, read_table, write_document, write_table

TARGET, TIME = "late", "time_hour"


def flights_frame(rows: int = 600, seed: int = 1) -> pd.DataFrame:
    """Made-up flights: lateness depends on hour and carrier; arr_delay gives it away."""
    draw = np.random.default_rng(seed)
    hour = draw.integers(5, 23, rows)
    carrier = draw.choice(np.array(["AA", "B6", "UA"]), rows)
    risk = 0.1 + 0.03 * (hour - 5) + 0.15 * (carrier == "B6")
    late = draw.random(rows) < risk
    start = np.datetime64("2013-01-01T00:00:00", "us")
    days = np.sort(draw.integers(0, 300, rows))
    wind = np.where(draw.random(rows) < 0.1, np.nan, draw.gamma(2.0, 5.0, rows))
    return pd.DataFrame(
        {
            TIME: start
            + days * np.timedelta64(86_400_000_000, "us")
            + hour * np.timedelta64(3_600_000_000, "us"),
            "carrier": pd.Series(carrier, dtype="str"),
            "hour": hour,
            "distance": draw.integers(100, 2500, rows),
            "wind_speed": np.round(wind, 2),
            "arr_delay": np.where(late, draw.integers(16, 120, rows), draw.integers(-30, 16, rows)),
            TARGET: late.astype("int64"),
        }
    )


def write_flights(path: Path, rows: int = 600, seed: int = 1) -> Path:
    """The made-up flights as Parquet."""
    return write_table(flights_frame(rows, seed), path)


def write_profile(table: Path, path: Path) -> Path:
    """The profile of a table."""
    columns = [describe(series, bins=5, top=5) for _, series in read_table(table).items()]
    return write_document(path, {"columns": list(columns)})


def write_contract(table: Path, path: Path, *, after: tuple[str, ...] = ()) -> Path:
    """A data contract of a table; columns in `after` are known only after prediction."""
    folder = path.parent
    context = Context(
        spec=INFER,
        folder=folder,
        inputs={"table": table, "profile": write_profile(table, folder / "described.json")},
        params=clean_params(INFER, {"target": TARGET, "time_column": TIME}),
    )
    document = read_document(infer(context).outputs["contract"])
    columns = document["columns"]
    for entry in columns if isinstance(columns, list) else []:
        if isinstance(entry, dict):
            entry["available"] = "after" if entry["name"] in after else "before"
    return write_document(path, document)
